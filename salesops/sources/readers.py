"""Reading files as texts, with the row numbers kept, whatever their encoding."""

import csv
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from salesops.book.registerfile import is_chinese
from salesops.model.errors import SalesopsError
from salesops.sources.records import ENDING, NoRecords, is_records, records_frame

# A byte order mark decides; else the first that decodes without a fault.
_ENCODINGS = ("utf-8", "gb18030", "latin-1")
_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


@dataclass(eq=False, kw_only=True)
class UnreadableFile(SalesopsError, ValueError):
    """A file can't be read as a table."""

    where: str
    reason: str
    mend: str

    def __str__(self) -> str:
        return (
            f"{self.where} can't be read: {self.reason}.\n"
            "Expected: a CSV file or an .xlsx workbook with one row of column names.\n"
            f"To mend: {self.mend}"
        )


@dataclass(frozen=True, eq=False)
class Sheet:
    """One table of texts: the frame's index is the row number in the file."""

    where: str
    frame: pd.DataFrame
    encoding: str = "utf-8"


def list_files(path: Path) -> list[Path]:
    """List the tables of an export: the file itself, or those in the folder.

    Raises
    ------
    UnreadableFile
        There is nothing at that place.
    """
    if path.is_dir():
        endings = (".csv", ".txt", ".xlsx", ".parquet", ENDING)
        found = sorted(p for p in path.iterdir() if p.suffix.lower() in endings and p.is_file())
        found += sorted(p for p in path.iterdir() if p.is_dir() and any(p.glob("*.parquet")))
        if found:
            return found
        raise UnreadableFile(where=str(path),
                             reason="the folder holds no .csv, no .xlsx, no .json and no .parquet",
                             mend="name the folder that holds the exported files.")  # fmt: skip
    if path.exists():
        return [path]
    raise UnreadableFile(where=str(path), reason="there is no such file or folder",
                         mend="check the path.")  # fmt: skip


def read_sheet(
    path: Path, sheet: str | None = None, title_rows: int = 0, encoding: str = ""
) -> Sheet:
    """Read one file, or one sheet of a workbook, as texts.

    Parameters
    ----------
    path
        CSV in UTF-8 (with or without a mark), UTF-16, GB18030 or latin-1, separated by comma,
        semicolon or tab; .xlsx or Parquet, whatever its name says; or a folder of Parquet files.
    sheet
        Sheet of a workbook; its first by default.
    title_rows
        Rows above the column names.
    encoding
        That of a text file where it is known; by default it is found out.

    Raises
    ------
    UnreadableFile
        It is empty, binary, protected, or its rows do not fit its head.
    """
    where = path.name
    if path.is_dir():
        return _parquet(path, where)
    data = path.read_bytes()
    if not data.strip():
        raise UnreadableFile(where=where, reason="it is empty", mend="export it again.")
    if data[:4] == b"PK\x03\x04":
        return _workbook(path, sheet, title_rows)
    if data[:4] == b"PAR1":
        return _parquet(path, where)
    if data[:8] == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        raise UnreadableFile(
            where=where, reason="it is an old .xls or a workbook with a password",
            mend="open it in Excel or LibreOffice and save it as .xlsx without a password.",
        )  # fmt: skip
    text, encoding = _declared(data, where, encoding) if encoding else _decoded(data, where)
    if is_records(path):
        return _records(text, where, encoding)
    return _table(text, where, encoding, title_rows)


def _records(text: str, where: str, encoding: str) -> Sheet:
    try:
        return Sheet(where, _checked(records_frame(text), where), encoding)
    except NoRecords as error:
        raise UnreadableFile(where=where, reason=str(error),
                             mend="save the answer of the API as it is, or a list of its records.",
                             ) from error  # fmt: skip


def _declared(data: bytes, where: str, encoding: str) -> tuple[str, str]:
    try:
        return data.decode(encoding), encoding
    except (UnicodeDecodeError, LookupError) as error:
        raise UnreadableFile(
            where=where, reason=f"the mapping says that it is {encoding}: {error}",
            mend="name its encoding in the mapping, or save it as UTF-8.",
        ) from error  # fmt: skip


def _decoded(data: bytes, where: str) -> tuple[str, str]:
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            try:
                return data.decode(encoding), encoding
            except UnicodeDecodeError as error:
                raise UnreadableFile(where=where, reason=f"it says {encoding} but is not: {error}",
                                     mend="save it as UTF-8.") from error  # fmt: skip
    for encoding in _ENCODINGS:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" in text:
            break
        if encoding == "gb18030" and not is_chinese(text):
            continue
        return text, encoding
    raise UnreadableFile(where=where, reason="it is binary, not text",
                         mend="export it as CSV in UTF-8 or as .xlsx.")  # fmt: skip


