"""What counts as signed, when, and for whom: by hand on books made here."""

import datetime as dt

import pandas as pd
import pytest

from salesops.metrics.catalogue import metric
from salesops.metrics.signed import signings
from tests.companies import book_of
from tests.signings import (
    OPEN,
    PEOPLE,
    SOLD,
    T,
    by,
    contract,
    contracts,
    day,
    deals,
    fiscal,
    table,
    value,
    won,
)

# By hand. Without contracts the value of won deals counts.


def test_half_past_eleven_at_night_belongs_to_the_month_that_the_company_is_in():
    book = book_of(
        deals(
            # 23:30 on 31 January in Shanghai, and half an hour after midnight.
            won(id="d1", amount=10.0, closed_at=T("2026-01-31 15:30")),
            won(id="d2", amount=5.0, closed_at=T("2026-01-31 16:30")),
        )
    )
    assert value(book, "bookings", "2026-01") == 10
    assert value(book, "bookings", "2026-02") == 5
    rows = signings(book, book.period("2026Q1"))
    assert rows["booked_on"].tolist() == [T("2026-01-31"), T("2026-02-01")]


def test_the_leap_day_belongs_to_february():
    book = book_of(
        deals(
            won(id="d1", amount=29.0, closed_at=T("2024-02-29 12:00")),
            won(id="d2", amount=1.0, closed_at=T("2024-02-29 16:00")),
        )
    )
    assert value(book, "bookings", "2024-02") == 29
    assert value(book, "bookings", "2024-03") == 1


def test_a_fiscal_year_from_april_holds_the_next_march():
    book = book_of(
        deals(
            won(id="d1", amount=10.0, closed_at=T("2026-03-31 12:00")),
            won(id="d2", amount=5.0, closed_at=T("2026-04-01 12:00")),
        ),
        fiscal(4),
    )
    assert value(book, "bookings", "2025") == 10
    assert value(book, "bookings", "2025Q4") == 10
    assert value(book, "bookings", "2026Q1") == 5


def test_another_currency_counts_at_the_rate_of_its_day_and_without_one_not_at_all():
    book = book_of(
        {
            **deals(
                won(id="d1", amount=100.0, currency="USD", closed_at=T("2026-02-10 04:00")),
                won(id="d2", amount=100.0, currency="USD", closed_at=T("2026-03-10 04:00")),
                won(id="d3", amount=50.0, currency="CNY", closed_at=T("2026-03-11 04:00")),
                won(id="d4", amount=7.0, currency="EUR", closed_at=T("2026-03-12 04:00")),
            ),
            **table(
                "fx",
                currency=["USD", "USD", "USD"],
                rate=[7.0, 7.2, 9.9],
                on=[dt.date(2026, 1, 1), dt.date(2026, 3, 1), dt.date(2026, 3, 11)],
            ),
        }
    )
    assert value(book, "bookings", "2026-02") == 100 * 7.0
    assert value(book, "bookings", "2026-03") == pytest.approx(100 * 7.2 + 50)
    rows = signings(book, book.period("2026-03")).set_index("id")
    assert pd.isna(rows.loc["d4", "amount"])


def test_a_currency_of_one_changes_nothing():
    plain = [
        won(id=f"d{i}", amount=10.5 + i, closed_at=T(f"2026-03-{i + 1:02d}")) for i in range(9)
    ]
    one = book_of(deals(*plain))
    rates = table("fx", currency=["CNY"], on=[dt.date(2020, 1, 1)], rate=[1.0])
    other = book_of({**deals(*({**row, "currency": "CNY"} for row in plain)), **rates})
    assert value(one, "bookings", "2026-03") == value(other, "bookings", "2026-03")


# By hand with contracts.


def test_with_contracts_their_value_counts_and_that_of_won_deals_does_not():
    book = book_of(
        {
            **deals(OPEN, SOLD),
            **contracts(
                contract(id="c1", opportunity_id="d1", amount=100.0, signed_on=day("2026-02-03"))
            ),
        }
    )
    assert pd.isna(value(book, "bookings", "2026-01"))
    assert value(book, "bookings", "2026-02") == 100


def test_a_cancellation_is_taken_off_in_the_period_in_which_it_came():
    book = book_of(
        {
            **deals(OPEN),
            **contracts(
                contract(
                    id="c1",
                    amount=100.0,
                    signed_on=day("2026-01-20"),
                    cancelled_on=day("2026-04-02"),
                ),
                contract(id="c2", amount=30.0, signed_on=day("2026-04-20")),
            ),
        }
    )
    assert value(book, "bookings", "2026Q1") == 100
    assert value(book, "bookings", "2026Q2") == 30 - 100
    assert value(book, "bookings", "2026") == 30
    before = book.as_of("2026-03-31")
    assert value(before, "bookings", "2026") == 100


