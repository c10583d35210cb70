"""Exercises on asking: what it costs, when to ask again, what names a request."""

from __future__ import annotations

import hashlib
import json

import numpy as np

from ..exercises.answers import call, settle
from ..exercises.outcomes import Incorrect


# ------------------------------------------------------------------- cost
def my_cost(prompt, thinking, reply, price):
    read = prompt * price["input"]
    written = (thinking + reply) * price["output"]
    return (read + written) / 1_000_000


def thinking_forgotten(prompt, thinking, reply, price):
    return my_cost(prompt, 0, reply, price)


def hits_assumed(prompt, thinking, reply, price):
    return my_cost(prompt, thinking, reply, price | {"input": price["cached"]})


def thinking_read(prompt, thinking, reply, price):
    return my_cost(prompt + thinking, 0, reply, price)


def not_a_million(prompt, thinking, reply, price):
    return my_cost(prompt, thinking, reply, price) * 1_000


PRICE = {"input": 0.5, "cached": 0.01, "output": 2.0}


def examine_cost(answer) -> str:
    """Try a request with thoughts, and one without."""
    for prompt, thinking, written in ((200, 900, 5), (1500, 0, 40)):
        given = {
            "prompt": prompt,
            "thinking": thinking,
            "reply": written,
            "price": dict(PRICE),
        }
        got = _number(call(answer, **given))
        known = {
            "The thoughts are missing: they are written, and paid like an answer.": (
                thinking_forgotten(**given),
                "thinking + reply",
            ),
            "Cache hits are assumed: before the request is sent nobody knows what the"
            " server remembers.": (hits_assumed(**given), 'price["input"]'),
            "Thoughts are charged as if they were read; the model writes them.": (
                thinking_read(**given),
                'price["output"] for all that is written',
            ),
            "A price is for a million tokens.": (
                not_a_million(**given),
                "/ 1_000_000",
            ),
        }
        settle(
            got,
            my_cost(**given),
            known,
            ("Not what the request may cost.", f"what it was given: {given}"),
            equal=lambda a, b: bool(np.isclose(a, b, rtol=1e-6, atol=0)),
            shown="{:g}".format,
        )
    return "Reserve this much before you send; settle it when the answer is there."


# ------------------------------------------------------------------ retry
def my_wait(status, content, attempt, retry_after):
    if status == 200 and content.strip():
        return None
    if status not in (200, 429, 500, 503):
        return None
    return retry_after if retry_after is not None else 2**attempt


def pays_no_bill(status, content, attempt, retry_after):
    if status == 402:
        return 2**attempt
    return my_wait(status, content, attempt, retry_after)


def fixed_waits(status, content, attempt, retry_after):
    wait = my_wait(status, content, attempt, retry_after)
    return wait if wait is None or retry_after is not None else 1


def deaf_to_the_server(status, content, attempt, retry_after):
    return my_wait(status, content, attempt, None)


def blank_accepted(status, content, attempt, retry_after):
    return None if status == 200 else my_wait(status, content, attempt, retry_after)


def never_again(status, content, attempt, retry_after):
    return {}.get("seconds")


def asks_for_ever(status, content, attempt, retry_after):
    if status == 200 and content.strip():
        return None
    return retry_after if retry_after is not None else 2**attempt


CASES = (
    (200, "positive", 0, None),
    (401, "", 1, None),
    (402, "", 0, None),
    (429, "", 1, 7),
    (503, "", 3, None),
    (200, " \n ", 2, None),
    (500, "", 0, None),
    (400, "", 0, None),
    (422, "", 1, None),
)
NOTHING = object()
"""What no answer equals."""


