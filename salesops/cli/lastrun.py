"""What the last run of reports over a book found, as its record tells it."""

import json
from pathlib import Path
from typing import Any

from salesops.book.register import BadAction


def last_findings(where: str) -> tuple[str, list[dict[str, Any]]]:
    """Read the findings of the last run over a book.

    Returns
    -------
    tuple
        The run's id, empty where there was none; its findings once each by id and scope, with
        `scope`, `as_of` and `period` of their report.

    Raises
    ------
    BadAction
        The record is broken.
    """
    place = Path(where) if "://" not in where else Path()
    folder = (place if place.is_dir() else place.parent) / "runs"
    records = sorted(folder.glob("*.json")) if "://" not in where else []
    if not records:
        return "", []
    last = records[-1]
    try:
        record = json.loads(last.read_text(encoding="utf-8"))
        found: dict[tuple[str, str], dict[str, Any]] = {}
        for job in record["jobs"]:
            result = job["result"] or {}
            for finding in result.get("findings", ()):
                told = {"scope": job["scope"], "as_of": result["as_of"],
                        "period": result["period"]}  # fmt: skip
                found.setdefault((finding["id"], job["scope"]), {**finding, **told})
    except (ValueError, KeyError, TypeError) as error:
        raise BadAction(where=str(last), reason=f"the record of the run is broken ({error})",
                          mend="Take it away, and make the reports again: salesops run.",
                          ) from error  # fmt: skip
    return last.stem, list(found.values())
