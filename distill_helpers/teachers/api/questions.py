"""The requests that ask about a text, as they are sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from ...data.cleaning import text_hash
from .money import Price, worst_tokens
from .prompts import Task, with_prefill
from .replies import asked_bytes, request_key

TOP = 20
"""Alternatives that are asked for with each token; more no server gives."""
THINKING_TOKENS = 4096


@dataclass(frozen=True)
class Question:
    """A request, and which of several answers to it is meant."""

    request: Mapping
    server: str
    sample: int = 0

    @cached_property
    def key(self) -> str:
        """See :func:`~.replies.request_key`."""
        return request_key(self.request, self.server, self.sample)

    @cached_property
    def bytes(self) -> int:
        """UTF-8 bytes of the messages."""
        return asked_bytes(self.request)

    def worst(self, price: Price) -> float:
        """Return the dollars that one attempt can cost."""
        prompt = worst_tokens(self.bytes, len(self.request["messages"]))
        return price.of(prompt, self.request["max_tokens"])


@dataclass(frozen=True)
class Questions:
    """How a model is asked.

    Attributes
    ----------
    model : str
    task : Task
    server : str
        Its address.
    temperature : float
        Of votes.
    thinking : bool or None
    prefill : str or None
    shuffle : bool
    extra : mapping
        Further fields of each body; they go before all others.
    """

    model: str
    task: Task
    server: str
    temperature: float = 1.0
    thinking: bool | None = None
    prefill: str | None = None
    shuffle: bool = False
    extra: Mapping = field(default_factory=dict)

    def label(self, text: str) -> Question:
        """Ask for the log-probabilities of the answer."""
        settings = {"temperature": 0, "logprobs": True, "top_logprobs": TOP}
        return self._question(text, self._tokens, 0, settings)

    def vote(self, text: str, sample: int) -> Question:
        """Ask for one of several answers."""
        settings = {"temperature": self.temperature}
        return self._question(text, self._tokens, sample, settings)

    def trace(self, text: str, tokens: int) -> Question:
        """Ask for an answer and the thoughts before it."""
        return self._question(text, tokens, 0, {"temperature": 0})

    @property
    def _tokens(self) -> int:
        """Room for the longest name, and for thoughts where there are any."""
        longest = max(len(name.encode()) for name in self.task.label_names)
        return 8 + longest // 2 + (THINKING_TOKENS if self.thinking else 0)

    def _question(
        self, text: str, tokens: int, sample: int, settings: Mapping
    ) -> Question:
        order = self._order(text, sample)
        messages = self.task.messages(text, order, head=self.prefill is not None)
        more: dict = {}
        if self.prefill is not None:
            messages, more = with_prefill(messages, self.prefill)
        if self.thinking is not None:
            state = "enabled" if self.thinking else "disabled"
            more["thinking"] = {"type": state}
        body = {"model": self.model, "messages": messages, "max_tokens": tokens}
        body = {**body, **settings, **more, **self.extra}
        return Question(body, self.server, sample)

    def _order(self, text: str, sample: int) -> list[int] | None:
        """Return the order in which the classes are named, the same every time."""
        if not self.shuffle:
            return None
        seed = int(text_hash(f"{sample}\n{text}"), 16)
        count = len(self.task.label_names)
        return np.random.default_rng(seed).permutation(count).tolist()
