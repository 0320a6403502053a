"""Finding what would fail every job: in a process of its own, while papermill is loaded.

Opening a book takes the packages of the analyses, two seconds of imports that the process which
runs the reports does not need by itself.
"""

import json
import pickle
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from salesops.model.errors import SalesopsError
from salesops.reports.keys import Stand


def check(given: Mapping[str, object], scopes: Sequence[str]) -> Stand:
    """Open the book, read date, period and scopes as every job will, and tell what it shows.

    Raises
    ------
    SalesopsError
        What is wrong; of a broken book with its rows.
    """
    from salesops.book.book import Book
    from salesops.book.opened import opened_store
    from salesops.book.reach import known_as_of
    from salesops.book.scope import parse_scope

    # Its versions are not needed here, and laying them out takes a second; where there will be
    # several reports, all is laid out for them.
    store = opened_store(str(given["book"]), copied=False)
    opened = known_as_of(Book.of(store), str(given["as_of"]))
    period = opened.period(str(given["period"]))
    for scope in scopes:
        limits = parse_scope(scope)
        if not limits.is_company:
            opened.within(limits)
    return Stand(as_of=opened.date.isoformat(), period=period.text, data=opened.fingerprint(),
                 settings=opened.settings.fingerprint)  # fmt: skip


class Check:
    """A check that has begun; `passed` waits for its end."""

    def __init__(self, given: Mapping[str, object], scopes: Sequence[str]) -> None:
        self._asked = (dict(given), list(scopes))
        self._process: subprocess.Popen[bytes] | None = None
        self._found: Stand | None = None
        # Where the packages are there already, it is quicker here.
        if sys.executable and "salesops.book.book" not in sys.modules:
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip

    def __enter__(self) -> "Check":
        """Hand the process what is to be checked, or check here, before any kernel starts."""
        if self._process is None:
            self._found = check(*self._asked)
        elif self._process.stdin is not None:
            # Not as arguments, which everybody on the machine can read: a URL has a password.
            self._process.stdin.write(json.dumps(self._asked).encode())
            self._process.stdin.close()
            self._process.stdin = None
        return self

    def __exit__(self, *_error: object) -> None:
        """Leave no process behind."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            if self._process.stdout is not None:
                self._process.stdout.close()

    def passed(self) -> Stand:
        """Wait for the end of the check, and give what the book shows.

        Raises
        ------
        SalesopsError
            As `check` does.
        """
        if self._found is not None:
            return self._found
        assert self._process is not None
        told, _nothing = self._process.communicate()
        if self._process.returncode == 0:
            found: SalesopsError | Stand = pickle.loads(told)  # noqa: S301 - of our own process
            if isinstance(found, Stand):
                return found
            raise found
        # It ended otherwise than by an error that can be mended: here it shows what that was.
        return check(*self._asked)


def _main() -> None:
    given, scopes = json.load(sys.stdin)
    found: Any
    try:
        found = check(given, scopes)
    except SalesopsError as error:
        found = error
    sys.stdout.buffer.write(pickle.dumps(found))


if __name__ == "__main__":
    _main()
