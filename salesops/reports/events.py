"""What happens in a run of reports, told while it happens.

A run calls one function with one event after the other. Who listens may draw a bar, write a log or
do both; who listens to nothing loses nothing.
"""

import datetime as dt
import json
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

State = Literal["made", "kept", "failed"]


def now() -> dt.datetime:
    """Give this moment, with the offset of the clock on the wall."""
    return dt.datetime.now().astimezone()


@dataclass(frozen=True, kw_only=True)
class RunBegun:
    """A run has laid out its jobs.

    Attributes
    ----------
    at
        When.
    book
        Where the company lies, without user and password.
    jobs
        Stem, report, scope and language of each job, in their order.
    workers
        How many are made at a time.
    plan
        Name of the plan, null where reports were named one by one.
    """

    book: str
    jobs: tuple[tuple[str, str, str, str], ...]
    workers: int
    plan: str | None = None
    at: dt.datetime = field(default_factory=now)


@dataclass(frozen=True, kw_only=True)
class JobBegun:
    """A job is at work.

    Attributes
    ----------
    at
        When.
    job
        Its stem.
    report, scope, lang
        What it makes.
    """

    job: str
    report: str
    scope: str
    lang: str
    at: dt.datetime = field(default_factory=now)


@dataclass(frozen=True, kw_only=True)
class JobEnded:
    """A job is over; one whose result was kept ends without having begun.

    Attributes
    ----------
    at
        When.
    job
        Its stem.
    report, scope, lang
        What it was to make.
    state
        `made` now, `kept` from before since nothing changed, or `failed`.
    seconds
        How long it took.
    cause
        Why it failed, in plain words; null where it did not.
    """

    job: str
    report: str
    scope: str
    lang: str
    state: State
    seconds: float
    cause: str | None = None
    at: dt.datetime = field(default_factory=now)


@dataclass(frozen=True, kw_only=True)
class RunEnded:
    """A run is in its place.

    Attributes
    ----------
    at
        When.
    run
        Its id.
    made, kept, failed
        How many jobs ended so.
    seconds
        From its begin to now.
    folder
        Where its pages are.
    """

    run: str
    made: int
    kept: int
    failed: int
    seconds: float
    folder: Path
    at: dt.datetime = field(default_factory=now)


@dataclass(frozen=True, kw_only=True)
class CardMade:
    """A card of the day is written.

    Attributes
    ----------
    at
        When.
    plan
        Entry of the plan.
    scope, lang
        Of whom, and in which language.
    path
        Its file.
    """

    plan: str
    scope: str
    lang: str
    path: Path
    at: dt.datetime = field(default_factory=now)


@dataclass(frozen=True, kw_only=True)
class Delivered:
    """What became of sending something to one address.

    Attributes
    ----------
    at
        When.
    plan, run
        Entry of the plan, and id of the run; `cards` where a card alone was made.
    recipient, address
        As the plan writes them.
    channel
        `mail`, `wecom` and so on.
    state
        `ready` where nothing was to be sent, `sent`, `before`, `failed` or `unsure`.
    reports
        Their stems.
    told
        Why it failed.
    """

    plan: str
    run: str
    recipient: str
    address: str
    channel: str
    state: str
    reports: tuple[str, ...]
    told: str = ""
    at: dt.datetime = field(default_factory=now)


Event: TypeAlias = RunBegun | JobBegun | JobEnded | RunEnded | CardMade | Delivered
Events: TypeAlias = Callable[[Event], None]
_NAMES = {RunBegun: "run_begun", JobBegun: "job_begun", JobEnded: "job_ended",
          RunEnded: "run_ended", CardMade: "card_made", Delivered: "delivered"}  # fmt: skip


def silent(_event: Event) -> None:
    """Listen to nothing."""


def one_at_a_time(events: Events) -> Events:
    """Tell events in turn, whichever thread they come from."""
    lock = threading.Lock()

    def tell(event: Event) -> None:
        with lock:
            events(event)

    return tell


def to_line(event: Event) -> str:
    """Write an event as one line of JSON: `event` names it, then its fields.

    Examples
    --------
    >>> to_line(JobBegun(job="funnel.zh", report="funnel", scope="company", lang="zh",
    ...                  at=dt.datetime(2026, 6, 21, 6, tzinfo=dt.timezone.utc)))[:60]
    '{"event": "job_begun", "at": "2026-06-21T06:00:00+00:00", "j'
    """
    facts = asdict(event)
    at = facts.pop("at").isoformat(timespec="seconds")
    if isinstance(event, RunBegun):
        names = ("job", "report", "scope", "lang")
        facts["jobs"] = [dict(zip(names, job, strict=True)) for job in event.jobs]
    if "seconds" in facts:
        facts["seconds"] = round(facts["seconds"], 2)
    return json.dumps(
        {"event": _NAMES[type(event)], "at": at, **facts}, ensure_ascii=False, default=str
    )


def from_progress(told: Callable[[int, int, str], None]) -> Events:
    """Let a function that takes (done, all, name of one that is not done) listen to events.

    Examples
    --------
    >>> seen = []
    >>> tell = from_progress(lambda done, n, name: seen.append((done, n, name)))
    >>> tell(RunBegun(book="b", jobs=(("funnel.zh", "funnel", "company", "zh"),), workers=1))
    >>> tell(JobEnded(job="funnel.zh", report="funnel", scope="company", lang="zh", state="made",
    ...               seconds=2.0))
    >>> seen
    [(0, 1, 'funnel.zh'), (1, 1, '')]
    """
    left: dict[str, None] = {}
    most = 0

    def tell(event: Event) -> None:
        nonlocal most
        if isinstance(event, RunBegun):
            left.update(dict.fromkeys(stem for stem, *_rest in event.jobs))
            most = len(left)
        elif isinstance(event, JobEnded):
            left.pop(event.job, None)
        else:
            return
        told(most - len(left), most, next(iter(left), ""))

    return tell
