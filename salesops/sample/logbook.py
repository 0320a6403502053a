"""Lay the log of changes into its canonical table."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from salesops.sample.assemble import person, words
from salesops.sample.company import Company
from salesops.sample.draws import Ints
from salesops.sample.leads import STATUSES
from salesops.sample.log import CATEGORIES, NEXT_STEPS, STAGES, History
from salesops.sample.tables import as_text, dates, ids, money, table
from salesops.sample.timeline import DAY

WORDS: dict[str, Sequence[str]] = {
    "stage": STAGES, "forecast_category": CATEGORIES, "next_step": NEXT_STEPS, "status": STATUSES,
}  # fmt: skip


def changes(
    company: Company, told: Sequence[History], births: Sequence[tuple[str, Ints, Ints]]
) -> pa.Table:
    """Lay out the log: births and changes of tracked fields, in order of time."""
    start, end = company.timeline.start * DAY, company.timeline.end_at
    parts = [_born(company, *birth) for birth in births]
    parts += [_changed(company, history, start, end) for history in told]
    whole = pa.concat_tables(parts)
    order = np.lexsort(
        (whole["rank"].to_numpy(), whole["entity_id"].to_numpy(), whole["at"].to_numpy())
    )
    whole = whole.take(pa.array(order))
    columns = {
        name: whole[name].combine_chunks()
        for name in whole.column_names
        if name not in ("at", "rank")
    }
    ahead = company.block * 10**9
    return table(
        "changes",
        columns | {"changed_at": whole["at"].to_numpy(), "seq": ahead + np.arange(len(whole))},
    )


def _born(company: Company, entity: str, at: Ints, by: Ints) -> pa.Table:
    inside = np.flatnonzero((at >= company.timeline.start * DAY) & (at <= company.timeline.end_at))
    names_ = ids(entity, inside, company.block)
    return _log_rows(
        entity, names_, "_row", at[inside], person(company, by[inside]), None, names_, 0
    )


def _changed(company: Company, history: History, start: int, end: int) -> pa.Table:
    rows = history.changes(start, end)
    old, new = (written(company, history, rows[c].to_numpy()) for c in ("old", "value"))
    who = person(company, rows.by.to_numpy())
    row_ids = ids(history.entity, rows.row.to_numpy(), company.block)
    rank = 1 + list(RANKS).index(history.field)
    return _log_rows(
        history.entity, row_ids, history.field, rows["at"].to_numpy(), who, old, new, rank
    )


# At one instant the log lists fields in this order.
RANKS = ("owner_id", "stage", "amount", "expected_close_on", "forecast_category", "next_step",
         "next_step_due_on", "status", "due_on")  # fmt: skip


def written(company: Company, history: History, values: Ints) -> pa.Array:
    """Write the values of a field as the log does."""
    if history.field in WORDS:
        return words(WORDS[history.field], values)
    if history.field == "owner_id":
        return person(company, values)
    make = money if history.field == "amount" else dates
    return as_text(make(values))


def _log_rows(
    entity: str,
    row_ids: pa.Array,
    field: str,
    at: Ints,
    by: pa.Array,
    old: Any,
    new: Any,
    rank: int,
) -> pa.Table:
    n = len(row_ids)
    return pa.table(
        {
            "entity": pa.array([entity]).take(pa.array(np.zeros(n, np.int64))),
            "entity_id": row_ids,
            "field": pa.array([field]).take(pa.array(np.zeros(n, np.int64))),
            "old_value": pa.nulls(n, pa.string()) if old is None else old,
            "new_value": new,
            "changed_by": by,
            "at": at,
            "rank": np.full(n, rank),
        }
    )


def tracked(company: Company, told: Sequence[History]) -> pa.Table:
    """Say which fields have a history, from when on."""
    n = len(told)
    return table(
        "tracked",
        {
            "entity": [history.entity for history in told],
            "field": [history.field for history in told],
            "since": np.full(n, company.timeline.start * DAY),
            "how": ["log"] * n,
        },
    )
