"""The frames behind the targets page: tree order, needs, the pay plan and what it costs."""

import math

import numpy as np
import pandas as pd
from ibis import _

from salesops.book.book import Book
from salesops.methods.payout import cliffs
from salesops.metrics.fairness import potential_by_region
from salesops.metrics.needs import Funnel, open_value, own_funnel
from salesops.metrics.opendeals import open_deals
from salesops.metrics.outlook import outlook
from salesops.metrics.pay import paid_for, pay_period
from salesops.metrics.signed import missing_for_signed

# Attainments at which the plan is told; the marked ones stand in its picture too.
POINTS = (0.5, 0.8, 0.9, 1.0, 1.1, 1.2, 1.5)
# What a few people's pay comes to is nobody's business.
LEAST_PAID = 5


def in_tree_order(frame: pd.DataFrame) -> list[int]:
    """Give the rows of a tree so that teams stand below their region."""
    order = list(frame.index[frame["level"] == "company"])
    regions = frame[frame["level"] == "region"]
    teams = frame[frame["level"] == "team"]
    for row in regions.itertuples():
        order.append(row.Index)
        order += list(teams.index[teams["parent"] == row.key])
    return order + [i for i in teams.index if i not in order]


def carried(book: Book, nodes: pd.DataFrame) -> "pd.Series[float]":
    """Give what each region's share of all potential would carry of the whole target."""
    none = pd.Series(math.nan, index=nodes.index)
    sums = potential_by_region(book)
    whole = nodes.loc[nodes["level"] == "company", "plan"]
    if sums.empty or whole.empty:
        return none
    share = nodes["key"].map(sums / sums.sum()).where(nodes["level"] == "region")
    return share * float(whole.iloc[0])


def from_open_deals(book: Book, nodes: pd.DataFrame) -> "pd.Series[float]":
    """Give what each node's open deals are worth, won as often as the company's deals are.

    Won or lost in the last twelve months, by count; of whom a deal is says its owner's team now.
    """
    rate = own_funnel(book).win_rate
    deals = open_deals(book).group_by("team", "region").agg(cents=_.cents.sum()).to_pandas()
    cents = deals["cents"].astype(float)
    by_team, by_region = (cents.groupby(deals[c]).sum() for c in ("team", "region"))
    found = pd.Series(float(cents.sum()), index=nodes.index)
    for level, sums in (("team", by_team), ("region", by_region)):
        own = nodes["level"] == level
        found[own] = nodes.loc[own, "key"].map(sums).fillna(0.0)
    return found / 100 * rate


def needs(
    book: Book, months: pd.DataFrame, funnel: Funnel | None,
    to_go: float,
) -> pd.DataFrame:  # fmt: skip
    """Lay what it takes beside what there is, per month on average."""
    columns = ["what", "have", "need"]
    if funnel is None or months.empty:
        return pd.DataFrame(columns=columns)
    rate = funnel.win_rate
    pipeline = to_go / rate if rate > 0 else math.nan
    rows = [
        # A part of a person is a person to be found.
        ("heads", float(round(months["staff"].mean())),
         float(math.ceil(months["heads"].mean() - 0.05))),
        ("pipeline", open_value(book), pipeline),
        ("opportunities", funnel.opportunities, float(months["opportunities"].mean())),
        ("leads", funnel.leads, float(months["leads"].mean())),
    ]  # fmt: skip
    return pd.DataFrame([r for r in rows if not math.isnan(r[2])], columns=columns)


def curve(book: Book) -> pd.DataFrame:
    """Give what share of the variable pay is paid by attainment, jumps included."""
    plan = book.settings.pay
    edges = cliffs(threshold=plan.threshold, steps=plan.steps)
    x = np.unique(np.concatenate([np.linspace(0, 1.5, 151), edges, np.array(edges) - 1e-9]))
    return pd.DataFrame({"attained": x, "paid": paid_for(book.settings, x)})


def payouts(book: Book) -> pd.DataFrame:
    """Give what the plan pays at the attainments at which it is told."""
    whole = book.settings.pay.on_target
    at = np.array(POINTS)
    paid = paid_for(book.settings, at)
    more = paid_for(book.settings, at + 0.01) - paid
    return pd.DataFrame({"attained": at, "paid": paid, "pay": paid * whole,
                         "next_point": more * whole})  # fmt: skip


def cost(book: Book) -> dict[str, float]:
    """Draw what the variable pay of the pay period in progress comes to, over all with a quota."""
    whole = book.settings.pay.on_target
    none = dict.fromkeys(("cost", "cost_low", "cost_high", "n_paid"), math.nan)
    if not whole or book.limits.user != "all" or missing_for_signed(book) is not None:
        return none
    ahead = outlook(book, pay_period(book))
    if ahead is None:
        return none
    users = ahead.nodes[(ahead.nodes["level"] == "user") & (ahead.nodes["plan"] > 0)]
    # One person's pay is nobody else's business, nor is what is left over of two.
    if len(users) < LEAST_PAID:
        return none
    attained = ahead.sums[users.index] / users["plan"].to_numpy()[:, None]
    sums = paid_for(book.settings, attained).sum(axis=0) * whole
    return {"cost": float(sums.mean()), "cost_low": float(np.quantile(sums, 0.1)),
            "cost_high": float(np.quantile(sums, 0.9)), "n_paid": float(len(users))}  # fmt: skip
