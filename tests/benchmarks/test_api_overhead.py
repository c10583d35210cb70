"""What a budget, a store and retries add to the bare client, thirty-two at once.

``DISTILL_API_REQUESTS`` says how many requests they send.
"""

import os
import statistics
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from distill_helpers.teachers.api import ApiTeacher, LoopbackServer, Said, Task

REQUESTS = int(os.environ.get("DISTILL_API_REQUESTS", "1000"))
TURNS = 5
AT_ONCE = 32
ANSWERS_AFTER = 0.02  # seconds
TASK = Task({"negative": "", "positive": ""})
ALTERNATIVES = [
    (" positive", -0.3),
    (" negative", -1.5),
    *[(f"t{n}", -9.0) for n in range(18)],
]


class OneWord:
    """Always the same answer: the server costs as little as it can."""

    models, owner = ["one-word"], "a benchmark"

    def says(self, body, turn):
        return Said(" positive", ALTERNATIVES, 60)


@pytest.fixture(scope="module")
def server():
    pytest.importorskip("openai", reason="the extra 'api' is not installed")
    with LoopbackServer(OneWord()) as running:
        running.fault = lambda number, body: ANSWERS_AFTER
        yield running


def bare(url, bodies):
    """Let the client alone send the requests, as many at once."""
    import openai

    client = openai.OpenAI(base_url=url, api_key="none", max_retries=0)

    def send(body):
        more = dict(body)
        head = {name: more.pop(name) for name in ("model", "messages")}
        return client.chat.completions.create(**head, extra_body=more).choices[0]

    with client, ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(send, bodies))


def seconds_of(call, *arguments):
    begin = time.perf_counter()
    found = call(*arguments)
    assert len(found) == REQUESTS
    return time.perf_counter() - begin


def test_the_teacher_takes_little_longer_than_the_bare_client(
    benchmark, server, tmp_path
):
    texts = [f"review {number}" for number in range(REQUESTS)]

    def teacher(name):
        return ApiTeacher(
            "one-word",
            TASK,
            server=server.url,
            store=tmp_path / f"{name}.sqlite",
            price=(1.0, 1.0),
            max_cost=10.0,
            concurrency=AT_ONCE,
            progress=False,
        )

    questions = teacher("none").label_questions(texts)
    bodies = [dict(question.request) for question in questions]
    bare(server.url, bodies[: min(100, REQUESTS)])  # warm
    ratios = []
    for turn in range(TURNS):  # interleaved, so that a busy machine slows both
        alone, asked = seconds_of(bare, server.url, bodies), teacher(turn)
        ratios.append(seconds_of(asked.ask, texts) / alone)
        assert len(asked.store) == REQUESTS and server.busiest > 1
    ratio = statistics.median(ratios)
    print(f"\n {REQUESTS:,} requests: {ratio:.2f} times the bare client, {ratios}")
    benchmark.extra_info["times the bare client"] = round(ratio, 3)
    benchmark.pedantic(teacher("last").ask, (texts,), rounds=1)
    assert ratio <= 1.2
