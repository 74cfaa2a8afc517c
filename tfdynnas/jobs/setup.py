"""The images and the space of a run, which every job needs."""

import pathlib
import typing

from tfdynnas import config as config_lib
from tfdynnas import data as data_lib
from tfdynnas import errors
from tfdynnas import image_size as image_size_lib
from tfdynnas import spaces
from tfdynnas.data import account
from tfdynnas.files import atomic


class Setup(typing.NamedTuple):
  """The objects of a claimed run.

  Attributes:
    config: config.SupernetConfig.
    data: data.Data.
    space: spaces.Space.
  """

  config: typing.Any
  data: typing.Any
  space: typing.Any


def load_data(config, look=False):
  """The images of a config.

  Args:
    config: config.DataConfig.
    look: Whether to decode the images to score on once, to find a broken one.

  Returns:
    data.Data.
  """
  return data_lib.load(
      dataset=config.dataset, image_dir=config.image_dir, data_dir=config.data_dir,
      download=bool(config.download), image_size=image_size_lib.read(config.image_size),
      downsample=config.downsample, classes=config.keep_classes, valid_share=config.valid_share,
      test_share=config.test_share, split_file=config.split_file, seed=config.data_seed or 0,
      data_file=config.data_file, record_dir=config.record_dir, crop=config.crop,
      resize=config.resize, orientation=config.orientation, background=config.background,
      max_pixels=config.max_pixels, look=look,
  )


def account_for(run_dir, data, tell):
  """Describes the images, and writes the text to the run as `data.txt`.

  Args:
    run_dir: RunDir, claimed.
    data: data.Data.
    tell: Callable, given the text.
  """
  text = "\n".join(account.lines(data))
  atomic.write_text(run_dir.path / "data.txt", f"{text}\n")
  tell(text)


def untold(text):
  """Ignores the text."""


def dataset_name(stored):
  """Name of a run's data set, also of a packed one; "" for a folder of images.

  Args:
    stored: dict, the run's config.
  """
  return stored["data"].get("dataset") or stored["images"].get("dataset", "")


def data_name(stored):
  """Name of a run's images, for readers; a folder's is its own name, without its path.

  Args:
    stored: dict, the run's config.
  """
  names = "image_dir", "data_file", "record_dir"
  path = next(filter(None, (stored["data"].get(name) for name in names)), "")
  return dataset_name(stored) or f"the folder {pathlib.Path(path).resolve().name}"


def make_space(config, data):
  """The space of a config, for given images.

  Args:
    config: config.SpaceConfig.
    data: data.Data.

  Returns:
    spaces.Space.

  Raises:
    InputError: The images do not fit the space, or no arch is left.
  """
  return narrowed(_sized(config, data.train.image_shape, len(data.class_names)), config)


def _sized(config, image_shape, classes):
  """The whole space of a config, for images of a shape."""
  size = image_size_lib.plain(image_shape[:2])
  return spaces.get(config.space, **config.size(), image_size=size, classes=classes)


def own_space(config, space):
  """The entry of a user's own space in the run's config: dict; {} for other spaces.

  The function that made the space may have changed, or be missing, when the run is resumed.

  Args:
    config: config.SpaceConfig.
    space: spaces.Space that the config makes.
  """
  return {"own_space": spaces.to_config(space)} if config.own else {}


def narrowed(space, config):
  """A space restricted to the choices that a config keeps.

  Args:
    space: spaces.Space.
    config: config.NarrowConfig.

  Returns:
    spaces.Space.

  Raises:
    InputError: A choice is not one of the space, or a decision keeps none.
  """
  return space.restrict(spaces.parse_allowed(space, config.fix or ""))


def stored_space(stored):
  """The space of a run, without its images.

  Args:
    stored: dict, the run's config.

  Returns:
    spaces.Space.
  """
  settings, images = config_lib.SpaceConfig.from_dict(stored["space"]), stored["images"]
  if not settings.own:
    return narrowed(_sized(settings, images["image_shape"], images["classes"]), settings)
  try:
    return narrowed(spaces.from_config(stored["own_space"]), settings)
  except (KeyError, TypeError, ValueError) as error:
    raise errors.InputError(
        f"`config.json` must hold the space of its run. Received: {type(error).__name__}: {error}"
    ) from error


def unchecked(data, space):
  """Checks nothing."""


def load(run_dir, data_config, space_config, check=unchecked):
  """Images and space of a run from its configs.

  Args:
    run_dir: RunDir.
    data_config: config.DataConfig.
    space_config: config.SpaceConfig.
    check: Callable (data.Data, spaces.Space), a further check.

  Returns:
    (config.DataConfig, data.Data, spaces.Space); the first as `RunDir.settled` returns it.
  """
  data_config = run_dir.settled(data_config)
  data = load_data(data_config, look=not run_dir.begun)
  space = make_space(space_config, data)
  check(data, space)
  return data_config, data, space


def reload(run_dir):
  """Config, images and space of a claimed run.

  Args:
    run_dir: RunDir, claimed.

  Returns:
    Setup.

  Raises:
    InputError: The images are not those of the run.
  """
  stored = run_dir.config()
  data = load_data(config_lib.DataConfig.from_dict(stored["data"]))
  if data.record["fingerprint"] != stored["images"]["fingerprint"]:
    raise errors.InputError(
        f"The images must be those of {run_dir.path}. Received: others of the same name "
        f"(fingerprint {data.record['fingerprint'][:12]}, not "
        f"{stored['images']['fingerprint'][:12]})"
    )
  config = config_lib.SupernetConfig.from_dict(stored["supernet"])
  return Setup(config, data, stored_space(stored))
