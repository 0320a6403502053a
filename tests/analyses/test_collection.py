"""The cash report: by hand on four contracts, by plain pandas on the sample, silent when clean."""

import datetime as dt

import pandas as pd
import pytest

from salesops.analyses.collection import collection
from salesops.book.book import Book, open_book
from salesops.book.write import typed
from salesops.metrics.cash_frames import by_period
from salesops.metrics.receivables import norm_unpaid
from salesops.model.settings import CollectionNorms
from tests.companies import book_of
from tests.fixtures import SAMPLE

TODAY = dt.date(2026, 6, 30)


@pytest.fixture(scope="module")
def cash():
    return collection(open_book("tests/metrics/cash_company").as_of("2024-03-31"))


@pytest.fixture(scope="module")
def sample(sample_book):
    return collection(sample_book)


def test_the_month_by_hand(cash):
    assert cash.metrics["received"] == pytest.approx(35.5)
    assert cash.metrics["target"] == 142
    assert cash.metrics["short"] == pytest.approx(142 - 35.5)
    # Nothing fell due in March; in February i2 600 and i4 200, of which 150 and 200 came.
    assert cash.metrics["due"] == 0
    february = cash.periods.set_index("start").loc[dt.date(2024, 2, 1)]
    assert (february["due"], february["collected"]) == (800, 350)


def test_what_is_overdue_by_hand(cash):
    (row,) = cash.overdue.to_dict("records")
    assert (row["id"], row["customer"], row["owner"]) == ("i2", "Alpha", "Ann")
    assert (row["unpaid"], row["overdue_days"]) == (450, 31)
    # Due so far 300 + 600, invoiced 300 + 600; but the customer has an open case.
    assert row["cause"] == "cause.open_ticket"
    buckets = cash.buckets.set_index("bucket")["amount"]
    assert buckets.to_dict() == {
        "not_due": 70 + 250, "to_30": 0, "to_60": 450, "to_90": 0, "to_180": 0, "beyond": 0,
    }  # fmt: skip


def test_what_stands_beside_it_by_hand(cash):
    found = cash.standing.set_index("item")["amount"].to_dict()
    assert found == {
        "not_due": 70, "undated": 250, "unaccepted": 500, "unaccepted_long": 0, "retention": 70,
        "advance": 30, "unallocated": 95.5,
    }  # fmt: skip
    assert cash.undated["id"].tolist() == ["i5"]


def test_what_is_normal_lies_on_straight_lines_between_the_points():
    norms = CollectionNorms(unpaid=((0, 0.2), (10, 0.1), (20, 0.0)), tolerance=1.5)
    assert norm_unpaid([0, 5, 10, 15, 99], norms).tolist() == pytest.approx(
        [0.2, 0.15, 0.1, 0.05, 0]
    )


def test_a_reason_that_was_entered_comes_before_one_that_is_derived():
    rows = [
        ("i1", "c1", 40, "acceptance", 100.0, "price dispute"), ("i2", "c1", 40, "acceptance",
                                                                100.0, None),
        ("i3", "c2", 40, "signing", 100.0, None), ("i4", "c3", 40, "signing", 100.0, " "),
    ]  # fmt: skip
    book = company(rows, accepted={"c3": TODAY}, invoices={"c2": 60.0, "c3": 100.0})
    causes = collection(book).overdue.set_index("id")["cause"].to_dict()
    assert causes == {"i1": "price dispute", "i2": "cause.not_accepted",
                      "i3": "cause.not_invoiced", "i4": "cause.unknown"}  # fmt: skip


def test_who_has_left_is_not_the_one_to_act():
    rows = [("i1", "c1", 40, "signing", 100.0, None)]
    result = collection(company(rows, left={"u1": TODAY - dt.timedelta(days=9)}))
    assert result.overdue["owner"].tolist() == ["Keeper"]


def test_a_customer_that_owes_far_more_than_is_normal_is_found_and_sized():
    good = [(f"g{n}", f"cg{n % 40}", 20 + n, "signing", 100.0, None) for n in range(300)]
    bad = [(f"b{n}", "c1", 30 + 20 * n, "signing", 100.0, None) for n in range(8)]
    result = collection(company([*good, *bad], paid=[row[0] for row in good]))
    (found,) = result.findings
    assert (found.code, found.subject) == ("collection.late_customer", "Name a1")
    ages = [30 + 20 * n for n in range(8)]
    normal = sum(100 * norm_unpaid(age, CollectionNorms()) for age in ages)
    assert found.at_stake == 800
    assert found.recoverable.middle == pytest.approx(800 - normal)
    assert found.recoverable.low == pytest.approx(800 - 1.5 * normal)
    assert found.recoverable.high == pytest.approx(800 - normal / 1.5)


