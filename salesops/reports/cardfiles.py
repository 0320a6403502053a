"""The card of the day as files: text and page, in each language and scope of an entry."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from salesops.reports.grid import laid_out
from salesops.reports.jobs import Job
from salesops.reports.moments import Moment
from salesops.reports.plan import CompanyPlan, Entry
from salesops.stopping import uninterrupted


@dataclass(frozen=True, kw_only=True)
class CardFile:
    """A card that was written.

    Attributes
    ----------
    path
        `cards/<date>/card[.<scope>].<lang>.txt`; the page lies beside it as `.html`.
    scope, lang
        Of whom, and in which language.
    lines
        What it says: its head, the day, the month, then what falls due.
    """

    path: Path
    scope: str
    lang: str
    lines: tuple[str, ...]


def write_cards(company: CompanyPlan, entry: Entry, moment: Moment) -> Iterator[CardFile]:
    """Write the cards of an entry at a moment into the folder of the reports.

    Yields
    ------
    CardFile
        One for each scope and language.
    """
    from salesops.book.book import open_book
    from salesops.book.reach import known_as_of
    from salesops.book.scope import parse_scope
    from salesops.charts.dailycard import card_html, card_lines, card_text
    from salesops.metrics.dailycard import card
    from salesops.wording import language, tell_company

    book = known_as_of(open_book(company.book), moment.as_of)
    tell_company(book.settings)
    for scope in laid_out(company.book, moment.as_of, entry.scopes):
        found = card(book.within(parse_scope(scope)))
        folder = company.out / "cards" / f"{found.date}"
        folder.mkdir(parents=True, exist_ok=True)
        for lang in entry.langs:
            stem = Job(report="card", scope=scope, lang=lang, parameters={}).stem
            with language(lang):
                _write(folder / f"{stem}.html", card_html(found, lang))
                _write(folder / f"{stem}.txt", card_text(found))
                lines = card_lines(found)
            yield CardFile(path=folder / f"{stem}.txt", scope=scope, lang=lang, lines=lines)


def _write(path: Path, text: str) -> None:
    with uninterrupted():
        partial = path.with_name(path.name + ".tmp")
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)
