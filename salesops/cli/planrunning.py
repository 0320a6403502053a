"""`salesops run --plan`: the entries of a plan, each at its scheduled time."""

import datetime as dt
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from rich.console import Console

from salesops.cli.plansending import send_entry, tell_unbegun
from salesops.cli.progress import tell_line
from salesops.cli.running import BadOption, shown
from salesops.model.errors import SalesopsError
from salesops.reports.cardfiles import CardFile, write_cards
from salesops.reports.events import CardMade
from salesops.reports.moments import Moment
from salesops.reports.plan import CompanyPlan, Entry, open_plan
from salesops.reports.planrun import run_entry
from salesops.reports.turns import Turn, Turns
from salesops.stopping import Stopped

LAST = "last"
# What an entry that makes the card alone has for a run.
CARD = "card"
# Clocks of two machines differ a little.
AHEAD = dt.timedelta(minutes=5)
# Exit codes: a report failed; all were made, and not all messages went out.
FAILED, UNSENT = 1, 3


@dataclass(frozen=True, kw_only=True)
class Way:
    """How entries are run, as the command line says.

    Attributes
    ----------
    out, err
        Where it is told.
    force
        Make all anew.
    as_json
        Tell one JSON object per event, and nothing else.
    no_send
        Say what would go to whom, and send nothing.
    cluster
        Dask scheduler whose workers make the reports; empty for that of the plan.
    """

    out: Console
    err: Console
    force: bool = False
    as_json: bool = False
    no_send: bool = False
    cluster: str = ""

    def say(self, line: str) -> None:
        """Tell a line to people."""
        if not self.as_json:
            self.out.print(line, markup=False)


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How an entry ended.

    Attributes
    ----------
    run
        Id of its run.
    failed
        How many reports failed.
    unsent
        How many messages did not go out, and may be tried again.
    unsure
        How many may not have arrived.
    """

    run: str = ""
    failed: int = 0
    unsent: int = 0
    unsure: int = 0


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


def run_plan(folder: str, *, names: Sequence[str], at: str, once: bool, way: Way) -> None:
    """Run entries of a plan and send what they made.

    Exits with 1 where a report failed, with 3 where all were made and not all went out.
    """
    company = _opened(folder, names=names, at=at, way=way)
    times = scheduled_times(company, at)
    entries = [(entry, times(entry)) for entry in company.entries(tuple(names))]
    for entry, scheduled in entries:
        if scheduled > now() + AHEAD:
            raise BadOption(option="--at", value=at, expected="a time that has come",
                            example=f"salesops plan {folder} --at {at}, to look ahead")  # fmt: skip
        if once and not entry.on:
            way.say(f"{entry.name}: not made, it is off in {company.path}")
    ends: list[Ended] = []
    unbegun: list[SalesopsError] = []
    for entry, scheduled in entries:
        try:
            if not once:
                ends.append(_made(company, entry, scheduled, way))
            elif entry.on:
                ends.append(_made_once(company, entry, scheduled, way))
        except SalesopsError as error:
            # The others are waited for, too.
            way.err.print(f"{entry.name} could not be begun.", markup=False)
            unbegun.append(error)
    for earlier in unbegun[:-1]:
        way.err.print(str(earlier), markup=False, soft_wrap=True)
    if unbegun:
        raise unbegun[-1]
    if any(end.failed for end in ends):
        sys.exit(FAILED)
    if any(end.unsent or end.unsure for end in ends):
        sys.exit(UNSENT)


def _opened(folder: str, *, names: Sequence[str], at: str, way: Way) -> CompanyPlan:
    """Open a plan and hold it against its book; where that can't be done the operator learns it."""
    try:
        return open_plan(folder, over_book=True)
    except SalesopsError as error:
        with suppress(SalesopsError):  # a plan that can't be read names no operator
            company = open_plan(folder)
            times = scheduled_times(company, at)
            for entry in company.entries(tuple(names)):
                when = times(entry).isoformat(timespec="minutes")
                tell_unbegun(company, entry, when, error, way)
        raise


