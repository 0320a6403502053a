"""On which day was which part of an instalment paid, as it looked on any day of the past.

The same rules as `allocation`, for frames in memory and with the days of the money, so that past
dates can be looked at without asking the engine for each.
"""

import datetime as dt
from dataclasses import dataclass, replace
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt
import pandas as pd
from ibis import _

from salesops.book.book import Book
from salesops.metrics.allocation import signed_contracts, whole_instalments, whole_receipts
from salesops.metrics.credited import PEOPLE, shares_inside

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
_EPOCH = dt.date(1970, 1, 1)
NEVER = 10**7  # a day that no calendar reaches
_OPEN_COLUMNS = ("id", "contract_id", "account_id", "trigger", "due_on", "cents", "signed_on",
                 "accepted_on", "cancelled_on")  # fmt: skip


def day_number(day: dt.date) -> int:
    """Count the days since 1970."""
    return (day - _EPOCH).days


def _numbers(days: "pd.Series[object]", empty: float) -> Floats:
    dates = pd.to_datetime(days)
    return ((dates - pd.Timestamp(_EPOCH)) / pd.Timedelta(days=1)).fillna(empty).to_numpy(float)


@dataclass(frozen=True, kw_only=True, eq=False)
class Ledger:
    """Instalments and dated receipts of a book, days as numbers.

    Attributes
    ----------
    instalments
        One row per instalment, undivided, by contract, first due date and id: the columns of
        `whole_instalments`, `of` (number of its contract), `share` (0-1, of its money that belongs
        to people in scope), `owner_id`, `team`, `region`, `due`, `signed`, `accepted`, `cancelled`
        (days; `NEVER` where there is none, signed from ever).
    receipts
        One row per receipt with a contract and a day, undivided: `of`, `row` (of the instalment
        that is named, −1 where none is), `day`, `cents`.
    undated
        How many receipts have no day.
    knows_acceptance
        Whether acceptances are entered at all.
    today
        The book's date.
    """

    instalments: pd.DataFrame
    receipts: pd.DataFrame
    undated: int
    knows_acceptance: bool
    today: int


_KEPT: "WeakKeyDictionary[Book, Ledger]" = WeakKeyDictionary()


def ledger(book: Book) -> Ledger:
    """Read a book's instalments and receipts into memory, once."""
    if book not in _KEPT:
        _KEPT[book] = _read(book)
    return _KEPT[book]


def _read(book: Book) -> Ledger:
    rows = whole_instalments(book).select(*_OPEN_COLUMNS).to_pandas()
    people = signed_contracts(book).select("id", *PEOPLE).to_pandas().set_index("id")
    rows = rows.join(people, on="contract_id")
    rows["share"] = rows["contract_id"].map(shares_inside(book)).fillna(1.0)
    came = whole_receipts(book).filter(_.contract_id.notnull()).to_pandas()
    rows["due"] = _numbers(rows["due_on"], NEVER)
    rows["signed"] = _numbers(rows["signed_on"], -NEVER)
    rows["accepted"] = _numbers(rows["accepted_on"], NEVER)
    rows["cancelled"] = _numbers(rows["cancelled_on"], NEVER)
    keyed = rows["contract_id"].fillna("instalment " + rows["id"])
    names = pd.Index(pd.unique(pd.concat([keyed, came["contract_id"]])))
    rows["of"] = names.get_indexer(keyed)
    rows = rows.sort_values(["of", "due", "id"], ignore_index=True)
    dated = came[came["received_on"].notna()]
    place = pd.Series(rows.index, index=rows["id"])
    receipts = pd.DataFrame({
        "of": names.get_indexer(dated["contract_id"]),
        "row": dated["instalment_id"].map(place).fillna(-1).astype(int),
        "day": _numbers(dated["received_on"], NEVER),
        "cents": dated["cents"].astype(float),
    }).sort_values(["day"], kind="stable", ignore_index=True)  # fmt: skip
    known = bool(rows["accepted_on"].notna().any())
    return Ledger(instalments=rows, receipts=receipts, undated=len(came) - len(dated),
                  knows_acceptance=known, today=day_number(book.date))  # fmt: skip


