"""Bookings, customers and attainment of the sample company by plain pandas."""

import pandas as pd
import pytest

from salesops.metrics.catalogue import metric
from tests.fixtures import SAMPLE
from tests.signings import T, by, value


@pytest.fixture(scope="module")
def files() -> dict[str, pd.DataFrame]:
    deals = pd.read_parquet(SAMPLE / "opportunities.parquet").astype({"amount": float})
    contracts = pd.read_parquet(SAMPLE / "contracts.parquet").astype({"amount": float})
    kinds = deals.set_index("id")["type"]
    contracts["type"] = contracts["opportunity_id"].map(kinds)
    renews = set(contracts["renewed_by"].dropna())
    contracts.loc[contracts["id"].isin(renews), "type"] = "renewal"
    for column in ("signed_on", "cancelled_on"):
        contracts[column] = pd.to_datetime(contracts[column])
    return {
        "deals": deals,
        "contracts": contracts,
        "lines": pd.read_parquet(SAMPLE / "contract_lines.parquet").astype({"amount": float}),
        "targets": pd.read_csv(SAMPLE / "targets.csv"),
        "users": pd.read_csv(SAMPLE / "users.csv"),
        "credits": pd.read_csv(SAMPLE / "credits.csv"),
        "accounts": pd.read_parquet(SAMPLE / "accounts.parquet"),
    }


def inside(days: pd.Series, first: str, last: str) -> pd.Series:
    return days.between(T(first), T(last))


def net(contracts: pd.DataFrame, first: str, last: str) -> float:
    signed = contracts.loc[inside(contracts["signed_on"], first, last), "amount"].sum()
    return signed - contracts.loc[inside(contracts["cancelled_on"], first, last), "amount"].sum()


def test_bookings_of_the_sample_by_plain_pandas(sample_book, files):
    selling = files["contracts"][files["contracts"]["type"] != "renewal"]
    for period, first, last in (
        ("2026Q1", "2026-01-01", "2026-03-31"),
        ("2025", "2025-01-01", "2025-12-31"),
        ("2025-11", "2025-11-01", "2025-11-30"),
    ):
        assert value(sample_book, "bookings", period) == pytest.approx(net(selling, first, last))


def test_renewals_of_the_sample_stand_apart(sample_book, files):
    renewals = files["contracts"][files["contracts"]["type"] == "renewal"]
    wanted = net(renewals, "2025-01-01", "2025-12-31")
    assert value(sample_book, "renewal_bookings", "2025") == pytest.approx(wanted)


def test_every_won_deal_of_the_sample_has_its_contract(sample_book, files):
    deals = files["deals"]
    local = deals["closed_at"] + pd.Timedelta(hours=8)
    won = deals[
        (deals["stage"] == "contract") & inside(local.dt.normalize(), "2026-01-01", "2026-03-31")
    ]
    wanted = won["id"].isin(files["contracts"]["opportunity_id"]).mean()
    assert value(sample_book, "contract_match", "2026Q1") == pytest.approx(wanted)


def test_bookings_by_person_are_split_by_credits(sample_book, files):
    contracts = files["contracts"]
    rows = contracts[
        (contracts["type"] != "renewal")
        & inside(contracts["signed_on"], "2025-01-01", "2025-12-31")
    ]
    gone = contracts[
        (contracts["type"] != "renewal")
        & inside(contracts["cancelled_on"], "2025-01-01", "2025-12-31")
    ]
    rows = pd.concat([rows, gone.assign(amount=-gone["amount"])])
    rows = rows.merge(files["credits"], on="opportunity_id", how="left")
    rows["who"] = rows["user_id"].fillna(rows["owner_id"])
    rows["part"] = rows["amount"] * rows["share"].fillna(1.0)
    wanted = rows.groupby("who")["part"].sum()
    found = metric(sample_book, "bookings", period="2025", by=["owner_id"])
    found = found.set_index("owner_id")["bookings"]
    assert rows["share"].notna().any()
    pd.testing.assert_series_equal(found, wanted, check_names=False, atol=0.02)


