"""The accuracy of a classifier class by class, which one share hides if classes are unequal."""

import numpy as np

# What a search may maximise: the share of correct images, or its mean over the classes.
OBJECTIVES = ("accuracy", "balanced_accuracy")
_LEAST = 5  # Classes that a line names.


def count(labels, predictions, classes):
  """Counts the images of each class, and the correctly classified ones.

  Args:
    labels: int [n], each in [0, classes).
    predictions: int [n].
    classes: int.

  Returns:
    (right, images): int64 [classes] each.
  """
  labels, predictions = np.asarray(labels), np.asarray(predictions)
  right = np.bincount(labels[predictions == labels], minlength=classes)
  return right, np.bincount(labels, minlength=classes)


def balanced(right, images):
  """The mean accuracy of the classes that have images, float in [0, 1]."""
  right, images = np.asarray(right), np.asarray(images)
  there = images > 0
  return float(np.mean(right[there] / images[there]))


def majority(images):
  """The accuracy of always predicting the most frequent class, float in [0, 1]."""
  return float(np.max(images) / np.sum(images))


def summary(right, images):
  """All accuracies, for a file of a run or a model card.

  Args:
    right: int [classes], correctly classified images.
    images: int [classes], at least one image.

  Returns:
    JSON-able dict: accuracy, balanced_accuracy, majority_accuracy, and by_class: the lists right
    and images.
  """
  right, images = ([int(number) for number in counts] for counts in (right, images))
  return {
      "accuracy": sum(right) / sum(images), "balanced_accuracy": balanced(right, images),
      "majority_accuracy": majority(images), "by_class": {"right": right, "images": images},
  }


def beside(found, percent=False):
  """The text to print beside an accuracy.

  Args:
    found: dict that may hold balanced_accuracy and majority_accuracy, as `summary` returns.
    percent: Whether to write percent instead of shares.

  Returns:
    str, " (balanced 0.5000, the most frequent class alone 0.5500)"; "" where neither is known.
  """
  names = {"balanced_accuracy": "balanced", "majority_accuracy": "the most frequent class alone"}
  there = {text: found[key] for key, text in names.items() if found.get(key) is not None}
  parts = [f"{text} {100 * share:.2f} %" if percent else f"{text} {share:.4f}"
           for text, share in there.items()]
  return f" ({', '.join(parts)})" if parts else ""


def worst_first(found):
  """The classes that have images, the least accurate first.

  Args:
    found: dict as `summary` returns, or an older one without by_class.

  Returns:
    List of (class, right, images), ints; equal accuracies in the order of the classes.
  """
  counts = found.get("by_class", {"right": [], "images": []})
  rows = enumerate(zip(counts["right"], counts["images"]))
  there = [(label, right, images) for label, (right, images) in rows if images]
  return sorted(there, key=lambda row: (row[1] / row[2], row[0]))


def by_class(found, class_names):
  """The accuracy of each class as one line, of the worst alone if there are many.

  Args:
    found: dict as `summary` returns, or an older one without by_class.
    class_names: Sequence of str.

  Returns:
    str, "cat 0.5000 of 20, dog 1.0000 of 4; 90 more, none worse"; "" if unknown.
  """
  rows = worst_first(found)
  named = [f"{class_names[label]} {right / images:.4f} of {images:,}"
           for label, right, images in rows[:_LEAST]]
  more = f"; {len(rows) - _LEAST:,} more, none worse" if len(rows) > _LEAST else ""
  return ", ".join(named) + more
