"""Flagfiles in place of absl's own: presets by name, beside one another, and one line if wrong."""

import contextlib
import pathlib

from absl import flags

from tfdynnas.files import regular_file

PRESETS = pathlib.Path(__file__).resolve().parent.parent / "flags"


def expand(arguments, folder=None, depth=0):
  """Replaces flagfiles by their lines; a preset may build on another one beside it.

  Args:
    arguments: List of str.
    folder: pathlib.Path of the flagfile that they are of, or None.
    depth: Int, how many flagfiles they are in.

  Raises:
    flags.Error: There is no such file, it is no text, or files name one another.
  """
  expanded = []
  for argument in arguments:
    flag, equals, name = argument.partition("=")
    if flag.lstrip("-") != "flagfile" or not flag.startswith("-"):
      expanded.append(argument)
      continue
    if not equals or depth > 8:
      raise flags.Error(f"--flagfile=FILE must name a file. Received: {argument}")
    path = _find_preset(name, folder)
    try:
      lines = [line.strip() for line in regular_file.read_text(path).splitlines()]
    except (OSError, UnicodeDecodeError) as error:
      raise flags.Error(f"--flagfile must be a text file. Received: {path} ({error})") from error
    lines = [line for line in lines if line and not line.startswith(("#", "//"))]
    expanded += expand(lines, path.parent, depth + 1)
  return expanded


def _find_preset(name, folder):
  """The file of a name: a path, a file beside the flagfile with the name, or a preset."""
  bare = pathlib.Path(name).name
  places = [pathlib.Path(name)] + ([folder / name] if folder else [])
  if pathlib.Path(name).parent.name in ("", "flags"):
    places += [PRESETS / bare, PRESETS / f"{bare}.cfg"]
  with contextlib.suppress(OSError):  # An overlong name names no file.
    for place in places:
      if place.is_file():
        return place
  known = ", ".join(sorted(path.stem for path in PRESETS.glob("*.cfg")))
  raise flags.Error(f"--flagfile must name a file or a preset: {known}. Received: {name!r}")
