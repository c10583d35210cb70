"""Millions of texts: written out for a batch run elsewhere, its answers read back."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from ...arguments import check_choice
from ...files import fresh_path, whole_file
from ...foreign import shown
from .money import FREE
from .questions import Question
from .replies import Reply
from .teacher import ApiTeacher

KINDS = ("log-probabilities", "votes")


def write_batch(
    teacher: ApiTeacher,
    texts: Sequence[str],
    path: str | Path,
    kind: str = KINDS[0],
) -> int:
    """Write requests in the form of OpenAI's batch files, which vLLM runs too.

    Parameters
    ----------
    teacher : ApiTeacher
    texts : sequence of str
    path : str or Path
        A new file of JSON Lines: ``vllm run-batch -i path -o out.jsonl``.
    kind : {"log-probabilities", "votes"}

    Returns
    -------
    int
        How many requests it holds; those that the teacher's store can answer are
        left out.

    Raises
    ------
    FileExistsError
        If something stands at `path`.
    """
    questions = _questions(teacher, texts, check_choice("kind", kind, KINDS))
    there = teacher.store.find(list(questions))
    path = fresh_path(path)
    with whole_file(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        for key, question in questions.items():
            if key not in there:
                line = {
                    "custom_id": key,
                    "method": "POST",
                    "url": "/v1/chat/completions",
                    "body": dict(question.request),
                }
                file.write(json.dumps(line) + "\n")
    return len(questions) - len(there)


def read_batch(
    teacher: ApiTeacher,
    texts: Sequence[str],
    path: str | Path,
    kind: str = KINDS[0],
) -> Counter:
    """Put the answers of a batch run into the teacher's store.

    Parameters
    ----------
    teacher : ApiTeacher
        As it was for :func:`write_batch`.
    texts : sequence of str
    path : str or Path
        What OpenAI's batches and ``vllm run-batch`` write (``custom_id`` and
        ``response``), or a file of responses of Bespoke Curator
        (``generic_request`` and ``raw_response``), whose requests are recognised by
        their messages.
    kind : {"log-probabilities", "votes"}

    Returns
    -------
    Counter
        Lines that were ``kept``, ``failed`` on the server, belong to ``others``, or
        were ``known`` already.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If a line is neither; the message names it.
    """
    questions = _questions(teacher, texts, check_choice("kind", kind, KINDS))
    by_messages: dict[str, list[str]] = {}
    for key, question in questions.items():
        by_messages.setdefault(_named(question.request["messages"]), []).append(key)
    known = set(teacher.store.find(list(questions)))
    counts: Counter = Counter()
    with Path(path).open(encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            found = _parsed(line, f"{str(path)!r}, line {number}")
            if "custom_id" in found:
                key = str(found["custom_id"])
            else:
                waiting = by_messages.get(_named(_asked(found)), [])
                key = waiting.pop(0) if waiting else ""
            if key not in questions:
                counts["others"] += 1
            elif key in known:
                counts["known"] += 1
            else:
                reply = _reply(found, questions[key])
                counts["failed" if reply is None else "kept"] += 1
                if reply is not None:
                    known.add(key)
                    price = teacher.price or FREE
                    dollars = price.of(reply.prompt_tokens, reply.completion_tokens)
                    teacher.store.keep(key, teacher.fingerprint, reply, dollars)
    return counts


def _questions(teacher: ApiTeacher, texts, kind: str) -> dict[str, Question]:
    asked = teacher.label_questions if kind == KINDS[0] else teacher.vote_questions
    return {question.key: question for question in asked(texts)}


def _named(messages) -> str:
    """Name messages by what they say, whatever else a program adds to them."""
    try:
        return json.dumps([(m["role"], m["content"]) for m in messages])
    except (KeyError, TypeError):
        return ""


def _asked(found: Mapping) -> list:
    request = found.get("generic_request")
    return request.get("messages", []) if isinstance(request, Mapping) else []


def _parsed(line: str, where: str) -> dict:
    try:
        found = json.loads(line)
    except ValueError as error:
        raise ValueError(f"{where}: no JSON ({error})") from None
    if not isinstance(found, dict) or not {"custom_id", "generic_request"} & set(found):
        raise ValueError(
            f"{where}: must be a line of a batch's output, with 'custom_id' and"
            " 'response', or of Curator's responses, with 'generic_request'; got"
            f" {shown(found)}"
        )
    return found


def _reply(found: Mapping, question: Question) -> Reply | None:
    """Return the reply of one line, or None where the server failed."""
    answered = found.get("response") or found.get("raw_response")
    if found.get("error") or found.get("response_errors"):
        return None
    if isinstance(answered, Mapping) and "body" in answered:  # with a status around it
        if answered.get("status_code", 200) >= 400:
            return None
        answered = answered["body"]
    try:
        reply = Reply.from_completion(answered, question.bytes)
    except ValueError:
        reply = None
    said = found.get("response_message")
    if reply is None and isinstance(said, str):
        reply = Reply(said, asked_bytes=question.bytes)
    return None if reply is None or reply.blank else reply
