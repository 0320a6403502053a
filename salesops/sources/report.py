"""What an import read, mended, wrote, and what the data can't answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from salesops.book.kept import table_files
from salesops.book.merges import FILE as MERGES
from salesops.book.registerfile import FILE as REGISTER
from salesops.model.shell import pasted
from salesops.sources.importlog import Counts
from salesops.sources.parsing import Fault
from salesops.sources.questions import Answered
from salesops.sources.shapes import Assumed
from salesops.sources.stages import FoundStage
from salesops.sources.validate import Oddity
from salesops.wording import label, say

FILE, TARGETS = "set-aside.csv", "targets"
# Of the rows that were set aside so many are shown; the file has all of them.
_SHOWN = 10


@dataclass(frozen=True)
class Mended:
    """A known misspelling that was corrected in so many rows."""

    where: str
    column: str
    was: str
    now: str
    n: int


@dataclass(frozen=True, kw_only=True)
class ImportReport:
    """What became of an export.

    Attributes
    ----------
    source, title
        The mapping that was used.
    into
        The book's folder; empty for a dry run.
    read
        Rows by file.
    rows
        Rows by canonical table.
    mended
        Known misspellings that were corrected.
    oddities
        What is odd in the data and was kept.
    unmapped
        Source columns that no canonical column takes, by file.
    not_taken
        Sheets and files of the export that no table takes.
    absent
        Columns that the mapping names and the export does not have: file, column, canonical column.
    changed
        Differences to the last export that became changes, by table; empty at the first import.
    stages
        Stages that the export has and the settings lacked, which were put into these.
    assumed
        What was taken for granted.
    cannot
        Codes of what the source can't answer.
    verified
        Against what the mapping was held.
    counts
        What became of the rows of each sheet.
    aside
        What is wrong with the rows that were set aside.
    answered
        What was asked and how it was answered.
    untouched
        What people keep in the book and the import left as it is: files, and `targets`.
    unreadable
        Files of the export that can't be read, and why; others of it could be.
    unchanged
        True where the same export was imported before: nothing was written.
    """

    source: str
    title: str
    into: str
    read: Mapping[str, int]
    rows: Mapping[str, int]
    mended: tuple[Mended, ...] = ()
    oddities: tuple[Oddity, ...] = ()
    unmapped: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    not_taken: tuple[str, ...] = ()
    absent: tuple[tuple[str, str, str], ...] = ()
    changed: Mapping[str, int] = field(default_factory=dict)
    stages: tuple[FoundStage, ...] = ()
    assumed: tuple[Assumed, ...] = ()
    cannot: tuple[str, ...] = ()
    verified: str = ""
    counts: Mapping[str, Counts] = field(default_factory=dict)
    aside: tuple[Fault, ...] = ()
    answered: tuple[Answered, ...] = ()
    untouched: tuple[str, ...] = ()
    unreadable: tuple[tuple[str, str], ...] = ()
    unchanged: bool = False

    def lines(self) -> list[str]:
        """Say it line by line in the current language."""
        found = [say("import.source", source=self.source, title=self.title)]
        found += [say("import.answered", key=a.question.key, answer=a.answer,
                      by=say(f"import.by_{a.by}")) for a in self.answered]  # fmt: skip
        if self.unchanged:
            return [*found, say("import.unchanged", into=self.into)]
        found += [say("import.read", file=file, n=n) for file, n in self.read.items()
                  if file not in self.counts]  # fmt: skip
        found += self._counted()
        found += [say("import.unreadable", file=file, reason=reason)
                  for file, reason in self.unreadable]  # fmt: skip
        if self.not_taken:
            found.append(say("import.not_taken", files=", ".join(self.not_taken)))
        found += [say("import.rows", table=table, n=n) for table, n in self.rows.items()]
        found += [say("import.mended", where=m.where, column=m.column, was=m.was, now=m.now, n=m.n)
                  for m in self.mended]  # fmt: skip
        found += [say(f"import.{o.code}", table=o.table, column=o.column, n=o.n)
                  for o in self.oddities]  # fmt: skip
        found += [say("import.absent", file=file, column=column, canonical=canonical)
                  for file, column, canonical in self.absent]  # fmt: skip
        found += [say("import.unmapped", file=file, columns=", ".join(columns))
                  for file, columns in self.unmapped.items() if columns]  # fmt: skip
        found += [say(f"import.stage_{s.kind}", name=s.name, n=n)
                  for n, s in enumerate(self.stages, 1)]  # fmt: skip
        found += [say(f"import.assumed_{a.code}", where=a.where, value=a.value)
                  for a in self.assumed]  # fmt: skip
        found += [say("import.changed", table=table, n=n) for table, n in self.changed.items()]
        found += [say("import.cannot", what=label(code)) for code in self.cannot]
        found += [say("import.untouched", file=f) for f in self.untouched if f != TARGETS]
        if TARGETS in self.untouched:
            found.append(say("import.targets_stay"))
        done = say("import.written", into=self.into) if self.into else say("import.dry_run")
        return [*found, done]

    def _counted(self) -> list[str]:
        """Say of each sheet how many rows were read, kept, left out and set aside."""
        found = []
        for place, n in self.counts.items():
            found.append(say("import.counted", file=place, n=n.read, kept=n.kept))
            if n.no_records:
                found.append(say("import.no_records", n=n.no_records))
            if n.left_out:
                found.append(say("import.left_out", n=n.left_out))
            if n.set_aside:
                found.append(say("import.aside", n=n.set_aside))
        found += [say("import.why_aside", file=f.where, row=f.row, column=f.column,
                      value=f.value or "—", problem=f.problem)
                  for f in self.aside[:_SHOWN]]  # fmt: skip
        if len(self.aside) > _SHOWN:
            found.append(say("import.more_aside", n=len(self.aside) - _SHOWN))
        if self.aside and self.into:
            found.append(say("import.aside_file", file=pasted(f"{self.into}/{FILE}"),
                             into=pasted(self.into)))  # fmt: skip
        return found


def kept_by_people(book: Path) -> tuple[str, ...]:
    """Name what people keep in a book, and no import changes."""
    own = [file.name for file in table_files(book, "actions")] == [REGISTER]
    found = [REGISTER] if own else []
    found += [MERGES] if (book / MERGES).exists() else []
    return (*found, TARGETS) if table_files(book, TARGETS) else tuple(found)
