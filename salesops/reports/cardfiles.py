"""The card of the day as files: text and page, in each language and scope of an entry."""

from collections.abc import Iterator
from pathlib import Path

from salesops.reports.grid import laid_out
from salesops.reports.jobs import Job
from salesops.reports.moments import Moment
from salesops.reports.plan import CompanyPlan, Entry
from salesops.stopping import uninterrupted


def write_cards(company: CompanyPlan, entry: Entry, moment: Moment) -> Iterator[Path]:
    """Write the cards of an entry at a moment into the folder of the reports.

    Yields
    ------
    Path
        `cards/<date>/card[.<scope>].<lang>.txt`; the page lies beside it as `.html`.
    """
    from salesops.book.book import open_book
    from salesops.book.reach import known_as_of
    from salesops.book.scope import parse_scope
    from salesops.charts.dailycard import card_html, card_text
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
            yield folder / f"{stem}.txt"


def _write(path: Path, text: str) -> None:
    with uninterrupted():
        partial = path.with_name(path.name + ".tmp")
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)
