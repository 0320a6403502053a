"""What had happened to things by given instants: counts and last times, without a loop.

A panel asks the same of a hundred thousand pairs of a deal and a date: how many touches so far,
when was the last one. Events sorted once by thing and time answer each by a binary search, and
never see what lies after the instant.
"""

from typing import Self

import ibis
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
# More seconds than any calendar of a company holds, so that things do not overlap.
SPAN = 1 << 36
DAY = 86_400


def seconds(instants: "pd.Series[pd.Timestamp]") -> Ints:
    """Give instants as whole seconds; null as a second before all others."""
    values = instants.to_numpy(dtype="datetime64[s]").astype(np.int64)
    return np.where(instants.isna().to_numpy(), -(SPAN >> 1), values)


def events_of(things: "pd.Series[str]", rows: ibis.Table, by: str, *words: str) -> pd.DataFrame:
    """Give the rows of some things alone, with the things and the named columns as categories.

    Most of a long past tells of deals that nobody asks for, and a text each for a million events
    takes longer than all that is worked out of them.
    """
    table = rows.to_pyarrow()
    wanted = pa.array(things.dropna().unique(), type=table.schema.field(by).type)
    table = table.filter(pc.is_in(table[by], value_set=wanted))
    for name in (by, *words):
        place = table.schema.get_field_index(name)
        table = table.set_column(place, name, table[name].dictionary_encode())
    return table.to_pandas()


class Track:
    """Events of things, in order of the instant at which each became known.

    Examples
    --------
    >>> at = pd.to_datetime(pd.Series(["2026-01-02", "2026-01-09"]))
    >>> track = Track.of(pd.Series(["a", "a"]), at)
    >>> asked = pd.Series(["a", "a", "b"]), pd.to_datetime(pd.Series(["2026-01-05"] * 3))
    >>> track.count(*asked).tolist()
    [1, 1, 0]
    """

    def __init__(self, things: pd.Index, codes: Ints, known: Ints, values: Ints) -> None:
        self.things = things
        keys = codes * SPAN + known + (SPAN >> 1)
        order = np.argsort(keys, kind="stable")
        self.keys = keys[order]
        self.values = values[order]
        self.codes = codes[order]
        self.order = order
        self._asked: tuple[pd.Series[str] | None, Ints] = None, np.empty(0, dtype=np.int64)

    @classmethod
    def of(
        cls,
        things: "pd.Series[str]",
        known: "pd.Series[pd.Timestamp]",
        values: "pd.Series[pd.Timestamp] | None" = None,
    ) -> Self:
        """Lay out events: which thing, when it became known, and the instant that it tells of.

        Events without a thing or an instant are left out.
        """
        keep = (things.notna() & known.notna()).to_numpy()
        kept = np.flatnonzero(keep)
        things, known = things[keep], known[keep]
        told = known if values is None else values[keep]
        codes, names = pd.factorize(things)
        index = pd.Index(np.asarray(names))
        found = cls(index, codes.astype(np.int64), seconds(known), seconds(told))
        found.order = kept[found.order]
        return found

    def _codes(self, things: "pd.Series[str]") -> Ints:
        """Give the numbers of things, -1 where one has no events; found once for all questions."""
        if self._asked[0] is not things:
            self._asked = things, self.things.get_indexer(things).astype(np.int64)
        return self._asked[1]

    def _spans(self, things: "pd.Series[str]", at: Ints) -> tuple[Ints, Ints]:
        """Give where each thing's events begin and where those known by the instant end."""
        codes = self._codes(things)
        lost = codes < 0
        base = np.where(lost, 0, codes) * SPAN
        begin = np.searchsorted(self.keys, base)
        end = np.searchsorted(self.keys, base + at + (SPAN >> 1), side="right")
        return begin, np.where(lost, begin, np.maximum(end, begin))

    def count(
        self, things: "pd.Series[str]", at: "pd.Series[pd.Timestamp]", days: int | None = None
    ) -> Ints:
        """Count each thing's events known by an instant, or within days before it."""
        end = seconds(at)
        begin, last = self._spans(things, end)
        if days is None:
            return last - begin
        return last - self._spans(things, end - days * DAY)[1]

    def latest(self, things: "pd.Series[str]", at: "pd.Series[pd.Timestamp]") -> Floats:
        """Give for each thing the latest instant told by then, in seconds; null where none."""
        begin, end = self._spans(things, seconds(at))
        told = self._running()
        return np.where(end > begin, told[np.maximum(end - 1, 0)] if len(told) else np.nan, np.nan)

    def next_after(self, things: "pd.Series[str]", at: "pd.Series[pd.Timestamp]") -> Ints:
        """Give each thing's first event after an instant as a row of what `of` took; -1 if none."""
        _begin, end = self._spans(things, seconds(at))
        if not len(self.codes):
            return np.full(len(things), -1, dtype=np.int64)
        codes = self._codes(things)
        inside = (end < len(self.codes)) & (codes >= 0)
        mine = inside & (self.codes[np.minimum(end, len(self.codes) - 1)] == codes)
        rows = self.order[np.minimum(end, len(self.codes) - 1)]
        return np.where(mine, rows, -1).astype(np.int64)

    def _running(self) -> Floats:
        """Give the latest instant told up to each event, thing by thing."""
        if not len(self.codes):
            return np.empty(0)
        # What a later note tells of may be earlier than what an earlier one told.
        lifted = self.values + self.codes * SPAN
        return (np.maximum.accumulate(lifted) - self.codes * SPAN).astype(float)


def known_from(touches: pd.DataFrame) -> "pd.Series[pd.Timestamp]":
    """Give from when on each touch is known: a note from its writing, whatever day it tells of."""
    told = touches["occurred_at"]
    logged = touches.get("logged_at", told).fillna(told)
    return logged.where(logged > told, told)
