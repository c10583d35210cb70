"""The server that ships with the kit: recorded answers, or one of the kit's teachers."""

import runpy
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from scipy.special import softmax

from distill_helpers.data.cleaning import clean_text, text_hash
from distill_helpers.data.sample import read_sample
from distill_helpers.teachers import open_teacher
from distill_helpers.teachers.api import (
    FILM_REVIEWS,
    ApiError,
    ApiTeacher,
    ChatServer,
    LoopbackServer,
    NothingToSayError,
    RecordedModel,
    Task,
    TeacherSpeaker,
    position_bias,
    read_batch,
    write_batch,
)
from distill_helpers.teachers.api.questions import Questions

ROOT = Path(__file__).resolve().parents[2]
NAMES = FILM_REVIEWS.label_names


@pytest.fixture(scope="module", autouse=True)
def client():
    pytest.importorskip("openai", reason="the extra 'api' is not installed")


TEXTS = [f"A review, the {place}th." for place in range(6)]
RECORDER = runpy.run_path(str(ROOT / "docs" / "record_answers.py"))


def written(first, *votes):
    """What the recorder keeps of one place: the class that is ahead comes first."""
    second = NAMES[1 - NAMES.index(first)]
    return {
        "tokens": [f" {first}", f" {second}", " The"],
        "logprobs": [-0.5, -1.5, -2.0],
        "votes": [f" {name}" for name in votes],
    }


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    rows = [
        {
            "text_hash": text_hash(text),
            "prompt_tokens": 60,
            "head_tokens": 2,
            "plain": written("negative", "negative", "positive"),
            "prefilled": written("positive", "positive", "negative"),
        }
        for text in TEXTS
    ]
    rows[0]["turned"] = written("negative", "negative", "negative")
    path = tmp_path_factory.mktemp("recorded") / "answers.parquet"
    pq.write_table(RECORDER["table"](rows), path)
    return RecordedModel(path)


@pytest.fixture(scope="module")
def texts():
    return [clean_text(text) for text in read_sample().frame["text"][:12]]


@pytest.fixture
def make(tmp_path):
    def made(server, task=FILM_REVIEWS, **options):
        options = {"how": "log-probabilities", "least_mass": 0.001} | options
        return ApiTeacher(
            server.models[0],
            task,
            server=server.url,
            store=tmp_path / "answers.sqlite",
            progress=False,
            **options,
        )

    return made


def body(task=FILM_REVIEWS, text="x", prefill=None, **more):
    asked = Questions("m", task, "s", prefill=prefill).label(text).request
    return {**asked, **more}


# ---------------------------------------------------------------- recorded
def test_recorded_answers_come_back_in_each_way_that_was_asked(recorded, make):
    assert recorded.owner == "recorded answers of SmolLM2-135M-Instruct, 4 bits (Q4_1)"
    assert len(recorded) == 6 and TEXTS[1] in recorded and "another" not in recorded
    plain = recorded.says(body(text=TEXTS[0]), 0)
    begun = recorded.says(body(text=TEXTS[0], prefill="plain"), 0)
    assert (plain.prompt_tokens, begun.prompt_tokens) == (60, 62)
    assert (plain.content, begun.content) == (" negative", " positive")
    assert [recorded.turned(text) for text in TEXTS[:2]] == [True, False]
    turned = Task(dict.fromkeys(NAMES[::-1], ""), FILM_REVIEWS.task)
    assert recorded.says(body(turned, TEXTS[0], "plain"), 0).content == " negative"
    asked = body(text=TEXTS[0], prefill="plain", temperature=1.0)
    votes = [recorded.says(asked, turn).content for turn in range(3)]
    assert votes == [" positive", " negative", " positive"]


def test_a_teacher_asks_for_recorded_answers_like_for_any(recorded, make):
    with LoopbackServer(recorded) as server:
        plain, begun = make(server), make(server, prefill="plain")
        assert plain.logits(TEXTS).argmax(1).tolist() == [0] * 6
        assert begun.logits(TEXTS).argmax(1).tolist() == [1] * 6
        votes = make(server, how="votes", samples=2, prefill="plain")
        assert votes.logits(TEXTS) == pytest.approx(np.log(0.5), abs=1e-6)
        bias = position_bias(begun, TEXTS[:1])
        assert (bias.texts, bias.flipped) == (1, 1.0)
        assert server.usage["prompt"] == 6 * 60 + 18 * 62 + 62


