"""The exercises: what is right passes, what is wrong is told why."""

import ast
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from inspect import signature
from pathlib import Path

import nbformat
import numpy as np
import pytest
import torch
from torch.nn import functional as F

from distill_helpers.lessons.exercises import (
    answer_key,
    check,
    hint,
    notebook_api,
    predict,
    progress,
    record,
    reveal,
    solution,
)
from distill_helpers.lessons.exercises.answers import is_stub
from distill_helpers.lessons.exercises.engine import (
    Exercise,
    Prediction,
    Question,
    examine,
)
from distill_helpers.lessons.exercises.outcomes import (
    CORRECT,
    INCORRECT,
    NOTED,
    UNTOUCHED,
    Incorrect,
)
from distill_helpers.lessons.zoo import exhibits, soft_targets

ROOT = Path(__file__).resolve().parents[2]
ENTRIES = notebook_api.all_entries()
NOTEBOOKS = {
    path.name[:2]: nbformat.read(path, as_version=4)
    for path in sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))
}
RIGHT = [(e, answer) for e in ENTRIES for answer in (e.best, *e.right)]
WRONG = [(e, answer, words) for e in ENTRIES for answer, words in e.wrong]


@pytest.fixture(autouse=True)
def own_record(tmp_path, monkeypatch):
    """Each test has a progress file and a session of its own."""
    path = tmp_path / "progress.json"
    monkeypatch.setenv("DISTILL_PROGRESS", str(path))
    monkeypatch.delenv("DISTILL_LANGUAGE", raising=False)
    monkeypatch.setattr(notebook_api, "_session", {})
    notebook_api._hints_given.clear()
    return path


def named(answer):
    return getattr(answer, "__name__", repr(answer))


# ------------------------------------------------------------- every entry
@pytest.mark.parametrize(
    ("entry", "answer"), RIGHT, ids=[f"{e.key}-{named(a)}" for e, a in RIGHT]
)
def test_a_right_answer_passes(entry, answer):
    outcome = examine(entry, answer)
    assert outcome.status in (CORRECT, NOTED), outcome.message
    assert outcome.message


@pytest.mark.parametrize(
    ("entry", "answer", "words"),
    WRONG,
    ids=[f"{e.key}-{named(a)}" for e, a, _ in WRONG],
)
def test_a_wrong_answer_is_told_its_own_mistake(entry, answer, words):
    outcome = examine(entry, answer)
    assert outcome.status == INCORRECT
    assert words in outcome.message


@pytest.mark.parametrize("lesson", sorted(NOTEBOOKS))
def test_a_lesson_has_its_exercises_and_three_questions(lesson):
    entries = [e for e in ENTRIES if e.key.startswith(lesson)]
    questions = [e for e in entries if isinstance(e, Question)]
    if lesson == "00":  # it only shows how exercises work
        assert len(entries) == 2 and len(questions) == 1
        return
    assert len(questions) == 3
    assert 3 <= len(entries) - len(questions) <= 7


def exercise_cells(lesson):
    cells = NOTEBOOKS[lesson].cells
    return {
        answer_key.asked_for(cell.source)["key"]: (cells[place - 1].source, cell.source)
        for place, cell in enumerate(cells)
        if answer_key.EXERCISE_TAG in cell.metadata.get("tags", [])
    }


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda e: e.key)
def test_the_lesson_asks_in_the_words_of_the_entry(entry):
    prompt, code = exercise_cells(entry.key[:2])[entry.key]
    assert prompt == (entry.text if isinstance(entry, Question) else entry.prompt)
    assert f'# hint("{entry.key}")' in code and f'# solution("{entry.key}")' in code
    if isinstance(entry, Exercise):
        names = {}
        stub = code[: answer_key.asked_for(code).start()]
        exec(stub, names)
        stub = names[entry.solution.__name__]
        assert signature(stub) == signature(entry.solution)
        assert examine(entry, stub).status == UNTOUCHED


def test_every_exercise_cell_of_a_lesson_has_an_entry():
    for lesson in NOTEBOOKS:
        keys = {e.key for e in ENTRIES if e.key.startswith(lesson)}
        assert set(exercise_cells(lesson)) == keys


