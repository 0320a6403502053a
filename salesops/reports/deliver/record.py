"""A finished run as its record tells it: what was made, what failed, which files there are."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from salesops.model.errors import SalesopsError
from salesops.reports.jobs import Job


@dataclass(eq=False, kw_only=True)
class NoRun(SalesopsError, LookupError):
    """There is no finished run to send."""

    where: str
    reason: str

    def __str__(self) -> str:
        return (
            f"{self.where} is no finished run: {self.reason}.\n"
            "Expected: the folder of a run, with its run.json.\n"
            "Make one: salesops run; or name one: salesops send reports/latest."
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Report:
    """One report of a run.

    Attributes
    ----------
    job
        Report, scope, language and parameters.
    key
        What it was made of; the same key is the same report.
    files
        Format -> its files in the run's folder that are there.
    facts
        What its result left behind: verdict, findings, lead, sensitivity; empty where it failed.
    failure
        `cell`, `name`, `value`, perhaps `cause`; null where all ran.
    to
        Recipients that the plan names for it; null where it names none, which means all.
    """

    job: Job
    key: str
    files: Mapping[str, tuple[Path, ...]]
    facts: Mapping[str, Any]
    failure: Mapping[str, str] | None
    to: tuple[str, ...] | None

    @property
    def stem(self) -> str:
        """Name of its files."""
        return self.job.stem


@dataclass(frozen=True, kw_only=True, eq=False)
class Run:
    """A finished run.

    Attributes
    ----------
    folder
        Where its files are.
    id
        Its id.
    occasion
        For what it was made: a run that is broken off and begun anew for the same scheduled time
        is the same occasion, so that nothing is sent twice.
    plan, scheduled
        Entry of the plan and time that it was made for; empty where reports were named one by one.
    reports
        In the order of the run.
    """

    folder: Path
    id: str
    occasion: str
    plan: str
    reports: tuple[Report, ...]
    scheduled: str = ""

    @property
    def made(self) -> tuple[Report, ...]:
        """Reports that were made."""
        return tuple(report for report in self.reports if not report.failure)

    @property
    def failed(self) -> tuple[Report, ...]:
        """Reports that failed."""
        return tuple(report for report in self.reports if report.failure)


def read_run(where: str | Path) -> Run:
    """Read the record of a run.

    Parameters
    ----------
    where
        Folder of the run, or one that has a `latest`.

    Raises
    ------
    NoRun
        It has no record that can be read.
    """
    folder = Path(where)
    if not (folder / "run.json").is_file() and (folder / "latest" / "run.json").is_file():
        folder = folder / "latest"
    try:
        text = (folder / "run.json").read_bytes()
        record = json.loads(text)
        id_ = str(record.get("run") or _name(folder, str(record["started"]), text))
        plan = str(record.get("plan") or "")
        scheduled = record.get("scheduled")
        named = record.get("to")
        reports = tuple(_report(folder, id_, {"to": named, **job}) for job in record["jobs"])
    except OSError as error:
        raise NoRun(where=str(where), reason="it has no run.json") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise NoRun(where=str(where), reason=f"its run.json is broken ({error!r})") from error
    occasion = f"{plan} {scheduled}".strip() if scheduled else id_
    return Run(folder=folder, id=id_, occasion=occasion, plan=plan, reports=reports,
               scheduled=str(scheduled or ""))  # fmt: skip


def _name(folder: Path, started: str, record: bytes) -> str:
    """Give the name of a run's own folder, of which `latest` is a copy."""
    stamp = started[:19].replace("-", "").replace(":", "").replace("T", "-")
    for other in sorted(folder.resolve().parent.glob(f"{stamp}*")):
        path = other / "run.json"
        if path.is_file() and path.read_bytes() == record:
            return other.name
    return folder.resolve().name


def _report(folder: Path, run: str, told: Mapping[str, Any]) -> Report:
    job = Job(report=told["report"], scope=told["scope"], lang=told["lang"],
              parameters=dict(told["parameters"]))  # fmt: skip
    files = told.get("files") or {"html": told["page"]}
    addressed = told.get("to")
    return Report(
        job=job,
        key=str(told.get("key") or run),
        files={kind: _inside(folder, names) for kind, names in files.items()},
        facts=told.get("result") or {},
        failure=told.get("failure"),
        to=None if addressed is None else tuple(addressed),
    )


def _inside(folder: Path, names: str | list[str] | None) -> tuple[Path, ...]:
    """Give the files that are there, and in the folder: a record is only text."""
    listed = [names] if isinstance(names, str) else list(names or ())
    # By name alone, so that no record can send a file from elsewhere.
    return tuple(path for name in listed if (path := folder / Path(name).name).is_file())
