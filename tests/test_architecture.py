"""What may import what: the contracts of pyproject.toml, and three rules more."""

import ast
import os
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree

import grimp
import pytest

from distill_helpers import __all__ as HANDED_ON

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "distill_helpers"
SOURCES = sorted(PACKAGE.rglob("*.py"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
SCRIPT = runpy.run_path(str(ROOT / "docs" / "draw_architecture.py"))
draw_architecture = SimpleNamespace(**SCRIPT)
LINT = "import sys; from importlinter.cli import lint_imports;"
LINT += " sys.exit(lint_imports(no_cache=True))"


def lint(folder):
    """Run what `lint-imports` runs, on the copy of the project in a folder."""
    environment = os.environ | {"PYTHONPATH": str(folder), "PYTHONUTF8": "1"}
    return subprocess.run(
        [sys.executable, "-c", LINT],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )


@pytest.fixture
def copy(tmp_path):
    """The package and its contracts, to plant something in."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(PACKAGE, tmp_path / "distill_helpers", ignore=ignored)
    return tmp_path


def test_the_rooms_stand_on_each_other_as_they_must():
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"Contracts: [3-9] kept, 0 broken", done.stdout)


@pytest.mark.parametrize(
    ("where", "line", "broken"),
    [
        ("data/cleaning", "from ..losses import kd_loss", "layers"),
        ("evaluation/metrics", "from ..students import registry", "layers"),
        ("lessons/claims", "from ..classroom import costs", "layers"),
        ("files", "from .data import cleaning", "layers"),
        ("evaluation/cost", "from ..training import recipes", "judges"),
        ("students/layers", "from .registry import STUDENTS", "cycles"),
    ],
)
def test_a_planted_violation_is_caught_wherever_it_hides(copy, where, line, broken):
    source = copy / "distill_helpers" / f"{where}.py"
    # Inside a function it counts as much.
    hidden = f"\n\ndef _planted():\n    {line}\n"
    source.write_text(source.read_text("utf-8") + hidden, "utf-8")
    done = lint(copy)
    assert done.returncode == 1, done.stdout + done.stderr
    contracts = tomllib.loads((copy / "pyproject.toml").read_text("utf-8"))
    contracts = contracts["tool"]["importlinter"]["contracts"]
    name = next(c["name"] for c in contracts if c["id"] == broken)
    assert re.search(rf"{name}\s+BROKEN", done.stdout), done.stdout
    assert f".{Path(where).name}" in done.stdout.partition(f"{name}\n")[2]


def test_a_new_room_must_be_given_its_place(copy):
    room = copy / "distill_helpers" / "attic"
    room.mkdir()
    (room / "__init__.py").write_text('"""What nobody needs."""\n')
    done = lint(copy)
    assert done.returncode == 1
    assert "attic" in done.stdout


def test_a_lesson_takes_nothing_from_another_lesson():
    # What two lessons need belongs into a room or beside the lessons.
    graph = grimp.build_graph("distill_helpers")
    lesson = r"distill_helpers\.lessons\.(l\d\d)\b"
    for module in graph.modules:
        own = re.match(lesson, module)
        for imported in graph.find_modules_directly_imported_by(module):
            other = re.match(lesson, imported)
            if own and other:
                assert own[1] == other[1], f"{module} imports {imported}"


# -------------------------------------------------------------- the drawing
def test_the_drawing_shows_the_imports_as_they_are():
    stale = "call 'python docs/draw_architecture.py'"
    drawn = draw_architecture.DRAWING.read_text("utf-8")
    assert drawn == draw_architecture.drawing(), stale


def test_an_import_is_one_dot_where_it_belongs():
    drawn = draw_architecture.draw(["base", "data", "losses"], {("losses", "base")})
    root = ElementTree.fromstring(drawn)
    (dot,) = root.findall(".//{*}circle")
    assert dot[0].text == "losses imports base"
    boxes = {
        text.text: box
        for box, text in zip(
            [r for r in root.findall(".//{*}rect") if r.get("class") == "box"],
            [t for t in root.findall(".//{*}text") if t.get("class") is None],
        )
    }
    x, y = float(dot.get("cx")), float(dot.get("cy"))
    for name, place, start, size in (
        ("base", x, "x", "width"),
        ("losses", y, "y", "height"),
    ):
        low = float(boxes[name].get(start))
        assert low < place < low + float(boxes[name].get(size))


def test_the_page_names_every_room():
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    named = re.findall(r"^\| `(\w+)` \|", text, re.M)
    assert named == draw_architecture.rooms()[1:]


# ------------------------------------------------- what happens when importing
def imported_at_once(source):
    """Give what a module imports outside its functions, as in ``..data.rows``."""
    waiting = list(ast.parse(source).body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            waiting += node.orelse
            continue
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or "")
        waiting += ast.iter_child_nodes(node)


def optional_packages():
    """Name what some extra brings, and a plain installation does not."""
    extras = PROJECT["optional-dependencies"].values()
    lists = {"always": PROJECT["dependencies"], "extra": sum(extras, [])}
    always, extra = (
        {re.match(r"[\w.-]+", line)[0].replace("-", "_").lower() for line in lines}
        for lines in lists.values()
    )
    return extra - always


@pytest.mark.parametrize(
    ("source", "seen"),
    [
        ("import fastapi.responses", {"fastapi.responses"}),
        ("try:\n    import uvicorn\nexcept ImportError:\n    pass", {"uvicorn"}),
        ("class Phone:\n    from executorch import runtime", {"executorch"}),
        ("def serve():\n    import fastapi", set()),
        ("if TYPE_CHECKING:\n    import distributed", set()),
        ("from ..data import rows", {"..data"}),
    ],
)
def test_an_import_is_seen_where_it_happens_at_once(source, seen):
    assert set(imported_at_once(source)) == seen


def test_what_is_optional_is_imported_inside_functions():
    optional = optional_packages() | {"dask"}  # dask comes with distributed
    assert {"executorch", "fastapi", "playwright", "uvicorn"} <= optional
    assert not {"torch", "optuna"} & optional
    for source in SOURCES:
        roots = {
            name.split(".")[0] for name in imported_at_once(source.read_text("utf-8"))
        }
        assert not roots & optional, source


def test_the_doctor_starts_where_packages_are_missing():
    base = [PACKAGE / f"{name}.py" for name in ("__init__", "__main__", "lazy")]
    doctor = [
        *base,
        PACKAGE / "places.py",
        *(PACKAGE / "classroom/doctor").glob("*.py"),
    ]
    for source in doctor:
        for name in imported_at_once(source.read_text("utf-8")):
            root = name.split(".")[0]
            assert not root or root in sys.stdlib_module_names, f"{source}: {name}"


def test_the_script_for_another_machine_needs_nothing_of_the_package():
    source = (PACKAGE / "export" / "other_machine.py").read_text("utf-8")
    roots = {name.split(".")[0] for name in imported_at_once(source)}
    assert roots - set(sys.stdlib_module_names) == {"numpy", "onnxruntime"}


def test_no_room_takes_what_the_package_hands_on():
    # `from distill_helpers import kd_loss` would pass by every contract.
    for source in SOURCES:
        for node in ast.walk(ast.parse(source.read_text("utf-8"))):
            if not isinstance(node, ast.ImportFrom):
                continue
            above = len(source.relative_to(PACKAGE).parts)
            root = node.module is None and node.level == above
            if root or node.module == "distill_helpers":
                taken = {name.name for name in node.names} & set(HANDED_ON)
                assert not taken, f"{source}: {taken}"


def test_no_name_with_an_underscore_leaves_its_module():
    for source in SOURCES:
        for node in ast.walk(ast.parse(source.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.level:
                private = [n.name for n in node.names if n.name.startswith("_")]
                assert private in ([], ["__version__"]), f"{source}: {private}"


def test_no_module_is_long():
    lengths = {s: len(s.read_text("utf-8").splitlines()) for s in SOURCES}
    assert not {str(s): n for s, n in lengths.items() if n >= 500}
