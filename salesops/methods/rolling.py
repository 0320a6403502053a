"""Ways to say a chance, judged at past origins on what came after, and one chosen for now."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit

from salesops.methods.chances import (
    EDGE,
    ROUNDS,
    USUAL,
    Floats,
    Kind,
    Task,
    able,
    coded,
    fitted,
    logit,
    recalibrated,
    threads_for,
)

# Days between origins.
QUARTER = 91


@dataclass(frozen=True, kw_only=True, eq=False)
class Rolled:
    """What would have been said at past origins, and what happened.

    Attributes
    ----------
    rows
        One row per row that was judged: its position in the frame (`row`), `origin`, `happened`,
        and the chance by each kind that was tried; `score` is that of the kind which earlier
        origins would have chosen.
    kind
        What is chosen now.
    rounds
        Boosting rounds chosen now.
    slope, intercept
        How the chosen kind's log-odds are put right now.
    gain, gain_low
        Mean gain in log-likelihood a row of the chosen kind over the base rate, and the lower end
        of its 90 % interval by units. Where the latter is not above 0, `kind` is `base`.
    """

    rows: pd.DataFrame
    kind: Kind
    rounds: int
    slope: float
    intercept: float
    gain: float
    gain_low: float


def quarters_before(
    last: pd.Timestamp, earliest: pd.Timestamp, n: int = 4
) -> list[pd.Timestamp]:  # fmt: skip
    """Give up to `n` origins a quarter apart, ascending to `last`, none before `earliest`.

    Examples
    --------
    >>> [str(o.date()) for o in quarters_before(pd.Timestamp("2026-06-30"),
    ...                                         pd.Timestamp("2026-01-01"))]
    ['2026-03-31', '2026-06-30']
    """
    every = [last - pd.Timedelta(days=QUARTER * k) for k in range(n - 1, -1, -1)]
    return [origin for origin in every if origin >= earliest]


def rolled(frame: pd.DataFrame, task: Task, origins: Sequence[pd.Timestamp]) -> Rolled:
    """Judge every kind at past origins on what came after, and choose one for now.

    Parameters
    ----------
    frame
        The columns of the task, `unit`, `at`, `known_at` (when it was known what happened) and
        `happened`.
    task
        Which columns are what.
    origins
        Ascending. At each all is fitted on rows with `known_at` up to it, and judged on rows with
        `at` from it up to the next.

    Notes
    -----
    Rolling origin: Tashman (2000), International Journal of Forecasting 16(4). The gap between
    `at` and `known_at` is the embargo: a row whose end was not known yet teaches nothing.
    """
    parts: list[pd.DataFrame] = []
    warm = _warm_up(frame, origins)
    begins = [*warm, *origins]
    ends = [*begins[1:], pd.Timestamp.max][: len(begins)]
    for origin, end in zip(begins, ends, strict=True):
        past = frame[(frame["known_at"] <= origin).to_numpy()]
        test = frame[((frame["at"] >= origin) & (frame["at"] < end)).to_numpy()]
        if past.empty or test.empty:
            continue
        part = _judged_at(past, test, task)
        chosen = _choice(parts, able(past))
        part["score"] = _said(part, *chosen)
        parts.append(part.assign(origin=pd.Series(origin, index=part.index).dt.as_unit("us")))
    parts_told = [part for part in parts if part["origin"].iloc[0] not in warm]
    if not parts_told:
        kind: Kind = "base"
        rows = pd.DataFrame(columns=["row", "origin", "happened", "score", "unit", "base"])
        return Rolled(rows=rows, kind=kind, rounds=USUAL, slope=1.0, intercept=0.0,
                      gain=float("nan"), gain_low=float("nan"))  # fmt: skip
    kind, rounds, slope, intercept = _choice(parts, able(frame))
    rows = pd.concat(parts_told, ignore_index=True)
    gain, low = _gain(rows, _said(rows, kind, rounds, slope, intercept))
    if not low > 0:
        kind, slope, intercept = "base", 1.0, 0.0
    steps = [c for c in rows if str(c).startswith("boosting_")]
    if steps:
        rows["boosting"] = rows[f"boosting_{rounds}"]
    return Rolled(rows=rows.drop(columns=steps), kind=kind, rounds=rounds, slope=slope,
                  intercept=intercept, gain=gain, gain_low=low)  # fmt: skip


def _warm_up(frame: pd.DataFrame, origins: Sequence[pd.Timestamp]) -> list[pd.Timestamp]:
    """Give an instant before the first origin at which kinds are compared, to choose at it."""
    if not len(origins) or frame.empty:
        return []
    # Whole microseconds, as origins are kept: finer ones would not be found again among them.
    middle = (frame["at"].min() + (origins[0] - frame["at"].min()) * 0.6).floor("us")
    return [middle] if middle < origins[0] else []


def _judged_at(past: pd.DataFrame, test: pd.DataFrame, task: Task) -> pd.DataFrame:
    """Give what each kind, fitted on the past, says of the rows to be judged."""
    found = pd.DataFrame({
        "row": test.index.to_numpy(), "unit": test["unit"].to_numpy(),
        "happened": test["happened"].to_numpy(bool),
    })  # fmt: skip
    kinds = able(past)
    for kind in kinds:
        if kind == "boosting":
            model = fitted(past, task, kind, rounds=ROUNDS[-1])
            numbers = coded(test, task, model.levels)
            with threads_for(len(test)):
                for n, said in enumerate(model.estimator.staged_predict_proba(numbers), 1):
                    if n in ROUNDS:
                        found[f"boosting_{n}"] = said[:, 1].clip(EDGE, 1 - EDGE)
        else:
            found[kind] = fitted(past, task, kind).chance(test)
    return found


def _choice(parts: list[pd.DataFrame], kinds: Sequence[Kind]) -> tuple[Kind, int, float, float]:
    """Choose kind, rounds and correction by what earlier origins showed; the usual without any."""
    usual: Kind = kinds[-1]
    if not parts:
        return usual, USUAL, 1.0, 0.0
    rows = pd.concat(parts, ignore_index=True)
    y = rows["happened"].to_numpy(bool)
    losses: dict[tuple[Kind, int], float] = {}
    for kind in kinds:
        for n in ROUNDS if kind == "boosting" else (USUAL,):
            column = f"boosting_{n}" if kind == "boosting" else kind
            known = rows[column].notna().to_numpy() if column in rows else np.zeros(len(rows), bool)
            if known.all():
                losses[kind, n] = float(_loss(rows[column].to_numpy(float), y).mean())
    if not losses:
        return usual, USUAL, 1.0, 0.0
    # Whichever says it most nearly right in the past does so by luck too, so that it would be
    # corrected too little: the least loss chooses, and the correction is learnt for it.
    best, n = min(losses, key=lambda k: losses[k])
    column = f"boosting_{n}" if best == "boosting" else best
    return best, n, *_correction(rows[column].to_numpy(float), rows)


def _said(
    rows: pd.DataFrame, kind: Kind, rounds: int, slope: float, intercept: float
) -> Floats:  # fmt: skip
    column = f"boosting_{rounds}" if kind == "boosting" else kind
    odds = logit(rows[column].to_numpy(float)) * slope + intercept
    return np.asarray(expit(odds), dtype=float).clip(EDGE, 1 - EDGE)


# So many units outweigh the belief that a model needs no correction.
UNITS_OF_BELIEF = 400.0
# Further than this no correction goes.
SLOPES = (0.5, 2.0)


def _correction(said: Floats, rows: pd.DataFrame) -> tuple[float, float]:
    """Give slope and intercept of what happened on the log-odds, held to 1 and 0."""
    y = rows["happened"].to_numpy(bool)
    odds = logit(said)
    found, _level = recalibrated(odds, y, np.ones(len(y)))
    if np.isnan(found):
        return 1.0, 0.0
    n = rows["unit"].nunique()
    weight = n / (n + UNITS_OF_BELIEF)
    slope = float(np.clip(1 + weight * (found - 1), *SLOPES))
    # The mean is set right for the slope that is used.
    shift = float(logit(y.mean()) - logit((expit(slope * odds)).mean()))
    return slope, weight * shift


def _loss(said: Floats, y: "npt.NDArray[np.bool_]") -> Floats:
    inside = said.clip(EDGE, 1 - EDGE)
    return np.asarray(-np.where(y, np.log(inside), np.log1p(-inside)), dtype=float)


def _gain(rows: pd.DataFrame, said: Floats) -> tuple[float, float]:
    """Give the gain over the base rate a row, and its lower end by units."""
    y = rows["happened"].to_numpy(bool)
    each = _loss(rows["base"].to_numpy(float), y) - _loss(said, y)
    by_unit = pd.Series(each).groupby(rows["unit"].to_numpy()).agg(["sum", "size"])
    mean = float(each.mean())
    n = len(by_unit)
    if n < 2:
        return mean, float("nan")
    rest = by_unit["sum"] - mean * by_unit["size"]
    error = float(np.sqrt((rest**2).sum() * n / (n - 1))) / len(each)
    return mean, mean - 1.645 * error