@contextmanager
def _telling(company: CompanyPlan, entry: Entry, moment: Moment, way: Way) -> Iterator[None]:
    """Tell the operator of an entry that could not be begun."""
    try:
        yield
    except Exception as error:
        tell_unbegun(company, entry, moment.text, error, way)
        raise


def _made_once(company: CompanyPlan, entry: Entry, scheduled: dt.datetime, way: Way) -> Ended:
    """Make an entry unless that is done, or too late; what it did not send yet is sent."""
    when = scheduled.isoformat(timespec="minutes")
    with Turns(company.folder).turn(entry.name, scheduled) as turn:
        late = now() - scheduled
        is_late = late > dt.timedelta(hours=entry.missed_hours)
        if turn.unsent and not is_late:
            way.say(f"{entry.name}: made for {when} by {turn.unsent}; what was not sent is sent")
            return _sent_later(turn, company, entry, scheduled, way)
        if turn.refusal:
            way.say(f"{entry.name}: not made for {when}, {turn.refusal}")
            return Ended()
        if is_late:
            turn.skipped()
            way.say(
                f"{entry.name}: skipped for {when}, missed by {late.total_seconds() / 3600:.1f} h "
                f"(missed_hours = {entry.missed_hours:g})"
            )
            return Ended()
        return _taken(turn, company, entry, scheduled, way)


def _taken(
    turn: Turn, company: CompanyPlan, entry: Entry, scheduled: dt.datetime, way: Way
) -> Ended:
    try:
        end = _made(company, entry, scheduled, way)
    except Stopped:
        turn.given_back()
        raise
    turn.done(end.run, failed=end.failed, unsent=end.unsent)
    return end


def _sent_later(
    turn: Turn, company: CompanyPlan, entry: Entry, scheduled: dt.datetime, way: Way
) -> Ended:
    """Send what an earlier try could not; the reports are there."""
    moment = company.moment(entry, scheduled)
    cards = _cards(company, entry, moment, way)
    run = None if turn.unsent == CARD else company.out / turn.unsent
    unsent, unsure = send_entry(company, entry, moment, run=run, cards=cards, way=way)
    turn.done(turn.unsent, failed=turn.failed, unsent=unsent)
    return Ended(run=turn.unsent, unsent=unsent, unsure=unsure)


def _made(company: CompanyPlan, entry: Entry, scheduled: dt.datetime, way: Way) -> Ended:
    """Make an entry, and send what it made."""
    moment = company.moment(entry, scheduled)
    way.say(f"{entry.name} for {moment.text}: as of {moment.as_of}, period {moment.period}")
    with _telling(company, entry, moment, way):
        cards = _cards(company, entry, moment, way)
    run, folder, failed = CARD, None, 0
    if entry.reports:
        with _telling(company, entry, moment, way):
            outcome = shown(
                lambda events: run_entry(company, entry, scheduled, events=events, force=way.force,
                                         cluster=way.cluster),
                way.out, way.err, as_json=way.as_json, folder=str(company.out),
            )  # fmt: skip
        run, folder, failed = outcome.run_id, outcome.folder, len(outcome.failed)
    unsent, unsure = send_entry(company, entry, moment, run=folder, cards=cards, way=way)
    return Ended(run=run, failed=failed, unsent=unsent, unsure=unsure)


def _cards(company: CompanyPlan, entry: Entry, moment: Moment, way: Way) -> list[CardFile]:
    found = []
    for card in write_cards(company, entry, moment) if entry.card else ():
        found.append(card)
        way.say(f"Card: {Path(card.path)}")
        if way.as_json:
            tell_line(way.out, CardMade(plan=entry.name, scope=card.scope, lang=card.lang,
                                        path=card.path))  # fmt: skip
    return found
