"""Days of sales outstanding by counting back: how many days of invoicing are not paid yet."""

import datetime as dt
from collections.abc import Sequence

import ibis
import pandas as pd
from ibis import _

from salesops.book.book import Book
from salesops.metrics.allocation import cents, signed_contracts, whole
from salesops.metrics.credited import of_everyone, shared_out
from salesops.metrics.kept import kept_table
from salesops.metrics.metric import Estimate, Metric, Table
from salesops.model.calendar import Period


def open_invoices(book: Book, _period: Period, by: Sequence[str] = ()) -> Table:
    """One row per invoice with the part that is not paid; money pays a contract's oldest first.

    Money that came in before an invoice was written is not set against other contracts' invoices.
    Invoices without a contract count as unpaid, since no money can be set against them.
    """
    everyone = of_everyone(book)
    rows = kept_table("invoices", everyone, lambda: _set_against(everyone))
    rows = shared_out(book, rows, ("paid_cents", "unpaid_cents"), by)
    rows = rows.mutate(cents=rows.paid_cents + rows.unpaid_cents)
    return rows.select("id", "contract_id", "account_id", "owner_id", "team", "region",
                       "issued_on", "cents", "unpaid_cents")  # fmt: skip


def _set_against(book: Book) -> Table:
    """Set the money of each contract against its invoices."""
    # What has no day of issue has not been issued.
    invoices = book.invoices.filter(_.issued_on.notnull())
    contracts = signed_contracts(book).select("account_id", "received_cents", of="id")
    rows = invoices.left_join(contracts, invoices.contract_id == contracts.of)
    rows = rows.select("id", "contract_id", "account_id", "issued_on", cents=cents(rows.amount),
                       came=rows.received_cents.fill_null(0))  # fmt: skip
    # Credit notes are negative invoices: they pay as money does.
    rows = rows.mutate(owed=ibis.greatest(rows.cents, 0), credit=ibis.greatest(-rows.cents, 0))
    all_of = ibis.window(group_by="contract_id")
    one = ibis.window(group_by="contract_id", order_by=["issued_on", "id"], preceding=None,
                      following=0)  # fmt: skip
    credit = ibis.ifelse(rows.contract_id.isnull(), 0, whole(rows.credit.sum().over(all_of)))
    before = whole(rows.owed.sum().over(one)) - rows.owed
    rows = rows.mutate(pool=rows.came + credit, before=before)
    paid = ibis.least(ibis.greatest(rows.pool - rows.before, 0), rows.owed)
    rows = rows.mutate(unpaid_cents=rows.owed - paid)
    return rows.select("id", "contract_id", "account_id", "issued_on", "unpaid_cents",
                       paid_cents=rows.cents - rows.unpaid_cents)  # fmt: skip


def counted_back(open_money: float, invoiced: "pd.Series[float]", on: dt.date) -> float | None:
    """How many days of invoicing add up to what is not paid?

    Parameters
    ----------
    open_money
        What is not paid.
    invoiced
        Money invoiced by month (`pandas.Period`), in any order.
    on
        The day from which is counted back.

    Returns
    -------
    float or None
        Days; none where all that was ever invoiced is less.

    Examples
    --------
    >>> months = pd.PeriodIndex(["2026-01", "2026-02", "2026-03"], freq="M")
    >>> counted_back(150.0, pd.Series([100.0, 60.0, 80.0], index=months), dt.date(2026, 3, 31))
    62.1
    """
    if invoiced.empty:
        return None
    rest, days = open_money, 0.0
    month, first = pd.Period(on, "M"), invoiced.index.min()
    length = on.day
    while rest > 0:
        if month < first:
            return None
        sold = max(float(invoiced.get(month, 0.0)), 0.0)
        if rest <= sold:
            return days + length * rest / sold
        rest, days = rest - sold, days + length
        month -= 1
        length = month.days_in_month
    return days


def _dso(frame: pd.DataFrame, book: Book, _period: Period) -> Estimate:
    month = pd.to_datetime(frame["issued_on"]).dt.to_period("M")
    invoiced = frame["cents"].astype(float).groupby(month).sum()
    days = counted_back(float(frame["unpaid_cents"].sum()), invoiced, book.date)
    return Estimate(reason="more_open_than_invoiced") if days is None else Estimate(value=days)


def _no_money(book: Book) -> str | None:
    return None if book.has("receipts.amount") else "missing:receipts"


DSO = Metric(
    id="dso", unit="days", better="down", needs=("invoices.issued_on", "invoices.amount"),
    grain="invoice", dated="", rows_by=open_invoices, estimate=_dso, undefined=_no_money,
)  # fmt: skip
