"""From the sheets of an export to canonical tables; rows that can't be read are left out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from salesops.model.errors import MissingTable
from salesops.model.tables import facts
from salesops.sources.claims import currency_said
from salesops.sources.history import as_source, removals
from salesops.sources.importlog import Counts
from salesops.sources.mapping import Rows, Source
from salesops.sources.parsing import Fault, Parser, is_money
from salesops.sources.readers import Sheet
from salesops.sources.reading import Reading, require
from salesops.sources.shapes import shaped
from salesops.sources.validate import Places

# Rows above the records, which nobody counts.
_ABOVE = ("title", "head", "told")
_COMPACT = (pd.StringDtype, pd.ArrowDtype)


@dataclass(frozen=True, eq=False)
class Part:
    """The rows of one sheet as rows of one canonical table; the index is the row of the file."""

    table: str
    where: str
    frame: pd.DataFrame
    distinct: bool


def parts_of(reading: Reading) -> list[Part]:
    """Map every table of a mapping.

    Raises
    ------
    MissingTable, MissingColumn
        The export lacks what the mapping can't do without.
    """
    found = []
    for name, parts in reading.mapping.tables.items():
        found += [part for rows in parts for part in _parts(reading, name, rows)]
    return found


def _parts(reading: Reading, name: str, rows: Rows) -> list[Part]:
    sheets = reading.sheets_of(rows.files, rows.sheet, rows.hints())
    if not sheets and not rows.optional:
        raise MissingTable(
            table=name, where=f"no file {' or '.join(rows.files)}", needed_for="the import"
        )
    return [_part(reading, name, rows, sheet) for sheet in sheets]


def _part(reading: Reading, name: str, rows: Rows, sheet: Sheet) -> Part:
    # Places are those of the file, also where a row of it makes several.
    where = sheet.where
    frame = shaped(sheet, rows.entries, rows.months).frame
    if rows.where is not None:
        reading.used.setdefault(where, set()).add(require(Sheet(where, frame), name, rows.where))
        frame = frame[rows.where.holds(frame)]
    if rows.deleted is not None and rows.deleted_at is None and rows.deleted.found(frame):
        reading.used.setdefault(where, set()).add(str(rows.deleted.found(frame)))
        frame = frame[~rows.deleted.holds(frame)]
    home = reading.currency
    parser = Parser(where, reading.zone, reading.company, layout=sheet.layout, compact=True,
                    currency=home)  # fmt: skip
    columns: dict[str, pd.Series] = {}
    for column, source in _currency_first(rows, frame):
        if rows.as_found and column not in frame.columns and not facts(name)[column].mandatory:
            continue
        texts = reading.texts(frame, where, source, name, column)
        if texts is not None:
            shown = source.names[0] if source.names else column
            columns[column] = parser.column(texts, source, facts(name)[column], shown)
            if column == "currency":
                parser.currency = columns[column].fillna(home)
            is_told = home or "currency" in columns
            if (
                is_money(facts(name)[column])
                and not is_told
                and (said := currency_said(texts, sheet.layout))
            ):
                reading.said.append(said)
    ordered = {column: columns[column] for column in rows.sources() if column in columns}
    made = pd.DataFrame(ordered, index=frame.index, copy=False)
    _note_removed(reading, name, rows, frame, made, parser)
    reading.faults += parser.faults
    return Part(name, where, made, rows.distinct)


def _currency_first(rows: Rows, frame: pd.DataFrame) -> list[tuple[str, Source]]:
    """Order the columns so that amounts can be compared with the currency that is told."""
    sources = rows.sources()
    told = sources.get("currency")
    if told is None or not (told.constant or set(told.names) & set(frame.columns)):
        return list(sources.items())
    return [("currency", told), *((c, s) for c, s in sources.items() if c != "currency")]


def _note_removed(
    reading: Reading, name: str, rows: Rows, frame: pd.DataFrame, made: pd.DataFrame, parser: Parser
) -> None:
    """Note which rows the source has marked as deleted, and when."""
    source = as_source(rows.deleted_at)
    if rows.deleted is None or source is None or rows.deleted.found(frame) is None:
        return
    is_gone = rows.deleted.holds(frame).to_numpy(dtype=bool)
    gone = frame[is_gone]
    reading.used.setdefault(parser.where, set()).add(str(rows.deleted.found(frame)))
    if not len(gone):
        return
    texts = reading.texts(gone, parser.where, source, "changes", "changed_at")
    if texts is not None:
        times = parser.column(texts, source, facts("changes")["changed_at"], source.names[0])
        reading.removed.append(removals(name, made.loc[is_gone, "id"], times))


def assembled(
    parts: Sequence[Part], bad: Mapping[str, set[int]]
) -> tuple[dict[str, pd.DataFrame], dict[str, Places]]:
    """Put the rows of each table under each other, without those that are set aside."""
    frames: dict[str, list[pd.DataFrame]] = {}
    for part in parts:
        others = frames.setdefault(part.table, [])
        others.append(_kept(part, bad, others))
    wheres: dict[str, list[str]] = {}
    for part in parts:
        wheres.setdefault(part.table, []).append(part.where)
    places = {
        name: Places(
            np.repeat(np.array(wheres[name], dtype=object), [len(f) for f in found]),
            np.concatenate([f.index.to_numpy() for f in found]),
        )
        for name, found in frames.items()
    }
    return {name: _under_each_other(found) for name, found in frames.items()}, places


def _under_each_other(found: Sequence[pd.DataFrame]) -> pd.DataFrame:
    if len(found) > 1:
        return pd.concat([_loose(frame) for frame in found], ignore_index=True)
    # Its columns are shared: a column that is changed takes the place of the old one.
    (whole,) = found
    whole = whole.copy(deep=False)
    whole.index = pd.RangeIndex(len(whole))
    return whole


def _loose(frame: pd.DataFrame) -> pd.DataFrame:
    """Give the columns that lie in Arrow's memory as objects, as others may have them."""
    compact = [c for c, kind in frame.dtypes.items() if isinstance(kind, _COMPACT)]
    return frame.astype(dict.fromkeys(compact, object))


