"""Parts below page one: exhibits that do not belong to it, and tables below each other."""

from salesops.charts.exhibit import Exhibit, Say
from salesops.charts.parts import Shown
from salesops.charts.table import TableView


def in_detail(exhibit: Exhibit | Shown) -> Shown:
    """Show an exhibit below page one, which it does not belong to."""
    if isinstance(exhibit, Shown):
        return exhibit
    page = exhibit.html().replace('<section class="ex two"', '<div class="ex"', 1)
    return Shown(page.removesuffix("</section>") + "</div>", exhibit.title.text())


def together(*parts: TableView | Shown) -> Shown:
    """Set tables below each other."""
    pages = [part.page if isinstance(part, Shown) else part.html() for part in parts]
    plain = [part.plain if isinstance(part, Shown) else part.text() for part in parts]
    return Shown("".join(pages), "\n\n".join(plain))


class Sentence:
    """One sentence in an exhibit where there is nothing to list."""

    def __init__(self, code: str) -> None:
        self.code = code

    def html(self) -> str:
        """Give it as a part of the page."""
        return f'<p class="quiet small">{Say(self.code).html()}</p>'

    def text(self) -> str:
        """Give it as plain text."""
        return Say(self.code).text()
