"""A lesson in Chinese runs as the English one does, and answers in Chinese."""

import json

import pytest
from lesson_runs import FACTS, NOTEBOOKS, by_name, differences, run_lesson
from test_notebooks import SANITIZE

from distill_helpers.places import DATA

CHINESE = {path.name[:2]: path for path in (NOTEBOOKS / "zh").glob("*.ipynb")}
MESSAGES = DATA / "practice" / "support_messages_zh.csv"

pytestmark = pytest.mark.full


@pytest.mark.parametrize("key", ["00", "01"])
def test_a_solved_lesson_praises_in_chinese(key, tmp_path):
    notebook = CHINESE[key]
    run = run_lesson(notebook, tmp_path, FACTS[notebook.stem].short, solved=True)
    said = "".join(run.said)
    assert "✓ 正确" in said and "Correct" not in said
    assert f"已完成 {len(run.entries)}/{len(run.entries)}" in said
    assert not [o for o in run.outputs if o.get("name") == "stderr"]


@pytest.mark.parametrize("key", ["00"])
def test_the_stored_outputs_in_chinese_still_come_out(key, tmp_path, request):
    run = run_lesson(CHINESE[key], tmp_path, {})
    found = differences(
        request.session, CHINESE[key], run.notebook, SANITIZE.read_text()
    )
    assert not found, "\n\n".join(found)
    said = "".join(run.said)
    assert said.count("尚未作答") == len(run.entries)
    assert "Not attempted yet" not in said


def test_lesson_03_runs_on_chinese_text_and_the_student_beats_chance(tmp_path):
    parameters = {
        "source": str(MESSAGES),
        "teacher": "make",
        "epochs": 20.0,
        "seeds": [0, 1],
    }
    run = run_lesson(CHINESE["03"], tmp_path, parameters)
    rows = by_name(run.results)
    commonest = 15 / 80  # of the test messages
    for name in ("teacher", "control", "distilled"):
        assert rows[name]["accuracy"]["mean"] > commonest + 0.2, name
    card = (tmp_path / "out" / "student" / "config.json").read_text("utf-8")
    assert "物流" in json.loads(card)["label2id"]
    assert "✗" not in "".join(run.said)
