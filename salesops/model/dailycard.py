"""The numbers of a day's card; `metrics.dailycard` makes them, `charts.dailycard` says them."""

import datetime as dt
from dataclasses import dataclass

from salesops.model.calendar import Period


@dataclass(frozen=True)
class Due:
    """Something that falls due: a customer, money in company currency, a day."""

    customer: str
    amount: float
    on: dt.date


@dataclass(frozen=True, kw_only=True)
class Card:
    """One day of a company or of a part of it.

    Attributes
    ----------
    company, whose
        The company's name; the scope as its reader names it, the company where it is whole.
    date, month
        The day, and the month to date.
    signed, received
        Money of the day, 0 where nothing was; null where the book can't say.
    signed_month
        Signed in the month up to the day; null where the book can't say.
    expected
        What should be signed of the month's target by the day; null without a target or a curve.
    pace
        `signed_month` per `expected`, 0.9 means nine tenths of it.
    attained_share
        `signed_month` per the whole month's target; null without one.
    due
        The next three: instalments, or without any in the book open deals.
    due_kind
        `instalments` or `deals`.
    """

    company: str
    whose: str
    date: dt.date
    month: Period
    signed: float | None
    received: float | None
    signed_month: float | None
    expected: float | None
    pace: float | None
    attained_share: float | None
    due: tuple[Due, ...]
    due_kind: str