def test_keys_are_unique_and_hints_are_there():
    assert len({e.key for e in ENTRIES}) == len(ENTRIES)
    for entry in ENTRIES:
        assert entry.hints and all(entry.hints) and entry.why
        if isinstance(entry, Exercise):
            assert len(entry.hints) >= 2
        if isinstance(entry, Question):
            assert set(entry.because) == set(entry.options)


# ----------------------------------------------------------- not attempted
def empty():
    """Say what is to be done."""
    ...


def passed():
    pass


def unfinished(student_logits, teacher_logits, temperature):
    student = ...
    return F.kl_div(student, teacher_logits)


def returns_dots(student_logits, teacher_logits, temperature):
    loss = ...
    return loss


def not_implemented(student_logits, teacher_logits, temperature):
    raise NotImplementedError


@pytest.mark.parametrize(
    "answer", [..., None, empty, passed, unfinished, returns_dots, not_implemented]
)
def test_a_stub_is_not_attempted_and_never_an_exception(answer):
    assert check("02.kd_loss", answer).status == UNTOUCHED


@pytest.mark.parametrize("answer", [lambda: 1, len, lambda x: x[..., 0], 0, "", [None]])
def test_what_does_something_is_no_stub(answer):
    assert not is_stub(answer)


def test_nothing_is_recorded_for_a_stub(own_record):
    for entry in ENTRIES:
        check(entry.key, ...)
    assert not own_record.exists()


# --------------------------------------------------------------- the zoo
def test_the_tour_rejects_every_exhibit_in_words_of_its_own():
    tour = exhibits.tour()
    assert set(tour["verdict"]) == {INCORRECT}
    said = tour["what the checker says"]
    both = said[["gradient into the teacher", "hidden into the teacher"]]
    assert both.nunique() == 1  # the same mistake in two losses
    assert said.nunique() == len(said) - 1


def test_every_pair_of_value_mistakes_is_rejected():
    """Two slips at once may hide each other's value, never from the checker."""
    for temperature_bug in (
        exhibits.temperature_on_the_student_only,
        exhibits.no_temperature_squared,
    ):

        def both(student_logits, teacher_logits, temperature, bug=temperature_bug):
            value = bug(student_logits, teacher_logits, temperature)
            return value / student_logits.shape[1]

        outcome = examine(notebook_api.entry_of("02.kd_loss"), both)
        assert outcome.status == INCORRECT
        assert 'reduction="mean"' in outcome.message and "And:" in outcome.message


def test_an_unknown_mistake_is_rejected_by_an_invariant():
    def odd(student_logits, teacher_logits, temperature):
        value = exhibits.kd_loss(student_logits, teacher_logits, temperature)
        return value + 0.1 * student_logits.mean().abs()

    outcome = examine(notebook_api.entry_of("02.kd_loss"), odd)
    assert outcome.status == INCORRECT
    assert "zero when the student equals the teacher" in outcome.message


def test_each_invariant_is_broken_by_an_exhibit_and_kept_by_the_package():
    broken_by = {
        soft_targets.keeps_the_teacher_fixed: exhibits.gradient_into_the_teacher,
        soft_targets.is_zero_for_equals: exhibits.teacher_entropy_left_in,
        soft_targets.teaches_the_student: exhibits.sides_swapped,
        soft_targets.ignores_the_batch_size: exhibits.sum_for_batchmean,
        soft_targets.is_flat_in_temperature: exhibits.no_temperature_squared,
        soft_targets.takes_any_shape_and_temperature: exhibits.mean_for_batchmean,
        soft_targets.survives_confidence: exhibits.log_of_a_softmax,
    }
    assert set(broken_by) == set(soft_targets.INVARIANTS)
    for invariant, exhibit in broken_by.items():
        invariant(exhibits.kd_loss)
        with pytest.raises(Incorrect):
            invariant(exhibit)


