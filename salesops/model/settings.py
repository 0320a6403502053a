"""Settings: a typed, checked view of salesops.toml.

A book without its own file uses the packaged default, the five stages of the sales life cycle.
Settings are today's and are named, by `fingerprint`, in each report.
"""

import datetime as dt
import hashlib
import tomllib
from collections.abc import Sequence
from functools import cache, cached_property
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args
from zoneinfo import available_timezones

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from salesops.model.calendar import Calendar
from salesops.model.errors import BadSettings, UnknownStage, nearest

_zones = cache(available_timezones)  # it reads some six hundred files
ROLES = (
    "rep", "lead", "manager", "sdr", "presales", "cs", "marketing", "delivery", "legal",
    "finance", "ops", "pool",
)  # fmt: skip
Role = Literal[
    "rep", "lead", "manager", "sdr", "presales", "cs", "marketing", "delivery", "legal",
    "finance", "ops", "pool",
]  # fmt: skip
StageKind = Literal["open", "won", "lost", "void"]
Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Words(_Section):
    """One thing named in both languages."""

    zh: str
    en: str


class Company(_Section):
    """Who the company is and where its days are cut."""

    name: str
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")] = "CNY"
    zone: str = "Asia/Shanghai"
    country: str = "CN"
    fiscal_year_starts: Annotated[int, Field(ge=1, le=12)] = 1
    tax_basis: Literal["gross", "net"] = "gross"
    # Hours of the local day between which the working clock runs, on working days.
    works_from: Annotated[int, Field(ge=0, le=23)] = 9
    works_to: Annotated[int, Field(ge=1, le=24)] = 18

    @field_validator("zone")
    @classmethod
    def _zone_exists(cls, zone: str) -> str:
        if zone not in _zones():
            raise ValueError("is not an IANA zone such as Asia/Shanghai")
        return zone

    @model_validator(mode="after")
    def _day_ends_after_it_begins(self) -> Self:
        if self.works_to <= self.works_from:
            raise ValueError("works_to must be later than works_from")
        return self


class Stage(_Section):
    """One stage of the process; norms are in working days."""

    id: str
    name: Words
    kind: StageKind
    qualified: bool = False
    key_actions: Words | None = None
    tool: Words | None = None
    owner_role: Role | None = None
    metric: str | None = None
    exit_criteria: Words | None = None
    stay_days: Positive | None = None
    touch_days: Positive | None = None
    valid_from: dt.date | None = None


class Phase(_Section):
    """A phase of the life cycle that is no stage of a deal."""

    name: Words
    key_actions: Words
    tool: Words
    owner_role: Role
    metric: str


class DueDays(_Section):
    """Working days until an action is due, by severity."""

    act: int = 5
    watch: int = 10
    note: int = 20


class CollectionNorms(_Section):
    """How customers pay where nothing is wrong.

    `unpaid` is the share of money that is still open so many days after its due day, straight lines
    between the points; `tolerance` says how many times that share is still normal.
    """

    unpaid: tuple[tuple[Annotated[int, Field(ge=0)], Share], ...] = (
        (0, 0.20), (25, 0.10), (180, 0.04), (540, 0.0),
    )  # fmt: skip
    tolerance: Annotated[float, Field(ge=1)] = 1.5
    unaccepted_days: Annotated[int, Field(gt=0)] = 60
    unaccepted_share: Share = 0.01

    @field_validator("unpaid")
    @classmethod
    def _falls(cls, points: tuple[tuple[int, float], ...]) -> tuple[tuple[int, float], ...]:
        pairs = list(pairwise(points))
        if not points or any(b[0] <= a[0] or b[1] > a[1] for a, b in pairs):
            raise ValueError("lists days that rise with shares that never do")
        return points


class ServiceNorms(_Section):
    """How after-sales service does where nothing is wrong.

    So many cases meet their level, come again, and planned call-backs are made in time; a rating
    up to `bad_rating` is a bad one, and a customer among the largest `large_share` is a large one.
    """

    in_time: Share = 0.70
    repeat_share: Share = 0.10
    called_back: Share = 0.75
    bad_rating: Annotated[int, Field(ge=1, le=4)] = 2
    large_share: Annotated[float, Field(gt=0, le=1)] = 0.20


