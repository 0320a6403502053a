"""`salesops metrics` and `salesops explain`: the dictionary of numbers, and the rows behind one."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from rich.console import Console

from salesops import at
from salesops.analyses.explained import described, rows_behind
from salesops.book.book import Book
from salesops.charts.behind import Behind
from salesops.cli.running import BadOption
from salesops.metrics.catalogue import CATALOGUE, FAMILIES, find_metric
from salesops.metrics.metric import Metric
from salesops.reports.sheets import write_csv
from salesops.wording import label, language, listed, say, say_reason

_SHOWN = 15
LANGS = ("zh", "en")


def list_metrics(
    names: Sequence[str], lang: str, out: Console, *, book: str = "", form: str = "text"
) -> None:
    """Show the dictionary, some of its entries, or what of it can be computed in a book."""
    if form not in ("text", "md"):
        raise BadOption(option="--format", value=form, expected="text or md")
    chosen = [find_metric(name) for name in names]
    company = at(book, lang=lang) if book else None
    with language(lang):
        if form == "md":
            lines: Iterable[str] = glossary().splitlines()
        elif company is not None and not chosen:
            lines = _computable(company)
        else:
            lines = _entries(chosen, company)
        for line in lines:
            out.print(line, markup=False, highlight=False)


def _entries(chosen: Sequence[Metric], book: Book | None) -> list[str]:
    """Give the entries by family, in the order of the catalogue."""
    found = []
    for family, metrics in FAMILIES.items():
        wanted = [m for m in metrics if m in chosen or not chosen]
        if wanted:
            found += [f"{family}: {label(f'family.{family}')}"]
        for metric in wanted:
            found += [f"  {line}" for line in _entry(metric, book, whole=bool(chosen))]
    return found


def _entry(metric: Metric, book: Book | None, *, whole: bool) -> list[str]:
    found = [f"{metric.id}  {names_of(metric)}", f"    {facts_of(metric)}"]
    if not whole:
        return [*found, f"    {described(metric.id)[1]}"]
    for lang in LANGS:
        with language(lang):
            found.append(f"    {lang}: {described(metric.id)[1]}")
    found.append(f"    {say('dictionary.needs', needs=listed(metric.needs))}")
    if book is not None:
        found += [f"    {line}" for line in _in_book(metric, book)]
    return found


def _in_book(metric: Metric, book: Book) -> list[str]:
    reason = metric.reason(book)
    if reason is not None:
        return [say("dictionary.not_here", reason=say_reason(reason))]
    columns = metric.rows_of(book, book.period("latest")).columns
    return [say("dictionary.here"), say("dictionary.columns", columns=", ".join(columns))]


def _computable(book: Book) -> list[str]:
    """Say what of the dictionary a book can answer, and why not the rest."""
    reasons = {name: metric.reason(book) for name, metric in CATALOGUE.items()}
    able = [name for name, reason in reasons.items() if reason is None]
    found = [say("dictionary.able", n=len(able), all=len(reasons))]
    found += [f"  {name}  {described(name)[0]}" for name in able]
    if len(able) < len(reasons):
        found.append(say("dictionary.unable"))
    found += [
        f"  {name}  {described(name)[0]}: {say_reason(reason)}"
        for name, reason in reasons.items() if reason is not None
    ]  # fmt: skip
    return found


def names_of(metric: Metric) -> str:
    """Give a metric's name in both languages."""
    found = []
    for lang in LANGS:
        with language(lang):
            found.append(described(metric.id)[0])
    return " · ".join(found)


def facts_of(metric: Metric) -> str:
    """Say unit, direction, grain, date and tables in the current language."""
    tables = listed(dict.fromkeys(need.partition(".")[0] for need in metric.needs))
    return say(
        "dictionary.dated" if metric.dated else "dictionary.standing",
        unit=label(f"unit.{metric.unit}"), better=label(f"better.{metric.better}"),
        grain=label(f"grain.{metric.grain}"), dated=metric.dated, tables=tables,
    )  # fmt: skip


def glossary() -> str:
    """Write the dictionary as a page in both languages."""
    parts = [_said_twice("glossary.title", "# "), _said_twice("glossary.intro", "")]
    for family, metrics in FAMILIES.items():
        if metrics:
            parts.append(_said_twice(f"family.{family}", "## "))
        for metric in metrics:
            parts.append(f"### `{metric.id}` {names_of(metric)}")
            said = []
            for lang in LANGS:
                with language(lang):
                    said.append(f"- {described(metric.id)[1]}\n  {facts_of(metric)}")
            parts.append("\n".join(said))
    return "\n\n".join(parts) + "\n"


def _said_twice(code: str, mark: str) -> str:
    texts = []
    for lang in LANGS:
        with language(lang):
            texts.append(say(code))
    return mark + (" · " if mark else "\n\n").join(texts)


def explain_number(
    name: str, *, book: str, as_of: str, scope: str, period: str, where: Sequence[str], lang: str,
    out: Console, rows: str = str(_SHOWN), csv: str = "",
) -> None:  # fmt: skip
    """Show one number, its definition, its source and its rows, or write these to a file."""
    chosen, most = dict(_filter(text) for text in where), _how_many(rows)
    if csv and not Path(csv).resolve().parent.is_dir():
        raise BadOption(option="--csv", value=csv, expected="rows.csv, in a folder that is there")
    opened = at(book, as_of, scope, lang)
    found = rows_behind(opened, name, opened.period(period), chosen)
    with language(lang):
        for line in found.lines():
            out.print(line, markup=False)
        _show_rows(found, most, out)
    if csv:
        out.print(f"{len(found.rows):,} rows: {write_csv(found.sheet(), csv)}", markup=False)


def _show_rows(found: Behind, most: int | None, out: Console) -> None:
    if len(found.rows) and most != 0:
        view = found.table(len(found.rows) if most is None else most)
        out.print(view.text(), markup=False, highlight=False)


def _filter(text: str) -> tuple[str, str]:
    column, equals, value = text.partition("=")
    if not equals:
        raise BadOption(option="--where", value=text, expected="COLUMN=VALUE")
    return column, value


def _how_many(rows: str) -> int | None:
    if rows == "all":
        return None
    if not rows.isdecimal():
        raise BadOption(option="--rows", value=rows, expected="all, or a number of rows")
    return int(rows)
