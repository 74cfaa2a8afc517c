"""The page around a run's figures: its texts are escaped, and it needs no other file."""

import re

from tfdynnas.report import page


def test_a_page_holds_its_figures_and_escapes_its_texts(tmp_path):
  (tmp_path / "a.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
  figure = page.figure(tmp_path / "a.svg", 'an "alt" <text>', "a < b", wide=True)
  table = page.table([("<x>", "1,234", "none~0|+|skip")], ("", "n", "arch"), heading="T & |U")
  text = page.page("A & B", "lead", [("S < T", [figure, table, page.missing("No.", "a > b")])], "f")
  assert 'alt="an &#34;alt&#34; &lt;text&gt;" src="data:image/svg+xml;base64,' in text
  assert "<title>A &amp; B</title>" in text and "<h2>S &lt; T</h2>" in text
  assert '<th scope="row">&lt;x&gt;</th><td class="number">1,234</td>' in text
  assert '<th scope="col" class="number">n</th><th scope="col">arch</th>' in text
  assert "<h3>T &amp; |<wbr>U</h3>" in text
  assert "none~0|<wbr>+|<wbr>skip" in text and "<code>a &gt; b</code>" in text
  assert not re.findall(r"(?:src|href)=\"(?!data:)", text)
