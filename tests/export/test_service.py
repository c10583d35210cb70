"""The service answers one kind of question and refuses everything else."""

import json
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlparse

import numpy as np
import pytest

from distill_helpers.export.service import (
    AnswerCache,
    Limits,
    Refusal,
    TokenBucket,
    make_app,
    read_question,
    running,
)

pytest.importorskip("uvicorn", reason="the extra 'serve' is not installed")
ROOT = Path(__file__).resolve().parents[2]


class Slow:
    """Answers by length, counts its texts, and may take a while."""

    def __init__(self, seconds=0.0):
        self.seconds = seconds
        self.asked = []
        self.at_once = self.most_at_once = 0

    def __call__(self, texts):
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        time.sleep(self.seconds)
        self.asked += texts
        self.at_once -= 1
        return np.array([[0.0, len(t) - 10.0] for t in texts])


@contextmanager
def serving(predict, **options):
    """Run the real server on a free port; yield the port."""
    with running(make_app(predict, ["short", "long"], **options)) as address:
        yield urlparse(address).port


def ask(port, text="a rather long text", method="POST", path="/classify", **change):
    body = change.get("body", json.dumps({"text": text}).encode())
    headers = {"Content-Type": change.get("kind", "application/json")}
    connection = HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request(method, path, body, headers | change.get("headers", {}))
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, json.loads(content) if content else None, answer


@pytest.fixture(scope="module")
def server():
    predict = Slow()
    with serving(predict, name="a tester", origins=["http://page.test"]) as port:
        yield port, predict


def test_an_answer_says_who_gave_it_and_is_remembered(server):
    port, predict = server
    status, first, _ = ask(port, "remember this one")
    assert status == 200
    assert first["label"] == "long" and first["answered_by"] == "a tester"
    assert first["probability"] == pytest.approx(1 / (1 + np.exp(-7)))
    assert first["cached"] is False
    _, again, _ = ask(port, "remember this one")
    assert again == first | {"cached": True}
    assert predict.asked.count("remember this one") == 1
    assert ask(port, path="/health", method="GET", body=b"")[1]["cache_hits"] >= 1


@pytest.mark.parametrize(
    ("change", "status", "words"),
    [
        ({"body": b"x" * 10_000_000}, 413, "at most 65,536 bytes"),
        ({"kind": "text/plain"}, 415, "send application/json"),
        ({"body": b"{"}, 422, "no JSON"),
        ({"body": b"[1]"}, 422, "not empty"),
        ({"text": "   "}, 422, "not empty"),
        ({"body": b'{"text": 3}'}, 422, "not empty"),
        ({"body": b"[" * 60_000}, 422, "no JSON"),
        ({"method": "PUT"}, 405, "Not Allowed"),
        ({"path": "/nothing"}, 404, "Not Found"),
    ],
)
def test_what_is_no_question_is_refused(server, change, status, words):
    port, predict = server
    before = len(predict.asked)
    try:
        got, content, _ = ask(port, **change)
    except (BrokenPipeError, ConnectionResetError):
        assert status == 413  # it hung up on us in the middle of ten megabytes
        return
    assert got == status and words in content["detail"]
    assert len(predict.asked) == before


def test_only_named_pages_may_read_the_answer(server):
    port, _ = server
    for origin, allowed in (("http://page.test", True), ("http://evil.test", False)):
        _, _, answer = ask(port, headers={"Origin": origin})
        assert (answer.getheader("access-control-allow-origin") == origin) is allowed


def test_a_client_that_asks_too_often_is_told_when_to_come_back():
    clock = [0.0]
    limits = Limits(per_second=2.0, burst=3)
    with serving(Slow(), limits=limits, clock=lambda: clock[0]) as port:
        statuses = [ask(port, f"text {i}")[0] for i in range(4)]
        assert statuses == [200, 200, 200, 429]
        _, content, answer = ask(port, "again")
        assert "at most 2 requests a second" in content["detail"]
        assert answer.getheader("retry-after") == "1"
        clock[0] += 0.6
        assert ask(port, "once more")[0] == 200


def test_an_answer_that_takes_too_long_is_given_up():
    with serving(Slow(1.0), limits=Limits(seconds=0.2)) as port:
        status, content, _ = ask(port)
        assert status == 504 and "no answer within 0.2 s" in content["detail"]


def test_many_clients_are_served_one_after_the_other_or_turned_away():
    predict = Slow(0.02)
    limits = Limits(per_second=1e6, burst=10**6, at_once=8)
    statuses = []
    with serving(predict, limits=limits) as port:

        def client(number):
            for turn in range(5):
                statuses.append(ask(port, f"client {number} turn {turn}")[0])

        threads = [threading.Thread(target=client, args=(n,)) for n in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    assert len(statuses) == 100
    assert set(statuses) <= {200, 503} and statuses.count(200) >= 20
    assert predict.most_at_once == 1
    assert len(predict.asked) == statuses.count(200)


def test_the_bucket_fills_again_but_never_over_its_rim():
    clock = [0.0]
    bucket = TokenBucket(2.0, 3, lambda: clock[0])
    assert [bucket.take("a") for _ in range(4)] == [0, 0, 0, 0.5]
    assert bucket.take("b") == 0
    clock[0] += 100
    assert [bucket.take("a") for _ in range(4)][:3] == [0, 0, 0]
    assert bucket.take("a") > 0


def test_the_cache_forgets_what_was_not_asked_for_longest():
    cache = AnswerCache(2)
    for name in "ab":
        cache.put(name, {"label": name})
    assert cache.get("a") and cache.hits == 1
    cache.put("c", {"label": "c"})
    assert cache.get("b") is None and cache.get("a") and cache.get("c")


def test_questions_are_read_and_limits_checked():
    assert read_question("application/json; charset=utf-8", b'{"text": "a"}') == "a"
    with pytest.raises(Refusal, match="application/json"):
        read_question("", b"{}")
    with pytest.raises(ValueError, match="at_once must be above 0, got 0"):
        Limits(at_once=0)


def test_the_command_refuses_what_is_no_bundle(tmp_path):
    command = [sys.executable, "-m", "distill_helpers", "serve", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 2
    assert "is no bundle" in done.stderr
