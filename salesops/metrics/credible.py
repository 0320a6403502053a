"""What the open pipeline is worth: each value times the chance to win it by its expected date.

The chance is that of the company's own past: of all deals that stood open in a stage with so many
days left, the share that was won by the date that was expected then.
"""

import datetime as dt
from typing import TypeAlias

import ibis
import pandas as pd
import pyarrow as pa
from ibis import _

from salesops.book.book import Book
from salesops.book.past import grid_of, has_past, open_in_past
from salesops.metrics.coverage import with_won
from salesops.metrics.currency import whole_cents
from salesops.metrics.kept import kept
from salesops.metrics.opendeals import open_deals
from salesops.metrics.workdays import local_day
from salesops.model.calendar import Period

Table: TypeAlias = ibis.Table
# Days left up to which a group goes; beyond the last is a group of its own.
DAYS_LEFT = (14, 30, 60, 90)
EVERY, LOOKS = 14, 26


def _group(days_left: ibis.Value) -> ibis.Value:
    cases = [(days_left <= days, i) for i, days in enumerate(DAYS_LEFT)]
    return ibis.cases(*cases, else_=len(DAYS_LEFT)).cast("int64")


def chances(book: Book, won: pd.DataFrame) -> pd.DataFrame:
    """How often was a deal won by its expected date, by stage and days left?

    Returns
    -------
    pandas.DataFrame
        One row per open stage and group of days left: `stage`, `group`, `n` (deals looked at
        every second week of the last year), `chance`, and `chance_from`: `history` (this group,
        or this stage with the groups put together where it has too few) or `settings`
        (`norms.win_rate`, where the history has too few).
    """
    return kept("chances", book.without_renewals(), lambda: _chances(book, won))


def _chances(book: Book, won: pd.DataFrame) -> pd.DataFrame:
    stages = book.settings.stage_ids("open")
    keys = pd.MultiIndex.from_product([stages, range(len(DAYS_LEFT) + 1)], names=["stage", "group"])
    counts = _counts(book, won).reindex(keys, fill_value=0)
    too_few, norm = book.settings.norms.too_few, book.settings.norms.win_rate
    by_stage = counts.groupby("stage").sum()
    rows = []
    for (stage, group), row in counts.iterrows():
        whole = by_stage.loc[stage]
        chosen = row if row["n"] >= too_few else whole
        known = chosen["n"] >= too_few
        chance = chosen["n_won"] / chosen["n"] if known else norm
        rows.append((stage, group, int(row["n"]), float(chance),
                     "history" if known else "settings"))  # fmt: skip
    return pd.DataFrame(rows, columns=["stage", "group", "n", "chance", "chance_from"])


def _counts(book: Book, won: pd.DataFrame) -> pd.DataFrame:
    """Count looks, and those won by their date, by stage and group of days left."""
    days = [book.date - dt.timedelta(days=EVERY * (i + 1)) for i in range(LOOKS)]
    known = [day for day in days if has_past(book, day)]
    if not known:
        return pd.DataFrame({"n": [], "n_won": []}, dtype="int64")
    far = dt.date(2199, 12, 31)
    slots = [(i, 0, day, Period(day, far, "")) for i, day in enumerate(known)]
    rows = open_in_past(book.without_renewals(), grid_of(book, slots))
    # Only what had to be won by now has shown what became of it.
    ripe = (rows.expected_close_on >= rows.first_on) & (rows.expected_close_on < book.date)
    rows = with_won(rows.filter(ripe), won)
    on_time = rows.is_won & (local_day(book, rows.closed_at) <= rows.expected_close_on)
    left = rows.expected_close_on.delta(rows.first_on, unit="day")
    rows = rows.mutate(on_time=on_time.fill_null(False).ifelse(1, 0), group=_group(left))
    sums = rows.group_by("stage", "group").agg(n=_.count(), n_won=_.on_time.sum())
    return sums.to_pandas().set_index(["stage", "group"]).astype("int64")


def credible_deals(book: Book, table: pd.DataFrame) -> Table:
    """Give the open deals with `chance` of being won by their expected date and `credible_cents`.

    A deal whose date is over, or that has none, can't be won by it: its chance is 0.
    """
    deals = open_deals(book)
    left = deals.expected_close_on.delta(ibis.literal(book.date), unit="day")
    deals = deals.mutate(days_left=left, group_=_group(left))
    found = ibis.memtable(pa.table({
        "of_stage": pa.array(table["stage"], pa.string()),
        "of_group": pa.array(table["group"], pa.int64()),
        "chance_": pa.array(table["chance"], pa.float64()),
        "chance_from": pa.array(table["chance_from"], pa.string()),
    }))  # fmt: skip
    deals = deals.left_join(
        found, [deals.stage == found.of_stage, deals.group_ == found.of_group]
    )  # fmt: skip
    over = deals.days_left.isnull() | (deals.days_left < 0)
    chance = ibis.ifelse(over, 0.0, deals.chance_)
    return deals.mutate(chance=chance, credible_cents=whole_cents(deals.cents * chance)).drop(
        "of_stage", "of_group", "chance_", "group_"
    )
