"""A mapping: how the files of one source become canonical tables, as declared in TOML.

The form carries what CRMs do: several names for a column, ids beside display names, lists and
nested values, epoch milliseconds, units, value maps, corrections that are reported, and history
kept as separate objects.
"""

import tomllib
from dataclasses import dataclass, fields
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from salesops.model.errors import SalesopsError, nearest
from salesops.model.tables import TABLES, ibis_schema
from salesops.sources import canonical
from salesops.sources.layout import Hints
from salesops.sources.units import Unit

# What a mapping was held against: the vendor's own documentation, files that a system wrote, or
# nothing yet. A mapping of one's own says nothing, nor does one of a form that salesops made up.
Verified = Literal["", "vendor documentation", "real file", "assumed"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Condition(_Part):
    """Rows whose column has one of these texts, or any text where none is listed.

    Of several names of the column the first that is there counts. `not_in` are texts that a row
    must not have, `begins` beginnings of which it must have one.
    """

    column: str | tuple[str, ...]
    is_in: tuple[str, ...] = ()
    not_in: tuple[str, ...] = ()
    begins: tuple[str, ...] = ()

    def found(self, frame: pd.DataFrame) -> str | None:
        """Name the column in a sheet, if it is there."""
        names = (self.column,) if isinstance(self.column, str) else self.column
        return next((name for name in names if name in frame.columns), None)

    def holds(self, frame: pd.DataFrame) -> "pd.Series":
        """Say of each row whether it is meant."""
        texts = frame[self.found(frame)]
        if self.is_in:
            return texts.isin(self.is_in)
        if self.begins:
            return texts.fillna("").str.startswith(self.begins)
        return texts.notna() & (texts != "") & ~texts.isin(self.not_in)


class Instead(_Part):
    """A text that counts instead of the column's on some rows, such as the end of a deal."""

    where: Condition
    value: str


class Source(_Part):
    """Where one canonical column comes from.

    `column` names the source column, or several of which the first that is there counts;
    `otherwise` are columns whose text counts on rows where that one is empty. `path` takes a part
    of a nested value (`0.id` of a list of objects, `kind=deal.id` of the one whose kind is deal).
    `values` say what texts become, `rest` what all others do, which else stay as they are.
    `template` joins columns, such as `{region}/{manager}`; `{row}` is the row's number in the file.
    `only_where` leaves the value null on other rows, where the source writes a number that means
    nothing. `unit` is by default the one that the column's head names, `decimal` the sign that the
    values show, and `year` that of dates whose form names none. `zone` is that of the column's
    times where it is not the mapping's: an IANA name, or `company`. `prefix` is taken off the front
    of ids, which some exports write with it and some without. `instead` are texts for rows on which
    another column says more. `assumed` says why a name or a form is not certain; who imports is
    told.
    """

    column: str | tuple[str, ...] = ()
    constant: str | None = None
    template: str | None = None
    path: str | None = None
    dates: tuple[str, ...] = ()
    epoch: Literal["", "s", "ms"] = ""
    unit: Unit | None = None
    decimal: Literal["", ".", ","] = ""
    year: Annotated[int, Field(ge=1900, le=2199)] | None = None
    values: dict[str, str] = Field(default_factory=dict)
    rest: str = ""
    null: tuple[str, ...] = ()
    only_where: Condition | None = None
    otherwise: tuple[str, ...] = ()
    instead: tuple[Instead, ...] = ()
    zone: str = ""
    prefix: str = ""
    assumed: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """Source columns, in the order in which they are looked for."""
        return (self.column,) if isinstance(self.column, str) else self.column


class Months(_Part):
    """A column per month, of which each becomes a row of its own.

    The rows made have the columns `@month`, such as 2026-03, and `@value`; a month without a text,
    or with one of `empty`, makes none.
    """

    year: str
    columns: dict[str, Annotated[int, Field(ge=1, le=12)]]
    empty: tuple[str, ...] = ()


class _OfFiles(_Part):
    file: str | tuple[str, ...]

    @property
    def files(self) -> tuple[str, ...]:
        """Patterns of file names, in the order in which they are looked for."""
        return (self.file,) if isinstance(self.file, str) else self.file


class Rows(_OfFiles):
    """Where the rows of one canonical table come from.

    Of several files the first that is there counts; a plain text, or several, stand for a source by
    these names. `as_found` says that any column may be absent without a word. `title_rows` to
    `leave_empty` say how the table lies in its sheet, where that is not found out as it should be:
    see `salesops.sources.layout.Hints`. `entries` names a column that holds a list of records, such
    as a sub-form: each record becomes a row, its fields as columns `list.field` beside those of the
    whole. `deleted` are rows that the source has marked as deleted, at the time of `deleted_at`:
    they stay, as void; without a time they are left out.
    """

    sheet: str | None = None
    title_rows: Annotated[int, Field(ge=0)] | None = None
    head_rows: Annotated[int, Field(ge=1)] | None = None
    keep: tuple[int, ...] = ()
    drop: tuple[int, ...] = ()
    alone: Literal["", "keep", "drop"] = ""
    month_columns: Literal["", "turn", "keep"] = ""
    year: Annotated[int, Field(ge=1900, le=2199)] | None = None
    fill_down: tuple[str, ...] = ()
    leave_empty: tuple[str, ...] = ()
    optional: bool = False
    distinct: bool = False
    as_found: bool = False
    columns: dict[str, Source | str | tuple[str, ...]]
    where: Condition | None = None
    entries: str = ""
    months: Months | None = None
    deleted: Condition | None = None
    deleted_at: Source | str | tuple[str, ...] | None = None

    def hints(self) -> Hints:
        """Give what is told of the table's place in its sheet."""
        told = {f.name: getattr(self, f.name) for f in fields(Hints)}
        if self.months is not None and not self.month_columns:
            # The mapping turns them itself.
            told["month_columns"] = "keep"
        return Hints(**told)

    def sources(self) -> dict[str, Source]:
        """Give every canonical column its source; a plain text is a column's name."""
        return {
            name: found if isinstance(found, Source) else Source(column=found)
            for name, found in self.columns.items()
        }


class History(_OfFiles):
    """History kept as separate objects, turned into changes.

    What one has told of a field is not taken from a later one.

    form
        `changes`: a row is one change, with field, old and new value. `values`: a row is the value
        of one field from its time on (HubSpot's property history). `states`: a row is the state
        from its time on (Salesforce's OpportunityHistory). `leaving`: a row is written when its
        state ends. `states or leaving`: which of the two it is, the data tell, by `days`, the
        whole days in the state, or by when the first row of each was written (Zoho's stage
        history, which public sources describe both ways).
    makes_rows
        There is no table beside the log: each id in it is a row, created with its first entry and
        with the last value of each field. The form `changes` takes its sources from `fields`.
    """

    sheet: str | None = None
    optional: bool = True
    entries: str = ""
    where: tuple[Condition, ...] = ()
    form: Literal["changes", "values", "states", "leaving", "states or leaving"]
    entity: str = "opportunities"
    entity_id: Source | str | tuple[str, ...]
    changed_at: Source | str | tuple[str, ...]
    changed_by: Source | str | tuple[str, ...] | None = None
    field: Source | str | tuple[str, ...] | None = None
    old_value: Source | str | tuple[str, ...] | None = None
    new_value: Source | str | tuple[str, ...] | None = None
    days: str = ""
    fields: dict[str, Source | str | tuple[str, ...]] = Field(default_factory=dict)
    makes_rows: bool = False

    def faults(self) -> list[str]:
        """Name what it says that no history can say."""
        if self.entity not in TABLES:
            return [f"history.entity: {self.entity!r} is no canonical table"]
        found = [f"history.fields: {self.entity} has no column {name!r}"
                 for name in self.fields if name not in ibis_schema(self.entity)]  # fmt: skip
        if self.form in ("changes", "values") and self.field is None:
            found.append(f"history.field: the form {self.form} needs the column with the field")
        return found


class Correction(_Part):
    """A known misspelling of the source, mended and reported."""

    file: str
    column: str
    values: dict[str, str]


class StageTable(_OfFiles):
    """Where a source says which stages there are, one row per stage or one per deal.

    `key` is the column of what deals carry, `name` that of what people read. `order` is a number
    that rises through the process, `group` the pipeline. A stage is of the kind of which all
    conditions hold on each of its rows.
    """

    sheet: str | None = None
    entries: str = ""
    key: str | tuple[str, ...]
    path: str = ""
    name: str | tuple[str, ...] = ()
    order: str | tuple[str, ...] = ()
    group: str | tuple[str, ...] = ()
    instead: tuple[Instead, ...] = ()
    open: tuple[Condition, ...] = ()
    won: tuple[Condition, ...] = ()
    lost: tuple[Condition, ...] = ()
    void: tuple[Condition, ...] = ()


class Stages(_Part):
    """The stages of a source, which become those of the settings.

    `kinds` and `names` say it of single stages by key or name and come before what the tables say;
    stages of `kinds` stand in this order. `ends` says that the stage alone tells whether a deal has
    ended: then `closed_at` counts on such deals only, and `is_won` follows.
    """

    tables: tuple[StageTable, ...] = ()
    kinds: dict[str, Literal["open", "won", "lost", "void"]] = Field(default_factory=dict)
    names: dict[str, str] = Field(default_factory=dict)
    ends: bool = False


class Mapping(_Part):
    """All that is declared of one source.

    `verified` says against what its names were held; who uses an assumed one is asked first. `zone`
    is that of its times (the company's by default), `encoding` that of its text files; by default
    each file's is found out. A date without a time is a day of the company. `looks` are patterns of
    values by column, by which a system is told from another one with the same heads.
    """

    name: str
    title: str
    verified: Verified = ""
    recognised_by: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    looks: dict[str, str] = Field(default_factory=dict)
    zone: str = ""
    encoding: str = ""
    currency: str = ""
    settings: str = ""
    tables: dict[str, tuple[Rows, ...]]
    stages: Stages | None = None
    history: tuple[History, ...] = ()
    corrections: tuple[Correction, ...] = ()
    cannot: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _known(self) -> "Mapping":
        for table, parts in self.tables.items():
            if table not in TABLES:
                raise ValueError(f"tables.{table} is no canonical table")
            for rows in parts:
                unknown = [c for c in rows.columns if c not in ibis_schema(table)]
                if unknown:
                    raise ValueError(f"tables.{table} has no column {unknown[0]!r}")
        return self


@dataclass(eq=False, kw_only=True)
class BadMapping(SalesopsError, ValueError):
    """A mapping file does not say what it must."""

    where: str
    faults: tuple[str, ...]

    def __str__(self) -> str:
        listed = "\n".join(f"  {fault}" for fault in self.faults)
        return (
            f"The mapping {self.where} is not valid:\n{listed}\n"
            "Expected: the keys of the mappings that come with salesops.\n"
            "Start from one of them: salesops import EXPORT --source maven --into BOOK keeps the "
            "mapping that it used as mapping.toml in the book."
        )


@dataclass(eq=False, kw_only=True)
class UnknownSource(SalesopsError, LookupError):
    """No mapping has that name, or none fits the files."""

    value: str
    known: tuple[str, ...]
    found: tuple[str, ...] = ()

    def __str__(self) -> str:
        seen = f" Files found: {', '.join(self.found[:8])}." if self.found else ""
        return (
            f"There is no mapping for {self.value!r}.{seen}\n"
            f"Known mappings: {', '.join(self.known)}. "
            f"Nearest: {nearest(self.value, self.known)}.\n"
            "Name one with --source NAME, or give a mapping file of your own: --source my.toml."
        )


def known_mappings() -> tuple[str, ...]:
    """List the mappings that come with the package."""
    folder = files("salesops.sources").joinpath("mappings")
    names = [f.name for f in folder.iterdir() if f.name.endswith(".toml")]
    own = [n.removesuffix(".toml") for n in names if not n.count(".") > 1]
    return tuple(sorted([canonical.NAME, *own]))


def mapping_text(source: str) -> str:
    """Give the text of a mapping by name or path.

    Raises
    ------
    UnknownSource
        There is none.
    """
    if source == canonical.NAME:
        return canonical.canonical_text()
    if source in known_mappings():
        folder = files("salesops.sources").joinpath("mappings")
        return folder.joinpath(f"{source}.toml").read_text(encoding="utf-8")
    path = Path(source)
    if path.suffix == ".toml" and path.exists():
        try:
            return path.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise BadMapping(where=source, faults=("it is not in UTF-8",)) from error
    raise UnknownSource(value=source, known=known_mappings())


def read_mapping(text: str, where: str) -> Mapping:
    """Read a mapping from TOML text.

    Raises
    ------
    BadMapping
        It is no TOML, or says what a mapping can't say; all faults at once.
    """
    try:
        mapping = Mapping.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise BadMapping(where=where, faults=(str(error),)) from error
    except ValidationError as error:
        faults = tuple(
            ".".join(str(p) for p in f["loc"]) + ": " + str(f["msg"]) for f in error.errors()
        )
        raise BadMapping(where=where, faults=faults) from error
    if faults := tuple(fault for history in mapping.history for fault in history.faults()):
        raise BadMapping(where=where, faults=faults)
    return mapping
