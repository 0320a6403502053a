"""What recurs equals plain pandas on the sample and hand arithmetic on three customers."""

import pandas as pd
import pytest

from salesops.book.write import typed
from salesops.metrics.catalogue import metric
from salesops.metrics.recurring import due_for_renewal, retained
from tests.companies import book_of
from tests.fixtures import SAMPLE

DAY = pd.Timedelta(days=1)
LAST = pd.Timestamp("2026-03-31")


def value(book, name: str, period: str = "2026Q1") -> float:
    return float(metric(book, name, period=period)[name].iloc[0])


@pytest.fixture(scope="module")
def contracts() -> pd.DataFrame:
    rows = pd.read_parquet(SAMPLE / "contracts.parquet").set_index("id")
    for column in ("signed_on", "starts_on", "ends_on", "cancelled_on"):
        rows[column] = pd.to_datetime(rows[column])
    lines = pd.read_parquet(SAMPLE / "contract_lines.parquet").astype({"amount": float})
    lines = lines[lines["kind"].isin(["subscription", "maintenance"])]
    yearly = (lines["amount"] * 12 / lines["months"]).groupby(lines["contract_id"]).sum()
    rows["yearly"] = yearly.reindex(rows.index)
    return rows[rows["yearly"] > 0]


def by_customer(contracts: pd.DataFrame, day: pd.Timestamp) -> pd.Series:
    begun = contracts["starts_on"].fillna(contracts["signed_on"]) <= day
    lasts = contracts["ends_on"].isna() | (contracts["ends_on"] >= day)
    kept = contracts["cancelled_on"].isna() | (contracts["cancelled_on"] > day)
    follows = contracts["renewed_by"].map(contracts["starts_on"])
    running = contracts[begun & lasts & kept & ~(follows <= day)]
    return running.groupby("account_id")["yearly"].sum()


def test_retention_by_plain_pandas(sample_book, contracts):
    then = by_customer(contracts, pd.Timestamp("2025-03-31"))
    now = by_customer(contracts, LAST).reindex(then.index).fillna(0)
    assert value(sample_book, "nrr") == pytest.approx(now.sum() / then.sum())
    kept = pd.concat([then, now], axis=1).min(axis=1)
    assert value(sample_book, "grr") == pytest.approx(kept.sum() / then.sum())


def test_renewals_by_plain_pandas(sample_book, contracts):
    due = contracts[(contracts["ends_on"] >= "2025-10-01") & (contracts["ends_on"] < "2026-01-01")]
    due = due[due["cancelled_on"].isna() | (due["cancelled_on"] > due["ends_on"])]
    signed = due["renewed_by"].map(contracts["signed_on"])
    renewed = signed <= due["ends_on"] + 90 * DAY
    assert value(sample_book, "renewal_rate", "2025Q4") == pytest.approx(renewed.mean())
    by_value = due["yearly"][renewed].sum() / due["yearly"].sum()
    assert value(sample_book, "renewal_rate_by_value", "2025Q4") == pytest.approx(by_value)


def test_gross_retention_is_never_above_net_nor_above_one(sample_book):
    for period in ("2024Q4", "2025Q2", "2026Q1", "latest"):
        grr, nrr = value(sample_book, "grr", period), value(sample_book, "nrr", period)
        assert grr <= min(nrr, 1)


# Customer, contract, first and last day, value of the term in months, renewed by, cancelled on.
THREE = (
    ("a1", "k1", "2024-04-01", "2025-12-31", 210, 21, "k2", None),  # 120 a year
    ("a1", "k2", "2026-01-01", "2026-12-31", 150, 12, None, None),
    ("a2", "k3", "2025-01-01", "2025-12-31", 80, 12, "k4", None),
    ("a2", "k4", "2026-01-01", "2026-12-31", 50, 12, None, None),
    ("a3", "k5", "2025-02-01", "2026-01-31", 40, 12, None, None),
    ("a4", "k6", "2025-06-01", "2026-05-31", 999, 12, None, None),  # new within the year
    ("a5", "k7", "2025-03-01", "2026-04-30", 70, 14, None, "2025-09-30"),  # 60 a year
)  # fmt: skip


def three(rows=THREE, *, signed=None, lines=None):
    """Make a company with a few recurring contracts, signed ten days before they begin."""
    signed = signed or {}
    terms, items = [], []
    for account, name, begins, ends, amount, months, renewed, cancelled in rows:
        start = pd.Timestamp(begins)
        terms.append(
            {
                "id": name, "account_id": account, "starts_on": start, "renewed_by": renewed,
                "signed_on": signed.get(name, start - 10 * DAY),
                "ends_on": ends and pd.Timestamp(ends),
                "cancelled_on": cancelled and pd.Timestamp(cancelled),
            }
        )  # fmt: skip
        items.append({"id": f"l-{name}", "contract_id": name, "kind": "subscription",
                      "amount": float(amount), "months": float(months)})  # fmt: skip
    # A deal entered on the last day sets the book's date.
    deal = {"id": "d1", "stage": "needs", "created_at": LAST + pd.Timedelta(hours=2)}
    frames = {
        "opportunities": [deal],
        "contracts": terms,
        "contract_lines": [*items, *(lines or [])],
    }
    return book_of({name: typed(name, pd.DataFrame(of)) for name, of in frames.items()})


def test_retention_by_hand_on_five_customers():
    book = three()
    # A year before, on 2025-03-31: a1 120, a2 80, a3 40, a5 60; a4 came later.
    # Now: a1 150, a2 50; a3's contract ended in January, a5's was cancelled.
    assert value(book, "nrr") == pytest.approx((150 + 50) / (120 + 80 + 40 + 60))
    assert value(book, "grr") == pytest.approx((120 + 50) / (120 + 80 + 40 + 60))
    frame = retained(book, book.period("2026Q1")).to_pandas().set_index("id")
    assert sorted(frame.index) == ["a1", "a2", "a3", "a5"]
    # The grace days of a3 are not over; who cancelled is not waited for.
    assert frame["waiting_cents"].to_dict() == {"a1": 0, "a2": 0, "a3": 4000, "a5": 0}


def test_renewals_by_hand_on_five_customers():
    book = three()
    # Due in December: k1, 120 a year, and k3, 80, both renewed; their grace ended on 31 March.
    assert value(book, "renewal_rate", "2025-12") == 1
    assert value(book, "renewal_rate_by_value", "2025-12") == 1
    late = three(signed={"k2": pd.Timestamp("2026-03-31"), "k4": pd.Timestamp("2026-04-01")})
    # 31 March is the 90th day after the end of December, and the other is not signed yet.
    late = late.as_of("2026-03-31")
    assert value(late, "renewal_rate", "2025-12") == 1 / 2
    assert value(late, "renewal_rate_by_value", "2025-12") == pytest.approx(120 / (120 + 80))


def test_a_renewal_signed_after_the_grace_days_came_too_late():
    rows = (("a1", "k1", "2024-11-01", "2025-10-31", 10, 12, "k2", None),
            ("a1", "k2", "2026-02-01", "2027-01-31", 10, 12, None, None))  # fmt: skip
    # The 90th day after 31 October is 29 January.
    for day, rate in (("2026-01-29", 1), ("2026-01-30", 0)):
        book = three(rows, signed={"k2": pd.Timestamp(day)})
        assert value(book, "renewal_rate", "2025-10") == rate


def test_what_is_within_its_grace_days_is_left_out_even_if_it_is_renewed():
    row = metric(three(), "renewal_rate", period="2026-01").iloc[0]
    assert pd.isna(row["renewal_rate"])
    assert row["reason"] == "none_due_and_over"


def test_what_was_cancelled_before_its_end_never_came_up_for_renewal():
    rows = (("a1", "k1", "2024-12-01", "2025-11-30", 10, 12, None, "2025-05-01"),
            ("a2", "k2", "2024-12-01", "2025-11-30", 10, 12, None, None))  # fmt: skip
    book = three(rows)
    assert due_for_renewal(book, book.period("2025-11")).to_pandas()["id"].tolist() == ["k2"]


def test_a_contract_and_its_early_renewal_are_not_counted_twice():
    rows = (("a1", "k1", "2025-01-01", "2026-06-30", 180, 18, "k2", None),
            ("a1", "k2", "2026-02-01", "2027-01-31", 130, 12, None, None))  # fmt: skip
    assert value(three(rows), "nrr") == pytest.approx(130 / 120)


def test_only_lines_that_recur_count_and_each_by_its_own_months():
    rows = (("a1", "k1", "2025-01-01", None, 120, 12, None, None),)
    more = (("licence", 900.0, 12.0), ("maintenance", 90.0, 36.0), ("subscription", 70.0, None))
    lines = [
        {"id": f"m-{kind}", "contract_id": "k1", "kind": kind, "amount": amount, "months": months}
        for kind, amount, months in more
    ]
    book = three(rows, lines=lines)
    frame = retained(book, book.period("2026Q1")).to_pandas()
    assert frame["then_cents"].tolist() == [12_000 + 3_000]


def test_who_had_nothing_a_year_ago_has_no_retention():
    row = metric(three((THREE[5],)), "nrr", period="2026Q1").iloc[0]
    assert pd.isna(row["nrr"])
    assert row["reason"] == "none_a_year_ago"


def test_retention_of_a_past_month_counts_renewals_signed_since():
    # A year before: a1 120 and a2 80. Looked at on 5 January k2 is not known yet; looked at from
    # March it has begun with the year.
    book = three(signed={"k2": pd.Timestamp("2026-01-20")})
    assert value(book.as_of("2026-01-05"), "nrr", "2026-01") == pytest.approx(50 / (120 + 80))
    assert value(book, "nrr", "2026-01") == pytest.approx((150 + 50) / (120 + 80))
