"""Whether deals go the way the process draws: skips, ways back, dead deals, nobody's steps."""

import datetime as dt
import math

import ibis
import pandas as pd
from ibis import _

from salesops.book.book import Book
from salesops.checks.check import Check, Norm, Seen, Tested
from salesops.checks.followup import (
    NOT_SIZED,
    beyond,
    quiet_deals,
    rows_of,
    share_of_value,
    touches_missing,
    valued,
)
from salesops.checks.looks import Gain, alive, gain_of_deals, gain_of_looks, looks
from salesops.metrics.alldeals import all_deals
from salesops.metrics.kept import kept
from salesops.metrics.opendeals import open_deals, standing
from salesops.metrics.stages import has_stage_history, move_kind, stage_times
from salesops.model.calendar import Period
from salesops.model.finding import Finding, Gap

LESSON = "03_process"
# How a process is kept is judged by the deals of so many days.
RECENT = 730


def way_of_deals(book: Book) -> pd.DataFrame:
    """Give how far each deal came, and through which stages, as far as the history shows it.

    Returns
    -------
    pandas.DataFrame
        One row per deal but renewals: `id`, `outcome`, `cents`, `is_known` (created within the
        history, so that all its stages are seen), `is_recent` (in the last two years) and what
        `metrics.stages.stage_times` gives.
    """
    selling = book.without_renewals()
    return kept("way of deals", selling, lambda: _way_of_deals(selling))


def _way_of_deals(book: Book) -> pd.DataFrame:
    times = stage_times(book)
    since = book.tracked["opportunities"]["stage"].since
    deals = all_deals(book).select("outcome", "cents", "created_at", "stage", deal_id="id")
    frame = times.join(deals, times.id == deals.deal_id).drop("deal_id").order_by("id").to_pandas()
    start = max(book.calendar.start_of(book.date - dt.timedelta(days=RECENT)), since)
    born = frame["created_at"]
    known, recent = (born >= pd.Timestamp(at) for at in (since, start))
    return frame.assign(is_known=known, is_recent=recent)


def _no_history(check: str) -> Gap:
    return Gap(what=f"check.{check}", reason="no_history", needs="changes")


def _skipped(book: Book, period: Period) -> Seen:
    """Per open stage but the first: deals that got past it and were never in it."""
    book = standing(book, period)
    norm = Norm(value=book.settings.norms.skip_share, tolerance=0.0, source="settings")
    if not has_stage_history(book):
        gap = _no_history("skipped_stages")
        return Seen(value=math.nan, n=0, norm=norm, gaps=(gap,))
    ways, tests, worst, n = way_of_deals(book), [], math.nan, 0
    ways = ways[ways["is_known"]]
    for i, stage in enumerate(book.settings.stage_ids("open")):
        past = ways[ways[f"beyond_{i}"].notna()]
        skips = past[f"entered_{i}"].isna()
        recent = past["is_recent"]
        if not i or recent.sum() < book.settings.norms.too_few:
            continue
        share = float(skips[recent].mean())
        n = max(n, int(recent.sum()))
        worst = share if math.isnan(worst) else max(worst, share)
        tests.append(_of_stage(book, stage, past, skips, norm))
    return Seen(value=worst, n=n, norm=norm, tests=tuple(tests))


def _of_stage(
    book: Book, stage: str, past: pd.DataFrame, skips: "pd.Series[bool]", norm: Norm
) -> Tested:
    recent = past["is_recent"]
    n, n_past = int((skips & recent).sum()), int(recent.sum())
    deals = past[skips & (past["outcome"] == "open")]
    gain = _gain_of_keeping(book, stage, past, deals)
    ended = past["outcome"].isin(["won", "lost"])
    done = gain_of_deals(past.loc[ended, "outcome"] == "won", skips[ended])
    finding = Finding(
        code="diagnosis.skipped_stages", severity="act", subject=stage,
        evidence={
            "stage": stage, "n": n, "n_past": n_past, "share": n / n_past, "norm": norm.value,
            "won_share": done.chance, "norm_won_share": done.norm, "chance": gain.chance,
            "norm_chance": gain.norm, "n_ended": gain.n, "n_open": len(deals),
            "amount": float(deals["cents"].sum()) / 100,
        },
        assumption="diagnosis.skipped_stages.assumption" if gain.is_known else NOT_SIZED,
        owner_role="lead", action="diagnosis.skipped_stages.action", lesson=LESSON, trust="firm",
    )  # fmt: skip
    return Tested(p=beyond(n, n_past, norm.limit), finding=finding,
                  rows=rows_of("opportunities", past.loc[skips, "id"]),
                  gains=gain.on(deals))  # fmt: skip


def _gain_of_keeping(book: Book, stage: str, past: pd.DataFrame, deals: pd.DataFrame) -> Gain:
    """How much more often were deals won in the stages behind one that had not skipped it?"""
    seen, stages = looks(book), list(book.settings.stage_ids("open"))
    if seen is None:
        return Gain.unknown()
    i = stages.index(stage)
    seen = alive(seen, book.settings.norms.dead_days)
    seen = seen[seen["stage"].isin(stages[i + 1 :]) & seen["id"].isin(past["id"])]
    entered = seen["id"].map(past.set_index("id")[f"entered_{i}"])
    return gain_of_looks(seen, ~(entered <= seen["at"]), deals)


