"""A first look at an export: each of its sheets with heads and what the columns hold."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import pandas as pd

from salesops.sources.layout import Hints
from salesops.sources.profiling import Profile, profile
from salesops.sources.readers import Sheet, UnreadableFile, peek, read_sheet, sheets_of


@dataclass(frozen=True, eq=False)
class Seen:
    """One sheet of an export.

    Attributes
    ----------
    file, sheet
        Name of the file, and of the sheet where it is a workbook.
    hints
        What was told of how its table lies.
    read
        Its rows as texts.
    is_whole
        False where these are its first rows alone.
    path
        Where the file lies, if it may be read again.
    """

    file: str
    sheet: str | None
    hints: Hints
    read: Sheet
    is_whole: bool = True
    path: Path | None = None

    def laid_otherwise(self, hints: Hints) -> "Seen":
        """Read the same sheet again, told otherwise how its table lies."""
        assert self.path is not None
        return Seen(self.file, self.sheet, hints, read_sheet(self.path, self.sheet, hints=hints),
                    path=self.path)  # fmt: skip

    @property
    def frame(self) -> pd.DataFrame:
        """Its rows."""
        return self.read.frame

    @property
    def where(self) -> str:
        """Its place in messages."""
        return self.read.where

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


def look_at(
    files: Sequence[Path],
    progress: Callable[[str], None] = lambda _text: None,
    *,
    hints: Hints | None = None,
    whole: bool = True,
) -> Look:
    """Read all sheets of an export.

    Parameters
    ----------
    files
        Its files.
    progress
        Is told which file is being read.
    hints
        What was told of how tables lie.
    whole
        False where the first rows of long texts are enough.

    Raises
    ------
    UnreadableFile
        None of the files can be read; of several the first one tells why.
    """
    look = Look()
    given = hints or Hints()
    for path in files:
        progress(f"Looking at {path.name}")
        try:
            shown = [s.name for s in sheets_of(path) if not s.hidden]
        except UnreadableFile as error:
            look.unreadable.append(error)
            continue
        names: list[str | None] = [*shown] or [None]
        for name in names:
            try:
                look.sheets.append(_seen(path, name, given, whole=whole or bool(shown)))
            except UnreadableFile as error:
                # An empty sheet beside others is what workbooks begin with.
                if len(shown) <= 1 or "it is empty" not in str(error):
                    look.unreadable.append(error)
    if not look.sheets and look.unreadable:
        raise look.unreadable[0]
    return look


def _seen(path: Path, sheet: str | None, hints: Hints, *, whole: bool) -> Seen:
    if whole or hints != Hints():
        return Seen(path.name, sheet, hints, read_sheet(path, sheet, hints=hints), path=path)
    return Seen(path.name, sheet, hints, peek(path, sheet), is_whole=False, path=path)
