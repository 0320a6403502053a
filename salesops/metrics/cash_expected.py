"""How much of what customers owe will come in, by when, judged by how late each of them pays.

Each instalment waits for its money from the signing on. The hazard of payment by days after the
due date is learnt per trigger, with instalments that are still unpaid counted as still waiting;
each customer has a pace before and a pace after the due date, shrunk towards that of all.
"""

import datetime as dt
import math
from dataclasses import dataclass
from typing import TypeAlias
from weakref import WeakKeyDictionary

import ibis
import numpy as np
import pandas as pd

from salesops.book.book import Book
from salesops.methods.frailty import Floats, Hazard, Paces, paced_hazards
from salesops.methods.intervals import Z80
from salesops.metrics.allocation import AFTER_ACCEPTANCE
from salesops.metrics.credited import PEOPLE, people_of
from salesops.metrics.metric import Estimate, Metric, Table
from salesops.metrics.payments import (
    NEVER,
    Bools,
    Ledger,
    day_number,
    ledger,
    parts_paid,
    seen_on,
)
from salesops.model.calendar import Period

HORIZONS = (30, 60, 90)
LEARNT_DAYS = 730
ENOUGH = 30
_ORIGINS = 12
_ALL = ""


@dataclass(frozen=True, kw_only=True, eq=False)
class Outlook:
    """What may come in for what is agreed, seen from one day.

    Attributes
    ----------
    rows
        One row per instalment with something unpaid: `id`, `contract_id`, `account_id`,
        `owner_id`, `team`, `region`, `trigger`, `due_on`, `unpaid_cents` (as far as it belongs to
        people in scope), `waits` (true where the customer has to sign the acceptance first: no
        money is expected of it) and for each horizon
        `chance_<days>_share` (chance that its rest has come in by then, 0–1).
    paid_n
        Payments from which the chances were learnt, by weight of instalments.
    """

    rows: pd.DataFrame
    paid_n: float
    before: "dict[int, Floats]"
    after: "dict[int, Floats]"
    customer: "np.ndarray[tuple[int], np.dtype[np.int64]]"
    early: Paces
    late: Paces

    def expected(self, days: int) -> float:
        """Give the money expected within so many days."""
        return float((self.rows["unpaid_cents"] * self.rows[f"chance_{days}_share"]).sum() / 100)

    def deviation(self, days: int, cents: Floats | None = None) -> float:
        """Give the standard deviation of the money within so many days, for `cents` of each row.

        Each instalment comes or does not; those of one customer share the customer's pace.
        """
        owed = self._owed(cents)
        picked = np.flatnonzero(owed)
        money = owed[picked]
        who = self.customer[picked]
        before: Floats = self.before[days][picked]
        after: Floats = self.after[days][picked]
        stays = _staying(self.early, who, before, self.late, after)
        listed = pd.DataFrame({"who": who, "row": np.arange(len(picked))})
        pairs = listed.merge(listed, on="who", suffixes=("", "_other"))
        one, other = pairs["row"].to_numpy(), pairs["row_other"].to_numpy()
        both = _staying(self.early, who[one], before[one] + before[other], self.late,
                        after[one] + after[other])  # fmt: skip
        both = np.where(one == other, stays[one], both)
        return float(
            np.sqrt((money[one] * money[other] * (both - stays[one] * stays[other])).sum())
        )

    def edges(self, days: int, cents: Floats | None = None) -> tuple[float, float]:
        """Give the 80 % range of the money within so many days, between nothing and all."""
        owed = self._owed(cents)
        middle = float((owed * self.rows[f"chance_{days}_share"]).sum())
        reach = Z80 * self.deviation(days, cents)
        return max(middle - reach, 0.0), min(middle + reach, float(owed.sum()))

    def _owed(self, cents: Floats | None) -> Floats:
        found = self.rows["unpaid_cents"].to_numpy(float) if cents is None else cents
        return np.asarray(found / 100)


_KEPT: "WeakKeyDictionary[Book, Outlook | None]" = WeakKeyDictionary()
_LOOKED_BACK: "WeakKeyDictionary[Book, pd.DataFrame]" = WeakKeyDictionary()


