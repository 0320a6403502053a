"""Accounts that are one customer: a list that is applied when a book is opened, and can be undone.

`merges.csv` lies beside the tables (in a database, the table `merges`): `account_id`, the account
that is given up, and `into_id`, the one that stands for it. No other file is changed, so that
without the list the book is what it was.
"""

import csv
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import ibis
import pandas as pd
from ibis import _

from salesops.model.errors import SalesopsError
from salesops.model.tables import TABLES, facts

Table: TypeAlias = ibis.Table
FILE, FROM, INTO = "merges.csv", "account_id", "into_id"


@dataclass(eq=False, kw_only=True)
class BadMerge(SalesopsError, ValueError):
    """A list of accounts to merge can't be applied."""

    where: str
    reason: str
    mend: str

    def __str__(self) -> str:
        return (
            f"{self.where} can't be applied: {self.reason}.\n"
            "Expected: a list of two customers of this book in each row, marked yes or no.\n"
            f"{self.mend}"
        )


def merge_file(where: str | Path) -> Path:
    """Name the file that holds the list of a folder or a `.duckdb` file."""
    path = Path(where)
    return (path if path.is_dir() else path.parent) / FILE


def resolved(pairs: Mapping[str, str], where: str) -> dict[str, str]:
    """Follow every account to the one that stands for it in the end.

    Raises
    ------
    BadMerge
        Accounts stand for each other in a circle.

    Examples
    --------
    >>> resolved({"c": "b", "b": "a"}, "list.csv")
    {'c': 'a', 'b': 'a'}
    """
    found = {}
    for account in pairs:
        seen, into = [account], pairs[account]
        while into in pairs:
            if into in seen:
                raise BadMerge(
                    where=where, reason=f"{' → '.join([*seen, into])} leads back to itself",
                    mend="Leave one of these rows out: one account has to stand for the others.",
                )  # fmt: skip
            seen.append(into)
            into = pairs[into]
        found[account] = into
    return found


def read_merges(path: Path) -> dict[str, str]:
    """Read the list that is applied; empty where there is none.

    Raises
    ------
    BadMerge
        Columns are missing, or the list contradicts itself.
    """
    if not path.exists():
        return {}
    with path.open(encoding="utf-8-sig", newline="") as lines:
        rows = list(csv.DictReader(lines))
    if rows and not {FROM, INTO} <= set(rows[0]):
        raise BadMerge(where=str(path), reason=f"it has no columns {FROM} and {INTO}",
                       mend="Take the file away, and merge again with salesops merge.")  # fmt: skip
    named = {row[FROM]: row[INTO] for row in rows if row[FROM] != row[INTO]}
    return resolved(named, str(path))


def write_merges(path: Path, pairs: Mapping[str, str]) -> None:
    """Write the list in one step, so that nobody reads half of it."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    frame = pd.DataFrame(sorted(pairs.items()), columns=[FROM, INTO])
    try:
        frame.to_csv(fresh, index=False, lineterminator="\n")
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)


def with_merged(raw: Mapping[str, Table], pairs: Mapping[str, str]) -> dict[str, Table]:
    """Give tables in which merged accounts are those that stand for them.

    Rows of the accounts given up are gone, and so is their history; whatever hangs on them hangs
    on the other account.
    """
    if not pairs:
        return dict(raw)
    given_up = list(pairs)
    found = dict(raw)
    for name in raw:
        for column in _references(name):
            if column in raw[name].columns:
                found[name] = _replaced(found[name], column, pairs)
    if "accounts" in found:
        accounts = found["accounts"]
        found["accounts"] = accounts.filter(~accounts.id.cast("string").isin(given_up))
    if "changes" in found:
        found["changes"] = _without_theirs(found["changes"], given_up, pairs)
    return found


def _references(name: str) -> list[str]:
    return [c.name for c in facts(name).values() if c.refers == "accounts"]


def _replaced(table: Table, column: str, pairs: Mapping[str, str]) -> Table:
    """Write the account that stands for another in a column."""
    keys = pd.DataFrame(list(pairs.items()), columns=["given_up_", "stands_"])
    known = ibis.memtable(keys, schema={"given_up_": "string", "stands_": "string"})
    joined = table.left_join(known, table[column].cast("string") == known.given_up_)
    value = ibis.coalesce(joined.stands_, joined[column].cast("string"))
    return joined.mutate(**{column: value}).select(table.columns)


def _without_theirs(changes: Table, given_up: list[str], pairs: Mapping[str, str]) -> Table:
    theirs = (_.entity == "accounts") & _.entity_id.cast("string").isin(given_up)
    rows = changes.filter(~theirs.fill_null(False))
    fields = sorted({c for name in TABLES for c in _references(name)})
    named, rest = rows.filter(rows.field.isin(fields)), rows.filter(~rows.field.isin(fields))
    for column in ("old_value", "new_value"):
        named = _replaced(named, column, pairs)
    types = {c: rest[c].cast("string") for c in ("old_value", "new_value")}
    return named.union(rest.mutate(**types).select(named.columns))
