"""Ugly sheets made of a clean table: what people do to spreadsheets, one trait at a time.

A `Page` is a sheet before it is written: rows of cells, merged and hidden ones, and a file's form.
Writers put it into .xlsx, .xls or a text; the truth is the table it was made of.
"""

import csv
import datetime as dt
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import xlsxwriter
import xlwt
from xlsxwriter.utility import xl_cell_to_rowcol

ZH = ("编号", "客户", "负责人", "阶段", "合同额", "创建日期", "备注")
WEST = ("Id", "Kunde", "Owner", "Stage", "Betrag", "Created", "Note")
GROUPS = {"zh": ("客户信息", "商机"), "west": ("Kundendaten", "Deal")}
TITLES = {"zh": "2026年销售台账", "west": "Übersicht der Verkäufe"}
TOTALS = {"zh": ("合计", "小计"), "west": ("Total", "Subtotal")}
AMOUNT, CREATED = 4, 5
# Factor -> its levels; the first of each is how a clean export has it.
LEVELS: dict[str, tuple[str, ...]] = {
    "file": ("xlsx", "csv", "xls", "xlsx named csv", "csv named xlsx"),
    "language": ("zh", "west"),
    "encoding": ("utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le", "latin-1", "cp1252"),
    "separator": (",", ";", "\t", "sep=;"),
    "title": ("none", "one line", "two lines", "between empty rows"),
    "heads": ("one row", "groups", "codes below", "line breaks", "spaces around"),
    "unit": ("none", "head wan", "head k", "title wan", "cell wan", "head one"),
    "numbers": ("plain", "thousands", "full width", "currency", "texts", "decimal comma"),
    "dates": ("days", "year month day", "slashes", "packed", "serial", "points"),
    "epoch": ("1900", "1904"),
    "totals": ("none", "last", "spaced", "subtotals", "no label", "first", "not computed"),
    "merged": ("none", "owners"),
    "gaps": ("none", "rows", "column", "left", "above"),
    "hidden": ("none", "sheet", "rows"),
    "below": ("none", "note", "signed"),
    "heads again": ("no", "yes"),
    "ids": ("words", "zeros", "18 digits"),
    "values": ("plain", "line breaks", "separators", "spaces", "called total"),
    "formulas": ("none", "computed"),
}  # fmt: skip


@dataclass(frozen=True)
class Formula:
    """A formula, and its result where a program has computed it."""

    text: str
    result: float | None = None


@dataclass
class Page:
    """A sheet before it is written."""

    rows: list[list[Any]] = field(default_factory=list)
    merges: list[tuple[int, int, int, int]] = field(default_factory=list)
    hidden: set[int] = field(default_factory=set)


@dataclass(frozen=True)
class Truth:
    """What the clean table says."""

    ids: tuple[str, ...]
    owners: tuple[str, ...]
    customers: tuple[str, ...]
    amounts: tuple[Decimal, ...]
    created: tuple[dt.date, ...]


