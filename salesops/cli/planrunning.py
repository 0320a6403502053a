"""`salesops run --plan`: the entries of a plan, each at its scheduled time."""

import datetime as dt
import sys
from collections.abc import Callable, Sequence
from functools import partial
from zoneinfo import ZoneInfo

from rich.console import Console

from salesops.cli.running import BadOption, shown
from salesops.reports.plan import CompanyPlan, Entry, open_plan
from salesops.reports.planrun import run_entry
from salesops.reports.turns import Turn, Turns
from salesops.stopping import Stopped

LAST = "last"
Make = Callable[..., tuple[str, int]]
# Clocks of two machines differ a little.
AHEAD = dt.timedelta(minutes=5)


def now() -> dt.datetime:
    """Give the time, with a zone."""
    return dt.datetime.now(dt.UTC)


def scheduled_times(company: CompanyPlan, at: str) -> Callable[[Entry], dt.datetime]:
    """Read --at: an ISO time, by the clock of each entry's zone, or `last`.

    Raises
    ------
    BadOption
        It is neither.
    """
    if at == LAST:
        moment = now()
        return lambda entry: company.due(entry, moment)
    try:
        given = dt.datetime.fromisoformat(at)
    except ValueError as error:
        raise BadOption(option="--at", value=at, expected="an ISO time or last",
                        example="--at 2026-03-02T07:00") from error  # fmt: skip

    def of(entry: Entry) -> dt.datetime:
        zone = ZoneInfo(company.zone(entry))
        return given.astimezone(zone) if given.tzinfo else given.replace(tzinfo=zone)

    return of


def run_plan(
    folder: str, *, names: Sequence[str], at: str, once: bool, force: bool, out: Console,
    err: Console, cluster: str = "",
) -> None:  # fmt: skip
    """Run entries of a plan; exits with 1 where a report failed."""
    company = open_plan(folder, over_book=True)
    times = scheduled_times(company, at)
    entries = [(entry, times(entry)) for entry in company.entries(tuple(names))]
    for entry, scheduled in entries:
        if scheduled > now() + AHEAD:
            raise BadOption(option="--at", value=at, expected="a time that has come",
                            example=f"salesops plan {folder} --at {at}, to look ahead")  # fmt: skip
        if once and not entry.on:
            out.print(f"{entry.name}: not made, it is off in {company.path}", markup=False)
    make = partial(_made, company, out=out, err=err, cluster=cluster)
    failed = 0
    for entry, scheduled in entries:
        if not once:
            failed += make(entry, scheduled, force=force)[1]
        elif entry.on:
            failed += _made_once(company, entry, scheduled, make, out)
    if failed:
        sys.exit(1)


def _made_once(
    company: CompanyPlan, entry: Entry, scheduled: dt.datetime, make: Make, out: Console
) -> int:
    """Make an entry unless that is done, or too late."""
    when = scheduled.isoformat(timespec="minutes")
    with Turns(company.folder).turn(entry.name, scheduled) as turn:
        late = now() - scheduled
        if turn.refusal:
            out.print(f"{entry.name}: not made for {when}, {turn.refusal}", markup=False)
            return 0
        if late > dt.timedelta(hours=entry.missed_hours):
            turn.skipped()
            out.print(
                f"{entry.name}: skipped for {when}, missed by {late.total_seconds() / 3600:.1f} h "
                f"(missed_hours = {entry.missed_hours:g})",
                markup=False,
            )
            return 0
        return _taken(turn, entry, scheduled, make)


def _taken(turn: Turn, entry: Entry, scheduled: dt.datetime, make: Make) -> int:
    try:
        run, failed = make(entry, scheduled, force=False)
    except Stopped:
        turn.given_back()
        raise
    turn.done(run, failed=failed)
    return failed


def _made(
    company: CompanyPlan, entry: Entry, scheduled: dt.datetime, *, force: bool, out: Console,
    err: Console, cluster: str,
) -> tuple[str, int]:  # fmt: skip
    """Make an entry; gives the run's id and how many reports failed."""
    moment = company.moment(entry, scheduled)
    told = f"{entry.name} for {moment.text}: as of {moment.as_of}, period {moment.period}"
    out.print(told, markup=False)
    if entry.card:
        from salesops.reports.cardfiles import write_cards

        for path in write_cards(company, entry, moment):
            out.print(f"Card: {path}", markup=False)
    if not entry.reports:
        return "card", 0
    outcome = shown(
        lambda events: run_entry(
            company, entry, scheduled, events=events, force=force, cluster=cluster
        ),
        out, err, as_json=False, folder=str(company.out),
    )  # fmt: skip
    return outcome.run_id, len(outcome.failed)
