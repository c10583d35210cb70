"""A new task without forgetting the old one.

:func:`learn_next` trains a model on a new task. What shall be kept is said by terms
that are added to its loss: :func:`stay_close` to the old weights, :func:`replayed`
old texts with their labels, or :func:`old_answers`, which distils the old model into
the new one. All work with any module whose inputs are a tensor, or tensors by name.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..arguments import (
    check_choice,
    check_number,
    check_temperature,
    check_type,
    check_whole,
)
from ..losses.soft_targets import kd_loss
from .task import DivergedError

Inputs = Tensor | Mapping[str, Tensor]
"""Rows of one tensor, or of several by the names of ``forward``'s arguments."""
OPTIMIZERS: Mapping[str, Callable] = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}


@dataclass(frozen=True)
class Term:
    """A part of the loss that holds on to what was learnt before.

    Attributes
    ----------
    name : str
    loss : callable
        From a model and a generator, which draws rows, to a scalar tensor.
    """

    name: str
    loss: Callable[[nn.Module, torch.Generator], Tensor]

    def __call__(self, model: nn.Module, generator: torch.Generator) -> Tensor:
        """Return the loss, a scalar tensor."""
        return self.loss(model, generator)


# ------------------------------------------------------------------- the weights
def fisher_diagonal(
    model: nn.Module, inputs: Inputs, draws: int = 1, seed: int = 0
) -> dict[str, Tensor]:
    """Estimate how much each weight matters for what a model answers.

    The diagonal of the Fisher information [1]_: the mean of the squared gradient of
    the log-probability of a class that is drawn from the model's own answer. With the
    labels of the data in its place one gets the "empirical" Fisher, another matrix:
    it says how wrong the model is, and vanishes where it fits all of them [2]_.

    Parameters
    ----------
    model : nn.Module
        Is asked in evaluation mode and stays as it is.
    inputs : Tensor, or mapping of str to Tensor
        Of the old task; the first dimension counts the rows.
    draws : int, default 1
        Classes drawn for each row.
    seed : int, default 0

    Returns
    -------
    dict of str to Tensor
        For each trainable weight a tensor of its shape, nothing below 0.

    Raises
    ------
    ValueError
        If there is no row.

    References
    ----------
    .. [1] J. Kirkpatrick et al., "Overcoming catastrophic forgetting in neural
       networks", PNAS 2017.
    .. [2] F. Kunstner, L. Balles, P. Hennig, "Limitations of the empirical Fisher
       approximation for natural gradient descent", NeurIPS 2019.
    """
    rows = _count(inputs)
    check_whole("draws", draws, least=1)
    generator = _generator(seed)
    weights = _trainable(model)
    found = {name: torch.zeros_like(weight) for name, weight in weights.items()}
    was_training = model.training
    model.eval()
    for row in range(rows):
        logits = logits_of(model, _taken(inputs, torch.tensor([row])))
        shares = logits.detach().softmax(-1).cpu()
        drawn = torch.multinomial(shares[0], draws, True, generator=generator)
        logs = logits.log_softmax(-1)[0]
        for label in drawn.tolist():
            gradients = torch.autograd.grad(
                logs[label],
                list(weights.values()),
                retain_graph=True,
                allow_unused=True,
            )
            for name, gradient in zip(weights, gradients):
                if gradient is not None:
                    found[name] += gradient.detach() ** 2
    model.train(was_training)
    return {name: total / (rows * draws) for name, total in found.items()}


