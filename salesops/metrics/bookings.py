"""Metrics of signed business: bookings, new customers, attainment and pace.

The rows behind them are those of `metrics.signed`; targets those of `metrics.targets`.
"""

import ibis
from ibis import _

from salesops.book.book import Book
from salesops.metrics import attainment, customers
from salesops.metrics.metric import Metric, Table
from salesops.metrics.signed import has_contracts, missing_for_signed, signed
from salesops.model.calendar import Period


def booked(book: Book, period: Period) -> Table:
    """One row per signing, cut or cancellation of new and expansion business, and person."""
    return signed(book, period)


def renewed(book: Book, period: Period) -> Table:
    """One row per signing, cut or cancellation of renewals, and person."""
    return signed(book, period, kind="renewal")


def won_with_contract(book: Book, period: Period) -> Table:
    """One row per deal won in the period, renewals too, with whether a contract names it."""
    deals = book.attributed("opportunities")
    inside = book.calendar.contains(period, deals.closed_at).fill_null(False)
    deals = deals.filter(deals.outcome == "won", inside)
    named = book.contracts.filter(_.opportunity_id.notnull())
    named = named.select(of_deal="opportunity_id").distinct()
    deals = deals.left_join(named, deals.id == named.of_deal)
    return deals.select(
        "id", "name", "type", "source", "product_line", "account_id", "closed_at",
        owner_id="event_owner_id", team="event_team", region="event_region",
        has_contract=deals.of_deal.notnull(),
    )  # fmt: skip


def _without_contracts(book: Book) -> str | None:
    return None if has_contracts(book) else "missing:contracts"


METRICS = (
    Metric(
        id="bookings", unit="money", better="up", needs=("opportunities",), grain="signing",
        dated="booked_on", rows=booked, numerator=_.cents.sum() / 100,
        undefined=missing_for_signed,
    ),
    Metric(
        id="renewal_bookings", unit="money", better="up", needs=("opportunities.type",),
        grain="signing", dated="booked_on", rows=renewed, numerator=_.cents.sum() / 100,
        undefined=missing_for_signed,
    ),
    Metric(
        id="annualised_bookings", unit="money", better="up",
        needs=("contracts.amount", "contract_lines.months"), grain="signing", dated="booked_on",
        rows=booked, numerator=_.yearly_cents.sum() / 100, undefined=missing_for_signed,
    ),
    Metric(
        id="contract_match", unit="ratio", better="up",
        needs=("opportunities.closed_at", "contracts.opportunity_id"), grain="deal",
        dated="closed_at", rows=won_with_contract,
        numerator=ibis.ifelse(_.has_contract, 1, 0).sum(), denominator=_.count(), counts=True,
        undefined=_without_contracts,
    ),
    *customers.METRICS,
    *attainment.METRICS,
)  # fmt: skip
