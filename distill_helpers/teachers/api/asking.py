"""Many requests: few at once, none twice, never for more than the budget."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field

from tqdm.auto import tqdm

from .chat import KEPT, ApiError, ChatServer
from .money import Price
from .questions import Question
from .replies import Reply
from .store import BUSY, AnswerStore, OverBudget

BLANKS = 2
"""How often a blank answer is asked for again."""
PAUSE = 0.02
"""Seconds between two looks at what another process or thread is doing."""
MOST_REFUSED = 10
"""Texts that a server may refuse before it must have answered as many."""


class BudgetReachedError(ApiError):
    """The next request might cost more than is left of the budget."""


@dataclass
class Asker:
    """Asks a server, keeps every answer, and stops in time.

    Attributes
    ----------
    server : ChatServer
    store : AnswerStore
    teacher : str
        The name under which answers are kept.
    price : Price
    max_cost : float or None
        Dollars that all answers of the store may cost together.
    concurrency : int
    progress : bool
    refused : dict of str to str
        Requests that the server did not accept, and what it said.
    """

    server: ChatServer
    store: AnswerStore
    teacher: str
    price: Price
    max_cost: float | None = None
    concurrency: int = 8
    progress: bool = True
    refused: dict[str, str] = field(default_factory=dict)
    _stop: threading.Event = field(default_factory=threading.Event, repr=False)
    _answered: int = 0

    def ask(self, questions: Sequence[Question]) -> list[Reply | None]:
        """Return the replies in the order of the questions.

        Parameters
        ----------
        questions : sequence of Question

        Returns
        -------
        list of (Reply or None)
            None for one that the server did not accept; see `refused`.

        Raises
        ------
        BudgetReachedError
            If the next request might cost more than is left.
        ApiError
            If the server cannot be asked at all. What was answered is kept.
        """
        by_key = {question.key: question for question in questions}
        found: dict[str, Reply | None] = dict(self.store.find(list(by_key)))
        found.update({k: None for k in by_key if k in self.refused and k not in found})
        missing = [q for key, q in by_key.items() if key not in found]
        missing.sort(key=lambda question: question.bytes)
        self._stop.clear()
        if missing and not found and not self.store.some(self.teacher, 1):
            found.update(self._first(missing))
            missing = [question for question in missing if question.key not in found]
        if missing:
            found.update(self._many(missing))
        return [found[question.key] for question in questions]

    def _first(self, questions: Sequence[Question]) -> dict[str, Reply | None]:
        """Ask one alone: a wrong key or model shows in one request, not in many.

        A server may refuse a text for what it says: up to three texts are tried.
        """
        found: dict[str, Reply | None] = {}
        places = [0, len(questions) // 2, len(questions) - 1]
        tried = list(
            {questions[place].key: questions[place] for place in places}.values()
        )
        for question in tried:
            try:
                found[question.key] = self._one(question, alone=True)
                return found
            except ApiError as error:
                if not error.of_this_text or question is tried[-1]:
                    raise
                found[question.key] = None
                self.refused[question.key] = str(error)
        return found

    def _many(self, questions: Sequence[Question]) -> dict[str, Reply | None]:
        found: dict[str, Reply | None] = {}
        bar = tqdm(
            total=len(questions),
            desc=self.server.name,
            unit="answer",
            disable=not self.progress or len(questions) < 2,
        )
        with bar, ThreadPoolExecutor(min(self.concurrency, len(questions))) as pool:
            begun: dict[Future, str] = {}
            try:
                begun = {pool.submit(self._one, q): q.key for q in questions}
                for done in as_completed(begun):
                    found[begun[done]] = done.result()
                    bar.update()
                    if self.price.output and not bar.disable:
                        bar.set_postfix_str(f"${self.store.spent:.4f}", refresh=False)
            except BaseException:
                self._stop.set()  # those on their way arrive and are kept
                for future in begun:
                    future.cancel()
                raise
        return found

    def _one(self, question: Question, alone: bool = False) -> Reply | None:
        """Ask one question; exceptions are new ones, and know no key."""
        worst = question.worst(self.price)
        failure: Exception
        try:
            known = self._claim(question, worst)
            return known if known is not None else self._send(question, worst)
        except OverBudget as error:
            failure = BudgetReachedError(
                f"max_cost={self.max_cost:g} dollars is reached: ${error.spent:.4f} is"
                f" spent and the next request might cost ${worst:.4f}; {KEPT} with a"
                " larger max_cost"
            )
        except ApiError as error:
            if error.of_this_text and not alone and self._may_refuse():
                self.refused[question.key] = str(error)
                return None
            failure = error
        raise failure

    def _may_refuse(self) -> bool:
        return len(self.refused) < max(MOST_REFUSED, self._answered)

    def _claim(self, question: Question, worst: float) -> Reply | None:
        """Reserve the price; wait for whoever asks the same or holds the rest."""
        while not self._stop.is_set():
            try:
                found = self.store.claim(question.key, worst, self.max_cost)
            except OverBudget as error:
                if not error.reserved:
                    raise
            else:
                if found is not BUSY:
                    return found
            time.sleep(PAUSE)
        raise ApiError("stopped")

    def _send(self, question: Question, worst: float) -> Reply:
        """Send until there is an answer; keep it, or take the reservation back."""
        paid = 0.0
        try:
            for left in reversed(range(BLANKS + 1)):
                try:
                    reply, unsure = self.server.ask(
                        question.request, lambda: self._claim_more(question, worst)
                    )
                except (ApiError, OverBudget) as error:
                    paid += error.unsure * worst
                    if not left or not getattr(error, "torn", False):
                        raise
                else:
                    paid += self._bill(reply, worst) + unsure * worst
                    if not reply.blank or not left:
                        break
                self._claim_more(question, worst)
        except BaseException:
            self.store.give_up(question.key, paid)
            raise
        self.store.keep(question.key, self.teacher, reply, paid)
        self._answered += 1
        return reply

    def _claim_more(self, question: Question, worst: float) -> None:
        self.store.claim_more(question.key, worst, self.max_cost)

    def _bill(self, reply: Reply, worst: float) -> float:
        if not reply.prompt_tokens:  # the server did not count
            return worst
        return self.price.of(
            reply.prompt_tokens, reply.completion_tokens, reply.cached_tokens
        )
