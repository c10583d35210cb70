"""Texts as numbers for a linear teacher: words, pieces of words, and topics.

With few labels the student's words and pairs see too little: "refund",
"refunded" and "refnud" have nothing in common, and most words of a new text
stand in no labelled one. Pieces of words mend the first. The second is what
latent semantic analysis is for: words that keep company in *any* text of the
file, labelled or not, are drawn together.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import sparse
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import normalize

from ..data.scripts import is_spaceless
from ..students.linear import tokens

TOPICS = 150
"""Most dimensions of the latent semantic analysis; half as many as texts."""
TOPIC_TEXTS = 3_000
"""So many texts, evenly spaced, suffice to find the topics."""
TOPIC_WEIGHT = 2.0
"""Length of the topics beside that of the words, and of the pieces, which is 1."""
MANY = 5_000
"""From so many labelled texts on, topics add nothing but time."""
READ = 20_000
"""Characters that are read of a text: its first and its last half of them."""


class NgramFeatures:
    """Word and character n-grams, weighed by tf-idf, with topics beside them.

    Parameters
    ----------
    texts : sequence of str
        Labelled or not: vocabulary, weights and topics are learnt from them.
    topics : bool, default True
        Whether to add a latent semantic analysis [1]_.
    seed : int, default 0
        Of the analysis.

    Attributes
    ----------
    own : csr_matrix, shape (len(texts), features)
        The features of `texts`.

    Raises
    ------
    ValueError
        If no text has a letter or a digit.

    References
    ----------
    .. [1] S. Deerwester et al., "Indexing by latent semantic analysis", Journal of
       the American Society for Information Science, 1990.
    """

    def __init__(
        self, texts: Sequence[str], *, topics: bool = True, seed: int = 0
    ) -> None:
        self._row = {text: row for row, text in enumerate(texts)}
        texts = [_read(text) for text in texts]
        pieces = (1, 4) if is_spaceless(texts) else (2, 5)
        least = 1 if len(texts) < 2_000 else 2
        shared = {"sublinear_tf": True, "dtype": np.float32, "min_df": least}
        vectorizers = [
            TfidfVectorizer(
                tokenizer=tokens,
                token_pattern=None,
                ngram_range=(1, 2),
                max_features=100_000,
                **shared,
            ),
            TfidfVectorizer(
                analyzer="char_wb", ngram_range=pieces, max_features=200_000, **shared
            ),
        ]
        found = [(v, _fitted(v, texts)) for v in vectorizers]
        found = [(v, counts) for v, counts in found if counts is not None]
        if not found:
            raise ValueError("texts hold no letter and no digit: nothing to learn from")
        self._counted = [vectorizer for vectorizer, _ in found]
        counted = [counts for _, counts in found]
        counted = sparse.hstack(counted).tocsr()
        self._topics = None
        dimensions = min(TOPICS, len(texts) // 2, counted.shape[1] - 1)
        if topics and dimensions > 1:
            self._topics = TruncatedSVD(dimensions, n_iter=2, random_state=seed)
            self._topics.fit(counted[:: -(-len(texts) // TOPIC_TEXTS)])
        self.own = self._with_topics(counted)

    def __call__(self, texts: Sequence[str]) -> sparse.csr_matrix:
        """Return the features of some texts, shape (texts, features).

        Those that it learnt from are looked up if all are among them.
        """
        rows = [self._row.get(text) for text in texts]
        if None not in rows:
            return self.own[rows]
        texts = [_read(text) for text in texts]
        parts = [vectorizer.transform(texts) for vectorizer in self._counted]
        return self._with_topics(sparse.hstack(parts).tocsr())

    def _with_topics(self, counted: sparse.csr_matrix) -> sparse.csr_matrix:
        if self._topics is None:
            return counted
        topics = normalize(self._topics.transform(counted)) * TOPIC_WEIGHT
        return sparse.hstack([counted, sparse.csr_matrix(topics)]).tocsr()


def _fitted(vectorizer: TfidfVectorizer, texts: list[str]):
    try:
        return vectorizer.fit_transform(texts)
    except ValueError as error:
        if "vocabulary" not in str(error) and "no terms remain" not in str(error):
            raise
        return None  # no word of two letters, say: the other one may see something


def _read(text: str) -> str:
    half = READ // 2
    return text if len(text) <= READ else f"{text[:half]} {text[-half:]}"
