"""The leads of a window, counted by source, time of answer, owner and reason."""

import datetime as dt
import math
from dataclasses import dataclass

import ibis
import numpy as np
import pandas as pd
from ibis import _

from salesops.book.book import Book
from salesops.methods.intervals import wilson
from salesops.methods.strata import stratified_difference
from salesops.methods.survival import aalen_johansen
from salesops.metrics import response
from salesops.metrics.clock import with_local_days
from salesops.metrics.cohorts import lead_accounts, lead_steps
from salesops.metrics.metric import Table
from salesops.model.calendar import Period

UNNAMED, POOL, NOBODY = "unnamed", "pool", "nobody"
# Upper ends of the times of answer that are told apart, in hours; the last is without end.
TIMES = (0.5, 1.0, 4.0, 24.0, math.inf)
CURVE = (5 / 60, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 12.0, 24.0, 36.0, 48.0, 72.0)
FAST = 1.0
DAY_HOURS = 24.0


@dataclass(frozen=True, kw_only=True)
class Windows:
    """Of which leads is spoken.

    Attributes
    ----------
    settled, settled_before
        Leads of twelve months that have all had their time to become customers, and the year
        before.
    recent, recent_before
        Leads of the period, at least the last 90 days, and as many days just before.
    """

    settled: Period
    settled_before: Period
    recent: Period
    recent_before: Period


def lead_windows(book: Book, period: Period, horizon: int) -> Windows:
    """Choose the windows of a report about a period, at the book's date."""
    end = min(book.date, period.end)
    settled_end = min(end, book.date - dt.timedelta(days=horizon))
    start = min(period.start, end - dt.timedelta(days=89))
    before = start - dt.timedelta(days=1)
    return Windows(
        settled=Period(_year_before(settled_end) + dt.timedelta(days=1), settled_end, ""),
        settled_before=Period(
            _year_before(_year_before(settled_end)) + dt.timedelta(days=1),
            _year_before(settled_end), "",
        ),
        recent=Period(start, end, ""),
        recent_before=Period(before - (end - start), before, ""),
    )  # fmt: skip


def _year_before(day: dt.date) -> dt.date:
    """Give the same day one year earlier; the 28th for a leap day."""
    leap = day.month == 2 and day.day == 29
    return day.replace(year=day.year - 1, day=28 if leap else day.day)


@dataclass(frozen=True, kw_only=True, eq=False)
class LeadFacts:
    """The leads of a book, computed once.

    Attributes
    ----------
    accounts, accounts_long
        What `lead_accounts` gives for the short and the long horizon.
    leads
        What `lead_steps` gives for the short one beside what `lead_answers` does, with `status`,
        `disqualified_reason`, `name` and `day` (the company's day of creation).
    horizon, longer
        Days.
    """

    accounts: Table
    accounts_long: Table
    leads: Table
    horizon: int
    longer: int


def lead_facts(book: Book, horizon: int, longer: int) -> LeadFacts:
    """Compute the leads of a book once."""
    steps = lead_steps(book, horizon)
    steps = steps.select(step_id="id", is_valid="is_valid", is_opportunity="is_opportunity",
                         won_on="won_on", opportunity_id="opportunity_id")  # fmt: skip
    answers = response.lead_answers(book)
    leads = answers.join(steps, answers.id == steps.step_id).drop("step_id")
    told = book.leads.select(told_id="id", name="name", status="status",
                             disqualified_reason="disqualified_reason")  # fmt: skip
    leads = leads.left_join(told, leads.id == told.told_id).drop("told_id")
    return LeadFacts(
        accounts=lead_accounts(book, horizon),
        accounts_long=lead_accounts(book, longer),
        leads=with_local_days(book, leads, {"day": "created_at"}).cache(),
        horizon=horizon, longer=longer,
    )  # fmt: skip


def created_within(book: Book, rows: Table, window: Period) -> Table:
    """Keep what was created in a window."""
    return rows.filter(book.calendar.contains(window, rows.created_at))


