"""How fast is the funnel on ten million stage changes, against SQL by hand and careful pandas?"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

from benchmarks.company import company
from benchmarks.engines import ENGINES, assert_equal
from salesops.book.kept import kept_moves, kept_versions
from salesops.book.write import keep_versions

FOLDER = Path("build/bench")


def main() -> None:
    """Measure, check that all engines agree, and write docs/bench.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--changes", type=int, default=10_000_000, help="stage changes")
    parser.add_argument("--runs", type=int, default=5, help="runs of each engine, alternating")
    parser.add_argument("--memory-of", default="", help=argparse.SUPPRESS)
    options = parser.parse_args()
    place = company(FOLDER, options.changes)
    if options.memory_of:
        print(json.dumps(_one(place, options.memory_of)))
        return
    kept = _keep(place)
    opened = {name: engine(place) for name, engine in ENGINES.items()}
    tables = {name: run() for name, run in opened.items()}
    for name in ENGINES:
        assert_equal(tables[name], tables["DuckDB SQL"])
    seconds: dict[str, list[float]] = {name: [] for name in ENGINES}
    for number in range(options.runs):
        for name, run in opened.items():
            began = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - began)
            print(f"run {number + 1}: {name} {seconds[name][-1]:.2f} s", flush=True)
    memory = {name: _peak(options.changes, name) for name in ENGINES}
    text = _report(options.changes, seconds, memory, kept)
    Path("docs/bench.md").write_text(text, encoding="utf-8")
    print(text)


def _keep(place: Path) -> tuple[float, float]:
    """Lay out what an import keeps beside the log; give its seconds and megabytes."""
    began = time.perf_counter()
    keep_versions(place)
    took = time.perf_counter() - began
    files = kept_versions(place, "opportunities"), kept_moves(place)
    return took, sum(path.stat().st_size for path in files) / 1e6


def _one(place: Path, name: str) -> dict[str, float]:
    began = time.perf_counter()
    run = ENGINES[name](place)
    opened = time.perf_counter() - began
    run()
    # The high-water mark of this process; that of getrusage would begin with its parent's.
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    peak = int(status.split("VmHWM:")[1].split()[0]) / 1024
    return {"open": opened, "peak": peak}


def _peak(changes: int, name: str) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.funnel", "--changes", str(changes)]
    done = subprocess.run(
        [*command, "--memory-of", name], capture_output=True, text=True, check=True
    )
    return dict(json.loads(done.stdout.splitlines()[-1]))


def _report(
    changes: int,
    seconds: dict[str, list[float]],
    memory: dict[str, dict[str, float]],
    kept: tuple[float, float],
) -> str:
    middle = {name: statistics.median(times) for name, times in seconds.items()}
    ours = middle["salesops"]
    lines = [
        "# Speed",
        "",
        f"The funnel's tables on {changes:,} stage changes: median of {len(seconds['salesops'])} "
        "alternating runs after one to warm up. All engines read Parquet files of the same company "
        "and give the same tables, which is asserted. Made by `make bench`.",
        "",
        "| engine | median, s | all runs, s | salesops takes | peak memory, MB | opening, s |",
        "|---|---|---|---|---|---|",
    ]
    for name, times in seconds.items():
        runs = ", ".join(f"{t:.2f}" for t in times)
        ratio = f"{ours / middle[name]:.2f} of it"
        own = memory[name]
        lines.append(
            f"| {name} | {middle[name]:.2f} | {runs} | {ratio} | {own['peak']:,.0f} "
            f"| {own['open']:.1f} |"
        )
    lines += [
        "",
        f"Against hand-written SQL: {ours / middle['DuckDB SQL']:.2f} times its time "
        f"(aim: at most 1.20). Against pandas: {middle['pandas'] / ours:.1f} times faster "
        "(aim: at least 5).",
        "",
        f"{os.cpu_count()} cores, Python {platform.python_version()}, duckdb {version('duckdb')}, "
        f"ibis {version('ibis-framework')}, pandas {version('pandas')}.",
        "",
        "SQL and pandas read the deals and the log. salesops reads what its import keeps beside "
        "them: the spans of time in which a deal looked the same, and each move between stages "
        f"with what came before it. Laying these out took {kept[0]:.0f} s and {kept[1]:,.0f} MB, "
        "once, for all reports and all dates.",
        "",
        "Opening a book reads its settings and finds its latest instant; what was kept is checked "
        "against its log. Peak memory is of a fresh process that opens and runs once.",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
