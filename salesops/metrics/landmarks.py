"""Weeks of open deals, and whether each had moved on thirty days later."""

import datetime as dt

import numpy as np
import pandas as pd

from salesops.book.book import Book
from salesops.metrics.dealstates import HORIZON, deal_states, moves_of
from salesops.metrics.kept import kept
from salesops.metrics.tracks import Track

# So many weeks of the past are learnt from.
WEEKS = 104
ADVANCED, ENDED, STOOD = "advanced", "ended", "stood"


# A week ago is looked at too, from the same rows.
EARLIER = 1


def landmark_days(book: Book, weeks: int = WEEKS) -> list[dt.date]:
    """Give the days a week apart up to the book's, as far as stages have a history.

    Examples
    --------
    >>> from salesops.book.book import open_book
    >>> landmark_days(open_book("tests/tiny_company"))[-2:]
    [datetime.date(2026, 3, 24), datetime.date(2026, 3, 31)]
    """
    since = known_since(book)
    if since is None:
        return []
    days = [book.date - dt.timedelta(days=7 * k) for k in range(weeks, -1, -1)]
    return [day for day in days if day >= since]


def known_since(book: Book) -> dt.date | None:
    """Give the first day from which on the stages of deals are known; null without a history."""
    stage = book.tracked.get("opportunities", {}).get("stage")
    if stage is None:
        return None
    first = book.opportunities.created_at.min().to_pandas()
    begin = pd.Timestamp(first).date() if not pd.isna(first) else book.date
    return max(book.calendar.local_date(stage.since), begin)


def landmarks(book: Book) -> pd.DataFrame:
    """Lay out the past of all open deals by week, with what became of each.

    Returns
    -------
    pandas.DataFrame
        `metrics.dealstates.deal_states` of every landmark day, with `unit` (the deal), `became`
        within thirty days (`advanced` to a later stage or won, `ended` lost or void, `stood`),
        `became_days` (until it did; null where it stood to the book's date), `became_ever` (the
        same without a limit), `known_at` (thirty days on) and `happened` (it did not advance).
        Of weeks whose thirty days are not over, `happened` says nothing: `known_at` lies ahead.
    """
    return since_weeks(landmarks_of(book), book)


def landmarks_of(book: Book) -> pd.DataFrame:
    """Lay out the same with the week before the first."""
    return kept("landmarks", book, lambda: _landmarks(book))


def since_weeks(rows: pd.DataFrame, book: Book) -> pd.DataFrame:
    """Keep of landmarks the weeks that a book of this date looks back on.

    Weeks are seen at their own ends, so that those of a later book serve an earlier one.
    """
    on = rows["on"]
    first = pd.Timestamp(book.date - dt.timedelta(days=7 * WEEKS))
    return rows[(on >= first) & (on <= pd.Timestamp(book.date))].reset_index(drop=True)


def _landmarks(book: Book) -> pd.DataFrame:
    return landmarks_over(book, landmark_days(book, WEEKS + EARLIER))


def landmarks_over(book: Book, days: list[dt.date]) -> pd.DataFrame:
    """Lay out the same for other days; of none, the book's own."""
    frame = deal_states(book, days or [book.date])
    ever, after = what_next(book, frame)
    within = after <= HORIZON
    became = np.where(within, ever, STOOD)
    return frame.assign(
        unit=frame["id"], became=became, became_ever=ever, became_days=after,
        known_at=frame["at"] + pd.Timedelta(days=HORIZON), happened=became != ADVANCED,
    )  # fmt: skip


def what_next(book: Book, frame: pd.DataFrame) -> "tuple[np.ndarray, np.ndarray]":
    """Give what first became of deals after dates, and after how many days; null where nothing.

    Parameters
    ----------
    frame
        `id` and `at`.
    """
    kinds = {s.id: s.kind for s in book.settings.stages}
    moves = moves_of(book, frame["id"])
    kind = moves["target"].map(kinds)
    forwards = (moves["step"] > 0) | (kind == "won")
    told = moves[(forwards | kind.isin(["lost", "void"])) & moves["changed_at"].notna()]
    told = told.assign(became=np.where(forwards[told.index], ADVANCED, ENDED))
    track = Track.of(told["id"], told["changed_at"])
    position = track.next_after(frame["id"], frame["at"])
    if told.empty:
        return np.full(len(frame), STOOD, dtype=object), np.full(len(frame), np.nan)
    found = position >= 0
    rows = told.iloc[np.maximum(position, 0)]
    span = (rows["changed_at"].to_numpy() - frame["at"].to_numpy()) / np.timedelta64(1, "D")
    ever = np.where(found, rows["became"].to_numpy(dtype=object), STOOD)
    return ever, np.where(found, span.astype(float), np.nan)
