"""Call-backs: calls and visits that the settings plan around contracts, and those made."""

import ibis
from ibis import _

from salesops.book.book import Book
from salesops.metrics.clock import with_local_days
from salesops.metrics.deals import one
from salesops.metrics.metric import Metric, Table
from salesops.model.calendar import Period
from salesops.model.settings import CallBack

# What counts as having called back.
KINDS = ("call", "visit")
_EVENTS = {"delivery": "delivered_on", "end": "ends_on"}
_DAYS = (*_EVENTS.values(), "cancelled_on")
_COLUMNS = ("contract_id", "account_id", "owner_id", "team", "rule", "begins_on", "until_on",
            "amount")  # fmt: skip


def call_backs(book: Book) -> Table:
    """Give every call-back that the settings plan for a contract, and whether it was made.

    Returns
    -------
    ibis.Table
        One row per contract and rule: `id`, `contract_id`, `account_id`, `owner_id` and `team` (at
        signing), `rule` (its id), `begins_on` and `until_on` (first and last day of the window),
        `amount` (of the contract) and `called_on` (the day of the first call or visit in the
        window; null where there was none up to the book's date).

    Notes
    -----
    A contract that was cancelled before the window's end, or whose renewal was signed before the
    window's first day, needs none. A call or visit of the customer's counts whoever made it.
    """
    contracts = _contracts(book)
    planned = ibis.union(*_padded([_planned(contracts, rule) for rule in book.settings.call_backs]))
    acts = book.unscoped("activities").filter(_.kind.isin(KINDS), _.account_id.notnull())
    acts = with_local_days(book, acts.select("account_id", "occurred_at"), {"day": "occurred_at"})
    acts = acts.select(of_account="account_id", day="day").distinct()
    near = planned.join(acts, [
        planned.account_id == acts.of_account, acts.day >= planned.begins_on,
        acts.day <= planned.until_on,
    ])  # fmt: skip
    first = near.group_by(of="id").agg(called_on=_.day.min())
    return planned.left_join(first, planned.id == first.of).drop("of")


def _padded(parts: list[Table]) -> list[Table]:
    """Give at least two tables, since a union of one is none."""
    return parts if len(parts) > 1 else [parts[0], parts[0].limit(0)]


def _contracts(book: Book) -> Table:
    rows = book.attributed("contracts").filter(_.account_id.notnull())
    have = set(rows.columns)
    nothing = ibis.null("date")
    if "renewed_by" in have:
        following = book.unscoped("contracts").select(next_id="id", next_on="signed_on")
        rows = rows.left_join(following, rows.renewed_by == following.next_id)
    else:
        rows = rows.mutate(next_on=nothing)
    days = {name: rows[name] if name in have else nothing for name in _DAYS}
    amount = rows.amount if "amount" in have else ibis.null("decimal(18, 2)")
    return rows.select(
        "account_id", "next_on", contract_id="id", owner_id="event_owner_id", team="event_team",
        amount=amount, **days,
    )  # fmt: skip


def _planned(contracts: Table, rule: CallBack) -> Table:
    event = contracts[_EVENTS[rule.event]]
    rows = contracts.filter(event.notnull()).mutate(
        begins_on=(event + ibis.interval(days=rule.from_day)).cast("date"),
        until_on=(event + ibis.interval(days=rule.to_day)).cast("date"),
        rule=ibis.literal(rule.id),
    )
    needed = rows.cancelled_on.isnull() | (rows.cancelled_on > rows.until_on)
    if rule.event == "end":
        needed &= rows.next_on.isnull() | (rows.next_on >= rows.begins_on)
    return rows.filter(needed).select(*_COLUMNS, id=rows.contract_id + " " + rows.rule)


def planned_call_backs(book: Book, period: Period) -> Table:
    """One row per call-back whose last day lies in the period and is over."""
    rows = call_backs(book)
    last = min(period.end, book.date)
    rows = rows.filter(rows.until_on >= period.start, rows.until_on <= last)
    return rows.mutate(is_made=rows.called_on.notnull())


def _no_rule(book: Book) -> str | None:
    return None if book.settings.call_backs else "no_call_back_rule"


METRICS = (
    Metric(
        id="call_back_rate", unit="ratio", better="up",
        needs=("contracts.account_id", "activities.account_id", "activities.kind"),
        grain="call_back", dated="until_on", rows=planned_call_backs,
        numerator=one(_.is_made).sum(), denominator=_.count(), counts=True, undefined=_no_rule,
    ),
)  # fmt: skip
