"""Numbers, money and dates as a reader of a report expects them.

Chinese money is in 万元 with one decimal, from 1亿 on in 亿元 with two; English in k and m. A
little is never shown as nothing, nor nearly all as everything; null is a dash.
"""

import datetime as dt
import math
import re
from collections.abc import Iterable
from functools import cache

from babel.numbers import format_decimal, get_currency_symbol

from salesops.model.calendar import Period
from salesops.wording.language import current_language, current_settings

NULL = "—"
MINUS = "−"
# What turns the text after it round, or is not seen at all.
_TURNS = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff"
_IN_NAMES = re.compile(f"[\x00-\x1f\x7f-\x9f{_TURNS}]+")
# A sentence within a sentence has its numbers marked by the first two.
_IN_TEXTS = re.compile(f"[\x00\x03-\x08\x0b-\x1f\x7f-\x9f{_TURNS}]+")
MOST_NAME, MOST_TEXT = 80, 1000


def plain(value: object) -> str:
    r"""Write a name in one line, without marks that turn it round or that no one sees.

    Examples
    --------
    >>> plain("North\n\u202eteam")
    'North team'
    """
    return _IN_NAMES.sub(" ", str(value)).strip() if _IN_NAMES.search(str(value)) else str(value)


def cut(text: str, most: int) -> str:
    """Cut a text that is longer than any of its kind.

    Examples
    --------
    >>> cut("Yuntuo", 80), cut("x" * 100, 5)
    ('Yuntuo', 'xxxx…')
    """
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def name(value: object) -> str:
    """Write the name of somebody or something, such as a customer, as people entered it."""
    return cut(plain(value), MOST_NAME)


def text(value: object) -> str:
    """Write words; a sentence stays whole."""
    return cut(_IN_TEXTS.sub(" ", str(value)), MOST_TEXT)


def _is_null(value: object) -> bool:
    # Not-a-number and pandas' not-a-time, which is a date, differ from themselves.
    return value is None or (isinstance(value, float | dt.date) and value != value)


def _signed(text: str, value: float, sign: bool) -> str:
    if not re.search("[1-9]", text):
        return text
    return (MINUS if value < 0 else "+" if sign else "") + text


def count(value: float | None) -> str:
    """Write a count with thousands separators.

    Examples
    --------
    >>> count(27300)
    '27,300'
    """
    if _is_null(value) or value is None:
        return NULL
    return _signed(format_decimal(abs(round(value)), format="#,##0", locale="en"), value, False)


def decimal(value: float | None, places: int = 1) -> str:
    """Write a number with a fixed number of decimals."""
    if _is_null(value) or value is None:
        return NULL
    return _signed(f"{abs(value):,.{places}f}", value, False)


def ratio(value: float | None) -> str:
    """Write a 0–1 ratio in whole per cent; below 10 % with one decimal.

    Examples
    --------
    >>> ratio(0.254), ratio(0.0213), ratio(0.0004), ratio(0.9997), ratio(None)
    ('25%', '2.1%', '< 0.1%', '> 99.9%', '—')
    """
    if _is_null(value) or value is None:
        return NULL
    if value < 0:
        return MINUS + ratio(-value)
    if 0 < value < 0.001:
        return "< 0.1%"
    if 0.999 < value < 1:
        return "> 99.9%"
    if 0.995 <= value < 1:
        return f"{math.floor(value * 1000) / 10:.1f}%"
    percent = value * 100
    if 0 < percent < 9.95:
        text = f"{percent:.1f}%"
        return text.replace(".0%", "%")
    return f"{percent:.0f}%"


def points(value: float | None, *, unit: bool = True, exact: bool = False) -> str:
    """Write a difference of two shares in percentage points, always with its sign.

    `exact` keeps one decimal below ten points, where half a point is part of what was meant.

    Examples
    --------
    >>> points(-0.09), points(0.025, exact=True)
    ('−9 pts', '+2.5 pts')
    """
    if _is_null(value) or value is None:
        return NULL
    size = abs(value * 100)
    whole = size == 0 or size >= (9.95 if exact else 0.95)
    text = f"{size:.0f}" if whole else f"{size:.1f}"
    text = _signed(text, value, True)
    if not unit:
        return text
    return text + ("点" if current_language() == "zh" else " pts")


def times(value: float | None) -> str:
    """Write a multiple with one decimal: 3.0倍, 3.0."""
    if _is_null(value) or value is None:
        return NULL
    return f"{value:,.1f}" + ("倍" if current_language() == "zh" else "x")


def multiple(value: float | None) -> str:
    """Write a multiple that is mostly whole: 2倍, 2x, 2.5x.

    Examples
    --------
    >>> multiple(2.0), multiple(2.5)
    ('2x', '2.5x')
    """
    text = times(value)
    return text.replace(".0", "") if value is not None and value == round(value, 0) else text


