"""Several teachers as one, each asked where it is at home."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import sklearn

from ..arguments import check_type
from ..data.cleaning import check_texts, text_hash
from ..students.linear import linear_baseline
from .base import Teacher, check_answers
from .mixed import SharedClasses, average_logits

FORMAT = 1
"""Part of every fingerprint; it grows whenever gates weigh otherwise."""


class DomainGate:
    """Tells of which domain a text is, by its words.

    Parameters
    ----------
    texts : sequence of str
        Of all domains; nobody need know their classes.
    domains : sequence of str
        The domain of each text.

    Attributes
    ----------
    domains : list of str
        In the order of the columns of what it gives.
    fingerprint : str

    Raises
    ------
    TypeError, ValueError
        If there is not one domain a text, or there are fewer than two domains, or
        one of a single text.
    """

    def __init__(self, texts: Sequence[str], domains: Sequence[str]) -> None:
        check_texts(texts)
        domains = [
            check_type("domains", name, str, "a name for each text") for name in domains
        ]
        if len(texts) != len(domains):
            raise ValueError(
                f"domains must hold a name for each of the {len(texts)} texts, got"
                f" {len(domains)}"
            )
        counts = Counter(domains)
        if len(counts) < 2 or min(counts.values()) < 2:
            raise ValueError(
                "domains must name at least two, with two texts or more each, got"
                f" {dict(counts)}"
            )
        self._model = linear_baseline().fit(list(texts), domains)
        self.domains = [str(name) for name in self._model.classes_]
        content = [(text_hash(t), name) for t, name in zip(texts, domains)]
        digest = hashlib.sha256(repr((FORMAT, sklearn.__version__, content)).encode())
        self.fingerprint = digest.hexdigest()[:16]

    def __call__(self, texts: Sequence[str]) -> np.ndarray:
        """Return how likely each domain is.

        Parameters
        ----------
        texts : sequence of str

        Returns
        -------
        ndarray of float64, shape (len(texts), domains)
            Rows sum to 1.
        """
        check_texts(texts)
        if not len(texts):
            return np.zeros((0, len(self.domains)))
        return self._model.predict_proba(list(texts))


class GatedTeacher(Teacher):
    """Average the probabilities of several teachers, each by how much a text is its own.

    A mixture of experts [1]_ whose experts are there already: only the gate is learnt.

    Parameters
    ----------
    teachers : mapping of str to Teacher
        By the domain that each is at home in; at least two, all with the same
        classes. Where they name them, the others' logits are put in the order of the
        first that does.
    texts : sequence of str
        Texts of all these domains. Nobody need know their classes.
    domains : sequence of str
        The domain of each.
    problem_type : str, optional
        As for :class:`~distill_helpers.teachers.mixed.AverageTeacher`.

    Attributes
    ----------
    gate : DomainGate
        Give it texts, and it says how much each teacher would count.

    Raises
    ------
    ClassNamesError
        If the teachers' classes have other names.
    TypeError, ValueError
        If the classes differ in number, a teacher answers another kind of question,
        or the domains of texts and teachers are not the same.

    Notes
    -----
    A softmax of the logits returned (of several labels a text: a sigmoid of each)
    gives the averaged probabilities back. A text counts for a domain by its words
    alone: learn the gate from texts like those that will be asked.

    References
    ----------
    .. [1] R. A. Jacobs et al., "Adaptive mixtures of local experts", Neural
       Computation 3(1), 1991.
    """

    def __init__(
        self,
        teachers: Mapping[str, Teacher],
        texts: Sequence[str],
        domains: Sequence[str],
        problem_type: str | None = None,
    ) -> None:
        check_type("teachers", teachers, Mapping, "a mapping from domain to Teacher")
        shared = SharedClasses.of(list(teachers.values()), problem_type)
        apart = set(teachers) ^ set(domains)
        if apart:
            raise ValueError(
                f"teachers are at home in {sorted(teachers)}, the texts come from"
                f" {sorted(set(domains))}: each domain needs a teacher and texts"
            )
        self.gate = DomainGate(texts, domains)
        by_domain = dict(zip(teachers, shared.teachers))
        self.teachers = {name: by_domain[name] for name in self.gate.domains}
        self.label_names, self.num_labels = shared.label_names, shared.num_labels
        self.problem_type = shared.problem_type

    @property
    def fingerprint(self) -> str:  # type: ignore[override]
        """Those of its members and of the gate."""
        members = (f"{name}={t.fingerprint}" for name, t in self.teachers.items())
        return f"gated-{self.gate.fingerprint}-{'+'.join(members)}"

    def knows(self, texts: Sequence[str]) -> np.ndarray:
        """Say which texts all of them can answer."""
        texts = list(texts)
        return np.all([t.knows(texts) for t in self.teachers.values()], axis=0)

    def logits(self, texts: Sequence[str]) -> np.ndarray:
        """See :meth:`Teacher.logits`."""
        answers = [teacher.logits(texts) for teacher in self.teachers.values()]
        for answer in answers:
            check_answers(answer, len(texts), self.num_labels)
        return average_logits(answers, self.gate(texts).T, self.problem_type)
