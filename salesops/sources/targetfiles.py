"""Targets written for people: a long list, or a workbook with a sheet per team."""

import os
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from salesops.sources.targetgrids import REPEATED, BadTargets

WORDS = {
    "zh": {"level": "层级", "key": "编号", "name": "名称", "metric": "指标", "total": "合计",
           "company": "全公司", "others": "其他", "title": "{year}年目标",
           "period": "期间", "amount": "金额",
           "months": "一月 二月 三月 四月 五月 六月 七月 八月 九月 十月 十一月 十二月"},
    "en": {"level": "level", "key": "key", "name": "name", "metric": "metric", "total": "total",
           "company": "company", "others": "others", "title": "Targets {year}", "period": "period",
           "amount": "amount",
           "months": "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec"},
}  # fmt: skip
ORDER = {"company": 0, "region": 1, "team": 2, "user": 3}
MOST_NAME = 31


def write_target_file(
    targets: pd.DataFrame, people: pd.DataFrame, path: Path, lang: str,
    selling: Collection[str] = (),
) -> None:  # fmt: skip
    """Write targets of a calendar or fiscal year to a CSV or XLSX file, in one step.

    Parameters
    ----------
    targets
        `period`, `level`, `key`, `metric`, `cents` (of counts times 100 too).
    people
        `id`, `name`, `team`.
    path
        `.csv`: one row per month; `.xlsx`: the company first, then a sheet per team, month-wide.
    lang
        `zh` or `en`.
    selling
        Ids of those who sell: without a target they have an empty row in their team's sheet, or
        in that of others where they have no team.

    Raises
    ------
    BadTargets
        The file is named otherwise, or a workbook's targets lie in more than twelve months.
    """
    if path.suffix.lower() not in (".csv", ".xlsx"):
        raise BadTargets(where=str(path), reason="targets are written as .csv or .xlsx",
                         mend="Name the file for example targets.xlsx.")  # fmt: skip
    named = targets.assign(name=_names(targets, people, WORDS[lang]["company"]))
    fresh = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        if path.suffix.lower() == ".csv":
            _long(named, fresh, WORDS[lang])
        else:
            held = set(targets.loc[targets["level"] == "user", "key"])
            blank = people[people["id"].isin(set(selling) - held)]
            _workbook(named, people, blank, fresh, WORDS[lang], str(path))
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)


def _names(targets: pd.DataFrame, people: pd.DataFrame, company: str) -> "pd.Series[str]":
    own = people.set_index("id")["name"]
    found = targets["key"].map(own).where(targets["level"] == "user", targets["key"])
    return found.where(targets["level"] != "company", company).fillna(targets["key"])


def _long(targets: pd.DataFrame, path: Path, words: dict[str, str]) -> None:
    columns = ["period", "level", "key", "name", "metric"]
    order = targets["level"].map(ORDER)
    frame = targets.assign(order_=order).sort_values(["metric", "period", "order_", "key"])
    # As text, so that no amount passes through a float.
    text = frame["cents"].map(lambda cents: f"{cents // 100}.{cents % 100:02d}")
    frame = frame[columns].assign(amount=text)
    frame.columns = [words[c] for c in frame.columns]
    # With a mark at the beginning, by which Excel knows the encoding.
    frame.to_csv(path, index=False, encoding="utf-8-sig", lineterminator="\n")


def _workbook(
    targets: pd.DataFrame, people: pd.DataFrame, blank: pd.DataFrame, path: Path,
    words: dict[str, str], where: str,
) -> None:  # fmt: skip
    import openpyxl

    months = _months(set(targets["period"]))
    if len(months) > 12:
        raise BadTargets(where=where, reason=f"the targets lie in {months[0]} to {months[-1]}",
                         mend="Write one year: --year 2027.")  # fmt: skip
    book = openpyxl.Workbook()
    book.remove(book.active)
    team_of = people.set_index("id")["team"]
    above = targets["level"].isin(["company", "region"])
    placed = above.copy()
    first = _sheet(book, words["company"], targets[above], words, months)
    teams = targets.loc[targets["level"] == "team", "key"]
    for team in sorted(set(teams) | set(team_of.dropna())):
        mine = (targets["level"] == "team") & (targets["key"] == team)
        mine |= (targets["level"] == "user") & (targets["key"].map(team_of) == team)
        without = blank[blank["team"] == team]
        if mine.any() or len(without):
            own = _sheet(book, team, targets[mine], words, months)
            _add_blank(own, without, months)
            _refer(first, own)
            placed |= mine
    without = blank[blank["team"].isna()]
    if not placed.all() or len(without):
        _add_blank(_sheet(book, words["others"], targets[~placed], words, months), without, months)
    book.save(path)


