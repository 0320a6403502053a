"""Why a job would be made: nothing like it is kept, or what differs from the last one."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from salesops.model.errors import BadDate
from salesops.reports.addresses import links
from salesops.reports.checking import check
from salesops.reports.jobs import Job
from salesops.reports.kept import Kept
from salesops.reports.keys import Stand, earlier, key_of, parts, why
from salesops.reports.masking import Masker
from salesops.reports.stands import Stands, asked, files_of

# What differs, as it is said; a job differs from its last one by several at once.
NAMES = {"notebook": "notebook", "parameters": "parameters", "as_of": "date", "period": "period",
         "data": "data", "settings": "settings", "code": "version of salesops or a library",
         "links": "neighbours", "formats": "formats", "runs": "earlier runs",
         "files": "a file that it reads"}  # fmt: skip


class Reasons:
    """Says why each job would be made, by what a run would look for.

    Parameters
    ----------
    out
        Folder of the reports.
    """

    def __init__(self, out: Path) -> None:
        self._kept = Kept(out)
        self._last = {_whose(job): job["key"] for job in _jobs(out) if job.get("key")}

    def __call__(self, jobs: Sequence[Job], formats: Sequence[str]) -> tuple[str, ...]:
        """Give `kept`, `new`, or what changed since it was made last, for each job of an entry."""
        if not jobs:
            return ()
        given = jobs[0].parameters
        try:
            stand = self._stand(given, list(dict.fromkeys(job.scope for job in jobs)))
        except BadDate:
            return ("the book does not reach that date yet",) * len(jobs)
        runs = earlier(str(given["book"]), stand)
        return tuple(self._reason(job, jobs, stand, formats, runs) for job in jobs)

    def _stand(self, given: Mapping[str, object], scopes: Sequence[str]) -> Stand:
        files = files_of(str(given["book"]))
        known = None if files is None else Stands(self._kept.folder).find(
            asked(files, given, scopes)
        )  # fmt: skip
        return known or check(given, scopes)

    def _reason(
        self, job: Job, jobs: Sequence[Job], stand: Stand, formats: Sequence[str], runs: str
    ) -> str:
        told = parts(job, stand, links=links(job, jobs), formats=formats, runs=runs)
        if self._kept.find(key_of(told)) is not None:
            return "kept"
        last = self._last.get(_whose({"report": job.report, "scope": job.scope, "lang": job.lang}))
        before = self._kept.find(last) if last else None
        # As JSON keeps it, and without secrets, so that equal is equal.
        masker = Masker.of_environment(addresses=[str(job.parameters["book"])])
        plain = masker.mask_data(json.loads(json.dumps(told, default=str)))
        changed = why(plain, before["parts"] if before else None)
        if {"data", "as_of"} & set(changed):
            # What was seen last is an earlier run then; that follows, and is no reason of its own.
            changed = tuple(name for name in changed if name != "runs")
        return ", ".join(NAMES.get(name, name) for name in changed)


def _whose(job: Mapping[str, Any]) -> tuple[str, str, str]:
    return job["report"], job["scope"], job["lang"]


def _jobs(out: Path) -> Iterator[Mapping[str, Any]]:
    """Give the jobs of all runs, the latest last."""
    for path in sorted(out.glob("*/run.json")):
        try:
            jobs = json.loads(path.read_text(encoding="utf-8"))["jobs"]
            yield from (job for job in jobs if {"report", "scope", "lang"} <= job.keys())
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue
