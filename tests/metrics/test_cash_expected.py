"""What customers are expected to pay: planted lateness, past dates, and what is left out."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

import salesops
from salesops.book.book import Book
from salesops.book.write import typed
from salesops.metrics.cash_expected import expected_range, looking_back, outlook
from salesops.metrics.catalogue import metric
from tests.companies import book_of

TODAY = dt.date(2026, 6, 30)


def company(late_days: dict[str, list[int]], open_rows: list[tuple] = ()) -> Book:
    """Lay out customers who paid 100 each so many days late, one a week, and what is open now.

    An open row is (customer, days since due, amount, trigger, accepted).
    """
    contracts, owed, money = [], [], []
    for who, days in late_days.items():
        for n, late in enumerate(days):
            name, due = f"{who}-{n}", TODAY - dt.timedelta(days=40 + 7 * n)
            contracts.append((name, who, due - dt.timedelta(days=30), due))
            owed.append((f"i{name}", name, due, "acceptance", 100.0))
            money.append((f"r{name}", f"i{name}", due + dt.timedelta(days=late), 100.0))
    for n, (who, since, amount, trigger, accepted) in enumerate(open_rows):
        due = None if since is None else TODAY - dt.timedelta(days=since)
        signed = TODAY - dt.timedelta(days=400)
        contracts.append((f"o{n}", who, signed, signed if accepted else None))
        owed.append((f"io{n}", f"o{n}", due, trigger, amount))
    frames = {
        "opportunities": pd.DataFrame(columns=["id", "stage"]),
        "contracts": pd.DataFrame(contracts, columns=["id", "account_id", "signed_on",
                                                      "accepted_on"]).assign(amount=100.0),
        "instalments": pd.DataFrame(owed, columns=["id", "contract_id", "original_due_on",
                                                   "trigger", "amount"]),
        "receipts": pd.DataFrame(money, columns=["id", "instalment_id", "received_on", "amount"]),
    }  # fmt: skip
    return book_of({n: typed(n, f) for n, f in frames.items()}).as_of(TODAY)


def chances(book: Book) -> pd.DataFrame:
    found = outlook(book)
    assert found is not None
    return found.rows.set_index("id")


def test_all_that_is_paid_within_ten_days_is_expected_within_thirty():
    book = company({"a": [10] * 40, "b": [10] * 40}, [("a", -5, 500.0, "acceptance", True)])
    assert chances(book).loc["io0", "chance_30_share"] > 0.95
    assert salesops.explain(book, "cash_expected").value == pytest.approx(500, rel=0.05)


def test_a_slow_customer_is_expected_later_than_a_quick_one():
    days = {**{f"q{n}": [2, 5] * 4 for n in range(6)}, **{f"s{n}": [40, 60] * 4 for n in range(6)}}
    book = company(days, [("q0", 0, 100.0, "acceptance", True),
                          ("s0", 0, 100.0, "acceptance", True)])  # fmt: skip
    rows = chances(book)["chance_30_share"]
    assert rows["io0"] > rows["io1"] + 0.2


def test_what_is_late_and_unpaid_counts_as_still_waiting():
    """Twenty paid after 20 days; as many more wait for 100 days: half do not pay in time."""
    late = [("b", 100, 100.0, "acceptance", True)] * 20
    book = company({"a": [20] * 20, "c": [20] * 20}, [*late, ("new", -1, 100.0, "acceptance",
                                                            True)])  # fmt: skip
    alone = company({"a": [20] * 20, "c": [20] * 20}, [("new", -1, 100.0, "acceptance", True)])
    assert chances(book).loc["io20", "chance_30_share"] < 0.8
    assert chances(alone).loc["io0", "chance_30_share"] > 0.95


def test_nothing_is_expected_of_what_has_no_date_or_waits_for_acceptance():
    book = company(
        {"a": [5] * 40},
        [("a", None, 100.0, "acceptance", True), ("a", 3, 100.0, "acceptance", False),
         ("a", 3, 100.0, "signing", False)],
    )  # fmt: skip
    rows = chances(book)
    assert rows.loc["io0", "chance_90_share"] == 0
    assert rows.loc["io1", "chance_90_share"] == 0
    assert rows.loc["io1", "waits"]
    assert rows.loc["io2", "chance_90_share"] > 0


def test_fewer_than_thirty_payments_are_too_few():
    book = company({"a": [5] * 29})
    assert outlook(book) is None
    assert metric(book, "cash_expected")["reason"].iloc[0] == "too_few_payments"
    assert looking_back(book).empty


def test_money_by_30_days_is_no_more_than_by_60_and_by_90(sample_book):
    rows = outlook(sample_book).rows
    assert (rows["chance_30_share"] <= rows["chance_60_share"] + 1e-12).all()
    assert (rows["chance_60_share"] <= rows["chance_90_share"] + 1e-12).all()
    for days in (30, 60, 90):
        low, high = expected_range(sample_book, days)
        assert low < outlook(sample_book).expected(days) < high


def test_a_past_date_expects_what_was_expected_then(sample_book):
    back = looking_back(sample_book)
    day = back["day"].iloc[0]
    then = outlook(sample_book.as_of(day))
    for row in back[back["day"] == day].itertuples():
        assert row.expected == pytest.approx(then.expected(row.days))


def test_what_came_by_plain_pandas(sample_book):
    back = looking_back(sample_book)
    money = pd.read_parquet("data/sample/receipts.parquet")
    signed = pd.read_parquet("data/sample/contracts.parquet").set_index("id")["signed_on"]
    day = back["day"].iloc[0]
    money["signed"] = money["contract_id"].map(signed)
    since = money[(money["received_on"] > day) & (money["signed"] <= day)]
    for row in back[back["day"] == day].itertuples():
        until = day + dt.timedelta(days=int(row.days))
        wanted = since.loc[since["received_on"] <= until, "amount"].astype(float).sum()
        assert row.came == pytest.approx(wanted)


def test_on_past_dates_of_a_clean_company_the_range_held_about_eight_times_in_ten(clean_book):
    back = looking_back(clean_book)
    assert len(back) == 36
    # Twelve dates, three horizons each, far from independent: half is the least to be asked.
    assert back["inside"].mean() > 0.6
    assert abs((back["came"] / back["expected"]).mean() - 1) < 0.1


def test_the_same_book_gives_the_same_range(sample_book):
    again = sample_book.as_of(sample_book.date)
    assert np.allclose(expected_range(sample_book, 60), expected_range(again, 60))
