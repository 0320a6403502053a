"""Periods, working days and the company's zone.

Working days are China's with make-up days from `chinese_calendar`; outside the years that it
covers, Monday to Friday, and `Calendar.is_known` says so.
"""

import datetime as dt
import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Self
from zoneinfo import ZoneInfo

import chinese_calendar
import numpy as np
from chinese_calendar.constants import holidays as _chinese_holidays
from lunardate import LunarDate

from salesops.model.errors import BadPeriod

if TYPE_CHECKING:
    import ibis

_MONTH = re.compile(r"(\d{4})-(\d{2})")
_QUARTER = re.compile(r"(\d{4})Q([1-4])")
_YEAR = re.compile(r"\d{4}")


@dataclass(frozen=True, order=True)
class Period:
    """A month, quarter or fiscal year: `start` to `end`, both days included.

    Examples
    --------
    >>> Period.parse("2026Q1").end
    datetime.date(2026, 3, 31)
    >>> Period.parse("latest", on=dt.date(2026, 6, 20)).text
    '2026-06'
    >>> Period.parse("2026Q1", fiscal_year_starts=4).start
    datetime.date(2026, 4, 1)
    """

    start: dt.date
    end: dt.date
    text: str

    @classmethod
    def parse(cls, text: str, *, on: dt.date | None = None, fiscal_year_starts: int = 1) -> Self:
        """Read `2026-03`, `2026Q1`, `2026` or `latest` (the month that holds `on`).

        Parameters
        ----------
        text
            The period. Quarters and years are fiscal: with a year from April, 2026Q1 is April to
            June 2026 and 2026 ends in March 2027.
        on
            The book's date, for `latest`.
        fiscal_year_starts
            Month in which the fiscal year begins, 1–12.

        Raises
        ------
        BadPeriod
            The text is none of these.
        """
        first = fiscal_year_starts - 1
        if text == "latest" and on is not None:
            return cls._of_months(on.year * 12 + on.month - 1, 1, f"{on:%Y-%m}")
        if match := _MONTH.fullmatch(text):
            year, month = int(match[1]), int(match[2])
            if 1 <= month <= 12 and year >= 1900:
                return cls._of_months(year * 12 + month - 1, 1, text)
        if match := _QUARTER.fullmatch(text):
            quarter = first + (int(match[2]) - 1) * 3
            return cls._of_months(int(match[1]) * 12 + quarter, 3, text)
        if _YEAR.fullmatch(text) and int(text) >= 1900:
            return cls._of_months(int(text) * 12 + first, 12, text)
        raise BadPeriod(value=text)

    @classmethod
    def running(cls, kind: str, *, on: dt.date, fiscal_year_starts: int = 1) -> Self:
        """Give the month, quarter or fiscal year that holds a day.

        Parameters
        ----------
        kind
            `month`, `quarter` or `year`.
        on
            The day.
        fiscal_year_starts
            Month in which the fiscal year begins, 1–12.

        Raises
        ------
        BadPeriod
            The kind is none of these.

        Examples
        --------
        >>> Period.running("quarter", on=dt.date(2026, 2, 9), fiscal_year_starts=4).text
        '2025Q4'
        """
        month = on.year * 12 + on.month - 1
        into = (on.month - fiscal_year_starts) % 12
        year = (month - into) // 12
        if kind == "month":
            return cls._of_months(month, 1, f"{on:%Y-%m}")
        if kind == "quarter":
            return cls._of_months(month - into % 3, 3, f"{year}Q{into // 3 + 1}")
        if kind == "year":
            return cls._of_months(month - into, 12, str(year))
        raise BadPeriod(value=kind)

    @classmethod
    def _of_months(cls, first: int, months: int, text: str) -> Self:
        after = first + months
        return cls(
            start=dt.date(first // 12, first % 12 + 1, 1),
            end=dt.date(after // 12, after % 12 + 1, 1) - dt.timedelta(days=1),
            text=text,
        )

    @property
    def months(self) -> int:
        """Number of months: 1, 3 or 12."""
        months = (self.end.year - self.start.year) * 12 + self.end.month - self.start.month
        return months + 1

    @property
    def days(self) -> int:
        """Number of days."""
        return (self.end - self.start).days + 1

    def shifted(self, months: int) -> "Period":
        """Give the period of the same length that begins so many months later.

        Examples
        --------
        >>> Period.parse("2026Q1").shifted(-3).text
        '2025Q4'
        """
        first = self.start.year * 12 + self.start.month - 1 + months
        moved = self._of_months(first, self.months, "")
        return Period(moved.start, moved.end, self._text_after(months, moved.start))

    def _text_after(self, months: int, start: dt.date) -> str:
        if self.months == 1:
            return f"{start:%Y-%m}"
        if self.months == 12 and months % 12 == 0:
            return str(int(self.text) + months // 12)
        if self.months == 3 and months % 3 == 0:
            quarter = int(self.text[:4]) * 4 + int(self.text[-1]) - 1 + months // 3
            return f"{quarter // 4}Q{quarter % 4 + 1}"
        return f"{start:%Y-%m}"

    def prior(self) -> "Period":
        """Give the period just before.

        Examples
        --------
        >>> Period.parse("2026-01").prior().text
        '2025-12'
        """
        return self.shifted(-self.months)

    def year_ago(self) -> "Period":
        """Give the same period one year before."""
        return self.shifted(-12)


def months_of(period: Period) -> list[str]:
    """Name the months of a period as targets do.

    Examples
    --------
    >>> months_of(Period.parse("2026Q1"))
    ['2026-01', '2026-02', '2026-03']
    """
    first = period.start.year * 12 + period.start.month - 1
    return [f"{m // 12:04d}-{m % 12 + 1:02d}" for m in range(first, first + period.months)]


@dataclass(frozen=True)
class Calendar:
    """The company's days: its zone and its working days.

    Parameters
    ----------
    zone
        IANA name, such as Asia/Shanghai.
    country
        `CN` for China's holidays with make-up days, anything else for Monday to Friday.
    """

    zone: str
    country: str = "CN"

    @property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.zone)

    def start_of(self, day: dt.date) -> dt.datetime:
        """Give the first instant of a local day, in UTC without a zone."""
        local = dt.datetime.combine(day, dt.time.min, tzinfo=self._zone)
        return local.astimezone(dt.UTC).replace(tzinfo=None)

    def end_of(self, day: dt.date) -> dt.datetime:
        """Give the last microsecond of a local day, in UTC without a zone.

        Examples
        --------
        >>> Calendar("Asia/Shanghai").end_of(dt.date(2026, 1, 31))
        datetime.datetime(2026, 1, 31, 15, 59, 59, 999999)
        """
        return self.start_of(day + dt.timedelta(days=1)) - dt.timedelta(microseconds=1)

    def instants(self, period: Period) -> tuple[dt.datetime, dt.datetime]:
        """Give the UTC bounds of a period: first instant, and the first one after it."""
        return self.start_of(period.start), self.start_of(period.end + dt.timedelta(days=1))

    def local(self, instant: dt.datetime) -> dt.datetime:
        """Show a UTC instant as the company's clock does."""
        return instant.replace(tzinfo=dt.UTC).astimezone(self._zone)

    def local_date(self, instant: dt.datetime) -> dt.date:
        """Give the company's day on which a UTC instant falls."""
        return self.local(instant).date()

    def contains(self, period: Period, instant: "ibis.Value") -> "ibis.Value":
        """Say as an Ibis condition whether an instant or a date falls into the period."""
        if instant.type().is_date():
            return (instant >= period.start) & (instant <= period.end)
        # Words know periods too, and need no engine for them.
        import ibis

        start, end = self.instants(period)
        at = "timestamp(6)"
        return (instant >= ibis.literal(start).cast(at)) & (instant < ibis.literal(end).cast(at))

    def is_known(self, day: dt.date) -> bool:
        """Say whether the holidays of that day's year are known, not guessed."""
        return self.country == "CN" and day.year in _years_known()

    def is_working_day(self, day: dt.date) -> bool:
        """Say whether the company works on that day.

        Examples
        --------
        >>> Calendar("Asia/Shanghai").is_working_day(dt.date(2026, 2, 17))  # Spring Festival
        False
        """
        if self.is_known(day):
            return bool(chinese_calendar.is_workday(day))
        return day.weekday() < 5

    def working_days(self, start: dt.date, end: dt.date) -> int:
        """Count the working days after `start` up to and with `end`; negative backwards.

        Examples
        --------
        >>> Calendar("Asia/Shanghai").working_days(dt.date(2026, 3, 6), dt.date(2026, 3, 9))
        1
        """
        table, origin = _working_day_counts(self.country)
        return int(table[(end - origin).days] - table[(start - origin).days])

    def working_day_counts(self) -> tuple["np.ndarray[tuple[int], np.dtype[np.int64]]", dt.date]:
        """Give the running count of working days by day and its first day, for vector use."""
        return _working_day_counts(self.country)


@cache
def _years_known() -> frozenset[int]:
    # The library lists a year's holidays once the state council has announced them.
    return frozenset(day.year for day in _chinese_holidays)


@cache
def _working_day_counts(
    country: str,
) -> tuple["np.ndarray[tuple[int], np.dtype[np.int64]]", dt.date]:
    origin = dt.date(1990, 1, 1)
    calendar = Calendar("UTC", country)
    last = dt.date(2100, 1, 1)
    days = (origin + dt.timedelta(days=i) for i in range((last - origin).days))
    works = np.fromiter((calendar.is_working_day(day) for day in days), dtype=np.int64)
    return np.cumsum(works), origin


@cache
def spring_festival(year: int) -> dt.date:
    """Give the first day of the lunar year that begins in this year.

    Examples
    --------
    >>> spring_festival(2026)
    datetime.date(2026, 2, 17)
    """
    day: dt.date = LunarDate(year, 1, 1).to_solar_date()
    return day
