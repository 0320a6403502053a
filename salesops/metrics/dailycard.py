"""The day in a few numbers, for a group chat: signed, received, the month so far, what is next."""

import ibis
import pandas as pd
from ibis import _

from salesops.book.book import Book
from salesops.metrics.allocation import paid_instalments
from salesops.metrics.attainment import due_by_now
from salesops.metrics.catalogue import find_metric
from salesops.metrics.metric import reduced
from salesops.metrics.opendeals import open_deals
from salesops.model.calendar import Period
from salesops.model.dailycard import Card, Due

MOST_DUE = 3


def card(book: Book) -> Card:
    """How was the day, how is the month, and what falls due next?

    Parameters
    ----------
    book
        The company, at its date and in its scope.

    Returns
    -------
    Card
        Its numbers are those of the catalogue: `bookings`, `received`, `pace`, `attainment`.

    Examples
    --------
    >>> from salesops.book.book import open_book
    >>> card(open_book("tests/tiny_company")).signed_month
    40.0
    """
    day = Period(book.date, book.date, str(book.date))
    month = book.running("month")
    signed_month, pace = _value(book, "bookings", month), _value(book, "pace", month)
    expected = due_by_now(book, month) if pace is not None else None
    kind = "instalments" if book.has("instalments.due_on") else "deals"
    sides = [getattr(book.limits, side) for side in ("team", "user", "region", "segment",
                                                     "product_line")]  # fmt: skip
    named = [side for side in sides if side != "all"]
    company = book.settings.company.name
    return Card(
        company=company, whose=", ".join(named) or company, date=book.date, month=month,
        signed=_value(book, "bookings", day), received=_value(book, "received", day),
        signed_month=signed_month, expected=expected, pace=pace,
        attained_share=_value(book, "attainment", month),
        due=_next_due(book, kind), due_kind=kind,
    )  # fmt: skip


def _value(book: Book, name: str, period: Period) -> float | None:
    metric = find_metric(name)
    row = reduced(metric, book, period).iloc[0]
    if not pd.isna(row[name]):
        return float(row[name])
    # Money of a day on which nothing was signed is no gap.
    return 0.0 if metric.unit == "money" and row["reason"] == metric.empty else None


def _next_due(book: Book, kind: str) -> tuple[Due, ...]:
    if kind == "instalments":
        rows = paid_instalments(book).filter(_.state == "not_due")
        rows = rows.mutate(on=ibis.coalesce(_.moved_to_on, _.due_on), cents=_.unpaid_cents)
    else:
        rows = open_deals(book).mutate(on=_.expected_close_on)
    rows = rows.filter(_.on >= book.date, _.cents > 0).select("id", "account_id", "on", "cents")
    rows = rows.order_by("on", ibis.desc("cents"), "id").limit(MOST_DUE)
    accounts = book.accounts.select(of="id", customer="name")
    frame = rows.left_join(accounts, rows.account_id == accounts.of).to_pandas()
    frame = frame.sort_values(["on", "cents", "id"], ascending=[True, False, True])
    frame["customer"] = frame["customer"].fillna(frame["account_id"]).fillna("")
    days = pd.to_datetime(frame["on"]).dt.date
    found = zip(frame["customer"], frame["cents"], days, strict=True)
    return tuple(Due(str(customer), float(cents) / 100, on) for customer, cents, on in found)
