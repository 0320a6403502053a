"""Ugly spreadsheets give the right table, whatever two traits meet."""

import datetime as dt
from decimal import Decimal

import pandas as pd
import pytest
from allpairspy import AllPairs

from salesops.book.store import open_store
from salesops.book.write import read_tables
from salesops.model.tables import facts
from salesops.sources.importing import import_path
from salesops.sources.mapping import Mapping, Rows, Source
from salesops.sources.mappingtext import mapping_toml
from salesops.sources.parsing import Parser
from salesops.sources.readers import Sheet, read_sheet
from tests.sources.ugly import LEVELS, WEST, ZH, is_text, page_of, possible, truth_of, write

NAMES = list(LEVELS)
Pair = tuple[str, str, str, str]
EVERY_PAIR = {(a, x, b, y) for i, a in enumerate(NAMES) for b in NAMES[i + 1 :]
              for x in LEVELS[a] for y in LEVELS[b]}  # fmt: skip


def whole(given: dict[str, str], wanted: set[Pair]) -> dict[str, str] | None:
    """Complete a case, with as many of the wanted pairs as come by; none where it can't be."""
    if not possible(given):
        return None
    left = [name for name in NAMES if name not in given]
    if not left:
        return given
    name = left[0]

    def gained(level: str) -> int:
        return -sum(tuple(sorted_pair(name, level, n, v)) in wanted for n, v in given.items())

    for level in sorted(LEVELS[name], key=gained):
        found = whole(given | {name: level}, wanted)
        if found is not None:
            return found
    return None


def sorted_pair(a: str, x: str, b: str, y: str) -> Pair:
    return (a, x, b, y) if NAMES.index(a) < NAMES.index(b) else (b, y, a, x)


def pairs(case: dict[str, str]) -> set[Pair]:
    return {(a, case[a], b, case[b]) for i, a in enumerate(NAMES) for b in NAMES[i + 1 :]}


def all_cases() -> list[dict[str, str]]:
    """Try each pair of levels that can be: the library leaves out some that need a third."""
    cases = [
        dict(zip(NAMES, values, strict=True))
        for values in AllPairs(
            list(LEVELS.values()),
            filter_func=lambda row: possible(dict(zip(NAMES, row, strict=False))),
        )
    ]
    left = set(EVERY_PAIR)
    for case in cases:
        left -= pairs(case)
    for a, x, b, y in sorted(left):
        if (a, x, b, y) in left and (case := whole({a: x, b: y}, left)) is not None:
            cases.append(case)
            left -= pairs(case)
    return cases


CASES = all_cases()


def column(sheet: Sheet, head: str) -> str:
    """Name the column that a head became, joined with its group or its unit."""
    return next(n for n in sheet.frame.columns if n.split("/")[-1].startswith(head))


def typed(sheet: Sheet, head: str, canonical: str) -> pd.Series:
    """Read a column as the import does, without a fault."""
    parser = Parser(sheet.where, "UTC", layout=sheet.layout)
    name = column(sheet, head)
    kind = facts("opportunities")[canonical]
    found = parser.column(sheet.frame[name], Source(column=name), kind, name)
    assert parser.faults == []
    return found


def shown(case: dict[str, str]) -> str:
    odd = [f"{n}={v}" for n, v in case.items() if v != LEVELS[n][0]]
    return ", ".join(odd) or "clean"


def test_more_than_forty_traits_are_tried_and_each_with_each_other_that_it_can_meet():
    assert sum(len(levels) - 1 for levels in LEVELS.values()) > 40
    tried = set().union(*map(pairs, CASES))
    for a, x, b, y in EVERY_PAIR - tried:
        assert whole({a: x, b: y}, set()) is None, (a, x, b, y)


@pytest.mark.parametrize("case", CASES, ids=shown)
def test_an_ugly_sheet_gives_the_table_that_it_was_made_of(case, tmp_path):
    truth = truth_of(case)
    page = page_of(case, truth)
    sheet = read_sheet(write(page, case, tmp_path))
    heads = ZH if case["language"] == "zh" else WEST
    assert tuple(sheet.frame[column(sheet, heads[0])]) == truth.ids
    assert tuple(sheet.frame[column(sheet, heads[1])]) == truth.customers
    assert tuple(sheet.frame[column(sheet, heads[2])]) == truth.owners
    amounts = typed(sheet, heads[4], "amount")
    assert tuple(amounts) == truth.amounts
    assert sum(amounts, Decimal(0)) == sum(truth.amounts)
    days = typed(sheet, heads[5], "expected_close_on")
    assert tuple(d if isinstance(d, dt.date) else d.date() for d in days) == truth.created
    layout = sheet.layout
    filled = sum(1 for row in page.rows if any(cell != "" for cell in row))
    assert layout.n_rows == filled + (case["separator"] == "sep=;" and is_text(case))
    assert layout.n_rows == layout.n_kept + layout.n_set_aside
    assert layout.n_kept == len(truth.ids)
    if case["hidden"] == "sheet":
        assert layout.hidden == ("旧",)


@pytest.mark.parametrize("case", CASES[::12], ids=shown)
def test_an_ugly_sheet_makes_a_book_with_the_sums_of_its_truth(case, tmp_path):
    truth = truth_of(case)
    path = write(page_of(case, truth), case, tmp_path)
    sheet = read_sheet(path)
    heads = ZH if case["language"] == "zh" else WEST
    wanted = ("id", "account_id", "owner_id", "stage", "amount", "created_at")
    columns = {name: column(sheet, head) for name, head in zip(wanted, heads, strict=False)}
    rows = Rows(file=path.name, columns=columns)
    mapping = Mapping(name="own", title="Own", tables={"opportunities": (rows,)})
    (tmp_path / "own.toml").write_text(mapping_toml(mapping), encoding="utf-8")
    report = import_path(path, source=str(tmp_path / "own.toml"), into=tmp_path / "book")
    deals = read_tables(open_store(tmp_path / "book"))["opportunities"].to_pandas()
    deals = deals.set_index("id").loc[list(truth.ids)]
    assert tuple(deals["amount"]) == truth.amounts
    assert tuple(deals["account_id"]) == truth.customers
    assert tuple(deals["owner_id"]) == truth.owners
    days = deals["created_at"].dt.tz_localize("UTC").dt.tz_convert("Asia/Shanghai")
    assert tuple(day.date() for day in days) == truth.created
    (counts,) = report.counts.values()
    assert counts.kept == len(truth.ids)
