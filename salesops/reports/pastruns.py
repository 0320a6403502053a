"""The runs of an output folder, read from the records that they left.

Nothing in a record is trusted: what has not the form of one is left out and named, file names lead
nowhere but into the run's own folder, and texts stay texts.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from salesops.reports.events import State

LATEST = "latest"
Number = Annotated[float, Field(allow_inf_nan=False)]


def _on_the_wall(at: dt.datetime) -> dt.datetime:
    return at.astimezone() if at.tzinfo is None else at


Instant = Annotated[dt.datetime, AfterValidator(_on_the_wall)]


class _Read(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class LeadRead(_Read):
    """The number by which a report stands in an index; see `analyses.result.Lead`."""

    name: str
    kind: str
    value: Number | None = None
    prior: Number | None = None
    better: Literal["up", "down", "none"] = "none"


class FactsRead(_Read):
    """What a report found; see `analyses.result.Result`."""

    company: str = ""
    whose: str = ""
    as_of: dt.date | None = None
    period: str = ""
    fingerprint: str = ""
    head: tuple[str, ...] = ()
    verdict: tuple[str, ...] = ()
    lead: LeadRead | None = None


class WholeFacts(FactsRead):
    """The same with its numbers and findings, which make up most of a record."""

    metrics: dict[str, Any] = {}
    findings: tuple[dict[str, Any], ...] = ()


class FailureRead(_Read):
    """Where and why a report failed."""

    cell: str | None = None
    name: str | None = None
    value: str | None = None
    cause: str | None = None

    @property
    def why(self) -> str:
        """The cause in plain words where there is one, else what the error said."""
        return self.cause or self.value or self.name or ""


class PastJob(_Read):
    """One report of one scope in one language."""

    report: str
    scope: str
    lang: str
    page: str = ""
    parameters: dict[str, Any] = {}
    key: str | None = None
    state: State | None = None
    files: dict[str, str | tuple[str, ...]] = {}
    seconds: Number = 0.0
    spent: dict[str, Number] = {}
    failure: FailureRead | None = None
    result: FactsRead | None = None

    @property
    def ended(self) -> State:
        """How it ended; older records say only whether it failed."""
        return "failed" if self.failure else self.state or "made"

    def file(self, kind: str) -> str:
        """Give the name of its file of a format, empty where there is none or not one alone."""
        named = self.files.get(kind, "")
        if kind == "html" and not named:
            return self.page
        return named if isinstance(named, str) else ""


class _WholeJob(PastJob):
    result: WholeFacts | None = None


class _Record(_Read):
    started: Instant
    ended: Instant | None = None
    book: str = ""
    plan: str | None = None
    jobs: tuple[PastJob, ...]


class _WholeRecord(_Record):
    jobs: tuple[_WholeJob, ...]


@dataclass(frozen=True, eq=False)
class PastRun:
    """One run: its id, its folder and what its record says."""

    id: str
    folder: Path
    record: _Record

    @property
    def jobs(self) -> tuple[PastJob, ...]:
        """Its jobs, in their order."""
        return self.record.jobs

    @property
    def started(self) -> dt.datetime:
        """When it began."""
        return self.record.started

    @cached_property
    def files(self) -> frozenset[str]:
        """The names of the files that are in its folder."""
        try:
            return frozenset(path.name for path in self.folder.iterdir())
        except OSError:
            return frozenset()

    @cached_property
    def company(self) -> str:
        """The company that its reports name, else the folder of its book."""
        named = (job.result.company for job in self.jobs if job.result and job.result.company)
        return next(named, "")

    @cached_property
    def as_of(self) -> dt.date:
        """Date of its data; of a run in which all failed, the day on which it began."""
        days = [job.result.as_of for job in self.jobs if job.result and job.result.as_of]
        return max(days, default=self.started.date())

    @cached_property
    def period(self) -> str:
        """The period of most of its reports; empty where none says it."""
        said = Counter(job.result.period for job in self.jobs if job.result and job.result.period)
        return said.most_common(1)[0][0] if said else ""


@dataclass(frozen=True)
class Unread:
    """A record that can't be read, and why."""

    path: Path
    reason: str


def run_folders(out: Path) -> Iterator[Path]:
    """Give the folders of an output folder that hold a run, `latest` (a copy) left out.

    What begins with a dot is being written or is kept for later runs; links lead elsewhere.
    """
    if not out.is_dir():
        return
    for path in sorted(out.iterdir()):
        if path.name.startswith(".") or path.name == LATEST or path.is_symlink():
            continue
        if (path / "run.json").is_file():
            yield path


def read_runs(out: Path, *, whole: bool = False) -> tuple[list[PastRun], list[Unread]]:
    """Read all runs of an output folder.

    Parameters
    ----------
    out
        The output folder.
    whole
        True reads the numbers and findings too.

    Returns
    -------
    tuple
        The runs, oldest first; and the records that can't be read, which are left out.
    """
    runs: list[PastRun] = []
    unread: list[Unread] = []
    for folder in run_folders(out):
        found = read_run(folder / "run.json", folder.name, whole=whole)
        if isinstance(found, PastRun):
            runs.append(found)
        elif found is not None:
            unread.append(found)
    return sorted(runs, key=lambda run: (run.started, run.id)), unread


def read_run(path: Path, name: str, *, whole: bool = False) -> PastRun | Unread | None:
    """Read one record; null where it has gone in the meantime."""
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        return Unread(path, str(error.strerror))
    try:
        form = _WholeRecord if whole else _Record
        return PastRun(name, path.parent, form.model_validate_json(text))
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in fault["loc"])
        return Unread(path, f"{place}: {fault['msg']}" if place else fault["msg"])


def plain_name(name: str) -> bool:
    """Tell whether a name is one of a file in the folder itself.

    Examples
    --------
    >>> plain_name("funnel.zh.html"), plain_name("../../etc/passwd"), plain_name(".hidden")
    (True, False, False)
    """
    return bool(name) and not name.startswith(".") and not set(name) & {"/", "\\", "\0"}


def numbers_of(facts: FactsRead | None) -> Mapping[str, float | None]:
    """Give the metrics of a report that are numbers or null."""
    found = facts.metrics if isinstance(facts, WholeFacts) else {}
    return {
        name: None if value is None else float(value) for name, value in found.items()
        if value is None or (isinstance(value, int | float) and not isinstance(value, bool)
                             and abs(value) < float("inf"))
    }  # fmt: skip
