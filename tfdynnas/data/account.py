"""A summary of a data set for people: images by class and part, ignored files, copies."""

import hashlib

import numpy as np

from tfdynnas.data import dataset
from tfdynnas.data.images import extensions
from tfdynnas.data.sources import listing
from tfdynnas.data.sources import tfds

PARTS = ("training", "validation", "test")
FEW = 10  # A class with fewer training images is named.
_ROWS = 20  # The most classes to list one by one.
_NAMED = 5  # The most classes, or kinds of files, to name on a line.
_LONGEST = 30  # Characters of a name.
_PLACES = {
    listing.STRAY: "images must lie in the folder of their class",
    listing.HIDDEN: "of the system or of a program", listing.BARE: "no image by its extension",
}


def lines(data):
  """Summarises what there is to train, validate and test on, and what will not be used.

  Args:
    data: data.Data.

  Returns:
    List of str, each one line: at most _ROWS classes, and a few of each kind of note.
  """
  there = [(name, part) for name, part in zip(PARTS, (data.train, data.valid, data.test)) if part]
  counts = {name: _count(part, len(data.class_names)) for name, part in there}
  names = [_shown(name) for name in data.class_names]
  known = {name: own for name, own in counts.items() if own is not None}
  few_rows = len(names) <= _ROWS and len(known) == len(there)
  table = _by_class(names, known) if few_rows else _by_part(names, there, counts)
  notes = [*_few(names, known), *_copies(there), *_passed_over(data.record.get("skipped", {}))]
  return [_title(data), *table, *notes]


def _title(data):
  """The first line."""
  height, width = data.train.image_shape[:2]
  how = data.record["split"]
  drawn = f" of seed {data.record['seed']}" if how == tfds.SEEDED else ""
  return (f"Images: {_shown(data.record['source'], 200)}, {len(data.class_names):,} classes, "
          f"{height}x{width}, split: {how}{drawn}")


def _shown(text, longest=_LONGEST):
  """A text from outside, escaped for a terminal and shortened."""
  text = repr(str(text))[1:-1]
  return text if len(text) <= longest else f"{text[:longest - 3]}..."


def _count(part, classes):
  """Images of each class, int [classes]; None if unknown until they are read."""
  return None if part.labels is None else np.bincount(part.labels, minlength=classes)


def _by_class(names, counts):
  """A table of the classes."""
  rows = [("class", *counts)]
  rows += [(name, *(f"{own[label]:,}" for own in counts.values()))
           for label, name in enumerate(names)]
  return _aligned([*rows, ("all", *(f"{own.sum():,}" for own in counts.values()))])


def _by_part(names, there, counts):
  """A table of the parts, with the extremes of many classes."""
  rows = [("part", "images", "of a class")]
  for name, part in there:
    rows.append((name, f"{part.size:,}", _extremes(names, counts[name])))
  return _aligned(rows)


def _extremes(names, own):
  """The least and the most images of a class."""
  if own is None:
    return "known when they are read"
  least, most = int(np.argmin(own)), int(np.argmax(own))
  return f"{own[least]:,} ({names[least]}) to {own[most]:,} ({names[most]})"


def _aligned(rows):
  """Lines of aligned columns: the first to the left, the others to the right."""
  widths = [max(map(len, column)) for column in zip(*rows)]
  return ["  " + "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])])
          for row in rows]


def _few(names, counts):
  """Notes on classes with few images or none, and the effect of that."""
  if PARTS[0] not in counts:
    return []
  train, everywhere = counts[PARTS[0]], sum(counts.values())
  few = np.flatnonzero((train > 0) & (train < FEW))
  notes = _note(f"Fewer than {FEW} training images", "they train as all others do",
                [f"{names[label]} ({train[label]})" for label in few])
  for part, own in counts.items():
    effect = "nothing is learned of them" if part == PARTS[0] else (
        f"theirs are in other parts, and the {part} accuracy leaves them out")
    missing = np.flatnonzero((own == 0) & (everywhere > 0))
    notes += _note(f"No {part} images", effect, [names[label] for label in missing])
  nowhere = [names[label] for label in np.flatnonzero(everywhere == 0)]
  return notes + _note("No images at all", "the network learns nothing of them", nowhere)


def _note(what, effect, names):
  """[a line on some classes], or [] without classes."""
  classes = "class" if len(names) == 1 else "classes"
  return [f"{what}: {len(names):,} {classes}, {_some(names)}: {effect}"] if names else []


def _some(names):
  """The first few of some names."""
  more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
  return f"{', '.join(names[:_NAMED])}{more}"


def _copies(there):
  """Lines on images that occur in two parts."""
  digests = {name: _digests(part) for name, part in there}
  if None in digests.values():
    return ["Equal images across parts: not looked for, since the images are streamed"]
  known = {name: set(own) for name, own in digests.items()}
  found = []
  for place, name in enumerate(digests):
    for other in list(digests)[:place]:
      count = sum(digest in known[other] for digest in digests[name])
      if count:
        found.append(f"{count:,} of {len(digests[name]):,} {name} images are also {other} images")
  return [f"Equal images across parts: {', '.join(found) or 'none'}"]


def _digests(part):
  """A digest of each image: of its pixels if held, else of its file; None if that is not read."""
  if isinstance(part, dataset.Images):
    return [hashlib.blake2b(image, digest_size=16).digest() for image in part.images]
  return part.digests()


def _passed_over(skipped):
  """Lines on ignored files and folders, by reason."""
  reasons = {}
  for kind, count in skipped.items():
    kinds = reasons.setdefault(_why(kind), {})
    kinds[_shown(kind)] = count
  if not reasons:
    return []
  lines_of = [f"  {sum(kinds.values()):,} {_some(sorted(kinds))}: {reason}"
              for reason, kinds in reasons.items()]
  return [f"Passed over: {sum(skipped.values()):,}", *lines_of]


def _why(kind):
  """Why something is ignored, by its key in the record."""
  if kind.endswith("/"):
    reserved = listing.is_reserved(kind[:-1])
    return "of the system or of a program" if reserved else "folders beside those of the parts"
  if kind.startswith(tfds.UNREAD):
    return "images that are neither cut into training and validation nor tested on"
  if kind in _PLACES:
    return _PLACES[kind]
  return extensions.reason(f"name{kind}")
