"""How right a written text is: its answer, its words, its longest common thread.

Each is fooled by something: an exact match by a right answer on wrong steps, BLEU and
ROUGE by many right words around a wrong number.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from ..arguments import check_type
from ..data.cleaning import check_texts

_HOW = (
    'sacrebleu is not installed. Call python -m pip install "distill-helpers[text]",'
    " or leave BLEU out: the other scores need nothing"
)
_WORD = re.compile(r"[a-z0-9]+")


def read_answer(text: str | None, mark: str = "#") -> str | None:
    """Return what stands behind the last mark of a text.

    Parameters
    ----------
    text : str or None
        None is a text that did not end within its limit, as
        :attr:`~distill_helpers.evaluation.Generations.whole` has it: what looks like
        an answer there may be half of one.
    mark : str, default "#"
        Behind which the answer stands.

    Returns
    -------
    str or None
        Spaces made one, none at the ends; None where there is no answer.

    Raises
    ------
    TypeError, ValueError
        If `text` is neither str nor None, or `mark` is empty.

    Examples
    --------
    >>> read_answer("71 + 7 = 78 ; 78 / 2 = 39 # 39")
    '39'
    >>> read_answer("71 + 7 = 78") is None
    True
    """
    if text is None:
        return None
    check_type("text", text, str, "a str or None")
    if not check_type("mark", mark, str, "a str").strip():
        raise ValueError(f"mark must not be empty, got {mark!r}")
    _, found, answer = text.rpartition(mark)
    answer = " ".join(answer.split())
    return answer if found and answer else None


def exact_matches(
    answers: Sequence[str | None], references: Sequence[str]
) -> np.ndarray:
    """Say which answers are the reference, to the letter.

    Parameters
    ----------
    answers : sequence of str or None
        None is no answer, which is never right.
    references : sequence of str

    Returns
    -------
    ndarray of bool, shape (len(references),)

    Raises
    ------
    TypeError, ValueError
        If the lengths differ, there is none, or a reference is no str.

    Examples
    --------
    >>> exact_matches(["39", None, "39.0"], ["39", "7", "39"]).tolist()
    [True, False, False]
    """
    answers, references = _pairs("answers", answers, references, optional=True)
    return np.array([a is not None and a == r for a, r in zip(answers, references)])


def bleu(texts: Sequence[str], references: Sequence[str]) -> float:
    """Return the BLEU of a whole set, by sacrebleu.

    Counts runs of one to four words that the reference has too, over all texts
    together; a text that is too short is punished [1]_.

    Parameters
    ----------
    texts, references : sequence of str
        One reference each.

    Returns
    -------
    float
        Within [0, 100].

    Raises
    ------
    TypeError, ValueError
        If the lengths differ, or there is none.
    ImportError
        If sacrebleu is not installed.

    References
    ----------
    .. [1] M. Post, "A call for clarity in reporting BLEU scores", WMT 2018,
       arXiv:1804.08771.
    """
    texts, references = _pairs("texts", texts, references)
    try:
        import sacrebleu
    except ImportError as error:
        raise ImportError(_HOW) from error
    return float(sacrebleu.corpus_bleu(texts, [references]).score)


def rouge_l(texts: Sequence[str], references: Sequence[str]) -> float:
    """Return the mean ROUGE-L.

    Of the longest run of words, gaps allowed, that a text and its reference share:
    the harmonic mean of its share of the one and of the other [1]_. As the package
    rouge-score has it, capitals and all but letters and digits of English are left
    out, and no word is stemmed.

    Parameters
    ----------
    texts, references : sequence of str
        One reference each.

    Returns
    -------
    float
        Within [0, 100].

    Raises
    ------
    TypeError, ValueError
        If the lengths differ, or there is none.

    References
    ----------
    .. [1] C.-Y. Lin, "ROUGE: a package for automatic evaluation of summaries",
       2004.

    Examples
    --------
    >>> rouge_l(["a pear, an apple"], ["an apple, a pear"])
    50.0
    """
    texts, references = _pairs("texts", texts, references)
    return 100 * float(np.mean([_rouge_l(*both) for both in zip(texts, references)]))


def _rouge_l(text: str, reference: str) -> float:
    words, wanted = (_WORD.findall(part.lower()) for part in (text, reference))
    shared = _longest_common(words, wanted)
    # The harmonic mean of shared / len(words) and shared / len(wanted).
    return 2 * shared / (len(words) + len(wanted)) if shared else 0.0


def _longest_common(first: Sequence[str], second: Sequence[str]) -> int:
    """Return the length of the longest common subsequence."""
    longest = [0] * (
        len(second) + 1
    )  # of what was read of `first`, by what of `second`
    for word in first:
        before = 0
        for place, other in enumerate(second, start=1):
            kept = longest[place]
            same = word == other
            longest[place] = before + 1 if same else max(kept, longest[place - 1])
            before = kept
    return longest[-1]


def _pairs(name: str, texts, references, optional: bool = False):
    check_texts(references, "references")
    if optional and not isinstance(texts, str):  # None is no answer
        check_texts(["" if text is None else text for text in texts], name)
    else:
        check_texts(texts, name)
    if len(texts) != len(references) or not len(texts):
        raise ValueError(
            f"{name} and references must be equally many and at least one, got"
            f" {len(texts)} and {len(references)}"
        )
    return list(texts), list(references)
