"""A page of HTML that needs nothing else: text, tables and figures inside."""

import base64
import html
import pathlib
import re

_NUMBER = re.compile(r"[-+]?[\d.,]+(e[-+]\d+)? ?%?|-")
_TYPES = {".png": "image/png", ".svg": "image/svg+xml"}

_STYLE = """
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1.1rem 4rem; max-width: 66rem; background: #fff;
  color: #222; font: 1rem/1.55 Georgia, "Times New Roman", "DejaVu Serif", serif;
  counter-reset: figure; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0 0 .3rem; }
h2 { font-size: 1.25rem; margin: 2.6rem 0 .6rem; padding-bottom: .2rem;
  border-bottom: 1px solid #bbb; }
h3 { font-size: 1rem; margin: 1.4rem 0 .3rem; }
p { max-width: 44rem; margin: .5rem 0; }
.lead { color: #555; margin-top: 0; }
.note { font-size: .87rem; line-height: 1.4; color: #444; }
.missing { color: #555; font-style: italic; }
code { font: .84em/1.5 ui-monospace, "DejaVu Sans Mono", Menlo, monospace;
  overflow-wrap: anywhere; }
.missing code { font-style: normal; }
.row { display: grid; gap: 1.2rem 2rem; align-items: start;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr)); }
figure { margin: .8rem 0; min-width: 0; break-inside: avoid; counter-increment: figure; }
figure img { display: block; max-width: 100%; height: auto; margin: 0 auto; }
.wide { overflow-x: auto; }
.wide img { min-width: 38rem; }
figcaption { font-size: .87rem; line-height: 1.4; color: #444; margin-top: .35rem; }
figcaption::before { content: "Figure " counter(figure) ". "; font-weight: bold; }
.scroll { overflow-x: auto; margin: .6rem 0; break-inside: avoid; }
table { border-collapse: collapse; font-size: .9rem; border-top: 1.5px solid #222;
  border-bottom: 1.5px solid #222; }
th, td { padding: .18rem .9rem .18rem 0; text-align: left; vertical-align: top; }
td { overflow-wrap: break-word; }
thead th { border-bottom: 1px solid #222; }
tbody th { font-weight: normal; color: #555; }
table .number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.facts td { overflow-wrap: anywhere; }
table.facts .number { text-align: left; }
footer { margin-top: 3rem; font-size: .84rem; color: #555; }
@media print { body { padding: 0; max-width: none; font-size: 10pt; } h2 { break-after: avoid; } }
"""


def page(title, lead, sections, footer):
  """The whole page.

  Args:
    title: Text of the title.
    lead: Text below it.
    sections: Sequence of (heading, list of blocks), which are HTML from the functions here.
    footer: Text at the end.

  Returns:
    str, HTML.
  """
  body = [f"<h1>{html.escape(title)}</h1>", f'<p class="lead">{html.escape(lead)}</p>']
  for heading, blocks in sections:
    body.append(f"<section><h2>{html.escape(heading)}</h2>\n" + "\n".join(blocks) + "\n</section>")
  return (
      '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
      '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
      f"<title>{html.escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
      + "\n".join(body) + f"\n<footer>{html.escape(footer)}</footer>\n</body>\n</html>\n"
  )


def text(words):
  """A paragraph."""
  return f"<p>{_breakable(words)}</p>"


def note(words):
  """A paragraph in small letters."""
  return f'<p class="note">{_breakable(words)}</p>'


def missing(what, command):
  """A paragraph in place of what is not there, and the command that makes it."""
  return f'<p class="missing">{html.escape(what)} <code>{html.escape(command)}</code></p>'


def figure(path, alt, caption, wide=False):
  """A figure, its file inside.

  Args:
    path: Path of a PNG or SVG file.
    alt: What is to be seen, for those who do not see it.
    caption: Text below.
    wide: Scroll on a narrow screen rather than become illegible.

  Returns:
    str, HTML.
  """
  path = pathlib.Path(path)
  data = base64.b64encode(path.read_bytes()).decode()
  image = f'<img alt="{html.escape(alt)}" src="data:{_TYPES[path.suffix]};base64,{data}">'
  image = f'<div class="wide">{image}</div>' if wide else image
  return f"<figure>{image}<figcaption>{_breakable(caption)}</figcaption></figure>"


def row(*blocks):
  """Blocks side by side where there is room."""
  return f'<div class="row">{"".join(blocks)}</div>'


def table(rows, head=None, heading=None):
  """A table whose first column names the rows.

  Args:
    rows: Sequence of sequences of texts, of equal length; what is a number stands to the right.
    head: Sequence of texts, or None: facts then, which all stand to the left.
    heading: Text above, or None.

  Returns:
    str, HTML.
  """
  top = f"<h3>{_breakable(heading)}</h3>" if heading else ""
  body = "".join(
      f'<tr><th scope="row">{_breakable(name)}</th>{"".join(map(_cell, cells))}</tr>'
      for name, *cells in rows
  )
  if head:
    classes = [_class(cell) for cell in rows[0]] if rows else [""] * len(head)
    names = "".join(f'<th scope="col"{own}>{html.escape(name)}</th>'
                    for name, own in zip(head, ["", *classes[1:]]))
    body = f"<thead><tr>{names}</tr></thead><tbody>{body}</tbody>"
  else:
    body = f"<tbody>{body}</tbody>"
  kind = "" if head else ' class="facts"'
  return f'<div>{top}<div class="scroll"><table{kind}>{body}</table></div></div>'


def _cell(words):
  return f"<td{_class(words)}>{_breakable(words)}</td>"


def _breakable(words):
  """Text whose lines may break where a choice of an arch ends: a narrow screen has to show it."""
  return html.escape(words).replace("|", "|<wbr>")


def _class(words):
  return ' class="number"' if _NUMBER.fullmatch(words) else ""
