"""The plan of a company, reports.toml: which reports are made of whom, when, and who gets them."""

import datetime as dt
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
)

from salesops.model.calendar import Period
from salesops.model.errors import BadPeriod, SalesopsError, nearest
from salesops.model.settings import Settings, Words
from salesops.reports.cron import Cron
from salesops.reports.deliver.recipients import Audience, Delivery, Recipient
from salesops.reports.grid import SIDES, scope_faults
from salesops.reports.moments import RELATIVE, AsOf, Moment, moment
from salesops.reports.planfaults import BadPlan, Fault, own_faults, typed_faults

FILE = "reports.toml"
Format = Literal["html", "pdf", "xlsx", "png", "json"]
Lang = Literal["zh", "en"]
Value = str | bool | int | float | list[Any]
_SCOPE = re.compile(r"(team|user|region|segment|product_line):[^,]+")
_ADDRESS = re.compile(r"([a-z]+://)?[^\s/@]+(:\d+)?(/[^\s@]*)?")


def _scope(scope: str) -> str:
    if scope == "company" or all(_SCOPE.fullmatch(part) for part in scope.split(",")):
        return scope
    raise ValueError("company, team:<path>, user:<id> or region:<name>")


def _part_of_grid(scope: str) -> str:
    try:
        return scope if scope in SIDES else _scope(scope)
    except ValueError as error:
        near = nearest(scope, ("company", *SIDES))
        raise ValueError(f"{error}, or {', '.join(SIDES)}; nearest: {near}") from error


def _schedule(text: str) -> str:
    if text:
        Cron(text)
    return text


def _zone(zone: str) -> str:
    if zone and zone not in available_timezones():
        near = nearest(zone, sorted(available_timezones()))
        raise ValueError(f"an IANA zone such as Asia/Shanghai; nearest: {near}")
    return zone


def _period(period: str) -> str:
    if period not in RELATIVE:
        try:
            Period.parse(period)
        except BadPeriod as error:
            known = f"{', '.join(RELATIVE)}, or 2026-03, 2026Q1, 2026"
            raise ValueError(f"{known}; nearest: {nearest(period, RELATIVE)}") from error
    return period


def _cluster(address: str) -> str:
    if address and not _ADDRESS.fullmatch(address):
        raise ValueError("the address of a Dask scheduler, such as tcp://scheduler:8786")
    return address


