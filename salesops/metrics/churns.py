"""Recurring contracts that may not be renewed: chances, what is expected, who is at risk."""

from dataclasses import dataclass

import pandas as pd

from salesops.book.book import Book
from salesops.book.scope import Scope
from salesops.methods.chances import Model, Task
from salesops.methods.modelstore import learned
from salesops.methods.rolling import QUARTER, Rolled, quarters_before
from salesops.metrics.contractstates import BEFORE, FEATURES, contract_landmarks
from salesops.metrics.kept import kept
from salesops.metrics.stallreasons import Reason, reasons, signs

REASONS = (
    Reason(id="account_silent", moves=("account_silent_days", "account_touches"),
           shows="account_silent_days"),
    Reason(id="open_tickets", moves=("open_tickets",), shows="open_tickets"),
    Reason(id="many_tickets", moves=("tickets_180",), shows="tickets_180"),
    Reason(id="bad_ratings", moves=("bad_ratings",), shows="bad_ratings"),
    Reason(id="repeat_tickets", moves=("repeat_tickets",), shows="repeat_tickets"),
    Reason(id="late_money", moves=("late_money",), shows="late_money"),
    Reason(id="dropped_before", moves=("n_dropped",), shows="n_dropped"),
    Reason(id="small", moves=("yearly",), shows="yearly", high=False),
    Reason(id="new_customer", moves=("customer_days", "n_contracts", "n_renewed"),
           shows="customer_days", high=False),
    Reason(id="not_opened", moves=("renewal_open",), shows="renewal_open", high=False),
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, eq=False)
class Churns:
    """What is said of contracts whose term ends within half a year.

    Attributes
    ----------
    model, rolled
        Of the chance of not being renewed.
    judged
        The rows of `rolled` with `at`, `id`, `owner_id`, `team`, `money`.
    past
        The landmarks that were learnt from.
    now
        One row per contract of the company that ends within 180 days and is not settled: its state
        and `leaves` (chance of not being renewed).
    reasons
        `metrics.stallreasons.reasons` of these.
    fingerprint
        Of the rows that were learnt from.
    """

    model: Model
    rolled: Rolled
    judged: pd.DataFrame
    past: pd.DataFrame
    now: pd.DataFrame
    reasons: pd.DataFrame
    fingerprint: str


def churns(book: Book) -> Churns | None:
    """Say how likely each recurring contract is not to be renewed; null without any.

    It is learnt from all of the company, whatever the scope.
    """
    whole = book.within(Scope())
    return kept("churns", whole, lambda: _churns(whole))


def _churns(book: Book) -> Churns | None:
    rows = contract_landmarks(book)
    if rows.empty:
        return None
    task = task_of(rows)
    now = rows[rows["on"] == pd.Timestamp(book.date)].reset_index(drop=True)
    last = pd.Timestamp(book.instant)
    past = rows[rows["known_at"] <= last].reset_index(drop=True)
    if past.empty:
        return None
    made = learned("churn", past, task, _origins(book, past))
    keep = [c for c in ("id", "at", "owner_id", "team", "money") if c in past]
    judged = made.rolled.rows.join(past[keep], on="row")
    now = now.assign(leaves=made.model.chance(now))
    weighed = reasons(now, past, made.model, REASONS)
    plain = signs(now[~now["id"].isin(weighed["id"])], past, REASONS)
    why = pd.concat([part for part in (weighed, plain) if len(part)] or [plain], ignore_index=True)
    return Churns(model=made.model, rolled=made.rolled, judged=judged, past=past, now=now,
                  reasons=why,
                  fingerprint=made.card["fingerprint"])  # fmt: skip


def task_of(frame: pd.DataFrame) -> Task:
    """Say which columns of contract landmarks are features."""
    known = [f for f in FEATURES if f.id in frame.columns]
    return Task(numbers=tuple(f.id for f in known if f.unit != "word"),
                words=tuple(f.id for f in known if f.unit == "word"), rule="yearly")  # fmt: skip


def _origins(book: Book, past: pd.DataFrame) -> list[pd.Timestamp]:
    """Give the past instants at which it is judged; of all looked at since the end is known."""
    grace = book.settings.norms.renewal_grace_days
    last = pd.Timestamp(book.instant) - pd.Timedelta(days=BEFORE + grace)
    return quarters_before(last, past["known_at"].min() + pd.Timedelta(days=QUARTER))
