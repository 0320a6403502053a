"""From the log of changes to the moves of deals between stages, each with what came before it.

What a move follows upon lies in its past alone, so that it is the same at every later instant and
can be laid out once, at import. Without it every count of moves has to sort the whole log anew.
"""

from typing import TypeAlias

import ibis

Table: TypeAlias = ibis.Table


def moves(deals: Table, changes: Table) -> Table:
    """Lay out the moves of deals between stages.

    Parameters
    ----------
    deals
        Opportunities with `id` and `created_at`.
    changes
        The log: `entity, entity_id, field, old_value, new_value, changed_at, seq`.

    Returns
    -------
    ibis.Table
        One row per logged change of a deal's stage: `id`, `source`, `target` (null where the log
        has no value), `changed_at`, `since` (the change of stage before it, else the deal's
        creation) and `again` (the deal had made the same move before).

    Notes
    -----
    Changes at the same instant are ordered by `seq`. A change to the same value is a move too.
    """
    log = changes.filter(changes.entity == "opportunities", changes.field == "stage")
    rows = log.select("entity_id", "changed_at", "seq", source=log.old_value, target=log.new_value)
    order = ["changed_at", "seq"]
    of_deal = ibis.window(group_by="entity_id", order_by=order)
    of_pair = ibis.window(group_by=["entity_id", "source", "target"], order_by=order)
    rows = rows.mutate(
        before=rows.changed_at.lag().over(of_deal),
        again=ibis.row_number().over(of_pair) > 0,
    )
    born = deals.select("id", "created_at")
    rows = rows.join(born, rows.entity_id == born.id)
    since = ibis.coalesce(rows.before, rows.created_at)
    return rows.select("id", "source", "target", "changed_at", "again", since=since)
