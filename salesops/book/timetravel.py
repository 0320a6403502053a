"""A table as it was known at an instant.

Rows known later are gone, events dated later are null, a field with a history has its value of
that instant. A field without one keeps today's value if it describes, and is null if it moves or
tells the outcome of a row that had not ended by then.
"""

import datetime as dt
from collections.abc import Iterable
from typing import TypeAlias

import ibis
from ibis import _

from salesops.book.store import DIMENSIONS, PARENTS, Store, known_expression
from salesops.book.versions import AT
from salesops.model.settings import Settings, StageKind
from salesops.model.tables import FINISHED_AT, facts

Table: TypeAlias = ibis.Table
DERIVED = ("stage_entered_at", "since_known", "last_stage", "outcome", "event_owner_id")


def instant(at: dt.datetime) -> ibis.Value:
    """Write an instant as an Ibis literal of the store's precision."""
    return ibis.literal(at).cast(AT)


def last_full_day(store: Store, at: dt.datetime) -> dt.date:
    """Give the last local day that is over at an instant; events of a day are known at its end."""
    calendar = store.settings.calendar
    return calendar.local_date(at + dt.timedelta(microseconds=1)) - dt.timedelta(days=1)


def happened(store: Store, column: ibis.Value, at: dt.datetime) -> ibis.Value:
    """Say whether an instant or a day lies at or before an instant."""
    if column.type().is_date():
        return column <= ibis.literal(last_full_day(store, at))
    return column <= instant(at)


def table_at(store: Store, name: str, at: dt.datetime) -> Table:
    """Give one table as it was known at an instant; see the module for the rules."""
    table = _with_spans(store, name, at) if name in store.spans else store.tables[name]
    table = _known(store, name, table, at)
    table = _events_until(store, name, table, at)
    table = _moving_until(store, name, table, at)
    if name == "opportunities":
        return _deals(store, table, at)
    extra = [c for c in ("removed", "valid_from", *DERIVED, "owner_at_entry") if c in table.columns]
    if "removed" in extra:
        table = table.filter(~_.removed)
    return table.drop(*extra) if extra else table


def _with_spans(store: Store, name: str, at: dt.datetime) -> Table:
    """Join each row with the span of its history that holds the instant."""
    spans = store.spans[name].filter(_.valid_from <= instant(at), _.valid_to > instant(at))
    own = [c for c in store.tables[name].columns if c not in spans.columns or c == "id"]
    joined = store.tables[name].select(own).join(spans, "id")
    ordered = [*store.tables[name].columns]
    return joined.select(*ordered, *(c for c in joined.columns if c not in {*ordered, "valid_to"}))


def _known(store: Store, name: str, table: Table, at: dt.datetime) -> Table:
    """Drop the rows that were not known yet."""
    if name in PARENTS:
        for key, parent in PARENTS[name]:
            if key in store.present.get(name, ()) and parent in store.present:
                ids = table_at(store, parent, at).select(parent_id="id")
                kept = table[key].isnull() if len(PARENTS[name]) > 1 else ibis.literal(False)
                table = table.filter(kept | table[key].isin(ids.parent_id))
        return table
    known = known_expression(name, table, store.settings)
    if known is None:
        return table
    undated_counts = name in DIMENSIONS or at >= store.latest
    return table.filter(happened(store, known, at).fill_null(undated_counts))


def _events_until(store: Store, name: str, table: Table, at: dt.datetime) -> Table:
    """Empty the events dated later, and what is known only with them."""
    columns = facts(name).values()
    events = {
        c.name: ibis.ifelse(happened(store, table[c.name], at), table[c.name], ibis.null(c.dtype))
        for c in columns
        if c.kind == "event"
    }
    table = table.mutate(**events) if events else table
    follows = {
        c.name: ibis.ifelse(table[c.follows].notnull(), table[c.name], ibis.null(c.dtype))
        for c in columns
        if c.follows and c.kind != "event" and not _closed_undated(store, name, c.follows, at)
    }
    table = table.mutate(**follows) if follows else table
    if name == "contracts" and at < store.latest:
        signed = store.tables["contracts"]
        ids = signed.filter(happened(store, signed.signed_on, at)).select(known_id="id")
        renewed = ibis.ifelse(table.renewed_by.isin(ids.known_id), table.renewed_by, ibis.null(str))
        table = table.mutate(renewed_by=renewed)
    return table


