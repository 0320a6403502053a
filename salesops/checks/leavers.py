"""What people left behind: deals and customers that nobody touched after they had gone."""

import datetime as dt
import math

import numpy as np
import pandas as pd
from ibis import _

from salesops.book.book import Book
from salesops.book.moment import instant
from salesops.book.past import grid_of, has_past, open_in_past
from salesops.checks.check import Check, Norm, Seen, Tested, no_rows
from salesops.checks.followup import NOT_SIZED, rows_of
from salesops.checks.looks import Gain, alive, gain_of_looks, looks
from salesops.metrics.handovers import no_owner_log
from salesops.metrics.opendeals import open_deals, standing
from salesops.metrics.workdays import local_day
from salesops.model.calendar import Period
from salesops.model.finding import Finding, Gap

LESSON = "09_follow_up"
# Whoever left within so many days; hand-overs up to so many days around the last day are theirs.
RECENT, AROUND = 365, 30
# Touches are counted in so many working days before and after; two thirds as many are still normal.
WINDOW, TOLERATED = 20, 2 / 3
LEAST_TOUCHES = 10
# Who stands out among those who left, and how many of them are named.
AMONG, SHOWN = 0.007, 3


def left_deals(book: Book) -> pd.DataFrame:
    """Give the deals that people who left handed over, with the touches before and after.

    Returns
    -------
    pandas.DataFrame
        One row per person and deal that was open: `id` (of the deal), `person`, `left_on`,
        `gap_days` (working days from the last day to the next touch by anybody, else to the deal's
        end or so far), `is_late` (beyond `handover_days`), `before`, `after` (touches in the 20
        working days before and after the last day) and `days_before`, `days_after` (working days
        of these in which the deal was open).
    """
    users = book.unscoped("users").filter(_.left_on.notnull(), _.left_on <= book.date)
    users = users.select("left_on", person="id")
    moves = book.changes.filter(_.entity == "opportunities", _.field == "owner_id",
                                _.changed_after.isnull())  # fmt: skip
    moves = moves.select("entity_id", "old_value", "changed_at")
    moves = moves.join(users, moves.old_value == users.person)
    apart = local_day(book, moves.changed_at).delta(moves.left_on, unit="day")
    moves = moves.filter(apart.abs() <= AROUND)
    deals = book.without_renewals().opportunities.select("created_at", "closed_at", "id")
    moves = moves.join(deals, moves.entity_id == deals.id)
    moves = moves.filter(moves.closed_at.isnull() | (moves.closed_at > moves.changed_at))
    frame = moves.select(
        "id", "person", "left_on", born=local_day(book, moves.created_at),
        ended=local_day(book, moves.closed_at),
    ).distinct().order_by("id", "left_on").to_pandas()  # fmt: skip
    frame["left_on"] = pd.to_datetime(frame["left_on"]).dt.date
    return _with_touches(book, frame)


def _with_touches(book: Book, deals: pd.DataFrame) -> pd.DataFrame:
    """Count touches and working days on either side of the last day."""
    chosen = book.unscoped("activities").filter(_.opportunity_id.isin(list(set(deals["id"]))))
    acts = chosen.select(id="opportunity_id", day=local_day(book, chosen.occurred_at)).to_pandas()
    at = _worked(book, deals["left_on"])
    today = _worked(book, pd.Series([book.date])).iloc[0]
    begun = _worked(book, deals["born"])
    ended = _worked(book, deals["ended"]).fillna(today).clip(upper=today)
    pairs = deals.reset_index()[["index", "id", "left_on"]].merge(acts, on="id")
    moved = _worked(book, pairs["day"]) - at.loc[pairs["index"]].to_numpy()
    later = (pd.to_datetime(pairs["day"]) - pd.to_datetime(pairs["left_on"])).dt.days
    # What happened on the last day itself belongs to neither side.
    before, after = (later < 0) & (moved > -WINDOW), (later > 0) & (moved <= WINDOW)
    first = moved[later > 0].groupby(pairs["index"]).min().reindex(deals.index)
    gap = first.fillna(ended - at).clip(lower=0)
    return deals.assign(
        gap_days=gap, is_late=gap > book.settings.norms.handover_days,
        before=_counted(pairs[before], deals), after=_counted(pairs[after], deals),
        days_before=np.minimum(WINDOW, at - begun).clip(lower=0),
        days_after=np.minimum(WINDOW, ended - at).clip(lower=0),
    )  # fmt: skip