def test_a_company_at_its_norm_raises_no_alarm():
    # Of 100 that fell due 100 days ago the norm leaves 10 − 6 · 75 / 155 open, about 7.
    rows = [(f"i{n}", f"c{n}", 100, "signing", 100.0, None) for n in range(100)]
    assert collection(company(rows, paid=[r[0] for r in rows[7:]])).findings == ()


def test_what_waits_too_long_for_a_signature_is_found_with_what_follows_from_it():
    rows = [
        ("i1", "c1", None, "acceptance", 600.0, None), ("i2", "c1", None, "retention", 100.0, None),
        ("i3", "c2", 10, "signing", 300.0, None),
    ]  # fmt: skip
    delivered = {"c1": TODAY - dt.timedelta(days=61), "c2": TODAY - dt.timedelta(days=61)}
    book = company(rows, paid=["i3"], delivered=delivered, accepted={"c2": TODAY})
    (found,) = collection(book).findings
    assert found.code == "collection.unaccepted"
    assert found.at_stake == 700
    assert found.recoverable.low == pytest.approx(600 * (1 - 0.20))
    assert found.recoverable.middle == pytest.approx(600 * (1 - 0.10))
    assert found.recoverable.high == pytest.approx(600 * (1 - 0.04))
    # A day earlier it is within the norm.
    delivered = {name: day + dt.timedelta(days=1) for name, day in delivered.items()}
    book = company(rows, paid=["i3"], delivered=delivered, accepted={"c2": TODAY})
    assert collection(book).findings == ()


def test_money_without_days_is_compared_with_no_earlier_period(small_book):
    result = collection(small_book)
    assert result.buckets["prior_amount"].isna().all()
    assert result.metrics["prior_rate"] is None
    assert "what.cash_prior" in {gap.what for gap in result.gaps}
    assert result.coming["expected"].isna().all()
    assert (result.coming["owed"] > 0).all()


def test_without_money_tables_nothing_is_called_overdue(tiny_book):
    result = collection(tiny_book)
    assert result.metrics["overdue"] is None
    assert result.exhibits == {}
    assert {gap.what for gap in result.gaps} >= {"what.cash_due", "what.cash_overdue"}


def test_without_receipts_nothing_is_called_overdue():
    book = company([("i1", "c1", 40, "signing", 100.0, None)], receipts=False)
    result = collection(book)
    assert result.metrics["overdue"] is None
    assert result.metrics["due"] is None
    assert result.findings == ()


# The sample company by plain pandas.


def test_the_findings_of_the_sample_are_what_was_planted_there(sample):
    (found,) = sample.findings
    assert found.code == "collection.unaccepted"
    contracts = pd.read_parquet(SAMPLE / "contracts.parquet")
    waiting = contracts[contracts["accepted_on"].isna() & contracts["cancelled_on"].isna()]
    long = waiting[[d is not None and (dt.date(2026, 6, 20) - d).days > 60
                    for d in waiting["delivered_on"]]]  # fmt: skip
    assert found.evidence["n"] == len(long)
    assert found.evidence["amount"] == pytest.approx(long["amount"].astype(float).sum())


def test_ageing_of_the_sample_adds_up_to_all_that_is_unpaid(sample):
    late = sample.buckets.set_index("bucket")["amount"].drop("not_due")
    assert late.sum() == pytest.approx(sample.overdue["unpaid"].sum())
    days = sample.overdue["overdue_days"]
    beyond = sample.overdue.loc[days > 180, "unpaid"].sum()
    assert late["beyond"] == pytest.approx(beyond)
    assert sample.metrics["top_amount"] == pytest.approx(
        sample.overdue["unpaid"].nlargest(10).sum()
    )


