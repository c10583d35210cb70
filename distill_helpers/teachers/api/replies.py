"""One request and one reply, as they are kept."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

KEPT_TOKENS = 4
"""Tokens at the head of an answer whose log-probabilities are kept."""
NO_CONTENT = "content_filter"
"""The finish reason of an answer that the server withheld."""


@dataclass(frozen=True)
class Reply:
    """What a server said to one request.

    Attributes
    ----------
    content : str
        The answer; ``""`` where it is blank.
    reasoning : str
        What the model thought before, where the server tells it apart.
    refusal : str
        Why the model would not answer, where the server says so.
    finish : str
        Why it stopped: ``"stop"``, ``"length"``, ``"content_filter"``, ...
    tokens : tuple
        For each of the first tokens of the answer ``(token, alternatives)``, the
        alternatives as pairs of token and log-probability; empty where the server
        gave none.
    prompt_tokens, completion_tokens, cached_tokens : int
        As the server counted them; thinking is part of the completion, the cached
        ones are part of the prompt. All 0 where it did not say.
    asked_bytes : int
        UTF-8 bytes of the messages.
    """

    content: str
    reasoning: str = ""
    refusal: str = ""
    finish: str = "stop"
    tokens: tuple = ()
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    asked_bytes: int = 0

    @property
    def blank(self) -> bool:
        """Whether there is neither an answer nor a refusal."""
        return not (self.content.strip() or self.refusal or self.finish == NO_CONTENT)

    @property
    def refused(self) -> bool:
        """Whether the model or its server would not answer."""
        return bool(self.refusal) or self.finish == NO_CONTENT

    def to_json(self) -> str:
        """Return it as one line of JSON."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Reply:
        """Read what :meth:`to_json` wrote.

        Raises
        ------
        ValueError, TypeError
            If it is something else.
        """
        found = json.loads(text)
        found["tokens"] = tuple(
            (token, tuple((name, float(value)) for name, value in others))
            for token, others in found["tokens"]
        )
        return cls(**found)

    @classmethod
    def from_completion(cls, completion: Mapping, asked_bytes: int = 0) -> Reply:
        """Read a chat completion in OpenAI's form, as a mapping.

        Raises
        ------
        ValueError
            If it is no chat completion.
        """
        choices = completion.get("choices") if isinstance(completion, Mapping) else None
        if not isinstance(choices, list):
            raise ValueError("the reply is no chat completion: it has no 'choices'")
        try:
            return cls._read(completion, choices, asked_bytes)
        except (AttributeError, KeyError, TypeError) as error:
            raise ValueError(f"the reply is no chat completion: {error}") from None

    @classmethod
    def _read(cls, completion: Mapping, choices: list, asked_bytes: int) -> Reply:
        choice = choices[0] if choices and isinstance(choices[0], Mapping) else {}
        message = choice.get("message") or {}
        usage = completion.get("usage") or {}
        details = usage.get("prompt_tokens_details") or {}
        cached = usage.get("prompt_cache_hit_tokens") or details.get("cached_tokens")
        return cls(
            content=_text(message.get("content")),
            reasoning=_text(
                message.get("reasoning_content") or message.get("reasoning")
            ),
            refusal=_text(message.get("refusal")),
            finish=_text(choice.get("finish_reason")) or "unknown",
            tokens=_tokens(choice.get("logprobs")),
            prompt_tokens=_count(usage.get("prompt_tokens")),
            completion_tokens=_count(usage.get("completion_tokens")),
            cached_tokens=_count(cached),
            asked_bytes=asked_bytes,
        )


def _text(value) -> str:
    return value if isinstance(value, str) else ""


def _count(value) -> int:
    whole = isinstance(value, int) and not isinstance(value, bool)
    return max(0, value) if whole else 0


def _tokens(logprobs) -> tuple:
    """Keep the head of the log-probabilities, as pairs."""
    rows = (logprobs or {}).get("content") if isinstance(logprobs, Mapping) else None
    kept = []
    for row in (rows or [])[:KEPT_TOKENS]:
        others = tuple(
            (str(one.get("token", "")), float(one["logprob"]))
            for one in row.get("top_logprobs") or []
            if isinstance(one.get("logprob"), (int, float))
        )
        kept.append((str(row.get("token", "")), others))
    return tuple(kept)


def asked_bytes(request: Mapping) -> int:
    """Count the UTF-8 bytes of a request's messages; a token has at least one."""
    return sum(
        len(str(message["content"]).encode("utf-8", "replace"))
        for message in request["messages"]
    )


def request_key(request: Mapping, server: str, sample: int = 0) -> str:
    """Name a request by all that its answer depends on.

    Parameters
    ----------
    request : mapping
        The body as it is sent: model, messages, temperature, ... The key to the
        server is no part of it.
    server : str
        The server's address.
    sample : int, default 0
        Tells several answers to the same request apart.

    Returns
    -------
    str
        32 hexadecimal digits.

    Examples
    --------
    >>> body = {"model": "m", "messages": [{"role": "user", "content": "Hello"}]}
    >>> one = request_key(body, "https://a.example/v1")
    >>> one == request_key(dict(reversed(body.items())), "https://a.example/v1")
    True
    >>> one == request_key(body, "https://a.example/v1", sample=1)
    False
    """
    whole = json.dumps([server, request, sample], sort_keys=True)
    return hashlib.sha256(whole.encode()).hexdigest()[:32]
