"""Did what we did work? Groups that started something, against groups that had not yet."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import pandas as pd

from salesops.methods.arrangements import Arranged, arranged, arrangements, how_many, used
from salesops.methods.contrasts import (
    LEAST,
    By,
    Flags,
    Ints,
    Panel,
    Window,
    cells,
    levels,
    panel_of,
    windows,
)
from salesops.methods.detectable import smallest_detectable
from salesops.methods.placebo import Placebo, drift, earlier, elsewhere

Verdict = Literal["worked", "did_not", "not_enough"]
Reason = Literal[
    "too_few_comparisons", "too_few_teams", "too_short_before", "too_short_after", "pretrend",
    "placebo", "chosen_worst_rebound", "interval_holds_nought", "smaller_than_worthwhile",
    "worse_than_before",
]  # fmt: skip
# Reasons that lie in what there is to compare: nothing is said then, whatever the estimate.
DESIGN: frozenset[Reason] = frozenset(
    {"too_few_comparisons", "too_few_teams", "too_short_before", "too_short_after", "pretrend",
     "placebo"}
)  # fmt: skip
LEAST_UNITS, LEAST_TEAMS = 12, 3
# So many ways to choose the treated at least: chance alone makes the real one differ most of all
# once in so many, half of them to the better. Two teams of five can be chosen in ten ways.
LEAST_WAYS = 15
# Placebos below this chance are effects; groups so low among those that could have been chosen
# were chosen for being worst.
ODD, WORST = 0.05, 0.10


@dataclass(frozen=True, kw_only=True)
class Effect:
    """What something did, and whether that can be told.

    Attributes
    ----------
    verdict, reasons
        `worked` (the interval lies above 0), `did_not` (it ends below half of what was hoped: below
        the whole, what does all that was hoped would be called so once in twenty) or `not_enough`,
        and why not more can be said.
    estimate, low, high
        Effect on those treated, per case, with its 90 % interval, in the outcome's unit; nan or
        infinite where nothing could be compared.
    p
        Share of the ways to choose other groups with as large a difference.
    detectable
        Smallest effect that would be found four times in five (5 %, two-sided), without sign.
    n_treated_units, n_treated_teams, n_comparison_units, n_comparison_teams
        Those with cases before and after, that the estimate rests on.
    pretrend
        How much more per period the treated grew before.
    placebo_time
        Effect of a start in the middle of the time before.
    placebo_space
        What nine in ten groups that nobody treated stay below, and the chance of so large an
        effect among them.
    chosen_worst, position_before
        Whether the group was among the worst of those that could have been chosen, and which
        share of the others stood worse just before; 0: none.
    rebound
        By how much the estimate would be larger, were the periods just before the start its
        baseline.
    before_after
        Mean after less mean just before of the treated alone: what a plain look says.
    """

    verdict: Verdict = "not_enough"
    reasons: tuple[Reason, ...] = ()
    estimate: float = math.nan
    low: float = -math.inf
    high: float = math.inf
    p: float = math.nan
    detectable: float = math.inf
    n_treated_units: int = 0
    n_treated_teams: int = 0
    n_comparison_units: int = 0
    n_comparison_teams: int = 0
    pretrend: Placebo = field(default_factory=Placebo)
    placebo_time: Placebo = field(default_factory=Placebo)
    placebo_space: Placebo = field(default_factory=Placebo)
    chosen_worst: bool = False
    position_before: float = math.nan
    rebound: float = math.nan
    before_after: float = math.nan


def effect(
    frame: pd.DataFrame, starts: Mapping[str, int], *, worthwhile: float, by: By = "team",
    chosen_by: int = 3, longest: int = 12, seed: int = 1,
) -> Effect:  # fmt: skip
    """Did it work, did it not, or can it not be told?

    Parameters
    ----------
    frame
        One row per unit and period: `unit`, `team`, `period` (whole numbers, one a month or
        week), `value` (mean outcome of the cases), and where known `n` (cases; a row counts once
        without).
    starts
        Period from which each treated team was treated, or each treated unit.
    worthwhile
        Effect that was hoped for, best written down beforehand. Where less is better it is below 0.
    by
        Who is named by `starts`. Units are compared within their team, teams with teams.
    chosen_by
        So many periods just before its start may have made a group be chosen, or warned it: they
        are no baseline. 0 only where groups were drawn by lot.
    longest
        So many periods after a start at most, and twice as many before.
    seed
        Of the arrangements that are drawn where there are more than 2,000.

    Returns
    -------
    Effect

    Raises
    ------
    ValueError
        `worthwhile` is 0, or a start belongs to nobody in the frame.

    Notes
    -----
    Differences in differences in each period after each start, against those never or not yet
    treated (Callaway & Sant'Anna 2021, Journal of Econometrics 225, 200-230), tested and bounded
    by other ways to choose the treated: whole teams, since a team's spells last and are shared by
    its people (Conley & Taber 2011, Review of Economics and Statistics 93, 113-125). No unit is
    matched on the outcome. It is not to be believed where teams would have gone apart anyway, where
    what was tried reached the others too, or where spells don't fade: a lasting decline that the
    group was chosen for seems an effect below 0. Tests of what went before seldom find what is
    small (Roth 2022, American Economic Review: Insights 4, 305-322).

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> rows = [(f"{team}{i}", team, period) for team in "abcdefgh" for i in range(4)
    ...         for period in range(24)]
    >>> frame = pd.DataFrame(rows, columns=["unit", "team", "period"])
    >>> gain = 0.3 * (frame["team"].isin(["a", "b", "c"]) & (frame["period"] >= 12))
    >>> frame["value"] = 1 + gain + 0.2 * rng.standard_normal(len(frame))
    >>> found = effect(frame, {"a": 12, "b": 12, "c": 12}, worthwhile=0.2)
    >>> found.verdict, found.low < 0.3 < found.high, found.detectable < 0.15
    ('worked', True, True)
    >>> few = effect(frame[frame["team"].isin(["a", "d"])], {"a": 12}, worthwhile=0.2)
    >>> few.verdict, few.reasons[:2]
    ('not_enough', ('too_few_comparisons', 'too_few_teams'))
    """
    if worthwhile == 0:
        raise ValueError("worthwhile is 0: give the effect that was hoped for")
    sign = math.copysign(1.0, worthwhile)
    panel = panel_of(frame.assign(value=sign * frame["value"]), starts, by)
    spans, short = _spans(panel, chosen_by, longest)
    found = _compared(panel, spans, chosen_by, by, seed)
    reasons: list[Reason] = [*found.reasons, *short]
    if found.n_treated_units and not math.isnan(found.estimate):
        reasons += _doubts(found)
    found = _judged(found, reasons, abs(worthwhile))
    return found if sign > 0 else _turned(found)


def _spans(panel: Panel, chosen_by: int, longest: int) -> tuple[list[Window], list[Reason]]:
    """Give the windows of the starts; where all are too short the longest there are, and why."""
    spans = windows(panel, chosen_by=chosen_by, longest=longest)
    if spans:
        return spans, []
    begun = panel.starts[panel.starts < panel.n.shape[1]]
    short: list[Reason] = []
    if not len(begun) or begun.max() - chosen_by < LEAST:
        short.append("too_short_before")
    if not len(begun) or panel.n.shape[1] - begun.min() < LEAST:
        short.append("too_short_after")
    if not short:
        short = ["too_short_before", "too_short_after"]
    return windows(panel, chosen_by=chosen_by, longest=longest, least=1), short


def _compared(panel: Panel, spans: Sequence[Window], chosen_by: int, by: By, seed: int) -> Effect:
    """Estimate, count, and try placebos."""
    real = cells(panel, spans)
    treated, calm = used(real, panel.starts, panel.stratum)
    there = treated | calm
    (units, teams), (others, other_teams) = (_counts(panel, spans, x) for x in (treated, calm))
    few: list[Reason] = []
    if others < LEAST_UNITS or other_teams < LEAST_TEAMS:
        few.append("too_few_comparisons")
    # Who started first of those treated hardly matters; it does where nobody is left untreated.
    begun = treated.astype(np.int64) if (calm & ~treated).any() else panel.starts
    if by == "team" and how_many(begun[there], panel.stratum[there]) < LEAST_WAYS:
        few.append("too_few_teams")
    bare = Effect(
        reasons=tuple(few), before_after=_before_after(panel, spans), n_treated_units=units,
        n_treated_teams=teams, n_comparison_units=others, n_comparison_teams=other_teams,
    )  # fmt: skip
    if not treated.any():
        return bare
    drawn = arrangements(panel.starts[there], panel.stratum[there], seed=seed)
    ways = np.tile(panel.starts, (len(drawn), 1))
    ways[:, there] = drawn
    found = arranged(real, ways, panel.stratum)
    low, high = found.interval()
    free = int(there.sum()) - len(np.unique(panel.stratum[there])) - 1
    near = arranged(cells(panel, [_near(w) for w in spans]), ways, panel.stratum)
    position = _position(panel, spans, ways, found.estimate, chosen_by or LEAST)
    feigned = position <= WORST and near.interval()[0] > 0 >= low
    return replace(
        bare, estimate=found.estimate, low=low, high=high, p=found.p(),
        reasons=(*few, "chosen_worst_rebound") if feigned else bare.reasons,
        detectable=smallest_detectable(found.standard_error(free), free),
        pretrend=drift(panel, spans, ways, found.estimate),
        placebo_time=earlier(panel, spans, ways, found.estimate),
        placebo_space=elsewhere(panel, real, seed=seed),
        chosen_worst=position <= WORST, position_before=position,
        rebound=near.estimate - found.estimate,
    )  # fmt: skip


def _doubts(found: Effect) -> list[Reason]:
    """Name what speaks against the comparison itself."""
    doubts: list[Reason] = []
    if found.pretrend.p < ODD:
        doubts.append("pretrend")
    lone = not found.low <= 0 <= found.high and found.placebo_space.p > WORST
    if found.placebo_time.p < ODD or lone:
        doubts.append("placebo")
    return doubts


def _judged(found: Effect, reasons: Sequence[Reason], worthwhile: float) -> Effect:
    why = list(reasons)
    verdict: Verdict = "not_enough"
    firm = not DESIGN.intersection(why)
    if math.isnan(found.estimate):
        return replace(found, reasons=tuple(why))
    if found.high < 0:
        why.append("worse_than_before")
    elif found.low <= 0:
        why.append("interval_holds_nought")
    if found.high < worthwhile:
        why.append("smaller_than_worthwhile")
    if firm and found.low > 0:
        verdict = "worked"
    elif firm and found.high < worthwhile / 2:
        verdict = "did_not"
    return replace(found, verdict=verdict, reasons=tuple(why))


def _turned(found: Effect) -> Effect:
    """Give an outcome of which less is better its own sign again."""
    return replace(
        found, estimate=-found.estimate, low=-found.high, high=-found.low,
        pretrend=replace(found.pretrend, estimate=-found.pretrend.estimate),
        placebo_time=replace(found.placebo_time, estimate=-found.placebo_time.estimate),
        rebound=-found.rebound, before_after=-found.before_after,
    )  # fmt: skip


def _near(window: Window) -> Window:
    """Give the window that ends where the start is, as a plain look would."""
    first = max(0, window.start - len(window.before))
    return replace(window, before=range(first, window.start))


def _position(
    panel: Panel, spans: Sequence[Window], ways: Ints, estimate: float, periods: int
) -> float:
    """Which share of the groups that could have been chosen stood worse just before?"""
    late = [replace(w, before=range(max(0, w.start - periods), w.start)) for w in spans]
    found: Arranged = arranged(levels(panel, late), ways, panel.stratum)
    if len(found.change) < 2:
        return math.nan
    stood = found.change - estimate * found.dose
    return float((stood[1:] < stood[0]).mean() + (stood[1:] == stood[0]).mean() / 2)


def _counts(panel: Panel, spans: Sequence[Window], blocks: Flags) -> tuple[int, int]:
    """Count units, and their teams, with cases on both sides of a start."""
    both = np.zeros(len(panel.block), bool)
    for w in spans:
        both |= (panel.n[:, w.before].sum(axis=1) > 0) & (panel.n[:, w.after].sum(axis=1) > 0)
    both &= blocks[panel.block]
    return int(both.sum()), len(np.unique(panel.team[both]))


def _before_after(panel: Panel, spans: Sequence[Window]) -> float:
    """Compare the treated with themselves just before, as many periods on both sides."""
    sums, cases = np.zeros(2), np.zeros(2)
    for w in spans:
        mine = panel.starts[panel.block] == w.start
        close = range(max(0, w.start - len(w.after)), w.start)
        for side, span in enumerate((close, w.after)):
            n = panel.n[mine][:, span]
            cases[side] += n.sum()
            sums[side] += (n * panel.value[mine][:, span]).sum()
    if not cases.all():
        return math.nan
    return float(sums[1] / cases[1] - sums[0] / cases[0])
