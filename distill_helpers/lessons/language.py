"""The language in which exercises answer: English, or that of a catalogue.

An examiner writes English, which is the msgid. A sentence is translated where it
is shown, so a second language is one file,
``locale/<language>/LC_MESSAGES/distill_helpers.po``; the environment variable
``DISTILL_LANGUAGE`` picks it. A sentence without a translation stays English.

What comes with its values filled in, as pictures and their alternative texts do, is
in a second file beside it, ``filled.po``: there a msgid with braces is a pattern.
"""

from __future__ import annotations

import ast
import gettext
import os
import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path

LOCALE = Path(__file__).parent / "locale"
FILE = "LC_MESSAGES/distill_helpers.po"
FILLED = "LC_MESSAGES/filled.po"
VARIABLE = "DISTILL_LANGUAGE"
_QUOTED = r'((?:\s*"(?:[^"\\\n]|\\.)*")+)'
_GAP = re.compile(r"\{([a-z]\w*)\}")
_MARKS = ("; ", ": ", " - ", ", ")
"""What stands between parts of a list, the widest first."""
_MEASURE = re.compile(r"[+-]?\d")
_ENTRY = re.compile(rf"msgid{_QUOTED}\s+msgstr{_QUOTED}\s*")


class Message(str):
    """An English sentence that still knows its template and its values.

    It is the finished English text, so whoever wants no more can use it as such.

    Parameters
    ----------
    template : str
        With the values' names in braces; without values it is taken as it is.
    **values
        A value that is a `Message` is translated too, any other is not.

    Attributes
    ----------
    template : str
    values : dict of str to object

    Examples
    --------
    >>> said = Message("expected {right}, got {given}", right=3, given=4)
    >>> said
    'expected 3, got 4'
    >>> said.told({"expected {right}, got {given}": "{given} != {right}"}.get)
    '4 != 3'
    """

    template: str
    values: dict[str, object]

    def __new__(cls, template: str, /, **values) -> Message:
        message = super().__new__(
            cls, template.format(**values) if values else template
        )
        message.template, message.values = template, values
        return message

    @classmethod
    def of(cls, text: str) -> Message:
        """Return a text as a sentence that can be translated."""
        return text if isinstance(text, Message) else cls(text)

    @classmethod
    def joined(cls, between: str, parts: Iterable[str]) -> Message:
        """Join sentences, and texts that are nobody's to translate."""
        named = {f"part{number}": part for number, part in enumerate(parts, 1)}
        return cls(between.join(f"{{{name}}}" for name in named), **named)

    def told(self, translate: Callable[[str], str]) -> str:
        """Return the sentence as `translate` has its template.

        A translation that asks for other values than there are is left out.
        """
        if not self.values:  # gettext answers an empty msgid with its header
            return translate(self.template) if self.template else ""
        values = {
            name: value.told(translate) if isinstance(value, Message) else value
            for name, value in self.values.items()
        }
        try:
            return translate(self.template).format(**values)
        except (LookupError, ValueError):
            return self.template.format(**values)


def told(message: str) -> str:
    """Return a sentence in the language that the reader has chosen."""
    wanted = _wanted()
    known, filled = translations(wanted), patterns(wanted)

    def translate(sentence: str) -> str:
        said = known.gettext(sentence)
        return said if said != sentence else filled.told(sentence)

    return Message.of(message).told(translate)


def pictured(text: str) -> str:
    """Return what a picture says, in the language that the reader has chosen.

    Parameters
    ----------
    text : str
        English, its numbers filled in, on one line or several. What no sentence of
        the catalogue fits comes back as it is.
    """
    return patterns(_wanted()).told(text)


def choose(language: str) -> None:
    """Let exercises and pictures of this process, and of its children, use a language.

    Parameters
    ----------
    language : str
        Such as ``"zh"``, or ``"en"``.

    Raises
    ------
    ValueError
        If there is no such language.
    """
    if _name_of(language) not in {"en", *_known()}:
        names = ", ".join(repr(name) for name in sorted({"en", *_known()}))
        raise ValueError(f"language must be one of {names}, got {language!r}")
    os.environ[VARIABLE] = language


def chosen() -> str:
    """Return the language that the reader has chosen, such as ``"zh"``, or ``"en"``."""
    return _name_of(_wanted()) or "en"


def _wanted() -> str:
    return os.environ.get(VARIABLE, "").strip()


def _known() -> dict[str, Path]:
    return {path.name.lower(): path for path in LOCALE.iterdir() if path.is_dir()}


def _name_of(language: str) -> str:
    """Return ``"zh"`` for ``"zh-CN.UTF-8"``, and nothing for an unknown language."""
    name = language.partition(".")[0].replace("-", "_").lower()
    spelt = (name, name.partition("_")[0])
    return next((known for known in spelt if known in {"en", *_known()}), "")


@cache
def translations(language: str) -> gettext.NullTranslations:
    """Return the translations into a language; for English, none.

    Parameters
    ----------
    language : str
        Such as ``"zh"``; ``"zh_CN"`` and ``"zh-CN.UTF-8"`` find ``zh`` too. An
        unknown one gives English and says so in one line, once.
    """
    name = _name_of(language)
    if name in _known():
        return catalogue(name, FILE)
    if language and name != "en":
        names = ", ".join(sorted({"en", *_known()}))
        print(f"{VARIABLE}: no language {language!r}, English is used; known: {names}")
    return gettext.NullTranslations()


@cache
def patterns(language: str) -> Patterns:
    """Return the sentences of a language that are filled in; none for English."""
    name = _name_of(language)
    return Patterns(catalogue(name, FILLED).entries if name in _known() else {})


