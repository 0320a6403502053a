"""Targets as people keep them: read from month-wide sheets and long lists."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pandas as pd

from salesops.model.errors import nearest
from salesops.sources.claims import MONEY_TITLE, currency_of
from salesops.sources.layout import Layout
from salesops.sources.targetcells import (
    TOTALS,
    cents_of,
    month_of,
    months_of_period,
    plain,
    shared_over,
    unit_of,
    year_of,
)
from salesops.sources.targetgrids import BadTargets, Sheet, sheets_of
from salesops.sources.targetnames import Names, circle_in
from salesops.sources.values import currencies_beside

# A unit of money in a title is none of these.
COUNTED = "new_customers"
COLUMNS = ["period", "level", "key", "metric", "cents", "where"]
# What a cell tells, in the order of `COLUMNS`; an empty one has no cents.
Told: TypeAlias = tuple[str, str, str, str, int | None, str]
# Head of a column, in small letters -> what it tells.
HEADS = {
    "level": "level", "层级": "level", "级别": "level", "类型": "level",
    "key": "key", "id": "key", "编号": "key", "编码": "key", "工号": "key", "员工编号": "key",
    "员工工号": "key",
    "name": "name", "名称": "name", "姓名": "user", "员工": "user", "销售": "user",
    "业务员": "user",
    "person": "user", "employee": "user", "rep": "user",
    "team": "team", "团队": "team", "部门": "team", "小组": "team", "department": "team",
    "region": "region", "区域": "region", "大区": "region",
    "company": "company", "公司": "company", "组织": "company",
    "metric": "metric", "指标": "metric", "目标类型": "metric",
    "period": "period", "期间": "period", "月份": "period",
    "amount": "amount", "金额": "amount", "目标": "amount", "目标值": "amount",
    "year": "year", "年份": "year", "年度": "year", "年": "year",
    "parent": "parent", "上级": "parent",
}  # fmt: skip
LEVEL_WORDS = {
    "company": "company", "公司": "company", "region": "region", "区域": "region", "大区": "region",
    "team": "team", "团队": "team", "部门": "team", "department": "team", "user": "user",
    "person": "user", "员工": "user", "个人": "user", "employee": "user", "人员": "user",
}  # fmt: skip
METRIC_WORDS = {
    "bookings": ("bookings", "签约", "合同额", "销售额"), "collection": ("collection", "回款"),
    "new_customers": ("new_customers", "new customers", "新客户", "新增客户"),
}  # fmt: skip


def read_target_sheets(path: Path, names: Names, metric: str = "bookings") -> pd.DataFrame:
    """Read targets from a CSV or XLSX file, long or month-wide.

    Parameters
    ----------
    path
        The file.
    names
        Whom its rows may speak of.
    metric
        What they are targets of where neither a column, a sheet nor a title says so.

    Returns
    -------
    pandas.DataFrame
        One row per month and node: `period`, `level`, `key`, `metric`, `cents` (of counts, such as
        new customers, times 100 too), `where` (for messages).

    Raises
    ------
    BadTargets
        What can't be read, with its place.
    """
    found = [cell for cell in _cells(path, names, metric) if cell[4] is not None]
    if not found:
        raise BadTargets(where=str(path), reason="no target is in it",
                         mend="Is it the right file? An emptied cell keeps its target: write 0 "
                         "to take it away.")  # fmt: skip
    return pd.DataFrame(found, columns=COLUMNS)


def empty_cells(path: Path, names: Names, metric: str = "bookings") -> pd.DataFrame:
    """Give the cells of a file in which a target could stand, and none does.

    Parameters
    ----------
    path, names, metric
        As of `read_target_sheets`.

    Returns
    -------
    pandas.DataFrame
        One row per month and node that has no amount anywhere in the file: `period`, `level`,
        `key`, `metric`, `where`.
    """
    cells = _cells(path, names, metric)
    filled = {cell[:4] for cell in cells if cell[4] is not None}
    empty = [cell for cell in cells if cell[:4] not in filled]
    frame = pd.DataFrame(empty, columns=COLUMNS).drop(columns="cents")
    return frame.drop_duplicates(COLUMNS[:4], ignore_index=True)


def _cells(path: Path, names: Names, metric: str) -> list[Told]:
    return [cell for sheet in sheets_of(path, _known) for cell in _read(sheet, names, metric)]


def _read(sheet: Sheet, names: Names, metric: str) -> list[Told]:
    """Read one sheet; empty where it has no head that speaks of targets."""
    for i, row in enumerate(sheet.rows[:30]):
        heads = {j: HEADS[h] for j, h in enumerate(_heads(row)) if h in HEADS}
        months = {j: m for j, cell in enumerate(row) if (m := month_of(cell)) is not None}
        if "parent" in heads.values():
            _refuse_circles(sheet, i, heads)
        if len(months) >= 2:
            _refuse_unclear(sheet, i, months)
            _refuse_other_currency(sheet, i, names.currency)
            return _wide(sheet, i, heads, months, names, metric)
        if {"period", "amount"} <= set(heads.values()):
            _refuse_other_currency(sheet, i, names.currency)
            return _long(sheet, i, heads, names, metric)
    return []


def _refuse_other_currency(sheet: Sheet, head: int, home: str) -> None:
    """Refuse amounts whose sign, head or title says another currency than the company's."""
    for i, row in enumerate(sheet.rows):
        for j, cell in enumerate(row):
            text = cell if isinstance(cell, str) else ""
            said = currencies_beside(text)
            if i <= head and (unit_of(text) or MONEY_TITLE.search(text)):
                said = currency_of(text, Layout())
            if home and said and home not in said:
                why = f"{text!r} is in {said[0]}, where the company counts in {home}"
                raise BadTargets(where=sheet.at(i, j), reason=why, mend=f"Write it in {home}.")


