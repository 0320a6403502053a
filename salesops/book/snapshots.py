"""From two exports without history to changes: what differs lies between the two dates.

A CRM without a log still tells its history to who keeps its exports. Each import compares the new
rows with those of the last one; a difference becomes a change that happened after the last export
and at the latest when the new one was made.
"""

import datetime as dt

import pandas as pd

from salesops.model.tables import facts

# Tables whose rows move; the others only grow.
SNAPSHOT_TABLES = ("accounts", "users", "leads", "opportunities", "instalments", "actions")
_COLUMNS = ["entity", "entity_id", "field", "old_value", "new_value", "changed_at",
            "changed_after", "changed_by", "seq"]  # fmt: skip


def moving_fields(table: str, columns: "pd.Index[str] | list[str]") -> list[str]:
    """Name the columns of a table whose differences make a history."""
    return [c.name for c in facts(table).values() if c.kind == "moving" and c.name in columns]


def canonical_text(value: object) -> str | None:
    """Write a value as the log does: ISO dates, point decimal, null as null."""
    if value is None or value is pd.NaT or (isinstance(value, float) and value != value):
        return None
    if isinstance(value, pd.Timestamp | dt.datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def differences(
    table: str,
    before: pd.DataFrame,
    after: pd.DataFrame,
    *,
    exported_before: dt.datetime,
    exported_at: dt.datetime,
) -> pd.DataFrame:
    """What changed in a table between two exports?

    Parameters
    ----------
    table
        Canonical table.
    before, after
        Its rows in the two exports, with `id`.
    exported_before, exported_at
        When the two were made, UTC.

    Returns
    -------
    pandas.DataFrame
        Rows of `changes`: one per field that differs; births and removals as `_row`.
    """
    old = before.set_index("id")
    new = after.set_index("id")
    rows: list[tuple[str, str, str | None, str | None]] = []
    rows += [(key, "_row", None, "born") for key in new.index.difference(old.index)]
    rows += [(key, "_row", "born", None) for key in old.index.difference(new.index)]
    both = new.index.intersection(old.index)
    for field in moving_fields(table, new.columns.intersection(old.columns).tolist()):
        was = old.loc[both, field].map(canonical_text)
        now = new.loc[both, field].map(canonical_text)
        differs = (was != now) & ~(was.isna() & now.isna())
        rows += [(key, field, _none(was[key]), _none(now[key])) for key in both[differs]]
    found = pd.DataFrame(rows, columns=["entity_id", "field", "old_value", "new_value"])
    found["entity"] = table
    found["changed_at"] = pd.Timestamp(exported_at)
    found["changed_after"] = pd.Timestamp(exported_before)
    found["changed_by"] = None
    found["seq"] = range(len(found))
    return found[_COLUMNS]


def _none(value: object) -> str | None:
    return value if isinstance(value, str) else None


def removed_rows(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Give the rows that the new export no longer has; they stay in the store as void."""
    return before[~before["id"].isin(after["id"])]
