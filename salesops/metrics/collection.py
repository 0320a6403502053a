"""Metrics of money that came in against what was due, and of what is overdue."""

from collections.abc import Sequence
from typing import TypeAlias

import ibis
from ibis import _

from salesops.book.book import Book
from salesops.metrics.allocation import (
    days_between,
    paid_instalments,
    resolved_receipts,
    signed_contracts,
    unallocated_money,
    whole,
)
from salesops.metrics.cash_expected import CASH_EXPECTED
from salesops.metrics.cash_targets import CASH_ATTAINMENT
from salesops.metrics.countback import DSO
from salesops.metrics.metric import Metric, Table
from salesops.model.calendar import Period

_SHOWN = (
    "id", "contract_id", "account_id", "owner_id", "team", "region", "trigger", "due_on", "cents",
    "received_cents", "unpaid_cents", "overdue_days",
)  # fmt: skip
_PAID = ("instalments.amount", "receipts.amount")


By: TypeAlias = Sequence[str]


def due_instalments(book: Book, period: Period, by: By = ()) -> Table:
    """One row per instalment that fell due, at first, in the period and up to the book's date."""
    rows = fallen_due(book, by)
    return rows.filter(book.calendar.contains(period, rows.due_on))


def fallen_due(book: Book, by: By = ()) -> Table:
    """One row per instalment that has fallen due by the book's date, paid or not."""
    rows = paid_instalments(book, by).filter(_.state != "lapsed")
    return rows.filter((rows.due_on <= book.date).fill_null(False)).select(*_SHOWN)


def _all_due(book: Book, _period: Period, by: By = ()) -> Table:
    return fallen_due(book, by)


def overdue_instalments(book: Book, _period: Period, by: By = ()) -> Table:
    """One row per instalment that fell due before the book's date and is not paid in full."""
    return paid_instalments(book, by).filter(_.state == "overdue").select(*_SHOWN)


def _not_yet_due(book: Book, _period: Period, by: By = ()) -> Table:
    rows = paid_instalments(book, by).filter(_.state.isin(["not_due", "undated"]))
    return rows.select(*_SHOWN).drop("overdue_days")


def _retention(book: Book, _period: Period, by: By = ()) -> Table:
    open_states = ["not_due", "undated", "overdue"]
    rows = paid_instalments(book, by).filter(_.trigger == "retention", _.state.isin(open_states))
    return rows.select(*_SHOWN)


def _in_advance(book: Book, _period: Period, by: By = ()) -> Table:
    rows = paid_instalments(book, by).filter(_.due_on > book.date, _.received_cents > 0)
    return rows.select(*_SHOWN).drop("overdue_days", "unpaid_cents")


def _valid_contracts(book: Book, _period: Period, by: By = ()) -> Table:
    return signed_contracts(book, by).filter(_.cancelled_on.isnull()).drop("cancelled_on")


def receipts_in(book: Book, period: Period, by: By = ()) -> Table:
    """One row per receipt or refund of the period, with whom its contract belongs to."""
    came = resolved_receipts(book, by)
    came = came.filter(book.calendar.contains(period, came.received_on).fill_null(False))
    contracts = signed_contracts(book).select("account_id", of="id")
    rows = came.left_join(contracts, came.contract_id == contracts.of)
    return rows.select("id", "contract_id", "instalment_id", "account_id", "owner_id", "team",
                       "region", "received_on", "cents")  # fmt: skip


def unaccepted_contracts(book: Book, _period: Period, by: By = ()) -> Table:
    """One row per contract that was delivered and whose acceptance the customer has not signed."""
    rows = signed_contracts(book, by).filter(
        _.delivered_on.notnull(), _.accepted_on.isnull(), _.cancelled_on.isnull()
    )
    # Each has a part of the contract's instalments as of the contract; some have no owner.
    who = _.owner_id.fill_null("").name("who")
    owed = paid_instalments(book, by).group_by("contract_id", who).agg(
        unpaid_cents=whole(_.unpaid_cents.sum())
    )  # fmt: skip
    rows = rows.mutate(who_=rows.owner_id.fill_null(""))
    rows = rows.left_join(owed, [rows.id == owed.contract_id, rows.who_ == owed.who])
    today = ibis.literal(book.date)
    waiting = rows.mutate(
        unpaid_cents=rows.unpaid_cents.fill_null(0),
        waiting_days=days_between(today, rows.delivered_on),
    )
    return waiting.drop("contract_id", "accepted_on", "cancelled_on", "who", "who_")


