"""Ending early: a signal becomes one exception, and what may not be torn in two is let finish."""

import shutil
import signal
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


@contextmanager
def scratch_folder(parent: Path, prefix: str) -> Iterator[Path]:
    """Give a folder to prepare things in; it is gone after the `with` block, however that ends."""
    made: list[Path] = []
    try:
        with uninterrupted():
            made.append(Path(tempfile.mkdtemp(prefix=prefix, dir=parent)))
        yield made[0]
    finally:
        with uninterrupted():
            for path in made:
                shutil.rmtree(path, ignore_errors=True)