def examine_wait(answer) -> str:
    """Try each kind of reply."""
    for case in CASES:
        status = case[0]
        given = dict(zip(("status", "content", "attempt", "retry_after"), case))
        got = call(answer, **given)
        if got is not None:
            got = _number(got)
        known = {
            "402 means that the account is empty: asking again does not fill it.": (
                pays_no_bill(**given) if status == 402 else NOTHING,
                "None for 402",
            ),
            "401, 400 and 422 stay what they are: a wrong key or request is not mended"
            " by asking again.": (asks_for_ever(**given), "None for these"),
            "The server said how long to wait, and was not heard.": (
                deaf_to_the_server(**given),
                "retry_after, where it is given",
            ),
            "The same wait every time: if all clients do that, the storm never ends.": (
                fixed_waits(**given),
                "2**attempt",
            ),
            "A blank answer was accepted: status 200 does not say that there is one.": (
                blank_accepted(**given),
                "content.strip()",
            ),
            "429, 500 and 503 pass: ask again.": (
                never_again(**given),
                "a number of seconds for these",
            ),
        }
        settle(
            got,
            my_wait(**given),
            known,
            ("Not how long to wait.", f"what it was given: {given}"),
            equal=lambda a, b: a == b,
        )
    return "Ask again only where asking can help, and later each time."


# -------------------------------------------------------------- cache key
def my_cache_key(request, sample, api_key):
    whole = json.dumps([request, sample], sort_keys=True)
    return hashlib.sha256(whole.encode()).hexdigest()


def by_sorted_pairs(request, sample, api_key):
    pairs = sorted((name, json.dumps(value)) for name, value in request.items())
    return f"{sample} {pairs}"


def text_alone(request, sample, api_key):
    return hashlib.sha256(request["messages"][-1]["content"].encode()).hexdigest()


def no_prompt(request, sample, api_key):
    text = request["messages"][-1]["content"]
    rest = {name: v for name, v in request.items() if name != "messages"}
    return json.dumps([rest, text, sample], sort_keys=True)


def no_sample(request, sample, api_key):
    return my_cache_key(request, 0, api_key)


def key_inside(request, sample, api_key):
    return my_cache_key({**request, "key": api_key}, sample, api_key)


def key_in_plain(request, sample, api_key):
    return f"{api_key}-{my_cache_key(request, sample, api_key)}"


def order_matters(request, sample, api_key):
    return hashlib.sha256(json.dumps([request, sample]).encode()).hexdigest()


REQUEST = {
    "model": "deepseek-flash",
    "messages": [
        {"role": "system", "content": "Prompt, version 1."},
        {"role": "user", "content": "A joy."},
    ],
    "temperature": 1.0,
}
SECRET = "not-a-key"


def examine_key(answer) -> str:
    """Change each thing that a request has, and see whether the key follows."""

    def key(request=REQUEST, sample=0, api_key=SECRET):
        given = json.loads(json.dumps(request))
        return call(answer, request=given, sample=sample, api_key=api_key)

    first = key()
    if not isinstance(first, str):
        raise Incorrect(
            "A key is a string: it is looked up in a file, by other processes too.",
            given=type(first).__name__,
            expected="a string",
            look="hashlib.sha256(...).hexdigest()",
        )
    system, user = REQUEST["messages"]
    newer = {**system, "content": "Prompt, version 2."}
    other = {**user, "content": "A bore."}
    must_differ = {
        "Another text got the same key.": {"messages": [system, other]},
        "Another version of the prompt got the same key: the old answers would be"
        " taken for new ones.": {"messages": [newer, user]},
        "Another model got the same key.": {"model": "deepseek-v4-pro"},
        "Another temperature got the same key.": {"temperature": 0.0},
    }
    for what, change in must_differ.items():
        if key({**REQUEST, **change}) == first:
            raise Incorrect(what, first, "another key", "hash the whole request")
    if key(sample=1) == first:
        raise Incorrect(
            "The second vote got the key of the first: eight votes would be one.",
            first,
            "another key",
            "sample",
        )
    if SECRET in first or key(api_key="another-key") != first:
        raise Incorrect(
            "The key to the server is inside: it would be in the file of answers, and a"
            " new one would make all answers unknown.",
            "a key that hangs on api_key",
            "one that does not",
            "api_key: leave it out",
        )
    turned = dict(reversed(REQUEST.items()))
    if key(turned) != first:
        raise Incorrect(
            "The same request with its fields in another order got another key.",
            "two keys",
            "one",
            "sort_keys=True",
        )
    return "All that the answer depends on, and nothing else."


def _number(got) -> float:
    try:
        return float(got)
    except (TypeError, ValueError):
        raise Incorrect(
            "One number is wanted.",
            given=type(got).__name__,
            expected="a number",
            look="the return line",
        ) from None
