"""What every page speaks of: the result's numbers by name, and what held."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from salesops.model.finding import Finding
from salesops.model.settings import Settings

Numbers = Mapping[str, float | None]


@dataclass(frozen=True, kw_only=True, eq=False)
class SeenBase:
    """What a page speaks of; each page adds its frames.

    Attributes
    ----------
    settings
        What the company says of itself.
    numbers
        The result's numbers by name.
    findings
        What held.
    """

    settings: Settings
    numbers: Numbers
    findings: tuple[Finding, ...]

    def number(self, name: str) -> float:
        """Give a number by name, null where it is not known."""
        value = self.numbers.get(name)
        return math.nan if value is None else value

    def count(self, name: str) -> int:
        """Give a count by name."""
        return int(self.number(name))

    def found(self, check: str) -> Finding | None:
        """Give the finding of a check that concerns most, if it held."""
        return next((f for f in self.findings if f.code == f"diagnosis.{check}"), None)
