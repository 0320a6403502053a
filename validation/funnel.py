"""The funnel: does its interval cover the truth, and does it keep quiet where nothing is wrong?"""

import datetime as dt
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from salesops.analyses.funnel import funnel
from salesops.book.book import open_book
from salesops.methods.intervals import Z80, judge, wilson
from salesops.methods.survival import aalen_johansen
from salesops.metrics.conversion import change_interval
from salesops.sample.options import SampleOptions
from salesops.sample.write import write_sample
from validation.table import Claim

DATES = (dt.date(2025, 12, 31), dt.date(2026, 3, 31), dt.date(2026, 6, 20))


def coverage(n_seeds: int, n_deals: int = 300) -> Claim:
    """Simulate stages with a known chance, censored as a running year is, and count the hits."""
    rng = np.random.default_rng(1)
    hits, n = 0, 0
    for _seed in range(n_seeds):
        chance = rng.uniform(0.2, 0.8)
        _rate, low, high = aalen_johansen(*_year(rng, chance, n_deals)).plateau("on", z=Z80)
        hits += low <= chance <= high
        n += 1
    return Claim(
        part="funnel", what=f"80 % interval of stage conversion covers the truth ({n_deals} deals)",
        value=hits / n, low=wilson(hits, n)[0], high=wilson(hits, n)[1], n=n, aim="0.76 to 0.86",
        holds=0.76 <= hits / n <= 0.86,
    )  # fmt: skip


def false_firm(n_seeds: int, n_deals: int = 300) -> Claim:
    """Compare two years of the same stage and count how often the change is called firm."""
    rng = np.random.default_rng(2)
    hits = 0
    for _seed in range(n_seeds):
        chance = rng.uniform(0.2, 0.8)
        years = [_year(rng, chance, n_deals) for _ in range(2)]
        low, high = change_interval(*(aalen_johansen(*year) for year in years))
        hits += judge(low, high, n_deals) == "firm"
    return Claim(
        part="funnel", what=f"a stage that did not change is called firm ({n_deals} deals a year)",
        value=hits / n_seeds, low=wilson(hits, n_seeds)[0], high=wilson(hits, n_seeds)[1],
        n=n_seeds, aim="at most 0.07", holds=hits / n_seeds <= 0.07,
    )  # fmt: skip


def _year(
    rng: np.random.Generator, chance: float, n_deals: int
) -> tuple["np.ndarray", "np.ndarray"]:
    """Give ages and ways of leaving of a year's entries, as known on its last day."""
    on = rng.random(n_deals) < chance
    length = np.where(on, rng.gamma(2, 8, n_deals), rng.gamma(2, 11, n_deals))
    # Those that entered late have not left yet.
    seen = rng.uniform(0, 365, n_deals)
    ages = np.floor(np.minimum(length, seen))
    return ages, np.where(length > seen, "", np.where(on, "on", "gone"))


def false_alarms(n_seeds: int) -> Claim:
    """Look at clean companies at three dates each and count those that raise any finding."""
    alarms, n = 0, 0
    for found in _findings(n_seeds):
        alarms += found > 0
        n += 1
    return Claim(
        part="funnel", what="clean companies with any finding, at three dates each",
        value=alarms / n, low=wilson(alarms, n)[0], high=wilson(alarms, n)[1], n=n,
        aim="at most 0.05", holds=alarms / n <= 0.05,
    )  # fmt: skip


def _findings(n_seeds: int) -> Iterator[int]:
    for seed in range(1, n_seeds + 1):
        with tempfile.TemporaryDirectory() as folder:
            place = write_sample(Path(folder) / "company", SampleOptions(seed=seed, clean=True))
            book = open_book(place)
            found = sum(len(funnel(book.as_of(date)).findings) for date in DATES)
            yield found
            print(f"clean company {seed}: {found} findings", flush=True)


def measure(seeds: int) -> list[Claim]:
    """Measure both; the simulation takes a second, a company ten."""
    return [coverage(2_000), coverage(2_000, n_deals=60), false_firm(2_000), false_alarms(seeds)]
