"""Renewals: does what is expected to stay hold what stayed?"""

import datetime as dt
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pandas as pd

from salesops.analyses.churn import AHEAD, churn
from salesops.book.book import open_book
from salesops.metrics.contractstates import terms
from validation.companies import Company, generated
from validation.table import Claim

# So long ago every contract looked at has ended, its grace days too.
BACK = (190, 280, 370)


def tried(company: Company) -> pd.DataFrame:
    """Give what was expected to stay at past dates, and what did.

    Returns
    -------
    pandas.DataFrame
        One row per date: `company`, `due`, `expected`, `low`, `high`, `stayed`; money a year.
    """
    whole = open_book(generated(company))
    kept = terms(whole).set_index("id")
    rows = []
    for days in BACK:
        then = whole.as_of(whole.date - dt.timedelta(days=days))
        said = churn(then)
        if not said.by_contract or not said.metrics["n_due"]:
            continue
        near = said.risk[said.risk["ends_on"] <= pd.Timestamp(then.date) + pd.Timedelta(days=AHEAD)]
        stayed = near["money"][~kept["happened"].reindex(near["id"]).to_numpy(bool)].sum()
        m = said.metrics
        rows.append((company.folder.name, m["due"], m["expected"], m["expected_low"],
                     m["expected_high"], float(stayed)))  # fmt: skip
    columns = ["company", "due", "expected", "low", "high", "stayed"]
    return pd.DataFrame(rows, columns=columns)


def _claims(frame: pd.DataFrame) -> Iterator[Claim]:
    inside = (frame["stayed"] >= frame["low"]) & (frame["stayed"] <= frame["high"])
    error = np.sqrt(inside.mean() * (1 - inside.mean()) / len(inside))
    yield Claim(part="churn", what="80 % range of what stays in 90 days holds what stayed",
                value=float(inside.mean()), low=float(inside.mean() - 1.28 * error),
                high=float(inside.mean() + 1.28 * error), n=len(frame), aim="0.75 to 0.85",
                holds=bool(0.75 <= inside.mean() <= 0.85))  # fmt: skip
    off = (frame["expected"] - frame["stayed"]) / frame["due"]
    yield Claim(part="churn", what="expected less stayed, of what is due (mean)",
                value=float(off.mean()), low=float(off.quantile(0.1)),
                high=float(off.quantile(0.9)), n=len(frame), aim="within 0.02",
                holds=bool(abs(off.mean()) <= 0.02))  # fmt: skip


def measure(seeds: int) -> list[Claim]:
    """Measure over companies with every problem."""
    companies = [Company(seed=s, size=1.0) for s in range(1, seeds + 1)]
    with ProcessPoolExecutor(max_workers=os.cpu_count()) as pool:
        frames = []
        for n, frame in enumerate(pool.map(tried, companies), 1):
            print(f"{n} of {len(companies)}", flush=True)
            frames.append(frame)
    return list(_claims(pd.concat(frames, ignore_index=True)))
