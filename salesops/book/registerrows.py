"""What a row of the register may say: people, teams, metrics and findings that there are."""

import datetime as dt
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from salesops.book.scope import parse_scope
from salesops.model.calendar import Calendar
from salesops.model.errors import BadScope, nearest

Values: TypeAlias = Mapping[str, Any]
# Column, what stands there, and how it was read or what is wrong with it.
Told: TypeAlias = tuple[str, str, str]
Places: TypeAlias = tuple[frozenset[str], frozenset[str]]
_SIDES = {"团队": "team", "组": "team", "人员": "user", "个人": "user", "区域": "region",
          "大区": "region", "客户群": "segment", "产品线": "product_line"}  # fmt: skip
_WRITTEN = "company, team:…, user:…, region:…, segment:… or product_line:…"
_COMPANY = frozenset({"company", "all", "全公司", "公司"})


@dataclass(frozen=True)
class Person:
    """Somebody who may own an action."""

    name: str
    left_on: dt.date | None = None


def _nowhere() -> Places:
    return frozenset(), frozenset()


@dataclass(frozen=True, kw_only=True)
class Known:
    """What the rows of a register may speak of; what is None is not checked.

    Attributes
    ----------
    calendar
        The company's, for days without a time.
    today
        Nothing is done after it, nor after `last_day()`, the last day that the book knows.
    people
        By id.
    places
        Teams, with those above them, and regions.
    former
        Teams and regions of earlier times; asked for only where `places` lacks one.
    codes, metrics
        Codes of findings, ids of metrics.
    last
        The highest number of an id that was ever given.
    """

    calendar: Calendar
    today: dt.date | None = None
    last_day: Callable[[], dt.date] = lambda: dt.date.min
    people: Mapping[str, Person] | None = None
    places: Places | None = None
    former: Callable[[], Places] = _nowhere
    codes: Collection[str] | None = None
    metrics: Collection[str] | None = None
    last: int = field(default=0)


def row_faults(values: Values, known: Known) -> tuple[dict[str, Any], list[Told], list[Told]]:
    """Check one row against what there is, and fill in what it leaves open.

    Returns
    -------
    tuple
        The row's values; what was read otherwise; what is wrong.

    Examples
    --------
    >>> known = Known(calendar=Calendar("Asia/Shanghai"), people={"U1": Person("张伟")})
    >>> values, told, wrong = row_faults({"id": "M000001", "owner_id": "张伟"}, known)
    >>> values["owner_id"], values["kind"], wrong
    ('U1', 'action', [])
    """
    found = dict(values)
    told: list[Told] = []
    wrong: list[Told] = []
    _fill(found, told)
    for column, check in (("owner_id", _owner), ("scope", _scope)):
        said = found.get(column)
        if said is not None:
            read, problem = check(said, known)
            if problem:
                wrong.append((column, said, problem))
            elif read != said:
                found[column] = read
                told.append((column, said, read or ""))
    wrong += _dates(found, known)
    for column, all_, what in (
        ("code", known.codes, "finding"),
        ("metric", known.metrics, "metric"),
    ):
        said = found.get(column)
        if all_ is not None and said is not None and said not in all_:
            wrong.append((column, said, f"is no {what}; nearest: {nearest(said, sorted(all_))}"))
    return found, told, wrong


def _fill(values: dict[str, Any], told: list[Told]) -> None:
    """Take an empty kind for an action; a date of completion tells that it is done."""
    if values.get("kind") is None:
        values["kind"] = "action"
        told.append(("kind", "", "action"))
    status = values.get("status")
    meant = "done" if values.get("done_on") is not None else status or "open"
    if status not in ("dropped", meant):
        values["status"] = meant
        told.append(("status", status or "", meant))


def _owner(said: str, known: Known) -> tuple[str, str]:
    """Give the id of a person who is named by it or by the name."""
    people = known.people
    if people is None or said in people:
        return said, ""
    named = sorted(id_ for id_, person in people.items() if person.name == said)
    if len(named) == 1:
        return named[0], ""
    if named:
        return said, f"is the name of {', '.join(named)}; write the id"
    names = sorted({*people, *(person.name for person in people.values() if person.name)})
    return said, f"is nobody of this company; nearest: {nearest(said, names)}"


def _scope(said: str, known: Known) -> tuple[str | None, str]:
    """Give a scope in text form; a bare team or region is one where it can be nothing else."""
    text = said.replace("：", ":").strip()
    if text.lower() in _COMPANY:
        return "company", ""
    side, colon, value = text.partition(":")
    text = f"{_SIDES.get(side.strip(), side.strip())}:{value.strip()}" if colon else text
    if not colon:
        if known.places is None:
            return said, f"is no scope; write {_WRITTEN}"
        sides = [f"{name}:{text}" for name, all_ in zip(("team", "region"), known.places,
                                                        strict=True) if text in all_]  # fmt: skip
        if len(sides) != 1:
            meant = " or ".join(sides) or _WRITTEN
            return said, f"is no scope; write {meant}"
        text = sides[0]
    try:
        scope = parse_scope(text)
    except BadScope as error:
        return said, f"is no scope: {error.reason}; write {_WRITTEN}"
    return text, _unknown_place(scope.team, scope.region, scope.user, known)


def _unknown_place(team: str, region: str, user: str, known: Known) -> str:
    if user != "all" and known.people is not None and user not in known.people:
        return f"there is no user {user}; nearest: {nearest(user, sorted(known.people))}"
    if known.places is None:
        return ""
    for side, value, at in (("team", team, 0), ("region", region, 1)):
        if value != "all" and value not in known.places[at] | known.former()[at]:
            near = nearest(value, sorted(known.places[at]))
            return f"there is no {side} {value}; nearest: {near}"
    return ""


def _dates(values: dict[str, Any], known: Known) -> list[Told]:
    """Find dates before the row was made, in the future, and owners who had left."""
    wrong: list[Told] = []
    created, done = values.get("created_at"), values.get("done_on")
    day = known.calendar.local_date(created) if created is not None else None
    for column in ("due_on", "done_on"):
        value = values.get(column)
        if day is not None and value is not None and value < day:
            wrong.append((column, str(value), f"lies before created_at, {day}"))
    if known.today is not None and done is not None and done > known.today:
        last = max(known.today, known.last_day())
        if done > last:
            wrong.append(("done_on", str(done), f"lies in the future, after {last}"))
    person = (known.people or {}).get(values.get("owner_id") or "")
    left = person.left_on if person is not None else None
    if left is not None and day is not None and left < day:
        wrong.append(("owner_id", str(values["owner_id"]), f"left on {left}, before {day}; name "
                      "who took over"))  # fmt: skip
    return wrong


def places_of(teams: Collection[str], regions: Collection[str]) -> Places:
    """Give teams with all that are above them, and regions.

    Examples
    --------
    >>> sorted(places_of(["华东/一组"], ["华东"])[0])
    ['华东', '华东/一组']
    """
    above = {"/".join(t.split("/")[:n]) for t in teams for n in range(1, t.count("/") + 2)}
    return frozenset(above), frozenset(regions)
