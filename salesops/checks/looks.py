"""Open deals looked at every fourth week of the past, and which of them were won soon after.

What acting on a deal could bring is learnt here: the chance of deals without a trait less that of
deals with it, in the same stage.
"""

import datetime as dt
import math
from dataclasses import dataclass

import ibis
import numpy as np
import pandas as pd
from ibis import _

from salesops.book.book import Book
from salesops.book.past import grid_of, has_past, open_in_past
from salesops.book.versions import AT
from salesops.methods.intervals import difference
from salesops.methods.strata import stratified_difference
from salesops.metrics.kept import kept
from salesops.metrics.opendeals import by_stage, has_touches
from salesops.metrics.workdays import with_working_days
from salesops.model.calendar import Period

# Deals of the last two years, each given half a year to be won.
EVERY, HORIZON, BACK = 28, 180, 730
# With fewer deals on either side nothing is said of a difference.
LEAST = 10
_DAY = 86_400


@dataclass(frozen=True, kw_only=True)
class Gain:
    """How much more likely a deal is won without a trait than with it.

    Attributes
    ----------
    low, middle, high
        The difference with its 80 % range, none below 0; null where too little is known.
    chance, norm
        Share won with the trait and without it, 0 to 1.
    n, norm_n
        Deals behind them.
    """

    low: float
    middle: float
    high: float
    chance: float
    norm: float
    n: int
    norm_n: int

    @classmethod
    def unknown(cls, n: int = 0, norm_n: int = 0) -> "Gain":
        """Give the gain of which too little is known."""
        none = math.nan
        return cls(low=none, middle=none, high=none, chance=none, norm=none, n=n, norm_n=norm_n)

    @property
    def is_known(self) -> bool:
        """Whether enough deals were seen on both sides."""
        return not math.isnan(self.middle)

    def on(self, deals: pd.DataFrame) -> pd.DataFrame:
        """Give the gain of each open deal of a frame with `id` and `cents`."""
        kept_ = deals[deals["cents"].notna()] if self.is_known else deals.iloc[:0]
        return pd.DataFrame({
            "table": "opportunities", "id": kept_["id"].astype(object),
            "amount": kept_["cents"].astype("float64") / 100,
            "low": self.low, "middle": self.middle, "high": self.high,
        })  # fmt: skip

    @staticmethod
    def nothing_on(deals: pd.DataFrame) -> pd.DataFrame:
        """Give no gain for each open deal: its value is at stake and nothing brings it back."""
        valued = deals[deals["cents"].notna()]
        return pd.DataFrame({
            "table": "opportunities", "id": valued["id"].astype(object),
            "amount": valued["cents"].astype("float64") / 100,
            "low": 0.0, "middle": 0.0, "high": 0.0,
        })  # fmt: skip


def looks(book: Book) -> pd.DataFrame | None:
    """How did deals stand when one looked at them in the past, and were they won within 180 days?

    Returns
    -------
    pandas.DataFrame or None
        One row per look and deal open then: `id`, `stage`, `silent_days` (calendar days since the
        last two-way touch or the creation), `gap_times` (working days of silence in touch norms),
        `won`. None where the stages or touches of the past are not known.

    Notes
    -----
    Looks go back over two years as far as the history does; the last one lies 180 days before the
    book's date, so that what became of each deal is known.
    """
    selling = book.without_renewals()
    return kept("looks", selling, lambda: _looks(selling))


