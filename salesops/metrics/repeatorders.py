"""Customers without contracts: who buys again within a year, and who has likely gone."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from ibis import _

from salesops.book.book import Book
from salesops.book.scope import Scope
from salesops.methods.buying import BgNbd, fit_bgnbd, summary_of_orders
from salesops.methods.chances import Model, Task
from salesops.methods.modelstore import learned
from salesops.methods.rolling import QUARTER, Rolled, quarters_before
from salesops.metrics.currency import with_cents
from salesops.metrics.kept import kept

# No order in so many days is leaving.
SILENT = 365
BACK = 16
TASK = Task(numbers=("x", "t_x", "age", "recency", "pace", "orders_365", "spent"), words=(),
            rule="recency")  # fmt: skip


@dataclass(frozen=True, kw_only=True, eq=False)
class Repeats:
    """What is said of customers who order without contracts.

    Attributes
    ----------
    model, rolled
        Of the chance of no order within a year.
    judged
        The rows of `rolled`, with `at`, `money` and `bgnbd`: what that model said.
    past
        The states that were learnt from.
    bgnbd
        Fitted on all that is known now; null where too few came back.
    now
        One row per customer: `customer`, `x`, `t_x`, `age`, `recency`, `spent`, `leaves`, `alive`
        (by BG/NBD; null without).
    """

    model: Model
    rolled: Rolled
    judged: pd.DataFrame
    past: pd.DataFrame
    bgnbd: BgNbd | None
    now: pd.DataFrame


def repeats(book: Book) -> Repeats | None:
    """Say of each customer who ever ordered how likely no order comes within a year."""
    whole = book.within(Scope())
    return kept("repeats", whole, lambda: _repeats(whole))


def orders_of(book: Book) -> pd.DataFrame:
    """Give won deals as orders: `customer`, `on`, `money`."""
    deals = with_cents(book, book.opportunities)
    won = deals.filter(_.outcome == "won", _.account_id.notnull(), _.closed_at.notnull())
    frame = won.select("account_id", "closed_at", "cents").to_pandas()
    return pd.DataFrame({
        "customer": frame["account_id"], "money": frame["cents"].astype(float) / 100,
        "on": pd.to_datetime([book.calendar.local_date(t) for t in frame["closed_at"]]),
    })  # fmt: skip


def states_of(orders: pd.DataFrame, at: pd.Timestamp) -> pd.DataFrame:
    """Give what is known of each customer's orders at a day."""
    told = summary_of_orders(orders, at)
    known = orders[orders["on"] <= at]
    spent = known.groupby("customer")["money"].sum()
    lately = known[known["on"] > at - pd.Timedelta(days=365)].groupby("customer").size()
    return told.assign(
        recency=told["age"] - told["t_x"], pace=told["t_x"] / told["x"].where(told["x"] > 0),
        orders_365=told["customer"].map(lately).fillna(0).astype(float),
        spent=told["customer"].map(spent).astype(float), x=told["x"].astype(float),
    )  # fmt: skip


def _repeats(book: Book) -> Repeats | None:
    orders = orders_of(book)
    if orders.empty:
        return None
    today = pd.Timestamp(book.date)
    parts = []
    for k in range(BACK, -1, -1):
        day = today - pd.Timedelta(days=QUARTER * k)
        state = states_of(orders, day)
        again = orders[(orders["on"] > day) & (orders["on"] <= day + pd.Timedelta(days=SILENT))]
        parts.append(
            state.assign(
                on=day,
                at=day,
                known_at=day + pd.Timedelta(days=SILENT),
                unit=state["customer"],
                happened=~state["customer"].isin(set(again["customer"])),
                money=state["spent"],
            )
        )
    frame = pd.concat(parts, ignore_index=True)
    now = frame[frame["on"] == today].reset_index(drop=True)
    past = frame[frame["known_at"] <= today].reset_index(drop=True)
    if past.empty:
        return None
    first = past["known_at"].min() + pd.Timedelta(days=QUARTER)
    origins = quarters_before(today - pd.Timedelta(days=SILENT), first)
    made = learned("repeat", past, TASK, origins)
    judged = made.rolled.rows.join(past[["at", "money", "x", "t_x", "age"]], on="row")
    judged["bgnbd"] = _said_by_bgnbd(orders, judged)
    bgnbd = fit_bgnbd(states_of(orders, today))
    alive = np.nan if bgnbd is None else bgnbd.chance_alive(now["x"], now["t_x"], now["age"])
    now = now.assign(leaves=made.model.chance(now), alive=alive)
    return Repeats(model=made.model, rolled=made.rolled, judged=judged, past=past,
                   bgnbd=bgnbd, now=now)  # fmt: skip


def _said_by_bgnbd(orders: pd.DataFrame, judged: pd.DataFrame) -> "pd.Series[float]":
    """Give what the baseline, fitted on what was known at each origin, says of the same rows."""
    found = pd.Series(np.nan, index=judged.index)
    for origin, rows in judged.groupby("origin"):
        model = fit_bgnbd(states_of(orders, pd.Timestamp(origin)))
        if model is not None:
            found.loc[rows.index] = model.chance_of_none(SILENT, rows["x"], rows["t_x"],
                                                         rows["age"])  # fmt: skip
    return found
