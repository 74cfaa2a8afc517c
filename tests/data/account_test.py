"""What is told of a data set before training: counts and notes as they were made."""

import numpy as np
import pytest

from tfdynnas import data
from tfdynnas.data import account
from tfdynnas.data import dataset

SPLIT = {"source": "somewhere", "split": "seeded permutation", "seed": 7}


def _images(labels, seed):
  """Images of these labels, each other pixels."""
  pixels = np.random.default_rng(seed).integers(0, 256, (len(labels), 2, 3, 3), np.uint8)
  return dataset.Images(pixels, np.array(labels, np.int32))


def test_few_classes_are_listed_with_what_is_wrong_with_them():
  train = _images([0] * 12 + [1] * 3 + [2], 0)
  test = _images([0] * 2 + [1], 2)
  test.images[1:] = train.images[[5, 15]]  # The last one under another class.
  skipped = {".tif": 60, ".tiff": 2, ".txt": 3, "@eaDir/": 1, "old/": 1, "split extra": 9}
  made = dataset.assemble((train, _images([0, 1, 1, 0], 1), test), ["a", "b", "c", "d"],
                       {**SPLIT, "skipped": skipped})
  assert account.lines(made) == [
      "Images: somewhere, 4 classes, 2x3, split: seeded permutation of seed 7",
      "  class  training  validation  test",
      "  a            12           2     2",
      "  b             3           2     1",
      "  c             1           0     0",
      "  d             0           0     0",
      "  all          16           4     3",
      "Fewer than 10 training images: 2 classes, b (3), c (1): they train as all others do",
      "No validation images: 1 class, c: theirs are in other parts, and the validation accuracy "
      "leaves them out",
      "No test images: 1 class, c: theirs are in other parts, and the test accuracy leaves them "
      "out",
      "No images at all: 1 class, d: the network learns nothing of them",
      "Equal images across parts: 2 of 3 test images are also training images",
      "Passed over: 76",
      "  62 .tif, .tiff: TIFF images, which TensorFlow does not decode; convert them to PNG",
      "  3 .txt: no image by its extension",
      "  1 @eaDir/: of the system or of a program",
      "  1 old/: folders beside those of the parts",
      "  9 split extra: images that are neither cut into training and validation nor tested on",
  ]


def test_many_classes_and_kinds_of_files_are_a_bounded_block():
  classes = 3000
  train = _images([*range(classes - 8), 7, 7], 0)
  skipped = {f".{number:04}": 1 for number in range(1000)}
  made = dataset.assemble((train, _images(range(classes), 1), None),
                       [f"{number}" for number in range(classes)], {**SPLIT, "skipped": skipped})
  assert account.lines(made) == [
      "Images: somewhere, 3,000 classes, 2x3, split: seeded permutation of seed 7",
      "  part        images         of a class",
      "  training     2,994  0 (2992) to 3 (7)",
      "  validation   3,000     1 (0) to 1 (0)",
      "Fewer than 10 training images: 2,992 classes, 0 (1), 1 (1), 2 (1), 3 (1), 4 (1) and 2,987 "
      "more: they train as all others do",
      "No training images: 8 classes, 2992, 2993, 2994, 2995, 2996 and 3 more: nothing is learned "
      "of them",
      "Equal images across parts: none",
      "Passed over: 1,000",
      "  1,000 .0000, .0001, .0002, .0003, .0004 and 995 more: no image by its extension",
  ]


def _folder(root, parts):
  """A folder of three images a class; the test's first of a class is the training's, copied."""
  tf = pytest.importorskip("tensorflow")
  for label, name in enumerate("ab"):
    for number, part in enumerate(parts):
      folder = root / part / name
      folder.mkdir(parents=True)
      pixels = np.random.default_rng([label, number]).integers(0, 256, (3, 4, 4, 3), np.uint8)
      for place, image in enumerate(pixels):
        (folder / f"{place}.png").write_bytes(tf.io.encode_png(image).numpy())
    copied = (root / parts[0] / name / "0.png").read_bytes()
    (root / parts[-1] / name / "0.png").write_bytes(copied)


def test_streams_are_compared_by_their_files_where_these_can_be_read(tmp_path, monkeypatch):
  _folder(tmp_path, ("train", "valid", "test"))
  (tmp_path / "train" / "a" / "\x1b[2J").write_bytes(b"")
  held = account.lines(data.from_folder(tmp_path))
  streamed = account.lines(data.from_folder(tmp_path, held_bytes=0))
  assert streamed == held and held[0].endswith("4x4, split: folders")
  assert held[-3:] == ["Equal images across parts: 2 of 6 test images are also training images",
                       "Passed over: 1",
                       "  1 files without an extension: no image by its extension"]
  monkeypatch.setattr(dataset, "HELD_BYTES", 100)
  assert ("Equal images across parts: not looked for, since the images are streamed"
          ) in account.lines(data.from_folder(tmp_path, held_bytes=0))


def test_a_stream_of_unknown_labels_says_so():
  tf = pytest.importorskip("tensorflow")
  digits = data.digits().train
  own = tf.data.Dataset.from_tensor_slices((digits.images, digits.labels))
  names = [str(label) for label in range(10)]
  lines = account.lines(data.from_dataset(own, class_names=names, held_bytes=0))
  assert lines[2] == "  training       449  known when they are read"
