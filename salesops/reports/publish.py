"""Putting a finished run in its place: by renames, so that no reader meets half of one."""

import shutil
from pathlib import Path
from typing import Any

from salesops.stopping import clear_abandoned, scratch_folder, uninterrupted


def publish(work: Path, wanted: Path) -> Path:
    """Give the finished folder its name; a second run in the same second gets the next one."""
    work.chmod(0o755)
    target, number = wanted, 1
    while True:
        try:
            work.rename(target)
            return target
        except OSError:
            if not target.exists():
                raise
            number += 1
            target = wanted.with_name(f"{wanted.name}-{number}")


def point_latest(folder: Path, latest: Path) -> None:
    """Make `latest` a copy of this run, swapped in by renames."""
    with scratch_folder(latest.parent, ".latest-") as scratch:
        fresh = scratch / "new"
        shutil.copytree(folder, fresh)
        fresh.chmod(0o755)
        with uninterrupted():
            if latest.exists():
                latest.rename(scratch / "old")
            fresh.rename(latest)


def keep_record(record: dict[str, Any], book: str, root: Path) -> Path:
    """Keep a run's record beside the book, or with the reports where that can't be written.

    Returns
    -------
    Path
        `<book>/runs/<id>.json`; for a file the folder that holds it, for a URL `root`.
    """
    place = root if "://" in book else Path(book)
    place = place if place.is_dir() else place.parent
    try:
        return _write(record, place / "runs")
    except OSError:  # no right to, or a disk that is for reading alone
        return _write(record, root / "runs")


def _write(record: dict[str, Any], runs: Path) -> Path:
    from salesops.charts.parts import to_json

    path = runs / f"{record['run']}.json"
    runs.mkdir(exist_ok=True)
    clear_abandoned(runs, ".record-")
    with scratch_folder(runs, ".record-") as scratch:
        fresh = scratch / path.name
        fresh.write_text(to_json(record), encoding="utf-8")
        fresh.replace(path)
    return path
