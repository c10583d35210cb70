"""One model in several forms, measured side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from ..data.labels import ONE_LABEL, SEVERAL_LABELS
from ..evaluation.cost import race, size_on_disk
from ..evaluation.metrics import accuracy, subset_accuracy
from ..evaluation.predict import predictor
from ..export.onnx import OnnxClassifier
from .parity import Predictor, measure_parity


@dataclass(frozen=True)
class Form:
    """A form of a model: what it answers, and the bytes it takes.

    A model that is changed afterwards is another form.

    Attributes
    ----------
    answer : callable
        Texts in, logits out.
    bytes : int
        On disk, without the tokeniser.
    """

    answer: Predictor
    bytes: int
    _known: dict[tuple[str, ...], np.ndarray] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def logits(self, texts: Sequence[str]) -> np.ndarray:
        """Answer some texts, the same ones once only.

        A form is held against several others, and each time on the same texts.

        Parameters
        ----------
        texts : sequence of str

        Returns
        -------
        ndarray, shape (len(texts), classes)
            Read-only.

        Examples
        --------
        >>> def slow(texts):
        ...     print("thinking")
        ...     return np.array([[0.0, float(len(text))] for text in texts])
        >>> form = Form(slow, bytes=8)
        >>> form.logits(["fine"]).argmax(1), form.logits(["fine"]).argmax(1)
        thinking
        (array([1]), array([1]))
        """
        asked = tuple(texts)
        if asked not in self._known:
            logits = np.array(self.answer(texts))
            logits.flags.writeable = False
            self._known[asked] = logits
        return self._known[asked]

    @classmethod
    def of_model(cls, model, tokenizer) -> Form:
        """A PyTorch model, as `save_pretrained` would write it."""
        return cls(predictor(model, tokenizer), size_on_disk(model))

    @classmethod
    def of_file(cls, path: str | Path, tokenizer) -> Form:
        """An ONNX file, run in one thread as the race runs PyTorch."""
        answer = OnnxClassifier(path, tokenizer, threads=1)
        return cls(answer, Path(path).stat().st_size)


def measure_forms(
    forms: Mapping[str, Form],
    texts: Sequence[str],
    labels: Sequence[int],
    rounds: int = 40,
) -> pd.DataFrame:
    """Measure every form of a model against the first.

    Parameters
    ----------
    forms : mapping of str to Form
        The first is the source of the others.
    texts : sequence of str
    labels : sequence of int, length texts
        Or rows of 0 and 1, shape (texts, classes), where a text may have several;
        ``accuracy`` is then the share of texts whose labels are all right.
    rounds : int, default 40
        Reviews for the race at batch 1, in which all forms take turns.

    Returns
    -------
    DataFrame
        A line for each form: ``MB``, ``smaller`` and ``faster`` (times,
        against the first), ``ms`` (median for one review), ``accuracy``,
        ``agreement`` with the first, and the ``largest difference`` of a
        logit.

    Raises
    ------
    ValueError
        If there is no form, or as many labels as texts are missing.
    """
    if not forms or len(texts) != len(labels):
        raise ValueError(
            f"forms must hold at least one, and labels one for each text; got"
            f" {len(forms)} forms, {len(texts)} texts and {len(labels)} labels"
        )
    spent = race({name: form.answer for name, form in forms.items()}, texts, rounds)
    first = next(iter(forms))
    lines, source, labels = {}, None, np.asarray(labels)
    several = labels.ndim > 1
    score = subset_accuracy if several else accuracy
    problem_type = SEVERAL_LABELS if several else ONE_LABEL
    for name, form in forms.items():
        logits = form.logits(texts)
        source = logits if source is None else source
        near = measure_parity(name, source, logits, problem_type)
        lines[name] = {
            "MB": form.bytes / 1e6,
            "smaller": forms[first].bytes / form.bytes,
            "ms": spent[name],
            "faster": spent[first] / spent[name],
            "accuracy": score(logits, labels),
            "agreement": near.agreement,
            "largest difference": near.difference,
        }
    return pd.DataFrame(lines).T
