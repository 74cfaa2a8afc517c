"""The third job: train the network that was found, or any other, on its own."""

import numpy as np

from tfdynnas import errors
from tfdynnas import whole_file
from tfdynnas.data import training_feed
from tfdynnas.runs import scoring
from tfdynnas.runs import setup
from tfdynnas.runs import trained
from tfdynnas.training import backend
from tfdynnas.training import loop
from tfdynnas.training import recalibration
from tfdynnas.training import standalone


def train_subnet(run_dir, config, checkpoint_steps=1000, progress=loop.silent, exact=False):
  """Trains one arch on the training images, and measures it on the test images if there are any.

  One device. Leaves `model.keras`, in layers that any Keras has, and `result.json` in the folder
  that `folder_of` says.

  Args:
    run_dir: RunDir.
    config: config.SubnetConfig.
    checkpoint_steps: Steps between checkpoints.
    progress: Callable (step, steps, **logs).
    exact: bool, give the same bits in every run.

  Returns:
    dict: arch, string, params, macs, accuracy, the part it was measured on, path of the model.

  Raises:
    InputError: No such arch, nothing was found yet, or the directory holds another training.
    DivergedError: The loss is no longer a number.
  """
  if exact:
    backend.make_deterministic(config.subnet_seed)
  supernet_config, data, space = setup.reload(run_dir)
  arch, folder = chosen_arch(run_dir, space, config.arch), folder_of(space, config.arch)
  supernet = config.inherit and trained.load_supernet(run_dir, supernet_config, space)
  served, result = train_arch(
      run_dir, folder, arch, config, (supernet_config, data, space), supernet or None,
      checkpoint_steps, progress,
  )
  save_model(served, run_dir.path / folder / "model.keras")
  run_dir.write_json(f"{folder}/result.json", result)
  return {**result, "model": str(run_dir.path / folder / "model.keras")}


def folder_of(space, text):
  """Where the network of a run is trained: `subnet`; of an arch that is named, `subnet_INDEX`.

  Args:
    space: spaces.Space.
    text: str, config.NetworkConfig's `arch`.

  Returns:
    str, name of the folder in the run's.

  Raises:
    InputError: The text is no arch.
  """
  return f"subnet_{space.index(space.parse(text))}" if text else "subnet"


def train_arch(
    run_dir, folder, arch, config, parts, supernet=None, checkpoint_steps=1000,
    progress=loop.silent,
):
  """Trains one arch in a folder of the run, or goes on with it from its last checkpoint.

  Args:
    run_dir: RunDir.
    folder: Name of the folder, in the run's.
    arch: Sequence of ints, one per decision.
    config: config.SubnetConfig, whose `arch` does not count.
    parts: What setup.reload gave: (config.SupernetConfig, data.Data, spaces.Space).
    supernet: supernet.Supernet whose weights to begin with; None begins from scratch.
    checkpoint_steps: Steps between checkpoints.
    progress: Callable (step, steps, **logs).

  Returns:
    (model, result): the trained network in layers that any Keras has; dict as of `train_subnet`,
    without a path.
  """
  supernet_config, data, space = parts
  feed = training_feed.TrainingFeed(
      data, data.train, config.subnet_batch, config.subnet_seed, supernet_config.pad,
      supernet_config.flip, jitter=(supernet_config.jitter, supernet_config.jitter_hue),
  )
  steps = config.subnet_epochs * feed.steps_per_epoch
  model = standalone.network_to_train(config, space, arch, steps, supernet)
  loop.build(model, space.skeleton.classes)
  loop.fit(
      model, feed.prepared, feed.steps_per_epoch, config.subnet_epochs, run_dir.path / folder,
      {**config.as_dict(), "arch": list(arch)}, checkpoint_steps, progress,
  )
  served = standalone.network_to_serve(space, arch, model)
  if config.subnet_ema:  # The running statistics are those of the last weights.
    recalibration.recalibrate(served, scoring.calibration_batches(data, config.subnet_seed))
  return served, _measured(data, space, arch, served)


def _measured(data, space, arch, served):
  """How good the trained network is."""
  part = "test" if data.test is not None else "validation"
  return {
      "arch": list(arch), "string": space.format(arch), "part": part,
      "params": space.cost(arch, "params"), "macs": space.cost(arch, "macs"),
      "accuracy": accuracy(served, data, data.test if part == "test" else data.valid),
  }


def chosen_arch(run_dir, space, text):
  """The arch of a flag; of an empty one, what the search of the run found.

  Raises:
    InputError: The text is no arch, or nothing was found yet.
  """
  if text:
    return space.parse(text)
  if not (run_dir.path / "search" / "found.json").exists():
    raise errors.InputError(f"Give `arch`, or search {run_dir.path} first. Received: neither")
  return space.validate(run_dir.read_json("search/found.json")["arch"])


def accuracy(model, data, part, batch=256):
  """Share of a part's images that a network tells right."""
  right = 0
  for images, labels in training_feed.evaluation(data, part, batch):
    right += int(np.sum(np.argmax(model.predict_on_batch(images), axis=1) == labels.numpy()))
  return right / part.size


def save_model(model, path):
  """Writes a `.keras` file, whole or not at all."""
  draft = path.with_name(f".draft.{path.name}")
  try:
    model.save(draft)
    with whole_file.replacing(path) as file:
      file.write(draft.read_bytes())
  finally:
    draft.unlink(missing_ok=True)
