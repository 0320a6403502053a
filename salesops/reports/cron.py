"""When a schedule falls due: the five fields of cron in a zone, forwards and backwards.

APScheduler's own reading of cron counts the days of the week from Monday and wants day of month
and day of week to hold at once; here they mean what they mean on every other machine.
"""

import datetime as dt
import re
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

_NAMES = re.compile(r"\b(SUN|MON|TUE|WED|THU|FRI|SAT|JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC)\b")  # fmt: skip # noqa: E501
_EXPECTED = "five fields, minute hour day month weekday, such as 0 7 * * mon"
_WHOLE = {"minutes": 60, "hours": 24, "days": 31, "months": 12, "weekdays": 7}


@dataclass(frozen=True)
class Cron:
    """A schedule in a zone.

    Parameters
    ----------
    text
        Five fields: minute, hour, day of month, month, day of week (0 and 7 are Sunday).
    zone
        IANA name of the zone whose clock is meant.

    Raises
    ------
    ValueError
        The text is no such schedule; the message says what is expected.

    Examples
    --------
    >>> monday = Cron("0 7 * * 1", "Asia/Shanghai")
    >>> monday.last_until(dt.datetime(2026, 3, 4, tzinfo=dt.UTC)).isoformat()
    '2026-03-02T07:00:00+08:00'
    """

    text: str
    zone: str = "UTC"

    def __post_init__(self) -> None:
        known = _NAMES.sub("", self.text.upper())
        if len(self.text.split()) != 5 or re.search(r"[^\d\s*,/-]", known):
            raise ValueError(_EXPECTED)
        try:
            self._steps(dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
        except CronSimError as error:
            raise ValueError(f"{_EXPECTED} ({str(error).lower()})") from error
        if self.days is not None and self.weekdays is not None:
            raise ValueError(
                "a day of the month or a day of the week: both at once are read in different "
                "ways; make two entries"
            )

    def _steps(self, start: dt.datetime, *, reverse: bool = False) -> CronSim:
        return CronSim(self.text, start, reverse=reverse)

    def next_after(self, instant: dt.datetime) -> dt.datetime:
        """Give the first time after an instant, on the schedule's own clock."""
        steps = self._steps(instant.astimezone(ZoneInfo(self.zone)))
        found = next(steps)
        # Times of one zone compare by the clock on the wall, which an hour of autumn shows twice.
        while found.astimezone(dt.UTC) <= instant.astimezone(dt.UTC):
            found = next(steps)
        return found

    def last_until(self, instant: dt.datetime) -> dt.datetime:
        """Give the last time up to an instant, itself included, on the schedule's own clock."""
        local = instant.astimezone(ZoneInfo(self.zone)).replace(microsecond=0)
        steps = self._steps(local + dt.timedelta(seconds=1), reverse=True)
        found = next(steps)
        while found.astimezone(dt.UTC) > instant.astimezone(dt.UTC):
            found = next(steps)
        return found

    def field(self, name: str) -> tuple[int, ...] | None:
        """List the values of a field, `minutes` to `weekdays` (0 is Sunday); null where all hold.

        Examples
        --------
        >>> Cron("0,30 9-11 * * mon-fri").field("weekdays")
        (1, 2, 3, 4, 5)
        """
        values: set[int] = set(getattr(self._steps(dt.datetime(2026, 1, 1, tzinfo=dt.UTC)), name))
        if name == "weekdays":
            values = {value % 7 for value in values}
        return None if len(values) == _WHOLE[name] else tuple(sorted(values))

    @property
    def days(self) -> tuple[int, ...] | None:
        """Days of the month; null where all hold."""
        return self.field("days")

    @property
    def weekdays(self) -> tuple[int, ...] | None:
        """Days of the week from 0, Sunday; null where all hold."""
        return self.field("weekdays")
