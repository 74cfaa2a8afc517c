"""The model card: what a served model is, how good it is, and how to query it."""

import json
import numbers
import string

import numpy as np

from tfdynnas import class_accuracy
from tfdynnas import errors
from tfdynnas.serving import markdown

_LISTED = 20  # The most classes that the card names; arch.json has all.
_TITLES = {
    "dataset": "data",
    "licence": "licence of the data",
    "space": "space",
    "arch": "arch, one choice per decision",
    "string": "arch, string form",
    "params": "trainable parameters",
    "macs": "multiply-accumulates per image",
    "accuracies": "accuracy",
    "measured": "measured on",
    "seed": "seed",
}

_TEXT = string.Template("""\
# $name

An image classifier of $classes classes, found by neural architecture search.

$facts

## Classes

$class_lines

## Input and output

Images of $height x $width RGB pixels, raw values 0..255: normalisation, softmax and class names are
in the graph.

$preparation

| signature | API | input | outputs |
|---|---|---|---|
| `serving_default` | predict | `image` float32 [n, $height, $width, 3] | `probabilities` float32 \
[n, $classes], `class_id` int32 [n], `label` string [n] |
| `image_bytes` | predict | `image_bytes` string [n]: PNG, JPEG, GIF (first frame), BMP, WebP | \
the same |
| `classify` | classify | `inputs` string [n]: tf.Examples with such a file in `image/encoded` | \
`classes` string [n, $classes], `scores` float32 [n, $classes], best first |

$warmup
$files
## Serve it

From the folder that holds `$name/`:

```sh
docker run --rm -p 8501:8501 \\
  --mount "type=bind,source=$$PWD/$name,target=/models/$name,readonly" \\
  -e MODEL_NAME=$name tensorflow/serving
```

A black image, as pixels:

```sh
python3 -c 'print({"instances": [[[[0, 0, 0]] * $width] * $height]})' | tr "'" '"' |
  curl -s -d @- http://localhost:8501/v1/models/$name:predict
```

An image file, through `image_bytes` and through the classify API:

```sh
photo='{"b64": "'$$(base64 < photo.png | tr -d '\\n')'"}'
echo '{"signature_name": "image_bytes", "instances": ['"$$photo"']}' |
  curl -s -d @- http://localhost:8501/v1/models/$name:predict
echo '{"signature_name": "classify", "examples": [{"image/encoded": '"$$photo"'}]}' |
  curl -s -d @- http://localhost:8501/v1/models/$name:classify
```
""")


def write(folder, name, card, graph, versions, warmup):
  """Writes model_card.md and arch.json.

  Args:
    folder: pathlib.Path of the version.
    name: Name of the served model.
    card: dict of what the caller knows: dataset, licence, space, arch, string, params, macs,
      accuracies (split -> share in [0, 1]), measured (dict: the number of images, and what
      class_accuracy.summary returns beside the accuracy), seed; other keys are kept and shown too.
    graph: dict of what the graph holds: image_size (height, width), class_names, mean, std,
      preparation (see data.images.preparation), files, a sentence on the comparison with files, and
      other_files, see device_files.write.
    versions: dict of package -> version.
    warmup: Sentence on the warm-up requests.
  """
  height, width = graph["image_size"]
  text = _TEXT.substitute(
      name=name, classes=len(graph["class_names"]), facts=_facts(card, versions),
      class_lines=_classes(graph["class_names"], card.get("measured") or {}),
      height=height, width=width, warmup=warmup, preparation=_preparation(graph),
      files=_files(graph["other_files"], height, width, len(graph["class_names"])),
  )
  (folder / "model_card.md").write_text(text, "utf-8")
  (folder / "arch.json").write_text(as_json({**card, **graph, "versions": versions}), "utf-8")


def _preparation(graph):
  """How an image file is prepared, and how that was compared with scoring."""
  how = graph["preparation"]
  turned = "turned as their EXIF says" if how["orientation"] == "exif" else "taken as stored"
  behind = "left out" if how["background"] == "none" else f"laid on {how['background']}"
  sized = {"squash": "squashed", "pad": "padded", "crop": "cut"}[how["resize"]]
  height, width = how["size"]
  done = "their middle is cut as in scoring" if how["crop"] == "resized" else f"{sized} if need be"
  more = f", then the mean of blocks of {how['downsample']}" if how["downsample"] > 1 else ""
  down, across = how["repeat"]
  more += f", then each pixel {down} x {across} times" if (down, across) != (1, 1) else ""
  return (
      f"Image files may have any size up to {how['max_pixels']:,} pixels. They are {turned}, "
      f"transparency is {behind}, and they come to {height} x {width} ({done}){more}. "
      f"{graph['files']}"
  )


