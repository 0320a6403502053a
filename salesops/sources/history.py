"""History kept as separate objects, turned into rows of `changes`."""

from collections.abc import Mapping

import pandas as pd

from salesops.book.snapshots import canonical_text
from salesops.model.tables import facts
from salesops.sources.mapping import History, Source
from salesops.sources.parsing import Parser, nested

CHANGE_COLUMNS = ["entity", "entity_id", "field", "old_value", "new_value", "changed_at",
                  "changed_after", "changed_by", "seq"]  # fmt: skip


def as_source(given: Source | str | None) -> Source | None:
    """Give a source of a column's name or of the full form."""
    return Source(column=given) if isinstance(given, str) else given


def values_of_fields(
    typed: pd.DataFrame, entity: str, sources: Mapping[str, Source], parser: Parser
) -> pd.DataFrame:
    """Read the old and new values of a log as the table's own values of the field that changed.

    A log writes them as the table does, in its units and with its names of stages.
    """
    read = typed.copy()
    for field, rows in typed.groupby("field").groups.items():
        source = sources.get(str(field))
        for column in ("old_value", "new_value"):
            if source is None or column not in typed:
                continue
            texts = typed.loc[rows, column]
            texts = nested(texts, source.path) if source.path else texts
            values = parser.column(texts, source, facts(entity)[str(field)], f"{column} of {field}")
            read.loc[rows, column] = values.map(canonical_text)
    return read


def changes_of(history: History, typed: pd.DataFrame, current: pd.DataFrame) -> pd.DataFrame:
    """Turn the rows of a history object into changes.

    Parameters
    ----------
    history
        What form the object has.
    typed
        One row per row of it: `entity_id`, `changed_at`, `changed_by`, and for the form `changes`
        `field`, `old_value`, `new_value`, else the state's fields as canonical texts.
    current
        The table as it is now, with `id`.

    Returns
    -------
    pandas.DataFrame
        Rows of `changes`.
    """
    if history.form == "changes":
        rows = typed.copy()
    elif history.form == "states":
        rows = _from_states(typed, list(history.fields))
    else:
        rows = _from_leavings(typed, list(history.fields), current)
    rows["entity"] = history.entity
    rows["changed_after"] = pd.NaT
    rows["seq"] = range(len(rows))
    for column in CHANGE_COLUMNS:
        if column not in rows:
            rows[column] = None
    return rows[CHANGE_COLUMNS]


def _from_states(typed: pd.DataFrame, fields: list[str]) -> pd.DataFrame:
    """A row holds from its time on: it differs from the row before by what changed then."""
    ordered = typed.sort_values(["entity_id", "changed_at"], kind="stable")
    return _steps(ordered, ordered.groupby("entity_id", sort=False)[fields].shift(1), fields)


def _from_leavings(typed: pd.DataFrame, fields: list[str], current: pd.DataFrame) -> pd.DataFrame:
    """A row is written when its state ends: the state after it is that of the next row.

    After the last row it is the present one. Some CRMs write a row for this too, which changes
    nothing.
    """
    ordered = typed.sort_values(["entity_id", "changed_at"], kind="stable")
    after = ordered.copy()
    after[fields] = ordered.groupby("entity_id", sort=False)[fields].shift(-1)
    last = ordered.groupby("entity_id", sort=False).cumcount(ascending=False) == 0
    present = current.drop_duplicates("id").set_index("id")
    for field in (f for f in fields if f in present):
        now = ordered.loc[last, "entity_id"].map(present[field].map(canonical_text))
        after.loc[last, field] = now
    known = ~last | ordered["entity_id"].isin(present.index)
    shown = [f for f in fields if f in present]
    return _steps(after[known], ordered.loc[known, fields], shown)


def _steps(after: pd.DataFrame, before: pd.DataFrame, fields: list[str]) -> pd.DataFrame:
    first = after.groupby("entity_id", sort=False).cumcount() == 0
    known = before.notna().any(axis=1) | ~first
    parts = []
    for field in fields:
        old, new = before[field], after[field]
        differs = known & (old.fillna("\0") != new.fillna("\0"))
        kept = [c for c in ("entity_id", "changed_at", "changed_by") if c in after]
        part = after.loc[differs, kept].copy()
        part["field"], part["old_value"], part["new_value"] = field, old[differs], new[differs]
        parts.append(part)
    return pd.concat(parts).sort_values(["changed_at", "entity_id"], kind="stable")


def tracked_fields(history: History, rows: pd.DataFrame) -> list[str]:
    """Name the fields that an object keeps the history of."""
    if history.form != "changes":
        return list(history.fields)
    known = facts(history.entity)
    return [field for field in rows["field"].dropna().unique() if field in known]