def seen_on(whole: Ledger, day: int) -> Ledger:
    """Give the ledger as it was known at the end of a day."""
    receipts = whole.receipts[whole.receipts["day"] <= day]
    rows = whole.instalments
    rows = rows.assign(
        cancelled=rows["cancelled"].where(rows["cancelled"] <= day, NEVER),
        accepted=rows["accepted"].where(rows["accepted"] <= day, NEVER),
    )
    # Instalments keep their places; those of contracts signed later are left out by `known`. A
    # contract without a date is known today alone, as everywhere.
    dated = rows["signed"] > -NEVER
    known = (rows["signed"] <= day) & (dated | (day >= whole.today))
    return replace(whole, instalments=rows.assign(known=known), receipts=receipts)


def _gone(rows: pd.DataFrame) -> Bools:
    """Say which instalments were cancelled before they fell due."""
    return np.asarray((rows["cancelled"] < NEVER) & (rows["due"] > rows["cancelled"]))


def parts_paid(book: Ledger) -> pd.DataFrame:
    """When was what part of which instalment paid?

    Returns
    -------
    pandas.DataFrame
        One row per part: `row` (of the instalment), `day`, `cents`. Refunds have taken back what
        came last.
    """
    rows, money = book.instalments, book.receipts
    if rows.empty or money.empty:
        return pd.DataFrame({"row": np.zeros(0, int), "day": np.zeros(0), "cents": np.zeros(0)})
    if "known" in rows:
        known = rows["known"].to_numpy()
        money = money[known[money["row"].clip(lower=0)] | (money["row"] < 0)]
    n, of = len(rows), rows["of"].to_numpy()
    owed = np.where(rows.get("known", True), np.maximum(rows["cents"].to_numpy(float), 0.0), 0.0)
    contracts = int(max(of.max(), money["of"].max())) + 1
    named, free = money[money["row"] >= 0], money[money["row"] < 0]
    net = np.bincount(named["row"], weights=named["cents"], minlength=n)
    by_name: Floats = np.clip(net, 0, owed)
    # Of no rows numpy counts whole numbers, hence the sum.
    pool = np.bincount(free["of"], weights=free["cents"], minlength=contracts) + np.bincount(
        of, weights=net - by_name, minlength=contracts
    )
    room: Floats = np.where(_gone(rows), 0.0, owed - by_name)
    before = _before(room, of)
    more: Floats = np.clip(pool[of] - before, 0, room)
    after = np.bincount(of, weights=by_name, minlength=contracts)[of]
    after = after - _before(by_name, of) - by_name
    less: Floats = np.clip(-pool[of] - after, 0, by_name)
    came = named[named["cents"] > 0].rename(columns={"row": "key"})
    direct = _overlaps(came, np.arange(n), np.zeros(n), by_name - less)
    spare = _overlaps(came, np.arange(n), by_name, net)
    spare = spare.assign(key=of[spare["row"]])[["key", "day", "cents"]]
    free = free[free["cents"] > 0].rename(columns={"of": "key"})[["key", "day", "cents"]]
    loose = pd.concat([free, spare]).sort_values("day", kind="stable")
    later = _overlaps(loose, of, before, before + more)
    return pd.concat([direct, later], ignore_index=True)


def _before(amount: Floats, of: npt.NDArray[np.int64]) -> Floats:
    """Sum what stands before each row within its contract."""
    running = np.cumsum(amount) - amount
    first = np.r_[True, of[1:] != of[:-1]]
    start = np.maximum.accumulate(np.where(first, np.arange(len(of)), 0))
    return np.asarray(running - running[start])


def _overlaps(money: pd.DataFrame, key: npt.NDArray[np.int64], low: Any, high: Any
              ) -> pd.DataFrame:  # fmt: skip
    """Lay money, in its order, end to end by key and cut it at the bounds of the rows."""
    run = money.groupby("key")["cents"].cumsum()
    laid = pd.DataFrame({"key": money["key"], "day": money["day"], "start": run - money["cents"],
                         "end": run})  # fmt: skip
    bounds = pd.DataFrame({"key": key, "row": np.arange(len(key)), "low": low, "high": high})
    met = laid.merge(bounds[bounds["high"] > bounds["low"]], on="key")
    cents = np.minimum(met["end"], met["high"]) - np.maximum(met["start"], met["low"])
    found = met.assign(cents=cents)[["row", "day", "cents"]]
    return found[found["cents"] > 0].reset_index(drop=True)
