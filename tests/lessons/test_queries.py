"""Questions in SQL: what is asked, what its labels are worth, what is stored of it."""

import json
from itertools import product

import pytest

from distill_helpers.evaluation import write_json
from distill_helpers.evaluation.sql import run_query
from distill_helpers.lessons.l09 import query_labels, query_making
from distill_helpers.lessons.l09.marks import marks_file
from distill_helpers.lessons.l09.queries import (
    NEW_TABLES,
    TABLES,
    TEMPLATES,
    Question,
    draw_questions,
    pairs_not_seen,
    question_parts,
    write_databases,
)
from distill_helpers.lessons.l09.query_labels import (
    RULES,
    SAMPLES,
    Answered,
    chosen,
    labels_by_rule,
    ladder,
    most_divided,
    read_answers,
    right_by_luck,
    share_right,
    stored_students,
    students_table,
)

PARTS = question_parts()


@pytest.fixture(scope="module")
def databases(tmp_path_factory):
    return write_databases(tmp_path_factory.mktemp("databases"))


@pytest.fixture(scope="module")
def answers():
    return read_answers()


@pytest.fixture(scope="module")
def labels(answers, databases):
    return labels_by_rule(answers["labelled"], databases, progress=False)


# --------------------------------------------------------- what is asked
def test_the_teacher_sees_every_template_and_table_but_not_every_pair():
    learned = {(q.template, q.table) for q in PARTS["learned"]}
    known = set(TABLES) - set(NEW_TABLES)
    assert {template for template, _ in learned} == set(TEMPLATES)
    assert {table for _, table in learned} == known
    assert learned.isdisjoint(pairs_not_seen())
    assert len(learned) + len(pairs_not_seen()) == len(TEMPLATES) * len(known)


def test_labels_and_tests_are_of_the_same_pairs():
    for part in ("labelled", "tested"):
        pairs = {(q.template, q.table) for q in PARTS[part]}
        assert pairs == set(pairs_not_seen())


def test_new_tables_are_asked_about_nowhere_else():
    assert {q.table for q in PARTS["new"]} == set(NEW_TABLES)
    for part in ("learned", "seen", "labelled", "tested"):
        assert {q.table for q in PARTS[part]}.isdisjoint(NEW_TABLES)


def test_no_prompt_stands_in_two_parts():
    prompts = [{q.prompt for q in part} for part in PARTS.values()]
    assert len(set().union(*prompts)) == sum(map(len, prompts))


def test_questions_are_drawn_alike_each_time_and_otherwise_with_another_seed():
    first = draw_questions("names above", "dogs", 5)
    assert first == draw_questions("names above", "dogs", 5)
    assert first != draw_questions("names above", "dogs", 5, seed=1)
    assert len({q.prompt for q in first}) == 5


@pytest.mark.parametrize("template", TEMPLATES)
def test_the_query_of_a_template_runs_on_every_table(template, databases):
    for table in TABLES:
        for question in draw_questions(template, table, 4):
            results = [run_query(d, question.gold) for d in databases]
            assert all(result.ran for result in results), question


def test_the_databases_have_other_rows_in_every_table(databases):
    for table in TABLES:
        one, other = (run_query(d, f"SELECT * FROM {table}").rows for d in databases)
        assert set(one).isdisjoint(other) and len(one) == len(other)


# --------------------------------------------------------- what labels are worth
GOLD = "SELECT name FROM dogs WHERE height > 40"
OTHER_WORDS = "SELECT name FROM dogs WHERE 40 < height"
WRONG = "SELECT name FROM dogs WHERE height < 40"
EMPTY = "SELECT name FROM dogs WHERE height > 4000"
FAILS = "SELECT genre FROM dogs"


@pytest.mark.parametrize(
    ("drawn", "expected"),
    [
        ((GOLD,) * 5, (GOLD,) * 5),
        (
            (WRONG, GOLD, OTHER_WORDS, FAILS, GOLD),
            (WRONG, WRONG, WRONG, GOLD, GOLD),
        ),
        ((FAILS, WRONG, WRONG, WRONG, None), (FAILS, None, None, WRONG, None)),
        ((EMPTY, GOLD, WRONG, FAILS, None), (EMPTY, EMPTY, None, None, GOLD)),
        ((None,) * 5, (None,) * 5),
    ],
    ids=["all right", "three agree", "three agree, wrong", "empty", "no end"],
)
def test_a_rule_lets_a_label_through_or_throws_it_away(drawn, expected, databases):
    answered = Answered(Question("dogs", "names above", "?", GOLD), GOLD, drawn)
    labels = tuple(chosen(rule, answered, databases) for rule in RULES)
    assert labels == expected


def test_null_alone_is_not_a_result(databases):
    empty = "SELECT SUM(weight) FROM dogs WHERE colour = 'pink'"
    answered = Answered(Question("dogs", "sum by word", "?", GOLD), None, (empty,))
    assert chosen("runs", answered, databases) == empty
    assert chosen("runs, not empty", answered, databases) is None