def _kept(part: Part, bad: Mapping[str, set[int]], others: Sequence[pd.DataFrame]) -> pd.DataFrame:
    frame = part.frame
    if rows := bad.get(part.where):
        frame = frame[~frame.index.isin(rows)]
    if part.distinct:
        # A person who owns deals of two sheets is one person.
        known = {key for other in others for key in other["id"]}
        frame = frame[~frame["id"].duplicated() & frame["id"].notna() & ~frame["id"].isin(known)]
    return frame


def counted(
    reading: Reading, taken: Sequence[tuple[str, pd.Index]], faults: Sequence[Fault]
) -> dict[str, Counts]:
    """Count what became of the rows of each sheet: read = kept + set aside + left out.

    A row is left out where the mapping takes it for nothing, by a condition or as it tells of a
    field that no table has, and set aside for a fault. Of several rows that make one customer all
    count as kept.

    Parameters
    ----------
    reading
        The sheets that were read.
    taken
        Sheets, and the rows of the file that a table or a log takes from them.
    faults
        What is wrong with which rows.
    """
    bad: dict[str, set[int]] = {}
    for fault in faults:
        bad.setdefault(fault.where, set()).add(fault.row)
    by_place: dict[str, list[Sheet]] = {}
    for sheet in reading.sheets.values():
        by_place.setdefault(sheet.where, []).append(sheet)
    return {
        where: _counts(sheets, [rows for place, rows in taken if place == where],
                       bad.get(where, set()))
        for where, sheets in by_place.items()
    }  # fmt: skip


def _counts(sheets: Sequence[Sheet], taken: Sequence[pd.Index], bad: set[int]) -> Counts:
    """Count the rows of one sheet, which may have been read with more than one layout."""
    # Numbers of rows of the file: where months were columns, one makes several.
    index = sheets[0].frame.index
    if len(sheets) > 1 or not index.is_unique:
        index = pd.Index(np.unique(np.concatenate([sheet.frame.index for sheet in sheets])))
    none = {row.row for sheet in sheets for row in sheet.layout.aside if row.kind not in _ABOVE}
    none = {row for row in none if row not in index}
    aside = index.isin(bad)
    meant = np.ones(len(index), dtype=bool)
    if taken:
        meant = np.logical_or.reduce([np.isin(index, rows) for rows in taken])
    counts = Counts(
        read=len(index) + len(none), kept=int((meant & ~aside).sum()), set_aside=int(aside.sum()),
        left_out=int((~meant & ~aside).sum()), no_records=len(none),
    )  # fmt: skip
    assert counts.read == counts.kept + counts.set_aside + counts.left_out + counts.no_records
    assert counts.set_aside == len(bad)
    for layout in (sheet.layout for sheet in sheets):
        assert not layout.n_kept or layout.n_rows == layout.n_kept + layout.n_set_aside
    return counts


def unread_ids(parts: Sequence[Part], faults: Sequence[Fault]) -> dict[str, set[str]]:
    """Give the ids of rows that were set aside, by table: what they are now is not known."""
    bad: dict[str, set[int]] = {}
    for fault in faults:
        bad.setdefault(fault.where, set()).add(fault.row)
    found: dict[str, set[str]] = {}
    for part in parts:
        if part.where in bad and "id" in part.frame:
            ids = part.frame.loc[part.frame.index.isin(bad[part.where]), "id"].dropna()
            found.setdefault(part.table, set()).update(ids)
    return found
