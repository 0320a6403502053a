"""How long a run will go on, from what its reports took before and how fast this run is."""

import datetime as dt
from collections.abc import Iterable, Mapping
from statistics import fmean

from salesops.reports.events import Event, JobBegun, JobEnded, RunBegun
from salesops.reports.pastruns import PastRun

Key = tuple[str, str, str]


def past_seconds(runs: Iterable[PastRun]) -> dict[Key, float]:
    """Give how long each report of a scope in a language took when it was last made in full.

    Parameters
    ----------
    runs
        Oldest first.
    """
    return {
        (job.report, job.scope, job.lang): job.seconds
        for run in runs for job in run.jobs if job.ended == "made" and job.seconds > 0
    }  # fmt: skip


class TimeLeft:
    """The seconds that a run still needs, told of its events one by one.

    Parameters
    ----------
    past
        See `past_seconds`. A job that is not in it is taken for the mean of its report, else of
        all, else of those that this run has made.

    Examples
    --------
    >>> left = TimeLeft({("funnel", "company", "zh"): 8.0})
    >>> left.tell(RunBegun(book="b", jobs=(("funnel.zh", "funnel", "company", "zh"),), workers=2))
    >>> left.seconds(dt.datetime.now().astimezone())
    8.0
    """

    def __init__(self, past: Mapping[Key, float]) -> None:
        self._past = dict(past)
        self._waiting: dict[str, Key] = {}
        self._running: dict[str, tuple[Key, dt.datetime]] = {}
        self._ended: list[tuple[Key, float]] = []
        self._workers = 1

    def tell(self, event: Event) -> None:
        """Take note of an event."""
        if isinstance(event, RunBegun):
            self._workers = max(1, event.workers)
            self._waiting = {
                stem: (report, scope, lang) for stem, report, scope, lang in event.jobs
            }
        elif isinstance(event, JobBegun):
            key = self._waiting.pop(event.job, (event.report, event.scope, event.lang))
            self._running[event.job] = (key, event.at)
        elif isinstance(event, JobEnded):
            self._waiting.pop(event.job, None)
            self._running.pop(event.job, None)
            self._ended.append(((event.report, event.scope, event.lang), event.seconds))

    @property
    def running(self) -> tuple[str, ...]:
        """The jobs that are at work, in the order in which they began."""
        return tuple(self._running)

    def seconds(self, at: dt.datetime) -> float | None:
        """Give the seconds that are left at a moment; null where nothing is known to go by."""
        pace = self._pace()
        waiting = [self._expected(key) for key in self._waiting.values()]
        running = [(self._expected(key), began) for key, began in self._running.values()]
        if any(e is None for e in (*waiting, *(e for e, _began in running))):
            return None
        rest = [max(0.0, (e or 0.0) * pace - (at - began).total_seconds()) for e, began in running]
        work = sum(rest) + sum((e or 0.0) * pace for e in waiting)
        longest = max([*rest, *((e or 0.0) * pace for e in waiting)], default=0.0)
        return max(work / self._workers, longest)

    def _pace(self) -> float:
        """How slow this run is, as a multiple of what its jobs took before."""
        both = [(seconds, self._past[key]) for key, seconds in self._ended if key in self._past]
        before = sum(past for _seconds, past in both)
        return sum(seconds for seconds, _past in both) / before if before else 1.0

    def _expected(self, key: Key) -> float | None:
        if key in self._past:
            return self._past[key]
        alike = [seconds for other, seconds in self._past.items() if other[0] == key[0]]
        known = alike or list(self._past.values()) or [seconds for _key, seconds in self._ended]
        return fmean(known) if known else None


def in_words(seconds: float | None) -> str:
    """Write a length of time in few characters; empty where it is not known.

    Examples
    --------
    >>> in_words(4.2), in_words(95), in_words(4000), in_words(None)
    ('5 s left', '2 min left', '1 h 07 min left', '')
    """
    if seconds is None:
        return ""
    if seconds < 60:
        return f"{5 * -(-seconds // 5):.0f} s left"
    minutes = -(-int(seconds) // 60)
    if minutes < 60:
        return f"{minutes} min left"
    return f"{minutes // 60} h {minutes % 60:02} min left"
