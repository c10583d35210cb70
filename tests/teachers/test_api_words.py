"""A language model as a teacher: what needs no server."""

import json
import math
import re

import numpy as np
import pytest

from distill_helpers.data.class_order import ClassNamesError
from distill_helpers.evaluation.metrics import expected_calibration_error
from distill_helpers.places import NOTEBOOKS
from distill_helpers.teachers.api import (
    AnswerStore,
    ApiTeacher,
    ChatServer,
    DamagedStoreError,
    Reply,
    Task,
    api_teacher,
    draw_examples,
    label_distribution,
    price_of,
    read_answer,
    read_task,
    request_key,
    scrub,
    vote_shares,
)
from distill_helpers.teachers.api.money import Price, known_prices, learn_usage
from distill_helpers.teachers.api.store import BUSY, OverBudget
from distill_helpers.teachers.calibrating import calibrate_with_shifts

TWO = ["negative", "positive"]
TASK = Task({"negative": "would not see it again", "positive": ""})


# ------------------------------------------------------- log-probabilities
def test_spellings_are_merged_and_the_mass_is_told():
    logs = {
        "positive": 0.2,
        " Positive": 0.1,
        "\u2581pos": 0.05,
        "neg": 0.15,
        "The": 0.3,
    }
    found = label_distribution({t: math.log(p) for t, p in logs.items()}, TWO)
    assert found.state == "found" and found.mass == pytest.approx(0.5)
    assert found.shares == pytest.approx([0.3, 0.7])
    assert found.usable() and not found.usable(0.6)


def test_a_class_that_is_not_among_few_tokens_is_not_ruled_out():
    found = label_distribution([("positive", -0.2), ("The", -2.5)], TWO)
    assert found.shares.tolist() == [0, 1]
    assert found.filled()[0] == pytest.approx(
        math.exp(-2.5) / (math.exp(-2.5) + math.exp(-0.2))
    )
    assert found.filled().sum() == pytest.approx(1)


@pytest.mark.parametrize(
    ("top", "state"),
    [
        (None, "missing"),
        ([], "missing"),
        ([("positive", 0.0), ("negative", -9999.0)], "hollow"),
        ([("positive", 0.0)], "hollow"),
        ([("positive", -9999.0), ("negative", -9999.0)], "hollow"),
        ([("positive", float("nan")), ("negative", float("-inf"))], "hollow"),
        ([("positive", 3.0), ("negative", -9999.0)], "hollow"),
        ([("The", -0.1), ("I", -2.5), (" ", -3.0)], "outside"),
    ],
)
def test_what_is_no_probability_is_not_taken_for_one(top, state):
    found = label_distribution(top, TWO)
    assert found.state == state and found.mass == 0 and not found.usable()
    assert np.isnan(found.shares).all()


def test_a_beginning_counts_only_where_one_class_begins_so():
    names = ["not urgent", "not clear", "urgent"]
    logs = [("not", -0.5), ("urg", -1.5), ("not c", -2.0)]
    found = label_distribution(logs, names)
    assert found.mass == pytest.approx(math.exp(-1.5) + math.exp(-2.0))
    assert found.shares[0] == 0
    # Case counts where classes differ in nothing else.
    told = label_distribution([("US", -1.0), ("us", -2.0), ("u", -3.0)], ["US", "us"])
    assert told.mass == pytest.approx(math.exp(-1) + math.exp(-2) + math.exp(-3))
    assert told.shares[0] == pytest.approx(math.exp(-1) / told.mass)
    with pytest.raises(ValueError, match="labels must name at least two"):
        label_distribution(logs, ["one"])


@pytest.mark.parametrize(
    ("content", "read"),
    [
        ("positive", 1),
        (" Positive.\n", 1),
        ("**negative**", 0),
        ("Label: positive", 1),
        ('{"label": "negative"}', 0),
        ('```json\n{"label": "positive"}\n```', 1),
        ("positive\n\nThe reviewer liked it.", 1),
        ("not positive", None),
        ("It is positive, I think.", None),
        ("neither", None),
        ("pos", None),
        ("", None),
        ("{}", None),
        ('{"a": "positive", "b": "negative"}', None),
    ],
)
def test_an_answer_outside_the_classes_is_never_guessed(content, read):
    assert read_answer(content, TWO) == read


