"""A first look at an export: each of its sheets with heads and what the columns hold."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import pandas as pd

from salesops.sources.profiling import Profile, profile
from salesops.sources.readers import UnreadableFile, read_sheet

# Titles above the names are tried up to so many rows.
_MOST_TITLES = 4


@dataclass(frozen=True, eq=False)
class Seen:
    """One sheet of an export.

    Attributes
    ----------
    file, sheet
        Name of the file, and of the sheet where it is a workbook.
    title_rows
        Rows above the names.
    frame
        Its rows as texts.
    """

    file: str
    sheet: str | None
    title_rows: int
    frame: pd.DataFrame
    where: str

    @property
    def heads(self) -> tuple[str, ...]:
        """Names of its columns; those without a name are left out."""
        return tuple(str(head) for head in self.frame.columns if head)

    @cached_property
    def profiles(self) -> dict[str, Profile]:
        """What each column holds."""
        return {head: profile(self.frame[head]) for head in self.heads}

    @property
    def title(self) -> str:
        """Name it as people do: by its sheet, or by its file without the ending."""
        return self.sheet if self.sheet is not None else Path(self.file).stem


@dataclass
class Look:
    """All sheets of an export, and the files that can't be read."""

    sheets: list[Seen] = field(default_factory=list)
    unreadable: list[UnreadableFile] = field(default_factory=list)


def look_at(files: Sequence[Path], progress: Callable[[str], None] = lambda _text: None) -> Look:
    """Read all sheets of an export.

    Raises
    ------
    UnreadableFile
        None of the files can be read; of several the first one tells why.
    """
    look = Look()
    for path in files:
        progress(f"Looking at {path.name}")
        try:
            names = _sheet_names(path)
        except UnreadableFile as error:
            look.unreadable.append(error)
            continue
        for name in names:
            try:
                found = _seen(path, name)
            except UnreadableFile as error:
                # An empty sheet beside others is what workbooks begin with.
                if len(names) == 1:
                    look.unreadable.append(error)
                continue
            if found is not None:
                look.sheets.append(found)
    if not look.sheets and look.unreadable:
        raise look.unreadable[0]
    return look


def _sheet_names(path: Path) -> list[str | None]:
    """List the sheets of a workbook that people see; a text has one without a name."""
    if path.is_dir():
        return [None]
    with path.open("rb") as file:
        if file.read(4) != b"PK\x03\x04":
            return [None]
    import zipfile

    import openpyxl
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = openpyxl.load_workbook(path, read_only=True)
    except (zipfile.BadZipFile, KeyError, InvalidFileException) as error:
        raise UnreadableFile(where=path.name, reason="it is no whole .xlsx workbook",
                             mend="open it in Excel or LibreOffice and save it again.",
                             ) from error  # fmt: skip
    names = [s.title for s in book.worksheets if s.sheet_state == "visible"]
    book.close()
    return list(names)


def _seen(path: Path, sheet: str | None) -> Seen | None:
    """Read a sheet below its titles: the names stand in the first row that looks like names."""
    first: UnreadableFile | None = None
    for title_rows in range(_MOST_TITLES + 1):
        try:
            found = read_sheet(path, sheet, title_rows)
        except UnreadableFile as error:
            first = first or error
            continue
        if _are_names([str(c) for c in found.frame.columns]):
            return Seen(path.name, sheet, title_rows, found.frame, found.where)
    if first is not None:
        raise first
    return None


def _are_names(heads: list[str]) -> bool:
    named = [head for head in heads if head]
    numbers = sum(bool(re.fullmatch(r"[\d.,:/\s年月日-]+", head)) for head in named)
    return len(named) >= 2 and len(named) >= 0.6 * len(heads) and numbers <= 0.4 * len(named)
