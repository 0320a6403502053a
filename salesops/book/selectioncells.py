"""Cells of needs.xlsx: sheets by name, heads by word, numbers that are numbers, faults by place."""

import datetime as dt
import io
import math
import re
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from salesops.model.errors import nearest
from salesops.model.selection import BadNeeds
from salesops.model.selectionwords import NO, SHEETS, YES, Pair, head, known, means, plain

# Above the heads may stand a title and notes.
_HEADS_WITHIN = 10
_NUMBER = re.compile(r"[+-]?(\d+|\d{1,3}(,\d{3})+)(\.\d+)?")


@dataclass(eq=False)
class Faults:
    """What is wrong with a file, collected so that it is told at once."""

    where: str
    told: list[str] = field(default_factory=list)

    def add(self, place: str, reason: str, mend: str) -> None:
        """Note one fault: where it is, what is wrong, what to write there."""
        self.told.append(f"{place}: {reason}. {mend}")

    def refuse(self) -> None:
        """Raise what was found, if anything."""
        if self.told:
            raise BadNeeds(where=self.where, faults=tuple(self.told))


@dataclass(frozen=True, eq=False, kw_only=True)
class Grid:
    """One sheet below its heads.

    Attributes
    ----------
    heads
        Key of a known head -> its column.
    others
        Head that is no known one -> its column.
    """

    name: str
    rows: list[list[Any]]
    first: int
    heads: Mapping[str, int]
    others: Mapping[str, int]
    faults: Faults

    def at(self, row: int, column: int | None = None) -> str:
        """Name a place for a message."""
        from openpyxl.utils import get_column_letter

        if column is None:
            return f"sheet {self.name}, row {row + 1}"
        return f"sheet {self.name}, cell {get_column_letter(column + 1)}{row + 1}"

    def filled(self) -> Iterator[int]:
        """Give the rows below the heads in which anything but a note stands."""
        note = self.heads.get("note")
        for row in range(self.first, len(self.rows)):
            cells = [c for j, c in enumerate(self.rows[row]) if j != note]
            if any(plain(cell) for cell in cells):
                yield row

    def cell(self, row: int, column: int | None) -> Any:
        """Give a cell; nothing where the row or the sheet has none."""
        cells = self.rows[row]
        return cells[column] if column is not None and column < len(cells) else None

    def name_in(self, row: int, key: str, taken: Mapping[str, Any], what: str) -> str:
        """Read a name that has to be there, once."""
        column = self.heads[key]
        name = plain(self.cell(row, column))
        if not name:
            self.faults.add(self.at(row, column), f"the {what} has no name",
                            "Write one, or empty the row.")  # fmt: skip
        elif name.startswith("="):
            self.faults.add(self.at(row, column), _UNCALCULATED, _CALCULATE)
        elif name.casefold() in {one.casefold() for one in taken}:
            self.faults.add(self.at(row, column), f"{name!r} stands there twice",
                            "Rename one, or take a row away.")  # fmt: skip
        else:
            return name
        return ""

    def number(
        self, row: int, column: int, *, example: str, most: float = math.inf, least: float = 0.0,
        none_is: float | None = None,
    ) -> float:  # fmt: skip
        """Read a number; null, with a fault noted, where there is none.

        Parameters
        ----------
        example
            What could stand there, for the message.
        least, most
            Bounds, both allowed.
        none_is
            What an empty cell means; without it the cell must be filled.
        """
        value = self.cell(row, column)
        if plain(value) == "" and none_is is not None:
            return none_is
        mend = f"Write {example}."
        try:
            found = number_of(value)
        except ValueError as error:
            self.faults.add(self.at(row, column), str(error), mend)
            return math.nan
        if not least <= found <= most:
            bounds = f"below {least:g}" if found < least else f"above {most:g}"
            self.faults.add(self.at(row, column), f"{found:g} is {bounds}", mend)
            return math.nan
        return found

    def yes(self, row: int, column: int) -> bool:
        """Read yes or no."""
        value = self.cell(row, column)
        if value is True or means(value, YES):
            return True
        if value is not False and not means(value, NO):
            shown = repr(plain(value)) if plain(value) else "the empty cell"
            self.faults.add(self.at(row, column), f"{shown} is neither yes nor no",
                            "Write yes or no (是 or 否).")  # fmt: skip
        return False


_UNCALCULATED = "it holds a formula that no program has calculated yet"
_CALCULATE = "Open the file in a spreadsheet and save it, or write the value."


