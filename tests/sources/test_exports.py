"""Exports as CRMs write them, in tests/sources/exports: made-up deals, read off by hand.

One folder per form of keeping data, with the mapping that reads it.
"""

from pathlib import Path

import pandas as pd
import pytest

from salesops.book.book import Book, open_book
from salesops.sources.importing import import_path

EXPORTS = Path(__file__).parent / "exports"


@pytest.fixture
def book(request, tmp_path) -> Book:
    folder = EXPORTS / request.param
    import_path(folder, source=str(folder / "mapping.toml"), into=tmp_path / "book",
                exported_at="2026-03-05")  # fmt: skip
    return open_book(tmp_path / "book")


def deals(book: Book, date: str = "latest") -> pd.DataFrame:
    return book.as_of(date).opportunities.to_pandas().set_index("id").sort_index()


def standing(book: Book, date: str) -> dict[str, tuple[str, float | None]]:
    """Stage and amount of every deal that was known."""
    found = deals(book, date)
    return {
        key: (row["stage"], None if pd.isna(row["amount"]) else float(row["amount"]))
        for key, row in found.iterrows()
    }


HISTORIES = {
    "log": {
        "2026-01-31": {"D-11": ("needs", 120_000), "D-12": ("needs", 88_000),
                       "D-13": ("acquisition", 200_000)},
        "2026-02-10": {"D-11": ("needs", 150_000), "D-12": ("negotiation", 88_000),
                       "D-13": ("acquisition", 200_000)},
        "2026-02-28": {"D-11": ("needs", 150_000), "D-12": ("contract", 88_000),
                       "D-13": ("lost", 200_000), "D-14": ("acquisition", 30_000)},
    },
    "states": {
        "2026-01-07": {"0061": ("acquisition", 40_000)},
        "2026-02-10": {"0061": ("needs", 40_000), "0062": ("negotiation", 21_000),
                       "0063": ("acquisition", 7_500)},
        "2026-02-28": {"0061": ("needs", 54_000), "0062": ("contract", 21_000),
                       "0063": ("lost", 7_500)},
        "latest": {"0061": ("negotiation", 54_000), "0062": ("contract", 21_000),
                   "0063": ("lost", 7_500)},
    },
    "leaving": {
        # Before the first row nobody knows what else may have changed.
        "2026-01-21": {"z501": (None, None), "z502": (None, None)},
        "2026-01-22": {"z501": ("needs", 25_000), "z502": ("acquisition", 12_500)},
        "2026-01-31": {"z501": ("needs", 25_000), "z502": ("negotiation", 12_500)},
        "2026-02-28": {"z501": ("negotiation", 31_000), "z502": ("contract", 12_500),
                       "z503": ("acquisition", 4_000)},
    },
}  # fmt: skip


@pytest.mark.parametrize("book", HISTORIES, indirect=True)
def test_a_history_in_objects_of_its_own_gives_what_was_known_then(book, request):
    form = request.node.callspec.params["book"]
    for date, known in HISTORIES[form].items():
        assert standing(book, date) == known, date
    assert book.tracked["opportunities"]["stage"].how == "log"


@pytest.mark.parametrize("book", ["log"], indirect=True)
def test_owners_and_expected_days_of_a_log_are_those_of_the_time(book):
    before, after = deals(book, "2026-01-31").loc["D-13"], deals(book).loc["D-13"]
    assert (before["owner_id"], after["owner_id"]) == ("u2", "u1")
    assert pd.Timestamp(before["expected_close_on"]) == pd.Timestamp("2026-02-15")
    assert pd.Timestamp(after["expected_close_on"]) == pd.Timestamp("2026-03-31")
    # 18:05 in China.
    assert deals(book).loc["D-12", "closed_at"] == pd.Timestamp("2026-02-20 10:05")


@pytest.mark.parametrize("book", ["nested"], indirect=True)
def test_values_are_taken_out_of_lists_and_records(book):
    found = deals(book)
    assert found["owner_id"].fillna("").tolist() == ["U01", "U02", "", "U01"]
    assert found["account_id"].tolist() == ["C01", "C02", "C03", "C04"]
    assert standing(book, "latest") == {
        "66a1": ("needs", 120_000), "66a2": ("contract", 86_000.5),
        "66a3": ("acquisition", None), "66a4": ("lost", 240_000),
    }  # fmt: skip
    people = book.users.to_pandas().set_index("id")
    assert people["name"].to_dict() == {"U01": "张伟", "U02": "李娜"}
    assert people.loc["U02", "team"] == "华东/二组"


@pytest.mark.parametrize("book", ["nested"], indirect=True)
def test_without_a_history_the_past_shows_who_was_there_and_not_todays_stage(book):
    assert standing(book, "2026-01-15") == {"66a1": (None, None), "66a2": (None, None)}


@pytest.mark.parametrize("book", ["named"], indirect=True)
def test_two_people_of_one_name_stay_two_where_ids_stand_beside_names(book):
    found, people = deals(book), book.users.to_pandas().set_index("id")
    assert people["name"].value_counts()["Ann Lee"] == 2
    assert people.loc[found["owner_id"], "team"].tolist() == ["North", "South", "North", "North"]
    assert people["manager_id"].dropna().unique().tolist() == ["US-5"]
    names = book.accounts.to_pandas().set_index("id")["name"].to_dict()
    assert names == {"AC-5": "Bath Pumps", "AC-7": "York Optics", "AC-9": "Leeds Foundry Ltd"}
    north = book.scope(team="North")
    assert deals(north).index.tolist() == ["OP-1", "OP-3", "OP-4"]


@pytest.mark.parametrize("book", ["named"], indirect=True)
def test_a_date_of_closing_tells_when_a_deal_had_ended(book):
    outcomes = {date: deals(book, date)["outcome"].tolist() for date in ("2026-02-22", "latest")}
    assert outcomes["2026-02-22"] == ["open", "won", "open", "open"]
    assert outcomes["latest"] == ["open", "won", "lost", "open"]
    assert float(deals(book).loc["OP-1", "amount"]) == 12_500


@pytest.mark.parametrize("book", ["epoch"], indirect=True)
def test_milliseconds_become_the_instants_and_the_days_of_china(book):
    found = deals(book)
    # 00:30 in China is the day before in UTC.
    assert found.loc["91001", "created_at"] == pd.Timestamp("2026-01-04 16:30")
    assert found.loc["91002", "closed_at"] == pd.Timestamp("2026-02-12 09:20")
    days = pd.to_datetime(found["expected_close_on"]).dt.strftime("%m-%d").fillna("").tolist()
    assert days == ["03-31", "02-12", "02-28", ""]
    known = {date: deals(book, date).index.tolist() for date in ("2026-01-04", "2026-01-31")}
    assert known["2026-01-04"] == []
    assert known["2026-01-31"] == ["91001", "91002", "91003"]
    assert deals(book, "2026-02-28")["outcome"].tolist() == ["open", "won", "lost", "open"]
    assert deals(book, "2026-02-27")["outcome"].tolist() == ["open", "won", "open", "open"]
