"""The declarations of the canonical tables hold together."""

import pickle

import pytest

from salesops.model.errors import BadRows, BadScope, MissingColumn, MissingTable, NotABook
from salesops.model.finding import Finding
from salesops.model.tables import FINISHED_AT, TABLES, facts, ibis_schema, known_at, user_columns

UNITS = {"", "money", "days", "minutes", "months", "share", "score"}


@pytest.mark.parametrize("table", TABLES)
def test_every_column_says_what_it_means_in_a_known_unit(table):
    assert TABLES[table].__doc__
    for column in facts(table).values():
        assert column.meaning.endswith((".", ")."))
        assert column.unit in UNITS
        assert not column.refers or column.refers in TABLES
        assert not column.follows or facts(table)[column.follows].kind == "event"


@pytest.mark.parametrize("table", TABLES)
def test_money_is_exact_and_instants_have_microseconds(table):
    for column in facts(table).values():
        if column.unit == "money":
            assert str(column.dtype) == "decimal(18, 2)"
        if column.name.endswith("_at") or column.name in {"since", "changed_after"}:
            assert str(column.dtype) == "timestamp(6)"
        if column.name.endswith("_on"):
            assert str(column.dtype) == "date"


def test_the_table_that_must_be_there_has_the_columns_of_a_deal():
    assert list(ibis_schema("opportunities"))[:3] == ["id", "account_id", "owner_id"]
    assert facts("opportunities")["id"].mandatory
    assert known_at("opportunities") == "created_at"


def test_rows_end_at_an_event_that_is_declared():
    for table, column in FINISHED_AT.items():
        assert facts(table)[column].kind == "event"


def test_columns_with_people_are_found_by_what_they_point_to():
    assert user_columns("changes") == ("changed_by",)
    assert user_columns("users") == ("manager_id",)


ERRORS = [
    (NotABook(where="x/", reason="it is empty"), ["x/", "it is empty", "opportunities", "import"]),
    (
        MissingTable(table="targets", where="data/", needed_for="attainment"),
        ["'targets'", "data/", "attainment", "targets.csv"],
    ),
    (
        MissingColumn(table="users", column="team", where="users.csv", found=("id", "teams")),
        ["'team'", "users.csv", "Nearest: teams", "Rename"],
    ),
    (
        BadRows(
            where="deals.csv",
            rows=tuple((f"row {i}", "amount", "abc", "no number") for i in range(12)),
            n=12,
            expected="a number",
            mend="write 1200.50",
        ),
        ["deals.csv has 12 faults", "row 9", "… and 2 more", "a number", "write 1200.50"],
    ),
    (
        BadScope(value="team:华东/1组", reason="no such team", known=("华东/一组", "华南/一组")),
        ["'team:华东/1组'", "no such team", "华东/一组", "--scope"],
    ),
]


@pytest.mark.parametrize(("error", "parts"), ERRORS, ids=lambda e: type(e).__name__)
def test_an_error_says_what_where_what_was_expected_and_how_to_mend_it(error, parts):
    for part in parts:
        assert part in str(error)


@pytest.mark.parametrize("error", [error for error, _ in ERRORS], ids=lambda e: type(e).__name__)
def test_an_error_survives_the_way_between_processes(error):
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_a_table_of_faults_shows_ten_rows_and_counts_the_rest():
    (rows,) = [error for error, _ in ERRORS if isinstance(error, BadRows)]
    assert "row 10 " not in str(rows)


def test_a_finding_keeps_its_id_over_periods_and_differs_by_subject():
    def leak(subject, n):
        return Finding(
            code="funnel.stage_leak", severity="act", subject=subject, evidence={"n": n},
            owner_role="lead",
        )  # fmt: skip

    assert leak("needs", 1).id == leak("needs", 2).id != leak("proposal", 1).id
    assert leak("needs", 1).id.startswith("FUN-")
