"""Make the lessons of another language from the English ones.

    python docs/translate_notebooks.py            # write notebooks/zh/*.ipynb
    python docs/translate_notebooks.py --check    # say what is missing, write nothing
    python docs/translate_notebooks.py --accept zh/01_concepts  # its text is right again

The English notebook is the only source of code. What a translator writes stands in
``docs/translations/LANGUAGE/NOTEBOOK.toml``, a table for each cell::

    [cell-19]            # a text cell
    of = "5d41c0a2"      # of which English text, written by --accept
    text = '''...'''

    [cell-20]            # a code cell: words of its strings and comments
    words = { "helped" = "有帮助" }

Words that a picture shows are not among them: those stand in ``filled.po`` (see
``distill_helpers/lessons/language.py``), as they stay English where no font has
their letters. A translated notebook has one cell more, which chooses the language of the exercises.
Its outputs stay from one making to the next; they come from running it.
"""

from __future__ import annotations

import argparse
import ast
import copy
import hashlib
import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from distill_helpers.files import whole_file
from distill_helpers.lessons.parts import read_table

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = ROOT / "notebooks"
TRANSLATIONS = ROOT / "docs" / "translations"
LANGUAGE_TAG = "language"
WIDE = "\u3000-\u303f\u4e00-\u9fff\uff00-\uffef\u201c\u201d"
_BREAK = re.compile(rf"(?<=[{WIDE}])\n(?=[{WIDE}])|(?<=[，。；：、）])\n(?=[^\n\-#>|])")
CHOICE = 'from distill_helpers.lessons import language\n\nlanguage.choose("{}")'


@dataclass(frozen=True)
class Translated:
    """What a translator wrote for one cell.

    Attributes
    ----------
    of : str
        `fingerprint` of the English text that was translated; empty for code.
    text : str
        Markdown; empty for code.
    words : mapping of str to str
        Pieces of the code, each to be replaced wherever it stands in the cell.
    """

    of: str = ""
    text: str = ""
    words: Mapping[str, str] = field(default_factory=dict)


def fingerprint(text: str) -> str:
    """Return eight hexadecimal digits that change with the text.

    Examples
    --------
    >>> fingerprint("a student") == fingerprint("a student ")
    False
    """
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def tree_without_strings(source: str) -> str:
    """Return the syntax tree of code in which all strings are the same.

    An f-string keeps the expressions between its words, whatever their order.

    Parameters
    ----------
    source : str
        Python without IPython's magic.

    Raises
    ------
    SyntaxError

    Examples
    --------
    >>> tree_without_strings('f"{a} of {b}"') == tree_without_strings('f"{b}/{a}"')
    True
    >>> tree_without_strings('f"{a}"') == tree_without_strings('f"{b}"')
    False
    """

    class Blank(ast.NodeTransformer):
        def visit_Constant(self, node: ast.Constant) -> ast.AST:
            text = isinstance(node.value, str)
            return ast.Constant("") if text else node

        def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
            said = [v for v in node.values if isinstance(v, ast.FormattedValue)]
            return ast.JoinedStr(sorted(said, key=ast.dump))

        def visit_FormattedValue(self, node: ast.FormattedValue) -> ast.AST:
            node.value = self.visit(node.value)  # a width such as :17 stays
            return node

    return ast.dump(Blank().visit(ast.parse(source)))


def source_of(cell: Mapping) -> str:
    """Return what stands in a cell."""
    return "".join(cell["source"])


def translated_code(code: str, words: Mapping[str, str]) -> str:
    """Replace words in code, longer ones first.

    Parameters
    ----------
    code : str
    words : mapping of str to str

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If a word is not in the code, or the code would do something else.
    """
    changed = code
    for word in sorted(words, key=len, reverse=True):
        if word not in changed:
            raise ValueError(f"{word!r} is not in its code")
        changed = changed.replace(word, words[word])
    try:
        same = tree_without_strings(changed) == tree_without_strings(code)
    except SyntaxError:
        same = False
    if not same:
        raise ValueError("its words change more than strings and comments")
    return changed


def flowed(text: str) -> str:
    """Join lines where a break would show as a gap between Chinese characters.

    Examples
    --------
    >>> flowed("\u5b66\u751f\\n\u6a21\u578b\\n\\n- KL\\n- T")
    '\u5b66\u751f\u6a21\u578b\\n\\n- KL\\n- T'
    """
    return _BREAK.sub("", text)


def translate(
    english: Mapping, found: Mapping[str, Translated], language: str
) -> tuple[dict, list[str]]:
    """Return a notebook in another language, and what is wrong with it.

    Parameters
    ----------
    english : mapping
        A notebook of format 4.
    found : mapping of str to Translated
        By the cell's id. What is missing stays English.
    language : str

    Returns
    -------
    notebook : dict
        Without outputs.
    faults : list of str
        One line for each cell that needs a translator.
    """
    cells, faults = [], []
    for cell in english["cells"]:
        made, fault = _translated_cell(cell, found.get(cell["id"]))
        cells.append(made)
        faults += [f"cell {cell['id']} {fault}"] if fault else []
        if "parameters" in made["metadata"].get("tags", []):
            cells.append(_choice(language))
    known = {cell["id"] for cell in english["cells"]}
    faults += [f"cell {name} is no longer in English" for name in found.keys() - known]
    return {**copy.deepcopy(dict(english)), "cells": cells}, faults


