"""The diagnosis: does it find what is planted, at what size, and keep quiet where nothing is?"""

import math
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pandas as pd

from salesops.checks.check import Tested
from salesops.checks.judged import Judged
from salesops.methods.intervals import wilson
from validation.companies import KINDS, Company, Examined, examined
from validation.table import Claim

SIZES = (0.5, 2.0, 4.0)
# Companies in which the ranges of money are tried, three cases in each.
MONEY = 67
# Problem -> the checks that are to find it, and where it is one group's, the group in its truth.
FOUND_BY: dict[str, tuple[frozenset[str], str]] = {
    "P1": (frozenset({"no_target", "target_sums"}), ""),
    "P3": (frozenset({"untouched_leads", "weekend_leads"}), ""),
    "P4": (frozenset({"silent_deals"}), ""),
    "P5": (frozenset({"left_behind"}), ""),
    "P7": (frozenset({"skipped_stages"}), ""),
    "P8": (frozenset({"idle_steps"}), ""),
    "P9": (frozenset({"month_end_edits"}), "team"),
    "P10": (frozenset({"pushed_deals"}), ""),
    "P11": (frozenset({"sudden_wins"}), "reps"),
    "P12": (frozenset({"dead_deals"}), ""),
    "P14": (frozenset({"empty_claims"}), "reps"),
    "P15": (frozenset({"unaccepted"}), ""),
    "P16": (frozenset({"weak_source"}), "source"),
}
# Problems that turn wins into losses, so that it is true what acting could bring.
SIZED = {"P5": "left_behind", "P7": "skipped_stages", "P10": "pushed_deals"}


def _groups(figures: dict[str, Any], key: str) -> set[str]:
    found = figures.get(key, [])
    return set(found) if isinstance(found, list) else {str(found)}


def scores(company: Company, judged: Judged) -> Iterator[dict[str, Any]]:
    """Say of each problem of a company whether it was found, and how well its rows were."""
    figures, truth = company.figures, company.truth
    held = list(zip(judged.held, judged.check_of, strict=True))
    for problem, (checks, group) in FOUND_BY.items():
        own = [test for test, of in held if of in checks]
        if group:
            wanted = _groups(figures[problem], group)
            own = [t for t in own if t.finding.subject in wanted] if wanted else own
        row: dict[str, Any] = {"problem": problem, "size": company.size, "found": bool(own)}
        named = truth[truth["problem"] == problem] if len(truth) else truth
        said = [t.rows for t, of in held if of in checks and len(t.rows)]
        if len(named) and said:
            mine = pd.concat(said).drop_duplicates()
            tables = set(named["table"]) & set(mine["table"])
            real = set(map(tuple, named.loc[named["table"].isin(tables), ["table", "id"]].values))
            told = set(map(tuple, mine.loc[mine["table"].isin(tables), ["table", "id"]].values))
            row |= {"hits": len(real & told), "told": len(told), "real": len(real)}
        yield row


def power(frame: pd.DataFrame) -> Iterator[Claim]:
    """Count how many companies show each problem, by its size, and how well its rows are named."""
    for (problem, size), part in frame.groupby(["problem", "size"], sort=False):
        aim = 0.80 if size == 1.0 else 0.0
        yield _share(f"{problem} found at {size:g} times its size", int(part["found"].sum()),
                     len(part), aim)  # fmt: skip
    usual = frame[frame["size"] == 1.0]
    yield _share("all problems found, pooled", int(usual["found"].sum()), len(usual), 0.95)
    rows = usual.dropna(subset=["hits"]).groupby("problem", sort=False)
    for problem, part in rows[["hits", "told", "real"]].sum().iterrows():
        hits = int(part["hits"])
        yield _share(f"{problem}: rows named that are of it", hits, int(part["told"]), 0.95)
        yield _share(f"{problem}: rows of it that are named", hits, int(part["real"]), 0.95)


def _share(what: str, hits: int, n: int, aim: float) -> Claim:
    low, high = wilson(hits, n) if n else (0.0, 1.0)
    value = hits / n if n else math.nan
    told = f"at least {aim:.2f}" if aim else "shown"
    return Claim(part="diagnosis", what=what, value=value, low=low, high=high, n=n, aim=told,
                 holds=value >= aim)  # fmt: skip


