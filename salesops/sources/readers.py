"""Reading files as tables of texts, with the row numbers kept, whatever their form."""

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd

from salesops.sources.encodings import check_declared
from salesops.sources.grid import Grid
from salesops.sources.layout import Hints, Layout, UnreadableFile
from salesops.sources.records import ENDING, NoRecords, is_records, records_frame
from salesops.sources.tables import find_table
from salesops.sources.textfiles import framed, read_text
from salesops.sources.workbooks import OLE, ZIP, SheetName, read_workbook, sheet_names

__all__ = ["Sheet", "UnreadableFile", "list_files", "peek", "read_sheet", "sheets_of",
           "under_each_other"]  # fmt: skip
# The last three are no tables that are read, which is better told than passed over.
_ENDINGS = (".csv", ".txt", ".tsv", ".xlsx", ".xlsm", ".xls", ".et", ".parquet", ENDING,
            ".ods", ".xlsb", ".zip")  # fmt: skip
# Values of a Parquet file, which packs those that repeat into nearly nothing.
_MOST_VALUES = 100_000_000
# How files begin that are no tables of values, and what they are. No name of a column begins so.
_PAGES = {
    re.compile(rb"%pdf-"): "a PDF",
    re.compile(rb"<(?:!doctype\s+html|!--|(?:html|head|meta|style|body|div|table)[\s>/])"):
        "a web page (HTML)",
    re.compile(rb"<\?xml\s"): "a document in XML",
    re.compile(rb"\{\\rtf\d"): "a text document (RTF)",
    re.compile(rb"mime-version:\s"): "a web page (MHTML)",
}  # fmt: skip
_BEGIN = 256
# Rows by which a table is known.
_FEW = 300


@dataclass(frozen=True, eq=False)
class Sheet:
    """One table of texts: the frame's index is the row number in the file.

    Where months were columns a row of the file is several of the frame. `layout` says what was
    decided and why.
    """

    where: str
    frame: pd.DataFrame
    encoding: str = "utf-8"
    layout: Layout = field(default_factory=Layout)


def list_files(path: Path) -> list[Path]:
    """List the tables of an export: the file itself, or those in the folder.

    Raises
    ------
    UnreadableFile
        There is nothing at that place.
    """
    if path.is_dir():
        # A file that begins so is the lock of a workbook that is open.
        found = sorted(p for p in path.iterdir() if p.suffix.lower() in _ENDINGS and p.is_file()
                       and not p.name.startswith(("~$", ".")))  # fmt: skip
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
    path: Path,
    sheet: str | None = None,
    title_rows: int | None = None,
    encoding: str = "",
    hints: Hints | None = None,
) -> Sheet:
    r"""Read one file, or one sheet of a workbook, as a table of texts.

    Parameters
    ----------
    path
        CSV in UTF-8 (with or without a mark), UTF-16, GB18030 or latin-1, separated by comma,
        semicolon, tab or bar; .xlsx, .xls or Parquet, whatever its name says; or a folder of
        Parquet files.
    sheet
        Sheet of a workbook; by default the first that people see.
    title_rows
        Rows above the column names; by default they are found.
    encoding
        That of a text file where it is known; by default it is found out.
    hints
        What else is known of the table's place; `title_rows` counts before it.

    Raises
    ------
    UnreadableFile
        It is empty, binary, protected, too large, or what its rows are can't be decided safely.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> path = Path(mkdtemp()) / "deals.csv"
    >>> _ = path.write_text("Our deals,\nId,Amount (k)\nd1,5\nd2,7\nTotal,12\n")
    >>> sheet = read_sheet(path)
    >>> sheet.frame["Amount (k)"].to_dict(), sheet.layout.units
    ({3: '5', 4: '7'}, {'Amount (k)': 'k'})
    >>> [(aside.row, aside.kind) for aside in sheet.layout.aside]
    [(1, 'title'), (2, 'head'), (5, 'total')]
    """
    hints = hints or Hints()
    if title_rows is not None:
        hints = replace(hints, title_rows=title_rows)
    if is_records(path):
        return _records(path, encoding)
    grid = _grid(path, sheet, encoding, None)
    if grid is None:
        return _parquet(path, path.name)
    frame, layout = find_table(grid, hints)
    return Sheet(grid.where, frame, grid.encoding, layout)


def peek(path: Path, sheet: str | None = None, encoding: str = "") -> Sheet:
    """Read the first rows of a table, by which it is recognised.

    Of a text a few hundred rows are read, of a workbook all. Totals and notes below may be among
    the rows.

    Raises
    ------
    UnreadableFile
        As `read_sheet`.
    """
    if is_records(path):
        return _records(path, encoding)
    grid = _grid(path, sheet, encoding, _FEW)
    if grid is None:
        return _parquet(path, path.name)
    frame, layout = find_table(grid, Hints())
    return Sheet(grid.where, frame, grid.encoding, layout)


