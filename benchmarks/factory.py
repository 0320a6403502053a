"""How fast are many reports made: by a loop of a shell, by salesops, and at the least possible?

Writes docs/bench_factory.md. Beside twenty reports of one kind it measures a company's hundred:
made for the first time, with nothing changed, and after one more day.
"""

import argparse
import datetime as dt
import json
import os
import platform
import shutil
import statistics
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.factory_sides import Made, by_floor, by_salesops, by_shell, differences
from salesops.book.book import open_book
from salesops.reports.jobs import Job, known_reports, plan_jobs
from salesops.reports.keys import code

PLACE, SAMPLE = Path("docs/bench_factory.md"), Path("data/sample")
KEPT = Path("build/bench_factory.json")
LANGS = ("zh", "en")
TWENTY, HUNDRED = 20, 100
# By how much at least, or at most.
LOOP, TWO, FLOOR, GOAL, AGAIN = 8.0, 5.0, 1.6, 1.25, 0.02
SIDES = {"loop": "papermill and nbconvert, one after another", "two": "the same, two at a time",
         "ours": "salesops run", "floor": "two warm processes, no kernel"}  # fmt: skip


def scopes_of(book: Path, n: int) -> list[str]:
    """Give the company, its sales teams, and as many of their people as make up the number."""
    users = open_book(book).users.to_pandas()
    sellers = users[(users["role"] == "rep") & users["left_on"].isna()].sort_values("id")
    teams = [f"team:{team}" for team in sorted(sellers["team"].dropna().unique())]
    people = [f"user:{person}" for person in sellers["id"]]
    return ["company", *teams, *people][:n]


def jobs_of(book: Path, reports: Sequence[str], scopes: Sequence[str]) -> list[Job]:
    """Lay out reports for scopes in both languages, with parameters as every side needs them."""
    given: dict[str, object] = {"as_of": "latest", "period": "latest", "book": str(book)}
    return plan_jobs(reports, scopes=scopes, langs=LANGS, given=given)


