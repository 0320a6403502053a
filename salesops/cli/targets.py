"""Targets on the command line: proposed from above and below, written, handed back in."""

import datetime as dt
import re
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

import pandas as pd
from rich.console import Console
from rich.table import Table

from salesops.book.book import Book, open_book
from salesops.cli.running import BadOption
from salesops.methods.coherent import LOCKS
from salesops.metrics.collaboration_load import sellers
from salesops.metrics.proposal import baseline, node_name, proposed
from salesops.model.calendar import Period
from salesops.sources.newtargets import (
    KEYS,
    checked,
    differences,
    holds_from,
    in_force,
    kept_though_empty,
    names_of,
    sums_off,
)
from salesops.sources.quotahistory import HISTORY, quota_history
from salesops.sources.targetcells import cents_of
from salesops.sources.targetfiles import WORDS, write_target_file
from salesops.sources.targetgrids import BadTargets
from salesops.sources.targetlock import alone
from salesops.sources.targetsheets import COUNTED, empty_cells, read_target_sheets
from salesops.sources.targetstore import apply_targets

SHOWN = 15
_LOCK = re.compile(r"^(?P<node>[^@=]+)(?:@(?P<month>20\d\d-\d\d))?=(?P<amount>.+)$")


def write_targets(
    where: str, out: Console, *, year: str, goal: float, growth: float | None,
    locks: Sequence[str], file: str, lang: str,
) -> None:  # fmt: skip
    """Propose the targets of a year, or give those in force, and write them to a file."""
    if lang not in WORDS:
        raise BadOption(option="--lang", value=lang, expected="zh or en")
    book = open_book(where)
    people = names_of(book).people
    period = book.period(year) if year else book.running("year")
    if goal or growth is not None or locks:
        table = _propose(book, period, goal, growth, locks, out)
    else:
        table = _of_year(book, period)
        out.print(f"{len(table)} targets are in force in {period.text}.")
    if not file:
        out.print("Write them to be edited: --out targets.xlsx. Propose new ones: --year 2027 "
                  "--growth 0.1, or --goal 120000000.")  # fmt: skip
        return
    there = sellers(book)
    here = there["left_on"].isna() | (there["left_on"] > pd.Timestamp(book.date))
    write_target_file(table, people, Path(file), lang, selling=set(there.loc[here, "person"]))
    out.print(f"Written to {file}. Edit it, then: salesops targets {where} --take {file} --by NAME")


def _of_year(book: Book, period: Period) -> pd.DataFrame:
    table = in_force(book)
    months = {str(m) for m in pd.period_range(period.start, period.end, freq="M")}
    table = table[table["period"].isin(months)]
    if table.empty:
        raise BadTargets(where=period.text, reason="no target is set",
                         mend="Propose some: --growth 0.1, or --goal 120000000.")  # fmt: skip
    return table


def _propose(
    book: Book, period: Period, goal: float, growth: float | None, locks: Sequence[str],
    out: Console,
) -> pd.DataFrame:  # fmt: skip
    before = baseline(book)
    whole = goal or before * (1 + (growth or 0.0))
    told = proposed(book, period, whole, _locks(locks))
    bookings = told[told["metric"] == "bookings"]
    sums = bookings.groupby(["level", "key"], sort=False)[["cents", "bottom_up"]].sum()
    table = Table("", "target", "people will sign", "gap")
    for (level, key), row in sums[sums.index.get_level_values(0) != "user"].iterrows():
        money = [row["cents"] / 100, row["bottom_up"], row["cents"] / 100 - row["bottom_up"]]
        table.add_row(node_name(level, key), *(f"{m:,.0f}" for m in money))
    out.print(table)
    out.print(f"{whole:,.0f} in {period.text}; {before:,.0f} were signed in the last twelve "
              "months. Teams add up to the company; people to their team times "
              f"{book.settings.norms.over_assignment:g}.")  # fmt: skip
    counted = told["metric"] == COUNTED
    cents = told["cents"].where(~counted, told["cents"] * 100)
    return told.assign(cents=cents).rename(columns={"month": "period"})[[*KEYS, "cents"]]