def test_a_cut_is_taken_off_on_its_day():
    log = table(
        "changes",
        entity=["contracts"] * 3,
        entity_id=["c1"] * 3,
        field=["amount"] * 3,
        old_value=["100.00", "80.00", "85.00"],
        new_value=["80.00", "85.00", "60.00"],
        changed_at=pd.to_datetime(
            ["2026-02-10 03:00", "2026-02-10 05:00", "2026-03-31 16:30"]
        ).astype("datetime64[us]"),
        seq=[1, 2, 3],
    )
    since = pd.to_datetime(["2025-12-01"]).astype("datetime64[us]")
    book = book_of(
        {
            **deals(OPEN),
            **log,
            **contracts(contract(id="c1", amount=60.0, signed_on=day("2026-01-20"))),
            **table("tracked", entity=["contracts"], field=["amount"], since=since, how=["log"]),
        }
    )
    assert value(book, "bookings", "2026-01") == 100
    # Twice on one day: down by 20, up by 5.
    assert value(book, "bookings", "2026-02") == -20 + 5
    # Half past midnight in Shanghai is April.
    assert value(book, "bookings", "2026-04") == 60 - 85
    assert value(book, "bookings", "2026") == 60


def test_a_contract_is_a_renewal_where_its_deal_or_another_contract_says_so():
    renewal = won(id="d2", type="renewal", amount=1.0, closed_at=T("2026-02-01"))
    book = book_of(
        {
            **deals(OPEN, renewal),
            **contracts(
                contract(id="c1", amount=100.0, signed_on=day("2025-02-03"), renewed_by="c3"),
                contract(id="c2", opportunity_id="d2", amount=20.0, signed_on=day("2026-02-03")),
                contract(id="c3", amount=3.0, signed_on=day("2026-02-04")),
                contract(id="c4", amount=5.0, signed_on=day("2026-02-05")),
            ),
        }
    )
    assert value(book, "renewal_bookings", "2026-02") == 20 + 3
    assert value(book, "bookings", "2026-02") == 5
    assert value(book.without_renewals(), "bookings", "2026-02") == 5


def test_recurring_lines_count_twelve_months_in_a_year_of_bookings():
    lines = table(
        "contract_lines",
        id=["l1", "l2", "l3"],
        contract_id=["c1", "c1", "c2"],
        kind=["subscription", "licence", "hardware"],
        amount=[360.0, 40.0, 50.0],
        months=[36.0, None, None],
    )
    book = book_of(
        {
            **deals(OPEN),
            **lines,
            **contracts(
                contract(id="c1", amount=400.0, signed_on=day("2026-02-03")),
                contract(id="c2", amount=50.0, signed_on=day("2026-02-04")),
            ),
        }
    )
    assert value(book, "bookings", "2026-02") == 450
    assert value(book, "annualised_bookings", "2026-02") == 360 / 3 + 40 + 50


@pytest.fixture(scope="module")
def shared():
    """Two contracts: one shared 70 to 30 over two teams and cancelled, one shared in thirds."""
    shares = table(
        "credits",
        contract_id=["c1", "c1", None, None, None],
        opportunity_id=[None, None, "d1", "d1", "d1"],
        user_id=["u1", "u3", "u1", "u2", "u3"],
        share=[0.7, 0.3, 1 / 3, 1 / 3, 1 / 3],
    )
    book = book_of(
        {
            **deals(OPEN, SOLD),
            **PEOPLE,
            **shares,
            **contracts(
                contract(
                    id="c1",
                    amount=100.0,
                    signed_on=day("2026-01-20"),
                    cancelled_on=day("2026-03-02"),
                ),
                contract(id="c2", opportunity_id="d1", amount=100.0, signed_on=day("2026-02-10")),
            ),
        }
    )
    return book.as_of("2026-12-31")


def test_a_result_is_split_by_credits_and_taken_back_from_those_who_got_it(shared):
    assert by(shared, "bookings", "2026-01", "owner_id") == {"u1": 70, "u3": 30}
    assert by(shared, "bookings", "2026-03", "owner_id") == {"u1": -70, "u3": -30}


def test_cents_that_do_not_divide_go_to_one_so_that_the_parts_make_the_whole(shared):
    parts = by(shared, "bookings", "2026-02", "owner_id")
    assert sorted(parts.values()) == [33.33, 33.33, 33.34]
    assert value(shared, "bookings", "2026-02") == 100


def test_a_team_has_its_part_of_a_shared_result_and_nothing_of_another_team(shared):
    south, north = shared.scope(team="South/1"), shared.scope(team="North")
    assert value(south, "bookings", "2026-01") == 30
    assert value(north, "bookings", "2026-01") == 70
    assert value(south, "bookings", "2026-02") + value(north, "bookings", "2026-02") == 100
    assert set(signings(south, south.period("2026"))["owner_id"]) == {"u3"}
    assert value(shared.scope(user="u2"), "bookings", "2026-02") == pytest.approx(33.33, abs=0.011)


