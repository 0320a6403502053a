"""What a plan means at a time: the jobs of each entry, and why each would be made or not."""

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from salesops.reports.grid import laid_out
from salesops.reports.jobs import Job, plan_jobs
from salesops.reports.keys import bounded
from salesops.reports.moments import Moment
from salesops.reports.plan import CompanyPlan, Entry
from salesops.reports.reasons import Reasons


class Why(Protocol):
    """Says why each job of an entry would be made, in a word or two."""

    def __call__(self, jobs: Sequence[Job], formats: Sequence[str]) -> tuple[str, ...]:
        """Give a reason for each job."""
        ...


@dataclass(frozen=True, kw_only=True, eq=False)
class Planned:
    """One entry at one scheduled time.

    Attributes
    ----------
    entry, moment
        The entry and what its scheduled time means.
    jobs
        What would be made.
    scopes
        Of whom.
    reasons
        Why, for each job.
    """

    entry: Entry
    moment: Moment
    scopes: tuple[str, ...]
    jobs: tuple[Job, ...]
    reasons: tuple[str, ...]

    def rows(self) -> Iterator[dict[str, Any]]:
        """Give each job as plain data."""
        told = {"entry": self.entry.name, "on": self.entry.on, "scheduled": self.moment.text,
                "as_of": self.moment.as_of, "period": self.moment.period}  # fmt: skip
        for job, reason in zip(self.jobs, self.reasons, strict=True):
            yield {**told, "report": job.report, "scope": job.scope, "lang": job.lang,
                   "formats": list(self.entry.formats), "why": reason}  # fmt: skip
        card = {"report": "card", "formats": ["text", "html"], "why": "made each time"}
        for scope in self.scopes if self.entry.card else ():
            for lang in self.entry.langs:
                yield {**told, **card, "scope": scope, "lang": lang}


def planned(
    company: CompanyPlan,
    *,
    names: Sequence[str] = (),
    at: Callable[[Entry], dt.datetime],
    why: Why | None = None,
) -> list[Planned]:
    """Lay out the jobs of a plan.

    Parameters
    ----------
    company
        The plan.
    names
        Of these entries; none means those that are on.
    at
        Gives the scheduled time of an entry.
    why
        Says why jobs would be made; by default what a run would look for.

    Raises
    ------
    NotABook, BadDate
        The book can't be opened, or knows nothing of the date of an entry with a grid.
    """
    reason = why or Reasons(company.out)
    found = []
    for entry in company.entries(tuple(names)):
        moment = company.moment(entry, at(entry))
        scopes = laid_out(company.book, moment.as_of, entry.scopes)
        dated = {"as_of": moment.as_of, "period": moment.period, "book": company.book}
        given: dict[str, object] = {**entry.parameters, **dated}
        # No report is named where the card stands alone; that would mean all of them.
        jobs: list[Job] = []
        if entry.reports:
            jobs = plan_jobs(entry.reports, scopes=scopes, langs=entry.langs, given=given)
        forms = bounded(entry.formats, entry.most_pages)
        found.append(Planned(entry=entry, moment=moment, scopes=tuple(scopes), jobs=tuple(jobs),
                             reasons=reason(jobs, forms)))  # fmt: skip
    return found
