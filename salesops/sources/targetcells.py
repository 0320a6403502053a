"""Single cells of target sheets: months, years, amounts and units as people write them."""

import datetime as dt
import re
import unicodedata
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from salesops.model.calendar import Period, months_of
from salesops.sources.units import FACTORS, unit_of_title

_ZH = {"一": 1, "二": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9, "十": 10,
       "十一": 11, "十二": 12}  # fmt: skip
_EN = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DATED = re.compile(r"^(20\d\d)\s*[-/.年]\s*(\d{1,2})(?:\s*[-/.月]\s*(?:1日?|01)?)?$")
_NUMBERED = re.compile(r"^(\d{1,2}|[一二三四五六七八九十]{1,3})\s*月份?$")
_YEAR = re.compile(r"(20\d\d)")
# As English Excel shows and saves a month: Mar-26, Mar 2026.
_WORDED = re.compile(r"^([a-z]{3,9})\.?(?:[\s\-/,]+(20\d\d|\d\d))?$", re.IGNORECASE)
# What may stand behind a month in a head.
_BEHIND = re.compile(r"\s*(?:\((?:[^()]*元|亿|万|目标|计划|任务)\)|目标|计划|任务)$")
# A unit is told in brackets, after 单位, or as a word; 万 alone is part of many a name.
_BIG = "[十百千]?[亿万]元|千元"
_UNIT = re.compile(
    rf"\(\s*(?:单位:?\s*)?(?:人民币)?\s*({_BIG}|[十百千]?[亿万]|元)\s*\)"
    rf"|单位:?\s*(?:人民币)?\s*({_BIG}|[十百千]?[亿万]|元)|(?<![\d.十百千])({_BIG})"
)
_TENS = {"十": 10, "百": 100, "千": 1000}
# What may be thousands in groups of three.
_GROUP = re.compile(r"[+-]?[1-9]\d{0,2}\.\d{3}", re.ASCII)
# Thousands in groups of three, or of four as in 万; a single comma may be a decimal point.
_NUMBER = re.compile(r"[+-]?(?:\d+|\d{1,3}(?:,\d{3})+|\d{1,4}(?:,\d{4})+)?(?:\.\d*)?(?:e[+-]?\d+)?",
                     re.IGNORECASE)  # fmt: skip
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
    >>> month_of("十二月"), month_of("3月（万元）"), month_of("2027-03"), month_of("Sept.")
    ((None, 12), (None, 3), (2027, 3), (None, 9))
    >>> month_of("Mar-26"), month_of("Q1")
    ((2026, 3), None)
    """
    if isinstance(value, dt.datetime | dt.date):
        return value.year, value.month
    text = _BEHIND.sub("", plain(value))
    dated = _DATED.match(text)
    if dated:
        return _within(int(dated[2]), int(dated[1]))
    numbered = _NUMBERED.match(text)
    if numbered:
        told = numbered[1]
        return _within(int(told) if told.isdigit() else _ZH.get(told, 0), None)
    worded = _WORDED.match(text)
    if worded and _is_month(worded[1].lower()):
        year = int(worded[2]) % 100 + 2000 if worded[2] else None
        return year, _EN.index(worded[1][:3].lower()) + 1
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


def months_of_period(text: str, first: int = 1) -> list[str] | None:
    """Give the months of a month, quarter or year as it is written; null for anything else.

    Parameters
    ----------
    text
        The period.
    first
        Month in which the fiscal year begins, to which quarters and years belong.

    Examples
    --------
    >>> months_of_period("2026Q1"), months_of_period("2026-3"), months_of_period("soon")
    (['2026-01', '2026-02', '2026-03'], ['2026-03'], None)
    >>> months_of_period("2026Q4", first=4)
    ['2027-01', '2027-02', '2027-03']
    """
    told = plain(text)
    dated = month_of(told)
    if dated is not None and dated[0] is not None:
        return [f"{dated[0]}-{dated[1]:02d}"]
    quarter = _QUARTER.match(told)
    year = re.fullmatch(r"(20\d\d)年?", told)
    if not quarter and not year:
        return None
    text = f"{quarter[1]}Q{quarter[2]}" if quarter else told[:4]
    return months_of(Period.parse(text, fiscal_year_starts=first))


def shared_over(cents: int, n: int) -> list[int]:
    """Share a longer period's amount over its months, the last cents to the first.

    Examples
    --------
    >>> shared_over(100, 3)
    [34, 33, 33]
    """
    each, rest = divmod(cents, n)
    return [each + (k < rest) for k in range(n)]


def unit_of(text: str) -> int | None:
    """Give what a head such as `目标（万元）` multiplies amounts by; null where it names no unit.

    Examples
    --------
    >>> unit_of("目标(万元)"), unit_of("Target"), unit_of("单位：千元"), unit_of("万达集团")
    (10000, None, 1000, None)
    >>> unit_of("目标(百万元)"), unit_of("Targets 2027 (USD k)")
    (1000000, 1000)
    """
    found = _UNIT.search(plain(text))
    if found is None:
        other = unit_of_title(text)
        return None if other is None else int(FACTORS[other])
    name = next(name for name in found.groups() if name)
    if name in UNITS or name == "元":
        return UNITS.get(name, 1)
    return _TENS[name[0]] * UNITS[name[1:]]


def cents_of(value: Any, unit: int) -> int | None:
    """Read an amount as whole cents; null for an empty cell.

    A unit behind the number counts instead of that of its column.

    Raises
    ------
    ValueError
        It is no amount.

    Examples
    --------
    >>> cents_of("1,234.5", 1), cents_of("¥12万", 1), cents_of(3.2, 10_000), cents_of("-", 1)
    (123450, 12000000, 3200000, None)
    >>> cents_of("120000元", 10_000)
    12000000
    """
    if value is None:
        return None
    text = plain(value if not isinstance(value, float) else repr(value))
    text = text.replace(" ", "").lstrip("¥$€￥")
    if text in ("", "-", "—", "/", "nan"):
        return None
    if text.startswith("="):
        raise ValueError(f"{text} was never calculated")
    for name, factor in {**UNITS, "元": 1}.items():
        if text.lower().endswith(name):
            text, unit = text[: -len(name)], factor
            break
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"{value!r} is no amount")
    if isinstance(value, str) and unit == 1 and _GROUP.fullmatch(text):
        raise ValueError(f"{value!r} can have a decimal point or groups of three")
    try:
        amount = Decimal(text.replace(",", "")) * unit * 100
    except InvalidOperation as error:
        raise ValueError(f"{value!r} is no amount") from error
    return int(amount.quantize(Decimal(1), rounding=ROUND_HALF_UP))
