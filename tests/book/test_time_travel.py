"""Time travel never sees the future: the properties of a book, on random companies."""

import datetime as dt
import itertools

import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from salesops.book.book import Book, open_book
from salesops.book.snapshots import differences
from salesops.book.write import typed, write_store
from salesops.model.errors import BadScope
from tests.companies import (
    GRID,
    START,
    TRACKED,
    Company,
    at,
    book_of,
    random_company,
    rows_of,
    written,
)

seeds = st.integers(0, 10_000)
steps = st.integers(1, GRID)
# A company is large and quickly described by its seed: looking for a smaller one takes minutes.
few = settings(max_examples=2, deadline=None, phases=[Phase.explicit, Phase.generate])
TABLES = ("opportunities", "activities", "users", "changes")


def same(one: pd.DataFrame, other: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(one, other, check_dtype=False)


@few
@given(seed=seeds, step=steps)
def test_a_book_at_a_date_equals_the_store_from_which_all_later_was_deleted(seed, step):
    company = random_company(seed)
    past = book_of(company.tables()).as_of(at(step))
    cut = book_of(company.tables(until=step)).as_of(at(step))
    for name in TABLES:
        same(rows_of(past.table(name)), rows_of(cut.table(name)))


@few
@given(seed=seeds, step=steps, team=st.sampled_from(["North/1", "South"]))
def test_a_teams_book_at_a_date_knows_nothing_of_later_moves(seed, step, team):
    company = random_company(seed)
    tables, until = company.tables(), company.tables(until=step)
    # Whoever is in the team at the end only is no team of the past.
    try:
        cut = book_of(until).as_of(at(step)).scope(team=team)
    except BadScope:
        return
    past = book_of(tables).as_of(at(step)).scope(team=team)
    for name in TABLES:
        same(rows_of(past.table(name)), rows_of(cut.table(name)))


@few
@given(seed=seeds, step=steps)
def test_a_book_at_a_date_equals_a_replay_by_hand(seed, step):
    company = random_company(seed)
    deals = rows_of(book_of(company.tables()).as_of(at(step)).opportunities).set_index("id")
    expected = [d for d in company.deals if d.born <= step]
    assert sorted(deals.index) == sorted(d.id for d in expected)
    kinds = {"contract": "won", "lost": "lost", "void": "void"}
    for deal in expected:
        row = deals.loc[deal.id]
        gone = deal.removed is not None and deal.removed <= step
        outcome = "void" if gone else kinds.get(deal.value("stage", step), "open")
        assert row["outcome"] == outcome, deal
        for name in TRACKED:
            if not (gone and name == "stage"):
                value = row[name]
                value = value.date() if isinstance(value, dt.datetime) else value
                shown = f"{value:.2f}" if name == "amount" and value is not None else value
                wanted = deal.value(name, step)
                assert written(wanted) == (None if shown is None else str(shown)), (deal, name)
        closed = company.closed_at(deal, step)
        if not gone:
            assert (None if row["closed_at"] is None else row["closed_at"]) == closed


WHEN = ["closed_at", "stage_entered_at"]


def overwritten(company, step, since):
    """Name deals that ended before the log begins, and again or not at all after the step.

    Reopening empties the day on which a deal ended, so that nothing in a store of today tells it.
    """
    ended = [(deal, company.closed_at(deal, step)) for deal in company.deals]
    return [deal.id for deal, when in ended if when is not None and when < at(since)
            and company.closed_at(deal, GRID) != when]  # fmt: skip


@few
@given(seed=seeds, step=st.integers(30, GRID), since=st.integers(5, 25))
def test_the_same_holds_where_the_history_begins_late(seed, step, since):
    company = random_company(seed)
    past = book_of(company.tables(since=since)).as_of(at(step))
    cut = book_of(company.tables(until=step, since=since)).as_of(at(step))
    for name in TABLES:
        one, other = rows_of(past.table(name)), rows_of(cut.table(name))
        if name == "opportunities":
            gone = other["id"].isin(overwritten(company, step, since))
            assert one.loc[gone, WHEN].isna().all(axis=None)
            other.loc[gone, WHEN] = None
        same(one, other)


@few
@given(seed=seeds)
def test_before_its_history_begins_a_moving_field_of_an_open_deal_is_not_known(seed):
    company = random_company(seed)
    deals = rows_of(book_of(company.tables(since=30)).as_of(at(20)).opportunities)
    is_open = deals[deals["outcome"] == "open"]
    assert is_open[["stage", "amount", "expected_close_on", "next_step"]].isna().all().all()


@few
@given(seed=seeds, step=st.integers(10, 50))
def test_rows_added_later_or_logged_late_change_nothing_in_the_past(seed, step):
    company = random_company(seed)
    before = book_of(company.tables(until=step + 5)).as_of(at(step))
    late = pd.DataFrame(
        {"id": ["late1", "late2"], "kind": "call", "direction": "two_way",
         "opportunity_id": company.deals[0].id, "user_id": "u1",
         "occurred_at": [at(step - 5), at(step + 9)], "logged_at": [at(step + 6), at(step + 9)]}
    )  # fmt: skip
    more = Company(company.deals, company.users, pd.concat([company.touches, late]))
    after = book_of(more.tables()).as_of(at(step))
    for name in TABLES:
        same(rows_of(after.table(name)), rows_of(before.table(name)))


@few
@given(seed=seeds, since=st.sampled_from([-1, 12]))
def test_a_panel_equals_the_book_date_by_date(seed, since):
    book = book_of(random_company(seed).tables(since=since))
    days = [START.date() + dt.timedelta(days=n) for n in (1, 4, 9, 16, 30)]
    days = [day for day in days if day <= book.date]
    panel = rows_of(book.panel(days))
    one_by_one = pd.concat([rows_of(book.as_of(d).opportunities).assign(on=d) for d in days])
    one_by_one = one_by_one.sort_values(["on", "id"], ignore_index=True)
    panel["on"] = pd.to_datetime(panel["on"]).dt.date
    same(panel[sorted(panel)].reset_index(drop=True), one_by_one[sorted(one_by_one)])


@few
@given(seed=seeds, step=steps, team=st.sampled_from(["North", "North/1", "South/1"]))
def test_date_and_scope_may_be_set_in_either_order(seed, step, team):
    book = book_of(random_company(seed).tables())
    first, then = book.as_of(at(step)).scope(team=team), book.scope(team=team).as_of(at(step))
    for name in TABLES:
        same(rows_of(first.table(name)), rows_of(then.table(name)))


@few
@given(seed=seeds)
def test_exports_without_a_log_give_each_exports_own_state_back(seed):
    company = random_company(seed)
    for deal in company.deals:
        deal.removed = None
    dates = [15, 30, 45, GRID]
    exports = {step: company.tables(until=step) for step in dates}
    log = []
    for before, now in itertools.pairwise(dates):
        log.append(
            differences("opportunities", exports[before]["opportunities"].to_pandas(),
                        exports[now]["opportunities"].to_pandas(),
                        exported_before=at(before), exported_at=at(now))
        )  # fmt: skip
    changes = typed("changes", pd.concat(log, ignore_index=True))
    tracked = pd.DataFrame(
        [("opportunities", name, at(dates[0]), "snapshot") for name in TRACKED],
        columns=["entity", "field", "since", "how"],
    )
    tables = {"opportunities": exports[GRID]["opportunities"], "changes": changes,
              "tracked": typed("tracked", tracked)}  # fmt: skip
    book = book_of(tables)
    for step in dates:
        shown = rows_of(book.as_of(at(step)).opportunities)[["id", *TRACKED]]
        wanted = exports[step]["opportunities"].to_pandas()[["id", *TRACKED]].astype(object)
        wanted = wanted.where(wanted.notna(), None).sort_values("id", ignore_index=True)
        for name in ("stage", "owner_id", "next_step", "amount"):
            assert shown[name].tolist() == wanted[name].tolist(), (step, name)


@pytest.mark.parametrize("form", ["versions kept", "log alone", "one .duckdb file"])
def test_every_form_of_a_store_gives_the_same_past(tmp_path, form):
    company = random_company(7)
    tables = company.tables()
    expected = rows_of(book_of(tables).as_of(at(31)).opportunities)
    place = write_store(tmp_path / "book", tables)
    if form == "log alone":
        for kept in place.glob("*_versions.parquet"):
            kept.unlink()
    if form == "one .duckdb file":
        import duckdb

        place = tmp_path / "book.duckdb"
        with duckdb.connect(str(place)) as con:
            for name in tables:
                con.execute(f"create table {name} as from '{tmp_path}/book/{name}.parquet'")
    same(rows_of(open_book(place).as_of(at(31)).opportunities), expected)


def test_versions_of_another_log_are_not_used(tmp_path):
    company = random_company(3)
    place = write_store(tmp_path / "book", company.tables())
    kept = (place / "opportunities_versions.parquet").read_bytes()
    write_store(place, random_company(4).tables())
    (place / "opportunities_versions.parquet").write_bytes(kept)
    expected = rows_of(book_of(random_company(4).tables()).as_of(at(31)).opportunities)
    same(rows_of(open_book(place).as_of(at(31)).opportunities), expected)


def test_a_date_is_its_end_in_the_companys_zone(tiny_book: Book):
    # d10 was created on 31 March at 23:30 in Shanghai, 15:30 UTC.
    assert "d10" in rows_of(tiny_book.as_of("2026-03-31").opportunities)["id"].tolist()
    assert "d10" not in rows_of(tiny_book.as_of("2026-03-30").opportunities)["id"].tolist()
    at_noon = tiny_book.as_of(dt.datetime(2026, 3, 31, 12))
    assert "d10" not in rows_of(at_noon.opportunities)["id"].tolist()


def test_what_is_dated_on_the_last_day_is_known_in_the_latest_book():
    deal = {"id": "d1", "stage": "needs", "created_at": pd.Timestamp("2026-03-31 02:00")}
    signed = {"id": "k1", "signed_on": pd.Timestamp("2026-04-01")}
    frames = {"opportunities": [deal], "contracts": [signed]}
    book = book_of({name: typed(name, pd.DataFrame(rows)) for name, rows in frames.items()})
    assert book.date.isoformat() == "2026-04-01"
    assert book.n("contracts") == 1
