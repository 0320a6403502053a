"""What a goal asks for: people, open value, opportunities and leads, month by month."""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from ibis import _

from salesops.book.book import Book
from salesops.metrics.fairness import last_months
from salesops.metrics.opendeals import open_deals
from salesops.metrics.outlook import left_of_season
from salesops.metrics.productivity import Past
from salesops.metrics.signed import signings
from salesops.metrics.workdays import local_day
from salesops.model.calendar import Period

MONTH_DAYS = 30.4


@dataclass(frozen=True, kw_only=True)
class Funnel:
    """A company's own rates, of the last twelve whole months; null where they are not known.

    Attributes
    ----------
    size
        Mean value of what is signed at once.
    win_rate
        Deals won, of those won or lost.
    cycle_days
        Median days from creation to winning.
    opportunities, leads
        Created in a month, on average.
    lead_rate
        Opportunities that come from a lead, of the leads created.
    from_leads
        Opportunities that come from a lead, of all.
    """

    size: float
    win_rate: float
    cycle_days: float
    opportunities: float
    leads: float
    lead_rate: float
    from_leads: float

    @property
    def lead_months(self) -> int:
        """Whole months from creation to winning, at least none."""
        return round(self.cycle_days / MONTH_DAYS) if math.isfinite(self.cycle_days) else 0


def own_funnel(book: Book) -> Funnel:
    """Read the company's own rates and lead times."""
    span = last_months(book.date)
    rows = signings(book, span)
    wins = rows[(rows["event"] == "signed") & (rows["amount"] > 0)].groupby("contract_id")["amount"]
    whole = rows[(rows["event"] == "signed") & (rows["amount"] > 0)]
    size = wins.sum().mean() if whole["contract_id"].notna().all() else whole["amount"].mean()
    deals = book.without_renewals().opportunities
    inside = book.calendar.contains(span, deals.closed_at)
    ended = deals.filter(deals.outcome.isin(["won", "lost"]), inside)
    ends = ended.select("outcome", begun=local_day(book, ended.created_at),
                        done=local_day(book, ended.closed_at)).to_pandas()  # fmt: skip
    won = ends[ends["outcome"] == "won"]
    days = (pd.to_datetime(won["done"]) - pd.to_datetime(won["begun"])).dt.days
    born = deals.filter(book.calendar.contains(span, deals.created_at)).select("id").to_pandas()
    leads, from_lead = _leads(book, span, set(born["id"]))
    return Funnel(
        size=float(size), win_rate=len(won) / len(ends) if len(ends) else math.nan,
        cycle_days=float(days.median()), opportunities=len(born) / 12, leads=leads / 12,
        lead_rate=from_lead / leads if leads else math.nan,
        from_leads=from_lead / len(born) if len(born) else math.nan,
    )  # fmt: skip


def _leads(book: Book, span: Period, born: set[str]) -> tuple[float, float]:
    """Count leads created, and opportunities created that come from a lead."""
    if not book.has("leads.created_at") or not book.has("leads.opportunity_id"):
        return math.nan, math.nan
    leads = book.leads
    inside = leads.filter(book.calendar.contains(span, leads.created_at))
    n = int(inside.count().to_pandas())
    led = leads.filter(_.opportunity_id.notnull()).select("opportunity_id").distinct()
    return float(n), float(led.to_pandas()["opportunity_id"].isin(born).sum())


def needed(book: Book, past: Past, period: Period, goal: float, funnel: Funnel) -> pd.DataFrame:
    """What does it take, month by month, to sign what a goal still wants?

    Parameters
    ----------
    book
        The company, at its date and in its scope.
    past
        As `metrics.productivity.past_of` gives it.
    period
        Months that the goal is for.
    goal
        To be signed in all of the period, in company currency.
    funnel
        As `own_funnel` gives it.

    Returns
    -------
    pandas.DataFrame
        One row per month of the period that is not over: `month`, `to_sign` (money), `wins`,
        `opportunities` (to be won from), `created` (month in which they have to begin), `leads`
        (to begin them), `heads` (settled people that it takes), `staff` (those there are, by
        their part).

    Notes
    -----
    Backwards through the company's own funnel: what is to be signed over the mean value of a win,
    over the win rate, over the rate of leads; a cycle earlier for each.
    """
    months = pd.period_range(period.start, period.end, freq="M")
    season = left_of_season(past, months, book.date)
    done = float(signings(book, period)["amount"].sum())
    to_go = max(goal - done, 0.0)
    to_sign = to_go * season / season.sum() if season.sum() > 0 else np.zeros(len(months))
    people = past.there(book.date)
    known = book.users.select("id").to_pandas()["id"]
    people = people[people["person"].isin(known)].reset_index(drop=True)
    staff = past.staffing(people, months).sum(axis=0)
    each = past.rates.base * season * float(past.rates.sizes.mean())
    wins = to_sign / funnel.size
    deals = wins / funnel.win_rate if funnel.win_rate > 0 else np.full(len(wins), math.nan)
    frame = pd.DataFrame({
        "month": [str(m) for m in months], "to_sign": to_sign, "wins": wins,
        "opportunities": deals, "created": [str(m - funnel.lead_months) for m in months],
        "leads": deals * funnel.from_leads / funnel.lead_rate,
        "heads": np.divide(to_sign, each, out=np.full(len(wins), math.nan), where=each > 0),
        "staff": staff,
    })  # fmt: skip
    return frame[season > 0].reset_index(drop=True)


def open_value(book: Book) -> float:
    """Give the value of open deals, in company currency."""
    cents = open_deals(book).agg(c=_.cents.sum()).to_pandas()["c"].iloc[0]
    return 0.0 if pd.isna(cents) else float(cents) / 100
