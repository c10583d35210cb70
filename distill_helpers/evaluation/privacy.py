"""How much privacy was spent: a small accountant for Gaussian noise.

Differential privacy bounds what an answer can tell about any one text: with or without
it, every outcome is almost as likely [1]_. ``epsilon`` says how nearly, ``delta`` how
often the bound may fail. Here the unit is one text, added or removed. Costs are counted
as Renyi divergences [2]_, which simply add up, and only their sum is turned into an
epsilon: the epsilons of single steps must not be added, that would claim far more than
was spent.

References
----------
.. [1] C. Dwork, A. Roth, "The algorithmic foundations of differential privacy",
   Foundations and Trends in Theoretical Computer Science 9, 2014.
.. [2] I. Mironov, "Renyi differential privacy", IEEE CSF 2017.
.. [3] I. Mironov, K. Talwar, L. Zhang, "Renyi differential privacy of the sampled
   Gaussian mechanism", arXiv:1908.10530, 2019.
.. [4] B. Balle et al., "Hypothesis testing interpretations and Renyi differential
   privacy", AISTATS 2020; C. Canonne, G. Kamath, T. Steinke, "The discrete Gaussian for
   differential privacy", NeurIPS 2020.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import optimize, special

from ..arguments import check_number, check_whole

ORDERS: tuple[float, ...] = (
    *(1 + step / 10 for step in range(1, 100)),
    *range(11, 64),
    128.0,
    256.0,
    512.0,
    1024.0,
)
"""Renyi orders at which costs are counted; the best one gives the epsilon."""
VOTES_APART = math.sqrt(2)
"""How far a text can move a histogram of votes: one teacher's vote changes place."""
_LEAST_NOISE, _MOST_NOISE = 1e-3, 2.0**20
_TERMS = (50, 200, 1_000)
_NOTHING = -30.0
_HOW = (
    "dp-accounting is not installed. Call python -m pip install"
    " 'distill-helpers[trust]'; gaussian_spent() gives the same number without it"
)


@dataclass(frozen=True)
class PrivacySpent:
    """What a training, or a series of answers, cost.

    Attributes
    ----------
    epsilon, delta : float
    noise : float
        Standard deviation of the noise as a multiple of what one text can change.
    steps : int
        How often noise was drawn.
    rate : float
        Probability of a text to be read in a step.
    order : float
        The Renyi order that gave the smallest epsilon.
    unit : str
        Whom the promise is about.
    """

    epsilon: float
    delta: float
    noise: float
    steps: int
    rate: float
    order: float
    unit: str = "one text, added or removed"

    def __str__(self) -> str:
        read = "" if self.rate == 1 else f", each text read with p = {self.rate:.3g}"
        return (
            f"epsilon {self.epsilon:.3f} at delta {self.delta:g}; unit: {self.unit};"
            f" noise {self.noise:.3f} in {self.steps:,} steps{read}; counted in Renyi"
            f" divergences, order {self.order:g}"
        )


def check_budget(epsilon: float, delta: float, texts: int) -> None:
    """Raise unless epsilon and delta promise something for so many texts.

    Parameters
    ----------
    epsilon : float
        Above 0.
    delta : float
        Above 0 and below 1 / `texts`.
    texts : int

    Raises
    ------
    ValueError
        If one of them is out of range.

    Examples
    --------
    >>> check_budget(2.0, 0.01, 400)
    Traceback (most recent call last):
        ...
    ValueError: delta must lie below 1 / 400 = 0.0025, one over the number of texts, \
got 0.01: publishing one text out of so many, drawn by chance, would pass for private
    """
    check_number("epsilon", epsilon, above=0)
    _check_delta(delta)
    check_whole("texts", texts, least=1)
    if delta >= 1 / texts:
        raise ValueError(
            f"delta must lie below 1 / {texts:,} = {1 / texts:g}, one over the number of"
            f" texts, got {delta!r}: publishing one text out of so many, drawn by chance,"
            " would pass for private"
        )


