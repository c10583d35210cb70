"""Fifty clients at once, for a minute, against a real student over real HTTP.

``DISTILL_LOAD_SECONDS`` makes it shorter or longer.
"""

import json
import os
import statistics
import threading
import time
from collections import Counter
from http.client import HTTPConnection
from urllib.parse import urlparse

import pytest

from distill_helpers.export.bundle import TextClassifier, write_bundle
from distill_helpers.export.onnx import trace_onnx

pytest.importorskip("uvicorn", reason="the extra 'serve' is not installed")
from distill_helpers.export.service import Limits, make_app, running  # noqa: E402

CLIENTS = 50
SECONDS = float(os.environ.get("DISTILL_LOAD_SECONDS", "60"))
NAMES = ["negative", "positive"]


@pytest.fixture(scope="module")
def student(trained, tmp_path_factory):
    model, tokenizer = trained("bigram")
    folder = tmp_path_factory.mktemp("student")
    traced = trace_onnx(model, folder / "s.onnx")
    return TextClassifier(write_bundle(folder / "bundle", traced, tokenizer, NAMES))


def besiege(address, texts, seconds):
    """Let all clients ask until the time is over; return what each was told."""
    port, end = urlparse(address).port, time.monotonic() + seconds
    heard, faults = [], []

    def client(number):
        connection = HTTPConnection("127.0.0.1", port, timeout=30)
        turn = number
        try:
            while time.monotonic() < end:
                text = f"{texts[turn % len(texts)]} {turn}"
                begin = time.perf_counter()
                connection.request(
                    "POST",
                    "/classify",
                    json.dumps({"text": text}).encode(),
                    {"Content-Type": "application/json"},
                )
                answer = connection.getresponse()
                content = json.loads(answer.read())
                spent = time.perf_counter() - begin
                heard.append((answer.status, text, content, spent))
                turn += CLIENTS
        except Exception as error:  # told to the test, which fails on any
            faults.append(repr(error))
        finally:
            connection.close()

    threads = [threading.Thread(target=client, args=(n,)) for n in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(seconds + 60)
    return heard, faults


def test_fifty_clients_are_answered_all_the_time(benchmark, student, reviews):
    texts = list(reviews["test"]["text"])
    limits = Limits(per_second=1e6, burst=10**7)
    with running(make_app(student, NAMES, name="student", limits=limits)) as address:
        heard, faults = benchmark.pedantic(besiege, (address, texts, SECONDS), rounds=1)
    assert faults == []
    statuses = Counter(status for status, *_ in heard)
    spent = sorted(s for *_, s in heard)
    found = {
        "answers a second": round(len(heard) / SECONDS),
        "median ms": round(1e3 * statistics.median(spent), 1),
        "99% within ms": round(1e3 * spent[int(0.99 * len(spent))], 1),
        **{str(status): count for status, count in statuses.items()},
    }
    print("\n", found)
    benchmark.extra_info |= found
    assert set(statuses) <= {200, 503} and statuses[200] >= 0.95 * len(heard)
    asked = {text: content for status, text, content, _ in heard if status == 200}
    some = list(asked)[:: max(1, len(asked) // 200)]
    ours = student.classify(some)
    assert [asked[text]["label"] for text in some] == [o.label for o in ours]


def test_under_the_usual_limits_the_rest_is_turned_away_by_name(student, reviews):
    texts = list(reviews["test"]["text"])
    with running(make_app(student, NAMES, name="student")) as address:
        heard, faults = besiege(address, texts, min(SECONDS, 5))
    assert faults == []
    refused = [content for status, _, content, _ in heard if status == 429]
    assert {status for status, *_ in heard} <= {200, 429, 503}
    assert refused and all("requests a second" in c["detail"] for c in refused)
