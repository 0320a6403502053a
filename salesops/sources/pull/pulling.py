"""A pull: ask for what changed, write it as an export of its own, and import that export."""

import datetime as dt
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from salesops.model.errors import nearest
from salesops.sources.importing import import_path
from salesops.sources.mapping import Mapping as Columns
from salesops.sources.mapping import mapping_text, read_mapping
from salesops.sources.pull.client import as_documented
from salesops.sources.pull.errors import BadPullOption, OtherCompany
from salesops.sources.pull.exports import (
    Groups,
    brought_up_to_date,
    export_text,
    read_export,
)
from salesops.sources.pull.fxiaoke import Fxiaoke
from salesops.sources.pull.hubspot import Hubspot
from salesops.sources.pull.jiandaoyun import Jiandaoyun
from salesops.sources.pull.record import FILE, Pulled, PulledFile, last_export, record_text
from salesops.sources.pull.salesforce import Salesforce
from salesops.sources.pull.secrets import Secrets, secret_names
from salesops.sources.pull.system import Opening, Plan, Session, System, Tell, instant
from salesops.sources.pull.wanted import marks_deleted, wanted_columns
from salesops.sources.pull.zoho import Zoho
from salesops.sources.questions import Talk
from salesops.sources.report import ImportReport
from salesops.stopping import clear_abandoned, scratch_folder, uninterrupted

SYSTEMS: Mapping[str, System] = {
    one.name: one for one in (Salesforce(), Hubspot(), Zoho(), Jiandaoyun(), Fxiaoke())
}
_SCRATCH = ".pull-"


@dataclass(frozen=True, kw_only=True)
class Step:
    """What became of one file: rows that were answered, and rows that it has now."""

    file: str
    answered: int
    rows: int
    whole: bool
    note: str = ""

    def line(self) -> str:
        """Say it in a line."""
        if self.note:
            return f"  {self.note}"
        how = "all of them" if self.whole else f"{self.answered} new or changed"
        return f"  {self.file}: {self.rows} rows, {how}"


@dataclass(frozen=True, kw_only=True)
class PullReport:
    """What was pulled, and where it lies.

    Attributes
    ----------
    title
        The system.
    folder
        The export: a new one, or the last one where nothing changed.
    at
        When it was finished, by the system's clock, UTC.
    is_new
        False where nothing has changed since the last pull.
    calls
        How often the system was asked.
    """

    title: str
    folder: Path
    at: dt.datetime
    is_new: bool
    calls: int
    steps: tuple[Step, ...]

    def lines(self) -> list[str]:
        """Say it line by line."""
        found = [f"{self.title}: asked {self.calls} times, {self.at:%Y-%m-%d %H:%M} UTC"]
        found += [step.line() for step in self.steps]
        where = (
            f"written to {self.folder}" if self.is_new else f"nothing changed since {self.folder}"
        )
        return [*found, where]


def system_named(name: str) -> System:
    """Give a system by its name.

    Raises
    ------
    BadPullOption
        There is none of that name to be pulled from.
    """
    if name not in SYSTEMS:
        near = nearest(name, tuple(SYSTEMS), most=1)
        raise BadPullOption(option="SYSTEM", value=name, expected=f"one of {', '.join(SYSTEMS)}",
                            example=near.split(",")[0])  # fmt: skip
    return SYSTEMS[name]


@dataclass(frozen=True, kw_only=True)
class Options:
    """How a pull is made; what is empty is as usual.

    Attributes
    ----------
    raw
        Folder of the exports, in which each system has one; else the book's name and `-raw`.
    secrets
        By key the names of secrets that lie elsewhere than usual.
    base, login
        Addresses of the interface and of the server of tokens.
    objects
        What is asked for; else what the last pull was asked for, or what the mapping reads.
    whole
        Ask for everything.
    source
        A mapping by name or file; else that of the book, or of the system.
    """

    raw: str = ""
    secrets: Mapping[str, str] = field(default_factory=dict)
    base: str = ""
    login: str = ""
    objects: tuple[str, ...] = ()
    whole: bool = False
    source: str = ""


