"""Workbooks as grids: .xlsx and its kin by calamine, old .xls by xlrd."""

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from salesops.sources.formats import Shown, shown_by
from salesops.sources.grid import MOST_COLUMNS, Grid, Mark, stripped
from salesops.sources.layout import UnreadableFile
from salesops.sources.xlsxlook import MOST_CELLS, Look, check_size, look_at

ZIP, OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_AGAIN = "open it in Excel, WPS or LibreOffice and save it again as .xlsx."
_OPEN = "open it in Excel or WPS, take its password away (File, Info, Protect) and save it again."
# The largest whole number whose digits a cell can keep is one of 15 digits.
_EXACT = 10**15
# Bytes of an old workbook; a full sheet of it takes fewer.
_MOST_OLD = 200_000_000


@dataclass(frozen=True, kw_only=True)
class SheetName:
    """One sheet of a workbook, and whether people see it."""

    name: str
    hidden: bool


@dataclass(kw_only=True)
class _Cells:
    """Texts of a sheet, and what their types told."""

    rows: list[list[str]] = field(default_factory=list)
    dates: dict[int, list[int]] = field(default_factory=dict)
    marks: list[Mark] = field(default_factory=list)

    def add(self, values: list[Any]) -> None:
        """Take over one more row."""
        row = len(self.rows) + 1
        texts = []
        for column, value in enumerate(values):
            if type(value) is str:
                texts.append(stripped(value))
                continue
            if isinstance(value, dt.datetime | dt.date):
                self.dates.setdefault(column, []).append(row)
            elif type(value) is float and not -_EXACT < value < _EXACT:
                self.marks.append(
                    Mark(row=row, column=column, kind="lost_digits", text=f"{value:.0f}")
                )
            texts.append(_text(value))
        self.rows.append(texts)


def sheet_names(path: Path) -> list[SheetName]:
    """List the sheets of a workbook that hold tables.

    Raises
    ------
    UnreadableFile
        It is damaged, protected, or too large.
    """
    if _is_old(path):
        with _old(path) as book:
            return [SheetName(name=s.name, hidden=s.visibility != 0) for s in book.sheets()]
    check_size(path, path.name)
    import python_calamine as calamine

    with _calamine(path) as book:
        return [
            SheetName(name=m.name, hidden=m.visible != calamine.SheetVisibleEnum.Visible)
            for m in book.sheets_metadata
            if m.typ == calamine.SheetTypeEnum.WorkSheet
        ]


def read_workbook(path: Path, sheet: str | None = None) -> Grid:
    """Read one sheet of a workbook as a grid of texts.

    Parameters
    ----------
    path
        The workbook, whatever its name says.
    sheet
        Its sheet; by default the first that people see and that holds anything.

    Raises
    ------
    UnreadableFile
        It is damaged, protected, too large, empty, or has no such sheet.
    """
    names = sheet_names(path)
    shown = [n.name for n in names]
    hidden = tuple(n.name for n in names if n.hidden)
    if sheet is not None and sheet not in shown:
        raise UnreadableFile(
            where=path.name, reason=f"it has no sheet {sheet!r}, only {', '.join(shown)}",
            mend="rename the sheet or the mapping's entry.",
        )  # fmt: skip
    wanted = [sheet] if sheet is not None else [n.name for n in names if not n.hidden]
    read = _read_old if _is_old(path) else _read_new
    for name in wanted:
        grid = read(path, name, hidden)
        if len(grid.frame):
            return grid
    where = f"{path.name}[{sheet}]" if sheet else path.name
    told = f"; its hidden sheets are {', '.join(hidden)}" if hidden and sheet is None else ""
    raise UnreadableFile(where=where, reason=f"it is empty{told}",
                         mend="export it again, or name the sheet in the mapping.")  # fmt: skip


