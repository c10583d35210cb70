"""Dated rows: nothing of the future is seen, and odd days are told."""

import gzip

import numpy as np
import pandas as pd
import pytest

from distill_helpers.lessons.l13.odd_days import OddDays, hand_over
from distill_helpers.lessons.l13.prices import load_prices, simulated_prices
from distill_helpers.lessons.l13.streaming import (
    STREAMED,
    StreamingFeatures,
    leaky,
    next_volatility,
    regime_edges,
    regimes,
    streamed,
    windows,
)
from distill_helpers.lessons.l13.walking import check_dates, sees_future, walk_forward


@pytest.fixture(scope="module")
def returns():
    return simulated_prices(900, seed=1).returns


# ------------------------------------------------------------------- prices
def test_simulated_prices_are_called_so_and_come_in_clusters():
    prices = simulated_prices(4000, seed=3)
    assert prices.source == "simulated" and "no market ever had them" in prices.note
    assert prices.close.equals(simulated_prices(4000, seed=3).close)
    assert not prices.close.equals(simulated_prices(4000, seed=4).close)
    squares = prices.returns**2
    assert squares.autocorr(1) > 0.05 > abs(prices.returns.autocorr(1))
    check_dates(prices.close.index)


def test_the_index_is_read_from_where_arch_is_installed(tmp_path, monkeypatch):
    folder = tmp_path / "arch" / "data" / "sp500"
    folder.mkdir(parents=True)
    (tmp_path / "arch" / "__init__.py").write_text("raise RuntimeError('imported')")
    lines = "Date,Open,Close\n1/4/1999,1,1228.1\n1/5/1999,1,1244.78\n"
    (folder / "sp500.csv.gz").write_bytes(gzip.compress(lines.encode()))
    monkeypatch.syspath_prepend(tmp_path)
    prices = load_prices()
    assert prices.source == "sp500" and "1999-01-04 to 1999-01-05" in prices.note
    assert prices.returns.tolist() == pytest.approx([100 * np.log(1244.78 / 1228.1)])
    (folder / "sp500.csv.gz").write_bytes(gzip.compress(b"Day,Price\n1,2\n"))
    with pytest.raises(ValueError, match="must have the columns Date and Close"):
        load_prices("sp500")


def test_without_arch_the_series_is_simulated_or_refused(monkeypatch):
    monkeypatch.setattr(
        "distill_helpers.lessons.l13.prices._shipped_with_arch", lambda: None
    )
    assert load_prices("auto", seed=2).source == "simulated"
    with pytest.raises(ModuleNotFoundError, match=r"distill-helpers\[domains\]"):
        load_prices("sp500")
    with pytest.raises(ValueError, match="source must be one of"):
        load_prices("nasdaq")


# ------------------------------------------------------------- walk forward
@pytest.mark.parametrize(("folds", "most"), [(1, None), (4, None), (4, 60)])
def test_no_label_of_training_reaches_into_the_days_that_judge(folds, most):
    days, horizon = pd.bdate_range("2020-01-01", periods=200), 5
    seen = list(walk_forward(days, folds, test=30, horizon=horizon, most_train=most))
    assert len(seen) == folds and seen[-1].test[-1] == 199
    judged = np.concatenate([fold.test for fold in seen])
    assert judged.tolist() == list(range(200 - 30 * folds, 200))
    for train, test in seen:
        assert train[-1] + horizon < test[0] and len(test) == 30
        assert (np.diff(train) == 1).all()
        assert len(train) == (most or test[0] - horizon)


def test_dates_that_cannot_be_walked_along_are_refused_by_name():
    days = list(pd.bdate_range("2020-01-01", periods=30))
    turned = [*days[:4], days[5], days[4], *days[6:]]
    holed = [*days[:4], *days[20:]]
    for wrong, told in (
        (turned, r"rows 4 and 5 \(2020-01-08, 2020-01-07\) are out of order"),
        ([*days[:3], days[2], *days[3:]], "rows 2 and 3 .* the same twice"),
        (holed, "rows 3 and 4 .* more than largest_gap=10 days apart"),
        ([*days[:3], pd.NaT, *days[3:]], "row 3 has none"),
        (["never"], "dates must be dates"),
    ):
        with pytest.raises(ValueError, match=told):
            walk_forward(wrong, 2, test=3, horizon=1)
    assert len(check_dates(holed, largest_gap=60)) == len(holed)
    with pytest.raises(ValueError, match="need 36 rows at least, got 30"):
        walk_forward(days, 6, test=5, horizon=5)


