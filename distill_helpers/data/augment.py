"""Views of a text: other texts that a teacher can be asked about.

A view says something else than the text that it was made of, so the old answer need
not hold for it: teacher and student must see the same view [1]_. :func:`views` makes
them, :func:`asked` has a teacher answer them anew.

References
----------
.. [1] L. Beyer et al., "Knowledge distillation: a good teacher is patient and
   consistent", CVPR 2022.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from typing import NamedTuple

import numpy as np

from ..arguments import check_number, check_type, check_whole
from ..foreign import list_of, mapping_of, read_json
from ..foreign import text as text_shape
from ..places import SYNONYMS, TRANSLATED
from .cleaning import check_texts, has_content, text_hash
from .scripts import units
from .targets import as_logits, check_logits, check_no_probabilities

View = Callable[[str, np.random.Generator], str]
LIVE_TEACHERS = (
    "'small', which comes with the kit; a saved classifier's folder or Hub id; one of"
    " make_teacher; a language model, 'api:MODEL'"
)
"""Who can be asked about any text."""
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")
_SYNONYMS = mapping_of(list_of(text_shape(), 1), text_shape())


def _units_of(text: str) -> list[str]:
    check_type("text", text, str, "a text")
    found = units(text)
    if not found:
        raise ValueError(f"text must hold at least one word, got {text!r}")
    return found


# --------------------------------------------------------------------- views
def crop(text: str, rng: np.random.Generator, share: float = 0.5) -> str:
    """Cut out a run of words.

    Parameters
    ----------
    text : str
        With at least one word. Where a script has no spaces, letters are words.
    rng : numpy.random.Generator
        Draws where the run begins.
    share : float, default 0.5
        Of the text's words, above 0 and at most 1; part of a word is a whole one.

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If the text has no word, or `share` is out of range: an empty view can be
        asked nothing.

    Examples
    --------
    >>> crop("one two three four", np.random.default_rng(0))
    'three four'
    """
    check_number("share", share, above=0, most=1)
    words = _units_of(text)
    length = math.ceil(share * len(words) - 1e-9)
    start = int(rng.integers(len(words) - length + 1))
    return "".join(words[start : start + length]).strip()


def splice(
    text: str,
    rng: np.random.Generator,
    others: Sequence[str] = (),
    share: float = 0.5,
) -> str:
    """Put a run of a text before a run of another one.

    Parameters
    ----------
    text : str
    rng : numpy.random.Generator
        Draws the other text and where the runs begin.
    others : sequence of str
        Texts to choose the other one from; `text` itself is left out.
    share : float, default 0.5
        Of the words of each, above 0 and at most 1.

    Returns
    -------
    str
        Its label may be neither's: the answer of `text` must not be kept for it.

    Raises
    ------
    ValueError
        If there is no other text, or one of the two has no word.

    Examples
    --------
    >>> splice("one two", np.random.default_rng(0), ["three four"])
    'two four'
    """
    if not len(others):
        raise ValueError(
            "others must hold at least one text that the run may be spliced to; in"
            " views() these are the texts themselves"
        )
    _units_of(text)
    start = int(rng.integers(len(others)))
    for step in range(len(others)):
        other = others[(start + step) % len(others)]
        if other != text:
            return f"{crop(text, rng, share)} {crop(other, rng, share)}"
    raise ValueError("others must hold a text that differs from the one to splice")


def drop(text: str, rng: np.random.Generator, share: float = 0.3) -> str:
    """Leave out words, each with the same probability; one is always left.

    Parameters
    ----------
    text : str
    rng : numpy.random.Generator
    share : float, default 0.3
        Probability of each word to go, at least 0 and below 1.

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If the text has no word, or `share` is out of range.

    References
    ----------
    .. [1] M. Iyyer et al., "Deep unordered composition rivals syntactic methods for
       text classification", ACL 2015: word dropout.

    Examples
    --------
    >>> drop("one two three four", np.random.default_rng(0), share=0.5)
    'one'
    """
    check_number("share", share, least=0, most=1)
    if share == 1:
        raise ValueError("share must be below 1, got 1: nothing would be left")
    words = _units_of(text)
    kept = rng.random(len(words)) >= share
    if not kept.any():
        kept[rng.integers(len(words))] = True
    return "".join(word for word, keep in zip(words, kept) if keep).strip()


def synonyms(
    text: str,
    rng: np.random.Generator,
    share: float = 0.5,
    table: Mapping[str, Sequence[str]] | None = None,
) -> str:
    """Put synonyms in the place of words that have some.

    Parameters
    ----------
    text : str
        English, unless you bring a table.
    rng : numpy.random.Generator
    share : float, default 0.5
        Probability of each word that the table knows to be replaced, 0 to 1.
    table : mapping of str to list of str, optional
        Lower-case words and what may stand for them; by default a slice of
        WordNet [1]_: words that nearly always mean one thing.

    Returns
    -------
    str
        The text itself where the table knows none of its words.

    References
    ----------
    .. [1] G. Miller, "WordNet: a lexical database for English", Communications of
       the ACM, 1995.
    .. [2] J. Wei, K. Zou, "EDA: easy data augmentation techniques", EMNLP 2019.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> synonyms("A Terrible plot.", rng, 1.0, {"terrible": ["dreadful"]})
    'A Dreadful plot.'
    """
    check_number("share", share, least=0, most=1)
    check_type("text", text, str, "a text")
    known = synonym_table() if table is None else table

    def replaced(found: re.Match) -> str:
        word = found[0]
        choices = known.get(word.lower())
        if not choices or rng.random() >= share:
            return word
        other = choices[int(rng.integers(len(choices)))]
        return other.capitalize() if word[0].isupper() else other

    return _WORD.sub(replaced, text)


def translated(text: str, rng: np.random.Generator | None = None) -> str:
    """Return a text as it came back from Spanish, where the kit has it.

    Parameters
    ----------
    text : str
        One of those reviews of the sample's pool that the kit has a translation of;
        :func:`back_translations` says of which.
    rng : numpy.random.Generator, optional
        Not used; there is one translation a text.

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If the kit has no translation of this text.
    """
    found = back_translations().get(text_hash(text))
    if found is None:
        raise ValueError(
            f"the kit has translations of {len(back_translations()):,} reviews of the"
            f" sample's train and transfer parts alone, got {text[:60]!r};"
            " docs/translate_there_and_back.py made them"
        )
    return found


@cache
def synonym_table() -> dict[str, list[str]]:
    """Read the slice of WordNet that comes with the kit."""
    return read_json(SYNONYMS, _SYNONYMS)


@cache
def back_translations() -> dict[str, str]:
    """Read what came back from Spanish of the sample's pool, by the texts' hashes."""
    import pyarrow.parquet as pq

    table = pq.read_table(TRANSLATED)
    keys = (key.hex() for key in table["text_hash"].to_pylist())
    return dict(zip(keys, table["text"].to_pylist()))


# ---------------------------------------------------------------- many of them
class Views(NamedTuple):
    """Views of some texts.

    Attributes
    ----------
    texts : list of str
    parents : ndarray of int
        Which text each view was made of. Its answer is not the view's: see
        :func:`asked`.
    """

    texts: list[str]
    parents: np.ndarray


def views(texts: Sequence[str], how: View, copies: int = 1, seed: int = 0) -> Views:
    """Make views of every text.

    Parameters
    ----------
    texts : sequence of str
    how : callable
        :func:`crop`, :func:`splice` (which finds its partners among `texts`),
        :func:`drop`, :func:`synonyms`, :func:`translated`, or a function of your own
        that takes a text and a generator.
    copies : int, default 1
        Views of each text.
    seed : int, default 0

    Returns
    -------
    Views
        The first views of all texts, then the second ones, and so on.

    Raises
    ------
    ValueError
        If a view is empty.

    Examples
    --------
    >>> made = views(["one two", "three four"], crop, copies=2)
    >>> made.texts
    ['two', 'four', 'two', 'three']
    >>> made.parents.tolist()
    [0, 1, 0, 1]
    """
    check_texts(texts)
    check_whole("copies", copies, least=1)
    rng = np.random.default_rng(check_whole("seed", seed, least=0))
    texts = list(texts)
    if how is splice:
        how = partial(splice, others=texts)
    parents = np.tile(np.arange(len(texts)), copies)
    made = [how(texts[parent], rng) for parent in parents]
    for text, parent in zip(made, parents):
        if not isinstance(text, str) or not has_content(text):
            raise ValueError(
                f"how must give a text with words, got {text!r:.60} for text {parent}:"
                f" {texts[parent][:60]!r}"
            )
    return Views(made, parents)


def asked(teacher, texts: Sequence[str]) -> np.ndarray:
    """Have a teacher answer texts anew, such as views that it has never seen.

    Parameters
    ----------
    teacher : distill_helpers.teachers.Teacher
        One that can be asked about any text.
    texts : sequence of str

    Returns
    -------
    ndarray of float32, shape (len(texts), classes)

    Raises
    ------
    ValueError
        If it knows stored texts alone; the message says who can be asked.
    """
    check_texts(texts)
    texts = list(texts)
    known = np.asarray(teacher.knows(texts))
    if not known.all():
        name = getattr(teacher, "name", type(teacher).__name__)
        raise ValueError(
            f"teacher={name!r} has no answer to {int((~known).sum())} of {len(texts)}"
            f" texts, and cannot give a new one: it looks answers up. Ask a live teacher:"
            f" {LIVE_TEACHERS}"
        )
    logits = as_logits(teacher.logits(texts))
    check_logits(logits, len(texts), teacher.num_labels)
    check_no_probabilities(logits)
    return logits
