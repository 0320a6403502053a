"""Leads one by one: whom to call, and how they stand where no answers are recorded."""

import datetime as dt

import pandas as pd

from salesops.book.book import Book
from salesops.metrics.leadtables import DAY_HOURS, NOBODY, UNNAMED


def to_call(book: Book, leads: pd.DataFrame, rates: pd.DataFrame, days: int) -> pd.DataFrame:
    """List the leads of the last days that nobody has contacted within a day, best first.

    Parameters
    ----------
    book
        At whose date they wait.
    leads
        What `recent_leads` gives.
    rates
        By `source`, the `opportunity_rate` by which they are ordered, then the youngest first.
    days
        How far back.

    Returns
    -------
    pandas.DataFrame
        One row per lead: `id`, `name`, `company`, `source`, `owner_id`, `status`, `created_on`,
        `waiting_workdays` (working days since its creation).
    """
    waiting = leads["answered_at"].isna() & (leads["elapsed_hours"] >= DAY_HOURS)
    found = _of_last_days(book, leads[waiting], days)
    chance = rates.set_index("source")["opportunity_rate"]
    found["chance"] = found["source"].fillna(UNNAMED).map(chance).astype("float64").fillna(0.0)
    found = found.sort_values(["chance", "created_at", "id"], ascending=[False, False, True])
    return found[_TO_CALL].reset_index(drop=True)


def without_deal(book: Book, leads: pd.DataFrame, days: int) -> pd.DataFrame:
    """List the leads of the last days of which no deal was made, the youngest first.

    For a book that records no answers, in the form of `to_call`.
    """
    found = _of_last_days(book, leads[~leads["is_opportunity"].astype(bool)], days)
    found = found.sort_values(["created_at", "id"], ascending=[False, True])
    return found[_TO_CALL].reset_index(drop=True)


_TO_CALL = [
    "id",
    "name",
    "company",
    "source",
    "owner_id",
    "status",
    "created_on",
    "waiting_workdays",
]


def _of_last_days(book: Book, leads: pd.DataFrame, days: int) -> pd.DataFrame:
    day = pd.to_datetime(leads["day"]).dt.date
    a_day = book.settings.company.works_to - book.settings.company.works_from
    recent = day >= book.date - dt.timedelta(days=days - 1)
    return leads[recent].assign(
        created_on=day[recent], waiting_workdays=leads.loc[recent, "age_hours"] / a_day
    )


def by_status(leads: pd.DataFrame) -> pd.DataFrame:
    """Count leads by status, source and owner: what can be said where no answers are recorded.

    Returns
    -------
    pandas.DataFrame
        One row per status, source and owner: `status`, `source`, `owner_id`, `n`.
    """
    named = leads[["status", "source", "owner_id"]].fillna(
        {"status": UNNAMED, "source": UNNAMED, "owner_id": NOBODY}
    )
    return named.groupby(["status", "source", "owner_id"]).size().rename("n").reset_index()