def _add_blank(sheet: Any, people: pd.DataFrame, months: list[str]) -> None:
    """Give each of those without a target an empty row, so that one can be set."""
    for person in people.sort_values("id").itertuples():
        sheet.append(["user", person.id, person.name, "bookings", *[None] * len(months)])
        _total(sheet, months)


def _total(sheet: Any, months: list[str]) -> None:
    """Sum the last row's months in its last cell."""
    from openpyxl.utils import get_column_letter

    at, last = sheet.max_row, get_column_letter(4 + len(months))
    sheet.cell(at, 5 + len(months)).value = f"=SUM(E{at}:{last}{at})"
    whole = sheet.cell(at, 4).value == "new_customers"
    for column in range(5, 6 + len(months)):
        sheet.cell(at, column).number_format = "0" if whole else "#,##0.00"


def _refer(first: Any, own: Any) -> None:
    """Show a team's rows on the first sheet, from its own sheet, where they are edited."""
    for row in range(3, own.max_row + 1):
        if own.cell(row, 1).value != "team":
            continue
        told = [own.cell(row, c).value for c in range(1, 5)]
        letters = [own.cell(row, c).column_letter for c in range(5, own.max_column + 1)]
        sheet = own.title.replace("'", "''")
        first.append([*told, *(REPEATED.format(cell=f"'{sheet}'!{letter}{row}")
                               for letter in letters)])  # fmt: skip
        for column in range(5, own.max_column + 1):
            cell = first.cell(first.max_row, column)
            cell.number_format = own.cell(row, column).number_format


def _sheet(
    book: Any, name: str, targets: pd.DataFrame, words: dict[str, str], months: list[str]
) -> Any:  # fmt: skip
    """Write one sheet: a title, heads, a row per metric and node."""
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    sheet = book.create_sheet(sheet_name(name, book.sheetnames))
    years = sorted({month[:4] for month in months})
    sheet.append([words["title"].format(year="–".join(years)) + f" · {name}"])
    heads = [words[c] for c in ("level", "key", "name", "metric")]
    # Months that run into another year carry theirs.
    shown = words["months"].split() if len(years) == 1 else months
    sheet.append([*heads, *shown, words["total"]])
    wide = targets.pivot_table(
        index=["metric", "level", "key", "name"], columns="period", values="cents", aggfunc="sum"
    )  # fmt: skip
    rows = sorted(wide.iterrows(), key=lambda r: (r[0][0], ORDER[r[0][1]], r[0][2]))
    for (metric, level, key, label), values in rows:
        cells = [_number(values.get(month)) for month in months]
        sheet.append([level, key, label, metric, *cells])
        _total(sheet, months)
    sheet.cell(1, 1).font = Font(bold=True)
    for column in range(1, 6 + len(months)):
        sheet.cell(2, column).font = Font(bold=True)
        sheet.column_dimensions[get_column_letter(column)].width = 10 if column <= 4 else 14
    sheet.freeze_panes = "E3"
    return sheet


def _months(told: set[str]) -> list[str]:
    """List the months of the calendar year, or those from the first to the last."""
    if len({month[:4] for month in told}) == 1:
        return [f"{min(told)[:4]}-{m:02d}" for m in range(1, 13)]
    return [str(m) for m in pd.period_range(min(told), max(told), freq="M")]


def _number(cents: float | None) -> float | None:
    return None if cents is None or cents != cents else round(cents) / 100


def sheet_name(name: str, used: Sequence[str]) -> str:
    """Give a name that Excel takes: no slash, at most 31 signs, no other sheet's."""
    plain = "".join("-" if sign in "/\\?*[]:" else sign for sign in name)[:MOST_NAME]
    found, n = plain, 2
    while found in used:
        found = f"{plain[: MOST_NAME - 3]}~{n}"
        n += 1
    return found
