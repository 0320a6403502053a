"""Chances learnt and judged: against scikit-learn, a known truth, and with little or nothing."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

from salesops.methods.acting import cost_curve, lift, top_of_each
from salesops.methods.calibrated import calibration_curve
from salesops.methods.chances import Task, able, fitted, logit
from salesops.methods.leakage import leaks
from salesops.methods.modelstore import ENVIRONMENT, fingerprint, kept_model
from salesops.methods.rolling import rolled
from salesops.methods.scored import auc, by_group, judged, paired_gain

TASK = Task(numbers=("a", "b"), words=("w",), rule="a")


def made(n: int, seed: int = 0, *, told: float = 1.5) -> pd.DataFrame:
    """Rows whose chance is known: rising in `a`, higher for the word x, nothing in `b`."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"a": rng.normal(size=n), "b": rng.normal(size=n),
                          "w": rng.choice(["x", "y", "z"], n)})  # fmt: skip
    odds = told * frame["a"] + np.where(frame["w"] == "x", told, 0.0) - 0.5
    frame["true"] = 1 / (1 + np.exp(-odds))
    frame["happened"] = rng.random(n) < frame["true"]
    frame["unit"] = [f"u{k}" for k in range(n)]
    frame["at"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(n) * 700 // n, "D")
    frame["known_at"] = frame["at"] + pd.Timedelta(days=30)
    return frame


ORIGINS = [pd.Timestamp("2024-09-01"), pd.Timestamp("2025-03-01"), pd.Timestamp("2025-07-01")]


def test_chances_come_near_the_truth_and_are_calibrated():
    frame = made(6000)
    found = rolled(frame, TASK, ORIGINS)
    rows = found.rows.join(frame[["true"]], on="row")
    truth = roc_auc_score(rows["happened"], rows["true"])
    assert roc_auc_score(rows["happened"], rows["score"]) > truth - 0.015
    told = judged(rows).set_index("measure")
    assert told.loc["slope", "low"] < 1 < told.loc["slope", "high"] + 0.1
    assert found.kind in ("logistic", "boosting")
    gain, low, _high = paired_gain(rows, "score", "rule")
    assert 0 < low < gain


def test_nothing_after_an_origin_changes_what_was_said_at_it():
    frame = made(3000)
    before = rolled(frame, TASK, ORIGINS).rows
    later = frame["known_at"] > ORIGINS[1]
    shuffled = frame.copy()
    rng = np.random.default_rng(1)
    order = rng.permutation(int(later.sum()))
    shuffled.loc[later, "happened"] = frame.loc[later, "happened"].to_numpy()[order]
    after = rolled(shuffled, TASK, ORIGINS).rows
    mine = [r[r["origin"] == ORIGINS[0]].set_index("row")["score"] for r in (before, after)]
    pd.testing.assert_series_equal(*mine)
    fits = [r[r["origin"] == ORIGINS[1]].set_index("row")["logistic"] for r in (before, after)]
    pd.testing.assert_series_equal(*fits)


def test_rows_that_only_serve_to_choose_are_not_judged_whatever_the_instant_they_begin_at():
    frame = made(600)
    odd = [ORIGINS[0] + pd.Timedelta(microseconds=1), *ORIGINS[1:]]
    assert (odd[0] - frame["at"].min()).value * 6 // 10 % 1000 != 0
    assert set(rolled(frame, TASK, odd).rows["origin"]) == set(odd)


def test_what_is_no_better_than_the_base_rate_is_not_used():
    found = [rolled(made(2500, seed, told=0.0), TASK, ORIGINS).kind for seed in range(8)]
    assert found.count("base") >= 7


def test_too_few_units_are_not_modelled():
    assert able(made(50)) == ("base",)
    assert "boosting" not in able(made(300))
    few = made(50)
    found = rolled(few, TASK, ORIGINS)
    model = fitted(few, TASK, found.kind)
    assert np.ptp(model.chance(few)) == 0


@pytest.mark.parametrize("kind", ["base", "rule", "logistic", "boosting"])
def test_one_class_unseen_words_and_nulls_are_no_trouble(kind):
    frame = made(600)
    frame.loc[::7, "a"] = np.nan
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = fitted(frame, TASK, kind)
        new = frame.head(5).assign(w="never", a=np.nan)
        chance = model.chance(new)
    assert ((chance > 0) & (chance < 1)).all()
    assert len(model.chance(frame.head(0))) == 0


def test_measures_are_those_of_scikit_learn():
    frame = made(800)
    rows = frame.assign(score=frame["true"].round(2), base=frame["happened"].mean())
    told = judged(rows, draws=30).set_index("measure")["value"]
    y, p = rows["happened"], rows["score"]
    assert told["auc"] == pytest.approx(roc_auc_score(y, p))
    assert told["pr_auc"] == pytest.approx(average_precision_score(y, p))
    assert told["brier"] == pytest.approx(brier_score_loss(y, p))
    weight = np.arange(len(y)) % 3 + 1.0
    assert auc(p.to_numpy(), y.to_numpy(), weight) == pytest.approx(
        roc_auc_score(y, p, sample_weight=weight)
    )


def test_intervals_by_unit_hold_what_they_should():
    truth, held, n = 0.0, 0, 40
    rng = np.random.default_rng(5)
    big = _clustered(4000, rng)
    truth = auc(big["score"].to_numpy(), big["happened"].to_numpy())
    for _ in range(n):
        told = judged(_clustered(150, rng).assign(base=0.5), draws=100).set_index("measure")
        held += told.loc["auc", "low"] <= truth <= told.loc["auc", "high"]
    assert 0.78 <= held / n <= 1.0


def _clustered(units: int, rng: np.random.Generator) -> pd.DataFrame:
    """Ten weeks a unit that share most of their luck."""
    level = np.repeat(rng.normal(size=units), 10)
    luck = np.repeat(rng.normal(size=units), 10)
    score = 1 / (1 + np.exp(-level))
    happened = level + luck + 0.3 * rng.normal(size=len(level)) > 0
    return pd.DataFrame({"score": score, "happened": happened,
                         "unit": np.repeat(np.arange(units), 10)})  # fmt: skip


def test_one_class_or_no_rows_give_nulls():
    one = pd.DataFrame({"score": [0.2, 0.8], "happened": [True, True], "unit": ["a", "b"],
                        "base": 0.5, "money": [1.0, 2.0], "rep": "r", "at": 0})  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert judged(one, draws=20).set_index("measure")["value"][["auc", "slope"]].isna().all()
        for frame in (one, one.head(0)):
            lift(frame)
            calibration_curve(frame)
            cost_curve(frame, 1.0, 0.1)
            top_of_each(frame)
            assert by_group(frame, "rep")["auc"].isna().all()


def test_the_first_rows_reach_what_a_sort_by_hand_reaches():
    frame = made(400).assign(score=lambda f: f["true"], money=lambda f: np.arange(400.0))
    told = lift(frame, (0.25,)).iloc[0]
    first = frame.sort_values("score", ascending=False).head(100)
    assert told["precision"] == first["happened"].mean()
    assert told["reached"] == first["happened"].sum() / frame["happened"].sum()
    hit = frame[frame["happened"]]["money"].sum()
    assert told["money_reached"] == pytest.approx(first[first["happened"]]["money"].sum() / hit)


def test_calibration_of_scores_of_zero_and_one_does_not_break():
    rows = pd.DataFrame({"score": [0.0, 1.0] * 50, "happened": [False, True] * 50,
                         "unit": range(100), "base": 0.5})  # fmt: skip
    assert np.isfinite(judged(rows, draws=20)["value"].head(4)).all()
    assert np.isfinite(logit(rows["score"])).all()


def test_planted_leaks_are_named_and_honest_fields_are_not():
    frame = made(2000)
    y = frame["happened"]
    rng = np.random.default_rng(2)
    frame["closing_amount"] = np.where(y, rng.normal(10, 1, 2000), rng.normal(0, 1, 2000))
    frame["closing_note"] = np.where(y & (rng.random(2000) < 0.9), 1.0, np.nan)
    frame["reason"] = np.where(y, "won because", "")
    told = leaks(frame, ["a", "b", "closing_amount", "closing_note"], ["w", "reason"])
    assert set(told["field"]) == {"closing_amount", "closing_note", "reason"}
    assert leaks(frame, ["a", "b"], ["w"]).empty


@pytest.mark.parametrize("kind", ["base", "rule", "logistic", "boosting"])
def test_a_kept_model_says_the_same_and_is_not_fitted_again(tmp_path, monkeypatch, kind):
    monkeypatch.setenv(ENVIRONMENT, str(tmp_path))
    frame = made(1500)
    columns = ["a", "b", "w", "unit", "at", "known_at", "happened"]
    found = rolled(frame, TASK, ORIGINS)
    made_ = []

    def make():
        made_.append(1)
        return fitted(frame, TASK, kind, slope=1.1, intercept=0.05), found

    first, again = (kept_model("test", frame, columns, make) for _ in range(2))
    assert made_ == [1]
    np.testing.assert_allclose(again.model.chance(frame), first.model.chance(frame))
    pd.testing.assert_frame_equal(again.rolled.rows, first.rolled.rows)
    assert again.card == first.card
    changed = frame.assign(a=frame["a"] + 1e-9)
    assert fingerprint(changed, columns) != fingerprint(frame, columns)
    kept_model("test", changed, columns, make)
    assert made_ == [1, 1]


def test_a_kept_model_that_was_tampered_with_is_made_anew(tmp_path, monkeypatch):
    monkeypatch.setenv(ENVIRONMENT, str(tmp_path))
    frame, columns, made_ = made(1500), ["a", "b", "w", "happened"], []
    found = rolled(frame, TASK, ORIGINS)

    def make():
        made_.append(1)
        return fitted(frame, TASK, "logistic"), found

    kept_model("test", frame, columns, make)
    (place,) = tmp_path.iterdir()
    (place / "estimator.skops").write_bytes(b"no model")
    assert kept_model("test", frame, columns, make).model.kind == "logistic"
    assert made_ == [1, 1]
