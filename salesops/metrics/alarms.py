"""What in the open pipeline is beyond chance, each with its money and what it takes for granted.

All that is compared is held to one false discovery rate, so that looking at more stages raises no
more false alarms.
"""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from salesops.metrics.stagetable import Ageing, fall_p
from salesops.metrics.togo import Coverage
from salesops.model.calendar import Period
from salesops.model.finding import Finding, Range
from salesops.model.settings import Norms

FALSE_DISCOVERY = 0.01
# Of a stage's open deals so many may be both old and silent before it says something.
TOLERATED = 0.02
# The months of a quarter differ too much to be held against the eight before.
LONG = 3


@dataclass(frozen=True)
class _Test:
    """One comparison: its p and the finding that it makes, if it holds."""

    p: float
    finding: Finding


def alarms(
    stages: pd.DataFrame, ageing: Ageing | None, coverage: Coverage | None, period: Period,
    norms: Norms, *, over: bool,
) -> tuple[Finding, ...]:  # fmt: skip
    """Give the findings that hold, by money at stake, largest first.

    Parameters
    ----------
    stages
        The funnel's stages with their change against the year before.
    over
        True where the period has ended: then what is still to go can't be won any more.
    """
    tests = [_conversion(row) for _i, row in stages.iterrows()
             if row["change_p"] == row["change_p"] and row["trust"] != "too_few"]  # fmt: skip
    if ageing is not None:
        tests += _aged(ageing, norms)
    if coverage is not None and not over and period.months >= LONG:
        tests += _short(coverage, period)
    if not tests:
        return ()
    # Importing it takes a second, which a report without anything to test need not wait.
    from scipy.stats import false_discovery_control

    adjusted = false_discovery_control(np.array([test.p for test in tests]))
    held = [t.finding for t, p in zip(tests, adjusted, strict=True) if p < FALSE_DISCOVERY]
    found = [f for f in held if f.severity != "note"]
    return tuple(sorted(found, key=lambda f: -(f.at_stake or 0)))


def _conversion(row: "pd.Series[float]") -> _Test:
    """A stage that fewer get past than the year before; one that got easier is only a note."""
    amount = float(row["amount"])
    after = float(row["won_rate"] / row["rate"]) if row["rate"] > 0 else math.nan
    back = [max(row["prior_rate"] - row[end], 0.0) * amount * min(after, 1.0)
            for end in ("high", "rate", "low")]  # fmt: skip
    sized = not math.isnan(amount) and not any(math.isnan(b) for b in back)
    finding = Finding(
        code="funnel.conversion_fell",
        severity="act" if row["rate"] < row["prior_rate"] else "note",
        subject=str(row["stage"]),
        evidence={
            "stage": str(row["stage"]), "rate": float(row["rate"]),
            "prior_rate": float(row["prior_rate"]), "n": int(row["entered"]),
            "n_open": int(row["n"]), "amount": amount,
        },
        at_stake=amount if sized else None,
        recoverable=Range(low=back[0], middle=back[1], high=back[2]) if sized else None,
        assumption="funnel.conversion_fell.assumption", owner_role="lead",
        action="funnel.conversion_fell.action", lesson="08_funnel", trust="firm",
    )  # fmt: skip
    return _Test(float(row["change_p"]), finding)


def old_and_silent(ageing: Ageing, stage: str, norms: Norms) -> pd.DataFrame:
    """List the open deals of a stage that are beyond its limit and silent, largest first."""
    deals = ageing.deals
    chosen = deals[(deals["stage"] == stage) & (deals["age_times"] > norms.aged_after)]
    chosen = chosen[chosen["silent"].eq(True)]
    return chosen.sort_values(["amount", "id"], ascending=[False, True])


def _aged(ageing: Ageing, norms: Norms) -> list[_Test]:
    """Stages where more than a few deals are old and silent, and such deals win less often."""
    from scipy.stats import binom

    found = []
    for stage, chances in ageing.chances.groupby("stage", sort=False):
        deals = old_and_silent(ageing, str(stage), norms)
        whole = int((ageing.deals["stage"] == stage).sum())
        first, late, p, n = fall_p(chances)
        if deals.empty or math.isnan(p) or n < norms.too_few or late >= first:
            continue
        many = float(binom.sf(len(deals) - 1, whole, TOLERATED))
        found.append(_Test(max(p, many), _aged_finding(str(stage), deals, chances, norms)))
    return found


def _aged_finding(
    stage: str, deals: pd.DataFrame, chances: pd.DataFrame, norms: Norms
) -> Finding:  # fmt: skip
    entry, late = (chances[chances["times"] == t].iloc[0] for t in (0, 2))
    amount = float(deals["amount"].sum(min_count=1))
    back = [max(float(a - b), 0.0) * amount for a, b in (
        (entry["low"], late["high"]), (entry["chance"], late["chance"]),
        (entry["high"], late["low"]))]  # fmt: skip
    sized = not math.isnan(amount)
    return Finding(
        code="funnel.aged",
        severity="act",
        subject=stage,
        evidence={
            "stage": stage, "n_deals": len(deals), "amount": amount,
            "chance": float(entry["chance"]), "late_chance": float(late["chance"]),
            "n": int(late["n"]), "norm_days": float(deals["norm_days"].iloc[0]),
            "limit": float(norms.aged_after), "silent_after": float(norms.silent_after),
        },
        at_stake=amount if sized else None,
        recoverable=Range(low=back[0], middle=back[1], high=back[2]) if sized else None,
        assumption="funnel.aged.assumption", owner_role="lead", action="funnel.aged.action",
        lesson="08_funnel", trust="firm",
    )  # fmt: skip


def _short(coverage: Coverage, period: Period) -> list[_Test]:
    """A target that a period like those before would hardly ever reach from here."""
    gap = coverage.to_go - coverage.likely
    if math.isnan(coverage.reach_p) or not gap > 0:
        return []
    shares = (coverage.share_low, coverage.share, coverage.share_high)
    back = [min(share * coverage.silent, gap) for share in shares]
    known = coverage.silent > 0 and not any(math.isnan(b) for b in back)
    finding = Finding(
        code="funnel.coverage_short",
        severity="act",
        subject=period.text,
        evidence={
            "period": period.text, "coverage": coverage.now, "need": coverage.need, "gap": gap,
            "to_go": coverage.to_go, "open": coverage.open, "silent": coverage.silent,
            "n_periods": coverage.n_periods, "share": coverage.share,
        },
        at_stake=gap,
        recoverable=Range(low=back[0], middle=back[1], high=back[2]) if known else None,
        assumption="funnel.coverage_short.assumption", owner_role="manager",
        action="funnel.coverage_short.action", lesson="08_funnel", trust="firm",
    )  # fmt: skip
    return [_Test(coverage.reach_p, finding)]
