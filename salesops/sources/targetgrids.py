"""Files of targets as grids of cells: workbooks and text in whatever encoding and separator."""

import csv
import io
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from salesops.model.errors import SalesopsError

# How the first sheet of an own workbook repeats a cell of a team's sheet.
REPEATED = '=IF({cell}="","",{cell})'
_REPEATS = re.compile(r"""=IF\(('(?:[^']|'')+'![A-Z]+\d+)="","",\1\)""")
_SEPARATORS = ",;\t"


@dataclass(eq=False, kw_only=True)
class BadTargets(SalesopsError, ValueError):
    """A list of targets can't be taken over."""

    where: str
    reason: str
    mend: str

    def __str__(self) -> str:
        return (
            f"{self.where}: {self.reason}.\n"
            "Expected: a list with period, level, key, metric and amount, or a sheet with one "
            "column a month (一月…十二月, Jan…Dec) and one row a company, team or person.\n"
            f"{self.mend}"
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Sheet:
    """One sheet as a grid of cells."""

    file: str
    name: str
    rows: list[list[Any]] = field(repr=False)

    def at(self, row: int, column: int | None = None) -> str:
        """Name a place for a message."""
        from openpyxl.utils import get_column_letter

        sheet = f", sheet {self.name}" if self.name else ""
        place = f"row {row + 1}"
        if column is not None and self.name:
            place = f"cell {get_column_letter(column + 1)}{row + 1}"
        return f"{self.file}{sheet}, {place}"


def sheets_of(path: Path, known: Callable[[list[Any]], int]) -> list[Sheet]:
    """Read a file as sheets, of which a text has one without a name.

    Parameters
    ----------
    path
        CSV or XLSX, whatever its name says.
    known
        How many cells of a row are heads; of several separators the one that gives most is right.

    Raises
    ------
    BadTargets
        There is no file, or it is neither a workbook nor text.
    """
    if not path.is_file():
        raise BadTargets(where=str(path), reason="there is no such file", mend="Is the path right?")
    raw = path.read_bytes()
    if raw[:2] == b"PK":
        return _workbook(path, raw)
    text = _decoded(path, raw)
    ways = [list(csv.reader(io.StringIO(text), delimiter=sign)) for sign in _SEPARATORS]
    rows = max(ways, key=lambda rows: max((known(list(row)) for row in rows[:30]), default=0))
    return [Sheet(file=path.name, name="", rows=[list(row) for row in rows])]


def _workbook(path: Path, raw: bytes) -> list[Sheet]:
    import openpyxl

    try:
        values = openpyxl.load_workbook(io.BytesIO(raw), data_only=True)
        written = openpyxl.load_workbook(io.BytesIO(raw))
    except Exception as error:
        raise BadTargets(where=str(path), reason=f"it is no workbook ({error})",
                         mend="Save it again as .xlsx.") from error  # fmt: skip
    return [Sheet(file=path.name, name=sheet.title, rows=_rows(sheet, written[sheet.title]))
            for sheet in values.worksheets if sheet.sheet_state == "visible"]  # fmt: skip


def _rows(values: Any, written: Any) -> list[list[Any]]:
    """Give values; of a formula that no program has calculated yet the formula itself."""
    rows = zip(values.iter_rows(values_only=True), written.iter_rows(values_only=True), strict=True)
    return [[_cell(*cells) for cells in zip(*row, strict=True)] for row in rows]


def _cell(value: Any, formula: Any) -> Any:
    # A repeated cell is read where it stands.
    if isinstance(formula, str) and _REPEATS.fullmatch(formula):
        return None
    return formula if value is None and isinstance(formula, str) and formula[:1] == "=" else value


def _decoded(path: Path, raw: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise BadTargets(where=str(path), reason="its text is neither UTF-8 nor GB18030",
                     mend="Save it again as CSV UTF-8.")  # fmt: skip
