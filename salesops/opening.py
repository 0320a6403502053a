"""The first line of every notebook: which company, when, whose, in which language."""

from pathlib import Path

from salesops.book.book import Book, open_book
from salesops.book.reach import known_as_of
from salesops.book.scope import parse_scope
from salesops.wording import set_language, tell_company


def at(path: str, as_of: str = "latest", scope: str = "company", lang: str = "en") -> Book:
    """Open a company as of a date, for a scope, and show everything in a language.

    Parameters
    ----------
    path
        Folder, `.duckdb` file or URL. A relative folder is looked for here and in the folders
        above, so that a notebook runs from its own folder too.
    as_of
        ISO date, ISO datetime or `latest`; at most a month after the last thing that is known.
    scope
        `company`, `team:<path>`, `user:<id>` or `region:<name>`.
    lang
        `zh` or `en`.

    Returns
    -------
    Book
        At that date and within that scope.

    Raises
    ------
    NotABook, BadDate, BadScope
        The path, the date or the scope can't be used.

    Examples
    --------
    >>> at("tests/tiny_company", "2026-02-28", "team:South").date
    datetime.date(2026, 2, 28)
    """
    set_language(lang)
    book = known_as_of(open_book(_found(path)), as_of)
    tell_company(book.settings)
    limits = parse_scope(scope)
    return book if limits.is_company else book.within(limits)


def _found(path: str) -> str:
    if "://" in path or Path(path).is_absolute():
        return path
    for folder in (Path(), *Path.cwd().parents):
        if (folder / path).exists():
            return str(folder / path)
    return path
