"""A language model as a teacher, asked over loopback, with all that can go wrong."""

import json
import logging
import os
import signal
import sys
import time
import traceback
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from api_server import KEY, ApiServer, text_of

from distill_helpers.__main__ import main as kit
from distill_helpers.own_data import Request, distil, look, open_guide
from distill_helpers.teachers import CachedTeacher, open_teacher
from distill_helpers.teachers.api import (
    AnswerStore,
    ApiError,
    ApiTeacher,
    BudgetReachedError,
    ChatServer,
    KeyMissingError,
    Task,
    api_teacher,
    position_bias,
    read_batch,
    write_batch,
)
from distill_helpers.teachers.stored import MissingAnswersError

pytest.importorskip("openai", reason="the extra 'api' is not installed")

TASK = Task({"ham": "wanted mail", "spam": ""})
TEXTS = [f"ham {'spam ' * (i % 4)}letter {i}" for i in range(12)]


@pytest.fixture(scope="module")
def running():
    with ApiServer() as server:
        yield server


@pytest.fixture
def api(running):
    return running.reset()


@pytest.fixture
def make(api, tmp_path):
    """Make a teacher; on one store, unless told otherwise."""

    def made(model="tiny-chat", task=TASK, timeout=20, retries=5, **options):
        server = ChatServer(api.url, timeout=timeout, retries=retries)
        options = {"store": tmp_path / "answers.sqlite", "progress": False} | options
        return ApiTeacher(model, task, server=server, **options)

    return made


def expected(texts=TEXTS):
    odds = np.array([text.split().count("spam") - 1 for text in texts])
    return 1 / (1 + np.exp(-odds))


def shares(logits):
    return np.exp(logits)[:, 1] / np.exp(logits).sum(1)


# ---------------------------------------------------------------- answers
def test_soft_labels_come_from_log_probabilities_and_are_asked_once(make, api):
    teacher = make()
    assert teacher.problem_type == "single_label_classification"
    assert shares(teacher.logits(TEXTS)) == pytest.approx(expected(), abs=1e-5)
    assert len(api.bodies) == len(TEXTS) and teacher.knows(TEXTS).all()
    body = api.bodies[0]
    assert (body["logprobs"], body["top_logprobs"], body["temperature"]) == (
        True,
        20,
        0,
    )
    again = make()
    assert np.array_equal(again.logits(TEXTS), teacher.logits(TEXTS))
    assert len(api.bodies) == len(TEXTS)  # nothing twice, in no process
    assert make(how="votes").fingerprint != teacher.fingerprint


@pytest.mark.parametrize("fault", ["hollow", "no logprobs"])
def test_votes_stand_in_where_log_probabilities_say_nothing(make, api, fault):
    api.fault = lambda number, body: fault
    teacher = make(samples=8)
    found = shares(teacher.logits(TEXTS))
    assert abs(found - expected()).max() < 0.2
    # After five answers without any, they are asked for no more.
    assert sum(bool(body.get("logprobs")) for body in api.bodies) == 5
    assert len(api.bodies) == 5 + 8 * len(TEXTS)
    answers = teacher.ask(TEXTS)
    assert {a.how for a in answers} == {"votes"} and all(a.error > 0 for a in answers)
    make(samples=8).logits(TEXTS)
    assert len(api.bodies) == 5 + 8 * len(TEXTS)


def test_thin_mass_leads_to_votes_text_by_text(make, api):
    api.mass = 0.05
    assert {a.how for a in make(samples=2).ask(TEXTS[:6])} == {"votes"}
    thin = make(how="log-probabilities").ask(TEXTS[:6])
    assert {(a.how, a.shares) for a in thin} == {("thin", None)}
    told = make(how="log-probabilities", least_mass=0.01).ask(TEXTS[:6])
    assert [a.mass for a in told] == pytest.approx([0.05] * 6)


def test_a_server_without_log_probabilities_may_say_so(make, api):
    api.fault = lambda n, body: "bad" if not body.get("logprobs") else 400
    teacher = make(samples=1)
    with pytest.raises(ApiError, match="the request is not accepted"):
        teacher.logits(TEXTS)
    api.reset().models.append("logprobs")
    api.fault = lambda n, body: (422, {}) if body.get("logprobs") else None
    api.refusal = "logprobs are not supported"
    assert {a.how for a in make(samples=1).ask(TEXTS)} == {"votes"}


