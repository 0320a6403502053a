"""The scopes of a plan: every team, person or region of a book at a date, and those named."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from salesops.model.errors import BadScope, nearest
from salesops.reports.planfaults import Fault, shown

if TYPE_CHECKING:
    from salesops.book.book import Book

SIDES = {"every_team": "team", "every_user": "user", "every_region": "region"}


def every(book: "Book", side: str) -> list[str]:
    """List a scope for every `team`, `user` or `region` that the book knows people of."""
    users = book.users
    people = users.filter(users.left_on.isnull()).select("id", "team", "region").to_pandas()
    column = "id" if side == "user" else side
    return [f"{side}:{value}" for value in sorted(people[column].dropna().unique())]


def laid_out(where: str, as_of: str, scopes: Sequence[str]) -> list[str]:
    """Give the scopes that a grid means, each once, as known at a date.

    Raises
    ------
    NotABook, BadDate
        The book can't be opened, or knows nothing of that date.
    """
    found: list[str] = []
    book: Book | None = None
    for scope in scopes:
        if scope not in SIDES:
            found.append(scope)
            continue
        if book is None:
            book = _opened(where, as_of)
        found += every(book, SIDES[scope])
    return list(dict.fromkeys(found))


def _opened(where: str, as_of: str) -> "Book":
    from salesops.book.book import Book
    from salesops.book.opened import opened_store
    from salesops.book.reach import known_as_of

    # Its versions are not needed for a list of people, and laying them out takes a second.
    return known_as_of(Book.of(opened_store(where, copied=False)), as_of)


def scope_faults(raw: Mapping[str, Any], where: str) -> Iterator[Fault]:
    """Find the scopes of a plan's entries and recipients that the book does not know.

    Raises
    ------
    NotABook
        It can't be opened.
    """
    asked = [(key, scope) for key, scope in _named(raw) if ":" in scope]
    if not asked:
        return
    from salesops.book.scope import parse_scope

    book = _opened(where, "latest")
    for key, scope in asked:
        try:
            book.within(parse_scope(scope))
        except BadScope as error:
            # What can't be read at all is told by the plan's own types.
            if error.known:
                value = scope.partition(":")[2]
                near = nearest(value, error.known)
                yield Fault(key, shown(scope), f"{error.reason}; nearest: {near}")


def _named(raw: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    entries, recipients = raw.get("entries", []), raw.get("recipients", {})
    for number, entry in enumerate(entries if isinstance(entries, list) else [], 1):
        scopes = entry.get("scopes") if isinstance(entry, dict) else None
        for scope in scopes if isinstance(scopes, list) else ():
            if isinstance(scope, str):
                yield f"{entry.get('name', f'entry {number}')}: scopes", scope
    for name, recipient in recipients.items() if isinstance(recipients, dict) else ():
        scope = recipient.get("scope") if isinstance(recipient, dict) else None
        if isinstance(scope, str):
            yield f"[recipients.{name}] scope", scope
