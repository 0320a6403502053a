"""Metrics of recurring business: renewal rate, net and gross revenue retention."""

import datetime as dt

import ibis
import pandas as pd
from ibis import _

from salesops.book.book import Book
from salesops.book.moment import instant
from salesops.book.scope import with_people
from salesops.book.versions import AT
from salesops.methods.bootstrap import ratio_range
from salesops.metrics.currency import whole_cents
from salesops.metrics.deals import one
from salesops.metrics.metric import Estimate, Estimator, Metric, Table
from salesops.model.calendar import Period

RECURRING = ("subscription", "maintenance")
_DAY = 86_400


def recurring_contracts(book: Book) -> Table:
    """Give the contracts with lines that recur, and what these bring in a year.

    Returns
    -------
    ibis.Table
        One row per contract: its columns, `event_team` and `event_region` of its owner at signing,
        `yearly_cents` (subscription and maintenance lines, brought to twelve months), `begins_on`,
        and of the contract that renews it `next_signed_on` and `next_begins_on` (null where there
        is none, or it is out of sight).
    """
    lines = book.contract_lines.filter(_.kind.isin(RECURRING), _.months > 0)
    yearly = (lines.amount * 100).cast("float64") * 12 / lines.months
    lines = lines.mutate(yearly=whole_cents(yearly))
    sums = lines.group_by(lines_of="contract_id").agg(yearly_cents=_.yearly.sum().cast("int64"))
    contracts = book.attributed("contracts")
    contracts = contracts.mutate(begins_on=ibis.coalesce(_.starts_on, _.signed_on))
    following = contracts.select(
        next_id="id", next_signed_on="signed_on", next_begins_on="begins_on"
    )
    contracts = contracts.join(sums, contracts.id == sums.lines_of).drop("lines_of")
    contracts = contracts.left_join(following, contracts.renewed_by == following.next_id)
    return contracts.filter(_.yearly_cents > 0).drop("next_id")


def in_force(contracts: Table, day: dt.date) -> ibis.Value:
    """Say whether a contract runs on a day; one whose renewal has begun no longer does."""
    c, on = contracts, ibis.literal(day)
    lasts = c.ends_on.isnull() | (c.ends_on >= on)
    kept = c.cancelled_on.isnull() | (c.cancelled_on > on)
    replaced = (c.next_begins_on <= on).fill_null(False)
    return ((c.begins_on <= on) & lasts & kept & ~replaced).fill_null(False)


def year_before(day: dt.date) -> dt.date:
    """Give the same day of the year before; the 28th for the 29th of February.

    Examples
    --------
    >>> year_before(dt.date(2024, 2, 29))
    datetime.date(2023, 2, 28)
    """
    if (day.month, day.day) == (2, 29):
        return dt.date(day.year - 1, 2, 28)
    return day.replace(year=day.year - 1)


def retained(book: Book, period: Period) -> Table:
    """One row per customer with recurring contracts twelve months before the period's end.

    Returns
    -------
    ibis.Table
        `id` (the customer), `then_cents` and `now_cents` (yearly recurring value on both days),
        `kept_cents` (now, at most then), `waiting_cents` (of contracts that ended within the grace
        days before and are not renewed: in none of the others), and the customer's columns.

    Notes
    -----
    The last day is the period's, or the book's where that is earlier.
    """
    now = min(period.end, book.date)
    then = year_before(now)
    grace = now - dt.timedelta(days=book.settings.norms.renewal_grace_days)
    c = recurring_contracts(book)
    waits = (c.ends_on < now) & (c.ends_on >= grace) & c.renewed_by.isnull()
    waits = (waits & c.cancelled_on.isnull()).fill_null(False)
    sums = {
        name: ibis.ifelse(condition, c.yearly_cents, 0).sum().cast("int64")
        for name, condition in (("then_cents", in_force(c, then)), ("now_cents", in_force(c, now)),
                                ("waiting_cents", waits))
    }  # fmt: skip
    customers = c.filter(c.account_id.notnull()).group_by(customer="account_id").agg(**sums)
    customers = customers.filter(_.then_cents > 0)
    accounts = _owned_accounts(book)
    rows = customers.left_join(accounts, customers.customer == accounts.id).drop("id")
    return rows.select(
        "name", "segment", "industry", "region", "owner_id", "team", "then_cents", "now_cents",
        "waiting_cents", id="customer", kept_cents=ibis.least(rows.then_cents, rows.now_cents),
    )  # fmt: skip