def days(value: float | None) -> str:
    """Write a length of time in days."""
    if _is_null(value) or value is None:
        return NULL
    shown = f"{value:,.0f}" if value >= 10 or value == round(value) else f"{value:,.1f}"
    if current_language() == "zh":
        return shown + "天"
    return shown + (" day" if shown == "1" else " days")


def hours(value: float | None) -> str:
    """Write a length of time in hours; from two days on in days.

    Examples
    --------
    >>> hours(0.5), hours(3.2), hours(60)
    ('30 min', '3.2 h', '2.5 days')
    """
    if _is_null(value) or value is None:
        return NULL
    chinese = current_language() == "zh"
    if abs(value) < 1:
        return f"{value * 60:,.0f}" + ("分钟" if chinese else " min")
    if abs(value) >= 48:
        return days(value / 24)
    return f"{value:,.1f}" + ("小时" if chinese else " h")


def money_per_day(value: float | None) -> str:
    """Write money per day."""
    if _is_null(value):
        return NULL
    return money(value) + ("/天" if current_language() == "zh" else " a day")


def symbol() -> str:
    """Give the company's currency symbol; nothing for yuan in Chinese, where the unit says it."""
    currency = current_settings().company.currency
    if current_language() == "zh" and currency == "CNY":
        return ""
    return _symbol(currency)


@cache
def _symbol(currency: str) -> str:
    """Look a symbol up once: an index of a year writes ten thousand amounts."""
    return str(get_currency_symbol(currency, locale="zh_CN" if currency == "CNY" else "en_US"))


def money_unit() -> str:
    """Name the unit of money on an axis or column head.

    Examples
    --------
    >>> money_unit()
    '¥'
    """
    if current_language() == "zh":
        currency = current_settings().company.currency
        return "万元" if currency == "CNY" else "万" + symbol()
    return symbol()


def money(value: float | None, *, unit: bool = True, sign: bool = False) -> str:
    """Write money: 318.4万元 or ¥3.18m.

    Parameters
    ----------
    value
        Money in company currency; null is a dash.
    unit
        False leaves 元 or the symbol out, for table columns whose head names it.
    sign
        True writes a plus before gains.

    Examples
    --------
    >>> money(3_184_000), money(538_000), money(-460), money(0)
    ('¥3.18m', '¥538k', '−¥460', '¥0')
    """
    if _is_null(value) or value is None:
        return NULL
    size = abs(float(value))
    mark = symbol() if unit else ""
    if current_language() == "zh":
        yuan = current_settings().company.currency == "CNY"
        return _signed(mark + _chinese(size, unit=unit, yuan=yuan), value, sign)
    return _signed(mark + _english(size), value, sign)


def exact(value: float | None) -> str:
    """Write money to the cent, for pay and bills: ¥64,156.11 or 64,156.11元.

    Examples
    --------
    >>> exact(64156.114), exact(-5), exact(None)
    ('¥64,156.11', '−¥5.00', '—')
    """
    if _is_null(value) or value is None:
        return NULL
    text = f"{abs(float(value)):,.2f}"
    if current_language() == "zh" and current_settings().company.currency == "CNY":
        return _signed(f"{text}元", value, False)
    return _signed(symbol() + text, value, False)


def _chinese(size: float, *, unit: bool, yuan: bool) -> str:
    tail = "元" if unit and yuan else ""
    if size >= 99_995_000:
        return f"{size / 1e8:,.2f}亿{tail}"
    if 0 < size < 500:
        return f"{size:,.0f}元" if size >= 0.5 else f"{size:.2f}元"
    return f"{size / 1e4:,.1f}" + (f"万{tail}" if unit else "")


def _english(size: float) -> str:
    if size >= 999_500_000:
        return f"{size / 1e9:,.2f}bn"
    if size >= 999_500:
        return f"{size / 1e6:,.2f}m"
    if size >= 999.5:
        return f"{size / 1e3:,.0f}k"
    return f"{size:,.0f}" if size >= 0.5 or size == 0 else f"{size:.2f}"


def listed(values: Iterable[str]) -> str:
    """Write several things one after the other."""
    return ("、" if current_language() == "zh" else ", ").join(values)


def date(value: dt.date | None) -> str:
    """Write a day as 2026-06-20 in both languages."""
    return NULL if _is_null(value) or value is None else f"{value:%Y-%m-%d}"


def short_date(value: dt.date | None) -> str:
    """Write a day of the current year as 06-20."""
    return NULL if _is_null(value) or value is None else f"{value:%m-%d}"


_CHINESE_QUARTERS = "一二三四"


def period(value: Period) -> str:
    """Write a period: 2026年第二季度 or 2026 Q2.

    Examples
    --------
    >>> period(Period.parse("2026Q2"))
    '2026 Q2'
    """
    if current_language() == "zh":
        if value.months == 1:
            return f"{value.start.year}年{value.start.month}月"
        if value.months == 3:
            return f"{value.text[:4]}年第{_CHINESE_QUARTERS[int(value.text[-1]) - 1]}季度"
        return f"{value.text}年"
    if value.months == 1:
        return f"{value.start:%b %Y}"
    return value.text.replace("Q", " Q")
