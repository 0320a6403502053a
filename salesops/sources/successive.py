"""A later export of the same company: its differences become history, nothing is lost."""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias
from zoneinfo import ZoneInfo

import ibis
import pandas as pd
import pyarrow as pa

from salesops.book.kept import table_files
from salesops.book.registerfile import FILE
from salesops.book.snapshots import SNAPSHOT_TABLES, differences, moving_fields, removed_rows
from salesops.book.store import latest_of, open_store
from salesops.book.write import lent, read_tables, typed
from salesops.model.errors import BadDate, SalesopsError
from salesops.model.settings import Settings
from salesops.sources.olderexport import under, with_older
from salesops.sources.targetstore import with_what_was_set

# What a table of tracked fields means by no date.
EVER = dt.datetime(1900, 1, 1)
# Table, its rows before, its rows now, whether the export is a later one.
Surprises: TypeAlias = Callable[[str, pd.DataFrame, pd.DataFrame, bool], None]
# Table and field -> since when its history is known (null: the export), and how.
Logged: TypeAlias = dict[tuple[str, str], tuple[dt.datetime | None, str]]


@dataclass(eq=False, kw_only=True)
class OlderExport(SalesopsError, ValueError):
    """An export is older than what the book already knows."""

    exported_at: dt.datetime
    known: dt.datetime

    def __str__(self) -> str:
        return (
            f"This export is of {self.exported_at:%Y-%m-%d %H:%M} UTC; the book already knows "
            f"{self.known:%Y-%m-%d %H:%M}.\n"
            "Expected: exports in the order in which they were made.\n"
            "Name its date with --exported-at if it is newer than it looks; say --older to put it "
            "into the history where it belongs; or import it into another folder."
        )


def latest_known(tables: Mapping[str, pa.Table], settings: Settings) -> dt.datetime:
    """Find the last instant that tables know of."""
    con = ibis.duckdb.connect()
    raw = {name: lent(con, table, name) for name, table in tables.items()}
    return latest_of(raw, settings, "the export")


def export_time(
    given: str | None, tables: Mapping[str, pa.Table], settings: Settings
) -> dt.datetime:
    """Say when the export was made: as told, else the last instant that it knows of.

    Raises
    ------
    BadDate
        What was told is no ISO date.
    """
    if given:
        try:
            whole = dt.datetime.fromisoformat(given)
        except ValueError as error:
            raise BadDate(
                value=given, reason="it is no ISO date", option="--exported-at"
            ) from error
        if len(given) <= 10:
            return settings.calendar.end_of(whole.date())
        if whole.tzinfo is None:
            whole = whole.replace(tzinfo=ZoneInfo(settings.company.zone))
        return whole.astimezone(dt.UTC).replace(tzinfo=None)
    return latest_known(tables, settings)


def carried_history(tables: Mapping[str, pa.Table]) -> Logged:
    """Name the fields whose history an export brings along, as tables of its own."""
    if "tracked" not in tables:
        return {}
    return {
        (row["entity"], row["field"]): (row.get("since") or EVER, row.get("how") or "log")
        for row in tables["tracked"].to_pylist()
    }


