"""What earlier runs of reports said: the records that they left beside the book."""

import datetime as dt
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ["run", "started", "as_of", "report", "scope", "lang", "finding", "code", "subject",
           "evidence"]  # fmt: skip


# Two years of weeks, and some; who reports daily sees a third of a year back.
MOST = 120
# Where runs of books that can't be written to leave their records; set by who runs the reports.
ELSEWHERE = "SALESOPS_RUNS"
# Where the kernels of one run lay opened books, and what their analyses found.
OPENED, SHARED = "SALESOPS_OPENED", "SALESOPS_SHARED"


def records(where: str) -> Iterator[dict[str, Any]]:
    """Give the records of the last runs of a book, oldest first; what is no record is left out.

    Parameters
    ----------
    where
        Path or URL of the book. Files in one folder share a folder of records, and so do books that
        can't be written to: of these only a book's own are given.
    """
    found: list[dict[str, Any]] = []
    if "://" not in where:
        place = Path(where)
        whole = place.is_dir()
        own = (place if whole else place.parent) / "runs"
        found += [r for r in _read(own) if whole or Path(str(r.get("book"))).name == place.name]
    found += elsewhere(where)
    yield from sorted(found, key=lambda record: str(record.get("started", "")))[-MOST:]


def elsewhere(where: str) -> list[dict[str, Any]]:
    """Give the records of a book that do not lie beside it."""
    told = os.environ.get(ELSEWHERE, "")
    # Users and passwords are left out, by each in its own way.
    name = where.rpartition("@")[2]
    return [r for r in (_read(Path(told)) if told else ())
            if str(r.get("book")).rpartition("@")[2] == name]  # fmt: skip


def marks(where: str) -> str:
    """Tell by which records what `records` gives would change: their names and when written."""
    place = Path(where)
    own = (place if place.is_dir() else place.parent) / "runs"
    folders = [own] if "://" not in where else []
    if os.environ.get(ELSEWHERE):
        folders.append(Path(os.environ[ELSEWHERE]))
    found = [(path.name, path.stat().st_mtime_ns) for folder in folders if folder.is_dir()
             for path in sorted(folder.glob("*.json"))]  # fmt: skip
    return repr(found)


def _read(runs: Path) -> Iterator[dict[str, Any]]:
    for path in sorted(runs.glob("*.json"))[-MOST:] if runs.is_dir() else ():
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
        except (ValueError, OSError):
            continue
        if isinstance(record, dict) and isinstance(record.get("jobs"), list):
            yield {"run": path.stem, **record}


def results(where: str, until: dt.date) -> Iterator[dict[str, Any]]:
    """Give each report's facts of each run over data up to a day, oldest first, `run` beside."""
    for record in records(where):
        for job in record["jobs"]:
            facts = job.get("result")
            if facts and str(facts.get("as_of", "9")) <= until.isoformat():
                yield {**facts, "run": record["run"], "lang": job.get("lang", ""),
                       "started": record.get("started", "")}  # fmt: skip


def said_findings(where: str, until: dt.date) -> "pd.DataFrame":
    """Lay out the findings of all runs.

    Returns
    -------
    pandas.DataFrame
        One row per report of a run and finding: `run`, `started`, `as_of`, `report`, `scope`,
        `lang`, `finding` (its id, null where a report found nothing), `code`, `subject` and
        `evidence` (raw facts by name, as the record holds them).
    """
    # Who runs reports needs a name of this module alone, and not a second of imports.
    import pandas as pd

    rows = []
    for facts in results(where, until):
        head = [facts[c] for c in ("run", "started", "as_of", "report", "scope", "lang")]
        for finding in facts["findings"] or [{}]:
            rows.append((*head, finding.get("id"), finding.get("code"), finding.get("subject"),
                         finding.get("evidence")))  # fmt: skip
    return pd.DataFrame(rows, columns=COLUMNS)