def test_what_is_no_answer_is_counted_by_its_kind_and_named(make, api):
    kinds = ["prose", "refusal", "filtered", "blank", 413, None]
    order = {text: kinds[i % len(kinds)] for i, text in enumerate(TEXTS)}
    order[TEXTS[0]] = None  # asked first, alone
    api.fault = lambda n, body: order[text_of(body)]
    teacher = make(how="votes", samples=2)
    known = teacher.knows(TEXTS)
    assert known.tolist() == [order[text] is None for text in TEXTS]
    ways = [answer.how for answer in teacher.ask(TEXTS[1:5])]
    assert ways == ["refused", "refused", "blank", "rejected"]
    # Blank answers are asked for three times, the others once for each vote.
    asked = Counter(text_of(body) for body in api.bodies)
    assert asked[TEXTS[3]] == 6 and asked[TEXTS[1]] == 2
    assert "no usable answer to" in teacher.about["warnings"][0]
    with pytest.raises(MissingAnswersError, match=r"text 0 \(refused\)"):
        teacher.logits(TEXTS[1:])
    assert teacher.answers(TEXTS).shape == (len(TEXTS), 2)


def test_a_thinking_model_leaves_traces_and_a_warning(make, api):
    api.fault = lambda n, body: "thinks"
    teacher = make(how="votes", samples=2, thinking=True)
    (trace,) = teacher.traces(["ham letter"])
    assert trace.reasoning == "The word ham stands there."
    assert (trace.answer, trace.label, trace.finish) == ("ham", 0, "stop")
    teacher.logits(["ham letter"])
    assert any("temperature does nothing" in w for w in teacher.about["warnings"])
    assert all(b["thinking"] == {"type": "enabled"} for b in api.bodies)


def test_position_bias_is_seen_and_shuffling_spreads_it(make, api):
    def first_is_liked(body):
        names = [
            line[2:].split(":")[0]
            for line in body["messages"][0]["content"].split("\n")
            if line.startswith("- ")
        ]
        return {name: 0.8 if place == 0 else 0.2 for place, name in enumerate(names)}

    api.shares = first_is_liked
    found = position_bias(make(), TEXTS)
    assert found.flipped == 1 and found.first == pytest.approx(0.6)
    assert found.interval[0] > 0.7 and found.texts == len(TEXTS)
    mixed = shares(make(shuffle=True).logits([f"letter {i}" for i in range(40)]))
    assert 8 < (mixed > 0.5).sum() < 32
    api.reset()
    fair = position_bias(
        make(store=AnswerStore(make().store.path.with_name("b.sqlite"))), TEXTS
    )
    assert fair.flipped == 0 and fair.first == pytest.approx(0)


def test_labelled_rows_calibrate_it_and_none_of_them_is_shown(make, api):
    def too_sure(body):
        share = 0.97 if "spam" in text_of(body) else 0.6
        return {"ham": 1 - share, "spam": share}

    api.shares = too_sure
    rows = [(f"{n} {'x' * (i % 5)} {i}", n) for i in range(30) for n in TASK.classes]
    teacher = make(labelled=rows)
    found = shares(teacher.logits(["spam 1", "ham 1"]))
    assert found[0] > 0.9 and found[1] < 0.1  # .6 was the wrong side of a threshold
    assert teacher.fingerprint != make().fingerprint
    few = make(labelled=rows[:4])
    few.logits(["spam 1"])
    assert any("not calibrated" in w for w in few.about["warnings"])


