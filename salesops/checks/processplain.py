"""What is filled in, and what dates and counts alone say of a process without a history."""

import datetime as dt
import math

import ibis
import pandas as pd
from ibis import _

from salesops.book.book import Book
from salesops.book.moment import instant
from salesops.metrics.ageing import WEEK
from salesops.metrics.alldeals import all_deals
from salesops.metrics.changed import names_of
from salesops.metrics.opendeals import open_deals
from salesops.model.tables import facts

FIELDS = ["field", "required", "n", "filled", "filled_share", "prior_share"]
LATE = ["id", "name", "owner_id", "owner", "stage", "open_days", "drawn_days", "amount"]
BANDS = ["band", "least", "most", "n_won", "won_days", "n_lost", "lost_days"]
YEAR = 365
# Bands of value are made where so many ended deals have one.
MOSTLY = 0.9
# What people enter by hand: table, column, the deals that need it, and whether a deal must have it.
_EVER, _OPEN, _LOST = "", "open", "lost"
ENTERED = (
    ("opportunities", "account_id", _EVER, True), ("opportunities", "amount", _EVER, True),
    ("opportunities", "source", _EVER, True), ("opportunities", "product_line", _EVER, True),
    ("opportunities", "expected_close_on", _OPEN, True),
    ("opportunities", "next_step", _OPEN, True),
    ("opportunities", "next_step_due_on", _OPEN, True),
    ("opportunities", "lost_reason", _LOST, True), ("opportunities", "competitor", _LOST, False),
    ("opportunities", "forecast_category", _OPEN, False),
    ("accounts", "industry", _EVER, False), ("accounts", "segment", _EVER, False),
    ("accounts", "region", _EVER, False), ("accounts", "tax_id", _EVER, False),
    ("accounts", "phone", _EVER, False), ("accounts", "potential", _EVER, False),
    ("contacts", "title", _EVER, False), ("contacts", "decision_role", _EVER, False),
    ("contacts", "phone", _EVER, False), ("contacts", "email", _EVER, False),
    ("leads", "company", _EVER, False), ("leads", "phone", _EVER, False),
    ("leads", "source", _EVER, False), ("leads", "campaign", _EVER, False),
)  # fmt: skip


def fields_filled(book: Book) -> pd.DataFrame:
    """Which fields do people fill in, and which does nobody?

    Returns
    -------
    pandas.DataFrame
        One row per field that the CRM has and that rows need, least filled first: `field`
        (`<table>.<column>`), `required` (each deal must have it), `n` (rows created in the last
        365 days, or all where that is not known), `filled`, `filled_share`, `prior_share` (the
        365 days before; null without rows).
    """
    rows: list[tuple[object, ...]] = []
    for table in dict.fromkeys(entry[0] for entry in ENTERED):
        if book.has(table):
            rows += _of_table(book, table)
    frame = pd.DataFrame(rows, columns=FIELDS)
    frame = frame.astype(dict.fromkeys(("n", "filled", "filled_share", "prior_share"), "float64"))
    return frame.sort_values(["filled_share", "field"], kind="stable", ignore_index=True)


def _recorded(book: Book, table: str, column: str) -> bool:
    """Say whether the CRM has a column, and its values of the book's date are known."""
    if not book.has(f"{table}.{column}"):
        return False
    is_now = book.instant >= book.store.latest
    return is_now or facts(table)[column].kind != "moving" or book.is_tracked(table, column)


def _of_table(book: Book, table: str) -> list[tuple[object, ...]]:
    """Count for each field of a table the rows that need it and those that have it."""
    fields = [entry for entry in ENTERED if entry[0] == table and _recorded(book, *entry[:2])]
    if not fields:
        return []
    source = book.without_renewals().table(table)
    now, before = _years(book, table, source)
    sums: dict[str, ibis.Value] = {}
    for i, (_table, column, needed, _required) in enumerate(fields):
        rows = source.outcome == needed if needed else source.id.notnull()
        has = _is_filled(source[column])
        for name, then in (("n", now), ("before", before)):
            here = (rows & then).fill_null(False)
            sums[f"{name}_{i}"] = here.ifelse(1, 0).sum()
            sums[f"{name}_has_{i}"] = (here & has).ifelse(1, 0).sum()
    got = source.agg(**sums).to_pandas().astype("float64").fillna(0.0).iloc[0]
    found: list[tuple[object, ...]] = []
    for i, (_table, column, _needed, required) in enumerate(fields):
        n, hits, n_before, hits_before = (
            float(got[f"{name}_{i}"]) for name in ("n", "n_has", "before", "before_has")
        )
        if n:
            prior = hits_before / n_before if n_before else math.nan
            found.append((f"{table}.{column}", required, n, hits, hits / n, prior))
    return found