def _refuse_circles(sheet: Sheet, head: int, heads: dict[int, str]) -> None:
    """Refuse rows whose parents, followed upwards, lead back to themselves."""
    above, places = {}, {}
    for i, told in _told(sheet, head, heads):
        own = next((plain(told[c]) for c in ("key", "user", "team", "region", "name", "company")
                    if told.get(c)), "")  # fmt: skip
        if own and plain(told.get("parent")):
            above[own], places[own] = plain(told["parent"]), i
    circle = circle_in(above)
    if circle:
        raise BadTargets(
            where=sheet.at(places[circle[0]]),
            reason=f"{' → '.join(circle)} leads back to itself",
            mend="Give one of them another parent (上级).",
        )


def _known(row: list[Any]) -> int:
    return sum(1 for head in _heads(row) if head in HEADS or month_of(head) is not None)


def _refuse_unclear(sheet: Sheet, head: int, months: dict[int, tuple[int | None, int]]) -> None:
    """Refuse months that stand there twice, or without a year run into the next one."""
    told = list(months.values())
    for j, month in months.items():
        if told.count(month) > 1 and told.index(month) != list(months).index(j):
            raise BadTargets(where=sheet.at(head, j), reason="the month stands there twice",
                             mend="Take one of the two columns away.")  # fmt: skip
    undated = [month for year, month in told if year is None]
    if undated != sorted(undated):
        raise BadTargets(where=sheet.at(head), reason="its months do not lie in one year in order",
                         mend="Write the months with their year, such as 2027-03.")  # fmt: skip


def _heads(row: list[Any]) -> list[str]:
    return [plain(cell).lower().split("(")[0].strip() for cell in row]


