"""Days such as 3/4/2026: whether day or month comes first, by the whole file or by asking."""

from collections.abc import Iterator
from fnmatch import fnmatch
from itertools import product

import pandas as pd

from salesops.model.tables import facts
from salesops.sources.mapping import History, Mapping, Rows, Source
from salesops.sources.profiling import day_order
from salesops.sources.questions import Desk, Question
from salesops.sources.seeing import Look, Seen

KEY = "dates"
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
    return _changed(mapping, look, first) if first else mapping


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


def _timed(history: History) -> dict[str, Source | str | tuple[str, ...]]:
    return {"changed_at": history.changed_at, **history.fields}


def _untold(table: str, name: str, source: Source, seen: Seen) -> str | None:
    kind = str(facts(table)[name].dtype)
    if not (kind == "date" or kind.startswith("timestamp")) or source.dates or source.epoch:
        return None
    return next((n for n in source.names if n in seen.frame.columns), None)


def find_seen(look: Look, patterns: tuple[str, ...], sheet: str | None) -> Seen | None:
    """Find the sheet that a mapping names."""
    for pattern in patterns:
        for seen in look.sheets:
            if fnmatch(seen.file, pattern) and (sheet is None or seen.sheet == sheet):
                return seen
    return None


def _changed(mapping: Mapping, look: Look, first: dict[str, str]) -> Mapping:
    tables = {
        table: tuple(_rows(table, rows, look, first) for rows in parts)
        for table, parts in mapping.tables.items()
    }
    history = tuple(_history(part, look, first) for part in mapping.history)
    return mapping.model_copy(update={"tables": tables, "history": history})


def _rows(table: str, rows: Rows, look: Look, first: dict[str, str]) -> Rows:
    seen = find_seen(look, rows.files, rows.sheet)
    if seen is None or seen.file not in first:
        return rows
    columns = {name: _told(table, name, given, seen, first[seen.file])
               for name, given in rows.columns.items()}  # fmt: skip
    return rows.model_copy(update={"columns": columns})


def _history(history: History, look: Look, first: dict[str, str]) -> History:
    seen = find_seen(look, history.files, history.sheet)
    if seen is None or seen.file not in first:
        return history
    order = first[seen.file]
    fields = {name: _told(history.entity, name, given, seen, order)
              for name, given in history.fields.items()}  # fmt: skip
    at = _told("changes", "changed_at", history.changed_at, seen, order)
    return history.model_copy(update={"fields": fields, "changed_at": at})


def _told(
    table: str, name: str, given: Source | str | tuple[str, ...], seen: Seen, order: str
) -> Source | str | tuple[str, ...]:
    source = given if isinstance(given, Source) else Source(column=given)
    column = _untold(table, name, source, seen)
    if column is None:
        return given
    forms = _forms(seen.frame[column], order)
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
