"""A table as it was known at an instant, or at each of a grid of them.

Rows known later are gone, events dated later are null, a field with a history has its value of
that instant. A field without one, or before its history begins, keeps its earliest known value if
it describes, and is null if it moves or tells the outcome of a row that had not ended by then.
"""

from collections.abc import Iterable
from typing import TypeAlias

import ibis
from ibis import _

from salesops.book.moment import (
    GRID_COLUMNS,
    Condition,
    Moment,
    as_value,
    both,
    choose,
    instant,
    negated,
)
from salesops.book.store import DIMENSIONS, PARENTS, Store, known_expression
from salesops.book.versions import AT
from salesops.model.settings import Settings, StageKind
from salesops.model.tables import FINISHED_AT, facts, ibis_schema

Table: TypeAlias = ibis.Table
DERIVED = ("stage_entered_at", "since_known", "last_stage", "outcome", "event_owner_id")
# Whom they belong to is needed to say who may see them, so today's answer stands in for the past.
_KEEPS_TODAY = frozenset({"users", "accounts", "contacts", "targets", "tracked"})


def table_at(store: Store, name: str, moment: Moment) -> Table:
    """Give one table as it was known at a moment; see the module for the rules."""
    if name == "tracked":
        table = store.tables["tracked"]
        return table.filter(moment.happened(table, table.since).fill_null(True))
    table = _laid_out(store, name, moment)
    table = _known(store, name, table, moment)
    table = _events_until(store, name, table, moment)
    if name == "opportunities":
        return _deals(store, table, moment)
    ended = FINISHED_AT.get(name)
    finished = table[ended].notnull() if ended else ibis.literal(False)
    table = _moving_until(store, name, table, moment, finished)
    if name in store.spans:
        table = table.filter(~_.removed)
    return table.select(*store.tables[name].columns, *_grid(table))


def _grid(table: Table) -> list[str]:
    return [c for c in GRID_COLUMNS if c in table.columns]


def _laid_out(store: Store, name: str, moment: Moment) -> Table:
    """Give each row with its values of the span that holds the moment."""
    rows = store.tables[name]
    if name not in store.spans:
        return moment.spread(rows)
    spans = store.spans[name]
    if moment.grid is None:
        at = instant(moment.first)
        spans = spans.filter(_.valid_from <= at, _.valid_to > at)
    else:
        grid = moment.grid
        begun, lasts = spans.valid_from <= moment.of(grid), spans.valid_to > moment.of(grid)
        spans = spans.join(grid, [begun, lasts])
    own = [c for c in rows.columns if c not in spans.columns or c == "id"]
    joined = rows.select(own).join(spans, "id")
    rest = [c for c in joined.columns if c not in {*rows.columns, "valid_from", "valid_to"}]
    return joined.select(*rows.columns, *rest)


def _known(store: Store, name: str, table: Table, moment: Moment) -> Table:
    """Drop the rows that were not known yet."""
    now = moment.reached(table, store.latest)
    if name in PARENTS:
        return table if now is True else table.filter(_with_parent(store, name, table, moment, now))
    known = known_expression(name, table)
    if known is None:
        return table
    undated = ibis.literal(True) if name in DIMENSIONS else as_value(now)
    return table.filter(ibis.coalesce(moment.happened(table, known), undated))


def _with_parent(
    store: Store, name: str, table: Table, moment: Moment, now: Condition
) -> ibis.Value:
    """Say whether the row with which a row is known was known."""
    known = as_value(now)
    unset = ibis.literal(True)
    for key, parent in PARENTS[name]:
        if parent in store.present and key in store.present.get(name, ()):
            # A parent's row decides by its own date alone, so that no grid has to be joined.
            rows = store.tables[parent]
            dated = known_expression(parent, rows)
            ids = rows.mutate(known_=dated).select(parent_id="id", known_="known_")
            first = ids.filter(_.known_ <= _bound(moment, dated))
            known = known | (unset & table[key].isin(first.parent_id))
            unset = unset & table[key].isnull()
    return known


