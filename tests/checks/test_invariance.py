"""What must change nothing in the checks: order of rows, other ids; and money in another unit."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from salesops.book.write import read_tables, typed
from salesops.checks.judged import Judged, examine
from salesops.checks.registry import all_checks
from salesops.model.settings import Settings
from salesops.model.tables import TABLES, facts
from tests.companies import book_of
from tests.fixtures import SAMPLE

TIMES = 100
MONEY = {"bookings", "collection"}
# Of the same length, so that their order stays: what is drawn or cut by rank stays too.
PREFIX = "x"


def examined(change: Callable[[str, pd.DataFrame], pd.DataFrame], sample_book) -> Judged:
    tables = {
        name: typed(name, change(name, table.to_pandas()))
        for name, table in read_tables(sample_book.store).items()
    }
    book = book_of(tables, Settings.read(SAMPLE / "salesops.toml"))
    return examine(book, book.period("latest"), all_checks())


@pytest.fixture(scope="module")
def usual(sample_book) -> Judged:
    return examine(sample_book, sample_book.period("latest"), all_checks())


def told(judged: Judged) -> dict[tuple[str, str], tuple[int, dict[str, object]]]:
    """Give by code and subject how many rows a finding names, and its evidence."""
    return {(t.finding.code, t.finding.subject): (len(t.rows), dict(t.finding.evidence))
            for t in judged.held}  # fmt: skip


def disguised(name: str, frame: pd.DataFrame) -> pd.DataFrame:
    """Give rows another order, and every id another name, wherever it stands."""
    frame = frame.sample(frac=1, random_state=np.random.default_rng(7))
    columns = {c for c, fact in facts(name).items() if c == "id" or fact.refers}
    fields = {c for t in TABLES for c, fact in facts(t).items() if fact.refers}
    if name == "changes":
        frame["entity_id"] = PREFIX + frame["entity_id"]
        rows = frame["field"].isin(fields)
        for side in ("old_value", "new_value"):
            frame.loc[rows, side] = PREFIX + frame.loc[rows, side]
        columns -= {"entity_id"}
    if name in ("targets", "forecasts"):
        rows = frame["level"] == "user"
        frame.loc[rows, "key"] = PREFIX + frame.loc[rows, "key"]
    for column in columns & set(frame.columns):
        frame[column] = PREFIX + frame[column].astype(object)
    return frame


def dearer(name: str, frame: pd.DataFrame) -> pd.DataFrame:
    """Write money in a hundredth of its unit."""
    for column, fact in facts(name).items():
        if fact.unit == "money" and column in frame.columns:
            rows = frame["metric"].isin(MONEY) if name == "targets" else slice(None)
            frame.loc[rows, column] = frame.loc[rows, column] * TIMES
    if name == "changes":
        rows = frame["field"].isin(["amount"])
        for side in ("old_value", "new_value"):
            value = pd.to_numeric(frame.loc[rows, side]) * TIMES
            frame.loc[rows, side] = value.map("{:.2f}".format).where(value.notna(), None)
    return frame


def test_another_order_and_other_ids_find_the_same(usual, sample_book):
    other = examined(disguised, sample_book)
    found, wanted = told(other), told(usual)
    strip = {(c, s.removeprefix(PREFIX)): v for (c, s), v in found.items()}
    assert set(strip) == set(wanted)
    for key, (n, facts_) in wanted.items():
        assert strip[key][0] == n, key
        for name, value in facts_.items():
            if isinstance(value, int | float):
                assert strip[key][1][name] == pytest.approx(value, nan_ok=True), (key, name)


def test_money_in_another_unit_scales_money_and_leaves_the_rest(usual, sample_book):
    other = examined(dearer, sample_book)
    assert set(told(other)) == set(told(usual))
    assert [t.finding.code for t in other.held] == [t.finding.code for t in usual.held]
    for one, two in zip(usual.held, other.held, strict=True):
        assert len(one.rows) == len(two.rows), one.finding.code
        if one.finding.recoverable is not None:
            assert two.finding.recoverable.middle == pytest.approx(
                TIMES * one.finding.recoverable.middle, rel=1e-6
            )
