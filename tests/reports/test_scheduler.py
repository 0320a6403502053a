"""The clock makes each entry once for its time: after a restart, beside another, after a crash.

The clock is APScheduler's real one; the entries run a short script instead of reports.
"""

import datetime as dt
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import salesops.reports.scheduler as scheduler
from salesops.reports.plan import CompanyPlan
from salesops.reports.scheduler import Clock, scheduled_command
from salesops.reports.turns import MOST_TRIES

# Takes the turn as `salesops run --once` does, tells so in a file, does something, says it is done.
SCRIPT = """
import datetime as dt, os, pathlib, signal, sys, time
from salesops.reports.turns import Turns
folder, name, at, act = sys.argv[1:]
with Turns(pathlib.Path(folder)).turn(name, dt.datetime.fromisoformat(at)) as turn:
    if turn.refusal:
        sys.exit(0)
    with open(os.path.join(folder, "made"), "a") as made:
        made.write(f"{name} {at}\\n")
    exec(act)
    turn.done("run")
"""
UTC = dt.UTC


def ago(minutes: int) -> dt.datetime:
    return dt.datetime.now(UTC).replace(second=0, microsecond=0) - dt.timedelta(minutes=minutes)


def plan(folder: Path, due: dt.datetime, missed_hours: float, *, name: str = "daily") -> None:
    text = f"""
[[entries]]
name = "{name}"
reports = ["funnel"]
schedule = "{due.minute} {due.hour} * * *"
zone = "UTC"
missed_hours = {missed_hours}
"""
    (folder / "reports.toml").write_text(text, encoding="utf-8")


class Watched:
    """A clock that runs in a thread of its own, with what it tells."""

    def __init__(self, folder: Path, act: str = "pass") -> None:
        self.told: list[dict] = []
        self.folder = folder

        def command(company: CompanyPlan, entry, at: str) -> list[str]:
            return [sys.executable, "-c", SCRIPT, str(company.folder), entry.name, at, act]

        self.clock = Clock(folder, self._log, command)
        self.thread = threading.Thread(target=self.clock.run)
        self.thread.start()

    def _log(self, event: str, **facts: object) -> None:
        self.told.append({"event": event, **facts})

    def events(self, *names: str) -> list[dict]:
        return [told for told in self.told if told["event"] in names]

    def until(self, holds: Callable[[], object], seconds: float = 30) -> None:
        end = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < end, self.told
            assert self.thread.is_alive(), self.told
            time.sleep(0.02)

    def stop(self) -> None:
        self.clock.stop()
        self.thread.join(30)
        assert not self.thread.is_alive()


def made(folder: Path) -> list[str]:
    path = folder / "made"
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


@pytest.fixture
def start(tmp_path):
    """Start clocks on a folder; they end with the test."""
    begun: list[Watched] = []

    def of(act: str = "pass") -> Watched:
        begun.append(Watched(tmp_path, act))
        return begun[-1]

    yield of
    for watched in begun:
        watched.stop()


def test_what_was_missed_by_less_than_allowed_is_made_once_for_its_own_time(tmp_path, start):
    due = ago(90)
    plan(tmp_path, due, missed_hours=2)
    first = start()
    first.until(lambda: first.events("ended"))
    assert made(tmp_path) == [f"daily {due.isoformat(timespec='minutes')}"]
    first.stop()
    again = start()
    again.until(lambda: again.events("waits"))
    (waits,) = again.events("waits")
    assert waits["due"] == (due + dt.timedelta(days=1)).isoformat(timespec="minutes")
    again.stop()
    assert len(made(tmp_path)) == 1


def test_what_was_missed_by_more_is_skipped_and_told_once(tmp_path, start):
    due = ago(90)
    plan(tmp_path, due, missed_hours=1)
    first = start()
    first.until(lambda: first.events("skipped"))
    (skipped,) = first.events("skipped")
    assert skipped["scheduled"] == due.isoformat(timespec="minutes")
    assert skipped["missed_by_hours"] == 1.5
    first.stop()
    again = start()
    again.until(lambda: again.events("waits"))
    again.stop()
    assert (made(tmp_path), again.events("skipped")) == ([], [])


def test_two_clocks_on_one_folder_make_it_once(tmp_path, start):
    plan(tmp_path, ago(5), missed_hours=2)
    both = [start("time.sleep(0.5)"), start("time.sleep(0.5)")]
    for watched in both:
        watched.until(lambda watched=watched: watched.events("ended"))
    assert len(made(tmp_path)) == 1


def test_a_run_that_crashes_is_tried_again_but_not_for_ever(tmp_path, start):
    plan(tmp_path, ago(5), missed_hours=2)
    watched = start("os.kill(os.getpid(), signal.SIGKILL)")
    watched.until(lambda: len(watched.events("ended")) == MOST_TRIES)
    watched.stop()
    assert len(made(tmp_path)) == MOST_TRIES
    again = start()
    again.until(lambda: again.events("waits"))
    again.stop()
    assert len(made(tmp_path)) == MOST_TRIES


