"""Whom targets may speak of: the company, its regions, teams and people, by id or name."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from salesops.model.errors import SalesopsError
from salesops.sources.targetcells import plain

LEVELS = ("company", "region", "team", "user")


@dataclass(eq=False, kw_only=True)
class ManagersInCircle(SalesopsError, ValueError):
    """People manage each other in a circle, so that nobody stands on top."""

    where: str
    circle: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"{' → '.join(self.circle)} leads back to itself ({self.where}, table users, column "
            "manager_id); nothing was written.\n"
            "Expected: managers who lead up to somebody that nobody else manages.\n"
            "Give one of them another manager_id, or none."
        )


def refuse_circles(people: pd.DataFrame, where: str) -> None:
    """Refuse managers who, followed upwards, lead back to themselves.

    Parameters
    ----------
    people
        `id`, `name`, `manager_id`. Who is named as the own manager stands on top.
    where
        The book.

    Raises
    ------
    ManagersInCircle
        Names whom to give another manager.
    """
    managed = people[people["manager_id"].notna() & (people["manager_id"] != people["id"])]
    circle = circle_in(dict(zip(managed["id"], managed["manager_id"], strict=True)))
    if circle:
        called = dict(zip(people["id"], people["name"], strict=True))
        named = [i if pd.isna(called[i]) else f"{called[i]} ({i})" for i in circle]
        raise ManagersInCircle(where=where, circle=tuple(named))


def circle_in(above: Mapping[str, str]) -> list[str]:
    """Find who stands above themselves, the first of them named again at the end.

    Examples
    --------
    >>> circle_in({"d": "a", "a": "b", "b": "a"}), circle_in({"a": "b", "b": "c"})
    (['a', 'b', 'a'], [])
    """
    done: set[str] = set()
    for first in above:
        way = {first: 0}
        last = first
        while last in above and last not in done:
            last = above[last]
            if last in way:
                return [*list(way)[way[last] :], last]
            way[last] = len(way)
        done |= set(way)
    return []


@dataclass(frozen=True, kw_only=True, eq=False)
class Names:
    """Who and what a book knows.

    Attributes
    ----------
    people
        `id`, `name`, `team`, `region`.
    company
        The company's own name.
    standing
        Level and key of targets that are in force, as of teams that nobody is in any more.
    fiscal_year_starts
        Month in which the years of quarters and years begin.
    currency
        In which the company counts; empty where that is not known.
    """

    people: pd.DataFrame
    company: str = ""
    standing: frozenset[tuple[str, str]] = frozenset()
    fiscal_year_starts: int = 1
    currency: str = ""

    def keys(self, level: str) -> list[str]:
        """List the keys that the people tell; teams that hold teams are teams too."""
        if level == "company":
            return [""]
        known = {str(v) for v in self.people["id" if level == "user" else level].dropna()}
        if level == "team":
            parts = [key.split("/") for key in known]
            known |= {"/".join(p[:i]) for p in parts for i in range(1, len(p))}
        return sorted(known)

    def found(self, level: str, name: str) -> list[str]:
        """Give the keys that a name may mean at a level; a cell may have half-width signs."""
        if level == "company":
            return [""]
        of_old = {key for of, key in self.standing if of == level}
        known = sorted({*self.keys(level), *of_old})
        same = [key for key in known if key == name] or [k for k in known if plain(k) == name]
        if same or level == "region":
            return same
        if level == "team":
            return [k for k in known if plain(k).rsplit("/", 1)[-1] == name]
        return list(self.people.loc[self.people["name"].map(plain) == name, "id"])

    def called(self, person: str) -> str:
        """Give a person's name as it may stand in a cell."""
        return next(iter(self.people.loc[self.people["id"] == person, "name"].map(plain)), "")
