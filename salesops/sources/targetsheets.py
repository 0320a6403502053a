"""Targets as people keep them: read from month-wide sheets and long lists."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from salesops.model.errors import SalesopsError
from salesops.sources.targetcells import (
    TOTALS,
    cents_of,
    month_of,
    months_of_period,
    plain,
    unit_of,
    year_of,
)

# A unit of money in a title is none of these.
COUNTED = "new_customers"
COLUMNS = ["period", "level", "key", "metric", "cents", "where"]
LEVELS = ("company", "region", "team", "user")
# Head of a column, in small letters -> what it tells.
HEADS = {
    "level": "level", "层级": "level", "级别": "level", "类型": "level",
    "key": "key", "id": "key", "编号": "key", "编码": "key", "工号": "user", "员工编号": "user",
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


@dataclass(eq=False, kw_only=True)
class BadTargets(SalesopsError, ValueError):
    """A list of targets can't be taken over."""

    where: str
    reason: str
    mend: str

    def __str__(self) -> str:
        return (
            f"{self.where}: {self.reason}.\n"
            "Expected: a list with period, level, key, metric and amount, or a sheet with one "
            "column a month (一月…十二月, Jan…Dec) and one row a company, team or person.\n"
            f"{self.mend}"
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Names:
    """Who and what a book knows.

    Attributes
    ----------
    people
        `id`, `name`, `team`, `region`.
    company
        The company's own name.
    """

    people: pd.DataFrame
    company: str = ""

    def found(self, level: str, name: str) -> list[str]:
        """Give the keys that a name may mean at a level."""
        if level == "company":
            return [""]
        if level in ("team", "region"):
            known = sorted({str(v) for v in self.people[level].dropna()})
            if name in known:
                return [name]
            return [k for k in known if level == "team" and k.rsplit("/", 1)[-1] == name]
        by_id = self.people["id"].astype(str) == name
        return list(self.people.loc[by_id if by_id.any() else self.people["name"] == name, "id"])


@dataclass(frozen=True, kw_only=True, eq=False)
class Sheet:
    """One sheet as a grid of cells."""

    file: str
    name: str
    rows: list[list[Any]] = field(repr=False)

    def at(self, row: int, column: int | None = None) -> str:
        """Name a place for a message."""
        from openpyxl.utils import get_column_letter

        sheet = f", sheet {self.name}" if self.name else ""
        place = f"row {row + 1}"
        if column is not None and self.name:
            place = f"cell {get_column_letter(column + 1)}{row + 1}"
        return f"{self.file}{sheet}, {place}"


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
    parts = [_read(sheet, names, metric) for sheet in _sheets(path)]
    frame = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=COLUMNS)
    if frame.empty:
        raise BadTargets(where=str(path), reason="no target is in it",
                         mend="Is it the right file?")  # fmt: skip
    return frame


def _sheets(path: Path) -> list[Sheet]:
    if not path.is_file():
        raise BadTargets(where=str(path), reason="there is no such file", mend="Is the path right?")
    raw = path.read_bytes()
    if raw[:2] == b"PK":
        return _workbook(path, raw)
    text = _decoded(path, raw)
    try:
        dialect: Any = csv.Sniffer().sniff(text[:4096], delimiters=",;\t")
    except csv.Error:
        dialect = csv.excel
    rows: list[list[Any]] = [list(row) for row in csv.reader(io.StringIO(text), dialect)]
    return [Sheet(file=path.name, name="", rows=rows)]


def _workbook(path: Path, raw: bytes) -> list[Sheet]:
    import openpyxl

    try:
        book = openpyxl.load_workbook(io.BytesIO(raw), data_only=True)
    except Exception as error:
        raise BadTargets(where=str(path), reason=f"it is no workbook ({error})",
                         mend="Save it again as .xlsx.") from error  # fmt: skip
    return [Sheet(file=path.name, name=sheet.title,
                  rows=[list(row) for row in sheet.iter_rows(values_only=True)])
            for sheet in book.worksheets if sheet.sheet_state == "visible"]  # fmt: skip