def _locks(texts: Sequence[str]) -> pd.DataFrame | None:
    """Read locks such as `team:North/1=12000000` or `team:North/1@2027-03=900000`."""
    rows = []
    for text in texts:
        found = _LOCK.match(text)
        try:
            cents = cents_of(found["amount"], 1) if found else None
        except ValueError:
            cents = None
        if found is None or cents is None:
            mend = "For example --lock team:North/1=12000000 or --lock company@2027-03=900000."
            raise BadTargets(where=f"--lock {text}", reason="it is no node and amount", mend=mend)
        rows.append((found["node"].strip(), found["month"] or "", cents))
    return pd.DataFrame(rows, columns=LOCKS) if rows else None


def take_targets(where: str, file: str, out: Console, *, by: str, metric: str,
                 dry_run: bool) -> None:  # fmt: skip
    """Show what a file changes, and add it to the book with the name of who hands it in."""
    folder = Path(where)
    if "://" in where or not folder.is_dir():
        raise BadTargets(where=where, reason="a database is never written to",
                         mend="Import it into a folder first: salesops import.")  # fmt: skip
    with nullcontext() if dry_run else alone(folder, by.strip() or "somebody"):
        _take(folder, file, out, by.strip(), metric, dry_run)


def _take(folder: Path, file: str, out: Console, by: str, metric: str, dry_run: bool) -> None:
    book = open_book(folder)
    names, path = names_of(book), Path(file)
    quotas = path.name == HISTORY
    told = quota_history(path) if quotas else read_target_sheets(path, names, metric)
    new = checked(told, book)
    changes = differences(new, book)
    if not changes.empty:
        _say_changes(changes, new, book, out)
    if not quotas:
        _say_emptied(kept_though_empty(empty_cells(path, names, metric), book), out)
    if changes.empty:
        out.print(f"{file} changes nothing.")
        return
    if dry_run:
        out.print("Nothing is written: --dry-run.")
        return
    if not by:
        raise BadTargets(where=file, reason="nobody is named who hands it in",
                         mend="Say who: --by NAME; or look first: --dry-run.")  # fmt: skip
    now = dt.datetime.now(tz=dt.UTC).replace(tzinfo=None)
    apply_targets(folder, changes, by, holds_from(changes, book, now), now)
    out.print(f"Taken over; noted in {folder / 'targets_log.csv'}.")


def _say_changes(changes: pd.DataFrame, new: pd.DataFrame, book: Book, out: Console) -> None:
    out.print(_shown(changes))
    before, after = (pd.to_numeric(changes[c]).fillna(0) for c in ("before", "after"))
    n_new = int(changes["before"].isna().sum())
    out.print(f"{len(changes)} targets change, {n_new} of them new; together "
              f"{before.sum() / 100:,.2f} → {after.sum() / 100:,.2f}.")  # fmt: skip
    for row in sums_off(new, book).head(SHOWN).itertuples():
        out.print(f"Note: {node_name(row.level, row.key)} ({row.metric}): its parts differ by "
                  f"{row.gap / 100:,.2f} over {row.months} months.")  # fmt: skip


def _say_emptied(kept: pd.DataFrame, out: Console) -> None:
    if kept.empty:
        return
    what = ("1 emptied cell keeps its target" if len(kept) == 1
            else f"{len(kept)} emptied cells keep their targets")  # fmt: skip
    money = kept["cents"].sum() / 100
    out.print(f"{what} ({money:,.2f}; first: {kept['where'].iloc[0]}): write 0 to take it away.")


def _shown(changes: pd.DataFrame) -> Table:
    table = Table("month", "whose", "metric", "before", "after", "place")
    for row in changes.head(SHOWN).itertuples():
        before = "—" if pd.isna(row.before) else f"{int(row.before) / 100:,.2f}"
        whose = "company" if row.level == "company" else str(row.name)
        table.add_row(row.period, whose, row.metric, before, f"{int(row.after) / 100:,.2f}",
                      row.where)  # fmt: skip
    return table