def renyi_cost(noise: float, rate: float = 1.0) -> np.ndarray:
    """Return what one step of Gaussian noise costs at every order of :data:`ORDERS`.

    Parameters
    ----------
    noise : float
        Standard deviation as a multiple of the sensitivity.
    rate : float, default 1.0
        Each text is read with this probability, independently (Poisson sampling).

    Returns
    -------
    ndarray, shape (orders,)
        Of two steps the sum is the cost.

    Raises
    ------
    ValueError
        If `noise` is not above 0, or `rate` not above 0 and at most 1.
    """
    check_number("noise", noise, above=0)
    check_number("rate", rate, above=0, most=1)
    if rate == 1:
        return np.array(ORDERS) / (2 * noise**2)
    return np.array([_sampled(rate, noise, order) / (order - 1) for order in ORDERS])


def epsilon_of(cost: np.ndarray, delta: float) -> tuple[float, float]:
    """Turn Renyi costs into an epsilon, by the best order.

    Parameters
    ----------
    cost : ndarray, shape (orders,)
        The sum over all steps; see :func:`renyi_cost`.
    delta : float
        Above 0 and below 1.

    Returns
    -------
    (float, float)
        Epsilon, and its order.
    """
    _check_delta(delta)
    orders = np.array(ORDERS)
    found = cost + np.log1p(-1 / orders) - np.log(delta * orders) / (orders - 1)
    # So small a divergence keeps both outcomes within delta of each other.
    found = np.where(delta**2 + np.expm1(-cost) > 0, 0.0, np.maximum(found, 0.0))
    best = int(np.nanargmin(found))
    return float(found[best]), ORDERS[best]


def gaussian_spent(
    noise: float, steps: int, rate: float = 1.0, delta: float = 1e-5
) -> PrivacySpent:
    """Say what a number of noisy steps cost.

    Parameters
    ----------
    noise : float
        Standard deviation as a multiple of what one text can change in a step, such as
        the norm that gradients are clipped to.
    steps : int
        At least 1.
    rate : float, default 1.0
        Probability of a text to be read in a step; 1 reads all.
    delta : float, default 1e-5

    Returns
    -------
    PrivacySpent

    Examples
    --------
    >>> print(gaussian_spent(1.1, steps=1_000, rate=0.01))
    epsilon 1.712 at delta 1e-05; unit: one text, added or removed; noise 1.100 in \
1,000 steps, each text read with p = 0.01; counted in Renyi divergences, order 9.6
    """
    check_whole("steps", steps, least=1)
    epsilon, order = epsilon_of(steps * renyi_cost(noise, rate), delta)
    return PrivacySpent(epsilon, delta, noise, steps, rate, order)


def noise_for(epsilon: float, delta: float, steps: int, rate: float = 1.0) -> float:
    """Find the least noise that keeps within an epsilon.

    Parameters
    ----------
    epsilon, delta : float
    steps : int
    rate : float, default 1.0
        As for :func:`gaussian_spent`.

    Returns
    -------
    float
        Never too little; at most a thousandth too much.

    Raises
    ------
    ValueError
        If no noise is enough, or an argument is out of range.
    """
    check_number("epsilon", epsilon, above=0)
    check_whole("steps", steps, least=1)

    def spent(noise: float) -> float:
        return epsilon_of(steps * renyi_cost(noise, rate), delta)[0]

    high = 1.0
    while spent(high) > epsilon:
        high *= 2
        if high > _MOST_NOISE:
            raise ValueError(
                f"epsilon={epsilon!r} cannot be kept in {steps:,} steps at"
                f" delta={delta!r}, with whatever noise"
            )
    low = high / 2
    while low > _LEAST_NOISE and spent(low) <= epsilon:
        low, high = low / 2, low
    if spent(low) <= epsilon:
        return low

    def above(log_noise: float) -> float:
        return math.log(max(spent(math.exp(log_noise)), 1e-12) / epsilon)

    found = optimize.brentq(above, math.log(low), math.log(high), xtol=1e-5)
    return math.exp(found + 2e-5)  # on the safe side of the root


