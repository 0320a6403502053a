"""What acting on the highest chances reaches, by hand and on draws."""

import warnings

import numpy as np
import pandas as pd
import pytest

from salesops.methods.acting import cost_curve, lift, top_of_each


@pytest.fixture(autouse=True)
def _no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@pytest.fixture
def rows() -> pd.DataFrame:
    """A thousand rows of a hundred units whose chances are right."""
    rng = np.random.default_rng(1)
    score = rng.random(1000)
    return pd.DataFrame({"score": score, "happened": rng.random(1000) < score,
                         "unit": np.arange(1000) // 10, "money": rng.lognormal(5, 1, 1000),
                         "rep": np.arange(1000) % 4, "at": np.arange(1000) // 4 % 5})  # fmt: skip


def test_the_first_tenth_by_a_sort(rows):
    told = lift(rows, (0.1, 1.0)).iloc[0]
    first = rows.sort_values("score").tail(100)
    hits = first["happened"]
    assert told["n"] == 100
    assert told["precision"] == pytest.approx(hits.mean())
    assert told["times"] == pytest.approx(hits.mean() / rows["happened"].mean())
    assert told["reached"] == pytest.approx(hits.sum() / rows["happened"].sum())
    money = rows["money"] * rows["happened"]
    assert told["money_reached"] == pytest.approx(money[first.index].sum() / money.sum())
    assert told["low"] < told["times"] < told["high"]
    assert told["reached_low"] < told["reached"] < told["reached_high"]
    every = lift(rows, (1.0,)).iloc[0]
    assert every[["times", "low", "high", "reached"]].to_numpy(float) == pytest.approx(np.ones(4))


def test_lift_of_equal_scores_is_one_in_any_order():
    equal = pd.DataFrame({"score": 0.4, "happened": [True] * 30 + [False] * 70, "unit": range(100)})
    for frame in (equal, equal[::-1]):
        told = lift(frame, (0.1, 0.5))
        assert told["times"].tolist() == pytest.approx([1, 1])
        assert told["reached"].tolist() == pytest.approx([0.1, 0.5])
        assert told["money_reached"].isna().all()


def test_lift_holds_its_truth_nine_times_in_ten():
    # Where chances are uniform and right, the first fifth hits in 0.9 of its rows: 1.8 times 0.5.
    rng, n, held = np.random.default_rng(3), 150, 0
    for k in range(n):
        score, fate = np.repeat(rng.random(150), 4), np.repeat(rng.random(150), 4)
        frame = pd.DataFrame({"score": score, "happened": fate < score,
                              "unit": np.repeat(np.arange(150), 4)})  # fmt: skip
        told = lift(frame, (0.2,), draws=150, seed=k).iloc[0]
        held += told["low"] <= 1.8 <= told["high"]
    assert 0.80 < held / n < 0.97


def test_weights_count_as_rows_in_lift_lists_and_costs(rows):
    weighted = rows.assign(weight=np.where(rows["unit"] % 2, 2.0, 1.0))
    twice = pd.concat([rows, rows[rows["unit"] % 2 == 1]])
    for mine, theirs in (
        (lift(weighted, (0.5,), draws=0), lift(twice, (0.5,), draws=0)),
        (cost_curve(weighted, 3, 0.1, draws=0), cost_curve(twice, 3, 0.1, draws=0)),
    ):
        left_out = ["n", "low", "high", "reached_low", "reached_high"]
        a, b = (f.drop(columns=left_out, errors="ignore") for f in (mine, theirs))
        pd.testing.assert_frame_equal(a, b, rtol=3e-3)


def test_tops_of_lists_by_a_sort(rows):
    told = top_of_each(rows, 5).iloc[0]
    first = rows.sort_values("score", ascending=False).groupby(["rep", "at"]).head(5)
    assert (told["n_lists"], told["n"], told["n_all"]) == (20, 100, 1000)
    assert told["precision"] == pytest.approx(first["happened"].mean())
    assert told["share_all"] == pytest.approx(rows["happened"].mean())
    assert told["more"] == pytest.approx(told["precision"] - told["share_all"])
    assert 0 < told["more_low"] < told["more"] < told["more_high"]


def test_short_lists_are_left_out_and_equal_scores_shared():
    rows = pd.DataFrame({"score": 0.5, "happened": [True, False, False, False, True],
                         "unit": range(5), "owner": list("aaaab"), "at": 0})  # fmt: skip
    for frame in (rows, rows[::-1]):
        told = top_of_each(frame, 2, by="owner").iloc[0]
        assert (told["n_lists"], told["n"], told["n_all"]) == (1, 2, 4)
        assert told["precision"] == pytest.approx(1 / 4)
    none = top_of_each(rows, 4, by="owner").iloc[0]
    assert none["n"] == 0
    assert np.isnan(none["precision"])


def test_the_best_threshold_is_where_a_row_pays_for_itself():
    # A row of 1000 whose chance is right pays from 30 / (0.1 × 1000) = 0.3 on.
    rng = np.random.default_rng(2)
    score = rng.random(40_000)
    rows = pd.DataFrame({"score": score, "happened": rng.random(40_000) < score, "money": 1000.0,
                         "unit": range(40_000)})  # fmt: skip
    told = cost_curve(rows, 30.0, 0.1, draws=50)
    assert told.loc[told["is_best"], "threshold"].item() == pytest.approx(0.3, abs=0.05)
    above = rows[rows["score"] >= 0.5]
    row = told[told["threshold"] == 0.5].iloc[0]
    assert row["n"] == len(above)
    assert row["cost"] == pytest.approx(30 * len(above))
    assert row["saved"] == pytest.approx(100 * above["happened"].sum())
    assert row["low"] < row["net"] == row["saved"] - row["cost"] < row["high"]


def test_nothing_is_best_where_acting_never_pays(rows):
    told = cost_curve(rows, 1e9, 0.1, draws=0)
    assert not told["is_best"].any()
    nobody = cost_curve(rows, 0.0, 0.0, draws=0)
    assert (nobody["net"] == 0).all()
    assert not nobody["is_best"].any()


def test_no_rows_one_class_and_unknown_money_are_no_trouble(rows):
    for frame in (rows.head(0), rows.head(1), rows.assign(happened=False), rows.assign(money=None),
                  rows.assign(weight=0.0)):  # fmt: skip
        assert len(lift(frame, draws=5)) == 4
        assert len(top_of_each(frame, 3, draws=5)) == 1
        assert not cost_curve(frame, 1.0, 0.1, draws=5)["net"].isna().any()
    assert lift(rows.assign(happened=False), draws=5)["times"].isna().all()
