"""History kept as separate objects, turned into rows of `changes`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pandas as pd

from salesops.book.snapshots import canonical_text
from salesops.model.errors import SalesopsError
from salesops.model.tables import facts
from salesops.sources.mapping import History, Source
from salesops.sources.parsing import Parser
from salesops.sources.records import nested

CHANGE_COLUMNS = ["entity", "entity_id", "field", "old_value", "new_value", "changed_at",
                  "changed_after", "changed_by", "seq"]  # fmt: skip


# Of the rows that can tell whether a state begins or ends with its row, so many must agree.
_AGREE = 0.9
_SOON = pd.Timedelta(minutes=2)
# A state that was noted on the day of creation is the first; some exports tell the day alone.
_BIRTH = pd.Timedelta(days=1)


@dataclass(eq=False, kw_only=True)
class UnclearHistory(SalesopsError, ValueError):
    """A history's rows could be written when a state begins, or when it ends."""

    where: str
    began: int
    ended: int
    n: int

    def __str__(self) -> str:
        return (
            f"The rows of {self.where} can be read in two ways: of {self.n} that could tell, "
            f"{self.began} look written when their state began and {self.ended} when it ended.\n"
            "Expected: nearly all of one kind, by the days in the state or by the first row of "
            "each deal, which a system that writes when a state begins writes with the deal.\n"
            'Compare one deal with what the system shows, then write form = "states" (a row when '
            'its state begins) or form = "leaving" (when it ends) into the mapping.'
        )


def as_source(given: Source | str | tuple[str, ...] | None) -> Source | None:
    """Give a source of a column's name or names, or of the full form."""
    return Source(column=given) if isinstance(given, str | tuple) else given


def values_of_fields(
    typed: pd.DataFrame, entity: str, sources: Mapping[str, Source], parser: Parser
) -> pd.DataFrame:
    """Read the old and new values of a log as the table's own values of the field that changed.

    A log writes them as the table does, in its units and with its names of stages.
    """
    read = typed.copy()
    for field in typed["field"].dropna().unique():
        source = sources.get(str(field))
        # By place: a row of the file may be several here.
        rows = (typed["field"] == field).to_numpy(dtype=bool)
        for column in ("old_value", "new_value"):
            if source is None or column not in typed:
                continue
            texts = typed.loc[rows, column]
            texts = nested(texts, source.path) if source.path else texts
            values = parser.column(texts, source, facts(entity)[str(field)], f"{column} of {field}")
            read.loc[rows, column] = values.map(canonical_text).to_numpy(dtype=object)
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
    form: str = history.form
    typed = typed.reset_index(drop=True)
    if form == "states or leaving":
        form = _form_of(history, typed, current)
    if form in ("changes", "values"):
        rows = typed[typed["field"].isin(facts(history.entity))].copy()
        rows = _from_values(rows, current) if form == "values" else rows
    elif form == "states":
        rows = _from_states(typed, list(history.fields), current)
    else:
        rows = _from_leavings(typed, list(history.fields), current)
    if form in ("values", "states"):
        unlogged = _unlogged(typed, list(history.fields) or list(facts(history.entity)), current)
        rows = pd.concat([rows, *(part for part in unlogged if len(part))])
    rows["entity"] = history.entity
    if "changed_after" not in rows:
        rows["changed_after"] = pd.NaT
    rows["seq"] = range(len(rows))
    for column in CHANGE_COLUMNS:
        if column not in rows:
            rows[column] = None
    return rows[CHANGE_COLUMNS]


def _form_of(history: History, typed: pd.DataFrame, current: pd.DataFrame) -> str:
    """Tell by the rows whether each was written when its state began or when it ended."""
    ordered = typed.sort_values(["entity_id", "changed_at"], kind="stable")
    of_each = ordered.groupby("entity_id", sort=False)["changed_at"]
    began = ended = n = 0
    if "days" in ordered and ordered["days"].notna().any():
        days = pd.to_numeric(ordered["days"], errors="coerce")
        # Days of the calendar, so that hours make a difference of one.
        to_next = (of_each.shift(-1) - ordered["changed_at"]).dt.total_seconds() / 86_400
        from_last = (ordered["changed_at"] - of_each.shift(1)).dt.total_seconds() / 86_400
        tells = days.notna() & to_next.notna() & from_last.notna()
        tells &= (to_next - from_last).abs() > 2
        n = int(tells.sum())
        began = int(((to_next - days).abs() <= 1)[tells].sum())
        ended = int(((from_last - days).abs() <= 1)[tells].sum())
    if not n and "created_at" in current:
        born = current.drop_duplicates("id").set_index("id")["created_at"]
        first = of_each.min()
        waited = first - pd.to_datetime(first.index.to_series().map(born))
        n = int(waited.notna().sum())
        began = int((waited.abs() <= _SOON).sum())
        ended = n - began
    if n and began >= _AGREE * n > ended:
        return "states"
    if n and ended >= _AGREE * n > began:
        return "leaving"
    raise UnclearHistory(where=history.files[0], began=began, ended=ended, n=n)


