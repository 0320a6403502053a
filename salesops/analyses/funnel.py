"""Where do deals stand, how many get on, what became of the pipeline, and where is most lost?"""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from salesops.analyses.explained import explain
from salesops.analyses.result import Lead, Result, Setting
from salesops.book.book import Book
from salesops.book.shared import shared
from salesops.charts import ageing as age_pictures
from salesops.charts import coverage as coverage_pictures
from salesops.charts import funnel as pictures
from salesops.charts import funnel_detail as detail
from salesops.charts import funnel_page as words
from salesops.charts.funnel_verdict import run_bar, verdict
from salesops.charts.parts import Shown
from salesops.charts.table import TableView
from salesops.metrics.alarms import alarms
from salesops.metrics.catalogue import metric
from salesops.metrics.changed import changed, names_of
from salesops.metrics.counted import (
    came_and_went,
    count_gaps,
    counts_of,
    groups_of,
    lost_reasons,
)
from salesops.metrics.leaks import losses
from salesops.metrics.opendeals import has_touches, standing
from salesops.metrics.pipeline import norm_share
from salesops.metrics.stages import has_stage_history, open_renewals, transitions
from salesops.metrics.stagetable import (
    Ageing,
    ageing_of,
    deals_frame,
    one_period_before,
    stages_of,
)
from salesops.metrics.togo import Coverage, coverage_of
from salesops.model.finding import Gap, Method


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Funnel(Result):
    """The funnel of one company, scope and period.

    Attributes
    ----------
    stages
        One row per open stage, in process order: `stage`; `n` open deals and their `amount`
        (company currency; null where no open deal has one), `due` (the part expected to close in
        the period), `prior_n`, `prior_amount` (one period before, same day); `entered` (first
        entries of the last 12 months), `rate` (chance of reaching the next stage or beyond, 0–1),
        `low`, `high` (80 %), `prior_entered`, `prior_rate` (the 12 months before, as known then),
        `trust` (of the change), `won_rate` (chance of winning in the end), `flow_in`, `flow_out`
        (deals in the period).
    waterfall
        One row per bucket: `bucket`, `kind`, `n`, `amount`, `prior_amount`; null without history.
    deals
        One row per deal and bucket: `id`, `name`, `owner_id`, `owner` (name), `bucket`, `amount`.
    weeks
        One row per week of the period: `metrics.togo.Coverage.weeks`; empty without history.
    open_deals
        One row per open deal: `id`, `name`, `account_id`, `owner_id`, `owner`, `stage`, `amount`,
        `stage_days`, `norm_days`, `age_times`, `last_touch_at`, `silent_days`, `silent`,
        `stalled`, `overdue`, `created_at`, `expected_close_on`.
    ageing
        One row per open stage: `metrics.stagetable.Ageing.stages`; empty without history.
    chances
        One row per stage and time in it: `metrics.stagetable.Ageing.chances`.
    leaks
        One row per last open stage: `stage`, `n`, `leak`, `prior_leak`, `norm_leak`, `prior_n`,
        `norm_n`; see `metrics.leaks.losses`.
    flow
        One row per `bucket`: what came in and ended in the period; see `metrics.counted`.
    transitions
        One row per pair of stages: see `metrics.stages.transitions`.
    groups
        One row per team or owner with `by`: `group`, `n`, `amount`, `won_n`, `lost_n`.
    """

    stages: pd.DataFrame
    waterfall: pd.DataFrame
    deals: pd.DataFrame
    weeks: pd.DataFrame
    open_deals: pd.DataFrame
    ageing: pd.DataFrame
    chances: pd.DataFrame
    leaks: pd.DataFrame
    flow: pd.DataFrame
    transitions: pd.DataFrame
    groups: pd.DataFrame

    def plot_stages(self, ax: Axes | None = None) -> Axes:
        """Draw the chance of getting on from each stage."""
        title = self.exhibits["stages"].title.text()
        return pictures.conversion(self.stages, ax=ax, title=title)

    def plot_waterfall(self, ax: Axes | None = None) -> Axes:
        """Draw what became of the pipeline."""
        return pictures.waterfall(self.waterfall, ax=ax)

    def plot_weeks(self, ax: Axes | None = None) -> Axes:
        """Draw coverage over the weeks of the period against what is needed."""
        return coverage_pictures.coverage(self.weeks, ax=ax)

    def plot_ageing(self, ax: Axes | None = None) -> Axes:
        """Draw how many norms each open deal has been in its stage."""
        return age_pictures.ages(self.ageing, self.open_deals, ax=ax)

    def plot_chances(self, ax: Axes | None = None) -> Axes:
        """Draw the chance of winning by the time stayed, in the stage where most stays long."""
        return age_pictures.chances(
            detail.of_stage(self.chances, pictures.worst_stage(self.ageing)), ax=ax
        )

    def plot_leaks(self, ax: Axes | None = None) -> Axes:
        """Draw what was lost by stage."""
        return pictures.leaks(self.leaks, ax=ax)

    @property
    def stay(self) -> Shown:
        """How much less likely deals are won that stay long, and which those are now."""
        worst = pictures.worst_stage(self.ageing)
        return detail.stay(worst, self.open_deals, self.chances, self._limit)

    @property
    def speed(self) -> Shown:
        """What the qualified pipeline brings a day, and what can be believed of it."""
        norm = self.setting.book.settings.norms.win_rate
        return detail.speed(self.metrics, norm)

    @property
    def moves_table(self) -> TableView | Shown:
        """The direct moves between stages, most frequent first."""
        return detail.moves_table(self.transitions)

    @property
    def deals_table(self) -> TableView | Shown:
        """The deals behind the largest outflow of the waterfall."""
        return detail.outflow_table(self.waterfall, self.deals)

    @property
    def _limit(self) -> float:
        return float(self.setting.book.settings.norms.aged_after)


