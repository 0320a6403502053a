"""The two headlines of the diagnosis: how many deals have a break, and what can be believed."""

import math

import ibis
import pandas as pd
from ibis import _

from salesops.book.book import Book
from salesops.metrics.pipeline import believable, broken_deals, no_breaks, no_goal
from salesops.model.calendar import Period

KINDS = ("skipped", "silent", "handed_late", "no_owner")


def break_kinds(book: Book, period: Period) -> pd.DataFrame:
    """How many deals have a break, by kind?

    Returns
    -------
    pandas.DataFrame
        One row per kind and one, `broken`, for deals with at least one: `kind`, `n`, `n_deals`
        (open, or ended in the period), `share`; empty where breaks can't be seen.
    """
    columns = ["kind", "n", "n_deals", "share"]
    if no_breaks(book) is not None:
        return pd.DataFrame({c: [] for c in columns})
    rows = broken_deals(book, period)
    names = ("broken", *KINDS)
    counts = {name: ibis.ifelse(rows[name], 1, 0).sum().fill_null(0) for name in names}
    row = rows.agg(n_deals=_.count(), **counts).to_pandas().iloc[0]
    whole = int(row["n_deals"])
    return pd.DataFrame(
        [(name, int(row[name]), whole, row[name] / whole if whole else math.nan) for name in names],
        columns=columns,
    )


def believed(book: Book, period: Period) -> pd.DataFrame:
    """What is the open pipeline said to be worth, and what of it can be believed?

    Returns
    -------
    pandas.DataFrame
        One row per open stage, in process order: `stage`, `n`, `reported`, `credible` (company
        currency; each value times the chance of being won by its expected date); empty where no
        open deal has a value or an expected date.
    """
    columns = ["stage", "n", "reported", "credible"]
    stages = pd.Series(book.settings.stage_ids("open"), name="stage", dtype="object")
    if (
        not all(book.has(f"opportunities.{c}") for c in ("amount", "expected_close_on"))
        or no_goal(book) is not None
    ):
        return pd.DataFrame({c: [] for c in columns})
    rows = believable(book.without_renewals(), period)
    sums = rows.group_by("stage").agg(
        n=_.count(), reported=_.cents.sum().cast("float64") / 100,
        credible=_.credible_cents.sum().cast("float64") / 100,
    )  # fmt: skip
    frame = stages.to_frame().merge(sums.to_pandas(), on="stage", how="left")
    return frame.fillna({"n": 0, "reported": 0.0, "credible": 0.0}).astype({"n": "int64"})[columns]