def cases(company: Company, found: Examined) -> Iterator[dict[str, Any]]:
    """Give what each problem that loses deals is said to cost, beside what it does cost.

    Each by itself, before a deal that two of them lose counts once.
    """
    for problem, check in SIZED.items():
        seen, true = found.seen[check], company.figures[problem]
        gains = [test.gains for test in seen.tests if len(test.gains)] if seen else []
        if not gains or not true["open"]:
            continue
        whole = pd.concat(gains).drop_duplicates(["table", "id"])
        sums = {s: float((whole[s] * whole["amount"]).sum()) for s in ("low", "middle", "high")}
        yield {"problem": problem, **sums, "amount": true["open_amount"], "open": true["open"],
               "lost": true["open_lost"]}  # fmt: skip


def money(frame: pd.DataFrame) -> Iterator[Claim]:
    """Hold the ranges against what acting would bring: open value times the wins it costs there.

    How much likelier an open deal of a problem is won without it is counted over all companies.
    """
    by_problem = frame.groupby("problem")
    gain = by_problem["lost"].transform("sum") / by_problem["open"].transform("sum")
    true = frame["amount"] * gain
    inside = (frame["low"] <= true) & (true <= frame["high"])
    bias = frame["middle"] / true - 1
    low, high = wilson(int(inside.sum()), len(frame))
    yield Claim(part="diagnosis", what="80 % range of recoverable money covers the truth",
                value=float(inside.mean()), low=low, high=high, n=len(frame), aim="0.74 to 0.86",
                holds=bool(0.74 <= inside.mean() <= 0.86))  # fmt: skip
    yield _median("median bias of recoverable money", bias, aim=0.10)
    for problem, rows in bias.groupby(frame["problem"]):
        yield _median(f"{problem}: median bias of recoverable money", rows, aim=math.inf)
        held = inside[rows.index]
        yield _share(f"{problem}: range of recoverable money covers", int(held.sum()), len(held), 0)


def _median(what: str, values: "pd.Series[float]", aim: float) -> Claim:
    from scipy.stats import bootstrap

    drawn = bootstrap((values.to_numpy(),), np.median, confidence_level=0.8, n_resamples=999,
                      rng=1, method="percentile")  # fmt: skip
    value, (low, high) = float(values.median()), drawn.confidence_interval
    told = f"within {aim:.2f}" if aim < math.inf else "shown"
    return Claim(part="diagnosis", what=what, value=value, low=float(low), high=float(high),
                 n=len(values), aim=told, holds=abs(value) <= aim)  # fmt: skip


def _loud(tests: Iterable[Tested]) -> list[str]:
    return [t.finding.code for t in tests if t.finding.severity != "note"]


def clean(seeds: int) -> Iterator[Claim]:
    """Look at clean companies of four kinds and count those with a finding above a note."""
    companies = [Company(seed=s, kind=k) for s in range(1, seeds + 1) for k in KINDS]
    alarms = 0
    for company, found in examined(companies):
        codes = _loud(found.judged().held)
        alarms += bool(codes)
        if codes:
            print(company, codes, flush=True)
    n = len(companies)
    low, high = wilson(alarms, n)
    yield Claim(part="diagnosis", what="clean companies with a finding above a note",
                value=alarms / n, low=low, high=high, n=n, aim="at most 0.04",
                holds=alarms / n <= 0.04)  # fmt: skip


def measure(seeds: int) -> list[Claim]:
    """Measure both; a company takes twenty seconds of a core the first time."""
    usual = max(seeds, MONEY) if seeds >= 40 else seeds
    companies = [Company(seed=s, size=1.0) for s in range(1, usual + 1)]
    companies += [Company(seed=s, size=k) for k in SIZES for s in range(1, seeds // 4 + 1)]
    rows, sized = [], []
    for company, found in examined(companies):
        rows += list(scores(company, found.judged()))
        if company.size == 1.0:
            sized += list(cases(company, found))
    frame = pd.DataFrame(rows)
    return [*power(frame), *money(pd.DataFrame(sized)), *clean(max(seeds * 5 // 4, 1))]
