"""What customers owe, row by row: how old it is, why it is late, and what is normal."""

import datetime as dt
from collections.abc import Sequence

import ibis
import numpy as np
import numpy.typing as npt
import pandas as pd
from ibis import _

from salesops.book.book import Book
from salesops.metrics.allocation import (
    AFTER_ACCEPTANCE,
    cents,
    paid_instalments,
    resolved_receipts,
    whole_instalments,
)
from salesops.metrics.collection import acceptance_unknown
from salesops.model.calendar import Period
from salesops.model.settings import CollectionNorms

Floats = npt.NDArray[np.float64]
# First day of each bucket of lateness; what is not late stands apart.
BUCKETS = {"not_due": -(10**6), "to_30": 1, "to_60": 31, "to_90": 61, "to_180": 91, "beyond": 181}
LONG = 180


def receivables(book: Book, by: Sequence[str] = ()) -> pd.DataFrame:
    """Who owes what since when, as known at the book's date?

    Parameters
    ----------
    book
        The company, at its date and in its scope.
    by
        As in `paid_instalments`.

    Returns
    -------
    pandas.DataFrame
        One row per instalment of contracts that are not cancelled: the columns of
        `paid_instalments` with days as dates, `amount`, `received`, `unpaid` (company currency)
        and `age` (days since the first due date, negative before it; null without one).
    """
    frame = paid_instalments(book, by).filter(_.state != "lapsed").order_by("id").to_pandas()
    for column in ("due_on", "moved_to_on", "signed_on", "delivered_on", "accepted_on"):
        frame[column] = pd.to_datetime(frame[column])
    for column, source in (("amount", "cents"), ("received", "received_cents"),
                           ("unpaid", "unpaid_cents")):  # fmt: skip
        frame[column] = frame[source] / 100
    frame["age"] = (pd.Timestamp(book.date) - frame["due_on"]).dt.days
    return frame.drop(columns=["cents", "received_cents", "unpaid_cents"])


def norm_unpaid(age: npt.ArrayLike, norms: CollectionNorms) -> Floats:
    """Give the share that is normally still unpaid so many days after the due day.

    Examples
    --------
    >>> norm_unpaid([0, 25, 1000], CollectionNorms()).round(3).tolist()
    [0.2, 0.1, 0.0]
    """
    days, shares = zip(*norms.unpaid, strict=True)
    return np.asarray(np.interp(np.asarray(age, dtype=float), days, shares))


def ageing(now: pd.DataFrame, prior: pd.DataFrame | None, norms: CollectionNorms) -> pd.DataFrame:
    """How old is what is not paid?

    Returns
    -------
    pandas.DataFrame
        One row per bucket, from what is not due to what is late beyond 180 days: `bucket`, `n`
        instalments, `amount` (unpaid), `amount_share` (of what is overdue; null for what is not),
        `prior_amount` (null where not known) and `norm_amount` (what would be unpaid of what fell
        due so long ago, did customers pay as is normal; null for what is not due).
    """
    found = _by_bucket(now)
    late = found["amount"].drop("not_due").sum()
    found["amount_share"] = found["amount"] / late if late else np.nan
    found.loc["not_due", "amount_share"] = np.nan
    found["prior_amount"] = np.nan if prior is None else _by_bucket(prior)["amount"]
    due = now[now["age"] > 0]
    normal = due["amount"] * norm_unpaid(due["age"], norms)
    found["norm_amount"] = normal.groupby(_bucket(due)).sum().reindex(found.index).fillna(0.0)
    found.loc["not_due", "norm_amount"] = np.nan
    return found.rename_axis("bucket").reset_index()


def _bucket(rows: pd.DataFrame) -> "pd.Series[str]":
    place = np.searchsorted(list(BUCKETS.values()), rows["age"].fillna(0), side="right") - 1
    return pd.Series(np.array(list(BUCKETS))[place], index=rows.index, dtype=object)


def _by_bucket(rows: pd.DataFrame) -> pd.DataFrame:
    open_ = rows[rows["unpaid"] > 0]
    grouped = open_.groupby(_bucket(open_))["unpaid"].agg(n="size", amount="sum")
    whole = grouped.reindex(list(BUCKETS))
    return whole.fillna({"n": 0, "amount": 0.0}).astype({"n": int, "amount": float})


