"""Single cells of target sheets: months, years, amounts and units as people write them."""

import datetime as dt
import re
import unicodedata
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

_ZH = {"一": 1, "二": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9, "十": 10,
       "十一": 11, "十二": 12}  # fmt: skip
_EN = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DATED = re.compile(r"^(20\d\d)\s*[-/.年]\s*(\d{1,2})(?:\s*[-/.月]\s*(?:1日?|01)?)?$")
_NUMBERED = re.compile(r"^(\d{1,2}|[一二三四五六七八九十]{1,3})\s*月份?$")
_YEAR = re.compile(r"(20\d\d)")
_QUARTER = re.compile(r"^(20\d\d)\s*年?\s*[-/]?\s*q?\s*([1-4])(?:\s*季度?)?$", re.IGNORECASE)
TOTALS = frozenset(
    {"合计", "总计", "小计", "全年", "年度合计", "年合计", "total", "sum", "year total"}
)
# Written in a head or behind a number -> what it multiplies by.
UNITS = {"亿元": 10**8, "亿": 10**8, "万元": 10**4, "万": 10**4, "千元": 10**3, "k": 10**3,
         "m": 10**6}  # fmt: skip


def plain(value: Any) -> str:
    """Give a cell as text: full-width signs made half, spaces around taken away.

    Examples
    --------
    >>> plain("１２，０００ ")
    '12,000'
    """
    if value is None:
        return ""
    if isinstance(value, dt.datetime | dt.date):
        return f"{value:%Y-%m-%d}"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return unicodedata.normalize("NFKC", str(value)).strip()


def month_of(value: Any) -> tuple[int | None, int] | None:
    """Read a month label: its year, where it names one, and its number.

    Examples
    --------
    >>> month_of("十二月"), month_of("3月"), month_of("2027-03"), month_of("Sept."), month_of("Q1")
    ((None, 12), (None, 3), (2027, 3), (None, 9), None)
    """
    if isinstance(value, dt.datetime | dt.date):
        return value.year, value.month
    text = plain(value)
    dated = _DATED.match(text)
    if dated:
        return _within(int(dated[2]), int(dated[1]))
    numbered = _NUMBERED.match(text)
    if numbered:
        told = numbered[1]
        return _within(int(told) if told.isdigit() else _ZH.get(told, 0), None)
    word = text.lower().rstrip(".")
    if word.isalpha() and word[:3] in _EN and len(word) >= 3 and _is_month(word):
        return None, _EN.index(word[:3]) + 1
    return None


def _is_month(word: str) -> bool:
    whole = ("january", "february", "march", "april", "may", "june", "july", "august",
             "september", "october", "november", "december")  # fmt: skip
    return any(name.startswith(word) for name in whole) or word == "sept"


def _within(month: int, year: int | None) -> tuple[int | None, int] | None:
    return (year, month) if 1 <= month <= 12 else None


def year_of(value: Any) -> int | None:
    """Find a year in a cell, such as that of a title; null where it names none or several.

    Examples
    --------
    >>> year_of("2027年度销售目标"), year_of("2026-2027")
    (2027, None)
    """
    found = set(_YEAR.findall(plain(value)))
    return int(found.pop()) if len(found) == 1 else None


def months_of_period(text: str) -> list[str] | None:
    """Give the months of a month, quarter or year as it is written; null for anything else.

    Examples
    --------
    >>> months_of_period("2026Q1"), months_of_period("2026-3"), months_of_period("soon")
    (['2026-01', '2026-02', '2026-03'], ['2026-03'], None)
    """
    told = plain(text)
    dated = month_of(told)
    if dated is not None and dated[0] is not None:
        return [f"{dated[0]}-{dated[1]:02d}"]
    quarter = _QUARTER.match(told)
    if quarter:
        first = 3 * int(quarter[2]) - 2
        return [f"{quarter[1]}-{first + k:02d}" for k in range(3)]
    if re.fullmatch(r"20\d\d年?", told):
        return [f"{told[:4]}-{m:02d}" for m in range(1, 13)]
    return None


def unit_of(text: str) -> int:
    """Give what a head such as `目标（万元）` multiplies amounts by; 1 where it names no unit.

    Examples
    --------
    >>> unit_of("目标(万元)"), unit_of("Target"), unit_of("单位：千元")
    (10000, 1, 1000)
    """
    for name in ("亿元", "万元", "千元", "亿", "万"):
        if name in text:
            return UNITS[name]
    return 1


def cents_of(value: Any, unit: int) -> int | None:
    """Read an amount as whole cents; null for an empty cell.

    Raises
    ------
    ValueError
        It is no amount.

    Examples
    --------
    >>> cents_of("1,234.5", 1), cents_of("¥12万", 1), cents_of(3.2, 10_000), cents_of("-", 1)
    (123450, 12000000, 3200000, None)
    """
    if value is None or isinstance(value, bool):
        return None
    text = plain(value if not isinstance(value, float) else repr(value))
    text = text.replace(",", "").replace(" ", "").lstrip("¥$€￥").removesuffix("元")
    if text in ("", "-", "—", "/", "nan"):
        return None
    for name, factor in UNITS.items():
        if text.lower().endswith(name.removesuffix("元")):
            text, unit = text[: -len(name.removesuffix("元"))], factor
            break
    try:
        amount = Decimal(text) * unit * 100
    except InvalidOperation as error:
        raise ValueError(f"{value!r} is no amount") from error
    if not amount.is_finite():
        raise ValueError(f"{value!r} is no amount")
    return int(amount.quantize(Decimal(1), rounding=ROUND_HALF_UP))
