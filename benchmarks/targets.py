"""How fast are targets and chances of 2,000 nodes, and how near the truth, beside an open peer?"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
import warnings
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from salesops.methods.attaining import drawn, learn
from salesops.methods.coherent import LOCKS, WISHES, coherent

PLACE = Path("docs/bench_targets.md")
REGIONS, TEAMS, PEOPLE = 10, 100, 1_889
PAST, AHEAD, DRAWS = 24, 12, 10_000
PEER = "b2b-revenue-forecasting"


def world(seed: int = 1) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Make people in a tree, their past by month, and what they are truly able to sign.

    Returns
    -------
    tuple
        People (`person`, `team`, `region`, `true`: share of all that is expected next year, and
        `signed`, the past's money), the past as `learn` wants it, and its wins.
    """
    rng = np.random.default_rng(seed)
    own = rng.gamma(1 / 0.4**2, 0.4**2, PEOPLE)
    team = np.arange(PEOPLE) % TEAMS
    people = pd.DataFrame({
        "person": [f"p{i}" for i in range(PEOPLE)], "team": [f"t{t}" for t in team],
        "region": [f"r{t % REGIONS}" for t in team], "true": own / own.sum(),
    })  # fmt: skip
    # One in four came within the last year.
    since = np.where(rng.random(PEOPLE) < 0.25, rng.integers(13, PAST, PEOPLE), 0)
    staffing = (np.arange(PAST)[None, :] >= since[:, None]).astype(float)
    counts = rng.poisson(1.2 * own[:, None] * staffing)
    seen = pd.DataFrame({
        "person": np.repeat(people["person"].to_numpy(), PAST),
        "team": np.repeat(people["team"].to_numpy(), PAST),
        "month": np.tile(np.arange(PAST), PEOPLE), "staffing": staffing.ravel(), "season": 1.0,
        "n": counts.ravel().astype(float),
    })  # fmt: skip
    wins = pd.DataFrame({"person": np.repeat(people["person"].to_numpy(), counts.sum(axis=1))})
    wins["amount"] = rng.lognormal(11.8, 1.0, len(wins)).round(2)
    sums = wins.groupby("person")["amount"].sum()
    people["signed"] = people["person"].map(sums).fillna(0.0)
    return people, seen, wins


def ours(people: pd.DataFrame, seen: pd.DataFrame, wins: pd.DataFrame, goal: int) -> pd.Series:
    """Learn what people can carry, and reconcile it with the goal, month by month."""
    rates = learn(seen, wins).person.reindex(people["person"])
    carried = rates["shape"] / rates["rate"] * np.exp(rates["size"].fillna(0.0))
    share = (carried / carried.sum()).to_numpy()
    months = [f"2027-{m:02d}" for m in range(1, AHEAD + 1)]
    teams, regions = people.drop_duplicates("team"), sorted(set(people["region"]))
    nodes = pd.DataFrame({
        "node": ["all", *regions, *teams["team"], *people["person"]],
        "parent": [None, *["all"] * len(regions), *teams["region"], *people["team"]],
        "times": 1.0,
    })  # fmt: skip
    rows = [(p, m, goal * s / AHEAD, 0.15) for p, s in zip(people["person"], share, strict=True)
            for m in months]  # fmt: skip
    told = coherent(nodes, months, pd.DataFrame(rows, columns=WISHES),
                    pd.DataFrame([("all", "", goal)], columns=LOCKS))  # fmt: skip
    return told.groupby("node")["cents"].sum()


def peers(people: pd.DataFrame, goal: int) -> pd.Series:
    """Cascade the goal by what was signed in the past, as the peer's front door does."""
    from b2b_revenue_forecasting import QuotaCascader, SalesHierarchy

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        frame = people.assign(company="all")
        tree = SalesHierarchy()
        tree.from_dataframe(
            frame, path_cols=["company", "region", "team", "person"], metrics_cols=["signed"]
        )
        quotas = QuotaCascader(tree).cascade_proportional("all", goal / 100, metric="signed")
    return pd.Series({k: round(float(v) * 100) for k, v in quotas.items()})


