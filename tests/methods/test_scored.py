"""Chances held against what happened: scikit-learn's measures, and ranges that hold the truth."""

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

from salesops.methods.calibrated import calibration_curve, calibration_slope
from salesops.methods.scored import _Order, auc, by_group, judged, over_time, paired_gain
from salesops.methods.unitdraws import NotAChance, Scored, ranges, scored_rows


@pytest.fixture(autouse=True)
def _no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def clustered(units: int, rng: np.random.Generator, *, each: int = 10, luck: float = 1.0):
    """Rows of units that share their score's level and most of their luck; chances are right."""
    level = np.repeat(rng.normal(size=units), each)
    fate = np.repeat(rng.logistic(size=units), each)
    own = rng.logistic(size=len(level))
    # A unit has either one fate for all its rows, or each row its own.
    shared = np.repeat(rng.random(units) < luck, each)
    happened = level + np.where(shared, fate, own) > 0
    return pd.DataFrame({"score": 1 / (1 + np.exp(-level)), "happened": happened,
                         "unit": np.repeat(np.arange(units), each)})  # fmt: skip


def measures(frame: pd.DataFrame, **kwargs: int) -> pd.DataFrame:
    return judged(frame, **kwargs).set_index("measure")


ROWS = st.lists(
    st.tuples(st.integers(0, 8), st.booleans(), st.integers(0, 3), st.integers(0, 5)), max_size=30
)


@given(ROWS)
@settings(max_examples=60, deadline=None)
def test_measures_of_any_rows_are_those_of_scikit_learn_or_null(drawn):
    frame = pd.DataFrame(drawn, columns=["score", "happened", "weight", "unit"])
    frame = frame.astype({"happened": bool, "weight": float}).assign(score=lambda f: f.score / 8)
    told = measures(frame, draws=6)
    kept = frame[frame["weight"] > 0]
    assert (told["n"] == len(kept)).all()
    if kept["happened"].nunique() < 2:
        assert told["value"].drop("brier").isna().all()
        return
    y, p, w = kept["happened"], kept["score"], kept["weight"]
    usual = np.full(len(y), np.average(y, weights=w))
    brier = brier_score_loss(y, p, sample_weight=w)
    assert told.loc["auc", "value"] == pytest.approx(roc_auc_score(y, p, sample_weight=w))
    assert told.loc["pr_auc", "value"] == pytest.approx(
        average_precision_score(y, p, sample_weight=w)
    )
    assert told.loc["brier", "value"] == pytest.approx(brier)
    assert told.loc["brier_skill", "value"] == pytest.approx(
        1 - brier / brier_score_loss(y, usual, sample_weight=w)
    )


@given(ROWS)
@settings(max_examples=40, deadline=None)
def test_the_draws_measure_what_the_library_measures(drawn):
    frame = pd.DataFrame(drawn, columns=["score", "happened", "weight", "unit"])
    frame = frame.astype({"happened": bool, "weight": float}).assign(score=lambda f: f.score / 8)
    rows = scored_rows(frame)
    mine = _Order(rows.score, rows.happened).measures(rows.weight)
    told = measures(frame, draws=0)["value"]
    np.testing.assert_allclose(mine, told[["auc", "pr_auc"]], rtol=1e-9)


def test_a_base_rate_said_at_the_time_is_what_skill_is_held_against():
    rows = pd.DataFrame({"score": [0.2, 0.8], "happened": [False, True], "unit": [1, 2],
                         "base": [0.5, 0.5]})  # fmt: skip
    assert measures(rows).loc["brier_skill", "value"] == pytest.approx(1 - 0.2**2 / 0.5**2)


@pytest.fixture(scope="module")
def truths() -> pd.Series:
    big = clustered(200_000, np.random.default_rng(1), each=1)
    return measures(big, draws=0)["value"]


def test_ranges_by_unit_hold_the_truth_nine_times_in_ten_and_those_by_row_do_not(truths):
    rng = np.random.default_rng(5)
    names, n = ["auc", "pr_auc", "brier", "slope", "intercept"], 80
    held = pd.DataFrame(0, index=names, columns=["unit", "row"])
    for k in range(n):
        frame = clustered(120, rng)
        for by, rows in (("unit", frame), ("row", frame.assign(unit=range(len(frame))))):
            told = measures(rows, draws=100, seed=k).loc[names]
            held[by] += (told["low"] <= truths[names]) & (truths[names] <= told["high"])
    share = held / n
    # Three errors of a share of 0.9 over 80 samples are 0.1.
    assert (share["unit"] > 0.8).all(), share
    # Ten rows that are one pretend to sqrt(10) times more than is known.
    assert (share["row"] < 0.6).all(), share