def test_votes_are_smoothed_and_their_error_shrinks():
    one, eight = (vote_shares([1] * k, 2) for k in (1, 8))
    assert one.shares == pytest.approx([0.25, 0.75])
    assert eight.shares[1] > one.shares[1] and eight.error < one.error
    mixed = vote_shares([0, 1, None, 1], 2)
    assert (mixed.counted, mixed.outside) == (3, 1)
    assert np.isnan(vote_shares([None], 2).shares).all()
    with pytest.raises(ValueError, match="votes must lie in 0..1"):
        vote_shares([2], 2)
    with pytest.raises(ValueError, match="smoothing must be a finite number above 0"):
        vote_shares([0], 2, smoothing=0)


def test_calibration_moves_the_threshold_and_the_sureness():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, 600)
    margin = rng.normal(2.0 * truth - 1.0, 1.5)
    # Ranks well, says "negative" nearly always, and is far too sure.
    logits = np.stack([np.zeros(600), 4 * margin - 6], 1).astype(np.float32)
    fitted = calibrate_with_shifts(logits[:300], truth[:300])
    before, after = logits[300:], fitted(logits[300:])
    right = [(z.argmax(1) == truth[300:]).mean() for z in (before, after)]
    ece = [expected_calibration_error(z, truth[300:]) for z in (before, after)]
    assert right[1] > right[0] + 0.05 and ece[1] < ece[0] / 3
    assert fitted.temperature > 2 and fitted.shift[1] > fitted.shift[0]
    assert sum(fitted.shift) == pytest.approx(0)


# ------------------------------------------------------------------ prompt
def test_the_prompt_names_classes_definitions_examples_and_the_text():
    rows = [(f"{name} text {i}", name) for i in range(6) for name in TWO]
    texts, names = zip(*rows)
    task = draw_examples(TASK, texts, names, per_class=1)
    messages = task.messages("the text", order=[1, 0], head=True)
    assert [m["role"] for m in messages] == ["system"] + ["user", "assistant"] * 3
    system = messages[0]["content"]
    assert system.index("- positive") < system.index("- negative: would not see")
    assert {m["content"] for m in messages[2:-2:2]} == {f"Label: {n}" for n in TWO}
    assert messages[-2]["content"] == "Text:\nthe text"
    assert messages[-1]["content"] == "Label:"
    assert task.fingerprint != TASK.fingerprint
    with pytest.raises(ValueError, match="examples need 7 labelled texts of each"):
        draw_examples(TASK, texts, names, per_class=7)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("[classes]\na = 'x'", "at least two classes"),
        ("[classes]\na = 1\nb = 'x'", "'a' needs a text"),
        ("[classes]\na = ''\nA = ''", "differ in more than case"),
        ("[klasses]\na = ''", "must hold a table [classes]"),
        ("[classes]\na = ''\nb = ''\n[examples]", "must hold a table [classes]"),
        ("task = ", "cannot be read as TOML"),
    ],
)
def test_a_file_of_classes_that_is_wrong_is_named(tmp_path, content, says):
    path = tmp_path / "classes.toml"
    path.write_text(content)
    with pytest.raises(ValueError) as refused:
        read_task(path)
    assert says in str(refused.value) and "classes=" in str(refused.value)
    path.write_text('task = "Sort."\n[classes]\nham = "wanted"\nspam = ""')
    assert read_task(path) == Task({"ham": "wanted", "spam": ""}, "Sort.")


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("a.b+c@mail.example.org wrote", "[email] wrote"),
        ("see https://x.example/a?b=c.", "see [link]."),
        ("pay 4111 1111 1111 1111 now", "pay [card] now"),
        ("to DE89 3704 0044 0532 0130 00 please", "to [iban] please"),
        ("from 192.168.10.4 again", "from [address] again"),
        ("call +44 (0)20 7946 0958!", "call [phone]!"),
        ("call 020-7946-0958", "call [phone]"),
        ("in 1999, 7.5 of 10, 3,000,000 saw it on 2024-05-17", None),
        ("order 4111111111111112, version 1.2.3.4567, 1939-1945", None),
    ],
)
def test_what_has_the_form_of_personal_data_is_taken_out(text, left):
    cleaned, found = scrub(text)
    assert cleaned == (left or text) and bool(found) == bool(left)