def simulate(people: pd.DataFrame, seen: pd.DataFrame, wins: pd.DataFrame) -> dict[str, float]:
    """Draw a year of 2,000 nodes 10,000 times, summed up the tree; give seconds and the peak."""
    rates = learn(seen, wins)
    staffing, season = np.ones((PEOPLE, AHEAD)), np.ones(AHEAD)
    team = people["team"].str[1:].astype(int).to_numpy()
    region = np.arange(TEAMS) % REGIONS
    began = time.perf_counter()
    sums = np.zeros((1 + REGIONS + TEAMS + PEOPLE, DRAWS), dtype=np.float32)
    for span, signed in drawn(rates, people, staffing, season, leaving=0.02, draws=DRAWS):
        own = signed.sum(axis=1)
        sums[1 + REGIONS + TEAMS :, span] = own
        np.add.at(sums[1 + REGIONS : 1 + REGIONS + TEAMS, span], team, own)
        np.add.at(
            sums[1 : 1 + REGIONS, span], region, sums[1 + REGIONS : 1 + REGIONS + TEAMS, span]
        )
        sums[0, span] = own.sum(axis=0)
    chance = (sums >= np.median(sums, axis=1)[:, None]).mean(axis=1)
    took = time.perf_counter() - began
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    peak = int(status.split("VmHWM:")[1].split()[0]) / 1024
    return {"seconds": took, "peak": peak, "nodes": float(len(chance))}


def error(found: pd.Series, people: pd.DataFrame) -> float:
    """Give how far people's shares are from their true ones: half the sum of differences."""
    own = found.reindex(people["person"]).to_numpy(float)
    return float(np.abs(own / own.sum() - people["true"].to_numpy()).sum() / 2)


def main() -> None:
    """Measure both, and write docs/bench_targets.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help="runs of each, alternating")
    parser.add_argument("--simulate", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    people, seen, wins = world()
    if options.simulate:
        print(json.dumps(simulate(people, seen, wins)))
        return
    goal = 10**12 + 7
    seconds: dict[str, list[float]] = {"salesops": [], PEER: []}
    found: dict[str, Any] = {}
    for _run in range(options.runs):
        for name, run in (("salesops", lambda: ours(people, seen, wins, goal)),
                          (PEER, lambda: peers(people, goal))):  # fmt: skip
            began = time.perf_counter()
            found[name] = run()
            seconds[name].append(time.perf_counter() - began)
    drawn_ = [json.loads(subprocess.run(
        [sys.executable, "-m", "benchmarks.targets", "--simulate"], capture_output=True, text=True,
        check=True).stdout.splitlines()[-1]) for _ in range(options.runs)]  # fmt: skip
    text = _report(people, found, seconds, drawn_, goal)
    PLACE.write_text(text, encoding="utf-8")
    print(text)


def _report(
    people: pd.DataFrame, found: dict[str, Any], seconds: dict[str, list[float]],
    simulated: list[dict[str, float]], goal: int,
) -> str:  # fmt: skip
    lines = [
        "# Targets, measured", "",
        f"A tree of {1 + REGIONS + TEAMS + PEOPLE:,} nodes ({REGIONS} regions, {TEAMS} teams, "
        f"{PEOPLE:,} people), {PAST} months of past; one person in four came within the last year. "
        f"On {os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, "
        f"NumPy {version('numpy')}, clarabel {version('clarabel')}, {PEER} {version(PEER)}; "
        "medians, runs alternating.", "",
        "| | salesops | " + PEER + " |", "|---|---|---|",
        f"| what it gives | {AHEAD} months for every node, locks, people's rates shrunk, chances | "
        "one amount for every node, split by past results |",
        "| seconds | " + " | ".join(f"{statistics.median(seconds[n]):.2f}" for n in seconds) + " |",
        "| shares of people off the truth | "
        + " | ".join(f"{error(found[n], people):.1%}" for n in seconds) + " |",
        "| cents by which people miss the goal | "
        + " | ".join(f"{found[n].reindex(people['person']).sum() - goal:,.0f}" for n in seconds)
        + " |", "",
        f"Simulation of {int(simulated[0]['nodes']):,} nodes × {DRAWS:,} draws × {AHEAD} months, "
        f"summed up the tree: {statistics.median(s['seconds'] for s in simulated):.1f} s, "
        f"{max(s['peak'] for s in simulated):,.0f} MB at most (aims: 10 s, 1,500 MB).", "",
    ]  # fmt: skip
    return "\n".join(lines)


if __name__ == "__main__":
    main()