# ------------------------------------------------------------------ features
@pytest.mark.parametrize("make", [streamed, windows], ids=["streamed", "windows"])
def test_other_days_to_come_change_nothing_in_the_features(returns, make):
    assert sees_future(make, returns) == []


def test_the_leak_is_caught_each_of_its_two_ways(returns):
    assert sees_future(leaky, returns)
    centred = sees_future(lambda r: leaky(r)[:, :1], returns, cuts=1)
    half = len(returns) // 2
    assert centred == list(range(half - 5, half))
    scaled = sees_future(lambda r: leaky(r)[:, 1:], returns, cuts=1)
    assert scaled == list(range(half))
    with pytest.raises(ValueError, match="a row for each of the 899 values, got 9"):
        sees_future(lambda r: r.to_numpy()[:9], returns)


def test_a_stream_gives_the_days_of_the_whole_and_survives_a_bad_one(returns):
    stream, whole = StreamingFeatures(), streamed(returns)
    assert whole.shape == (len(returns), len(STREAMED)) and np.isfinite(whole).all()
    for day, value in enumerate(returns.iloc[:50]):
        if day == 20:
            with pytest.raises(ValueError, match="value must be a finite number"):
                stream.update(float("nan"))
        assert np.array_equal(stream.update(value), whole[day])
    slow = np.sqrt((returns**2).ewm(halflife=22, adjust=False).mean())
    assert whole[:, STREAMED.index("volatility_slow")] == pytest.approx(slow)


def test_regimes_are_of_the_days_ahead_and_cut_by_training_alone(returns):
    ahead = next_volatility(returns)
    values = returns.to_numpy()
    assert ahead.iloc[10] == pytest.approx(np.sqrt(np.mean(values[11:16] ** 2)))
    assert ahead.iloc[-5:].isna().all() and ahead.iloc[:-5].notna().all()
    edges = regime_edges(ahead.iloc[:500])
    counts = np.bincount(regimes(ahead.iloc[:500], edges))
    assert counts.max() - counts.min() <= 2
    with pytest.raises(ValueError, match="got 5 missing"):
        regimes(ahead, edges)
    with pytest.raises(ValueError, match="got 5 of 899"):
        regime_edges(ahead)
    with pytest.raises(ValueError, match="must differ from day to day"):
        regime_edges(np.ones(9))


# --------------------------------------------------------------------- gate
def test_the_gate_tells_odd_days_that_it_never_saw(returns):
    features = streamed(returns)
    gate = OddDays(features[:600], share=0.05, seed=2)
    assert gate(features[:600]).mean() == pytest.approx(0.05, abs=0.01)
    strange = features[600:].copy()
    strange[7] *= 12
    assert gate(strange)[7]
    assert gate.strangeness(strange)[7] > np.median(gate.strangeness(features[600:]))
    odd = np.array([False, True])
    handed = hand_over(np.zeros((2, 3)), np.ones((2, 3)), odd)
    assert handed.tolist() == [[0, 0, 0], [1, 1, 1]]


def test_a_gate_refuses_what_it_cannot_judge(returns):
    features = streamed(returns)[:60]
    for wrong, told in (
        (features[:40], "50 training days at least, got 40"),
        (np.where(np.arange(60)[:, None] == 3, np.nan, features), "day 3 has one"),
        (features[:, 0], "days by width"),
    ):
        with pytest.raises(ValueError, match=told):
            OddDays(wrong)
    with pytest.raises(ValueError, match="the 7 columns seen in training, got 2"):
        OddDays(features)(features[:, :2])
    with pytest.raises(ValueError, match="true or false a day"):
        hand_over(np.zeros((2, 3)), np.ones((2, 3)), np.array([0, 1]))
