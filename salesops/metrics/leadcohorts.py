"""Who became a customer, by month or quarter of the first lead and by source.

Where a company keeps no leads the same is said of its deals: which were won within so many days.
"""

import datetime as dt
import math
from collections.abc import Sequence

import ibis
import pandas as pd
from ibis import _

from salesops.book.book import Book
from salesops.methods.intervals import Z95, difference, judge, wilson
from salesops.metrics.clock import with_day_numbers, with_local_days
from salesops.metrics.cohorts import day_number
from salesops.metrics.deals import deals_at_event
from salesops.metrics.leadtables import UNNAMED, Windows
from salesops.metrics.metric import Table
from salesops.model.calendar import Period

# Fewer customers a month than this make a month too rough a cohort.
_A_MONTH = 20
_SHOWN = 10
SIDES = ("source", "product_line", "team")


def deal_rows(book: Book, horizon: int, side: str) -> Table:
    """Give one row per deal but renewals, with what was won within so many days of its creation.

    Returns
    -------
    ibis.Table
        `id`, `source` (the value of `side`), `created_at`, `signed_on` (day of winning; null if
        not within the time), `cents`.
    """
    deals = deals_at_event(book).filter(_.created_at.notnull())
    deals = with_local_days(book, deals, {"day": "created_at", "closed_on": "closed_at"})
    after = day_number(deals.closed_on) - day_number(deals.day)
    won = ((deals.outcome == "won") & (after <= horizon)).fill_null(False)
    return deals.select(
        "id", "created_at", source=deals[side],
        signed_on=ibis.ifelse(won, deals.closed_on, ibis.null("date")),
        cents=ibis.ifelse(won, deals.cents, ibis.null("int64")),
    )  # fmt: skip


def side_of_deals(book: Book) -> str:
    """Name by what deals are told apart: their source, else product line, else team."""
    deals = deals_at_event(book)
    row = deals.agg(**{side: deals[side].count() for side in SIDES}).to_pandas().iloc[0]
    return next((side for side in SIDES if row[side]), "team")


def by_month(book: Book, short: Table, long: Table) -> pd.DataFrame:
    """Count rows by month of creation.

    Parameters
    ----------
    book
        Whose months.
    short, long
        The same rows with `created_at` and `signed_on`, for two horizons.

    Returns
    -------
    pandas.DataFrame
        One row per month: `month` (months since year 0), `n`, `n_signed`, `n_signed_long`.
    """
    counted = []
    for rows, name in ((short, "n_signed"), (long, "n_signed_long")):
        dated = with_day_numbers(book, rows, {"day": "created_at"})
        counts = dated.group_by("day").agg(n=_.count(), **{name: _.signed_on.count()}).to_pandas()
        days = pd.to_datetime(counts.pop("day"), unit="D")
        months = (days.dt.year * 12 + days.dt.month - 1).rename("month")
        counted.append(counts.groupby(months).sum().reset_index())
    months = counted[0].merge(counted[1][["month", "n_signed_long"]], on="month", how="left")
    return months.astype("int64").sort_values("month", ignore_index=True)


def cohorts(
    book: Book, months: pd.DataFrame, horizons: tuple[int, int], last_day: dt.date
) -> pd.DataFrame:
    """Turn months into the cohorts that are shown: months, or quarters where months are few.

    Parameters
    ----------
    book
        At whose date a cohort is old enough or not.
    months
        What `by_month` gives.
    horizons
        The short and the long horizon, in days.
    last_day
        Cohorts that begin later are left out.

    Returns
    -------
    pandas.DataFrame
        One row per cohort, the last ten: `cohort` (period as text), `n`, `n_signed`, `rate`,
        `low`, `high` (80 %), `long_rate`, `prior_n`, `prior_rate` (same cohort of the year
        before), `is_mature`. What is not old enough is null.
    """
    size = _months_of(book, months, horizons[0])
    first = book.settings.company.fiscal_year_starts - 1 if size == 3 else 0
    number = (months["month"] - first) // size
    sums = months.groupby(number)[["n", "n_signed", "n_signed_long"]].sum()
    rows = [_cohort(book, int(k), sums, horizons, size) for k in sums.index]
    columns = ["cohort", "start", "end", "n", "n_signed", "rate", "low", "high", "long_rate",
               "prior_n", "prior_rate", "is_mature"]  # fmt: skip
    frame = pd.DataFrame(rows, columns=columns)
    begun = pd.Series([start <= last_day for start in frame["start"]], dtype=bool)
    frame = frame[begun]
    return frame.tail(_SHOWN).reset_index(drop=True)


