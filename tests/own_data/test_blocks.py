"""Reports show a stranger's text as text."""

import html
from html.parser import HTMLParser

import markdown_it
import pandas as pd

from distill_helpers.own_data import blocks
from distill_helpers.own_data.figures import interval_figure

NASTY = '<script>alert(1)</script> | [a](http://b) **c** `d` "e" \u202efed &amp; #'


def all_blocks():
    frame = pd.DataFrame(
        {"text": [NASTY], "share": [0.5], "none": [float("nan")], "many": [3]},
        index=pd.Index([NASTY], name="no."),
    )
    return [
        blocks.Heading(NASTY, 1),
        blocks.Words(NASTY),
        blocks.Items([NASTY], beware=True),
        blocks.Table(frame, NASTY),
        blocks.Code("print(1)"),
        blocks.Picture("<svg></svg>", NASTY),
    ]


class Seen(HTMLParser):
    """What a browser would find."""

    def __init__(self):
        super().__init__()
        self.tags, self.words = [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)

    def handle_data(self, data):
        self.words.append(data)


def test_no_markup_of_the_file_reaches_the_page():
    seen = Seen()
    seen.feed(blocks.to_html(all_blocks(), NASTY))
    assert not {"script", "a", "img", "link"} & set(seen.tags)
    assert seen.words.count(NASTY) == 7  # title, h1, p, li, caption, head of row, cell


def test_no_markup_of_the_file_reaches_markdown():
    written = blocks.to_markdown(all_blocks())
    rendered = markdown_it.MarkdownIt().enable("table").render(written)
    seen = Seen()
    seen.feed(rendered)
    expected = {"h1", "p", "ul", "li", "strong", "pre", "code"}
    expected |= {"table", "thead", "tbody", "tr", "th", "td"}
    assert set(seen.tags) == expected
    assert html.unescape(rendered).count(NASTY) == 7


def test_cells_are_shown_as_people_read_them():
    written = blocks.to_markdown(all_blocks())
    assert "| 0.500 | - | 3 |" in written


def test_the_page_needs_nobody_else():
    page = blocks.to_html(all_blocks(), "t")
    assert "default-src 'none'" in page and 'lang="en"' in page
    assert 'aria-label="&lt;script&gt;' in page


def test_a_cell_is_darker_the_larger_its_share():
    counts = pd.DataFrame([[3, 1], [0, 0]], index=["a", "b"], columns=["a", "b"])
    page = blocks.to_html([blocks.Table(counts, shaded=True)], "t")
    assert page.count("background:rgb(0 114 178 / ") == 2
    assert "/ 38%" in page and "/ 12%" in page


def test_the_figure_holds_every_seed_and_escapes_names():
    from distill_helpers.evaluation import Quality, Row

    def row(name, *scores):
        found = [Quality({"accuracy": s, "f1": s}, None, 10) for s in scores]
        return Row(name, found, seeds=list(range(len(scores))))

    rows = [row("<b>", 0.5, 0.5), row("one", 1.0)]
    drawn = interval_figure(rows, "f1", "macro F1")
    assert drawn.count("<circle") == 2 and drawn.count('v16"') == 3
    assert "&lt;b&gt;" in drawn and "<b>" not in drawn
