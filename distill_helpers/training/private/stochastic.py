"""A student trained by DP-SGD, with Opacus.

Each step reads texts drawn by independent coins, clips the gradient of each text and adds
noise to their sum [1]_. Opacus [2]_ gives the gradients of single texts; it belongs to
the extra ``[trust]``. What was spent is said by the kit's own accountant.

References
----------
.. [1] M. Abadi et al., "Deep learning with differential privacy", CCS 2016.
.. [2] A. Yousefpour et al., "Opacus: user-friendly differential privacy library in
   PyTorch", arXiv:2109.12298, 2021.
"""

from __future__ import annotations

import copy
import warnings

import numpy as np
import torch
from torch.nn import functional as F
from transformers import PreTrainedModel

from ...arguments import check_number, check_type, check_whole
from ...data.encoding import DistillationCollator, EncodedReviews
from ...data.labels import SEVERAL_LABELS, problem_type_of
from ...evaluation.privacy import (
    PrivacySpent,
    check_budget,
    gaussian_spent,
    noise_for,
)

_HOW = (
    "opacus is not installed. Call python -m pip install 'distill-helpers[trust]', or"
    " fit a linear model with fit_private(), which needs nothing"
)
_ROWS, _TOKENS = 3, 6  # of the trial


class NotPrivateError(ValueError):
    """A student whose gradients cannot be told apart text by text."""


def why_not_private(model: PreTrainedModel) -> list[str]:
    """Say why a student cannot be trained privately, before any training.

    A copy of it reads a few made-up texts, and every weight must show one gradient for
    each of them.

    Parameters
    ----------
    model : PreTrainedModel
        Stays as it is.

    Returns
    -------
    list of str
        One reason each; empty if it can be trained.

    Raises
    ------
    ImportError
        If Opacus, of the extra ``[trust]``, is not installed.

    Notes
    -----
    Of the kit's students the text CNN can be trained. The bigram student multiplies its
    weights outside of any layer that Opacus knows, and the transformer adds the same
    rows of positions to every text.
    """
    _, wrap, validator = _opacus()
    trial = copy.deepcopy(model).train()
    reasons = [str(error) for error in validator.validate(trial, strict=False)]
    if reasons:
        return reasons
    generator = torch.Generator().manual_seed(0)
    shape = (_ROWS, _TOKENS)
    ids = torch.randint(1, model.config.vocab_size, shape, generator=generator)
    try:
        with _quiet(), torch.random.fork_rng(devices=[]):
            wrapped = wrap(trial)
            logits = wrapped(input_ids=ids, attention_mask=torch.ones_like(ids)).logits
            F.cross_entropy(logits, torch.zeros(_ROWS, dtype=torch.long)).backward()
    except (NotImplementedError, RuntimeError, TypeError, ValueError) as error:
        return [f"its gradients cannot be told apart: {error}"]
    return [
        f"{name} shows no gradient for each text"
        for name, weight in trial.named_parameters()
        if weight.requires_grad and not _told_apart(weight)
    ]


