"""A number and its rows: filters of every type, the source, and what a spreadsheet gets."""

import datetime as dt

import pandas as pd
import pytest

import salesops
from salesops.analyses.explained import BadWhere
from salesops.metrics.catalogue import CATALOGUE
from salesops.metrics.metric import UnknownGroup
from salesops.reports.sheets import write_csv
from salesops.wording import language


def ids(book, name: str, **where) -> list[str]:
    return salesops.explain(book, name, period="2026Q1", **where).rows["id"].tolist()


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ({"team": "South/1"}, ["d05"]),
        ({"closed_at": "2026-03-05"}, ["d03"]),
        ({"closed_at": dt.date(2026, 3, 5)}, ["d03"]),
        ({"closed_at": dt.datetime(2026, 3, 5, 2)}, ["d03"]),
        ({"closed_at": dt.datetime(2026, 3, 5, 3)}, []),
        ({"amount": 40}, ["d03"]),
        ({"amount": "100.00"}, ["d01"]),
        ({"cents": 100}, ["d01"]),
        ({"source": None}, ["d01", "d02", "d03", "d05"]),
        ({"source": ""}, ["d01", "d02", "d03", "d05"]),
        ({"id": "d02"}, ["d02"]),
        ({"outcome": "won", "team": "North/1"}, ["d01", "d03"]),
    ],
)
def test_rows_are_filtered_by_values_of_any_type(tiny_book, where, found):
    assert ids(tiny_book, "win_rate", **where) == found


def test_flags_are_read_in_both_languages(tiny_book):
    for yes in (True, "true", "是"):
        assert ids(tiny_book, "logged_within_24h", is_in_time=yes) == ["t1", "t2"]
    assert ids(tiny_book, "logged_within_24h", is_in_time="no") == ["t3"]


def test_a_late_hour_belongs_to_the_companys_day_not_to_that_of_utc():
    # d10 reached its stage at 15:45 UTC on the 31st, a quarter to midnight in Shanghai.
    book = salesops.open_book("tests/tiny_company")
    assert ids(book, "qualified_opportunities", qualified_at="2026-03-31") == ["d10"]


@pytest.mark.parametrize(
    ("name", "where", "said"),
    [
        ("win_rate", {"closed_at": "March"}, "a day"),
        ("win_rate", {"amount": "much"}, "a number"),
        ("logged_within_24h", {"is_in_time": "perhaps"}, "true or false"),
    ],
)
def test_a_value_that_its_column_can_not_have_is_refused_with_what_it_can(
    tiny_book, name, where, said
):
    (column, value), *_rest = where.items()
    with pytest.raises(BadWhere, match=said) as caught:
        salesops.explain(tiny_book, name, period="2026Q1", **where)
    assert value in str(caught.value)
    assert f"{column.replace('amount', 'cents')}=" in str(caught.value)


def test_an_unknown_column_is_refused_with_those_there_are(tiny_book):
    with pytest.raises(UnknownGroup, match="Known columns: id"):
        salesops.explain(tiny_book, "win_rate", colour="red")


def test_filtered_rows_make_the_number_of_their_group(sample_book):
    whole = salesops.metric(sample_book, "nrr", period="2026Q1", by=["segment"])
    for row in whole.itertuples():
        part = salesops.explain(sample_book, "nrr", period="2026Q1", segment=row.segment)
        assert (part.value, part.n) == (pytest.approx(row.nrr), row.n)


def test_a_number_says_from_which_tables_date_scope_and_data_it_comes(sample_book):
    team = sample_book.scope(team="华东/一组")
    found = salesops.explain(team, "win_rate", period="2026Q1")
    with language("en"):
        line = found.lines()[-1]
    for part in ("opportunities", "2026-06-20", "team:华东/一组", team.fingerprint()):
        assert part in line
    assert line in found.html().replace("&#x27;", "'")


def test_codes_are_said_in_the_readers_language(tiny_book):
    found = salesops.explain(tiny_book, "win_rate", period="2026Q1")
    with language("zh"):
        assert "赢单" in found.html()
        assert ">won<" not in found.html()
    assert found.sheet()["outcome"].tolist() == ["won", "lost", "won", "lost"]


def test_a_spreadsheet_gets_money_in_units_and_instants_by_the_companys_clock(tiny_book):
    sheet = salesops.explain(tiny_book, "win_rate", period="2026Q1").sheet()
    assert sheet["amount"].tolist() == [100.0, 60.0, 40.0, 50.0]
    assert sheet["closed_at"].iloc[0] == "2026-02-10 10:00:00"


def test_no_cell_of_a_file_begins_a_formula(tmp_path):
    evil = ["=1+1", "+86 10", "-2", "@sum", "\t=1", "＝A1", "Müller", None]
    frame = pd.DataFrame({"name": evil, "=head": range(8), "n": [-1.5] * 8})
    path = write_csv(frame, tmp_path / "rows.csv")
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    back = pd.read_csv(path, dtype={"name": str})
    assert list(back.columns) == ["name", "'=head", "n"]
    assert back["name"].fillna("").tolist() == [
        *("'" + text for text in evil[:6]), "Müller", ""
    ]  # fmt: skip
    assert (back["n"] == -1.5).all()


def test_a_file_is_there_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "rows.csv"
    path.write_text("old")
    monkeypatch.setattr(pd.DataFrame, "to_csv", lambda *_a, **_k: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_csv(pd.DataFrame({"a": [1]}), path)
    assert [p.name for p in tmp_path.iterdir()] == ["rows.csv"]
    assert path.read_text() == "old"


def test_every_metric_that_is_null_for_a_missing_table_is_explained_without_rows(tiny_book):
    lacking = [n for n, m in CATALOGUE.items() if (m.reason(tiny_book) or "").startswith("missing")]
    assert lacking
    for name in lacking:
        found = salesops.explain(tiny_book, name, period="2026Q1", team="N")
        assert found.rows.empty
        assert found.reason