def pull_export(
    name: str,
    *,
    into: str | Path,
    options: Options | None = None,
    tell: Tell = lambda _name, _n, _most: None,
    pause: Callable[[float], None] = time.sleep,
    environment: Mapping[str, str] | None = None,
) -> PullReport:
    """Pull what changed since the last pull, and write a whole export of it.

    The export is made beside and put in its place when all of it is there: a pull that is broken
    off leaves nothing, and the next one begins anew. To go on from the last page would put deals
    of today beside a history of tomorrow.

    Parameters
    ----------
    name
        The system: salesforce, hubspot, zoho, jiandaoyun or fxiaoke.
    into
        Folder of the book that the export is meant for; its mapping says which fields are read.
    options
        How it is made.
    tell
        Is told how far it is.
    pause
        Waits for some seconds.
    environment
        Variables instead of those of the process.

    Returns
    -------
    PullReport
        The export and what is new in it.

    Raises
    ------
    BadPullOption, MissingSecret, NoPullPackages
        It can't begin.
    TokenRefused, NoRight, UnknownField, QuotaUsedUp, Unreachable, StrangeAnswer, OtherCompany
        It could not be finished; nothing was written.
    """
    asked = options or Options()
    system = system_named(name)
    folder = Path(asked.raw or f"{Path(into)}-raw") / name
    names = secret_names(system.secrets, asked.secrets)
    held = Secrets(system.title, names, environment)
    opening = Opening(secrets=held, base=asked.base, login=asked.login, pause=pause)
    with as_documented(system.title):
        session = system.open(opening)
        account = session.account
    last = last_export(folder)
    if last is not None and last[1].account != account:
        raise OtherCompany(where=str(folder), was=last[1].account, now=account)
    objects = asked.objects or (last[1].objects if last is not None else ())
    whole = asked.whole or _is_due(system, last)
    folder.mkdir(parents=True, exist_ok=True)
    clear_abandoned(folder, _SCRATCH)
    with scratch_folder(folder, _SCRATCH) as scratch:
        fresh = scratch / "new"
        fresh.mkdir()
        plan = _plan(system, Path(into), asked.source, last, objects, tell, whole=whole)
        with as_documented(system.title):
            try:
                steps, files = _written(session, plan, last, fresh)
            except _MoreColumns:
                plan = replace(plan, since={})
                steps, files = _written(session, plan, last, fresh)
        at = (session.client.now or dt.datetime.now(tz=dt.UTC)).replace(tzinfo=None, microsecond=0)
        if last is not None and _same(last[0], fresh, files):
            if not plan.since:
                _note_whole(last[0], last[1], at)
            return PullReport(title=system.title, folder=last[0], at=last[1].at, is_new=False,
                              calls=session.client.calls, steps=steps)  # fmt: skip
        whole_at = last[1].whole_at if last is not None and plan.since else at
        done = Pulled(system=name, account=account, at=at, whole_at=whole_at, objects=objects,
                      files=files)  # fmt: skip
        (fresh / FILE).write_text(record_text(done), encoding="utf-8")
        place = _free(folder, at)
        with uninterrupted():
            fresh.rename(place)
    return PullReport(title=system.title, folder=place, at=at, is_new=True,
                      calls=session.client.calls, steps=steps)  # fmt: skip


def import_pulled(
    report: PullReport, name: str, *, into: str | Path, source: str | None = None,
    yes: bool = False, answers: Mapping[str, str] | None = None, talk: Talk | None = None,
) -> ImportReport:  # fmt: skip
    """Import the export of a pull as `salesops import` does, as of the time of the pull."""
    known = (Path(into) / "mapping.toml").is_file()
    return import_path(report.folder, into=into, source=source or (None if known else name),
                       exported_at=f"{report.at.isoformat()}+00:00", yes=yes, answers=answers,
                       talk=talk)  # fmt: skip


