"""Time travel and scope over every canonical table, on random companies.

People move between teams, results are credited over teams, deals are reopened, rows deleted,
activities logged late, targets set and contracts cancelled later.
"""

import datetime as dt
from functools import cache

import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from salesops.book.book import Book
from salesops.model.errors import BadScope
from salesops.model.tables import TABLES
from tests.companies import GRID, START, at, book_of, rows_of
from tests.whole import UNRECORDED, tables_of, whole_company

seeds = st.integers(0, 10_000)
steps = st.integers(2, GRID - 1)
few = settings(max_examples=2, deadline=None, phases=[Phase.explicit, Phase.generate])
ALL = [name for name in TABLES if name != "tracked"]


def same(one: Book, other: Book) -> None:
    for name in ALL:
        # The store that was cut still has the last value of a field whose past nobody recorded.
        left_out = tuple(UNRECORDED.get(name, ()))
        first, second = (rows_of(b.table(name), without=left_out) for b in (one, other))
        keys = [c for c in first.columns if c != "amount"]
        first, second = (
            f.sort_values(keys, key=lambda s: s.astype(str), ignore_index=True)
            for f in (first, second)
        )
        pd.testing.assert_frame_equal(first, second, check_dtype=False, obj=name)


@few
@given(seed=seeds, step=steps)
def test_every_table_at_an_instant_is_what_had_been_entered_by_then(seed, step):
    company, others = whole_company(seed)
    past = book_of(tables_of(company, others)).as_of(at(step))
    same(past, book_of(tables_of(company, others, until=step)).as_of(at(step)))


@few
@given(seed=seeds, step=steps)
def test_the_past_of_unrecorded_fields_is_null_while_the_row_lives(seed, step):
    company, others = whole_company(seed)
    past = book_of(tables_of(company, others)).as_of(at(step))
    ended = {"leads": "converted_at", "actions": "done_on"}
    for name, columns in UNRECORDED.items():
        frame = past.table(name).to_pandas()
        if name in ended:
            frame = frame[frame[ended[name]].isna()]
        assert frame[sorted(columns)].isna().all().all(), name


@few
@given(seed=seeds, step=steps, team=st.sampled_from(["North", "North/1", "South/1"]))
def test_a_teams_tables_at_an_instant_are_what_had_been_entered_by_then(seed, step, team):
    company, others = whole_company(seed)
    past = book_of(tables_of(company, others)).as_of(at(step)).scope(team=team)
    try:
        cut = book_of(tables_of(company, others, until=step)).as_of(at(step)).scope(team=team)
    except BadScope:
        return
    same(past, cut)


@few
@given(seed=seeds, step=steps, team=st.sampled_from(["North/2", "South"]))
def test_date_and_scope_commute_for_every_table(seed, step, team):
    company, others = whole_company(seed)
    book = book_of(tables_of(company, others))
    same(book.as_of(at(step)).scope(team=team), book.scope(team=team).as_of(at(step)))


@few
@given(seed=seeds, days=st.integers(0, 16))
def test_a_date_is_the_last_instant_of_its_day_for_every_table(seed, days):
    company, others = whole_company(seed)
    book = book_of(tables_of(company, others))
    day = START.date() + dt.timedelta(days=days)
    end = dt.datetime.combine(day, dt.time(15, 59, 59, 999_999))
    same(book.as_of(day), book.as_of(end))


def test_what_is_dated_by_day_is_known_when_the_day_is_over_and_not_at_half_past_eleven():
    company, others = whole_company(1)
    day = dt.date(2026, 1, 31)
    for name, column in (("contracts", "signed_on"), ("receipts", "received_on")):
        others[name].loc[0, column] = day
    others["contracts"].loc[0, "cancelled_on"] = None
    book = book_of(tables_of(company, others))
    half_past = book.as_of("2026-01-31T23:30:00+08:00")
    assert half_past.date == day
    for name, key in (("contracts", "c00"), ("receipts", "r0")):
        assert key not in set(half_past.table(name).id.to_pandas())
        assert key in set(book.as_of(day).table(name).id.to_pandas())


