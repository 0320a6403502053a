"""Days, working hours and the season of signing.

Inside the generator a day is its number since 1970 and an instant the number of local seconds since
then; both are whole. China has no daylight saving time, so UTC is local time less eight hours.
"""

import datetime as dt
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from salesops.model.calendar import Calendar, Period, spring_festival
from salesops.sample.draws import NONE, Draws, Ints

DAY = 86_400
UTC_LAG = 8 * 3_600
EPOCH = dt.date(1970, 1, 1)

# Share of a year's signings by month when the Spring Festival is on 17 February.
MONTH_SHARES = (5, 3, 8, 6, 7, 11, 6, 6, 10, 6, 10, 22)
STRONG_SHARES = (2, 1, 15, 2, 3, 18, 2, 3, 16, 3, 5, 30)
MONTH_END, QUARTER_END = 0.50, 0.65
# Days from the festival on which nothing is signed, and a fifth of a usual week.
NOTHING, FIFTH = range(-2, 12), (*range(-9, -2), *range(12, 26))
BURN_IN_MONTHS = 30
AFTER_MONTHS = 24


def day_number(day: dt.date) -> int:
    """Number a date from 1970-01-01 on."""
    return (day - EPOCH).days


def date_of(number: int) -> dt.date:
    """Give the date of a day number."""
    return EPOCH + dt.timedelta(days=int(number))


@dataclass(frozen=True)
class Timeline:
    """The months that are shown, those before and after, and the calendar they lie in."""

    start: int
    end: int
    season: str = "normal"

    @classmethod
    def of(cls, end: dt.date, months: int, season: str) -> "Timeline":
        """Lay out so many months up to the day `end`."""
        last = Period.parse("latest", on=end)
        return cls(day_number(last.shifted(1 - months).start), day_number(end), season)

    @property
    def first(self) -> int:
        """First simulated day, well before the start."""
        return self.start - BURN_IN_MONTHS * 30

    @property
    def last(self) -> int:
        """Last simulated day, well after the end."""
        return self.end + AFTER_MONTHS * 30

    @property
    def end_at(self) -> int:
        """Last second that is known."""
        return (self.end + 1) * DAY - 1

    @cached_property
    def _counts(self) -> tuple[Ints, int]:
        counts, origin = Calendar("Asia/Shanghai").working_day_counts()
        return counts, day_number(origin)

    def work_index(self, days: Ints) -> Ints:
        """Count the working days up to and with each day."""
        counts, origin = self._counts
        return counts[days - origin]

    def work_day(self, index: Ints) -> Ints:
        """Give the day on which the count of working days reaches the index."""
        counts, origin = self._counts
        return np.searchsorted(counts, index, side="left") + origin

    def is_work(self, days: Ints) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
        """Say for each day whether it is worked."""
        return self.work_index(days) > self.work_index(days - 1)

    def at_work(self, draws: Draws, days: Ints) -> Ints:
        """Place events within office hours of the days, or of the next working day."""
        days = self.work_day(self.work_index(days - 1) + 1)
        return days * DAY + draws.whole(9 * 3600, 18 * 3600 - 1, len(days))

    def months(self) -> list[Period]:
        """List the months from the start to the end."""
        found, month = [], Period.parse("latest", on=date_of(self.start))
        while day_number(month.start) <= self.end:
            found.append(month)
            month = month.shifted(1)
        return found

    @cached_property
    def signing_weights(self) -> Ints:
        """Weight of each day from `first` to `last` in signings; full years sum to the same."""
        years = range(date_of(self.first).year, date_of(self.last).year + 1)
        whole = np.concatenate([self._year(year) for year in years])
        offset = self.first - day_number(dt.date(years[0], 1, 1))
        return whole[offset : offset + self.last - self.first + 1]

    def _year(self, year: int) -> Ints:
        shares = STRONG_SHARES if self.season == "strong" else MONTH_SHARES
        first = day_number(dt.date(year, 1, 1))
        festival = day_number(spring_festival(year)) - first
        quiet = np.ones(366 + 31)
        quiet[[festival + d for d in FIFTH if festival + d >= 0]] = -1
        quiet[[festival + d for d in NOTHING if festival + d >= 0]] = 0
        months = [Period.parse(f"{year}-{m:02d}") for m in range(1, 13)]
        winter = sum(shares[:3])
        # A fifth of an average week's signings, by day.
        fifth = 100 / 365 / 5
        weights = np.concatenate(
            [self._month(m, share, quiet, first) for m, share in zip(months, shares, strict=True)]
        )
        days = first + np.arange(len(weights))
        in_fifth = (quiet[: len(weights)] == -1) & self.is_work(days)
        weights[in_fifth] = fifth * 7 / 5
        before_april = days < day_number(months[3].start)
        free = before_april & (quiet[: len(weights)] == 1)
        rest = winter - weights[before_april & ~free].sum()
        weights[free] *= rest / weights[free].sum()
        return np.rint(weights * 1_000_000).astype(np.int64)

    def _month(self, month: Period, share: float, quiet: "np.ndarray", first: int) -> "np.ndarray":
        days = day_number(month.start) + np.arange(month.days)
        working = self.is_work(days) & (quiet[days - first] == 1)
        weights = np.where(working, 1.0, 0.0)
        last_five = np.flatnonzero(self.is_work(days))[-5:]
        is_end = np.zeros(len(days), bool)
        is_end[last_five] = True
        is_end &= working
        at_end = QUARTER_END if month.start.month % 3 == 0 else MONTH_END
        if is_end.sum() < 5 or not (working & ~is_end).any():
            return weights * share / max(weights.sum(), 1)
        weights[is_end] = at_end * share / is_end.sum()
        weights[working & ~is_end] = (1 - at_end) * share / (working & ~is_end).sum()
        return weights


def seconds(days: Ints) -> Ints:
    """Give the first second of each day; none stays none."""
    return np.where(days == NONE, NONE, days * DAY)


def days_of(instants: Ints) -> Ints:
    """Give the day of each instant; none stays none."""
    return np.where(instants == NONE, NONE, instants // DAY)
