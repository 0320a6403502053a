"""What a scheduled time means: up to when things are known, and which period is looked at.

Everything follows from the scheduled time and nothing from the clock, so that a run that begins
late, or is made again, gives the report of a punctual one.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Literal, get_args

from salesops.model.calendar import Period
from salesops.model.settings import Settings

AsOf = Literal["day_before", "same_day"]
RELATIVE = (
    "this_month", "last_month", "this_quarter", "last_quarter", "this_year", "last_year", "latest",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Moment:
    """One scheduled time of an entry.

    Attributes
    ----------
    scheduled
        The time, with its zone.
    as_of, period
        As the reports take them.
    """

    scheduled: dt.datetime
    as_of: str
    period: str

    @property
    def text(self) -> str:
        """The scheduled time as ISO text, to the minute."""
        return self.scheduled.isoformat(timespec="minutes")


def moment(scheduled: dt.datetime, *, as_of: str, period: str, settings: Settings) -> Moment:
    """Resolve date and period of a scheduled time, on the company's calendar.

    Parameters
    ----------
    scheduled
        The time, with a zone.
    as_of
        `day_before`: up to the end of the day before, as the company's zone cuts days. `same_day`:
        up to the scheduled minute.
    period
        A period, or `this_` or `last_` with `month`, `quarter` or `year`, or `latest`. This month
        is the one that holds the last thing known; last month the last one that was over by then.
        On the first of a month, with all known to the end of the day before, they are the same.
    settings
        Zone and fiscal year of the company.

    Examples
    --------
    >>> seven = dt.datetime.fromisoformat("2026-03-02T07:00+08:00")
    >>> found = moment(seven, as_of="day_before", period="last_month", settings=Settings.default())
    >>> found.as_of, found.period
    ('2026-03-01', '2026-02')
    """
    if scheduled.tzinfo is None:
        raise ValueError("a scheduled time needs a zone")
    today = settings.calendar.local_date(scheduled.astimezone(dt.UTC).replace(tzinfo=None))
    if as_of not in get_args(AsOf):
        raise ValueError(f"as_of is {as_of!r}; expected {', '.join(get_args(AsOf))}")
    whole = as_of == "day_before"
    day = today - dt.timedelta(days=1) if whole else today
    known = str(day) if whole else scheduled.isoformat(timespec="minutes")
    return Moment(scheduled=scheduled, as_of=known,
                  period=_period(period, day=day, after=today, settings=settings))  # fmt: skip


def _period(text: str, *, day: dt.date, after: dt.date, settings: Settings) -> str:
    """Name a period: `day` is the last one of which anything is known, `after` not over yet."""
    if text not in RELATIVE or text == "latest":
        return text
    which, _underscore, kind = text.partition("_")
    starts = settings.company.fiscal_year_starts
    if which == "this":
        return Period.running(kind, on=day, fiscal_year_starts=starts).text
    return Period.running(kind, on=after, fiscal_year_starts=starts).prior().text
