"""Where the tables of a company lie, and what of them is there.

A store is opened once and never written through. A folder of CSV or Parquet is read by DuckDB in
the process, a `.duckdb` file is opened read-only, a database is reached by an Ibis URL.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import ibis
import pandas as pd

from salesops.book.compiled import remembering
from salesops.book.faults import (
    head_of,
    readable,
    refuse_repeated_ids,
    refuse_unknown_stages,
    refuse_wrong_values,
)
from salesops.book.kept import fits, kept_moves, kept_versions, moves_fit, table_files
from salesops.book.laying import lay_out
from salesops.book.merges import merge_file, read_merges, with_merged
from salesops.book.moves import moves
from salesops.book.register import canonical_rows
from salesops.book.registered import register_beside
from salesops.book.registerfile import FILE
from salesops.book.versions import AT
from salesops.model.errors import MissingColumn, NotABook
from salesops.model.settings import Settings
from salesops.model.tables import TABLES, facts, ibis_schema, known_at

Table: TypeAlias = ibis.Table

# Rows of these describe; without a date they were always known.
DIMENSIONS = frozenset({"accounts", "contacts", "users"})
# What stands in for a known-at that is empty.
FALLBACK = {"activities": "occurred_at"}
# Tables that are known together with another: table -> (own key, parent).
PARENTS: dict[str, tuple[tuple[str, str], ...]] = {
    "contract_lines": (("contract_id", "contracts"),),
    "instalments": (("contract_id", "contracts"),),
    "credits": (("contract_id", "contracts"), ("opportunity_id", "opportunities")),
}


@dataclass(frozen=True)
class Tracking:
    """From when on the changes of one field are known, and from what."""

    since: dt.datetime
    how: str


@dataclass(frozen=True, eq=False)
class Store:
    """One company's tables, all of them, at all times.

    Attributes
    ----------
    where
        Path or URL, for messages.
    settings
        The company's settings.
    tables
        Every canonical table with its full schema; absent ones are empty.
    present
        The columns that were found, by table; an absent table is not a key.
    tracking
        What is known of each field's history: entity -> field -> Tracking.
    latest
        Last instant at which anything came to be known, UTC.
    spans
        Versions of the tracked tables, by entity.
    moves
        The moves of deals between stages, as the log tells them.
    merged
        How many accounts are given up in favour of others; see `book.merges`.
    """

    where: str
    settings: Settings
    tables: dict[str, Table]
    present: dict[str, frozenset[str]]
    tracking: dict[str, dict[str, Tracking]]
    latest: dt.datetime
    spans: dict[str, Table] = field(repr=False)
    moves: Table = field(repr=False)
    merged: int = 0


def open_store(
    where: str | Path,
    settings: Settings | None = None,
    *,
    copied: bool = True,
    register: bool = True,
) -> Store:
    """Open a folder, a .duckdb file or a database URL.

    Parameters
    ----------
    where, settings
        Path or URL; instead of the `salesops.toml` beside the tables.
    copied
        See `assemble`.
    register
        Read the register that people keep beside a folder; who changes it reads it apart.

    Raises
    ------
    NotABook
        There is nothing there, or no table of opportunities.
    MissingColumn
        A table lacks a column without which it can't be read.
    BadRegister, BadRows
        The register can't be meant as it stands.
    """
    text = str(where)
    if "://" in text:
        return assemble(_from_url(text), settings or Settings.default(), without_password(text))
    path = Path(where)
    if not path.exists():
        raise NotABook(where=text, reason="there is no such file or folder")
    own = settings or settings_beside(path)
    merged = read_merges(merge_file(path))
    if path.is_dir():
        con = _in_process()
        # What the import laid out knows nothing of merged accounts.
        kept = None if merged else Kept(con, path)
        raw = _from_folder(con, path)
        if register and "actions" not in raw and "opportunities" in raw:
            told = register_beside(
                path, raw, own, lambda: own.calendar.local_date(latest_of(raw, own, text))
            )
            if told is not None:
                raw["actions"] = con.create_table("actions", canonical_rows(told))
        return assemble(raw, own, text, kept, copied=copied, merged=merged)
    return assemble(_from_file(path), own, text, copied=copied, merged=merged)


@dataclass(frozen=True, eq=False)
class Kept:
    """Where versions and moves kept from the import may lie."""

    con: Any
    folder: Path

    def versions(self, entity: str, settings: Settings) -> Table | None:
        """Give the kept versions of a table where they belong to its log."""
        if not fits(self.folder, entity, settings):
            return None
        path = kept_versions(self.folder, entity)
        return self.con.read_parquet(str(path), table_name=f"{entity}_versions")

    def moves(self) -> Table | None:
        """Give the kept moves between stages where they belong to the versions of the deals."""
        if not moves_fit(self.folder):
            return None
        return self.con.read_parquet(str(kept_moves(self.folder)), table_name="moves")


def assemble(
    raw: dict[str, Table],
    settings: Settings,
    where: str,
    kept: Kept | None = None,
    *,
    copied: bool = False,
    merged: Mapping[str, str] | None = None,
) -> Store:
    """Make a store of tables as they were found.

    Parameters
    ----------
    raw
        The tables that are there, by canonical name.
    settings, where
        The company's settings, which list all stages; path or URL for messages.
    kept
        Versions and moves from the import.
    copied
        Lay out versions that were not kept once, when the store is opened. As a view, which
        needs no right to write in a warehouse, every query works them out again.
    merged
        Accounts given up, and those that stand for them.
    """
    if "opportunities" not in raw:
        raise NotABook(where=where, reason="it has no table of opportunities")
    raw = with_merged(raw, merged or {})
    present = {name: frozenset(raw[name].columns) for name in raw if name in TABLES}
    tables = {name: _canonical(name, raw, where) for name in TABLES}
    refuse_unknown_stages(tables, present, settings, where)
    refuse_repeated_ids(tables["opportunities"], "opportunities", where)
    latest = _latest(tables, present, settings)
    tracking = _tracking(tables["tracked"], settings)
    spans: dict[str, Table] = {}
    moved = None
    for entity, fields in tracking.items():
        if entity not in present:
            continue
        known = kept.versions(entity, settings) if kept else None
        if kept and known is not None and entity == "opportunities":
            moved = kept.moves()
        if known is None:
            known = lay_out(entity, tables, fields, settings)
            known = known.cache() if copied else known
        spans[entity] = known
    if moved is None:
        moved = moves(tables["opportunities"], tables["changes"])
    n = len(merged or {})
    return Store(where, settings, tables, present, tracking, latest, spans, moved, n)


def settings_beside(path: Path) -> Settings:
    """Read the settings beside the tables, or give the default where there are none."""
    beside = (path if path.is_dir() else path.parent) / "salesops.toml"
    return Settings.read(beside) if beside.exists() else Settings.default()


def in_file(path: Path) -> Any:
    """Connect to a database file that is read alone."""
    return _quiet(ibis.duckdb.connect(path, read_only=True))


def _in_process() -> Any:
    return _quiet(ibis.duckdb.connect())


def _quiet(con: Any) -> Any:
    """Set a connection to UTC, and keep its progress bar, a widget in Jupyter, out of pages."""
    con.raw_sql("SET TimeZone = 'UTC'")
    con.raw_sql("SET enable_progress_bar = false")
    return remembering(con)


def _from_folder(con: Any, path: Path) -> dict[str, Table]:
    raw: dict[str, Table] = {}
    for name in TABLES:
        files = table_files(path, name)
        if files and files[0].name == FILE:
            continue  # written by people, who are read with more patience
        if files and files[0].suffix == ".csv":
            raw[name] = _csv(con, files[0], name)
        elif files:
            with readable(files[0]):
                raw[name] = con.read_parquet([str(part) for part in files], table_name=name)
    return raw


def _csv(con: Any, path: Path, name: str) -> Table:
    """Read a CSV once, as text; the canonical types are given by the cast that follows."""
    # All is told, since a guess takes a broken row for another separator.
    form = {"delim": ",", "quote": '"', "escape": '"', "header": True, "auto_detect": False}
    with readable(path):
        columns = dict.fromkeys(head_of(path), "VARCHAR")
        view = con.read_csv(str(path), columns=columns, table_name=f"{name}_csv", **form)
        # The head is row 1 of the file.
        table = con.create_table(name, view.mutate(row=ibis.row_number() + 2))
    refuse_wrong_values(table, name, path)
    if "id" in table.columns and "id" in facts(name):
        refuse_repeated_ids(table, name, str(path))
    return table.drop("row")


def _from_file(path: Path) -> dict[str, Table]:
    if path.suffix != ".duckdb":
        raise NotABook(where=str(path), reason="it is neither a folder nor a .duckdb file")
    with readable(path):
        return _listed(in_file(path))


def _from_url(url: str) -> dict[str, Table]:
    try:
        con = ibis.connect(url)
    except Exception as error:  # each driver has its own root of errors
        raise NotABook(where=without_password(url), reason=str(error).strip()) from error
    return _listed(con)


def _listed(con: Any) -> dict[str, Table]:
    names = set(con.list_tables())
    return {name: con.table(name) for name in TABLES if name in names}


def without_password(url: str) -> str:
    """Show a URL without the user and password in it.

    Examples
    --------
    >>> without_password("postgresql://ann:secret@host/sales")
    'postgresql://…@host/sales'
    """
    head, _, tail = url.rpartition("@")
    return f"{head.split('://')[0]}://…@{tail}" if head else url


def _canonical(name: str, raw: dict[str, Table], where: str) -> Table:
    """Give a table all its columns in their types; absent ones are null."""
    schema = ibis_schema(name)
    if name not in raw:
        # No row of a table that is there, so that the empty one lives on the same engine.
        nothing = {column: ibis.null(kind) for column, kind in schema.items()}
        return raw["opportunities"].filter(ibis.literal(False)).select(**nothing)
    found = raw[name]
    missing = [c.name for c in facts(name).values() if c.mandatory and c.name not in found.columns]
    if missing:
        raise MissingColumn(table=name, column=missing[0], where=where, found=tuple(found.columns))
    columns = {
        column: found[column].cast(kind) if column in found.columns else ibis.null(kind)
        for column, kind in schema.items()
    }
    return found.select(**columns)


def known_expression(name: str, table: Table) -> ibis.Value | None:
    """Say from which instant or day on a row is known; None where its parent decides."""
    column = known_at(name)
    if name == "targets":
        return ibis.coalesce(table.set_at, _month_start(table.period))
    if column is None:
        return None
    if name in FALLBACK:
        return ibis.coalesce(table[column], table[FALLBACK[name]])
    return table[column]


def _month_start(period: ibis.Value) -> ibis.Value:
    return period.concat("-01 00:00:00").cast(AT)


def _latest(
    tables: dict[str, Table], present: dict[str, frozenset[str]], settings: Settings
) -> dt.datetime:
    """Find the last instant at which anything came to be known.

    What the review notes is no news of the market: the book's date does not move by it.
    """
    columns = [("changes", "changed_at"), ("tracked", "since")]
    others = ("targets", "users", "actions")
    columns += [(n, c) for n in present if (c := known_at(n)) and n not in others]
    columns += [("targets", "set_at"), ("opportunities", "closed_at")]
    found: list[dt.datetime] = []
    for name in dict.fromkeys(name for name, _column in columns if name in present):
        wanted = [c for n, c in columns if n == name and c in present[name]]
        if not wanted:
            continue
        row = tables[name].agg(**{c: tables[name][c].max() for c in wanted}).to_pandas().iloc[0]
        # A frame gives days as instants at midnight; which they are the schema says.
        for column in (c for c in wanted if not pd.isna(row[c])):
            at = pd.Timestamp(row[column])
            is_day = tables[name][column].type().is_date()
            found.append(_instant(at.date() if is_day else at, settings))
    return max(found, default=dt.datetime(1970, 1, 1))


def latest_of(raw: dict[str, Table], settings: Settings, where: str) -> dt.datetime:
    """Find the last instant that tables know of, before they are made a store.

    Raises
    ------
    NotABook, MissingColumn
        They could not become one.
    """
    if "opportunities" not in raw:
        raise NotABook(where=where, reason="it has no table of opportunities")
    present = {name: frozenset(raw[name].columns) for name in raw if name in TABLES}
    tables = {name: _canonical(name, raw, where) for name in TABLES}
    return _latest(tables, present, settings)


def _instant(value: Any, settings: Settings) -> dt.datetime:
    """Read an instant; what is only dated is known at the end of its day."""
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return settings.calendar.end_of(value)
    return pd.Timestamp(value).to_pydatetime()


def _tracking(tracked: Table, settings: Settings) -> dict[str, dict[str, Tracking]]:
    found: dict[str, dict[str, Tracking]] = {}
    for row in tracked.to_pandas().itertuples():
        if row.entity not in TABLES or row.field not in ibis_schema(row.entity):
            continue
        since = dt.datetime(1900, 1, 1) if pd.isna(row.since) else _instant(row.since, settings)
        found.setdefault(row.entity, {})[row.field] = Tracking(since, row.how or "log")
    return found
