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
# The pseudo-field of the log that says whether a row is there; null is no.
ROW = "_row"
BORN = "born"


def versions(
    current: Table,
    log: Table,
    *,
    tracked: Mapping[str, dt.DataType],
    known_at: str | None,
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
        Column from which on a row is known; None where another table decides.
    open_stages
        Stages in which a deal is open; with `stage` tracked they add the columns below.

    Returns
    -------
    ibis.Table
        One row per row and span: `id`, `valid_from`, `valid_to` (exclusive), `removed_at` (null
        while the row is there), `removed`, the tracked fields; and for deals `stage_entered_at`
        (null where the log does not show the entry), `owner_at_entry` (who owned it then) and
        `last_stage` (the last open stage that was entered).

    Notes
    -----
    A field's value in a span is the old value of its earliest change at or after the span's end,
    else the current value. Whether there is a later change decides, never whether its old value
    is null: null old values are real. Changes at the same instant are ordered by `seq`. A change
    to the same value is no entry into a stage.
    """
    fields = {**tracked, ROW: dt.string}
    log = _named(log, tracked)
    spans = _filled(_with_tail(_events(log, fields), current, log, fields), fields)
    known = ibis.coalesce(current[known_at].cast(AT), ALWAYS) if known_at else ALWAYS
    born = current.select(id=current.id, known_from=known)
    spans = spans.join(born, spans.entity_id == born.id).drop("entity_id")
    spans = spans.mutate(
        valid_from=ibis.greatest(ibis.coalesce(_.before, _.known_from), _.known_from),
        removed_at=ibis.ifelse(_[ROW].isnull(), _[f"moved_{ROW}"], ibis.null(AT)),
    )
    # Neither there nor removed: not born yet.
    spans = spans.filter(_.valid_from < _.valid_to, _[ROW].notnull() | _.removed_at.notnull())
    spans = spans.mutate(removed=_.removed_at.notnull())
    names = ["id", "valid_from", "valid_to", "removed", "removed_at", *tracked]
    if "stage" in tracked and open_stages:
        spans = spans.mutate(stage_entered_at=_.moved_stage)
        spans = _with_stage_runs(spans, open_stages, has_owner="owner_id" in tracked)
        names += ["stage_entered_at", "owner_at_entry", "last_stage"]
    return spans.select(names)


def unmoved(
    current: Table,
    *,
    tracked: Mapping[str, dt.DataType],
    known_at: str | None,
    open_stages: Sequence[str] = (),
) -> Table:
    """Lay out the one span of each row of which the log tells nothing, as `versions` would.

    Returns
    -------
    ibis.Table
        One row per row, with the columns of `versions`.
    """
    known = ibis.coalesce(current[known_at].cast(AT), ALWAYS) if known_at else ALWAYS
    spans = current.filter(current.id.notnull()).select(
        "id", *tracked, valid_from=known, valid_to=NEVER, removed=ibis.literal(False),
        removed_at=ibis.null(AT),
    )  # fmt: skip
    spans = spans.filter(_.valid_from < _.valid_to)
    names = ["id", "valid_from", "valid_to", "removed", "removed_at", *tracked]
    if "stage" in tracked and open_stages:
        is_open = spans.stage.isin(list(open_stages))
        spans = spans.mutate(
            stage_entered_at=ibis.null(AT),
            owner_at_entry=spans.owner_id if "owner_id" in tracked else ibis.null("string"),
            last_stage=ibis.ifelse(is_open, spans.stage, ibis.null("string")),
        )
        names += ["stage_entered_at", "owner_at_entry", "last_stage"]
    return spans.select(names)


def _flag(condition: ibis.Value) -> ibis.Value:
    return ibis.ifelse(condition, ibis.literal(1, "int64"), ibis.literal(0, "int64"))


def _named(log: Table, tracked: Mapping[str, dt.DataType]) -> Table:
    """Keep the changes of tracked fields, and of rows whichever way these were written."""
    was = ibis.ifelse(_.new_value.isnull(), ibis.literal(BORN), ibis.null("string"))
    return log.filter(_.field.isin([*tracked, ROW])).mutate(
        old_value=ibis.ifelse(_.field == ROW, was, _.old_value)
    )


def _events(log: Table, fields: Mapping[str, dt.DataType]) -> Table:
    """One row per row and instant of change, with the old value of each field changed then."""
    # The values decide last, so that a log without `seq` gives the same in any order of rows.
    tie = ibis.window(
        group_by=["entity_id", "field", "changed_at"], order_by=["seq", "old_value", "new_value"]
    )
    ranked = log.mutate(rank=ibis.row_number().over(tie))
    changed = {f"has_{f}": _flag(_.field == f).max().cast("int64") for f in fields}
    old = {f"old_{f}": _.old_value.max(where=(_.field == f) & (_.rank == 0)) for f in fields}
    return ranked.group_by("entity_id", "changed_at").agg(**changed, **old)


def _with_tail(
    events: Table, current: Table, log: Table, fields: Mapping[str, dt.DataType]
) -> Table:
    """Add the present as a last change whose old values are the current ones."""
    newest = ibis.window(
        group_by="entity_id",
        order_by=[ibis.desc("changed_at"), ibis.desc("seq"), ibis.desc("new_value")],
    )
    last = log.filter(_.field == ROW).mutate(rank=ibis.row_number().over(newest))
    gone = last.filter(_.rank == 0, _.new_value.isnull()).select(gone_id="entity_id")
    joined = current.left_join(gone, current.id == gone.gone_id)
    values = {f: joined[f].cast("string") for f in fields if f != ROW}
    values[ROW] = ibis.ifelse(joined.gone_id.isnull(), ibis.literal(BORN), ibis.null("string"))
    tail = joined.select(
        entity_id=joined.id,
        changed_at=NEVER,
        **{f"has_{f}": ibis.literal(1, "int64") for f in fields},
        **{f"old_{f}": value for f, value in values.items()},
    )
    kinds = {"changed_at": AT} | {f"has_{f}": "int64" for f in fields}
    same = ibis.schema({name: kinds.get(name, "string") for name in tail.columns})
    return ibis.union(events.select(tail.columns).cast(same), tail.cast(same))


def _filled(ends: Table, fields: Mapping[str, dt.DataType]) -> Table:
    """Carry each old value back over the spans that end before its change.

    Adds `before`, the start of the span, and `moved_<field>`, since when stage and row are as they
    are in the span (null where the log does not show it).
    """
    later = ibis.window(
        group_by="entity_id", order_by=ibis.desc("changed_at"), preceding=None, following=0
    )
    earlier = ibis.window(group_by="entity_id", order_by="changed_at")
    so_far = ibis.window(group_by="entity_id", order_by="changed_at", preceding=None, following=0)
    runs = {f"run_{f}": ends[f"has_{f}"].sum().over(later) for f in fields}
    ends = ends.mutate(before=_.changed_at.lag().over(earlier), **runs)
    texts = {
        f"old_{f}": ends[f"old_{f}"].max().over(ibis.window(group_by=["entity_id", f"run_{f}"]))
        for f in fields
    }
    ends = ends.mutate(**texts)
    timed = [f for f in ("stage", ROW) if f in fields]
    ends = ends.mutate(**{f"was_{f}": ends[f"old_{f}"].lag().over(earlier) for f in timed})
    moved = {f: ~ends[f"old_{f}"].identical_to(ends[f"was_{f}"]) for f in timed}
    ends = ends.mutate(
        **{f"at_{f}": ibis.ifelse(moved[f], ends.before, ibis.null(AT)) for f in timed}
    )
    ends = ends.mutate(**{f"moved_{f}": ends[f"at_{f}"].max().over(so_far) for f in timed})
    values = {f: ends[f"old_{f}"].cast(kind) for f, kind in fields.items()}
    kept = [f"moved_{f}" for f in timed]
    return ends.select("entity_id", "before", *kept, valid_to=_.changed_at, **values)


def _with_stage_runs(spans: Table, open_stages: Sequence[str], *, has_owner: bool) -> Table:
    """Add who owned the deal when it entered its stage, and the last open stage entered."""
    is_open = spans.stage.isin(list(open_stages))
    so_far = ibis.window(group_by="id", order_by="valid_from", preceding=None, following=0)
    spans = spans.mutate(open_run=_flag(is_open.fill_null(False)).sum().over(so_far))
    in_run = ibis.window(group_by=["id", "open_run"])
    shown = ibis.ifelse(spans.stage.isin(list(open_stages)), spans.stage, ibis.null("string"))
    spans = spans.mutate(last_stage=shown.max().over(in_run))
    if not has_owner:
        return spans.mutate(owner_at_entry=ibis.null("string"))
    spans = spans.mutate(entry=spans.stage_entered_at.fill_null(ALWAYS))
    since_entry = ibis.window(group_by=["id", "entry"])
    first = spans.mutate(first_from=_.valid_from.min().over(since_entry))
    owner = ibis.ifelse(first.valid_from == first.first_from, first.owner_id, ibis.null("string"))
    return first.mutate(owner_at_entry=owner.max().over(since_entry))
