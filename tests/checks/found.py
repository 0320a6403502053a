"""What tests of checks share: the planted truth, other clean companies, hand-made books."""

import functools

import numpy as np
import pandas as pd

from salesops.book.book import Book, open_book
from salesops.book.write import typed
from salesops.checks.check import Check, Seen, Tested
from salesops.checks.judged import Judged, examine, looked
from salesops.model.settings import Settings
from salesops.sample.options import SampleOptions
from tests.companies import book_of
from tests.fixtures import SAMPLE
from tests.made import made_folder

# Two hundred clean companies are measured by `make validate`.
OTHER_SEEDS = (201,)


def look(check: Check, book: Book) -> Seen:
    """Let a check look at the latest period."""
    return looked(check, book, book.period("latest"))


def judge(book: Book, *checks: Check) -> Judged:
    return examine(book, book.period("latest"), checks)


def only(seen: Seen) -> Tested:
    """Give the one comparison that was made."""
    (test,) = seen.tests
    return test


@functools.cache
def truth() -> pd.DataFrame:
    return pd.read_csv(SAMPLE / "truth" / "rows.csv")


def agreement(rows: pd.DataFrame, problem: str, table: str) -> tuple[float, float]:
    """Give recall and precision of rows against those that the generator wrote down."""
    planted = truth()
    there = set(planted.loc[(planted["problem"] == problem) & (planted["table"] == table), "id"])
    found = set(rows.loc[rows["table"] == table, "id"])
    return len(found & there) / len(there), len(found & there) / len(found)


@functools.cache
def clean_company(seed: int) -> Book:
    """Generate a company without problems."""
    return open_book(made_folder(SampleOptions(clean=True, seed=seed)))


def hand_made(**frames: list[dict[str, object]]) -> Book:
    """Open tables of rows written by hand as a book."""
    return book_of({name: typed(name, pd.DataFrame(rows)) for name, rows in frames.items()})


def permuted(seed: int) -> Book:
    """Open the sample with the people behind all owners exchanged at random, row by row."""
    tables = {}
    rng = np.random.default_rng(seed)
    people = pd.read_csv(SAMPLE / "users.csv")
    reps = people.loc[people["role"] == "rep", "id"].to_numpy()
    for path in sorted([*SAMPLE.glob("*.csv"), *SAMPLE.glob("*.parquet")]):
        frame = pd.read_csv(path) if path.suffix == ".csv" else pd.read_parquet(path)
        if "owner_id" in frame:
            frame["owner_id"] = rng.choice(reps, len(frame))
        if path.stem == "changes":
            owner = frame["field"] == "owner_id"
            for column in ("old_value", "new_value"):
                frame.loc[owner, column] = rng.choice(reps, int(owner.sum()))
        if path.stem in ("users", "opportunities", "accounts", "leads", "activities", "changes",
                         "tracked"):  # fmt: skip
            tables[path.stem] = typed(path.stem, frame)
    return book_of(tables, Settings.read(SAMPLE / "salesops.toml"))