def _months_of(book: Book, months: pd.DataFrame, horizon: int) -> int:
    """Give the months of a cohort, 1 or 3."""
    limit = book.date - dt.timedelta(days=horizon)
    settled = months[months["month"] < limit.year * 12 + limit.month - 1].tail(12)
    if len(settled) < 6:
        return 1
    return 1 if settled["n_signed"].mean() >= _A_MONTH else 3


def _cohort(
    book: Book, key: int, sums: pd.DataFrame, horizons: tuple[int, int], size: int
) -> tuple[object, ...]:
    text = f"{key // 12}-{key % 12 + 1:02d}" if size == 1 else f"{key // 4}Q{key % 4 + 1}"
    period = book.period(text)
    n, signed, signed_long = (int(v) for v in sums.loc[key])
    mature, mature_long = (period.end + dt.timedelta(days=d) <= book.date for d in horizons)
    before = key - 12 // size
    known = before in sums.index and before > sums.index[0]
    prior_n = int(sums.loc[before, "n"]) if known else 0
    prior = sums.loc[before, "n_signed"] / prior_n if prior_n else math.nan
    low, high = wilson(signed, n) if mature else (math.nan, math.nan)
    return (
        text, period.start, period.end, n, signed if mature else math.nan,
        signed / n if mature else math.nan, low, high,
        signed_long / n if mature_long else math.nan, prior_n if known else math.nan, prior, mature,
    )  # fmt: skip


def totals(book: Book, rows: Table, windows: Windows) -> pd.DataFrame:
    """Sum the rows of the settled window and of the year before.

    Returns
    -------
    pandas.DataFrame
        One row: `n`, `n_signed`, `rate`, `low`, `high` (80 %), `amount` (won, company currency;
        null where no value is known), `prior_n`, `prior_signed`, `prior_rate`, `trust` (of the
        change; null without rows a year before).
    """
    found: dict[str, float] = {}
    for prefix, window in (("", windows.settled), ("prior_", windows.settled_before)):
        inside = rows.filter(book.calendar.contains(window, rows.created_at))
        row = inside.agg(n=_.count(), k=_.signed_on.count(), cents=_.cents.sum()).to_pandas()
        found[f"{prefix}n"], found[f"{prefix}k"] = (int(row[c].iloc[0]) for c in "nk")
        found[f"{prefix}cents"] = row["cents"].astype("float64").iloc[0]
    n, k, prior_n, prior_k = (found[c] for c in ("n", "k", "prior_n", "prior_k"))
    low, high = wilson(k, n)
    # The word firm must not be said of every fifth accident.
    change = difference(k, n, prior_k, prior_n, z=Z95)
    trust = judge(*change, min(n, prior_n), too_few=book.settings.norms.too_few)
    return pd.DataFrame(
        {
            "n": [int(n)], "n_signed": [int(k)], "rate": [k / n if n else math.nan],
            "low": [low], "high": [high], "amount": [found["cents"] / 100 if k else 0.0],
            "prior_n": [int(prior_n)], "prior_signed": [int(prior_k)],
            "prior_rate": [prior_k / prior_n if prior_n else math.nan],
            "trust": [trust if prior_n else None],
        }
    )  # fmt: skip


