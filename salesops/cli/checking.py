"""`salesops check`: what is in a book, what is wrong with it, and what it can answer."""

from typing import TYPE_CHECKING

from salesops.book.book import Book, open_book
from salesops.model.shell import pasted
from salesops.model.tables import TABLES, facts
from salesops.reports.addresses import without_password

if TYPE_CHECKING:
    from salesops.analyses.result import Result


def check_book(where: str) -> list[str]:
    """Describe a book for its owner: tables, history, inconsistencies, what can't be answered."""
    book = open_book(where)
    lines = [repr(book), f"Settings: {book.settings.company.name}, stages "
             f"{', '.join(book.settings.stage_ids())}"]  # fmt: skip
    lines += [_table(book, name) for name in TABLES if book.has(name)]
    lines.append(f"Not there: {', '.join(book.missing) or 'nothing'}")
    lines += _history(book)
    lines += _analyses(book, without_password(where))
    return lines


# The reports to begin with, and up to how many deals they are made only to see what they lack.
_FIRST = ("performance", "conversion", "funnel")
_MOST_DEALS = 50_000


def first_reports(where: str) -> list[str]:
    """Say what the first reports can answer from a book, and how many numbers can be computed."""
    import salesops
    from salesops import wording
    from salesops.metrics.catalogue import CATALOGUE

    book = open_book(where)
    wording.tell_company(book.settings)
    lines = []
    if book.n("opportunities") <= _MOST_DEALS:
        lines.append("What the first reports can say:")
        for name in _FIRST:
            lines += _report(getattr(salesops, name)(book))
    able = sum(metric.reason(book) is None for metric in CATALOGUE.values())
    lines.append(f"Numbers: {able} of {len(CATALOGUE)} can be computed; salesops check "
                 f"{pasted(where)} says what every report lacks.")  # fmt: skip
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


def _analyses(book: Book, where: str) -> list[str]:
    """Make every report that there is, and say what it lacks and what that would add."""
    import salesops
    from salesops import wording
    from salesops.metrics.catalogue import CATALOGUE
    from salesops.reports.jobs import known_reports

    wording.tell_company(book.settings)
    found = ["Reports:"]
    for name in known_reports():
        # A notebook of one's own has no analysis of its name.
        if name in salesops.__all__:
            found += _report(getattr(salesops, name)(book))
    able = sum(metric.reason(book) is None for metric in CATALOGUE.values())
    found.append(f"Numbers: {able} of {len(CATALOGUE)} can be computed; salesops metrics --book "
                 f"{where} lists them.")  # fmt: skip
    return found


def _report(result: "Result") -> list[str]:
    from salesops.wording import label, say_gap

    exhibits, findings = len(result.exhibits), len(result.findings)
    state = (
        "all that it needs is there"
        if not result.gaps
        else "can be made in part"
        if exhibits
        else "can't be made"
    )
    lines = [f"  {result.report}: {state}; {_counted(exhibits, 'exhibit')}, "
             f"{_counted(findings, 'finding')}"]  # fmt: skip
    added: dict[str, list[str]] = {}
    for gap in result.gaps:
        if gap.needs:
            added.setdefault(gap.needs, []).append(label(gap.what))
    lines += [f"    missing {needs}; it would add: {'; '.join(what)}"
              for needs, what in added.items()]  # fmt: skip
    lines += [f"    cannot say: {say_gap(gap)}" for gap in result.gaps if not gap.needs]
    return lines


def _counted(n: int, what: str) -> str:
    return f"{n} {what}{'s' * (n != 1)}"
