"""One at a time: who writes targets or actions into a book, or imports, keeps others from it."""

import datetime as dt
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from salesops.model.errors import SalesopsError
from salesops.stopping import uninterrupted

LOCK = ".targets.lock"


@dataclass(eq=False, kw_only=True)
class BookBusy(SalesopsError, RuntimeError):
    """Somebody else is writing to a book."""

    where: str
    who: str
    lock: str

    def __str__(self) -> str:
        return (
            f"{self.where} is being written to by {self.who}; nothing was changed.\n"
            "Expected: one at a time who takes targets over, changes the register or imports.\n"
            "Try again in a minute. If that process is no more, it was cut off: delete "
            f"{self.lock}."
        )


@contextmanager
def alone(folder: Path, who: str) -> Iterator[None]:
    """Let nobody else write to a book in the `with` block.

    What was read of the book before is what others may have changed since, so read it inside. The
    lock is a file that only one can create, as on shared folders locks of the system may not hold.

    Parameters
    ----------
    folder
        The book's.
    who
        Whom others shall be told of.

    Raises
    ------
    BookBusy
        Somebody else does, or was cut off so hard that the lock stayed.
    """
    lock, mine = folder / LOCK, False
    now = dt.datetime.now(tz=dt.UTC)
    try:
        with uninterrupted():
            try:
                file = lock.open("x", encoding="utf-8")
            except FileExistsError:
                raise BookBusy(where=str(folder), who=_held_by(lock), lock=str(lock)) from None
            mine = True
            with file:
                file.write(f"{who}, since {now:%Y-%m-%d %H:%M} UTC (process {os.getpid()} on "
                           f"{platform.node()})")  # fmt: skip
        yield
    finally:
        if mine:
            lock.unlink(missing_ok=True)


def _held_by(lock: Path) -> str:
    try:
        return lock.read_text(encoding="utf-8") or "somebody"
    except OSError:  # gone meanwhile
        return "somebody"