class Norms(_Section):
    """What counts as normal where the company's own history does not say."""

    win_rate: Share = 0.25
    silent_after: Positive = 3.0
    aged_after: Positive = 2.0
    handover_days: Positive = 5
    push_count: int = 3
    # Of the open deals so many may have been moved `push_count` times; of the changes of deals so
    # many may fall on the last three days of a month.
    pushed_share: Share = 0.05
    month_end_share: Share = 0.15
    # A rep who is new has a target of their own from this month on.
    target_from_month: Annotated[int, Field(gt=0)] = 4
    # Days within which a deal is seldom created and won; so many such wins are normal.
    sudden_days: Positive = 5
    sudden_share: Share = 0.03
    # Of the customers that a person claims from the public pool so many may go back untouched.
    returned_share: Share = 0.30
    logging_hours: Positive = 24
    skip_share: Share = 0.10
    back_share: Share = 0.08
    # A step that stops a smaller share of deals than this sorts nothing out.
    gate_share: Share = 0.25
    # Of the open deals so many may be silent beyond `silent_after`, have no contact entered, or be
    # dead: silent for more than so many calendar days.
    silent_share: Share = 0.05
    no_contact_share: Share = 0.10
    dead_days: Annotated[int, Field(gt=0)] = 90
    dead_share: Share = 0.005
    too_few: int = 30
    over_assignment: Positive = 1.12
    # So many customers may be entered a second time.
    duplicate_share: Share = 0.02
    # A region's sellers may carry so many times more quota than potential, against the others.
    quota_times: Annotated[float, Field(gt=1)] = 1.25
    # A forecast that is older than so many days is stale.
    forecast_days: Annotated[int, Field(gt=0)] = 21
    renewal_grace_days: int = 90
    reactivated_after_months: int = 24
    conversion_days: tuple[int, ...] = (90, 180)
    # A lead that nobody has contacted for so many working days counts as never touched; this
    # share of them is normal.
    untouched_days: Positive = 5
    untouched_share: Share = 0.05
    due_days: DueDays = DueDays()
    collection: CollectionNorms = CollectionNorms()
    service: ServiceNorms = ServiceNorms()


class Warnings(_Section):
    """From where on an open deal is warned of, and how long such a warning has to come true."""

    contacts: Annotated[int, Field(ge=1)] = 2
    value_quantile: Share = 0.99
    horizon_days: Annotated[int, Field(gt=0)] = 90


class ServiceLevel(_Section):
    """What one department promises another."""

    from_role: Role
    to_role: Role
    what: str
    hours: Positive


class CallBack(_Section):
    """A call or visit that a customer is to get around an event of a contract.

    Days are calendar days after the event; before it they are negative.
    """

    id: str
    name: Words
    event: Literal["delivery", "end"]
    from_day: int
    to_day: int

    @model_validator(mode="after")
    def _begins_before_it_ends(self) -> Self:
        if self.to_day < self.from_day:
            raise ValueError("to_day must not be earlier than from_day")
        return self


class Duty(_Section):
    """What a role does, how often."""

    role: Role
    every: Literal["day", "week", "month", "quarter", "year"]
    what: Words


class Pay(_Section):
    """The pay plan: how attainment becomes variable pay."""

    period: Literal["month", "quarter", "year"] = "quarter"
    target_share: Share = 0.4
    on_target: Annotated[float, Field(ge=0)] = 0.0
    threshold: Annotated[float, Field(ge=0)] = 0.5
    cap: Positive = 2.0
    steps: tuple[tuple[float, float], ...] = ()
    accelerators: tuple[tuple[float, float], ...] = ()


