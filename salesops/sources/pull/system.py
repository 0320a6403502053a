"""What every system that can be pulled from has in common."""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

from salesops.sources.pull.client import Client
from salesops.sources.pull.errors import NoRight, UnknownField
from salesops.sources.pull.exports import Fetched, Groups
from salesops.sources.pull.secrets import Secrets

# Object, records so far, and how many there will be where that is known.
Tell = Callable[[str, int, int | None], None]
# A change that was under way when it was asked for may show up a little later under an older time.
OVERLAP = dt.timedelta(minutes=10)


@dataclass(frozen=True, kw_only=True)
class Opening:
    """How a system is reached: secrets, addresses of its interface and of its tokens, pauses."""

    secrets: Secrets
    base: str = ""
    login: str = ""
    pause: Callable[[float], None] = field(default=lambda _seconds: None)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is asked for.

    Attributes
    ----------
    since
        By file the greatest time of change that is known; what is not there is asked for whole.
    wanted
        The columns of a file that the mapping reads.
    required
        Of these a field that the system does not have is refused: the mapping is a person's own.
    keeps_deleted
        Whether the mapping reads from a file which of its rows were deleted.
    objects
        Those that were named; empty for all that the system usually has.
    past
        Gives the rows of a file of the last export.
    tell
        Is told how far it is.
    """

    since: Mapping[str, dt.datetime]
    wanted: Callable[[str], tuple[str, ...]]
    required: Callable[[str], tuple[str, ...]]
    keeps_deleted: Callable[[str], bool]
    objects: tuple[str, ...]
    past: Callable[[str], Groups]
    tell: Tell

    def begin(self, file: str) -> dt.datetime | None:
        """Give the time of change from which on is asked, somewhat before what is known."""
        since = self.since.get(file)
        return None if since is None else since - OVERLAP

    def spare(self, name: str, file: str, error: NoRight, *, must: bool = False) -> Fetched:
        """Leave out an object that is not shown, where nobody has asked for it, and say so.

        Raises
        ------
        NoRight
            Nothing can be done without it, it was named, or an earlier pull had it: it would vanish
            from the book.
        """
        if must or name in self.objects or self.past(file):
            raise NoRight(system=error.system, what=name, reason=error.reason, mend=error.mend)
        return Fetched(
            file=file, by="", heads=(), rows=(), note=f"{name} is left out: {error.reason}"
        )

    def fields(self, file: str, system: str, name: str, known: tuple[str, ...]) -> tuple[str, ...]:
        """Give the wanted columns of a file that the system has.

        Raises
        ------
        UnknownField
            It lacks one that a person has put into their mapping.
        """
        for field_ in self.required(file):
            if field_ not in known:
                raise UnknownField(system=system, field=field_, what=name, known=known)
        return tuple(c for c in self.wanted(file) if c in known)


class Session(Protocol):
    """A system that was reached."""

    client: Client

    @property
    def account(self) -> str:
        """Names the account, so that two are not mixed."""

    def fetch(self, plan: Plan) -> Iterator[Fetched]:
        """Ask for one object after the other."""


class System(Protocol):
    """A system that can be pulled from.

    Attributes
    ----------
    name, title
        That of its mapping, and what people call it.
    secrets
        Where its secrets are by default, by key.
    objects
        What it is usually asked for; empty where that must be named.
    whole_days
        After so many days everything is asked for again.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    secrets: ClassVar[Mapping[str, str]]
    objects: ClassVar[tuple[str, ...]]
    whole_days: ClassVar[int]

    def open(self, opening: Opening) -> Session:
        """Reach the system."""


def utc_text(moment: dt.datetime) -> str:
    """Write an instant of UTC as ISO text.

    Examples
    --------
    >>> utc_text(dt.datetime(2026, 3, 31, 16, 5))
    '2026-03-31T16:05:00.000Z'
    """
    return moment.isoformat(timespec="milliseconds") + "Z"


def instant(text: str) -> dt.datetime:
    """Read an ISO text as an instant of UTC.

    Examples
    --------
    >>> instant("2026-01-05T10:42:48.000+0800")
    datetime.datetime(2026, 1, 5, 2, 42, 48)
    """
    read = dt.datetime.fromisoformat(text)
    return read.astimezone(dt.UTC).replace(tzinfo=None) if read.tzinfo else read


def greatest(texts: Iterable[str], before: dt.datetime | None) -> str:
    """Give the greatest of some times, or the one that was known before, as ISO text."""
    found = max((instant(text) for text in texts if text), default=None)
    known = [moment for moment in (found, before) if moment is not None]
    return utc_text(max(known)) if known else ""
