"""What earlier runs of reports said: the records that they left beside the book."""

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

COLUMNS = ["run", "started", "as_of", "report", "scope", "lang", "finding", "code", "subject",
           "evidence"]  # fmt: skip


# Two years of weeks, and some; who reports daily sees a third of a year back.
MOST = 120


def folder_of(where: str) -> Path | None:
    """Give the folder of the records of a book; nothing for a database."""
    if "://" in where:
        return None
    place = Path(where)
    place = place if place.is_dir() else place.parent
    return place / "runs"


def records(runs: Path | None) -> Iterator[dict[str, Any]]:
    """Give the records of the last 120 runs, oldest first; what is no record is left out."""
    if runs is None or not runs.is_dir():
        return
    for path in sorted(runs.glob("*.json"))[-MOST:]:
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
        except (ValueError, OSError):
            continue
        if isinstance(record, dict) and isinstance(record.get("jobs"), list):
            yield {"run": path.stem, **record}


def results(runs: Path | None, until: dt.date) -> Iterator[dict[str, Any]]:
    """Give each report's facts of each run over data up to a day, oldest first, `run` beside."""
    for record in records(runs):
        for job in record["jobs"]:
            facts = job.get("result")
            if facts and str(facts.get("as_of", "9")) <= until.isoformat():
                yield {**facts, "run": record["run"], "lang": job.get("lang", ""),
                       "started": record.get("started", "")}  # fmt: skip


def said_findings(runs: Path | None, until: dt.date) -> pd.DataFrame:
    """Lay out the findings of all runs.

    Returns
    -------
    pandas.DataFrame
        One row per report of a run and finding: `run`, `started`, `as_of`, `report`, `scope`,
        `lang`, `finding` (its id, null where a report found nothing), `code`, `subject` and
        `evidence` (raw facts by name, as the record holds them).
    """
    rows = []
    for facts in results(runs, until):
        head = [facts[c] for c in ("run", "started", "as_of", "report", "scope", "lang")]
        for finding in facts["findings"] or [{}]:
            rows.append((*head, finding.get("id"), finding.get("code"), finding.get("subject"),
                         finding.get("evidence")))  # fmt: skip
    return pd.DataFrame(rows, columns=COLUMNS)