# ----------------------------------------------------------------- faults
@pytest.mark.parametrize(
    "fault",
    [
        (429, {"retry-after": "0.05"}),
        (503, {"retry-after-ms": "20"}),
        "cut",
        "cut, unnoticed",
        "spaces",
        "keep-alive",
        0.2,
    ],
)
def test_what_passes_is_waited_for_and_asked_again(make, api, fault):
    def first_time(number, body):
        return fault if number in (0, 3, 5) else None

    api.fault = first_time
    if fault == "cut":
        api.fault = lambda number, body: fault if number == 3 else None
    started = time.monotonic()
    assert shares(make().logits(TEXTS)) == pytest.approx(expected(), abs=1e-5)
    repeated = len(api.bodies) - len(TEXTS)
    if fault in ("keep-alive", 0.2):
        assert repeated == 0
    else:
        assert repeated >= 1
    if isinstance(fault, tuple) and "retry-after" in fault[1]:
        assert time.monotonic() - started >= 0.05


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (400, "the request is not accepted"),
        (401, "the key is not accepted"),
        (402, "no money left"),
        (403, "may not be used"),
        (422, "the request is not accepted"),
        ((429, {"retry-after": "600"}), "asks to wait 600 seconds"),
        ((500, {"retry-after-ms": "1"}), "the server fails, also when asked again"),
        ("page", "does not speak the chat protocol"),
        ("silent", "did not answer within 0.3 seconds, 1 times"),
    ],
)
def test_what_does_not_pass_stops_the_run_with_its_reason(make, api, fault, says):
    api.fault = lambda number, body: fault
    quick = {"timeout": 0.3, "retries": 0} if fault == "silent" else {"retries": 2}
    teacher = make(**quick)
    with pytest.raises(ApiError) as stopped:
        teacher.logits(TEXTS)
    assert says in str(stopped.value)
    # The others are not worth a second try; 400 may be about what a text says.
    once = {500: 3, "page": 3, 400: 3, 422: 3}
    number = fault[0] if isinstance(fault, tuple) else fault
    assert len(api.bodies) == once.get(number, 1)
    assert teacher.store.reserved == 0
    api.reset()
    assert make().knows(TEXTS).all()


def test_texts_that_a_server_will_not_read_do_not_stop_the_others(make, api):
    risky = sorted(TEXTS, key=lambda text: len(text.encode()))[:2]
    api.fault = lambda number, body: 400 if text_of(body) in risky else None
    teacher = make()
    assert teacher.knows(TEXTS).tolist() == [text not in risky for text in TEXTS]
    assert teacher.about["answers"]["rejected"] == 2


def test_a_server_that_is_not_there_and_a_model_that_is_gone(make, api, tmp_path):
    with pytest.raises(ApiError, match=r"today it serves \['tiny-chat', 'tiny-reas"):
        make("old-chat").logits(TEXTS)
    nobody = ChatServer("http://127.0.0.1:9", retries=0)
    teacher = ApiTeacher("m", TASK, server=nobody, store=tmp_path / "b.sqlite")
    with pytest.raises(ApiError, match="cannot be reached or hung up 1 times"):
        teacher.logits(["x"])


def test_a_fault_in_the_middle_keeps_what_was_answered(make, api):
    api.fault = lambda number, body: 402 if number >= 7 else None
    with pytest.raises(ApiError, match="no money left"):
        make(concurrency=2).logits(TEXTS)
    kept = len(make().store)
    assert kept >= 6
    api.fault = lambda number, body: None
    before = len(api.bodies)
    make().logits(TEXTS)
    assert len(api.bodies) - before == len(TEXTS) - kept


def test_not_more_requests_are_on_their_way_than_allowed(make, api):
    api.fault = lambda number, body: 0.03
    make(concurrency=3).logits(TEXTS)
    assert 2 <= api.busiest <= 3


# ------------------------------------------------------------------ money
def test_the_estimate_meets_the_servers_count_and_the_bill(make, api):
    price = (2.0, 4.0)
    rng = np.random.default_rng(0)
    words = "ham spam letter money winner cat, dog; meeting on Monday!".split()
    pool = [" ".join(rng.choice(words, rng.integers(3, 60))) for _ in range(76)]
    old, new = pool[:16], pool[16:]
    teacher = make(price=price, max_cost=1)
    assert "a rule of thumb" in str(teacher.estimate(new)) and not api.bodies
    teacher.logits(old)
    told, spent, before = teacher.estimate(new), teacher.store.spent, dict(api.usage)
    assert (told.requests, told.learnt_from) == (len(new), len(old))
    teacher.logits(new)
    counted = {k: api.usage[k] - before[k] for k in before}
    assert told.prompt_tokens == pytest.approx(counted["prompt"], rel=0.05)
    bill = (2 * counted["prompt"] + 4 * counted["completion"]) / 1e6
    assert told.dollars == pytest.approx(bill, rel=0.05)
    assert bill <= told.worst
    assert teacher.store.spent - spent == pytest.approx(bill)
    assert teacher.estimate(new).requests == 0


