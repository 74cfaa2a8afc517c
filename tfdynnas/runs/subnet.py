"""The third job: train the found network on its own."""

import numpy as np

from tfdynnas import errors
from tfdynnas import whole_file
from tfdynnas.data import training_feed
from tfdynnas.runs import setup
from tfdynnas.runs import trained
from tfdynnas.training import backend
from tfdynnas.training import loop
from tfdynnas.training import standalone


def train_subnet(run_dir, config, checkpoint_steps=1000, progress=loop.silent, exact=False):
  """Trains one arch on the training images, and measures it on the test images if there are any.

  One device. Leaves `subnet/model.keras`, in layers that any Keras has, and `subnet/result.json`.

  Args:
    run_dir: RunDir.
    config: config.SubnetConfig.
    checkpoint_steps: Steps between checkpoints.
    progress: Callable (step, steps, **logs).
    exact: bool, give the same bits in every run.

  Returns:
    dict: arch, string, params, macs, accuracy, the part it was measured on.

  Raises:
    InputError: No such arch, nothing was found yet, or the directory holds another training.
    DivergedError: The loss is no longer a number.
  """
  if exact:
    backend.make_deterministic(config.subnet_seed)
  supernet_config, data, space = setup.reload(run_dir)
  arch = chosen_arch(run_dir, space, config.arch)
  supernet = config.inherit and trained.load_supernet(run_dir, supernet_config, space)
  feed = training_feed.TrainingFeed(
      data, data.train, config.subnet_batch, config.subnet_seed, supernet_config.pad,
      supernet_config.flip,
  )
  steps = config.subnet_epochs * feed.steps_per_epoch
  settings = config.subnet_learning_rate, config.subnet_l2, config.subnet_seed
  model = standalone.network_to_train(space, arch, steps, *settings, supernet or None)
  loop.build(model, space.skeleton.classes)
  identity = {**config.as_dict(), "arch": list(arch)}
  loop.fit(
      model, feed.prepared, feed.steps_per_epoch, config.subnet_epochs, run_dir.path / "subnet",
      identity, checkpoint_steps, progress,
  )
  return _finish(run_dir, data, space, arch, standalone.network_to_serve(space, arch, model))


def _finish(run_dir, data, space, arch, served):
  """Measures the trained network, and writes it and the result."""
  part = "test" if data.test is not None else "validation"
  result = {
      "arch": list(arch), "string": space.format(arch), "part": part,
      "params": space.cost(arch, "params"), "macs": space.cost(arch, "macs"),
      "accuracy": accuracy(served, data, data.test if part == "test" else data.valid),
  }
  save_model(served, run_dir.path / "subnet" / "model.keras")
  run_dir.write_json("subnet/result.json", result)
  return result


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
