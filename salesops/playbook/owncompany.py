"""The learner's own company: its tables as plain frames, and as a book."""

import datetime as dt
import random
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from salesops.book.book import Book

# Of the learner's folder: where books lie that were opened once.
OPENED = "opened"
_ZONE = "Asia/Shanghai"
# Days without a time of day, as CSV and Parquet files keep them.
_IS_DAY = ("_on", "customer_since")


class OwnCompany:
    """A generated company in a folder, as a learner works with it.

    Parameters
    ----------
    folder
        Where its tables lie.
    seed
        Of the learner: what is drawn for a lesson is drawn from it.

    Notes
    -----
    Frames are read from the files and not through a book, so that an answer is computed by another
    way than the one that the learner takes.
    """

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder = folder
        self.seed = seed
        self._tables: dict[str, pd.DataFrame] = {}

    @cached_property
    def book(self) -> "Book":
        """The company as a book, laid out beside it: the next lesson opens it at once."""
        from salesops.book.book import open_book
        from salesops.book.opened import laid_in

        with laid_in(self.folder.parent / OPENED):
            return open_book(str(self.folder))

    @cached_property
    def today(self) -> pd.Timestamp:
        """The last day that the company's books know."""
        last = self.table("changes")["changed_at"].max()
        return pd.Timestamp(last).normalize()

    def draws(self, name: str) -> random.Random:
        """Give the learner's random numbers of that name."""
        return random.Random(f"{self.seed}/{name}")

    def table(self, name: str) -> pd.DataFrame:
        """Give a table as a frame: money as floats, times in the company's zone, days as days."""
        if name not in self._tables:
            self._tables[name] = _read(self.folder, name)
        return self._tables[name].copy()

    def deals(self) -> pd.DataFrame:
        """Give the deals with `outcome`, and the `team` and `region` of their owners."""
        deals = self.table("opportunities")
        ended = deals["stage"].map({"contract": "won", "lost": "lost", "void": "void"})
        people = self.table("users").set_index("id")
        return deals.assign(
            outcome=ended.fillna("open"),
            team=deals["owner_id"].map(people["team"]),
            region=deals["owner_id"].map(people["region"]),
        )

    def bookings(self) -> pd.DataFrame:
        """Give the contracts in force but those of renewals, as targets count them."""
        contracts, deals = self.table("contracts"), self.table("opportunities").set_index("id")
        renewal = contracts["opportunity_id"].map(deals["type"]) == "renewal"
        return contracts[contracts["cancelled_on"].isna() & ~renewal]

    def deals_at(self, day: pd.Timestamp | str) -> pd.DataFrame:
        """Give the deals as they were known at the end of a day, from the log alone."""
        end = pd.Timestamp(day).normalize() + pd.Timedelta(days=1)
        log = self.table("changes")
        log = log[log["entity"] == "opportunities"]
        later = log[(log["changed_at"] >= end) & (log["field"] != "_row")]
        first = later.sort_values("seq").drop_duplicates(["entity_id", "field"])
        deals = self.table("opportunities")
        deals = deals[deals["created_at"] < end].set_index("id", drop=False)
        for name, edits in first.groupby("field"):
            before = edits.set_index("entity_id")["old_value"]
            known = before[before.index.isin(deals.index)]
            if name == "amount":
                known = known.astype(float)
            elif name in ("expected_close_on", "next_step_due_on"):
                known = pd.to_datetime(known)
            deals.loc[known.index, name] = known
        ended = deals["stage"].map({"contract": "won", "lost": "lost", "void": "void"})
        deals["outcome"] = ended.fillna("open")
        return deals.reset_index(drop=True)


def _read(folder: Path, name: str) -> pd.DataFrame:
    whole = folder / f"{name}.parquet"
    frame = pd.read_parquet(whole) if whole.exists() else pd.read_csv(folder / f"{name}.csv")
    for column in frame.columns:
        if column.endswith(_IS_DAY):
            frame[column] = pd.to_datetime(frame[column])
        elif column.endswith("_at"):
            frame[column] = _local(frame[column])
        elif column in ("amount", "potential", "discount", "share"):
            frame[column] = frame[column].astype(float)
    return frame


def _local(times: pd.Series) -> pd.Series:
    return pd.to_datetime(times, utc=True).dt.tz_convert(_ZONE).dt.tz_localize(None)


def month_of(times: pd.Series) -> pd.Series:
    """Give the month of times or days as 2026-03."""
    return times.dt.strftime("%Y-%m")


def within(times: pd.Series, start: dt.date | str, end: dt.date | str) -> pd.Series:
    """Tell which times lie between two days, both included."""
    last = pd.Timestamp(end) + pd.Timedelta(days=1)
    return (times >= pd.Timestamp(start)) & (times < last)


def share(part: Any, whole: Any) -> float:
    """Divide; not a number where there is nothing to divide by."""
    return float(part) / float(whole) if whole else float("nan")


def picked(draws: random.Random, rows: Iterable[Any], n: int) -> list[Any]:
    """Draw n of the rows."""
    found = list(rows)
    return draws.sample(found, min(n, len(found)))
