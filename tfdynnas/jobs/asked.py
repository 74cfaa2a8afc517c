"""The configs that recreate given objects: data, space, supernet."""

import dataclasses
import os

from tfdynnas import config as config_lib
from tfdynnas import errors
from tfdynnas import registry
from tfdynnas import spaces
from tfdynnas.files import identity
from tfdynnas.files import text
from tfdynnas.jobs import setup
from tfdynnas.training import recipe
from tfdynnas.training import settings

_FIELDS = {"classes": "keep_classes", "seed": "data_seed"}  # Named otherwise in `data.load`.
_OF_IMAGES = ("image_size", "classes")  # Arguments of a space that follow from its images.


def data_config(data):
  """The config that loads a Data again.

  Args:
    data: data.Data.

  Returns:
    config.DataConfig.

  Raises:
    InputError: No config does.
  """
  if data.made_by is None:
    raise errors.InputError(
        "`run_dir` needs images that a tool can load again: of nas.data.digits, from_folder, "
        f"from_tfds, from_packed or from_shards. Received: those of {data.record['source']}"
    )
  given = {_FIELDS.get(name, name): _plain(value) for name, value in data.made_by.items()
           if name != "look" and value is not None}
  return _config(config_lib.DataConfig, given)


def _plain(value):
  """An argument in the form of a flag's value."""
  if isinstance(value, (tuple, list)):
    return "x".join(map(str, value))
  return os.fspath(value) if isinstance(value, os.PathLike) else value


def _config(kind, given):
  """A config from some fields; refuses unknown ones."""
  unknown = given.keys() - {field.name for field in dataclasses.fields(kind)}
  if unknown:
    name = min(unknown)
    raise errors.InputError(
        f"`run_dir` cannot record `{name}`, which no tool has. "
        f"Received: {name}={text.shown(given[name])}"
    )
  return kind(**given)


def space_config(space, data):
  """The config that makes a space again.

  Args:
    space: spaces.Space.
    data: data.Data that the space is for.

  Returns:
    config.SpaceConfig.

  Raises:
    InputError: No config does, or the space is for other images.
  """
  if space.made_by is None:
    raise errors.InputError(
        "`run_dir` needs a space that a tool can make again: of "
        f"{', '.join(f'nas.spaces.{name}' for name in registry.SPACES)}, or of nas.spaces.get with "
        f"module:function. Received: `{space.name}`"
    )
  given = {name: value for name, value in space.made_by.items() if name not in _OF_IMAGES}
  config = _config(config_lib.SpaceConfig, {**given, "fix": fix(space) or None})
  made, there = spaces.to_config(setup.make_space(config, data)), spaces.to_config(space)
  rule = "The space must be for the images at hand"
  identity.refuse_other(rule, _skeleton(made), _skeleton(there))
  return config


def _skeleton(config):
  """A space's config with its skeleton flattened."""
  return {**config, **config["skeleton"], "skeleton": None}


def fix(space):
  """The text of `fix` that restricts the whole space to this one.

  Args:
    space: spaces.Space.

  Returns:
    str, as spaces.parse_allowed reads it.
  """
  rules = []
  for place, (own, decision) in enumerate(zip(space.allowed, space.decisions)):
    if len(own) < len(decision.choices):
      rules.append(f"{place}={'+'.join(decision.choices[choice] for choice in own)}")
  return ",".join(rules)


def supernet_config(supernet, epochs, batch):
  """The config that trains a supernet as it was compiled, on images as they are.

  Args:
    supernet: supernet.Supernet, compiled with a method.
    epochs: int >= 1.
    batch: int >= 1.

  Returns:
    config.SupernetConfig.

  Raises:
    InputError: No config does.
  """
  own = settings.of(supernet)
  own.update(epochs=epochs, batch=batch, pad=0, flip=False)
  return config_lib.SupernetConfig.from_dict(own)


def check_supernet(supernet, config, feed, counts):
  """Refuses a supernet that its config would not make.

  Args:
    supernet: supernet.Supernet, all bound.
    config: config.SupernetConfig that `supernet_config` returned.
    feed: data.feeds.TrainingFeed.
    counts: int [classes], training images of each class, or None.

  Returns:
    supernet.Supernet made from the config, for its initial weights.

  Raises:
    InputError: Its settings differ from the config's.
  """
  made = recipe.make_supernet(
      config, supernet.space, feed.steps(config.epochs), feed.prepare, None, feed.held_images,
      counts,
  )
  one, other = settings.differences(supernet, made)
  if one:
    listed = "; ".join(f"{name}={one[name]!r:.60}, not {other[name]!r:.60}" for name in one)
    raise errors.InputError(f"`run_dir` records settings that the tools have. Received: {listed}")
  return made


def flags(*configs):
  """The text of a flagfile: the fields of some configs that differ from their defaults.

  Args:
    *configs: config.Config.

  Returns:
    str, one flag a line.
  """
  lines = []
  for config in configs:
    for field in dataclasses.fields(config):
      value = getattr(config, field.name)
      if value not in (None, field.metadata["default"]):
        lines.append(_flag(field.name, value))
  return "".join(f"{line}\n" for line in lines)


def _flag(name, value):
  if isinstance(value, bool):
    return f"--{name}" if value else f"--no{name}"
  return f"--{name}={','.join(value) if isinstance(value, tuple) else value}"
