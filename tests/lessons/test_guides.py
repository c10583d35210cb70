"""The teacher that a lesson's parameter names, whatever the reader has."""

import pandas as pd
import pytest
from conftest import CountingTeacher, small_bert
from tickets import tickets

from distill_helpers.data.reviews import load_reviews
from distill_helpers.lessons import guides
from distill_helpers.lessons.claims import (
    points_in_words,
    size_in_words,
    times_in_words,
)
from distill_helpers.lessons.parameters import ParameterError
from distill_helpers.teachers import ClassNamesError, timed_teacher
from distill_helpers.teachers.live import HuggingFaceTeacher
from distill_helpers.teachers.ordering import in_order


@pytest.fixture
def drawn(tmp_path):
    tickets(120).to_csv(tmp_path / "tickets.csv", index=False)
    return {
        seed: load_reviews(str(tmp_path / "tickets.csv"), labelled=40, seed=seed)
        for seed in (3, 4)
    }


@pytest.fixture
def asked(monkeypatch):
    """Which teachers were made or opened, and of what."""
    calls = []

    def make(reviews, **options):
        calls.append(("made", sorted(reviews["train"]["text"]), options))
        return CountingTeacher(f"made {options['seed']}")

    def opened(name, cache, **options):
        calls.append(("opened", name, options))
        return CountingTeacher(name)

    monkeypatch.setattr(guides, "make_teacher", make)
    monkeypatch.setattr(guides, "open_teacher", opened)
    return calls


def test_a_teacher_is_opened_for_the_classes_of_the_data(drawn, asked):
    given = {"class_names": {"LABEL_0": "billing"}, "values": "logits"}
    guide = guides.open_guide("table.csv", drawn[3], **given)
    ((how, name, options),) = asked
    assert (how, name, guide.fingerprint) == ("opened", "table.csv", "table.csv")
    assert options == {
        "label_names": drawn[3].label_names,
        "mapping": {"LABEL_0": "billing"},
        "values": "logits",
    }
    assert guides.by_seed(guide, drawn, "table.csv") == {3: guide, 4: guide}


def test_a_made_teacher_learns_from_the_labels_of_its_seed_alone(drawn, asked):
    guide = guides.open_guide("make", drawn[3], seed=3)
    found = guides.by_seed(guide, drawn, "make")
    assert found[3] is guide and found[4].fingerprint == "made 4"
    for (how, texts, options), (seed, reviews) in zip(asked, drawn.items()):
        assert how == "made" and options["seed"] == seed
        assert texts == sorted(reviews["train"]["text"])


def test_a_teacher_of_other_classes_is_refused_with_a_way_out(drawn, tmp_path):
    with pytest.raises(ClassNamesError, match="teacher='make' makes one") as refused:
        guides.open_guide("shipped", drawn[3])
    said = str(refused.value)
    assert "positive" in said and "billing" in said
    answers = pd.DataFrame({"text": drawn[3]["train"]["text"][:], "answer": "x"})
    answers.loc[::2, "answer"] = "y"
    answers.to_csv(tmp_path / "answers.csv", index=False)
    with pytest.raises(ClassNamesError, match="the parameter class_names"):
        guides.open_guide(str(tmp_path / "answers.csv"), drawn[3])


def test_several_labels_a_text_are_sent_to_the_notebook_that_takes_them(drawn):
    drawn[3].problem_type = "multi_label_classification"
    with pytest.raises(ParameterError, match="several labels a text.*own_data.ipynb"):
        guides.open_guide("make", drawn[3])


def test_what_was_timed_is_named(bert_tokenizer, texts):
    model = small_bert(bert_tokenizer, id2label={0: "good", 1: "bad"})
    live = HuggingFaceTeacher(model, bert_tokenizer, max_length=64)
    turned = in_order(live, ["bad", "good"])
    assert turned is not live and timed_teacher(turned, texts) is live
    assert guides.timed_on(turned, live, "a folder") == "size and speed: its own"
    shipped = guides.timed_on(CountingTeacher(), live, "shipped")
    assert shipped == "size and speed: one encoder of its shape"
    assert guides.stands_in(CountingTeacher(), live, "make")
    assert "not its own" in guides.timed_on(CountingTeacher(), live, "table.csv")


@pytest.mark.parametrize(
    ("ratio", "words"),
    [
        (0.05, "95% smaller"),
        (0.992, "1% smaller"),
        (1.0, "as large"),
        (1.2, "1.2 times as large"),
        (9.34, "9.3 times as large"),
    ],
)
def test_nothing_is_smaller_by_less_than_nothing(ratio, words):
    assert size_in_words(ratio) == words


def test_slow_is_not_zero_and_a_loss_below_zero_is_a_gain():
    assert [times_in_words(x) for x in (102.3, 1.24, 0.034)] == [
        "102x",
        "1.2x",
        "0.034x",
    ]
    assert points_in_words(3.31) == "3.3 points lost"
    assert points_in_words(-2.0) == "2.0 points gained"
    assert points_in_words(-0.01) == "0.0 points lost"


def test_a_language_model_behind_an_api_teaches_a_lesson(monkeypatch, tmp_path):
    pytest.importorskip("openai", reason="the extra 'api' is not installed")
    from distill_helpers.teachers import answerable, check_trust, open_teacher
    from distill_helpers.teachers.api import LoopbackServer, TeacherSpeaker

    reviews = load_reviews("sample", 40, 20, validation=20, test=20)
    shipped = open_teacher("shipped", tmp_path / "known", reviews.label_names)
    with LoopbackServer(TeacherSpeaker(shipped, "kit-teacher")) as server:
        monkeypatch.setenv("DISTILL_API_BASE_URL", server.url)
        guide = guides.open_guide("api:kit-teacher", reviews, cache=tmp_path / "asked")
        test = answerable(guide, reviews["test"])
        trust = check_trust(guide, reviews, ["validation"])
    texts = list(test["text"])
    assert len(texts) == len(reviews["test"]) and server.usage["requests"] == 80
    same = guide.logits(texts).argmax(1) == shipped.logits(texts).argmax(1)
    assert same.all() and "held-out texts right" in str(trust)
    assert guides.stands_in(guide, timed_teacher(guide, texts * 20), "api:kit-teacher")
