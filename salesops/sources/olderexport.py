"""An export that is older than what the book knows, put into the history where it belongs."""

import datetime as dt
from collections.abc import Mapping

import pandas as pd
import pyarrow as pa

from salesops.book.snapshots import (
    SNAPSHOT_TABLES,
    canonical_text,
    differences,
    moving_fields,
    removed_rows,
)
from salesops.book.write import typed

_LOG = ["entity", "entity_id", "field", "old_value", "new_value", "changed_at", "changed_after",
        "changed_by", "seq"]  # fmt: skip


def with_older(
    tables: Mapping[str, pa.Table],
    earlier: Mapping[str, pa.Table],
    exported_at: dt.datetime,
    logged: set[tuple[str, str]],
) -> tuple[dict[str, pa.Table], dict[str, int]]:
    """Put an older export between those that the book knows.

    The tables stay as the newest export wrote them. What differed between the export before it and
    the one after it now lies in one of two shorter times.

    Parameters
    ----------
    tables
        The older export.
    earlier
        The tables of the book.
    exported_at
        When the older export was made, UTC.
    logged
        Fields whose history a log tells; of these an export says nothing new.

    Returns
    -------
    tuple
        The tables to write, and the number of differences that were found anew, by table.
    """
    written = dict(earlier)
    log = _log_of(earlier)
    counts: dict[str, int] = {}
    since: dict[tuple[str, str], dt.datetime] = {}
    for name in SNAPSHOT_TABLES:
        if name not in tables or name not in earlier or name == "actions":
            continue
        then = tables[name].to_pandas()
        now = earlier[name].to_pandas()
        times = _times(log, earlier["tracked"].to_pandas(), name)
        after = min(t for t in times if t > exported_at)
        before = max((t for t in times if t < exported_at), default=None)
        fields = [f for f in moving_fields(name, then.columns.tolist()) if (name, f) not in logged]
        later = _state(name, now, log, after, fields)
        of_then = then[["id", *fields]]
        found = [differences(name, of_then, later, exported_before=exported_at, exported_at=after)]
        if before is not None:
            first = _state(name, now, log, before, fields)
            found.insert(0, differences(name, first, of_then, exported_before=before,
                                        exported_at=exported_at))  # fmt: skip
            log = log[~_between(log, name, before, after, fields)]
        else:
            since |= {(name, field): exported_at for field in fields}
        gone = removed_rows(then, now)
        if len(gone):
            both = under(now, gone[[c for c in gone if c in now]])
            written[name] = typed(name, pa.Table.from_pandas(both, preserve_index=False))
        counts[name] = sum(len(rows) for rows in found)
        log = under(log, *[rows[_LOG] for rows in found])
    written["changes"] = typed("changes", pa.Table.from_pandas(log, preserve_index=False))
    written["tracked"] = _since(earlier["tracked"], since)
    return written, {name: n for name, n in counts.items() if n}


def under(*frames: pd.DataFrame) -> pd.DataFrame:
    """Put frames under each other; columns of nulls alone have no type that would count."""
    filled = [frame.astype(object) for frame in frames if len(frame)]
    return pd.concat(filled, ignore_index=True) if filled else frames[0]


def _log_of(earlier: Mapping[str, pa.Table]) -> pd.DataFrame:
    if "changes" not in earlier:
        return pd.DataFrame({column: [] for column in _LOG}, dtype=object)
    log = earlier["changes"].to_pandas()
    return log.assign(**{c: None for c in _LOG if c not in log})[_LOG]


def _times(log: pd.DataFrame, tracked: pd.DataFrame, name: str) -> list[dt.datetime]:
    """List when the exports were made of which the book was built, as far as a table tells."""
    seen = log[log["changed_after"].notna()]
    found = {*pd.to_datetime(seen["changed_at"]), *pd.to_datetime(seen["changed_after"])}
    own = tracked[(tracked["entity"] == name) & (tracked["how"] == "snapshot")]
    found |= set(pd.to_datetime(own["since"])) or set(pd.to_datetime(tracked["since"]))
    return sorted(pd.Timestamp(t).to_pydatetime() for t in found if not pd.isna(t))


def _state(
    name: str, now: pd.DataFrame, log: pd.DataFrame, at: dt.datetime, fields: list[str]
) -> pd.DataFrame:
    """Give the rows that were there at a time, with the values that they had."""
    own = log[log["entity"] == name].sort_values(["changed_at", "seq"], kind="stable")
    is_later = pd.to_datetime(own["changed_at"]) > at
    later, until = own[is_later], own[~is_later]
    # A row is there after its birth and before its removal; without either it always was.
    last = until[until["field"] == "_row"].drop_duplicates("entity_id", keep="last")
    following = later[later["field"] == "_row"].drop_duplicates("entity_id")
    born_later = set(following.loc[following["new_value"].notna(), "entity_id"])
    absent = set(last.loc[last["new_value"].isna(), "entity_id"])
    absent |= born_later - set(last["entity_id"])
    state = now.loc[~now["id"].isin(absent), ["id"]].copy()
    for field in fields:
        current = now.set_index("id")[field].map(canonical_text) if field in now else None
        state[field] = state["id"].map(current) if current is not None else None
        moved = later[later["field"] == field].drop_duplicates("entity_id")
        old = moved.set_index("entity_id")["old_value"]
        hit = state["id"].isin(old.index)
        state.loc[hit, field] = state.loc[hit, "id"].map(old)
    return state


def _between(
    log: pd.DataFrame, name: str, before: dt.datetime, after: dt.datetime, fields: list[str]
) -> "pd.Series":
    """Say which entries are differences of exactly these two exports."""
    return (
        (log["entity"] == name)
        & log["field"].isin([*fields, "_row"])
        & (pd.to_datetime(log["changed_at"]) == after)
        & (pd.to_datetime(log["changed_after"]) == before)
    )


def _since(tracked: pa.Table, since: Mapping[tuple[str, str], dt.datetime]) -> pa.Table:
    frame = tracked.to_pandas()
    for row in frame.index:
        key = (frame.at[row, "entity"], frame.at[row, "field"])
        if key in since and frame.at[row, "how"] == "snapshot":
            frame.at[row, "since"] = pd.Timestamp(since[key])
    return typed("tracked", pa.Table.from_pandas(frame, preserve_index=False))