def twenty(book: Path, work: Path, n: int, runs: int, kept: Path) -> dict[str, list[Made]]:
    """Make the same funnel reports by each side, in turn; all find the same numbers.

    Each round is kept in a file, so that a measurement that was broken off goes on.
    """
    jobs = jobs_of(book, ["funnel"], scopes_of(book, max(1, n // len(LANGS))))
    sides: dict[str, Callable[[Path], Made]] = {
        "loop": lambda folder: by_shell(jobs, folder, 1),
        "two": lambda folder: by_shell(jobs, folder, 2),
        "ours": lambda folder: by_salesops(jobs, folder, reports=["funnel"]),
        "floor": lambda folder: by_floor(jobs, folder),
    }
    rounds: list[dict[str, Made]] = _read(kept)
    for run in range(len(rounds), runs):
        one = {}
        for name, make in sides.items():
            one[name] = make(work / f"{name}-{run}")
            print(f"{name}: {one[name].seconds:.1f} s", flush=True)
        rounds.append(one)
        _keep(kept, rounds)
    made = {name: [one[name] for one in rounds] for name in sides}
    first = made["ours"][0].found
    assert len(first) == len(jobs)
    for name, listed in made.items():
        for one in listed:
            assert not differences(first, one.found), (name, differences(first, one.found)[:5])
    return made


def _read(kept: Path) -> list[dict[str, Made]]:
    if not kept.exists():
        return []
    return [{name: Made(**told) for name, told in one.items()}
            for one in json.loads(kept.read_text(encoding="utf-8"))]  # fmt: skip


def _keep(kept: Path, rounds: list[dict[str, Made]]) -> None:
    kept.parent.mkdir(parents=True, exist_ok=True)
    told = [{name: asdict(made) for name, made in one.items()} for one in rounds]
    kept.write_text(json.dumps(told), encoding="utf-8")


def hundred(book: Path, work: Path, n: int) -> dict[str, Made]:
    """Make a company's reports, again with nothing changed, and again after one more day.

    Those as of the end of the month before are over: a day that came later is not theirs.
    """
    reports = known_reports()[: max(1, n // len(LANGS))]
    scopes = scopes_of(book, max(1, -(-n // (len(reports) * len(LANGS)))))
    jobs, closed = jobs_of(book, reports, scopes), jobs_of(book, reports, scopes[:1])
    opened = open_book(book)
    before = opened.period("latest").start - dt.timedelta(days=1)
    made: dict[str, Made] = {}

    def run(name: str, jobs: Sequence[Job], as_of: str = "latest") -> None:
        made[name] = by_salesops(jobs, work / "out", reports=reports, as_of=as_of)
        print(f"{name}: {made[name].seconds:.1f} s, {made[name].states}", flush=True)

    run("first", jobs)
    run("again", jobs)
    run("closed", closed, before.isoformat())
    add_day(book, opened.date + dt.timedelta(days=1))
    run("closed, a day later", closed, before.isoformat())
    run("a day later", jobs)
    for name in ("first", "a day later"):
        assert made[name].states["failed"] == 0, name
    assert made["again"].states["kept"] == len(jobs), "something was made anew"
    assert made["closed, a day later"].states["kept"] == len(closed), "what is over was made anew"
    for one, other in (("first", "again"), ("closed", "closed, a day later")):
        assert made[one].found == made[other].found, f"{other}: other numbers"
    return made


def add_day(book: Path, day: dt.date) -> None:
    """Add a deal and a call of that day to a book, each a copy of the last one."""
    at = dt.datetime.combine(day, dt.time(3))
    days = {
        "opportunities": {"created_at": at},
        "activities": {"occurred_at": at, "logged_at": at},
    }
    for table, moments in days.items():
        path = book / f"{table}.parquet"
        rows = pq.read_table(path)
        last = {**rows.slice(rows.num_rows - 1).to_pylist()[0], "id": "later", **moments}
        pq.write_table(pa.concat_tables([rows, pa.Table.from_pylist([last], rows.schema)]), path)


def _median(made: Sequence[Made]) -> float:
    return statistics.median(one.seconds for one in made)


def _verdict(ratio: float, aim: float, *, at_least: bool) -> str:
    holds = ratio >= aim if at_least else ratio <= aim
    return "holds" if holds else "falls short"


def report(sides: dict[str, list[Made]], company: dict[str, Made]) -> str:
    """Write the page."""
    lines = ["# Many reports, measured", "", *_sides(sides), *_parts(sides), *_company(company),
             f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, "
             f"papermill {version('papermill')}, nbconvert {version('nbconvert')}, "
             f"ipykernel {version('ipykernel')}; one thread for numerics everywhere. Made by "
             "`make bench`.", ""]  # fmt: skip
    return "\n".join(lines)


def _sides(sides: dict[str, list[Made]]) -> list[str]:
    n, runs = len(sides["ours"][0].found), len(sides["ours"])
    seconds = {name: _median(made) for name, made in sides.items()}
    told = [
        f"{n} funnel reports of the sample company: {n // len(LANGS)} scopes in {len(LANGS)} "
        f"languages, each as an executed notebook and a page. Median of {runs} "
        f"run{'s' * (runs > 1)}, the sides in turn. All find the same metrics and findings, which "
        "is asserted.", "",
        "| side | median, s | all runs, s | s per report |", "|---|---|---|---|",
    ]  # fmt: skip
    for name, made in sides.items():
        all_runs = ", ".join(f"{one.seconds:.1f}" for one in made)
        each = seconds[name] / n
        told.append(f"| {SIDES[name]} | {seconds[name]:.1f} | {all_runs} | {each:.2f} |")
    floor = seconds["ours"] / seconds["floor"]
    if seconds["loop"] > 2 * seconds["two"]:
        seconds["loop"] = 2 * seconds["two"]
        told += ["", "Two at a time can't be more than twice as fast: the machine was slower while "
                 "reports were made one after another. They count as twice the other."]  # fmt: skip
    told += ["", "| ratio | measured | aim | |", "|---|---|---|---|"]
    for what, aim, other in (("one after another", LOOP, "loop"), ("two at a time", TWO, "two")):
        ratio = seconds[other] / seconds["ours"]
        told.append(f"| {what}, of salesops | {ratio:.1f} | at least {aim:.0f} | "
                    f"{_verdict(ratio, aim, at_least=True)} |")  # fmt: skip
    told += [f"| salesops, of the warm processes | {floor:.2f} | at most {FLOOR} (goal {GOAL}) | "
             f"{_verdict(floor, FLOOR, at_least=False)} |", "",
             "The warm processes, which do nothing but the analyses and their pages, are "
             f"{seconds['two'] / seconds['floor']:.1f} times as fast as two at a time: no way of "
             "running the same notebooks gets beyond that.", ""]  # fmt: skip
    return told


def _parts(sides: dict[str, list[Made]]) -> list[str]:
    listed = sides["ours"]
    parts = {name: statistics.median(one.parts[name] for one in listed) for name in listed[0].parts}
    row = {name: seconds for name, seconds in parts.items() if not name.startswith("jobs:")}
    of_jobs = {name.removeprefix("jobs: "): parts[name] for name in parts if name not in row}
    told = {"start": "start and end of kernels, papermill",
            "import": "opening the book and working the analysis out",
            "cells": "the other cells", "export": "page and notebook as text"}  # fmt: skip
    imports = statistics.median(one.parts["imports, not counted"] for one in sides["floor"])
    return [
        "Where a run of salesops spends its time, s; the jobs overlap, so theirs are sums over all "
        "workers:", "",
        "| in a row | s |", "|---|---|",
        *(f"| {name} | {seconds:.1f} |" for name, seconds in row.items()), "",
        "| within the jobs | s |", "|---|---|",
        *(f"| {told[name]} | {seconds:.1f} |" for name, seconds in of_jobs.items()), "",
        f"The warm processes are forked from one that has imported everything in {imports:.1f} s, "
        "which is not counted there; a run of salesops starts such a process while it checks the "
        "book, and its seconds are counted.", "",
    ]  # fmt: skip


def _company(company: dict[str, Made]) -> list[str]:
    first, again = company["first"], company["again"]
    ratio = again.seconds / first.seconds
    names = {"first": "first run", "again": "nothing changed",
             "closed": "of the month before, which is over: first run",
             "closed, a day later": "the same after one more day",
             "a day later": "of the current month after one more day"}  # fmt: skip
    rows = []
    for name, words in names.items():
        made = company[name]
        rows.append(f"| {words} | {sum(made.states.values())} | {made.states['made']} | "
                    f"{made.states['kept']} | {made.seconds:.1f} |")  # fmt: skip
    return [
        "All reports of the company and some of its teams, in both languages; one run each:", "",
        "| | reports | made | kept | s |", "|---|---|---|---|---|", *rows, "",
        f"With nothing changed: {ratio:.1%} of the first run (aim: at most {AGAIN:.0%}): "
        f"{_verdict(ratio, AGAIN, at_least=False)}. The added day has one deal and one call; a "
        "report of the current month follows from all that the company shows at its date, so a "
        "later date makes it anew.", "",
    ]  # fmt: skip


def main() -> None:
    """Measure, and write docs/bench_factory.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help="runs of each side, in turn")
    few = f"reports in place of {TWENTY} and {HUNDRED}, for a quick try that writes nothing"
    parser.add_argument("--only-sides", action="store_true",
                        help="measure these runs, keep them, and go on another time")  # fmt: skip
    parser.add_argument("--reports", type=int, default=0, help=few)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="factory-") as folder:
        work = Path(folder)
        book = Path(shutil.copytree(SAMPLE, work / "book", ignore=shutil.ignore_patterns("runs")))
        n = options.reports or TWENTY
        # What other code took is no round of this one.
        kept = KEPT.with_stem(f"{KEPT.stem}_{n}_{code()[:12]}")
        sides = twenty(book, work, n, options.runs, kept)
        if options.only_sides:
            return
        company = hundred(book, work / "company", options.reports or HUNDRED)
    text = report(sides, company)
    if not options.reports:
        PLACE.write_text(text, encoding="utf-8")
    kept.unlink()
    print(text)


if __name__ == "__main__":
    main()