def _long(sheet: Sheet, head: int, heads: dict[int, str], names: Names, metric: str) -> list[Told]:
    found: list[Told] = []
    unit = unit_of(" ".join(plain(c) for c in sheet.rows[head])) or 1
    for i, told in _told(sheet, head, heads):
        months = months_of_period(plain(told.get("period")), names.fiscal_year_starts)
        if months is None:
            raise BadTargets(where=sheet.at(i), reason=f"{told.get('period')!r} is no period",
                             mend="Write a month as 2026-03, a quarter as 2026Q1.")  # fmt: skip
        level, key = _node(sheet, i, told, names)
        cents = _amount(sheet, i, _column(heads, "amount"), unit)
        name = _metric(sheet, i, plain(told.get("metric"))) or metric
        n = len(months)
        parts = [None] * n if cents is None else shared_over(cents, n)
        found += [(m, level, key, name, part, sheet.at(i))
                  for m, part in zip(months, parts, strict=True)]  # fmt: skip
    return found


def _wide(
    sheet: Sheet, head: int, heads: dict[int, str], months: dict[int, tuple[int | None, int]],
    names: Names, metric: str,
) -> list[Told]:  # fmt: skip
    above = " ".join(plain(c) for row in sheet.rows[:head] for c in row) + " " + sheet.name
    total = next((j for j, h in enumerate(_heads(sheet.rows[head])) if h in TOTALS), None)
    units = _units(sheet, head, above, months, total)
    said = [] if "metric" in heads.values() else _metrics_in(above)
    if len(said) > 1:
        raise BadTargets(where=sheet.at(0), reason=f"it speaks of {' and '.join(said)}",
                         mend="Say in a column 指标 (metric) which rows are of which.")  # fmt: skip
    found: list[Told] = []
    for i, told in _told(sheet, head, heads, first=min(months)):
        if any(plain(v).lower() in TOTALS for v in told.values()):
            continue
        level, key = _node(sheet, i, told, names)
        year = year_of(told.get("year")) or year_of(above)
        name = _metric(sheet, i, plain(told.get("metric"))) or (*said, metric)[0]
        times = {j: 1 if name == COUNTED else unit for j, unit in units.items()}
        cells = {j: _amount(sheet, i, j, times[j]) for j in months}
        if total is not None:
            _agrees(sheet, i, total, times[total], cells)
        for j, (own, month) in months.items():
            if own is None and year is None:
                if cells[j] is None:
                    continue
                raise BadTargets(where=sheet.at(head), reason="no year is named",
                                 mend="Write it into the title, the sheet's name or a column "
                                 "年份 (year).")  # fmt: skip
            period = f"{own or year}-{month:02d}"
            found.append((period, level, key, name, cells[j], sheet.at(i, j)))
    return found


def _units(
    sheet: Sheet, head: int, above: str, months: dict[int, tuple[int | None, int]],
    total: int | None,
) -> dict[int, int]:  # fmt: skip
    """Give what each column of amounts multiplies by: its own unit, else that of the sheet."""
    cells = dict(enumerate(map(plain, sheet.rows[head])))
    own = {j: unit_of(cells[j]) for j in (*months, total) if j is not None}
    several = {own[j] for j in months}
    if len(several) > 1:
        raise BadTargets(where=sheet.at(head), reason="its months name different units, or only "
                         "some name one", mend="Write one unit into the title.")  # fmt: skip
    whole = unit_of(" ".join([above, *(text for j, text in cells.items() if j not in own)])) or 1
    return {j: unit or whole for j, unit in own.items()}


