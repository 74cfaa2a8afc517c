"""The model card: classes, images and data are named, and many classes stay readable."""

import json

import numpy as np
import pytest

from tfdynnas import class_accuracy
from tfdynnas.data.images import preparation
from tfdynnas.serving import card

PREPARATION = preparation.Preparation(size=(8, 8), resize="pad", downsample=2)


def _write(folder, names, **more):
  graph = {"image_size": (8, 8), "class_names": names, "mean": [0.0] * 3, "std": [1.0] * 3,
           "preparation": PREPARATION.as_dict(), "files": "Compared on 3 image files.",
           "other_files": {}}
  card.write(folder, "mine", {"dataset": "the folder photos", **more}, graph, {"keras": "3"}, "")
  return (folder / "model_card.md").read_text("utf-8")


def _measured(right, images):
  return {"images": int(np.sum(images)), **class_accuracy.summary(right, images)}


def test_classes_images_and_data_are_named(tmp_path):
  text = _write(tmp_path, ["cat", "a|dog", "none"], accuracies={"test": 0.75},
                measured=_measured([9, 3, 0], [11, 5, 0]))
  assert "* data: the folder photos\n" in text and "\ncat, a\\|dog, none.\n" in text
  # (9 / 11 + 3 / 5) / 2, and 11 / 16.
  beside = "balanced 70.91 %, the most frequent class alone 68.75 %"
  assert f"* measured on: 16 images ({beside})" in text
  assert "| a\\|dog | 5 | 60.00% |\n| cat | 11 | 81.82% |\n" in text and "| none |" not in text
  for said in ("turned as their EXIF says", "laid on white", "8 x 8 (padded if need be)",
               "blocks of 2", "89,478,485 pixels", "Compared on 3 image files."):
    assert said in " ".join(text.split()), said
  stored = json.loads((tmp_path / "arch.json").read_text())
  assert stored["measured"]["by_class"] == {"right": [9, 3, 0], "images": [11, 5, 0]}


# What comes in -> how it is shown in text, and as code.
_NASTY = {
    "<script>alert(1)</script>": "&lt;script&gt;alert(1)&lt;/script&gt;",
    "[x](javascript:alert(1))": "\\[x\\](javascript:alert(1))",
    "![x](http://a/b.png)": "!\\[x\\](http://a/b.png)",
    "a|b": "a\\|b", "**a**": "\\*\\*a\\*\\*", "_a_ b_c": "\\_a\\_ b_c", "~~a~~": "\\~\\~a\\~\\~",
    "`a`": "\\`a\\`", "a\\": "a\\\\", "&lt;": "&amp;lt;", "$x$": "\\$x\\$",
    "# a": "\\# a", "- a": "\\- a", "---": "\\---", "1. a": "1\\. a", "1.5 a": "1.5 a", "-1": "-1",
    "a\n\n# b": "a # b", "a\u2028b": "a b", "\x1b[31m": "\ufffd\\[31m", "a\0": "a\ufffd",
    "\ud800": "\ufffd", "\u202ea": "\ufffda", "p\xeache": "p\xeache", "": "",
}


@pytest.mark.parametrize("text, shown", _NASTY.items(), ids=map(ascii, _NASTY))
def test_text_from_outside_is_shown_and_never_obeyed(tmp_path, text, shown):
  card_text = _write(
      tmp_path, [text, "b"], dataset=text, licence=text, split=text, string=text, arch=text,
      accuracies={text: 0.5, "test": text}, measured=_measured([1, 0], [2, 0]), **{text: text},
  )
  assert f"* data: {shown}\n" in card_text
  assert f"\n\n{shown}, b.\n" in card_text and f"\n| {shown} | 2 | 50.00% |\n" in card_text
  assert f"* {shown}: {shown}\n" in card_text and f"* licence of the data: {shown}\n" in card_text
  assert f"* accuracy: 50.00% ({shown}), {shown} (test)\n" in card_text
  if text.isprintable():
    as_code = f"`{text}`" if text and not set("<`") & set(text) else shown
    assert f"* arch, string form: {as_code}\n" in card_text
  assert "<" not in card_text.replace("base64 < photo.png", "")


def test_a_thousand_classes_stay_readable(tmp_path):
  names = [f"class_{number}" for number in range(1000)]
  text = _write(tmp_path, names, measured=_measured(np.arange(1000) % 50, np.full(1000, 50)))
  assert "class_19, and 980 more: `class_names` in `arch.json`" in text
  assert "worst first, the worst of all:" in text and text.count("| 50 | ") == 20
  assert max(map(len, text.splitlines())) < 400


def test_what_an_older_result_does_not_know_is_left_out(tmp_path):
  text = _write(tmp_path, ["cat", "dog"], measured={"images": 16})
  assert "* measured on: 16 images\n" in text and "Accuracy by class" not in text
  assert "* measured on: not stated\n" in _write(tmp_path, ["cat", "dog"])