GridScope = Annotated[str, AfterValidator(_part_of_grid)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Entry(_Section):
    """One line of the plan: reports of some scopes in some languages, by a schedule."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]*$", max_length=60)]
    on: bool = True
    audience: Words | None = None
    decision: Words | None = None
    minutes: Annotated[int, Field(gt=0)] | None = None
    # The short message of the day beside, or instead of, reports.
    card: bool = False
    reports: tuple[str, ...] = ()
    scopes: Annotated[tuple[GridScope, ...], Field(min_length=1)] = ("company",)
    langs: Annotated[tuple[Lang, ...], Field(min_length=1)] = ("zh", "en")
    formats: Annotated[tuple[Format, ...], Field(min_length=1)] = ("html",)
    # Of a PDF for a meeting; page one holds what is decided, so the last ones are left out.
    most_pages: Annotated[int, Field(gt=0)] | None = None
    parameters: Mapping[str, Value] = Field(default_factory=dict)
    period: Annotated[str, AfterValidator(_period)] = "latest"
    as_of: AsOf = "day_before"
    # Without one the entry is run by hand alone.
    schedule: Annotated[str, AfterValidator(_schedule)] = ""
    zone: Annotated[str, AfterValidator(_zone)] = ""
    # Beyond a week two times of a monthly schedule could no more be told apart.
    missed_hours: Annotated[float, Field(ge=0, le=168)] = 12.0
    recipients: tuple[str, ...] = ()


class Plan(_Section):
    """Everything that reports.toml says."""

    book: str = "."
    out: str = "reports"
    # Of the Dask cluster whose workers make the reports; without one this machine does.
    cluster: Annotated[str, AfterValidator(_cluster)] = ""
    entries: tuple[Entry, ...] = ()
    recipients: Mapping[str, Recipient] = Field(default_factory=dict)
    delivery: Delivery = Field(default_factory=Delivery)

    @field_validator("book")
    @classmethod
    def _no_password(cls, book: str) -> str:
        if re.match(r"\w+://[^/@]*:[^/@]+@", book):
            # The value itself is not shown, since it holds the password.
            raise ValueError("a URL without password: the database's own client finds it, "
                             "PostgreSQL's in PGPASSWORD")  # fmt: skip
        return book


@dataclass(eq=False, kw_only=True)
class NoPlan(SalesopsError, LookupError):
    """A folder has no reports.toml."""

    where: str

    def __str__(self) -> str:
        return (
            f"{self.where} is not there.\n"
            f"Expected: a company's folder with a {FILE}, or the path of such a file.\n"
            "To make one: salesops init FOLDER --book BOOK."
        )


@dataclass(eq=False, kw_only=True)
class UnknownEntry(SalesopsError, LookupError):
    """A plan has no entry of that name."""

    value: str
    where: str
    known: tuple[str, ...]

    def __str__(self) -> str:
        near = nearest(self.value, self.known)
        return (
            f"There is no entry {self.value!r} ({self.where}).\n"
            f"Known entries: {', '.join(self.known)}. Nearest: {near}.\n"
            f"Write for example: --name {near.split(',')[0]}."
        )


@dataclass(frozen=True, kw_only=True)
class CompanyPlan:
    """A plan in its folder, with the settings of the company that it is about.

    Attributes
    ----------
    path
        The file.
    plan
        What it says.
    """

    path: Path
    plan: Plan

    @classmethod
    def of(cls, path: Path, book: str) -> "CompanyPlan":
        """Give a plan of nothing yet about a book, whose path is meant from the plan's folder."""
        return cls(path=path, plan=Plan.model_construct(book=book))

    @property
    def is_url(self) -> bool:
        """Say whether the book is a database."""
        return "://" in self.plan.book

    @property
    def folder(self) -> Path:
        """The folder from which the plan's own paths are meant."""
        return self.path.parent

    @property
    def book(self) -> str:
        """Path or URL of the book."""
        book = self.plan.book
        return book if self.is_url else os.path.normpath(self.folder / book)

    @property
    def out(self) -> Path:
        """Folder of the reports."""
        return Path(os.path.normpath(self.folder / self.plan.out))

    @property
    def audience(self) -> Audience:
        """Who gets reports, and how they are reached."""
        return Audience(where=str(self.path), recipients=self.plan.recipients,
                        delivery=self.plan.delivery)  # fmt: skip

    @cached_property
    def settings(self) -> Settings:
        """What the book's salesops.toml says."""
        if self.is_url:
            return Settings.default()
        place = Path(self.book)
        beside = (place if place.is_dir() else place.parent) / "salesops.toml"
        return Settings.read(beside) if beside.exists() else Settings.default()

    def entry(self, name: str) -> Entry:
        """Look an entry up.

        Raises
        ------
        UnknownEntry
            With the nearest names.
        """
        for entry in self.plan.entries:
            if entry.name == name:
                return entry
        names = tuple(entry.name for entry in self.plan.entries)
        raise UnknownEntry(value=name, where=str(self.path), known=names)

    def entries(self, names: tuple[str, ...] = ()) -> tuple[Entry, ...]:
        """Give the entries of these names; without names those that are on."""
        if names:
            return tuple(self.entry(name) for name in dict.fromkeys(names))
        return tuple(entry for entry in self.plan.entries if entry.on)

    def zone(self, entry: Entry) -> str:
        """Name the zone of an entry's clock: its own, else the company's."""
        return entry.zone or self.settings.company.zone

    def cron(self, entry: Entry) -> Cron | None:
        """Give an entry's schedule; null where it has none."""
        return Cron(entry.schedule, self.zone(entry)) if entry.schedule else None

    def due(self, entry: Entry, now: dt.datetime) -> dt.datetime:
        """Give the last scheduled time up to now; now itself where an entry has no schedule."""
        cron = self.cron(entry)
        local = now.astimezone(ZoneInfo(self.zone(entry))).replace(second=0, microsecond=0)
        return cron.last_until(now) if cron is not None else local

    def moment(self, entry: Entry, scheduled: dt.datetime) -> Moment:
        """Resolve date and period of an entry at a scheduled time."""
        return moment(scheduled, as_of=entry.as_of, period=entry.period, settings=self.settings)


def plan_file(where: str | Path) -> Path:
    """Find the plan of a folder.

    Raises
    ------
    NoPlan
        There is none.
    """
    path = Path(where)
    path = path / FILE if path.is_dir() else path
    if not path.is_file():
        raise NoPlan(where=str(path))
    return path


def open_plan(where: str | Path, *, over_book: bool = False) -> CompanyPlan:
    """Read a company's plan.

    Parameters
    ----------
    where
        The company's folder, or the file.
    over_book
        Ask the book too whether it knows the scopes that the plan names.

    Raises
    ------
    NoPlan
        There is none.
    BadPlan
        It is not UTF-8 or TOML, or says what can't be meant; all mistakes in one table.
    """
    path = plan_file(where)
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _unreadable(path, error) from error
    return read_plan(text, path, over_book=over_book)


def read_plan(text: str, path: Path, *, over_book: bool = False) -> CompanyPlan:
    """Read the text of a plan that stands, or will stand, at a path; raises as `open_plan`."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _unreadable(path, error) from error
    faults: list[Fault] = []
    plan: Plan | None = None
    try:
        plan = Plan.model_validate(raw)
    except ValidationError as error:
        faults += typed_faults(error, raw, Plan)
    faults += own_faults(raw)
    if over_book and not any(fault.key == "book" for fault in faults):
        faults += _over_book(raw, path, sure=not faults)
    if faults or plan is None:
        raise BadPlan(where=str(path), rows=tuple(fault.row for fault in faults))
    return CompanyPlan(path=path, plan=plan)


def _unreadable(path: Path, error: ValueError) -> BadPlan:
    return BadPlan(where=str(path), rows=(("the file", "", f"TOML in UTF-8: {error}"),))


def _over_book(raw: Mapping[str, Any], path: Path, *, sure: bool) -> list[Fault]:
    """Find scopes that the book does not know."""
    try:
        return list(scope_faults(raw, CompanyPlan.of(path, raw.get("book", ".")).book))
    except SalesopsError:
        # A book that can't be opened is told where nothing else is wrong.
        if sure:
            raise
        return []
