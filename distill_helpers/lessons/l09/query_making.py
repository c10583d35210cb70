"""Make what the text-to-SQL section of lesson 09 ships, and the runs too long for it.

    python -m distill_helpers.lessons.l09.query_making answers --out FILE.parquet
    python -m distill_helpers.lessons.l09.query_making students --out FILE.json

The first trains the teacher and keeps what it answers, ``data/text_to_sql/answers
.parquet``; the second trains a student on each kind of label with three seeds,
``data/results/lesson09_sql.json``. Nothing is written over; move the old files away
first. Then call ``python -m distill_helpers doctor --write-checksums``.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from tqdm.auto import tqdm

from ...arguments import CommandLine
from ...evaluation import generate_texts, one_thread, write_json
from ...files import fresh_path, whole_file
from ...students.causal import word_tokenizer
from .arms import fit, save, untrained
from .marks import kept_marks
from .queries import Question, question_parts, write_databases
from .query_labels import (
    ANSWERS,
    SAMPLES,
    labels_by_rule,
    ladder,
    read_answers,
    share_right,
)
from .shipped import load_base

CONTEXT, LONGEST = 64, 32
"""Tokens that the models read in all, and may write."""
TEACHER_WIDTH, TEACHER_STEPS = 128, 400
STUDENT_WIDTH, STUDENT_STEPS = 64, 250
BASE_STEPS = 400
"""Of what the students begin with: it learns what the teacher learned, no less."""
SEEDS = (0, 1, 2)
TAUGHT = ("as they come", "3 of 5 agree", "equals gold")
"""Rules whose labels a student is trained on."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Make one of the two."""
    parser = CommandLine(description=__doc__.split("\n")[0])
    parser.add_argument("what", choices=("answers", "students"))
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--answers", type=Path, default=ANSWERS)
    parser.add_argument("--folder", type=Path, help="go on with what is there")
    options = parser.parse_args(arguments)
    if options.what == "answers":
        make_answers(options.out)
    else:
        make_students(options.out, options.answers, options.folder)


def tokenizer_of_all(parts: Mapping[str, Sequence[Question]]):
    """Return a tokeniser that knows every word, those of the new tables too.

    So a model could write the name of a new table; it was only never taught to.
    """
    return word_tokenizer(
        [f"{q.prompt} {q.gold}" for part in parts.values() for q in part], CONTEXT
    )


def answers_of(model, tokenizer, questions: Sequence[Question], **options) -> list:
    """Let a model answer; None where a query did not end.

    Parameters
    ----------
    model, tokenizer
    questions : sequence of Question
    **options
        For :func:`~distill_helpers.evaluation.generate_texts`.

    Returns
    -------
    list of str or None
    """
    prompts = [question.prompt for question in questions]
    return generate_texts(
        model, tokenizer, prompts, max_new_tokens=LONGEST, **options
    ).whole


def rows_of(questions: Sequence[Question], queries: Sequence[str | None]) -> list:
    """Return what a model learns from: the questions that have a label."""
    return [
        {"prompt": question.prompt, "completion": query}
        for question, query in zip(questions, queries)
        if query is not None
    ]


# --------------------------------------------------------- the teacher
def make_answers(out: Path, steps: int = TEACHER_STEPS) -> None:
    """Train the teacher from nothing and keep what it answers.

    Parameters
    ----------
    out : Path
        A file that does not exist.
    steps : int
        Few on purpose: labels that are always right need no check.
    """
    out = fresh_path(out)
    parts = question_parts()
    tokenizer, learned = tokenizer_of_all(parts), parts.pop("learned")
    teacher = untrained(tokenizer, TEACHER_WIDTH)
    with one_thread():
        spent = fit(
            teacher,
            tokenizer,
            rows_of(learned, [q.gold for q in learned]),
            steps=steps,
            learning_rate=3e-3,
        )
        print(f"teacher: {teacher.num_parameters():,} weights, {spent:.0f} s")
        columns = _asked(teacher, tokenizer, parts)
    with whole_file(out) as temporary:
        pq.write_table(pa.table(columns), temporary, compression="zstd")
    print("written", out)


