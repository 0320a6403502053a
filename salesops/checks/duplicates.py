"""Customers that are entered twice."""

import math

import pandas as pd
from ibis import _

from salesops.book.book import Book
from salesops.checks.check import Check, Norm, Seen, Tested
from salesops.checks.followup import beyond, rows_of
from salesops.metrics.duplicates import duplicate_accounts
from salesops.metrics.opendeals import open_deals, standing
from salesops.model.calendar import Period
from salesops.model.finding import Finding


def _duplicates(book: Book, period: Period) -> Seen:
    """Customer records that are a second one of the same company."""
    book, norms = standing(book, period), book.settings.norms
    norm = Norm(value=norms.duplicate_share, tolerance=0.0, source="settings")
    n = book.n("accounts")
    pairs = duplicate_accounts(book)
    twice = pairs.drop_duplicates("other")
    value = len(twice) / n if n else math.nan
    if n < norms.too_few or twice.empty:
        return Seen(value=value, n=n, norm=norm)
    both = pd.concat([pairs["account"], pairs["other"]]).unique()
    deals = open_deals(book).filter(_.account_id.isin(list(both)))
    amount = deals.agg(cents=_.cents.sum()).to_pandas()["cents"].iloc[0]
    finding = Finding(
        code="diagnosis.duplicates", severity="watch", owner_role="ops",
        evidence={
            "n": len(twice), "n_accounts": n, "share": value, "norm": norm.value,
            "n_two_owners": int(pairs["two_owners"].sum()),
            "amount": 0.0 if pd.isna(amount) else float(amount) / 100,
        },
        action="diagnosis.duplicates.action", lesson="04_customer_base", trust="firm",
    )  # fmt: skip
    test = Tested(p=beyond(len(twice), n, norm.limit), finding=finding,
                  rows=rows_of("accounts", twice["other"].sort_values()))  # fmt: skip
    return Seen(value=value, n=n, norm=norm, tests=(test,))


CHECKS: tuple[Check, ...] = (
    Check(
        id="duplicates",
        pain="data",
        unit="ratio",
        needs=("accounts.name",),
        look=_duplicates,
        apart=True,
    ),
)
