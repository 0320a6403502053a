"""Customers won for the first time, and those that came back."""

import datetime as dt
from dataclasses import replace

import ibis
import pandas as pd
from ibis import _

from salesops.book.book import Book
from salesops.book.scope import Scope, in_people
from salesops.metrics.kept import kept_table
from salesops.metrics.metric import Estimate, Metric, Table
from salesops.metrics.signed import missing_for_signed, signed
from salesops.model.calendar import Period

# Groups within groups, up to so many steps to the head.
_STEPS = 4
_EVER = Period(dt.date(1970, 1, 1), dt.date(2199, 12, 31), "")


def groups_of_accounts(book: Book) -> Table:
    """Give for each account the head of its group: `account_id`, `group_id`, `since_on`.

    `since_on` is the earliest day on which any account of the group is entered as a customer.
    """
    accounts = book.unscoped("accounts")
    parents = accounts.select(child="id", parent="parent_account_id")
    rows = accounts.select("customer_since", account_id="id", top_id="id")
    for _step in range(_STEPS):
        rows = rows.left_join(parents, rows.top_id == parents.child)
        rows = rows.mutate(top_id=ibis.coalesce(rows.parent, rows.top_id)).drop("child", "parent")
    first = rows.group_by("top_id").agg(since_on=_.customer_since.min())
    return rows.join(first, "top_id").select("account_id", group_id="top_id", since_on="since_on")


def _signings_of_groups(book: Book) -> Table:
    """Give every signing of the whole company with its group, the largest share of each.

    A customer whom another team signed before is not new, so all signings count, in any scope.
    """
    whole = replace(book, limits=Scope())
    return kept_table("signings of groups", whole, lambda: _of_groups(whole))


def _of_groups(whole: Book) -> Table:
    rows = signed(whole, _EVER, kind="all").filter(_.event == "signed", _.account_id.notnull())
    groups = groups_of_accounts(whole).rename(of_account="account_id")
    rows = rows.left_join(groups, rows.account_id == groups.of_account)
    rows = rows.mutate(group_id=ibis.coalesce(rows.group_id, rows.account_id))
    deal = ibis.coalesce(rows.contract_id, rows.opportunity_id)
    order = ibis.window(group_by=deal, order_by=[ibis.desc(rows.credit_share), rows.id])
    rows = rows.mutate(nth=ibis.row_number().over(order))
    return rows.filter(_.nth == 0).drop("nth", "of_account")


_SHOWN = ("contract_id", "opportunity_id", "account_id", "name", "type", "source", "product_line",
          "segment", "owner_id", "team", "region", "team_now", "region_now")  # fmt: skip


def _inside(book: Book, rows: Table) -> Table:
    """Keep what belongs to the scope."""
    limits = book.limits
    if limits.limits_people:
        rows = rows.filter(in_people(limits, rows.owner_id, rows.team, rows.region))
    for side in ("segment", "product_line"):
        if getattr(limits, side) != "all":
            rows = rows.filter((rows[side] == getattr(limits, side)).fill_null(False))
    return rows


def new_customers(book: Book, period: Period) -> Table:
    """One row per customer, or group of customers, whose first signing ever lies in the period."""
    rows = _signings_of_groups(book)
    order = ibis.window(group_by="group_id", order_by=["booked_on", "id"])
    rows = rows.mutate(nth=ibis.row_number().over(order)).filter(_.nth == 0)
    first = ibis.least(rows.booked_on, ibis.coalesce(rows.since_on, rows.booked_on))
    rows = rows.mutate(first_on=first)
    rows = rows.filter(book.calendar.contains(period, rows.first_on).fill_null(False))
    return _inside(book, rows).select(*_SHOWN, id="group_id", first_on="first_on")


def reactivated_customers(book: Book, period: Period) -> Table:
    """One row per group that signed in the period after a long silence; the first such signing."""
    rows = _signings_of_groups(book)
    order = ibis.window(group_by="group_id", order_by=["booked_on", "id"])
    rows = rows.mutate(before_on=rows.booked_on.lag().over(order))
    months = book.settings.norms.reactivated_after_months
    rows = rows.filter(book.calendar.contains(period, rows.booked_on).fill_null(False))
    silent = rows.before_on <= rows.booked_on - ibis.interval(months=months)
    rows = rows.filter(silent.fill_null(False))
    rows = rows.mutate(nth=ibis.row_number().over(order)).filter(_.nth == 0)
    return _inside(book, rows).select(
        *_SHOWN, id="group_id", before_on="before_on", first_on="booked_on"
    )


def records_begin(book: Book) -> dt.date | None:
    """Give the day of the first signing that the company's records hold."""
    whole = replace(book, limits=Scope())
    first = signed(whole, _EVER, kind="all").booked_on.min().to_pandas()
    return None if pd.isna(first) else pd.Timestamp(first).date()


def _reach_back(book: Book, period: Period, months: int) -> bool:
    """Say whether the records begin so many months before the period, or earlier."""
    first = records_begin(book)
    number = period.start.year * 12 + period.start.month - 1 - months
    since = dt.date(number // 12, number % 12 + 1, 1)
    return first is not None and first < since + dt.timedelta(days=31)


def _count_new(frame: pd.DataFrame, book: Book, period: Period) -> Estimate:
    known = book.has("accounts.customer_since") or _reach_back(book, period, 12)
    return Estimate(value=float(len(frame)), reason=None if known else "upper_bound")


def _count_reactivated(frame: pd.DataFrame, book: Book, period: Period) -> Estimate:
    known = _reach_back(book, period, book.settings.norms.reactivated_after_months)
    return Estimate(value=float(len(frame)), reason=None if known else "lower_bound")


METRICS = (
    Metric(
        id="new_customers", unit="count", better="up", needs=("opportunities.account_id",),
        grain="customer", dated="first_on", rows=new_customers, estimate=_count_new,
        undefined=missing_for_signed,
    ),
    Metric(
        id="reactivated_customers", unit="count", better="up",
        needs=("opportunities.account_id",), grain="customer", dated="first_on",
        rows=reactivated_customers, estimate=_count_reactivated, undefined=missing_for_signed,
    ),
)  # fmt: skip
