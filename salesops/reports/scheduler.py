"""Run a plan by the clock, on APScheduler.

The plan is the list of what is to be done and the marks beside it say what was: so nothing else
has to be remembered over a restart. Each entry is run by a process of its own, by the very command
that a crontab would hold; entries that fall due together run one after the other, since a run uses
all the cores.
"""

import datetime as dt
import logging
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from salesops.model.errors import SalesopsError
from salesops.reports.cron import Cron
from salesops.reports.plan import CompanyPlan, Entry, open_plan, plan_file
from salesops.reports.turns import MOST_TRIES, Turns

Log = Callable[..., None]
LOOK_AGAIN_SECONDS = 15.0
# A database that is down at seven is often up at half past, and so is a mail server: so long after
# each refusal, or each time that not all went out.
REFUSED = 2
AGAIN_SECONDS = (60, 300, 900, 2700)
FINISH_SECONDS = 60.0


@dataclass(eq=False, kw_only=True)
class SchedulerMissing(SalesopsError, RuntimeError):
    """The library that keeps the time is not installed."""

    package: str = "apscheduler"

    def __str__(self) -> str:
        return (
            f"The package {self.package} is not installed.\n"
            "Expected: salesops with its extra `schedule`.\n"
            'Install it: pip install "salesops[schedule]"; or let the machine keep the time: '
            "salesops schedule export cron."
        )


def scheduled_command(company: CompanyPlan, entry: Entry, at: str) -> list[str]:
    """Give the command that makes an entry for a time, once."""
    return [sys.executable, "-m", "salesops", "run", "--plan", str(company.path.absolute()),
            "--name", entry.name, "--at", at, "--once"]  # fmt: skip


