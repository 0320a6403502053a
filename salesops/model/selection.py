"""What a company asks of a CRM and what each candidate offers: the typed view of needs.xlsx."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from salesops.model.errors import SalesopsError

Counted = Literal["scored", "cost", "fit"]
# Scores lie between nought and this.
TOP = 10.0
YEARS = 3
# Given as the file, it stands for the made-up example.
EXAMPLE = "example"
# Names of the example begin so and have words in both languages.
MADE_UP = "selection.example_"


@dataclass(frozen=True, kw_only=True)
class Need:
    """One thing that is asked for.

    Attributes
    ----------
    counted
        `scored` by the company, or counted from the three-year cost or the fit with the process.
    weight
        Nought or more, in any unit: what counts is its share of all.
    minimum
        A candidate that scores less is out; null without one.
    """

    name: str
    counted: Counted
    weight: float
    minimum: float | None = None


@dataclass(frozen=True, kw_only=True)
class Offer:
    """What a candidate costs, asks of people and can hold.

    Attributes
    ----------
    user_year, year, once
        Licence per user and year, fixed licence per year, implementation; company currency.
    deal_minutes, day_minutes
        Entry per deal, and per person and working day.
    n_fields
        Fields that each deal has to have filled.
    stages, users
        How many it can hold; infinite without a limit.
    has_exits
        Whether it can demand the exit conditions of a stage.
    """

    user_year: float
    year: float
    once: float
    deal_minutes: float
    day_minutes: float
    n_fields: float
    stages: float
    users: float
    has_exits: bool


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """One CRM that was looked at.

    Attributes
    ----------
    is_compared
        Rows that are not stay in the file for later, with no figure needed.
    scores
        Name of each scored need -> 0 to 10.
    said
        The article's score, its opinion; null without one. It never counts.
    """

    name: str
    is_compared: bool
    scores: Mapping[str, float] = field(default_factory=dict)
    said: float | None = None
    offer: Offer | None = None


@dataclass(frozen=True, kw_only=True)
class Given:
    """What the file says of the company, where it does not leave that to the book.

    Attributes
    ----------
    users, sellers
        Who has a licence, and who enters deals.
    deals_a_year, working_days
        In a year.
    hour_pay
        Cost of an hour of those who enter, company currency.
    """

    users: float = math.nan
    sellers: float = math.nan
    deals_a_year: float = math.nan
    working_days: float = math.nan
    hour_pay: float = math.nan


@dataclass(frozen=True, kw_only=True)
class Needs:
    """What a file of needs says.

    Attributes
    ----------
    file, fingerprint
        Its name, and eight hex digits that change with its content; the example's are its word.
    """

    needs: tuple[Need, ...]
    candidates: tuple[Candidate, ...]
    given: Given
    file: str
    fingerprint: str

    @property
    def is_example(self) -> bool:
        """Whether all figures are the made-up ones."""
        return self.file == EXAMPLE

    @property
    def compared(self) -> tuple[Candidate, ...]:
        """The candidates among which is chosen."""
        return tuple(candidate for candidate in self.candidates if candidate.is_compared)

    def find(self, counted: Counted) -> Need | None:
        """Give the need that is counted from cost or fit, where the file has it."""
        return next((need for need in self.needs if need.counted == counted), None)


@dataclass(eq=False, kw_only=True)
class BadNeeds(SalesopsError, ValueError):
    """A file of needs, candidates and costs can't be used; all its faults at once."""

    where: str
    faults: tuple[str, ...]

    def __str__(self) -> str:
        shown = [f"  {fault}" for fault in self.faults[:10]]
        more = len(self.faults) - len(shown)
        shown += [f"  … and {more} more."] if more > 0 else []
        listed = "\n".join(shown)
        return (
            f"{self.where} can't be used:\n{listed}\n"
            "Expected: a workbook with the sheets Needs, Candidates and Costs (需求、候选、成本), "
            "and Company (公司) where you know better than the book.\n"
            "Mend these cells and write the same again; a fresh file to fill in: "
            "salesops select --template needs.xlsx."
        )
