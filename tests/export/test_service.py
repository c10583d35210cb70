"""The service answers one kind of question and refuses everything else."""

import json
import socket
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

from distill_helpers.data.cleaning import clean_text
from distill_helpers.export.service import (
    AnswerCache,
    Limits,
    Refusal,
    TokenBucket,
    main,
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
        ({"body": b'{"text": "cut \\ud83d"}'}, 422, "half of a character"),
        ({"body": b'{"text": "\xff"}'}, 422, "no JSON"),
        ({"text": "<br> \u200b"}, 422, "nothing is left of the text"),
        ({"headers": {"Host": "evil.example"}}, 400, "the host must be 127.0.0.1"),
        ({"headers": {"Host": "127.0.0.1.evil.example:80"}}, 400, "the host must be"),
        ({"headers": {"Host": "127.0.0.1@evil"}}, 400, "the host must be"),
        ({"headers": {"Host": ""}}, 400, "the host must be"),
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


def test_names_of_this_machine_and_those_allowed_are_answered(server):
    for host in ("localhost:80", "[::1]", "LOCALHOST.", "127.0.0.1"):
        assert ask(server[0], headers={"Host": host})[0] == 200
    with serving(Slow(), hosts=["Kit.example"]) as port:
        assert ask(port, headers={"Host": "kit.example:443"})[0] == 200
    for wrong in ("*", "http://a", "a:80", ""):
        with pytest.raises(ValueError, match="hosts must be names"):
            make_app(Slow(), ["a", "b"], hosts=[wrong])


def test_a_text_is_cleaned_as_in_training_and_remembered_by_what_was_read(server):
    port, predict = server
    raw = "A <i>joy</i>&hellip;<br />truly \u201cfine\u201d"
    assert ask(port, raw)[1]["cached"] is False
    assert predict.asked[-1] == clean_text(raw) != raw
    assert ask(port, clean_text(raw))[1]["cached"] is True


def test_a_predictor_that_cleans_is_given_what_is_clean_already():
    class Cleaning(Slow):
        of_clean = Slow.__call__

        def __call__(self, texts):
            return super().__call__([clean_text(text) for text in texts])

    predict = Cleaning()
    with serving(predict) as port:  # cleaned twice, it would be a "<"
        assert ask(port, "what &amp;lt; is written as &lt;")[0] == 200
    assert predict.asked == ["what &lt; is written as <"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ([[float("nan"), 0]], "no finite numbers"),
        ([[0, float("inf")]], "no finite numbers"),
        ([[0, 1, 2]], "shape (1, 3)"),
        ([0, 1], "shape (2,)"),
        ([], "shape (0,)"),
        ([["a", "b"]], "the model failed (ValueError)"),
        (None, "shape ()"),
        (RuntimeError("secret"), "the model failed (RuntimeError)"),
    ],
)
def test_what_a_model_does_wrong_is_said_in_json(faulty, given, words):
    port, answers = faulty
    answers.append(given)
    status, content, _ = ask(port, f"what of {given}")
    assert status == 502 and words in content["detail"] and "secret" not in str(content)


@pytest.fixture(scope="module")
def faulty():
    answers = []

    def predict(texts):
        if isinstance(answers[-1], Exception):
            raise answers[-1]
        return answers[-1]

    with serving(predict) as port:
        yield port, answers


def test_only_a_proxy_that_is_named_says_who_asks():
    limits = Limits(per_second=0.001, burst=1)
    for proxies, expected in (((), 429), (("127.0.0.1",), 200)):
        app = make_app(Slow(), ["short", "long"], limits=limits)
        with running(app, proxies=proxies) as address:
            port = urlparse(address).port
            statuses = [
                ask(port, headers={"X-Forwarded-For": f"192.0.2.{i}"})[0]
                for i in range(2)
            ]
        assert statuses == [200, expected]


def test_what_was_given_up_still_has_its_turn_alone():
    predict = Slow(0.3)
    limits = Limits(seconds=0.05, at_once=3)
    with serving(predict, limits=limits) as port:
        statuses = [ask(port, f"text {i}")[0] for i in range(6)]
        assert set(statuses) <= {503, 504} and 504 in statuses
        time.sleep(0.4)
    assert predict.most_at_once == 1


def connected(port, begin):
    connection = socket.create_connection(("127.0.0.1", port), timeout=20)
    connection.sendall(begin)
    return connection


HEAD = (
    b"POST /classify HTTP/1.1\r\nHost: localhost\r\n"
    b"Content-Type: application/json\r\nContent-Length: 20\r\n\r\n"
)


@pytest.mark.parametrize("begin", [b"", HEAD[:30], HEAD + b"{"])
def test_who_does_not_finish_a_request_is_told_so_and_cut_off(begin):
    with serving(Slow(), limits=Limits(body_seconds=0.3)) as port:
        slow = connected(port, begin)
        heard = b"".join(iter(lambda: slow.recv(4096), b""))
        slow.close()
        assert heard.startswith(b"HTTP/1.1 408 ") and b'{"detail"' in heard
        assert ask(port)[0] == 200


def test_slow_connections_take_the_place_of_nobody():
    limits = Limits(connections=4, body_seconds=60)
    with serving(Slow(), limits=limits) as port:
        for begin in (b"", HEAD[:30], HEAD + b"{"):
            slow = [connected(port, begin) for _ in range(40)]
            assert ask(port)[0] == 200
            first = slow[0].recv(4096)
            assert b" 503 " in first and b"too many connections" in first
            for connection in slow:
                connection.close()


def test_if_all_wait_for_us_the_next_is_told_so():
    limits = Limits(connections=2)
    with serving(Slow(0.5), limits=limits) as port:
        busy = [connected(port, HEAD + b'{"text": "number %d"}' % i) for i in (0, 1)]
        time.sleep(0.1)
        status, content, _ = ask(port)
        assert status == 503 and "too many connections" in content["detail"]
        assert all(b" 200 " in connection.recv(4096) for connection in busy)
        for connection in busy:
            connection.close()


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
    with pytest.raises(ValueError, match="seconds must be a finite number, got nan"):
        Limits(seconds=float("nan"))
    with pytest.raises(TypeError, match="connections must be a whole number"):
        Limits(connections=2.5)
    with pytest.raises(ValueError, match="must be texts, got .*ud83d"):
        make_app(Slow(), ["a", "\ud83d"])
    with pytest.raises(ValueError, match=r"port must lie in \[0, 65535\]"):
        with running(make_app(Slow(), ["a", "b"]), 70_000):
            pass


def test_a_port_that_is_taken_is_named(server):
    with pytest.raises(OSError, match=f"port {server[0]} of 127.0.0.1 cannot be used"):
        with running(make_app(Slow(), ["a", "b"]), server[0]):
            pass


def test_the_command_listens_to_everybody_only_under_names(capsys):
    with pytest.raises(SystemExit):
        main(["nothing", "--host", "0.0.0.0"])
    assert "--allow-host" in capsys.readouterr().err


def test_the_command_refuses_what_is_no_bundle(tmp_path):
    command = [sys.executable, "-m", "distill_helpers", "serve", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 2
    assert "is no bundle" in done.stderr
