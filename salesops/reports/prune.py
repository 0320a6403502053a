"""Which old runs may go, and taking them away: never the newest, never what another one needs."""

import datetime as dt
import os
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from salesops.model.errors import SalesopsError
from salesops.reports.pastruns import PastRun, Unread, read_runs
from salesops.stopping import scratch_folder

KEPT = ".kept"
# A folder in which a run writes; one that was killed days ago writes no more.
_WRITING, _STALE_SECONDS = ".run-*", 86_400.0
_KEY = re.compile(r"[0-9A-Za-z_-][0-9A-Za-z._-]*")


@dataclass(eq=False, kw_only=True)
class NoRule(SalesopsError, ValueError):
    """Runs are to be taken away, and nothing says which."""

    where: str
    reason: str

    def __str__(self) -> str:
        return (
            f"Nothing says which runs of {self.where} may go: {self.reason}.\n"
            "Expected: --keep-days, --keep-runs or --keep-monthly, with numbers from 1.\n"
            f"Write for example: salesops prune {self.where} --keep-days 90 --keep-monthly."
        )


@dataclass(frozen=True, kw_only=True)
class Rule:
    """Which runs stay: those that any part of the rule keeps, and the newest in any case.

    Attributes
    ----------
    keep_days
        Those that began within so many days.
    keep_runs
        The newest so many.
    keep_monthly
        The newest of each month.
    """

    keep_days: int | None = None
    keep_runs: int | None = None
    keep_monthly: bool = False

    def check(self, where: str = "reports") -> None:
        """Refuse a rule that says nothing.

        Raises
        ------
        NoRule
            It keeps nothing, or a number is below 1.
        """
        if self.keep_days is None and self.keep_runs is None and not self.keep_monthly:
            raise NoRule(where=where, reason="no rule is given")
        for name in ("keep_days", "keep_runs"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise NoRule(where=where, reason=f"{name} is {value}")

    def staying(self, runs: Sequence[PastRun], now: dt.datetime) -> list[PastRun]:
        """Give the runs that stay, of runs oldest first."""
        newest = list(reversed(runs))
        kept = set(newest[: max(1, self.keep_runs or 0)])
        if self.keep_days is not None:
            since = now - dt.timedelta(days=self.keep_days)
            kept.update(run for run in newest if run.started >= since)
        if self.keep_monthly:
            months: dict[tuple[int, int], PastRun] = {}
            for run in newest:
                months.setdefault((run.started.year, run.started.month), run)
            kept.update(months.values())
        return [run for run in runs if run in kept]


@dataclass(frozen=True, kw_only=True)
class Pruning:
    """What would go, or went.

    Attributes
    ----------
    out
        The output folder.
    going
        Runs that go, oldest first, each with the bytes of its files.
    staying
        Runs that stay.
    kept
        Kept results that go too, since only runs that go used them.
    unread
        Records that can't be read; their runs stay, and with them all kept results.
    freed
        Bytes that the disk gets back: a file under several names goes with the last one.
    """

    out: Path
    going: tuple[tuple[PastRun, int], ...]
    staying: tuple[PastRun, ...]
    kept: tuple[Path, ...]
    unread: tuple[Unread, ...]
    freed: int


def plan_pruning(out: str | Path, rule: Rule, *, now: dt.datetime | None = None) -> Pruning:
    """Say what a rule would take away; nothing is changed.

    Parameters
    ----------
    out
        The output folder.
    rule
        Which runs stay.
    now
        From when days are counted; by default this moment.

    Raises
    ------
    NoRule
        The rule says nothing.

    Examples
    --------
    >>> plan_pruning("no/such/folder", Rule(keep_runs=3)).going
    ()
    """
    root = Path(out)
    rule.check(str(out))
    runs, unread = read_runs(root)
    staying = rule.staying(runs, now or dt.datetime.now().astimezone()) if runs else []
    going = [run for run in runs if run not in staying]
    kept = [] if unread or _is_written(root) else _unused(root, going, staying)
    folders = [*(run.folder for run in going), *kept]
    return Pruning(
        out=root, staying=tuple(staying), kept=tuple(kept), unread=tuple(unread),
        going=tuple((run, _size(run.folder)) for run in going), freed=_freed(folders),
    )  # fmt: skip


def prune(plan: Pruning) -> None:
    """Take away what a plan names: each folder leaves its place whole, by a rename.

    What beside the book tells of the runs stays: later reports say by it what changed.
    """
    for folder in [*(run.folder for run, _size in plan.going), *plan.kept]:
        with scratch_folder(folder.parent, ".gone-") as scratch:
            try:
                folder.rename(scratch / folder.name)
            except FileNotFoundError:  # another one took it away
                continue


def _is_written(root: Path) -> bool:
    """Tell whether a run may be at work; which kept results it uses no record says yet."""
    now = dt.datetime.now().timestamp()
    for path in root.glob(_WRITING):
        try:
            if now - path.stat().st_mtime < _STALE_SECONDS:
                return True
        except FileNotFoundError:
            continue
    return False


def _unused(root: Path, going: Iterable[PastRun], staying: Iterable[PastRun]) -> list[Path]:
    used = {job.key for run in staying for job in run.jobs}
    keys = {job.key for run in going for job in run.jobs if job.key} - used
    places = [root / KEPT / key for key in sorted(keys) if key and _KEY.fullmatch(key)]
    return [place for place in places if place.is_dir() and not place.is_symlink()]


def _files(folder: Path) -> list[os.stat_result]:
    found = []
    for place, _folders, names in os.walk(folder):
        for name in names:
            try:
                found.append(os.lstat(os.path.join(place, name)))
            except FileNotFoundError:
                continue
    return found


def _size(folder: Path) -> int:
    return sum(file.st_size for file in _files(folder))


def _freed(folders: Iterable[Path]) -> int:
    """Sum the bytes of the files of which no name remains elsewhere."""
    names: Counter[tuple[int, int]] = Counter()
    known: dict[tuple[int, int], os.stat_result] = {}
    for folder in folders:
        for file in _files(folder):
            names[file.st_dev, file.st_ino] += 1
            known[file.st_dev, file.st_ino] = file
    return sum(known[key].st_size for key, n in names.items() if n >= known[key].st_nlink)


def readable(size: int) -> str:
    """Write a number of bytes.

    Examples
    --------
    >>> readable(950), readable(1_400_000), readable(26_000_000_000)
    ('950 bytes', '1.4 MB', '26.0 GB')
    """
    for unit, bytes_ in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= bytes_:
            return f"{size / bytes_:,.1f} {unit}"
    return f"{size} bytes"
