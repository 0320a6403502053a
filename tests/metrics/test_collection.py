"""Metrics of cash: by hand on four contracts, by plain Python and pandas on the sample."""

import datetime as dt
import shutil
from collections import defaultdict

import pandas as pd
import pytest

import salesops
from salesops.book.book import Book, open_book
from salesops.metrics.catalogue import metric
from salesops.metrics.countback import counted_back
from salesops.model.settings import Settings
from tests.fixtures import SAMPLE

COMPANY = "tests/metrics/cash_company"


@pytest.fixture(scope="module")
def cash_book() -> Book:
    return open_book(COMPANY).as_of("2024-03-31")


def value(book: Book, name: str, period: str = "2024Q1", **options) -> float:
    return float(metric(book, name, period=period, **options)[name].iloc[0])


def test_collected_of_what_fell_due_by_hand(cash_book):
    # i1 300 of 300, i2 150 of 600, i4 200 of 200; undated and cancelled ones are not due.
    assert value(cash_book, "due_collection") == pytest.approx((300 + 150 + 200) / 1100)
    # Due on the leap day, moved to April: it belongs to February all the same.
    assert value(cash_book, "due_collection", "2024-02") == pytest.approx((150 + 200) / 800)
    assert metric(cash_book, "due_collection", period="2024-04")["reason"].iloc[0] == "no_rows"


def test_until_a_contract_is_cancelled_its_instalments_count(cash_book):
    before = cash_book.as_of("2024-03-14")
    assert value(before, "due_collection", "2024-02") == pytest.approx((200 + 200 + 100) / 900)


def test_collected_of_what_was_signed_by_hand(cash_book):
    # c1 300 + 200 − 50 + 30, c2 250, c4 80; c3 is cancelled.
    assert value(cash_book, "contract_collection") == pytest.approx((480 + 250 + 80) / 1580)


def test_money_of_the_month_by_hand(cash_book):
    assert value(cash_book, "received", "2024-03") == pytest.approx(-40 + 80 + 15.5 - 50 + 30)


def test_the_cash_target_that_was_set_last_is_the_one_to_reach(cash_book):
    assert value(cash_book, "cash_attainment", "2024-03") == pytest.approx(35.5 / 142)
    by_team = metric(cash_book, "cash_attainment", period="2024-03", by=["team"])
    rows = by_team.set_index("team")
    assert rows.loc["North/1", "cash_attainment"] == pytest.approx((80 - 50 + 30) / 220)
    assert rows.loc["South/1", "reason"] == "no_cash_target"


def test_a_team_is_measured_by_its_own_target(cash_book):
    assert value(cash_book.scope(team="North"), "cash_attainment", "2024-03") == pytest.approx(
        60 / 220
    )


def test_a_quarter_with_a_target_for_one_month_only_has_no_attainment(cash_book):
    row = metric(cash_book, "cash_attainment", period="2024Q1").iloc[0]
    assert pd.isna(row["cash_attainment"])
    assert row["reason"] == "no_cash_target"


def test_what_is_overdue_by_hand(cash_book):
    assert value(cash_book, "overdue") == 450
    assert value(cash_book, "overdue_rate") == pytest.approx(450 / 1100)
    assert value(cash_book, "days_overdue") == 31


def test_what_is_still_to_come_by_hand(cash_book):
    assert value(cash_book, "not_yet_due") == (100 - 30) + (300 - 50)
    assert value(cash_book, "retention_due") == 70
    assert value(cash_book, "advance_received") == 30
    assert value(cash_book, "unallocated_received") == 80 + 15.5


def test_what_is_delivered_and_not_accepted_by_hand(cash_book):
    found = salesops.explain(cash_book, "unaccepted")
    assert found.value == 500
    assert found.rows["waiting_days"].tolist() == [19 + 31]
    assert found.rows["unpaid_cents"].tolist() == [250_00]


def test_where_no_acceptance_was_ever_entered_none_is_missing(cash_book):
    before = cash_book.as_of("2024-02-15")
    assert metric(before, "unaccepted")["reason"].iloc[0] == "acceptance_not_recorded"


def test_days_of_sales_outstanding_by_hand(cash_book):
    # Open: c1 900 − 480, c2 500 − 250. March 300 in 31 days, the rest of February's 800 in 29.
    rest = (420 + 250) - 300
    assert value(cash_book, "dso") == pytest.approx(31 + 29 * rest / 800)


