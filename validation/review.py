"""Reviews: is an effect found where there is one, and none where a bad spell merely ended?"""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from salesops.methods.effects import DESIGN, effect
from salesops.methods.intervals import wilson
from validation.interventions import tried
from validation.planted import planted
from validation.table import Claim

# What was hoped for, as a part of the outcome's usual level: 10 % becomes 12.5 %.
HOPED = 0.25
SIZES = (0.1, 0.2, 0.25, 0.3, 0.4, 0.5)


def reviewed(
    seed: int, size: float | None = None, chosen_by: int = 3, **options: int | bool
) -> dict[str, object]:
    """Review one company; without a size one between a loss of a tenth and a gain of a half."""
    if size is None:
        size = float(np.random.default_rng([seed, 8]).uniform(-0.1, 0.5))
    company = tried(seed, size, **options)
    by = "unit" if options.get("by_rep") else "team"
    found = effect(company.frame, company.starts, worthwhile=HOPED * company.base, by=by,
                   chosen_by=chosen_by)  # fmt: skip
    return {
        "seed": seed, "size": size, "treated": len(company.starts), "verdict": found.verdict,
        "reasons": found.reasons, "refused": bool(DESIGN.intersection(found.reasons)),
        "covers": found.low <= company.truth <= found.high,
        "error": (found.estimate - company.truth) / company.base,
        "plain": (found.before_after - company.truth) / company.base,
        "near": (found.estimate + found.rebound - company.truth) / company.base,
        "width": (found.high - found.low) / company.base,
        "detectable": found.detectable / company.base, "worst": found.chosen_worst,
    }  # fmt: skip


def reviews(seeds: range, size: float | None = None, **options: int | bool) -> pd.DataFrame:
    """Review many companies, one row each."""
    return pd.DataFrame([reviewed(seed, size, **options) for seed in seeds])


def share(what: str, hits: "pd.Series[bool]", aim: str, least: float, most: float) -> Claim:
    """Give a share with its interval."""
    value, n = float(hits.mean()), len(hits)
    low, high = wilson(float(hits.sum()), n)
    return Claim(part="review", what=what, value=value, low=low, high=high, n=n, aim=aim,
                 holds=least <= value <= most)  # fmt: skip


def _shown(what: str, hits: "pd.Series[bool]") -> Claim:
    return share(what, hits, "shown", 0.0, 1.0)


def _mean(what: str, values: "pd.Series[float]") -> Claim:
    error = float(values.std() / np.sqrt(len(values)))
    value = float(values.mean())
    return Claim(part="review", what=what, value=value, low=value - 1.28 * error,
                 high=value + 1.28 * error, n=len(values), aim="shown", holds=True)  # fmt: skip


def known(frame: pd.DataFrame) -> Iterator[Claim]:
    """Say how well effects of known size are estimated."""
    kept = frame[~frame["refused"]]
    yield share("90 % interval covers the effect (where not refused)", kept["covers"],
                "0.85 to 0.96", 0.85, 0.96)  # fmt: skip
    yield _shown("90 % interval covers the effect (refused ones too)", frame["covers"])
    yield share("refused for what there is to compare", frame["refused"], "at most 0.50", 0, 0.5)
    for code in sorted(DESIGN):
        yield _shown(f"refused: {code}", frame["reasons"].map(lambda r, c=code: c in r))
    told = kept["verdict"] != "not_enough"
    yield _shown("not refused, and a verdict", told)
    for name, column in (("estimate", "error"), ("the same without leaving out months", "near"),
                         ("plain before and after", "plain")):  # fmt: skip
        yield _mean(f"{name}: error, parts of the usual level", frame[column].dropna())
        yield _mean(f"{name}: absolute error", frame[column].dropna().abs())


def measure(seeds: int) -> list[Claim]:
    """Measure over five companies a seed, and ten that tried what does nothing."""
    found = list(known(reviews(range(1, 5 * seeds + 1))))
    plain = reviews(range(1, 5 * seeds + 1), chosen_by=0)
    found.append(_shown("90 % interval covers the effect, leaving out no months",
                        plain.loc[~plain["refused"], "covers"]))  # fmt: skip
    none = reviews(range(10_001, 10_001 + 10 * seeds), 0.0)
    found += [
        share("nothing was done, called worked", none["verdict"] == "worked", "at most 0.075", 0,
              0.075),
        _shown("nothing was done, called worked (where not refused)",
               none.loc[~none["refused"], "verdict"] == "worked"),
        _shown("nothing was done, called did not", none["verdict"] == "did_not"),
        _shown("nothing was done, plain look above half of what was hoped",
               none["plain"] > HOPED / 2),
    ]  # fmt: skip
    for k, size in enumerate(SIZES):
        some = reviews(range(20_001 + 1000 * k, 20_001 + 1000 * k + 3 * seeds), size)
        found.append(_shown(f"effect of {size:.2f} called worked", some["verdict"] == "worked"))
        kept = some[~some["refused"]]
        found.append(_shown(f"effect of {size:.2f} called worked (where not refused)",
                            kept["verdict"] == "worked"))  # fmt: skip
        found.append(_shown(f"effect of {size:.2f} called did not", some["verdict"] == "did_not"))
    for k, (name, treated) in enumerate((("one team", 1), ("two teams", 2))):
        for size in (0.0, HOPED):
            at = 31_001 + 200 * k + (100 if size else 0)
            some = reviews(range(at, at + 2 * seeds), size, treated=treated)["verdict"]
            found.append(
                _shown(f"{name} of fifteen, effect of {size:.2f}: worked", some == "worked")
            )
    five = reviews(range(30_001, 30_001 + 2 * seeds), HOPED, teams=5, treated=2)
    found.append(share("two teams of five: not enough", five["verdict"] == "not_enough",
                       "at least 0.90", 0.9, 1))  # fmt: skip
    reps = reviews(range(40_001, 40_001 + 2 * seeds), None, by_rep=True)
    found.append(share("reps by lot within teams: 90 % interval covers the effect", reps["covers"],
                       "0.85 to 0.96", 0.85, 0.96))  # fmt: skip
    found.append(_shown("reps by lot within teams: refused", reps["refused"]))
    return [*found, *planted(seeds)]