def test_the_budget_is_never_passed_and_a_larger_one_goes_on(make, api):
    api.fault = lambda number, body: 0.01
    price = (1000.0, 1000.0)
    with pytest.raises(BudgetReachedError, match="max_cost=0.6 dollars is reached"):
        make(price=price, max_cost=0.6).logits(TEXTS)
    store = make().store
    bill = (api.usage["prompt"] + api.usage["completion"]) / 1000
    assert 0.2 < bill == pytest.approx(store.spent) and store.spent <= 0.6
    asked = len(api.bodies)
    assert 1 < asked < len(TEXTS) and store.reserved == 0
    make(price=price, max_cost=100.0).logits(TEXTS)
    assert len(api.bodies) == len(TEXTS)


def test_what_may_have_been_paid_is_counted_as_paid(make, api):
    api.fault = lambda number, body: "silent" if number == 1 else None
    teacher = make(price=(1000.0, 0.0), max_cost=100.0, timeout=0.5)
    teacher.logits(TEXTS[:2])
    bill = api.usage["prompt"] / 1000
    worst = teacher.label_questions(TEXTS[1:2])[0].worst(teacher.price)
    assert teacher.store.spent == pytest.approx(bill + worst)


needs_fork = pytest.mark.skipif(
    sys.platform != "linux", reason="processes are forked beside threads"
)
LETTERS = [f"ham letter {i}" for i in range(60)]


@pytest.fixture
def asked(api, tmp_path):
    """Ask about the letters, in this process or in a forked one."""
    path = tmp_path / "shared.sqlite"

    def ask():
        ApiTeacher(
            "tiny-chat",
            TASK,
            server=api.url,
            store=path,
            concurrency=4,
            progress=False,
            price=(1.0, 1.0),
            max_cost=10.0,
        ).logits(LETTERS)

    def in_a_fork():
        child = os.fork()
        if not child:
            try:
                ask()
            finally:
                os._exit(0)
        return child

    return ask, in_a_fork, path


@needs_fork
def test_killed_at_twenty_points_it_loses_no_answer_and_asks_none_twice(api, asked):
    ask, in_a_fork, path = asked
    child = None

    def kill_at_every_third(number, body):
        if child and number % 3 == 2:
            os.kill(child, signal.SIGKILL)
        return 0.005

    api.fault = kill_at_every_third
    for _ in range(20):
        child = in_a_fork()
        _, status = os.waitpid(child, 0)
        assert os.WIFSIGNALED(status)
    child = None
    ask()
    store = AnswerStore(path)
    assert len(store) == 60 and store.reserved == 0 and store.spent < 10
    # Whatever was asked again was on its way when the process died, and is counted.
    assert 20 <= len(api.bodies) - 60 <= store.lost <= 20 * 4


@needs_fork
def test_two_processes_share_the_work(api, asked):
    ask, in_a_fork, path = asked
    api.fault = lambda number, body: 0.01
    child = in_a_fork()
    ask()
    os.waitpid(child, 0)
    assert sorted(map(text_of, api.bodies)) == sorted(LETTERS)
    assert len(AnswerStore(path)) == 60


# ----------------------------------------------------------------- the key
def test_the_key_is_sent_and_shows_nowhere(make, api, tmp_path, monkeypatch, caplog):
    caplog.set_level(logging.DEBUG)
    api.key = KEY
    monkeypatch.setenv("DISTILL_API_KEY", KEY)
    teacher = make()
    teacher.logits(TEXTS[:3])
    assert (
        api.headers[0].get("authorization", api.headers[0].get("Authorization"))
        == f"Bearer {KEY}"
    )
    api.key = "another"  # the server says the wrong key back
    seen = [repr(teacher), str(teacher.about), repr(teacher.server), str(vars(teacher))]
    with pytest.raises(ApiError, match="the key is not accepted") as refused:
        make(store=tmp_path / "b.sqlite").logits(TEXTS[3:])
    assert "<key>" in str(refused.value)
    error = refused.value
    while error is not None:
        shown = traceback.TracebackException.from_exception(error, capture_locals=True)
        seen += list(shown.format())
        error = error.__context__ or error.__cause__
    seen += [record.getMessage() for record in caplog.records]
    assert not [text for text in seen if KEY in text]
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or KEY.encode() not in path.read_bytes(), path


