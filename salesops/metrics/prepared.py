"""Tables that several numbers of one book are made of, computed once and kept while it lives."""

from collections.abc import Callable
from weakref import WeakKeyDictionary

from salesops.book.book import Book
from salesops.metrics.metric import Table

_KEPT: "WeakKeyDictionary[Book, dict[str, Table]]" = WeakKeyDictionary()


def prepared(book: Book, name: str, make: Callable[[Book], Table]) -> Table:
    """Give a table made of a book, computed when it is first asked for.

    Parameters
    ----------
    book
        Books do not change; another date or scope is another book.
    name
        Of the table, with all that it depends on beside the book.
    make
        Makes the expression; planning it costs more than reading its rows again.
    """
    kept = _KEPT.setdefault(book, {})
    if name not in kept:
        kept[name] = make(book).cache()
    return kept[name]