def _is_old(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(8) == OLE


@contextmanager
def _guarded(where: str) -> Iterator[None]:
    """Turn whatever a library says of a damaged workbook into one message."""
    try:
        yield
    except (UnreadableFile, KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:
        # A library in Rust tells its own bugs by an exception that is no Exception.
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        said = str(error).strip() or type(error).__name__
        locked = "password" in said.lower() or "encrypted" in said.lower()
        raise UnreadableFile(
            where=where,
            reason="it is locked with a password" if locked
            else f"it is no whole workbook ({said.splitlines()[0][:200]})",
            mend=_OPEN if locked else _AGAIN,
        ) from error  # fmt: skip


@contextmanager
def _calamine(path: Path) -> Iterator[Any]:
    import python_calamine as calamine

    with _guarded(path.name), calamine.CalamineWorkbook.from_path(path) as book:
        yield book


@contextmanager
def _old(path: Path) -> Iterator[Any]:
    import io

    import xlrd

    if path.stat().st_size > _MOST_OLD:
        raise UnreadableFile(where=path.name, reason="it is too large for an old .xls",
                             mend="save it as .xlsx or as CSV UTF-8.")  # fmt: skip
    with path.open("rb") as file:
        # A new workbook with a password lies in the same wrapping as an old one.
        if "EncryptedPackage".encode("utf-16-le") in file.read():
            raise UnreadableFile(where=path.name, reason="it is locked with a password", mend=_OPEN)
    with _guarded(path.name):
        book = xlrd.open_workbook(str(path), formatting_info=True, on_demand=True,
                                  logfile=io.StringIO())  # fmt: skip
        try:
            yield book
        finally:
            book.release_resources()


def _read_new(path: Path, name: str, hidden: tuple[str, ...]) -> Grid:
    where = f"{path.name}[{name}]"
    look = look_at(path, name, where)
    with _calamine(path) as book:
        sheet = book.get_sheet_by_name(name)
        rows, columns = sheet.end or (0, 0)
        if columns >= MOST_COLUMNS or (rows + 1) * (columns + 1) > MOST_CELLS:
            raise UnreadableFile(where=where, reason="its cells reach too far out",
                                 mend="delete what is outside of the table.")  # fmt: skip
        cells = _Cells()
        for values in sheet.to_python(skip_empty_area=False):
            cells.add(values)
        merges = sheet.merged_cell_ranges or []
    marks = [*cells.marks, *look.marks]
    _show(cells, marks)
    return _grid(
        where, cells, marks, hidden, epoch=_epoch(path),
        merges=tuple((a + 1, b, c + 1, d) for (a, b), (c, d) in merges),
        percents=frozenset(look.percents), n_hidden_rows=look.n_hidden_rows, shown=look.shown,
    )  # fmt: skip


def _show(cells: _Cells, marks: list[Mark]) -> None:
    """Write errors into their cells, which the library leaves empty."""
    for mark in marks:
        if mark.kind == "error":
            while len(cells.rows) < mark.row:
                cells.rows.append([])
            row = cells.rows[mark.row - 1]
            row += [""] * (mark.column + 1 - len(row))
            row[mark.column] = mark.text


def _epoch(path: Path) -> int:
    """Say from which year an .xlsx counts days."""
    import re
    import zipfile

    with zipfile.ZipFile(path) as packed:
        if "xl/workbook.xml" not in packed.namelist():
            return 1900
        text = packed.read("xl/workbook.xml")
    return 1904 if re.search(rb'date1904="(?:1|true)"', text) else 1900


def _read_old(path: Path, name: str, hidden: tuple[str, ...]) -> Grid:
    import xlrd

    with _old(path) as book:
        sheet = book.sheet_by_name(name)
        given = _old_values(book, sheet)
        cells = _Cells()
        for row in range(sheet.nrows):
            cells.add([given(cell) for cell in sheet.row(row)])
        marks = [
            Mark(row=r + 1, column=c, kind="error", text=cells.rows[r][c])
            for r in range(sheet.nrows) for c in range(sheet.row_len(r))
            if sheet.cell_type(r, c) == xlrd.XL_CELL_ERROR
        ]  # fmt: skip
        merges = tuple((a + 1, c, b, d - 1) for a, b, c, d in sheet.merged_cells)
        n_hidden = sum(1 for info in sheet.rowinfo_map.values() if info.hidden)
        epoch = 1904 if book.datemode else 1900
        look = _old_look(book, sheet)
    return _grid(f"{path.name}[{name}]", cells, [*cells.marks, *marks, *look.marks], hidden,
                 epoch=epoch, merges=merges, percents=frozenset(look.percents),
                 n_hidden_rows=n_hidden, shown=look.shown)  # fmt: skip


def _old_look(book: Any, sheet: Any) -> Look:
    """Note what the formats of an old workbook add to its numbers."""
    import xlrd

    look = Look()
    formats = {n: shown_by(str(book.format_map[style.format_key].format_str))
               for n, style in enumerate(book.xf_list)
               if not style.is_style and style.format_key in book.format_map}  # fmt: skip
    if set(formats.values()) <= {Shown()}:
        return look
    for row in range(sheet.nrows):
        for column, cell in enumerate(sheet.row(row)):
            shown = formats.get(cell.xf_index, Shown())
            if cell.ctype != xlrd.XL_CELL_NUMBER or shown == Shown():
                continue
            if shown.percent:
                look.percents.add(column)
            if shown.scaled:
                look.marks.append(Mark(row=row + 1, column=column, kind="scaled",
                                       text=_text(cell.value)))  # fmt: skip
            if shown.says_more:
                look.shown.setdefault(column, {}).setdefault(shown, []).append(row + 1)
    return look


def _old_values(book: Any, sheet: Any) -> Callable[[Any], Any]:
    import xlrd

    def given(cell: Any) -> Any:
        if cell.ctype == xlrd.XL_CELL_DATE:
            try:
                moment = xlrd.xldate_as_datetime(cell.value, book.datemode)
            except (ValueError, OverflowError):
                return cell.value
            return moment.time() if cell.value < 1 else moment
        if cell.ctype == xlrd.XL_CELL_BOOLEAN:
            return bool(cell.value)
        if cell.ctype == xlrd.XL_CELL_ERROR:
            return xlrd.error_text_from_code.get(cell.value, "#ERROR")
        return cell.value

    del sheet
    return given


def _grid(
    where: str, cells: _Cells, marks: list[Mark], hidden: tuple[str, ...], *, epoch: int,
    merges: tuple[tuple[int, int, int, int], ...], percents: frozenset[int], n_hidden_rows: int,
    shown: dict[int, dict[Shown, list[int]]],
) -> Grid:  # fmt: skip
    width = max((len(row) for row in cells.rows), default=0)
    numbered = {n: row + [""] * (width - len(row))
                for n, row in enumerate(cells.rows, start=1) if any(row)}  # fmt: skip
    frame = pd.DataFrame(list(numbered.values()), index=list(numbered), columns=range(width),
                         dtype=object)  # fmt: skip
    return Grid(where=where, frame=frame, encoding="xlsx", epoch=epoch, merges=merges,
                dates=cells.dates, percents=percents, marks=tuple(marks), hidden=hidden,
                n_hidden_rows=n_hidden_rows, shown=shown)  # fmt: skip


def _text(value: object) -> str:
    if value is None or value == "":
        return ""
    if isinstance(value, dt.datetime):
        # A serial number keeps a thousandth of a second and less only by chance.
        value = (value + dt.timedelta(microseconds=500)).replace(microsecond=0)
        return f"{value:%Y-%m-%d}" if value.time() == dt.time() else f"{value:%Y-%m-%d %H:%M:%S}"
    if isinstance(value, float):
        if value != value or value in (float("inf"), float("-inf")):
            return str(value)
        return str(int(value)) if value == int(value) else repr(value)
    return str(value)
