"""What has to hold after every end of a run; each look gives what is wrong, in words."""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from salesops.reports.kept import FOLDER, Kept
from soak.place import Place

# What was told to end needs a moment for it: a server hears that its run is gone once it has
# imported everything, and an idle kernel looks once a second.
GRACE_SECONDS = 90.0
_KEY = re.compile(r"[0-9a-f]{24}")
_BESIDE = {"stands.json", "font.json"}


def whole(place: Place) -> Iterator[str]:
    """Find what is half-written among that which readers see."""
    for folder in _visible(place.out):
        yield from _whole_run(folder)
    for page in place.out.glob("*.html"):
        yield from _ended(page)
    kept = Kept(place.out)
    for path in kept.folder.iterdir() if kept.folder.is_dir() else ():
        if _KEY.fullmatch(path.name) and kept.find(path.name) is None:
            yield f"the kept report {path.name} is not whole"
        if path.suffix == ".json":
            yield from _parsed(path)
    for path in (place.book / "runs").glob("*.json"):
        yield from _parsed(path)


def _visible(out: Path) -> list[Path]:
    return [path for path in sorted(out.iterdir()) if path.is_dir() and path.name != "runs"
            and not path.name.startswith(".")]  # fmt: skip


def _whole_run(folder: Path) -> Iterator[str]:
    record = folder / "run.json"
    wrong = list(_parsed(record))
    yield from wrong
    if wrong:
        return
    told: dict[str, Any] = json.loads(record.read_text(encoding="utf-8"))
    expected = {"index.html", *(f"index.{job['lang']}.html" for job in told["jobs"])}
    for job in told["jobs"]:
        listed = [job["page"], *(f for form, f in job["files"].items() if form != "png")]
        expected |= {name for name in listed if isinstance(name, str)}
        expected |= set(job["files"].get("png", []))
    for name in sorted(expected):
        if not (folder / name).is_file():
            yield f"{folder.name} lacks {name}"
    for path in sorted(folder.iterdir()):
        if path.suffix == ".html":
            yield from _ended(path)
        elif path.suffix in (".json", ".ipynb"):
            yield from _parsed(path)
        elif path.suffix == ".pdf" and b"%%EOF" not in path.read_bytes()[-64:]:
            yield f"{folder.name}/{path.name} does not end"


def _ended(page: Path) -> Iterator[str]:
    if not page.read_text(encoding="utf-8", errors="replace").rstrip().endswith("</html>"):
        yield f"{page.parent.name}/{page.name} does not end with </html>"


def _parsed(path: Path) -> Iterator[str]:
    try:
        json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        yield f"{path.parent.name}/{path.name} can't be read: {error}"


def cleared(place: Place) -> Iterator[str]:
    """Find scratch that nobody uses any more."""
    hidden = [path for path in place.out.iterdir() if path.name.startswith(".")]
    yield from (f"{path.name} is left in out" for path in hidden if path.name != FOLDER)
    kept = place.out / FOLDER
    for path in kept.iterdir() if kept.is_dir() else ():
        if not _KEY.fullmatch(path.name) and path.name not in _BESIDE:
            yield f"{path.name} is left in {FOLDER}"
    runs = place.book / "runs"
    for path in runs.iterdir() if runs.is_dir() else ():
        if path.suffix != ".json":
            yield f"{path.name} is left beside the book"
    yield from (f"{path.name} is left in tmp" for path in sorted((place.root / "tmp").iterdir()))


def ended(place: Place) -> Iterator[str]:
    """Find processes that outlive their run."""
    until = time.monotonic() + GRACE_SECONDS
    while (left := place.processes()) and time.monotonic() < until:
        time.sleep(0.2)
    for process in left:
        yield f"process {process.pid} goes on: {' '.join(process.cmdline())[:100]}"


def mended(place: Place, before: set[str], code: int) -> Iterator[str]:
    """Find what the next run did not do, or did a second time.

    Parameters
    ----------
    before
        Keys that were finished before it.
    code
        Its exit code.
    """
    if code != 0:
        yield f"the next run ended with {code}"
        return
    told = json.loads((place.out / "latest" / "run.json").read_text(encoding="utf-8"))
    for job in told["jobs"]:
        expected = "kept" if job["key"] in before else "made"
        if job["state"] != expected:
            yield f"the next run: {job['page']} was {job['state']} and not {expected}"
    if len(told["jobs"]) != place.jobs:
        yield f"the next run made {len(told['jobs'])} of {place.jobs} reports"
