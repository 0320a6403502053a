"""Recurring contracts before their term ends: what is known of each, and whether it was renewed."""

import numpy as np
import numpy.typing as npt
import pandas as pd
from ibis import _

from salesops.book.book import Book
from salesops.metrics.dealstates import Feature
from salesops.metrics.kept import kept
from salesops.metrics.recurring import recurring_contracts
from salesops.metrics.tracks import DAY, Track, known_from

Floats = npt.NDArray[np.float64]
# Contracts are looked at from so many days before their end, every so many days, so far back.
BEFORE, APART, MONTHS_BACK = 180, 28, 36

FEATURES = (
    Feature(id="to_end_days", group="age", unit="days"),
    Feature(id="yearly", group="value", unit="money"),
    Feature(id="term_days", group="age", unit="days"),
    Feature(id="customer_days", group="age", unit="days"),
    Feature(id="n_contracts", group="customer", unit="count"),
    Feature(id="n_renewed", group="customer", unit="count"),
    Feature(id="n_dropped", group="customer", unit="count"),
    Feature(id="account_silent_days", group="touch", unit="days",
            needs=("activities.account_id", "activities.direction")),
    Feature(id="account_touches", group="touch", unit="count", needs=("activities.account_id",)),
    Feature(id="tickets_180", group="service", unit="count", needs=("tickets.account_id",)),
    Feature(id="open_tickets", group="service", unit="count", needs=("tickets.account_id",)),
    Feature(id="bad_ratings", group="service", unit="count",
            needs=("tickets.account_id", "tickets.csat")),
    Feature(id="repeat_tickets", group="service", unit="count",
            needs=("tickets.account_id", "tickets.is_repeat")),
    Feature(id="renewal_open", group="deal", unit="count", needs=("opportunities.account_id",)),
    Feature(id="late_money", group="value", unit="count", needs=("instalments.contract_id",)),
    Feature(id="segment", group="customer", unit="word", needs=("accounts.segment",)),
    Feature(id="industry", group="customer", unit="word", needs=("accounts.industry",)),
    Feature(id="team", group="people", unit="word", needs=("users.team",)),
    Feature(id="kind", group="deal", unit="word"),
)  # fmt: skip


def terms(book: Book) -> pd.DataFrame:
    """Give every recurring contract with a term: when it ends, and how that ended.

    Returns
    -------
    pandas.DataFrame
        `id`, `account_id`, `owner_id`, `team`, `signed_on`, `begins_on`, `ends_on`, `yearly`
        (money), `kind` (of its largest recurring line), `renewed_on`, `cancelled_on`, `settled_on`
        (when it was known: the renewal's signing, the cancellation, or the end of the grace days),
        `happened` (it was not renewed).
    """
    return kept("terms", book, lambda: _terms(book))


def _terms(book: Book) -> pd.DataFrame:
    rows = recurring_contracts(book).filter(_.ends_on.notnull(), _.account_id.notnull())
    frame = rows.select(
        "id", "account_id", "signed_on", "begins_on", "ends_on", "cancelled_on", "cancel_reason",
        owner_id="event_owner_id", team="event_team", renewed_on="next_signed_on",
        yearly=rows.yearly_cents / 100,
    ).to_pandas()  # fmt: skip
    for column in ("signed_on", "begins_on", "ends_on", "cancelled_on", "renewed_on"):
        frame[column] = pd.to_datetime(frame[column])
    lines = book.contract_lines.filter(_.kind.isin(("subscription", "maintenance")))
    kinds = lines.group_by("contract_id", "kind").agg(money=_.amount.sum()).to_pandas()
    kinds["money"] = kinds["money"].astype(float)
    kinds = kinds.sort_values("money").drop_duplicates("contract_id", keep="last")
    frame["kind"] = frame["id"].map(kinds.set_index("contract_id")["kind"])
    grace = pd.Timedelta(days=book.settings.norms.renewal_grace_days)
    due = frame["ends_on"] + grace
    renewed = frame["renewed_on"].notna() & (frame["renewed_on"] <= due)
    cancelled = frame["cancelled_on"].notna() & (frame["cancelled_on"] <= due) & ~renewed
    settled = frame["renewed_on"].where(renewed, frame["cancelled_on"].where(cancelled, due))
    return frame.assign(happened=~renewed, settled_on=settled)


