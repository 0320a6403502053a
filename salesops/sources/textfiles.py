"""Text files as grids: at once where they are regular, row by row where they are not."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pandas as pd

from salesops.sources.encodings import Survey, survey
from salesops.sources.grid import MOST_COLUMNS, Grid, stripped
from salesops.sources.layout import UnreadableFile

_SEPARATORS = ",;\t|"
_TOLD = re.compile(r'"?sep=(.)"?[,;\t]*', re.IGNORECASE)
_AROUND = " \t\xa0\u3000\u200b\ufeff\u202f\r\n"
# Rows by which a separator and the width are judged, and characters that they may take.
_SAMPLE, _SAMPLE_TEXT = 200, 1 << 22
_FIRST = 1 << 18
_ROWS_AT_ONCE = 50_000
# Cells that a file does not have and that would have to be made for its short rows.
_MOST_FILLED = 2_000_000


def read_text(path: Path, where: str, encoding: str = "", most: int | None = None) -> Grid:
    """Read a text file as a grid of texts.

    Parameters
    ----------
    path, where
        The file, and its name in messages.
    encoding
        Where it is known; by default it is found out.
    most
        Rows to read, of which more are not needed; by default all.

    Raises
    ------
    UnreadableFile
        It is binary or empty, its encoding can't be told, a quote does not end, or its rows have
        too many values.
    """
    look = survey(path, where, encoding)
    begin = _beginning(path, look.encoding)
    if not begin.strip(_AROUND):
        raise UnreadableFile(where=where, reason="it is empty", mend="export it again.")
    first = begin.split("\n", 1)[0].strip()
    told = _TOLD.fullmatch(first)
    skipped = 1 if told else 0
    separator = told[1] if told else _separator(begin)
    width = _width(begin, separator, skipped, where)
    found = None
    if most is None and _looks_regular(look, skipped):
        found = _at_once(path, separator, width, look)
    if found is None:
        found, lengths = _by_rows(path, look, separator, width, skipped, where, most)
    else:
        lengths = {}
    return Grid(
        where=where, frame=found, encoding=look.encoding, separator=separator, lengths=lengths,
        may_total=look.may_total, told=((1, first),) if told else (),
    )  # fmt: skip


def _beginning(path: Path, encoding: str) -> str:
    with path.open(encoding=encoding, newline="", errors="replace") as file:
        return file.read(_SAMPLE_TEXT)


def _separator(begin: str) -> str:
    """Choose the sign at which most of the first rows fall into the same number of values."""
    best, sign = (0.0, 0), ","
    lines = begin[:_FIRST].splitlines(True)[:_SAMPLE]
    for candidate in _SEPARATORS:
        try:
            rows = [r for r in csv.reader(lines, delimiter=candidate) if r]
        except csv.Error:
            continue
        widths = Counter(len(r) for r in rows if len(r) > 1)
        if widths:
            width, n = widths.most_common(1)[0]
            # A table of prose has a comma here and there; a head of names has them in every row.
            if (n / len(rows), width) > best:
                best, sign = (n / len(rows), width), candidate
    return sign


def _width(begin: str, separator: str, skipped: int, where: str) -> int:
    """Give the number of columns, which that of the widest of the first rows is."""
    widest = 1
    try:
        reader = csv.reader(io.StringIO(begin, newline=""), delimiter=separator)
        for row in islice(reader, skipped, skipped + _SAMPLE):
            widest = max(widest, len(row))
    except csv.Error:
        widest = max(widest, begin.split("\n", 1)[0].count(separator) + 1)
    if widest > MOST_COLUMNS:
        raise UnreadableFile(
            where=where, reason=f"it has {widest} columns; no spreadsheet has more than "
            f"{MOST_COLUMNS}", mend="export the fields that you need, or check the separator.",
        )  # fmt: skip
    return widest


def _looks_regular(look: Survey, skipped: int) -> bool:
    return look.n_lines > 0 and not look.lone_returns and not skipped


def _at_once(path: Path, separator: str, width: int, look: Survey) -> pd.DataFrame | None:
    """Read with Arrow; none where rows or their numbers do not come out as lines say."""
    import pyarrow as pa
    from pyarrow import csv as arrow

    names = [str(i) for i in range(width)]
    try:
        table = arrow.read_csv(
            path,
            read_options=arrow.ReadOptions(column_names=names, block_size=1 << 24),
            # Without quotes no value holds a separator or a break, and none need be looked for.
            parse_options=arrow.ParseOptions(
                delimiter=separator, newlines_in_values=look.quoted,
                quote_char='"' if look.quoted else False,
            ),
            convert_options=arrow.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
            ),
        )  # fmt: skip
    except (pa.ArrowException, OSError):
        return None
    numbers = _numbers_of(table, look.n_lines, separator)
    if numbers is None:
        return None
    # Popped, so that each column is let go once it is trimmed.
    columns = table.columns
    del table
    frame = framed((_trimmed(columns.pop(0), look.unseen) for _name in names), numbers)
    empty = (frame[0] == "").to_numpy(dtype=bool)
    for column in range(1, width):
        if not empty.any():
            return frame
        empty &= (frame[column] == "").to_numpy(dtype=bool)
    return frame[~empty]


def _trimmed(column: Any, unseen: bool) -> Any:
    import pyarrow.compute as pc

    column = pc.utf8_trim_whitespace(column)
    return pc.utf8_trim(column, characters=_AROUND) if unseen else column


def _numbers_of(table: Any, n_lines: int, separator: str) -> Any | None:
    """Give the lines at which rows begin; none where lines and rows do not agree.

    They do not where a line is empty, or where a quote that stays open has swallowed rows.
    """
    import numpy as np
    import pyarrow.compute as pc

    if table.num_rows == n_lines:
        return range(1, n_lines + 1)
    breaks = np.zeros(table.num_rows, dtype=np.int64)
    for column in table.columns:
        n = pc.count_substring(column, "\n")
        if not pc.any(pc.greater(n, 0)).as_py():
            continue
        breaks += n.to_numpy()
        odd = column.filter(pc.greater(n, 0))
        wide = pc.greater_equal(pc.count_substring(odd, separator), max(table.num_columns - 2, 1))
        if pc.any(wide).as_py():
            return None
    if table.num_rows + int(breaks.sum()) != n_lines:
        return None
    return 1 + np.arange(table.num_rows) + np.concatenate([[0], np.cumsum(breaks)[:-1]])


def framed(columns: Iterable[Any], numbers: Any) -> pd.DataFrame:
    """Give a frame over Arrow's own memory: a Python text for each value would take gigabytes."""
    kind = pd.StringDtype("pyarrow", na_value=float("nan"))
    made = {i: kind.__from_arrow__(column) for i, column in enumerate(columns)}
    frame = pd.DataFrame(made, index=pd.Index(numbers), copy=False)
    frame.columns = range(len(made))
    return frame


