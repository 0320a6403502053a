"""The moves of deals between stages: as the log tells them, at any instant, kept or not."""

import pandas as pd
import pytest

from salesops.book.book import Book, open_book
from salesops.book.write import write_store
from tests.companies import at, book_of, random_company


def _replayed(log: pd.DataFrame, born: dict[str, pd.Timestamp]) -> list[tuple[object, ...]]:
    """Go through the log change by change."""
    last: dict[str, pd.Timestamp] = {}
    made: set[tuple[object, ...]] = set()
    found = []
    of_stage = log[(log["entity"] == "opportunities") & (log["field"] == "stage")]
    for row in of_stage.sort_values(["changed_at", "seq"]).itertuples():
        move = (row.entity_id, row.old_value, row.new_value)
        since = last.get(row.entity_id, born[row.entity_id])
        found.append((*move, row.changed_at, since, move in made))
        made.add(move)
        last[row.entity_id] = row.changed_at
    return sorted(found, key=str)


def _moves(book: Book) -> list[tuple[object, ...]]:
    rows = book.moves.to_pandas().astype(object)
    rows = rows.where(rows.notna(), None)
    columns = ["id", "source", "target", "changed_at", "since", "again"]
    return sorted(rows[columns].itertuples(index=False, name=None), key=str)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("step", [40, 60])
def test_moves_equal_those_of_a_log_read_change_by_change(seed, step):
    tables = random_company(seed).tables()
    deals, log = tables["opportunities"].to_pandas(), tables["changes"].to_pandas()
    log = log.astype(object).where(log.notna(), None)
    born = dict(zip(deals["id"], deals["created_at"], strict=True))
    expected = _replayed(log[log["changed_at"] <= at(step)], born)
    assert expected
    assert _moves(book_of(tables).as_of(at(step))) == expected


def test_a_move_that_a_deal_makes_twice_is_marked_the_second_time():
    moves = [move for seed in range(4) for move in _moves(book_of(random_company(seed).tables()))]
    again = [move[:3] for move in moves if move[-1]]
    assert again
    assert set(again) <= {move[:3] for move in moves if not move[-1]}


def test_a_teams_book_shows_the_moves_of_its_deals_alone():
    book = book_of(random_company(2).tables())
    team = book.scope(team="North")
    inside = set(team.opportunities.to_pandas()["id"])
    assert _moves(team) == [move for move in _moves(book) if move[0] in inside]
    assert 0 < len(_moves(team)) < len(_moves(book))


@pytest.mark.parametrize("gone", ["opportunities_moves", "opportunities_versions"])
def test_moves_kept_at_import_equal_those_of_the_log(tmp_path, gone):
    place = write_store(tmp_path / "book", random_company(5).tables())
    kept = open_book(place)
    # An opened book holds them under a name of its own.
    assert kept.store.moves.get_name() in {"moves", "salesops_moves"}
    shown = _moves(kept)
    (place / f"{gone}.parquet").unlink()
    assert _moves(open_book(place)) == shown


def test_moves_of_another_log_are_not_used(tmp_path):
    place = write_store(tmp_path / "book", random_company(3).tables())
    path = place / "opportunities_moves.parquet"
    kept = path.read_bytes()
    write_store(place, random_company(4).tables())
    assert path.read_bytes() != kept
    path.write_bytes(kept)
    assert _moves(open_book(place)) == _moves(book_of(random_company(4).tables()))
