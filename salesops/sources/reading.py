"""An export while it is read: its sheets, each once, and what was noted on the way."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from salesops.model.errors import MissingColumn
from salesops.model.tables import facts
from salesops.sources.claims import Said
from salesops.sources.layout import Hints
from salesops.sources.mapping import Condition, Mapping, Source
from salesops.sources.naming import first_meant, meant
from salesops.sources.parsing import Fault
from salesops.sources.readers import Sheet, UnreadableFile, peek, read_sheet
from salesops.sources.records import nested
from salesops.sources.report import Mended
from salesops.sources.setaside import Corrected
from salesops.sources.shapes import otherwise, replaced

Progress = Callable[[str], None]


@dataclass
class Reading:
    """The sheets of an export as far as they were read, and what was noted on the way.

    Amounts that name no currency are in `currency`, where somebody has said in which; where nobody
    has, `said` is what columns of money say themselves.
    """

    files: list[Path]
    mapping: Mapping
    zone: str
    company: str
    progress: Progress = lambda _text: None
    corrected: Corrected = field(default_factory=dict)
    currency: str = ""
    sheets: dict[tuple[str, str | None, Hints], Sheet] = field(default_factory=dict)
    sheets_seen: dict[tuple[str, str | None, Hints], Sheet] = field(default_factory=dict)
    mended: list[Mended] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    used: dict[str, set[str]] = field(default_factory=dict)
    absent: list[tuple[str, str, str]] = field(default_factory=list)
    removed: list[pd.DataFrame] = field(default_factory=list)
    said: list[Said] = field(default_factory=list)

    def sheet(
        self, patterns: tuple[str, ...], sheet: str | None, hints: Hints | None = None
    ) -> Sheet | None:
        """Read the sheet that a pattern names, once, with the known misspellings mended.

        What tells nothing of how the table lies, such as a log, takes what a table tells of the
        same sheet.
        """
        paths = self._files(patterns)
        return self._opened(paths[0], sheet, hints) if paths else None

    def sheets_of(
        self, patterns: tuple[str, ...], sheet: str | None, hints: Hints | None = None
    ) -> list[Sheet]:
        """Read the sheets of all files that a pattern means and that have the names of the first.

        Some systems cut a long export into several files.
        """
        paths = self._files(patterns)
        if not paths:
            return []
        first = self._opened(paths[0], sheet, hints)
        heads = set(first.frame.columns)
        more = [path for path in paths[1:] if self._heads(path, sheet) == heads]
        return [first, *(self._opened(path, sheet, hints) for path in more)]

    def _heads(self, path: Path, sheet: str | None) -> set[str]:
        """Give the names of a file that may be of another kind; of one that can't be read none."""
        try:
            return set(peek(path, sheet, self.mapping.encoding).frame.columns)
        except UnreadableFile:
            return set()

    def _opened(self, path: Path, sheet: str | None, hints: Hints | None) -> Sheet:
        hints = self._hints(path, sheet) if hints is None else hints
        key = (path.name, sheet, hints)
        if key not in self.sheets:
            self.progress(f"Reading {path.name}")
            # What was read to recognise it need not be read again.
            seen = None if self.mapping.encoding else self.sheets_seen.pop(key, None)
            found = seen or read_sheet(path, sheet, None, self.mapping.encoding, hints)
            self._correct(path.name, found)
            self.sheets[key] = found
        return self.sheets[key]

    def _files(self, patterns: tuple[str, ...]) -> list[Path]:
        names = first_meant((file.name for file in self.files), patterns)
        return [file for file in self.files if file.name in names]

    def _hints(self, path: Path, sheet: str | None) -> Hints:
        told = (rows.hints() for parts in self.mapping.tables.values() for rows in parts
                if rows.sheet == sheet and path in self._files(rows.files))  # fmt: skip
        return next(told, Hints())

    def open_all(self) -> None:
        """Read all sheets that the mapping names."""
        for parts in self.mapping.tables.values():
            for rows in parts:
                self.sheets_of(rows.files, rows.sheet, rows.hints())
        for history in self.mapping.history:
            self.sheets_of(history.files, history.sheet)

    def read_again(self, mapping: Mapping) -> None:
        """Read the sheets again of which a mapping tells now how they lie."""
        self.mapping = mapping
        self.sheets_seen |= self.sheets
        self.sheets = {}
        self.open_all()
        # What was mended in a sheet that was read twice was mended once.
        self.mended = list(dict.fromkeys(self.mended))

    def let_go(self) -> None:
        """Forget the sheets, which of a large export take much memory."""
        self.sheets = {}
        self.sheets_seen = {}

    def _correct(self, name: str, sheet: Sheet) -> None:
        """Mend what the mapping knows to be misspelt, and what a person corrected by hand."""
        frame = sheet.frame
        for correction in self.mapping.corrections:
            if meant([name], correction.file) and correction.column in frame:
                for was, now in correction.values.items():
                    wrong = frame[correction.column] == was
                    if wrong.any():
                        frame.loc[wrong, correction.column] = now
                        self.mended.append(
                            Mended(name, correction.column, was, now, int(wrong.sum()))
                        )
        for (row, part), values in self.corrected.get(sheet.where, {}).items():
            # Of a row of the file months may have made several.
            places = np.flatnonzero(frame.index == row)
            if part > len(places):
                continue
            at = places[part - 1]
            for column in [c for c in values if c in frame]:
                was, now = frame[column].iloc[at], values[column]
                if was != now:
                    frame.iloc[at, frame.columns.get_loc(column)] = now
                    self.mended.append(Mended(sheet.where, column, str(was), now, 1))

    def texts(
        self, frame: pd.DataFrame, where: str, source: Source, table: str, column: str
    ) -> pd.Series | None:
        """Give the raw texts of one source; None where an unneeded column is absent."""
        used = self.used.setdefault(where, set())
        if source.constant is not None:
            return pd.Series(source.constant, index=frame.index, dtype=object)
        if source.template is not None:
            return self._joined(frame, where, source.template, table)
        found = next((n for n in source.names if n in frame.columns), None)
        if found is None:
            if facts(table)[column].mandatory:
                raise MissingColumn(table=table, column=source.names[0], where=where,
                                    found=tuple(frame.columns))  # fmt: skip
            self.absent.append((where, source.names[0], f"{table}.{column}"))
            return None
        used.add(found)
        texts = nested(frame[found], source.path) if source.path else frame[found]
        texts = otherwise(texts, frame, source)
        if source.only_where is not None:
            used.add(require(Sheet(where, frame), table, source.only_where))
            texts = texts.where(source.only_where.holds(frame), None)
        used |= {str(name) for i in source.instead if (name := i.where.found(frame))}
        return replaced(texts, frame, source.instead)

    def _joined(self, frame: pd.DataFrame, where: str, template: str, table: str) -> pd.Series:
        """Join columns by a template; `{row}` is the number of the row in the file."""
        names = [n for n in frame.columns if "{" + n + "}" in template]
        self.used.setdefault(where, set()).update(names)
        for wanted in re.findall(r"\{([^{}]*)\}", template):
            if wanted != "row":
                require(Sheet(where, frame), table, wanted)
        records = frame[names].to_dict("records") if names else [{}] * len(frame)
        joined = [
            _filled(template, {"row": number, **record}).strip()
            for number, record in zip(frame.index, records, strict=True)
        ]
        return pd.Series(joined, index=frame.index, dtype=object)

    def unmapped(self) -> dict[str, tuple[str, ...]]:
        """Name the columns of each sheet that no canonical column takes."""
        return {
            sheet.where: tuple(c for c in sheet.frame.columns
                               if c and c not in self.used.get(sheet.where, set()))
            for sheet in self.sheets.values()
        }  # fmt: skip


def _filled(template: str, record: dict[str, object]) -> str:
    # Not str.format: a column may be called `a.b` or `金额:万`, which mean something else there.
    return re.sub(r"\{([^{}]*)\}", lambda found: str(record[found[1]]), template)


def require(sheet: Sheet, table: str, column: str | Condition) -> str:
    """Name a column on which it depends which rows or values count.

    Raises
    ------
    MissingColumn
        The sheet has none of that name.
    """
    condition = Condition(column=column) if isinstance(column, str) else column
    found = condition.found(sheet.frame)
    if found is None:
        raise MissingColumn(table=table, column=str(condition.column), where=sheet.where,
                            found=tuple(sheet.frame.columns))  # fmt: skip
    return found