def _by_rows(
    path: Path, look: Survey, separator: str, width: int, skipped: int, where: str,
    most: int | None,
) -> tuple[pd.DataFrame, dict[int, int]]:  # fmt: skip
    """Read with Python's reader, in portions, so that odd rows can be named."""
    import pyarrow as pa

    names = [str(i) for i in range(width)]
    numbers: list[int] = []
    lengths: dict[int, int] = {}
    portions: list[Any] = []
    rows: list[list[str]] = []
    missing = 0
    for number, row in _numbered(path, look.encoding, separator, skipped, where):
        if len(row) != width:
            lengths[number] = len(row)
            missing += max(width - len(row), 0)
            if len(row) > width and any(stripped(v) for v in row[width:]):
                _refuse_width(where, number, width, separator)
            if missing > _MOST_FILLED:
                _refuse_width(where, number, width, separator)
        numbers.append(number)
        whole = (row + [""] * (width - len(row)))[:width]
        rows.append([stripped(value) for value in whole])
        if len(rows) == _ROWS_AT_ONCE:
            portions.append(_portion(rows, names))
            rows = []
        if most is not None and len(numbers) >= most:
            break
    portions.append(_portion(rows, names))
    return framed(pa.concat_tables(portions).columns, numbers), lengths


def _portion(rows: list[list[str]], names: list[str]) -> Any:
    import pyarrow as pa

    columns = zip(*rows, strict=True) if rows else [()] * len(names)
    return pa.table([pa.array(c, type=pa.string()) for c in columns], names=names)


def _numbered(
    path: Path, encoding: str, separator: str, skipped: int, where: str
) -> Iterator[tuple[int, list[str]]]:
    """Give the rows that hold anything, with the line at which each begins."""
    last = 0
    with path.open(encoding=encoding, newline="") as file:
        reader = csv.reader(file, delimiter=separator, strict=True)
        try:
            for row in reader:
                if last >= skipped and any(value.strip(_AROUND) for value in row):
                    _refuse_swallowed(row, separator, last + 1, where)
                    yield last + 1, row
                last = reader.line_num
        except csv.Error as error:
            raise UnreadableFile(
                where=where, reason=f"row {last + 1} is no row of values: {error}",
                mend="quotes inside a value are doubled, and a quote that is opened is closed; "
                     "mend that row or export it again.",
            ) from error  # fmt: skip


def _refuse_swallowed(row: list[str], separator: str, number: int, where: str) -> None:
    """Refuse a value in which whole rows seem to have vanished, as after a quote that stays open.

    Prose has line breaks and separators too, but not as many in each line as there are columns.
    """
    for value in row:
        if "\n" in value:
            wide = [n for line in value.split("\n")[1:-1] if (n := line.count(separator))]
            if len(wide) >= 2 and min(wide) == max(wide) >= 2 and min(wide) >= len(row) - 2:
                raise UnreadableFile(
                    where=where, reason=f"in row {number} a quote opens a value that takes "
                    f"{value.count(chr(10)) + 1} lines which look like rows",
                    mend="close or double that quote, or export the file again.",
                )  # fmt: skip


def _refuse_width(where: str, number: int, width: int, separator: str) -> None:
    shown = {"\t": "a tab", ",": "a comma", ";": "a semicolon"}.get(separator, repr(separator))
    raise UnreadableFile(
        where=where, mend="quote values that hold a separator or a line break.",
        reason=f"row {number} has another number of values than the head ({width}), where {shown} "
               "separates them",
    )  # fmt: skip
