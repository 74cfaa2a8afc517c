"""The model card: what a served model is, how good it is, and how to ask it."""

import json
import numbers
import string

import numpy as np

from tfdynnas import errors

_TITLES = {
    "dataset": "data",
    "licence": "licence of the data",
    "space": "space",
    "arch": "arch, one choice per decision",
    "string": "arch, string form",
    "params": "trainable parameters",
    "macs": "multiply-accumulates per image",
    "accuracies": "accuracy",
    "seed": "seed",
}

_TEXT = string.Template("""\
# $name

An image classifier of $classes classes, found by neural architecture search.

$facts

## Input and output

Images of $height x $width RGB pixels, raw values 0..255: normalisation, softmax and class names are
in the graph. Image files may have any size; they are resized as the training images were.

| signature | API | input | outputs |
|---|---|---|---|
| `serving_default` | predict | `image` float32 [n, $height, $width, 3] | `probabilities` float32 \
[n, $classes], `class_id` int32 [n], `label` string [n] |
| `image_bytes` | predict | `image_bytes` string [n]: PNG, JPEG, GIF (first frame), BMP | the same |
| `classify` | classify | `inputs` string [n]: tf.Examples with such a file in `image/encoded` | \
`classes` string [n, $classes], `scores` float32 [n, $classes], best first |

$warmup

## Serve it

From the folder that holds `$name/`:

```sh
docker run --rm -p 8501:8501 -v "$$PWD/$name:/models/$name:ro" \\
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
      accuracies (split -> share in [0, 1]), seed; other keys are kept and shown as well.
    graph: dict of what the graph holds: image_size (height, width), class_names, mean, std.
    versions: dict of package -> version.
    warmup: Sentence on the warm-up requests.
  """
  height, width = graph["image_size"]
  text = _TEXT.substitute(
      name=name, classes=len(graph["class_names"]), facts=_facts(card, versions),
      height=height, width=width, warmup=warmup,
  )
  (folder / "model_card.md").write_text(text, "utf-8")
  (folder / "arch.json").write_text(as_json({**card, **graph, "versions": versions}), "utf-8")


def as_json(values):
  """Strict JSON of a dict that may hold numpy's numbers and arrays.

  Raises:
    InputError: A value has no place in JSON: an object, NaN, an infinity.
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
  """The card as a list: what it ought to say, then what else it says."""
  lines = [f"* {title}: {_shown(key, card.get(key))}" for key, title in _TITLES.items()]
  lines += [f"* {key}: {_shown(key, value)}" for key, value in card.items() if key not in _TITLES]
  lines.append("* made with: " + ", ".join(f"{name} {number}" for name, number in versions.items()))
  return "\n".join(lines)


def _shown(key, value):
  if value is None or isinstance(value, dict) and not value:
    return "not stated"
  if key == "accuracies" and isinstance(value, dict):
    return ", ".join(f"{_share(share)} ({split})" for split, share in value.items())
  if key in ("params", "macs") and isinstance(value, numbers.Integral):
    return f"{value:,}".replace(",", " ")
  if key == "arch" and isinstance(value, (tuple, list, np.ndarray)):
    value = ",".join(str(choice) for choice in value)
  if key in ("arch", "string"):  # In backquotes: the string form is full of `|` and `~`.
    return f"`{value}`"
  return " ".join(str(value).split())


def _share(value):
  return f"{value:.2%}" if isinstance(value, numbers.Real) else str(value)
