"""A linear model on tf-idf: the line to beat."""

from __future__ import annotations

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline


def linear_baseline() -> Pipeline:
    """Make the line to beat: tf-idf of words and pairs, logistic regression.

    Returns
    -------
    sklearn.pipeline.Pipeline
        Fits labelled texts; no teacher, no unlabelled text.

    References
    ----------
    .. [1] S. Wang, C. Manning, "Baselines and bigrams", ACL 2012.
    """
    features = TfidfVectorizer(
        ngram_range=(1, 2), sublinear_tf=True, min_df=2, strip_accents="unicode"
    )
    return make_pipeline(features, LogisticRegression(C=10.0, max_iter=1000))
