"""Each entry once for each scheduled time, however many programs ask for it.

Beside the plan lies a folder with a lock and a mark for each entry and time. The system takes the
lock back when its holder ends, also by a crash; the mark says what became of it, so that what was
broken off is done again and what is done is not.
"""

import datetime as dt
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from salesops.stopping import uninterrupted

FOLDER = ".salesops/turns"
# What takes the machine down each time is not tried for ever.
MOST_TRIES = 3
KEPT_DAYS = 400


@dataclass(kw_only=True)
class Turn:
    """The turn of one entry at one scheduled time.

    Attributes
    ----------
    mark
        The file that says what became of it.
    refusal
        Why it is not ours; empty where it is.
    unsent
        The run that is done, and that did not reach all its recipients; empty where there is none.
    failed
        How many reports of that run failed.
    """

    mark: Path
    refusal: str = ""
    unsent: str = ""
    failed: int = 0

    def done(self, run: str, *, failed: int = 0, unsent: int = 0) -> None:
        """Say that it is done, by which run, and how many messages did not go out."""
        self._tell({"state": "done", "run": run, "failed": failed, "unsent": unsent,
                    "ended": _now()})  # fmt: skip

    def skipped(self) -> None:
        """Say that it was missed by too much, so that nobody makes it any more."""
        self._tell({"state": "done", "run": "", "skipped": True, "ended": _now()})

    def given_back(self) -> None:
        """Say that somebody broke it off on purpose, which is no fault of the reports."""
        tries = int(_read(self.mark).get("tries", 1))
        self._tell({"state": "open", "tries": max(0, tries - 1)})

    def _tell(self, told: dict[str, Any]) -> None:
        _write(self.mark, {**_read(self.mark), **told})


class Turns:
    """The turns of a plan.

    Parameters
    ----------
    folder
        The plan's folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder / FOLDER

    def _mark(self, name: str, scheduled: dt.datetime) -> Path:
        at = scheduled.astimezone(dt.UTC)
        return self.folder / f"{name}@{at:%Y%m%dT%H%MZ}.json"

    def is_open(self, name: str, scheduled: dt.datetime) -> bool:
        """Say whether an entry still has to be made, or sent, for a time."""
        told = _read(self._mark(name, scheduled))
        if told.get("state") == "done":
            return bool(told.get("unsent"))
        return int(told.get("tries", 0)) < MOST_TRIES

    def is_unsent(self, name: str, scheduled: dt.datetime) -> bool:
        """Say whether an entry was made for a time and did not reach all its recipients."""
        told = _read(self._mark(name, scheduled))
        return told.get("state") == "done" and bool(told.get("unsent"))

    def state(self, name: str, scheduled: dt.datetime) -> str:
        """Say what became of a time: `open`, `begun`, `done`, `skipped`, `failed`, `not sent`."""
        told = _read(self._mark(name, scheduled))
        if told.get("skipped"):
            return "skipped"
        if told.get("failed"):
            return "failed"
        return "not sent" if told.get("unsent") else str(told.get("state", "open"))

    @contextmanager
    def turn(self, name: str, scheduled: dt.datetime) -> Iterator[Turn]:
        """Take the turn of an entry, or learn why it is not to be taken.

        What is not said to be done when the `with` block ends stays open.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self._forget_old()
        mark = self._mark(name, scheduled)
        lock = FileLock(mark.with_suffix(".lock"), timeout=0)
        try:
            lock.acquire()
        except Timeout:
            yield Turn(mark=mark, refusal="another program is making it now")
            return
        try:
            told = _read(mark)
            tries = int(told.get("tries", 0))
            refusal, unsent = "", ""
            if told.get("state") == "done":
                refusal = f"it is done: {told.get('run') or 'skipped'}, {told.get('ended')}"
                unsent = str(told["run"]) if told.get("unsent") else ""
            elif tries >= MOST_TRIES:
                refusal = f"it was broken off {tries} times"
            else:
                _write(mark, {"state": "begun", "tries": tries + 1, "began": _now()})
            yield Turn(mark=mark, refusal=refusal, unsent=unsent, failed=told.get("failed", 0))
        finally:
            lock.release()

    def _forget_old(self) -> None:
        oldest = time.time() - KEPT_DAYS * 86400
        for path in self.folder.iterdir():
            try:
                if path.stat().st_mtime < oldest:
                    path.unlink()
            except OSError:  # another program was quicker
                continue


def _now() -> str:
    return dt.datetime.now().astimezone().isoformat(timespec="seconds")


def _read(mark: Path) -> dict[str, Any]:
    try:
        told = json.loads(mark.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}


def _write(mark: Path, told: dict[str, Any]) -> None:
    with uninterrupted():
        partial = mark.with_suffix(".tmp")
        partial.write_text(json.dumps(told), encoding="utf-8")
        partial.replace(mark)
