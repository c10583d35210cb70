"""A linear model on tf-idf: the line to beat."""

from __future__ import annotations

import re
import unicodedata

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline

from ..data.scripts import MARKS, SPACELESS

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


def _plain(text: str) -> str:
    """Lower-case; take the accents from Latin, Greek and Cyrillic letters."""
    apart = _ACCENT.sub("", unicodedata.normalize("NFKD", text.lower()))
    return unicodedata.normalize("NFKC", apart)