def _unallocated(book: Book, _period: Period, by: By = ()) -> Table:
    return unallocated_money(book, by)


def no_due_dates(book: Book) -> str | None:
    """Without any due date nothing can be due."""
    dated = book.has("instalments.original_due_on") or book.has("instalments.due_on")
    return None if dated else "missing:instalments.original_due_on"


def acceptance_unknown(book: Book) -> str | None:
    """Where nobody ever entered an acceptance, none of them is missing."""
    known = book.contracts.agg(n=_.accepted_on.count()).to_pandas()["n"]
    return None if len(known) and known.iloc[0] else "acceptance_not_recorded"


def no_trigger(book: Book) -> str | None:
    """Retention money can't be told where no instalment says what it waits for."""
    known = book.instalments.agg(n=_.trigger.count()).to_pandas()["n"]
    return None if len(known) and known.iloc[0] else "missing:instalments.trigger"


METRICS: tuple[Metric, ...] = (
    Metric(
        id="due_collection", unit="ratio", better="up", needs=_PAID, grain="instalment",
        dated="due_on", rows_by=due_instalments, numerator=_.received_cents.sum(),
        denominator=_.cents.sum(), undefined=no_due_dates,
    ),
    Metric(
        id="contract_collection", unit="ratio", better="up",
        needs=("contracts.amount", "receipts.amount"), grain="contract", dated="",
        rows_by=_valid_contracts, numerator=_.received_cents.sum(), denominator=_.cents.sum(),
    ),
    CASH_ATTAINMENT,
    Metric(
        id="received", unit="money", better="up", needs=("receipts.received_on",),
        grain="receipt", dated="received_on", rows_by=receipts_in, numerator=_.cents.sum() / 100,
    ),
    Metric(
        id="overdue", unit="money", better="down", needs=_PAID, grain="instalment", dated="",
        rows_by=overdue_instalments, numerator=_.unpaid_cents.sum() / 100, undefined=no_due_dates,
    ),
    Metric(
        id="overdue_rate", unit="ratio", better="down", needs=_PAID, grain="instalment", dated="",
        rows_by=_all_due, denominator=_.cents.sum(), undefined=no_due_dates,
        numerator=ibis.ifelse(_.overdue_days.notnull(), _.unpaid_cents, 0).sum(),
    ),
    Metric(
        id="days_overdue", unit="days", better="down", needs=_PAID, grain="instalment", dated="",
        rows_by=overdue_instalments, denominator=_.unpaid_cents.sum(), undefined=no_due_dates,
        numerator=(_.unpaid_cents.cast("float64") * _.overdue_days).sum(),
    ),
    DSO,
    Metric(
        id="not_yet_due", unit="money", better="none", needs=_PAID, grain="instalment", dated="",
        rows_by=_not_yet_due, numerator=_.unpaid_cents.sum() / 100,
    ),
    Metric(
        id="retention_due", unit="money", better="none", needs=(*_PAID, "instalments.trigger"),
        grain="instalment", dated="", rows_by=_retention, numerator=_.unpaid_cents.sum() / 100,
        undefined=no_trigger,
    ),
    Metric(
        id="unaccepted", unit="money", better="down",
        needs=("contracts.delivered_on", "contracts.accepted_on"), grain="contract", dated="",
        rows_by=unaccepted_contracts, numerator=_.cents.sum() / 100, undefined=acceptance_unknown,
    ),
    Metric(
        id="advance_received", unit="money", better="none", needs=_PAID, grain="instalment",
        dated="", rows_by=_in_advance, numerator=_.received_cents.sum() / 100,
        undefined=no_due_dates,
    ),
    Metric(
        id="unallocated_received", unit="money", better="down", needs=_PAID, grain="contract",
        dated="", rows_by=_unallocated, numerator=_.unallocated_cents.sum() / 100,
    ),
    CASH_EXPECTED,
)  # fmt: skip
