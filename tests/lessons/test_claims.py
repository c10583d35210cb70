"""What is claimed stands once; the lessons judge it by number."""

import ast
from pathlib import Path

import nbformat
import pytest

from distill_helpers.lessons import claims, parts
from distill_helpers.places import NOTEBOOKS

LESSONS = Path(parts.__file__).parent


def judged(notebook):
    """Return the numbers of the claims that a lesson's code judges."""
    cells = nbformat.read(NOTEBOOKS / f"{notebook}.ipynb", as_version=4).cells
    code = [c.source for c in cells if c.cell_type == "code" and "claims." in c.source]
    folder = LESSONS / f"l{notebook[:2]}"
    code += [path.read_text("utf-8") for path in sorted(folder.glob("*.py"))]
    return {
        ast.literal_eval(node.args[0])
        for source in code
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in ("claims.judge", "judge")
    }


def test_the_register_holds_the_claims_in_order_and_none_twice():
    known = claims.register()
    assert list(known) == [f"C{n:02d}" for n in range(1, len(known) + 1)]
    assert len(known) >= 16
    said = [claim.says for claim in claims.register().values()]
    assert len(set(said)) == len(said)


def test_the_register_knows_where_each_claim_is_judged():
    by_lesson = {f.key: judged(f.notebook) for f in parts.lessons()}
    for number, claim in claims.register().items():
        assert list(claim.lessons) == [k for k in by_lesson if number in by_lesson[k]]
    assert set().union(*by_lesson.values()) <= set(claims.register())


@pytest.mark.parametrize("facts", parts.lessons(), ids=lambda facts: facts.key)
def test_a_lesson_shows_what_the_register_says(facts):
    """The stored table of a lesson holds the register's words."""
    cells = nbformat.read(NOTEBOOKS / f"{facts.notebook}.ipynb", as_version=4).cells
    shown = "".join(
        output.get("data", {}).get("text/plain", "")
        for cell in cells
        if cell.cell_type == "code"
        for output in cell.outputs
    )
    for number in judged(facts.notebook):
        assert claims.register()[number].says.format(share=0.3) in shown


def test_a_value_of_the_run_goes_into_its_braces():
    claim = claims.judge("C04", "bound 1.4x", False, share=0.25)
    assert claim.statement == "25% of the channels away, 2.1x the speed"
    assert claim.to_json() == {
        "id": "C04",
        "statement": claim.statement,
        "measured": "bound 1.4x",
        "verdict": "did not hold",
    }
    with pytest.raises(KeyError, match="share"):
        claims.judge("C04", "bound 1.4x", False)


def test_a_claim_that_nobody_made_is_refused():
    with pytest.raises(KeyError, match="no claim 'C99'; there are C01, C02"):
        claims.judge("C99", "nothing", None)
