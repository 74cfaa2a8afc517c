"""A self-contained HTML page: text, tables and figures."""

import base64
import functools
import pathlib
import re

_NUMBER = re.compile(r"[-+]?[\d.,]+(e[-+]\d+)? ?%?|-")
_TYPES = {".png": "image/png", ".svg": "image/svg+xml"}


def page(title, lead, sections, footer):
  """The whole page.

  Args:
    title: Text of the title.
    lead: Text below it.
    sections: Sequence of (heading, blocks): lists of HTML from the functions here.
    footer: Text at the end.

  Returns:
    str, HTML.
  """
  template = _templates().get_template("page.html")
  return template.render(title=title, lead=lead, sections=sections, footer=footer)


def text(words):
  """A paragraph."""
  return _blocks().text(words)


def note(words):
  """A paragraph in small type."""
  return _blocks().note(words)


def missing(what, command):
  """A paragraph in place of a missing result, with the command that makes it."""
  return _blocks().missing(what, command)


def figure(path, alt, caption, wide=False):
  """A figure with its file embedded.

  Args:
    path: Path of a PNG or SVG file.
    alt: Description of the figure, for those who cannot see it.
    caption: Text below.
    wide: Scroll on a narrow screen rather than become illegible.

  Returns:
    str, HTML.
  """
  path = pathlib.Path(path)
  data = base64.b64encode(path.read_bytes()).decode()
  return _blocks().figure(f"data:{_TYPES[path.suffix]};base64,{data}", alt, caption, wide)


def row(*blocks):
  """Blocks side by side where there is room."""
  return _blocks().row(blocks)


def table(rows, head=None, heading=None):
  """A table whose first column names the rows.

  Args:
    rows: Sequence of sequences of texts, of equal length; numbers are aligned right.
    head: Sequence of texts; None: no head, and all texts are aligned left.
    heading: Text above, or None.

  Returns:
    str, HTML.
  """
  return _blocks().table(rows, head, heading)


def _blocks():
  """The macros of blocks.html: they escape their arguments and return HTML."""
  return _templates().get_template("blocks.html").module


@functools.cache
def _templates():
  import jinja2

  found = jinja2.Environment(
      loader=jinja2.FileSystemLoader(pathlib.Path(__file__).parent), autoescape=True,
      undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True,
  )
  found.tests["number"] = _NUMBER.fullmatch
  return found