def test_a_run_that_could_not_begin_is_tried_again_later_for_the_same_time(
    tmp_path, start, monkeypatch
):
    monkeypatch.setattr(scheduler, "AGAIN_SECONDS", (0.1, 0.1))
    plan(tmp_path, ago(5), missed_hours=2)
    # As with a book that can't be opened: the turn is not taken.
    watched = start("sys.exit(2) if len(open(f'{folder}/made').readlines()) < 3 else None")
    watched.until(lambda: [told for told in watched.events("ended") if told["exit"] == 0])
    assert len(set(made(tmp_path))) == 1
    assert [told["exit"] for told in watched.events("ended")] == [2, 2, 0]


def test_what_did_not_go_out_is_asked_for_again_later(tmp_path, start, monkeypatch):
    monkeypatch.setattr(scheduler, "AGAIN_SECONDS", (0.1, 0.1))
    plan(tmp_path, ago(5), missed_hours=2)
    # As with a mail server that is down: the reports are made, and the turn says so.
    watched = start("turn.done('run', unsent=1); sys.exit(3)")
    watched.until(lambda: len(watched.events("ended")) == 3)
    watched.stop()
    assert [told["exit"] for told in watched.events("ended")] == [3, 0, 0]
    assert len(made(tmp_path)) == 1


def test_a_clock_that_is_stopped_breaks_off_what_runs_and_the_next_one_makes_it(tmp_path, start):
    plan(tmp_path, ago(5), missed_hours=2)
    first = start("time.sleep(60)")
    first.until(lambda: made(tmp_path))
    began = time.monotonic()
    first.stop()
    assert time.monotonic() - began < 20
    (ended,) = first.events("ended")
    assert ended["exit"] == -signal.SIGTERM
    assert first.told[-1]["event"] == "stopped"
    second = start()
    second.until(lambda: second.events("ended"))
    assert made(tmp_path)[0] == made(tmp_path)[1]


class EverySecond:
    """A schedule whose times come as fast as a test wants them."""

    def next_after(self, instant: dt.datetime) -> dt.datetime:
        return instant.replace(microsecond=0) + dt.timedelta(seconds=1)

    def last_until(self, instant: dt.datetime) -> dt.datetime:
        return instant.replace(microsecond=0)


def test_while_it_waits_each_time_comes_with_its_own_scheduled_time(tmp_path, start, monkeypatch):
    plan(tmp_path, ago(5), missed_hours=2)
    monkeypatch.setattr(CompanyPlan, "cron", lambda _company, _entry: EverySecond())
    monkeypatch.setattr(scheduler.Turns, "is_open", lambda *_args: False)
    watched = start()
    watched.until(lambda: len(watched.events("begins")) >= 3)
    watched.stop()
    times = [dt.datetime.fromisoformat(told["scheduled"]) for told in watched.events("begins")]
    assert times == sorted(times)


def test_a_changed_plan_is_read_again_and_a_broken_one_leaves_the_old_in_force(
    tmp_path, start, monkeypatch
):
    monkeypatch.setattr(scheduler, "LOOK_AGAIN_SECONDS", 0.05)
    later = dt.datetime.now(UTC) + dt.timedelta(hours=5)
    plan(tmp_path, later, missed_hours=0)
    watched = start()
    (tmp_path / "reports.toml").write_text("[[entries]]\nname = 1\n", encoding="utf-8")
    watched.until(lambda: watched.events("plan not read"))
    assert "mistake" in watched.events("plan not read")[0]["problem"]
    plan(tmp_path, later, missed_hours=0, name="other")
    watched.until(lambda: [w for w in watched.events("waits") if w["entry"] == "other"])
    watched.stop()
    assert made(tmp_path) == []


def test_the_command_of_an_entry_is_one_that_a_shell_could_run(tmp_path):
    plan(tmp_path, ago(5), missed_hours=2)
    company = scheduler.open_plan(tmp_path)
    command = scheduled_command(company, company.entry("daily"), "2026-03-02T07:00+00:00")
    assert command[1:4] == ["-m", "salesops", "run"]
    assert command[-3:] == ["--at", "2026-03-02T07:00+00:00", "--once"]


def test_the_program_ends_on_sigterm_without_an_error_and_tells_its_times_as_json(tmp_path):
    plan(tmp_path, dt.datetime.now(UTC) + dt.timedelta(hours=5), missed_hours=0)
    process = subprocess.Popen(
        [sys.executable, "-m", "salesops", "schedule", "run", str(tmp_path), "--json"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ},
    )  # fmt: skip
    told = []
    while not any(one["event"] == "waits" for one in told):
        told.append(json.loads(process.stdout.readline()))
    process.send_signal(signal.SIGTERM)
    rest, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (0, "")
    assert json.loads(rest.splitlines()[-1])["event"] == "stopped"