class Clock:
    """Runs a company's plan until it is stopped.

    Parameters
    ----------
    where
        The company's folder.
    log
        Called with an event's name and its facts.
    command
        Gives the command of an entry at a time.

    Raises
    ------
    NoPlan, BadPlan
        The plan can't be meant.
    SchedulerMissing
        APScheduler is not installed.
    """

    def __init__(
        self, where: str | Path, log: Log,
        command: Callable[[CompanyPlan, Entry, str], list[str]] = scheduled_command,
    ) -> None:  # fmt: skip
        self._path = plan_file(where)
        self._log = log
        self._command = command
        self._stop = threading.Event()
        self._child: subprocess.Popen[str] | None = None
        self._running = threading.Lock()
        self._seen = self._stamp()
        self._company = open_plan(self._path)
        self._turns = Turns(self._company.folder)
        self._scheduler = _scheduler(self._skipped, self._busy, self._broken)

    def _stamp(self) -> tuple[int, int]:
        told = self._path.stat()
        return told.st_mtime_ns, told.st_size

    def run(self) -> None:
        """Keep the time; returns after `stop`."""
        self._lay_out(missed=True)
        self._scheduler.start()
        while not self._stop.wait(LOOK_AGAIN_SECONDS):
            self._look_again()
        self._scheduler.shutdown(wait=False)
        # What runs has been told to end, and leaves nothing half-written.
        if self._running.acquire(timeout=FINISH_SECONDS):
            self._running.release()
        elif self._child is not None:
            self._child.kill()
        self._log("stopped")

    def stop(self) -> None:
        """Ask to end: nothing new begins, what runs is broken off and stays open."""
        self._stop.set()
        child = self._child
        if child is not None and child.poll() is None:
            child.terminate()

    def _lay_out(self, *, missed: bool) -> None:
        """Set every entry to its next time, or to one that was `missed` and is still open."""
        self._scheduler.remove_all_jobs()
        now = dt.datetime.now(dt.UTC)
        for entry in self._company.entries():
            cron = self._company.cron(entry)
            if cron is None:
                continue
            last = cron.last_until(now)
            is_open = missed and self._turns.is_open(entry.name, last)
            due = last if is_open else cron.next_after(now)
            self._scheduler.add_job(
                self._fire, _trigger(cron), id=entry.name, kwargs={"name": entry.name, "at": due},
                next_run_time=due, coalesce=True, max_instances=1,
                misfire_grace_time=max(1, int(entry.missed_hours * 3600)),
            )  # fmt: skip
            self._log("waits", entry=entry.name, due=due.isoformat(timespec="minutes"))

    def _look_again(self) -> None:
        """Read a plan that was changed; one that can't be meant leaves the old one in force."""
        try:
            stamp = self._stamp()
            if stamp == self._seen:
                return
            self._seen = stamp
            self._company = open_plan(self._path)
        except (SalesopsError, OSError) as error:
            self._log("plan not read", problem=str(error))
            return
        self._log("plan read again")
        self._lay_out(missed=False)

    def _fire(self, name: str, at: dt.datetime, again: int = 0) -> None:
        """Run an entry for its scheduled time; what crashed or could not begin is tried again."""
        with self._running:
            company = self._company
            when = at.isoformat(timespec="minutes")
            for _try in range(MOST_TRIES):
                if self._stop.is_set():
                    return
                self._log("begins", entry=name, scheduled=when)
                code = self._run_child(self._command(company, company.entry(name), when), name)
                self._log("ended", entry=name, scheduled=when, exit=code)
                if code >= 0:  # below, a signal ended it: it crashed, or memory ran out
                    break
        is_left = code == REFUSED or self._turns.is_unsent(name, at)
        if is_left and again < len(AGAIN_SECONDS) and not self._stop.is_set():
            later = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=AGAIN_SECONDS[again])
            self._scheduler.add_job(
                self._fire, "date", run_date=later, misfire_grace_time=None,
                kwargs={"name": name, "at": at, "again": again + 1},
            )  # fmt: skip
            self._log("tries again", entry=name, scheduled=when,
                      due=later.isoformat(timespec="seconds"))  # fmt: skip

    def _run_child(self, command: list[str], name: str) -> int:
        # A session of its own: Ctrl-C reaches it through `stop` alone, once.
        self._child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, encoding="utf-8", errors="replace", start_new_session=True,
        )  # fmt: skip
        if self._stop.is_set():
            self._child.terminate()
        assert self._child.stdout is not None
        with self._child.stdout as lines:
            for line in lines:
                self._log("says", entry=name, line=line.rstrip())
        return self._child.wait()

    def _skipped(self, event: Any) -> None:
        name, at = event.job_id, event.scheduled_run_time
        with self._turns.turn(name, at) as turn:
            if not turn.refusal:
                turn.skipped()
        hours = (dt.datetime.now(dt.UTC) - at).total_seconds() / 3600
        self._log("skipped", entry=name, scheduled=at.isoformat(timespec="minutes"),
                  missed_by_hours=round(hours, 1))  # fmt: skip

    def _busy(self, event: Any) -> None:
        for at in event.scheduled_run_times:
            self._log("skipped", entry=event.job_id, scheduled=at.isoformat(timespec="minutes"),
                      problem="the run before it has not ended")  # fmt: skip

    def _broken(self, event: Any) -> None:
        self._log("failed", entry=event.job_id, problem=str(event.exception))


Listener = Callable[[Any], None]


def _scheduler(skipped: Listener, busy: Listener, broken: Listener) -> Any:
    try:
        from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_MAX_INSTANCES, EVENT_JOB_MISSED
        from apscheduler.executors.pool import ThreadPoolExecutor
        from apscheduler.schedulers.background import BackgroundScheduler
    except ImportError as error:
        raise SchedulerMissing() from error

    class Timed(ThreadPoolExecutor):  # type: ignore[misc]
        """Tells a job for which time it runs, which APScheduler 3 keeps to itself."""

        def _do_submit_job(self, job: Any, run_times: list[dt.datetime]) -> None:
            if "again" not in job.kwargs:
                job.kwargs = {**job.kwargs, "at": run_times[-1]}
            super()._do_submit_job(job, run_times)

    found = BackgroundScheduler(timezone=dt.UTC, executors={"default": Timed(max_workers=1)})
    found.add_listener(skipped, EVENT_JOB_MISSED)
    found.add_listener(busy, EVENT_JOB_MAX_INSTANCES)
    found.add_listener(broken, EVENT_JOB_ERROR)
    # All of this is told by the listeners.
    logging.getLogger("apscheduler").setLevel(logging.CRITICAL + 1)
    return found


def _trigger(cron: Cron) -> Any:
    from apscheduler.triggers.base import BaseTrigger

    class Times(BaseTrigger):  # type: ignore[misc]
        """The times of a schedule."""

        def get_next_fire_time(
            self, previous_fire_time: dt.datetime | None, now: dt.datetime
        ) -> dt.datetime:
            return cron.next_after(previous_fire_time or now)

    return Times()
