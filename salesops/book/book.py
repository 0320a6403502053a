"""The Book: an immutable, lazy view of one company at one instant, for one scope.

All filtering by time and by right to see lives here and nowhere else. A Book holds a store, an
instant and a scope; every table is an Ibis expression made of these three when it is asked for,
so `as_of` and `scope` commute and nothing is computed that is not used.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TypeAlias

import ibis
import pandas as pd
from ibis import _

from salesops.book.fingerprint import rows_of, scoped
from salesops.book.moment import GRID_COLUMNS, ON, Moment, instant
from salesops.book.opened import opened_store
from salesops.book.rights import OWNED, everyone_inside, restricted
from salesops.book.scope import Scope, check_scope, with_people
from salesops.book.store import DIMENSIONS, PARENTS, Store, Tracking
from salesops.book.timetravel import table_at
from salesops.book.versions import AT
from salesops.book.views import Tables, tables_of
from salesops.model.calendar import Calendar, Period
from salesops.model.errors import BadDate
from salesops.model.settings import Settings
from salesops.model.tables import TABLES, known_at

Table: TypeAlias = ibis.Table
COMPANY = Scope()


def open_book(path_or_url: str | Path, *, settings: Settings | None = None) -> "Book":
    """Open a company.

    Parameters
    ----------
    path_or_url
        A folder of `<table>.csv` or `<table>.parquet`, a `.duckdb` file, or an Ibis URL.
    settings
        Instead of the `salesops.toml` beside the tables.

    Returns
    -------
    Book
        The company at the last instant it knows of, unrestricted.

    Raises
    ------
    NotABook
        There is no table of opportunities.
    MissingColumn
        A table lacks a column without which it can't be read.
    BadSettings
        Its salesops.toml is not valid.

    Examples
    --------
    >>> open_book("tests/tiny_company").date
    datetime.date(2026, 3, 31)
    """
    return Book.of(opened_store(path_or_url, settings))


def _not_renewal(kind: ibis.Value) -> ibis.Value:
    return (kind != "renewal").fill_null(True)


@dataclass(frozen=True, eq=False)
class Book:
    """One company, as it was known at `instant`, as far as `limits` lets one see.

    Attributes
    ----------
    store
        All tables at all times.
    instant
        UTC instant up to which things are known.
    limits
        The scope.
    renewals
        Whether renewals count as deals.
    """

    store: Store
    instant: dt.datetime
    limits: Scope = COMPANY
    renewals: bool = True

    @classmethod
    def of(cls, store: Store) -> "Book":
        """Give the book of a store at its latest instant."""
        return cls(store, store.latest)

    def __repr__(self) -> str:
        tables = ", ".join(self.store.present)
        return f"<Book {self.settings.company.name}: {self.limits} as of {self.date} — {tables}>"

    def as_of(self, date: dt.date | dt.datetime | str) -> "Book":
        """Give the company as it was known at a date (its end) or an instant.

        Parameters
        ----------
        date
            A day in the company's zone, a datetime (UTC without a zone, or with one), ISO text of
            either, or `latest`.

        Raises
        ------
        BadDate
            The text is no date.
        """
        return replace(self, instant=self._instant_of(date))

    def _instant_of(self, date: dt.date | dt.datetime | str) -> dt.datetime:
        if isinstance(date, str):
            if date == "latest":
                return self.store.latest
            try:
                whole = dt.datetime.fromisoformat(date)
            except ValueError as error:
                raise BadDate(value=date, reason="it is no ISO date") from error
            date = whole.date() if len(date) <= 10 else whole
        if isinstance(date, dt.datetime):
            return date.astimezone(dt.UTC).replace(tzinfo=None) if date.tzinfo else date
        return self.calendar.end_of(date)

    def scope(
        self,
        *,
        team: str = "all",
        user: str = "all",
        region: str = "all",
        segment: str = "all",
        product_line: str = "all",
    ) -> "Book":
        """Restrict every table to what belongs to a team, person, region, segment or product.

        Parameters
        ----------
        team
            A team's path; a prefix means its whole subtree.
        user, region, segment, product_line
            A person's id, a sales region, a customer segment, a product line.

        Raises
        ------
        BadScope
            The company has no such team, person or region.
        """
        limits = Scope(
            team=team, user=user, region=region, segment=segment, product_line=product_line
        )
        check_scope(limits, self.store.tables["users"], self.store.spans.get("users"))
        return replace(self, limits=limits)

    def without_renewals(self) -> "Book":
        """Leave out renewals, which are outside win rate, cycle and new bookings."""
        return replace(self, renewals=False)

    def within(self, limits: Scope) -> "Book":
        """Restrict by a scope that was read from text; see `scope`."""
        return self.scope(
            team=limits.team,
            user=limits.user,
            region=limits.region,
            segment=limits.segment,
            product_line=limits.product_line,
        )

    @property
    def date(self) -> dt.date:
        """The company's day of the book's instant."""
        return self.calendar.local_date(self.instant)

    @property
    def data_until(self) -> dt.date:
        """The company's day of the last thing that is known; the book's own date may be later."""
        return min(self.date, self.calendar.local_date(self.store.latest))

    @property
    def settings(self) -> Settings:
        """What salesops.toml says."""
        return self.store.settings

    @property
    def calendar(self) -> Calendar:
        """The company's zone and working days."""
        return self.store.settings.calendar

    def period(self, text: str) -> Period:
        """Read a period; `latest` is the month that holds the book's date."""
        starts = self.settings.company.fiscal_year_starts
        return Period.parse(text, on=self.date, fiscal_year_starts=starts)

    def running(self, kind: str) -> Period:
        """Give the `month`, `quarter` or fiscal `year` that holds the book's date."""
        starts = self.settings.company.fiscal_year_starts
        return Period.running(kind, on=self.date, fiscal_year_starts=starts)

    def has(self, what: str) -> bool:
        """Say whether a table, or `table.column`, is in the store.

        Examples
        --------
        >>> open_book("tests/tiny_company").has("opportunities.amount")
        True
        """
        table, _dot, column = what.partition(".")
        found = self.store.present.get(table)
        return found is not None and (not column or column in found)

    @property
    def missing(self) -> tuple[str, ...]:
        """Canonical tables that the store does not have."""
        return tuple(name for name in TABLES if name not in self.store.present)

    @property
    def tracked(self) -> dict[str, dict[str, Tracking]]:
        """Fields with a history: entity -> field -> since when, and how it is known."""
        return self.store.tracking

    def is_tracked(self, entity: str, field: str) -> bool:
        """Say whether a field's value of the book's instant is known, not only today's."""
        tracking = self.store.tracking.get(entity, {}).get(field)
        return tracking is not None and tracking.since <= self.instant

    @property
    def unversioned(self) -> tuple[str, ...]:
        """Tables whose known-at is an event's date, another table's, or absent."""
        found = []
        for name, columns in self.store.present.items():
            column = known_at(name)
            by_event = column is None or column.endswith("_on") or column not in columns
            if by_event and name != "tracked":
                found.append(name)
        return tuple(found)

    def table(self, name: str) -> Table:
        """Give a canonical table at this instant and in this scope."""
        return self._once(name, lambda: self._scoped(name))

    def __getattr__(self, name: str) -> Table:
        if name in TABLES and name != "tracked":
            return self.table(name)
        raise AttributeError(f"a Book has no {name!r}; its tables are {', '.join(TABLES)}")

    def _once(self, what: str, lay_out: Callable[[], Table]) -> Table:
        made = self._made
        if what not in made:
            made[what] = lay_out()
        return made[what]

    @cached_property
    def _made(self) -> Tables:
        return tables_of(self.store, self.instant, self.limits, self.renewals)

    def unscoped(self, name: str) -> Table:
        """Give a table at this instant for the whole company; only scopes and counts may use it."""
        if not self.limits.is_company:
            return replace(self, limits=COMPANY).unscoped(name)
        return self._once(f"unscoped {name}", lambda: self._unscoped(name))

    def _unscoped(self, name: str) -> Table:
        table = table_at(self.store, name, Moment.at(self.instant, self.calendar))
        if self.renewals or "type" not in self.store.present["opportunities"]:
            return table
        if name == "opportunities":
            return table.filter(_not_renewal(table.type))
        if name == "changes":
            others = (table.entity != "opportunities") | ~table.entity_id.isin(self._renewal_ids)
            return table.filter(others)
        return table

    @property
    def _renewal_ids(self) -> ibis.Value:
        deals = self.store.tables["opportunities"]
        return deals.filter(~_not_renewal(deals.type)).id

    def _scoped(self, name: str) -> Table:
        table = self.unscoped(name)
        if self.limits.is_company or name in ("fx", "tracked"):
            return table
        return restricted(self, name, table)

    @property
    def insiders(self) -> Table:
        """Everyone, as `person`, who is, or up to now was, inside the scope."""
        return self._once("insiders", lambda: everyone_inside(self))

    def attributed(self, name: str) -> Table:
        """Give a table with `event_owner_id`, `event_team` and `event_region`.

        Open deals carry their owner's team at the book's date, ended ones and contracts that of
        their owner at the event.
        """
        return self._once(f"attributed {name}", lambda: self._attributed(name))

    def _attributed(self, name: str) -> Table:
        table = self.table(name)
        owner, at = OWNED[name]
        now = instant(self.instant)
        named = with_people(self.store, table, owner, at, self.table("users"), now)
        return named if owner == "event_owner_id" else named.mutate(event_owner_id=named[owner])

    def history(self, name: str) -> Table:
        """Give the spans of time in which rows looked the same, up to this instant, in scope.

        Returns
        -------
        ibis.Table
            One row per row and span: `id`, `valid_from`, `valid_to` (cut at the instant),
            `is_current`, `removed` and the tracked fields. Empty where nothing of the table is
            tracked.
        """
        at = instant(self.instant)
        spans = self.store.spans.get(name)
        if spans is None:
            table = self.table(name).filter(ibis.literal(False))
            return table.mutate(
                valid_from=ibis.null(AT), valid_to=ibis.null(AT), is_current=True, removed=False
            )
        spans = spans.filter(spans.valid_from <= at)
        spans = spans.mutate(is_current=_.valid_to > at, valid_to=ibis.least(_.valid_to, at))
        return self._of_shown(name, spans)

    def _of_shown(self, name: str, rows: Table) -> Table:
        """Keep the rows about those of a table, named by `id`, that this book shows."""
        if not self.limits.is_company:
            return rows.filter(rows.id.isin(self.table(name).id))
        if not self.renewals and name == "opportunities" and self.has("opportunities.type"):
            return rows.filter(~rows.id.isin(self._renewal_ids))
        return rows

    @property
    def moves(self) -> Table:
        """The moves of deals between stages up to this instant, in scope.

        One row per logged change of a stage: `id`, `source`, `target`, `changed_at`, `since` (the
        change of stage before it, else the deal's creation), `again` (the deal had made the same
        move before).
        """
        rows = self.store.moves
        undated = ibis.literal(self.instant >= self.store.latest)
        known = ibis.coalesce(rows.changed_at <= instant(self.instant), undated)
        return self._of_shown("opportunities", rows.filter(known))

    def panel(self, dates: "list[dt.date] | tuple[dt.date, ...]") -> Table:
        """Lay the deals of several dates under each other, each as it was known then.

        Returns
        -------
        ibis.Table
            One row per deal and date, the columns of `opportunities` and `on`.

        Raises
        ------
        BadDate
            A date lies after the book's.
        """
        for day in dates:
            if day > self.date:
                raise BadDate(value=str(day), reason=f"it lies after the book's date, {self.date}",
                              example=str(self.date))  # fmt: skip
        if self.limits.is_company:
            grid = Moment.over(dates, self.calendar, self.instant)
            panel = table_at(self.store, "opportunities", grid)
            if not self.renewals and "type" in self.store.present["opportunities"]:
                panel = panel.filter(_not_renewal(panel.type))
            return panel.drop(*(c for c in GRID_COLUMNS if c != ON)).rename(on=ON)
        # Who is inside changes from date to date, so each date is restricted for itself.
        parts = [
            self.as_of(min(self.calendar.end_of(day), self.instant))
            .table("opportunities")
            .mutate(on=ibis.literal(day))
            for day in dates
        ]
        return ibis.union(*parts) if len(parts) > 1 else parts[0]

    def n(self, name: str) -> int:
        """Count the rows of a table at this instant and in this scope."""
        return int(self.table(name).count().to_pyarrow().as_py())

    def fingerprint(self) -> str:
        """Give 16 hex digits that change when any row known at its instant does, and by scope."""
        return scoped(rows_of(replace(self, limits=COMPANY)), self.limits)

    def people(self) -> pd.DataFrame:
        """List the people in scope: `id`, `name`, `team`, `role`."""
        return self.table("users").select("id", "name", "team", "role").to_pandas()


__all__ = ["DIMENSIONS", "PARENTS", "Book", "open_book"]
