"""What became of each report from run to run: the newest, the ones before, what it stands against.

Newest is what speaks of the latest day; of two that speak of the same one, what was made later.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePath

from salesops.reports.events import State
from salesops.reports.pastruns import FactsRead, FailureRead, PastJob, PastRun

Key = tuple[str, str, str]


@dataclass(frozen=True, kw_only=True, eq=False)
class Entry:
    """One report of one scope in one run, in all its languages."""

    run: PastRun
    jobs: tuple[PastJob, ...]

    def job(self, lang: str) -> PastJob:
        """Give the job of a language, else the first."""
        return next((job for job in self.jobs if job.lang == lang), self.jobs[0])

    def facts(self, lang: str = "") -> FactsRead | None:
        """Give what was found, in the words of a language where it was made in it."""
        own = self.job(lang)
        return own.result or next((job.result for job in self.jobs if job.result), None)

    @property
    def report(self) -> str:
        """Stem of the report."""
        return self.jobs[0].report

    @property
    def scope(self) -> str:
        """Its scope, as it is asked for."""
        return self.jobs[0].scope

    @cached_property
    def failure(self) -> FailureRead | None:
        """Why it failed, in the first language in which it did."""
        return next((job.failure or FailureRead() for job in self.jobs if job.ended == "failed"),
                    None)  # fmt: skip

    @cached_property
    def state(self) -> State:
        """How it ended: failed where one language did, kept where all were."""
        ends = {job.ended for job in self.jobs}
        return "failed" if "failed" in ends else "kept" if ends == {"kept"} else "made"

    @cached_property
    def as_of(self) -> dt.date:
        """Date of its data."""
        facts = self.facts()
        return (facts and facts.as_of) or self.run.as_of

    @cached_property
    def period(self) -> str:
        """Its period; of a failed one, that which was asked for, else that of its run."""
        facts = self.facts()
        asked = str(self.jobs[0].parameters.get("period", "latest"))
        return (facts.period if facts else "") or (self.run.period if asked == "latest" else asked)

    @property
    def order(self) -> tuple[dt.date, dt.datetime, str]:
        """By which the newest is the largest."""
        return self.as_of, self.run.started, self.run.id


@dataclass(frozen=True, kw_only=True, eq=False)
class Line:
    """One report of one scope of one company.

    Attributes
    ----------
    company
        Its company.
    newest
        As it is now.
    earlier
        As it was, newest first.
    """

    company: str
    newest: Entry
    earlier: tuple[Entry, ...]

    @cached_property
    def before(self) -> Entry | None:
        """The last one made over other rows: what was made twice of the same says nothing."""
        now = self.newest.facts()
        rows = now.fingerprint if now else ""
        for entry in self.earlier:
            then = entry.facts()
            if entry.failure is None and then and (not rows or then.fingerprint != rows):
                return entry
        return None

    @cached_property
    def last_good(self) -> Entry | None:
        """The last one before that did not fail."""
        return next((entry for entry in self.earlier if entry.failure is None), None)

    @cached_property
    def whose(self) -> str:
        """The scope as its readers name it."""
        for entry in (self.newest, *self.earlier):
            facts = entry.facts()
            if facts and facts.whose:
                return facts.whose
        return self.newest.scope.partition(":")[2]


def entries_of(run: PastRun) -> list[Entry]:
    """Put the languages of each report of a run together, in its order."""
    found: dict[tuple[str, str], list[PastJob]] = {}
    for job in run.jobs:
        found.setdefault((job.report, job.scope), []).append(job)
    return [Entry(run=run, jobs=tuple(jobs)) for jobs in found.values()]


def lines_of(runs: Sequence[PastRun]) -> list[Line]:
    """Give each report of each scope of each company once, in the order of the newest runs."""
    names = _companies(runs)
    found: dict[Key, list[Entry]] = {}
    for run in reversed(runs):
        company = names[run.record.book]
        for entry in entries_of(run):
            found.setdefault((company, entry.scope, entry.report), []).append(entry)
    lines = []
    for (company, _scope, _report), entries in found.items():
        newest, *earlier = sorted(entries, key=lambda entry: entry.order, reverse=True)
        lines.append(Line(company=company, newest=newest, earlier=tuple(earlier)))
    return lines


def _companies(runs: Iterable[PastRun]) -> dict[str, str]:
    """Name the company of each book: as its reports do, else by its folder."""
    found: dict[str, str] = {}
    for run in runs:
        found[run.record.book] = run.company or found.get(run.record.book, "")
    return {book: name or PurePath(book).name for book, name in found.items()}
