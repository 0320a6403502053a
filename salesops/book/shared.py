"""What the kernels of one run share: the same analysis for two languages is worked out once.

A result holds no words, only what to say; they are chosen when it is shown. So the report of one
language can show what the other's kernel found. Where the variable `SALESOPS_SHARED` names the
folder of a run, results lie there; without it, and for books that were not opened before, each
kernel works them out itself.
"""

import functools
import hashlib
import inspect
import io
import logging
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import cloudpickle

from salesops.book.book import Book
from salesops.book.opened import laid_at
from salesops.book.runlog import SHARED, marks
from salesops.book.store import Store
from salesops.stopping import scratch_folder

Options = ParamSpec("Options")
Found = TypeVar("Found")
_log = logging.getLogger(__name__)


def shared(analysis: Callable[Options, Found]) -> Callable[Options, Found]:
    """Make an analysis of a book take what another kernel of the same run found of the same."""
    form = inspect.signature(analysis)

    @functools.wraps(analysis)
    def found(*args: Options.args, **options: Options.kwargs) -> Found:
        book = args[0] if args else options.get("book")
        if not isinstance(book, Book):
            return analysis(*args, **options)
        # What is left out is asked as its default is.
        given = form.bind(*args, **options)
        given.apply_defaults()
        asked = [(name, value) for name, value in given.arguments.items() if value is not book]
        return once((analysis.__name__, asked), book, lambda: analysis(*args, **options))

    return found


def once(asked: object, book: Book, find: Callable[[], Found]) -> Found:
    """Give what `find` finds, or what another kernel of the run found of the same book and ask."""
    laid = laid_at(book.store) if os.environ.get(SHARED) else None
    if laid is None:
        return find()
    place = _place(asked, book, laid)
    if place.exists():
        known: Found = _Reader(io.BytesIO(place.read_bytes()), book.store).load()
        return known
    made = find()
    _put(place, made)
    return made


def _place(asked: object, book: Book, laid: Path) -> Path:
    whole = (asked, laid.name, book.instant, book.limits, book.renewals,
             marks(book.store.where))  # fmt: skip
    digest = hashlib.blake2b(repr(whole).encode(), digest_size=12).hexdigest()
    return Path(os.environ[SHARED]) / f"{digest}.pkl"


def _put(place: Path, made: object) -> None:
    content = io.BytesIO()
    try:
        _Writer(content).dump(made)
        with scratch_folder(place.parent, ".finding-") as scratch:
            (scratch / place.name).write_bytes(content.getvalue())
            os.replace(scratch / place.name, place)
    except (OSError, pickle.PicklingError, TypeError) as error:
        # A kernel that finds nothing works it out itself.
        _log.warning("The result could not be laid in %s: %s", place.parent, error)


class _Writer(cloudpickle.Pickler):  # type: ignore[misc]
    """Writes a result without its company: who reads it has opened it too."""

    def persistent_id(self, thing: object) -> Any:
        if isinstance(thing, Book):
            return thing.instant, thing.limits, thing.renewals
        return None


class _Reader(pickle.Unpickler):
    def __init__(self, content: io.BytesIO, store: Store) -> None:
        super().__init__(content)
        self._store = store

    def persistent_load(self, view: Any) -> Book:
        return Book(self._store, *view)