def test_counting_back_passes_months_without_invoices_and_stops_where_none_are_known():
    months = pd.PeriodIndex(["2026-01", "2026-03"], freq="M")
    invoiced = pd.Series([100.0, 80.0], index=months)
    assert counted_back(130, invoiced, dt.date(2026, 3, 10)) == pytest.approx(
        10 + 28 + 31 * (130 - 80) / 100
    )
    assert counted_back(181, invoiced, dt.date(2026, 3, 10)) is None
    assert counted_back(0, invoiced, dt.date(2026, 3, 10)) == 0


def test_money_of_a_day_is_known_at_its_end(cash_book):
    # 23:30 in Shanghai: the day is not over, its bank statement not written.
    late = cash_book.as_of(dt.datetime(2024, 3, 31, 15, 30, tzinfo=dt.UTC))
    assert late.date == dt.date(2024, 3, 31)
    assert value(late, "received", "2024-03") == pytest.approx(35.5 - 30)


def test_an_invoice_of_a_day_is_known_at_its_end(cash_book):
    # Without that day's invoice v4 (300) and receipt r9 (30): c1 900 − 450 is open, and c2, whose
    # 250 came ahead of v4, has paid its 200. March has no invoice yet, February has 800.
    late = cash_book.as_of(dt.datetime(2024, 3, 31, 15, 30, tzinfo=dt.UTC))
    assert value(late, "dso") == pytest.approx(31 + 29 * 450 / 800)


def test_a_fiscal_year_from_april_ends_in_march():
    settings = Settings.default()
    company = settings.company.model_copy(update={"fiscal_year_starts": 4})
    book = open_book(COMPANY, settings=settings.model_copy(update={"company": company}))
    assert value(book.as_of("2024-03-31"), "due_collection", "2023") == pytest.approx(650 / 1100)
    # Of the year from April 2024 only the retention money falls due, in February 2025.
    assert value(book.as_of("2025-03-31"), "due_collection", "2024") == pytest.approx(30 / 100)


# c1 is credited to u1 (North) at 0.6 and to u2 (South) at 0.4: 480 of its 1,000 came in, 150 of
# the 600 of i2 that are overdue; c2 and c3 are of the South, c4 of the North. By hand:
CREDITED = {
    "received": {"North/1": 0.6 * 480 + 80, "South/1": 0.4 * 480 + 250 + 100 - 40},
    "due_collection": {"North/1": 0.5, "South/1": (0.4 * 450 + 200) / (0.4 * 900 + 200)},
    "overdue": {"North/1": 0.6 * 450, "South/1": 0.4 * 450},
    "overdue_rate": {"North/1": 0.5, "South/1": 0.4 * 450 / (0.4 * 900 + 200)},
    "days_overdue": {"North/1": 31, "South/1": 31},
    "contract_collection": {"North/1": (0.6 * 480 + 80) / (0.6 * 1000 + 80),
                            "South/1": (0.4 * 480 + 250) / (0.4 * 1000 + 500)},
    "not_yet_due": {"North/1": 0.6 * 70, "South/1": 0.4 * 70 + 250},
    "retention_due": {"North/1": 0.6 * 70, "South/1": 0.4 * 70},
    "advance_received": {"North/1": 0.6 * 30, "South/1": 0.4 * 30},
    "unaccepted": {"South/1": 500},
    "unallocated_received": {"North/1": 80},
}  # fmt: skip


