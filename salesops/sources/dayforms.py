"""Days such as 3/4/2026: whether day or month comes first, by the whole file or by asking."""

from collections.abc import Callable, Iterator
from itertools import product
from typing import TypeAlias

import pandas as pd

from salesops.model.tables import facts
from salesops.sources.mapping import History, Mapping, Rows, Source
from salesops.sources.naming import meant
from salesops.sources.profiling import day_order
from salesops.sources.questions import Desk, Question
from salesops.sources.seeing import Look, Seen

KEY = "dates"
# How a mapping writes where a column comes from.
Given: TypeAlias = Source | str | tuple[str, ...]
_FIRST = {"day": "%d{0}%m{0}", "month": "%m{0}%d{0}"}
_YEARS = ("%Y", "%y")
_TIMES = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")


def with_day_forms(mapping: Mapping, look: Look, desk: Desk) -> Mapping:
    """Write into a mapping how days are written that can be read in two ways.

    One day after the twelfth tells it for all days of its file; where there is none it is asked.

    Raises
    ------
    Unanswered
        Nothing tells it, and nobody does.
    """
    by_file: dict[str, list[pd.Series]] = {}
    for seen, column in _days(mapping, look):
        by_file.setdefault(seen.file, []).append(seen.frame[column])
    orders = {file: day_order(columns) for file, columns in by_file.items()}
    open_ = {file: order for file, order in orders.items() if order.says == "neither"}
    first = {file: order.says for file, order in orders.items() if order.says in _FIRST}
    known = set(first.values())
    if open_ and len(known) == 1:
        # Files of one export are written by one program.
        first |= dict.fromkeys(open_, known.pop())
    elif open_:
        (answer,) = desk.decide(Question(
            key=KEY, candidates=("day", "month"), text="Which comes first in the dates?",
            evidence=tuple(f"{_place(mapping, look, file, order.example)} can be day or month first"
                           for file, order in open_.items()),
        ))  # fmt: skip
        first |= dict.fromkeys(open_, answer)
    if not first:
        return mapping
    return with_sources(mapping, look, lambda table, name, given, seen:
                        _told(table, name, given, seen, first))  # fmt: skip


def _place(mapping: Mapping, look: Look, file: str, example: str) -> str:
    """Say where a day stands first."""
    for seen, column in _days(mapping, look):
        rows = seen.frame.index[seen.frame[column] == example]
        if seen.file == file and len(rows):
            return f"{seen.where} row {rows[0]}, {column}: {example}"
    return f"{file}: {example}"


def _days(mapping: Mapping, look: Look) -> Iterator[tuple[Seen, str]]:
    """List the columns of a mapping that hold days or times, of which no form is told."""
    for table, parts in mapping.tables.items():
        for rows in parts:
            if (seen := find_seen(look, rows.files, rows.sheet)) is not None:
                for name, source in rows.sources().items():
                    if (column := _untold(table, name, source, seen)) is not None:
                        yield seen, column
    for history in mapping.history:
        if (seen := find_seen(look, history.files, history.sheet)) is not None:
            for name, given in _timed(history).items():
                source = given if isinstance(given, Source) else Source(column=given)
                table = "changes" if name == "changed_at" else history.entity
                if (column := _untold(table, name, source, seen)) is not None:
                    yield seen, column


def _timed(history: History) -> dict[str, Given]:
    return {"changed_at": history.changed_at, **history.fields}


def _untold(table: str, name: str, source: Source, seen: Seen) -> str | None:
    return None if source.dates else day_column(table, name, source, seen)


def day_column(table: str, name: str, source: Source, seen: Seen) -> str | None:
    """Name the column of a sheet from which days or times come; none where these are others."""
    kind = str(facts(table)[name].dtype)
    if not (kind == "date" or kind.startswith("timestamp")) or source.epoch:
        return None
    return next((n for n in source.names if n in seen.frame.columns), None)


def find_seen(look: Look, patterns: tuple[str, ...], sheet: str | None) -> Seen | None:
    """Find the sheet that a mapping names."""
    for pattern in patterns:
        names = meant((seen.file for seen in look.sheets), pattern)
        for seen in look.sheets:
            if seen.file in names and (sheet is None or seen.sheet == sheet):
                return seen
    return None


def with_sources(
    mapping: Mapping, look: Look, change: Callable[[str, str, Given, Seen], Given]
) -> Mapping:
    """Change where columns come from, of all sheets that a mapping names and an export has.

    Parameters
    ----------
    mapping, look
        The mapping, and what was seen of the export.
    change
        Gives the source of a column of a table anew, by its sheet.
    """

    def rows(table: str, part: Rows) -> Rows:
        seen = find_seen(look, part.files, part.sheet)
        if seen is None:
            return part
        columns = {n: change(table, n, given, seen) for n, given in part.columns.items()}
        return part.model_copy(update={"columns": columns})

    def past(part: History) -> History:
        seen = find_seen(look, part.files, part.sheet)
        if seen is None:
            return part
        fields = {n: change(part.entity, n, given, seen) for n, given in part.fields.items()}
        at = change("changes", "changed_at", part.changed_at, seen)
        return part.model_copy(update={"fields": fields, "changed_at": at})

    tables = {table: tuple(rows(table, part) for part in parts)
              for table, parts in mapping.tables.items()}  # fmt: skip
    return mapping.model_copy(
        update={"tables": tables, "history": tuple(map(past, mapping.history))}
    )


def _told(table: str, name: str, given: Given, seen: Seen, first: dict[str, str]) -> Given:
    source = given if isinstance(given, Source) else Source(column=given)
    column = _untold(table, name, source, seen)
    if column is None or seen.file not in first:
        return given
    forms = _forms(seen.frame[column], first[seen.file])
    return source.model_copy(update={"dates": forms}) if forms else given


def _forms(texts: "pd.Series", order: str) -> tuple[str, ...]:
    """Name the forms in which the days of a column are written, of those with the given order."""
    left = pd.Series(texts.dropna().astype(str).unique(), dtype=object)
    left = left[left != ""]
    found = []
    for sign, year, time in product("/-.", _YEARS, _TIMES):
        form = _FIRST[order].format(sign) + year + time
        fits = pd.to_datetime(left, format=form, errors="coerce").notna()
        if fits.any():
            found.append(form)
            left = left[~fits]
        if left.empty:
            break
    return tuple(found)