def test_a_server_learns_nothing_else_of_the_environment(make, api, monkeypatch):
    theirs = {
        "OPENAI_API_KEY": "sk-openai",
        "OPENAI_ORG_ID": "org-secret",
        "OPENAI_PROJECT_ID": "project-secret",
        "OPENAI_CUSTOM_HEADERS": "X-Mine: header-secret",
    }
    for name, value in theirs.items():
        monkeypatch.setenv(name, value)
    make().logits(TEXTS[:1])
    sent = str(api.headers)
    assert "Bearer none" in sent
    assert not [value for value in theirs.values() if value.split(": ")[-1] in sent]


def test_a_missing_key_and_one_in_a_cell_are_refused(monkeypatch, tmp_path):
    server = ChatServer("https://api.example.org", retries=0)
    teacher = ApiTeacher("m", TASK, server=server, store=tmp_path / "a", price=(0, 0))
    monkeypatch.delenv("DISTILL_API_KEY", raising=False)
    with pytest.raises(KeyMissingError, match="set the environment variable DISTILL"):
        teacher.logits(["x"])
    assert not (tmp_path / "a").exists()  # no empty file of answers is left

    class Shell:
        user_ns = {"In": ["", f'os.environ["DISTILL_API_KEY"] = "{KEY}"']}

    class IPython:
        get_ipython = staticmethod(lambda: Shell)

    monkeypatch.setenv("DISTILL_API_KEY", KEY)
    monkeypatch.setitem(sys.modules, "IPython", IPython)
    with pytest.raises(KeyMissingError, match="stands in a cell") as refused:
        teacher.logits(["x"])
    assert KEY not in str(refused.value)


# ------------------------------------------------------ like other teachers
def test_it_opens_by_name_in_the_order_of_the_data_and_can_be_cached(
    api, tmp_path, monkeypatch
):
    monkeypatch.setenv("DISTILL_API_BASE_URL", api.url)
    task = {"ham": "", "junk": ""}
    teacher = open_teacher(
        "api:tiny-chat", tmp_path, ["spam", "ham"], {"junk": "spam"}, classes=task
    )
    assert teacher.label_names == ["spam", "ham"]
    logits = teacher.logits(["ham ham x", "junk x"])
    assert logits.argmax(1).tolist() == [1, 0]
    cached = CachedTeacher(teacher, tmp_path / "cache")
    assert np.array_equal(cached.logits(["ham ham x", "junk x"]), logits)
    assert len(api.bodies) == 2


def test_the_command_prices_asks_and_writes_a_table(
    file, api, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    classes = Path("classes.toml")
    classes.write_text(
        '[classes]\nlogin = ""\nbilling = "money"\ndelivery = ""', "utf-8"
    )
    api.shares = by_topic
    words = ["ask", str(file), "--teacher", "api:tiny-chat", "--base-url", api.url]
    words += ["--classes", str(classes)]
    assert kit([*words, "--dry-run"]) == 0
    assert "requests to send" in capsys.readouterr().out
    assert not api.bodies and list(tmp_path.iterdir()) == [classes.absolute()]
    assert kit(words) == 0
    said = capsys.readouterr().out
    assert "soft targets of 120 texts lie in tickets_soft_targets.parquet" in said
    table = open_teacher(
        "tickets_soft_targets.parquet", "", ["billing", "delivery", "login"]
    )
    logits = table.logits([text_of(body) for body in api.bodies])
    assert logits.shape == (120, 3)
    Path("few.toml").write_text('[classes]\nlogin = ""\nbilling = ""', "utf-8")
    fresh = [*words[:-2], "--output", "other.parquet"]
    for wrong, says in (
        (words, "exists already"),
        ([*words, "--output", "x.csv"], ".parquet"),
        ([*fresh, "--classes", "few.toml"], "--classes must name each class of the"),
        ([*fresh, "--classes", "none.toml"], "--classes='none.toml'"),
    ):
        with pytest.raises(SystemExit):
            kit(wrong)
        assert says in capsys.readouterr().err


def by_topic(body):
    from conftest import TICKETS

    words = text_of(body).split()
    hits = {name: sum(w in found for w in words) for name, found in TICKETS.items()}
    odds = {name: 3.0 ** hits[name] for name in hits}
    return {name: value / sum(odds.values()) for name, value in odds.items()}


def test_a_file_is_distilled_with_a_language_model_as_its_teacher(file, api, tmp_path):
    api.shares = by_topic
    said = []
    request = Request(
        file,
        teacher="api:tiny-chat",
        base_url=api.url,
        output=tmp_path / "student",
        student="bigram",
        seeds=(0,),
        epochs=10,
    )
    assert distil(request, progress=False, say=said.append, dry_run=True) is None
    assert not api.bodies and not list(tmp_path.iterdir())
    assert "120 requests to send" in "\n".join(said)
    guide = open_guide(request, look(request), progress=False)
    assert guide.quality.loc["train", "accuracy"] > 0.9
    assert "answers: log-probabilities" in str(guide)
    asked = len(api.bodies)
    assert guide.knows(list(guide.texts.reviews["test"]["text"])).all()
    assert len(api.bodies) == asked == 120  # each text once
    assert AnswerStore(tmp_path / "student_answers.sqlite").spent == 0


@pytest.mark.full
def test_a_file_is_distilled_from_end_to_end(file, api, tmp_path):
    api.shares = by_topic
    words = ["distill", str(file), "--teacher", "api:tiny-chat", "--base-url", api.url]
    words += ["--student", "bigram", "--seeds", "1", "--epochs", "10"]
    assert kit([*words, "--output", str(tmp_path / "student")]) == 0
    assert len(api.bodies) == 120
    result = json.loads((tmp_path / "student" / "results.json").read_text("utf-8"))
    assert "api:tiny-chat" in json.dumps(result)
    names = {path.name for path in tmp_path.iterdir()}
    assert {"student", "student_answers.sqlite"} <= names


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"teacher": "api:"}, "must name a model"),
        ({"teacher": "api:m", "several_labels": "|"}, "gives one label a text"),
        ({"teacher": "api:m", "classes": "none.toml"}, "classes: there is no file"),
        ({"teacher": "api:m", "max_cost": -1}, "max_cost must be"),
        ({"max_cost": 1.0}, "it needs teacher='api:MODEL'"),
    ],
)
def test_a_wrong_option_of_distill_is_named(file, tmp_path, given, says):
    with pytest.raises((ValueError, OSError)) as refused:
        Request(file, output=tmp_path / "new", **given)
    assert says in str(refused.value)