class Settings(_Section):
    """Everything that salesops.toml says.

    Examples
    --------
    >>> settings = Settings.default()
    >>> settings.stage_ids("open")
    ('acquisition', 'needs', 'negotiation')
    >>> settings.stage("contract").name.zh
    '签约与交付'
    """

    company: Company
    stages: tuple[Stage, ...]
    after_sales: Phase | None = None
    norms: Norms = Norms()
    warnings: Warnings = Warnings()
    service_levels: tuple[ServiceLevel, ...] = ()
    call_backs: tuple[CallBack, ...] = ()
    pay: Pay = Pay()
    raci: dict[str, dict[Role, Literal["R", "A", "C", "I"]]] = Field(default_factory=dict)
    duties: tuple[Duty, ...] = ()

    @model_validator(mode="after")
    def _process_is_whole(self) -> Self:
        ids = [stage.id for stage in self.stages]
        twice = sorted({i for i in ids if ids.count(i) > 1})
        if twice:
            raise ValueError(f"stages: {', '.join(twice)} is listed twice")
        rules = [rule.id for rule in self.call_backs]
        if len(set(rules)) < len(rules):
            raise ValueError("call_backs: an id is listed twice")
        for kind in ("open", "won", "lost"):
            if not self.stage_ids(kind):
                raise ValueError(f"stages: no stage has kind {kind!r}")
        if sum(stage.qualified for stage in self.stages) > 1:
            raise ValueError("stages: more than one stage is marked qualified")
        return self

    @classmethod
    def default(cls) -> Self:
        """Give the packaged settings."""
        return cls.parse(default_text(), where="the packaged salesops.toml")

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a salesops.toml.

        Raises
        ------
        BadSettings
            It is not UTF-8 or TOML, a key is unknown, a value has the wrong type, or the process
            is not whole; all faults at once.
        """
        try:
            text = path.read_bytes().decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise BadSettings(where=str(path), faults=(f"it is not UTF-8: {error}",)) from error
        return cls.parse(text, where=str(path))

    @classmethod
    def parse(cls, text: str, *, where: str) -> Self:
        """Read settings from TOML text; `where` names it in errors."""
        try:
            return cls.model_validate(tomllib.loads(text))
        except tomllib.TOMLDecodeError as error:
            raise BadSettings(where=where, faults=(str(error),)) from error
        except ValidationError as error:
            raise BadSettings(where=where, faults=_faults(error)) from error

    def stage(self, stage_id: str) -> Stage:
        """Look up a stage.

        Raises
        ------
        UnknownStage
            The settings do not list it.
        """
        for stage in self.stages:
            if stage.id == stage_id:
                return stage
        raise UnknownStage(value=stage_id, where="settings", known=self.stage_ids())

    def stage_ids(self, kind: StageKind | None = None) -> tuple[str, ...]:
        """List the stages of a kind, or all, in process order."""
        return tuple(stage.id for stage in self.stages if kind in (None, stage.kind))

    @property
    def qualified_stage(self) -> str | None:
        """The stage from which on a deal counts as qualified."""
        return next((stage.id for stage in self.stages if stage.qualified), None)

    @property
    def calendar(self) -> Calendar:
        """The company's calendar."""
        return Calendar(self.company.zone, self.company.country)

    @cached_property
    def fingerprint(self) -> str:
        """Eight hex digits that change when any setting does."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:8]


@cache
def default_text() -> str:
    """Give the packaged salesops.toml as text, the start of a company's own."""
    return files("salesops.model").joinpath("salesops.toml").read_text(encoding="utf-8")


def _keys_beside(place: Sequence[str | int]) -> tuple[str, ...]:
    """List the keys that may stand in the section where one of them was misspelt."""
    section: type[BaseModel] | None = Settings
    for part in place[:-1]:
        if isinstance(part, str) and section is not None:
            section = _section_of(section.model_fields[part].annotation)
    return tuple(section.model_fields) if section is not None else ()


def _section_of(kind: Any) -> type[BaseModel] | None:
    """Take the section out of what may be a list of it, or nothing."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return kind
    return next((found for part in get_args(kind) if (found := _section_of(part))), None)


def _faults(error: ValidationError) -> tuple[str, ...]:
    return tuple(_fault(fault) for fault in error.errors())


def _fault(fault: Any) -> str:
    place = ".".join(str(part) for part in fault["loc"])
    message = str(fault["msg"]).removeprefix("Value error, ")
    if not place:
        return message
    if fault["type"] == "extra_forbidden":
        key = str(fault["loc"][-1])
        message = f"there is no such key; nearest: {nearest(key, _keys_beside(fault['loc']))}"
    value = fault["input"]
    shown = f" = {value!r}" if isinstance(value, str | int | float | bool) else ""
    return f"{place}{shown}: {message}"