def _worked(book: Book, days: "pd.Series[dt.date]") -> "pd.Series[float]":
    """Give the running count of working days up to each day; null where there is none."""
    counts, origin = book.calendar.working_day_counts()
    number = (pd.to_datetime(days) - pd.Timestamp(origin)).dt.days
    known = counts[number.fillna(0).clip(0, len(counts) - 1).astype(int)].astype(float)
    return pd.Series(known, index=days.index).where(number.notna())


def _counted(pairs: pd.DataFrame, deals: pd.DataFrame) -> "pd.Series[int]":
    return pairs.groupby("index").size().reindex(deals.index, fill_value=0)


def fell_off(deals: pd.DataFrame) -> float:
    """How likely are so few touches after the last day, were two thirds as many normal?

    Examples
    --------
    >>> rows = pd.DataFrame({"before": [12], "after": [0], "days_before": [20], "days_after": [20]})
    >>> round(fell_off(rows), 4)
    0.0022
    """
    from scipy.special import bdtr

    sums = deals[["before", "after", "days_before", "days_after"]].sum()
    share = TOLERATED * sums["days_after"]
    if sums["before"] < LEAST_TOUCHES or share <= 0:
        return 1.0
    whole = sums["before"] + sums["after"]
    return float(bdtr(sums["after"], int(whole), share / (share + sums["days_before"])))


def _left_behind(book: Book, period: Period) -> Seen:
    """Deals and customers of people who left, untouched for longer than the settings say."""
    book = standing(book, period)
    norms = book.settings.norms
    norm = Norm(value=norms.handover_days, tolerance=0.0, source="settings")
    orphans = _still_theirs(book)
    reason = no_owner_log(book)
    if reason is not None:
        gap = Gap(what="check.left_behind", reason="no_history" if reason == "no_owner_history"
                  else reason, needs="changes")  # fmt: skip
        n = sum(len(test.rows) for test in orphans)
        return Seen(value=math.nan, n=n, norm=norm, tests=orphans, gaps=(gap,))
    deals = left_deals(book)
    since = pd.Timestamp(book.date - dt.timedelta(days=RECENT))
    recent = deals[pd.to_datetime(deals["left_on"]) > since]
    value = float(recent["gap_days"].median())
    late = recent[recent["is_late"]]
    # Whose hand-over may still be under way is not judged yet.
    over = late["left_on"].map(lambda day: book.calendar.working_days(day, book.date))
    people = sorted(set(late.loc[over > norms.handover_days, "person"]))
    tests = orphans
    if people:
        p = pd.Series({who: fell_off(recent[recent["person"] == who]) for who in people})
        both = harmonic_mean(p, waited_longer(recent[recent["person"].isin(people)]))
        late = late[late["person"].isin(stand_out(both, first=str(p.idxmin())))]
        tests = (*orphans, _of_people(book, late, at_least_one(p)))
    return Seen(value=value, n=len(recent), norm=norm, tests=tests)


def at_least_one(p: "pd.Series[float]") -> float:
    """Give the p of nobody standing out, of the p of each.

    Notes
    -----
    Simes (1986), Biometrika 73, 751-754.

    Examples
    --------
    >>> at_least_one(pd.Series([0.01, 0.02, 0.9]))
    0.03
    """
    ordered = np.sort(p.to_numpy())
    return float((ordered * len(ordered) / np.arange(1, len(ordered) + 1)).min())


