"""Targets: are the chances of reaching them what they say?"""

import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pandas as pd

from salesops.book.book import open_book
from salesops.metrics.outlook import outlook
from validation.companies import Company, generated
from validation.table import Claim

# The last day before each quarter whose chances are tried, when its quotas are set.
ORIGINS = {"2025-06-30": "2025Q3", "2025-09-30": "2025Q4", "2025-12-31": "2026Q1"}
BINS, ROUNDS, LEAST = 10, 200, 0.002


def tried(company: Company) -> pd.DataFrame:
    """Give the chances said before each quarter of a company, and what came of them.

    Returns
    -------
    pandas.DataFrame
        One row per node and quarter with a target: `seed`, `kind`, `level`, `chance`, `reached`,
        `place` (of what came among the draws, 0-1).

    Notes
    -----
    Who left within the quarter is not scored: of people no leaving is allowed for.
    """
    whole = open_book(generated(company))
    left = whole.users.select("id", "left_on").to_pandas().set_index("id")["left_on"]
    left = pd.to_datetime(left)
    rows = []
    for origin, quarter in ORIGINS.items():
        period = whole.period(quarter)
        said = outlook(whole.as_of(origin), period)
        came = outlook(whole, period)
        if said is None or came is None:
            continue
        real = came.nodes.set_index(["level", "key"])["signed"]
        for row in said.nodes[said.nodes["plan"].notna()].itertuples():
            if row.level == "region" or (row.level, row.key) not in real.index:
                continue
            if row.level == "user" and left.get(row.key, pd.NaT) <= pd.Timestamp(period.end):
                continue
            signed = float(real[row.level, row.key])
            place = float((said.sums[row.Index] <= signed).mean())
            rows.append((company.folder.name, row.level, row.chance, signed >= row.plan, place))
    return pd.DataFrame(rows, columns=["company", "level", "chance", "reached", "place"])


def calibration_error(frame: pd.DataFrame) -> float:
    """Give the expected calibration error over ten bins of equal width."""
    at = np.minimum((frame["chance"] * BINS).astype(int), BINS - 1)
    sums = frame.groupby(at).agg(p=("chance", "mean"), y=("reached", "mean"), n=("chance", "size"))
    return float(((sums["p"] - sums["y"]).abs() * sums["n"]).sum() / len(frame))


def slope(frame: pd.DataFrame) -> float:
    """Give the slope of what came on the log-odds that were said; 1 is right."""
    from scipy.optimize import minimize

    p = frame["chance"].clip(LEAST, 1 - LEAST).to_numpy(float)
    x, y = np.log(p / (1 - p)), frame["reached"].to_numpy(float)

    def loss(b: "np.ndarray") -> float:
        z = b[0] + b[1] * x
        return float((np.logaddexp(0, z) - y * z).sum())

    return float(minimize(loss, [0.0, 1.0]).x[1])


def _claims(frame: pd.DataFrame) -> Iterator[Claim]:
    scored = frame[frame["level"] != "company"]
    parts = dict(list(scored.groupby("company")))
    rng = np.random.default_rng(1)
    names = list(parts)
    drawn = [pd.concat([parts[names[i]] for i in rng.integers(0, len(names), len(names))])
             for _ in range(ROUNDS)]  # fmt: skip
    error, errors = calibration_error(scored), [calibration_error(d) for d in drawn]
    low, high = np.quantile(errors, [0.1, 0.9])
    yield Claim(part="targets", what="expected calibration error of chances (teams, people)",
                value=error, low=float(low), high=float(high), n=len(scored), aim="at most 0.03",
                holds=error <= 0.03)  # fmt: skip
    found, slopes = slope(scored), [slope(d) for d in drawn]
    low, high = np.quantile(slopes, [0.025, 0.975])
    yield Claim(part="targets", what="calibration slope of chances (95 %, by company)",
                value=found, low=float(low), high=float(high), n=len(scored), aim="holds 1",
                holds=bool(low <= 1 <= high))  # fmt: skip
    for level, rows in frame.groupby("level"):
        inside = rows["place"].between(0.1, 0.9)
        yield _shown(f"{level}: expected calibration error", calibration_error(rows), len(rows))
        yield _shown(f"{level}: calibration slope", slope(rows), len(rows))
        yield _shown(f"{level}: 80 % range holds what came", float(inside.mean()), len(rows))
        yield _shown(f"{level}: mean chance said", float(rows["chance"].mean()), len(rows))
        yield _shown(f"{level}: share reached", float(rows["reached"].mean()), len(rows))


def _shown(what: str, value: float, n: int) -> Claim:
    return Claim(part="targets", what=what, value=value, low=float("nan"), high=float("nan"), n=n,
                 aim="shown", holds=True)  # fmt: skip


def measure(seeds: int) -> list[Claim]:
    """Measure the chances over companies with every problem and clean ones."""
    usual = [Company(seed=s, size=1.0) for s in range(1, max(seeds * 3 // 2, 2) + 1)]
    clean = [Company(seed=s) for s in range(1, max(seeds * 5 // 4, 2) + 1)]
    companies = [*usual, *clean]
    with ProcessPoolExecutor(max_workers=os.cpu_count()) as pool:
        frames = []
        for n, frame in enumerate(pool.map(tried, companies), 1):
            print(f"{n} of {len(companies)}", flush=True)
            frames.append(frame)
    whole = pd.concat(frames, ignore_index=True)
    return list(_claims(whole))
