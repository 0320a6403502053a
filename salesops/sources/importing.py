"""The import: read, map, check everything, then write the book at once or not at all."""

import re
from collections.abc import Mapping as Mapped
from contextlib import nullcontext
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

import pandas as pd

from salesops.book.write import NoPlace, typed, write_store
from salesops.model.errors import MissingColumn, MissingTable
from salesops.model.settings import Settings, default_text
from salesops.model.tables import facts
from salesops.sources.history import (
    CHANGE_COLUMNS,
    as_source,
    changes_of,
    removals,
    tracked_fields,
    values_of_fields,
    without_logged,
)
from salesops.sources.mapping import (
    Condition,
    History,
    Mapping,
    Rows,
    Source,
    UnknownSource,
    known_mappings,
    mapping_text,
    read_mapping,
    settings_text,
)
from salesops.sources.parsing import Fault, Parser, nested
from salesops.sources.readers import Sheet, list_files, read_sheet
from salesops.sources.report import ImportReport, Mended
from salesops.sources.shapes import (
    arrow_of,
    assumptions,
    otherwise,
    replaced,
    shaped,
    stages_put_in,
)
from salesops.sources.successive import Logged, carried_history, export_time, with_earlier
from salesops.sources.targetlock import alone
from salesops.sources.validate import bad_rows, find_faults, find_oddities


@dataclass
class _Reading:
    """The sheets of an export as far as they were read, and what was noted on the way."""

    files: list[Path]
    mapping: Mapping
    zone: str
    company: str
    sheets: dict[tuple[str, str | None, int], Sheet] = field(default_factory=dict)
    mended: list[Mended] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    used: dict[str, set[str]] = field(default_factory=dict)
    absent: list[tuple[str, str, str]] = field(default_factory=list)
    removed: list[pd.DataFrame] = field(default_factory=list)


def import_path(
    path: str | Path,
    *,
    into: str | Path,
    source: str | None = None,
    dry_run: bool = False,
    exported_at: str | None = None,
    yes: bool = False,
) -> ImportReport:
    """Turn an export into a book, or add a later export to one.

    Parameters
    ----------
    path
        File or folder of the export.
    into
        The book's folder.
    source
        A mapping by name or file; by default the one whose files are there.
    dry_run
        Read and check all, write nothing.
    exported_at
        ISO date or datetime of the export; by default the last date that it knows of.
    yes
        Ask nothing; kept for scripts, nothing is asked where a mapping is named.

    Returns
    -------
    ImportReport
        What was read, mended, written, and what the data can't answer.

    Raises
    ------
    UnknownSource, BadMapping, UnreadableFile, MissingTable, MissingColumn, BadRows, NoPlace
        One error with all faults of the input; nothing is written.
    BookBusy
        Somebody is writing to the book meanwhile; nothing is written.
    """
    files = list_files(Path(path))
    if any(file.resolve().parent == Path(into).resolve() for file in files):
        # Its tables would take the place of files of the same name.
        raise NoPlace(where=str(into), reason="the export itself lies there")
    chosen = source or recognised(files)
    text = mapping_text(chosen)
    mapping = read_mapping(text, chosen)
    words, where = _settings(Path(into), mapping, chosen, Path(path))
    settings = Settings.parse(words, where=where)
    zone = settings.company.zone
    reading = _Reading(files, mapping, mapping.zone or zone, zone)
    frames, places = _tables(reading)
    changes, tracked = _history(reading, frames)
    words, stages = stages_put_in(
        (words, where), mapping, frames, changes, lambda t: _sheet(reading, t.files, t.sheet, 0)
    )
    settings = Settings.parse(words, where=where)
    faults = reading.faults + find_faults(frames, settings, places)
    if faults:
        raise bad_rows(str(path), faults)
    if len(changes):
        frames["changes"] = changes
    oddities = tuple(find_oddities(frames, settings))
    tables = {name: typed(name, arrow_of(name, frame)) for name, frame in frames.items()}
    when = export_time(exported_at, tables, settings)
    logged = carried_history(tables) | tracked
    # What is handed in after the book was read would be lost when it is written.
    with nullcontext() if dry_run or not Path(into).is_dir() else alone(Path(into), "an import"):
        tables, changed = with_earlier(tables, Path(into), when, logged)
        if not dry_run:
            write_store(into, tables, settings_toml=words, extra={"mapping.toml": text})
    return ImportReport(
        source=mapping.name,
        title=mapping.title,
        into="" if dry_run else str(into),
        read={sheet.where: len(sheet.frame) for sheet in reading.sheets.values()},
        rows={name: table.num_rows for name, table in tables.items()},
        mended=tuple(reading.mended),
        oddities=oddities,
        unmapped=_unmapped(reading),
        absent=tuple(dict.fromkeys(reading.absent)),
        changed=changed,
        stages=stages,
        assumed=assumptions(mapping, settings, where),
        cannot=mapping.cannot,
    )