def _asked(teacher, tokenizer, parts: Mapping[str, list[Question]]) -> dict:
    """Ask for the likeliest query of each question, and several of the labelled."""
    columns: dict[str, list] = {"prompt": [], "greedy": [], "drawn": []}
    for part, questions in parts.items():
        columns["prompt"] += [question.prompt for question in questions]
        columns["greedy"] += answers_of(teacher, tokenizer, questions)
        times = SAMPLES if part == "labelled" else 0
        drawn = [
            answers_of(teacher, tokenizer, questions, temperature=1.0, seed=seed)
            for seed in range(times)
        ]
        columns["drawn"] += [[d[i] for d in drawn] for i in range(len(questions))]
    columns["drawn"] = pa.array(columns["drawn"], pa.list_(pa.string()))
    return columns


# --------------------------------------------------------- the students
def make_students(
    out: Path,
    answers: Path = ANSWERS,
    folder: Path | None = None,
    seeds: Sequence[int] = SEEDS,
    steps: int = STUDENT_STEPS,
    base_steps: int = BASE_STEPS,
) -> None:
    """Train a student on the labels of each rule, and store how it did.

    Parameters
    ----------
    out : Path
        A file that does not exist.
    answers : Path
    folder : Path, optional
        Where the marks of each student are kept: the same call goes on there.
    seeds : sequence of int
    steps, base_steps : int
        Of each student, and of the model that they begin with.
    """
    out = fresh_path(out)
    folder = Path(folder or tempfile.mkdtemp())
    asked = read_answers(answers)
    databases = write_databases(tempfile.mkdtemp())
    labels = labels_by_rule(asked["labelled"], databases)
    base = begun(folder / "base", base_steps)
    marks = {rule: {} for rule in TAUGHT}
    tasks = [(rule, seed) for seed in seeds for rule in TAUGHT]
    for rule, seed in tqdm(tasks, "students"):
        marks[rule][str(seed)] = kept_marks(
            folder,
            rule,
            seed,
            partial(_student, base, asked, labels[rule], databases, seed, steps),
        )
    steps_of_ladder = ladder(labels, asked["labelled"], databases)
    write_json(
        out,
        {
            "settings": {
                "seeds": list(seeds),
                "steps": steps,
                "base_steps": base_steps,
                "width": STUDENT_WIDTH,
                "questions": {part: len(them) for part, them in asked.items()},
            },
            "teacher": _teachers_marks(asked, databases),
            "labels": steps_of_ladder.round(4).to_dict("index"),
            "base": _judged(*load_base(base), asked, databases),
            "students": marks,
        },
    )
    print("written", out)


def begun(folder: Path, steps: int) -> Path:
    """Train the model that all students begin with, unless it is there.

    Parameters
    ----------
    folder : Path
    steps : int

    Returns
    -------
    Path
        The folder.
    """
    if not folder.exists():
        parts = question_parts()
        tokenizer, learned = tokenizer_of_all(parts), parts["learned"]
        base = untrained(tokenizer, STUDENT_WIDTH)
        rows = rows_of(learned, [q.gold for q in learned])
        with one_thread():
            fit(base, tokenizer, rows, steps=steps, learning_rate=4e-3)
        save(base, tokenizer, folder)
    return folder


def _student(base: Path, asked, queries, databases, seed: int, steps: int) -> dict:
    questions = [answered.question for answered in asked["labelled"]]
    student, tokenizer = load_base(base)
    with one_thread():
        spent = fit(
            student,
            tokenizer,
            rows_of(questions, queries),
            steps=steps,
            learning_rate=2e-3,
            seed=seed,
        )
    marks = {"weights": student.num_parameters(), "seconds": round(spent, 1)}
    return marks | _judged(student, tokenizer, asked, databases)


def _judged(model, tokenizer, asked, databases) -> dict[str, float]:
    marks = {}
    for part in ("tested", "new"):
        asks = [answered.question for answered in asked[part]]
        with one_thread():
            texts = answers_of(model, tokenizer, asks)
        marks[part] = round(share_right(texts, asks, databases), 4)
    return marks


def _teachers_marks(asked, databases) -> dict[str, float]:
    return {
        part: round(
            share_right(
                [answered.greedy for answered in them],
                [answered.question for answered in them],
                databases,
            ),
            4,
        )
        for part, them in asked.items()
    }


if __name__ == "__main__":
    main()
