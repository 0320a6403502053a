"""The outbox: what was sent to whom, so that nothing is sent twice.

One file beside the runs. Whoever sends writes first that it begins, then what became of it; two
that send at once can't both begin. Where a sending was broken off in between, nobody knows whether
it arrived: it is told, and not sent again unless asked for.
"""

import datetime as dt
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

State = Literal["begun", "sent", "failed", "unsure"]
FILE = ".outbox.sqlite"
_TABLE = """
create table if not exists sending (
  occasion text not null, recipient text not null, address text not null, report text not null,
  key text not null, state text not null, at text not null, told text not null default '',
  primary key (occasion, recipient, address, report, key)
)"""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One report to one address of one recipient, on one occasion.

    Attributes
    ----------
    occasion
        The scheduled time of a plan, or the run.
    recipient, address
        As the plan writes them: of a chat's address its name alone.
    report, key
        Stem of the report, and what it was made of.
    """

    occasion: str
    recipient: str
    address: str
    report: str
    key: str

    @property
    def values(self) -> tuple[str, str, str, str, str]:
        """Its columns."""
        return (self.occasion, self.recipient, self.address, self.report, self.key)


_WHERE = "occasion = ? and recipient = ? and address = ? and report = ? and key = ?"


class Outbox:
    """The file of what was sent."""

    def __init__(self, root: Path) -> None:
        self.path = root / FILE

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        # It names who is written to, and may lie where a web server finds it.
        self.path.touch(mode=0o600)
        connection = sqlite3.connect(self.path, timeout=30, isolation_level=None)
        try:
            connection.execute(_TABLE)
            connection.execute("begin immediate")
            yield connection
            connection.execute("commit")
        except BaseException:
            if connection.in_transaction:
                connection.execute("rollback")
            raise
        finally:
            connection.close()

    def state(self, entry: Entry) -> tuple[State, str] | None:
        """Say how a sending stands, and since when; null where it was never begun."""
        if not self.path.exists():
            return None
        with self._open() as connection:
            return _state(connection, entry)

    def begin(self, entries: list[Entry], *, again: bool = False) -> list[Entry]:
        """Mark as begun, and give, those that were not sent yet and that nobody else sends.

        With `again` those count too of which it is not known whether they arrived.
        """
        open_ = {None, "failed", *(("begun", "unsure") if again else ())}
        with self._open() as connection:
            found = []
            for entry in entries:
                state = _state(connection, entry)
                if (state[0] if state else None) in open_:
                    found.append(entry)
                    _write(connection, entry, "begun", "")
            return found

    def end(self, entries: list[Entry], state: State, told: str = "") -> None:
        """Write what became of sendings."""
        with self._open() as connection:
            for entry in entries:
                _write(connection, entry, state, told)


def _state(connection: sqlite3.Connection, entry: Entry) -> tuple[State, str] | None:
    found = connection.execute(f"select state, at from sending where {_WHERE}",  # noqa: S608
                               entry.values).fetchone()  # fmt: skip
    return None if found is None else (found[0], found[1])


def _write(connection: sqlite3.Connection, entry: Entry, state: State, told: str) -> None:
    at = dt.datetime.now().astimezone().isoformat(timespec="seconds")
    connection.execute("insert or replace into sending values (?, ?, ?, ?, ?, ?, ?, ?)",
                       (*entry.values, state, at, told))  # fmt: skip