def _back(book: Book, period: Period) -> Seen:
    """Deals that went back to an earlier stage, of all that were worked on."""
    book = standing(book, period)
    norms = book.settings.norms
    norm = Norm(value=norms.back_share, tolerance=0.0, source="settings")
    if not has_stage_history(book):
        return Seen(value=math.nan, n=0, norm=norm, gaps=(_no_history("back_moves"),))
    pairs = book.moves.select("source", "target").distinct().to_pandas()
    back = [(a, b) for a, b in pairs.itertuples(index=False) if move_kind(book, a, b) == "back"]
    ways = way_of_deals(book)
    moves = book.moves.filter(ibis.or_(*((_.source == a) & (_.target == b) for a, b in back))
                              if back else ibis.literal(False))  # fmt: skip
    gone = moves.select("id").distinct().to_pandas()["id"]
    ways = ways[ways["is_known"]]
    went = ways["id"].isin(gone)
    recent = ways["is_recent"]
    n, whole = int((went & recent).sum()), int(recent.sum())
    value = n / whole if whole else math.nan
    if whole < norms.too_few or not n:
        return Seen(value=value, n=whole, norm=norm)
    finding = Finding(
        code="diagnosis.back_moves", severity="watch",
        evidence={"n": n, "n_deals": whole, "share": value, "norm": norm.value},
        owner_role="lead", action="diagnosis.back_moves.action", lesson=LESSON, trust="firm",
    )  # fmt: skip
    test = Tested(p=beyond(n, whole, norm.limit), finding=finding,
                  rows=rows_of("opportunities", ways.loc[went, "id"]))  # fmt: skip
    return Seen(value=value, n=whole, norm=norm, tests=(test,))


def _dead(book: Book, period: Period) -> Seen:
    """Open deals without a word for longer than `dead_days` against the share that may be."""
    book = standing(book, period)
    norms = book.settings.norms
    norm = Norm(value=norms.dead_share, tolerance=0.0, source="settings")
    gaps = touches_missing(book, "check.dead_deals")
    if gaps:
        return Seen(value=math.nan, n=0, norm=norm, gaps=gaps)
    deals = quiet_deals(book)
    dead = deals[deals["dead"]]
    value = len(dead) / len(deals) if len(deals) else math.nan
    if len(deals) < norms.too_few or dead.empty:
        return Seen(value=value, n=len(deals), norm=norm)
    seen = looks(book)
    gain = (Gain.unknown() if seen is None
            else gain_of_looks(seen, seen["silent_days"] > norms.dead_days, dead))  # fmt: skip
    share = share_of_value(deals, deals["dead"])
    code = valued("diagnosis.dead_deals", dead)
    finding = Finding(
        code=code, severity="act",
        evidence={"n": len(dead), "n_open": len(deals), "share": value, "days": norms.dead_days,
                  "norm": norm.value, "amount": float(dead["cents"].sum()) / 100,
                  "value_share": share, "chance": gain.chance, "n_past": gain.n},
        assumption=f"{code}.assumption" if gain.is_known else NOT_SIZED, owner_role="lead",
        action=f"{code}.action", lesson=LESSON, trust="firm",
    )  # fmt: skip
    test = Tested(p=beyond(len(dead), len(deals), norm.limit), finding=finding,
                  rows=rows_of("opportunities", dead["id"]),
                  gains=gain.nothing_on(dead))  # fmt: skip
    return Seen(value=value, n=len(deals), norm=norm, tests=(test,))


def _no_role(book: Book, _period: Period) -> Seen:
    """Stages up to the contract for which the settings name no role: there should be none."""
    stages = [s for s in book.settings.stages if s.kind in ("open", "won")]
    alone = [s.id for s in stages if s.owner_role is None]
    tests = []
    deals = open_deals(book).group_by("stage").agg(n=_.count(), cents=_.cents.sum())
    counts = deals.to_pandas().set_index("stage") if alone else pd.DataFrame()
    for stage in alone:
        here = counts.loc[stage] if stage in counts.index else None
        n = 0 if here is None else int(here["n"])
        finding = Finding(
            code="diagnosis.no_role", severity="watch", subject=stage,
            evidence={"stage": stage, "n": n, "n_stages": len(stages)},
            owner_role="ops", action="diagnosis.no_role.action", lesson=LESSON,
        )  # fmt: skip
        tests.append(Tested(p=0.0, finding=finding))
    return Seen(value=float(len(alone)), n=len(stages), tests=tuple(tests))


CHECKS: tuple[Check, ...] = (
    # Between two imports a deal may have been in stages that nobody saw.
    Check(id="skipped_stages", pain="process", unit="ratio", needs=("opportunities.created_at",),
          look=_skipped, needs_log=("opportunities.stage",)),
    Check(id="back_moves", pain="process", unit="ratio", needs=("opportunities.created_at",),
          look=_back, needs_log=("opportunities.stage",)),
    Check(id="dead_deals", pain="process", unit="ratio",
          needs=("activities.opportunity_id", "activities.direction", "opportunities.created_at"),
          look=_dead),
    Check(id="no_role", pain="process", unit="count", needs=("opportunities.stage",),
          look=_no_role),
)  # fmt: skip