def by_source(book: Book, facts: LeadFacts, window: Period) -> pd.DataFrame:
    """Count leads, valid ones, deals, customers and won money by source.

    Returns
    -------
    pandas.DataFrame
        One row per source (`unnamed` where none is entered), most leads first: `source`, `n`
        (leads), `n_valid`, `n_opportunity`, `n_won` (leads), `n_accounts` (companies whose first
        lead it was), `n_signed` (of them customers), `amount` (signed, company currency; null
        where none of them has a known value).
    """
    leads = created_within(book, facts.leads, window)
    named = ibis.coalesce(leads.source, UNNAMED)
    counts = leads.group_by(source=named).agg(
        n=_.count(), n_valid=_.is_valid.ifelse(1, 0).sum(),
        n_opportunity=_.is_opportunity.ifelse(1, 0).sum(), n_won=_.won_on.count(),
    ).to_pandas()  # fmt: skip
    firsts = created_within(book, facts.accounts, window)
    sums = firsts.group_by(source=ibis.coalesce(firsts.source, UNNAMED)).agg(
        n_accounts=_.count(), n_signed=_.signed_on.count(), cents=_.cents.sum(),
    ).to_pandas()  # fmt: skip
    found = counts.merge(sums, on="source", how="outer")
    whole = [c for c in found.columns if c.startswith("n")]
    found = found.fillna(dict.fromkeys(whole, 0)).astype(dict.fromkeys(whole, int))
    known = (found["n_signed"] == 0) | found["cents"].notna()
    found["amount"] = (found.pop("cents").astype("float64").fillna(0) / 100).where(known)
    return found.sort_values(["n", "source"], ascending=[False, True], ignore_index=True)


def answer_times(book: Book, facts: LeadFacts, window: Period) -> pd.DataFrame:
    """Count leads and deals made of them by time of answer and source.

    Returns
    -------
    pandas.DataFrame
        One row per time of answer (its upper end in hours, nan for never) and source: `until`,
        `source`, `n`, `n_opportunity`.
    """
    leads = created_within(book, facts.leads, window)
    cases = [(leads.elapsed_hours <= end, i) for i, end in enumerate(TIMES[:-1])]
    place = ibis.cases(
        (leads.answered_at.isnull(), len(TIMES)), *cases, else_=len(TIMES) - 1
    )  # fmt: skip
    grouped = leads.group_by(place=place, source=ibis.coalesce(leads.source, UNNAMED))
    frame = grouped.agg(n=_.count(), n_opportunity=_.is_opportunity.ifelse(1, 0).sum()).to_pandas()
    ends = np.array([*TIMES, math.nan])
    return frame.assign(until=ends[frame["place"].to_numpy(dtype=int)]).sort_values(
        ["place", "source"], ignore_index=True
    )


