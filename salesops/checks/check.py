"""The form of a check: what it compares, with which norm, and what it could not see.

A check gives every comparison that it made with the chance of so much beyond the norm if nothing
were wrong; `checks.judged` decides over all of them together which hold, and counts money once.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import pandas as pd

from salesops.book.book import Book
from salesops.model.calendar import Period
from salesops.model.finding import Finding, Gap

Pain = Literal["targets", "data", "process", "review", "teamwork"]
PAINS: tuple[Pain, ...] = ("targets", "data", "process", "review", "teamwork")
NormSource = Literal["settings", "learnt", "calendar"]
ROWS = ["table", "id"]
GAINS = ["table", "id", "amount", "low", "middle", "high"]


def no_rows() -> pd.DataFrame:
    """Give an empty frame of rows: `table`, `id`."""
    return pd.DataFrame({c: pd.Series(dtype="object") for c in ROWS})


def no_gains() -> pd.DataFrame:
    """Give an empty frame of gains: see `Tested.gains`."""
    kinds = {c: "object" if c in ROWS else "float64" for c in GAINS}
    return pd.DataFrame({c: pd.Series(dtype=kind) for c, kind in kinds.items()})


@dataclass(frozen=True, kw_only=True)
class Norm:
    """What a check holds its value against.

    Attributes
    ----------
    value
        The norm, in the unit of the check's value.
    tolerance
        How far beyond it is still taken as normal: the same unit, added.
    source
        `settings`, `learnt` from the company's own past or its other teams, or `calendar`.
    """

    value: float
    tolerance: float
    source: NormSource

    @property
    def limit(self) -> float:
        """Beyond this it counts."""
        return self.value + self.tolerance


@dataclass(frozen=True, kw_only=True, eq=False)
class Tested:
    """One comparison with the norm.

    Attributes
    ----------
    p
        Chance of so much beyond norm plus tolerance if nothing were wrong; 0 for what is counted
        rather than estimated, such as a month without a target.
    finding
        What is said if it holds, without money: `checks.judged` adds it.
    rows
        The records it speaks of: `table` (canonical name), `id`; empty where it is a group.
    gains
        What acting could bring: one row per open deal (`opportunities`) or unpaid instalment
        (`instalments`): `table`, `id`, `amount` (company currency), and `low`, `middle`, `high`:
        the gain in the chance of getting it (0 to 1, 80 % range).
    """

    p: float
    finding: Finding
    rows: pd.DataFrame = field(default_factory=no_rows)
    gains: pd.DataFrame = field(default_factory=no_gains)


@dataclass(frozen=True, kw_only=True, eq=False)
class Seen:
    """What a check saw.

    Attributes
    ----------
    value
        The headline number, such as a share; null where there was nothing to look at.
    n
        How many records or people were looked at.
    norm
        What it is held against; null for a plain count that should be 0.
    tests
        Every comparison that was made, whether it holds or not.
    gaps
        What it could not see, and which data would allow it.
    """

    value: float
    n: int
    norm: Norm | None = None
    tests: tuple[Tested, ...] = ()
    gaps: tuple[Gap, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Check:
    """One thing that the diagnosis looks for.

    Attributes
    ----------
    id
        Such as `no_target`; its words are `check.<id>` (name) and `check.<id>.definition`.
    pain
        Which of the five pains it belongs to.
    unit
        Format of its value: `ratio`, `count`, `money`, `days` or `times`.
    needs
        Tables and `table.column`s without which it can't look.
    look
        Does the work, in a period of a book.
    needs_log
        Columns whose instants are of no use where they are known only to lie between two imports.
    apart
        True where its comparisons share no deals with those of other checks, so that they do not
        depend on them.
    """

    id: str
    pain: Pain
    unit: Literal["ratio", "count", "money", "days", "times"]
    needs: tuple[str, ...]
    look: Callable[[Book, Period], Seen]
    needs_log: tuple[str, ...] = ()
    apart: bool = False


def missing_for(check: Check, book: Book) -> tuple[Gap, ...]:
    """Say what a book lacks for a check; empty where it can look."""
    what = f"check.{check.id}"
    for need in check.needs:
        table, _dot, column = need.partition(".")
        if not book.has(table):
            return (Gap(what=what, reason="missing_table", needs=table),)
        if column and not book.has(need):
            return (Gap(what=what, reason="missing_column", needs=need),)
    for need in check.needs_log:
        entity, _dot, column = need.partition(".")
        told = book.tracked.get(entity, {}).get(column)
        if told is None:
            return (Gap(what=what, reason="no_history", needs="changes"),)
        if told.how != "log":
            return (Gap(what=what, reason="only_between_imports", needs=need),)
    return ()