def truth_of(traits: Mapping[str, str]) -> Truth:
    """Give the clean table; ids and names follow the traits."""
    n = 12
    ids = {
        "words": [f"D-{i:03d}" for i in range(n)],
        "zeros": [f"{i * 37 + 1:06d}" for i in range(n)],
        "18 digits": [str(900_100_200_300_400_501 + i * 7) for i in range(n)],
    }[traits["ids"]]
    names = (
        ["甲公司", "乙公司", "设计院"] if traits["language"] == "zh" else ["Müller", "Zoë", "Abc"]
    )
    customers = [names[i % 3] + str(i) for i in range(n)]
    if traits["values"] == "called total":
        customers[4] = TOTALS[traits["language"]][0]
    if traits["values"] == "separators":
        customers[2] += ", ; | AG"
    owners = [("张伟", "李娜")[i // 6] if traits["language"] == "zh" else ("Ann", "Bob")[i // 6]
              for i in range(n)]  # fmt: skip
    # Each is whole in ten-thousands to two places, and one is negative.
    amounts = [Decimal(100 * (i + 1) * (i + 13)) for i in range(n)]
    amounts[7] = Decimal(-1500)
    created = [dt.date(2026, 1 + i % 3, 5 + 2 * i) for i in range(n)]
    return Truth(tuple(ids), tuple(owners), tuple(customers), tuple(amounts), tuple(created))


def is_text(traits: Mapping[str, str]) -> bool:
    """Say whether the file is a text, whatever its name."""
    return traits["file"].startswith("csv")


def possible(traits: Mapping[str, str]) -> bool:
    """Say whether a file can have these traits at once; of half a case what is known counts."""
    text = traits.get("file", "csv").startswith("csv")
    narrow = traits.get("encoding") in ("latin-1", "cp1252")
    asked = [
        # Only texts have encodings and separators, only workbooks cells.
        text or traits.get("encoding", "utf-8") == "utf-8",
        text or traits.get("separator", ",") == ",",
        not text or traits.get("merged", "none") == "none",
        not text or traits.get("hidden", "none") == "none",
        not text or traits.get("epoch", "1900") == "1900",
        not text or traits.get("formulas", "none") == "none",
        not text or traits.get("dates", "days") != "serial",
        not text or traits.get("totals", "none") != "not computed",
        traits.get("file") != "xls" or traits.get("totals") != "not computed",
        traits.get("file") != "xls" or traits.get("formulas", "none") == "none",
        # Western texts in Western encodings, Chinese in those that have the characters.
        traits.get("language", "west") == "west" or not narrow,
        traits.get("language", "zh") == "zh" or traits.get("encoding") != "gb18030",
        # Words with accents, or nothing tells of an encoding.
        traits.get("numbers") != "decimal comma" or traits.get("separator", ";") in (";", "sep=;"),
        traits.get("numbers") != "decimal comma" or text,
        traits.get("numbers", "plain") in ("plain", "full width", "texts")
        or traits.get("formulas", "none") == "none",
        not narrow or traits.get("numbers") not in ("full width", "currency"),
        not narrow or traits.get("unit", "none") in ("none", "head k"),
        not narrow or traits.get("dates") != "year month day",
        traits.get("language", "zh") == "zh"
        or traits.get("unit", "none") in ("none", "head k", "head one"),
        traits.get("unit") != "cell wan" or traits.get("formulas", "none") == "none",
        traits.get("unit") != "title wan" or traits.get("title", "two lines") == "two lines",
        # A sum of words is none.
        traits.get("formulas") != "computed" or traits.get("numbers", "plain") == "plain",
    ]  # fmt: skip
    return all(asked)


def page_of(traits: Mapping[str, str], truth: Truth) -> Page:
    """Make the sheet that has these traits."""
    page = Page()
    language = traits["language"]
    heads = list(ZH if language == "zh" else WEST)
    unit = {"head wan": "(万元)", "head k": "(k)", "head one": "（元）"}.get(traits["unit"], "")
    if not unit and traits["heads"] == "line breaks":
        unit = "(CNY)"
    heads[AMOUNT] += ("\n" if traits["heads"] == "line breaks" else "") + unit
    _titles(page, traits)
    first = len(page.rows)
    if traits["heads"] == "groups":
        one, two = GROUPS[language]
        page.rows.append([heads[0], one, "", two, "", heads[5], heads[6]])
        page.rows.append(["", heads[1], heads[2], heads[3], heads[4], "", ""])
        page.merges += [(first, 1, first, 2), (first, 3, first, 4)]
        page.merges += [(first, c, first + 1, c) for c in (0, 5, 6)]
    else:
        wide = "\u3000" if language == "zh" else "  "
        page.rows.append(
            [f" {h}{wide}" if traits["heads"] == "spaces around" else h for h in heads]
        )
    if traits["heads"] == "codes below":
        page.rows.append(["FNo", "FCust", "FOwner", "FStage", "FAmount", "FDate", "FNote"])
    _records(page, traits, truth)
    _below(page, traits)
    _shift(page, traits)
    return page


def _titles(page: Page, traits: Mapping[str, str]) -> None:
    title = TITLES[traits["language"]]
    if traits["title"] == "between empty rows":
        page.rows += [[], [title], []]
    elif traits["title"] == "one line":
        page.rows.append([title])
        page.merges.append((0, 0, 0, 6))
    elif traits["title"] == "two lines":
        told = "单位：万元" if traits["unit"] == "title wan" else "制表：王芳"
        told = told if traits["language"] == "zh" else "Author: Zoë"
        page.rows += [[title], ["", "", "", "", "", told]]


def amount_cell(traits: Mapping[str, str], amount: Decimal) -> Any:
    """Write an amount in the unit and the form of the traits."""
    factor = {"head wan": 10_000, "title wan": 10_000, "cell wan": 10_000, "head k": 1000}
    value = amount / factor.get(traits["unit"], 1)
    text = f"{value:,.2f}" if traits["numbers"] == "thousands" else f"{value:f}"
    behind = "万" if traits["unit"] == "cell wan" else ""
    if traits["numbers"] == "full width":
        text = text.translate(str.maketrans("0123456789.-", "０１２３４５６７８９．－"))
    elif traits["numbers"] == "currency":
        text = "¥" + text if value >= 0 else "-¥" + text[1:]
    elif traits["numbers"] == "decimal comma":
        text = f"{value:,.2f}".translate(str.maketrans(",.", ".,"))
    elif traits["numbers"] == "plain" and not behind:
        return float(value)
    elif traits["numbers"] == "texts" and not behind:
        return f" {text} "
    return text + behind


def date_cell(traits: Mapping[str, str], day: dt.date) -> Any:
    """Write a date in the form of the traits."""
    if traits["dates"] == "serial":
        origin = dt.date(1904, 1, 1) if traits["epoch"] == "1904" else dt.date(1899, 12, 30)
        return float((day - origin).days)
    forms = {"year month day": f"{day.year}年{day.month}月{day.day}日",
             "slashes": f"{day.year}/{day.month}/{day.day}", "packed": f"{day:%Y%m%d}",
             "points": f"{day.year}.{day.month}.{day.day}"}  # fmt: skip
    return forms.get(traits["dates"], day)


def _records(page: Page, traits: Mapping[str, str], truth: Truth) -> None:
    total, subtotal = TOTALS[traits["language"]]
    begin = len(page.rows)
    heads = page.rows[begin - 1]
    if traits["totals"] == "first":
        page.rows.append([total, "", "", "", amount_cell(traits, sum(truth.amounts)), "", ""])
    for i, key in enumerate(truth.ids):
        note = "x" if i % 2 else ""
        if traits["values"] == "line breaks" and i % 4 == 0:
            note = 'said "yes"\nthen no'
        customer = truth.customers[i]
        if traits["values"] == "spaces":
            # Not every Western encoding has the wide space of Chinese.
            customer = (
                f"\u3000{customer}\u3000" if traits["language"] == "zh" else f" {customer}\t "
            )
        amount = amount_cell(traits, truth.amounts[i])
        if traits["formulas"] == "computed" and isinstance(amount, float):
            amount = Formula(f"={amount}*1", amount)
        owner = truth.owners[i] if traits["merged"] == "none" or i % 6 == 0 else ""
        if traits["merged"] == "owners" and i % 6 == 0:
            page.merges.append((len(page.rows), 2, len(page.rows) + 5, 2))
        page.rows.append(
            [key, customer, owner, "needs", amount, date_cell(traits, truth.created[i]), note]
        )
        if traits["totals"] == "subtotals" and i % 6 == 5:
            part = sum(truth.amounts[i - 5 : i + 1])
            page.rows.append([subtotal, "", "", "", amount_cell(traits, part), "", ""])
        if i == 5 and traits["heads again"] == "yes":
            page.rows.append(list(heads))
        if i in (3, 8) and traits["gaps"] == "rows" and traits["merged"] == "none":
            page.rows.append([])
    if traits["hidden"] == "rows":
        page.hidden |= {begin + 2, begin + 3}
    said = sum(truth.amounts)
    cell = amount_cell(traits, said)
    if traits["totals"] == "no label":
        page.rows.append(["", "", "", "", cell, "", ""])
    elif traits["totals"] in ("last", "subtotals"):
        page.rows.append([total, "", "", "", cell, "", ""])
    elif traits["totals"] == "spaced":
        spaced = "   ".join(total) if traits["language"] == "zh" else "Grand Total"
        page.rows.append([spaced, "", "", "", cell, "", ""])
    elif traits["totals"] == "not computed":
        page.rows.append([total, "", "", "", Formula("=SUM(E3:E14)"), "", ""])


def _below(page: Page, traits: Mapping[str, str]) -> None:
    zh = traits["language"] == "zh"
    if traits["below"] == "note":
        page.rows += [[], ["注：含税金额" if zh else "Note: with tax"]]
    elif traits["below"] == "signed":
        page.rows.append(
            ["制表：王芳", "", "审核：李强"] if zh else ["Author: A", "", "Checked: B"]
        )


def _shift(page: Page, traits: Mapping[str, str]) -> None:
    """Leave rows and columns free, above, left or within."""
    if traits["gaps"] == "above":
        page.rows[:0] = [[], []]
        page.merges = [(a + 2, b, c + 2, d) for a, b, c, d in page.merges]
        page.hidden = {row + 2 for row in page.hidden}
    at = {"left": 0, "column": 1}.get(traits["gaps"])
    if at is not None:
        page.rows = [[*row[:at], "", *row[at:]] if row else row for row in page.rows]
        page.merges = [(a, b + (b >= at), c, d + (d >= at)) for a, b, c, d in page.merges]


def write(page: Page, traits: Mapping[str, str], folder: Path) -> Path:
    """Write the sheet as the file of the traits."""
    kind = traits["file"]
    name = {"xlsx named csv": "deals.csv", "csv named xlsx": "deals.xlsx"}.get(
        kind, f"deals.{kind}"
    )
    path = folder / name
    if is_text(traits):
        path.write_bytes(as_text(page, traits))
    elif kind == "xls":
        _write_xls(page, traits, path)
    else:
        path.write_bytes(as_xlsx(page, traits))
    return path


def as_text(page: Page, traits: Mapping[str, str]) -> bytes:
    """Give the sheet as a text; a row that is empty keeps its separators, as Excel writes it."""
    separator = traits["separator"][-1]
    width = max(len(row) for row in page.rows)
    lines = io.StringIO()
    if traits["separator"] == "sep=;":
        lines.write("sep=;\r\n")
    writer = csv.writer(lines, delimiter=separator, lineterminator="\r\n")
    for row in page.rows:
        cells = row + [""] * (width - len(row))
        writer.writerow([_as_cell_text(cell) for cell in cells])
    return lines.getvalue().encode(traits["encoding"])


def _as_cell_text(cell: Any) -> str:
    if isinstance(cell, float):
        return f"{cell:.0f}" if cell == int(cell) else repr(cell)
    return str(cell)


def as_xlsx(page: Page, traits: Mapping[str, str]) -> bytes:
    """Give the sheet as an .xlsx."""
    packed = io.BytesIO()
    book = xlsxwriter.Workbook(packed, {"in_memory": True, "date_1904": traits["epoch"] == "1904"})
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    if traits["hidden"] == "sheet":
        other = book.add_worksheet("旧")
        other.write(0, 0, "secret")
        other.hide()
    sheet = book.add_worksheet("台账")
    sheet.activate()
    sheet.set_first_sheet()
    inside = {
        (r, c) for a, b, x, d in page.merges for r in range(a, x + 1) for c in range(b, d + 1)
    }
    for a, b, x, d in page.merges:
        cell = page.rows[a][b] if b < len(page.rows[a]) else ""
        sheet.merge_range(a, b, x, d, cell)
    for r, row in enumerate(page.rows):
        for c, cell in enumerate(row):
            if (r, c) in inside or cell == "":
                continue
            if isinstance(cell, Formula):
                sheet.write_formula(
                    r, c, cell.text, None, "" if cell.result is None else cell.result
                )
            elif isinstance(cell, dt.date):
                sheet.write_datetime(r, c, dt.datetime.combine(cell, dt.time()), day)
            elif isinstance(cell, str):
                sheet.write_string(r, c, cell)
            else:
                sheet.write(r, c, cell)
    for row in page.hidden:
        sheet.set_row(row, None, None, {"hidden": True})
    book.close()
    return packed.getvalue()


def _write_xls(page: Page, traits: Mapping[str, str], path: Path) -> None:
    book = xlwt.Workbook()
    book.dates_1904 = traits["epoch"] == "1904"
    day = xlwt.easyxf(num_format_str="yyyy-mm-dd")
    if traits["hidden"] == "sheet":
        other = book.add_sheet("旧")
        other.write(0, 0, "secret")
        other.visibility = 1
        book.set_active_sheet(1)
    sheet = book.add_sheet("台账")
    inside = {
        (r, c) for a, b, x, d in page.merges for r in range(a, x + 1) for c in range(b, d + 1)
    }
    for a, b, x, d in page.merges:
        sheet.write_merge(a, x, b, d, page.rows[a][b] if b < len(page.rows[a]) else "")
    for r, row in enumerate(page.rows):
        for c, cell in enumerate(row):
            if (r, c) in inside or cell == "":
                continue
            if isinstance(cell, dt.date):
                origin = dt.date(1904, 1, 1) if book.dates_1904 else dt.date(1899, 12, 30)
                sheet.write(r, c, (cell - origin).days, day)
            else:
                sheet.write(r, c, cell)
    for row in page.hidden:
        sheet.row(row).hidden = True
    book.save(str(path))


def at(cell: str) -> tuple[int, int]:
    """Give row and column of a cell that is named as in a spreadsheet."""
    return xl_cell_to_rowcol(cell)