def _decoded(path: Path, raw: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise BadTargets(where=str(path), reason="its text is neither UTF-8 nor GB18030",
                     mend="Save it again as CSV UTF-8.")  # fmt: skip


def _read(sheet: Sheet, names: Names, metric: str) -> pd.DataFrame:
    """Read one sheet; empty where it has no head that speaks of targets."""
    for i, row in enumerate(sheet.rows[:30]):
        heads = {j: HEADS[h] for j, h in enumerate(_heads(row)) if h in HEADS}
        months = {j: m for j, cell in enumerate(row) if (m := month_of(cell)) is not None}
        if "parent" in heads.values():
            _refuse_circles(sheet, i, heads)
        if len(months) >= 2:
            return _wide(sheet, i, heads, months, names, metric)
        if {"period", "amount"} <= set(heads.values()):
            return _long(sheet, i, heads, names, metric)
    return pd.DataFrame(columns=COLUMNS)


def _refuse_circles(sheet: Sheet, head: int, heads: dict[int, str]) -> None:
    """Refuse rows whose parents, followed upwards, lead back to themselves."""
    above, places = {}, {}
    for i, told in _told(sheet, head, heads):
        own = next((plain(told[c]) for c in ("key", "user", "team", "region", "name", "company")
                    if told.get(c)), "")  # fmt: skip
        if own and plain(told.get("parent")):
            above[own], places[own] = plain(told["parent"]), i
    for first in above:
        way = [first]
        while way[-1] in above:
            way.append(above[way[-1]])
            if way[-1] in way[:-1]:
                raise BadTargets(
                    where=sheet.at(places[first]),
                    reason=f"{' → '.join(way)} leads back to itself",
                    mend="Give one of them another parent (上级).",
                )  # fmt: skip


def _heads(row: list[Any]) -> list[str]:
    return [plain(cell).lower().split("(")[0].strip() for cell in row]


def _long(
    sheet: Sheet, head: int, heads: dict[int, str], names: Names, metric: str
) -> pd.DataFrame:
    found = []
    unit = unit_of("".join(plain(c) for c in sheet.rows[head]))
    for i, told in _told(sheet, head, heads):
        months = months_of_period(plain(told.get("period")))
        if months is None:
            raise BadTargets(where=sheet.at(i), reason=f"{told.get('period')!r} is no period",
                             mend="Write a month as 2026-03, a quarter as 2026Q1.")  # fmt: skip
        level, key = _node(sheet, i, told, names)
        cents = _amount(sheet, i, _column(heads, "amount"), unit)
        if cents is None:
            continue
        name = _metric(plain(told.get("metric")), metric)
        parts = _thirds(cents, len(months))
        found += [(m, level, key, name, part, sheet.at(i))
                  for m, part in zip(months, parts, strict=True)]  # fmt: skip
    return pd.DataFrame(found, columns=COLUMNS)


def _wide(
    sheet: Sheet, head: int, heads: dict[int, str], months: dict[int, tuple[int | None, int]],
    names: Names, metric: str,
) -> pd.DataFrame:  # fmt: skip
    above = " ".join(plain(c) for row in sheet.rows[:head] for c in row) + " " + sheet.name
    unit = unit_of(above + "".join(plain(c) for c in sheet.rows[head]))
    said = _metric(above, metric)
    total = next((j for j, h in enumerate(_heads(sheet.rows[head])) if h in TOTALS), None)
    found = []
    for i, told in _told(sheet, head, heads, first=min(months)):
        if any(plain(v) in TOTALS for v in told.values()):
            continue
        level, key = _node(sheet, i, told, names)
        year = year_of(told.get("year")) or year_of(above)
        name = _metric(plain(told.get("metric")), said)
        times = 1 if name == COUNTED else unit
        cells = {j: _amount(sheet, i, j, times) for j in months}
        _agrees(sheet, i, total, times, cells)
        for j, (own, month) in months.items():
            cents = cells[j]
            if cents is None:
                continue
            if own is None and year is None:
                raise BadTargets(where=sheet.at(head), reason="no year is named",
                                 mend="Write it into the title, the sheet's name or a column "
                                 "年份 (year).")  # fmt: skip
            place = sheet.at(i, j)
            found.append((f"{own or year}-{month:02d}", level, key, name, cents, place))
    return pd.DataFrame(found, columns=COLUMNS)


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
    if level and (key or level == "company"):
        return level, "" if level == "company" else key
    for column in ("user", "team", "region", "company"):
        if plain(told.get(column)) and (not level or column == level):
            return _matched(sheet, i, [column], plain(told[column]), names)
    name = key or plain(told.get("name"))
    if level == "company" or (not level and name in ("公司", "全公司", "company", names.company)):
        return "company", ""
    if name:
        return _matched(sheet, i, [level] if level else ["user", "team", "region"], name, names)
    mend = "Write a company, region, team or person in front of the months."
    raise BadTargets(where=sheet.at(i), reason="the row names nobody", mend=mend)


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


def _agrees(
    sheet: Sheet, i: int, total: int | None, unit: int, cells: dict[int, int | None]
) -> None:
    """Refuse a total that its months do not make."""
    if total is None or total >= len(sheet.rows[i]):
        return
    told = _amount(sheet, i, total, unit)
    whole = sum(c for c in cells.values() if c is not None)
    if told is not None and abs(told - whole) > 1:
        raise BadTargets(
            where=sheet.at(i, total),
            reason=f"the total is {told / 100:,.2f}, its months make {whole / 100:,.2f}",
            mend="Correct a month or the total; or clear the total.",
        )  # fmt: skip


def _metric(text: str, otherwise: str) -> str:
    for name, words in METRIC_WORDS.items():
        if any(word in text.lower() for word in words):
            return name
    return text if text.isidentifier() and text.isascii() and text else otherwise


def _column(heads: dict[int, str], name: str) -> int:
    return next(j for j, told in heads.items() if told == name)


def _thirds(cents: int, n: int) -> list[int]:
    """Share a longer period's amount over its months, the last cents to the first."""
    each, rest = divmod(cents, n)
    return [each + (k < rest) for k in range(n)]
