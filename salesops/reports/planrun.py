"""Run an entry of a plan at a scheduled time."""

import datetime as dt

from salesops.reports.addresses import without_password
from salesops.reports.events import Events, silent
from salesops.reports.grid import laid_out
from salesops.reports.plan import CompanyPlan, Entry
from salesops.reports.run import RunOutcome, run_reports

__all__ = ["run_entry", "without_password"]


def run_entry(
    company: CompanyPlan,
    entry: Entry,
    scheduled: dt.datetime,
    *,
    events: Events = silent,
    force: bool = False,
    cluster: str = "",
) -> RunOutcome:
    """Make the reports of an entry as of its scheduled time.

    Parameters
    ----------
    company, entry
        The plan and one of its entries.
    scheduled
        The time that it is for, with a zone; when it really runs changes nothing.
    events
        As in `run_reports`.
    force
        Make all anew.
    cluster
        Address of a Dask cluster; by default the one that the plan names.

    Raises
    ------
    NotABook, BadDate, BadScope, NoCluster, UnfitWorkers, DaskMissing
        Found before anything is written.
    """
    moment = company.moment(entry, scheduled)
    return run_reports(
        entry.reports, book=company.book, as_of=moment.as_of, period=moment.period,
        scopes=laid_out(company.book, moment.as_of, entry.scopes), langs=entry.langs,
        parameters=dict(entry.parameters), out=company.out, events=events,
        formats=entry.formats, most_pages=entry.most_pages, force=force, plan=entry.name,
        scheduled=moment.text, cluster=cluster or company.plan.cluster, to=entry.recipients,
    )  # fmt: skip