def _years(book: Book, table: str, source: ibis.Table) -> tuple[ibis.Value, ibis.Value]:
    """Mark the rows of the last year and of the one before, by their creation."""
    if not book.has(f"{table}.created_at"):
        return source.id.notnull(), source.id.isnull()
    days = (book.date - dt.timedelta(days=back) for back in (YEAR, 2 * YEAR))
    start, earlier = (instant(book.calendar.start_of(day)) for day in days)
    born = source.created_at
    return born >= start, (born >= earlier) & (born < start)


def _is_filled(column: ibis.Value) -> ibis.Value:
    if column.type().is_string():
        return (column.strip() != "").fill_null(False)
    return column.notnull()


def drawn_days(book: Book) -> float:
    """How many calendar days does a deal take that stays in each open stage as long as drawn?"""
    stays = [s.stay_days for s in book.settings.stages if s.kind == "open" and s.stay_days]
    return sum(stays) * WEEK if stays else math.nan


def late_deals(book: Book) -> pd.DataFrame:
    """Which open deals are older than the whole drawn process takes?

    Returns
    -------
    pandas.DataFrame
        One row per open deal with a date of creation, oldest first: `id`, `name`, `owner_id`,
        `owner`, `stage`, `open_days` (since its creation), `drawn_days` and `amount`.
    """
    deals = open_deals(book).filter(_.created_at.notnull()).to_pandas()
    days = (pd.Timestamp(book.date) - deals["created_at"].dt.normalize()).dt.days
    limit = drawn_days(book)
    frame = deals.assign(
        open_days=days.astype("float64"), drawn_days=limit,
        amount=deals["cents"].astype("float64") / 100, owner=names_of(book, deals["owner_id"]),
    )  # fmt: skip
    order = frame.sort_values(["open_days", "id"], ascending=[False, True], ignore_index=True)
    return order[LATE]


def ended_bands(book: Book) -> pd.DataFrame:
    """How many days did deals take to be won or lost, by their size?

    Returns
    -------
    pandas.DataFrame
        One row per third of the ended deals by value, smallest first, as far as values are known,
        and one for all (`all`) last: `band` (`low`, `middle`, `high`, `all`), `least`, `most`
        (company currency), `n_won`, `won_days` (median from creation to the end), `n_lost`,
        `lost_days`.
    """
    deals = all_deals(book).filter(
        _.outcome.isin(["won", "lost"]), _.created_at.notnull(), _.closed_at.notnull()
    )
    rows = deals.select("outcome", "cents", "created_at", "closed_at").to_pandas()
    rows["days"] = (rows["closed_at"] - rows["created_at"]).dt.total_seconds() / 86_400
    rows = rows[rows["days"] >= 0]
    if rows.empty:
        return pd.DataFrame(columns=BANDS)
    bands = [_band(name, rows[part]) for name, part in _thirds(rows["cents"]).items()]
    return pd.DataFrame([*bands, _band("all", rows)], columns=BANDS)


def _thirds(cents: "pd.Series[object]") -> dict[str, "pd.Series[bool]"]:
    """Cut deals in three by value; where only won deals have one, that would leave out the lost."""
    if cents.notna().mean() < MOSTLY or len(cents) < 3:
        return {}
    place = cents.astype("float64").rank(pct=True)
    return {"low": place <= 1 / 3, "middle": (place > 1 / 3) & (place <= 2 / 3),
            "high": place > 2 / 3}  # fmt: skip


def _band(name: str, rows: pd.DataFrame) -> tuple[object, ...]:
    won, lost = rows[rows["outcome"] == "won"], rows[rows["outcome"] == "lost"]
    money = rows["cents"].astype("float64") / 100
    return (name, money.min(), money.max(), len(won), won["days"].median(), len(lost),
            lost["days"].median())  # fmt: skip
