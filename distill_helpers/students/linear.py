"""A linear model on tf-idf: the line to beat."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline

from ..data.scripts import MARKS, SPACELESS

NEVER = -30.0
"""The logit of a class that no labelled text has."""

_TOKEN = re.compile(rf"[{SPACELESS}]|(?:(?![{SPACELESS}])[\w{MARKS}]){{2,}}")
_ACCENT = re.compile("(?<=[a-z\u0370-\u04ff])[\u0300-\u036f]+")


def tokens(text: str) -> list[str]:
    """Cut a text into words of two letters or more; one letter where no space is.

    A script without spaces between words, such as Chinese, Japanese or Thai, is
    read letter by letter: pairs of tokens are then pairs of its letters.

    Parameters
    ----------
    text : str

    Returns
    -------
    list of str

    Examples
    --------
    >>> tokens("I saw it on DVD: \u5f88\u597d")
    ['saw', 'it', 'on', 'DVD', '\u5f88', '\u597d']
    """
    return _TOKEN.findall(text)


def linear_baseline() -> Pipeline:
    """Make the line to beat: tf-idf of words and pairs, logistic regression.

    Returns
    -------
    sklearn.pipeline.Pipeline
        Fits labelled texts; no teacher, no unlabelled text. Where a text has no
        spaces between words, its letters stand for them.

    References
    ----------
    .. [1] S. Wang, C. Manning, "Baselines and bigrams", ACL 2012.
    """
    features = TfidfVectorizer(
        preprocessor=_plain,
        tokenizer=tokens,
        token_pattern=None,
        ngram_range=(1, 2),
        sublinear_tf=True,
        min_df=2,
    )
    return make_pipeline(features, LogisticRegression(C=10.0, max_iter=1000))


def baseline_logits(
    texts: Sequence[str], labels: np.ndarray, asked: Sequence[str], classes: int
) -> np.ndarray:
    """Fit the linear baseline and ask it.

    Parameters
    ----------
    texts : sequence of str
    labels : ndarray
        Of int, shape (texts,), or of 0 and 1, shape (texts, classes).
    asked : sequence of str
    classes : int

    Returns
    -------
    ndarray, shape (asked, classes)
        Log-probabilities, or log-odds of each class where a text may have several;
        a class without a labelled text has its column, too.
    """
    labels = np.asarray(labels)
    if labels.ndim == 2:
        columns = [_log_odds(texts, labels[:, c], asked) for c in range(classes)]
        return np.stack(columns, axis=1)
    logits = np.full((len(asked), classes), NEVER)
    line = linear_baseline().fit(texts, labels)
    logits[:, line.classes_] = np.maximum(line.predict_log_proba(asked), NEVER)
    return logits


def _log_odds(texts, holds, asked) -> np.ndarray:
    if holds.min() == holds.max():  # all or none: there is nothing to fit
        return np.full(len(asked), -NEVER if holds.max() > 0.5 else NEVER)
    line = linear_baseline().fit(texts, holds > 0.5)
    never, ever = line.predict_log_proba(asked).T
    return np.clip(ever - never, NEVER, -NEVER)


def _plain(text: str) -> str:
    """Lower-case; take the accents from Latin, Greek and Cyrillic letters."""
    apart = _ACCENT.sub("", unicodedata.normalize("NFKD", text.lower()))
    return unicodedata.normalize("NFKC", apart)