def with_earlier(
    tables: dict[str, pa.Table],
    book: Path,
    exported_at: dt.datetime,
    logged: Logged,
    *,
    unread: Mapping[str, set[str]] | None = None,
    older: bool = False,
    surprises: Surprises | None = None,
) -> tuple[dict[str, pa.Table], dict[str, int]]:
    """Add the history that the book already holds, and what changed since its last export.

    Parameters
    ----------
    tables
        The new export.
    book
        Folder of the book; where there is none this is the first import.
    exported_at
        When the export was made, UTC.
    logged
        Fields whose history the export itself carries: since when, and as what.
    unread
        Ids of rows of the export that could not be read, by table: they stay as they were.
    older
        An export that is older than what the book knows is put into its history.
    surprises
        Looks at the tables of before and after, by name, and refuses what can't be a later export.

    Returns
    -------
    tuple
        The tables to write, and the number of differences by table. Where people keep a register
        beside the book it counts, not that of an export, and none is among the tables.

    Raises
    ------
    OlderExport
        The book already knows more.
    """
    own = [path.name for path in table_files(book, "actions")] == [FILE]
    if own:
        tables = {name: table for name, table in tables.items() if name != "actions"}
    if not (book / "tracked.parquet").exists():
        return {**tables, "tracked": _tracked(tables, exported_at, logged, None)}, {}
    store = open_store(book, register=not own)
    earlier = read_tables(store)
    before = _last_export(earlier)
    if exported_at < before:
        if older:
            return with_older(tables, earlier, exported_at, set(logged))
        raise OlderExport(exported_at=exported_at, known=before)
    found: list[pd.DataFrame] = []
    for name in SNAPSHOT_TABLES:
        if name not in tables or name not in earlier:
            continue
        old, new = earlier[name].to_pandas(), tables[name].to_pandas()
        removed = _removed(earlier, name)
        stays = old["id"].isin((unread or {}).get(name, set())) & ~old["id"].isin(new["id"])
        new = under(new, old[stays]) if stays.any() else new
        there = old[~old["id"].isin(removed)]
        if surprises is not None:
            surprises(name, there, new, exported_at > before)
        if exported_at > before:
            rows = differences(name, there, new, exported_before=before, exported_at=exported_at)
            found.append(_unlogged(rows, {f for e, f in logged if e == name}, removed))
        # What is gone stays as void, also what was gone before.
        kept_ids = set(old["id"]) if exported_at > before else removed
        gone = removed_rows(old[old["id"].isin(kept_ids)], new)
        if len(gone) or stays.any():
            both = under(new, gone) if len(gone) else new
            tables[name] = typed(name, pa.Table.from_pandas(both, preserve_index=False))
    if "targets" in tables and "targets" in earlier:
        tables["targets"] = with_what_was_set(earlier["targets"], tables["targets"], book,
                                              exported_at)  # fmt: skip
    changes = [t for t in (earlier.get("changes"), tables.get("changes")) if t is not None]
    merged = _merged(changes, found)
    tracked = _tracked(tables, exported_at, logged, earlier["tracked"])
    counts = {r["entity"].iloc[0]: len(r) for r in found if len(r)}
    kept = {n: t for n, t in earlier.items() if n not in tables and n not in ("tracked", "changes")}
    log = {"changes": merged} if merged.num_rows or "changes" in earlier else {}
    return {**kept, **tables, **log, "tracked": tracked}, counts


def _unlogged(rows: pd.DataFrame, own: set[str], removed: set[str]) -> pd.DataFrame:
    """Keep the differences that the export's own log does not tell.

    A row that is new is known since it was created where a log tells what became of it; seen
    between two exports it is known from the later one on.
    """
    if not own:
        return rows
    new = (rows["field"] == "_row") & rows["new_value"].notna()
    back = rows["entity_id"].isin(removed)
    return rows[~rows["field"].isin(own) & (~new | back)]


def _last_export(earlier: Mapping[str, pa.Table]) -> dt.datetime:
    known = [earlier["tracked"].to_pandas()["since"].max()]
    if "changes" in earlier and earlier["changes"].num_rows:
        known.append(earlier["changes"].to_pandas()["changed_at"].max())
    return max(pd.Timestamp(k).to_pydatetime() for k in known if not pd.isna(k))


def _removed(earlier: Mapping[str, pa.Table], name: str) -> set[str]:
    """Ids that an earlier import already found to be gone."""
    if "changes" not in earlier:
        return set()
    changes = earlier["changes"].to_pandas()
    rows = changes[(changes["entity"] == name) & (changes["field"] == "_row")]
    last = rows.sort_values("changed_at").groupby("entity_id")["new_value"].last()
    return set(last.index[last.isna()])


def _merged(logs: list[pa.Table], found: list[pd.DataFrame]) -> pa.Table:
    frames = [log.to_pandas() for log in logs] + [f for f in found if len(f)]
    if not frames:
        return typed("changes", pa.table({c: [] for c in ("entity", "entity_id", "field",
                                                          "changed_at")}))  # fmt: skip
    merged = pd.concat([f for f in frames if len(f)] or frames[:1], ignore_index=True)
    keys = ["entity", "entity_id", "field", "old_value", "new_value", "changed_at"]
    merged = merged.drop_duplicates(subset=keys)
    return typed("changes", pa.Table.from_pandas(merged, preserve_index=False))


def _tracked(
    tables: Mapping[str, pa.Table],
    exported_at: dt.datetime,
    logged: Logged,
    earlier: pa.Table | None,
) -> pa.Table:
    """Say from when on each moving field's history is known, and how."""
    rows = {} if earlier is None else {
        (r["entity"], r["field"]): (r["since"], r["how"]) for r in earlier.to_pylist()
    }  # fmt: skip
    for key, (since, how) in logged.items():
        rows.setdefault(key, (exported_at if pd.isna(since) else since, how))
    for name in SNAPSHOT_TABLES:
        if name in tables:
            for field in moving_fields(name, tables[name].column_names):
                rows.setdefault((name, field), (exported_at, "snapshot"))
    frame = pd.DataFrame(
        [(e, f, since, how) for (e, f), (since, how) in sorted(rows.items())],
        columns=["entity", "field", "since", "how"],
    )
    return typed("tracked", pa.Table.from_pandas(frame, preserve_index=False))
