"""Months as columns, turned into rows: one row per row of the sheet and month."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from salesops.sources.grid import Grid
from salesops.sources.heads import Head, is_typed
from salesops.sources.layout import Aside, Decision, Hints, UnreadableFile
from salesops.sources.targetcells import TOTALS, month_of, year_of
from salesops.sources.units import Unit, unit_of_head

MONTH, VALUE = "month", "value"
# Fewer columns of months are rather dates of something.
_FEWEST = 3
_YEAR = re.compile(r"(?:19|20)\d\d\s*年?(?:度)?")


@dataclass(frozen=True, kw_only=True)
class Turned:
    """A table whose months were columns; the index repeats the numbers of the rows."""

    frame: pd.DataFrame
    months: dict[str, str]
    units: dict[str, Unit]
    aside: tuple[Aside, ...]
    decisions: tuple[Decision, ...]


@dataclass(frozen=True)
class _Column:
    name: str
    month: str
    measure: str


def turned(
    grid: Grid, head: Head, names: Mapping[int, str], frame: pd.DataFrame, hints: Hints
) -> Turned | None:
    """Turn months into rows; none where columns are no months.

    Raises
    ------
    UnreadableFile
        No year is named anywhere, or a month stands there twice.
    """
    if hints.month_columns == "keep":
        return None
    found = _month_columns(grid, head, names, frame, hints)
    if len({column.month for column in found.values()}) < _FEWEST:
        return None
    measures = list(dict.fromkeys(column.measure for column in found.values()))
    twice = [c.name for i, c in found.items()
             if any(j < i and (d.month, d.measure) == (c.month, c.measure)
                    for j, d in found.items())]  # fmt: skip
    if twice:
        raise UnreadableFile(where=grid.where, reason=f"the month of {twice[0]!r} stands there "
                             "twice", mend="name in a second row of heads what the two are.",
                             )  # fmt: skip
    others = {c: n for c, n in names.items() if c not in found}
    totals = {c: n for c, n in others.items() if _is_total(n)}
    fixed = {c: n for c, n in others.items() if c not in totals}
    taken = set(fixed.values())
    month_name = MONTH if MONTH not in taken else "month of the column"
    shown = {m: m if m and m not in taken else VALUE if not m else f"{m} (of the month)"
             for m in measures}  # fmt: skip
    result, empty = _long(frame, found, fixed, month_name, shown)
    units = {shown[c.measure]: unit for c in found.values()
             if (unit := unit_of_head(c.name)) is not None}  # fmt: skip
    _refuse_mixed_units(grid, found)
    aside = tuple(Aside(int(r), "no_value", _shown(frame, r), "it has no value in any month")
                  for r in empty)  # fmt: skip
    decisions = [Decision(
        f"{len(found)} columns of months become rows ({month_name!r}, "
        f"{', '.join(map(repr, shown.values()))})", grid.where,
        f"their heads are months, such as {next(iter(found.values())).name!r}",
        'month_columns = "keep"')]  # fmt: skip
    if totals:
        decisions.append(Decision(
            f"the columns {', '.join(totals.values())} are left out", grid.where,
            "they are called totals of the months", 'month_columns = "keep"'))  # fmt: skip
    return Turned(frame=result, months={c.name: c.month for c in found.values()}, units=units,
                  aside=aside, decisions=tuple(decisions))  # fmt: skip


def _month_columns(
    grid: Grid, head: Head, names: Mapping[int, str], frame: pd.DataFrame, hints: Hints
) -> dict[int, _Column]:
    said: dict[int, tuple[int | None, int, str]] = {}
    for column in names:
        parts = head.parts.get(column, ())
        at = next((i for i, part in enumerate(parts) if month_of(part)), None)
        if at is None or not _numeric(frame[column]):
            continue
        year, month = month_of(parts[at]) or (None, 0)
        rest = [part for i, part in enumerate(parts) if i != at]
        years = [y for part in rest if _YEAR.fullmatch(part) and (y := year_of(part))]
        rest = [part for part in rest if not _YEAR.fullmatch(part)]
        # A group that spans all months may carry the year in its name.
        inside = [y for part in rest if (y := year_of(part))]
        told = year or next(iter(years + inside), None)
        said[column] = (told, month, "/".join(rest))
    if len({(y, m) for y, m, _ in said.values()}) < _FEWEST:
        return {}
    titled = {y for _, text in head.titles if (y := year_of(text))}
    default = hints.year or (titled.pop() if len(titled) == 1 else None)
    if default is None and any(y is None for y, _, _ in said.values()):
        column = next(c for c, told in said.items() if told[0] is None)
        raise UnreadableFile(
            where=grid.at(head.rows[-1], column, names[column]),
            reason=f"{names[column]!r} is a month of no known year",
            mend="write the year into a title above, or say it: --answer year=2026, in a mapping "
                 "year = 2026.",
        )  # fmt: skip
    return {c: _Column(names[c], f"{y or default}-{m:02d}-01", measure)
            for c, (y, m, measure) in said.items()}  # fmt: skip


def _numeric(texts: pd.Series) -> bool:
    filled = texts[texts != ""].iloc[:2000]
    return not len(filled) or bool(filled.map(is_typed).mean() >= 0.8)


def _is_total(name: str) -> bool:
    return any(part.strip().lower() in TOTALS for part in name.split("/"))


def _refuse_mixed_units(grid: Grid, found: Mapping[int, _Column]) -> None:
    by_measure: dict[str, set[str]] = {}
    for column in found.values():
        by_measure.setdefault(column.measure, set()).add(str(unit_of_head(column.name)))
    for units in by_measure.values():
        if len(units) > 1:
            raise UnreadableFile(
                where=grid.where, reason=f"its months are in different units "
                f"({', '.join(sorted(units))})", mend="write all months in one unit.",
            )  # fmt: skip


def _long(
    frame: pd.DataFrame, found: Mapping[int, _Column], fixed: Mapping[int, str], month_name: str,
    shown: Mapping[str, str],
) -> tuple[pd.DataFrame, list[int]]:  # fmt: skip
    parts = []
    kept = frame[list(fixed)].rename(columns=dict(fixed))
    for month in dict.fromkeys(column.month for column in found.values()):
        part = kept.copy()
        part[month_name] = month
        for measure, name in shown.items():
            at = next((i for i, c in found.items() if (c.month, c.measure) == (month, measure)),
                      None)  # fmt: skip
            part[name] = frame[at] if at is not None else ""
        parts.append(part)
    result = pd.concat(parts)
    any_value = (result[list(shown.values())] != "").any(axis=1)
    result = result[any_value]
    result = result.sort_index(kind="stable")
    empty = [int(r) for r in frame.index.difference(result.index)]
    return result, empty


def _shown(frame: pd.DataFrame, row: int) -> str:
    return " | ".join(str(t) for t in frame.loc[row] if t)[:200]
