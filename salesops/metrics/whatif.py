"""What if the goal grew, people were hired, or more deals were won? Drawn anew for each answer."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from salesops.book.book import Book
from salesops.methods.attaining import drawn
from salesops.metrics.outlook import SEED, left_of_season
from salesops.metrics.productivity import Past, past_of
from salesops.metrics.signed import signings
from salesops.model.calendar import Period

Floats = npt.NDArray[np.float64]
DRAWS = 1_000
# The picture: growth over the year before in per cent, how many hired, how much more often won.
GROWTHS, FARTHEST, STEP = (-30, 55), 150, 5
HIRES, WINS = (0, 3, 6), (0.0, 0.1, 0.2)


@dataclass(frozen=True, kw_only=True, eq=False)
class WhatIf:
    """Answers about one company and period.

    Attributes
    ----------
    goal
        To be signed in the period; null without a target.
    before
        Signed in the same months a year before, to which growth is added.
    done
        Signed so far.
    past, people, inside, staffing, season
        What is drawn from: everybody who is there, and who of them is in scope.
    """

    goal: float
    before: float
    done: float
    past: Past
    people: pd.DataFrame
    inside: npt.NDArray[np.bool_]
    staffing: Floats
    season: Floats

    def sums(self, *, hires: int = 0, wins: float = 0.0) -> Floats:
        """Draw what is signed by the end of the period.

        Parameters
        ----------
        hires
            People hired tomorrow, who come up to speed as others did.
        wins
            How much more often a deal is won: 0.1 is one tenth more wins.
        """
        months = self.staffing.shape[1]
        first = int(np.argmax(self.season > 0)) if (self.season > 0).any() else 0
        ramp = np.zeros(months)
        ramp[first:] = self.past.ramp[np.arange(months - first).clip(0, len(self.past.ramp) - 1)]
        own = self.people["team"][self.inside].to_numpy()
        new = pd.DataFrame({"person": [f"hire {k}" for k in range(hires)],
                            "team": [own[k % len(own)] for k in range(hires)]})  # fmt: skip
        ahead = pd.concat([self.people[["person", "team"]], new], ignore_index=True)
        staffing = np.vstack([self.staffing, np.tile(ramp, (hires, 1))])
        rates = replace(self.past.rates, base=self.past.rates.base * (1 + wins))
        found = np.full(DRAWS, self.done)
        for part, signed in drawn(rates, ahead, staffing, self.season, leaving=self.past.leaving,
                                  draws=DRAWS, seed=SEED):  # fmt: skip
            found[part] += signed[np.append(self.inside, np.ones(hires, bool))].sum(axis=(0, 1))
        return found

    def chance(self, *, growth: float = 0.0, hires: int = 0, wins: float = 0.0) -> float:
        """Give the chance of signing so much more than in the year before."""
        return float((self.sums(hires=hires, wins=wins) >= self.before * (1 + growth)).mean())

    def grid(self) -> pd.DataFrame:
        """Give the chance over growth, hires and wins: `hires`, `wins`, `growth`, `chance`."""
        low, high = GROWTHS
        if self.goal > 0:
            asked = round(100 * (self.goal / self.before - 1) / STEP + 1) * STEP
            high = min(max(high, asked), FARTHEST)
        growths = np.arange(low, high + 1, STEP) / 100
        rows = []
        for hires in HIRES:
            for wins in WINS:
                sums = self.sums(hires=hires, wins=wins)
                rows += [(hires, wins, g, float((sums >= self.before * (1 + g)).mean()))
                         for g in growths]  # fmt: skip
        return pd.DataFrame(rows, columns=["hires", "wins", "growth", "chance"])


def what_if(book: Book, period: Period, goal: float) -> WhatIf | None:
    """Prepare answers about a period; None without enough of a past."""
    past = past_of(book)
    if past is None:
        return None
    known = book.users.select("id").to_pandas()["id"]
    people = past.there(book.date)
    inside = people["person"].isin(known).to_numpy()
    months = pd.period_range(period.start, period.end, freq="M")
    season = left_of_season(past, months, book.date)
    if not inside.any() or not season.sum() > 0:
        return None
    before = float(signings(book, period.year_ago())["amount"].sum())
    if not before > 0:
        return None
    done = float(signings(book, period)["amount"].sum())
    return WhatIf(goal=goal, before=before, done=done, past=past, people=people,
                  inside=inside, staffing=past.staffing(people, months), season=season)  # fmt: skip
