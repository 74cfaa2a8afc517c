"""The fourth job: export the network that was trained on its own."""

import hashlib
import json
import pathlib
import zipfile

import keras

from tfdynnas import errors
from tfdynnas.data.images import preparation as preparation_lib
from tfdynnas.files import damage
from tfdynnas.files import regular_file
from tfdynnas.jobs import run_directory
from tfdynnas.jobs import setup
from tfdynnas.jobs import subnet
from tfdynnas.serving import device_files
from tfdynnas.serving import from_data
from tfdynnas.serving import version_folder

INHERITED = "its weights are those of the supernet: it was not trained on its own"


def export_subnet(run_dir, config):
  """Writes a new version of the servable of a run.

  Args:
    run_dir: RunDir whose subnet is trained.
    config: config.ExportConfig.

  Returns:
    pathlib.Path of the version's folder.

  Raises:
    InputError: There is no trained subnet, or the name or a format cannot be used.
  """
  model, card, data = _network(run_dir, config)
  return from_data.export(
      model, folder_of(run_dir, config) / config.name, data, card=card, format=config.format,
      quantize=config.quantize,
  )


def find_servable(run_dir, config):
  """Finds the newest version of a run's servable, if it holds the network as it is now.

  Args:
    run_dir: RunDir whose subnet is trained.
    config: config.ExportConfig.

  Returns:
    pathlib.Path of the version's folder; None if there is none, or the newest, which is the one
    that is served, holds another network.

  Raises:
    InputError: There is no trained subnet.
  """
  home = folder_of(run_dir, config) / config.name
  versions = version_folder.versions(home)
  if not versions:
    return None
  newest = home / str(max(versions))
  _, card, data = _network(run_dir, config)
  try:
    stored = json.loads(regular_file.read_text(newest / "arch.json"))
  except damage.KINDS:  # Damaged, or not of this package: another network's.
    return None
  same = isinstance(stored, dict) and _same(json.loads(json.dumps(card)), stored)
  same = same and _prepares_alike(data.preparation, stored)
  files = device_files.names(config.format, config.quantize)
  same = same and all((newest / file).is_file() for file in files)
  return newest if same else None


def _same(card, stored):
  """Whether a servable holds a network: same weights, same value of all else that it records."""
  known = {key: value for key, value in card.items() if key in stored or key == "weights"}
  return known.items() <= stored.items()


def _prepares_alike(preparation, stored):
  """Whether a servable prepares images as they were scored; one without a record squashes them."""
  size = stored.get("image_size")
  squashed = preparation_lib.Preparation(
      preparation_lib.MOST_PIXELS, "none", "stored", size=size and tuple(size)
  )
  wanted = preparation or preparation_lib.Preparation(size=size and tuple(size))
  return stored.get("preparation", squashed.as_dict()) == wanted.as_dict()


def folder_of(run_dir, config):
  """Folder of the servables of a run, pathlib.Path.

  Args:
    run_dir: RunDir.
    config: config.ExportConfig.

  Raises:
    InputError: A file has that name.
  """
  folder = pathlib.Path(config.export_dir or run_dir.path / "servable")
  run_directory.check_folder(folder / config.name)
  return folder


def _network(run_dir, config):
  """The network to export: (keras.Model, its card, data.Data)."""
  model, result = _trained(run_dir, config.arch) if not config.inherited else (
      subnet.inherited(run_dir, config.arch))
  stored, (_, data, space) = run_dir.config(), setup.reload(run_dir)
  card = {
      "dataset": setup.data_name(stored), "space": space.name,
      "arch": result["arch"], "string": result["string"], "params": result["params"],
      "macs": result["macs"], "accuracies": {result["part"]: result["accuracy"]},
      "seed": stored["supernet"]["seed"], "split": stored["images"].get("split"),
      "weights": _digest(model), **_measured(result, data),
      **({"inherited": INHERITED} if config.inherited else {}),
  }
  return model, card, data


def _trained(run_dir, arch):
  """(keras.Model, result) of the network that was trained on its own."""
  folder = subnet.folder_of(setup.stored_space(run_dir.config()), arch)
  path = run_dir.path / folder / "model.keras"
  if not path.exists():
    raise errors.InputError(
        "Train the network first, give the `arch` of one that was, or take its `inherited` weights."
        f" Received: no {path}"
    )
  result, found = run_dir.read_json(f"{folder}/result.json"), "search/found.json"
  if not arch and (run_dir.path / found).exists() and (
      run_dir.read_json(found)["arch"] != result["arch"]):
    raise errors.InputError(
        f"The network found must be trained: put {run_dir.path / folder} aside, or give an `arch`. "
        f"Received: that of another search, {result['string']}"
    )
  return load_model(path), result


def _measured(result, data):
  """The card's entries on the images that the network was measured on; fewer of an older result."""
  measured = {"images": (data.valid if result["part"] == "validation" else data.test).size}
  kept = ("balanced_accuracy", "majority_accuracy", "by_class")
  measured.update((key, result[key]) for key in kept if key in result)
  return {"measured": measured, **({} if result.get("connected", True) else {
      "warning": "no signal passes from input to output: it answers every image alike"})}


def load_model(path):
  """The network that a job trained: keras.Model.

  Args:
    path: pathlib.Path of its `.keras` file.

  Raises:
    InputError: It is damaged.
  """
  try:
    with zipfile.ZipFile(path) as parts:  # Keras calls a file that is no zip "not found".
      if parts.testzip() is not None:
        raise ValueError("a checksum differs")
    return keras.saving.load_model(path)
  except Exception as error:  # Keras and h5py raise many types, depending on the damage.
    line = f"{type(error).__name__}: {error}".splitlines()[0]
    raise errors.InputError(f"{path} must be a whole Keras model. Received: {line}") from error


def _digest(model):
  """A hash of a model's weights."""
  digest = hashlib.sha256()
  for value in model.get_weights():
    digest.update(value.tobytes())
  return digest.hexdigest()[:16]
