"""What the search brought: the network found beside others that no search looked for."""

from tfdynnas import errors
from tfdynnas.jobs import search
from tfdynnas.jobs import setup
from tfdynnas.jobs import several
from tfdynnas.jobs import trained
from tfdynnas.search import baselines
from tfdynnas.training import loop


def train_baselines(run_dir, config, search_config, subnet_config, checkpoint_steps=1000,
                    progress=loop.silent, tell=setup.untold):
  """Trains random archs no dearer than the one found, and the largest, as that one was trained.

  Which archs is a function of the seed of the run and of the arch found. Each is trained in a
  folder of its own, `baselines/INDEX/`; `baselines.json` has what came out.

  Args:
    run_dir: RunDir whose network found is trained.
    config: config.BaselineConfig.
    search_config: config.SearchConfig of the search.
    subnet_config: config.SubnetConfig by which the network found was trained.
    checkpoint_steps: Steps between checkpoints.
    progress: Callable (step, steps, **logs), steps of all trainings together.
    tell: Callable, given a line where there are fewer archs than asked for.

  Returns:
    dict: `found`, what subnet.train_subnet leaves of that network; `randoms`, a list of the same;
    `largest`, the same, or None where that is the one that was found.

  Raises:
    InputError: `arch` names another network, the one found is not trained, or there are trainings
      by another recipe.
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
    InputError: `arch` names one.
  """
  if config.baselines and subnet_config.arch:
    raise errors.InputError(
        "`baselines` are for the network that the search finds. Received: "
        f"arch={subnet_config.arch!r}"
    )


def _found(run_dir, space):
  """The arch that was found, whose network is trained."""
  found = run_dir.read_arch("search/found.json", space)
  if run_dir.read_arch("subnet/result.json", space) != found:
    raise errors.InputError(
        f"{run_dir.path / 'subnet'} must hold the network found, {space.format(found)}. "
        "Received: another"
    )
  return found


def _record(run_dir, others, count):
  """Leaves and returns what came out."""
  record = {
      "found": run_dir.read_json("subnet/result.json"), "randoms": others[:count],
      "largest": next(iter(others[count:]), None),
  }
  run_dir.write_json("baselines.json", record)
  return record
