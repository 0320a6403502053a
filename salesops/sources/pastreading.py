"""Reading the history objects of an export: typed row by row, then turned into changes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from salesops.book.snapshots import canonical_text
from salesops.model.errors import MissingTable
from salesops.model.tables import facts
from salesops.sources.history import (
    CHANGE_COLUMNS,
    as_source,
    changes_of,
    tracked_fields,
    values_of_fields,
    without_logged,
)
from salesops.sources.mapping import History, Rows, Source
from salesops.sources.parsing import Parser
from salesops.sources.readers import Sheet
from salesops.sources.reading import Reading
from salesops.sources.shapes import shaped
from salesops.sources.successive import Logged
from salesops.sources.tabling import Part


@dataclass(frozen=True, eq=False)
class Past:
    """One history object: what it is, its sheet, and its rows with their types."""

    history: History
    where: str
    typed: pd.DataFrame

    @property
    def rows(self) -> pd.Index:
        """Rows of the file that tell something; a log may speak of fields that no table has."""
        if self.history.form not in ("changes", "values"):
            return self.typed.index
        known = self.typed["field"].isin(facts(self.history.entity))
        return self.typed.index[known.to_numpy(dtype=bool)]


def pasts_of(reading: Reading) -> list[Past]:
    """Read the history objects that are there.

    Raises
    ------
    MissingTable
        One is not there that the mapping can't do without.
    """
    found = []
    for history in reading.mapping.history:
        sheets = reading.sheets_of(history.files, history.sheet)
        found += [Past(history, s.where, _typed(reading, history, s)) for s in sheets]
        if not sheets and not history.optional:
            raise MissingTable(table="changes", where=f"no file {history.files[0]}",
                               needed_for="the history")  # fmt: skip
    return found


def _typed(reading: Reading, history: History, sheet: Sheet) -> pd.DataFrame:
    wanted = {
        "entity_id": history.entity_id, "changed_at": history.changed_at,
        "changed_by": history.changed_by, "field": history.field,
        "old_value": history.old_value, "new_value": history.new_value,
    }  # fmt: skip
    where = sheet.where
    frame = shaped(sheet, history.entries, where=history.where).frame
    tables = reading.mapping.tables.get(history.entity, ())
    home = "" if any("currency" in rows.columns for rows in tables) else reading.currency
    parser = Parser(where, reading.zone, reading.company, layout=sheet.layout, currency=home)
    columns = {"days": frame[history.days]} if history.days in frame else {}
    for column, given in wanted.items():
        if (source := as_source(given)) is not None:
            texts = reading.texts(frame, where, source, "changes", column)
            if texts is not None:
                columns[column] = parser.column(texts, source, facts("changes")[column], column)
    logs_fields = history.form in ("changes", "values")
    for column, given in ({} if logs_fields else history.fields).items():
        if (source := as_source(given)) is not None:
            texts = reading.texts(frame, where, source, history.entity, column)
            if texts is not None:
                values = parser.column(texts, source, facts(history.entity)[column], column)
                columns[column] = values.map(canonical_text)
    rows = pd.DataFrame(columns, index=frame.index)
    if logs_fields:
        sources = _sources(reading, history)
        if not sheet.layout.unit:
            sources = _with_units(sources, history.entity, reading, tables)
        rows = values_of_fields(rows, history.entity, sources, parser)
    if history.makes_rows:
        _fault_empty(rows, parser)
    reading.faults += parser.faults
    return rows


def _sources(reading: Reading, history: History) -> dict[str, Source]:
    """Say how values of each field are written: as in the table, else as the log itself says."""
    parts = reading.mapping.tables.get(history.entity, ())
    found = {name: as_source(given) for name, given in history.fields.items()}
    found |= {name: source for part in parts for name, source in part.sources().items()}
    return {name: source for name, source in found.items() if source is not None}


def _with_units(
    sources: Mapping[str, Source], entity: str, reading: Reading, tables: Sequence[Rows]
) -> dict[str, Source]:
    """Give sources the units that heads or the title of their table say, where a log says none."""
    found = dict(sources)
    for rows in tables:
        for sheet in reading.sheets_of(rows.files, rows.sheet, rows.hints()):
            for field, source in rows.sources().items():
                head = next((n for n in source.names if n in sheet.frame.columns), "")
                unit = source.unit or sheet.layout.units.get(head)
                if unit is None and str(facts(entity)[field].dtype).startswith("decimal"):
                    unit = sheet.layout.unit or None
                found[field] = source.model_copy(update={"unit": unit})
    return found


def _fault_empty(rows: pd.DataFrame, parser: Parser) -> None:
    """Without a time or an id an entry of a log tells nothing."""
    for column in ("entity_id", "changed_at"):
        told = {fault.row for fault in parser.faults}
        for row in rows.index[rows[column].isna()]:
            if row not in told:
                parser.fault(row, column, "", "is empty")


def rows_of_logs(pasts: list[Past], reading: Reading) -> list[Part]:
    """Make the rows of a table that only a log tells of: one per id, with its last values."""
    found = []
    for past in pasts:
        if not past.history.makes_rows:
            continue
        entity = past.history.entity
        rows = past.typed.dropna(subset=["entity_id", "changed_at"])
        rows = rows.sort_values(["entity_id", "changed_at"], kind="stable")
        of_each = rows.groupby("entity_id", sort=False)
        last = _last_values(past.history, rows)
        # Each stands at the place of its first entry.
        first = of_each.head(1)
        made = pd.DataFrame({"id": first["entity_id"], "created_at": first["changed_at"]})
        parser = Parser(past.where, "UTC", reading.company)
        for field in last:
            texts = made["id"].map(last[field])
            made[field] = parser.column(texts, Source(), facts(entity)[field], field)
        reading.faults += parser.faults
        found.append(Part(entity, past.where, made, distinct=False))
    return found


def _last_values(history: History, rows: pd.DataFrame) -> dict[str, "pd.Series"]:
    """Give the last value of each field by id; of a log of changes also a null one."""
    if history.form not in ("changes", "values"):
        last = rows.drop_duplicates("entity_id", keep="last").set_index("entity_id")
        return {f: last[f] for f in history.fields if f in rows}
    known = [f for f in rows["field"].dropna().unique() if f in facts(history.entity)]
    return {
        f: rows[rows["field"] == f].drop_duplicates("entity_id", keep="last")
        .set_index("entity_id")["new_value"]
        for f in known
    }  # fmt: skip


def _under_each_other(
    pasts: list[Past], bad: Mapping[str, set[int]]
) -> Iterator[tuple[History, pd.DataFrame]]:
    """Give each history once, with the rows of all its files that are not set aside."""
    of_each: dict[int, list[Past]] = {}
    for past in pasts:
        of_each.setdefault(id(past.history), []).append(past)
    for same in of_each.values():
        kept = [p.typed[~p.typed.index.isin(bad.get(p.where, set()))] for p in same]
        yield same[0].history, pd.concat(kept) if len(kept) > 1 else kept[0]


def changes_told(
    pasts: list[Past],
    reading: Reading,
    frames: dict[str, pd.DataFrame],
    bad: Mapping[str, set[int]],
) -> tuple[pd.DataFrame, Logged]:
    """Turn history objects into changes, and say which fields they track.

    Parameters
    ----------
    pasts
        What was read.
    reading
        With the rows that the source has marked as deleted.
    frames
        The tables as they are now.
    bad
        Rows that are set aside, by sheet.
    """
    parts = []
    tracked: Logged = {}
    for history, typed in _under_each_other(pasts, bad):
        rows = changes_of(history, typed, frames[history.entity])
        rows = without_logged(rows, tracked)
        # Nothing is known of what came before its first row.
        begun = pd.to_datetime(typed["changed_at"]).min()
        tracked |= {(history.entity, f): (begun, "log") for f in tracked_fields(history, rows)}
        parts.append(rows)
    parts = [part for part in (*parts, *reading.removed) if len(part)]
    if not parts:
        return pd.DataFrame(columns=CHANGE_COLUMNS), tracked
    return pd.concat(parts, ignore_index=True), tracked
