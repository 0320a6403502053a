"""How much money the qualified pipeline brings a day, and how long winning takes."""

import datetime as dt
import math
from typing import TypeAlias

import ibis
import pandas as pd

from salesops.book.book import Book
from salesops.book.versions import AT
from salesops.methods.survival import aalen_johansen
from salesops.metrics.ageing import reached
from salesops.metrics.metric import Estimate
from salesops.metrics.opendeals import standing
from salesops.model.calendar import Period

Table: TypeAlias = ibis.Table
DAY = 86_400
QUARTERS = dt.timedelta(days=365)
COHORT = dt.timedelta(days=730)


def qualified_at(book: Book) -> Table:
    """Give per deal when it first reached the qualified stage, or one beyond it, and its end."""
    position = book.settings.stage_ids("open").index(str(book.settings.qualified_stage))
    times = reached(book)
    entered, beyond = times[f"entered_{position}"], times[f"beyond_{position}"]
    far = ibis.timestamp("2199-01-01").cast(AT)
    first = ibis.least(ibis.coalesce(entered, far), ibis.coalesce(beyond, far))
    return times.select(
        times_id="id", qualified_at=ibis.ifelse(first < far, first, ibis.null(AT)),
        won_at="won_at", gone_at="gone_at",
    )  # fmt: skip


def year_of_deals(book: Book, period: Period, deals: Table) -> Table:
    """One row per deal that is qualified and open, or was qualified or won in the last year."""
    standing_book = standing(book, period)
    times = qualified_at(standing_book)
    rows = deals.join(times, deals.id == times.times_id).drop("times_id")
    since = ibis.literal(standing_book.instant - QUARTERS).cast(AT)
    is_open = (rows.outcome == "open") & rows.qualified_at.notnull()
    lately = (rows.qualified_at > since) | ((rows.outcome == "won") & (rows.won_at > since))
    return rows.filter(is_open | lately.fill_null(False))


def velocity(rows: pd.DataFrame, book: Book, period: Period) -> Estimate:
    """Open qualified deals x win rate from there x mean won value / mean days to win."""
    now = pd.Timestamp(standing(book, period).instant)
    since = now - QUARTERS
    n_open = int(((rows["outcome"] == "open") & rows["qualified_at"].notna()).sum())
    cohort = rows[rows["qualified_at"] > since]
    ended = cohort["won_at"].fillna(cohort["gone_at"])
    causes = cohort["won_at"].notna().map({True: "won", False: ""})
    causes = causes.where(cohort["won_at"].notna() | cohort["gone_at"].isna(), "gone")
    ages = (ended.fillna(now) - cohort["qualified_at"]).dt.total_seconds() // DAY
    wins = rows[(rows["outcome"] == "won") & (rows["won_at"] > since)]
    money = wins["cents"].astype("float64").mean() / 100
    days = ((wins["won_at"] - wins["qualified_at"]).dt.total_seconds() / DAY).mean()
    if wins.empty or math.isnan(money) or not days > 0:
        return Estimate(reason="no_wins")
    found = aalen_johansen(ages.clip(lower=0), causes)
    chance = found.plateau("won")[0] if "won" in found.by_cause else math.nan
    if math.isnan(chance):
        return Estimate(reason="no_wins")
    return Estimate(value=n_open * chance * money / days)


def born_lately(book: Book, period: Period, deals: Table) -> Table:
    """One row per deal created in the two years up to the period's end, with its age in days."""
    stood = standing(book, period)
    now, since = (ibis.literal(at).cast(AT) for at in (stood.instant, stood.instant - COHORT))
    rows = deals.filter(deals.created_at > since, deals.created_at <= now)
    until = ibis.coalesce(rows.closed_at, now)
    seconds = (until.epoch_seconds() - rows.created_at.epoch_seconds()).cast("int64")
    return rows.mutate(life_days=seconds // DAY)


def cycle(rows: pd.DataFrame, _book: Book, _period: Period) -> Estimate:
    """Days at which half of all that will be won is won; losing competes.

    Null where even the deals still open, were they all won, would leave the half beyond what was
    seen: then nobody knows yet how high the incidence rises.
    """
    causes = rows["outcome"].where(rows["outcome"] != "open", "")
    causes = causes.replace({"void": "lost"})
    found = aalen_johansen(rows["life_days"].clip(lower=0), causes)
    last = found.supported()
    if last < 0 or "won" not in found.by_cause or found.by_cause["won"][last] <= 0:
        return Estimate(reason="no_wins")
    won = found.by_cause["won"][: last + 1]
    if found.staying[last] > won[-1]:
        return Estimate(reason="no_plateau")
    half = int((won >= won[-1] / 2 - 1e-12).argmax())
    return Estimate(value=float(found.ages[half]))


def won_days(rows: pd.DataFrame, _book: Book, _period: Period) -> Estimate:
    """Give the median days from creation to winning of deals won in the period."""
    days = (rows["closed_at"] - rows["created_at"]).dt.total_seconds() / DAY
    median = float(days.median())
    return Estimate(reason="no_values") if math.isnan(median) else Estimate(value=median)
