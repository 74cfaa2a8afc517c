"""The fourth job: a servable of the network that was trained on its own."""

import keras

from tfdynnas import errors
from tfdynnas import serving
from tfdynnas.runs import setup


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
  path = run_dir.path / "subnet" / "model.keras"
  if not path.exists():
    raise errors.InputError(f"Train the subnet of {run_dir.path} first. Received: no {path}")
  result = run_dir.read_json("subnet/result.json")
  stored = run_dir.config()
  _, data, space = setup.reload(run_dir)
  try:
    model = keras.saving.load_model(path)
  except (ValueError, OSError) as error:
    line = str(error).strip().splitlines()[0]
    raise errors.InputError(f"{path} must be a whole Keras model. Received: {line}") from error
  card = {
      "dataset": setup.dataset_name(stored) or "image folder", "space": space.name,
      "arch": result["arch"], "string": result["string"], "params": result["params"],
      "macs": result["macs"], "accuracies": {result["part"]: result["accuracy"]},
      "seed": stored["supernet"]["seed"], "split": stored["images"].get("split"),
  }
  base = config.export_dir or run_dir.path / "servable"
  return serving.export(model, base, config.name, data.class_names, data.mean, data.std, card)
