"""Exercises as data: how the answer comes about, which wrong ones are usual, what solves it."""

import math
import numbers
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

import numpy as np
import pandas as pd

from salesops.playbook.owncompany import OwnCompany

Compute = Callable[[OwnCompany], Any]
Kind = Literal["number", "text", "list", "table"]
# Digits that a number copied by hand has to have: with fewer a neighbour's could fit as well.
DIGITS = 4


@dataclass(frozen=True, kw_only=True, eq=False)
class Exercise:
    """One exercise of a lesson; its words are entries of the lesson's catalogue.

    Attributes
    ----------
    id
        Lesson and number, such as `L02.1`.
    answer
        Computes the answer from the learner's own company.
    wrong
        Likely wrong answers: name -> how it comes about. What each one means is the entry
        `lesson.<id>.wrong.<name>`.
    solution
        Code that puts the answer into the place where the notebook has the blanks.
    tolerance
        By which share of the answer a number may be off. A number that was rounded to no less
        than four digits is right as well.
    hints
        How many hints there are: entries `lesson.<id>.hint1` and so on.
    in_order
        True where a list is a ranking.
    """

    id: str
    answer: Compute
    wrong: Mapping[str, Compute]
    solution: str
    tolerance: float = 1e-6
    hints: int = 2
    in_order: bool = False

    @property
    def lesson(self) -> str:
        """Number of its lesson in two digits."""
        return self.id[1:3]


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """One lesson of the playbook.

    Attributes
    ----------
    stem
        Name of its notebook: number and subject.
    week
        Of the first month.
    minutes
        That a learner takes for it.
    report
        The report that it prepares for; empty where there is none.
    exercises
        In their order.
    data
        Name -> frame that the notebook shows.
    unknown
        True where the company is that of the capstone.
    """

    stem: str
    week: int
    minutes: int
    report: str = ""
    exercises: tuple[Exercise, ...] = ()
    data: Mapping[str, Compute] = field(default_factory=dict)
    unknown: bool = False

    @property
    def number(self) -> str:
        """Its number in two digits."""
        return self.stem[:2]


def kind_of(value: Any) -> Kind | None:
    """Name what kind of answer a value is; nothing for what can be none.

    Examples
    --------
    >>> kind_of(0.5), kind_of("east"), kind_of(["D1", "D2"]), kind_of({"n": 3}), kind_of(print)
    ('number', 'text', 'list', 'table', None)
    """
    if isinstance(value, numbers.Number) and not isinstance(value, complex):
        return "number"
    if isinstance(value, str):
        return "text"
    if isinstance(value, dict | pd.Series) and not _is_list_like(value):
        return "table"
    return "list" if _is_list_like(value) else None


def _is_list_like(value: Any) -> bool:
    if isinstance(value, pd.Series):
        # A column of a frame is a list of values; one with names for its rows says who has what.
        return isinstance(value.index, pd.RangeIndex) or value.index.dtype.kind in "iu"
    return isinstance(value, list | tuple | set | frozenset | np.ndarray | pd.Index)


def agree(given: Any, expected: Any, exercise: Exercise) -> bool:
    """Tell whether an answer is the expected one, within the exercise's tolerance.

    Numbers by share of the expected one or as rounded (whole numbers exactly), texts without regard
    to spaces around them, lists as sets unless the order is asked for.
    """
    kind = kind_of(expected)
    if kind == "number":
        return kind_of(given) == "number" and _close(given, expected, exercise.tolerance)
    if kind == "text":
        return isinstance(given, str) and given.strip() == expected.strip()
    if kind == "table":
        return dict_matches(given, expected, exercise) == len(expected) and len(
            _as_dict(given)
        ) == len(expected)
    return list_matches(given, expected, exercise) == len(expected) and len(_as_list(given)) == len(
        expected
    )


def matches(given: Any, expected: Any, exercise: Exercise) -> tuple[int, int] | None:
    """Count which parts of an answer of several parts are right, and how many there are."""
    kind = kind_of(expected)
    if kind == "table" and kind_of(given) == "table":
        return dict_matches(given, expected, exercise), len(expected)
    if kind == "list" and kind_of(given) == "list":
        return list_matches(given, expected, exercise), len(expected)
    return None


def dict_matches(given: Any, expected: Mapping[Any, Any], exercise: Exercise) -> int:
    """Count the named parts that are right."""
    found = _as_dict(given)
    return sum(key in found and agree(found[key], value, exercise)
               for key, value in expected.items())  # fmt: skip


def list_matches(given: Any, expected: Any, exercise: Exercise) -> int:
    """Count the members that are right; in a ranking those in their place."""
    found, wanted = _as_list(given), _as_list(expected)
    if exercise.in_order:
        return sum(str(a) == str(b) for a, b in zip(found, wanted, strict=False))
    return len({str(one) for one in found} & {str(one) for one in wanted})


def _as_dict(value: Any) -> dict[Any, Any]:
    if isinstance(value, pd.Series):
        return dict(value.items())
    return value if isinstance(value, dict) else {}


def _as_list(value: Any) -> list[Any]:
    return list(value) if _is_list_like(value) else []


def _close(given: Any, expected: Any, tolerance: float) -> bool:
    if isinstance(expected, int | np.integer):
        return float(given) == float(expected)
    found, wanted = float(given), float(expected)
    return math.isclose(found, wanted, rel_tol=tolerance, abs_tol=1e-9) or _rounded(found, wanted)


def _rounded(given: float, expected: float) -> bool:
    """Tell whether somebody copied the expected number and rounded it as it should be."""
    if not math.isclose(given, expected, rel_tol=0.01):
        return False
    written = Decimal(f"{given:.12g}")
    enough = len(written.as_tuple().digits) >= DIGITS
    return enough and Decimal(expected).quantize(written) == written
