"""Ending early: a signal becomes one exception, and what may not be torn in two is let finish."""

import os
import re
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

# A terminal that is closed, Ctrl-C, and the wish of a scheduler; Windows knows no SIGHUP.
SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)


class Stopped(BaseException):
    """Somebody asked the program to end. It is no fault, so `except Exception` lets it pass."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number

    @property
    def code(self) -> int:
        """The exit code by which shells know it: 130 of Ctrl-C, 143 of SIGTERM.

        Examples
        --------
        >>> Stopped(15).code
        143
        """
        return 128 + self.number


def _handled() -> tuple[signal.Signals, ...]:
    """List the signals that end the program now: not those ignored, as under `nohup`."""
    return tuple(s for s in SIGNALS if signal.getsignal(s) not in (signal.SIG_IGN, None))


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


@contextmanager
def stoppable(told: Callable[[Stopped], None]) -> Iterator[None]:
    """Let signals raise `Stopped` in the `with` block, so that what is half-done is cleared away.

    The first one counts; the clearing is not broken off by another. `told` gets the exception
    before it is raised.
    """
    if not _in_main_thread():
        yield
        return

    def stop(number: int, _frame: FrameType | None) -> None:
        for one in _handled():
            signal.signal(one, signal.SIG_IGN)
        stopped = Stopped(number)
        told(stopped)
        raise stopped

    before = {one: signal.signal(one, stop) for one in _handled()}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Keep signals waiting until the `with` block is over.

    Between two renames there is neither the old folder nor the new one.
    """
    if not _in_main_thread():  # signals reach the main thread alone
        yield
        return
    came: list[int] = []
    before = {
        one: signal.signal(one, lambda number, _frame: came.append(number)) for one in _handled()
    }
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
        for number in came[:1]:
            signal.raise_signal(number)


class Claim:
    """A new folder that others can see to be in use, for as long as this process lives.

    It is locked, and the system takes the lock back when the process ends, also by a SIGKILL.

    Parameters
    ----------
    parent, prefix
        Where it is made, and how its name begins.
    """

    def __init__(self, parent: Path, prefix: str) -> None:
        while True:
            self.path = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
            self._lock = _locked(self.path, wait=True)
            if self.path.exists():
                return
            # Between its making and its lock somebody took it for abandoned.
            self._give_back()

    def clear(self) -> None:
        """Take the folder away, unless it was renamed, and give the lock back."""
        shutil.rmtree(self.path, ignore_errors=True)
        self._give_back()

    def _give_back(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _locked(folder: Path, *, wait: bool) -> int | None:
    """Lock a folder until the file that this gives is closed; null where that can't be done.

    Windows knows no such locks, and of a disk on the network it may be the same: there nothing is
    taken for abandoned.
    """
    if sys.platform == "win32":
        return None
    import fcntl

    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:
        os.close(handle)
        return None
    return handle


def clear_abandoned(parent: Path, *prefixes: str) -> None:
    """Take away scratch folders that a killed process left: those that no living one has locked.

    Parameters
    ----------
    parent, prefixes
        Where they are, and how their names begin. What is not named as `Claim` names it stays.
    """
    named = re.compile(f"(?:{'|'.join(map(re.escape, prefixes))})[a-z0-9_]{{8}}")
    for path in sorted(parent.iterdir()) if parent.is_dir() else ():
        lock = _locked(path, wait=False) if named.fullmatch(path.name) else None
        if lock is not None:
            try:
                shutil.rmtree(path, ignore_errors=True)
            finally:
                os.close(lock)


@contextmanager
def scratch_folder(parent: Path, prefix: str) -> Iterator[Path]:
    """Give a folder to prepare things in; it is gone after the `with` block, however that ends.

    Of a process that is killed it stays, until `clear_abandoned` finds it.
    """
    made: list[Claim] = []
    try:
        with uninterrupted():
            made.append(Claim(parent, prefix))
        yield made[0].path
    finally:
        with uninterrupted():
            for claim in made:
                claim.clear()