def _table(text: str, where: str, encoding: str, title_rows: int) -> Sheet:
    head = next(iter(text.splitlines()), "")
    separator = max(",;\t", key=head.count)
    numbered: list[int] = []
    rows: list[list[str]] = []
    reader = csv.reader(io.StringIO(text), delimiter=separator)
    last = 0
    for row in reader:
        if row:
            numbered.append(last + 1)
            rows.append(row)
        last = reader.line_num
    rows, numbered = rows[title_rows:], numbered[title_rows:]
    names = [name.strip() for name in rows[0]] if rows else []
    wrong = [n for n, row in zip(numbered[1:], rows[1:], strict=True) if len(row) != len(names)]
    if wrong:
        raise UnreadableFile(
            where=where, mend="quote values that hold a separator or a line break.",
            reason=f"row {wrong[0]} has another number of values than the head ({len(names)}); "
                   f"{len(wrong)} such rows",
        )  # fmt: skip
    frame = pd.DataFrame(rows[1:], columns=names, index=numbered[1:], dtype=object)
    return Sheet(where, _checked(frame, where), encoding)


def _workbook(path: Path, sheet: str | None, title_rows: int) -> Sheet:
    import zipfile

    import openpyxl
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except (zipfile.BadZipFile, KeyError, InvalidFileException) as error:
        raise UnreadableFile(where=path.name, reason="it is no whole .xlsx workbook",
                             mend="open it in Excel or LibreOffice and save it again.",
                             ) from error  # fmt: skip
    names = book.sheetnames
    if sheet is not None and sheet not in names:
        raise UnreadableFile(
            where=path.name,
            reason=f"it has no sheet {sheet!r}, only {', '.join(names)}",
            mend="rename the sheet or the mapping's entry.",
        )
    chosen = book[sheet or names[0]]
    rows = [[_text(cell) for cell in row] for row in chosen.iter_rows(values_only=True)]
    book.close()
    where = f"{path.name}[{sheet or names[0]}]"
    rows = rows[title_rows:]
    if not rows:
        raise UnreadableFile(where=where, reason="it is empty", mend="export it again.")
    width = max((i + 1 for i, name in enumerate(rows[0]) if name), default=0)
    numbered = {title_rows + 2 + i: row[:width] for i, row in enumerate(rows[1:]) if any(row)}
    heads = [name.strip() for name in rows[0][:width]]
    frame = pd.DataFrame(list(numbered.values()), columns=heads, index=list(numbered), dtype=object)
    return Sheet(where, _checked(frame, where), "xlsx")


def _parquet(path: Path, where: str) -> Sheet:
    """Read Parquet as texts; the index is the number of the row."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path, partitioning=None)
    except (pa.ArrowException, OSError) as error:
        raise UnreadableFile(where=where, reason=f"it is no whole Parquet file: {error}",
                             mend="write it again.") from error  # fmt: skip
    columns = {name: _texts(table[name]) for name in table.column_names}
    frame = pd.DataFrame(columns, index=range(1, table.num_rows + 1), dtype=object)
    return Sheet(where, _checked(frame, where), "parquet")


def _texts(column: Any) -> list[str | None]:
    """Write values as CSV does; lists and records as JSON, of which a mapping takes a part."""
    import pyarrow as pa

    if pa.types.is_nested(column.type):
        return [None if v is None else json.dumps(v, default=str) for v in column.to_pylist()]
    texts: list[str | None] = column.cast(pa.string()).to_pylist()
    return texts


def _text(cell: object) -> str:
    import datetime as dt

    if cell is None:
        return ""
    if isinstance(cell, dt.datetime):
        return f"{cell:%Y-%m-%d}" if cell.time() == dt.time() else f"{cell:%Y-%m-%d %H:%M:%S}"
    if isinstance(cell, float) and cell == int(cell):
        return str(int(cell))
    return str(cell)


def _checked(frame: pd.DataFrame, where: str) -> pd.DataFrame:
    names = list(frame.columns)
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice:
        raise UnreadableFile(where=where, reason=f"the column {twice[0]!r} stands there twice",
                             mend="rename one of the two.")  # fmt: skip
    return frame.map(lambda value: value.strip() if isinstance(value, str) else "")