def _settings(book: Path, mapping: Mapping, source: str, export: Path) -> tuple[str, str]:
    """Give the text of the settings and where it stands: the book's own, which may be edited.

    Of a new book those of the mapping count, else those that lie with the export.
    """
    own, beside = book / "salesops.toml", export / "salesops.toml"
    if own.exists():
        return own.read_text(encoding="utf-8"), str(own)
    found = settings_text(mapping, source)
    if found:
        return found, mapping.settings
    if beside.exists():
        return beside.read_text(encoding="utf-8"), str(beside)
    return default_text(), "the packaged salesops.toml"


def recognised(files: list[Path]) -> str:
    """Name the mapping whose files and columns are there.

    Raises
    ------
    UnknownSource
        None fits; the user names one.
    """
    for name in known_mappings():
        wanted = read_mapping(mapping_text(name), name).recognised_by
        if wanted and all(_fits(files, pattern, columns) for pattern, columns in wanted.items()):
            return name
    found = tuple(f.name for f in files)
    raise UnknownSource(value=found[0], known=known_mappings(), found=found)


def _fits(files: list[Path], pattern: str, columns: tuple[str, ...]) -> bool:
    name, _sep, sheet = pattern.partition("#")
    for path in files:
        if fnmatch(path.name, name):
            for title_rows in (0, 1):
                try:
                    heads = read_sheet(path, sheet or None, title_rows).frame.columns
                except ValueError:
                    continue
                if set(columns) <= set(heads):
                    return True
    return False


def _sheet(
    reading: _Reading, patterns: tuple[str, ...], sheet: str | None, title_rows: int
) -> Sheet | None:
    """Read the sheet that a pattern names, once, with the known misspellings mended."""
    named = (f for pattern in patterns for f in reading.files if fnmatch(f.name, pattern))
    path = next(named, None)
    if path is None:
        return None
    key = (path.name, sheet, title_rows)
    if key not in reading.sheets:
        found = read_sheet(path, sheet, title_rows, reading.mapping.encoding)
        frame = found.frame
        for correction in reading.mapping.corrections:
            if fnmatch(path.name, correction.file) and correction.column in frame:
                for was, now in correction.values.items():
                    wrong = frame[correction.column] == was
                    if wrong.any():
                        frame.loc[wrong, correction.column] = now
                        reading.mended.append(
                            Mended(path.name, correction.column, was, now, int(wrong.sum()))
                        )
        reading.sheets[key] = found
    return reading.sheets[key]


def _tables(reading: _Reading) -> tuple[dict[str, pd.DataFrame], dict[str, pd.Series]]:
    """Map every table; rows of several files stand under each other."""
    frames: dict[str, pd.DataFrame] = {}
    places: dict[str, pd.Series] = {}
    for name, parts in reading.mapping.tables.items():
        mapped = [m for rows in parts if (m := _mapped(reading, name, rows)) is not None]
        if mapped:
            frame = pd.concat([m[0] for m in mapped], ignore_index=True)
            where = pd.concat([m[1] for m in mapped], ignore_index=True)
            frames[name], places[name] = frame, where
    return frames, places


def _mapped(reading: _Reading, name: str, rows: Rows) -> tuple[pd.DataFrame, pd.Series] | None:
    sheet = _sheet(reading, rows.files, rows.sheet, rows.title_rows)
    if sheet is None:
        if rows.optional:
            return None
        raise MissingTable(
            table=name, where=f"no file {' or '.join(rows.files)}", needed_for="the import"
        )
    sheet = shaped(sheet, rows.entries, rows.months)
    frame = sheet.frame
    if rows.where is not None:
        _require(sheet, name, rows.where)
        frame = frame[rows.where.holds(frame)]
    parser = Parser(sheet.where, reading.zone, reading.company)
    columns = {}
    for column, source in rows.sources().items():
        if rows.as_found and column not in frame.columns and not facts(name)[column].mandatory:
            continue
        texts = _texts(reading, frame, sheet.where, source, name, column)
        if texts is not None:
            shown = source.names[0] if source.names else column
            columns[column] = parser.column(texts, source, facts(name)[column], shown)
    made = pd.DataFrame(columns, index=frame.index)
    _note_removed(reading, name, rows, frame, made, parser)
    reading.faults += parser.faults
    where = pd.Series([f"{sheet.where}#{row}" for row in made.index], index=made.index)
    if rows.distinct:
        kept = ~made["id"].duplicated() & made["id"].notna()
        made, where = made[kept], where[kept]
    return made, where


def _note_removed(
    reading: _Reading, name: str, rows: Rows, frame: pd.DataFrame, made: pd.DataFrame,
    parser: Parser,
) -> None:  # fmt: skip
    """Note which rows the source has marked as deleted, and when."""
    source = as_source(rows.deleted_at)
    if rows.deleted is None or source is None or rows.deleted.found(frame) is None:
        return
    gone = frame[rows.deleted.holds(frame)]
    reading.used[parser.where].add(str(rows.deleted.found(frame)))
    if len(gone):
        texts = _texts(reading, gone, parser.where, source, "changes", "changed_at")
        times = parser.column(texts, source, facts("changes")["changed_at"], source.names[0])
        reading.removed.append(removals(name, made.loc[gone.index, "id"], times))


