"""Every deal but renewals, with its value and whom it belongs to at the event."""

from typing import TypeAlias

import ibis

from salesops.book.book import Book
from salesops.metrics.currency import with_cents
from salesops.metrics.kept import kept_table

Table: TypeAlias = ibis.Table
_COLUMNS = ("id", "name", "type", "source", "product_line", "account_id", "stage", "last_stage",
            "outcome", "created_at", "closed_at", "expected_close_on", "lost_reason", "amount",
            "cents")  # fmt: skip


def all_deals(book: Book) -> Table:
    """Give one row per deal but renewals, as known at the book's date.

    Returns
    -------
    ibis.Table
        Columns of `opportunities`, `cents` (company currency), `owner_id`, `team` and `region`:
        of an open deal the owner's at the book's date, of an ended one at its end.
    """
    selling = book.without_renewals()
    return kept_table("all_deals", selling, lambda: _all_deals(selling))


def _all_deals(book: Book) -> Table:
    deals = with_cents(book, book.attributed("opportunities"))
    return deals.select(
        *_COLUMNS, owner_id="event_owner_id", team="event_team", region="event_region"
    )
