"""The language in which exercises answer: English, or that of a catalogue.

An examiner writes English, which is the msgid. A sentence is translated where it
is shown, so a second language is one file,
``locale/<language>/LC_MESSAGES/distill_helpers.po``; the environment variable
``DISTILL_LANGUAGE`` picks it. A sentence without a translation stays English.
"""

from __future__ import annotations

import ast
import gettext
import os
import re
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path

LOCALE = Path(__file__).parent / "locale"
FILE = "LC_MESSAGES/distill_helpers.po"
VARIABLE = "DISTILL_LANGUAGE"
_QUOTED = r'((?:\s*"(?:[^"\\\n]|\\.)*")+)'
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
    chosen = os.environ.get(VARIABLE, "").strip()
    return Message.of(message).told(translations(chosen).gettext)


@cache
def translations(language: str) -> gettext.NullTranslations:
    """Return the translations into a language; for English, none.

    Parameters
    ----------
    language : str
        Such as ``"zh"``; ``"zh_CN"`` and ``"zh-CN.UTF-8"`` find ``zh`` too. An
        unknown one gives English and says so in one line, once.
    """
    known = {f.parts[-3].lower(): f for f in LOCALE.glob(f"*/{FILE}")}
    name = language.partition(".")[0].replace("-", "_").lower()
    for wanted in (name, name.partition("_")[0]):
        if wanted in known:
            with known[wanted].open(encoding="utf-8") as file:
                return Catalogue(file)
    if name.partition("_")[0] not in ("", "en"):
        names = ", ".join(sorted({"en", *known}))
        print(f"{VARIABLE}: no language {language!r}, English is used; known: {names}")
    return gettext.NullTranslations()


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
