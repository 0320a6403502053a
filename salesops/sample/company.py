"""The company while it is being made: people, plan and tables, before they are cut and written."""

from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from salesops.sample.draws import Draws
from salesops.sample.options import SampleOptions
from salesops.sample.timeline import Timeline


@dataclass(eq=False)
class Company:
    """All that is known inside the generator, the future included.

    Attributes
    ----------
    options, timeline
        What was asked for, and the days it covers.
    block
        Number of the division: a large company is made division by division.
    teams
        Teams of this division.
    frames
        One frame per subject. Positions stand for ids, whole numbers for days, seconds and cents.
    facts
        What was planted, by problem: rows and groups, for the truth.
    """

    options: SampleOptions
    timeline: Timeline
    block: int
    teams: tuple[str, ...]
    per_month: int
    frames: dict[str, pd.DataFrame] = field(default_factory=dict)
    facts: dict[str, dict[str, Any]] = field(default_factory=dict)

    def draws(self, subject: str) -> Draws:
        """Open the stream of random numbers of one subject."""
        return Draws(self.options.seed, self.block, subject)

    def __getitem__(self, subject: str) -> pd.DataFrame:
        return self.frames[subject]

    def __setitem__(self, subject: str, frame: pd.DataFrame) -> None:
        self.frames[subject] = frame