@cache
def _marked(seed: int) -> tuple[Book, set[str]]:
    """A company in which whatever is the south's alone carries a mark; and the marks."""
    company, others = whole_company(seed)
    south = {p.id for p in company.users
             if {p.first["team"], *(e[2] for e in p.edits)} == {"South/1"}}  # fmt: skip
    assert south, "nobody always was in the south, so nothing is tested"
    credited = others["credits"]
    shared = set(credited.loc[~credited["user_id"].isin(south), "opportunity_id"].dropna())
    owners = {d.id: {d.first["owner_id"], *(e[2] for e in d.edits if e[1] == "owner_id")}
              for d in company.deals}  # fmt: skip
    own = {d for d, who in owners.items() if who <= south} - shared
    marks = set()

    def mark(text: str) -> str:
        marks.add(f"§{text}§")
        return f"§{text}§"

    for deal in company.deals:
        if deal.id in own:
            deal.first["name"] = mark(f"deal {deal.id}")
            deal.edits = [(w, f, mark(f"step {deal.id}") if f == "next_step" and v else v)
                          for w, f, v in deal.edits]  # fmt: skip
            deal.first["account_id"] = "south account"
    others["accounts"].loc[len(others["accounts"])] = {
        "id": "south account", "name": mark("account"), "owner_id": min(south),
        "created_at": at(0), "customer_since": None,
    }  # fmt: skip
    others["tickets"]["account_id"] = "south account"
    others["tickets"]["category"] = mark("ticket")
    others["contacts"]["account_id"] = "south account"
    others["contacts"]["name"] = mark("contact")
    leads = others["leads"]
    mine = leads["owner_id"].isin(south)
    leads.loc[mine, "company"] = mark("lead")
    leads.loc[mine, ["account_id", "opportunity_id"]] = None
    actions = others["actions"]
    actions.loc[actions["owner_id"].isin(south), "note"] = mark("action")
    contracts = others["contracts"]
    by_contract = set(credited.loc[~credited["user_id"].isin(south), "contract_id"].dropna())
    theirs = contracts["owner_id"].isin(south) & ~contracts["id"].isin(by_contract)
    theirs &= ~contracts["opportunity_id"].isin(shared)
    contracts.loc[theirs, "cancel_reason"] = mark("contract")
    contracts.loc[theirs, "cancelled_on"] = dt.date(2026, 1, 9)
    contracts.loc[theirs, "account_id"] = "south account"
    return book_of(tables_of(company, others)), marks


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("when", ["latest", "2026-01-14"])
def test_what_is_one_teams_alone_stands_nowhere_in_the_book_of_another(seed, when):
    book, marks = _marked(seed)
    shown = {name: book.as_of(when).scope(team="North").table(name).to_pandas().to_csv()
             for name in ALL}  # fmt: skip
    whole = "".join(book.table(name).to_pandas().to_csv() for name in ALL)
    assert sum(m in whole for m in marks) >= 5, "the marks must be there to be hidden"
    for name, text in shown.items():
        found = [m for m in marks if m in text]
        assert not found, (name, found)


def test_a_result_that_is_credited_over_teams_stands_in_both():
    company, others = whole_company(5)
    deal = company.deals[0]
    for person in company.users:
        person.edits = []
    deal.born, deal.edits, deal.removed = 1, [(10, "stage", "contract")], None
    deal.first["owner_id"] = "u1"
    shares = [{"opportunity_id": deal.id, "contract_id": None, "user_id": who, "share": 0.5}
              for who in ("u1", "u3")]  # fmt: skip
    others["credits"] = pd.DataFrame(shares).astype(object)
    book = book_of(tables_of(company, others))
    for team in ("North/1", "South/1"):
        assert deal.id in set(book.scope(team=team).opportunities.id.to_pandas()), team
    assert deal.id not in set(book.scope(team="North/2").opportunities.id.to_pandas())
    # The south sees the result, and of the north's person no more than that there is one.
    south = book.scope(team="South/1").opportunities.to_pandas().set_index("id").loc[deal.id]
    assert south["owner_id"] == "another_team"


def test_a_contract_without_credits_of_its_own_stands_with_those_credited_for_its_deal():
    company, others = whole_company(5)
    for person in company.users:
        person.edits = []
    contracts = others["contracts"]
    contracts["owner_id"] = "u1"
    deal, own = contracts.loc[0, "opportunity_id"], contracts.loc[1, "opportunity_id"]
    shares = [
        {"opportunity_id": deal, "contract_id": None, "user_id": "u3", "share": 1.0},
        {"opportunity_id": own, "contract_id": None, "user_id": "u3", "share": 1.0},
        {"opportunity_id": None, "contract_id": "c01", "user_id": "u1", "share": 1.0},
    ]
    others["credits"] = pd.DataFrame(shares).astype(object)
    book = book_of(tables_of(company, others))
    assert set(book.scope(team="South/1").contracts.id.to_pandas()) == {"c00"}