def _translated_cell(cell: Mapping, found: Translated | None) -> tuple[dict, str]:
    made, english = copy.deepcopy(dict(cell)), source_of(cell)
    if cell["cell_type"] == "code":
        made.update(outputs=[], execution_count=None)
        try:
            made["source"] = _lines(
                translated_code(english, found.words if found else {})
            )
        except ValueError as error:
            return made, f"changed in English: {error}"
        return made, "is code: it has words, no text" if found and found.text else ""
    if not found or not found.text:
        return made, "is new in English"
    made["source"] = _lines(flowed(found.text.strip("\n")))
    if found.of != fingerprint(english):
        return made, "changed in English"
    return made, ""


def _choice(language: str) -> dict:
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": "language",
        "metadata": {"tags": [LANGUAGE_TAG]},
        "outputs": [],
        "source": _lines(CHOICE.format(language)),
    }


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)


def with_outputs(made: Mapping, before: Mapping) -> dict:
    """Return a notebook with the outputs that it had before, cell by cell."""
    kept = {cell["id"]: cell for cell in before["cells"]}
    cells = []
    for cell in made["cells"]:
        old = kept.get(cell["id"], {})
        if cell["cell_type"] == "code" and old.get("cell_type") == "code":
            said = {key: old[key] for key in ("outputs", "execution_count")}
            metadata = {**old["metadata"], **cell["metadata"]}
            cell = {**cell, **said, "metadata": metadata}
        cells.append(cell)
    return {**made, "cells": cells}


def catalogues() -> Iterator[tuple[str, Path, Path, Path]]:
    """Yield what is translated: its name, catalogue, English and other notebook."""
    for path in sorted(TRANSLATIONS.glob("*/*.toml")):
        language, stem = path.parent.name, path.stem
        made = NOTEBOOKS / language / f"{stem}.ipynb"
        yield f"{language}/{stem}", path, NOTEBOOKS / f"{stem}.ipynb", made


def read(path: Path) -> dict:
    """Read a notebook; nothing of it where there is none."""
    return json.loads(path.read_text("utf-8")) if path.exists() else {"cells": []}


def make(catalogue: Path, english: Path, target: Path) -> tuple[dict, list[str]]:
    """Return the notebook of a catalogue, with its outputs so far, and its faults."""
    if not english.exists():
        return read(target), [f"there is no English {english.name}"]
    found = read_table(catalogue, Translated)
    made, faults = translate(read(english), found, catalogue.parent.name)
    return with_outputs(made, read(target)), faults


def accepted(catalogue: str, english: Mapping) -> str:
    """Return a catalogue whose fingerprints are those of the English texts.

    Parameters
    ----------
    catalogue : str
        TOML, its tables' heads at the beginning of a line.
    english : mapping
        The English notebook.
    """
    texts = {
        cell["id"]: source_of(cell)
        for cell in english["cells"]
        if cell["cell_type"] == "markdown"
    }

    def marked(head: re.Match) -> str:
        if head["id"] not in texts:
            return head[0]
        return f'[{head["id"]}]\nof = "{fingerprint(texts[head["id"]])}"\n'

    return re.sub(
        r'^\[(?P<id>[\w-]+)\]\n(of = "\w*"\n)?', marked, catalogue, flags=re.M
    )


def written(notebook: Mapping) -> str:
    """Return a notebook as Jupyter writes it."""
    return json.dumps(notebook, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Make or check every translated notebook; 1 if one needs a translator."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing")
    parser.add_argument("--accept", metavar="NAME", nargs="*", default=[])
    options = parser.parse_args(arguments)
    names = [name for name, *_ in catalogues()]
    for name in options.accept:
        if name not in names:
            parser.error(f"--accept {name!r}: allowed are {', '.join(names)}")
    wrong = 0
    for name, catalogue, english, target in catalogues():
        if name in options.accept and not options.check:
            text = accepted(catalogue.read_text("utf-8"), read(english))
            with whole_file(catalogue) as temporary:
                temporary.write_text(text, "utf-8")
        made, faults = make(catalogue, english, target)
        stale = not target.exists() or target.read_text("utf-8") != written(made)
        if stale and options.check:
            faults.append("differs: call 'python docs/translate_notebooks.py'")
        elif stale:
            with whole_file(target) as temporary:
                temporary.write_text(written(made), "utf-8")
        for fault in faults:
            print(f"{name}: {fault}")
        wrong += len(faults)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
