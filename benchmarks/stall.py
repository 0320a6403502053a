"""How fast are chances of standing still learnt, judged and said, beside plain scikit-learn?"""

import argparse
import json
import os
import pickle
import platform
import statistics
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks import stall_plain
from salesops.book.book import open_book
from salesops.book.write import keep_versions
from salesops.methods.calibrated import calibration_curve
from salesops.methods.chances import KINDS, Model, fitted
from salesops.methods.rolling import QUARTER, quarters_before, rolled
from salesops.methods.scored import by_group, judged, paired_gain
from salesops.metrics.landmarks import landmark_days, landmarks_over
from salesops.metrics.stalls import task_of
from salesops.sample.options import BOUNDS, SampleOptions
from salesops.sample.write import write_sample

PLACE, FOLDER = Path("docs/bench_stall.md"), Path("build/bench")
SECONDS, MEGABYTES, TIMES, NEAR, SCORING, OPEN = 180, 4_000, 1.3, 0.005, 5, 100_000
PER_TEAM = 66
PLAIN = "scikit-learn and pandas"


def company(folder: Path, seed: int, months: int, deals: int) -> Path:
    """Give a generated company as an import leaves it; made once per size."""
    place = folder / f"stall-{months}-{deals}"
    if not (place / "opportunities_moves.parquet").exists():
        # Each team has about as much to do as in the sample, as far as teams may be asked for.
        teams = min(max(deals // PER_TEAM, 1), BOUNDS["--teams"][1])
        write_sample(
            place, SampleOptions(seed=seed, months=months, deals_per_month=deals, teams=teams)
        )
        keep_versions(place)
    return place


def landmark_rows(place: Path) -> tuple[pd.DataFrame, list[pd.Timestamp]]:
    """Give weeks of open deals whose end is known, and the origins at which they are judged.

    Both as the stall report has them: a hundred and four weeks, and up to four quarters, none
    before half of a year was known.
    """
    file = place / "rows.parquet"
    if not file.exists():
        book = open_book(place).without_renewals()
        frame = landmarks_over(book, landmark_days(book))
        keep = [*task_of(frame).columns, "unit", "at", "known_at", "happened"]
        frame[keep].to_parquet(file)
    frame = pd.read_parquet(file)
    now = frame["at"].max()
    past = frame[frame["known_at"] <= now].reset_index(drop=True)
    last = now - pd.Timedelta(days=QUARTER)
    return past, quarters_before(last, past["at"].min() + pd.Timedelta(days=182))


def by_salesops(past: pd.DataFrame, origins: list[pd.Timestamp]) -> tuple[dict[str, Any], Model]:
    """Learn and judge as the stall report does."""
    began = time.perf_counter()
    task = task_of(past)
    found = rolled(past, task, origins)
    model = fitted(past, task, found.kind, rounds=found.rounds, slope=found.slope,
                   intercept=found.intercept)  # fmt: skip
    learnt = time.perf_counter()
    rows = found.rows
    told = judged(rows).set_index("measure")
    gains = {kind: paired_gain(rows, "score", kind) for kind in KINDS[:3] if kind in rows}
    calibration_curve(rows)
    by_group(rows, "origin")
    ended = time.perf_counter()
    return {"learning": learnt - began, "judging": ended - learnt, "judged": len(rows),
            "rows": len(past), "units": int(past["unit"].nunique()), "origins": len(origins),
            "auc": told["value"]["auc"], "low": told["low"]["auc"], "high": told["high"]["auc"],
            "slope": told["value"]["slope"], "gain": gains["rule"][0],
            "way": f"{found.kind}, {found.rounds} rounds"}, model  # fmt: skip


def by_plain(past: pd.DataFrame, origins: list[pd.Timestamp]) -> dict[str, Any]:
    """Do the same with scikit-learn and pandas alone."""
    task = task_of(past)
    began = time.perf_counter()
    rows, model = stall_plain.rolled(past, list(task.words), list(task.numbers), task.rule, origins)
    learnt = time.perf_counter()
    told = stall_plain.measures(rows)["measures"]
    ended = time.perf_counter()
    return {"learning": learnt - began, "judging": ended - learnt, "judged": len(rows),
            "auc": told["value"]["auc"], "low": told["low"]["auc"], "high": told["high"]["auc"],
            "slope": told["value"]["slope"], "gain": told["value"]["over_rule"],
            "way": f"boosting, {model.n_iter_} rounds" if model else "a simpler way"}  # fmt: skip


def scoring(place: Path, model: Model) -> dict[str, Any]:
    """Say the chances of all open deals of a company, from its book and from a frame."""
    began = time.perf_counter()
    book = open_book(place).without_renewals()
    opened = time.perf_counter()
    frame = landmarks_over(book, [book.date])
    laid = time.perf_counter()
    model.chance(frame)
    said = time.perf_counter()
    some = frame.head(OPEN)
    again = time.perf_counter()
    model.chance(some)
    ended = time.perf_counter()
    return {"opening": opened - began, "features": laid - opened, "all": said - opened,
            "frame": ended - again, "n": len(frame), "n_frame": len(some)}  # fmt: skip


def one(name: str, place: Path) -> dict[str, Any]:
    """Run one of the three in this process; give its seconds, figures and peak of memory."""
    kept, began = place.parent / "stall-model.pkl", time.process_time()
    if name == "scoring":
        found = scoring(place, pickle.loads(kept.read_bytes()))
    else:
        past, origins = landmark_rows(place)
        began = time.process_time()
        if name == PLAIN:
            found = by_plain(past, origins)
        else:
            found, model = by_salesops(past, origins)
            kept.write_bytes(pickle.dumps(model))
    # The high-water mark of this process; that of getrusage would begin with its parent's.
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return {**found, "processor": time.process_time() - began,
            "peak": int(status.split("VmHWM:")[1].split()[0]) / 1024}  # fmt: skip


def alone(name: str, place: Path, threads: int) -> dict[str, Any]:
    """Run one of the three in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.stall", "--one", name, "--folder", str(place)]
    env = {**os.environ, "OMP_NUM_THREADS": str(threads), "OPENBLAS_NUM_THREADS": str(threads)}
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=env)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    print(name, found, flush=True)
    return found


def main(arguments: list[str] | None = None) -> None:
    """Measure all, check that both judge alike, and write docs/bench_stall.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--deals-per-month", type=int, default=4_000, help="to learn from")
    parser.add_argument("--months", type=int, default=36, help="to learn from")
    parser.add_argument("--open-per-month", type=int, default=44_000, help="to score, four months")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="of each process")
    parser.add_argument("--runs", type=int, default=3, help="of each, alternating; 0 is one cold")
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument("--to", type=Path, default=PLACE)
    parser.add_argument("--one", default="", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.one:
        print(json.dumps(one(options.one, options.folder)))
        return
    learn, score = (
        company(options.folder, seed, months, deals)
        for seed, months, deals in (
            (1, options.months, options.deals_per_month), (2, 4, options.open_per_month))
    )  # fmt: skip
    landmark_rows(learn)
    places = {"salesops": learn, PLAIN: learn, "scoring": score}
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in places}
    for _run in range(options.runs + 1):
        for name, place in places.items():
            runs[name].append(alone(name, place, options.threads))
    # The first warms the files up.
    middle = {name: _middle(found[1:] or found) for name, found in runs.items()}
    assert abs(middle["salesops"]["auc"] - middle[PLAIN]["auc"]) <= NEAR
    text = report(middle, options.runs, options.threads)
    options.to.write_text(text, encoding="utf-8")
    print(text)


def _middle(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Give medians of numbers, and the highest peak."""
    for run in runs:
        run["seconds"] = run.get("learning", 0.0) + run.get("judging", 0.0)
    found = {k: v if isinstance(v, str) else statistics.median(run[k] for run in runs)
             for k, v in runs[0].items()}  # fmt: skip
    return {**found, "peak": max(run["peak"] for run in runs)}


def _runs(runs: int) -> str:
    if not runs:
        return "One run of each, one after the other"
    return f"Median of {runs} alternating runs after one to warm up"


def report(middle: dict[str, dict[str, Any]], runs: int, threads: int) -> str:
    """Write the page."""
    ours, plain, scored = middle["salesops"], middle[PLAIN], middle["scoring"]
    rows = [
        ("seconds to learn, at all origins and on all rows", "learning", ".1f"),
        ("seconds to judge: measures and their ranges", "judging", ".1f"),
        ("seconds, both", "seconds", ".1f"), ("processor seconds, both", "processor", ".1f"),
        ("peak memory, MB", "peak", ",.0f"),
        ("AUC of what was said", "auc", ".4f"), ("its range, from", "low", ".4f"),
        ("its range, to", "high", ".4f"), ("gain in AUC over the age rule", "gain", ".4f"),
        ("calibration slope", "slope", ".3f"), ("what it would use now", "way", ""),
    ]  # fmt: skip
    ratio, near = ours["seconds"] / plain["seconds"], abs(ours["auc"] - plain["auc"])
    learning = ours["learning"] / plain["learning"]
    aims = [
        ("learn and judge, s", f"{ours['seconds']:.0f}", f"under {SECONDS}",
         ours["seconds"] < SECONDS),
        ("peak memory, MB", f"{ours['peak']:,.0f}", f"under {MEGABYTES:,}",
         ours["peak"] < MEGABYTES),
        (f"time, of that of {PLAIN}", f"{ratio:.2f}", f"at most {TIMES}", ratio <= TIMES),
        ("the same of learning alone", f"{learning:.2f}", f"at most {TIMES}", learning <= TIMES),
        ("difference in AUC", f"{near:.4f}", f"at most {NEAR}", near <= NEAR),
        (f"chances of {scored['n_frame']:,} open deals from a frame, s", f"{scored['frame']:.2f}",
         f"under {SCORING}", scored["frame"] < SCORING),
        (f"features and chances of {scored['n']:,} open deals from an open book, s",
         f"{scored['all']:.2f}", f"under {SCORING}", scored["all"] < SCORING),
    ]  # fmt: skip
    lines = [
        "# Standing still, measured", "",
        f"{ours['rows']:,} weeks of {ours['units']:,} open deals of a generated company, as the "
        f"stall report lays them out; {ours['origins']} origins a quarter apart, at which "
        f"{ours['judged']:,} weeks were judged. {_runs(runs)}, each in a fresh process with "
        f"{threads} threads. Made by `make bench`.", "",
        "| what | measured | aim | |", "|---|---|---|---|",
        *(f"| {what} | {value} | {aim} | {'holds' if holds else 'falls short'} |"
          for what, value, aim, holds in aims), "",
        f"| | salesops | {PLAIN} |", "|---|---|---|",
        *(f"| {what} | {ours[key]:{form}} | {plain[key]:{form}} |" for what, key, form in rows), "",
        "Both try the base rate, bands of the deal's age, a logistic regression (on 20,000 rows) "
        "and boosted trees of 25 to 200 rounds, at the same origins and with the same settings; "
        "both choose, and put log-odds right, by what earlier origins showed. Both give AUC, "
        "average precision, Brier score and skill, slope and intercept, gains over simpler ways, "
        "and AUC and gap by origin, with ranges of 200 draws of whole deals, and a calibration "
        "curve. The other program (`benchmarks/stall_plain.py`) gives scikit-learn's measures "
        "the draws as weights; salesops sorts the rows once. Reading the rows is outside of the "
        "seconds and inside of the memory.", "",
        f"Scoring: opening the book of {scored['n']:,} open deals took {scored['opening']:.2f} s, "
        f"their features {scored['features']:.2f} s; {scored['peak']:,.0f} MB at most.", "",
        f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, "
        f"scikit-learn {version('scikit-learn')}, NumPy {version('numpy')}, "
        f"pandas {version('pandas')}, duckdb {version('duckdb')}.", "",
    ]  # fmt: skip
    return "\n".join(lines)


if __name__ == "__main__":
    main()
