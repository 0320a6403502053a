"""What sellers sign per month of work: their past with season and ramp taken out, and ahead."""

import datetime as dt
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from salesops.book.book import Book
from salesops.methods.attaining import Rates, learn
from salesops.metrics.collaboration_load import sellers
from salesops.metrics.credited import of_everyone
from salesops.metrics.kept import kept
from salesops.metrics.pace import ENOUGH_SIGNINGS, own_curve
from salesops.metrics.signed import missing_for_signed, signings
from salesops.model.calendar import Period

Floats = npt.NDArray[np.float64]
# Months of the past that are looked at.
BACK = 36
# From this month in the company on a person counts as settled.
SETTLED = 12
# What new people do in their months, as long as the company's own say little, and the weight of
# that in signings.
USUAL_RAMP = (0.0, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.95, 1.0, 1.0, 1.0)
RAMP_WEIGHT = 8.0
# Leavers of a year among a hundred, and the weight of that in years of work.
USUAL_LEAVING, LEAVING_WEIGHT = 0.20, 10.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Past:
    """What a company's past says of how much people sign.

    Attributes
    ----------
    rates
        As learnt by `methods.attaining.learn`.
    ramp
        Share of a settled person's work by month in the company, the last one for all later.
    leaving
        Chance that a seller leaves within a month.
    people
        Everybody who sells or sold: `person`, `team`, `hired_on`, `left_on`.
    weights
        Weight of each day of the season, by day; 1 is usual.
    n
        Signings that it is learnt from.
    """

    rates: Rates
    ramp: Floats
    leaving: float
    people: pd.DataFrame
    weights: "pd.Series[float]"
    n: int

    def season(self, months: "pd.PeriodIndex") -> Floats:
        """Give the season of months; 1 is usual."""
        by_month = self.weights.groupby(self.weights.index.to_period("M")).sum()
        return np.asarray(by_month.reindex(months).fillna(0.0), dtype=float)

    def there(self, at: dt.date) -> pd.DataFrame:
        """Give who sells on a day."""
        left = self.people["left_on"]
        here = left.isna() | (left > pd.Timestamp(at))
        return self.people[here].reset_index(drop=True)

    def staffing(self, people: pd.DataFrame, months: "pd.PeriodIndex") -> Floats:
        """Give people by months: share of a settled person's work, ramp and days counted."""
        return worked(people, months) * self.ramp[tenure(people, months).clip(0, SETTLED)]


def past_of(book: Book) -> Past | None:
    """Learn from the past of all the company; None where it has too little of one.

    A team's few signings teach little by themselves, so that those of all count in every scope.

    Examples
    --------
    >>> from salesops.book.book import open_book
    >>> past_of(open_book("tests/tiny_company")) is None
    True
    """
    whole = of_everyone(book.without_renewals())
    return kept("past of people", whole, lambda: _learnt(whole))


def _learnt(book: Book) -> Past | None:
    if missing_for_signed(book) is not None or not book.n("users"):
        return None
    span = _span(book)
    rows = signings(book, span)
    # A contract that was split is one win of each who has a part.
    rows = rows[(rows["event"] == "signed") & (rows["amount"] > 0) & rows["owner_id"].notna()]
    people = sellers(book)
    people = people[people["hired_on"].isna() | (people["hired_on"] <= pd.Timestamp(book.date))]
    rows = rows[rows["owner_id"].isin(people["person"])]
    curve = own_curve(book, book.date + dt.timedelta(days=1))
    if len(rows) < ENOUGH_SIGNINGS or curve is None:
        return None
    first = max(span.start, _next_month(rows["booked_on"].min().date()))
    until = dt.date(book.date.year + 2, 12, 31)
    days = pd.date_range(first, until)
    weights = pd.Series(curve.weights(first, until), index=days)
    # A whole year of season holds twelve usual months.
    year = weights[weights.index >= pd.Timestamp(book.date.replace(day=1))][:365]
    weights *= 12 / year.sum()
    past = weights[weights.index <= pd.Timestamp(book.date)]
    months = pd.period_range(first, book.date, freq="M")
    season = past.groupby(past.index.to_period("M")).sum().reindex(months).to_numpy()
    rows = rows[rows["booked_on"] >= pd.Timestamp(first)]
    grid = _grid(people, months, season, rows)
    ramp = _ramp(grid)
    grid["staffing"] *= ramp[grid["tenure"].clip(0, SETTLED)]
    wins = rows.rename(columns={"owner_id": "person"})[["person", "amount"]]
    return Past(rates=learn(grid, wins), ramp=ramp, leaving=_leaving(people, book.date, first),
                people=people.reset_index(drop=True), weights=weights, n=len(rows))  # fmt: skip


