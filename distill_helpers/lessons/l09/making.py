"""Make what lesson 09 ships: teacher, base and traces, and the runs too long for it.

    python -m distill_helpers.lessons.l09.making teacher --out data/reasoning/teacher
    python -m distill_helpers.lessons.l09.making base --out data/reasoning/base
    python -m distill_helpers.lessons.l09.making traces --out data/reasoning/traces.parquet
    python -m distill_helpers.lessons.l09.making arms --out data/results/lesson09_arms.json

In this order, as each rests on the one before; nothing is written over. Then call
``python -m distill_helpers doctor --write-checksums``.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from transformers import TrainerCallback

from ...arguments import CommandLine
from ...evaluation import one_thread, write_json
from ...files import fresh_path, whole_file
from ...students.causal import word_tokenizer
from ...teachers.live import weights_revision
from ...teachers.traces import rejection_sample
from ..workers import spread
from .arms import (
    RATE,
    TRAINED,
    Arm,
    Exam,
    fit,
    right_answers,
    save,
    train_and_judge,
    untrained,
    write,
)
from .marks import kept_marks
from .shipped import (
    HEAT,
    SAMPLES,
    STEPS,
    as_they_come,
    exam_stories,
    keys,
    load_teacher,
    longer_stories,
    one_right,
    pool_stories,
    teachers_stories,
    written_traces,
)
from .stories import Story, draw_stories, every_step

CONTEXT = 160
"""Tokens that the models read; the longest story with its text has about 75."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Make one of them."""
    parser = CommandLine(description=__doc__.split("\n")[0])
    parser.add_argument("what", choices=("teacher", "base", "traces", "arms"))
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument(
        "--folder", type=Path, help="traces, arms: go on with what is there"
    )
    options = parser.parse_args(arguments)
    if options.what == "arms":
        make_arms(options.out, options.processes, options.folder)
        return
    with one_thread():
        if options.what == "traces":
            make_traces(options.out, options.folder)
        else:
            make = {"teacher": make_teacher, "base": make_base}
            make[options.what](options.out)


# ------------------------------------------------------------------- the models
def make_teacher(out: Path) -> None:
    """Train the teacher from nothing: sums first, then stories.

    It stops early on purpose: a teacher that is always right leaves nothing to check.

    Parameters
    ----------
    out : Path
        A folder that does not exist.
    """
    out, tokenizer = fresh_path(out), _tokenizer()
    teacher = untrained(tokenizer, 128)
    spent = _learn_sums(teacher, tokenizer)
    enough = StopsWhenRight(tokenizer, ENOUGH)
    spent += fit(
        teacher,
        tokenizer,
        _gold(teachers_stories()),
        steps=1000,
        learning_rate=1e-3,
        lr_scheduler_type="constant_with_warmup",
        callbacks=[enough],
    )
    print(f"{teacher.num_parameters():,} weights, {spent:.0f} s", flush=True)
    save(teacher, tokenizer, out)
    for temperature in (0.0, HEAT):
        score = _score(teacher, tokenizer, temperature)
        print(f"temperature {temperature:g}: {score:.3f}", flush=True)


ENOUGH = 0.7
"""Share of stories that the teacher gets right when its training ends."""


class StopsWhenRight(TrainerCallback):
    """Ends a training when a share of some stories comes out right.

    Parameters
    ----------
    tokenizer : PreTrainedTokenizerBase
    share : float
    every : int
        Steps from one look to the next.
    """

    def __init__(self, tokenizer, share: float, every: int = 20) -> None:
        self.tokenizer, self.share, self.every = tokenizer, share, every
        taken = keys(exam_stories()) | keys(pool_stories())
        self.stories = draw_stories("teacher, checked", STEPS, 100, taken)

    def on_step_end(self, args, state, control, model=None, **_):
        """See ``TrainerCallback``."""
        if state.global_step % self.every:
            return
        made = write(model, self.tokenizer, self.stories)
        right = right_answers(made.whole, self.stories).mean()
        print(f"step {state.global_step}: {right:.2f}", flush=True)
        control.should_training_stop = right >= self.share


def make_base(out: Path) -> None:
    """Train the base: sums first, then stories with one operation.

    Parameters
    ----------
    out : Path
        A folder that does not exist.
    """
    out, tokenizer = fresh_path(out), _tokenizer()
    base = untrained(tokenizer, 64)
    spent = _learn_sums(base, tokenizer)
    spent += fit(
        base, tokenizer, _gold(every_step("base")), steps=250, learning_rate=2e-3
    )
    print(f"{base.num_parameters():,} weights, {spent:.0f} s", flush=True)
    save(base, tokenizer, out)
    some = every_step("seen")[:200]
    score = right_answers(write(base, tokenizer, some).whole, some).mean()
    print(f"stories with one operation: {score:.3f}", flush=True)


def _learn_sums(model, tokenizer) -> float:
    sums = [story.sum for story in every_step("base")]
    rows = [{"prompt": left, "completion": right} for left, right in sums]
    return fit(model, tokenizer, rows, steps=400, learning_rate=3e-3, batch_size=64)