def stay_close(
    model: nn.Module,
    strength: float,
    importance: Mapping[str, Tensor] | None = None,
) -> Term:
    """Hold the weights where they are now.

    Parameters
    ----------
    model : nn.Module
        As it learnt the old task; a copy of its weights is kept.
    strength : float
        At least 0; half of it times the weighted sum of squared differences is added
        to the loss.
    importance : mapping of str to Tensor, optional
        What each weight counts: with :func:`fisher_diagonal` this is elastic weight
        consolidation [1]_. By default all count 1.

    Returns
    -------
    Term
        ``"EWC"``, or ``"L2"`` without an importance.

    Raises
    ------
    ValueError
        If `importance` does not fit the weights of the model.

    References
    ----------
    .. [1] J. Kirkpatrick et al., "Overcoming catastrophic forgetting in neural
       networks", PNAS 2017.
    """
    check_number("strength", strength, least=0)
    old = {name: weight.detach().clone() for name, weight in _trainable(model).items()}
    counts = _importance(importance, old)

    def loss(model: nn.Module, generator: torch.Generator) -> Tensor:
        weights = dict(model.named_parameters())
        parts = [
            (counts[name] * (weights[name] - there) ** 2).sum()
            for name, there in old.items()
        ]
        return strength / 2 * torch.stack(parts).sum()

    return Term("L2" if importance is None else "EWC", loss)


def _importance(given: Mapping[str, Tensor] | None, old: Mapping[str, Tensor]):
    if given is None:
        return dict.fromkeys(old, 1.0)
    for name, weight in old.items():
        if name not in given or given[name].shape != weight.shape:
            shape = tuple(given[name].shape) if name in given else "nothing"
            raise ValueError(
                f"importance must hold a tensor of shape {tuple(weight.shape)} for"
                f" {name}, got {shape}; fisher_diagonal(model, ...) gives them"
            )
    return given


# ------------------------------------------------------------------ the old task
def replayed(
    inputs: Inputs, labels: Tensor, weight: float = 1.0, batch_size: int = 32
) -> Term:
    """Read labelled rows of the old task again in every step [1]_.

    Parameters
    ----------
    inputs : Tensor, or mapping of str to Tensor
    labels : Tensor of int, shape (rows,)
    weight : float, default 1.0
        Of their cross-entropy beside that of the new task.
    batch_size : int, default 32
        Rows drawn in each step; all if there are no more.

    Returns
    -------
    Term

    References
    ----------
    .. [1] A. Robins, "Catastrophic forgetting, rehearsal and pseudorehearsal",
       Connection Science 7, 1995.
    """
    check_number("weight", weight, least=0)
    check_whole("batch_size", batch_size, least=1)
    rows = _count(inputs)
    labels = _labels(labels, rows)

    def loss(model: nn.Module, generator: torch.Generator) -> Tensor:
        some = _drawn(rows, batch_size, generator)
        logits = logits_of(model, _taken(inputs, some))
        return weight * F.cross_entropy(logits, labels[some].to(logits.device))

    return Term("labels replayed", loss)


def old_answers(
    model: nn.Module,
    inputs: Inputs,
    temperature: float = 2.0,
    weight: float = 1.0,
    batch_size: int = 32,
) -> Term:
    """Distil a model as it is now into what it becomes.

    Parameters
    ----------
    model : nn.Module
        As it learnt the old task; it is asked once, here.
    inputs : Tensor, or mapping of str to Tensor
        What it is asked about. A few unlabelled rows of the old task keep what it
        said of them. With the rows of the *new* task, where nothing of the old one is
        left, this is learning without forgetting [1]_.
    temperature : float, default 2.0
    weight : float, default 1.0
        Of the soft-target loss beside that of the new task.
    batch_size : int, default 32
        Rows drawn in each step; all if there are no more.

    Returns
    -------
    Term

    References
    ----------
    .. [1] Z. Li, D. Hoiem, "Learning without forgetting", ECCV 2016.
    """
    check_temperature(temperature)
    check_number("weight", weight, least=0)
    check_whole("batch_size", batch_size, least=1)
    rows = _count(inputs)
    was_training = model.training
    with torch.no_grad():
        answers = logits_of(model.eval(), inputs).clone()
    model.train(was_training)

    def loss(model: nn.Module, generator: torch.Generator) -> Tensor:
        some = _drawn(rows, batch_size, generator)
        logits = logits_of(model, _taken(inputs, some))
        return weight * kd_loss(logits, answers[some.to(answers.device)], temperature)

    return Term("old answers", loss)


