"""The glossary's terms: read from its page, and found in a text.

``docs/glossary.md`` is the one place where they are explained.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from .links import BookError, slug

_ENTRY = re.compile(r"^### ([^\n]+)\n\n(.+?)(?=^###? |\Z)", re.M | re.S)
_ALSO = "Also called: "


@dataclass(frozen=True)
class Entry:
    """A term and what it means.

    Attributes
    ----------
    term : str
    meaning : str
        Plain words, without Markdown.
    also : tuple of str
        Other names of it.
    """

    term: str
    meaning: str
    also: tuple[str, ...] = ()

    @property
    def anchor(self) -> str:
        """The place on the glossary's page, such as ``"soft-target"``."""
        return slug(self.term)

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """What finds the term, or another name of it, as words of their own."""
        names = sorted((self.term, *self.also), key=len, reverse=True)
        return re.compile("|".join(map(_word, names)))


def _word(name: str) -> str:
    """Match a name as a word of its own; Chinese sets no blanks between words."""
    if re.search(r"[\u3400-\u9fff]", name):
        return re.escape(name)
    return rf"(?<![\w-]){_form(name)}(?![\w-])"


def _form(name: str) -> str:
    """Match a name in the singular or plural; a first capital is as good as none.

    What is written in capitals, such as AUC, is no ordinary word.
    """
    first, rest = name[0], name[1:]
    body = r"\s+".join(re.escape(word) for word in rest.split(" "))
    if rest.islower() or not rest:
        first = f"[{first.upper()}{first.lower()}]"
    if name.endswith("y"):
        return first + body[:-1] + "(?:y|ies)"
    return first + body + ("(?:es)?" if name[-1] in "sxh" else "s?")


def read_glossary(page: str) -> list[Entry]:
    """Read the glossary's entries.

    Parameters
    ----------
    page : str
        Markdown with a heading of the third level for each term.

    Returns
    -------
    list of Entry

    Raises
    ------
    BookError
        If there is no entry, or two have one anchor.

    Examples
    --------
    >>> (entry,) = read_glossary("### Batch\\n\\nA few *texts*.\\n\\nMore.\\n")
    >>> entry
    Entry(term='Batch', meaning='A few texts.', also=())
    """
    entries = [_entry(term, body) for term, body in _ENTRY.findall(page)]
    anchors = [entry.anchor for entry in entries]
    twice = sorted({a for a in anchors if anchors.count(a) > 1})
    if not entries or twice:
        raise BookError(
            f"the glossary explains {twice} twice" if twice else "no term is explained"
        )
    return entries


def _entry(term: str, body: str) -> Entry:
    parts = [" ".join(part.split()) for part in body.strip().split("\n\n")]
    also = next((p[len(_ALSO) :] for p in parts if p.startswith(_ALSO)), "")
    names = tuple(also.rstrip(".").split(", ")) if also else ()
    return Entry(term, plain(parts[0]), names)


def plain(text: str) -> str:
    """Return Markdown's words alone.

    Examples
    --------
    >>> plain("See [the `map`](a.md), *really*.")
    'See the map, really.'
    """
    text = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", text)
    return re.sub(r"[`*]|(?<!\w)_|_(?!\w)", "", text)


def glossaries_of(folder: Path) -> dict[str, Path]:
    """Return the glossary of each language, by its code; English is ``"en"``.

    Parameters
    ----------
    folder : Path
        ``docs/``, of the project or of what was gathered.
    """
    found = {"en": folder / "glossary.md"}
    for path in sorted(folder.glob("glossary.??.md")):
        found[path.suffixes[0][1:]] = path
    return found


def as_page(page: str) -> str:
    """Raise the terms' headings by one level: no level may be left out in a book."""
    return re.sub(r"^### ", "## ", page, flags=re.M)


def find_terms(
    text: str, entries: Sequence[Entry], used: set[str]
) -> Iterator[tuple[int, int, Entry]]:
    """Find the first use of each term in a text.

    Parameters
    ----------
    text : str
    entries : sequence of Entry
    used : set of str
        Anchors of the terms that have been met before; those found are added.

    Yields
    ------
    tuple of int, int and Entry
        Start and end in the text, from left to right, without overlap; of two
        terms that begin together the longer one.

    Examples
    --------
    >>> batch = Entry("Batch", "A few texts.")
    >>> [(s, e) for s, e, _ in find_terms("Two batches, a batch.", [batch], set())]
    [(4, 11)]
    """
    found = []
    for entry in entries:
        if entry.anchor not in used:
            for match in entry.pattern.finditer(text):
                found.append((match.start(), -match.end(), entry.term, entry))
    end = 0
    for start, minus_end, _, entry in sorted(found, key=lambda f: f[:3]):
        if start >= end and entry.anchor not in used:
            used.add(entry.anchor)
            end = -minus_end
            yield start, end, entry