def waited_longer(deals: pd.DataFrame) -> "pd.Series[float]":
    """How likely do one person's deals wait so much longer than those of the others who left?

    Parameters
    ----------
    deals
        Rows of `left_deals`.

    Returns
    -------
    pandas.Series
        By person; 1 where there is nobody else.

    Notes
    -----
    One-sided rank test of `gap_days` (Mann & Whitney 1947, Annals of Mathematical Statistics 18,
    50-60): one deal that was worked hard hides no others that nobody touched.

    Examples
    --------
    >>> gaps = [30, 31, 32, 9, 1, 2, 3, 8]
    >>> rows = pd.DataFrame({"person": ["a"] * 4 + ["b"] * 4, "gap_days": gaps})
    >>> waited_longer(rows).round(3).tolist()
    [0.014, 1.0]
    """
    from scipy.stats import mannwhitneyu

    found = {}
    for who in sorted(set(deals["person"])):
        mine = deals["person"] == who
        own, others = deals.loc[mine, "gap_days"], deals.loc[~mine, "gap_days"]
        alone = others.empty
        found[who] = 1.0 if alone else mannwhitneyu(own, others, alternative="greater").pvalue
    return pd.Series(found, dtype=float)


def harmonic_mean(p: "pd.Series[float]", q: "pd.Series[float]") -> "pd.Series[float]":
    """Join two answers to one question, of which either may be the clear one.

    Notes
    -----
    Wilson (2019), Proceedings of the National Academy of Sciences 116, 1195-1200.

    Examples
    --------
    >>> harmonic_mean(pd.Series([0.5, 0.2]), pd.Series([0.01, 0.2])).round(4).tolist()
    [0.0196, 0.2]
    """
    least = np.finfo(float).tiny
    return 2 / (1 / p.clip(lower=least) + 1 / q.clip(lower=least))


def stand_out(p: "pd.Series[float]", *, first: str) -> list[str]:
    """Name those who stand out from the others, the first one in any case."""
    from scipy.stats import false_discovery_control

    chosen = false_discovery_control(p.to_numpy()) < AMONG
    return [str(who) for who in p.index[chosen | (p.index == first)]]


def _of_people(book: Book, late: pd.DataFrame, p: float) -> Tested:
    """Say what those who stand out left untouched."""
    who = late.groupby("person")["left_on"].max().sort_values(kind="stable")
    names = book.people().set_index("id")["name"]
    parts = [untouched_accounts(book, str(person), day) for person, day in who.items()]
    accounts = pd.concat(parts, ignore_index=True).drop_duplicates()
    deals = open_deals(book).select("id", "stage", "cents").to_pandas()
    deals = deals[deals["id"].isin(late["id"])].sort_values("id")
    gain = _gain(book, late, deals)
    sized = gain.is_known and len(deals) > 0
    finding = Finding(
        code="diagnosis.left_behind", severity="act",
        evidence={
            "people": " / ".join(str(names.get(one) or one) for one in who.index[-SHOWN:]),
            "n_people": len(who), "left_on": who.iloc[-1], "n": late["id"].nunique(),
            "n_accounts": len(accounts), "days": float(late["gap_days"].median()),
            "norm": book.settings.norms.handover_days, "n_open": len(deals),
            "amount": float(deals["cents"].sum()) / 100, "chance": gain.chance,
            "norm_chance": gain.norm, "n_past": gain.n, "n_norm": gain.norm_n,
        },
        assumption="diagnosis.left_behind.assumption" if sized else NOT_SIZED,
        owner_role="lead", action="diagnosis.left_behind.action", lesson=LESSON, trust="firm",
    )  # fmt: skip
    rows = [rows_of("opportunities", late["id"].drop_duplicates()), rows_of("accounts", accounts)]
    return Tested(p=p, finding=finding, rows=pd.concat(rows, ignore_index=True),
                  gains=gain.on(deals))  # fmt: skip


