"""Accuracy by class: values by hand, and lines that stay short whatever the classes."""

import json

import numpy as np
import pytest

from tfdynnas import class_accuracy

# Class 0: 3 of 4 right; class 1: 0 of 2; class 2: no image; class 3: 1 of 1.
LABELS, PREDICTIONS = [0, 0, 0, 0, 1, 1, 3], [0, 0, 0, 2, 0, 0, 3]


def _summary():
  return class_accuracy.summary(*class_accuracy.count(LABELS, PREDICTIONS, 4))


def test_values_by_hand():
  found = json.loads(json.dumps(_summary()))
  assert found == {
      "accuracy": 4 / 7, "balanced_accuracy": pytest.approx((3 / 4 + 0 + 1) / 3),
      "majority_accuracy": 4 / 7, "by_class": {"right": [3, 0, 0, 1], "images": [4, 2, 0, 1]},
  }


def test_who_always_names_the_most_frequent_class_is_right_on_average_of_one_class_in_all():
  labels = np.repeat([0, 1, 2], [55, 25, 20])
  found = class_accuracy.summary(*class_accuracy.count(labels, np.zeros(100, int), 3))
  assert found["accuracy"] == found["majority_accuracy"] == 0.55
  assert found["balanced_accuracy"] == pytest.approx(1 / 3)


def test_as_text_the_worst_come_first():
  found, names = _summary(), ["a", "b", "c", "d"]
  assert class_accuracy.beside(found) == (
      " (balanced 0.5833, the most frequent class alone 0.5714)")
  assert class_accuracy.by_class(found, names) == "b 0.0000 of 2, a 0.7500 of 4, d 1.0000 of 1"


def test_a_thousand_classes_are_one_short_line():
  right = np.arange(1000) % 50
  found = class_accuracy.summary(right, np.full(1000, 50))
  line = class_accuracy.by_class(found, [f"class_{number}" for number in range(1000)])
  assert line.startswith("class_0 0.0000 of 50, class_50 0.0000") and len(line) < 200
  assert line.endswith("; 995 more, none worse")


def test_older_files_say_nothing():
  assert class_accuracy.beside({"accuracy": 0.5}) == "" == class_accuracy.by_class({}, [])
  assert class_accuracy.worst_first({"accuracy": 0.5}) == []
