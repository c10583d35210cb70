"""The kit's loopback server, behind it a model that counts the names of classes.

What comes in is kept, so that tests can look at it. Tokens are words and marks, and
a fixed number around each message.
"""

from __future__ import annotations

import math
from collections import Counter

from distill_helpers.teachers.api.loopback import LoopbackServer
from distill_helpers.teachers.api.speaking import (
    AROUND,
    Said,
    classes_of,
    counted,
    drawn,
    spelt,
    text_of,
    tokens_of,
)

__all__ = ["AROUND", "KEY", "TODAY", "ApiServer", "text_of", "tokens_of"]

KEY = "sk-test-5ecret-0f-the-loopback"
TODAY = ["tiny-chat", "tiny-reasoner"]


def by_words(body):
    """Give each class a share by how often its name stands in the text."""
    words = Counter(text_of(body).lower().split())
    scores = {name: math.exp(words[name.lower()]) for name in classes_of(body)}
    total = sum(scores.values())
    return {name: score / total for name, score in scores.items()}


class WordCounter:
    """A model that answers by the words of a text, as its server's settings say."""

    models = TODAY
    owner = "a test"

    def __init__(self, settings):
        self.settings = settings

    def says(self, body, turn):
        shares, read = self.settings.shares(body), counted(body)
        likeliest = max(shares, key=shares.get)
        content = drawn(shares, turn + 1) if body.get("temperature") else likeliest
        others = spelt(shares, self.settings.mass)
        return Said(content, others, read, tokens_of(content), read // 2)


class ApiServer(LoopbackServer):
    """Keeps what came in; ``shares`` and ``mass`` may be changed."""

    def __init__(self):
        super().__init__(WordCounter(self))

    def reset(self):
        super().reset()
        self.bodies, self.headers, self.served = [], [], []
        self.shares, self.mass = by_words, 0.9
        return self

    def heard(self, body, headers):
        self.bodies.append(body)
        self.headers.append(headers)

    def answered(self, body):
        self.served.append(text_of(body))