def under_each_other(sheets: Sequence[Sheet]) -> Sheet | None:
    """Give one sheet of the parts of a table, its rows numbered anew; none of no parts.

    Examples
    --------
    >>> parts = [Sheet(f"{n}.csv", pd.DataFrame({"x": [n]})) for n in "12"]
    >>> under_each_other(parts).frame["x"].tolist()
    ['1', '2']
    """
    if len(sheets) < 2:
        return sheets[0] if sheets else None
    return Sheet(sheets[0].where, pd.concat([s.frame for s in sheets], ignore_index=True))


def sheets_of(path: Path) -> tuple[SheetName, ...]:
    """List the sheets of a workbook, and which of them are hidden; none of other files.

    Raises
    ------
    UnreadableFile
        It is damaged or protected.
    """
    if path.is_dir() or (_begin(path)[:4] != ZIP and _begin(path) != OLE):
        return ()
    return tuple(sheet_names(path))


def _records(path: Path, encoding: str) -> Sheet:
    where = path.name
    if encoding:
        check_declared(path, where, encoding)
    try:
        frame = records_frame(path.read_bytes().decode(encoding or "utf-8-sig"))
    except (NoRecords, UnicodeDecodeError) as error:
        raise UnreadableFile(where=where, reason=str(error),
                             mend="save the answer of the API as it is, or a list of its records.",
                             ) from error  # fmt: skip
    n = len(frame)
    return Sheet(where, frame, "utf-8", Layout(n_rows=n, n_kept=n))


def _begin(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(8)


def _grid(path: Path, sheet: str | None, encoding: str, most: int | None) -> Grid | None:
    """Read a file as a grid; none where it is Parquet."""
    if path.is_dir():
        return None
    begin = _begin(path)
    if not begin:
        raise UnreadableFile(where=path.name, reason="it is empty", mend="export it again.")
    if begin[:4] == b"PAR1":
        return None
    _refuse_pages(path)
    if begin[:4] == ZIP or begin == OLE:
        return read_workbook(path, sheet)
    return read_text(path, path.name, encoding, most)


def _refuse_pages(path: Path) -> None:
    """Refuse pages and documents, which some systems call workbooks."""
    with path.open("rb") as file:
        # Of UTF-16, too, the signs of ASCII are left.
        begin = file.read(_BEGIN).replace(b"\0", b"").lower()
    begin = begin.lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")
    kind = next((kind for sign, kind in _PAGES.items() if sign.match(begin)), "")
    if kind:
        raise UnreadableFile(
            where=path.name, reason=f"it is {kind}, whatever its name says",
            mend="export it as CSV, or open it in Excel or WPS and save it as .xlsx.",
        )  # fmt: skip


def _parquet(path: Path, where: str) -> Sheet:
    """Read Parquet as texts; the index is the number of the row."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        parts = sorted(path.rglob("*.parquet")) if path.is_dir() else [path]
        heads = [pq.read_metadata(part) for part in parts]
        n_values = sum(head.num_rows * head.num_columns for head in heads)
        if n_values > _MOST_VALUES:
            raise UnreadableFile(where=where, reason=f"it holds {n_values:,} values",
                                 mend="export the fields that you need.")  # fmt: skip
        table = pq.read_table(path, partitioning=None)
        names = list(table.column_names)
        texts = [_texts(column) for column in table.columns]
    except (pa.ArrowException, OSError) as error:
        raise UnreadableFile(where=where, reason=f"it is no Parquet file of values: {error}",
                             mend="write it again.") from error  # fmt: skip
    _refuse_twice(names, where)
    n = table.num_rows
    frame = framed(texts, range(1, n + 1)).set_axis(names, axis=1)
    return Sheet(where, frame, "parquet", Layout(n_rows=n, n_kept=n))


def _texts(column: Any) -> Any:
    """Write values as CSV does; lists and records as JSON, of which a mapping takes a part."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_nested(column.type):
        made = ["" if v is None else json.dumps(v, default=str) for v in column.to_pylist()]
        return pa.array(made, type=pa.string())
    return pc.utf8_trim_whitespace(pc.fill_null(column.cast(pa.string()), ""))


def _refuse_twice(names: list[str], where: str) -> None:
    twice = [name for name, n in Counter(names).items() if n > 1]
    if twice:
        raise UnreadableFile(where=where, reason=f"the column {twice[0]!r} stands there twice",
                             mend="rename one of the two.")  # fmt: skip