def catalogue(name: str, file: str = FILE) -> Catalogue:
    """Read one file of a language that there is, such as ``"zh"``."""
    with (_known()[name] / file).open(encoding="utf-8") as opened:
        return Catalogue(opened)


class Patterns:
    """Sentences with gaps, each with its translation.

    Parameters
    ----------
    entries : mapping of str to str
        A name in braces stands for whatever is there; what it holds is translated
        too, be it a word or a list. Of several that fit, the one with most words of
        its own counts. A comma, a colon or a semicolon may have an entry too: it
        then stands between what is listed.

    Examples
    --------
    >>> said = Patterns({"{n} of {all} texts": "{all} Texte, {n} davon", "all": "alle"})
    >>> said.told("3 of all texts")
    'alle Texte, 3 davon'
    >>> Patterns({"cat": "Katze", "dog": "Hund"}).told("cat 0.9, dog")
    'Katze 0.9, Hund'
    """

    def __init__(self, entries: Mapping[str, str]) -> None:
        self.plain = {k: v for k, v in entries.items() if k and not _GAP.search(k)}
        gapped = [k for k in entries if _GAP.search(k)]
        gapped.sort(key=lambda k: len(_GAP.sub("", k)), reverse=True)
        self.gapped = [(fitting(k), entries[k]) for k in gapped]

    def told(self, text: str) -> str:
        """Return a text translated, or as it is.

        A list is translated if there is a word for each of its parts; one that begins
        with a number needs none, unless a sentence fits the whole.
        """
        flowing = " ".join(text.split())
        listed, unknown = self._list(flowing, self._word)
        measured = listed != flowing and all(map(_MEASURE.match, unknown))
        return (
            self._word(flowing)
            or (not unknown and listed)
            or self._sentence(flowing)
            or (measured and listed)
            or text
        )

    def _word(self, text: str) -> str | None:
        """Translate a word, also with a number behind it, such as ``control 0.82``."""
        word, _, number = text.rpartition(" ")
        if text not in self.plain and word in self.plain and _is_number(number):
            return f"{self.plain[word]} {number}"
        return self.plain.get(text)

    def _sentence(self, text: str) -> str | None:
        for pattern, wording in self.gapped:
            found = pattern.fullmatch(text)
            if found:
                values = found.groupdict()
                return wording.format(**{k: self._value(v) for k, v in values.items()})
        words, _, number = text.rpartition(" ")  # a sentence with a number behind it
        said = self._sentence(words) if _is_number(number) else None
        return said and f"{said} {number}"

    def _value(self, value: str) -> str:
        """Translate what stands in a gap, as far as there are words for it."""
        listed, unknown = self._list(value, self._part)
        known = self._word(value) or (not unknown and listed)
        return known or self._sentence(value) or listed

    def _part(self, text: str) -> str | None:
        return self._word(text) or self._sentence(text)

    def _list(
        self, text: str, one: Callable[[str], str | None]
    ) -> tuple[str, list[str]]:
        """Translate a list part by part; return also what there are no words for."""
        mark = next((mark for mark in _MARKS if mark in text), None)
        if mark is None:
            return text, [text]
        said, unknown, left = [], [], text.split(mark)
        while left:
            size, part = self._longest(left, mark, one)
            if part is None:
                part, inside = self._list(left[0], one)
                unknown += inside if part != left[0] else [left[0]]
            said.append(part)
            left = left[size:]
        if mark.join(said) == text:  # nothing of it has a word
            return text, unknown
        return self.plain.get(mark.strip(), mark).join(said), unknown

    def _longest(
        self, parts: list[str], mark: str, one: Callable[[str], str | None]
    ) -> tuple[int, str | None]:
        """Translate as many parts as are one word together: ``soft, order lost``."""
        for size in range(len(parts), 1, -1):
            word = self._word(mark.join(parts[:size]))
            if word:
                return size, word
        return 1, one(parts[0])


def _is_number(text: str) -> bool:
    return text.strip("+-.%").replace(".", "").isdigit()


def fitting(template: str) -> re.Pattern:
    """Return the pattern of a sentence whose names in braces may be anything."""
    pieces = _GAP.split(template)  # words, a name, words, ...
    return re.compile(
        "".join(
            f"(?P<{piece}>.+?)" if place % 2 else re.escape(piece)
            for place, piece in enumerate(pieces)
        )
    )


class Catalogue(gettext.NullTranslations):
    """The translations that a ``.po`` file holds, read without compiling it.

    Raises
    ------
    ValueError
        If a block of lines is no ``msgid`` with one ``msgstr``.
    """

    def _parse(self, file) -> None:
        self.entries: dict[str, str] = {}
        for block in re.split(r"\n\s*\n", file.read().strip()):
            lines = [line.strip() for line in block.splitlines()]
            body = "\n".join(line for line in lines if not line.startswith("#"))
            found = _ENTRY.fullmatch(body)
            if body and not found:
                raise ValueError(f"no msgid with one msgstr: {body!r}")
            fuzzy = any(re.match(r"#,.*\bfuzzy\b", line) for line in lines)
            if found and not fuzzy:
                msgid, msgstr = map(_unquoted, found.groups())
                self.entries[msgid] = msgstr

    def gettext(self, message: str) -> str:
        """Return the translation of a sentence, or the sentence."""
        return self.entries.get(message) or super().gettext(message)


def _unquoted(strings: str) -> str:
    return "".join(ast.literal_eval(line) for line in strings.split("\n") if line)
