"""Deals in the company's currency, at the rate known at the book's date."""

from typing import TypeAlias

import ibis
from ibis import _

from salesops.book.book import Book

Table: TypeAlias = ibis.Table


def whole_cents(value: ibis.Value) -> ibis.Value:
    """Round to whole cents, halves away from zero, alike on every database.

    A database's own `round` takes halves of floating numbers to the even number or away from zero.
    """
    size = (value.abs() + 0.5).floor()
    return ibis.ifelse(value < 0, -size, size).cast("int64")


def in_company_currency(book: Book) -> Table:
    """Give the deals with `cents` in company currency, beside `own_cents` and the `rate`.

    Returns
    -------
    ibis.Table
        The deals of the book and `own_cents` (whole cents of their own currency), `rate` (company
        currency for one unit; null where no rate is known) and `cents` (null where either is).

    Notes
    -----
    The rate is the latest of table `fx` on or before the book's date. A deal without a currency
    is in the company's.
    """
    return with_cents(book, book.opportunities)


def with_cents(book: Book, deals: Table) -> Table:
    """Add `own_cents`, `rate` and `cents` to deals of a book; see `in_company_currency`."""
    home = book.settings.company.currency
    own = (deals.amount * 100).cast("int64")
    if not book.has("opportunities.currency"):
        return deals.mutate(own_cents=own, rate=ibis.literal(1.0), cents=own)
    fx = book.table("fx")
    last = fx.group_by("currency").agg(last_on=_.on.max())
    known = fx.join(last, [fx.currency == last.currency, fx.on == last.last_on])
    known = known.select(fx_currency="currency", fx_rate="rate")
    deals = deals.mutate(own_cents=own)
    joined = deals.left_join(known, deals.currency == known.fx_currency)
    is_home = joined.currency.isnull() | (joined.currency == home)
    rate = ibis.ifelse(is_home, 1.0, joined.fx_rate)
    cents = ibis.ifelse(is_home, joined.own_cents, whole_cents(joined.own_cents * rate))
    return joined.mutate(rate=rate, cents=cents).drop("fx_currency", "fx_rate")