def _owned_accounts(book: Book) -> Table:
    """Give the customers with the team of their owner at the book's date."""
    accounts = book.accounts.mutate(at_=ibis.null(AT))
    owned = with_people(
        book.store, accounts, "owner_id", "at_", book.table("users"), instant(book.instant)
    )
    return owned.select(
        "id", "name", "segment", "industry", "region", "owner_id", team="event_team"
    )


def due_for_renewal(book: Book, period: Period) -> Table:
    """One row per recurring contract whose term ended in the period, with its grace days over.

    Returns
    -------
    ibis.Table
        `due_cents` (its yearly value), `renewed_cents` (the same where it was renewed, else 0) and
        `is_renewed`: the next contract was signed by the end of the grace days.

    Notes
    -----
    What was cancelled before its term ended never came up for renewal and is not here. What is
    still within the grace days is left out whether it was renewed or not: counting only the
    renewed ones would flatter the rate.
    """
    grace = book.settings.norms.renewal_grace_days
    c = recurring_contracts(book)
    c = c.filter(
        book.calendar.contains(period, c.ends_on).fill_null(False),
        c.ends_on <= book.date - dt.timedelta(days=grace),
        (c.cancelled_on.isnull() | (c.cancelled_on > c.ends_on)),
    )
    days = (_seconds(c.next_signed_on) - _seconds(c.ends_on)) / _DAY
    # A next contract that is out of sight was still signed.
    in_time = ibis.coalesce(days <= grace, ibis.literal(True))
    deals = book.opportunities.select("product_line", deal_id="id")
    c = c.mutate(is_renewed=c.renewed_by.notnull() & in_time)
    c = c.left_join(deals, c.opportunity_id == deals.deal_id)
    return c.select(
        "id", "account_id", "product_line", "ends_on", "is_renewed", "owner_id",
        team="event_team", region="event_region", due_cents="yearly_cents",
        renewed_cents=ibis.ifelse(c.is_renewed, c.yearly_cents, 0),
    )  # fmt: skip


def _seconds(day: ibis.Value) -> ibis.Value:
    return day.cast(AT).epoch_seconds()


def share_of(above: str, below: str) -> Estimator:
    """Make an estimator of the ratio of two sums, whose range is drawn from the rows."""

    def estimate(rows: pd.DataFrame, _book: Book, _period: Period) -> Estimate:
        whole = float(rows[below].sum())
        if not whole:
            return Estimate(reason="nothing_below")
        low, high = ratio_range(rows[above], rows[below])
        return Estimate(value=float(rows[above].sum()) / whole, low=low, high=high)

    return estimate


_TERMS = ("contracts.account_id", "contracts.ends_on", "contract_lines.months",
          "contract_lines.kind")  # fmt: skip
_RENEWALS = (*_TERMS, "contracts.renewed_by")

METRICS = (
    Metric(
        id="nrr", unit="ratio", better="up", needs=_TERMS, grain="customer", dated="",
        rows=retained, estimate=share_of("now_cents", "then_cents"), empty="none_a_year_ago",
    ),
    Metric(
        id="grr", unit="ratio", better="up", needs=_TERMS, grain="customer", dated="",
        rows=retained, estimate=share_of("kept_cents", "then_cents"), empty="none_a_year_ago",
    ),
    Metric(
        id="renewal_rate", unit="ratio", better="up", needs=_RENEWALS, grain="contract",
        dated="ends_on", rows=due_for_renewal, numerator=one(_.is_renewed).sum(),
        denominator=_.count(), counts=True, empty="none_due_and_over",
    ),
    Metric(
        id="renewal_rate_by_value", unit="ratio", better="up", needs=_RENEWALS, grain="contract",
        dated="ends_on", rows=due_for_renewal, estimate=share_of("renewed_cents", "due_cents"),
        empty="none_due_and_over",
    ),
)  # fmt: skip