@shared
def funnel(book: Book, *, period: str = "latest", by: str = "none") -> Funnel:
    """Where do deals stand, how many get on, and where is most lost?

    Parameters
    ----------
    book
        The company, at its date and in its scope.
    period
        `2026-03`, `2026Q1`, `2026` or `latest`, the month that holds the book's date.
    by
        `none`, `team` or `user`: adds the frame `groups`.

    Returns
    -------
    Funnel
        Frames, findings sorted by money at stake, and what could not be computed.

    Raises
    ------
    BadPeriod
        The period is none of these.
    ValueError
        `by` is none of these.

    Notes
    -----
    The cohort rate is an Aalen–Johansen estimate over first entries of the last 12 months, loss
    and void competing; the period flow beside it counts who came and left in the period and may
    exceed 100 %. Not to be believed for a stage whose process changed within those 12 months.
    What a period will still bring is read off the eight before at the same day.

    Examples
    --------
    >>> from salesops.book.book import open_book
    >>> result = funnel(open_book("tests/tiny_company"))
    >>> result.stages[["stage", "n"]].values.tolist()
    [['acquisition', 1], ['needs', 2], ['negotiation', 2]]
    """
    if by not in ("none", "team", "user"):
        raise ValueError(f"by={by!r} is not known. Expected none, team or user.")
    setting = Setting(book=book, period=book.period(period))
    # Renewals go a way of their own: confirmed rather than won, and nearly all of them.
    selling, of = book.without_renewals(), setting.period
    before = one_period_before(selling, of)
    earlier = deals_frame(before) if has_stage_history(before) else None
    now = deals_frame(selling)
    stages, stage_gaps = stages_of(selling, of, now, earlier)
    bars, deals, flow_gaps = changed(selling, of)
    leaks = losses(selling, of)
    counts = counts_of(selling)
    ageing = ageing_of(selling, now, earlier)
    coverage, cover_gaps = _coverage(selling, setting, now, counts)
    told = {**(coverage.told() if coverage else {}), **(ageing.told() if ageing else {})}
    seen = words.Seen(
        period=of, over=book.date >= of.end, stages=stages, bars=bars, leaks=leaks, told=told,
        flow=came_and_went(selling, of), weeks=coverage.weeks if coverage else pd.DataFrame(),
        ageing=ageing.stages if ageing else pd.DataFrame(), worst=ageing.worst if ageing else "",
        open_deals=_named(book, ageing.deals if ageing else now), counts=counts,
        reasons=lost_reasons(selling, of), norms=book.settings.norms, date=book.date,
    )  # fmt: skip
    findings = alarms(stages, ageing, coverage, of, book.settings.norms, over=seen.over)
    gaps = (*stage_gaps, *flow_gaps, *cover_gaps, *_ageing_gap(ageing, book),
            *count_gaps(selling, counts, leaks), *_undated_ends(seen.flow))  # fmt: skip
    return Funnel(
        report="funnel",
        setting=setting,
        verdict=verdict(seen, findings),
        run=run_bar(seen),
        metrics=_metrics(book, seen, period),
        exhibits=words.exhibits(seen, lambda name: explain(book, name, period=period)),
        findings=findings,
        method=_method(book, stages, counts | {"renewals": open_renewals(book)}, seen),
        gaps=gaps,
        stages=stages,
        waterfall=bars,
        deals=deals,
        weeks=seen.weeks,
        open_deals=seen.open_deals,
        ageing=seen.ageing,
        chances=pd.DataFrame() if ageing is None else ageing.chances,
        leaks=leaks,
        flow=seen.flow,
        transitions=transitions(selling),
        groups=groups_of(selling, of, by),
        lead=_lead(stages),
    )


