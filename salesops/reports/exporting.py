"""A plan's schedule as files of other schedulers, which call `salesops run --plan` once a time."""

import datetime as dt
import itertools
import re
import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import jinja2

from salesops.model.errors import SalesopsError, nearest
from salesops.reports.cron import Cron
from salesops.reports.page import environment
from salesops.reports.plan import CompanyPlan, Entry

_DAYS = ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat")


@dataclass(eq=False, kw_only=True)
class UnknownScheduler(SalesopsError, ValueError):
    """There are no files for a scheduler of that name."""

    value: str
    known: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"There is no export for {self.value!r}.\n"
            f"Expected: {', '.join(self.known)}; nearest: {nearest(self.value, self.known)}.\n"
            f"Write for example: salesops schedule export {self.known[0]}."
        )


@dataclass(eq=False, kw_only=True)
class NothingScheduled(SalesopsError, ValueError):
    """No entry of a plan is on and has a schedule."""

    where: str

    def __str__(self) -> str:
        return (
            f"{self.where} has no entry that is on and has a schedule.\n"
            'Expected: one at least, such as schedule = "0 7 * * mon".\n'
            "Add it to an entry, or set on = true; look with: salesops plan FOLDER."
        )


@dataclass(frozen=True, kw_only=True)
class Timed:
    """An entry that falls due by a schedule."""

    entry: Entry
    cron: Cron
    command: tuple[str, ...]

    @property
    def name(self) -> str:
        """Name of the entry."""
        return self.entry.name


def exported(kind: str, company: CompanyPlan) -> dict[str, str]:
    """Write the files of a scheduler: file name -> text.

    Parameters
    ----------
    kind
        `cron`, `systemd`, `airflow` or `github-actions`.
    company
        The plan; its entries that are on and have a schedule.

    Raises
    ------
    UnknownScheduler, NothingScheduled
        There is no such kind; there is nothing to write.
    """
    if kind not in _KINDS:
        raise UnknownScheduler(value=kind, known=tuple(_KINDS))
    found = []
    for entry in company.entries():
        cron = company.cron(entry)
        if cron is not None:
            found.append(Timed(entry=entry, cron=cron, command=_command(company, entry)))
    if not found:
        raise NothingScheduled(where=str(company.path))
    return _KINDS[kind](company, found)


def _command(company: CompanyPlan, entry: Entry) -> tuple[str, ...]:
    return (sys.executable, "-m", "salesops", "run", "--plan", str(company.path.resolve()),
            "--name", entry.name, "--once", "--at")  # fmt: skip


def _template(name: str) -> jinja2.Template:
    # These files are no pages: nothing is escaped for HTML.
    templates = environment().overlay(autoescape=False, keep_trailing_newline=True)
    return templates.get_template(name)


def _cron(company: CompanyPlan, timed: Sequence[Timed]) -> dict[str, str]:
    lines = []
    for one in timed:
        # A bare % begins what the command reads.
        command = shlex.join((*one.command, "last")).replace("%", r"\%")
        lines.append((one.cron.zone, one.name, f"{one.cron.text} {command}"))
    text = _template("schedule.crontab.j2").render(plan=company.path.resolve(), lines=lines)
    return {"salesops.crontab": text}


def _systemd(company: CompanyPlan, timed: Sequence[Timed]) -> dict[str, str]:
    found = {}
    for one in timed:
        folder = _unit_text(str(company.folder.resolve()))
        told = {"name": one.name, "folder": folder, "plan": _unit_text(str(company.path.resolve())),
                "command": " ".join(map(_unit_word, (*one.command, "last"))),
                "calendar": on_calendar(one.cron)}  # fmt: skip
        for kind in ("service", "timer"):
            text = _template(f"schedule.{kind}.j2").render(told)
            found[f"salesops-{one.name}.{kind}"] = text
    return found


def _unit_text(text: str) -> str:
    return text.replace("%", "%%")


def _unit_word(word: str) -> str:
    """Write an argument as systemd reads it."""
    if re.fullmatch(r"[\w/.:@=+-]+", word, re.ASCII):
        return word
    text = _unit_text(word).replace("\\", "\\\\").replace('"', '\\"').replace("$", "$$")
    return f'"{text}"'


def on_calendar(cron: Cron) -> str:
    """Write a schedule as systemd's OnCalendar.

    Examples
    --------
    >>> on_calendar(Cron("*/15 8-9 * * 1-5", "Asia/Shanghai"))
    'Mon,Tue,Wed,Thu,Fri *-*-* 08,09:00,15,30,45:00 Asia/Shanghai'
    >>> on_calendar(Cron("0 7 1 1,4,7,10 *", "UTC"))
    '*-01,04,07,10-01 07:00:00 UTC'
    """
    weekdays = cron.weekdays
    # From Monday on, as systemd itself writes them.
    order = sorted(weekdays or (), key=lambda day: (day - 1) % 7)
    head = ",".join(_DAYS[day] for day in order) + " " if weekdays else ""
    month, day, hour, minute = (_padded(cron.field(name))
                                for name in ("months", "days", "hours", "minutes"))  # fmt: skip
    return f"{head}*-{month}-{day} {hour}:{minute}:00 {cron.zone}"


