"""Open deals looked at every fourth week of the past, and which of them were won in the end.

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
from salesops.methods.intervals import Z80, difference
from salesops.methods.strata import spread_between, stratified_difference
from salesops.metrics.breaks import later_moves
from salesops.metrics.kept import kept
from salesops.metrics.opendeals import by_stage, has_touches
from salesops.metrics.workdays import with_working_days
from salesops.model.calendar import Period

# Deals of the last two years, each given half a year at least to be won.
EVERY, LEAST_DAYS, BACK = 28, 180, 730
# With fewer deals on either side nothing is said of a difference.
LEAST = 10
# Looks of half a year, one every four weeks.
HALF_YEAR = 6.5
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
    """How did deals stand when one looked at them in the past, and were they won in the end?

    Returns
    -------
    pandas.DataFrame or None
        One row per look and deal open then: `id`, `at` (instant of the look), `stage`, `pushes`
        (moves of the expected date to later so far), `silent_days` (calendar days since the last
        two-way touch or the creation), `gap_times` (working days of silence in touch norms),
        `won` (by now). Silence is null where no touches are known. None where the stages of the
        past are not known.

    Notes
    -----
    Looks go back over two years as far as the history does; the last one lies 180 days before the
    book's date, so that what became of nearly every deal is known.
    """
    selling = book.without_renewals()
    return kept("looks", selling, lambda: _looks(selling))


def _looks(book: Book) -> pd.DataFrame | None:
    days = [book.date - dt.timedelta(days=back) for back in range(LEAST_DAYS, BACK + 1, EVERY)]
    known = [day for day in days if has_past(book, day)]
    if not known:
        return None
    slots = [(i, 0, day, Period(day, day, "")) for i, day in enumerate(known)]
    seen = open_in_past(book, grid_of(book, slots)).select("id", "stage", "period", at=_.at)
    deals = book.opportunities.select("created_at", "outcome", deal_id="id")
    seen = seen.join(deals, seen.id == deals.deal_id).drop("deal_id")
    seen = _with_pushes(book, seen)
    if has_touches(book) is None:
        seen = _with_last_touch(book, seen)
        past = (seen.at.epoch_seconds() - seen.spoken_at.epoch_seconds()).cast("float64") / _DAY
        seen = with_working_days(book, seen.mutate(silent_days=past), "spoken_at", "at", "worked")
        gap = seen.worked.cast("float64") / by_stage(book, seen.stage, "touch_days")
    else:
        seen, gap = seen.mutate(silent_days=ibis.null("float64")), ibis.null("float64")
    won = (seen.outcome == "won").fill_null(False)
    found = seen.select("id", "at", "stage", "pushes", "silent_days", won=won, gap_times=gap)
    return found.to_pandas().astype({"won": bool})


def _with_pushes(book: Book, seen: ibis.Table) -> ibis.Table:
    """Add how often the expected date had been moved to later before each look."""
    moves = later_moves(book).select("changed_at", moved_id="entity_id")
    pairs = seen.join(moves, [seen.id == moves.moved_id, seen.at >= moves.changed_at])
    counts = pairs.group_by(pushed_id="id", pushed_period="period").agg(pushes=_.count())
    joined = seen.left_join(
        counts, [seen.id == counts.pushed_id, seen.period == counts.pushed_period]
    )
    return joined.mutate(pushes=joined.pushes.fill_null(0)).drop("pushed_id", "pushed_period")


def alive(seen: pd.DataFrame, dead_days: int) -> pd.DataFrame:
    """Leave out the looks at deals that were long dead and open all the same."""
    return seen[~(seen["silent_days"] > dead_days)]


def _with_last_touch(book: Book, seen: ibis.Table) -> ibis.Table:
    """Add the last two-way touch before each look, else the creation, as `spoken_at`."""
    both = book.unscoped("activities").filter(_.direction == "two_way", _.opportunity_id.notnull())
    touches = both.select("occurred_at", touched_id="opportunity_id")
    pairs = seen.join(touches, [seen.id == touches.touched_id, seen.at >= touches.occurred_at])
    last = pairs.group_by(last_id="id", last_period="period").agg(last_at=_.occurred_at.max())
    joined = seen.left_join(last, [seen.id == last.last_id, seen.period == last.last_period])
    spoken = ibis.coalesce(joined.last_at, joined.created_at).cast(AT)
    return joined.mutate(spoken_at=spoken).drop("last_id", "last_period", "last_at")


def gain_of_looks(seen: pd.DataFrame, trait: "pd.Series[bool]", deals: pd.DataFrame) -> Gain:
    """How much more likely would open deals be won without a trait, as they stand by stage?

    Parameters
    ----------
    seen
        Looks as `looks` gives them: `id`, `at`, `stage`, `won`.
    trait
        Which looks saw the trait.
    deals
        The open deals that have it now: `stage`, `cents`. Each stage weighs as its value does.

    Notes
    -----
    A deal is looked at several times and won once: the range counts each deal once. What differs
    from half-year to half-year beyond chance may differ again, which widens the range
    (DerSimonian & Laird 1986, Controlled Clinical Trials 7, 177-188).
    """
    with_, without = seen[trait], seen[~trait]
    n, norm_n = with_["id"].nunique(), without["id"].nunique()
    value = deals["cents"].astype("float64").fillna(0.0)
    valued = value if value.sum() > 0 else value + 1.0
    weight = valued.groupby(deals["stage"]).sum()
    if min(n, norm_n) < LEAST or not weight.sum() > 0:
        return Gain.unknown(n, norm_n)
    counts = _by_stage(without, norm_n).join(_by_stage(with_, n), rsuffix="_with", how="inner")
    if not len(counts):
        return Gain.unknown(n, norm_n)
    few = counts[["n", "n_with"]].min(axis=1) < LEAST
    shares = _shares(counts[~few]) if (~few).any() else _shares(counts)
    # A stage of which too little is known is taken to be like the others.
    known = weight.reindex(shares.index).fillna(0.0)
    known = known / known.sum() if known.sum() > 0 else counts["n_with"].reindex(shares.index)
    known = known / known.sum()
    norm, chance = float((known * shares["norm"]).sum()), float((known * shares["chance"]).sum())
    error = float((known**2 * shares["variance"]).sum())
    reach = Z80 * math.sqrt(error + _between(seen, trait))
    middle = norm - chance
    return _gain(middle - reach, middle, middle + reach, (chance, norm), (n, norm_n))


def _by_stage(part: pd.DataFrame, deals: int) -> pd.DataFrame:
    """Count looks and wins by stage, scaled to the number of deals."""
    sums = part.groupby("stage")["won"].agg(n="size", won="sum").astype("float64")
    return sums * (deals / len(part))


def _shares(counts: pd.DataFrame) -> pd.DataFrame:
    """Give by stage the shares won without and with the trait, and their difference's variance."""
    sides: dict[str, pd.Series[float]] = {}
    for name, tail in (("norm", ""), ("chance", "_with")):
        n, won = counts[f"n{tail}"], counts[f"won{tail}"]
        # One of each added, so that none or all of a few is not taken for certain.
        guarded = (won + 1) / (n + 2)
        sides |= {name: won / n, f"{name}_error": guarded * (1 - guarded) / n}
    found = pd.DataFrame(sides)
    return found.assign(variance=found["norm_error"] + found["chance_error"])


def _between(seen: pd.DataFrame, trait: "pd.Series[bool]") -> float:
    """Estimate how much the difference varies from half-year to half-year beyond chance."""
    parts = []
    for _half, rows in seen.groupby(pd.Series(seen["at"]).rank(method="dense") // HALF_YEAR):
        one, two = rows[~trait[rows.index]], rows[trait[rows.index]]
        deals = [part["id"].nunique() for part in (one, two)]
        if min(deals) < LEAST:
            continue
        both = _by_stage(one, deals[0]).join(_by_stage(two, deals[1]), rsuffix="_with", how="inner")
        middle, low, high = stratified_difference(
            both["won"], both["n"], both["won_with"], both["n_with"]
        )
        if high > low:
            parts.append((middle, ((high - low) / 2 / Z80) ** 2))
    return spread_between(parts)


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