def test_arguments_may_have_other_names_and_orders():
    def renamed(s, t, T):
        return exhibits.kd_loss(s, t, T)

    def reordered(temperature, teacher_logits, student_logits):
        return exhibits.kd_loss(student_logits, teacher_logits, temperature)

    def half_named(teacher_logits, student_logits, T=2.0):
        return exhibits.kd_loss(student_logits, teacher_logits, T)

    def by_place(student_logits, teacher_logits, temperature, /):
        return exhibits.kd_loss(student_logits, teacher_logits, temperature)

    def by_name(*, student_logits, teacher_logits, temperature):
        return exhibits.kd_loss(student_logits, teacher_logits, temperature)

    class AsModule(torch.nn.Module):
        def __init__(self, T):
            super().__init__()
            self.T = T

        def forward(self, student, teacher):
            return exhibits.kd_loss(student, teacher, self.T)

    def anything(*given):
        return exhibits.kd_loss(*given)

    def keywords(**given):
        return exhibits.kd_loss(**given)

    answers = [renamed, reordered, half_named, by_place, by_name, anything, keywords]
    for answer in [*answers, AsModule]:
        assert check("02.kd_loss", answer).status == CORRECT, answer


def test_an_error_in_the_answer_is_told_with_the_shapes():
    shown = check("02.kd_loss", lambda s, t, T: s @ t)
    assert shown.status == INCORRECT
    assert "RuntimeError" in shown.text and "student_logits (5, 4)" in shown.text
    assert "the line `shown = check(" in shown.text


BROKEN = [
    ("02.cross_entropy", lambda z, y: F.cross_entropy(y, z)),
    ("02.accumulate", lambda m, f, parts: f(*parts)),
    ("01.soften", lambda z, T: F.softmax(z.long(), -1)),
    ("01.paired_gain", lambda a, b: (a - b, None)),
    ("01.q_dark", ["b"]),
    ("01.q_dark", {"b": 1}),
    ("01.predict_threes", 10**400),
    ("02.kd_loss", torch.nn.Module()),
]


@pytest.mark.parametrize(("key", "answer"), BROKEN, ids=lambda v: str(v)[:20])
def test_whatever_an_answer_does_is_told_and_never_raised(key, answer):
    assert check(key, answer).status == INCORRECT


def test_an_error_of_the_examiner_itself_is_told_too():
    def examiner(answer):
        raise ZeroDivisionError("ours")

    entry = Exercise("99.broken", "", (), examiner, "", examiner)
    outcome = examine(entry, lambda: 1)
    assert outcome.status == INCORRECT
    assert "could not be examined: ZeroDivisionError: ours" in outcome.message


def test_a_wrong_value_is_not_called_right_and_names_what_is_known():
    kd = exhibits.kd_loss
    told = {
        "sign is turned round": lambda s, t, T: -kd(s, t, T),
        "mixes the two directions": lambda s, t, T: kd(s, t, T) + kd(t, s, T).detach(),
        "two different numbers": lambda s, t, T: kd(s, t, T) * (1 + torch.rand(1)),
        "no mistake that the zoo knows": lambda s, t, T: kd(s, t, T) / 2,
        "keep its size when the temperature rises": lambda s, t, T: kd(s, t, T) * T,
    }
    for words, answer in told.items():
        shown = check("02.kd_loss", answer)
        assert words in shown.text and "value is right" not in shown.text


def test_a_gradient_may_be_wrong_although_the_value_is_right():
    ce = torch.nn.functional.cross_entropy
    kd = exhibits.kd_loss

    def labels_deaf(s, t, y, T, a):
        return a * kd(s, t, T) + (1 - a) * ce(s.detach(), y)

    def no_bias(model, loss_function, parts):
        for x, y in parts:
            loss_function(model(x), y).backward()
        model.weight.grad /= len(parts)

    def frozen_projection(s, t, m, p):
        real = m.bool()
        return F.mse_loss(p(s)[real].detach() + 0 * p(s)[real], t[real].detach())

    assert "reaches the student" in check("02.distillation_loss", labels_deaf).text
    assert "too large" in check("02.accumulate", no_bias).text
    assert (
        "gradient that reaches" in check("02.hidden_state_loss", frozen_projection).text
    )


def test_an_epsilon_is_no_log_softmax():
    def clamped(student_logits, teacher_logits, temperature):
        s = F.softmax(student_logits.float() / temperature, -1).clamp(1e-12).log()
        t = F.softmax(teacher_logits.detach().float() / temperature, -1)
        return F.kl_div(s, t, reduction="batchmean") * temperature**2

    assert "softmax underflowed" in check("02.kd_loss", clamped).text