def test_the_ladder_counts_what_is_kept_and_right(databases):
    asked = Question("dogs", "names above", "?", GOLD)
    rungs = ladder(
        {"some": [GOLD, WRONG, None, OTHER_WORDS]},
        [Answered(asked, None)] * 4,
        databases,
    )
    assert rungs.loc["some"].to_dict() == pytest.approx({"kept": 0.75, "right": 2 / 3})


def test_one_database_calls_right_what_two_do_not(databases):
    names = run_query(databases[0], GOLD).rows
    (first,) = (
        f"SELECT name FROM dogs WHERE name IN ({listed})"
        for listed in [", ".join(f"'{name}'" for (name,) in names)]
    )
    asked = Question("dogs", "names above", "?", GOLD)
    queries = [first, WRONG, GOLD, None]
    assert right_by_luck(queries, [asked] * 4, databases) == [(asked, first)]


# --------------------------------------------------------- what is stored
def test_running_is_not_being_right_and_agreement_says_more(labels, answers, databases):
    rungs = ladder(labels, answers["labelled"], databases)
    assert list(rungs.index) == list(RULES)
    assert rungs.loc["runs", "right"] < 0.99
    assert rungs.loc["3 of 5 agree", "right"] > rungs.loc["as they come", "right"]
    assert rungs.loc["equals gold", "right"] == 1
    assert rungs.loc["as they come", "kept"] > rungs.loc["3 of 5 agree", "kept"]


def test_a_teacher_knows_what_it_has_seen_and_little_of_new_tables(answers, databases):
    shares = {
        part: share_right(
            [answered.greedy for answered in them],
            [answered.question for answered in them],
            databases,
        )
        for part, them in answers.items()
    }
    assert shares["seen"] > shares["tested"] > shares["new"]


def test_the_question_that_divides_the_samples_most_is_found():
    asked = Question("dogs", "names above", "?", GOLD)
    same, two = Answered(asked, None, (GOLD,) * 5), Answered(asked, None, (GOLD, WRONG))
    assert most_divided([same, two, same]) is two


def test_every_labelled_question_has_its_samples(answers):
    assert {len(answered.drawn) for answered in answers["labelled"]} == {SAMPLES}


def test_the_answers_are_small_and_refuse_other_questions(monkeypatch):
    assert query_labels.ANSWERS.stat().st_size <= 500_000
    others = dict(PARTS, new=PARTS["new"][1:])
    monkeypatch.setattr(query_labels, "question_parts", lambda: others)
    with pytest.raises(ValueError, match="other questions .*query_making answers"):
        read_answers()


def test_answers_and_students_are_made_by_the_script(tmp_path, monkeypatch, databases):
    few = {part: questions[:4] for part, questions in PARTS.items()}
    for module in (query_labels, query_making):
        monkeypatch.setattr(module, "question_parts", lambda: dict(few))
    taught = [Answered(q, q.gold, (q.gold,) * SAMPLES) for q in few["labelled"]]
    query_making.make_answers(tmp_path / "answers.parquet", steps=1)
    written = read_answers(tmp_path / "answers.parquet")
    assert {part: len(them) for part, them in written.items()} == {
        part: 4 for part in few if part != "learned"
    }
    monkeypatch.setattr(
        query_making, "read_answers", lambda path: written | {"labelled": taught}
    )
    folder, out = tmp_path / "marks", tmp_path / "students.json"
    for seed, rule in product((0, 1), query_making.TAUGHT):
        if (seed, rule) != (1, RULES[0]):  # found there; only one is trained
            path = marks_file(folder, rule, seed)
            write_json(path, {"tested": 0.5, "new": 0.0})
    query_making.make_students(out, folder=folder, seeds=(0, 1), steps=1, base_steps=1)
    made = json.loads(out.read_text("utf-8"))
    assert made["labels"]["as they come"] == {"kept": 1.0, "right": 1.0}
    assert tuple(made["students"]) == query_making.TAUGHT
    assert 0 <= made["students"][RULES[0]]["1"]["tested"] < 0.5
    assert made["students"]["equals gold"]["1"] == {"tested": 0.5, "new": 0.0}
    assert query_labels.compare_students(made)[2].gains[0] == 0  # 0.5 both
    table = students_table(stored_students(out))
    assert list(table.index) == ["(teacher)", "(base)", *query_making.TAUGHT]
    assert table.loc["equals gold", ["right", "student"]].tolist() == [1.0, 0.5]
    with pytest.raises(FileExistsError):
        query_making.make_students(out)


def test_our_students_of_queries_show_what_the_lesson_says_of_them():
    stored = stored_students()
    labels = [stored["labels"][rule]["right"] for rule in RULES]
    assert labels == sorted(labels) and labels[-1] == 1
    assert stored["labels"]["runs"]["right"] < 0.95  # it runs, and is wrong
    table = students_table(stored)["student"]
    assert table["(base)"] < table["as they come"] < table["(teacher)"]
    assert table["(teacher)"] + 0.02 < table["3 of 5 agree"] < table["equals gold"]
    assert students_table(stored)["new tables"].max() < 0.1
    _, passed, _ = query_labels.compare_students(stored)
    assert passed.control == "teacher" and passed.interval[0] > 0