def _files(files, height, width, classes):
  """The section on the files for devices; an empty line if there are none."""
  if not files:
    return ""
  lines = [
      "", "## Files for devices", "",
      f"Each takes `image`, float32 [n, {height}, {width}, 3] with raw values 0..255, and gives "
      f"`probabilities`, float32 [n, {classes}]. `labels.txt`, one class a line, is inside too. "
      "Image files are prepared by the caller, as above. Compared with the network on "
      f"{next(iter(files.values()))['images']:,} images:", "",
      "| file | runtime | KiB | greatest difference of a probability | same class | accuracy |",
      "|---|---|---|---|---|---|",
  ]
  lines += [
      f"| `{name}` | {facts['runtime']} | {facts['bytes'] / 1024:,.0f} | "
      f"{facts['difference']:.2g} | {facts['agreement']:.2%} | "
      f"{_shown_share(facts)} |" for name, facts in files.items()
  ]
  return "\n".join([*lines, ""])


def as_json(values):
  """Strict JSON of a dict that may hold numpy numbers and arrays.

  Raises:
    InputError: JSON cannot hold a value: an object, NaN or an infinity.
  """
  try:
    return json.dumps(values, indent=2, default=_plain, allow_nan=False) + "\n"
  except (TypeError, ValueError) as error:
    raise errors.InputError(f"A model card holds what JSON can. Received: {error}") from None


def _plain(value):
  if isinstance(value, (np.ndarray, np.generic)):
    return value.tolist()
  raise TypeError(f"a {type(value).__name__}")


def _facts(card, versions):
  """The card as a list: the expected entries, then all others."""
  lines = [f"* {title}: {_shown(key, card.get(key))}" for key, title in _TITLES.items()]
  lines += [f"* {markdown.escaped(key)}: {_shown(key, value)}"
            for key, value in card.items() if key not in _TITLES]
  made = ", ".join(f"{name} {number}" for name, number in versions.items())
  lines.append(f"* made with: {markdown.escaped(made)}")
  return "\n".join(lines)


def _classes(names, measured):
  """The first classes in order, and the accuracy of the worst ones."""
  listed = ", ".join(markdown.escaped(name) for name in names[:_LISTED])
  more = f", and {len(names) - _LISTED:,} more: `class_names` in `arch.json`"
  lines = [listed + (more if len(names) > _LISTED else ".")]
  rows = class_accuracy.worst_first(measured)
  if rows:
    worst = ", the worst of all" if len(rows) > _LISTED else ""
    lines += ["", f"Accuracy by class, worst first{worst}:", "", "| class | images | accuracy |",
              "|---|---|---|"]
    lines += [f"| {markdown.escaped(names[label])} | {images:,} | {right / images:.2%} |"
              for label, right, images in rows[:_LISTED]]
  return "\n".join(lines)


def _shown(key, value):
  if key == "measured" and isinstance(value, dict) and "images" in value:
    return f"{value['images']:,} images{class_accuracy.beside(value, percent=True)}"
  if value is None or isinstance(value, dict) and not value:
    return "not stated"
  if key == "accuracies" and isinstance(value, dict):
    shares = ((_share(share), markdown.escaped(split)) for split, share in value.items())
    return ", ".join(f"{share} ({split})" for share, split in shares)
  if key in ("params", "macs") and isinstance(value, numbers.Integral):
    return f"{value:,}".replace(",", " ")
  if key == "arch" and isinstance(value, (tuple, list, np.ndarray)):
    value = ",".join(str(choice) for choice in value)
  if key in ("arch", "string"):  # In backquotes: the string form is full of `|` and `~`.
    return markdown.code(value)
  return markdown.escaped(value)


def _shown_share(facts):
  return f"{facts['accuracy']:.2%}" if "accuracy" in facts else "not measured"


def _share(value):
  return f"{value:.2%}" if isinstance(value, numbers.Real) else markdown.escaped(value)
