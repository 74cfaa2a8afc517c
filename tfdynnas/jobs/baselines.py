"""The gain of the search: the network found against random ones and the largest."""

from tfdynnas import errors
from tfdynnas.jobs import search
from tfdynnas.jobs import setup
from tfdynnas.jobs import several
from tfdynnas.jobs import trained
from tfdynnas.search import baselines
from tfdynnas.training import loop


def train_baselines(run_dir, config, search_config, subnet_config, checkpoint_steps=1000,
                    progress=loop.silent, tell=setup.untold):
  """Trains random archs that cost no more than the one found, and the largest, by its recipe.

  The archs depend on the run's seed and on the arch found alone. Each is trained in its own
  folder, `baselines/INDEX/`; `baselines.json` holds the results.

  Args:
    run_dir: RunDir in which the network found has been trained.
    config: config.BaselineConfig.
    search_config: config.SearchConfig of the search.
    subnet_config: config.SubnetConfig with which the network found was trained.
    checkpoint_steps: Steps between checkpoints.
    progress: Callable (step, steps, **logs), steps of all trainings together.
    tell: Callable, given a line of text if there are fewer archs than asked for.

  Returns:
    dict: `found`, the result that subnet.train_subnet wrote; `randoms`, a list of such results;
    `largest`, such a result, or None if the network found is the largest.

  Raises:
    InputError: `arch` names another network, the one found is not trained, or the folder
      holds trainings by another recipe.
    DivergedError: A loss is no longer a number.
  """
  check(config, subnet_config)
  made = setup.reload(run_dir)
  found = _found(run_dir, made.space)
  limited = search.limited(made.space, search_config)
  randoms, largest = baselines.choose(limited, found, config.baselines, made.config.seed)
  if len(randoms) < config.baselines:
    tell(f"Note: baselines={config.baselines}, but no more than {len(randoms)} other archs within "
         "the limits cost at most what the one found does")
  others = several.train(
      run_dir, "baselines", subnet_config, made, [*randoms, *({largest} - {found})],
      subnet_config.inherit and trained.load_supernet(run_dir, made.config, made.space) or None,
      checkpoint_steps, progress)
  return _record(run_dir, others, len(randoms))


def check(config, subnet_config):
  """Refuses baselines of a network that the search did not find.

  Args:
    config: config.BaselineConfig.
    subnet_config: config.SubnetConfig.

  Raises:
    InputError: `arch` names a network.
  """
  if config.baselines and subnet_config.arch:
    raise errors.InputError(
        "`baselines` are for the network that the search finds. Received: "
        f"arch={subnet_config.arch!r}"
    )


def _found(run_dir, space):
  """The arch that was found; refuses a run that has not trained it."""
  found = run_dir.read_arch("search/found.json", space)
  if run_dir.read_arch("subnet/result.json", space) != found:
    raise errors.InputError(
        f"{run_dir.path / 'subnet'} must hold the network found, {space.format(found)}. "
        "Received: another"
    )
  return found


def _record(run_dir, others, count):
  """Writes and returns the results."""
  record = {
      "found": run_dir.read_json("subnet/result.json"), "randoms": others[:count],
      "largest": next(iter(others[count:]), None),
  }
  run_dir.write_json("baselines.json", record)
  return record
