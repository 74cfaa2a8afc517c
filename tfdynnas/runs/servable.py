"""The fourth job: a servable of the network that was trained on its own."""

import hashlib
import json
import pathlib
import zipfile

import keras

from tfdynnas import errors
from tfdynnas import serving
from tfdynnas.runs import directory
from tfdynnas.runs import setup
from tfdynnas.runs import subnet
from tfdynnas.serving import version_folder
from tfdynnas.training import checkpoint


def export_subnet(run_dir, config):
  """Writes a new version of the servable of a run.

  Args:
    run_dir: RunDir whose subnet is trained.
    config: config.ExportConfig.

  Returns:
    pathlib.Path of the version's folder.

  Raises:
    InputError: There is no trained subnet, or the name cannot be used.
  """
  model, card, data = _network(run_dir, config.arch)
  return serving.export(
      model, _folder(run_dir, config), config.name, data.class_names, data.mean, data.std, card
  )


def find_servable(run_dir, config):
  """Finds the newest version of the servable of a run, if it holds its network as it is now.

  Args:
    run_dir: RunDir whose subnet is trained.
    config: config.ExportConfig.

  Returns:
    pathlib.Path of the version's folder; None if there is none, or the newest, which is the one
    that is served, holds another.

  Raises:
    InputError: There is no trained subnet.
  """
  home = _folder(run_dir, config) / config.name
  versions = version_folder.versions(home)
  if not versions:
    return None
  newest = home / str(max(versions))
  _, card, _ = _network(run_dir, config.arch)
  try:
    stored = json.loads((newest / "arch.json").read_text("utf-8"))
  except (OSError, ValueError):  # Damaged, or of somebody else: not this network's.
    return None
  same = isinstance(stored, dict) and json.loads(json.dumps(card)).items() <= stored.items()
  return newest if same else None


def _folder(run_dir, config):
  folder = pathlib.Path(config.export_dir or run_dir.path / "servable")
  directory.check_folder(folder / config.name)
  return folder


def _network(run_dir, arch):
  """A trained subnet of a run: (keras.Model, its card, data.Data)."""
  stored = run_dir.config()
  folder = subnet.folder_of(setup.stored_space(stored), arch)
  path = run_dir.path / folder / "model.keras"
  if not path.exists():
    raise errors.InputError(
        f"Train the network first, or give the `arch` of one that was. Received: no {path}"
    )
  result, found = run_dir.read_json(f"{folder}/result.json"), "search/found.json"
  if not arch and (run_dir.path / found).exists() and (
      run_dir.read_json(found)["arch"] != result["arch"]):
    raise errors.InputError(
        f"The network found must be trained: put {run_dir.path / folder} aside, or give an `arch`. "
        f"Received: that of another search, {result['string']}"
    )
  _, data, space = setup.reload(run_dir)
  model = _load_model(path)
  card = {
      "dataset": setup.dataset_name(stored) or "image folder", "space": space.name,
      "arch": result["arch"], "string": result["string"], "params": result["params"],
      "macs": result["macs"], "accuracies": {result["part"]: result["accuracy"]},
      "seed": stored["supernet"]["seed"], "split": stored["images"].get("split"),
      "weights": _digest(model),
  }
  return model, card, data


def _load_model(path):
  try:
    with zipfile.ZipFile(path) as parts:  # Keras says of a file that is no zip: not found.
      if parts.testzip() is not None:
        raise ValueError("a checksum differs")
    return keras.saving.load_model(path)
  except checkpoint.DAMAGED as error:
    line = f"{type(error).__name__}: {error}".splitlines()[0]
    raise errors.InputError(f"{path} must be a whole Keras model. Received: {line}") from error


def _digest(model):
  """Text that tells the weights of one model from those of another."""
  digest = hashlib.sha256()
  for value in model.get_weights():
    digest.update(value.tobytes())
  return digest.hexdigest()[:16]