# ------------------------------------------------------------------- money
def test_prices_are_dated_and_hits_are_not_assumed():
    assert {"deepseek-flash", "deepseek-v4-pro", "gpt-5.6-luna"} <= set(known_prices())
    for price in known_prices().values():
        assert 0 < price.cached < price.input < price.output
        assert "20" in price.said and "https://" in price.said
    price = Price(1.0, 2.0, cached=0.1)
    assert price.of(1_000_000, 500_000) == pytest.approx(2.0)
    assert price.of(1_000_000, 0, cached=500_000) == pytest.approx(0.55)
    assert price_of("unheard-of") is None
    assert price_of("unheard-of", own_server=True).of(10**9, 10**9) == 0
    assert price_of("deepseek-flash", (1, 2)).output == 2
    for wrong in ("1,2", [1], [1, -2]):
        with pytest.raises(ValueError, match="price"):
            price_of("m", wrong)


def test_a_servers_way_of_counting_is_learnt():
    replies = [
        Reply("x", prompt_tokens=12 + n // 5, completion_tokens=3, asked_bytes=n)
        for n in range(100, 1000, 25)
    ]
    usage = learn_usage(replies, 50)
    assert usage.learnt_from == len(replies) and usage.completion == 3
    assert usage.prompt(np.array([2000]))[0] == pytest.approx(412, rel=0.01)
    assert learn_usage(replies[:3], 50).learnt_from == 0


def test_a_key_names_the_whole_request():
    body = {
        "model": "m",
        "messages": [{"role": "user", "content": "a"}],
        "max_tokens": 5,
    }
    keys = {
        request_key(body, "s"),
        request_key({**body, "model": "n"}, "s"),
        request_key({**body, "max_tokens": 6}, "s"),
        request_key({**body, "temperature": 0}, "s"),
        request_key({**body, "messages": [{"role": "user", "content": "b"}]}, "s"),
        request_key(body, "t"),
        request_key(body, "s", 1),
    }
    assert len(keys) == 7


# ------------------------------------------------------------------- store
@pytest.fixture
def store(tmp_path):
    return AnswerStore(tmp_path / "answers.sqlite")


def test_money_is_reserved_before_and_settled_after(store):
    assert store.claim("a", 0.6, most=1.0) is None
    with pytest.raises(OverBudget) as over:
        store.claim("b", 0.5, most=1.0)
    assert (over.value.spent, over.value.reserved) == (0, 0.6)
    store.keep("a", "t", Reply("yes"), 0.2)
    assert (store.spent, store.reserved) == (0.2, 0)
    assert store.claim("a", 0.6, most=1.0).content == "yes"
    assert store.claim("b", 0.5, most=1.0) is None
    with pytest.raises(OverBudget):
        store.claim_more("b", 0.5, most=1.0)
    store.give_up("b", 0.5)
    assert store.spent == pytest.approx(0.7)


def test_two_openers_share_one_file_and_one_budget(store):
    other = AnswerStore(store.path)
    assert store.claim("a", 0.5, 1.0) is None
    assert other.claim("a", 0.5, 1.0) is BUSY
    with pytest.raises(OverBudget):
        other.claim("b", 0.6, 1.0)
    store.keep("a", "t", Reply("yes", tokens=(("y", (("yes", -0.5),)),)), 0.1)
    assert other.claim("a", 0.5, 1.0) == store.find(["a"])["a"]


def test_a_damaged_row_is_named_and_asked_again(store, capsys):
    for key in "abc":
        store.claim(key, 0)
        store.keep(key, "t", Reply(f"answer {key}"), 0.1)
    store._file.execute(
        "UPDATE answers SET reply=replace(reply, 'b', 'x') WHERE key='b'"
    )
    assert set(store.find(["a", "b", "c"])) == {"a", "c"}
    assert store.damaged == ["b"] and "the row b of" in capsys.readouterr().out
    assert store.claim("b", 0) is None
    assert store.spent == pytest.approx(0.3)  # paid all the same


def test_a_file_that_is_no_store_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "letters.sqlite"
    path.write_text("dear reader, " * 100)
    with pytest.raises(DamagedStoreError, match="no file of answers"):
        AnswerStore(path)
    assert path.read_text().startswith("dear reader")


# --------------------------------------------------------------- refusals
@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("http://api.example.org/v1", "is not encrypted"),
        ("http://10.0.0.7:8000", "is not encrypted"),
        ("http://localhost.example.org", "is not encrypted"),
        ("https://user:pass@api.example.org", "without a name, a password"),
        ("https://api.example.org/v1?key=abc", "without a name, a password"),
        ("api.example.org", "must look like"),
        ("ftp://api.example.org", "must look like"),
    ],
)
def test_an_address_that_would_show_texts_or_key_is_refused(address, says):
    with pytest.raises(ValueError, match="base_url") as refused:
        ChatServer(address)
    assert says in str(refused.value)


