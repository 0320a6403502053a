"""The register beside a book: what its rows may speak of, and its rows as a table."""

import datetime as dt
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import TypeAlias

import ibis
import pandas as pd

from salesops.book.register import Known, Register, read_register
from salesops.book.registerfile import FILE
from salesops.book.registerrows import Person, Places, places_of
from salesops.model.settings import Settings

Table: TypeAlias = ibis.Table
# The highest number that an id was given, so that none comes back when its row is deleted.
LAST = ".actions.last"


def register_file(folder: Path) -> Path:
    """Name the file that is the register of a folder."""
    return folder / FILE


def last_given(folder: Path) -> int:
    """Give the highest number that an id of the register was ever given; 0 where none is noted."""
    try:
        return max(int((folder / LAST).read_text(encoding="utf-8")), 0)
    except (OSError, ValueError):
        return 0


def known_beside(
    folder: Path,
    raw: Mapping[str, Table],
    settings: Settings,
    last_day: Callable[[], dt.date],
    *,
    codes: Collection[str] | None = None,
    metrics: Collection[str] | None = None,
) -> Known:
    """Say what the rows of a folder's register may speak of.

    Parameters
    ----------
    folder
        The book's.
    raw
        Its tables as they were found; without people nobody is checked.
    settings
        The company's.
    last_day
        Gives the last day that the book knows.
    codes, metrics
        Codes of findings and ids of metrics, where the caller knows them.
    """
    people = _people(raw)
    now = dt.datetime.now(tz=dt.UTC).replace(tzinfo=None)
    return Known(
        calendar=settings.calendar, today=settings.calendar.local_date(now), last_day=last_day,
        people=people or None,
        places=_places(raw) if people else None, former=lambda: _former(raw),
        codes=codes, metrics=metrics, last=last_given(folder),
    )  # fmt: skip


def register_beside(
    folder: Path, raw: Mapping[str, Table], settings: Settings, last_day: Callable[[], dt.date]
) -> Register | None:
    """Read the register of a folder; None where there is none.

    Raises
    ------
    BadRegister, BadRows
        It can't be meant as it stands.
    """
    path = register_file(folder)
    if not path.is_file():
        return None
    return read_register(path.read_bytes(), str(path),
                         known_beside(folder, raw, settings, last_day))  # fmt: skip


def _people(raw: Mapping[str, Table]) -> dict[str, Person]:
    users = raw.get("users")
    if users is None or "id" not in users.columns:
        return {}
    names = users.name.cast("string") if "name" in users.columns else ibis.null("string")
    left = users.left_on.try_cast("date") if "left_on" in users.columns else ibis.null("date")
    frame = users.select(id=users.id.cast("string"), name=names, left_on=left).to_pandas()
    return {str(id_): Person("" if pd.isna(name) else str(name), _day(day))
            for id_, name, day in frame.itertuples(index=False)}  # fmt: skip


def _day(value: object) -> dt.date | None:
    return None if pd.isna(value) else pd.Timestamp(value).date()


def _places(raw: Mapping[str, Table]) -> Places | None:
    users = raw["users"]
    if "team" not in users.columns:
        return None
    teams = _texts(users.select(said=users.team))
    regions = _texts(users.select(said=users.region)) if "region" in users.columns else []
    return places_of(teams, regions)


def _former(raw: Mapping[str, Table]) -> Places:
    """Give the teams and regions that people were in before."""
    changes = raw.get("changes")
    if changes is None or not {"entity", "field", "old_value", "new_value"} <= {*changes.columns}:
        return places_of([], [])
    rows = changes.filter(changes.entity == "users")
    found = []
    for field in ("team", "region"):
        own = rows.filter(rows.field == field)
        both = own.select(said=own.old_value).union(own.select(said=own.new_value))
        found.append(_texts(both))
    return places_of(*found)


def _texts(table: Table) -> list[str]:
    said = table.filter(table.said.notnull()).distinct().to_pandas()["said"]
    return [str(value) for value in said if str(value)]
