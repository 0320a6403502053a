"""Reviews of sample companies: the real change and the template for the worst team."""

import os
import shutil
from concurrent.futures import ProcessPoolExecutor

import pandas as pd

from salesops.book.book import open_book
from salesops.metrics.judgedactions import judged
from salesops.sample.options import SampleOptions
from salesops.sample.write import write_sample
from validation.companies import KEPT
from validation.table import Claim

FIRST = 801


def reviewed(task: tuple[int, int]) -> list[dict[str, object]]:
    """Make a company of so many teams and review its register; kept in build/validation."""
    seed, teams = task
    place = KEPT / f"review-{seed}-{teams}.parquet"
    if not place.exists():
        folder = KEPT / f"review-{seed}-{teams}"
        write_sample(folder, SampleOptions(seed=seed, teams=teams))
        rows = [
            (one.metric, one.verdict, one.found.estimate, one.found.before_after, one.expected)
            for one in judged(open_book(folder))
            if one.found is not None
        ]
        columns = ["metric", "verdict", "estimate", "before_after", "expected"]
        pd.DataFrame(rows, columns=columns).assign(seed=seed, teams=teams).to_parquet(place)
        shutil.rmtree(folder)
    return pd.read_parquet(place).to_dict("records")


def planted(seeds: int) -> list[Claim]:
    """Review companies of fifteen and of five teams, three of each per five seeds."""
    os.environ["OMP_NUM_THREADS"] = "1"
    KEPT.mkdir(parents=True, exist_ok=True)
    tasks = [(FIRST + k, teams) for teams in (15, 5) for k in range(max(3 * seeds // 5, 2))]
    with ProcessPoolExecutor(max_workers=os.cpu_count()) as pool:
        frame = pd.DataFrame([row for rows in pool.map(reviewed, tasks) for row in rows])
    real = frame[frame["metric"] == "lead_opportunity_rate"]
    null = frame[frame["metric"] == "win_rate"]
    many, few = real[real["teams"] == 15]["verdict"], real[real["teams"] == 5]["verdict"]
    from validation.review import share

    praised = null["before_after"] > null["expected"] / 2
    return [
        share("sample of 15 teams: the real change is called worked", many == "worked",
              "at least 0.80", 0.8, 1),
        share("sample of 15 teams: the real change is called did not", many == "did_not",
              "0", 0, 0),
        share("sample of 5 teams: the real change is called did not", few == "did_not", "0", 0, 0),
        *(share(f"sample of {teams} teams: the rebound is called worked", told == "worked",
                "at most 0.075", 0, 0.075) for teams, told in null.groupby("teams")["verdict"]),
        share("sample: a plain look has the rebound above half of what was hoped", praised,
              "shown", 0, 1),
    ]  # fmt: skip