def _padded(values: Sequence[int] | None) -> str:
    return "*" if values is None else ",".join(f"{value:02d}" for value in values)


def _airflow(company: CompanyPlan, timed: Sequence[Timed]) -> dict[str, str]:
    dags = []
    for one in timed:
        # Airflow fills in the logical date; braces in a path are none of its own.
        words = [shlex.quote(word).replace("{", "{{ '{' }}") for word in one.command]
        command = " ".join([*words, "{{ (logical_date or dag_run.run_after).isoformat() }}"])
        dags.append({"id": repr(f"salesops_{one.name}"), "cron": repr(one.cron.text),
                     "zone": repr(one.cron.zone), "command": repr(command)})  # fmt: skip
    text = _template("schedule.airflow.py.j2").render(dags=dags)
    return {"salesops_reports.py": text}


def _github(company: CompanyPlan, timed: Sequence[Timed]) -> dict[str, str]:
    jobs: list[dict[str, Any]] = []
    for one in timed:
        command = ("salesops", "run", "--plan", company.path.name, "--name", one.name, "--once",
                   "--at", "last")  # fmt: skip
        jobs.append({
            "name": one.name, "crons": utc_crons(one.cron), "own": one.cron,
            "note": _summer_time(one.cron.zone), "command": shlex.join(command),
        })  # fmt: skip
    crons = list(dict.fromkeys(cron for job in jobs for cron in job["crons"]))
    text = _template("schedule.github.yml.j2").render(jobs=jobs, crons=crons)
    return {"salesops.yml": text}


def _offsets(zone: str) -> tuple[dt.timedelta, dt.timedelta]:
    """Give the least and the most by which a zone is ahead of UTC this year."""
    year = dt.datetime.now(dt.UTC).year
    first = dt.datetime(year, 1, 1, tzinfo=ZoneInfo(zone))
    known = [(first + dt.timedelta(days=day)).utcoffset() for day in range(0, 365, 7)]
    found = [offset for offset in known if offset is not None]
    return min(found), max(found)


def _summer_time(zone: str) -> str:
    least, most = _offsets(zone)
    if least == most:
        return f"{zone} keeps one time all year."
    hours = (most - least).total_seconds() / 3600
    return (f"In summer it begins {hours:g} h later by the clocks of {zone}, since schedules here "
            "know UTC alone; the report is the same.")  # fmt: skip


def utc_crons(cron: Cron) -> tuple[str, ...]:
    """Write a schedule in UTC, by the zone's winter time: never before the time that is meant.

    Days of the month that move over its end are written as all that they may be; run with `--once`,
    a time that is not the schedule's is skipped.

    Examples
    --------
    >>> utc_crons(Cron("0 7 * * mon", "Asia/Shanghai"))
    ('0 23 * * 0',)
    >>> utc_crons(Cron("30 7 1 * *", "Asia/Shanghai"))
    ('30 23 28,29,30,31 * *',)
    """
    minutes_ahead = int(_offsets(cron.zone)[0].total_seconds() // 60)
    times: dict[tuple[int, int], set[int]] = {}
    hours, minutes = cron.field("hours") or range(24), cron.field("minutes") or range(60)
    for hour, minute in itertools.product(hours, minutes):
        days, left = divmod(hour * 60 + minute - minutes_ahead, 24 * 60)
        times.setdefault((days, left % 60), set()).add(left // 60)
    # Minutes of the same hours share a line.
    lines: dict[tuple[int, tuple[int, ...]], list[int]] = {}
    for (days, minute), of_hours in times.items():
        lines.setdefault((days, tuple(sorted(of_hours))), []).append(minute)
    return tuple(
        " ".join([_listed(sorted(of_minutes), 60), _listed(of_hours, 24), *_moved(cron, days)])
        for (days, of_hours), of_minutes in sorted(lines.items())
    )


def _moved(cron: Cron, by: int) -> Iterator[str]:
    """Give the fields of day, month and weekday of a schedule moved by a day."""
    days, months, weekdays = cron.days, cron.field("months"), cron.weekdays
    if days is not None and by:
        moved = {day + by for day in days}
        if 0 in moved:
            moved = (moved - {0}) | {28, 29, 30, 31}
        if any(day > 28 for day in moved) and by > 0:
            moved = {day for day in moved if day <= 31} | {1}
        days = tuple(sorted(moved))
    if months is not None and by:
        # A month's first or last time may lie in its neighbour.
        months = tuple(sorted({*months, *((month + by - 1) % 12 + 1 for month in months)}))
    if weekdays is not None:
        weekdays = tuple(sorted((day + by) % 7 for day in weekdays))
    yield _listed(days, 31)
    yield _listed(months, 12)
    yield _listed(weekdays, 7)


def _listed(values: Sequence[int] | None, whole: int) -> str:
    return "*" if values is None or len(values) == whole else ",".join(map(str, values))


_KINDS: dict[str, Callable[[CompanyPlan, Sequence[Timed]], dict[str, str]]] = {
    "cron": _cron, "systemd": _systemd, "airflow": _airflow, "github-actions": _github,
}  # fmt: skip
