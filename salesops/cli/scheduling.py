"""`salesops schedule`: run a plan by the clock, list its times, write it for another scheduler."""

import datetime as dt
import json
import signal
from pathlib import Path
from types import FrameType
from typing import Any

from rich.console import Console

from salesops.cli.planrunning import now
from salesops.model.errors import SalesopsError
from salesops.reports.plan import CompanyPlan, Entry, open_plan
from salesops.reports.planfaults import BadPlan
from salesops.reports.turns import Turns

_TOLD = ("scheduled", "due", "exit", "missed_by_hours", "problem")


def run_schedule(folder: str, *, as_json: bool, no_send: bool, out: Console) -> None:
    """Run a plan until it is told to end, which is its usual end."""
    from salesops.reports.scheduler import Clock, scheduled_command

    def log(event: str, **facts: Any) -> None:
        at = dt.datetime.now().astimezone().isoformat(timespec="seconds")
        if as_json:
            line = json.dumps({"at": at, "event": event, **facts}, ensure_ascii=False)
        else:
            named = f"{facts['entry']}: " if "entry" in facts else ""
            told = [f"{name.replace('_', ' ')} {facts[name]}" for name in _TOLD if name in facts]
            line = f"{at} {named}{facts.get('line', ' '.join([event, *told]))}"
        out.file.write(f"{line}\n")
        out.file.flush()

    def command(company: CompanyPlan, entry: Entry, at: str) -> list[str]:
        return [*scheduled_command(company, entry, at), *(["--no-send"] if no_send else [])]

    clock = Clock(folder, log, command)
    try:
        # A scope that the book does not know is told now, and not on Monday at seven.
        open_plan(folder, over_book=True)
    except BadPlan:
        raise
    except SalesopsError as error:
        # A database may be up by then.
        log("book not opened", problem=str(error))

    def end(_number: int, _frame: FrameType | None) -> None:
        clock.stop()

    for one in (signal.SIGTERM, signal.SIGINT):
        signal.signal(one, end)
    clock.run()


def list_times(folder: str, *, n: int, as_json: bool, out: Console) -> None:
    """Show the next times of each entry, and what became of the last one."""
    company = open_plan(folder)
    turns = Turns(company.folder)
    moment = now()
    for entry in company.entries():
        cron = company.cron(entry)
        last = None if cron is None else cron.last_until(moment)
        times: list[dt.datetime] = []
        while cron is not None and len(times) < n:
            times.append(cron.next_after(times[-1] if times else moment))
        shown = [time.isoformat(timespec="minutes") for time in times]
        state = turns.state(entry.name, last) if last is not None else "by hand"
        told = {"entry": entry.name, "schedule": entry.schedule, "zone": company.zone(entry),
                "last": last.isoformat(timespec="minutes") if last else None, "state": state,
                "next": shown}  # fmt: skip
        if as_json:
            out.print(json.dumps(told, ensure_ascii=False), markup=False)
        else:
            text = f"next {', '.join(shown)}; last {told['last']}, {state}" if cron else state
            out.print(f"{entry.name}: {text}", markup=False)


def export_schedule(kind: str, folder: str, *, into: str, out: Console) -> None:
    """Write the files of another scheduler, to the console or into a folder."""
    from salesops.reports.exporting import exported

    files = exported(kind, open_plan(folder))
    if into:
        place = Path(into).expanduser()
        place.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (place / name).write_text(text, encoding="utf-8")
            out.print(f"Written: {place / name}", markup=False)
        return
    for name, text in files.items():
        if len(files) > 1:
            out.file.write(f"# --- {name}\n")
        out.file.write(text)
