"""Open deals that nobody speaks about, and records that nobody is in charge of."""

import datetime as dt
import math

import ibis
import pandas as pd
from ibis import _

from salesops.book.book import Book
from salesops.book.moment import instant
from salesops.checks.check import Check, Norm, Seen, Tested
from salesops.checks.looks import Gain, alive, gain_of_looks, looks
from salesops.metrics.opendeals import has_touches, open_deals, standing, with_silence
from salesops.metrics.workdays import local_day
from salesops.model.calendar import Period
from salesops.model.finding import Finding, Gap

# Why a finding has no money where too little is known of such deals.
NOT_SIZED = "diagnosis.not_sized"
LESSON, DATA_LESSON = "09_follow_up", "04_customer_base"


def rows_of(table: str, ids: "pd.Series[str]") -> pd.DataFrame:
    """Name records of one table as the rows of a comparison."""
    return pd.DataFrame({"table": table, "id": ids.astype(object).to_numpy()})


def beyond(hits: int, n: int, limit: float) -> float:
    """How likely are so many of n, or more, where the share is at its limit?

    Examples
    --------
    >>> round(beyond(3, 10, 0.5), 4)
    0.9453
    """
    from scipy.special import bdtrc

    return float(bdtrc(hits - 1, n, limit)) if hits > 0 else 1.0


def quiet_deals(book: Book) -> pd.DataFrame:
    """Give the open deals with `silent`, and `dead`: without a word for longer than `dead_days`.

    Returns
    -------
    pandas.DataFrame
        One row per open deal but renewals: `id`, `stage`, `cents`, `silent` (beyond the settings'
        touch norms, dead ones apart) and `dead`.

    Notes
    -----
    What was said before the first touch on record nobody knows: as long as the records reach back
    for less than `dead_days`, a deal that is older than they are and has no touch is neither.
    """
    deals, limit = with_silence(book, open_deals(book)), book.settings.norms.dead_days
    begun = _first_touch(book)
    spoken = local_day(book, ibis.coalesce(deals.last_touch_at, deals.created_at))
    days = ibis.literal(book.date).delta(spoken, unit="day")
    untold = deals.last_touch_at.isnull() & (deals.created_at < instant(begun))
    frame = deals.select(
        "id", "stage", "cents", "silent", days=days, untold=untold.fill_null(False)
    ).order_by("id").to_pandas()  # fmt: skip
    short = (book.date - book.calendar.local_date(begun)).days <= limit
    known = ~frame["untold"].astype(bool) if short else pd.Series(True, index=frame.index)
    dead = (frame["days"] > limit) & known
    return frame.assign(dead=dead, silent=frame["silent"].eq(True) & ~dead & known)


def _first_touch(book: Book) -> dt.datetime:
    """Give the instant of the first touch of a deal on record."""
    touches = book.unscoped("activities").filter(_.opportunity_id.notnull())
    first = touches.agg(at=_.occurred_at.min()).to_pandas()["at"].iloc[0]
    return book.instant if pd.isna(first) else pd.Timestamp(first).to_pydatetime()


def share_of_value(deals: pd.DataFrame, part: "pd.Series[bool]") -> float:
    """Give the share of the value that a part of the deals holds; null where none has one."""
    whole = float(deals["cents"].sum())
    return float(deals.loc[part, "cents"].sum()) / whole if whole > 0 else math.nan


def valued(code: str, deals: pd.DataFrame) -> str:
    """Name the sentence that tells of deals with their value, or the one that counts them."""
    return code if deals["cents"].notna().any() else f"{code}_counted"


def touches_missing(book: Book, what: str) -> tuple[Gap, ...]:
    """Say why silence can't be seen: no touch of a deal was ever written down."""
    reason = has_touches(book)
    if reason is not None:
        return (Gap(what=what, reason="missing_column", needs=reason.partition(":")[2]),)
    known = book.unscoped("activities").filter(_.opportunity_id.notnull()).agg(n=_.count())
    if int(known.to_pandas()["n"].iloc[0]):
        return ()
    return (Gap(what=what, reason="no_rows", needs="activities"),)


def _silent(book: Book, period: Period) -> Seen:
    """Deals silent beyond the touch norms against the share that may be."""
    book, norms = standing(book, period), book.settings.norms
    norm = Norm(value=norms.silent_share, tolerance=0.0, source="settings")
    gaps = touches_missing(book, "check.silent_deals")
    if gaps:
        return Seen(value=math.nan, n=0, norm=norm, gaps=gaps)
    deals = quiet_deals(book)
    silent = deals[deals["silent"]]
    share = share_of_value(deals, deals["silent"])
    value = share if share == share or deals.empty else len(silent) / len(deals)
    if len(deals) < norms.too_few or silent.empty:
        return Seen(value=value, n=len(deals), norm=norm)
    gain = _gain_of_talking(book, silent)
    code = valued("diagnosis.silent_deals", silent)
    finding = Finding(
        code=code, severity="act",
        evidence={
            "n": len(silent), "n_open": len(deals), "share": len(silent) / len(deals),
            "norm": norm.value, "times": norms.silent_after,
            "amount": float(silent["cents"].sum()) / 100, "value_share": share,
            "chance": gain.chance, "norm_chance": gain.norm, "n_past": gain.n,
        },
        assumption=f"{code}.assumption" if gain.is_known else NOT_SIZED,
        owner_role="lead", action=f"{code}.action", lesson=LESSON, trust="firm",
    )  # fmt: skip
    p = beyond(len(silent), len(deals), norm.limit)
    test = Tested(p=p, finding=finding, rows=rows_of("opportunities", silent["id"]),
                  gains=gain.on(silent))  # fmt: skip
    return Seen(value=value, n=len(deals), norm=norm, tests=(test,))