def test_attainment_of_the_sample_by_plain_pandas(sample_book, files):
    targets = files["targets"]
    rows = targets[
        (targets["metric"] == "bookings") & targets["period"].between("2026-01", "2026-03")
    ]
    company = rows.loc[rows["level"] == "company", "amount"].sum()
    selling = files["contracts"][files["contracts"]["type"] != "renewal"]
    wanted = net(selling, "2026-01-01", "2026-03-31") / company
    assert value(sample_book, "attainment", "2026Q1") == pytest.approx(wanted)
    teams = rows[rows["level"] == "team"].groupby("key")["amount"].sum()
    signed = pd.Series(by(sample_book, "bookings", "2026Q1", "team"))
    found = pd.Series(by(sample_book, "attainment", "2026Q1", "team"))
    pd.testing.assert_series_equal(
        found.dropna(), (signed / teams).dropna().reindex(found.dropna().index), check_names=False
    )


def whole_targets(files) -> pd.Series:
    """Sum the first quarter's targets of people that name each month they were employed for."""
    targets = files["targets"]
    rows = targets[(targets["level"] == "user") & targets["period"].between("2026-01", "2026-03")]
    months = {"2026-01": "2026-01-31", "2026-02": "2026-02-28", "2026-03": "2026-03-31"}
    found = {}
    for who, mine in rows.groupby("key"):
        person = files["users"].set_index("id").loc[who]
        hired = T(person["hired_on"]) if isinstance(person["hired_on"], str) else T("1900-01-01")
        left = T(person["left_on"]) if isinstance(person["left_on"], str) else T("2100-01-01")
        due = {m for m, end in months.items() if hired <= T(m + "-01") and left >= T(end)}
        if due <= set(mine["period"]) and mine["amount"].sum() > 0:
            found[who] = mine["amount"].sum()
    return pd.Series(found)


def test_people_at_target_of_the_sample_by_plain_pandas(sample_book, files):
    plan = whole_targets(files)
    signed = pd.Series(by(sample_book, "bookings", "2026Q1", "owner_id"))
    reached = signed.reindex(plan.index).fillna(0) / plan
    row = metric(sample_book, "reps_at_target", period="2026Q1").iloc[0]
    assert row["n"] == len(plan)
    assert row["reps_at_target"] == pytest.approx((reached >= 1).mean())
    assert value(sample_book, "median_attainment", "2026Q1") == pytest.approx(reached.median())


def test_new_and_returning_customers_of_the_sample_by_plain_pandas(sample_book, files):
    # These accounts have no parent, so that each customer is its own group.
    assert "parent_account_id" not in files["accounts"]
    since = pd.to_datetime(files["accounts"].set_index("id")["customer_since"])
    contracts = files["contracts"].sort_values("signed_on")
    first = contracts.groupby("account_id")["signed_on"].min()
    entered = first.index.to_series().map(since)
    earliest = pd.concat([first, entered], axis=1).min(axis=1)
    wanted = inside(earliest, "2026-01-01", "2026-03-31").sum()
    assert value(sample_book, "new_customers", "2026Q1") == wanted
    before = contracts.groupby("account_id")["signed_on"].shift()
    late = before <= contracts["signed_on"] - pd.DateOffset(months=24)
    back = contracts[late & inside(contracts["signed_on"], "2025-07-01", "2026-06-20")]
    found = sum(
        value(sample_book, "reactivated_customers", q)
        for q in ("2025Q3", "2025Q4", "2026Q1", "2026Q2")
    )
    assert found == back["account_id"].nunique()


def test_a_year_of_bookings_by_plain_pandas(sample_book, files):
    lines = files["lines"]
    recurs = lines["kind"].isin(["subscription", "maintenance"]) & (lines["months"] > 0)
    extra = (lines["amount"] * (1 - 12 / lines["months"])).where(recurs, 0.0)
    less = extra.groupby(lines["contract_id"]).sum()
    contracts = files["contracts"][files["contracts"]["type"] != "renewal"].copy()
    contracts["amount"] -= contracts["id"].map(less).fillna(0)
    wanted = net(contracts, "2025-01-01", "2025-12-31")
    assert value(sample_book, "annualised_bookings", "2025") == pytest.approx(wanted)
