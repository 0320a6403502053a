"""The command line as people use it: it teaches, finishes, and refuses with one clear message."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.called import salesops
from tests.fixtures import TINY

COMMANDS = ("sample", "import", "check", "run", "metrics", "explain", "lab", "init", "plan",
            "schedule", "send", "site", "compare", "prune")  # fmt: skip


def by_itself(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "salesops", *arguments], capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_help_teaches_by_example(command):
    done = salesops(command, "--help")
    assert done.returncode == 0
    assert f"salesops {command}" in done.stdout
    assert "----" not in done.stdout


def test_help_lists_every_command():
    done = by_itself("--help")
    assert all(command in done.stdout for command in COMMANDS)


def test_a_report_is_made_and_its_index_named(tmp_path):
    book = shutil.copytree(TINY, tmp_path / "book")
    done = by_itself("run", "funnel", "--book", str(book), "--lang", "en", "--out", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert f"Open {tmp_path / 'latest' / 'index.html'}" in done.stdout.replace("\n", "")
    record = json.loads((tmp_path / "latest" / "run.json").read_text(encoding="utf-8"))
    (job,) = record["jobs"]
    assert job["report"] == "funnel"
    assert list(job["spent"]) == ["start", "import", "cells", "export"]
    assert all(seconds > 0 for seconds in job["spent"].values())
    assert sum(job["spent"].values()) == pytest.approx(job["seconds"], abs=0.05)
    assert "1 page in " in done.stdout


def test_kernels_start_before_the_packages_of_the_analyses_are_loaded():
    """They take seconds; the book is checked in a process of its own meanwhile."""
    heavy = {"pandas", "ibis", "duckdb", "pandera", "matplotlib", "jinja2"}
    script = (
        "import sys, salesops.cli.main, salesops.cli.running, salesops.reports.execute as e\n"
        f"e.load_papermill(); print(sorted({heavy!r} & set(sys.modules)))\n"
        "assert 'rfc3987_syntax' not in sys.modules\n"
        "import papermill"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr


REFUSED = {
    "no such book": ("run", "funnel", "--book", "no/such/book"),
    "no such report": ("run", "funel", "--book", str(TINY)),
    "no such team": ("run", "funnel", "--book", str(TINY), "--scope", "team:West"),
    "no date": ("run", "funnel", "--book", str(TINY), "--as-of", "yesterday"),
    "a date before all that is known": (
        "run",
        "funnel",
        "--book",
        str(TINY),
        "--as-of",
        "2019-12-31",
    ),
    "a date long after all that is known": (
        "run",
        "funnel",
        "--book",
        str(TINY),
        "--as-of",
        "2027-01-01",
    ),
    "a date of which a number knows nothing": (
        "explain",
        "win_rate",
        "--book",
        str(TINY),
        "--as-of",
        "2019-12-31",
    ),
    "no period": ("run", "funnel", "--book", str(TINY), "--period", "2026-13"),
    "no language": ("run", "funnel", "--book", str(TINY), "--lang", "fr"),
    "no format": ("run", "funnel", "--book", str(TINY), "--format", "docx"),
    "no parameter": ("run", "funnel", "--book", str(TINY), "-p", "colour=red"),
    "a scope as a parameter": ("run", "funnel", "--book", str(TINY), "-p", "scope=team:North"),
    "a language as a parameter": ("run", "funnel", "--book", str(TINY), "-p", "lang=fr"),
    "a scope with a quote": ("run", "funnel", "--book", str(TINY), "--scope", "team:O'Brien"),
    "no language of notebooks": ("lab", "--lang", "fr"),
    "no grouping": ("run", "funnel", "--book", str(TINY), "--by", "colour"),
    "no problem": ("sample", "company", "--problem", "P99=1"),
    "no size": ("sample", "company", "--problem", "P4=much"),
    "no preset": ("sample", "company", "--preset", "huge"),
    "no metric": ("explain", "win_rat", "--book", str(TINY)),
    "no column": ("explain", "win_rate", "--book", str(TINY), "--where", "colour=red"),
    "no such metric to list": ("metrics", "win_rat"),
    "nothing to check": ("check", "no/such/book"),
    "nothing to import": ("import", "no/such/export", "--into", "book"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_can_not_be_done_is_refused_with_the_remedy_and_nothing_is_written(case, tmp_path):
    arguments = [str(Path(a).resolve()) if a == str(TINY) else a for a in REFUSED[case]]
    done = salesops(*arguments, cwd=tmp_path)
    assert done.returncode == 2, done
    assert "Traceback" not in done.stderr
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    assert len(lines) >= 3, done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_number_is_explained_with_its_definition_and_rows(tmp_path):
    done = salesops("explain", "win_rate", "--book", str(TINY), "--period", "2026Q1")
    assert done.returncode == 0, done.stderr
    assert "Win rate: 50%" in done.stdout
    assert all(deal in done.stdout for deal in ("d01", "d02", "d03", "d05"))
    assert "d09" not in done.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="limits of POSIX")
def test_a_disk_that_is_full_is_told_without_a_traceback(tmp_path):
    # A file may have as many bytes as the disk has left.
    short = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (50, 50));"
        "from salesops.cli.main import main; main(sys.argv[1:])"
    )
    done = subprocess.run(
        [sys.executable, "-c", short, "explain", "win_rate", "--book", str(TINY),
         "--period", "2026Q1", "--csv", str(tmp_path / "rows.csv")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2, done
    assert done.stderr.startswith("The disk is full, or no file may be so long: ")
    assert "Expected: room for what is written." in done.stderr
    assert "Make room" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_metrics_are_listed_in_chinese():
    done = salesops("metrics", "win_rate", "--lang", "zh")
    assert done.returncode == 0, done.stderr
    assert "赢单率" in done.stdout


def test_checking_a_book_tells_of_every_report_what_it_lacks_and_writes_nothing():
    before = {p: p.read_bytes() for p in TINY.rglob("*") if p.is_file()}
    done = salesops("check", str(TINY))
    assert {p: p.read_bytes() for p in TINY.rglob("*") if p.is_file()} == before
    assert done.returncode == 0, done.stderr
    assert "opportunities" in done.stdout
    lines = done.stdout.splitlines()
    told = lines[lines.index("Reports:") + 1 :]
    reports = [line.split(":")[0].strip() for line in told if re.match(r"  \w", line)]
    assert reports == sorted(path.stem for path in Path("notebooks").glob("*.ipynb"))
    # The company has no plan of payments, so nothing can be said of what fell due.
    (lacking,) = [line for line in told if line.startswith("    missing instalments;")]
    assert "it would add: What fell due" in lacking
    assert lacking.count(";") > 3
    assert re.search(r"Numbers: \d+ of \d+ can be computed", told[-1])
