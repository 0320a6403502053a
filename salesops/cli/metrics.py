"""`salesops metrics` and `salesops explain`: the dictionary of numbers, and the rows behind one."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from salesops import at
from salesops.analyses.explained import described, explain
from salesops.cli.running import BadOption
from salesops.metrics.catalogue import CATALOGUE
from salesops.wording import language

_SHOWN = 15


def list_metrics(names: Sequence[str], lang: str, out: Console) -> None:
    """Show every metric, or some, with unit and definition."""
    table = Table(show_lines=True, expand=False)
    for head in ("id", "name", "unit", "definition"):
        table.add_column(head, no_wrap=head in ("id", "unit"))
    with language(lang):
        for name in names or CATALOGUE:
            word, definition = described(name)
            table.add_row(name, word, CATALOGUE[name].unit, definition)
    out.print(table)


def explain_number(
    name: str, *, book: str, as_of: str, scope: str, period: str, where: Sequence[str], lang: str,
    out: Console,
) -> None:  # fmt: skip
    """Show one number, its definition, and the first of its rows."""
    chosen = {}
    for text in where:
        column, equals, value = text.partition("=")
        if not equals:
            raise BadOption(option="--where", value=text, expected="COLUMN=VALUE")
        chosen[column] = value
    found = explain(at(book, as_of, scope, lang), name, period=period, **chosen)
    with language(lang):
        for line in found.lines():
            out.print(line, markup=False)
        if len(found.rows):
            view = found.table(_SHOWN)
            out.print(view.text(), markup=False, highlight=False)
