"""What can go wrong, each with what is wrong, where, what was expected and how to mend it.

Data stands in the fields, the sentence in `__str__`; the command line prints the sentence without
a traceback and exits with 2.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from difflib import get_close_matches


class SalesopsError(Exception):
    """Root of every error that a user can mend."""

    def __reduce__(self) -> tuple[object, ...]:
        # Exceptions built by keywords do not unpickle by themselves (worker processes).
        values = {f.name: getattr(self, f.name) for f in fields(self)}  # type: ignore[arg-type]
        return (_rebuild, (type(self), values))


def _rebuild(kind: type[SalesopsError], values: dict[str, object]) -> SalesopsError:
    return kind(**values)


def nearest(value: str, known: Sequence[str], most: int = 3) -> str:
    """Name the known values that look most like this one, else the first few.

    Examples
    --------
    >>> nearest("negotation", ["needs", "negotiation"])
    'negotiation'
    """
    close = get_close_matches(value, list(known), n=most, cutoff=0.5)
    if close:
        return ", ".join(close)
    shown = ", ".join(known[:10])
    return shown + (f", … ({len(known)} in all)" if len(known) > 10 else "")


@dataclass(eq=False, kw_only=True)
class NotABook(SalesopsError, ValueError):
    """The path or URL does not lead to a company's tables."""

    where: str
    reason: str

    def __str__(self) -> str:
        return (
            f"{self.where} is not a book: {self.reason}.\n"
            "Expected: a folder with opportunities.csv or opportunities.parquet, a .duckdb file "
            "or a database URL.\n"
            "To make one from a CRM export: salesops import EXPORT --into FOLDER; "
            "to try with made-up data: salesops sample FOLDER."
        )


@dataclass(eq=False, kw_only=True)
class MissingTable(SalesopsError, LookupError):
    """An analysis needs a table that the book does not have."""

    table: str
    where: str
    needed_for: str

    def __str__(self) -> str:
        return (
            f"Table {self.table!r} is missing ({self.where}).\n"
            f"It is needed for: {self.needed_for}.\n"
            f"Add {self.table}.csv or {self.table}.parquet to the book, or map it in the import."
        )


@dataclass(eq=False, kw_only=True)
class MissingColumn(SalesopsError, LookupError):
    """A table lacks a column without which it can't be read."""

    table: str
    column: str
    where: str
    found: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"Column {self.column!r} of table {self.table!r} is missing ({self.where}).\n"
            f"Expected: a column of that name. Columns found: {', '.join(self.found)}. "
            f"Nearest: {nearest(self.column, self.found)}.\n"
            f"Rename the column to {self.column!r}, or map it in the import."
        )


@dataclass(eq=False, kw_only=True)
class UnknownStage(SalesopsError, ValueError):
    """A deal carries a stage that the settings do not list."""

    value: str
    where: str
    known: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"Stage {self.value!r} is not in salesops.toml ({self.where}).\n"
            f"Known stages: {', '.join(self.known)}. Nearest: {nearest(self.value, self.known)}.\n"
            "Add it under [[stages]] in salesops.toml, or map it in the import's mapping file."
        )


@dataclass(eq=False, kw_only=True)
class BadRows(SalesopsError, ValueError):
    """Rows of one input are broken; all faults are collected and shown once.

    Each row of `rows` is (place, column, value, problem).
    """

    where: str
    rows: tuple[tuple[str, str, str, str], ...]
    n: int
    expected: str
    mend: str

    def __str__(self) -> str:
        heads = ("where", "column", "value", "problem")
        shown = [heads, *self.rows[:10]]
        widths = [max(len(str(row[i])) for row in shown) for i in range(len(heads))]
        lines = [
            "  ".join(str(c).ljust(w) for c, w in zip(row, widths, strict=True)).rstrip()
            for row in shown
        ]
        more = [f"… and {self.n - 10} more."] if self.n > 10 else []
        faults = "1 fault" if self.n == 1 else f"{self.n} faults"
        return "\n".join(
            [
                f"{self.where} has {faults}:",
                *lines,
                *more,
                f"Expected: {self.expected}",
                f"To mend: {self.mend}",
            ]
        )


@dataclass(eq=False, kw_only=True)
class BadSettings(SalesopsError, ValueError):
    """salesops.toml does not say what it must."""

    where: str
    faults: tuple[str, ...]

    def __str__(self) -> str:
        listed = "\n".join(f"  {fault}" for fault in self.faults)
        return (
            f"Settings are not valid ({self.where}):\n{listed}\n"
            "Expected: the keys and types of the default salesops.toml.\n"
            "Mend the lines named above, then look with: salesops check BOOK."
        )


@dataclass(eq=False, kw_only=True)
class BadPeriod(SalesopsError, ValueError):
    """A period is not written as a month, quarter, year or latest."""

    value: str

    def __str__(self) -> str:
        return (
            f"Period {self.value!r} can't be read.\n"
            "Expected: 2026-03 (a month), 2026Q1 (a quarter), 2026 (a fiscal year) or latest.\n"
            "Write for example: --period 2026Q1."
        )


@dataclass(eq=False, kw_only=True)
class BadDate(SalesopsError, ValueError):
    """A date for time travel is not an ISO date, or lies where no data are."""

    value: str
    reason: str
    option: str = "--as-of"
    example: str = "2026-03-31"

    def __str__(self) -> str:
        return (
            f"Date {self.value!r} can't be used: {self.reason}.\n"
            "Expected: an ISO date such as 2026-03-31, an ISO datetime, or latest.\n"
            f"Write for example: {self.option} {self.example}."
        )


@dataclass(eq=False, kw_only=True)
class BadScope(SalesopsError, ValueError):
    """A scope names a team, person or region that the book does not know."""

    value: str
    reason: str
    known: tuple[str, ...]

    def __str__(self) -> str:
        value = self.value.partition(":")[2]
        near = f" Nearest: {nearest(value or self.value, self.known)}." if self.known else ""
        # What was written without a side may be meant as any of them.
        named = value or ("" if ":" in self.value else self.value)
        examples = [f"--scope {side}:{named}" for side in ("team", "user", "region") if named]
        shown = examples if not self.known and examples else ["--scope team:华东/一组"]
        return (
            f"Scope {self.value!r} can't be used: {self.reason}.\n"
            f"Expected: company, team:<path>, user:<id> or region:<name>.{near}\n"
            f"Write for example: {' or '.join(shown)}."
        )
