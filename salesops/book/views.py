"""Tables of a view of a company, laid out once for every book that is the same view.

A report makes the same view for each of its numbers: without renewals, of a team, at a date. To lay
out its tables as expressions takes longer than many of the questions that are asked of them.
"""

from collections import OrderedDict
from typing import Any, TypeAlias
from weakref import WeakKeyDictionary

import ibis

from salesops.book.store import Store

Tables: TypeAlias = dict[str, ibis.Table]
# A report looks at a company now and at a few earlier dates.
MOST = 32
_MADE: "WeakKeyDictionary[Store, OrderedDict[tuple[Any, ...], Tables]]" = WeakKeyDictionary()


def tables_of(store: Store, *view: Any) -> Tables:
    """Give the tables that were laid out for a view of a store, to be added to."""
    views = _MADE.setdefault(store, OrderedDict())
    made = views.setdefault(view, {})
    views.move_to_end(view)
    while len(views) > MOST:
        views.popitem(last=False)
    return made
