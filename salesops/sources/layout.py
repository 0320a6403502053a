"""What a reader decided about a file and why, as data: shown by the import, overridden by hand."""

from dataclasses import dataclass, field
from typing import Literal

from salesops.model.errors import SalesopsError
from salesops.sources.units import Unit

AsideKind = Literal["title", "head", "total", "note", "no_value", "told"]
DoubtKind = Literal["lost_digits", "made_date", "swapped", "error", "no_result", "scaled",
                    "shown_unit", "shown_currency"]  # fmt: skip


@dataclass(eq=False, kw_only=True)
class UnreadableFile(SalesopsError, ValueError):
    """A file can't be read as a table."""

    where: str
    reason: str
    mend: str

    def __str__(self) -> str:
        return (
            f"{self.where} can't be read: {self.reason}.\n"
            "Expected: a CSV file or an .xlsx workbook with one table and its column names.\n"
            f"To mend: {self.mend}"
        )


@dataclass(frozen=True, kw_only=True)
class Hints:
    """What a mapping tells of a table's place; what it does not tell is found out.

    Attributes
    ----------
    title_rows
        Rows of the file above the names.
    head_rows
        Rows that the names take.
    keep, drop
        Numbers of rows that are records, and of rows that are none, whatever they look like.
    alone
        Whether a row with one value alone is a record; such a row is refused where nothing is told.
    month_columns
        Whether a column a month is turned into a row a month.
    year
        That of months which name none.
    fill_down
        Columns whose empty cells stand for the value above.
    leave_empty
        Columns whose empty cells are empty, although they look as if merged cells had been lost.
    """

    title_rows: int | None = None
    head_rows: int | None = None
    keep: tuple[int, ...] = ()
    drop: tuple[int, ...] = ()
    alone: Literal["", "keep", "drop"] = ""
    month_columns: Literal["", "turn", "keep"] = ""
    year: int | None = None
    fill_down: tuple[str, ...] = ()
    leave_empty: tuple[str, ...] = ()


@dataclass(frozen=True)
class Aside:
    """One row of a file that is no record: its number, what it is, its text and why."""

    row: int
    kind: AsideKind
    text: str
    why: str


@dataclass(frozen=True)
class Decision:
    """One thing that was found out: what, where, why, and the line of a mapping that changes it.

    A question names the `column` that it is about.
    """

    what: str
    where: str
    why: str
    override: str = ""
    column: str = ""


@dataclass(frozen=True)
class Doubt:
    """A cell whose value may not be what was typed; a fault where a mapping uses its column.

    Of an amount that is shown in a `currency` it is one where it counts in another.
    """

    row: int
    column: str
    value: str
    kind: DoubtKind
    problem: str
    currency: str = ""


@dataclass(frozen=True, kw_only=True)
class Layout:
    """How a table lies in its file.

    Attributes
    ----------
    n_rows
        Rows of the file that hold anything.
    n_kept
        Rows that are records; with those set aside they are all rows.
    aside
        Titles, heads, totals and notes.
    head_rows
        Numbers of the rows of names.
    units
        Unit of a column whose head names one.
    unit
        Unit of all money of the sheet, where a title names it; empty where none does.
    currencies
        Currency of a column that most of its cells show.
    months
        Columns that were turned into rows, with their months.
    separator, encoding
        Of a text.
    epoch
        From which year a workbook counts its days; 0 in a text.
    hidden
        Hidden sheets of the workbook; they are not read unless a mapping names them.
    decisions
        What was found out, to be shown.
    unclear
        Columns whose unit can be one of two; a fault where a mapping uses them and tells none.
    unclear_money
        Columns that would be in an unknown unit if they were money, as where a head says 千万元.
    questions
        What could be read in another way, to be asked.
    doubts
        Cells that may not be what was typed.
    """

    n_rows: int = 0
    n_kept: int = 0
    aside: tuple[Aside, ...] = ()
    head_rows: tuple[int, ...] = ()
    units: dict[str, Unit] = field(default_factory=dict)
    unit: Unit | Literal[""] = ""
    currencies: dict[str, str] = field(default_factory=dict)
    months: dict[str, str] = field(default_factory=dict)
    separator: str = ""
    encoding: str = ""
    epoch: int = 0
    hidden: tuple[str, ...] = ()
    unclear: tuple[str, ...] = ()
    unclear_money: tuple[str, ...] = ()
    decisions: tuple[Decision, ...] = ()
    questions: tuple[Decision, ...] = ()
    doubts: tuple[Doubt, ...] = ()

    @property
    def n_set_aside(self) -> int:
        """Rows that are no records."""
        return len(self.aside)

    def lines(self) -> list[str]:
        """Say what was decided and what is open, one line each."""
        told = [f"{d.where}: {d.what}, because {d.why}" for d in self.decisions]
        asked = [f"{d.where}: {d.what}? {d.why}" for d in self.questions]
        return [line + (f" (to change: {d.override})" if d.override else "")
                for line, d in zip(told + asked, self.decisions + self.questions,
                                   strict=True)]  # fmt: skip
