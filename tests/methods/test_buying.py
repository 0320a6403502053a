"""BG/NBD against its published estimates and against simulated customers."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from salesops.methods.buying import BgNbd, fit_bgnbd, summary_of_orders


@pytest.mark.real_data
def test_the_published_estimates_of_cdnow_are_found():
    file = Path(os.environ["SALESOPS_REAL_DATA"]) / "cdnow" / "CDNOW_sample.txt"
    raw = pd.read_csv(file, sep=r"\s+", header=None)
    orders = pd.DataFrame({"customer": raw[1], "on": pd.to_datetime(raw[2].astype(str))})
    # The first 39 weeks of 1997 calibrate; the published file counts ages in weeks.
    told = summary_of_orders(orders, pd.Timestamp("1997-09-30"))
    told[["t_x", "age"]] /= 7
    found = fit_bgnbd(told)
    assert found.n == 2357
    assert found.r == pytest.approx(0.243, abs=0.001)
    assert found.alpha == pytest.approx(4.414, abs=0.01)
    assert found.a == pytest.approx(0.793, abs=0.005)
    assert found.b == pytest.approx(2.426, abs=0.02)
    assert found.loglikelihood == pytest.approx(-9582.4, abs=0.5)


def simulated(n: int, seed: int, r=0.8, alpha=20.0, a=0.9, b=3.0, weeks=78.0):
    """Customers whose truth is known: x, t_x, age, purchases of the next 26 weeks, alive."""
    rng = np.random.default_rng(seed)
    rows = []
    for rate, gone in zip(rng.gamma(r, 1 / alpha, n), rng.beta(a, b, n), strict=True):
        age = weeks * rng.uniform(0.4, 1.0)
        at, x, t_x, after, alive = 0.0, 0, 0.0, 0, True
        while True:
            at += rng.exponential(1 / rate)
            if at > age + 26:
                break
            if at <= age:
                x, t_x = x + 1, at
            else:
                after += 1
            if rng.random() < gone:
                alive = at > age
                break
        rows.append((x, t_x, age, after, alive))
    return pd.DataFrame(rows, columns=["x", "t_x", "age", "after", "alive"])


def test_known_parameters_chances_and_purchases_are_recovered():
    frame = simulated(6000, 1)
    found = fit_bgnbd(frame)
    assert found.r == pytest.approx(0.8, rel=0.12)
    assert found.alpha == pytest.approx(20, rel=0.15)
    alive = found.chance_alive(frame["x"], frame["t_x"], frame["age"])
    assert alive.mean() == pytest.approx(frame["alive"].mean(), abs=0.02)
    ahead = found.expected(26, frame["x"], frame["t_x"], frame["age"])
    assert ahead.sum() == pytest.approx(frame["after"].sum(), rel=0.06)
    none = found.chance_of_none(26, frame["x"], frame["t_x"], frame["age"])
    assert none.mean() == pytest.approx((frame["after"] == 0).mean(), abs=0.02)


def test_the_unit_of_time_and_the_order_of_rows_change_nothing():
    frame = simulated(800, 2)
    weeks = fit_bgnbd(frame)
    days = fit_bgnbd(frame.sample(frac=1, random_state=3).assign(
        t_x=lambda f: f["t_x"] * 7, age=lambda f: f["age"] * 7))  # fmt: skip
    assert days.alpha / 7 == pytest.approx(weeks.alpha, rel=1e-3)
    assert (days.r, days.a, days.b) == pytest.approx((weeks.r, weeks.a, weeks.b), rel=1e-3)


def test_who_bought_once_is_there_and_nothing_is_not_a_number():
    model = BgNbd(r=0.24, alpha=4.4, a=0.79, b=2.4, loglikelihood=0.0, n=1)
    assert model.chance_alive([0], [0.0], [39.0]).tolist() == [1.0]
    x, t_x, age = np.array([0, 1, 50]), np.array([0.0, 0.0, 1.0]), np.array([0.0, 900.0, 1.0])
    for told in (model.chance_alive(x, t_x, age), model.expected(10, x, t_x, age),
                 model.chance_of_none(10, x, t_x, age)):  # fmt: skip
        assert np.isfinite(told).all()
    assert fit_bgnbd(simulated(20, 4)) is None