def _require(sheet: Sheet, table: str, column: str | Condition) -> str:
    """Refuse a sheet without a column on which it depends which rows or values count."""
    condition = Condition(column=column) if isinstance(column, str) else column
    found = condition.found(sheet.frame)
    if found is None:
        raise MissingColumn(table=table, column=str(condition.column), where=sheet.where,
                            found=tuple(sheet.frame.columns))  # fmt: skip
    return found


def _texts(
    reading: _Reading, frame: pd.DataFrame, where: str, source: Source, table: str, column: str
) -> pd.Series | None:
    """Give the raw texts of one source; None where an unneeded column is absent."""
    used = reading.used.setdefault(where, set())
    if source.constant is not None:
        return pd.Series(source.constant, index=frame.index, dtype=object)
    if source.template is not None:
        names = [n for n in frame.columns if "{" + n + "}" in source.template]
        used.update(names)
        for wanted in re.findall(r"\{([^{}]*)\}", source.template):
            if wanted != "row":
                _require(Sheet(where, frame), table, wanted)
        # `{row}` is the number of the row in the file.
        records = frame[names].to_dict("records") if names else [{}] * len(frame)
        joined = [
            source.template.format(row=number, **record).strip()
            for number, record in zip(frame.index, records, strict=True)
        ]
        return pd.Series(joined, index=frame.index, dtype=object)
    found = next((n for n in source.names if n in frame.columns), None)
    if found is None:
        if facts(table)[column].mandatory:
            raise MissingColumn(table=table, column=source.names[0], where=where,
                                found=tuple(frame.columns))  # fmt: skip
        reading.absent.append((where, source.names[0], f"{table}.{column}"))
        return None
    used.add(found)
    texts = nested(frame[found], source.path) if source.path else frame[found]
    texts = otherwise(texts, frame, source)
    if source.only_where is not None:
        used.add(_require(Sheet(where, frame), table, source.only_where))
        texts = texts.where(source.only_where.holds(frame), None)
    return replaced(texts, frame, source.instead)


def _history(reading: _Reading, frames: Mapped[str, pd.DataFrame]) -> tuple[pd.DataFrame, Logged]:
    """Read the history objects into changes, and say which fields they track."""
    parts = []
    tracked: Logged = {}
    for history in reading.mapping.history:
        sheet = _sheet(reading, history.files, history.sheet, 0)
        if sheet is None:
            if history.optional:
                continue
            raise MissingTable(table="changes", where=f"no file {history.files[0]}",
                               needed_for="the history")  # fmt: skip
        typed_rows = _typed_history(
            reading, history, shaped(sheet, history.entries, where=history.where)
        )
        rows = changes_of(history, typed_rows, frames[history.entity])
        rows = without_logged(rows, tracked)
        # Nothing is known of what came before its first row.
        begun = pd.to_datetime(typed_rows["changed_at"]).min()
        tracked |= {(history.entity, f): (begun, "log") for f in tracked_fields(history, rows)}
        parts.append(rows)
    parts = [part for part in (*parts, *reading.removed) if len(part)]
    if not parts:
        return pd.DataFrame(columns=CHANGE_COLUMNS), tracked
    return pd.concat(parts, ignore_index=True), tracked


def _typed_history(reading: _Reading, history: History, sheet: Sheet) -> pd.DataFrame:
    from salesops.book.snapshots import canonical_text

    wanted = {
        "entity_id": history.entity_id, "changed_at": history.changed_at,
        "changed_by": history.changed_by, "field": history.field,
        "old_value": history.old_value, "new_value": history.new_value,
    }  # fmt: skip
    parser = Parser(sheet.where, reading.zone, reading.company)
    columns = {"days": sheet.frame[history.days]} if history.days in sheet.frame else {}
    for column, given in wanted.items():
        if (source := as_source(given)) is not None:
            texts = _texts(reading, sheet.frame, sheet.where, source, "changes", column)
            if texts is not None:
                kind = facts("changes")[column]
                columns[column] = parser.column(texts, source, kind, column)
    for column, given in history.fields.items():
        if (source := as_source(given)) is not None:
            texts = _texts(reading, sheet.frame, sheet.where, source, history.entity, column)
            if texts is not None:
                values = parser.column(texts, source, facts(history.entity)[column], column)
                columns[column] = values.map(canonical_text)
    rows = pd.DataFrame(columns, index=sheet.frame.index)
    if history.form in ("changes", "values"):
        parts = reading.mapping.tables.get(history.entity, ())
        sources = {name: source for part in parts for name, source in part.sources().items()}
        rows = values_of_fields(rows, history.entity, sources, parser)
    reading.faults += parser.faults
    return rows


def _unmapped(reading: _Reading) -> dict[str, tuple[str, ...]]:
    return {
        sheet.where: tuple(c for c in sheet.frame.columns
                           if c and c not in reading.used.get(sheet.where, set()))
        for sheet in reading.sheets.values()
    }  # fmt: skip
