"""A language model as a teacher: shares of the classes, text by text."""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from functools import cached_property
from pathlib import Path

import numpy as np

from ...arguments import check_choice, check_number, check_type, check_whole
from ...data.cleaning import text_hash
from ...data.labels import ONE_LABEL
from ..base import Teacher
from ..calibrating import Calibration
from ..stored import MissingAnswersError
from .answers import (
    BY_LOGPROBS,
    BY_VOTES,
    NOT_TOLD,
    WANTING,
    Answer,
    Trace,
    as_logits,
    as_trace,
    from_logprobs,
    from_votes,
)
from .asking import Asker
from .chat import ApiError, ChatServer
from .labelled import FEW, fit, numbered_rows
from .labels import LEAST_MASS
from .money import FREE, Estimate, Price, Usage, learn_usage, price_of
from .prompts import PREFILLS, Task
from .questions import THINKING_TOKENS, TOP, Question, Questions
from .replies import Reply
from .scrubbing import VERSION as SCRUBBING
from .scrubbing import scrub
from .store import AnswerStore

WAYS = ("auto", BY_LOGPROBS, BY_VOTES)
LOOKED = 5
"""Answers without log-probabilities after which they are no longer asked for."""


class ApiTeacher(Teacher):
    """Ask a language model behind an OpenAI-compatible API.

    Parameters
    ----------
    model : str
        As the server calls it.
    task : Task
        The classes, in the order of the logits, and what is asked.
    server : ChatServer or str
        Or its address.
    store : AnswerStore or str or Path
        Where every answer is kept, with what it cost; or its file.
    max_cost : float, optional
        Dollars that all answers of the store may cost together, those of earlier
        runs included. Must be given unless the model costs nothing.
    price : pair of float, optional
        Dollars for a million tokens in and out, where the kit's table lacks the
        model.
    how : {"auto", "log-probabilities", "votes"}
        ``"auto"``: log-probabilities, and votes where they are missing, hollow or
        too thin.
    samples : int, default 8
        Votes a text.
    temperature : float, default 1.0
        At which votes are drawn.
    least_mass : float, default 0.5
        Probability that must lie on the classes.
    thinking : bool, optional
        True or False is sent as DeepSeek's ``thinking`` field. By default DeepSeek
        is told not to think, and others are told nothing.
    prefill : {"deepseek", "vllm", "plain"}, optional
        Write the beginning of the answer for the model, in the server's way.
    shuffle : bool, default False
        Name the classes in another order for each text and each vote, so that what
        a model likes about a place in the list averages out.
    labelled : sequence of (str, str), optional
        Labelled texts of train and their classes: a temperature and a shift for
        each class are fitted to them when the teacher is first asked.
    scrubbed : bool, default True
        Take addresses, numbers and the like out of a text before it is sent.
    extra : mapping, optional
        Further fields of each request's body.
    concurrency : int, default 8
        Requests on their way at once.
    progress : bool, default True

    Attributes
    ----------
    about : dict
        How it answered so far, what it cost and what to beware of.

    Raises
    ------
    TypeError, ValueError
        If an argument does not fit, or there is neither a budget nor a price.

    Notes
    -----
    Which texts it can answer it knows once it has asked: :meth:`knows` asks, and
    :meth:`logits` takes the answers from the store. Logits are logarithms of the
    shares, calibrated if there are labelled texts.
    """

    problem_type = ONE_LABEL

    def __init__(
        self,
        model: str,
        task: Task,
        *,
        server: ChatServer | str,
        store: AnswerStore | str | Path,
        max_cost: float | None = None,
        price: Price | Sequence[float] | None = None,
        how: str = "auto",
        samples: int = 8,
        temperature: float = 1.0,
        least_mass: float = LEAST_MASS,
        thinking: bool | None = None,
        prefill: str | None = None,
        shuffle: bool = False,
        labelled: Sequence[tuple[str, str]] = (),
        scrubbed: bool = True,
        extra: Mapping | None = None,
        concurrency: int = 8,
        progress: bool = True,
    ) -> None:
        if not check_type("model", model, str, "a name").strip():
            raise ValueError("model must be the name of a model, got ''")
        self.model, self.task = model, check_type("task", task, Task, "a Task")
        self.server = ChatServer(server) if isinstance(server, str) else server
        self.price = price_of(model, price, self.server.own)
        self.max_cost = max_cost
        if max_cost is not None:
            check_number("max_cost", max_cost, above=0)
        self.how = check_choice("how", how, WAYS)
        self.samples = check_whole("samples", samples, least=1, most=100)
        check_number("temperature", temperature, least=0, most=2)
        check_number("least_mass", least_mass, above=0, most=1)
        self.least_mass = least_mass
        deepseek = self.server.name.endswith("deepseek.com")
        self.thinking = False if thinking is None and deepseek else thinking
        self.prefill = check_choice("prefill", prefill, (None, *PREFILLS))
        self.scrubbed = bool(scrubbed)
        self.questions = Questions(
            model,
            task,
            self.server.base_url,
            temperature,
            self.thinking,
            self.prefill,
            bool(shuffle),
            dict(extra or {}),
        )
        self.concurrency = check_whole("concurrency", concurrency, least=1, most=1000)
        self.progress = progress
        self.label_names = task.label_names
        self.num_labels = len(task.label_names)
        self.labelled = numbered_rows(labelled, task)
        self.fingerprint = self._named()
        self._store = store if isinstance(store, AnswerStore) else Path(store)
        self._asker: Asker | None = None
        self._answers: dict[str, Answer] = {}
        self._told: dict[str, int] = {}
        self._thought = False

    def __repr__(self) -> str:
        return f"ApiTeacher({self.model!r}, {self.label_names}, {self.server!r})"

    @property
    def store(self) -> AnswerStore:
        """Where the answers are kept; the file is made when it is first needed."""
        if not isinstance(self._store, AnswerStore):
            self._store = AnswerStore(self._store)
        return self._store

    @property
    def _has_store(self) -> bool:
        return isinstance(self._store, AnswerStore) or self._store.exists()

    # -------------------------------------------------------------- a teacher
    def knows(self, texts: Iterable[str]) -> np.ndarray:
        """See :meth:`Teacher.knows`; asks those that were not asked yet."""
        return np.array([a.shares is not None for a in self.ask(list(texts))], bool)

    def logits(self, texts: Sequence[str]) -> np.ndarray:
        """See :meth:`Teacher.logits`.

        Raises
        ------
        MissingAnswersError
            If the model had no usable answer to a text.
        BudgetReachedError, ApiError
            If it cannot be asked any further; what was answered is kept.
        """
        texts = list(texts)
        answers = self.ask(texts)
        silent = [i for i, answer in enumerate(answers) if answer.shares is None]
        if silent:
            first = silent[0]
            raise MissingAnswersError(
                f"teacher='api:{self.model}' has no answer to {len(silent)} of"
                f" {len(texts)} texts, the first of them text {first}"
                f" ({answers[first].how}): {texts[first][:80]!r}. Its knows() says"
                " which it can answer: leave the others out"
            )
        logits = as_logits(answers, self.num_labels)
        return self.calibration(logits) if self.calibration else logits

    @cached_property
    def calibration(self) -> Calibration | None:
        """Temperature and shifts, fitted to the labelled rows; None without them."""
        if not self.labelled:
            return None
        texts, places = map(list, zip(*self.labelled))
        return fit(self.ask(texts), places)

    @property
    def about(self) -> dict:
        """What is known of the teacher, for reports."""
        usable = [a for a in self._answers.values() if a.shares is not None]
        masses = [a.mass for a in usable if not math.isnan(a.mass)]
        ways = Counter(answer.how for answer in self._answers.values())
        found = {
            "how": "a language model was asked",
            "model": self.model,
            "server": self.server.name,
            "answers": dict(ways) or None,
            "mean probability on the classes": (
                round(float(np.mean(masses)), 3) if masses else None
            ),
            "taken out before sending": dict(self._told) or None,
            "dollars": round(self.store.spent, 6) if self._has_store else 0.0,
            "requests lost by a stop, counted as paid": (
                self.store.lost or None if self._has_store else None
            ),
            "warnings": self._warnings(ways),
        }
        if "calibration" in self.__dict__ and self.calibration:
            found["calibrated with temperature"] = round(
                self.calibration.temperature, 3
            )
        return found

    def _warnings(self, ways: Counter) -> list[str]:
        found = []
        silent = sum(ways.values()) - ways[BY_LOGPROBS] - ways[BY_VOTES]
        if silent:
            found.append(
                f"the language model has no usable answer to {silent:,} of"
                f" {sum(ways.values()):,} texts"
            )
        if self._thought and ways[BY_VOTES]:
            found.append(
                "the model thinks before it answers: temperature does nothing then, and"
                " its votes hardly differ; turn thinking off for soft labels"
            )
        if self.labelled and "calibration" in self.__dict__ and not self.calibration:
            found.append(
                f"not calibrated: fewer than {FEW} labelled texts were answered"
            )
        return found

    # ----------------------------------------------------------------- asking
    def ask(self, texts: Sequence[str]) -> list[Answer]:
        """Return what the model says about each text, or why it says nothing."""
        keys = [text_hash(text) for text in texts]
        missing = {k: t for k, t in zip(keys, texts) if k not in self._answers}
        if missing:
            sent = {key: self._scrub(text) for key, text in missing.items()}
            self._answers.update(self._ask(sent))
        return [self._answers[key] for key in keys]

    def with_questions(self, questions: Questions) -> ApiTeacher:
        """Return this teacher asking in another way, with its store and budget."""
        other = copy(self)
        other.questions, other.task = questions, questions.task
        other.label_names = questions.task.label_names
        other.labelled = []
        other.fingerprint = other._named()
        other._asker, other._answers, other._told = None, {}, {}
        other.__dict__.pop("calibration", None)
        return other

    def _ask(self, sent: Mapping[str, str]) -> dict[str, Answer]:
        if self.how == BY_VOTES or self._no_logprobs:
            return self._by_votes(sent)
        found = self._by_logprobs(sent)
        if self.how == "auto":
            wanting = {
                key: text
                for key, text in sent.items()
                if key not in found or found[key].how in WANTING
            }
            found.update(self._by_votes(wanting))
        return found

    def _by_logprobs(self, sent: Mapping[str, str]) -> dict[str, Answer]:
        """Ask for log-probabilities; stop early where the server has none."""
        keys = sorted(sent, key=lambda key: (len(sent[key]), key))
        found: dict[str, Answer] = {}
        for part in (keys[:LOOKED], keys[LOOKED:]):
            try:
                replies = self._replies([self.questions.label(sent[k]) for k in part])
            except ApiError as error:
                if self._wants_no_logprobs(error) and not found:
                    self._write_no_logprobs()
                    break
                raise
            for key, reply in zip(part, replies):
                found[key] = from_logprobs(reply, self.label_names, self.least_mass)
            none = sum(found[key].how in NOT_TOLD for key in part)
            if self.how == "auto" and none == len(part) == LOOKED:
                self._write_no_logprobs()
                break
        return found

    def _wants_no_logprobs(self, error: ApiError) -> bool:
        """Whether a server refuses to be asked for log-probabilities at all."""
        return self.how == "auto" and error.of_this_text and "logprob" in str(error)

    def _by_votes(self, sent: Mapping[str, str]) -> dict[str, Answer]:
        replies = self._replies(
            [self.questions.vote(t, s) for t in sent.values() for s in self._samples]
        )
        size = self.samples
        return {
            key: from_votes(replies[n * size : (n + 1) * size], self.label_names)
            for n, key in enumerate(sent)
        }

    def traces(
        self, texts: Sequence[str], tokens: int = THINKING_TOKENS
    ) -> list[Trace]:
        """Return how the model came to its answers, thoughts and answer apart.

        Parameters
        ----------
        texts : sequence of str
        tokens : int, default 4096
            The most that it may write, thoughts included.

        Returns
        -------
        list of Trace
            Empty ones where the server did not accept the text.
        """
        check_whole("tokens", tokens, least=1)
        questions = [self.questions.trace(self._scrub(t), tokens) for t in texts]
        replies = self._replies(questions)
        return [as_trace(reply, self.label_names) for reply in replies]

    def _replies(self, questions: Sequence[Question]) -> list[Reply | None]:
        if not questions:
            return []
        if self._asker is None:
            self._check_money()
            if not self._has_store:  # what is kept can be read without a key
                self.server.check_ready()
            self._asker = Asker(
                self.server,
                self.store,
                self.fingerprint,
                self.price or FREE,
                self.max_cost,
                self.concurrency,
                self.progress,
            )
        replies = self._asker.ask(questions)
        self._thought |= any(reply and reply.reasoning for reply in replies)
        return replies

    def _check_money(self) -> None:
        if self.price is None:
            raise ValueError(
                f"price: nobody knows what model={self.model!r} costs; give it as two"
                " numbers, dollars for a million tokens in and out (0 and 0 if it costs"
                " nothing)"
            )
        if self.max_cost is None and (self.price.input or self.price.output):
            raise ValueError(
                f"max_cost must say how many dollars may be spent on {self.model!r}"
                f" (${self.price.input:g} in and ${self.price.output:g} out a million"
                " tokens); nothing was sent"
            )

    @property
    def _no_logprobs(self) -> bool:
        """Whether the first answers had none; all processes and runs agree on it."""
        if self.how != "auto" or not self._has_store:
            return False
        return self.store.note(self._note) is not None

    def _write_no_logprobs(self) -> None:
        self.store.write_note(self._note, "none")

    @property
    def _note(self) -> str:
        return f"log-probabilities of {self.fingerprint}"

    @property
    def _samples(self) -> range:
        return range(self.samples)

    # --------------------------------------------------------------- estimate
    def estimate(self, texts: Sequence[str]) -> Estimate:
        """Count and price what asking would take; nothing is sent.

        Parameters
        ----------
        texts : sequence of str

        Returns
        -------
        Estimate
            Of the way that is taken first: votes that log-probabilities may turn out
            to need are in `worst` alone.
        """
        by_votes = self.how == BY_VOTES or self._no_logprobs
        votes, labels = self.vote_questions(texts), self.label_questions(texts)
        first = votes if by_votes else labels
        keys = [question.key for question in first]
        there = self.store.find(keys) if self._has_store else {}
        asked = [question for question in first if question.key not in there]
        usage = self._usage()
        prompt = float(usage.prompt(np.array([q.bytes for q in asked])).sum())
        completion = usage.completion * len(asked)
        both = asked + (votes if self.how == "auto" and not by_votes else [])
        price = self.price
        return Estimate(
            len(labels),
            len(asked),
            len(there),
            round(prompt),
            round(completion),
            None if price is None else price.of(prompt, completion),
            None if price is None else sum(question.worst(price) for question in both),
            price,
            usage.learnt_from,
        )

    def _usage(self) -> Usage:
        expected = max(len(name.encode()) for name in self.label_names) / 4 + 1
        if self.thinking:
            expected += THINKING_TOKENS / 4
        replies = self.store.some(self.fingerprint) if self._has_store else []
        return learn_usage(replies, expected)

    # ------------------------------------------------------------------ texts
    def label_questions(self, texts: Sequence[str]) -> list[Question]:
        """Return what would be sent for log-probabilities, each text once."""
        return [self.questions.label(text) for text in self._unique(texts)]

    def vote_questions(self, texts: Sequence[str]) -> list[Question]:
        """Return what would be sent for votes, each text's samples in a row."""
        unique = self._unique(texts)
        return [self.questions.vote(t, s) for t in unique for s in self._samples]

    def _unique(self, texts: Sequence[str]) -> list[str]:
        return list(dict.fromkeys(scrub(t)[0] if self.scrubbed else t for t in texts))

    def _scrub(self, text: str) -> str:
        if not self.scrubbed:
            return text
        text, found = scrub(text)
        for name, count in found.items():
            self._told[name] = self._told.get(name, 0) + count
        return text

    def _named(self) -> str:
        whole = {
            "server": self.server.base_url,
            "model": self.model,
            "task": self.task.fingerprint,
            "how": [self.how, self.samples, self.least_mass, TOP],
            "asked": [
                getattr(self.questions, name)
                for name in ("temperature", "thinking", "prefill", "shuffle", "extra")
            ],
            "scrubbed": SCRUBBING if self.scrubbed else None,
            "labelled": self.labelled,
        }
        text = json.dumps(whole, sort_keys=True, default=repr)
        return f"api-{hashlib.sha256(text.encode()).hexdigest()[:16]}"