@pytest.fixture(scope="module")
def moved():
    """u1 signs 100 in North/1, moves to South/1 on 15 February, signs 40 there."""
    log = table(
        "changes",
        entity=["users", "users"],
        entity_id=["u1", "u1"],
        field=["team", "region"],
        old_value=["North/1", "North"],
        new_value=["South/1", "South"],
        seq=[1, 2],
        changed_at=pd.to_datetime(["2026-02-15 02:00"] * 2).astype("datetime64[us]"),
    )
    since = pd.to_datetime(["2025-01-01"] * 2).astype("datetime64[us]")
    people = table(
        "users",
        id=["u1", "u2"],
        name=["Ann", "Bo"],
        role=["rep"] * 2,
        team=["South/1", "North/1"],
        region=["South", "North"],
    )
    tracked = table(
        "tracked", entity=["users"] * 2, field=["team", "region"], since=since, how=["log"] * 2
    )
    return book_of(
        {
            **deals(OPEN),
            **people,
            **log,
            **tracked,
            **contracts(
                contract(id="c1", amount=100.0, signed_on=day("2026-02-01")),
                contract(id="c2", amount=40.0, signed_on=day("2026-03-01")),
            ),
        }
    )


def test_results_stay_with_the_team_in_which_they_were_signed(moved):
    assert by(moved, "bookings", "2026Q1", "team") == {"North/1": 100, "South/1": 40}
    assert by(moved, "bookings", "2026Q1", "region") == {"North": 100, "South": 40}


def test_the_current_organisation_restates_them(moved):
    assert by(moved, "bookings", "2026Q1", "team_now") == {"South/1": 140}


def test_each_team_is_shown_what_was_signed_in_it(moved):
    assert value(moved.scope(team="North/1"), "bookings", "2026Q1") == 100
    assert value(moved.scope(team="South/1"), "bookings", "2026Q1") == 40


# Customers.


def test_a_group_is_new_once_and_a_customer_of_old_is_not():
    accounts = table(
        "accounts",
        id=["a1", "a2", "a3", "a4"],
        parent_account_id=[None, "a1", "a2", None],
        customer_since=[None, None, None, day("2019-05-01")],
    )
    book = book_of(
        {
            **deals(OPEN),
            **accounts,
            **contracts(
                contract(id="c1", account_id="a3", amount=1.0, signed_on=day("2026-02-03")),
                contract(id="c2", account_id="a2", amount=1.0, signed_on=day("2026-03-03")),
                contract(id="c3", account_id="a4", amount=1.0, signed_on=day("2026-02-04")),
                contract(id="c4", account_id="a9", amount=1.0, signed_on=day("2026-02-05")),
            ),
        }
    )
    row = metric(book, "new_customers", period="2026-02").iloc[0]
    # The group of a1 by a3, and a9 that no table describes; a4 signed in 2019.
    assert row["new_customers"] == 2
    assert row["reason"] is None
    assert value(book, "new_customers", "2026-03") == 0


def test_without_a_year_of_records_the_new_customers_are_an_upper_bound():
    rows = [
        contract(id=f"c{i}", account_id=f"a{i}", amount=1.0, signed_on=day(f"2026-0{i}-10"))
        for i in range(1, 6)
    ]
    short = book_of({**deals(OPEN), **contracts(*rows)})
    assert metric(short, "new_customers", period="2026-05").iloc[0]["reason"] == "upper_bound"
    old = contract(id="c0", account_id="a0", amount=1.0, signed_on=day("2025-04-01"))
    long = book_of({**deals(OPEN), **contracts(old, *rows)})
    assert metric(long, "new_customers", period="2026-05").iloc[0]["reason"] is None


def test_a_customer_that_signs_after_two_silent_years_is_won_back_not_new():
    book = book_of(
        {
            **deals(OPEN),
            **contracts(
                contract(id="c0", account_id="a0", amount=1.0, signed_on=day("2021-01-01")),
                contract(id="c1", amount=1.0, signed_on=day("2023-03-10")),
                contract(id="c2", amount=1.0, signed_on=day("2025-03-10")),
                contract(id="c3", amount=1.0, signed_on=day("2026-03-10")),
            ),
        }
    )
    assert value(book, "reactivated_customers", "2025-03") == 1
    assert value(book, "reactivated_customers", "2026-03") == 0
    assert value(book, "new_customers", "2025-03") == 0


def test_a_customer_of_another_team_is_not_new_to_this_one(moved):
    again = contract(id="c3", owner_id="u2", amount=9.0, signed_on=day("2026-03-05"))
    book = book_of(
        {
            **deals(OPEN),
            **PEOPLE,
            **contracts(
                contract(id="c1", owner_id="u3", amount=100.0, signed_on=day("2026-02-01")), again
            ),
        }
    )
    assert value(book.scope(team="North"), "new_customers", "2026-03") == 0
    assert value(book.scope(team="South/1"), "new_customers", "2026-02") == 1