# ------------------------------------------------------------------ batches
def test_a_batch_run_elsewhere_fills_the_store(make, api, tmp_path):
    teacher = make(price=(1.0, 1.0), max_cost=1.0)
    teacher.logits(TEXTS[:2])
    path = tmp_path / "batch.jsonl"
    assert write_batch(teacher, TEXTS, path) == 10
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    out, curator = tmp_path / "out.jsonl", tmp_path / "curator.jsonl"
    answers = [api.completion(line["body"], None) for line in lines]
    rows = [
        {
            "custom_id": line["custom_id"],
            "response": {"status_code": 200, "body": found},
        }
        for line, found in zip(lines[:4], answers)
    ]
    rows += [{"custom_id": lines[4]["custom_id"], "response": answers[4]}]
    rows += [
        {"custom_id": lines[5]["custom_id"], "error": {"code": 1}},
        {"custom_id": "x"},
    ]
    out.write_text("\n".join(map(json.dumps, rows)))
    assert read_batch(teacher, TEXTS, out) == {"kept": 5, "failed": 1, "others": 1}
    rows = [
        {
            "generic_request": {"messages": line["body"]["messages"]},
            "raw_response": found,
            "response_message": "ham",
        }
        for line, found in zip(lines[5:], answers[5:])
    ]
    curator.write_text("\n".join(map(json.dumps, rows)))
    assert read_batch(teacher, TEXTS, curator) == {"kept": 5}
    asked = len(api.bodies)
    assert shares(make().logits(TEXTS)) == pytest.approx(expected(), abs=1e-5)
    assert len(api.bodies) == asked
    out.write_text('{"prompt": "x"}')
    with pytest.raises(ValueError, match="line 1: must be a line of a batch's output"):
        read_batch(teacher, TEXTS, out)


def test_settings_from_the_environment_are_checked(monkeypatch, tmp_path):
    monkeypatch.setenv("DISTILL_API_MAX_COST", "much")
    with pytest.raises(ValueError, match="DISTILL_API_MAX_COST must be a number"):
        api_teacher("api:deepseek-flash", tmp_path, ["a", "b"])
    monkeypatch.setenv("DISTILL_API_MAX_COST", "0.5")
    assert api_teacher("api:deepseek-flash", tmp_path, ["a", "b"]).max_cost == 0.5
