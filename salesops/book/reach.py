"""From when to when a book knows anything, and the refusal of dates beyond.

`Book.as_of` takes any date, since comparisons look before the first deal as a matter of course.
What a person asks for is held to what the book covers: a page about a day of which nothing is known
would show old numbers, or none, as if they were that day's.
"""

import datetime as dt

import pandas as pd

from salesops.book.book import Book
from salesops.book.store import DIMENSIONS, Store
from salesops.model.errors import BadDate
from salesops.model.tables import known_at

# A report on Monday over an export of Friday is usual, after holidays too. A month later the ages
# of deals and the money due would be those of another day than the data.
STALE_DAYS = 31
# Plans and rates are entered ahead, people and customers were there before anything was sold.
_NO_EVENTS = DIMENSIONS | {"targets", "fx", "changes", "tracked", "actions", "forecasts"}


def covered(store: Store) -> tuple[dt.date, dt.date] | None:
    """Give the first and the last day of which a store knows anything; null where of none."""
    calendar = store.settings.calendar
    days = [calendar.local_date(store.latest)]
    for name in store.present.keys() - _NO_EVENTS:
        column = known_at(name)
        if column is None or column not in store.present[name]:
            continue
        values = store.tables[name][column]
        first = values.min().to_pyarrow().as_py()
        if first is not None and not pd.isna(first):
            is_day = values.type().is_date()
            days.append(first if is_day else calendar.local_date(first))
    return None if days[0].year == 1970 else (min(days), days[0])


def known_as_of(book: Book, asked: str) -> Book:
    """Give a book as of a date that somebody asks for.

    Parameters
    ----------
    book
        A company, whole.
    asked
        ISO date, ISO datetime or `latest`.

    Raises
    ------
    BadDate
        It is no date, it lies before anything that the book knows, or more than 31 days after.

    Examples
    --------
    >>> from salesops.book.book import open_book
    >>> known_as_of(open_book("tests/tiny_company"), "2026-04-06").date
    datetime.date(2026, 4, 6)
    """
    moved = book.as_of(asked)
    if asked == "latest":
        return moved
    reach = covered(book.store)
    if reach is None:
        return moved
    first, last = reach
    whole = f"the book covers {first} to {last}"
    if moved.date < first:
        raise BadDate(
            value=asked, reason=f"nothing is known of that time, {whole}", example=str(first)
        )
    if moved.date > last + dt.timedelta(days=STALE_DAYS):
        reason = f"nothing is known of that time, {whole} (import a newer export for later dates)"
        raise BadDate(value=asked, reason=reason, example=str(last))
    return moved