def _told(
    sheet: Sheet, head: int, heads: dict[int, str], first: int | None = None
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Give each row below the head as what its columns tell; columns without a head are names."""
    for i in range(head + 1, len(sheet.rows)):
        row = sheet.rows[i]
        if not any(plain(c) for c in row):
            continue
        told = {name: row[j] for j, name in heads.items() if j < len(row) and plain(row[j])}
        if first is not None and not {"key", "name", "user", "team", "region", "company"} & set(
            heads.values()
        ):  # fmt: skip
            own = [plain(c) for j, c in enumerate(row[:first]) if plain(c) and j not in heads]
            told |= {"name": own[-1]} if own else {}
        yield i, told


def _node(sheet: Sheet, i: int, told: dict[str, Any], names: Names) -> tuple[str, str]:
    """Say of whom a row speaks: by level and key, by the finest column, or by a name."""
    level = LEVEL_WORDS.get(plain(told.get("level")).lower(), "")
    if told.get("level") and not level:
        raise BadTargets(where=sheet.at(i), reason=f"{told['level']!r} is no level",
                         mend="Write company, region, team or user.")  # fmt: skip
    key = plain(told.get("key"))
    if level == "company":
        return level, ""
    if key and (level or plain(told.get("user"))):
        whose = level or "user"
        found = _matched(sheet, i, [whose], key, names)
        _refuse_other_name(sheet, i, found, plain(told.get("user") or told.get("name")), names)
        return found
    for column in ("user", "team", "region", "company"):
        if plain(told.get(column)) and (not level or column == level):
            return _matched(sheet, i, [column], plain(told[column]), names)
    name = key or plain(told.get("name"))
    if not level and name in ("公司", "全公司", "company", plain(names.company)):
        return "company", ""
    if name:
        return _matched(sheet, i, [level] if level else ["user", "team", "region"], name, names)
    mend = "Write a company, region, team or person in front of the months."
    raise BadTargets(where=sheet.at(i), reason="the row names nobody", mend=mend)


def _refuse_other_name(
    sheet: Sheet, i: int, found: tuple[str, str], name: str, names: Names
) -> None:
    """Refuse an id beside the name of somebody else, as after columns were sorted apart."""
    level, key = found
    if level != "user" or not name or name in (names.called(key), key):
        return
    others = names.found("user", name)
    if others and key not in others:
        raise BadTargets(
            where=sheet.at(i), reason=f"{key} is {names.called(key) or 'unknown'}, {name} is "
            f"{nearest(name, others)}", mend="Correct the id or the name.",
        )  # fmt: skip


def _matched(sheet: Sheet, i: int, levels: list[str], name: str, names: Names) -> tuple[str, str]:
    for level in levels:
        keys = names.found(level, name)
        if len(keys) > 1:
            raise BadTargets(where=sheet.at(i), reason=f"{name} may be {' or '.join(keys)}",
                             mend="Write the id instead of the name.")  # fmt: skip
        if keys:
            return level, keys[0]
    # Whether the book knows it is checked with everything else.
    return levels[0], name


def _amount(sheet: Sheet, i: int, column: int, unit: int) -> int | None:
    row = sheet.rows[i]
    value = row[column] if column < len(row) else None
    try:
        return cents_of(value, unit)
    except ValueError as error:
        mend = "Write a plain number, or leave it empty for no target."
        raise BadTargets(where=sheet.at(i, column), reason=str(error), mend=mend) from error


def _agrees(sheet: Sheet, i: int, total: int, unit: int, cells: dict[int, int | None]) -> None:
    """Refuse a total that its months do not make."""
    row = sheet.rows[i]
    if total >= len(row) or plain(row[total]).startswith("="):
        return
    told = _amount(sheet, i, total, unit)
    whole = sum(c for c in cells.values() if c is not None)
    if told is not None and abs(told - whole) > 1:
        raise BadTargets(
            where=sheet.at(i, total),
            reason=f"the total is {told / 100:,.2f}, its months make {whole / 100:,.2f}",
            mend="Correct a month or the total; or clear the total.",
        )  # fmt: skip


def _metrics_in(text: str) -> list[str]:
    """List the metrics of which a title or the name of a sheet speaks."""
    lowered = text.lower()
    return [name for name, words in METRIC_WORDS.items() if any(word in lowered for word in words)]


def _metric(sheet: Sheet, i: int, text: str) -> str:
    """Read the metric of a row: an id, or what people call it; empty where it names none."""
    if not text or (text.isidentifier() and text.isascii()):
        return text
    found = _metrics_in(text)
    if len(found) == 1:
        return found[0]
    raise BadTargets(where=sheet.at(i), reason=f"{text!r} is no metric that has targets",
                     mend=f"Write {', '.join(METRIC_WORDS)}, or take the row away.")  # fmt: skip


def _column(heads: dict[int, str], name: str) -> int:
    return next(j for j, told in heads.items() if told == name)
