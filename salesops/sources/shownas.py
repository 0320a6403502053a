"""Numbers whose cells show a unit or a currency that the number itself does not have."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import pandas as pd

from salesops.sources.grid import Grid
from salesops.sources.layout import Decision, Doubt
from salesops.sources.units import Unit

_WHY = {
    "shown_unit": "is shown with a unit behind it that other numbers of the column, or its head, "
                  "do not have; say the unit in the mapping (unit), or write all in one",
    "shown_currency": "is shown in another currency than other numbers of the column; write all "
                      "amounts in one, or a column with the currency of each",
}  # fmt: skip


@dataclass
class AsShown:
    """What the formats of cells say of columns.

    Attributes
    ----------
    units, currencies
        Of columns all of whose numbers show the same unit; most of whose show the same currency.
    decisions, doubts
        What is told of these, and the cells of the others.
    """

    units: dict[str, Unit] = field(default_factory=dict)
    currencies: dict[str, str] = field(default_factory=dict)
    decisions: list[Decision] = field(default_factory=list)
    doubts: list[Doubt] = field(default_factory=list)


def as_shown(
    grid: Grid, frame: pd.DataFrame, names: Mapping[int, str], units: Mapping[str, Unit], *,
    title: str, months: Collection[str] = (),
) -> AsShown:  # fmt: skip
    """Read units and currencies off the formats of cells.

    Parameters
    ----------
    grid
        The sheet.
    frame
        Its records, columns as positions.
    names
        Their names.
    units
        Units that heads say.
    title
        The unit that a title gives to all money of the sheet, or an empty text.
    months
        Columns that become rows, whose cells then stand under other heads.
    """
    found = AsShown()
    for column, kinds in grid.shown.items():
        name = names.get(column)
        if name is None:
            continue
        numbers = frame.index[pd.to_numeric(frame[column], errors="coerce").notna()]
        by_unit: dict[str, pd.Index] = {}
        by_code: dict[str, pd.Index] = {}
        for shown, rows in kinds.items():
            mine = numbers.intersection(rows)
            for text, groups in ((shown.unit, by_unit), (shown.currency, by_code)):
                if text and len(mine):
                    groups[text] = groups.get(text, mine).union(mine)
        said = units.get(name) or title
        _units(found, grid, frame[column], name, by_unit, len(numbers), said, name in months)
        _currencies(found, frame[column], name, by_code, len(numbers))
    return found


def _units(
    found: AsShown, grid: Grid, texts: pd.Series, name: str, by_unit: Mapping[str, pd.Index],
    n: int, said: str, is_month: bool,
) -> None:  # fmt: skip
    if not by_unit or set(by_unit) == {said}:
        return
    if set(by_unit) == {"one"} and not said and len(by_unit["one"]) < n:
        # 元 behind some numbers says nothing else of the others.
        return
    (unit, rows), *others = by_unit.items()
    if not others and len(rows) == n and not said and not is_month:
        found.units[name] = unit  # type: ignore[assignment]
        found.decisions.append(Decision(
            f"the unit of {name!r} is {unit}", grid.where, "its cells show it behind their numbers",
            'unit = "one" at its column'))  # fmt: skip
        return
    for rows in by_unit.values():
        found.doubts += _doubts(texts, name, rows, "shown_unit")


def _currencies(
    found: AsShown, texts: pd.Series, name: str, by_code: Mapping[str, pd.Index], n: int
) -> None:
    by_size = sorted(by_code, key=lambda code: len(by_code[code]))
    # What a few cells alone show says nothing of the others.
    if by_size and (len(by_size) > 1 or 2 * len(by_code[by_size[0]]) >= n):
        found.currencies[name] = by_size.pop()
    for code in by_size:
        found.doubts += _doubts(texts, name, by_code[code], "shown_currency", code)


def _doubts(
    texts: pd.Series, name: str, rows: pd.Index, kind: str, currency: str = ""
) -> list[Doubt]:
    return [Doubt(int(r), name, str(texts[r]), kind, _WHY[kind], currency)  # type: ignore[arg-type]
            for r in rows]  # fmt: skip