def test_order_of_rows_and_names_of_units_change_nothing():
    frame = clustered(40, np.random.default_rng(2)).assign(weight=1.5)
    shuffled = frame.sample(frac=1, random_state=1)
    renamed = shuffled.assign(unit="u" + (1000 - shuffled["unit"]).astype(str))
    for other in (shuffled, renamed):
        pd.testing.assert_frame_equal(judged(frame, draws=30), judged(other, draws=30))
        pd.testing.assert_frame_equal(
            calibration_curve(frame, bins=4), calibration_curve(other, bins=4)
        )


def test_a_row_of_weight_two_is_two_rows_and_one_of_weight_zero_none():
    frame = clustered(30, np.random.default_rng(3)).assign(weight=1.0)
    frame.loc[frame["unit"] < 10, "weight"] = 2.0
    frame.loc[frame["unit"] > 25, "weight"] = 0.0
    doubled = pd.concat([frame[frame["weight"] > 0], frame[frame["weight"] == 2]])
    mine, theirs = (measures(f, draws=0) for f in (frame, doubled.drop(columns="weight")))
    pd.testing.assert_series_equal(mine["value"], theirs["value"])
    assert mine["n_units"].iloc[0] == 26
    nothing = measures(frame.assign(weight=0.0))
    assert nothing["value"].isna().all()
    assert (nothing["n"] == 0).all()


def test_one_unit_has_values_and_no_ranges():
    told = measures(clustered(1, np.random.default_rng(0)).assign(
        score=np.linspace(0, 1, 10), happened=[True, False] * 5))  # fmt: skip
    assert told["value"].notna().all()
    assert told[["low", "high"]].isna().all(axis=None)


def test_equal_scores_order_nothing():
    rows = pd.DataFrame({"score": 0.3, "happened": [True, False] * 20, "unit": range(40)})
    told = measures(rows)
    assert told.loc["auc", ["value", "low", "high"]].tolist() == [0.5, 0.5, 0.5]
    assert np.isnan(told.loc["slope", "value"])
    assert auc(np.array([]), np.array([], dtype=bool)) != auc(
        np.array([]), np.array([], dtype=bool)
    )


def test_what_is_no_chance_is_refused_with_what_it_is():
    rows = pd.DataFrame({"score": [0.2, 1.2, None], "happened": False, "unit": [1, 2, 3]})
    with pytest.raises(NotAChance) as caught:
        judged(rows)
    assert (caught.value.column, caught.value.value) == ("score", "1.2 (2 such rows)")
    assert "Column 'score' holds 1.2 (2 such rows)." in str(caught.value)
    assert "Expected: a chance within 0 and 1 in each row." in str(caught.value)
    assert "frame[frame['score'].notna()]" in str(caught.value)
    for weight in (-1.0, np.inf, np.nan):
        with pytest.raises(NotAChance, match=r"'weight'.*\n.*finite weight of 0 or more"):
            judged(rows.assign(score=0.5, weight=weight))


def test_gain_over_another_score_is_paired_and_much_narrower_than_either():
    frame = clustered(400, np.random.default_rng(7)).assign(better=lambda f: f["score"])
    rng = np.random.default_rng(8)
    frame["worse"] = frame["score"] + rng.normal(scale=0.05, size=len(frame))
    gain, low, high = paired_gain(frame, "better", "worse")
    y = frame["happened"]
    told, other = (roc_auc_score(y, frame[name]) for name in ("better", "worse"))
    assert gain == pytest.approx(told - other)
    assert low < gain < high
    one = measures(frame).loc["auc"]
    assert high - low < (one["high"] - one["low"]) / 3
    assert paired_gain(frame, "worse", "better")[0] == -gain
    assert paired_gain(frame, "worse", "worse") == (0, 0, 0)


def test_gain_is_taken_on_rows_that_have_both_scores():
    frame = clustered(50, np.random.default_rng(7)).assign(other=lambda f: 1 - f["score"])
    frame.loc[:99, "other"] = np.nan
    assert paired_gain(frame, "score", "other") == paired_gain(frame[100:], "score", "other")
    assert np.isnan(paired_gain(frame[:100], "score", "other")).all()


def test_groups_too_small_say_so():
    rng = np.random.default_rng(9)
    big, few = clustered(100, rng).assign(group="big"), clustered(5, rng).assign(group="few")
    rows = pd.concat([big, few, few.assign(group="won", happened=True)])
    told = by_group(rows, draws=50).set_index("group")
    assert told["why"].tolist() == [None, "too_few", "one_class"]
    assert told.loc["big", "auc"] == pytest.approx(roc_auc_score(big["happened"], big["score"]))
    assert told.loc["big", "low"] < told.loc["big", "auc"] < told.loc["big", "high"]
    assert told.loc["big", "gap"] == pytest.approx(big["happened"].mean() - big["score"].mean())
    assert told.loc["big", "gap_low"] < told.loc["big", "gap"] < told.loc["big", "gap_high"]
    assert told.loc[["few", "won"], ["auc", "low", "high", "gap_low", "gap_high"]].isna().all(None)
    assert told.loc["won", "share"] == 1
    assert by_group(rows.head(0)).empty


