"""Targets added to a book's folder: rows behind those that stand there, and a log of who did it."""

import csv
import datetime as dt
import io
import os
import shutil
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from salesops.book.kept import table_files
from salesops.book.write import typed
from salesops.sources.newtargets import KEYS
from salesops.sources.targetgrids import BadTargets
from salesops.stopping import uninterrupted

LOG = "targets_log.csv"
NEEDED = [*KEYS, "amount", "set_at"]
_NOTED = ["handed_in_at", "by", *KEYS, "before", "after", "set_at"]


def apply_targets(
    folder: Path, changes: pd.DataFrame, by: str, at: dt.datetime, now: dt.datetime
) -> None:
    """Add changed targets to a book's folder, and note who handed them in.

    The rows that stand there are not touched, to the byte where they are text. Both files are
    prepared before either takes its place. Call it where `targetlock.alone` holds, from the
    comparison on.

    Parameters
    ----------
    folder
        Holds `targets.csv`, `targets.parquet`, a folder `targets` of Parquet parts, or none.
    changes
        As `differences` gives them.
    by
        Who hands them in.
    at
        From when on they hold, in UTC.
    now
        When they were handed in, for the log.

    Raises
    ------
    BadTargets
        The table has no place for what a target says, such as a column `set_at`.
    """
    files = table_files(folder, "targets")
    file = files[0] if files else folder / "targets.csv"
    _refuse_without_columns(file)
    place, write = _written(file, folder, changes, at)
    log = folder / LOG
    noted = changes.assign(
        handed_in_at=f"{now:%Y-%m-%d %H:%M:%S}", by=by, set_at=_instant(at),
        after=[_money(c) for c in changes["after"]],
        before=["" if pd.isna(c) else _money(int(c)) for c in changes["before"]],
    )  # fmt: skip
    fresh = {path: path.with_name(f".{os.getpid()}.{path.name}") for path in (place, log)}
    try:
        write(fresh[place])
        _append(log, noted, _NOTED, fresh[log])
        with uninterrupted():
            for path, prepared in fresh.items():
                prepared.replace(path)
    finally:
        for prepared in fresh.values():
            prepared.unlink(missing_ok=True)


def _written(
    file: Path, folder: Path, changes: pd.DataFrame, at: dt.datetime
) -> tuple[Path, Callable[[Path], None]]:
    """Say which file is made anew, and how it is written at another place."""
    if file.suffix == ".csv":
        rows = changes.assign(amount=[_money(c) for c in changes["after"]],
                              set_at=_instant(at))  # fmt: skip
        return file, lambda fresh: _append(file, rows, NEEDED, fresh)
    schema = pq.read_schema(file)
    rows = _rows(schema, changes, at)
    if file.parent != folder:
        n = 1
        while (place := file.parent / f"taken-{n:04d}.parquet").exists():
            n += 1
        return place, lambda fresh: pq.write_table(rows, fresh)
    whole = pa.concat_tables([pq.read_table(file, partitioning=None), rows])
    return file, lambda fresh: pq.write_table(whole, fresh, compression="zstd")


def _refuse_without_columns(file: Path) -> None:
    if not file.exists():
        return
    if file.suffix == ".csv":
        with file.open(encoding="utf-8-sig", newline="") as lines:
            found = next(csv.reader(lines), [])
    else:
        found = list(pq.read_schema(file).names)
    lacking = [column for column in NEEDED if column not in found]
    if lacking:
        raise BadTargets(
            where=str(file), reason=f"it has no column {lacking[0]}, so what is set anew has no "
            "place", mend=f"Add a column {lacking[0]} to it; its cells may stay empty.",
        )  # fmt: skip