def number_of(value: Any) -> float:
    """Read a number as people write it.

    Raises
    ------
    ValueError
        It is none; the message says what it is.

    Examples
    --------
    >>> number_of("1,200.50"), number_of(" ８ "), number_of(7)
    (1200.5, 8.0, 7.0)
    """
    text = plain(value)
    if not text:
        raise ValueError("the cell is empty")
    if isinstance(value, bool):
        raise ValueError(f"{text} is no number")
    if isinstance(value, dt.date | dt.time | dt.timedelta):
        raise ValueError(f"{text} is a date, as spreadsheets make of 8/10, and no number")
    if text.startswith("="):
        raise ValueError(_UNCALCULATED)
    if text.startswith("#"):
        raise ValueError(f"{text} is the error of a formula")
    if isinstance(value, int | float):
        found = float(value)
    elif _NUMBER.fullmatch(text):
        found = float(text.replace(",", ""))
    else:
        raise ValueError(f"{text[:40]!r} is no number")
    if not math.isfinite(found) or abs(found) > 1e12:
        raise ValueError(f"{found:g} is beyond all that could be meant")
    return found


def workbook_of(path: Path, raw: bytes) -> dict[str, list[list[Any]]]:
    """Read the sheets that are seen: name -> cells; of an uncalculated formula the formula itself.

    Raises
    ------
    BadNeeds
        It is no workbook.
    """
    import openpyxl

    with warnings.catch_warnings():
        # Programs add to workbooks what openpyxl tells that it leaves aside.
        warnings.simplefilter("ignore")
        try:
            values = openpyxl.load_workbook(io.BytesIO(raw), data_only=True)
            written = openpyxl.load_workbook(io.BytesIO(raw))
        except Exception as error:
            fault = f"it is no workbook that can be read ({_first(error)}). Save it as .xlsx."
            raise BadNeeds(where=str(path), faults=(fault,)) from error
    return {
        sheet.title: _rows(sheet, written[sheet.title])
        for sheet in values.worksheets if sheet.sheet_state == "visible"
    }  # fmt: skip


def _first(error: Exception) -> str:
    lines = str(error).splitlines()
    return lines[0] if lines else type(error).__name__


def _rows(values: Any, written: Any) -> list[list[Any]]:
    pairs = zip(values.iter_rows(values_only=True), written.iter_rows(values_only=True),
                strict=True)  # fmt: skip
    return [[_cell(*cells) for cells in zip(*row, strict=True)] for row in pairs]


def _cell(value: Any, written: Any) -> Any:
    if value is None and written is not None:
        # An array formula is no text, but a formula all the same.
        return written if isinstance(written, str) else f"={written}"
    return value


def grid_of(
    sheets: Mapping[str, list[list[Any]]], key: str, heads: Mapping[str, Pair], faults: Faults,
    *, needed: tuple[str, ...],
) -> Grid | None:  # fmt: skip
    """Find a sheet and its heads; null, with a fault noted, where they are not there.

    Parameters
    ----------
    sheets
        The workbook.
    key
        Of the sheet in `SHEETS`.
    heads
        Those that are known.
    needed
        Keys of those that have to be there.
    """
    found = [name for name in sheets if means(name, SHEETS[key])]
    if len(found) != 1:
        chinese, english = SHEETS[key]
        reason = "stands there twice" if found else "is not there"
        there = nearest(english, tuple(sheets)) or "none"
        faults.add(f"sheet {english} ({chinese})", f"it {reason}; there are: {there}",
                   "Keep one sheet of that name.")  # fmt: skip
        return None
    rows, words = sheets[found[0]], known(heads)
    for i, row in enumerate(rows[:_HEADS_WITHIN]):
        told = [(j, head(cell)) for j, cell in enumerate(row) if head(cell)]
        if sum(word in words for _j, word in told) >= 2:
            return _below(found[0], rows, i, told, heads, needed, faults)
    shown = ", ".join(pair[1] for key_, pair in heads.items() if key_ in needed)
    faults.add(f"sheet {found[0]}", "its heads are not there",
               f"Write them into one of the first {_HEADS_WITHIN} rows: {shown}.")  # fmt: skip
    return None


def _below(
    name: str, rows: list[list[Any]], at: int, told: list[tuple[int, str]],
    heads: Mapping[str, Pair], needed: tuple[str, ...], faults: Faults,
) -> Grid | None:  # fmt: skip
    words = known(heads)
    mine: dict[str, int] = {}
    others: dict[str, int] = {}
    probe = Grid(name=name, rows=rows, first=at + 1, heads={}, others={}, faults=faults)
    n_before = len(faults.told)
    for j, word in told:
        # Names of needs keep what stands in brackets.
        key = words[word] if word in words else plain(rows[at][j])
        place = mine if word in words else others
        if key in place:
            faults.add(probe.at(at, j), f"the column {plain(rows[at][j])!r} stands there twice",
                       "Take one of the two away.")  # fmt: skip
        place[key] = j
    for key in needed:
        if key not in mine:
            faults.add(probe.at(at), f"the column {heads[key][1]!r} ({heads[key][0]}) is missing",
                       "Add it to the heads.")  # fmt: skip
    if len(faults.told) > n_before:
        return None
    return Grid(name=name, rows=rows, first=at + 1, heads=mine, others=others, faults=faults)