def test_many_rows_of_few_units_are_too_few():
    frame = clustered(9, np.random.default_rng(1), each=100, luck=0.0).assign(group="a")
    assert by_group(frame)["why"].tolist() == ["too_few"]


def test_periods_begin_on_their_first_day_in_any_zone():
    frame = clustered(200, np.random.default_rng(4))
    days = pd.Timestamp("2024-12-20") + pd.to_timedelta(np.arange(len(frame)) % 20, "D")
    told = over_time(frame.assign(at=days), "month", draws=20)
    assert told["period"].tolist() == [pd.Timestamp("2024-12-01"), pd.Timestamp("2025-01-01")]
    assert told["n"].tolist() == [200 * 10 * 12 / 20, 200 * 10 * 8 / 20]
    zoned = over_time(frame.assign(at=days.tz_localize("Asia/Shanghai")), "month", draws=20)
    pd.testing.assert_frame_equal(told, zoned)
    assert over_time(frame.assign(at=days).head(0)).empty


def test_a_measure_without_meaning_in_most_draws_has_no_range():
    rows = scored_rows(pd.DataFrame({"score": 0.5, "happened": True, "unit": range(10)}))
    assert isinstance(rows, Scored)
    odd = iter(range(1000))
    low, high = ranges(lambda w: [w.sum() if next(odd) % 3 == 0 else np.nan], rows, draws=90)
    assert np.isnan([low[0], high[0]]).all()


def test_recalibration_is_the_logistic_regression_of_a_library():
    from sklearn.linear_model import LogisticRegression

    frame = clustered(300, np.random.default_rng(6))
    frame = frame.assign(score=frame["score"] ** 2, weight=1.0 + frame["unit"] % 3)
    told = calibration_slope(frame, draws=30).set_index("measure")
    odds = np.log(frame["score"] / (1 - frame["score"])).to_numpy()[:, None]
    fit = LogisticRegression(C=np.inf, tol=1e-10).fit(odds, frame["happened"], frame["weight"])
    assert told.loc["slope", "value"] == pytest.approx(fit.coef_[0, 0], rel=1e-5)
    assert told.loc["intercept", "value"] == pytest.approx(fit.intercept_[0], rel=1e-5)


def test_scores_of_zero_and_one_and_separated_outcomes_break_no_slope():
    sure = pd.DataFrame({"score": [0.0, 1.0] * 50, "happened": [False, True] * 50,
                         "unit": range(100)})  # fmt: skip
    assert calibration_slope(sure)["value"].isna().all()
    wrong = sure.assign(happened=lambda f: f["happened"] ^ (f["unit"] % 5 == 0))
    # Nine in ten as said, at log-odds of 1 in 10,000: 0 went wrong ten times in fifty.
    said = np.log(0.9999 / 0.0001)
    told = calibration_slope(wrong).set_index("measure")
    right = told.loc["slope", "value"] * -said + told.loc["intercept", "value"]
    assert right == pytest.approx(np.log(10 / 40), rel=1e-6)
    near = pd.DataFrame({"score": np.linspace(0, 1, 50), "unit": range(50)})
    calibration_slope(near.assign(happened=near["score"] > 0.5))
    calibration_slope(near.assign(happened=(near["score"] > 0.5) ^ (near["unit"] == 24)))
    assert calibration_slope(near.assign(happened=True).head(0))["value"].isna().all()


def test_the_share_of_a_bin_is_ranged_by_its_units():
    rng = np.random.default_rng(11)
    n, held = 200, 0
    for _ in range(n):
        frame = clustered(25, rng).assign(score=0.5)
        (one,) = calibration_curve(frame).itertuples()
        held += one.low <= 0.5 <= one.high
        assert (one.n, one.n_units) == (250, 25)
    assert 0.84 < held / n < 0.96


def test_bins_have_equal_counts_and_never_part_equal_scores():
    frame = clustered(100, np.random.default_rng(1), each=1)
    told = calibration_curve(frame, bins=5)
    assert told["n"].tolist() == [20] * 5
    first = frame.sort_values("score").head(20)
    assert told["said"][0] == pytest.approx(first["score"].mean())
    assert told["share"][0] == first["happened"].mean()
    coarse = calibration_curve(frame.assign(score=frame["score"] > 0.5), bins=5)
    assert coarse["said"].tolist() == [0, 1]


def test_a_bin_in_which_all_happened_leaves_room_by_units():
    rows = pd.DataFrame({"score": 0.9, "happened": True, "unit": np.repeat(range(8), 5)})
    (one,) = calibration_curve(rows).itertuples()
    from scipy.stats import t

    z = t.ppf(0.95, 7)
    assert one.high == 1
    assert one.low == pytest.approx(8 / (8 + z * z))
    (single,) = calibration_curve(rows.head(5)).itertuples()
    assert np.isnan([single.low, single.high]).all()
    assert calibration_curve(rows.head(0)).empty
