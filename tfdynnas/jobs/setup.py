"""What every job needs of a run: its images and its space."""

import pathlib

from tfdynnas import config as config_lib
from tfdynnas import data as data_lib
from tfdynnas import errors
from tfdynnas import image_size as image_size_lib
from tfdynnas import spaces
from tfdynnas.data import account
from tfdynnas.files import atomic


def load_data(config, look=False):
  """The images of a config.

  Args:
    config: config.DataConfig.
    look: As for data.load.

  Returns:
    data.Data.
  """
  return data_lib.load(
      dataset=config.dataset or None, image_dir=config.image_dir or None,
      data_dir=config.data_dir or None, download=config.download,
      image_size=image_size_lib.read(config.image_size), downsample=config.downsample,
      classes=config.keep_classes or None, valid_share=config.valid_share or None,
      test_share=config.test_share or None, split_file=config.split_file or None,
      seed=config.data_seed, data_file=config.data_file or None,
      record_dir=config.record_dir or None, crop=config.crop, resize=config.resize,
      orientation=config.orientation, background=config.background, max_pixels=config.max_pixels,
      look=look,
  )


def account_for(run_dir, data, tell):
  """Tells what the images are, and keeps it in the run as `data.txt`.

  Args:
    run_dir: RunDir that was claimed.
    data: data.Data.
    tell: Callable, given the text.
  """
  text = "\n".join(account.lines(data))
  atomic.write_text(run_dir.path / "data.txt", f"{text}\n")
  tell(text)


def untold(text):
  """Tells nobody."""


def dataset_name(stored):
  """Name of a run's data set, also of a packed one; "" for a folder of images.

  Args:
    stored: dict, the run's config.
  """
  return stored["data"].get("dataset") or stored["images"].get("dataset", "")


def data_name(stored):
  """What a run's images are called, for readers: of a folder its own name, without where it lies.

  Args:
    stored: dict, the run's config.
  """
  names = "image_dir", "data_file", "record_dir"
  path = next(filter(None, (stored["data"].get(name) for name in names)), "")
  return dataset_name(stored) or f"the folder {pathlib.Path(path).resolve().name}"


def make_space(config, data):
  """The space of a config, for the images at hand.

  Args:
    config: config.SpaceConfig.
    data: data.Data.

  Returns:
    spaces.Space.

  Raises:
    InputError: The images do not fit the space, or no arch is left.
  """
  whole = spaces.get(
      config.space, image_size=data.train.image_shape[:2], classes=len(data.class_names),
      **config.size(),
  )
  return narrowed(whole, config)


def narrowed(space, config):
  """The space of the archs that a config leaves.

  Args:
    space: spaces.Space.
    config: config.NarrowConfig.

  Returns:
    spaces.Space.

  Raises:
    InputError: It names no choice of the space, or leaves a decision none.
  """
  return space.restrict(spaces.parse_allowed(space, config.fix))


def stored_space(stored):
  """The space of a run, without its images.

  Args:
    stored: dict, the run's config.

  Returns:
    spaces.Space.
  """
  settings, images = config_lib.SpaceConfig(**stored["space"]), stored["images"]
  whole = spaces.get(
      settings.space, image_size=images["image_shape"][:2], classes=images["classes"],
      **settings.size(),
  )
  return narrowed(whole, settings)


def unchecked(data, space):
  """Refuses nothing more."""


def load(run_dir, data_config, space_config, check=unchecked):
  """Images and space of a run that is asked for.

  Args:
    run_dir: RunDir.
    data_config: config.DataConfig.
    space_config: config.SpaceConfig.
    check: Callable (data.Data, spaces.Space) that refuses more.

  Returns:
    (config.DataConfig, data.Data, spaces.Space); the first as RunDir.settled.
  """
  data_config = run_dir.settled(data_config)
  data = load_data(data_config, look=not run_dir.begun)
  space = make_space(space_config, data)
  check(data, space)
  return data_config, data, space


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