def test_loopback_needs_no_encryption_and_each_host_has_its_own_key():
    for address in (
        "http://127.0.0.1:8000/v1",
        "http://[::1]:1/v1",
        "http://localhost",
    ):
        assert ChatServer(address).own
    assert ChatServer("https://api.deepseek.com").variable == "DEEPSEEK_API_KEY"
    assert ChatServer("https://api.deepseek.com.example").variable == "DISTILL_API_KEY"


@pytest.mark.parametrize(
    ("given", "error", "says"),
    [
        ({"api_key": "sk-1"}, TypeError, "api_key is no option"),
        ({"name": "api:"}, ValueError, "must name a model"),
        ({"name": "api:unheard-of"}, ValueError, "base_url must say which server"),
        ({"label_names": None}, ValueError, "must know the classes"),
        ({"classes": {"a": "", "b": ""}}, ClassNamesError, "without a partner"),
        ({"labelled": [("x", "neutral")]}, ClassNamesError, "is none of"),
        ({"how": "guess"}, ValueError, "how must be one of"),
        ({"samples": 0}, ValueError, "samples must lie in"),
        ({"max_cost": 0}, ValueError, "max_cost must be a finite number above 0"),
        ({"prefill": "yes"}, ValueError, "prefill must be one of"),
    ],
)
def test_a_wrong_option_of_the_teacher_is_named(
    tmp_path, monkeypatch, given, error, says
):
    monkeypatch.delenv("DISTILL_API_BASE_URL", raising=False)
    name = given.pop("name", "api:deepseek-flash")
    names = given.pop("label_names", TWO)
    with pytest.raises(error) as refused:
        api_teacher(name, tmp_path, names, **given)
    assert says in str(refused.value) and "sk-1" not in str(refused.value)
    assert not list(tmp_path.iterdir())


def test_nothing_is_sent_without_a_budget_or_a_price(tmp_path):
    options = {"server": "https://api.example.org", "store": tmp_path / "a.sqlite"}
    with pytest.raises(ValueError, match="price: nobody knows what model='m' costs"):
        ApiTeacher("m", TASK, **options).logits(["x"])
    with pytest.raises(ValueError, match="max_cost must say .* nothing was sent"):
        ApiTeacher("m", TASK, price=(1, 1), **options).logits(["x"])
    teacher = ApiTeacher("m", TASK, price=(1, 1), **options)
    assert "at most $" in str(teacher.estimate(["x"]))


def test_a_reply_survives_its_way_to_the_store():
    raw = {
        "choices": [
            {
                "message": {"content": "half \ud83d", "reasoning_content": "thus"},
                "logprobs": {
                    "content": [
                        {"token": "a", "top_logprobs": [{"token": "a", "logprob": -1}]}
                    ]
                },
                "finish_reason": "length",
            }
        ],
        "usage": {"prompt_tokens": 9, "completion_tokens": 4},
    }
    reply = Reply.from_completion(json.loads(json.dumps(raw)), 20)
    assert Reply.from_json(reply.to_json()) == reply
    assert (reply.reasoning, reply.finish, reply.prompt_tokens) == ("thus", "length", 9)
    for wrong in ({}, {"choices": "none"}, {"choices": [{"message": "x"}]}, [], None):
        with pytest.raises(ValueError, match="no chat completion"):
            Reply.from_completion(wrong)


def test_no_stored_notebook_holds_what_looks_like_a_key():
    looks = re.compile(r"\bsk-[A-Za-z0-9_-]{16,}|Bearer [A-Za-z0-9_-]{16,}")
    assert looks.search("sk-0123456789abcdef0123")  # what is looked for is found
    kept = {path.name: path.read_text("utf-8") for path in NOTEBOOKS.glob("*.ipynb")}
    assert kept and [name for name, text in kept.items() if looks.search(text)] == []
