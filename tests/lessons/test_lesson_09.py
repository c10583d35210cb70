"""What the lesson on reasoning is made of: texts, trainings, tables, exercises."""

import json
from types import SimpleNamespace

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

from distill_helpers.evaluation import compare_scores
from distill_helpers.evaluation.statistics import interval
from distill_helpers.lessons.l09 import arms, judging, making, shipped, shown
from distill_helpers.lessons.l09.open_weights import try_open
from distill_helpers.lessons.l09.remembering import remembers
from distill_helpers.lessons.l09.stages import ChangingWeights
from distill_helpers.lessons.openings import ours
from distill_helpers.places import RESULTS
from distill_helpers.students.causal import tiny_causal_lm, word_tokenizer


def untrained(tokenizer, **options):
    return tiny_causal_lm(tokenizer, width=16, layers=1, heads=2, **options)


@pytest.fixture(scope="module")
def tokenizer():
    told = [f"{s.prompt} {s.completion}" for s in shipped.exam_stories(200)]
    return word_tokenizer(told, max_length=160)


@pytest.fixture
def model(tokenizer):
    return untrained(tokenizer).eval()


# --------------------------------------------------------- which texts are taken
def test_a_seed_takes_another_text_of_the_same_story():
    pool = shipped.pool_stories(2)
    texts = [["a", "b", None, "d"], [None, "f", "g", "h"]]
    taken = [
        [row["completion"] for row in shipped.as_they_come(pool, texts, seed)]
        for seed in range(4)
    ]
    assert taken == [["a"], ["b", "f"], ["g"], ["d", "h"]]
    right = [[False, True, False, True], [False] * 4]
    taken = [shipped.one_right(pool, texts, right, seed) for seed in range(4)]
    assert [rows[0]["completion"] for rows in taken] == ["b", "b", "d", "d"]
    assert all(len(rows) == 1 for rows in taken)


def test_a_text_that_did_not_end_is_wrong():
    pool = shipped.pool_stories(3)
    texts = [pool[0].completion, None, pool[2].completion + "0"]
    assert arms.right_answers(texts, pool).tolist() == [True, False, False]


# ---------------------------------------------------------------- the trainings
def test_a_student_is_trained_and_judged(tmp_path, monkeypatch, model, tokenizer):
    model.save_pretrained(tmp_path / shipped.TEACHER)
    model.save_pretrained(tmp_path / shipped.BASE)
    for name in (shipped.TEACHER, shipped.BASE):
        tokenizer.save_pretrained(tmp_path / name)
    start = str(tmp_path / shipped.BASE)
    monkeypatch.setattr(arms, "load_teacher", lambda: shipped.load_teacher(tmp_path))
    pool = shipped.pool_stories(8)
    rows = [{"prompt": s.prompt, "completion": s.completion} for s in pool]
    exam = arms.Exam(shipped.exam_stories(2), shipped.longer_stories(1))
    kept = str(tmp_path / "kept")
    marks = arms.train_and_judge(
        (arms.Arm("any", rows, 1, 2, True, start=start, keep=kept), exam)
    )
    assert (marks.name, marks.seed, len(marks.right)) == ("any", 1, 2)
    assert 0 <= marks.score <= 1 and 0 <= marks.longer <= 1
    assert marks.seconds > 0 and marks.tokens_per_second > 0
    trained = shipped.load_base(kept)[0].state_dict()
    name = "model.embed_tokens.weight"
    assert not torch.equal(trained[name], model.state_dict()[name])


def test_a_teacher_that_remembers_says_the_same_and_is_asked_once(model, tokenizer):
    asked, ask = [], model.forward
    model.forward = lambda **reads: (
        asked.append(len(reads["input_ids"])) or ask(**reads)
    )
    texts = [story.completion for story in shipped.pool_stories(3)]
    few, all_of_them = (
        tokenizer(t, padding=True, return_tensors="pt") for t in (texts[:1], texts)
    )
    reads = {name: all_of_them[name] for name in ("input_ids", "attention_mask")}
    with torch.no_grad():
        expected = ask(**reads).logits
        teacher = remembers(model)
        teacher(**{name: few[name] for name in reads})
        for _ in range(2):
            logits = teacher(**reads).logits
    counted = reads["attention_mask"].bool()
    torch.testing.assert_close(logits[counted], expected[counted])
    assert asked == [1, 2]


