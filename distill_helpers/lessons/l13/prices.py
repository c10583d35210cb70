"""Daily prices: those that the package arch brings, or simulated ones called so."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from ...arguments import check_choice, check_whole

SOURCES = ("auto", "sp500", "simulated")
SIMULATED_DAYS = 5_000


@dataclass(frozen=True)
class Prices:
    """A series of daily closing prices."""

    close: pd.Series
    """One price a trading day; the index is the date, ascending."""
    source: str
    """``sp500`` or ``simulated``."""
    note: str
    """Where they come from, in a sentence to show beside every result."""

    @property
    def returns(self) -> pd.Series:
        """Logarithmic returns in per cent; the first day has none and is left out."""
        return 100 * np.log(self.close).diff().iloc[1:]


def load_prices(source: str = "auto", seed: int = 0) -> Prices:
    """Return daily prices, always without the network.

    Parameters
    ----------
    source : {"auto", "sp500", "simulated"}
        ``sp500`` are the S&P 500's days from 1999 to 2018 that come with the package
        arch (extra ``[domains]``; its licence is the NCSA's). They are read from where
        that package is installed; the kit ships none. ``auto`` takes them if they are
        there, else a simulated series.
    seed : int, default 0
        Of the simulated series.

    Returns
    -------
    Prices

    Raises
    ------
    ValueError
        If `source` is none of these, or the file is not what arch 8 has.
    ModuleNotFoundError
        If ``sp500`` is asked for and arch is not installed.
    """
    check_choice("source", source, SOURCES)
    path = _shipped_with_arch()
    if source == "simulated" or (source == "auto" and path is None):
        return simulated_prices(SIMULATED_DAYS, seed)
    if path is None:
        raise ModuleNotFoundError(
            "source='sp500' needs the package arch, which is not installed. Call python"
            " -m pip install 'distill-helpers[domains]', or take source='simulated'"
        )
    frame = pd.read_csv(path)
    if not {"Date", "Close"} <= set(frame.columns):
        raise ValueError(
            "arch's file of the S&P 500 must have the columns Date and Close, got"
            f" {list(frame.columns)}"
        )
    dates = pd.to_datetime(frame["Date"], format="%m/%d/%Y")
    close = pd.Series(frame["Close"].to_numpy(float), pd.Index(dates, name="date"))
    note = (
        f"S&P 500, {dates.iloc[0].date()} to {dates.iloc[-1].date()}, as the package"
        " arch brings it"
    )
    return Prices(close, "sp500", note)


def simulated_prices(days: int, seed: int = 0) -> Prices:
    """Simulate daily prices whose volatility comes in clusters, and say so.

    Parameters
    ----------
    days : int
        At least 10.
    seed : int, default 0

    Returns
    -------
    Prices
        On weekdays from 3 January 2000.

    Notes
    -----
    GJR-GARCH(1, 1) with Student's t of 6 degrees of freedom [1]_: tomorrow's variance
    follows today's surprise, and a fall weighs more than a rise. Its figures are
    typical of an index, fitted to none.

    References
    ----------
    .. [1] L. Glosten, R. Jagannathan, D. Runkle, "On the relation between the expected
       value and the volatility of the nominal excess return on stocks", Journal of
       Finance, 1993.
    """
    check_whole("days", days, least=10)
    check_whole("seed", seed, least=0)
    omega, alpha, gamma, beta = 0.02, 0.03, 0.12, 0.89
    shocks = np.random.default_rng(seed).standard_t(6, days) * np.sqrt(4 / 6)
    variance = omega / (1 - alpha - gamma / 2 - beta)
    returns = np.empty(days)
    for day, shock in enumerate(shocks):
        returns[day] = 0.02 + np.sqrt(variance) * shock
        surprise = returns[day] - 0.02
        leverage = alpha + gamma * (surprise < 0)
        variance = omega + leverage * surprise**2 + beta * variance
    dates = pd.bdate_range("2000-01-03", periods=days, name="date")
    close = pd.Series(1000 * np.exp(returns.cumsum() / 100), dates)
    note = f"simulated prices (GJR-GARCH, seed {seed}): no market ever had them"
    return Prices(close, "simulated", note)


def _shipped_with_arch() -> Path | None:
    """Find arch's file without importing arch, which takes seconds."""
    found = importlib.util.find_spec("arch")
    for folder in (found and found.submodule_search_locations) or []:
        path = Path(folder) / "data" / "sp500" / "sp500.csv.gz"
        if path.is_file():
            return path
    return None