@pytest.fixture(scope="module", params=["contract_id,c1", "opportunity_id,d1"])
def credited_book(request, tmp_path_factory) -> Book:
    folder = shutil.copytree(COMPANY, tmp_path_factory.mktemp("credited") / "c")
    column, name = request.param.split(",")
    lines = [f"{column},user_id,share", f"{name},u1,0.6", f"{name},u2,0.4"]
    (folder / "credits.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return open_book(folder).as_of("2024-03-31")


@pytest.mark.parametrize("name", CREDITED)
def test_cash_is_split_by_credits_by_hand(cash_book, credited_book, name):
    by_team = metric(credited_book, name, period="2024Q1", by=["team"])
    by_team = by_team[by_team["team"].notna()].set_index("team")[name]
    wanted = CREDITED[name]
    assert {t: v for t, v in by_team.items() if v} == pytest.approx(wanted)
    for team, amount in wanted.items():
        scope = credited_book.scope(team=team)
        assert value(scope, name) == pytest.approx(amount), team
        people = {"North/1": "u1", "South/1": "u2"}
        by_owner = metric(credited_book, name, period="2024Q1", by=["owner_id", "team"])
        mine = by_owner.set_index("owner_id")[name][people[team]]
        assert mine == pytest.approx(amount), team
    assert value(credited_book, name) == pytest.approx(value(cash_book, name))


def test_an_instalment_of_two_people_counts_once_in_the_company_and_in_each_scope(credited_book):
    # i1, i2 and i4 fell due.
    found = {str(book.limits): int(metric(book, "due_collection", period="2024Q1")["n"].iloc[0])
             for book in (credited_book, credited_book.scope(team="North"),
                          credited_book.scope(team="South"))}  # fmt: skip
    assert found == {"company": 3, "team:North": 2, "team:South": 3}


def test_days_of_sales_outstanding_of_a_part_are_those_of_its_invoices(credited_book):
    # March: v4, 300 of c2, all open; of c1's 900 came 480, so that 420 are open. South has 0.4.
    south = credited_book.scope(team="South")
    rows = salesops.explain(south, "dso").rows.set_index("id")["unpaid_cents"] / 100
    assert rows.to_dict() == pytest.approx({"v1": 0, "v2": 0.4 * 420, "v3": 0, "v4": 250})
    assert value(south, "dso") == pytest.approx(31 + 29 * (250 + 168 - 300) / (0.4 * 600 + 200))


def test_every_metric_says_what_is_missing_where_there_is_no_money_table(tiny_book):
    for name in ("due_collection", "received", "overdue", "cash_expected", "dso", "unaccepted"):
        assert metric(tiny_book, name)["reason"].iloc[0].startswith("missing:"), name


# The sample company by plain Python, from its files alone.

END = dt.date(2026, 6, 20)


@pytest.fixture(scope="module")
def files() -> dict[str, pd.DataFrame]:
    names = ("contracts", "instalments", "receipts", "invoices")
    found = {name: pd.read_parquet(SAMPLE / f"{name}.parquet") for name in names}
    for frame in found.values():
        frame["amount"] = (frame["amount"].astype(float) * 100).round().astype("int64")
    found["receipts"] = found["receipts"][found["receipts"]["received_on"] <= END]
    found["invoices"] = found["invoices"][found["invoices"]["issued_on"] <= END]
    return found


@pytest.fixture(scope="module")
def owed(files) -> pd.DataFrame:
    """Pay each contract's instalments one by one: the named first, then the oldest."""
    named, free = defaultdict(int), defaultdict(int)
    for receipt in files["receipts"].itertuples():
        if pd.isna(receipt.instalment_id):
            free[receipt.contract_id] += receipt.amount
        else:
            named[receipt.contract_id, receipt.instalment_id] += receipt.amount
    paid: dict[str, int] = {}
    oldest_first = files["instalments"].sort_values(["original_due_on", "id"])
    for contract, rows in oldest_first.groupby("contract_id"):
        amounts = dict(zip(rows["id"], rows["amount"], strict=True))
        rest = free[contract]
        for name, amount in amounts.items():
            got = named[contract, name]
            paid[name] = min(got, amount)
            rest += got - paid[name]
        for name, amount in amounts.items():
            more = min(rest, amount - paid[name])
            paid[name] += more
            rest -= more
    contracts = files["contracts"].set_index("id")
    frame = files["instalments"].assign(paid=files["instalments"]["id"].map(paid))
    frame["cancelled"] = frame["contract_id"].map(contracts["cancelled_on"]).notna()
    team = pd.read_csv(SAMPLE / "users.csv").set_index("id")["team"]
    frame["team"] = frame["contract_id"].map(contracts["owner_id"]).map(team)
    frame["unpaid"] = frame["amount"] - frame["paid"]
    return frame[~frame["cancelled"]]


def test_collected_of_what_fell_due_in_the_sample(sample_book, owed):
    first, last = dt.date(2026, 1, 1), dt.date(2026, 3, 31)
    due = owed[(owed["original_due_on"] >= first) & (owed["original_due_on"] <= last)]
    wanted = due["paid"].sum() / due["amount"].sum()
    assert value(sample_book, "due_collection", "2026Q1") == pytest.approx(wanted)
    by_team = due.groupby("team")[["paid", "amount"]].sum()
    found = metric(sample_book, "due_collection", period="2026Q1", by=["team"])
    pd.testing.assert_series_equal(
        found.set_index("team")["due_collection"], by_team["paid"] / by_team["amount"],
        check_names=False,
    )  # fmt: skip


def test_what_is_overdue_in_the_sample(sample_book, owed):
    due = owed[owed["original_due_on"] <= END]
    late = owed[(owed["original_due_on"] < END) & (owed["unpaid"] > 0)]
    days = pd.Series([(END - day).days for day in late["original_due_on"]], index=late.index)
    assert value(sample_book, "overdue") == pytest.approx(late["unpaid"].sum() / 100)
    assert value(sample_book, "overdue_rate") == pytest.approx(
        late["unpaid"].sum() / due["amount"].sum()
    )
    assert value(sample_book, "days_overdue") == pytest.approx(
        (late["unpaid"] * days).sum() / late["unpaid"].sum()
    )


def test_what_is_not_due_yet_in_the_sample(sample_book, owed):
    dated = owed[owed["original_due_on"].notna()]
    over = dated[dated["original_due_on"] < END]
    later = owed["unpaid"].sum() - over["unpaid"].sum()
    assert value(sample_book, "not_yet_due") == pytest.approx(later / 100)
    ahead = dated.loc[dated["original_due_on"] > END, "paid"].sum()
    assert value(sample_book, "advance_received") == pytest.approx(ahead / 100)
    held = owed.loc[(owed["trigger"] == "retention") & (owed["unpaid"] > 0), "unpaid"].sum()
    assert value(sample_book, "retention_due") == pytest.approx(held / 100)


def test_money_and_contracts_of_the_sample(sample_book, files):
    money, contracts = files["receipts"], files["contracts"]
    june = money[money["received_on"] >= dt.date(2026, 6, 1)]["amount"].sum() / 100
    assert value(sample_book, "received", "2026-06") == pytest.approx(june)
    plan = pd.read_csv(SAMPLE / "targets.csv")
    plan = plan[(plan["metric"] == "collection") & (plan["level"] == "company")]
    target = plan.loc[plan["period"] == "2026-06", "amount"].sum()
    assert value(sample_book, "cash_attainment", "2026-06") == pytest.approx(june / target)
    valid = contracts[contracts["cancelled_on"].isna()]
    came = money[money["contract_id"].isin(valid["id"])]["amount"].sum()
    wanted = came / valid["amount"].sum()
    assert value(sample_book, "contract_collection") == pytest.approx(wanted)
    waiting = valid[valid["delivered_on"].notna() & valid["accepted_on"].isna()]
    assert value(sample_book, "unaccepted") == pytest.approx(waiting["amount"].sum() / 100)


def test_days_of_sales_outstanding_of_the_sample(sample_book, files):
    invoices = files["invoices"]
    came = files["receipts"].groupby("contract_id")["amount"].sum()
    written = invoices.groupby("contract_id")["amount"].sum()
    rest = (written - came.reindex(written.index).fillna(0)).clip(lower=0).sum()
    days, day = 0.0, END
    while rest > 0:
        first = day.replace(day=1)
        sold = invoices.loc[
            (invoices["issued_on"] >= first) & (invoices["issued_on"] <= day), "amount"
        ].sum()
        days += day.day * min(rest / sold, 1)
        rest -= min(rest, sold)
        day = first - dt.timedelta(days=1)
    assert value(sample_book, "dso") == pytest.approx(days)


def test_no_money_of_the_sample_is_left_over_or_made_up(sample_book, files, owed):
    found = salesops.explain(sample_book, "unallocated_received")
    total = files["receipts"]["amount"].sum()
    from salesops.metrics.allocation import paid_instalments

    rows = paid_instalments(sample_book).to_pandas()
    left = found.rows["unallocated_cents"].sum() if len(found.rows) else 0
    assert rows["received_cents"].sum() + left == total