def _gain_of_talking(book: Book, silent: pd.DataFrame) -> Gain:
    """How much more often were deals won that were not silent, dead ones left out?"""
    seen, norms = looks(book), book.settings.norms
    if seen is None:
        return Gain.unknown()
    seen = alive(seen, norms.dead_days)
    return gain_of_looks(seen, seen["gap_times"] > norms.silent_after, silent)


def _no_owner(book: Book, period: Period) -> Seen:
    """Open deals and customers that belong to nobody: there should be none."""
    book = standing(book, period)
    deals = open_deals(book).select("id", "owner_id", "cents").to_pandas()
    lost = deals[deals["owner_id"].isna()].sort_values("id")
    parts = [rows_of("opportunities", lost["id"])]
    n, n_accounts = len(deals), 0
    if book.has("accounts.owner_id"):
        accounts = book.accounts.select("id", "owner_id").order_by("id").to_pandas()
        # Where customers have no owners at all they are not kept that way.
        if accounts["owner_id"].notna().any():
            alone = accounts[accounts["owner_id"].isna()]
            parts.append(rows_of("accounts", alone["id"]))
            n, n_accounts = n + len(accounts), len(alone)
    rows = pd.concat(parts, ignore_index=True)
    if rows.empty or deals["owner_id"].isna().all():
        return Seen(value=float(len(rows)) if n else math.nan, n=n)
    finding = Finding(
        code="diagnosis.no_owner", severity="watch",
        evidence={"n": len(rows), "n_deals": len(lost), "n_accounts": n_accounts,
                  "amount": float(lost["cents"].sum()) / 100},
        owner_role="lead", action="diagnosis.no_owner.action", lesson=DATA_LESSON,
    )  # fmt: skip
    return Seen(value=float(len(rows)), n=n, tests=(Tested(p=0.0, finding=finding, rows=rows),))


def _no_contact(book: Book, period: Period) -> Seen:
    """Open deals whose customer has no contact entered, nor the deal itself."""
    book, norms = standing(book, period), book.settings.norms
    norm = Norm(value=norms.no_contact_share, tolerance=0.0, source="settings")
    if not book.n("contacts"):
        gap = Gap(what="check.no_contact", reason="no_rows", needs="contacts")
        return Seen(value=math.nan, n=0, norm=norm, gaps=(gap,))
    deals, people = open_deals(book), book.contacts
    known = deals.account_id.isin(people.account_id.name("known")) if book.has(
        "contacts.account_id") else ibis.literal(False)  # fmt: skip
    if book.has("contacts.opportunity_id"):
        known = known.fill_null(False) | deals.id.isin(people.opportunity_id)
    frame = deals.select("id", "cents", known=known.fill_null(False)).order_by("id").to_pandas()
    without = frame[~frame["known"].astype(bool)]
    value = len(without) / len(frame) if len(frame) else math.nan
    if len(frame) < norms.too_few or without.empty:
        return Seen(value=value, n=len(frame), norm=norm)
    finding = Finding(
        code="diagnosis.no_contact", severity="watch",
        evidence={"n": len(without), "n_open": len(frame), "share": value, "norm": norm.limit,
                  "amount": float(without["cents"].sum()) / 100},
        owner_role="lead", action="diagnosis.no_contact.action", lesson=DATA_LESSON, trust="firm",
    )  # fmt: skip
    test = Tested(p=beyond(len(without), len(frame), norm.limit), finding=finding,
                  rows=rows_of("opportunities", without["id"]))  # fmt: skip
    return Seen(value=value, n=len(frame), norm=norm, tests=(test,))


_DEALS = "opportunities.created_at"
CHECKS: tuple[Check, ...] = (
    Check(id="silent_deals", pain="data", unit="ratio",
          needs=("activities.opportunity_id", "activities.direction", _DEALS), look=_silent),
    Check(id="no_owner", pain="data", unit="count", needs=("opportunities.owner_id",),
          look=_no_owner),
    Check(id="no_contact", pain="data", unit="ratio",
          needs=("contacts.id", "opportunities.account_id"), look=_no_contact),
)  # fmt: skip
