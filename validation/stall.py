"""Chances of standing still: how near the truth, how calibrated, and against simple rules.

The truth of a generated company is what its generator does to deals in the states that can be
seen. It is read off other companies of the same generator: a model fitted on ten of them, fifteen
times the rows, says of the eleventh what the generator would do.
"""

import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from salesops.book.book import open_book
from salesops.methods.chances import Task, coded, fitted
from salesops.methods.rolling import rolled
from salesops.methods.scored import judged, paired_gain
from salesops.metrics.landmarks import landmark_days, landmarks_over
from salesops.metrics.stalls import task_of
from salesops.sample.options import SampleOptions
from salesops.sample.write import write_sample
from validation.companies import KEPT
from validation.table import Claim

# Enough weeks for a year and a half of deals to be judged, and two years to learn from first.
WEEKS, ORIGINS, APART = 182, 7, 91
ROUNDS_OF_TRUTH = 300


def rows_of(seed: int) -> Path:
    """Lay out and judge one company of sixty months and double volume; kept in build/validation."""
    place = KEPT / f"stall-{seed}"
    if (place / "rolled.parquet").exists():
        return place
    if not (place / "company" / "salesops.toml").exists():
        write_sample(place / "company", SampleOptions(seed=seed, months=60, deals_per_month=330))
    book = open_book(place / "company").without_renewals()
    frame = landmarks_over(book, landmark_days(book, WEEKS))
    last = pd.Timestamp(book.instant)
    frame = frame[frame["known_at"] <= last].reset_index(drop=True)
    task = task_of(frame)
    origins = [last - pd.Timedelta(days=APART * k) for k in range(ORIGINS, 0, -1)]
    found = rolled(frame, task, origins)
    keep = [*task.columns, "unit", "at", "known_at", "happened"]
    frame[keep].to_parquet(place / "rows.parquet")
    found.rows.to_parquet(place / "rolled.parquet")
    return place


def _truth(places: list[Path], task: Task) -> tuple[HistGradientBoostingClassifier, dict]:
    frames = [pd.read_parquet(place / "rows.parquet") for place in places]
    whole = pd.concat(frames, ignore_index=True)
    levels = {c: sorted(whole[c].astype(str).unique())[:250] for c in task.words}
    trees = HistGradientBoostingClassifier(
        max_iter=ROUNDS_OF_TRUTH, min_samples_leaf=200, early_stopping=False, random_state=0,
        categorical_features=list(range(len(task.words))),
    )  # fmt: skip
    return trees.fit(coded(whole, task, levels), whole["happened"]), levels


def companies(seeds: int) -> pd.DataFrame:
    """Give one row per company: AUC of the truth and of what was said, gains, slope, units."""
    # A core each, and no thread more: together they would wait for each other.
    os.environ["OMP_NUM_THREADS"] = "1"
    with ProcessPoolExecutor(max_workers=os.cpu_count()) as pool:
        places = []
        for place in pool.map(rows_of, range(501, 501 + seeds)):
            places.append(place)
            print(f"{len(places)} of {seeds}: {place.name}", flush=True)
    half = len(places) // 2
    found = []
    for mine, others in ((places[:half], places[half:]), (places[half:], places[:half])):
        task = task_of(pd.read_parquet(others[0] / "rows.parquet"))
        trees, levels = _truth(others, task)
        for place in mine:
            frame = pd.read_parquet(place / "rows.parquet")
            rows = pd.read_parquet(place / "rolled.parquet")
            at = frame.loc[rows["row"]]
            true = trees.predict_proba(coded(at, task, levels))[:, 1]
            told = judged(rows, draws=20).set_index("measure")["value"]
            gain, low, _high = paired_gain(rows, "score", "rule", draws=100)
            found.append({
                "company": place.name, "units": rows["unit"].nunique(), "rows": len(rows),
                "truth": roc_auc_score(rows["happened"], true), "auc": told["auc"],
                "slope": told["slope"], "gain": gain, "gain_low": low,
            })  # fmt: skip
    return pd.DataFrame(found)


def bohanec() -> pd.DataFrame:
    """Give AUC on the sales of `bohanec_b2b` over 5 x 5 folds grouped by equal attributes."""
    file = Path(os.environ["SALESOPS_REAL_DATA"]) / "bohanec_b2b" / "B2B_dataset.csv"
    raw = pd.read_csv(file, sep=None, engine="python").astype(str)
    y = raw.pop("Status").str.lower().eq("won").to_numpy()
    groups = raw.apply("|".join, axis=1).to_numpy()
    task = Task(numbers=("none",), words=tuple(raw.columns), rule="none")
    frame = raw.assign(none=0.0, happened=y, unit=groups)
    found = []
    for repeat in range(5):
        outer = StratifiedGroupKFold(5, shuffle=True, random_state=repeat)
        said = {name: np.empty(len(y)) for name in ("ours", "logistic", "forest")}
        for learn, test in outer.split(raw, y, groups):
            past, new = frame.iloc[learn], frame.iloc[test]
            kind = _chosen(past, task)
            said["ours"][test] = fitted(past, task, kind, rounds=50).chance(new)
            for name, model in (
                ("logistic", LogisticRegression(max_iter=2000)),
                ("forest", RandomForestClassifier(500, random_state=0)),
            ):
                pipe = make_pipeline(OneHotEncoder(handle_unknown="ignore"), model)
                pipe.fit(raw.iloc[learn], y[learn])
                said[name][test] = pipe.predict_proba(raw.iloc[test])[:, 1]
        found.append({name: roc_auc_score(y, p) for name, p in said.items()})
    return pd.DataFrame(found)