def source_rates(now: pd.DataFrame, before: pd.DataFrame) -> pd.DataFrame:
    """Add rates, shares and tests to counts by source.

    Parameters
    ----------
    now, before
        Counts by source of the settled window and the year before; see `leadtables.by_source`.

    Returns
    -------
    pandas.DataFrame
        The counts and `lead_share`, `signed_share` (of all leads, of all customers), `valid_rate`,
        `opportunity_rate`, `won_rate` (of leads), `rate`, `low`, `high` (customers of companies,
        80 %), `money_per_lead`, `prior_rate`, `rest_rate` (of all other sources) and `p`
        (two-sided, of no difference from them; Fisher's exact test).
    """
    found = now.copy()
    total = found[["n", "n_accounts", "n_signed"]].sum()
    found["lead_share"] = found["n"] / total["n"] if total["n"] else math.nan
    found["signed_share"] = found["n_signed"] / total["n_signed"] if total["n_signed"] else math.nan
    for part, rate in (("n_valid", "valid_rate"), ("n_opportunity", "opportunity_rate"),
                       ("n_won", "won_rate")):  # fmt: skip
        found[rate] = found[part] / found["n"].where(found["n"] > 0)
    pairs = list(zip(found["n_signed"], found["n_accounts"], strict=True))
    found["rate"] = found["n_signed"] / found["n_accounts"].where(found["n_accounts"] > 0)
    found["low"], found["high"] = ([wilson(k, n)[i] for k, n in pairs] for i in (0, 1))
    found["money_per_lead"] = found["amount"] / found["n"].where(found["n"] > 0)
    past = before.set_index("source")
    prior = past["n_signed"] / past["n_accounts"].where(past["n_accounts"] > 0)
    found["prior_rate"] = found["source"].map(prior).astype("float64")
    rest = [(total["n_signed"] - k, total["n_accounts"] - n) for k, n in pairs]
    found["rest_rate"] = [k / n if n else math.nan for k, n in rest]
    found["p"] = [_fisher(k, n, *other) for (k, n), other in zip(pairs, rest, strict=True)]
    return found


def _fisher(k: float, n: float, other_k: float, other_n: float) -> float:
    if not n or not other_n or not k + other_k:
        return math.nan
    # Importing it takes a second, which a report without anything to test need not wait.
    from scipy.stats import fisher_exact

    return float(fisher_exact([[k, n - k], [other_k, other_n - other_k]]).pvalue)


def deals_by_source(book: Book, rows: Table, window: Period) -> pd.DataFrame:
    """Count deals by what tells them apart, in the form of `leadtables.by_source`."""
    inside = rows.filter(book.calendar.contains(window, rows.created_at))
    grouped = inside.group_by(source=ibis.coalesce(inside.source, UNNAMED))
    found = grouped.agg(n=_.count(), n_signed=_.signed_on.count(), cents=_.cents.sum()).to_pandas()
    known = (found["n_signed"] == 0) | found["cents"].notna()
    found["amount"] = (found.pop("cents").astype("float64").fillna(0) / 100).where(known)
    found["n_accounts"] = found["n"]
    found["n_valid"] = found["n_opportunity"] = math.nan
    found["n_won"] = found["n_signed"]
    return found.sort_values(["n", "source"], ascending=[False, True], ignore_index=True)


def lost_reasons(book: Book, windows: Sequence[Period]) -> pd.DataFrame:
    """Count why deals were lost, in a window and the one before.

    Returns
    -------
    pandas.DataFrame
        One row per reason, most frequent first: `reason` (`unnamed` where none is entered), `n`,
        `prior_n`.
    """
    deals = deals_at_event(book)
    lost = deals.filter(deals.outcome == "lost")
    told = book.opportunities.select(told_id="id", reason="lost_reason")
    lost = lost.join(told, lost.id == told.told_id)
    now, before = (book.calendar.contains(w, lost.closed_at).fill_null(False) for w in windows)
    grouped = lost.group_by(reason=ibis.coalesce(lost.reason, UNNAMED)).agg(
        n=now.ifelse(1, 0).sum(), prior_n=before.ifelse(1, 0).sum()
    )
    return grouped.order_by(ibis.desc("n"), "reason").to_pandas()