def money_in(book: Book) -> pd.DataFrame:
    """List the dated money: one row per receipt with `received_on` and `amount`."""
    rows = resolved_receipts(book).filter(_.received_on.notnull()).select("received_on", "cents")
    frame = rows.to_pandas()
    frame["received_on"] = pd.to_datetime(frame["received_on"])
    return frame.assign(amount=frame["cents"] / 100).drop(columns="cents")


def undated_money(book: Book) -> int:
    """Count the receipts without a day: they count today and in no earlier period."""
    row = book.receipts.agg(n=_.count(), dated=_.received_on.count()).to_pandas().iloc[0]
    return int(row["n"] - row["dated"])


def within(days: "pd.Series[dt.datetime]", period: Period, until: dt.date) -> "pd.Series[bool]":
    """Say which days lie in a period and not after a day."""
    last = min(period.end, until)
    return (days >= pd.Timestamp(period.start)) & (days <= pd.Timestamp(last))


def causes(book: Book, late: pd.DataFrame) -> "pd.Series[str]":
    """Why is each overdue instalment not paid: as entered, else what can be derived?

    Returns
    -------
    pandas.Series
        The entered reason as it stands, or `cause.not_accepted` (what falls due with acceptance,
        which nobody has signed), `cause.not_invoiced` (less was invoiced for the contract than has
        fallen due, retention money apart, which is seldom invoiced), `cause.open_ticket` (the
        customer has an open case) or `cause.unknown`.
    """
    found = pd.Series("cause.unknown", index=late.index, dtype=object)
    found[late["account_id"].isin(_with_open_case(book))] = "cause.open_ticket"
    found[_not_invoiced(book, late)] = "cause.not_invoiced"
    if acceptance_unknown(book) is None:
        waiting = late["trigger"].isin(AFTER_ACCEPTANCE) & late["accepted_on"].isna()
        found[waiting] = "cause.not_accepted"
    entered = late["overdue_reason"].fillna("").astype(str).str.strip()
    return found.where(entered == "", entered)


def _with_open_case(book: Book) -> "Sequence[str] | pd.Series[str]":
    if not book.has("tickets.closed_at"):
        return []
    rows = book.tickets.filter(_.closed_at.isnull(), _.account_id.notnull())
    return rows.select("account_id").distinct().to_pandas()["account_id"]


def _not_invoiced(book: Book, late: pd.DataFrame) -> "pd.Series[bool]":
    """Say which overdue instalments are beyond what has been invoiced for their contract."""
    if not book.has("invoices.amount") or late.empty:
        return pd.Series(False, index=late.index)
    invoices = book.invoices.filter(_.issued_on.notnull())
    sums = invoices.group_by("contract_id").agg(cents=cents(_.amount).sum()).to_pandas()
    invoiced = sums.set_index("contract_id")["cents"].astype(float) / 100
    # Invoices are of whole contracts.
    due = whole_instalments(book).filter((_.due_on <= book.date).fill_null(False))
    due = due.filter((_.trigger != "retention").fill_null(True))
    order = ibis.window(group_by="contract_id", order_by=["due_on", "id"], preceding=None,
                        following=0)  # fmt: skip
    run = due.select("id", "contract_id", run=due.cents.sum().over(order)).to_pandas()
    owed = run.set_index("id")["run"].astype(float) / 100
    written = late["contract_id"].map(invoiced).fillna(0.0)
    return (late["id"].map(owed) > written + 0.005).fillna(False)


def named(book: Book, rows: pd.DataFrame) -> pd.DataFrame:
    """Add `customer` and `owner`: who looks after the customer where the owner has left."""
    accounts = book.accounts.select("id", "name", "owner_id").to_pandas().set_index("id")
    people = book.table("users").select("id", "name", "left_on").to_pandas().set_index("id")
    gone = people.index[people["left_on"].notna()]
    keeper = rows["account_id"].map(accounts["owner_id"])
    replaced = rows["owner_id"].isin(gone) & keeper.notna() & ~keeper.isin(gone)
    owner = rows["owner_id"].where(~replaced, keeper)
    customer = rows["account_id"].map(accounts["name"]).fillna(rows["account_id"])
    return rows.assign(customer=customer, owner_id=owner,
                       owner=owner.map(people["name"]).fillna(owner))  # fmt: skip