def rates_by_answer(times: pd.DataFrame) -> pd.DataFrame:
    """Give the share that became a deal by time of answer, as it is and with one mix of sources.

    Returns
    -------
    pandas.DataFrame
        One row per time of answer: `until` (hours; nan for never), `n`, `lead_share` (of all
        leads), `n_opportunity`, `rate`, `low`, `high` (80 %) and `adjusted_rate` (as if each had
        the sources of all; null where a source is not among its leads).
    """
    mix = times.groupby("source")["n"].sum() / max(int(times["n"].sum()), 1)
    rows = []
    for i, until in enumerate([*TIMES, math.nan]):
        part = times[times["place"] == i]
        n, hits = int(part["n"].sum()), int(part["n_opportunity"].sum())
        low, high = wilson(hits, n)
        by_source = part.set_index("source")["n_opportunity"] / part.set_index("source")["n"]
        weighted = by_source.reindex(mix.index) * mix
        adjusted = float(weighted.sum()) if n and weighted.notna().all() else math.nan
        share = n / times["n"].sum() if len(times) else math.nan
        rows.append((until, n, share, hits, hits / n if n else math.nan, low, high, adjusted))
    columns = ["until", "n", "lead_share", "n_opportunity", "rate", "low", "high",
               "adjusted_rate"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def effect_of_speed(times: pd.DataFrame) -> pd.DataFrame:
    """Compare leads answered within an hour with those answered later, source by source.

    Returns
    -------
    pandas.DataFrame
        One row: `n_fast`, `n_slow`, `fast_rate`, `slow_rate` (leads that became a deal), and
        `difference`, `low`, `high` (80 %) among leads of the same source. Rates are null where
        there are none.
    """
    answered = times[times["until"].notna()]
    fast = answered[answered["until"] <= FAST].groupby("source")[["n", "n_opportunity"]].sum()
    slow = answered[answered["until"] > FAST].groupby("source")[["n", "n_opportunity"]].sum()
    both = fast.join(slow, how="outer", lsuffix="_1", rsuffix="_0").fillna(0)
    difference, low, high = stratified_difference(
        both["n_opportunity_1"], both["n_1"], both["n_opportunity_0"], both["n_0"]
    )
    n_fast, n_slow = int(both["n_1"].sum()), int(both["n_0"].sum())
    return pd.DataFrame(
        {
            "n_fast": [n_fast], "n_slow": [n_slow],
            "fast_rate": [both["n_opportunity_1"].sum() / n_fast if n_fast else math.nan],
            "slow_rate": [both["n_opportunity_0"].sum() / n_slow if n_slow else math.nan],
            "difference": [difference], "low": [low], "high": [high],
        }
    )  # fmt: skip


def recent_leads(book: Book, facts: LeadFacts, window: Period) -> pd.DataFrame:
    """Give the leads of a window, with `is_day_off` for those created on no working day."""
    frame = created_within(book, facts.leads, window).order_by("created_at", "id").to_pandas()
    days = {day: not book.calendar.is_working_day(pd.Timestamp(day).date())
            for day in frame["day"].unique()}  # fmt: skip
    return frame.assign(is_day_off=frame["day"].map(days).astype(bool))


def answer_curve(leads: pd.DataFrame) -> list[float]:
    """Give the share answered by each hour of `CURVE`, who waits still counted as waiting."""
    if leads.empty:
        return [math.nan] * len(CURVE)
    causes = leads["answered_at"].notna().map({True: response.ANSWERED, False: ""})
    waits = aalen_johansen(leads["elapsed_hours"], causes)
    if response.ANSWERED not in waits.by_cause:
        return [0.0] * len(CURVE)
    return [waits.at(hour, response.ANSWERED) for hour in CURVE]


def by_owner(book: Book, leads: pd.DataFrame) -> pd.DataFrame:
    """Count the leads that nobody contacted by owner; the pool and no owner are lines of their own.

    Returns
    -------
    pandas.DataFrame
        One row per owner, most of them first: `owner_id` (`pool`, `nobody` or a person), `n`
        (leads old enough), `n_untouched`, `untouched_share`, `low`, `high` (80 %).
    """
    old = leads["age_hours"] >= response.hours_until_settled(book)
    pool = set(book.unscoped("users").filter(_.role == "pool").id.to_pandas())
    leads = leads[old]
    owner = leads["owner_id"].where(leads["owner_id"].notna(), NOBODY)
    owner = owner.where(~owner.isin(pool), POOL)
    grouped = leads["answered_at"].isna().groupby(owner).agg(["size", "sum"])
    grouped.index.name = "owner_id"
    found = grouped.rename(columns={"size": "n", "sum": "n_untouched"}).reset_index()
    found = found.astype({"n": int, "n_untouched": int})
    bounds = [wilson(k, n) for k, n in zip(found["n_untouched"], found["n"], strict=True)]
    found["untouched_share"] = found["n_untouched"] / found["n"]
    found["low"], found["high"] = ([b[i] for b in bounds] for i in (0, 1))
    return found.sort_values(["n_untouched", "owner_id"], ascending=[False, True],
                             ignore_index=True)  # fmt: skip


def by_reason(leads: pd.DataFrame, before: pd.DataFrame) -> pd.DataFrame:
    """Count why leads were found not valid, in a window and the one before.

    Returns
    -------
    pandas.DataFrame
        One row per reason, most frequent first: `reason`, `n`, `share` (of those with a reason),
        `prior_n`, `prior_share`.
    """
    now = leads["disqualified_reason"].dropna().value_counts()
    then = before["disqualified_reason"].dropna().value_counts()
    found = pd.DataFrame({"n": now, "prior_n": then}).fillna(0).astype(int)
    return shares_of_reasons(found.rename_axis("reason").reset_index())


def shares_of_reasons(counts: pd.DataFrame) -> pd.DataFrame:
    """Add `share` and `prior_share` to counts by reason, and drop what does not occur now."""
    found = counts.copy()
    found["share"] = found["n"] / max(int(found["n"].sum()), 1)
    total = int(found["prior_n"].sum())
    found["prior_share"] = found["prior_n"] / total if total else math.nan
    found = found[found["n"] > 0][["reason", "n", "share", "prior_n", "prior_share"]]
    return found.sort_values(["n", "reason"], ascending=[False, True], ignore_index=True)


def waits(leads: pd.DataFrame, before: pd.DataFrame) -> pd.DataFrame:
    """Say how long leads waited for an answer, of working days and of days off.

    Returns
    -------
    pandas.DataFrame
        One row per group (`all`, `prior` for the window before, `work`, `off`): `group`, `n`,
        `median_hours` (nights and weekends counted; null where half are not answered yet),
        `working_hours` (median by the working clock), `n_old` (a day old or more) and `n_day`
        (of them answered within 24 hours).
    """
    off = leads["is_day_off"]
    groups = {"all": leads, "prior": before, "work": leads[~off], "off": leads[off]}
    rows = []
    for name, part in groups.items():
        answered = part["answered_at"].notna()
        known = len(part) > 0
        found = [response.wait_estimate(part[c], answered).value if known else math.nan
                 for c in ("elapsed_hours", "working_hours")]  # fmt: skip
        within = answered & (part["elapsed_hours"] <= DAY_HOURS)
        old = within | (part["elapsed_hours"] >= DAY_HOURS)
        rows.append((name, len(part), *found, int(old.sum()), int(within.sum())))
    return pd.DataFrame(
        rows, columns=["group", "n", "median_hours", "working_hours", "n_old", "n_day"]
    )


def by_month_of_creation(book: Book, facts: LeadFacts, last_day: dt.date) -> pd.DataFrame:
    """Follow the leads of each of the last 13 months through the steps.

    Returns
    -------
    pandas.DataFrame
        One row per month, the latest first: `month`, `n`, `valid_rate`, `opportunity_rate`,
        `won_rate` (null until all its leads had their time) and `untouched_share` (of those old
        enough; null where none is).
    """
    leads = facts.leads
    old = response.settled_condition(book, leads)
    grouped = leads.group_by(key=leads.day.year() * 12 + leads.day.month() - 1).agg(
        n=_.count(), n_valid=_.is_valid.ifelse(1, 0).sum(),
        n_opportunity=_.is_opportunity.ifelse(1, 0).sum(), n_won=_.won_on.count(),
        n_old=old.ifelse(1, 0).sum(),
        n_untouched=(old & leads.answered_at.isnull()).ifelse(1, 0).sum(),
    )  # fmt: skip
    rows = []
    for row in grouped.order_by(ibis.desc("key")).to_pandas().itertuples():
        period = book.period(f"{row.key // 12}-{row.key % 12 + 1:02d}")
        if period.start > last_day:
            continue
        mature = period.end + dt.timedelta(days=facts.horizon) <= book.date
        steps = [k / row.n if mature else math.nan
                 for k in (row.n_valid, row.n_opportunity, row.n_won)]  # fmt: skip
        untouched = row.n_untouched / row.n_old if row.n_old else math.nan
        rows.append((period.text, int(row.n), *steps, untouched))
    columns = ["month", "n", "valid_rate", "opportunity_rate", "won_rate", "untouched_share"]
    return pd.DataFrame(rows[:13], columns=columns)