def test_the_writing_of_traces_goes_on_where_it_stopped(
    tmp_path, monkeypatch, model, tokenizer
):
    asked = []

    def write(model, tokenizer, stories, **_):
        asked.extend(stories)
        return SimpleNamespace(whole=[story.completion for story in stories])

    monkeypatch.setattr(making, "load_teacher", lambda: (model, tokenizer))
    monkeypatch.setattr(making, "pool_stories", lambda: shipped.pool_stories(3))
    monkeypatch.setattr(making, "write", write)
    for name in ("first", "second"):
        making.make_traces(tmp_path / name, tmp_path / "pieces")
    assert len(asked) == 3 * shipped.SAMPLES
    first, second = (pq.read_table(tmp_path / name) for name in ("first", "second"))
    assert first.equals(second)


def test_the_weights_change_in_each_third_of_a_training(monkeypatch, model, tokenizer):
    seen = []

    class Spy(ChangingWeights):
        def on_step_begin(self, args, state, control, **options):
            super().on_step_begin(args, state, control, **options)
            seen.append([loss.weight for loss in self._trainer.losses])

    monkeypatch.setattr(arms, "ChangingWeights", Spy)
    pool = shipped.pool_stories(4)
    rows = [{"prompt": s.prompt, "completion": s.completion} for s in pool]
    teacher = untrained(tokenizer, seed=1)
    arms.fit(
        model, tokenizer, rows, steps=3, batch_size=4, staged=True, teacher=teacher
    )
    assert np.allclose(seen, [[1.0, 0.0], [0.5, 0.5], [0.1, 0.9]])


# -------------------------------------------------------------------- the tables
def test_the_prompt_is_read_and_the_end_is_learned(model, tokenizer):
    prompt, answer = "Ben has 12 figs . gets 3 . how many ?", "# 15"
    table = shown.token_table(model, tokenizer, prompt, answer)
    assert list(table.columns) == ["how", "many", "?", "#", "1", "5", "[END]"]
    assert table.loc["learned"].tolist() == [False] * 3 + [True] * 4
    views = shown.two_views(model, model, tokenizer, prompt, answer)
    assert (views.loc["log ratio"] == 0).all()
    logits = shown.least_sure(model, tokenizer, prompt, answer)
    assert logits.shape == (len(tokenizer),)


def test_divergences_vanish_for_equals_and_disagree_elsewhere():
    logits = torch.tensor([2.0, 1.5, -1.0, -3.0])
    found = shown.divergences(logits, [0.3, 1.0, 4.0])
    for values in found.values():
        assert values[1] == pytest.approx(0, abs=1e-6) and min(values[::2]) > 0
    assert found["forward KL"][0] > found["reverse KL"][0]
    assert found["forward KL"][2] < found["reverse KL"][2]


def test_words_are_scored_although_the_answer_is_wrong():
    right = "71 + 7 = 78 ; 78 / 2 = 39 # 39"
    table = shown.text_scores({"right": right, "wrong": right[:-1] + "8"}, right)
    assert table["answer right"].tolist() == [True, False]
    assert float(table["ROUGE-L"]["wrong"]) > 85


def test_shares_are_means_over_seeds_by_length():
    marks = [
        arms.Marks("a", seed, [], [True, seed == 0, False], 0.5 * seed, 1.0, 1.0)
        for seed in (0, 1)
    ]
    found = shown.by_operations(marks, ["a"], [2, 3, 3])
    assert found == {"a": [1.0, 0.25, 0.25]}


# ----------------------------------------------------------------- open weights
def test_open_weights_of_another_vocabulary_teach_by_their_texts_alone(
    tmp_path, model, tokenizer
):
    other = word_tokenizer(["Solve the problem step by step and end"], max_length=200)
    for name, words in (("other", other), ("same", tokenizer)):
        untrained(words, context=200).save_pretrained(tmp_path / name)
        words.save_pretrained(tmp_path / name)
    stories = shipped.exam_stories(2)
    tried = try_open(
        str(tmp_path / "other"), stories, model, tokenizer, max_new_tokens=3
    )
    sizes = f"{len(tokenizer)} and {len(other)} tokens"
    assert sizes in tried.token_level and "write texts" in tried.token_level
    assert tried.kept == 0 and "passed the check" in tried.told
    assert not any(tried.right) and tried.tokens_per_second > 0
    same = try_open(
        str(tmp_path / "same"), stories[:1], model, tokenizer, max_new_tokens=2
    )
    assert same.token_level == "possible"