def _looks(book: Book) -> pd.DataFrame | None:
    if has_touches(book) is not None:
        return None
    days = [book.date - dt.timedelta(days=back) for back in range(HORIZON, BACK + 1, EVERY)]
    known = [day for day in days if has_past(book, day)]
    if not known:
        return None
    slots = [(i, 0, day, Period(day, day, "")) for i, day in enumerate(known)]
    grid = grid_of(book, slots)
    seen = open_in_past(book, grid).select("id", "stage", "period", at=_.at)
    deals = book.opportunities.select("created_at", "closed_at", "outcome", deal_id="id")
    seen = seen.join(deals, seen.id == deals.deal_id).drop("deal_id")
    seen = _with_last_touch(book, seen)
    later = seen.closed_at.epoch_seconds() - seen.at.epoch_seconds()
    won = (seen.outcome == "won") & (later <= HORIZON * _DAY)
    past = (seen.at.epoch_seconds() - seen.spoken_at.epoch_seconds()).cast("float64") / _DAY
    seen = seen.mutate(won=won.fill_null(False), silent_days=past)
    seen = with_working_days(book, seen, "spoken_at", "at", "worked")
    gap = seen.worked.cast("float64") / by_stage(book, seen.stage, "touch_days")
    found = seen.select("id", "stage", "silent_days", "won", gap_times=gap).to_pandas()
    return found.astype({"won": bool})


def _with_last_touch(book: Book, seen: ibis.Table) -> ibis.Table:
    """Add the last two-way touch before each look, else the creation, as `spoken_at`."""
    both = book.unscoped("activities").filter(_.direction == "two_way", _.opportunity_id.notnull())
    touches = both.select("occurred_at", touched_id="opportunity_id")
    pairs = seen.join(touches, [seen.id == touches.touched_id, seen.at >= touches.occurred_at])
    last = pairs.group_by(last_id="id", last_period="period").agg(last_at=_.occurred_at.max())
    joined = seen.left_join(last, [seen.id == last.last_id, seen.period == last.last_period])
    spoken = ibis.coalesce(joined.last_at, joined.created_at).cast(AT)
    return joined.mutate(spoken_at=spoken).drop("last_id", "last_period", "last_at")


def gain_of_looks(seen: pd.DataFrame, trait: "pd.Series[bool]") -> Gain:
    """How much more likely were deals won that one looked at without a trait, stage by stage?

    A deal is looked at several times and won once: the range counts each deal once.
    """
    with_, without = seen[trait], seen[~trait]
    n, norm_n = with_["id"].nunique(), without["id"].nunique()
    if min(n, norm_n) < LEAST:
        return Gain.unknown(n, norm_n)
    one, two = (_by_stage(part, count) for part, count in ((without, norm_n), (with_, n)))
    both = one.join(two, rsuffix="_with", how="inner")
    middle, low, high = stratified_difference(
        both["won"], both["n"], both["won_with"], both["n_with"]
    )
    if math.isnan(middle):
        return Gain.unknown(n, norm_n)
    # What those without it would have reached in the stages of those with it.
    chance = float(with_["won"].mean())
    return _gain(low, middle, high, (chance, chance + middle), (n, norm_n))


def _by_stage(part: pd.DataFrame, deals: int) -> pd.DataFrame:
    """Count looks and wins by stage, scaled to the number of deals."""
    sums = part.groupby("stage")["won"].agg(n="size", won="sum").astype("float64")
    return sums * (deals / len(part))


def gain_of_deals(won: "pd.Series[bool]", trait: "pd.Series[bool]") -> Gain:
    """How much more likely was a deal won that had ended without a trait?"""
    n, norm_n = int(trait.sum()), int((~trait).sum())
    if min(n, norm_n) < LEAST:
        return Gain.unknown(n, norm_n)
    hits, norm_hits = int(won[trait].sum()), int(won[~trait].sum())
    low, high = difference(norm_hits, norm_n, hits, n)
    return _gain(low, norm_hits / norm_n - hits / n, high, (hits / n, norm_hits / norm_n),
                 (n, norm_n))  # fmt: skip


def _gain(
    low: float, middle: float, high: float, shares: tuple[float, float], n: tuple[int, int]
) -> Gain:
    low, middle, high = (float(np.clip(side, 0.0, 1.0)) for side in (low, middle, high))
    return Gain(low=low, middle=middle, high=high, chance=shares[0], norm=shares[1], n=n[0],
                norm_n=n[1])  # fmt: skip
