"""Text from outside within Markdown: shown as it is, on its line, never obeyed."""

import re
import unicodedata

# What stands for more than itself: anywhere (a _ within a word is none), and where a line begins.
_MARKS = re.compile(r"[\\`*\[\]~|$]|(?<![^\W_])_|_(?![^\W_])|^#|^[-+](?=[-\s]|$)")
_HTML = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_NUMBERED = re.compile(r"^(\d+)\.(?=\s|$)")
_HIDDEN = {"Cc", "Cs"}  # Control characters, and halves of what UTF-8 writes as one.
_TURNS = {"LRE", "RLE", "PDF", "LRO", "RLO", "LRI", "RLI", "FSI", "PDI"}  # Of a text's direction.


def escaped(value):
  """A value as inline text, anywhere in a Markdown file.

  Args:
    value: Any object; its str is shown.

  Returns:
    str of one line that UTF-8 can hold: marks of Markdown and HTML stand for themselves; characters
    that control a terminal or turn the direction of text are replaced by U+FFFD.
  """
  text = _MARKS.sub(r"\\\g<0>", _visible(value))
  return _NUMBERED.sub(r"\1\\.", text).translate(_HTML)


def code(value):
  """The same as code; as inline text if it is empty or may end code, or be read as HTML."""
  text = _visible(value)
  return f"`{text}`" if text and not set("`<") & set(text) else escaped(text)


def _visible(value):
  text = " ".join(str(value).split())
  return "".join("\ufffd" if _is_hidden(letter) else letter for letter in text)


def _is_hidden(letter):
  return unicodedata.category(letter) in _HIDDEN or unicodedata.bidirectional(letter) in _TURNS
