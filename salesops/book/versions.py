"""From the log of changes to spans of time in which a row looked the same.

`versions` turns the log of one table into rows `(id, valid_from, valid_to, tracked fields)`; a row
`as_of(t)` is then the one with `valid_from <= t < valid_to`. The forms used here run on DuckDB,
PostgreSQL and Spark alike: no asof join, no ordered first, no boolean cast to a number.
"""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import ibis
import ibis.expr.datatypes as dt
from ibis import _

Table: TypeAlias = ibis.Table

AT = "timestamp(6)"
# Later would overflow the nanoseconds of pandas.
NEVER = ibis.timestamp("2200-01-01 00:00:00").cast(AT)
ALWAYS = ibis.timestamp("1900-01-01 00:00:00").cast(AT)


def versions(
    current: Table,
    log: Table,
    *,
    tracked: Mapping[str, dt.DataType],
    known_at: str,
    open_stages: Sequence[str] = (),
) -> Table:
    """Lay out the spans of time in which each row of a table looked the same.

    Parameters
    ----------
    current
        The table as it is now, with `id` and the column `known_at`.
    log
        The changes of this table: `entity_id, field, old_value, new_value, changed_at, seq`.
    tracked
        Fields with a history and their types.
    known_at
        Column from which on a row is known.
    open_stages
        Stages in which a deal is open; with `stage` tracked they add the columns below.

    Returns
    -------
    ibis.Table
        One row per row and span: `id`, `valid_from`, `valid_to` (exclusive), `removed` (true from
        a tombstone on), the tracked fields; and for deals `stage_entered_at` (null where the log
        does not show the entry), `owner_at_entry` (who owned it then) and `last_stage` (the last
        open stage that was entered).

    Notes
    -----
    A field's value in a span is the old value of its earliest change at or after the span's end,
    else the current value. Whether there is a later change decides, never whether its old value
    is null: null old values are real. Changes at the same instant are ordered by `seq`.
    """
    events = _events(log, tracked)
    ends = _with_tail(events, current, tracked)
    spans = _filled(ends, tracked)
    born = _born(current, log, known_at)
    spans = spans.join(born, spans.entity_id == born.id, how="inner").drop("entity_id")
    spans = spans.mutate(
        valid_from=ibis.greatest(ibis.coalesce(_.before, _.born_at), _.born_at),
        removed=ibis.ifelse(ibis.coalesce(_.before, ALWAYS) >= _.removed_at, True, False),
    )
    spans = spans.filter(_.valid_from < _.valid_to)
    names = ["id", "valid_from", "valid_to", "removed", *tracked]
    if "stage" in tracked and open_stages:
        spans = _with_stage_runs(spans, open_stages, has_owner="owner_id" in tracked)
        names += ["stage_entered_at", "owner_at_entry", "last_stage"]
    return spans.select(names)


def _flag(condition: ibis.Value) -> ibis.Value:
    return ibis.ifelse(condition, ibis.literal(1, "int64"), ibis.literal(0, "int64"))


def _events(log: Table, tracked: Mapping[str, dt.DataType]) -> Table:
    """One row per row and instant of change, with the old value of each field changed then."""
    tie = ibis.window(group_by=["entity_id", "field", "changed_at"], order_by="seq")
    fields = [*tracked, "_row"]
    ranked = log.filter(_.field.isin(fields)).mutate(rank=ibis.row_number().over(tie))
    changed = {f"has_{f}": _flag(_.field == f).max().cast("int64") for f in tracked}
    old = {f"old_{f}": _.old_value.max(where=(_.field == f) & (_.rank == 0)) for f in tracked}
    return ranked.group_by("entity_id", "changed_at").agg(**changed, **old)


def _with_tail(events: Table, current: Table, tracked: Mapping[str, dt.DataType]) -> Table:
    """Add the present as a last change whose old values are the current ones."""
    tail = current.select(
        entity_id=_.id,
        changed_at=NEVER,
        **{f"has_{f}": ibis.literal(1, "int64") for f in tracked},
        **{f"old_{f}": current[f].cast("string") for f in tracked},
    )
    kinds = {"changed_at": AT} | {f"has_{f}": "int64" for f in tracked}
    same = ibis.schema({name: kinds.get(name, "string") for name in tail.columns})
    return ibis.union(events.select(tail.columns).cast(same), tail.cast(same))


def _filled(ends: Table, tracked: Mapping[str, dt.DataType]) -> Table:
    """Carry each old value back over the spans that end before its change."""
    later = ibis.window(
        group_by="entity_id", order_by=ibis.desc("changed_at"), preceding=None, following=0
    )
    earlier = ibis.window(group_by="entity_id", order_by="changed_at")
    runs = {f"run_{f}": ends[f"has_{f}"].sum().over(later) for f in tracked}
    stage_at = {}
    if "stage" in tracked:
        up_to = ibis.window(
            group_by="entity_id", order_by="changed_at", preceding=None, following=0
        )
        moved = ibis.ifelse(_.has_stage == 1, _.changed_at, ibis.null(AT))
        stage_at = {"stage_moved_at": moved.max().over(up_to)}
    ends = ends.mutate(before=_.changed_at.lag().over(earlier), **runs, **stage_at)
    if stage_at:
        ends = ends.mutate(stage_entered_at=_.stage_moved_at.lag().over(earlier))
    values = {
        f: ends[f"old_{f}"].max().over(ibis.window(group_by=["entity_id", f"run_{f}"])).cast(kind)
        for f, kind in tracked.items()
    }
    kept = ["stage_entered_at"] if stage_at else []
    return ends.select("entity_id", "before", *kept, valid_to=_.changed_at, **values)


def _born(current: Table, log: Table, known_at: str) -> Table:
    """When each row came to be known, and when it was removed."""
    rows = (
        log.filter(_.field == "_row")
        .group_by("entity_id")
        .agg(
            first_seen=_.changed_at.min(where=_.new_value.notnull()),
            removed_at=_.changed_at.max(where=_.new_value.isnull()),
        )
    )
    joined = current.left_join(rows, current.id == rows.entity_id)
    known = ibis.coalesce(current[known_at].cast(AT), ALWAYS)
    return joined.select(
        id=current.id,
        born_at=ibis.greatest(known, ibis.coalesce(rows.first_seen, known)),
        removed_at=ibis.coalesce(rows.removed_at, NEVER),
    )


def _with_stage_runs(spans: Table, open_stages: Sequence[str], *, has_owner: bool) -> Table:
    """Add who owned the deal when it entered its stage, and the last open stage entered."""
    is_open = spans.stage.isin(list(open_stages))
    so_far = ibis.window(group_by="id", order_by="valid_from", preceding=None, following=0)
    spans = spans.mutate(open_run=_flag(is_open).sum().over(so_far))
    in_run = ibis.window(group_by=["id", "open_run"])
    shown = ibis.ifelse(spans.stage.isin(list(open_stages)), spans.stage, ibis.null("string"))
    spans = spans.mutate(last_stage=shown.max().over(in_run))
    if not has_owner:
        return spans.mutate(owner_at_entry=ibis.null("string"))
    entry = spans.stage_entered_at.fill_null(ALWAYS)
    spans = spans.mutate(entry=entry)
    since_entry = ibis.window(group_by=["id", "entry"])
    first = spans.mutate(first_from=_.valid_from.min().over(since_entry))
    owner = ibis.ifelse(first.valid_from == first.first_from, first.owner_id, ibis.null("string"))
    return first.mutate(owner_at_entry=owner.max().over(since_entry))
