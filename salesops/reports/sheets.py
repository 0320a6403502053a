"""Tables for spreadsheets: no cell begins a formula, and a file is there whole or not at all."""

import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from salesops.sources.targetfiles import sheet_name

# What a spreadsheet takes for the begin of a formula, also in the width of Chinese characters.
_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def safe_cell(value: Any) -> Any:
    """Give a text that no spreadsheet takes for a formula; numbers stay numbers.

    Examples
    --------
    >>> safe_cell("=1+1"), safe_cell("A-1"), safe_cell(-5.0)
    ("'=1+1", 'A-1', -5.0)
    """
    return f"'{value}" if isinstance(value, str) and value.startswith(_STARTS) else value


def write_csv(frame: pd.DataFrame, path: str | Path) -> Path:
    """Write a table as CSV that spreadsheets open with Chinese text, by one rename.

    Raises
    ------
    OSError
        The folder is not there or can't be written to.
    """
    # With a mark of the encoding, without which Excel takes UTF-8 for something else.
    return _in_one_step(
        Path(path), lambda part: _safe(frame).to_csv(part, index=False, encoding="utf-8-sig")
    )


def write_workbook(sheets: Sequence[tuple[str, pd.DataFrame]], path: str | Path) -> Path:
    """Write tables as a workbook, a sheet each, heads bold and frozen, by one rename.

    Raises
    ------
    OSError
        The folder is not there or can't be written to.
    """
    import openpyxl
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, frame in sheets:
        sheet = book.create_sheet(sheet_name(name, book.sheetnames))
        safe = _safe(frame).astype(object)
        sheet.append([str(c) for c in safe.columns])
        for row in safe.where(safe.notna(), None).itertuples(index=False, name=None):
            sheet.append([v.to_pydatetime() if isinstance(v, pd.Timestamp) else v for v in row])
        for number, column in enumerate(safe.columns, 1):
            sheet.cell(1, number).font = Font(bold=True)
            widest = max([len(str(column)), *(len(str(v)) for v in safe[column].head(200))])
            sheet.column_dimensions[get_column_letter(number)].width = min(widest * 1.6 + 2, 70)
        sheet.freeze_panes = "A2"
    return _in_one_step(Path(path), book.save)


def _safe(frame: pd.DataFrame) -> pd.DataFrame:
    safe = frame.rename(columns=safe_cell)
    texts = [c for c in safe.columns if safe[c].dtype == object]
    return safe.assign(**{c: safe[c].map(safe_cell) for c in texts})


def _in_one_step(target: Path, write: Callable[[Path], object]) -> Path:
    """Write beside the target and put it in its place."""
    handle, name = tempfile.mkstemp(prefix=f".{target.name}-", dir=target.parent)
    os.close(handle)
    partial = Path(name)
    try:
        write(partial)
        partial.chmod(0o644)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    return target