def _closed_undated(store: Store, name: str, event: str, at: dt.datetime) -> bool:
    """At the store's own date an outcome counts even where its date was never entered."""
    return at >= store.latest or event not in store.present.get(name, frozenset())


def _moving_until(store: Store, name: str, table: Table, at: dt.datetime) -> Table:
    """Empty the moving fields whose value at the instant nobody recorded."""
    if at >= store.latest or name in ("targets", "tracked"):
        return table
    tracking = store.tracking.get(name, {})
    unknown = [
        c
        for c in facts(name).values()
        if (c.kind == "moving" or (c.kind == "outcome" and not c.follows))
        and not (c.name in tracking and tracking[c.name].since <= at)
        and name not in ("contracts", "users", "accounts")
    ]
    if not unknown:
        return table
    ended = FINISHED_AT.get(name)
    finished = table[ended].notnull() if ended else ibis.literal(False)
    nulled = {c.name: ibis.ifelse(finished, table[c.name], ibis.null(c.dtype)) for c in unknown}
    return table.mutate(**nulled)


def kind_of(stage: ibis.Value, settings: Settings, kinds: Iterable[StageKind]) -> ibis.Value:
    """Give the kind of a stage, one of `kinds`, else null."""
    cases = [(stage.isin(list(ids)), kind) for kind in kinds if (ids := settings.stage_ids(kind))]
    return ibis.cases(*cases, else_=ibis.null("string"))


def _deals(store: Store, table: Table, at: dt.datetime) -> Table:
    """Derive outcome, time of closing and time in stage from the stage at the instant."""
    settings = store.settings
    tracked = store.tracking.get("opportunities", {})
    by_log = "stage" in tracked and tracked["stage"].since <= at
    ended = kind_of(table.stage, settings, ("won", "lost", "void"))
    if not by_log:
        said = ibis.cases((table.is_won == True, "won"), (table.is_won == False, "lost"))  # noqa: E712
        ended = ibis.coalesce(ended, said)
        if at < store.latest:
            ended = ibis.ifelse(table.closed_at.notnull(), ended, ibis.null("string"))
    gone = table.removed if "removed" in table.columns else ibis.literal(False)
    table = table.mutate(outcome=ibis.ifelse(gone, "void", ibis.coalesce(ended, "open")))
    table = _stage_times(store, table, at, by_log=by_log)
    table = table.mutate(
        is_won=ibis.cases((_.outcome == "won", True), (_.outcome == "lost", False)),
        lost_reason=ibis.ifelse(_.outcome == "lost", _.lost_reason, ibis.null(str)),
    )
    owner = table.owner_id
    if "owner_at_entry" in table.columns and "owner_id" in tracked:
        at_close = ibis.coalesce(table.owner_at_entry, owner)
        owner = ibis.ifelse(table.outcome == "open", owner, at_close)
    table = table.mutate(event_owner_id=owner)
    return table.select(*store.tables["opportunities"].columns, *DERIVED)


def _stage_times(store: Store, table: Table, at: dt.datetime, *, by_log: bool) -> Table:
    """Say since when a deal is in its stage, and when it ended."""
    open_stages = list(store.settings.stage_ids("open"))
    is_open = table.stage.isin(open_stages)
    if not by_log or "stage_entered_at" not in table.columns:
        entered = ibis.ifelse(_.outcome == "open", ibis.null(AT), _.closed_at)
        shown = ibis.ifelse(is_open, table.stage, ibis.null(str))
        return table.mutate(
            stage_entered_at=entered,
            since_known=ibis.ifelse(_.outcome == "open", False, _.closed_at.notnull()),
            last_stage=shown,
            closed_at=ibis.ifelse(_.outcome == "open", ibis.null(AT), _.closed_at),
        )
    since = instant(store.tracking["opportunities"]["stage"].since)
    from_birth = ibis.ifelse(table.created_at >= since, table.created_at, ibis.null(AT))
    entered = ibis.coalesce(table.stage_entered_at, from_birth)
    table = table.mutate(stage_entered_at=entered, since_known=entered.notnull())
    ended = ibis.coalesce(_.stage_entered_at, _.closed_at)
    ended = ibis.ifelse(_.removed, _.valid_from, ended)
    void = (store.settings.stage_ids("void") or (None,))[0]
    stage = ibis.ifelse(_.removed, ibis.literal(void, "string"), _.stage)
    return table.mutate(
        closed_at=ibis.ifelse(_.outcome == "open", ibis.null(AT), ended),
        stage=stage,
    )