def contract_landmarks(book: Book) -> pd.DataFrame:
    """Lay out recurring contracts every four weeks of the half-year before they end.

    Returns
    -------
    pandas.DataFrame
        The features that the book allows, `id` and `unit` (the contract), `account_id`, `on`, `at`,
        `owner_id`, `money` (yearly), `happened` and `known_at` (when the grace days are over).
        What is settled already on a day is not looked at.
    """
    return kept("contract landmarks", book, lambda: _landmarks(book))


def _landmarks(book: Book) -> pd.DataFrame:
    whole = terms(book)
    last = pd.Timestamp(book.date)
    days = [last - pd.Timedelta(days=APART * k) for k in range(MONTHS_BACK * 30 // APART + 1)]
    parts = []
    for day in days:
        here = (whole["signed_on"] <= day) & (whole["begins_on"] <= day)
        here &= (whole["ends_on"] >= day) & (whole["ends_on"] <= day + pd.Timedelta(days=BEFORE))
        # Who signed the renewal already, or cancelled, needs no chance any more.
        settled = (whole["renewed_on"] <= day) | (whole["cancelled_on"] <= day)
        parts.append(whole[here & ~settled].assign(on=day))
    frame = pd.concat(parts, ignore_index=True)
    ends = {day: book.calendar.end_of(day.date()) for day in frame["on"].drop_duplicates()}
    frame["at"] = frame["on"].map(ends).astype("datetime64[us]")
    # Renewals are known sooner than leaving; learning from each when it is known would see the
    # recent past through those that stayed.
    grace = pd.Timedelta(days=book.settings.norms.renewal_grace_days + 1)
    frame["known_at"] = (frame["ends_on"] + grace).astype("datetime64[us]")
    frame = frame.assign(unit=frame["id"], money=frame["yearly"])
    for make in (_of_terms, _of_touch, _of_service, _of_deals, _of_money):
        frame = frame.assign(**make(book, frame))
    return _typed(book, frame)


def _typed(book: Book, frame: pd.DataFrame) -> pd.DataFrame:
    accounts = book.unscoped("accounts")
    words = [c for c in ("segment", "industry") if book.has(f"accounts.{c}")]
    if words:
        told = accounts.select("id", *words).to_pandas().set_index("id")
        frame = frame.assign(**{c: frame["account_id"].map(told[c]) for c in words})
    known = [f for f in FEATURES if all(book.has(need) for need in f.needs) and f.id in frame]
    for feature in known:
        if feature.unit == "word":
            frame[feature.id] = frame[feature.id].astype("string").fillna("").astype("object")
        else:
            frame[feature.id] = frame[feature.id].astype(float)
    keep = ["id", "unit", "account_id", "owner_id", "on", "at", "ends_on", "known_at", "happened",
            "money"]  # fmt: skip
    return frame[[*keep, *(f.id for f in known)]]


def _of_terms(book: Book, frame: pd.DataFrame) -> dict[str, object]:
    whole = terms(book)
    account, at = frame["account_id"], frame["at"]
    signed = Track.of(whole["account_id"], whole["signed_on"])
    renewed = whole[whole["renewed_on"].notna()]
    dropped = whole[whole["happened"] & (whole["settled_on"] <= pd.Timestamp(book.date))]
    first = account.map(whole.groupby("account_id")["signed_on"].min())
    return {
        "to_end_days": (frame["ends_on"] - frame["on"]).dt.days,
        "term_days": (frame["ends_on"] - frame["begins_on"]).dt.days,
        "customer_days": (frame["on"] - first).dt.days,
        "n_contracts": signed.count(account, at),
        "n_renewed": Track.of(renewed["account_id"], renewed["renewed_on"]).count(account, at),
        "n_dropped": Track.of(dropped["account_id"], dropped["settled_on"]).count(account, at),
    }


def _of_touch(book: Book, frame: pd.DataFrame) -> dict[str, object]:
    if not book.has("activities.account_id"):
        return {}
    rows = book.unscoped("activities")
    columns = [c for c in ("account_id", "opportunity_id", "direction", "occurred_at", "logged_at")
               if c in rows.columns]  # fmt: skip
    touches = rows.select(*columns).to_pandas()
    if "opportunity_id" in touches:
        deals = book.unscoped("opportunities").select("id", "account_id").to_pandas()
        of_deal = touches["opportunity_id"].map(deals.set_index("id")["account_id"])
        touches["account_id"] = touches["account_id"].fillna(of_deal)
    known = known_from(touches)
    account, at = frame["account_id"], frame["at"]
    every = Track.of(touches["account_id"], known, touches["occurred_at"])
    found: dict[str, object] = {"account_touches": every.count(account, at, 90)}
    if "direction" in touches:
        two = touches["direction"] == "two_way"
        last = Track.of(touches.loc[two, "account_id"], known[two], touches.loc[two, "occurred_at"])
        seconds = frame["at"].astype("datetime64[s]").astype("int64").to_numpy()
        found["account_silent_days"] = (seconds - last.latest(account, at)) / DAY
    return found


def _of_service(book: Book, frame: pd.DataFrame) -> dict[str, object]:
    if not book.has("tickets.account_id"):
        return {}
    rows = book.unscoped("tickets").to_pandas()
    account, at = frame["account_id"], frame["at"]
    opened = Track.of(rows["account_id"], rows["opened_at"])
    closed = Track.of(rows["account_id"], rows["closed_at"])
    found: dict[str, object] = {
        "tickets_180": opened.count(account, at, 180),
        "open_tickets": opened.count(account, at) - closed.count(account, at),
    }
    if "csat" in rows:
        bad = rows[rows["csat"] <= 3]
        found["bad_ratings"] = Track.of(bad["account_id"], bad["closed_at"]).count(account, at, 365)
    if "is_repeat" in rows:
        again = rows[rows["is_repeat"].eq(True)]
        found["repeat_tickets"] = Track.of(again["account_id"],
                                           again["opened_at"]).count(account, at, 365)  # fmt: skip
    return found


def _of_deals(book: Book, frame: pd.DataFrame) -> dict[str, object]:
    """Count the renewals that are open at the customer: opened and not ended by then."""
    deals = book.unscoped("opportunities")
    if "type" not in deals.columns:
        return {}
    mine = deals.filter(deals.type == "renewal").select("account_id", "created_at", "closed_at")
    rows = mine.to_pandas()
    account, at = frame["account_id"], frame["at"]
    opened = Track.of(rows["account_id"], rows["created_at"]).count(account, at)
    return {"renewal_open": opened - Track.of(rows["account_id"],
                                              rows["closed_at"]).count(account, at)}  # fmt: skip


def _of_money(book: Book, frame: pd.DataFrame) -> dict[str, object]:
    """Count the instalments of the customer that were due and not yet settled by then."""
    if not book.has("instalments.contract_id") or not book.has("receipts.instalment_id"):
        return {}
    contracts = book.unscoped("contracts").select("id", "account_id").to_pandas()
    of = contracts.set_index("id")["account_id"]
    due = book.unscoped("instalments").select("id", "contract_id", "due_on").to_pandas()
    came = book.unscoped("receipts").select("instalment_id", "received_on").to_pandas()
    due["account_id"] = due["contract_id"].map(of)
    last = pd.to_datetime(came.groupby("instalment_id")["received_on"].max())
    due["paid_on"] = due["id"].map(last)
    account, at = frame["account_id"], frame["at"]
    day = pd.to_datetime(due["due_on"])
    fell = Track.of(due["account_id"], day).count(account, at)
    # Paid ahead of its day it never was late.
    settled = Track.of(due["account_id"], due["paid_on"].where(due["paid_on"] > day, day).where(
        due["paid_on"].notna())).count(account, at)  # fmt: skip
    return {"late_money": fell - settled}
