"""Plain counts of deals: by outcome, by what they lack, by group, by day, by reason."""

import math

import ibis
import pandas as pd
from ibis import _

from salesops.book.book import Book
from salesops.metrics.alldeals import all_deals
from salesops.metrics.leaks import elapsed, same_days
from salesops.model.calendar import Period
from salesops.model.finding import Gap


def counts_of(book: Book) -> dict[str, int]:
    """Count deals by outcome, and those without what an analysis needs."""
    deals = all_deals(book)
    row = (
        deals.agg(
            deals=_.count(),
            open=(_.outcome == "open").ifelse(1, 0).sum(),
            won=(_.outcome == "won").ifelse(1, 0).sum(),
            lost=(_.outcome == "lost").ifelse(1, 0).sum(),
            undated=_.created_at.isnull().ifelse(1, 0).sum(),
            no_account=_.account_id.isnull().ifelse(1, 0).sum(),
            no_owner=_.owner_id.isnull().ifelse(1, 0).sum(),
            no_amount=_.amount.isnull().ifelse(1, 0).sum(),
            lost_valued=((_.outcome == "lost") & _.amount.notnull()).ifelse(1, 0).sum(),
            won_cents=_.cents.sum(where=_.outcome == "won"),
        )
        .to_pandas()
        .iloc[0]
    )
    # A sum over no row is null.
    return {name: 0 if pd.isna(row[name]) else int(row[name]) for name in row.index}


def count_gaps(book: Book, counts: dict[str, int], leaks: pd.DataFrame) -> list[Gap]:
    """Say what the counts and losses leave unknown."""
    gaps = []
    if counts["lost"] and not counts["lost_valued"] and counts["won_cents"]:
        gaps.append(Gap(what="what.leak_money", reason="amounts_only_for_won",
                        needs="opportunities.amount", evidence={"n": counts["lost"]}))  # fmt: skip
    if counts["undated"]:
        gaps.append(Gap(what="what.undated", reason="undated",
                        needs="opportunities.created_at",
                        evidence={"n": counts["undated"]}))  # fmt: skip
    if "unknown" in set(leaks["stage"]):
        n = int(leaks.loc[leaks["stage"] == "unknown", "n"].sum())
        gaps.append(Gap(what="what.leak_stage", reason="no_history", needs="changes",
                        evidence={"n": n}))  # fmt: skip
    return gaps


def groups_of(book: Book, period: Period, by: str) -> pd.DataFrame:
    """Count open, won and lost by `team` or `user`, as they stood at the event; none of `none`."""
    columns = ["group", "n", "amount", "won_n", "lost_n"]
    if by == "none":
        return pd.DataFrame(columns=columns)
    deals = all_deals(book)
    group = deals.team if by == "team" else deals.owner_id
    ended = book.calendar.contains(period, deals.closed_at).fill_null(False)
    is_open = deals.outcome == "open"
    frame = deals.group_by(group=group).agg(
        n=is_open.ifelse(1, 0).sum(),
        amount=deals.amount.sum(where=is_open).cast("float64"),
        won_n=(ended & (deals.outcome == "won")).ifelse(1, 0).sum(),
        lost_n=(ended & (deals.outcome == "lost")).ifelse(1, 0).sum(),
    )
    return frame.order_by("group").to_pandas()[columns]


def came_and_went(book: Book, period: Period) -> pd.DataFrame:
    """What came in and what ended in a period, by dates alone, and one period before?

    Returns
    -------
    pandas.DataFrame
        One row per `bucket` (`created`, `won`, `lost`, `void`): `n` (null where deals ended so and
        of none is known when), `amount` (null where no deal of it has one), `prior_n`,
        `prior_amount` (the period before up to the same day).
    """
    days = elapsed(book, period)
    spans = {"": same_days(period, days), "prior_": same_days(period.prior(), days)}
    deals = all_deals(book)
    columns = {}
    for bucket in ("created", "won", "lost", "void"):
        at = deals.created_at if bucket == "created" else deals.closed_at
        mine = ibis.literal(True) if bucket == "created" else deals.outcome == bucket
        if bucket != "created":
            columns[f"dated:{bucket}"] = at.count(where=mine)
            columns[f"ended:{bucket}"] = mine.ifelse(1, 0).sum().fill_null(0)
        for name, span in spans.items():
            inside = mine & book.calendar.contains(span, at).fill_null(False)
            columns[f"{name}n:{bucket}"] = inside.ifelse(1, 0).sum().fill_null(0)
            columns[f"{name}amount:{bucket}"] = deals.cents.sum(where=inside)
    row = deals.agg(**columns).to_pandas().iloc[0].astype("float64")
    rows = []
    for bucket in ("created", "won", "lost", "void"):
        n, amount, prior_n, prior = (row[f"{c}:{bucket}"] for c in
                                     ("n", "amount", "prior_n", "prior_amount"))  # fmt: skip
        if row.get(f"ended:{bucket}", 0) and not row[f"dated:{bucket}"]:
            n = amount = prior_n = prior = math.nan
        rows.append((bucket, n, amount / 100, prior_n, prior / 100))
    found = pd.DataFrame(rows, columns=["bucket", "n", "amount", "prior_n", "prior_amount"])
    whole = [name for name in ("n", "prior_n") if found[name].notna().all()]
    return found.astype(dict.fromkeys(whole, int))


def lost_reasons(book: Book, period: Period) -> pd.DataFrame:
    """Count the deals lost in a period by the reason entered, most frequent first.

    Returns
    -------
    pandas.DataFrame
        One row per `reason` (null where none was entered): `n`, `amount`.
    """
    deals = all_deals(book)
    inside = book.calendar.contains(period, deals.closed_at).fill_null(False)
    rows = deals.filter(deals.outcome == "lost", inside).group_by(reason=_.lost_reason)
    found = rows.agg(n=_.count(), amount=_.cents.sum().cast("float64") / 100)
    return found.order_by(ibis.desc("n"), "reason").to_pandas()[["reason", "n", "amount"]]