def test_what_an_answer_prints_is_quoted_once():
    def chatty(student_logits, teacher_logits, temperature):
        print("my loss")
        return exhibits.kd_loss(student_logits, teacher_logits, temperature)

    shown = check("02.kd_loss", chatty)
    assert shown.status == CORRECT
    assert shown.text.count("my loss") == 1


def test_ctrl_c_in_an_endless_answer_gets_through():
    def endless(student_logits, teacher_logits, temperature):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        check("02.kd_loss", endless)


def test_checking_leaves_the_random_state_alone():
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    np.random.seed(5)
    drawn = np.random.rand()
    np.random.seed(5)
    threads = torch.get_num_threads()
    check("02.accumulate", notebook_api.entry_of("02.accumulate").best)
    assert torch.rand(1) == expected
    assert np.random.rand() == drawn
    assert torch.get_num_threads() == threads


def test_a_right_answer_passes_under_inference_mode_too():
    with torch.inference_mode():
        for key in ("02.kd_loss", "02.accumulate"):
            assert check(key, notebook_api.entry_of(key).best).status == CORRECT


# ------------------------------------------------------- what readers call
def test_an_unknown_key_names_the_nearest():
    with pytest.raises(KeyError, match="did you mean '02.kd_loss'"):
        check("02.kdloss", ...)


def test_hints_come_one_by_one_and_the_last_one_stays():
    hints = notebook_api.entry_of("02.kd_loss").hints
    texts = [hint("02.kd_loss").text for _ in range(len(hints) + 1)]
    for text, expected in zip(texts, hints):
        assert expected in text
    assert texts[-1] == texts[-2]
    assert hints[0] in hint("02.kd_loss", 1).text
    for wrong in (0, len(hints) + 1, True, "1"):
        with pytest.raises(ValueError, match="number must be"):
            hint("02.kd_loss", wrong)


def imports_of(notebook):
    """Return the names that a lesson's own imports give."""
    names = {}
    for cell in notebook.cells:
        if cell.cell_type == "code":
            for node in ast.parse(cell.source).body:
                if isinstance(node, (ast.Import, ast.ImportFrom)):
                    exec(ast.unparse(node), names)
    return names


def test_the_solutions_of_a_lesson_can_be_pasted_one_after_the_other():
    names = {lesson: imports_of(notebook) for lesson, notebook in NOTEBOOKS.items()}
    for entry in ENTRIES:
        assert entry.code in solution(entry.key).text
        exec(entry.code, names[entry.key[:2]])
        if isinstance(entry, Exercise):
            pasted = names[entry.key[:2]][entry.solution.__name__]
            assert examine(entry, pasted).status == CORRECT


def test_an_answer_is_shown_once_in_a_notebook_and_printed_elsewhere(capsys):
    shown = check("02.q_sides", "a")
    assert capsys.readouterr().out == shown.text + "\n"
    assert shown._ipython_display_() is None
    assert repr(shown) == shown.text


def test_markup_in_an_answer_is_shown_and_not_obeyed():
    shown = check("02.q_sides", "<script>alert(1)</script>")
    assert "<script>" in shown.text
    assert "<script>" not in shown.markup and "&lt;script&gt;" in shown.markup


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda e: e.key)
def test_every_option_of_a_question_has_its_reason(entry):
    if not isinstance(entry, Question):
        assert not hasattr(entry, "options")
        return
    for letter in entry.options:
        assert entry.because[letter] in check(entry.key, letter).text


# ---------------------------------------------------------------- guesses
def test_a_guess_is_shown_beside_the_measurement(own_record):
    assert predict("01.predict_threes", 30).status == NOTED
    shown = reveal("01.predict_threes", 85.9)
    assert "You guessed 30%" in shown.text and "85.9%" in shown.text
    assert "55.9 percentage points away" in shown.text
    assert shown.status == CORRECT
    stored = json.loads(own_record.read_text())["exercises"]["01.predict_threes"]
    assert (stored["guess"], stored["measured"]) == (30, 85.9)


