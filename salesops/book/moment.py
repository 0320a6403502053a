"""The instant at which a company is looked at, or a grid of them.

Every rule of time travel is written once, for both: of one instant it makes literals, of a grid
columns, so that a panel of dates equals `as_of` date by date by construction.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import ibis
import pyarrow as pa

from salesops.book.versions import AT
from salesops.model.calendar import Calendar

Table: TypeAlias = ibis.Table
# Known from the instants alone, or row by row.
Condition: TypeAlias = bool | ibis.Value

ON, INSTANT, DAY = "as_of", "as_of_instant_", "as_of_day_"
GRID_COLUMNS = (ON, INSTANT, DAY)


@dataclass(frozen=True, eq=False)
class Moment:
    """One instant, or several.

    Attributes
    ----------
    first, last
        Earliest and latest of the instants, UTC.
    day
        Of a single instant, the last local day that is over: what is only dated is known at the
        end of its day.
    grid
        Of several, one row each: `as_of` (the day as asked), and the instant and day above.
    """

    first: dt.datetime
    last: dt.datetime
    day: dt.date | None = None
    grid: Table | None = None

    @classmethod
    def at(cls, instant: dt.datetime, calendar: Calendar) -> "Moment":
        """Make a moment of one instant."""
        return cls(instant, instant, _day_over(instant, calendar))

    @classmethod
    def over(cls, days: Sequence[dt.date], calendar: Calendar, until: dt.datetime) -> "Moment":
        """Make a moment of the ends of several days, of a day that is not over of what it has."""
        ends = [min(calendar.end_of(day), until) for day in days]
        over = [_day_over(end, calendar) for end in ends]
        columns = {ON: pa.array(days, pa.date32()), INSTANT: pa.array(ends, pa.timestamp("us")),
                   DAY: pa.array(over, pa.date32())}  # fmt: skip
        return cls(min(ends), max(ends), grid=ibis.memtable(pa.table(columns)))

    def spread(self, table: Table) -> Table:
        """Give each row once per instant of a grid; a single instant leaves the table."""
        return table if self.grid is None else table.cross_join(self.grid)

    def of(self, table: Table) -> ibis.Value:
        """Give the instant as a value beside the rows of a table."""
        if self.grid is not None:
            return table[INSTANT]
        return instant(self.first)

    def reached(self, table: Table, when: dt.datetime) -> Condition:
        """Say whether the instant is at or after another; a bool where all agree."""
        if self.first >= when:
            return True
        if self.last < when:
            return False
        return self.of(table) >= instant(when)

    def happened(self, table: Table, column: ibis.Value) -> ibis.Value:
        """Say whether an instant or a day lies at or before this one; null of null."""
        if not column.type().is_date():
            return column <= self.of(table)
        return column <= (ibis.literal(self.day) if self.grid is None else table[DAY])


def _day_over(at: dt.datetime, calendar: Calendar) -> dt.date:
    return calendar.local_date(at + dt.timedelta(microseconds=1)) - dt.timedelta(days=1)


def instant(at: dt.datetime) -> ibis.Value:
    """Write an instant as an Ibis literal of the store's precision."""
    return ibis.literal(at).cast(AT)


def choose(condition: Condition, yes: ibis.Value, no: ibis.Value) -> ibis.Value:
    """Take one of two values, without asking the engine where the answer is the same for all."""
    if isinstance(condition, bool):
        return yes if condition else no
    return ibis.ifelse(condition, yes, no)


def both(one: Condition, other: Condition) -> Condition:
    """Say whether two conditions hold."""
    if isinstance(one, bool):
        return other if one else False
    if isinstance(other, bool):
        return one if other else False
    return one & other


def negated(condition: Condition) -> Condition:
    """Say whether a condition does not hold."""
    return not condition if isinstance(condition, bool) else ~condition


def as_value(condition: Condition) -> ibis.Value:
    """Write a condition as a value."""
    return ibis.literal(condition) if isinstance(condition, bool) else condition
