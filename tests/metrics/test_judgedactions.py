"""Actions on deals, on teams of a region, and on what is no one side: judged by what they were."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from salesops.book.write import typed
from salesops.metrics.judgedactions import judged
from salesops.metrics.outcomes import monthly
from tests.companies import book_of
from tests.signings import deals, table

T = pd.Timestamp
START = pd.Period("2025-01", "M")
LINES = [f"line {k}" for k in range(8)]
SEGMENTS = [f"segment {k}" for k in range(8)]


@pytest.fixture(scope="module")
def tables():
    """Two years of deals of eight lines; in three, one deal in four more is won from 2026 on."""
    rng = np.random.default_rng(4)
    rows = []
    for month in range(24):
        for line in range(8):
            for person in range(6):
                gain = 0.25 if line < 3 and month >= 12 else 0.0
                for nth in range(5):
                    rows.append({
                        "id": f"d{len(rows)}", "account_id": f"a{line}", "amount": 100.0,
                        "owner_id": f"u{person}", "product_line": LINES[line], "type": "new",
                        "stage": "contract" if rng.random() < 0.3 + gain else "lost",
                        "created_at": T("2024-12-01"),
                        "closed_at": (START + month).to_timestamp() + pd.Timedelta(days=3 + nth),
                    })  # fmt: skip
    people = {
        "id": [f"u{k}" for k in range(6)],
        "name": [f"N{k}" for k in range(6)],
        "team": [f"T{k}" for k in range(6)],
        "region": ["North", "North"] + ["South"] * 4,
    }
    accounts = {"id": [f"a{k}" for k in range(8)], "segment": SEGMENTS}
    return {**deals(*rows), **table("users", **people), **table("accounts", **accounts)}


def tried(tables, *scopes: str, metric: str = "win_rate"):
    n = len(scopes)
    rows = pd.DataFrame({
        "id": [f"m{k}" for k in range(n)], "kind": ["action"] * n, "note": ["demo first"] * n,
        "created_at": [T("2025-11-05")] * n, "done_on": [dt.date(2025, 12, 20)] * n,
        "status": ["done"] * n, "scope": list(scopes), "metric": [metric] * n,
        "expected_effect": [0.2] * n, "owner_id": ["u0"] * n,
    })  # fmt: skip
    return judged(book_of({**tables, "actions": typed("actions", rows)}))


@pytest.mark.parametrize(("side", "names"), [("product_line", LINES), ("segment", SEGMENTS)])
def test_an_action_on_deals_is_judged_by_them_against_the_other_deals(tables, side, names):
    (one,) = tried(tables, *(f"{side}:{name}" for name in names[:3]))
    assert one.verdict == "worked"
    assert one.found.low < 0.25 < one.found.high
    assert (one.found.n_treated_teams, one.found.n_comparison_teams) == (3, 5)
    # Every person sells to all: a unit is a person's deals of one line.
    assert one.found.n_treated_units == 18


def test_deals_that_nothing_was_done_for_are_not_praised(tables):
    (one,) = tried(tables, *(f"product_line:{name}" for name in LINES[5:]))
    assert one.verdict != "worked"


def test_too_few_kinds_of_deals_are_not_enough(tables):
    few = tables["opportunities"].to_pandas()
    few["product_line"] = few["product_line"].where(few["product_line"] < "line 2", "line 2")
    (one,) = tried({**tables, "opportunities": typed("opportunities", few)},
                   "product_line:line 0")  # fmt: skip
    assert one.verdict == "not_enough"
    assert "too_few_teams" in one.found.reasons


def test_a_region_is_its_teams(tables):
    (one,) = tried(tables, "region:North")
    assert (one.found.n_treated_teams, one.found.n_comparison_teams) == (2, 4)


@pytest.mark.parametrize(
    "scopes", [("team:T1,product_line:line 0",), ("team:T1", "product_line:line 0")]
)
def test_several_sides_at_once_have_nothing_to_be_compared_with(tables, scopes):
    (one,) = tried(tables, *scopes)
    assert (one.verdict, one.reason) == ("not_enough", "no_group")


def test_a_metric_of_leads_knows_no_product_line(sample_book):
    assert monthly(sample_book, "lead_valid_rate", dt.date(2026, 1, 1), "product_line").empty


def test_deals_of_all_lines_add_up_to_those_of_all_teams(sample_book):
    since = dt.date(2025, 1, 1)
    whole = monthly(sample_book, "win_rate", since)
    for side in ("product_line", "segment"):
        parts = monthly(sample_book, "win_rate", since, side)
        assert parts["n"].sum() == pytest.approx(whole["n"].sum())
        assert (parts["value"] * parts["n"]).sum() == pytest.approx(
            (whole["value"] * whole["n"]).sum()
        )


def test_months_for_which_a_group_may_have_been_chosen_are_no_baseline(tables):
    """North's deals went badly in the three months before it was decided, and are as ever since."""
    deals_ = tables["opportunities"].to_pandas()
    rng = np.random.default_rng(9)
    deals_["stage"] = np.where(rng.random(len(deals_)) < 0.3, "contract", "lost")
    month = pd.to_datetime(deals_["closed_at"]).dt.tz_localize(None).dt.to_period("M")
    bad = deals_["owner_id"].isin(["u0", "u1"]) & month.between("2025-08", "2025-10")
    deals_.loc[bad, "stage"] = "lost"
    # Decided on the 5th of November and done on the 20th of December.
    (one,) = tried({**tables, "opportunities": typed("opportunities", deals_)}, "region:North")
    assert abs(one.found.estimate) < 0.06
    assert one.found.before_after > 0.06
    assert one.verdict != "worked"