def _span(book: Book) -> Period:
    month = Period.parse(f"{book.date:%Y-%m}").shifted(-BACK)
    return Period(month.start, book.date, "")


def _next_month(day: dt.date) -> dt.date:
    """Give the first whole month from a day on."""
    if day.day == 1:
        return day
    return (day.replace(day=28) + dt.timedelta(days=4)).replace(day=1)


def worked(people: pd.DataFrame, months: "pd.PeriodIndex") -> Floats:
    """Give people by months: share of the month's days there."""
    begin, end = (getattr(months, f"{side}_time").normalize().to_numpy()
                  for side in ("start", "end"))  # fmt: skip
    hired = people["hired_on"].to_numpy(dtype="datetime64[ns]")[:, None]
    left = people["left_on"].to_numpy(dtype="datetime64[ns]")[:, None]
    first = np.where(np.isnat(hired), begin, np.maximum(begin, hired))
    last = np.where(np.isnat(left), end, np.minimum(end, left))
    days = ((last - first) / np.timedelta64(1, "D") + 1).clip(min=0)
    return np.asarray(days / months.days_in_month.to_numpy(), dtype=float)


def tenure(people: pd.DataFrame, months: "pd.PeriodIndex") -> "npt.NDArray[np.int64]":
    """Give people by months: calendar months since hiring; settled where that is not known."""
    since = months.year.to_numpy() * 12 + months.month.to_numpy()
    hired = people["hired_on"]
    began = (hired.dt.year * 12 + hired.dt.month).fillna(-10_000).to_numpy(int)
    return np.asarray(since[None, :] - began[:, None]).clip(-1, 10_000)


def _grid(
    people: pd.DataFrame, months: "pd.PeriodIndex", season: Floats, rows: pd.DataFrame
) -> pd.DataFrame:
    """Lay out people by month with their signings; `staffing` without ramp as yet."""
    n = len(months)
    grid = pd.DataFrame({
        "person": np.repeat(people["person"].to_numpy(), n),
        "team": np.repeat(people["team"].to_numpy(), n),
        "month": np.tile(np.asarray(months), len(people)),
        "season": np.tile(season, len(people)), "staffing": worked(people, months).ravel(),
        "tenure": tenure(people, months).ravel(),
    })  # fmt: skip
    counts = rows.groupby([rows["owner_id"], rows["booked_on"].dt.to_period("M")]).size()
    keys = pd.MultiIndex.from_frame(grid[["person", "month"]])
    return grid.assign(n=counts.reindex(keys).fillna(0).to_numpy(float))


def _ramp(grid: pd.DataFrame) -> Floats:
    """Give the share of a settled person's signings by month since hiring, never falling."""
    from scipy.optimize import isotonic_regression

    usual = np.array(USUAL_RAMP)
    even = grid["staffing"] * grid["season"]
    settled = grid["tenure"] >= SETTLED
    base = grid.loc[settled, "n"].sum() / max(float(even[settled].sum()), 1e-9)
    new = pd.DataFrame({"n": grid["n"], "even": base * even, "month": grid["tenure"]})
    new = new[(new["month"] >= 0) & ~settled].groupby("month").sum().reindex(range(SETTLED))
    new = new.fillna(0.0)
    weight = new["even"].to_numpy() + RAMP_WEIGHT
    share = (new["n"].to_numpy() + RAMP_WEIGHT * usual) / weight
    risen = np.asarray(isotonic_regression(share, weights=weight).x, dtype=float)
    return np.append(np.minimum(risen, 1.0), 1.0)


def _leaving(people: pd.DataFrame, today: dt.date, first: dt.date) -> float:
    """Give the chance of leaving within a month, held to what is usual."""
    begin, end = pd.Timestamp(first), pd.Timestamp(today)
    hired = people["hired_on"].fillna(begin).clip(lower=begin)
    left = people["left_on"].fillna(end).clip(upper=end)
    years = float((left - hired).dt.days.clip(lower=0).sum()) / 365
    gone = int(people["left_on"].between(begin, end).sum())
    yearly = (gone + USUAL_LEAVING * LEAVING_WEIGHT) / (years + LEAVING_WEIGHT)
    return float(-np.expm1(-yearly / 12))
