"""A linear student on hashed n-grams, fitted to soft targets at once.

Where the bigram student learns batch by batch, this one sees all texts
together: its loss is convex, and a quasi-Newton method finds the minimum in a
minute. Words are known by their hashes alone, so that no vocabulary has to be
kept beside the weights.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.optimize import minimize
from scipy.special import expit

from ..arguments import check_alpha, check_number, check_temperature
from ..data.labels import NO_LABEL
from ..data.scripts import MARKS, SPACELESS

HASH_BITS = 24
"""N-grams are told apart by so many bits; some two thousandths collide."""
_LETTER = rf"(?:(?![{SPACELESS}_])[\w{MARKS}])"
_WORD = re.compile(rf"[{SPACELESS}]|{_LETTER}+(?:'{_LETTER}+)?|[!?.,;:()\"*-]")
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_SHIFT = np.uint64(64 - HASH_BITS)


def words(text: str) -> list[str]:
    """Cut a text into lower-case words and punctuation marks.

    Letters are those of any script; where words have no spaces between them, as in
    Chinese, Japanese or Thai, each letter is a word, and its runs are n-grams.

    Examples
    --------
    >>> words("Schön! 很好")
    ['schön', '!', '很', '好']
    >>> words("Don't miss it!")
    ["don't", 'miss', 'it', '!']
    """
    return _WORD.findall(text.lower())


def word_hashes(texts: Sequence[str]) -> list[np.ndarray]:
    """Return the CRC-32 of every word.

    Parameters
    ----------
    texts : sequence of str

    Returns
    -------
    list of ndarray of uint64, each of shape (words of the text,)
    """
    known: dict[str, int] = {}

    def hashed(word: str) -> int:
        if word not in known:
            known[word] = zlib.crc32(word.encode())
        return known[word]

    return [np.array([hashed(w) for w in words(t)], np.uint64) for t in texts]


def ngram_hashes(hashes: np.ndarray, n: int) -> np.ndarray:
    """Hash every run of `n` words.

    Parameters
    ----------
    hashes : ndarray of uint64, shape (words,)
        From :func:`word_hashes`.
    n : int
        At least 1.

    Returns
    -------
    ndarray of uint32, shape (max(0, words - n + 1),)
        Numbers below ``2**HASH_BITS``.

    Notes
    -----
    A polynomial in an odd 64-bit constant, whose upper bits are kept: the
    multiplicative hash of Knuth, "The art of computer programming", 6.4.
    """
    count = max(0, len(hashes) - n + 1)
    mixed = np.full(count, np.uint64(n))
    for place in range(n):
        mixed = (mixed + hashes[place : place + count]) * _MULTIPLIER
    return ((mixed ^ (mixed >> np.uint64(32))) * _MULTIPLIER >> _SHIFT).astype(
        np.uint32
    )


@dataclass
class NgramIndex:
    """Which n-grams count, and in which column each one stands.

    Attributes
    ----------
    keys : ndarray of uint32, shape (features,)
        Their hashes, sorted.
    longest : int
        Runs of 1 to so many words are looked up.
    """

    keys: np.ndarray
    longest: int

    @classmethod
    def of(
        cls, hashes: Sequence[np.ndarray], longest: int, at_least: Sequence[int]
    ) -> NgramIndex:
        """Keep the n-grams that stand in enough texts.

        Parameters
        ----------
        hashes : sequence of ndarray
            From :func:`word_hashes`.
        longest : int
            At least 1.
        at_least : sequence of int, length `longest`
            In how many texts a run of 1, 2, ... words must stand.

        Raises
        ------
        ValueError
            If the lengths do not fit or nothing is left.
        """
        if longest < 1 or len(at_least) != longest:
            raise ValueError(
                f"at_least must hold one number for each of the {longest} lengths"
                f" of runs (at least one), got {list(at_least)!r}"
            )
        kept = []
        for n, least in zip(range(1, longest + 1), at_least):
            present = [np.unique(ngram_hashes(h, n)) for h in hashes]
            counts = np.bincount(np.concatenate(present), minlength=1)
            kept.append(np.flatnonzero(counts >= least))
        keys = np.unique(np.concatenate(kept)).astype(np.uint32)
        if not len(keys):
            raise ValueError("no n-gram stands in enough texts; lower at_least")
        return cls(keys, longest)

    def features(self, hashes: Sequence[np.ndarray]) -> sparse.csr_matrix:
        """Mark which n-grams occur in each text.

        Parameters
        ----------
        hashes : sequence of ndarray
            From :func:`word_hashes`.

        Returns
        -------
        csr_matrix of float32, shape (texts, features)
            1 where the n-gram occurs, however often.
        """
        columns = [self._columns(h) for h in hashes]
        starts = np.concatenate([[0], np.cumsum([len(c) for c in columns])])
        flat = np.concatenate([np.zeros(0, np.int64), *columns])
        return sparse.csr_matrix(
            (np.ones(len(flat), np.float32), flat, starts),
            shape=(len(columns), len(self.keys)),
        )

    def _columns(self, hashes: np.ndarray) -> np.ndarray:
        runs = [ngram_hashes(hashes, n) for n in range(1, self.longest + 1)]
        seen = np.unique(np.concatenate(runs))
        place = np.minimum(np.searchsorted(self.keys, seen), len(self.keys) - 1)
        return place[self.keys[place] == seen]


def by_root(features: sparse.csr_matrix) -> sparse.csr_matrix:
    r"""Divide each text's features by the root of how many it has.

    A long text has more n-grams, and a sum over them would be sure of itself only
    because it is long. Rows of zeros and ones get length one, as in text
    classification by cosine [1]_.

    Parameters
    ----------
    features : csr_matrix, shape (texts, features)

    Returns
    -------
    csr_matrix of float32, shape (texts, features)
        A new matrix; a text without any feature keeps its empty row.

    References
    ----------
    .. [1] G. Salton, C. Buckley, "Term-weighting approaches in automatic text
       retrieval", Information Processing & Management 24(5), 1988.

    Examples
    --------
    >>> found = sparse.csr_matrix(np.array([[1, 1, 1, 1], [0, 1, 0, 0], [0, 0, 0, 0]]))
    >>> by_root(found).toarray().tolist()
    [[0.5, 0.5, 0.5, 0.5], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]]
    """
    present = np.diff(features.tocsr().indptr)
    shares = (1 / np.sqrt(np.maximum(present, 1))).astype(np.float32)
    return (sparse.diags(shares) @ features).tocsr()


def log_count_ratio(
    features: sparse.csr_matrix, probabilities: np.ndarray
) -> np.ndarray:
    """Return how strongly each n-gram speaks for the second class [1]_.

    Parameters
    ----------
    features : csr_matrix, shape (texts, features)
    probabilities : ndarray, shape (texts,)
        Of the second class: soft counts, so that no label is needed.

    Returns
    -------
    ndarray of float32, shape (features,)

    References
    ----------
    .. [1] S. Wang, C. Manning, "Baselines and bigrams", ACL 2012.
    """
    p = np.asarray(probabilities, np.float32)
    for_it = (features.T @ p + 1) / p.sum()
    against = (features.T @ (1 - p) + 1) / (1 - p).sum()
    return np.log(for_it / against).astype(np.float32)


def fit_margins(
    features: sparse.csr_matrix,
    teacher_margins: np.ndarray | None,
    labels: np.ndarray,
    *,
    temperature: float = 4.0,
    alpha: float = 0.7,
    scale: np.ndarray | None = None,
    strength: float = 0.03,
    iterations: int = 80,
) -> tuple[np.ndarray, float]:
    r"""Fit a linear student of two classes to soft targets and labels.

    With one margin :math:`s` for each text the loss is

    .. math:: \alpha \, T^2 \, \mathrm{KL}(\sigma(t / T) \,\|\, \sigma(s / T))
              + (1 - \alpha) \, \mathrm{CE}(y, \sigma(s)) + \mathrm{penalty}

    as in :class:`~distill_helpers.losses.combined.DistillationLoss`, minimised by
    L-BFGS over all texts at once.

    Parameters
    ----------
    features : csr_matrix, shape (texts, features)
    teacher_margins : ndarray, shape (texts,), or None
        The teacher's logit of class 1 minus that of class 0; None fits labels
        alone.
    labels : ndarray of int, shape (texts,)
        0, 1, or -100 where there is none.
    temperature : float, default 4.0
    alpha : float, default 0.7
        Weight of the soft targets; without a teacher it is taken as 0.
    scale : ndarray, shape (features,), optional
        Columns are multiplied by it first: those with a large scale are held
        back less by the penalty.
    strength : float, default 0.03
        Inverse of the penalty on squared weights; above 0.
    iterations : int, default 80

    Returns
    -------
    (ndarray of float32, shape (features,), float)
        Weights of the unscaled features, and the bias.

    Raises
    ------
    ValueError
        If the lengths differ, there is nothing to learn from, or a parameter
        is out of range.
    """
    check_temperature(temperature)
    check_alpha(alpha)
    check_number("strength", strength, above=0)
    labels = np.asarray(labels)
    if labels.ndim != 1 or not np.isin(labels, (0, 1, NO_LABEL)).all():
        raise ValueError(
            f"labels must be 0, 1 or {NO_LABEL} for each text, as a margin tells two"
            f" classes apart, got shape {labels.shape} with values up to {labels.max()}"
        )
    known = labels != NO_LABEL
    if teacher_margins is None:
        alpha, teacher_margins = 0.0, np.zeros(len(labels))
    if not features.shape[0] == len(labels) == len(teacher_margins):
        raise ValueError(
            f"features has {features.shape[0]} texts, labels {len(labels)} and"
            f" teacher_margins {len(teacher_margins)}: they must agree"
        )
    if alpha == 0 and not known.any():
        raise ValueError("there is nothing to learn from: no label and no teacher")
    if scale is not None:
        features = features @ sparse.diags(np.asarray(scale, np.float32))
    loss = _MarginLoss(
        features.tocsr(),
        expit(np.asarray(teacher_margins, float) / temperature),
        np.where(known, labels, 0),
        known,
        temperature,
        alpha,
        strength,
    )
    start = np.zeros(features.shape[1] + 1)
    options = {"maxiter": iterations, "maxcor": 6}
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options=options).x
    weights = found[:-1] if scale is None else found[:-1] * scale
    return weights.astype(np.float32), float(found[-1])


@dataclass
class _MarginLoss:
    """Loss and gradient of :func:`fit_margins`, for scipy."""

    features: sparse.csr_matrix
    soft: np.ndarray
    labels: np.ndarray
    known: np.ndarray
    temperature: float
    alpha: float
    strength: float

    def __post_init__(self) -> None:
        self.transposed = self.features.T.tocsr()

    def __call__(self, found: np.ndarray) -> tuple[float, np.ndarray]:
        weights, bias = found[:-1], found[-1]
        margins = self.features @ weights.astype(np.float32) + bias
        count, temperature = len(margins), self.temperature
        cooled = margins / temperature
        kd = (np.logaddexp(0, cooled) - self.soft * cooled).sum() / count
        push = (expit(cooled) - self.soft) / count
        total = self.alpha * temperature**2 * kd
        gradient = self.alpha * temperature * push
        if self.alpha < 1 and self.known.any():
            sure, labels = margins[self.known], self.labels[self.known]
            hard = (np.logaddexp(0, sure) - labels * sure).mean()
            total += (1 - self.alpha) * hard
            gradient[self.known] += (
                (1 - self.alpha) * (expit(sure) - labels) / len(sure)
            )
        penalty = 1 / (self.strength * count)
        total += 0.5 * penalty * weights @ weights
        by_weight = self.transposed @ gradient.astype(np.float32) + penalty * weights
        return float(total), np.append(by_weight, gradient.sum())