def with_what_was_set(
    earlier: pa.Table, new: pa.Table, folder: Path, exported_at: dt.datetime
) -> pa.Table:
    """Add to the targets of a book what a later export sets otherwise; nothing set is lost.

    Parameters
    ----------
    earlier, new
        The book's targets, and those of the export.
    folder
        The book's, where the log says which of its targets were handed in.
    exported_at
        When the export was made, UTC.

    Returns
    -------
    pyarrow.Table
        The rows of `earlier`, and those of `new` that say something else than the export before:
        a version with an instant of its own keeps it, an amount that changed holds from the export
        on. What was handed in stays in force until the export's own amount changes.

    Notes
    -----
    What is handed in holds until the end of the book's last day, so an export of that same day
    whose amount changed holds from then on too, behind it.
    """
    old, rows = _comparable(earlier), _comparable(new)
    told = old[~_handed_in(old, folder)]
    last = told.sort_values("set_at", na_position="first", kind="stable")
    last = last.drop_duplicates(KEYS, keep="last")[[*KEYS, "cents"]]
    both = rows.merge(last.rename(columns={"cents": "last_cents"}), on=KEYS, how="left")
    versions = set(told[[*KEYS, "set_at"]].itertuples(index=False, name=None))
    dated = [v not in versions for v in both[[*KEYS, "set_at"]].itertuples(index=False, name=None)]
    own = both["set_at"].notna().to_numpy() & np.array(dated, dtype=bool)
    # Of several versions of one target the last one is what the export says of it now.
    order = both["set_at"].fillna(pd.Timestamp.min)
    stands = order.groupby([both[k] for k in KEYS]).transform("max").eq(order).to_numpy()
    moved = stands & ~own & (both["cents"] != both["last_cents"]).to_numpy()
    frame = new.to_pandas()
    newest = old.groupby(KEYS)["set_at"].max().reindex(pd.MultiIndex.from_frame(both[KEYS]))
    since = newest.fillna(pd.Timestamp(exported_at)).clip(lower=pd.Timestamp(exported_at))
    frame["set_at"] = pd.to_datetime(both["set_at"]).mask(moved, since.to_numpy())
    added = typed("targets", frame[own | moved])
    return typed("targets", pa.concat_tables([earlier, added], promote_options="default"))


def _comparable(table: pa.Table) -> pd.DataFrame:
    frame = table.to_pandas()
    if "set_at" not in frame:
        frame["set_at"] = pd.NaT
    frame["set_at"] = frame["set_at"].astype("datetime64[us]")
    frame["key"] = frame["key"].fillna("") if "key" in frame else ""
    # No amount is less than any: what loses its amount has changed.
    frame["cents"] = [-1 if pd.isna(a) else int(Decimal(str(a)) * 100) for a in frame["amount"]]
    return frame


def _handed_in(frame: pd.DataFrame, folder: Path) -> "pd.Series[bool]":
    """Say which targets of a book the log knows as handed in."""
    log = folder / LOG
    if not log.exists():
        return pd.Series(False, index=frame.index)
    noted = pd.read_csv(log, dtype=str, keep_default_na=False)
    # An export's amount and the one handed in after it may have the same instant.
    told = [*KEYS, "set_at", "after"]
    known = set(noted[told].itertuples(index=False, name=None))
    at = frame["set_at"].dt.strftime("%Y-%m-%d %H:%M:%S.%f")
    mine = frame[KEYS].assign(set_at=at, after=frame["cents"].map(_money))
    mine = mine[told].itertuples(index=False, name=None)
    return pd.Series([row in known for row in mine], index=frame.index, dtype=bool)


def _instant(at: dt.datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S.%f}"


def _money(cents: int) -> str:
    return f"{int(cents) // 100}.{int(cents) % 100:02d}"


def _append(file: Path, rows: pd.DataFrame, columns: list[str], fresh: Path) -> None:
    """Copy a CSV with rows behind its own, in the order of its columns and with its line ends."""
    raw = b""
    if file.exists():
        shutil.copy2(file, fresh)
        raw = fresh.read_bytes()
    head = next(csv.reader(io.StringIO(raw.decode("utf-8-sig"))), []) or columns
    end = "\r\n" if b"\r\n" in raw else "\n"
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator=end)
    if not raw:
        writer.writerow(head)
    elif not raw.endswith(b"\n"):
        lines.write(end)
    for row in rows.to_dict("records"):
        writer.writerow([row.get(column, "") for column in head])
    with fresh.open("ab") as file_:
        file_.write(lines.getvalue().encode())


def _rows(schema: pa.Schema, changes: pd.DataFrame, at: dt.datetime) -> pa.Table:
    """Lay changes out in the columns and types of a table that is there."""
    values: dict[str, list[Any]] = {
        **{c: changes[c].tolist() for c in KEYS},
        "key": [key or None for key in changes["key"]],
        "amount": [Decimal(_money(c)) for c in changes["after"]],
    }
    columns = [
        _instants(at, len(changes), named.type) if named.name == "set_at"
        else pa.array(values.get(named.name, [None] * len(changes))).cast(named.type)
        for named in schema
    ]  # fmt: skip
    return pa.Table.from_arrays(columns, schema=schema)


def _instants(at: dt.datetime, n: int, kind: pa.DataType) -> pa.Array:
    found = pa.array([at.replace(tzinfo=None)] * n, pa.timestamp("us"))
    if pa.types.is_timestamp(kind) and kind.tz:
        found = pc.assume_timezone(found, "UTC")
    return found.cast(kind)
