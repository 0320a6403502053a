"""What an import read, mended, wrote, and what the data can't answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from salesops.sources.shapes import Assumed
from salesops.sources.stages import FoundStage
from salesops.sources.validate import Oddity
from salesops.wording import label, say


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
    """

    source: str
    title: str
    into: str
    read: Mapping[str, int]
    rows: Mapping[str, int]
    mended: tuple[Mended, ...] = ()
    oddities: tuple[Oddity, ...] = ()
    unmapped: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    absent: tuple[tuple[str, str, str], ...] = ()
    changed: Mapping[str, int] = field(default_factory=dict)
    stages: tuple[FoundStage, ...] = ()
    assumed: tuple[Assumed, ...] = ()
    cannot: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """Say it line by line in the current language."""
        found = [say("import.source", source=self.source, title=self.title)]
        found += [say("import.read", file=file, n=n) for file, n in self.read.items()]
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
        done = say("import.written", into=self.into) if self.into else say("import.dry_run")
        return [*found, done]
