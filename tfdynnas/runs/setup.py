"""What every job needs of a run: its images and its space."""

from tfdynnas import config as config_lib
from tfdynnas import data as data_lib
from tfdynnas import errors
from tfdynnas import spaces


def load_data(config):
  """The images of a config.

  Args:
    config: config.DataConfig.

  Returns:
    data.Data.
  """
  return data_lib.load(
      dataset=config.dataset or None, image_dir=config.image_dir or None,
      data_dir=config.data_dir or None, download=config.download,
      image_size=config.image_size or None, downsample=config.downsample,
      classes=config.keep_classes or None, valid_share=config.valid_share,
      split_file=config.split_file or None, seed=config.data_seed,
      data_file=config.data_file or None, record_dir=config.record_dir or None,
      crop=config.crop,
  )


def dataset_name(stored):
  """Name of a run's data set, also of a packed one; "" for a folder of images.

  Args:
    stored: dict, the run's config.
  """
  return stored["data"].get("dataset") or stored["images"].get("dataset", "")


def make_space(config, data):
  """The space of a config, for the images at hand.

  Args:
    config: config.SpaceConfig.
    data: data.Data.

  Returns:
    spaces.Space.

  Raises:
    InputError: The images are not square.
  """
  height, width = data.train.image_shape[:2]
  if height != width:
    raise errors.InputError(f"Images must be square. Received: {height}x{width}; set `image_size`")
  return spaces.get(
      config.space, image_size=height, classes=len(data.class_names), **config.size()
  )


def stored_space(stored):
  """The space of a run, without its images.

  Args:
    stored: dict, the run's config.

  Returns:
    spaces.Space.
  """
  settings, images = config_lib.SpaceConfig(**stored["space"]), stored["images"]
  return spaces.get(
      settings.space, image_size=images["image_shape"][0], classes=images["classes"],
      **settings.size(),
  )


def reload(run_dir):
  """Configs, images and space of a run that was claimed.

  Args:
    run_dir: RunDir.

  Returns:
    (config.SupernetConfig, data.Data, spaces.Space).

  Raises:
    InputError: The images are not those of the run.
  """
  stored = run_dir.config()
  data = load_data(config_lib.DataConfig(**stored["data"]))
  if data.record["fingerprint"] != stored["images"]["fingerprint"]:
    raise errors.InputError(
        f"The images must be those of {run_dir.path}. Received: others of the same name "
        f"(fingerprint {data.record['fingerprint'][:12]}, not "
        f"{stored['images']['fingerprint'][:12]})"
    )
  space = make_space(config_lib.SpaceConfig(**stored["space"]), data)
  return config_lib.SupernetConfig(**stored["supernet"]), data, space
