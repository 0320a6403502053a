"""Write a generated company as a folder that opens as a book, its truth apart."""

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow import csv

from salesops.sample.exports import exported
from salesops.sample.generate import SampleCompany, generate
from salesops.sample.options import SampleOptions
from salesops.sample.small import write_workbook
from salesops.sample.timeline import Timeline
from salesops.stopping import scratch_folder, uninterrupted

# Small enough to read where the files are shown; the rest is Parquet.
AS_CSV = frozenset({"users", "targets", "actions", "forecasts", "credits", "tracked"})
# The large company is made of divisions of so many deals.
LARGE_DEALS, DIVISION_TEAMS, DIVISION_PER_MONTH = 1_000_000, 60, 1_980
# Levels of compression: small enough to be committed, and quickly written.
SMALL, QUICK = 19, 3
Progress = Callable[[int, int], None]


def write_sample(
    folder: str | Path, options: SampleOptions | None = None, *, progress: Progress | None = None
) -> Path:
    """Write a generated company.

    Parameters
    ----------
    folder
        Where: tables, salesops.toml, and `truth/` with what was planted. The small company is one
        workbook to import; monthly exports are folders by date.
    options
        What to make.
    progress
        Called with (done, all) of the parts of a large company.

    Returns
    -------
    pathlib.Path
        The folder, written whole or not at all.
    """
    options = options or SampleOptions()
    with _at_once(Path(folder)) as fresh:
        if options.preset == "large":
            _write_large(fresh, options, progress or (lambda _done, _all: None))
        else:
            _write_one(fresh, options)
    return Path(folder)


def _write_one(fresh: Path, options: SampleOptions) -> None:
    if options.preset == "small":
        made = generate(_small(options))
        write_workbook(fresh, made, options.seed)
    else:
        made = generate(options)
        if options.exports == "monthly":
            _write_exports(fresh, made, options)
        else:
            _write_tables(fresh, made.tables)
        (fresh / "salesops.toml").write_text(made.settings_toml, encoding="utf-8")
    _write_truth(fresh / "truth", made)


def _small(options: SampleOptions) -> SampleOptions:
    """Make enough of one team to take the last 120 deals and 300 leads from."""
    return dataclasses.replace(options, months=12, deals_per_month=14, teams=1)


def write_company(folder: str | Path, made: SampleCompany, *, truth: bool = True) -> Path:
    """Write a company that was generated already; without its truth for who is to find it.

    Its files are written in a fifth of the time of those of `write_sample`, which are smaller.
    """
    with _at_once(Path(folder)) as fresh:
        _write_tables(fresh, made.tables, QUICK)
        (fresh / "salesops.toml").write_text(made.settings_toml, encoding="utf-8")
        if truth:
            _write_truth(fresh / "truth", made)
    return Path(folder)


def _write_tables(folder: Path, tables: Mapping[str, pa.Table], level: int = SMALL) -> None:
    for name, rows in tables.items():
        if name in AS_CSV:
            csv.write_csv(rows, folder / f"{name}.csv")
        else:
            pq.write_table(rows, folder / f"{name}.parquet", compression="zstd",
                           compression_level=level)  # fmt: skip


def _write_truth(folder: Path, made: SampleCompany) -> None:
    folder.mkdir(parents=True)
    for name, text in made.truth.files().items():
        (folder / name).write_text(text, encoding="utf-8")


def _write_exports(fresh: Path, made: SampleCompany, options: SampleOptions) -> None:
    """Write an export for each month end, and one of the last day."""
    line = Timeline.of(options.end, options.months, options.season)
    days = [month.end for month in line.months() if month.end < options.end]
    for day in [*days, options.end]:
        place = fresh / "exports" / day.isoformat()
        place.mkdir(parents=True)
        for name, rows in exported(made.tables, day).items():
            csv.write_csv(rows, place / f"{name}.csv")
        # Its stages are the company's own: without them an import would refuse them.
        (place / "salesops.toml").write_text(made.settings_toml, encoding="utf-8")


def _write_large(fresh: Path, options: SampleOptions, progress: Progress) -> None:
    """Write a company of a million deals, division by division, as partitioned Parquet."""
    n, shared = _divisions(options), []
    for block in range(n):
        made = generate(
            dataclasses.replace(
                options, preset="default", teams=DIVISION_TEAMS, deals_per_month=DIVISION_PER_MONTH
            ),
            block=block + 1,
        )
        for name, rows in made.tables.items():
            if name == "tracked":
                if block == 0:
                    csv.write_csv(rows, fresh / "tracked.csv")
            elif name == "targets":
                is_shared = pc.is_in(rows["level"], pa.array(["company", "region"]))
                shared.append(rows.filter(is_shared))
                _write_part(rows.filter(pc.invert(is_shared)), fresh / name, block)
            else:
                _write_part(rows, fresh / name, block)
        _write_truth(fresh / "truth" / f"division-{block + 1:04d}", made)
        if block == 0:
            (fresh / "salesops.toml").write_text(made.settings_toml, encoding="utf-8")
        progress(block + 1, n)
    _write_part(_summed(pa.concat_tables(shared)), fresh / "targets", n)


def _write_part(rows: pa.Table, folder: Path, number: int) -> None:
    folder.mkdir(exist_ok=True)
    pq.write_table(rows, folder / f"part-{number:04d}.parquet", compression="zstd")


def _summed(targets: pa.Table) -> pa.Table:
    """Add up the divisions' parts of the targets of regions and of the company."""
    keys = [name for name in targets.column_names if name != "amount"]
    whole = targets.group_by(keys, use_threads=False).aggregate([("amount", "sum")])
    whole = whole.rename_columns([*keys, "amount"]).select(targets.column_names)
    return whole.cast(targets.schema)


def _divisions(options: SampleOptions) -> int:
    wanted = LARGE_DEALS if options.deals_per_month is None else (
        options.deals_per_month * options.months
    )  # fmt: skip
    return max(round(wanted / (DIVISION_PER_MONTH * options.months)), 1)


@contextmanager
def _at_once(folder: Path) -> Iterator[Path]:
    """Give a folder beside the wanted one that takes its place when all is written."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with scratch_folder(folder.parent, f".{folder.name}-") as scratch:
        fresh, old = scratch / "new", scratch / "old"
        fresh.mkdir()
        yield fresh
        with uninterrupted():
            if folder.exists():
                folder.rename(old)
            try:
                fresh.rename(folder)
            except OSError:
                if old.exists():
                    old.rename(folder)
                raise
