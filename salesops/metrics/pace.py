"""How much of a period should be signed by a day: the company's own curve, festival and all.

Signings bunch: at the end of a month, more so at the end of a quarter, and around Spring Festival
hardly anything is signed. What the past three years signed on each kind of day gives every day of
a period its weight; the share that is expected by a day is the weight that has passed.
"""

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pandas as pd

from salesops.book.book import Book
from salesops.metrics.kept import kept
from salesops.metrics.leaks import elapsed
from salesops.metrics.signed import signings
from salesops.model.calendar import Calendar, Period, spring_festival

# Fewer signings, or less than a year of them, do not make a curve.
ENOUGH_SIGNINGS, ENOUGH_DAYS = 60, 365
YEARS = 3
# The largest twentieth counts no more than the next one, so that one giant makes no season.
CAPPED_AT = 0.95
# Days around the first of the lunar year in which it is felt.
BEFORE_FESTIVAL, AFTER_FESTIVAL = 14, 35
_ROUNDS = 30


@dataclass(frozen=True, eq=False)
class Curve:
    """What each kind of day weighs.

    Attributes
    ----------
    calendar, fiscal_year_starts
        Of the company.
    factors
        One set of factors per way of sorting days: kind -> factor.
    n
        Signings that it is made of.
    """

    calendar: Calendar
    fiscal_year_starts: int
    factors: tuple[dict[int, float], ...]
    n: int

    def weights(self, first: dt.date, last: dt.date) -> np.ndarray:
        """Give the weight of each day from the first to the last."""
        kinds = _kinds(self.calendar, self.fiscal_year_starts, first, last)
        found = np.ones((last - first).days + 1)
        for kind, factors in zip(kinds, self.factors, strict=True):
            found *= np.array([factors.get(int(k), 1.0) for k in kind])
        return found

    def share(self, period: Period, days: int) -> float:
        """Give the share of a period that is expected in its first days, 0-1."""
        weights = self.weights(period.start, period.end)
        whole = float(weights.sum())
        return float(weights[:days].sum() / whole) if whole > 0 else float("nan")


def own_curve(book: Book, before: dt.date) -> Curve | None:
    """Learn the curve from what the book's scope signed in the three years before a day.

    Returns
    -------
    Curve or None
        None where there are fewer than 60 signings or less than a year of them.
    """
    return kept(f"curve before {before}", book, lambda: _learnt(book, before))


def _learnt(book: Book, before: dt.date) -> Curve | None:
    span = Period(dt.date(before.year - YEARS, before.month, 1), before - dt.timedelta(days=1), "")
    rows = signings(book, span)
    rows = rows[(rows["event"] == "signed") & (rows["amount"] > 0)]
    n = int(rows.groupby("id").ngroups)
    if n < ENOUGH_SIGNINGS:
        return None
    first = rows["booked_on"].min().date()
    if (before - first).days < ENOUGH_DAYS:
        return None
    # The month in which the records begin is not whole.
    begun = max(span.start, first if first.day == 1 else _next_month(first))
    rows = rows[rows["booked_on"] >= pd.Timestamp(begun)]
    capped = rows["amount"].clip(upper=rows["amount"].quantile(CAPPED_AT))
    days = pd.date_range(begun, span.end)
    signed = capped.groupby(rows["booked_on"]).sum().reindex(days, fill_value=0.0)
    starts = book.settings.company.fiscal_year_starts
    kinds = _kinds(book.calendar, starts, begun, span.end)
    factors = _fitted(signed.to_numpy(dtype=float), kinds, float(capped.mean()))
    return Curve(book.calendar, starts, factors, n)


def _next_month(day: dt.date) -> dt.date:
    return (day.replace(day=28) + dt.timedelta(days=4)).replace(day=1)


def _kinds(
    calendar: Calendar, fiscal_year_starts: int, first: dt.date, last: dt.date
) -> tuple[np.ndarray, ...]:
    """Sort days in three ways: by place in the month, by month of the quarter, by the festival."""
    days = [first + dt.timedelta(days=i) for i in range((last - first).days + 1)]
    counts, origin = calendar.working_day_counts()
    numbers = np.array([(day - origin).days for day in days])
    works = counts[numbers] > counts[numbers - 1]
    ends = np.array([(_next_month(day) - dt.timedelta(days=1) - origin).days for day in days])
    left = counts[ends] - counts[numbers]
    position = np.array([(day.month - fiscal_year_starts) % 12 for day in days])
    closes_quarter = position % 3 == 2
    place = np.digitize(left, (2, 5, 10)) + 4 * closes_quarter
    place = np.where(works, place, 8)
    month = position % 3 + 3 * (position >= 9)
    return place, month, _festival(calendar, days)


def _festival(calendar: Calendar, days: list[dt.date]) -> np.ndarray:
    """Number the weeks around Spring Festival; 0 away from it."""
    if calendar.country != "CN":
        return np.zeros(len(days), dtype=int)
    since = np.array([(day - spring_festival(day.year)).days for day in days])
    near = (since >= -BEFORE_FESTIVAL) & (since < AFTER_FESTIVAL)
    return np.where(near, (since + BEFORE_FESTIVAL) // 7 + 1, 0)


def _fitted(
    signed: np.ndarray, kinds: tuple[np.ndarray, ...], usual: float
) -> tuple[dict[int, float], ...]:
    """Fit a product of factors to daily sums, each kind's total in turn until they all agree.

    Each kind is drawn towards its expectation by the weight of one usual signing, so that a week
    that saw nothing once is not held to see nothing ever.
    """
    fitted = np.full(len(signed), signed.mean())
    factors: list[dict[int, float]] = [{int(k): 1.0 for k in np.unique(kind)} for kind in kinds]
    for _round in range(_ROUNDS):
        for kind, found in zip(kinds, factors, strict=True):
            for k in found:
                here = kind == k
                step = (signed[here].sum() + usual) / (fitted[here].sum() + usual)
                found[k] *= float(step)
                fitted[here] *= step
    return tuple(factors)


def expected_shares(book: Book, period: Period) -> dict[str, float]:
    """Which share of each month's target should be signed by the book's date?

    Returns
    -------
    dict
        Month -> share, 0-1; null where no curve can be made. A month or quarter is expected to
        grow along the company's own curve; of a year the quarters that are over are expected
        whole, the running one along its curve, later ones not at all.

    Notes
    -----
    Not to be believed where the way of selling has changed since, nor for a company whose
    targets follow another season than its signings.
    """
    return shares_along(own_curve(book, period.start), book, period)


def shares_along(curve: Curve | None, book: Book, period: Period) -> dict[str, float]:
    """The same along a curve that is known already; see `expected_shares`."""
    found: dict[str, float] = {}
    size = min(period.months, 3)
    for part in (_part(period, first, size) for first in range(0, period.months, size)):
        days = elapsed(book, part)
        share = 1.0 if days >= part.days else 0.0
        if 0 < days < part.days:
            share = curve.share(part, days) if curve else float("nan")
        for n in range(size):
            found[f"{_plus_months(part.start, n):%Y-%m}"] = share
    return found


def _part(period: Period, first: int, months: int) -> Period:
    start = _plus_months(period.start, first)
    return Period(start, _plus_months(start, months) - dt.timedelta(days=1), "")


def _plus_months(day: dt.date, months: int) -> dt.date:
    number = day.year * 12 + day.month - 1 + months
    return dt.date(number // 12, number % 12 + 1, 1)