# ------------------------------------------------------------------ the new task
def learn_next(
    model: nn.Module,
    inputs: Inputs,
    labels: Tensor,
    *,
    steps: int,
    keeping: Sequence[Term] = (),
    batch_size: int = 32,
    learning_rate: float = 0.05,
    optimizer: str = "sgd",
    seed: int = 0,
) -> nn.Module:
    """Train a copy of a model on a new task.

    Parameters
    ----------
    model : nn.Module
        Has learnt the old task; stays as it is.
    inputs : Tensor, or mapping of str to Tensor
    labels : Tensor of int, shape (rows,)
    steps : int
        Updates.
    keeping : sequence of Term
        Added to the cross-entropy of the new task; none is plain fine-tuning.
    batch_size : int, default 32
    learning_rate : float, default 0.05
    optimizer : "sgd" or "adam"
    seed : int, default 0
        Of the rows in each step; terms draw theirs by a generator of their own, so that
        with and without them the new task is read in the same order.

    Returns
    -------
    nn.Module
        In evaluation mode.

    Raises
    ------
    ValueError
        If there is not one label a row, or an argument is out of range.
    DivergedError
        If the loss is no number any more, as with too large a strength.
    """
    check_whole("steps", steps, least=1)
    check_whole("batch_size", batch_size, least=1)
    check_number("learning_rate", learning_rate, above=0)
    check_choice("optimizer", optimizer, OPTIMIZERS)
    for term in keeping:
        check_type("keeping", term, Term, "terms, such as stay_close(model, 10.0)")
    rows = _count(inputs)
    labels = _labels(labels, rows)
    own, terms = _generator(seed), _generator(seed + 1)
    model = copy.deepcopy(model).train()
    update = OPTIMIZERS[optimizer](model.parameters(), lr=learning_rate)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)  # for dropout
        for step in range(steps):
            some = _drawn(rows, batch_size, own)
            logits = logits_of(model, _taken(inputs, some))
            loss = F.cross_entropy(logits, labels[some].to(logits.device))
            for term in keeping:
                loss = loss + term(model, terms)
            if not torch.isfinite(loss):
                raise DivergedError(_diverged(step, learning_rate, keeping))
            update.zero_grad()
            loss.backward()
            update.step()
    return model.eval()


def _diverged(step: int, learning_rate: float, keeping: Sequence[Term]) -> str:
    terms = f", or the terms that keep ({', '.join(term.name for term in keeping)})"
    return (
        f"the loss is no number after {step} steps: learning_rate={learning_rate:g}"
        + terms * bool(keeping)
        + f" {'are' if keeping else 'is'} too strong; take less"
    )


def logits_of(model: nn.Module, inputs: Inputs) -> Tensor:
    """Return a module's logits, shape (rows, classes), whatever it wraps them in."""
    output = model(inputs) if isinstance(inputs, Tensor) else model(**inputs)
    return getattr(output, "logits", output)


def _taken(inputs: Inputs, rows: Tensor) -> Inputs:
    if isinstance(inputs, Tensor):
        return inputs[rows.to(inputs.device)]
    return {name: value[rows.to(value.device)] for name, value in inputs.items()}


def _count(inputs: Inputs) -> int:
    parts = [inputs] if isinstance(inputs, Tensor) else list(inputs.values())
    counts = {len(part) for part in parts}
    if len(counts) != 1 or counts == {0}:
        raise ValueError(
            "inputs must hold rows, as many in each tensor, got"
            f" {sorted(counts) or 'no tensor'}"
        )
    return counts.pop()


def _labels(labels: Tensor, rows: int) -> Tensor:
    labels = torch.as_tensor(labels)
    if labels.shape != (rows,):
        raise ValueError(
            f"labels must hold one class for each of {rows:,} rows, got shape"
            f" {tuple(labels.shape)}"
        )
    return labels.long()


def _drawn(rows: int, batch_size: int, generator: torch.Generator) -> Tensor:
    return torch.randperm(rows, generator=generator)[:batch_size]


def _generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(check_whole("seed", seed, least=0))


def _trainable(model: nn.Module) -> dict[str, Tensor]:
    return {n: weight for n, weight in model.named_parameters() if weight.requires_grad}