def outlook(book: Book) -> Outlook | None:
    """What may come in within 30, 60 and 90 days for what is agreed, as known at the book's date?

    Returns
    -------
    Outlook or None
        None where fewer than 30 instalments have been paid, or where receipts have no dates.

    Notes
    -----
    It speaks of contracts that are signed; what is signed later adds to it. No money is expected
    of instalments without a date, or that wait for an acceptance past their due date.
    """
    if book not in _KEPT:
        found = ledger(book)
        _KEPT[book] = None if found.undated else look_ahead(found, day_number(book.date))
    return _KEPT[book]


def look_ahead(whole: Ledger, day: int, horizons: tuple[int, ...] = HORIZONS) -> Outlook | None:
    """Learn from a ledger and look ahead from a day; none where it holds too little to learn."""
    book = seen_on(whole, day)
    rows, parts = book.instalments, parts_paid(book)
    seen = _waits(book, parts, day)
    events = float(seen.loc[seen["happened"], "weight"].sum())
    if events < ENOUGH:
        return None
    customers = pd.Index(rows["account_id"].fillna("contract " + rows["of"].astype(str)))
    names = pd.Index(np.unique(customers))
    customer = names.get_indexer(customers)
    early, late = _learnt(seen.assign(group=customer[seen["row"]]), len(names))
    paid = np.bincount(parts["row"], weights=parts["cents"], minlength=len(rows))
    unpaid = np.maximum(rows["cents"].to_numpy(float) - paid, 0)
    rest = (unpaid > 0) & (rows["cancelled"] == NEVER).to_numpy() & rows["known"].to_numpy()
    mine = np.floor(unpaid[rest] * rows["share"].to_numpy(float)[rest] + 0.5)
    left = rows[rest].assign(unpaid_cents=mine.astype("int64"))
    waits = _acceptance_missing(book, left) & (left["due"] <= day).to_numpy()
    age = np.where(left["due"] < NEVER, day - left["due"], np.nan)
    counted = ~np.isnan(age) & ~waits
    before = _exponents(left, age, early[0], counted, horizons)
    after = _exponents(left, age, late[0], counted, horizons)
    customer = customer[rest]
    chances = {
        f"chance_{h}_share": 1 - _staying(early[1], customer, before[h], late[1], after[h])
        for h in horizons
    }
    names_ = ["id", "contract_id", "account_id", "owner_id", "team", "region", "trigger", "due_on",
              "unpaid_cents"]  # fmt: skip
    shown = left[names_].assign(waits=waits, **chances).reset_index(drop=True)
    return Outlook(rows=shown, paid_n=events, before=before, after=after, customer=customer,
                   early=early[1], late=late[1])  # fmt: skip


def _acceptance_missing(book: Ledger, rows: pd.DataFrame) -> Bools:
    if not book.knows_acceptance:
        return np.zeros(len(rows), dtype=bool)
    waiting = rows["trigger"].isin(AFTER_ACCEPTANCE) & (rows["accepted"] == NEVER)
    return np.asarray(waiting, dtype=bool)


def _waits(book: Ledger, parts: pd.DataFrame, day: int) -> pd.DataFrame:
    """List how long each part of an instalment waited: until paid, or until now."""
    rows = book.instalments
    usable = (rows["cents"] > 0) & (rows["due"] >= day - LEARNT_DAYS) & (rows["due"] < NEVER)
    usable = usable.to_numpy() & rows["known"].to_numpy()
    due, cents = rows["due"].to_numpy(), rows["cents"].to_numpy(float)
    entry = rows["signed"].to_numpy() - due - 1
    # Until the acceptance nobody pays what falls due with it: from its due day on it waits apart.
    by_acceptance = rows["trigger"].isin(AFTER_ACCEPTANCE).to_numpy() & book.knows_acceptance
    accepted = rows["accepted"].to_numpy()
    late = by_acceptance & (accepted > due) & (accepted < NEVER)
    entry = np.where(late, np.maximum(entry, accepted - due - 1), entry)
    end = np.minimum(rows["cancelled"].to_numpy(), day) - due
    end = np.where(by_acceptance & (accepted == NEVER), np.minimum(end, 0), end)
    paid = parts[usable[parts["row"]]]
    row = paid["row"].to_numpy()
    came = pd.DataFrame({"row": row, "age": paid["day"].to_numpy() - due[row], "happened": True,
                         "weight": paid["cents"].to_numpy() / cents[row]})  # fmt: skip
    share = np.bincount(parts["row"], weights=parts["cents"], minlength=len(rows))
    rest = np.flatnonzero(usable & (cents - share > 0.5))
    open_ = pd.DataFrame({"row": rest, "age": end[rest], "happened": False,
                          "weight": 1 - share[rest] / cents[rest]})  # fmt: skip
    seen = pd.concat([came, open_], ignore_index=True)
    seen["entry"] = np.minimum(entry[seen["row"]], seen["age"] - 1)
    seen.loc[~seen["happened"], "entry"] = np.minimum(entry[rest], end[rest])
    kind = rows["trigger"].fillna(_ALL).to_numpy()
    return seen.assign(kind=kind[seen["row"]])


