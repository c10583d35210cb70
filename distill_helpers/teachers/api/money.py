"""What requests cost: tokens, prices, and an estimate before anything is sent."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from ...arguments import check_number
from .replies import Reply

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

MILLION = 1_000_000
BYTES_PER_TOKEN = 4.0
"""Of English text; only until the server has counted some requests itself."""
FEW = 8
"""Answers of the server from which its own counting is learnt."""
PER_MESSAGE = 16
"""Tokens at most that stand around a message."""


@dataclass(frozen=True)
class Price:
    """Dollars for a million tokens.

    Attributes
    ----------
    input, output : float
    cached : float, optional
        For tokens of the prompt that the server still knew; as `input` by default.
        Only a bill may hold it: an estimate never does.
    said : str
        When and where it was read.
    """

    input: float
    output: float
    cached: float | None = None
    said: str = "as you said"

    def __post_init__(self) -> None:
        for name in ("input", "output"):
            check_number(f"price ({name})", getattr(self, name), least=0)

    def of(self, prompt: float, completion: float, cached: float = 0) -> float:
        """Return dollars for so many tokens; the cached ones are in the prompt."""
        hit = self.input if self.cached is None else self.cached
        cached = min(cached, prompt)
        spent = (prompt - cached) * self.input + cached * hit
        return (spent + completion * self.output) / MILLION


FREE = Price(0.0, 0.0, said="your own server")


@cache
def known_prices() -> dict[str, Price]:
    """Return the prices that come with the kit, by model."""
    table = tomllib.loads(Path(__file__).with_name("prices.toml").read_text("utf-8"))
    return {
        model: Price(
            row["input"],
            row["output"],
            row["cached"],
            f"read {row['read_on']} at {row['source']}, {row['note']}",
        )
        for model, row in table.items()
    }


def price_of(model: str, price=None, own_server: bool = False) -> Price | None:
    """Return a model's price, or None where nobody knows it.

    Parameters
    ----------
    model : str
    price : Price or pair of float, optional
        Dollars for a million tokens in and out; goes before the table.
    own_server : bool, default False
        A server on this machine costs nothing unless a price is given.

    Raises
    ------
    ValueError
        If `price` is no pair of numbers of at least 0.
    """
    if isinstance(price, Price):
        return price
    if price is not None:
        if isinstance(price, str) or not isinstance(price, Sequence) or len(price) != 2:
            raise ValueError(
                "price must be two numbers, dollars for a million tokens in and out,"
                f" got {price!r}"
            )
        return Price(*price)
    return FREE if own_server else known_prices().get(model)


# ------------------------------------------------------------------- counting
@dataclass(frozen=True)
class Usage:
    """How many tokens requests have, counted as this server counts.

    Attributes
    ----------
    fixed, per_byte : float
        Tokens of a prompt: the one, and the other for each UTF-8 byte.
    completion : float
        Tokens of an answer, on average.
    learnt_from : int
        Answers that say so; 0: a rule of thumb.
    """

    fixed: float
    per_byte: float
    completion: float
    learnt_from: int = 0

    def prompt(self, asked_bytes: np.ndarray) -> np.ndarray:
        """Return the tokens of prompts by their bytes."""
        return self.fixed + self.per_byte * np.asarray(asked_bytes, np.float64)


def learn_usage(replies: Sequence[Reply], expected_completion: float) -> Usage:
    """Learn from answers how a server counts, where there are enough of them.

    Parameters
    ----------
    replies : sequence of Reply
    expected_completion : float
        Tokens of an answer, as long as nothing is known.
    """
    told = [r for r in replies if r.prompt_tokens and r.asked_bytes]
    if len(told) < FEW:
        return Usage(PER_MESSAGE / 2, 1 / BYTES_PER_TOKEN, expected_completion)
    lengths = np.array([r.asked_bytes for r in told], np.float64)
    counts = np.array([r.prompt_tokens for r in told], np.float64)
    completion = float(np.mean([r.completion_tokens for r in told]))
    if np.ptp(lengths) < 1:
        return Usage(0.0, float(counts.mean() / lengths.mean()), completion, len(told))
    slope, start = np.polyfit(lengths, counts, 1)
    return Usage(float(start), float(slope), completion, len(told))


def worst_tokens(asked_bytes: int, messages: int) -> int:
    """Bound the tokens of a prompt from above: each has at least one byte."""
    return asked_bytes + PER_MESSAGE * (messages + 1)


@dataclass(frozen=True)
class Estimate:
    """What asking would take, before anything is sent.

    Attributes
    ----------
    texts, requests, stored : int
        Texts asked about; requests to send; requests whose answers are there.
    prompt_tokens, completion_tokens : int
        Of the requests to send; thinking is part of the completion.
    dollars : float or None
        At the highest price, without rebates; None where no price is known.
    worst : float or None
        The bound that `max_cost` is held against.
    price : Price or None
    learnt_from : int
        The server's own counts that the estimate rests on; 0: a rule of thumb.
    """

    texts: int
    requests: int
    stored: int
    prompt_tokens: int
    completion_tokens: int
    dollars: float | None
    worst: float | None
    price: Price | None
    learnt_from: int

    def __str__(self) -> str:
        counted = (
            f"counted as the server counted {self.learnt_from:,} requests"
            if self.learnt_from
            else "a rule of thumb; the first answers make it exact"
        )
        lines = [
            f"{self.texts:,} texts: {self.requests:,} requests to send,"
            f" {self.stored:,} answered already",
            f"about {self.prompt_tokens:,} tokens to read and"
            f" {self.completion_tokens:,} to write ({counted})",
        ]
        if self.dollars is None or self.worst is None or self.price is None:
            return "\n".join([*lines, "no price is known for this model"])
        lines.append(
            f"about ${self.dollars:.4f}, at most ${self.worst:.4f} (in"
            f" ${self.price.input:g}, out ${self.price.output:g} a million;"
            f" {self.price.said}; no rebate is counted on)"
        )
        return "\n".join(lines)
