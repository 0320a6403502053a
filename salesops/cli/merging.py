"""The list of customers entered twice: written, filled in by a person, applied, undone."""

import os
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from rich.console import Console
from rich.table import Table

from salesops.book.book import Book, open_book
from salesops.book.merges import (
    FROM,
    INTO,
    BadMerge,
    merge_file,
    read_merges,
    resolved,
    write_merges,
)
from salesops.metrics.duplicates import merge_list

YES = frozenset({"yes", "y", "1", "x", "true", "是", "合并", "✓", "√"})
NO = frozenset({"", "no", "n", "0", "false", "否", "不合并", "nan"})
SHOWN = 20


def list_duplicates(where: str, file: str, out: Console) -> None:
    """Show the customers entered twice, and write them to be filled in where a file is named."""
    book = open_book(where)
    found = merge_list(book)
    if found.empty:
        out.print(f"No customer of {where} is entered twice, as far as names and ids tell.")
        return
    table = Table("give up", "", "stands for it", "", "chance", "agrees")
    for row in found.head(SHOWN).itertuples():
        table.add_row(row.account_id, row.account, row.into_id, row.into, f"{row.chance:.0%}",
                      row.reason)  # fmt: skip
    out.print(table)
    two = int(found["two_owners"].sum())
    out.print(f"{len(found)} of {book.n('accounts')} customers are entered twice, "
              f"{two} of them under two owners; {min(SHOWN, len(found))} are shown.")  # fmt: skip
    if not file:
        out.print(f"Write them all to a list: salesops duplicates {where} --out merges.xlsx")
        return
    _write(found, Path(file))
    out.print(f"Written to {file}. Fill in the column merge with yes where both are one customer,\n"
              f"then: salesops merge {where} {file}")  # fmt: skip


def _write(found: pd.DataFrame, path: Path) -> None:
    if path.suffix.lower() not in (".csv", ".xlsx"):
        raise BadMerge(where=str(path), reason="a list is written as .csv or .xlsx",
                       mend="Name the file for example merges.xlsx.")  # fmt: skip
    fresh = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        if path.suffix.lower() == ".csv":
            # With a mark at the beginning, by which Excel knows the encoding.
            found.to_csv(fresh, index=False, encoding="utf-8-sig", lineterminator="\n")
        else:
            found.to_excel(fresh, index=False, sheet_name="merges")
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)


def apply_merges(where: str, file: str, out: Console, *, dry_run: bool) -> None:
    """Apply the rows of a list that are marked with yes, beside what was applied before."""
    path = _place(where)
    wanted = chosen(_read(Path(file)), file)
    book = open_book(where)
    before = read_merges(path)
    _refuse_unknown(wanted, book, before, file)
    pairs = resolved({**before, **wanted}, file)
    out.print(f"{len(wanted)} customers are given up for others"
              + (f", beside {len(before)} of before" if before else "") + ".")  # fmt: skip
    if dry_run:
        out.print("Nothing is written: --dry-run.")
        return
    if not wanted:
        mend = "Write yes (是) where both are one customer, and run it again."
        raise BadMerge(where=file, reason="no row is marked with yes", mend=mend)
    write_merges(path, pairs)
    out.print(f"Applied; undo it with salesops merge {where} --undo")


def undo_merges(where: str, out: Console) -> None:
    """Take the list back that is applied."""
    path = _place(where)
    before = read_merges(path)
    path.unlink(missing_ok=True)
    out.print(f"{len(before)} customers stand for themselves again." if before
              else "No list of merged customers is applied.")  # fmt: skip


def _place(where: str) -> Path:
    if "://" in where:
        raise BadMerge(where=where, reason="a database is never written to",
                       mend="Merge in a folder: salesops import it there first.")  # fmt: skip
    if not Path(where).exists():
        open_book(where)
    return merge_file(where)


def _read(path: Path) -> pd.DataFrame:
    if not path.is_file():
        mend = "Write it with salesops duplicates BOOK --out merges.xlsx."
        raise BadMerge(where=str(path), reason="there is no such file", mend=mend)
    try:
        if path.suffix.lower() == ".csv":
            rows = pd.read_csv(path, dtype=str, encoding="utf-8-sig")
        else:
            rows = pd.read_excel(path, dtype=str)
    except (ValueError, OSError, KeyError) as error:
        mend = "Give the .csv or .xlsx that salesops duplicates wrote."
        reason = str(error).splitlines()[0]
        raise BadMerge(where=str(path), reason=reason, mend=mend) from error
    lacking = [c for c in (FROM, INTO, "merge") if c not in rows.columns]
    if lacking:
        mend = f"It needs {FROM}, {INTO} and merge, as written by salesops duplicates."
        raise BadMerge(where=str(path), reason=f"it has no column {lacking[0]}", mend=mend)
    return rows


def chosen(rows: pd.DataFrame, where: str) -> dict[str, str]:
    """Give the rows marked with yes, by the account that is given up.

    Raises
    ------
    BadMerge
        A mark is neither yes nor no, an account is missing, or one is given up for two.
    """
    marks = rows["merge"].fillna("").astype(str).str.strip().str.lower()
    for line, mark in enumerate(marks, start=2):
        if mark not in YES | NO:
            raise BadMerge(where=where, reason=f"row {line} has {mark!r} in the column merge",
                           mend="Write yes or no there, or nothing for no.")  # fmt: skip
    found: dict[str, str] = {}
    for line, (account, into) in enumerate(
        rows[[FROM, INTO]].fillna("").astype(str).itertuples(index=False), start=2
    ):
        if marks.iloc[line - 2] not in YES:
            continue
        if not account or not into or account == into:
            raise BadMerge(where=where, reason=f"row {line} does not name two customers",
                           mend=f"Fill in {FROM} and {INTO}, or take the yes away.")  # fmt: skip
        if found.get(account, into) != into:
            raise BadMerge(where=where, reason=f"{account} is given up for two others",
                           mend="Keep one of these rows.")  # fmt: skip
        found[account] = into
    return found


def _refuse_unknown(wanted: dict[str, str], book: Book, before: dict[str, str], where: str) -> None:
    known: Sequence[str] = [*book.accounts.select("id").to_pandas()["id"], *before]
    unknown = sorted({*wanted, *wanted.values()} - set(known))
    if unknown:
        raise BadMerge(where=where, reason=f"there is no customer {unknown[0]}",
                       mend="Was the list written from another book? Write it anew with "
                       "salesops duplicates.")  # fmt: skip
