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
    "P2": (frozenset({"unfair_quota"}), "region"),
    "P3": (frozenset({"untouched_leads", "weekend_leads"}), ""),
    "P4": (frozenset({"silent_deals"}), ""),
    "P5": (frozenset({"left_behind"}), ""),
    "P6": (frozenset({"duplicates"}), ""),
    "P7": (frozenset({"skipped_stages"}), ""),
    "P8": (frozenset({"idle_steps"}), ""),
    "P9": (frozenset({"month_end_edits"}), "team"),
    "P10": (frozenset({"pushed_deals"}), ""),
    "P11": (frozenset({"sudden_wins"}), "reps"),
    "P12": (frozenset({"dead_deals"}), ""),
    "P13": (frozenset({"pay_cliffs"}), ""),
    "P14": (frozenset({"empty_claims"}), "reps"),
    "P15": (frozenset({"unaccepted"}), ""),
    "P16": (frozenset({"weak_source"}), "source"),
}
# Problems that turn wins into losses, and the checks that size them. The silence of P4 costs
# nothing in the sample: in its past it lies before a deal's end, of which it then seems a cause.
COSTLY = {"left_behind": "P5", "skipped_stages": "P7", "pushed_deals": "P10"}


def _groups(figures: dict[str, Any], key: str) -> set[str]:
    found = figures.get(key, [])
    return set(found) if isinstance(found, list) else {str(found)}


def scores(company: Company, judged: Judged) -> Iterator[dict[str, Any]]:
    """Say of each problem of a company whether it was found, and how well its rows were."""
    figures, truth = company.figures, company.truth
    held = list(zip(judged.held, judged.check_of, strict=True))
    for problem, (checks, group) in FOUND_BY.items():
        if company.problem not in ("", problem):
            continue
        own = [test for test, of in held if of in checks]
        if group:
            wanted = _groups(figures[problem], group)
            own = [t for t in own if t.finding.subject in wanted] if wanted else own
        row: dict[str, Any] = {"problem": problem, "size": company.size, "found": bool(own)}
        yield row | _rows(truth, {problem}, [t for t, of in held if of in checks])
    if not company.problem:
        named = [t for t, of in held if of in ("silent_deals", "dead_deals")]
        yield {"problem": "P4 or P12", "size": company.size, **_rows(truth, {"P4", "P12"}, named)}


def _rows(truth: pd.DataFrame, problems: set[str], tests: list[Tested]) -> dict[str, int]:
    """Count the rows that are named, that are there, and that are both; empty without rows."""
    named = truth[truth["problem"].isin(problems)] if len(truth) else truth
    said = [test.rows for test in tests if len(test.rows)]
    if not len(named) or not said:
        return {}
    mine = pd.concat(said).drop_duplicates()
    tables = set(named["table"]) & set(mine["table"])
    real = set(map(tuple, named.loc[named["table"].isin(tables), ["table", "id"]].values))
    told = set(map(tuple, mine.loc[mine["table"].isin(tables), ["table", "id"]].values))
    return {"hits": len(real & told), "told": len(told), "real": len(real)}


def power(frame: pd.DataFrame) -> Iterator[Claim]:
    """Count how many companies show each problem, by its size, and how well its rows are named."""
    rated = frame.dropna(subset=["found"])
    for (problem, size), part in rated.groupby(["problem", "size"], sort=False):
        aim = 0.80 if size == 1.0 else 0.0
        yield _share(f"{problem} found at {size:g} times its size", int(part["found"].sum()),
                     len(part), aim)  # fmt: skip
    usual = frame[frame["size"] == 1.0]
    n = int(usual["found"].notna().sum())
    yield _share("all problems found, pooled", int(usual["found"].sum()), n, 0.95)
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


