"""How fast and in how much memory are large exports read and imported, beside DuckDB's reader?"""

import argparse
import json
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

PLACE, FOLDER = Path("docs/bench_imports.md"), Path("build/bench")
HEADS = ("编号", "客户", "负责人", "阶段", "金额", "创建日期", "关闭日期")
# Aims: seconds and megabytes for a large CSV, how many times DuckDB's time, seconds for a workbook.
SECONDS, MEGABYTES, TIMES, BOOK_SECONDS = 60, 2_000, 2, 60
READERS = ("salesops", "DuckDB", "workbook")
IMPORTS = {"import": "salesops", "import of the workbook": "workbook"}
MAPPING = """name = "bench"
title = "Bench"
currency = "CNY"
[[tables.opportunities]]
file = "*"
[tables.opportunities.columns]
id = "编号"
account_id = "客户"
owner_id = "负责人"
stage = "阶段"
amount = "金额"
created_at = "创建日期"
expected_close_on = "关闭日期"
"""


def rows(n: int) -> Iterator[tuple[str, ...]]:
    """Give made-up deals."""
    for i in range(n):
        day = i % 28 + 1
        amount = f"{i * 37 % 1_000_000 / 100:.2f}"
        yield (f"D-{i:07d}", f"客户{i % 9973}", f"u{i % 50}", "needs", amount,
               f"2026-01-{day:02d}", f"2026-02-{day:02d}")  # fmt: skip


def text_of(n: int) -> Path:
    """Write a CSV; once per size."""
    path = FOLDER / f"import-{n}.csv"
    if not path.exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8") as file:
            file.write(",".join(HEADS) + "\n")
            file.writelines(",".join(row) + "\n" for row in rows(n))
    return path


def book_of(n: int) -> Path:
    """Write an .xlsx with a title and numbers as numbers; once per size."""
    import xlsxwriter

    path = FOLDER / f"import-{n}.xlsx"
    if not path.exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        with xlsxwriter.Workbook(path, {"constant_memory": True}) as book:
            sheet = book.add_worksheet("商机")
            sheet.write(0, 0, "2026年商机")
            sheet.write_row(1, 0, HEADS)
            for r, row in enumerate(rows(n), start=2):
                sheet.write_row(r, 0, [float(c) if i == 4 else c for i, c in enumerate(row)])
    return path


def read(how: str, path: Path) -> int:
    """Read a file in one of the ways, or import it; give its rows."""
    if how in IMPORTS:
        return imported(path)
    if how == "DuckDB":
        import duckdb

        connection = duckdb.connect()
        connection.execute("create table t as select * from read_csv(?, all_varchar = true)",
                           [str(path)])  # fmt: skip
        return connection.execute("select count(*) from t").fetchall()[0][0]
    from salesops.sources.readers import read_sheet

    return len(read_sheet(path).frame)


def imported(path: Path) -> int:
    """Import a file into a new book, with all checks."""
    from salesops.sources.importing import import_path

    mapping, book = FOLDER / "import.toml", FOLDER / "imported"
    mapping.write_text(MAPPING, encoding="utf-8")
    shutil.rmtree(book, ignore_errors=True)
    try:
        return import_path(path, into=book, source=str(mapping)).rows["opportunities"]
    finally:
        shutil.rmtree(book, ignore_errors=True)


def measured(how: str, path: Path) -> dict[str, float]:
    """Read in a process of its own, for its memory; libraries are loaded before the clock runs."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.imports", "--read", how, "--path", str(path)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    """Measure, and write docs/bench_imports.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=5_000_000, help="rows of the CSV")
    parser.add_argument("--book-rows", type=int, default=200_000, help="rows of the .xlsx")
    parser.add_argument("--runs", type=int, default=3, help="runs of each, alternating")
    parser.add_argument("--out", type=Path, default=PLACE, help="where the figures are written")
    parser.add_argument("--read", choices=(*READERS, *IMPORTS), help=argparse.SUPPRESS)
    parser.add_argument("--path", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.read:
        _one(options.read, options.path)
        return
    text, book = text_of(options.rows), book_of(options.book_rows)
    found: dict[str, list[dict[str, float]]] = {how: [] for how in READERS}
    for _run in range(options.runs):
        for how in READERS:
            found[how].append(measured(how, book if how == "workbook" else text))
    for how, as_read in IMPORTS.items():
        found[how] = [measured(how, book if as_read == "workbook" else text)]
    report = _report(found, options.rows, options.book_rows, text, book)
    options.out.write_text(report, encoding="utf-8")
    print(report)


def _one(how: str, path: Path) -> None:
    import duckdb  # noqa: F401
    import pandas as pd  # noqa: F401
    import pyarrow.compute
    import pyarrow.csv  # noqa: F401
    import python_calamine  # noqa: F401

    import salesops.sources.readers  # noqa: F401

    began, busy = time.perf_counter(), time.process_time()
    n = read(how, path)
    seconds, busy = time.perf_counter() - began, time.process_time() - busy
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"rows": n, "seconds": seconds, "busy": busy, "peak": peak}))


def _report(
    found: dict[str, list[dict[str, float]]], n: int, n_book: int, text: Path, book: Path
) -> str:
    seconds = {how: statistics.median(r["seconds"] for r in runs) for how, runs in found.items()}
    busy = {how: statistics.median(r["busy"] for r in runs) for how, runs in found.items()}
    peaks = {how: max(r["peak"] for r in runs) for how, runs in found.items()}

    def row(what: str, how: str, rows: int, aim: str) -> str:
        return (f"| {what} | {rows:,} | {seconds[how]:.1f} | {busy[how]:.1f} | {peaks[how]:,.0f} | "
                f"{aim} |")  # fmt: skip

    large = f"{SECONDS} s, {MEGABYTES:,} MB"
    times, busy_times = (s["salesops"] / s["DuckDB"] for s in (seconds, busy))
    lines = [
        "# Reading exports, measured", "",
        f"A CSV of {n:,} deals ({text.stat().st_size / 1e6:,.0f} MB) and an .xlsx of {n_book:,} "
        f"({book.stat().st_size / 1e6:,.0f} MB), seven columns each. On {os.cpu_count()} cores, "
        f"{platform.machine()}, Python {platform.python_version()}, pyarrow {version('pyarrow')}, "
        f"python-calamine {version('python-calamine')}, DuckDB {version('duckdb')}; medians, runs "
        "alternating, each in a process of its own; peaks are the largest.", "",
        "| | rows | seconds | of processors | peak MB | aim |", "|---|---|---|---|---|---|",
        row("CSV, salesops: encoding, separator, names, totals, row numbers", "salesops", n, large),
        row("CSV, DuckDB into a table of texts", "DuckDB", n, ""),
        f"| times DuckDB | | {times:.1f} | {busy_times:.1f} | | {TIMES} |",
        row(".xlsx, salesops", "workbook", n_book, f"{BOOK_SECONDS} s"),
        row("CSV, whole import: typed, checked, written as a book", "import", n, large),
        row(".xlsx, whole import", "import of the workbook", n_book, f"{BOOK_SECONDS} s"), "",
        "A whole import runs once. Seconds grow with what else the machine does; those of its "
        "processors, all threads together, hardly do.", "",
    ]  # fmt: skip
    return "\n".join(lines)


if __name__ == "__main__":
    main()
