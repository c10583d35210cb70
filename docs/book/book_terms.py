"""The first use of each term of the glossary on a page shows what it means.

The words are links to the glossary of the page's language; `static/terms.js` shows the
meaning at the pointer or the keyboard's focus.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

from docutils import nodes
from sphinx.util.osutil import relative_uri

from distill_helpers.classroom.book.contents import language_of
from distill_helpers.classroom.book.glossary import (
    Entry,
    find_terms,
    glossaries_of,
    read_glossary,
)

NOT_IN = ("api/", "docs/glossary", "genindex", "search")


class glossary_term(nodes.Inline, nodes.TextElement):
    """A term of the glossary, where a page uses it first."""


def visit(translator, node: glossary_term) -> None:
    where = {"href": node["refuri"], "data-term": node["anchor"]}
    translator.body.append(translator.starttag(node, "a", "", CLASS="term", **where))


def depart(translator, node: glossary_term) -> None:
    translator.body.append("</a>")


@cache
def glossary(folder: str, language: str) -> tuple[str, Sequence[Entry]]:
    """Return the page of a language's glossary and its entries; of none, nothing."""
    path = glossaries_of(Path(folder)).get(language)
    if path is None:
        return "", ()
    return f"docs/{path.stem}", read_glossary(path.read_text("utf-8"))


def readable(node: nodes.Text) -> bool:
    """Say whether a text is a sentence's own, and nothing special."""
    parent = node.parent
    while isinstance(parent, (nodes.emphasis, nodes.strong)):
        parent = parent.parent
    if not isinstance(parent, nodes.paragraph):
        return False
    return not any(isinstance(above, nodes.thead) for above in _above(parent))


def _above(node: nodes.Node) -> Iterator[nodes.Node]:
    while node.parent is not None:
        node = node.parent
        yield node


def mark(app, doctree: nodes.document, docname: str) -> None:
    """Turn the first use of each term into a link with its meaning."""
    if docname.startswith(NOT_IN):
        return
    language = language_of(docname) or app.config.language
    there, entries = glossary(app.config.terms_folder, language)
    address = app.builder.get_target_uri
    page = relative_uri(address(docname), address(there)) if there else ""
    used: set[str] = set()
    for node in filter(readable, list(doctree.findall(nodes.Text))):
        text, parts, end = node.astext(), [], 0
        for start, stop, entry in find_terms(text, entries, used):
            where = {"refuri": f"{page}#{entry.anchor}", "anchor": entry.anchor}
            words = text[start:stop]
            parts += [nodes.Text(text[end:start]), glossary_term(words, words, **where)]
            end = stop
        if parts:
            node.parent.replace(node, [*parts, nodes.Text(text[end:])])


def setup(app) -> dict:
    app.add_config_value("terms_folder", "", "env", types=str)
    app.add_node(glossary_term, html=(visit, depart))
    app.connect("doctree-resolved", mark)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