def _bound(moment: Moment, dated: ibis.Value) -> ibis.Value:
    return ibis.literal(moment.day) if dated.type().is_date() else instant(moment.first)


def _events_until(store: Store, name: str, table: Table, moment: Moment) -> Table:
    """Empty the events dated later, and what is known only with them."""
    columns = facts(name).values()
    events = {
        c.name: ibis.ifelse(
            moment.happened(table, table[c.name]), table[c.name], ibis.null(c.dtype)
        )
        for c in columns
        if c.kind == "event"
    }
    if name == "actions":
        # People note after the last day of the data, too, how a row has ended.
        known = moment.happened(table, table.done_on).fill_null(True)
        events["status"] = ibis.ifelse(known, table.status, ibis.null("string"))
    table = table.mutate(**events) if events else table
    follows = {}
    for c in columns:
        if not c.follows or c.kind == "event":
            continue
        # At the store's own date an outcome counts even where its date was never entered.
        undated = moment.reached(table, store.latest)
        own = _versioned(store, name, c.name, table, moment)
        shown = table[c.follows].notnull() | as_value(undated) | as_value(own)
        if c.follows in store.present.get(name, frozenset()) and undated is not True:
            follows[c.name] = ibis.ifelse(shown, table[c.name], ibis.null(c.dtype))
        elif undated is not True:
            follows[c.name] = choose(
                both(True, as_value(undated) | as_value(own)), table[c.name], ibis.null(c.dtype)
            )
    table = table.mutate(**follows) if follows else table
    if name == "contracts" and moment.first < store.latest:
        signed = store.tables["contracts"].select(known_id="id", known_on="signed_on")
        joined = table.left_join(signed, table.renewed_by == signed.known_id)
        known = moment.happened(joined, joined.known_on)
        renewed = ibis.ifelse(known, joined.renewed_by, ibis.null(str))
        table = joined.mutate(renewed_by=renewed).drop("known_id", "known_on")
    return table


def _versioned(store: Store, name: str, field: str, table: Table, moment: Moment) -> Condition:
    """Say whether a field's value of the moment is known."""
    tracking = store.tracking.get(name, {}).get(field)
    return tracking is not None and moment.reached(table, tracking.since)


def _moving_until(
    store: Store, name: str, table: Table, moment: Moment, finished: ibis.Value
) -> Table:
    """Empty the moving fields whose value at the moment nobody recorded."""
    now = moment.reached(table, store.latest)
    if now is True or name in _KEEPS_TODAY:
        return table
    nulled = {}
    for c in facts(name).values():
        if c.kind == "moving" or (c.kind == "outcome" and not c.follows and name != "contracts"):
            known = _versioned(store, name, c.name, table, moment)
            if known is not True:
                seen = finished | as_value(now) | as_value(known)
                nulled[c.name] = ibis.ifelse(seen, table[c.name], ibis.null(c.dtype))
    return table.mutate(**nulled) if nulled else table


def kind_of(stage: ibis.Value, settings: Settings, kinds: Iterable[StageKind]) -> ibis.Value:
    """Give the kind of a stage, one of `kinds`, else null."""
    cases = [(stage.isin(list(ids)), kind) for kind in kinds if (ids := settings.stage_ids(kind))]
    return ibis.cases(*cases, else_=ibis.null("string"))