def untouched_accounts(book: Book, person: str, left_on: dt.date) -> "pd.Series[str]":
    """Name the customers somebody had before their last day that nobody touched soon after."""
    tracked = book.tracked.get("accounts", {}).get("owner_id")
    if tracked is None:
        return no_rows()["id"]
    morning = instant(book.calendar.start_of(left_on))
    spans = book.history("accounts")
    own = spans.filter(spans.owner_id == person, spans.valid_from < morning,
                       spans.valid_to >= morning).select("id").distinct()  # fmt: skip
    ids = own.order_by("id").to_pandas()["id"]
    until = left_on
    while book.calendar.working_days(left_on, until) < book.settings.norms.handover_days:
        until += dt.timedelta(days=1)
    acts = book.unscoped("activities").filter(
        _.account_id.isin(list(ids)), _.occurred_at >= instant(book.calendar.end_of(left_on)),
        _.occurred_at <= instant(book.calendar.end_of(until)),
    )  # fmt: skip
    touched = acts.select("account_id").distinct().to_pandas()["account_id"]
    return ids[~ids.isin(touched)].reset_index(drop=True)


def _gain(book: Book, late: pd.DataFrame, deals: pd.DataFrame) -> Gain:
    """How much more often were other deals of the same stages won than those left to wait?

    Of those left behind the ones that have ended count.
    """
    seen = looks(book)
    if seen is None or not has_past(book, min(late["left_on"])):
        return Gain.unknown()
    days = sorted(set(late["left_on"]))
    slots = [(i, 0, day, Period(day, day, "")) for i, day in enumerate(days)]
    then = open_in_past(book.without_renewals(), grid_of(book, slots))
    stages = then.select("id", "stage", left_on="last_on").to_pandas()
    stages["left_on"] = pd.to_datetime(stages["left_on"]).dt.date
    ended = book.opportunities.filter(_.outcome != "open").select("id", "outcome").to_pandas()
    left = late[["id", "left_on"]].merge(stages, on=["id", "left_on"]).merge(ended, on="id")
    if left.empty:
        return Gain.unknown()
    others = alive(seen[~seen["id"].isin(late["id"])], book.settings.norms.dead_days)
    both = pd.concat([
        others[["id", "at", "stage", "won"]].assign(left=False),
        left[["id", "stage"]].assign(at=pd.to_datetime(left["left_on"]),
                                     won=left["outcome"] == "won", left=True),
    ], ignore_index=True)  # fmt: skip
    return gain_of_looks(both, both["left"], deals)


def _still_theirs(book: Book) -> tuple[Tested, ...]:
    """Open deals whose owner left longer ago than a hand-over may take: there should be none."""
    users = book.unscoped("users").filter(_.left_on.notnull(), (_.role != "pool").fill_null(True))
    users = users.select("left_on", gone_id="id")
    deals = open_deals(book)
    deals = deals.join(users, deals.owner_id == users.gone_id)
    frame = deals.select("id", "cents", "left_on").order_by("id").to_pandas()
    if frame.empty:
        return ()
    limit = book.settings.norms.handover_days
    passed = [book.calendar.working_days(day, book.date) if day < book.date else 0
              for day in pd.to_datetime(frame["left_on"]).dt.date]  # fmt: skip
    frame = frame[np.array(passed) > limit]
    if frame.empty:
        return ()
    finding = Finding(
        code="diagnosis.still_theirs", severity="act",
        evidence={"n": len(frame), "amount": float(frame["cents"].sum()) / 100, "norm": limit},
        owner_role="lead", action="diagnosis.still_theirs.action", lesson=LESSON,
    )  # fmt: skip
    return (Tested(p=0.0, finding=finding, rows=rows_of("opportunities", frame["id"])),)


CHECKS: tuple[Check, ...] = (
    Check(id="left_behind", pain="teamwork", unit="days",
          needs=("users.left_on", "opportunities.owner_id", "activities.opportunity_id"),
          look=_left_behind),
)  # fmt: skip