def test_the_period_before_is_seen_as_it_was_on_the_same_day(sample, sample_book):
    before = collection(sample_book.as_of("2026-05-20"), period="2026-05")
    assert sample.metrics["prior_rate"] == pytest.approx(before.metrics["due_collection"])
    pd.testing.assert_series_equal(
        sample.buckets["prior_amount"], before.buckets["amount"], check_names=False
    )
    pd.testing.assert_series_equal(
        sample.standing["prior_amount"], before.standing["amount"], check_names=False
    )


def test_money_of_the_months_by_plain_pandas(sample):
    money = pd.read_parquet(SAMPLE / "receipts.parquet")
    month = pd.to_datetime(money["received_on"]).dt.to_period("M")
    wanted = money["amount"].astype(float).groupby(month).sum()
    for row in sample.periods.itertuples():
        assert row.came == pytest.approx(wanted[pd.Period(row.start, "M")])


def test_a_quarter_is_compared_with_quarters(sample_book):
    periods = collection(sample_book, period="2026Q1").periods
    assert periods["start"].tolist()[-2:] == [dt.date(2025, 10, 1), dt.date(2026, 1, 1)]


def test_groups_add_up_to_the_whole(sample):
    assert sample.groups["due"].sum() == pytest.approx(sample.metrics["due"])
    assert sample.groups["overdue"].sum() == pytest.approx(sample.metrics["overdue"])


def test_a_period_to_come_has_nothing_due(sample_book):
    result = collection(sample_book, period="2026-07")
    assert result.metrics["due"] == 0
    assert result.metrics["due_collection"] is None


@pytest.mark.parametrize("date", ["2026-06-20", "2025-12-31"])
def test_a_clean_company_raises_no_alarm(clean_book, date):
    assert collection(clean_book.as_of(date)).findings == ()


def company(rows: list, *, paid: list = (), accepted: dict | None = None,
            delivered: dict | None = None, invoices: dict | None = None,
            left: dict | None = None, receipts: bool = True) -> Book:  # fmt: skip
    """Lay out a company: (id, contract, days since due, trigger, amount, reason)."""
    names = sorted({row[1] for row in rows})
    accepted, delivered, left = accepted or {}, delivered or {}, left or {}
    signed = TODAY - dt.timedelta(days=600)
    contracts = pd.DataFrame(
        [(c, f"a{c[1:]}", "u1", sum(r[4] for r in rows if r[1] == c), signed, delivered.get(c),
          accepted.get(c)) for c in names],
        columns=["id", "account_id", "owner_id", "amount", "signed_on", "delivered_on",
                 "accepted_on"],
    )  # fmt: skip
    owed = pd.DataFrame(
        [(i, c, None if since is None else TODAY - dt.timedelta(days=since), trigger, amount, why)
         for i, c, since, trigger, amount, why in rows],
        columns=["id", "contract_id", "original_due_on", "trigger", "amount", "overdue_reason"],
    )  # fmt: skip
    money = pd.DataFrame(
        [(f"r{r[0]}", r[1], r[0], TODAY - dt.timedelta(days=max(r[2], 1)), r[4])
         for r in rows if r[0] in set(paid)],
        columns=["id", "contract_id", "instalment_id", "received_on", "amount"],
    )  # fmt: skip
    written = pd.DataFrame(
        [(f"v{c}", c, TODAY, amount) for c, amount in (invoices or {}).items()],
        columns=["id", "contract_id", "issued_on", "amount"],
    )
    accounts = contracts[["account_id"]].rename(columns={"account_id": "id"})
    people = pd.DataFrame([("u1", "Seller", left.get("u1")), ("u2", "Keeper", None)],
                          columns=["id", "name", "left_on"])  # fmt: skip
    frames = {
        "opportunities": pd.DataFrame(columns=["id", "stage"]), "contracts": contracts,
        "instalments": owed, "accounts": accounts.assign(name="Name " + accounts["id"],
                                                         owner_id="u2"),
        "users": people,
    }  # fmt: skip
    if receipts:
        frames["receipts"] = money
    if invoices is not None:
        frames["invoices"] = written
    return book_of({n: typed(n, f) for n, f in frames.items()}).as_of(TODAY)


def test_the_last_period_of_a_company_without_rows_has_none(tiny_book):
    frame = by_period(tiny_book, empty_rows(), tiny_book.period("latest"))
    assert frame["rate"].isna().all()
    assert frame["came"].isna().all()


def empty_rows() -> pd.DataFrame:
    return pd.DataFrame({"due_on": pd.to_datetime([]), "amount": [], "received": []})