def sized(company: Company, found: Examined) -> pd.DataFrame:
    """Give the open deals that each check sizes, and those it does not, with how they will end.

    Returns
    -------
    pandas.DataFrame
        One row per check and open deal that is not dead: `seed`, `check`, `stage`, `won`, `mine`
        (the check speaks of it), `amount`, and `low`, `middle`, `high` (money, each check by
        itself, before a deal of two of them counts once).
    """
    future = company.future
    dead = found.seen["dead_deals"]
    gone = [t.rows["id"] for t in dead.tests] if dead else []
    future = future[~future["id"].isin(pd.concat(gone) if gone else [])]
    parts = []
    for check in COSTLY:
        seen = found.seen[check]
        gains = [test.gains for test in seen.tests if len(test.gains)] if seen else []
        if not gains:
            continue
        whole = pd.concat(gains).drop_duplicates(["table", "id"]).drop(columns="table")
        both = future.merge(whole, on="id", how="left")
        sides = {s: both[s] * both["amount"] for s in ("low", "middle", "high")}
        told = {"seed": company.seed, "check": check, "won": both["outcome"] == "won"}
        parts.append(both.assign(**sides, **told, mine=both["amount"].notna()))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def money(deals: pd.DataFrame, costs: pd.DataFrame) -> Iterator[Claim]:
    """Hold the ranges against what the open deals would bring, won like others in their stage.

    How the deals of each check and the others end is counted by stage over all companies: it lies
    behind the day on which the checks looked.
    """
    shares = deals.groupby(["check", "stage", "mine"])["won"].mean().unstack("mine")
    gain = (shares[False] - shares[True]).rename("gain")
    mine = deals[deals["mine"]].join(gain, on=["check", "stage"])
    mine["true"] = mine["amount"] * mine["gain"]
    cases = mine.groupby(["check", "seed"])[["low", "middle", "high", "true"]].sum().reset_index()
    inside = (cases["low"] <= cases["true"]) & (cases["true"] <= cases["high"])
    bias = cases["middle"] / cases["true"] - 1
    low, high = wilson(int(inside.sum()), len(cases))
    yield Claim(part="diagnosis", what="80 % range of recoverable money covers the truth",
                value=float(inside.mean()), low=low, high=high, n=len(cases), aim="0.74 to 0.86",
                holds=bool(0.74 <= inside.mean() <= 0.86))  # fmt: skip
    yield _median("median bias of recoverable money", bias, aim=0.10)
    for check, rows in bias.groupby(cases["check"]):
        yield _median(f"{check}: median bias of recoverable money", rows, aim=math.inf)
        held = inside[rows.index]
        yield _share(f"{check}: range of recoverable money covers", int(held.sum()), len(held), 0)
    for check, problem in COSTLY.items():
        own = costs[costs["problem"] == problem]
        lost = float((own["open_amount"] * own["open_lost"].sum() / own["open"].sum()).sum())
        said = float(cases.loc[cases["check"] == check, "middle"].sum())
        yield Claim(part="diagnosis", what=f"{problem}: said to be recoverable, of what it costs",
                    value=said / lost, low=math.nan, high=math.nan, n=len(own), aim="shown",
                    holds=True)  # fmt: skip


def costs_of(company: Company) -> Iterator[dict[str, Any]]:
    """Give what each problem that turns wins into losses costs in open deals."""
    for problem in COSTLY.values():
        true = company.figures[problem]
        yield {"problem": problem, **{k: true[k] for k in ("open", "open_lost", "open_amount")}}


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
    companies += [Company(seed=s, size=k, problem=p) for p in FOUND_BY for k in SIZES
                  for s in range(1, max(seeds // 10, 1) + 1)]  # fmt: skip
    rows, deals, costs = [], [], []
    for company, found in examined(companies):
        rows += list(scores(company, found.judged()))
        if not company.problem:
            deals.append(sized(company, found))
            costs += list(costs_of(company))
    claims = [*power(pd.DataFrame(rows)), *money(pd.concat(deals), pd.DataFrame(costs))]
    return [*claims, *clean(max(seeds * 5 // 4, 1))]
