"""What is known of a lesson stands in its own folder, and it is true."""

import re

import pytest

from distill_helpers.classroom.costs import STORED, read_costs
from distill_helpers.lessons import parts
from distill_helpers.lessons.parameters import parameters_of
from distill_helpers.places import NOTEBOOKS, PROJECT

FACTS = parts.lessons() + parts.appendices()
GOOD = 'notebook = "07_text"\npurpose = "write text"\n'


def by_notebook(facts):
    return facts.notebook


def test_every_notebook_has_its_facts_and_every_lesson_its_folder():
    assert sorted(f.notebook for f in FACTS) == sorted(
        path.stem for path in NOTEBOOKS.glob("*.ipynb")
    )
    for folder, facts in zip(parts.lesson_folders(), parts.lessons()):
        assert folder.name == f"l{facts.key}"
        assert (folder / "exercises.py").is_file()


@pytest.mark.parametrize("facts", FACTS, ids=by_notebook)
def test_the_short_profile_names_parameters_of_the_lesson(facts):
    known = parameters_of(NOTEBOOKS / f"{facts.notebook}.ipynb")
    assert set(facts.short) <= set(known)


@pytest.mark.parametrize("facts", FACTS, ids=by_notebook)
def test_the_readme_says_what_the_reader_does_in_it(facts):
    row = f"| `notebooks/{facts.notebook}.ipynb` | {facts.purpose} |"
    assert row in (PROJECT / "README.md").read_text("utf-8").splitlines()


def test_every_lesson_is_on_the_map_and_says_what_it_refuses():
    lessons = parts.lessons()
    assert all(facts.title and facts.bad_parameters for facts in lessons)
    assert [f.key for f in lessons] == [f"{n:02d}" for n in range(len(lessons))]


def test_a_lesson_takes_no_longer_than_it_promises():
    kept = read_costs(STORED)["lessons"]
    promised = {f.notebook: f.most_seconds for f in FACTS if f.most_seconds}
    assert "00_start_here" in promised
    for notebook, most in promised.items():
        assert kept[notebook]["seconds"] <= most


def test_a_file_is_read_as_it_is_written(tmp_path):
    path = tmp_path / "lesson.toml"
    path.write_text(
        GOOD + 'title = "text"\nbad_parameters = [\n'
        '  { given = { seeds = [1, 1] }, says = "seeds must" },\n]\n'
        '[short]\nepochs = 1.0\n[prose]\n"90%" = "an example"\n'
    )
    facts = parts.read_lesson(path)
    assert (facts.key, facts.title, facts.short) == ("07", "text", {"epochs": 1.0})
    assert facts.bad_parameters == (parts.Refusal({"seeds": [1, 1]}, "seeds must"),)
    assert facts.prose == {"90%": "an example"} and facts.most_seconds is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (GOOD + 'titel = "x"', "unknown key 'titel': did you mean 'title'"),
        (GOOD + "bad_parameters = [{ given = {} }]", "the key 'says' is missing"),
        ('notebook = "07_text"', "the key 'purpose' is missing"),
        ('notebook = ""\npurpose = "x"', "the key 'notebook' is missing or empty"),
        ("notebook =", "lesson.toml cannot be read"),
    ],
)
def test_a_wrong_file_is_refused_by_name(tmp_path, text, message):
    path = tmp_path / "lesson.toml"
    path.write_text(text)
    with pytest.raises(parts.FactsError, match=re.escape(message)) as refusal:
        parts.read_lesson(path)
    assert "lesson.toml" in str(refusal.value)


def test_a_missing_file_is_refused_by_name(tmp_path):
    with pytest.raises(parts.FactsError, match="lesson.toml cannot be read"):
        parts.read_lesson(tmp_path / "lesson.toml")