Learnt: TypeAlias = tuple[dict[str, Hazard], Paces]


def _learnt(seen: pd.DataFrame, n: int) -> tuple[Learnt, Learnt]:
    """Learn what happens up to the due day and, for what is unpaid by then, after it."""
    late = seen["age"] > 0
    early = seen.assign(
        happened=seen["happened"] & ~late, age=seen["age"].clip(upper=0.0),
    )[seen["entry"] < 0]  # fmt: skip
    rest = seen.assign(entry=seen["entry"].clip(lower=0.0))[late]
    found = []
    for waits in (early, rest):
        came = waits[waits["happened"]].groupby("kind")["weight"].sum()
        kinds = tuple(str(kind) for kind in came.index[came >= ENOUGH] if kind != _ALL)
        found.append(paced_hazards(waits, n, kinds))
    return found[0], found[1]


def _exponents(
    left: pd.DataFrame,
    age: Floats,
    curves: dict[str, Hazard],
    counted: Bools,
    horizons: tuple[int, ...],
) -> dict[int, Floats]:
    """Give for each horizon −log of the chance to stay unpaid at pace 1."""
    found = {h: np.zeros(len(left)) for h in horizons}
    kind = left["trigger"].where(left["trigger"].isin(list(curves)), _ALL).to_numpy()
    for name, curve in curves.items():
        rows = (kind == name) & counted
        for h in horizons:
            found[h][rows] = curve.exponent(age[rows] + h) - curve.exponent(age[rows])
    return found


def _staying(
    early: Paces, customer: "np.ndarray", before: Floats, late: Paces, after: Floats
) -> Floats:
    """Average the chance to stay unpaid over all that a customer's pace may be."""
    stays = (1 + before / early.rate[customer]) ** -early.shape[customer]
    return np.asarray(stays * (1 + after / late.rate[customer]) ** -late.shape[customer])


def looking_back(book: Book) -> pd.DataFrame:
    """How far was the expectation of past dates from what then came in?

    Returns
    -------
    pandas.DataFrame
        One row per past date, every 30 days, and horizon: `day` (date), `days` (horizon),
        `expected`, `low`, `high` (80 %, as computed), `came` (money that came in for what was
        signed by then), `beyond` (distance from the expectation in units of the range on its side;
        1 is its edge), `inside` (whether it lay in the range as the other dates would have
        widened it). Empty where there is too little to look back on.
    """
    if book not in _LOOKED_BACK:
        _LOOKED_BACK[book] = _looked_back(book)
    return _LOOKED_BACK[book]


def _looked_back(book: Book) -> pd.DataFrame:
    columns = ["day", "days", "expected", "low", "high", "came", "beyond"]
    whole = ledger(book)
    parts = parts_paid(whole)
    found = []
    for k in range(0 if whole.undated else _ORIGINS):
        on = book.date - dt.timedelta(days=max(HORIZONS) + k * min(HORIZONS))
        seen = look_ahead(whole, day_number(on))
        if seen is None:
            break
        for h in HORIZONS:
            low, high = seen.edges(h)
            middle, came = seen.expected(h), came_in(whole, parts, day_number(on), h)
            side = high - middle if came > middle else middle - low
            beyond = abs(came - middle) / side if side > 0 else float(came != middle)
            found.append((on, h, middle, low, high, came, beyond))
    frame = pd.DataFrame(found, columns=columns)
    others = [_widening(frame.loc[frame["day"] != day, "beyond"]) for day in frame["day"]]
    return frame.assign(inside=frame["beyond"].to_numpy() <= np.array(others, dtype=float))