def _deals(store: Store, table: Table, moment: Moment) -> Table:
    """Derive outcome, times and owner of closing from the stage at the moment."""
    by_log = _versioned(store, "opportunities", "stage", table, moment)
    if "removed" not in table.columns:
        table = table.mutate(removed=ibis.literal(False), removed_at=ibis.null(AT))
    table = table.mutate(outcome=_outcome(store, table, moment, by_log))
    table = _moving_until(store, "opportunities", table, moment, table.outcome != "open")
    void = (store.settings.stage_ids("void") or (None,))[0]
    entered = _entered(store, table, by_log)
    table = table.mutate(
        event_owner_id=_owner_at_event(store, table),
        last_stage=_last_open_stage(store, table, by_log),
        **entered,
    )
    table = table.mutate(
        stage=ibis.ifelse(_.removed, ibis.literal(void, "string"), _.stage),
        is_won=ibis.cases((_.outcome == "won", True), (_.outcome == "lost", False)),
        lost_reason=ibis.ifelse(_.outcome == "lost", _.lost_reason, ibis.null(str)),
    )
    return table.select(*store.tables["opportunities"].columns, *DERIVED, *_grid(table))


def _outcome(store: Store, table: Table, moment: Moment, by_log: Condition) -> ibis.Value:
    """Say how a deal stands: by its stage then, or without history by its date of closing."""
    by_stage = kind_of(table.stage, store.settings, ("won", "lost", "void"))
    said = ibis.cases((table.is_won == True, "won"), (table.is_won == False, "lost"))  # noqa: E712
    now = moment.reached(table, store.latest)
    # `is_won` is gone with the date of closing, so that the stage alone may not end a deal.
    dated = choose(now, ibis.literal(True), table.closed_at.notnull() | as_value(now))
    today = ibis.ifelse(dated, ibis.coalesce(by_stage, said), ibis.null("string"))
    ended = choose(by_log, by_stage, today)
    return ibis.ifelse(table.removed, "void", ibis.coalesce(ended, ibis.literal("open")))


def _entered(store: Store, table: Table, by_log: Condition) -> dict[str, ibis.Value]:
    """Say since when a deal is in its stage, whether that is known, and when it ended."""
    is_open = table.outcome == "open"
    nothing = ibis.null(AT)
    entered, known, closed = nothing, ibis.literal(False), table.closed_at
    if by_log is not False and "stage_entered_at" in table.columns:
        tracking = store.tracking["opportunities"]["stage"]
        # A deal born while the log ran has been in its first stage since then.
        born = table.created_at >= instant(tracking.since)
        seen = ibis.coalesce(table.stage_entered_at, ibis.ifelse(born, table.created_at, nothing))
        entered = choose(by_log, seen, nothing)
        exact = ibis.literal(tracking.how != "snapshot")
        known = choose(by_log, seen.notnull() & exact, ibis.literal(False))
        # Between two exports the date that was entered is nearer than that of the export.
        first, then = (seen, closed) if tracking.how != "snapshot" else (closed, seen)
        closed = choose(by_log, ibis.coalesce(first, then), closed)
    closed = ibis.ifelse(table.removed, table.removed_at, closed)
    ended_at = ibis.ifelse(is_open, nothing, closed)
    without_log = ibis.coalesce(entered, ended_at)
    known = ibis.ifelse(is_open, known, choose(by_log, known, ended_at.notnull()))
    return {"stage_entered_at": without_log, "since_known": known, "closed_at": ended_at}


def _last_open_stage(store: Store, table: Table, by_log: Condition) -> ibis.Value:
    """Name the last open stage that a deal entered; null where only its end is known."""
    open_stages = list(store.settings.stage_ids("open"))
    shown = ibis.ifelse(table.stage.isin(open_stages), table.stage, ibis.null(str))
    if by_log is False or "stage_entered_at" not in table.columns:
        return shown
    return choose(by_log, table.last_stage, shown)


def _owner_at_event(store: Store, table: Table) -> ibis.Value:
    """Name the owner of an open deal now, of an ended one when it ended."""
    tracked = store.tracking.get("opportunities", {})
    if "owner_id" not in tracked or "owner_at_entry" not in table.columns:
        return table.owner_id
    at_close = ibis.coalesce(table.owner_at_entry, table.owner_id)
    return ibis.ifelse(table.outcome == "open", table.owner_id, at_close)


__all__ = ["DERIVED", "ibis_schema", "kind_of", "negated", "table_at"]
