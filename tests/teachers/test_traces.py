"""Right texts are kept, wrong ones counted; an interrupted job goes on."""

import random

import numpy as np
import pytest

from distill_helpers.teachers.traces import NothingPassedError, rejection_sample

PROMPTS = [f"{a} + {b} =" for a in range(1, 8) for b in (1, 5)]
STEPS = [len(prompt) % 2 for prompt in PROMPTS]


class Teacher:
    """Adds, with a mistake now and then; some texts do not end."""

    def __init__(self, dies_at=None):
        self.calls = []
        self.dies_at = dies_at

    def __call__(self, prompts, seed):
        if len(self.calls) == self.dies_at:
            raise KeyboardInterrupt
        self.calls.append((list(prompts), seed))
        draw = random.Random(seed)
        return [
            draw.choice([None, str(total(p)), f"{total(p)} # {total(p)}", "0"])
            for p in prompts
        ]


def total(prompt):
    first, _, second, _ = prompt.split()
    return int(first) + int(second)


def right(prompt, text):
    assert text is not None
    return text.split("#")[-1].strip() == str(total(prompt))


def sample(generate=None, **options):
    options = {"n": 6, "chunk": 4, "progress": False} | options
    return rejection_sample(PROMPTS, generate or Teacher(), right, **options)


def test_what_passes_is_kept_once_and_in_order():
    teacher = Teacher()
    traces = sample(teacher)
    assert [len(prompts) for prompts, _ in teacher.calls] == [24, 24, 24, 12]
    assert teacher.calls[0][0][:7] == [PROMPTS[0]] * 6 + [PROMPTS[1]]
    assert len({seed for _, seed in teacher.calls}) == 4
    expected = []
    for prompt, texts, verdicts in zip(PROMPTS, traces.completions, traces.right):
        assert len(texts) == len(verdicts) == 6
        assert verdicts == [t is not None and right(prompt, t) for t in texts]
        passed = [t for t, v in zip(texts, verdicts) if v]
        expected += [(prompt, t) for t in dict.fromkeys(passed)]
    assert [(row["prompt"], row["completion"]) for row in traces.kept] == expected
    assert len(expected) < sum(map(sum, traces.right))  # there were duplicates
    assert traces.unsolved == [i for i, v in enumerate(traces.right) if not any(v)]
    as_they_came = {row["completion"] for row in traces.unchecked}
    assert "0" in as_they_came and None not in as_they_came


def test_keep_is_the_most_of_one_prompt():
    one, all_of_them = sample(keep=1), sample()
    prompts = [row["prompt"] for row in one.kept]
    assert len(prompts) == len(set(prompts)) == len(PROMPTS) - len(one.unsolved)
    assert len(all_of_them.kept) > len(one.kept)
    assert len(one.unchecked) <= len(PROMPTS) < len(all_of_them.unchecked)


def test_the_table_counts_by_difficulty():
    traces = sample(difficulty=STEPS, keep=1, n=2)
    table = traces.table()
    assert table["problems"].to_dict() == {s: STEPS.count(s) for s in set(STEPS)}
    for steps, row in table.iterrows():
        chosen = [v for v, s in zip(traces.right, STEPS) if s == steps]
        assert row["written"] == 2 * len(chosen)
        assert row["right"] == sum(map(sum, chosen))
        assert row["unsolved"] == sum(not any(v) for v in chosen)
        assert row["kept"] == len(chosen) - row["unsolved"]
    # By default a problem is as hard as the teacher finds it.
    by_rate = sample(n=2).table()
    assert (by_rate["right"] == by_rate.index * by_rate["problems"]).all()


def test_an_interrupted_job_goes_on_to_the_same_end(tmp_path):
    whole = sample()
    first = Teacher(dies_at=2)
    with pytest.raises(KeyboardInterrupt):
        sample(first, folder=tmp_path / "job")
    second = Teacher()
    traces = sample(second, folder=tmp_path / "job")
    assert traces == whole
    assert len(second.calls) == 2
    third = Teacher()
    assert sample(third, folder=tmp_path / "job") == whole
    assert third.calls == []
    assert not [p.name for p in (tmp_path / "job").iterdir() if p.name[0] == "."]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"n": 5}, "n 6, now 5"),
        ({"seed": 1}, "seed 0, now 1"),
        ({"fingerprint": "b"}, "teacher 'a', now 'b'"),
    ],
)
def test_another_job_does_not_go_on_in_the_same_folder(tmp_path, change, told):
    first = {"folder": tmp_path, "fingerprint": "a"}
    sample(**first)
    teacher = Teacher()
    with pytest.raises(ValueError, match=f"another job: {told}"):
        sample(teacher, **(first | change))
    with pytest.raises(ValueError, match="another job: prompts"):
        options = {"n": 6, "chunk": 4, "progress": False}
        rejection_sample(PROMPTS[:-1], teacher, right, **first, **options)
    assert not teacher.calls


def test_what_stands_in_the_folder_is_not_overwritten(tmp_path):
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(ValueError, match="holds something else"):
        sample(folder=tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["letter.txt"]
    sample(folder=tmp_path / "job")
    torn = tmp_path / "job" / "piece-00001.parquet"
    torn.write_bytes(torn.read_bytes()[:-20])
    with pytest.raises(ValueError, match="piece-00001.parquet' cannot be read"):
        sample(folder=tmp_path / "job")


def test_nothing_that_passes_names_the_problems():
    def silent(prompts, seed):
        return [None if number % 2 else "no idea" for number in range(len(prompts))]

    with pytest.raises(NothingPassedError) as caught:
        sample(silent)
    message = str(caught.value)
    assert (
        "none of 84 texts for 14 problems" in message and "(42 did not end" in message
    )
    assert all(repr(prompt) in message for prompt in PROMPTS[:3])
    assert "'no idea'" in message


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"prompts": "1 + 1 ="}, TypeError, "a list of texts, got str"),
        ({"prompts": []}, ValueError, "at least one"),
        (
            {"prompts": ["a", "b", "a"]},
            ValueError,
            r"prompts\[2\] is prompts\[0\] again",
        ),
        ({"prompts": ["a", 3]}, TypeError, "prompts must hold texts, got int in row 1"),
        ({"n": 0}, ValueError, "n must be at least 1"),
        ({"keep": 0}, ValueError, "keep must be at least 1"),
        ({"difficulty": [1]}, ValueError, "each of 14 prompts, got 1"),
        ({"generate": lambda p, seed: ["x"]}, ValueError, "each of 24 prompts, got 1"),
        ({"generate": lambda p, seed: [3] * len(p)}, TypeError, "got int: 3"),
        ({"verify": lambda p, t: None}, TypeError, "True or False, got NoneType"),
        ({"verify": lambda p, t: "no"}, TypeError, "True or False, got str"),
    ],
)
def test_what_does_not_fit_is_refused(change, error, message):
    given = {"prompts": PROMPTS, "generate": Teacher(), "verify": right, "n": 6}
    with pytest.raises(error, match=message):
        rejection_sample(**(given | change), chunk=4, progress=False)


def test_a_verdict_of_numpy_is_one():
    def verify(prompt, text):
        return np.bool_(right(prompt, text))

    traces = rejection_sample(PROMPTS, Teacher(), verify, 6, chunk=4, progress=False)
    assert traces == sample()
