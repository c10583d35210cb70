"""Losses between soft targets by their names, as a config or a command gives them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from ..arguments import check_choice, check_type
from ..data.labels import ONE_LABEL, SEVERAL_LABELS, check_problem_type
from .decoupled import check_third_class, decoupled_parts
from .divergence import (
    alpha_divergence,
    coin_parts,
    divergence_parts,
    jensen_shannon,
    reverse_kl,
)
from .input_temperature import CWSM, FLSW, input_temperature_parts
from .several_labels import weighted_multi_label_kd
from .soft_targets import Parts, soft_target_loss, weighted_kd
from .weighted import WeightedLoss

KL = "kl"


@dataclass(frozen=True)
class _Named:
    """How a loss is made of its options, of one label a text and of several."""

    one: Callable[..., Parts]
    several: Callable[..., Parts] | None = None
    check_classes: Callable[[int], None] | None = None


def _divergence(make: Callable) -> _Named:
    def one(**options) -> Parts:
        return divergence_parts(make(**options))

    def several(**options) -> Parts:
        return coin_parts(make(**options))

    one.__signature__ = inspect.signature(make)  # type: ignore[attr-defined]
    return _Named(one, several)


def _flsw(spread: float = 1.0, gamma: float = 1.0) -> Parts:
    return input_temperature_parts(FLSW, spread, gamma)


def _cwsm(spread: float = 1.0) -> Parts:
    return input_temperature_parts(CWSM, spread)


_NAMED = {
    "reverse_kl": _divergence(reverse_kl),
    "jensen_shannon": _divergence(jensen_shannon),
    "alpha": _divergence(alpha_divergence),
    "decoupled": _Named(decoupled_parts, None, check_third_class),
    FLSW: _Named(_flsw),
    CWSM: _Named(_cwsm),
}
SOFT_LOSSES = (KL, *_NAMED)
"""The names; ``"kl"`` is the loss of Hinton et al., :func:`kd_loss`."""


def soft_loss(
    name: str,
    temperature: float,
    weight: float = 1.0,
    problem_type: str = ONE_LABEL,
    options: Mapping | None = None,
) -> WeightedLoss:
    """Make a loss between soft targets by its name.

    Parameters
    ----------
    name : str
        One of :data:`SOFT_LOSSES`.
    temperature, weight : float
    problem_type : str
        With ``"multi_label_classification"`` each class is a coin of its own.
    options : mapping, optional
        Of that loss: ``beta`` of ``"jensen_shannon"``, ``order`` of ``"alpha"``,
        ``alpha`` and ``beta`` of ``"decoupled"``, ``spread`` (and ``gamma``) of
        ``"flsw"`` and ``"cwsm"``.

    Returns
    -------
    WeightedLoss
        Called `name` in the log; that of ``"kl"`` is ``"kd"``.

    Raises
    ------
    TypeError, ValueError
        If there is no such loss or option, a number is out of range, or the loss
        says nothing about several labels a text.

    Examples
    --------
    >>> soft_loss("alpha", 2.0, options={"order": 0.3}).name
    'alpha'
    >>> soft_loss("hellinger", 2.0)
    Traceback (most recent call last):
        ...
    ValueError: soft_loss must be one of ['kl', 'reverse_kl', 'jensen_shannon', \
'alpha', 'decoupled', 'flsw', 'cwsm'], got 'hellinger'
    """
    make = _maker(name, problem_type)
    given = dict(check_type("soft_loss_kwargs", options or {}, Mapping, "a mapping"))
    allowed = [] if name == KL else list(inspect.signature(_NAMED[name].one).parameters)
    for option in given:
        if option not in allowed:
            takes = f"takes {allowed}" if allowed else "takes none"
            raise ValueError(f"soft_loss_kwargs: {name!r} {takes}, got {option!r}")
    return make(temperature, weight, **given)


def check_soft_loss(
    name: str,
    options: Mapping | None = None,
    classes: int | None = None,
    problem_type: str | None = ONE_LABEL,
) -> None:
    """Raise unless there is such a loss with these options for these classes.

    Parameters
    ----------
    name, options
        See :func:`soft_loss`.
    classes : int, optional
        By default those are not known yet.
    problem_type : str, optional

    Raises
    ------
    TypeError, ValueError
        As :func:`soft_loss`; or the loss is nothing with so few classes.
    """
    soft_loss(name, 1.0, problem_type=check_problem_type(problem_type), options=options)
    check = _NAMED[name].check_classes if name != KL else None
    if check is not None and classes is not None:
        check(classes)


def _maker(name: str, problem_type: str) -> Callable[..., WeightedLoss]:
    several = check_problem_type(problem_type) == SEVERAL_LABELS
    if check_choice("soft_loss", name, SOFT_LOSSES) == KL:
        return weighted_multi_label_kd if several else weighted_kd
    make = _NAMED[name].several if several else _NAMED[name].one
    if make is None:
        fitting = [KL, *(n for n, named in _NAMED.items() if named.several)]
        raise ValueError(
            f"soft_loss={name!r} compares classes of which one is right; with several"
            f" labels a text say one of {fitting}"
        )
    return partial(_made, make, name)


def _made(
    make, name: str, temperature: float, weight: float, **options
) -> WeightedLoss:
    return soft_target_loss(make(**options), temperature, weight, name)