def _named(book: Book, deals: pd.DataFrame) -> pd.DataFrame:
    return deals.assign(owner=names_of(book, deals["owner_id"]))


def _coverage(
    book: Book, setting: Setting, deals: pd.DataFrame, counts: dict[str, int]
) -> tuple[Coverage | None, tuple[Gap, ...]]:
    """How far open deals cover what is to go; None where no open deal has a value or a date."""
    needed = "opportunities.expected_close_on"
    if not book.has(needed):
        return None, (Gap(what="what.coverage", reason="missing_column", needs=needed),)
    if counts["open"] and deals["amount"].isna().all():
        return None, (Gap(what="what.coverage", reason="no_open_amounts"),)
    stood = standing(book, setting.period)
    if stood is not book:
        deals = deals_frame(stood)
    found = coverage_of(stood, setting.period, deals)
    gaps = []
    if math.isnan(found.target) and book.has("targets"):
        gaps.append(Gap(what="what.coverage", reason="no_target"))
    elif math.isnan(found.target):
        gaps.append(Gap(what="what.coverage", reason="missing_table", needs="targets"))
    elif math.isnan(found.share) and book.date < setting.period.end:
        gaps.append(Gap(what="what.needed", reason="too_few_periods"))
    return found, tuple(gaps)


def _undated_ends(flow: pd.DataFrame) -> tuple[Gap, ...]:
    """Say that deals ended and nobody wrote down when: of the period nothing is known of them."""
    if not flow.set_index("bucket")["n"][["lost", "void"]].isna().any():
        return ()
    return (Gap(what="what.leaks", reason="missing_column", needs="opportunities.closed_at"),)


def _ageing_gap(ageing: Ageing | None, book: Book) -> tuple[Gap, ...]:
    gaps = []
    if ageing is None:
        gaps.append(Gap(what="what.ageing", reason="no_history", needs="changes"))
    missing = has_touches(book)
    if missing:
        needs = missing.partition(":")[2]
        reason = "missing_column" if book.has("activities") else "missing_table"
        gaps.append(Gap(what="what.silence", reason=reason,
                        needs=needs if book.has("activities") else "activities"))  # fmt: skip
    return tuple(gaps)


def _metrics(book: Book, seen: words.Seen, period: str) -> dict[str, float | None]:
    stages, counts, leaks = seen.stages, seen.counts, seen.leaks
    first = stages["won_rate"].iloc[0] if len(stages) else math.nan
    found = {
        "open_deals": float(counts["open"]), "open_amount": stages["amount"].sum(min_count=1),
        "won_deals": float(counts["won"]), "lost_deals": float(counts["lost"]),
        "won_amount": counts["won_cents"] / 100 if counts["won_cents"] else math.nan,
        "whole_funnel": first, "won_in_period": -words.bar(seen.bars, "won"),
        "pushed_out": -words.bar(seen.bars, "pushed_out"), "leak": leaks["leak"].sum(min_count=1),
        "leak_n": float(leaks["n"].sum()), **seen.told,
    }  # fmt: skip
    for name in ("velocity", "credible_pipeline", "sales_cycle", "sales_cycle_won"):
        found[name] = float(metric(book, name, period=period)[name].iloc[0])
    if found["credible_pipeline"] == found["credible_pipeline"]:
        found["by_norm_share"] = norm_share(book, seen.period)
    return {k: None if v is None or np.isnan(v) else float(v) for k, v in found.items()}


def _lead(stages: pd.DataFrame) -> Lead:
    value, prior = (float(stages[c].sum(min_count=1)) for c in ("amount", "prior_amount"))
    known = [None if math.isnan(v) else v for v in (value, prior)]
    return Lead(name="lead.open_amount", kind="money", value=known[0], prior=known[1])


def _method(
    book: Book, stages: pd.DataFrame, counts: dict[str, int], seen: words.Seen
) -> Method:  # fmt: skip
    beside = {"lost_valued", "won_cents"}
    source = ["method.cohort", "method.waterfall", "method.leaks"]
    blind = ["blind.settings_today"]
    if seen.known("week_n_conversion"):
        source.append("method.coverage")
    if len(seen.ageing):
        source.append("method.ageing")
    if not has_stage_history(book):
        source = ["method.leaks"]
        blind.append("blind.no_history")
    elif book.tracked["opportunities"]["stage"].how == "snapshot":
        blind.append("blind.snapshots")
    n = {name: count for name, count in counts.items() if name not in beside}
    if stages["entered"].notna().any():
        n["entered"] = int(stages["entered"].sum())
    return Method(source=tuple(source), assumptions=("method.window",), n=n,
                  blind_spots=tuple(blind))  # fmt: skip
