"""Attainment against targets: by hand on ten deals and on books made here."""

import pandas as pd
import pytest

from salesops.book.write import typed
from salesops.metrics.catalogue import metric
from tests.companies import book_of
from tests.fixtures import TINY
from tests.signings import (
    OPEN,
    PEOPLE,
    by,
    contract,
    contracts,
    day,
    deals,
    table,
    targets,
    value,
)


@pytest.fixture(scope="module")
def ten():
    """The ten deals without contracts, whatever else their folder may hold."""
    names = ("accounts", "opportunities", "users", "targets", "changes", "tracked")
    frames = {}
    for name in names:
        frame = pd.read_csv(TINY / f"{name}.csv", dtype=str)
        for column in frame.columns:
            if column.endswith(("_at", "since")):
                frame[column] = pd.to_datetime(frame[column]).astype("datetime64[us]")
            elif column.endswith("_on"):
                frame[column] = pd.to_datetime(frame[column]).dt.date
        if "is_won" in frame:
            frame["is_won"] = frame["is_won"].map({"true": True, "false": False}).astype(object)
        if "amount" in frame:
            frame["amount"] = frame["amount"].astype(float)
        if "seq" in frame:
            frame["seq"] = frame["seq"].astype(int)
        frames[name] = typed(name, frame)
    return book_of(frames).as_of("2026-03-31")


def test_ten_deals_without_contracts_by_hand(ten):
    # Won: d01 100 on 10 February, d03 40 on 5 March. Targets of March: 120, North 80, South 40.
    assert value(ten, "bookings", "2026Q1") == 100 + 40
    assert by(ten, "bookings", "2026Q1", "owner_id") == {"u1": 100, "u2": 40}
    assert value(ten, "attainment", "2026-03") == pytest.approx(40 / 120)
    assert by(ten, "attainment", "2026-03", "team") == {"North/1": 40 / 80, "South/1": 0 / 40}
    assert value(ten, "calendar_pace", "2026-03") == 1
    assert value(ten, "new_customers", "2026Q1") == 2


def test_half_of_march_is_gone_on_the_fifteenth(ten):
    then = ten.as_of("2026-03-15")
    assert value(then, "calendar_pace", "2026-03") == pytest.approx(15 / 31)


def test_a_quarter_of_which_only_one_month_has_a_target_has_no_attainment(ten):
    row = metric(ten, "attainment", period="2026Q1").iloc[0]
    assert pd.isna(row["attainment"])
    assert row["reason"] == "target_partial"


def test_a_period_without_a_target_has_no_attainment_rather_than_nought(ten):
    row = metric(ten, "attainment", period="2026-02").iloc[0]
    assert pd.isna(row["attainment"])
    assert row["reason"] == "no_target"


def test_pace_needs_a_year_of_signings_but_for_a_period_that_is_over(ten):
    then = ten.as_of("2026-03-15")
    row = metric(then, "pace", period="2026-03").iloc[0]
    assert pd.isna(row["pace"])
    assert row["reason"] == "short_curve"
    assert value(ten, "pace", "2026-03") == pytest.approx(40 / 120)


# Targets.


def signed_book(*plan: tuple, **others):
    return book_of(
        {
            **deals(OPEN),
            **PEOPLE,
            **targets(*plan),
            **others,
            **contracts(
                contract(id="c1", owner_id="u1", amount=60.0, signed_on=day("2026-03-05")),
                contract(id="c2", owner_id="u2", amount=30.0, signed_on=day("2026-03-06")),
            ),
        }
    )


def test_of_a_target_that_was_set_anew_the_last_one_holds():
    book = signed_book(
        ("2026-03", "company", None, 100.0, "2026-01-01"),
        ("2026-03", "company", None, 120.0, "2026-03-02"),
    )
    assert value(book, "attainment", "2026-03") == pytest.approx(90 / 120)
    assert value(book.as_of("2026-03-01"), "calendar_pace", "2026-03") == pytest.approx(1 / 31)


def test_the_target_of_a_scope_is_its_own_or_that_of_its_parts():
    book = signed_book(
        ("2026-03", "team", "North/1", 40.0, "2026-01-01"),
        ("2026-03", "team", "North/2", 60.0, "2026-01-01"),
        ("2026-03", "region", "North", 90.0, "2026-01-01"),
        ("2026-03", "user", "u2", 50.0, "2026-01-01"),
    )
    assert value(book.scope(team="North"), "attainment", "2026-03") == pytest.approx(90 / 100)
    assert value(book.scope(region="North"), "attainment", "2026-03") == pytest.approx(90 / 90)
    assert value(book.scope(user="u2"), "attainment", "2026-03") == pytest.approx(30 / 50)
    assert by(book, "attainment", "2026-03", "owner_id")["u2"] == pytest.approx(30 / 50)
    assert pd.isna(by(book, "attainment", "2026-03", "owner_id")["u1"])


def test_the_quotas_of_people_are_not_the_target_of_the_company():
    book = signed_book(("2026-03", "user", "u1", 50.0, "2026-01-01"))
    assert metric(book, "attainment", period="2026-03").iloc[0]["reason"] == "no_target"


def test_a_new_hire_needs_targets_only_from_the_first_whole_month_on():
    people = table(
        "users",
        id=["u1", "u2", "u3"],
        name=["Ann", "Bo", "Cy"],
        role=["rep"] * 3,
        team=["North/1"] * 3,
        hired_on=[day("2026-02-10"), day("2020-01-01"), None],
    )
    # u1 came in February and has a lower target at first; u2 lacks January.
    plan = [
        ("2026-03", "user", "u1", 20.0, "2026-01-01"),
        ("2026-02", "user", "u2", 50.0, "2026-01-01"),
        ("2026-03", "user", "u2", 50.0, "2026-01-01"),
    ]
    book = signed_book(*plan, **people)
    found = by(book, "attainment", "2026Q1", "owner_id")
    assert found["u1"] == pytest.approx(60 / 20)
    assert pd.isna(found["u2"])
    row = metric(book, "reps_at_target", period="2026Q1").iloc[0]
    assert (row["n"], row["reps_at_target"]) == (1, 1.0)


def test_business_by_type_has_no_target():
    book = signed_book(("2026-03", "company", None, 100.0, "2026-01-01"))
    found = metric(book, "attainment", period="2026-03", by=["type"])
    assert found["attainment"].isna().all()
    assert set(found["reason"]) == {"no_target"}