# ------------------------------------------------------------- the shipped files
def test_the_shipped_files_are_small_and_safe():
    files = [path for path in shipped.FOLDER.rglob("*") if path.is_file()]
    assert {path.suffix for path in files} <= {".json", ".parquet", ".safetensors"}
    assert sum(path.stat().st_size for path in files) <= 5_500_000


def test_a_teacher_and_a_base_of_a_quarter_of_its_size_read_one_vocabulary():
    (teacher, words), (student, own) = shipped.load_teacher(), shipped.load_base()
    assert words.get_vocab() == own.get_vocab()
    assert 3.5 < teacher.num_parameters() / student.num_parameters() < 4.5


def test_there_are_four_texts_for_each_story_and_about_half_are_right():
    pool, texts = shipped.pool_stories(), shipped.written_traces()
    assert [len(some) for some in texts] == [shipped.SAMPLES] * len(pool)
    right = [
        arms.right_answers(some, [story] * len(some))
        for story, some in zip(pool, texts)
    ]
    assert 0.2 < np.mean(right) < 0.8
    assert 0.5 < np.mean([each.any() for each in right]) < 0.98


# --------------------------------------------------------------- the stored runs
def test_our_run_shows_what_the_lesson_says_of_it():
    scores = ours("09")
    (teacher,) = scores.pop("their teacher")
    assert {len(values) for values in scores.values()} == {3}

    def gain(first, second):
        pairs = zip(scores[first], scores[second])
        return interval([a - b for a, b in pairs])[0]

    assert np.mean(scores["answers alone"]) <= 0.10
    assert np.mean(scores["traces"]) >= 0.70
    assert gain("checked traces", "traces") > 0
    assert np.mean(scores["checked traces"]) >= np.mean(scores["traces"]) + 0.08
    assert np.mean(scores["checked traces"]) >= teacher + 0.08


def test_the_stored_arms_are_those_that_the_lesson_shows():
    content = json.loads((RESULTS / "lesson09_arms.json").read_text("utf-8"))
    assert content["settings"]["steps"] == arms.TRAINED
    assert set(content["arms"]) >= {
        "traces, forward KL",
        "checked, forward KL",
        "checked, three stages",
        "gold traces",
        "on-policy, reverse KL",
        "on-policy, JSD",
        "off-policy, forward KL",
        "off-policy, checked",
    }
    for by_seed in content["arms"].values():
        assert list(by_seed) == [str(seed) for seed in content["settings"]["seeds"]]
        assert all(mark["longer"] <= 0.2 for mark in by_seed.values())
    scores = judging.stored_scores()
    assert scores["traces"].keys() == scores["gold traces"].keys()


def test_the_stored_arms_show_what_the_lesson_says_of_them():
    scores = judging.stored_scores()
    mean = {name: np.mean(list(by.values())) for name, by in scores.items()}
    took = judging.stored_seconds()
    for on_policy in ("on-policy, reverse KL", "on-policy, JSD"):
        assert mean[on_policy] < mean["off-policy, forward KL"]
        assert took[on_policy] > took["off-policy, forward KL"]
    assert 0.7 < took["off-policy, checked"] / took["off-policy, forward KL"] < 1.4
    checked, stages, soft, doubt = judging.compare_stored(
        ("off-policy, checked", "off-policy, forward KL"),
        ("checked, three stages", "checked traces"),
        ("traces, forward KL", "traces"),
        ("checked, forward KL", "checked traces"),
    )
    assert checked.interval[0] > 0 and soft.interval[0] > 0
    assert stages.interval[1] < 0 and doubt.mean < 0
    assert mean["gold traces"] > mean["checked traces"]


# -------------------------------------------------------------------- the claims
def test_a_claim_holds_only_if_every_interval_lies_above_zero():
    def pair(gain):
        scores = {seed: 0.5 + 0.01 * seed for seed in range(3)}
        ahead = {seed: score + gain for seed, score in scores.items()}
        spread = {0: 0.0, 1: 0.004, 2: -0.004}
        ahead = {seed: score + spread[seed] for seed, score in ahead.items()}
        return compare_scores({"a": ahead, "b": scores}, [("a", "b")])[0]

    better, same = pair(0.1), pair(0.0)
    assert judging.judge_stages(better).held and not judging.judge_stages(same).held
    assert judging.judge_soft_targets(better, better).held
    assert not judging.judge_soft_targets(better, same).held
    assert not judging.judge_student(better).held and judging.judge_student(same).held
    assert not judging.judge_on_policy(same, better).held
    assert "+10.0 points" in judging.judge_student(better).measured
