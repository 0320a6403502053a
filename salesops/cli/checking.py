"""`salesops check`: what is in a book, what is wrong with it, and what it can answer."""

from salesops.book.book import Book, open_book
from salesops.model.tables import TABLES, facts


def check_book(where: str) -> list[str]:
    """Describe a book for its owner: tables, history, inconsistencies, what can't be answered."""
    book = open_book(where)
    lines = [repr(book), f"Settings: {book.settings.company.name}, stages "
             f"{', '.join(book.settings.stage_ids())}"]  # fmt: skip
    lines += [_table(book, name) for name in TABLES if book.has(name)]
    lines.append(f"Not there: {', '.join(book.missing) or 'nothing'}")
    lines += _history(book)
    lines += _analyses(book)
    return lines


def _table(book: Book, name: str) -> str:
    absent = [c for c in facts(name) if not book.has(f"{name}.{c}")]
    without = f"; without {', '.join(absent)}" if absent else ""
    return f"  {name}: {book.n(name):,} rows{without}"


def _history(book: Book) -> list[str]:
    found = []
    for entity, fields in book.tracked.items():
        named = ", ".join(
            f"{f} ({t.how} since {book.calendar.local_date(t.since)})" for f, t in fields.items()
        )
        found.append(f"History of {entity}: {named}")
    if not found:
        found.append("No history: what changes is known only as it is today.")
    if book.unversioned:
        found.append(f"Dated by events, not by entry: {', '.join(book.unversioned)}")
    return found


def _analyses(book: Book) -> list[str]:
    """Run each analysis and say what it could not compute."""
    from salesops import wording
    from salesops.analyses.funnel import funnel

    wording.tell_company(book.settings)
    result = funnel(book)
    said = [f"  cannot say: {wording.say_gap(gap)}" for gap in result.gaps]
    return [f"funnel: {len(result.exhibits)} exhibits, {len(result.findings)} findings", *said]
