"""How a canonical table is declared: one class per table, one line per column.

A declaration is a `pandera` model for Ibis, so types and null rules are checked by a library.
What pandera has no word for (unit, role in time travel, the table that a key points to) stands in
the column's metadata and is read back by `facts`.
"""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import ibis
import ibis.expr.datatypes as dt
import pandera.ibis as pa

Kind = Literal["key", "known_at", "event", "moving", "outcome", "description"]

Text = str
Flag = Annotated[dt.Boolean, True]
Whole = Annotated[dt.Int64, True]
Number = Annotated[dt.Float64, True]
Money = Annotated[dt.Decimal, 18, 2, True]
Day = Annotated[dt.Date, True]
Instant = Annotated[dt.Timestamp, None, 6, True]


@dataclass(frozen=True)
class Column:
    """What one column of a canonical table means.

    Attributes
    ----------
    name, dtype
        Name and Ibis type.
    meaning
        One sentence for the reader of `salesops check` and of the documentation.
    unit
        `money`, `days`, `minutes`, `months`, `share`, `score` or empty.
    kind
        Its role in time travel: `key`, `known_at` (when the row came to be known), `event` (a
        date that is null until it has happened), `moving` (changes while the row lives),
        `outcome` (known only once the row has ended) or `description` (keeps today's value).
    refers
        The table that a key points to, or empty.
    follows
        The event column that must have happened before this one is known, or empty.
    mandatory
        True where a row without it is refused.
    """

    name: str
    dtype: dt.DataType
    meaning: str
    unit: str
    kind: Kind
    refers: str
    follows: str
    mandatory: bool


class Table(pa.DataFrameModel):
    """Base of the canonical tables."""

    class Config:
        """Columns beyond the declared ones are let through; none is cast."""

        strict = False
        coerce = False


def column(
    meaning: str,
    *,
    unit: str = "",
    kind: Kind = "description",
    refers: str = "",
    follows: str = "",
    mandatory: bool = False,
) -> Any:
    """Declare one column; see `Column` for the facts."""
    metadata = {"unit": unit, "kind": kind, "refers": refers, "follows": follows}
    return pa.Field(nullable=not mandatory, description=meaning, metadata=metadata)


def key(meaning: str = "Identifier, a text.", *, refers: str = "", mandatory: bool = True) -> Any:
    """Declare an identifier of this table, or with `refers` of another."""
    return column(meaning, kind="key", refers=refers, mandatory=mandatory)


def user(meaning: str, *, kind: Kind = "key", follows: str = "") -> Any:
    """Declare a column that names a person; scopes mask it where the person is outside."""
    return column(meaning, kind=kind, refers="users", follows=follows)


def known(meaning: str = "When the row came to be known.") -> Any:
    """Declare the column that decides from when on a row is visible."""
    return column(meaning, kind="known_at")


def event(meaning: str, *, follows: str = "") -> Any:
    """Declare a date or instant that is null until it has happened."""
    return column(meaning, kind="event", follows=follows)


def moving(meaning: str, *, unit: str = "", refers: str = "") -> Any:
    """Declare a field that changes while the row lives, so that time travel needs its history."""
    return column(meaning, unit=unit, kind="moving", refers=refers)


def columns_of(table: type[Table]) -> dict[str, Column]:
    """Read the declared facts of a table class, in the order of declaration."""
    found: dict[str, Column] = {}
    for name, field in table.to_schema().columns.items():
        facts = field.metadata or {}
        found[name] = Column(
            name=name,
            dtype=ibis.dtype(str(field.dtype)),
            meaning=field.description or "",
            unit=facts["unit"],
            kind=facts["kind"],
            refers=facts["refers"],
            follows=facts["follows"],
            mandatory=not field.nullable,
        )
    return found