def _chosen(past: pd.DataFrame, task: Task) -> str:
    """Choose a kind by grouped folds within what is learnt from."""
    y, groups = past["happened"].to_numpy(), past["unit"].to_numpy()
    losses = dict.fromkeys(("logistic", "boosting"), 0.0)
    for learn, test in StratifiedGroupKFold(4, shuffle=True, random_state=1).split(past, y, groups):
        for kind in losses:
            p = fitted(past.iloc[learn], task, kind, rounds=50).chance(past.iloc[test])
            losses[kind] -= float(np.log(np.where(y[test], p, 1 - p)).sum())
    return min(losses, key=lambda kind: losses[kind])


def maven() -> str:
    """Say which way the engine chooses for the deals of `maven_crm`, ordered in time."""
    folder = Path(os.environ["SALESOPS_REAL_DATA"]) / "maven_crm"
    deals = pd.read_csv(folder / "sales_pipeline.csv")
    deals = deals[deals["deal_stage"].isin(["Won", "Lost"])]
    for name, key in (("accounts", "account"), ("products", "product"),
                      ("sales_teams", "sales_agent")):  # fmt: skip
        deals = deals.merge(pd.read_csv(folder / f"{name}.csv"), on=key, how="left")
    begun, ended = (pd.to_datetime(deals[c]) for c in ("engage_date", "close_date"))
    numbers = ("year_established", "revenue", "employees", "sales_price")
    words = ("sales_agent", "product", "sector", "office_location", "manager", "regional_office")
    frame = (
        deals[[*numbers]]
        .astype(float)
        .assign(
            **{c: deals[c].astype(str) for c in words},
            at=begun,
            known_at=ended,
            unit=deals["opportunity_id"],
            happened=deals["deal_stage"].eq("Won"),
        )
    )
    frame = frame.reset_index(drop=True)
    last = frame["known_at"].max()
    origins = [last - pd.Timedelta(days=61 * k) for k in (4, 3, 2)]
    return rolled(frame, Task(numbers=numbers, words=words, rule="sales_price"), origins).kind


def _claims(frame: pd.DataFrame) -> Iterator[Claim]:
    n, gap = len(frame), frame["truth"] - frame["auc"]
    rng = np.random.default_rng(1)

    def ends(column: "pd.Series[float]") -> tuple[float, float]:
        means = [column.sample(frac=1, replace=True, random_state=int(s)).mean()
                 for s in rng.integers(0, 1 << 30, 200)]  # fmt: skip
        low, high = np.quantile(means, [0.1, 0.9])
        return float(low), float(high)

    for what, column, aim, holds in (
        ("AUC of the truth on what can be seen", frame["truth"], "shown", True),
        ("AUC of what was said", frame["auc"], "shown", True),
        ("gap to the truth's AUC, mean", gap, "at most 0.02", gap.mean() <= 0.02),
        ("gain in AUC over the age rule, mean", frame["gain"], "at least 0.05",
         frame["gain"].mean() >= 0.05),
        ("calibration slope, mean", frame["slope"], "0.95 to 1.05",
         0.95 <= frame["slope"].mean() <= 1.05),
    ):  # fmt: skip
        low, high = ends(column)
        yield Claim(part="stall", what=what, value=float(column.mean()), low=low, high=high, n=n,
                    aim=aim, holds=bool(holds))  # fmt: skip
    for what, value, aim, holds in (
        ("gap to the truth's AUC, worst", gap.max(), "at most 0.04", gap.max() <= 0.04),
        ("gain over the age rule, lowest lower end (90 %)", frame["gain_low"].min(), "above 0",
         frame["gain_low"].min() > 0),
        ("deals judged, least", frame["units"].min(), "at least 6,000",
         frame["units"].min() >= 6000),
    ):  # fmt: skip
        yield Claim(part="stall", what=what, value=float(value), low=float("nan"),
                    high=float("nan"), n=n, aim=aim, holds=bool(holds))  # fmt: skip


def _real() -> Iterator[Claim]:
    if not os.environ.get("SALESOPS_REAL_DATA"):
        print("Not measured: SALESOPS_REAL_DATA does not name the folder with real data.")
        return
    folds = bohanec()
    best = folds[["logistic", "forest"]].max(axis=1)
    short = best - folds["ours"]
    yield Claim(part="stall", what="bohanec_b2b: AUC below the better of logistic and forest",
                value=float(short.mean()), low=float(short.min()), high=float(short.max()),
                n=len(folds), aim="at most 0.02", holds=bool(short.mean() <= 0.02))  # fmt: skip
    for name in folds:
        low, high = float(folds[name].min()), float(folds[name].max())
        yield Claim(part="stall", what=f"bohanec_b2b: AUC, {name}", value=float(folds[name].mean()),
                    low=low, high=high, n=len(folds), aim="shown", holds=True)  # fmt: skip
    kind = maven()
    yield Claim(part="stall", what="maven_crm: no better than the base rate (1 is said so)",
                value=float(kind == "base"), low=float("nan"), high=float("nan"), n=1, aim="1",
                holds=kind == "base")  # fmt: skip


def measure(seeds: int) -> list[Claim]:
    """Measure over half as many companies as there are seeds, and on real data."""
    return [*_claims(companies(max(seeds // 2, 4))), *_real()]