def _plan(
    system: System, book: Path, source: str, last: tuple[Path, Pulled] | None,
    objects: tuple[str, ...], tell: Tell, *, whole: bool,
) -> Plan:  # fmt: skip
    usual = read_mapping(mapping_text(system.name), system.name)
    own = _own_mapping(book, source)

    def wanted(file: str) -> tuple[str, ...]:
        return (wanted_columns(own, file) if own is not None else ()) or wanted_columns(usual, file)

    def required(file: str) -> tuple[str, ...]:
        known = wanted_columns(usual, file)
        return tuple(column for column in wanted(file) if column not in known)

    def keeps_deleted(file: str) -> bool:
        reads = own is not None and wanted_columns(own, file)
        return marks_deleted(own if own is not None and reads else usual, file)

    def past(file: str) -> Groups:
        if last is None or file not in last[1].files:
            return {}
        return read_export(last[0] / file, last[1].files[file].by)

    since = {} if last is None or whole else {
        file: instant(known.since) for file, known in last[1].files.items()
        # A column that was not asked for before is empty in all earlier rows.
        if known.since and set(wanted(file)) <= set(known.asked)
    }  # fmt: skip
    return Plan(since=since, wanted=wanted, required=required, keeps_deleted=keeps_deleted,
                objects=objects, past=past, tell=tell)  # fmt: skip


def _own_mapping(book: Path, source: str) -> Columns | None:
    """Read the mapping that a person named, or that of the book."""
    if source:
        return read_mapping(mapping_text(source), source)
    path = book / "mapping.toml"
    if not path.is_file():
        return None
    return read_mapping(path.read_text(encoding="utf-8"), str(path))


def _is_due(system: System, last: tuple[Path, Pulled] | None) -> bool:
    """Say whether everything is to be asked for, as changes alone no longer tell what is gone."""
    days = dt.timedelta(days=system.whole_days)
    now = dt.datetime.now(tz=dt.UTC).replace(tzinfo=None)
    return last is not None and now - last[1].whole_at >= days


class _MoreColumns(Exception):
    """The system has a column that it did not have before, and that is empty in earlier rows."""


def _written(
    session: Session, plan: Plan, last: tuple[Path, Pulled] | None, fresh: Path
) -> tuple[tuple[Step, ...], dict[str, PulledFile]]:
    """Ask for everything, and write each file as soon as it is complete."""
    steps: list[Step] = []
    files: dict[str, PulledFile] = {}
    for fetched in session.fetch(plan):
        if fetched.note:
            steps.append(Step(file=fetched.file, answered=0, rows=0, whole=True, note=fetched.note))
            continue
        known = last[1].files.get(fetched.file) if last is not None else None
        if not fetched.whole and known and not set(fetched.heads) <= set(known.heads):
            raise _MoreColumns
        groups = brought_up_to_date({} if fetched.whole else plan.past(fetched.file), fetched)
        n = sum(map(len, groups.values()))
        steps.append(
            Step(file=fetched.file, answered=len(fetched.rows), rows=n, whole=fetched.whole)
        )
        if not n:
            # A table without rows can't be told from one whose head is missing.
            continue
        (fresh / fetched.file).write_text(export_text(fetched.file, fetched.heads, groups),
                                          encoding="utf-8", newline="")  # fmt: skip
        files[fetched.file] = PulledFile(by=fetched.by, since=fetched.since, heads=fetched.heads,
                                         asked=plan.wanted(fetched.file), rows=n)  # fmt: skip
    return tuple(steps), files


def _same(last: Path, fresh: Path, files: Mapping[str, PulledFile]) -> bool:
    """Say whether an export is the last one, to the byte."""
    before = {path.name for path in last.iterdir()} - {FILE}
    return before == set(files) and all(
        (last / name).read_bytes() == (fresh / name).read_bytes() for name in files
    )


def _note_whole(folder: Path, last: Pulled, at: dt.datetime) -> None:
    """Note that everything was asked for and is as it was, so that it need not be asked again."""
    text = record_text(last.model_copy(update={"whole_at": at}))
    fresh = folder / f".{FILE}"
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(folder / FILE)


def _free(folder: Path, at: dt.datetime) -> Path:
    """Name the folder of an export after its time."""
    place = folder / f"{at:%Y-%m-%dT%H%M%SZ}"
    n = 2
    while place.exists():
        place = folder / f"{at:%Y-%m-%dT%H%M%SZ}-{n}"
        n += 1
    return place
