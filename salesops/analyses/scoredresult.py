"""What results with chances share: how good the chances are, shown and worked out alike."""

from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from salesops.analyses.result import Result
from salesops.charts import scored_page
from salesops.charts.parts import Shown
from salesops.charts.scored_page import Scored
from salesops.methods.acting import cost_curve, lift, top_of_each
from salesops.methods.calibrated import calibration_curve
from salesops.methods.chances import Model
from salesops.methods.leakage import leaks
from salesops.methods.scored import by_group, judged, paired_gain

# Simpler ways that what is used is held against, where they were tried.
OTHERS = ("base", "rule", "logistic", "bgnbd")


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ScoredResult(Result):
    """A result whose lists lie on chances.

    Attributes
    ----------
    scored
        How good the chances are.
    """

    scored: Scored = field(repr=False)

    @property
    def calibration(self) -> Shown:
        """What was said against what happened."""
        return scored_page.calibration(self.scored)

    @property
    def scored_tables(self) -> Shown:
        """How good the chances were, by origin and group, and what looking at the first brings."""
        return scored_page.tables(self.scored)


def unscored(what: str) -> Scored:
    """Give how good chances are where the past is too little to say."""
    empty = pd.DataFrame()
    return Scored(
        what=what,
        measures=empty,
        bins=empty,
        lifts=empty,
        top=empty,
        groups=empty,
        origins=empty,
        costs=empty,
        leaks=empty,
        gains=empty,
        example={},
        kind="base",
    )


def scored_of(
    what: str, rows: pd.DataFrame, model: Model, past: pd.DataFrame, example: dict[str, float], *,
    cost: float, saved: float, most: int = 10,
) -> Scored:  # fmt: skip
    """Judge what was said at past origins.

    Parameters
    ----------
    what
        Stem of the words.
    rows
        As `methods.rolling.Rolled.rows`, with `at`, `money`, and `team` and `owner_id` if known.
    model
        What is used now.
    past
        The rows that it was learnt from.
    example
        Of past rows to which a chance was said: `said`, `n`, and what became of them.
    cost, saved
        Of the cost curve: money a touch, and share saved.
    most
        Rows of a person's list.
    """
    if rows.empty:
        return unscored(what)
    gains = []
    for kind in (k for k in OTHERS if k in rows):
        known = rows.dropna(subset=[kind])
        if len(known):
            gains.append((kind, *paired_gain(known, "score", kind)))
    shown: dict[str, Any] = {
        "origin": rows["origin"].dt.date, "group": rows.get("team", ""),
        "rep": rows.get("owner_id", ""),
    }  # fmt: skip
    frame = rows.assign(**shown)
    return Scored(
        what=what, measures=judged(frame), bins=calibration_curve(frame), lifts=lift(frame),
        top=top_of_each(frame, most), groups=by_group(frame, "group"),
        origins=by_group(frame, "origin"), costs=cost_curve(frame, cost, saved),
        leaks=leaks(past, list(model.task.numbers), list(model.task.words)),
        gains=pd.DataFrame(gains, columns=["over", "gain", "low", "high"]), example=example,
        kind=model.kind,
    )  # fmt: skip