def train_privately(
    model: PreTrainedModel,
    tokenizer,
    train: EncodedReviews,
    *,
    epsilon: float | None,
    delta: float = 1e-5,
    steps: int = 200,
    batch_size: int = 128,
    clip: float = 1.0,
    learning_rate: float = 2e-3,
    seed: int = 0,
) -> PrivacySpent | None:
    """Train a student on labelled texts so that each leaves a bounded trace.

    Parameters
    ----------
    model : PreTrainedModel
        A fresh student, or one pretrained on public texts; changed in place. Its
        tokeniser, too, must not have been made of the private texts.
    tokenizer : PreTrainedTokenizerBase
    train : EncodedReviews
        The private texts, one label each; a teacher's logits are not looked at.
    epsilon : float or None
        What may be spent in all; None trains the twin, sampled and clipped alike.
    delta : float, default 1e-5
        Must lie below 1 / texts.
    steps : int, default 200
    batch_size : int, default 128
        Texts in a step, on average.
    clip : float, default 1.0
        Length that the gradient of a text is cut to.
    learning_rate : float, default 2e-3
        Of Adam.
    seed : int, default 0
        Of coins, noise and dropout; keep it secret where texts are really private.

    Returns
    -------
    PrivacySpent or None
        None where nothing was promised. The model is in evaluation mode.

    Raises
    ------
    ImportError
        If Opacus, of the extra ``[trust]``, is not installed.
    NotPrivateError
        If Opacus cannot train this student; it is named, with the weights that are in
        the way, before any training.
    ValueError
        If the budget promises nothing, or a text has no label.
    """
    optimizer_class, wrap, _ = _opacus()
    check_type("train", train, EncodedReviews, "EncodedReviews: see encode_reviews()")
    check_number("clip", clip, above=0)
    check_number("learning_rate", learning_rate, above=0)
    check_whole("steps", steps, least=1)
    check_whole("seed", seed, least=0)
    check_whole("batch_size", batch_size, least=1)
    _check_labels(model, train)
    rate = min(1.0, batch_size / len(train))
    noise = 0.0
    if epsilon is not None:
        check_budget(epsilon, delta, len(train))
        noise = noise_for(epsilon, delta, steps, rate)
    reasons = why_not_private(model)
    if reasons:
        raise NotPrivateError(
            f"model: a student of the kind {model.config.model_type!r} cannot be trained"
            f" privately: {'; '.join(reasons)}. The text CNN can, and so can a linear"
            " model, with fit_private()"
        )
    collate = DistillationCollator(tokenizer.pad_token_id)
    coins, noises = (torch.Generator().manual_seed(seed + step) for step in (0, 1))
    with _quiet(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        wrapped = wrap(model.train())
        optimizer = optimizer_class(
            torch.optim.Adam(model.parameters(), lr=learning_rate),
            noise_multiplier=noise,
            max_grad_norm=clip,
            expected_batch_size=rate * len(train),
            generator=noises,
        )
        for _ in range(steps):
            optimizer.zero_grad()
            _loss(wrapped, collate, train, _coins(len(train), rate, coins)).backward()
            optimizer.step()
        _unwrap(wrapped, model)
    model.eval()
    return gaussian_spent(noise, steps, rate, delta) if noise else None


def _loss(model, collate, train: EncodedReviews, rows: np.ndarray) -> torch.Tensor:
    """Return the mean loss; where no coin fell on a text, one counts nothing."""
    drawn = rows if len(rows) else np.array([0])
    batch = collate(
        [
            {"input_ids": train.token_ids[row], "labels": int(train.labels[row])}
            for row in drawn
        ]
    )
    labels = batch.pop("labels")
    return F.cross_entropy(model(**batch).logits, labels) * bool(len(rows))


def _coins(texts: int, rate: float, generator: torch.Generator) -> np.ndarray:
    return np.flatnonzero(torch.rand(texts, generator=generator).numpy() < rate)


def _check_labels(model: PreTrainedModel, train: EncodedReviews) -> None:
    if train.labels.ndim > 1 or problem_type_of(model) == SEVERAL_LABELS:
        raise ValueError("train must have one label a text, got several")
    if not len(train) or not train.labelled.all():
        raise ValueError(
            f"train must have a label for each text, got {int(train.labelled.sum())} for"
            f" {len(train)} texts"
        )


def _told_apart(weight: torch.Tensor) -> bool:
    found = getattr(weight, "grad_sample", None)
    return torch.is_tensor(found) and found.shape == (_ROWS, *weight.shape)


def _unwrap(wrapped, model: PreTrainedModel) -> None:
    """Take away what Opacus hung on the model."""
    wrapped.remove_hooks()
    for weight in model.parameters():
        weight.grad = None
        for name in ("grad_sample", "summed_grad", "_forward_counter"):
            if hasattr(weight, name):
                delattr(weight, name)


def _opacus():
    try:
        from opacus import GradSampleModule
        from opacus.optimizers import DPOptimizer
        from opacus.validators import ModuleValidator
    except ImportError as error:
        raise ImportError(_HOW) from error
    return DPOptimizer, GradSampleModule, ModuleValidator


class _quiet(warnings.catch_warnings):
    """Leave out Opacus' warnings about hooks and seeds, which say nothing new here."""

    def __enter__(self):
        entered = super().__enter__()
        warnings.filterwarnings("ignore", message=".*[Hh]ook")
        warnings.filterwarnings("ignore", message=".*Secure RNG")
        return entered