def _widening(beyond: "pd.Series[float]") -> float:
    """Say by how much ranges have to be widened so that eight in ten held; never narrowed."""
    return max(float(beyond.quantile(0.8)), 1.0) if len(beyond) else 1.0


def expected_range(book: Book, days: int) -> tuple[float, float]:
    """Give the 80 % range of the money that comes in within so many days."""
    seen = outlook(book)
    if seen is None:
        return (math.nan, math.nan)
    return _widened(book, seen.expected(days), *seen.edges(days))


def expected_until(book: Book, day: dt.date) -> tuple[float, float, float]:
    """Give the money expected up to a later day and its range; null where nothing can be said."""
    days = (day - book.date).days
    found = ledger(book)
    if days <= 0 or found.undated:
        return (math.nan, math.nan, math.nan)
    seen = look_ahead(found, day_number(book.date), (days,))
    if seen is None:
        return (math.nan, math.nan, math.nan)
    middle = seen.expected(days)
    return (middle, *_widened(book, middle, *seen.edges(days)))


def _widened(book: Book, middle: float, low: float, high: float) -> tuple[float, float]:
    widen = _widening(looking_back(book)["beyond"])
    return max(middle - widen * (middle - low), 0.0), middle + widen * (high - middle)


def came_in(whole: Ledger, parts: pd.DataFrame, day: int, days: int) -> float:
    """Sum the parts paid after a day for instalments of contracts signed by then.

    Of each counts what belongs to people in scope.
    """
    signed = whole.instalments["signed"].to_numpy()[parts["row"]] <= day
    inside = signed & (parts["day"] > day).to_numpy() & (parts["day"] <= day + days).to_numpy()
    share = whole.instalments["share"].to_numpy(float)[parts["row"]]
    return float((parts["cents"].to_numpy() * share)[inside].sum() / 100)


def _expected_rows(book: Book, _period: Period, by: tuple[str, ...]) -> Table:
    seen = outlook(book)
    assert seen is not None  # `undefined` has said so
    sides = [c for c in PEOPLE if c in by]
    if not (sides and book.has("credits")):
        return ibis.memtable(seen.rows)
    return ibis.memtable(_parts(seen.rows, people_of(book).to_pandas(), sides))


def _parts(rows: pd.DataFrame, people: pd.DataFrame, sides: list[str]) -> pd.DataFrame:
    """Lay out instalments by owner, team or region, each with their part of what is unpaid."""
    laid = rows.drop(columns=list(PEOPLE)).merge(people, on="contract_id", how="left")
    laid = laid.sort_values(["id", "place"], kind="stable")
    part = (laid["to_"] - laid["from_"]).fillna(1.0)
    of = laid["id"]
    upto = part.groupby(of).cumsum() / part.groupby(of).transform("sum")
    cents = np.floor(laid["unpaid_cents"] * upto + 0.5)
    laid["unpaid_cents"] = (cents - cents.groupby(of).shift(fill_value=0)).astype("int64")
    keys = ["id", *(PEOPLE if "owner_id" in sides else sides)]
    total = laid.groupby(keys, dropna=False)["unpaid_cents"].transform("sum")
    laid = laid.assign(unpaid_cents=total).drop_duplicates(keys)
    return laid[list(rows.columns)].reset_index(drop=True)


def _expected(frame: pd.DataFrame, book: Book, _period: Period) -> Estimate:
    seen = outlook(book)
    assert seen is not None
    of_group = frame.set_index("id")["unpaid_cents"]
    cents = seen.rows["id"].map(of_group).fillna(0).to_numpy(float)
    value = float((frame["unpaid_cents"] * frame["chance_90_share"]).sum() / 100)
    low, high = _widened(book, value, *seen.edges(90, cents))
    return Estimate(value=value, low=low, high=high)


def _too_little(book: Book) -> str | None:
    if outlook(book) is not None:
        return None
    return "too_few_payments"


CASH_EXPECTED = Metric(
    id="cash_expected", unit="money", better="up",
    needs=("instalments.amount", "receipts.received_on"), grain="instalment", dated="",
    rows_by=_expected_rows, estimate=_expected, undefined=_too_little,
)  # fmt: skip
