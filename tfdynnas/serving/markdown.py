"""Text from outside within Markdown: shown literally, on one line, never as markup."""

import re
import unicodedata

# Markup: marks that count anywhere (a _ within a word does not), and at the start of a line.
_MARKS = re.compile(r"[\\`*\[\]~|$]|(?<![^\W_])_|_(?![^\W_])|^#|^[-+](?=[-\s]|$)")
_HTML = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_NUMBERED = re.compile(r"^(\d+)\.(?=\s|$)")
_HIDDEN = {"Cc", "Cs"}  # Control characters and surrogates.
_TURNS = {"LRE", "RLE", "PDF", "LRO", "RLO", "LRI", "RLI", "FSI", "PDI"}  # They control direction.


def escaped(value):
  """A value as inline text, anywhere in a Markdown file.

  Args:
    value: Any object; its str is shown.

  Returns:
    str of one line that UTF-8 can hold: marks of Markdown and HTML are escaped; characters that
    control a terminal or the direction of text are replaced by U+FFFD.
  """
  text = _MARKS.sub(r"\\\g<0>", _visible(value))
  return _NUMBERED.sub(r"\1\\.", text).translate(_HTML)


def code(value):
  """A value as code; as inline text if it is empty, or could end the code or be read as HTML."""
  text = _visible(value)
  return f"`{text}`" if text and not set("`<") & set(text) else escaped(text)


def _visible(value):
  text = " ".join(str(value).split())
  return "".join("\ufffd" if _is_hidden(letter) else letter for letter in text)


def _is_hidden(letter):
  return unicodedata.category(letter) in _HIDDEN or unicodedata.bidirectional(letter) in _TURNS