def test_the_first_guess_stays_after_the_measurement():
    predict("01.predict_threes", 30)
    predict("01.predict_threes", 40)  # nothing revealed yet: changed one's mind
    reveal("01.predict_threes", 85.9)
    assert "40%, stays" in predict("01.predict_threes", 86).text
    assert "You guessed 40%" in reveal("01.predict_threes", 85.9).text


def test_without_a_guess_the_measurement_is_shown_and_nothing_recorded(own_record):
    shown = reveal("01.predict_threes", 85.9)
    assert "85.9%" in shown.text and "not guessed" in shown.text
    assert not own_record.exists()


def test_a_guess_of_the_wrong_kind_is_refused_and_not_kept(own_record):
    for entry in ENTRIES:
        if isinstance(entry, Prediction):
            assert predict(entry.key, "much").status == INCORRECT
    assert not own_record.exists()
    with pytest.raises(ValueError, match="no prediction"):
        predict("02.kd_loss", 3)


# --------------------------------------------------------------- progress
def test_progress_counts_what_is_done_and_outlives_the_session(monkeypatch):
    check("02.q_sides", "b")
    check("02.q_reverse", "b")
    monkeypatch.setattr(notebook_api, "_session", {})
    lines = dict(line.split(None, 1) for line in progress("02").text.split("\n"))
    assert lines["1"].startswith("of ")
    assert "done" in lines["02.q_sides"]
    assert "tried" in lines["02.q_reverse"]
    assert "open" in lines["02.kd_loss"]
    with pytest.raises(ValueError, match="lesson must be one of"):
        progress("99")


def test_what_is_done_stays_done():
    check("02.q_sides", "b")
    check("02.q_sides", "a")
    assert record.read_record()["02.q_sides"]["status"] == CORRECT
    assert record.read_record()["02.q_sides"]["attempts"] == 2


DAMAGES = [
    "{",
    "[]",
    '{"version": 99, "exercises": {}}',
    '{"version": 1}',
    '{"version": 1, "exercises": []}',
    '{"version": 1, "exercises": {"02.kd_loss": 3}}',
]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_record_is_left_alone_and_said_aloud(own_record, damage):
    own_record.write_text(damage)
    shown = check("02.q_sides", "b")
    assert shown.status == CORRECT
    assert "this session only" in shown.text and "progress.json" in shown.text
    assert own_record.read_text() == damage
    assert "1 of" in progress("02").text


def test_a_folder_that_cannot_be_written_costs_nothing_but_the_record(
    tmp_path, monkeypatch
):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("DISTILL_PROGRESS", str(tmp_path / "file" / "progress.json"))
    shown = check("02.q_sides", "b")
    assert shown.status == CORRECT and "this session only" in shown.text


def test_two_notebooks_may_write_at_once(own_record):
    keys = [e.key for e in ENTRIES]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda key: record.note(key, status=CORRECT), keys * 3))
    stored = json.loads(own_record.read_text())["exercises"]
    assert set(stored) == set(keys)
    assert {entry["attempts"] for entry in stored.values()} == {3}


# ------------------------------------------------------------- answer key
def test_the_answer_key_fills_every_exercise_and_keeps_the_rest():
    for notebook in NOTEBOOKS.values():
        solved = answer_key.solve(notebook)
        for before, after in zip(notebook.cells, solved.cells, strict=True):
            if answer_key.EXERCISE_TAG in before.metadata.get("tags", []):
                asked = answer_key.asked_for(before.source)
                assert after.source.startswith(notebook_api.entry_of(asked["key"]).code)
                assert after.source.endswith(before.source[asked.start() :])
            else:
                assert after.source == before.source
            assert not after.get("outputs")


def test_the_answer_key_command_never_writes_over_a_file(tmp_path):
    target = tmp_path / "solved.ipynb"
    command = [sys.executable, "-m", "distill_helpers", "key"]
    command += [str(ROOT / "notebooks" / "02_losses.ipynb"), str(target)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    nbformat.validate(nbformat.read(target, as_version=4))
    target.write_text("precious")
    again = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert again.returncode == 2 and "exists already" in again.stderr
    assert target.read_text() == "precious"


def test_an_exercise_cell_without_a_check_is_an_error():
    with pytest.raises(ValueError, match="no check or predict"):
        answer_key.asked_for("answer = ...")
