"""Tables that many numbers are made of, worked out once per company, instant and scope.

A store is never written to and a book never changes, so what was worked out for one stays true.
"""

from collections import OrderedDict
from collections.abc import Callable
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import ibis

from salesops.book.book import Book
from salesops.book.store import Store

Kept = TypeVar("Kept")
# A report looks at a company now and at a few earlier dates.
MOST = 32
_KEPT: "WeakKeyDictionary[Store, OrderedDict[tuple[Any, ...], Any]]" = WeakKeyDictionary()


def kept(name: str, book: Book, make: Callable[[], Kept]) -> Kept:
    """Give what `make` makes, or what it made before for the same view of the company."""
    mine = _KEPT.setdefault(book.store, OrderedDict())
    key = (name, book.instant, book.limits, book.renewals)
    if key not in mine:
        mine[key] = make()
        while len(mine) > MOST:
            mine.popitem(last=False)
    mine.move_to_end(key)
    found: Kept = mine[key]
    return found


def kept_table(name: str, book: Book, make: Callable[[], ibis.Table]) -> ibis.Table:
    """Give a table as `make` lays it out, run by the engine once and held there."""
    return kept(name, book, lambda: make().cache())