# ---------------------------------------------------------------------- votes
def votes_spent(noise: float, queries: int, delta: float = 1e-5) -> PrivacySpent:
    """Say what answering queries by noisy votes cost.

    Parameters
    ----------
    noise : float
        Standard deviation of the noise on each count, in votes.
    queries : int
        Answered, whatever is made of the noisy counts afterwards: the class with most
        of them or all shares cost the same.
    delta : float, default 1e-5

    Returns
    -------
    PrivacySpent
        Its ``noise`` is the multiple of what one text can change, sqrt(2).

    Notes
    -----
    One text is in one shard, so it changes one teacher's vote [1]_. The bound looks at
    no votes; where nearly all teachers agree, less was spent than it says.

    References
    ----------
    .. [1] N. Papernot et al., "Scalable private learning with PATE", ICLR 2018.
    """
    return gaussian_spent(noise / VOTES_APART, queries, 1.0, delta)


def votes_noise(epsilon: float, queries: int, delta: float = 1e-5) -> float:
    """Find the noise on each count that keeps so many queries within an epsilon.

    Parameters
    ----------
    epsilon : float
    queries : int
    delta : float, default 1e-5

    Returns
    -------
    float
        In votes.
    """
    return VOTES_APART * noise_for(epsilon, delta, queries)


# ------------------------------------------------------------------ a second opinion
def reference_epsilon(
    noise: float, steps: int, rate: float = 1.0, delta: float = 1e-5
) -> float:
    """Ask Google's ``dp-accounting`` for the same number.

    Parameters
    ----------
    noise, steps, rate, delta
        As for :func:`gaussian_spent`.

    Returns
    -------
    float

    Raises
    ------
    ImportError
        If dp-accounting, of the extra ``[trust]``, is not installed.
    """
    try:
        import dp_accounting
        from dp_accounting import rdp
    except ImportError as error:
        raise ImportError(_HOW) from error
    check_number("noise", noise, above=0)
    check_whole("steps", steps, least=1)
    step = dp_accounting.GaussianDpEvent(noise)
    if rate < 1:
        step = dp_accounting.PoissonSampledDpEvent(rate, step)
    accountant = rdp.RdpAccountant()
    accountant.compose(dp_accounting.SelfComposedDpEvent(step, steps))
    return float(accountant.get_epsilon(delta))


def _check_delta(delta: float) -> None:
    check_number("delta", delta, above=0)
    if delta >= 1:
        raise ValueError(f"delta must lie below 1, got {delta!r}")


def _sampled(rate: float, noise: float, order: float) -> float:
    """Return the logarithm of the moment of a sampled Gaussian [3]_."""
    if float(order).is_integer():
        return _whole_moment(rate, noise, int(order))
    return _broken_moment(rate, noise, order)


def _whole_moment(rate: float, noise: float, order: int) -> float:
    k = np.arange(order + 1)
    logs = (
        special.gammaln(order + 1)
        - special.gammaln(k + 1)
        - special.gammaln(order - k + 1)
        + k * math.log(rate)
        + (order - k) * math.log1p(-rate)
        + (k * k - k) / (2 * noise**2)
    )
    return float(special.logsumexp(logs))


def _broken_moment(rate: float, noise: float, order: float) -> float:
    """Sum the two series of section 3.3 of [3]_, until their terms are nothing.

    Where they do not come to an end the order is left out, as dp-accounting does: a sum
    that was cut off would promise too much.
    """
    for count in _TERMS:
        logs, signs = _series(rate, noise, order, np.arange(count))
        if logs[:, -1].max() < _NOTHING:
            return float(special.logsumexp(logs, b=signs))
    return math.inf


def _series(rate: float, noise: float, order: float, k: np.ndarray):
    """Return logarithms and signs of the terms, each of shape (2, terms)."""
    split = noise**2 * math.log(1 / rate - 1) + 0.5
    log_binomial, sign = _binomial(order, k)
    parts = []
    for power, tail in (
        (k, (split - k) / noise),
        (order - k, (order - k - split) / noise),
    ):
        parts.append(
            log_binomial
            + power * math.log(rate)
            + (order - power) * math.log1p(-rate)
            + (power * power - power) / (2 * noise**2)
            + special.log_ndtr(tail)
        )
    return np.stack(parts), np.stack([sign, sign])


def _binomial(order: float, k: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return log |C(order, k)| and its sign, for an order that is no whole number."""
    log = special.gammaln(order + 1) - special.gammaln(k + 1)
    log = log - special.gammaln(order - k + 1)
    return log, special.gammasgn(order - k + 1)
