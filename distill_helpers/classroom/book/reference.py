"""The reference: a page for each room, from its own list of names.

What a room hands on stands in its ``__init__.py``; the words come from the
docstrings.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from .links import BookError

PACKAGE = "distill_helpers"


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def handed_on(path: Path) -> dict[str, list[str]]:
    """Read what a room hands on, without importing it.

    Parameters
    ----------
    path : Path
        Its ``__init__.py``.

    Returns
    -------
    dict of str to list of str
        The names that each module of it gives away, in the file's order; empty if
        it hands on nothing.

    Raises
    ------
    BookError
        If the list cannot be read without running the file.
    """
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("attach"):
            try:
                return ast.literal_eval(node.args[1])
            except (ValueError, IndexError):
                raise BookError(
                    f"{path.parent.name}/{path.name}: the names of attach(...) must be"
                    " written out"
                ) from None
    return {}


def opening(path: Path) -> str:
    """Return a module's docstring, without the blanks around it."""
    return (ast.get_docstring(_tree(path)) or "").strip()


def rooms_of(package: Path) -> dict[str, dict[str, list[str]]]:
    """Return the rooms that hand names on, in the order of their names.

    Parameters
    ----------
    package : Path
        The package's folder.

    Returns
    -------
    dict of str to dict
        By the room's dotted name below the package, as :func:`handed_on`.
    """
    inits = sorted(package.rglob("__init__.py"))
    rooms = {
        ".".join(path.parent.relative_to(package).parts): handed_on(path)
        for path in inits
        if path.parent != package and "shipped" not in path.parts
    }
    return {room: names for room, names in rooms.items() if names}


def kind_of(module: Path, name: str) -> str:
    """Say what a name of a module is.

    Parameters
    ----------
    module : Path
        The file in which it is made.
    name : str

    Returns
    -------
    str
        ``"class"``, ``"function"``, ``"data"`` or, if it comes from elsewhere,
        ``"import"``.

    Raises
    ------
    BookError
        If the module knows no such name.
    """
    kinds = {ast.ClassDef: "class", ast.FunctionDef: "function"}
    for node in _tree(module).body:
        if isinstance(node, tuple(kinds)) and node.name == name:
            return kinds[type(node)]
        if isinstance(node, (ast.Assign, ast.AnnAssign)):
            made = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(name in _names(target) for target in made):
                return "data"
        if isinstance(node, ast.ImportFrom) and name in _given(node):
            return "import"
    raise BookError(f"{module.name} makes no {name}, which its room hands on")


def _given(node: ast.ImportFrom) -> list[str]:
    return [alias.asname or alias.name for alias in node.names]


def _names(target: ast.expr) -> list[str]:
    return [each.id for each in ast.walk(target) if isinstance(each, ast.Name)]


def homes(folder: Path, names: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Follow what a room hands on to the modules that make it.

    Parameters
    ----------
    folder : Path
        The room's.
    names : mapping of str to sequence of str
        As :func:`handed_on`; a home may be a room itself.

    Returns
    -------
    dict of str to list of str
        By the module's dotted name below the room.
    """
    found: dict[str, list[str]] = {}
    for home, given in names.items():
        inner = folder / home / "__init__.py"
        if not inner.is_file():
            found.setdefault(home, []).extend(given)
            continue
        for module, own in homes(inner.parent, handed_on(inner)).items():
            kept = [name for name in own if name in given]
            if kept:
                found.setdefault(f"{home}.{module}", []).extend(kept)
    return found


def room_page(package: Path, room: str) -> str:
    """Write a room's page.

    Parameters
    ----------
    package : Path
        The package's folder.
    room : str
        Its dotted name below the package.

    Returns
    -------
    str
        reStructuredText, as docstrings are.

    Raises
    ------
    BookError
        If it hands on what no module of it makes.
    """
    folder = package.joinpath(*room.split("."))
    names = handed_on(folder / "__init__.py")
    made = homes(folder, names)
    dotted = f"{PACKAGE}.{room}"
    first = next(iter(names.values()))[0]
    parts = [_module(folder, dotted, home, given) for home, given in made.items()]
    head = _title(room, "=") + [opening(folder / "__init__.py"), ""]
    head += [f"Import from the room: ``from {dotted} import {first}``.", ""]
    return "\n".join([*head, *parts])


def _title(words: str, line: str) -> list[str]:
    return [words, line * len(words), ""]


def _module(folder: Path, room: str, home: str, names: Sequence[str]) -> str:
    path = folder.joinpath(*home.split(".")).with_suffix(".py")
    lines = _title(home, "-")
    lines += [f".. automodule:: {room}.{home}", "   :no-members:", ""]
    for name in names:
        kind = kind_of(path, name)
        if kind == "import":
            lines += [f"``{name}`` comes from another module.", ""]
        else:
            lines += [f".. auto{kind}:: {room}.{home}.{name}", ""]
    return "\n".join(lines)


def reference_pages(package: Path) -> dict[str, str]:
    """Write the page of every room, and one that lists them.

    Parameters
    ----------
    package : Path
        The package's folder.

    Returns
    -------
    dict of str to str
        By the page's place in the book.
    """
    rooms = rooms_of(package)
    pages = {f"api/{room}.rst": room_page(package, room) for room in rooms}
    first = {r: opening(package.joinpath(*r.split("."), "__init__.py")) for r in rooms}
    lines = [f"* :doc:`{r} <{r}>`: {first[r].splitlines()[0]}" for r in rooms]
    listed = [".. toctree::", "   :hidden:", "", *(f"   {room}" for room in rooms), ""]
    words = _title("The package", "=") + [_WORDS, "", *lines, "", *listed]
    return pages | {"api/index.rst": "\n".join(words)}


_WORDS = """What each room hands on, from the docstrings. :doc:`How the package is built
<../docs/architecture>` says what the rooms are for and who may import whom."""