def _came_later(rows: pd.DataFrame, current: pd.DataFrame) -> "pd.Series":
    """Say of which rows it is known that they were written after the day of creation.

    What was before the first of these is not known, so it is null and not what came after.
    """
    if "created_at" not in current:
        return pd.Series(False, index=rows.index)
    born = pd.to_datetime(current.drop_duplicates("id").set_index("id")["created_at"])
    return rows["changed_at"] - rows["entity_id"].map(born) > _BIRTH


def _unlogged(
    typed: pd.DataFrame, fields: list[str], current: pd.DataFrame
) -> Iterator[pd.DataFrame]:
    """Write what became of rows whose last logged value is not the present one.

    Some systems change values without a row of their history. It happened after the last row; the
    export saw it at the latest, and the last that its history knows of stands for the export.
    """
    present = current.drop_duplicates("id").set_index("id")
    ordered = typed.sort_values(["entity_id", "changed_at"], kind="stable")
    for field in (f for f in fields if f in present):
        rows = ordered
        if "new_value" in ordered:
            # A row is the value of one field.
            rows = ordered[ordered["field"] == field].rename(columns={"new_value": field})
        last = rows.drop_duplicates("entity_id", keep="last")
        last = last[last["entity_id"].isin(present.index)]
        now = last["entity_id"].map(present[field].map(canonical_text))
        differs = last[field].fillna("\0") != now.fillna("\0")
        gone = last.loc[differs]
        yield pd.DataFrame({
            "entity_id": gone["entity_id"], "field": field, "old_value": gone[field],
            "new_value": now[differs], "changed_at": typed["changed_at"].max(),
            "changed_after": gone["changed_at"],
        })  # fmt: skip


def _from_values(rows: pd.DataFrame, current: pd.DataFrame) -> pd.DataFrame:
    """A row is a value from its time on: the one before it of the same field was the old value."""
    ordered = rows.sort_values(["entity_id", "field", "changed_at"], kind="stable")
    of_each = ordered.groupby(["entity_id", "field"], sort=False)
    # The first value came with the row; only what followed is a change.
    later = (of_each.cumcount() > 0) | _came_later(ordered, current)
    ordered["old_value"] = of_each["new_value"].shift(1)
    differs = ordered["old_value"].fillna("\0") != ordered["new_value"].fillna("\0")
    return ordered[later & differs].sort_values(["changed_at", "entity_id"], kind="stable")


def removals(entity: str, ids: pd.Series, times: pd.Series) -> pd.DataFrame:
    """Write the log of rows that a source has marked as deleted.

    Examples
    --------
    >>> gone = removals("opportunities", pd.Series(["d1"]), pd.Series([pd.Timestamp("2026-03-05")]))
    >>> gone[["entity_id", "field", "old_value"]].values.tolist()
    [['d1', '_row', 'born']]
    """
    rows = pd.DataFrame({"entity_id": ids.to_numpy(), "changed_at": times.to_numpy()})
    rows = rows.assign(entity=entity, field="_row", old_value="born", new_value=None,
                       changed_after=pd.NaT, changed_by=None, seq=range(len(rows)))  # fmt: skip
    return rows[CHANGE_COLUMNS]


def without_logged(rows: pd.DataFrame, logged: Mapping[tuple[str, str], object]) -> pd.DataFrame:
    """Leave out what another object of the same export has told already, field by field."""
    told = [key in logged for key in zip(rows["entity"], rows["field"], strict=True)]
    return rows[~pd.Series(told, index=rows.index, dtype=bool)]


def _from_states(typed: pd.DataFrame, fields: list[str], current: pd.DataFrame) -> pd.DataFrame:
    """A row holds from its time on: it differs from the row before by what changed then."""
    ordered = typed.sort_values(["entity_id", "changed_at"], kind="stable")
    before = ordered.groupby("entity_id", sort=False)[fields].shift(1)
    first = ordered.groupby("entity_id", sort=False).cumcount() == 0
    return _steps(ordered, before, fields, ~first | _came_later(ordered, current))


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
    before = ordered.loc[known, fields]
    first = after[known].groupby("entity_id", sort=False).cumcount() == 0
    return _steps(after[known], before, shown, before.notna().any(axis=1) | ~first)


def _steps(
    after: pd.DataFrame, before: pd.DataFrame, fields: list[str], known: "pd.Series"
) -> pd.DataFrame:
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
    if history.form not in ("changes", "values"):
        return list(history.fields)
    return list(rows["field"].dropna().unique())