def test_the_recorder_asks_about_short_texts_of_validation_first():
    wanted = RECORDER["wanted"](10)
    assert len({text for text, _ in wanted}) == len(wanted)
    frame = read_sample().frame
    held_out = set(frame[frame["part"] == "validation"]["text"].map(clean_text))
    assert sum(text in held_out for text, _ in wanted) == len(wanted) - 10
    assert all(len(text.split()) <= RECORDER["WORDS"] for text, _ in wanted)
    assert [turned for _, turned in wanted].index(False) == RECORDER["TURNED"]


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="none.parquet"):
        RecordedModel(tmp_path / "none.parquet")


@pytest.mark.parametrize(
    ("task", "text", "prefill"),
    [
        (FILM_REVIEWS, "a text that nobody knows", None),
        (Task({"ham": "", "spam": ""}), None, None),
        (Task(FILM_REVIEWS.classes, "Another sentence."), None, "plain"),
        (Task({n: "a definition" for n in NAMES}, FILM_REVIEWS.task), None, None),
        (Task(dict.fromkeys(NAMES[::-1], ""), FILM_REVIEWS.task), None, None),
        (Task(dict.fromkeys(NAMES[::-1], ""), FILM_REVIEWS.task), None, "plain"),
    ],
    ids=["text", "classes", "sentence", "definitions", "turned, plain", "not turned"],
)
def test_what_was_not_recorded_is_no_answer(recorded, task, text, prefill):
    with pytest.raises(NothingToSayError, match="recorded"):
        recorded.says(body(task, text or TEXTS[1], prefill), 0)


def test_a_server_refuses_what_its_speaker_cannot_say(recorded, make):
    with LoopbackServer(recorded) as server:
        with pytest.raises(ApiError, match="400: nobody recorded an answer"):
            make(server).logits(["a text that nobody knows"])
        listed = ChatServer(server.url).models()
    assert listed == recorded.models


# --------------------------------------------------- one of the kit's teachers
@pytest.fixture(scope="module")
def shipped(tmp_path_factory):
    return open_teacher("shipped", tmp_path_factory.mktemp("cache"), NAMES)


def test_a_teacher_of_the_kit_gives_its_own_shares_through_the_protocol(
    shipped, texts, make
):
    expected = softmax(shipped.logits(texts[:10]), axis=1)
    with LoopbackServer(TeacherSpeaker(shipped, "kit-teacher")) as server:
        assert server.speaker.owner == "the kit's own teacher, SoftTargets"
        teacher = make(server)
        found = softmax(teacher.logits(texts[:10]), axis=1)
        assert found == pytest.approx(expected, abs=1e-4)
        votes = softmax(make(server, how="votes").logits(texts[:10]), axis=1)
        with pytest.raises(ApiError, match="knows .*, not \\['ham', 'spam'\\]"):
            make(server, Task({"ham": "", "spam": ""})).logits(texts[:1])
    assert abs(votes - expected).max() < 0.2
    assert server.usage["requests"] == 90 == server.requests - 1


def test_a_speaker_needs_names_of_classes(shipped):
    class Nameless:
        label_names = None

    with pytest.raises(ValueError, match="must know the names of its classes"):
        TeacherSpeaker(Nameless(), "m")


def test_a_batch_is_answered_as_the_requests_would_be(shipped, texts, make, tmp_path):
    server = LoopbackServer(TeacherSpeaker(shipped, "kit-teacher"))
    asks = [*texts[:5], "a text that nobody knows"]
    for kind, each in (("log-probabilities", 1), ("votes", 8)):
        teacher = make(server, how=kind)
        path, out = tmp_path / f"{kind}.jsonl", tmp_path / f"{kind}.out"
        assert write_batch(teacher, asks, path, kind) == 6 * each
        assert server.answer_batch(path, out) == 5 * each
        counts = read_batch(teacher, asks, out, kind)
        assert counts == {"kept": 5 * each, "failed": each}
    soft = softmax(make(server).logits(texts[:5]), axis=1)
    votes = softmax(make(server, how="votes").logits(texts[:5]), axis=1)
    assert server.requests == 0 and abs(soft - votes).max() < 0.2
    with pytest.raises(FileExistsError):
        server.answer_batch(path, out)
    server.close()
