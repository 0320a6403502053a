"""A sheet as it stands in its file, before anybody judged which of its rows are records."""

import re
from dataclasses import dataclass, field
from typing import Literal

import pandas as pd

from salesops.sources.formats import Shown

# More columns than any spreadsheet has.
MOST_COLUMNS = 16_384
_AROUND = " \t\r\n\xa0\u3000\u200b\ufeff\u202f"


@dataclass(frozen=True, kw_only=True)
class Mark:
    """One cell that a program left in a state that its value does not show."""

    row: int
    column: int
    kind: Literal["lost_digits", "error", "no_result", "scaled"]
    text: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Grid:
    """All rows of a sheet as texts; columns are positions, the index is the row number.

    Attributes
    ----------
    where
        File, and sheet in brackets.
    merges
        Merged cells: first row, first column, last row, last column; rows as in the index.
    dates
        Rows of a column that hold real dates, not texts.
    marks
        Cells to doubt.
    lengths
        Rows of a text that have another number of values than most.
    may_total
        Whether a word for a total can be in it.
    told
        Rows that only speak to a program, such as `sep=;`.
    shown
        Rows of a column whose cells show a unit or a currency that their number does not have.
    """

    where: str
    frame: pd.DataFrame
    encoding: str
    separator: str = ""
    epoch: int = 0
    merges: tuple[tuple[int, int, int, int], ...] = ()
    dates: dict[int, list[int]] = field(default_factory=dict)
    percents: frozenset[int] = frozenset()
    marks: tuple[Mark, ...] = ()
    lengths: dict[int, int] = field(default_factory=dict)
    may_total: bool = True
    told: tuple[tuple[int, str], ...] = ()
    shown: dict[int, dict[Shown, list[int]]] = field(default_factory=dict)
    hidden: tuple[str, ...] = ()
    n_hidden_rows: int = 0

    def at(self, row: int, column: int | None = None, name: str = "") -> str:
        """Name a place for a message: a cell of a workbook, a row and column of a text."""
        if column is None:
            return f"{self.where} row {row}"
        if self.epoch:
            return f"{self.where} cell {letters(column)}{row}"
        return f"{self.where} row {row}, column {name or letters(column)}"


def letters(column: int) -> str:
    """Name a column as spreadsheets do.

    Examples
    --------
    >>> letters(0), letters(25), letters(26), letters(16383)
    ('A', 'Z', 'AA', 'XFD')
    """
    name = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        name = chr(65 + rest) + name
    return name


def column_of(name: str) -> int:
    """Give the position of a column that is named in letters.

    Examples
    --------
    >>> column_of("A"), column_of("AA"), column_of("XFD")
    (0, 26, 16383)
    """
    position = 0
    for letter in name:
        position = position * 26 + ord(letter) - 64
    return position - 1


def stripped(text: str) -> str:
    """Take away spaces around a text, also those that can't be seen."""
    return text.strip(_AROUND)


def packed(text: str) -> str:
    r"""Write a head in one line: its line breaks taken away between Chinese, else spaces.

    Examples
    --------
    >>> packed("合同额\n(万元)"), packed("Close\nDate ")
    ('合同额(万元)', 'Close Date')
    """
    text = re.sub(r"(?<=[^\x00-\x7f])\s*[\r\n]+\s*|\s*[\r\n]+\s*(?=[^\x00-\x7f])", "", text)
    return stripped(re.sub(r"\s*[\r\n]+\s*", " ", text))
