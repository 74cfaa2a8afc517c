"""The third job: train the network found, or any other, on its own."""

from tfdynnas import errors
from tfdynnas.backend import current
from tfdynnas.data import feeds
from tfdynnas.files import atomic
from tfdynnas.jobs import run_directory
from tfdynnas.jobs import scoring
from tfdynnas.jobs import setup
from tfdynnas.jobs import supernet as supernet_job
from tfdynnas.jobs import trained
from tfdynnas.supernet import recalibration
from tfdynnas.training import loop
from tfdynnas.training import standalone

_SCORED = 256  # Images at a time.


def train_subnet(run_dir, config, checkpoint_steps=1000, progress=loop.silent, exact=False,
                 tell=setup.untold):
  """Trains one arch on the training images, and measures it on the test images if there are any.

  Runs on one device. Writes `model.keras`, of Keras' own layers alone, and `result.json` to the
  folder that `folder_of` names.

  Args:
    run_dir: RunDir.
    config: config.SubnetConfig.
    checkpoint_steps: Steps between checkpoints.
    progress: Callable (step, steps, **logs).
    exact: bool, give the same bits in every run.
    tell: Callable, given a description of the images, as text, before the first step.

  Returns:
    dict: arch, string, params, macs, `connected` (whether a signal passes), the accuracies of
    class_accuracy.summary, `part` (the split that they were measured on), path of the model.

  Raises:
    InputError: There is no such arch, nothing has been found yet, or the folder holds another
      training.
    DivergedError: The loss is no longer a number.
  """
  if exact:
    current.make_deterministic(config.subnet_seed)
  made = setup.reload(run_dir)
  arch, folder = chosen_arch(run_dir, made.space, config.arch), folder_of(made.space, config.arch)
  run_directory.check_folder(run_dir.path / folder)
  supernet = config.inherit and trained.load_supernet(run_dir, made.config, made.space)
  served, result = train_arch(
      run_dir, folder, arch, config, made, supernet or None,
      checkpoint_steps, progress, lambda: setup.account_for(run_dir, made.data, tell),
  )
  save_model(served, run_dir.path / folder / "model.keras")
  run_dir.write_json(f"{folder}/result.json", result)
  return {**result, "model": str(run_dir.path / folder / "model.keras")}


def folder_of(space, text):
  """Folder of a run's network: `subnet`, or `subnet_INDEX` for an arch given by name.

  Args:
    space: spaces.Space.
    text: str, config.NetworkConfig's `arch`.

  Returns:
    str, name of the folder in the run's folder.

  Raises:
    InputError: The text is not an arch.
  """
  return f"subnet_{space.index(space.parse(text))}" if text else "subnet"


def train_arch(
    run_dir, folder, arch, config, made, supernet=None, checkpoint_steps=1000,
    progress=loop.silent, begin=lambda: None,
):
  """Trains one arch in a folder of the run, or resumes from its last checkpoint.

  Args:
    run_dir: RunDir.
    folder: Name of the folder, in the run's folder.
    arch: Sequence of ints, one per decision.
    config: config.SubnetConfig; its `arch` is ignored.
    made: setup.Setup of the run.
    supernet: supernet.Supernet to inherit weights from; None: train from scratch.
    checkpoint_steps: Steps between checkpoints.
    progress: Callable (step, steps, **logs).
    begin: Callable, called after all checks, before the first step.

  Returns:
    (model, result): the network, of Keras' own layers; `train_subnet`'s dict, without path.
  """
  supernet_config, data, space = made
  augmentation = supernet_job.augmentation(supernet_config)
  feed = feeds.TrainingFeed(
      data, data.train, config.subnet_batch, config.subnet_seed, augmentation)
  steps = feed.steps(config.subnet_epochs)
  counts = supernet_job.counted(config, feed)
  model = standalone.network_to_train(config, space, arch, steps, supernet, counts)
  loop.build(model, space.skeleton.classes)
  begin()
  with feed.reading():
    loop.fit(
        model, feed.prepared, feed.steps_per_epoch, config.subnet_epochs, run_dir.path / folder,
        {**config.identity(), "arch": list(arch)}, checkpoint_steps, progress,
    )
  served = standalone.network_to_serve(
      space, arch, model, model.optimizer.averages(model.trainable_variables))
  if config.subnet_ema:  # The running statistics belong to the last weights, not their average.
    recalibration.recalibrate(served, scoring.calibration_batches(data, config.subnet_seed))
  return served, _measured(data, space, arch, served)


def inherited(run_dir, text):
  """The network of an arch with the supernet's weights and statistics of training images.

  Args:
    run_dir: RunDir whose supernet is trained.
    text: str, config.NetworkConfig's `arch`.

  Returns:
    (model, result): as of `train_arch`.

  Raises:
    InputError: There is no such arch, nothing has been found yet, or no supernet is trained.
  """
  supernet_config, data, space = setup.reload(run_dir)
  arch = chosen_arch(run_dir, space, text)
  supernet = trained.load_supernet(run_dir, supernet_config, space)
  served = standalone.network_to_serve(space, arch, supernet.subnet(arch, "running"))
  recalibration.recalibrate(served, scoring.calibration_batches(data, supernet_config.seed))
  return served, _measured(data, space, arch, served)


def _measured(data, space, arch, served):
  """The result of a trained network: arch, costs and accuracies."""
  part, measured = ("test", data.test) if data.test is not None else ("validation", data.valid)
  return {
      "arch": list(arch), "string": space.format(arch), "part": part,
      "params": space.cost(arch, "params"), "macs": space.cost(arch, "macs"),
      "connected": space.connected(arch), "class_names": list(data.class_names),
      **scoring.told_right(
          served, feeds.evaluation(data, measured, _SCORED), len(data.class_names)),
  }


def chosen_arch(run_dir, space, text):
  """The arch of a flag; for an empty one, the arch that the search of the run found.

  Raises:
    InputError: The text is not an arch, or nothing has been found yet.
  """
  if text:
    return space.parse(text)
  if not (run_dir.path / "search" / "found.json").exists():
    raise errors.InputError(f"Give `arch`, or search {run_dir.path} first. Received: neither")
  return run_dir.read_arch("search/found.json", space)


def signal_note(run_dir, text):
  """A warning about an arch, printed before it is trained or exported.

  Args:
    run_dir: RunDir.
    text: str, config.NetworkConfig's `arch`.

  Returns:
    str, a line if no signal passes from its input to its output, else "".

  Raises:
    InputError: The text is not an arch, or nothing has been found yet.
  """
  space = setup.stored_space(run_dir.config())
  arch = chosen_arch(run_dir, space, text)
  if space.connected(arch):
    return ""
  return (f"Note: no signal passes from input to output of {space.format(arch)}: it answers every "
          "image alike")


def save_model(model, path):
  """Writes a `.keras` file, whole or not at all."""
  draft = path.with_name(f".draft.{path.name}")
  try:
    model.save(draft)
    with atomic.replacing(path) as file:
      file.write(draft.read_bytes())
  finally:
    draft.unlink(missing_ok=True)
