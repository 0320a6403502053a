"""Tables for spreadsheets: no cell begins a formula, and a file is there whole or not at all."""

import datetime as dt
import os
import re
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from salesops.sources.targetfiles import sheet_name
from salesops.wording.language import current_language, current_settings
from salesops.wording.numbers import symbol

# What a spreadsheet takes for the begin of a formula, also in the width of Chinese characters.
_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
# A cell holds no more, and none of the control characters that XML forbids.
MOST_TEXT = 32_767
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_WIDEST = 60


def safe_cell(value: Any) -> Any:
    """Give a text that no spreadsheet takes for a formula; numbers stay numbers.

    Examples
    --------
    >>> safe_cell("=1+1"), safe_cell("A-1"), safe_cell(-5.0)
    ("'=1+1", 'A-1', -5.0)
    """
    return f"'{value}" if isinstance(value, str) and value.startswith(_STARTS) else value


@dataclass(frozen=True, kw_only=True, eq=False)
class Sheet:
    """A table of a workbook.

    Attributes
    ----------
    name
        Of its sheet.
    frame
        Its rows.
    heads
        Column -> head; a column without one is headed by its name.
    kinds
        Column -> how it is written, one of the catalogue's formats or `instant`.
    units
        The kind of the columns `values` in each row; none where rows are alike.
    values
        Columns whose kind changes from row to row.
    """

    name: str
    frame: pd.DataFrame
    heads: Mapping[str, str] = field(default_factory=dict)
    kinds: Mapping[str, str] = field(default_factory=dict)
    units: Sequence[str] = ()
    values: Sequence[str] = ()


def number_format(kind: str) -> str:
    """Give a spreadsheet's format for a kind of number, in the current language and currency.

    Examples
    --------
    >>> number_format("ratio"), number_format("money"), number_format("date")
    ('0.0%', '"¥"#,##0.00', 'yyyy-mm-dd')
    """
    chinese = current_language() == "zh"
    mark, tail = f'"{symbol()}"' if symbol() else "", ""
    if chinese and current_settings().company.currency == "CNY":
        tail = '"元"'
    a_day = ('"/天"' if chinese else '" a day"') if kind == "money_per_day" else ""
    if kind in ("money", "exact", "money_change", "money_per_day"):
        return f"{mark}#,##0.00{tail}{a_day}"
    times = '#,##0.0"倍"' if chinese else '#,##0.0"x"'
    return {
        "count": "#,##0", "ratio": "0.0%", "points": "+0.0%;-0.0%;0.0%",
        "exact_points": "+0.0%;-0.0%;0.0%", "decimal": "#,##0.0##", "score": "#,##0.0##",
        "score3": "0.000", "days": "#,##0.0", "hours": "#,##0.0", "times": times,
        "multiple": times, "date": "yyyy-mm-dd", "short_date": "yyyy-mm-dd",
        "instant": "yyyy-mm-dd hh:mm",
    }.get(kind, "General")  # fmt: skip


def write_csv(frame: pd.DataFrame, path: str | Path) -> Path:
    """Write a table as CSV that spreadsheets open with Chinese text, by one rename.

    Raises
    ------
    OSError
        The folder is not there or can't be written to.
    """
    # With a mark of the encoding, without which Excel takes UTF-8 for something else.
    return in_one_step(
        Path(path), lambda part: _safe(frame).to_csv(part, index=False, encoding="utf-8-sig")
    )


def write_workbook(sheets: Sequence[Sheet | tuple[str, pd.DataFrame]], path: str | Path) -> Path:
    """Write tables as a workbook, a sheet each, heads bold and frozen, by one rename.

    Raises
    ------
    OSError
        The folder is not there or can't be written to.
    """
    import openpyxl

    book = openpyxl.Workbook(write_only=True)
    for given in sheets:
        sheet = given if isinstance(given, Sheet) else Sheet(name=given[0], frame=given[1])
        _write(book.create_sheet(sheet_name(sheet.name, book.sheetnames)), sheet)
    return in_one_step(Path(path), book.save)


def _write(place: Any, sheet: Sheet) -> None:
    """Write one table: heads bold and frozen, filters, widths, each number in its format."""
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Alignment, Font
    from openpyxl.utils import get_column_letter

    columns = list(sheet.frame.columns)
    letters = [get_column_letter(number) for number in range(1, len(columns) + 1)]
    heads = [_text(sheet.heads.get(c, str(c))) for c in columns]
    values = [_values(sheet.frame[c]) for c in columns]
    place.freeze_panes = "A2"
    for letter, head, cells in zip(letters, heads, values, strict=True):
        place.column_dimensions[letter].width = _width(head, cells)
    if columns:
        place.auto_filter.ref = f"A1:{letters[-1]}{len(sheet.frame) + 1}"
    top = [WriteOnlyCell(place, head) for head in heads]
    for cell in top:
        cell.font, cell.alignment = Font(bold=True), Alignment(vertical="top", wrap_text=True)
    place.append(top)
    wrapped = Alignment(vertical="top", wrap_text=True)
    formats = [number_format(sheet.kinds.get(c, "")) for c in columns]
    for number, row in enumerate(zip(*values, strict=True)):
        cells = []
        for column, value, form in zip(columns, row, formats, strict=True):
            cell = WriteOnlyCell(place, value)
            if isinstance(value, str):
                # A text such as #N/A is no error of a formula.
                cell.data_type = "s"
                if len(value) > _WIDEST:
                    cell.alignment = wrapped
            elif value is not None and not isinstance(value, bool):
                own = number_format(sheet.units[number]) if column in sheet.values else form
                # A date comes with a format of its own, which a column without a kind keeps.
                if own != "General":
                    cell.number_format = own
            cells.append(cell)
        place.append(cells)


def _values(column: pd.Series) -> list[Any]:
    """Give what a spreadsheet can hold: Python's own numbers, dates and safe texts, or nothing."""
    found = column.astype(object)
    return [_value(value) for value in found.where(found.notna(), None)]


def _value(value: Any) -> Any:
    if isinstance(value, pd.Timestamp):
        value = value.to_pydatetime()
    elif hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float) and value in (float("inf"), float("-inf")):
        return None
    if value is None or isinstance(value, int | float | dt.date | dt.datetime | dt.time):
        return value
    return _text(str(value))


def _text(text: str) -> str:
    return str(safe_cell(_UNPRINTABLE.sub("", text)))[:MOST_TEXT]


def _width(head: str, values: Sequence[Any]) -> float:
    widest = max([_room(head) + 3, *(_room(_shown(value)) for value in values[:200])])
    return min(widest + 2, _WIDEST)


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.2f}¥"
    return "" if value is None else str(value)[:_WIDEST]


def _room(text: str) -> int:
    """Count a Chinese character as two."""
    return sum(2 if ord(letter) > 0x2E80 else 1 for letter in text)


def _safe(frame: pd.DataFrame) -> pd.DataFrame:
    safe = frame.rename(columns=safe_cell)
    texts = [c for c in safe.columns if safe[c].dtype == object]
    return safe.assign(**{c: safe[c].map(safe_cell) for c in texts})


def in_one_step(target: Path, write: Callable[[Path], object]) -> Path:
    """Write beside the target and put it in its place."""
    handle, name = tempfile.mkstemp(prefix=".part-", dir=target.parent)
    os.close(handle)
    partial = Path(name)
    try:
        write(partial)
        partial.chmod(0o644)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    return target
