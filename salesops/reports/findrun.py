"""Which run is meant: by its id, by how long ago it was, or by its folder."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from salesops.model.errors import SalesopsError, nearest
from salesops.reports.pastruns import LATEST, PastRun, Unread, read_run

_AGO = re.compile(rf"{LATEST}(?:~(\d{{1,6}}))?")


@dataclass(eq=False, kw_only=True)
class UnknownRun(SalesopsError, LookupError):
    """A run is named that is not there, or not so that one alone is meant."""

    value: str
    where: str
    reason: str
    known: tuple[str, ...]

    def __str__(self) -> str:
        shown = nearest(self.value, self.known) if self.known else "none"
        return (
            f"Run {self.value!r} can't be found in {self.where}: {self.reason}.\n"
            f"Expected: latest, latest~1, the id of a run, or its folder. Nearest: {shown}.\n"
            "Write for example: salesops compare latest~1 latest --out reports."
        )


@dataclass(eq=False, kw_only=True)
class NoRuns(SalesopsError, LookupError):
    """A folder of reports has no run in it."""

    where: str
    reason: str

    def __str__(self) -> str:
        return (
            f"{self.where} is no folder of reports: {self.reason}.\n"
            "Expected: the --out of salesops run, or the `out` of a plan, with a folder per run.\n"
            f"Make a run first: salesops run funnel --book data/sample --out {self.where}."
        )


def find_run(named: str, runs: Sequence[PastRun], out: Path) -> PastRun:
    """Find a run of an output folder, or any other by its path.

    Parameters
    ----------
    named
        `latest`, `latest~1` (the one before), an id or the first characters of one, a folder with
        a `run.json`, or a record's file.
    runs
        Those of the output folder, oldest first.
    out
        The output folder.

    Raises
    ------
    UnknownRun
        There is none of that name, or more than one.
    """
    if match := _AGO.fullmatch(named):
        back = int(match[1] or 0)
        if back < len(runs):
            return runs[-1 - back]
        raise _unknown(named, runs, out, f"there {_are(len(runs))}")
    for path in (Path(named) / "run.json", Path(named)):
        if path.is_file():
            name = path.stem if path.name != "run.json" else path.parent.name
            found = read_run(path, name, whole=True)
            if isinstance(found, PastRun):
                return found
            why = found.reason if isinstance(found, Unread) else "it has gone"
            raise _unknown(named, runs, out, f"{path} is no record of a run ({why})")
    alike = [run for run in runs if run.id == named] or [
        run for run in runs if named and run.id.startswith(named)
    ]
    if len(alike) == 1:
        return alike[0]
    reason = f"{len(alike)} runs begin so" if alike else f"there {_are(len(runs))}, none of it"
    raise _unknown(named, runs, out, reason)


def _are(n: int) -> str:
    return f"is {n} run" if n == 1 else f"are {n} runs"


def _unknown(named: str, runs: Sequence[PastRun], out: Path, reason: str) -> UnknownRun:
    return UnknownRun(value=named, where=str(out), reason=reason,
                      known=tuple(run.id for run in reversed(runs)))  # fmt: skip