def make_traces(out: Path, folder: Path | None = None) -> None:
    """Let the teacher write.

    Parameters
    ----------
    out : Path
        A file that does not exist.
    folder : Path, optional
        Where its texts are put piece by piece: the same call goes on there.
    """
    out, (teacher, tokenizer) = fresh_path(out), load_teacher()
    by_prompt = {story.prompt: story for story in pool_stories()}

    def generate(prompts, seed):
        asked = [by_prompt[prompt] for prompt in prompts]
        return write(teacher, tokenizer, asked, temperature=HEAT, seed=seed).whole

    def verify(prompt, text):
        return bool(right_answers([text], [by_prompt[prompt]])[0])

    traces = rejection_sample(
        list(by_prompt),
        generate,
        verify,
        SAMPLES,
        folder=folder,
        fingerprint=weights_revision(teacher),
    )
    table = pa.table({"prompt": traces.prompts, "texts": traces.completions})
    with whole_file(out) as temporary:
        pq.write_table(table, temporary, compression="zstd")
    print(traces.table())


def _tokenizer():
    told = [f"{s.prompt} {s.completion}" for s in teachers_stories()]
    return word_tokenizer(told, CONTEXT)


def _gold(stories: Sequence[Story]) -> list[dict[str, str]]:
    return [{"prompt": s.prompt, "completion": s.completion} for s in stories]


def _score(model, tokenizer, temperature: float) -> float:
    exam = exam_stories()
    made = write(model, tokenizer, exam, temperature=temperature)
    return float(right_answers(made.whole, exam).mean())


# --------------------------------------------------- the runs too long to wait for
def make_arms(
    out: Path, processes: int = 2, folder: Path | None = None, seeds=(0, 1, 2)
) -> None:
    """Train the students that the lesson only shows, and store how they did.

    Parameters
    ----------
    out : Path
        A file that does not exist.
    processes : int
    folder : Path, optional
        Where each student's marks are kept: the same call goes on there.
    seeds : sequence of int
    """
    out = fresh_path(out)
    folder = Path(folder or tempfile.mkdtemp())
    pool, texts = pool_stories(), written_traces()
    right = [
        right_answers(some, [story] * len(some)).tolist()
        for story, some in zip(pool, texts)
    ]
    marks: list[dict] = []
    for arms in (whole_trainings, continuations):  # which begin where the first ended
        tasks = [
            (arm, folder)
            for number in range(ARMS)
            for seed in seeds
            for arm in arms(pool, texts, right, seed, folder)[number : number + 1]
        ]
        marks += spread(marks_of, tasks, processes)
    teacher = load_teacher()
    content = {
        "settings": {
            "seeds": list(seeds),
            "test": len(exam_stories()),
            "pool": len(pool),
            "operations": list(STEPS),
            "steps": TRAINED,
        },
        "teacher": {
            "greedy": _score(*teacher, 0.0),
            "sampled": _score(*teacher, HEAT),
        },
        "arms": _by_arm(marks),
    }
    print("written", write_json(out, content))


ARMS = 7
"""Most arms of a kind."""


def whole_trainings(pool, texts, right, seed: int, folder: Path) -> list[Arm]:
    """Return the arms that begin with the base.

    Two are the lesson's own: on another machine they come out a story or two
    otherwise, and an arm is compared with what its own machine made.
    """
    plain, checked = (
        as_they_come(pool, texts, seed),
        one_right(pool, texts, right, seed),
    )
    forward = {"follows": True, "options": {"beta": 0.0}}
    kept = str(folder / f"begun-{seed}")
    return [
        Arm("traces", plain, seed, TRAINED),
        Arm("checked traces", checked, seed, TRAINED),
        Arm("traces, forward KL", plain, seed, TRAINED, **forward),
        Arm("checked, three stages", checked, seed, TRAINED, staged=True),
        Arm("begun", plain, seed, TRAINED // 2, keep=kept, **forward),
        Arm("checked, forward KL", checked, seed, TRAINED, **forward),
        Arm("gold traces", _gold(pool), seed, TRAINED),
    ]


def continuations(pool, texts, right, seed: int, folder: Path) -> list[Arm]:
    """Return the arms that go on from the student that forward KL began.

    Those of fewer steps take as long or longer: writing is what costs on-policy.
    """
    plain, checked = (
        as_they_come(pool, texts, seed),
        one_right(pool, texts, right, seed),
    )

    def on(name, rows, steps, follows=True, **options):
        options = {"learning_rate": RATE / 4} | options
        start = str(folder / f"begun-{seed}")
        return Arm(name, rows, seed, steps, follows, options=options, start=start)

    return [
        on("on-policy, reverse KL", plain, 100, lmbda=1.0, beta=1.0),
        on("off-policy, forward KL", plain, 200, beta=0.0),
        on("off-policy, checked", checked, 300, follows=False),
        on("on-policy, JSD", plain, 100, lmbda=1.0, beta=0.5),
    ]


def marks_of(task: tuple[Arm, Path]) -> dict:
    """Train and judge an arm, unless its marks are in the folder already."""
    arm, folder = task
    return kept_marks(folder, arm.name, arm.seed, partial(_judged, arm))


def _judged(arm: Arm) -> dict:
    marks = train_and_judge((arm, Exam(exam_stories(), longer_stories())))
    return {
        "name": marks.name,
        "seed": marks.seed,
        "right": round(marks.score, 4),
        "longer": round(marks.longer, 4),
        "seconds": round(marks.seconds, 1),
    }


def _by_arm(marks: Sequence[dict]) -> dict:
    content: dict = {}
    for mark in marks:
        name, seed = mark.pop("name"), str(mark.pop("seed"))
        content.setdefault(name, {})[seed] = mark
    return content


if __name__ == "__main__":
    main()
