"""What people write into the cells of a register, as values: dates, numbers, words, texts."""

import datetime as dt
import math
import re
from collections.abc import Iterable
from typing import Literal, TypeAlias

Order: TypeAlias = Literal["day", "month", "unknown", "both"]

KINDS: dict[str, tuple[str, ...]] = {
    "action": ("action", "task", "行动", "措施", "任务"),
    "snag": ("snag", "problem", "obstacle", "问题", "障碍", "卡点"),
    "decision": ("decision", "决定", "决策", "决议"),
}
STATUSES: dict[str, tuple[str, ...]] = {
    "open": ("open", "in progress", "ongoing", "to do", "进行中", "未完成", "未开始", "待办"),
    "done": ("done", "completed", "complete", "finished", "完成", "已完成"),
    "late": ("late", "overdue", "逾期", "已逾期"),
    "dropped": ("dropped", "cancelled", "canceled", "abandoned", "作废", "已作废", "放弃",
                "已放弃", "取消", "已取消"),
}  # fmt: skip
# In Chinese registers the first Chinese word is written.
_CHINESE = {"action": "行动", "snag": "问题", "decision": "决定", "open": "进行中", "done": "完成",
            "late": "逾期", "dropped": "作废"}  # fmt: skip
_YEAR_FIRST = re.compile(
    r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})(?:\s*日)?(?P<time>.*)"
)
_YEAR_LAST = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})(?P<time>.*)")
_TIME = re.compile(
    r"(?:[T\s]\s*(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,6})\d*)?)?\s*(AM|PM)?"
    r"\s*(Z|UTC|[+-]\d{2}:?\d{2})?)?", re.IGNORECASE,
)  # fmt: skip
_SERIAL = re.compile(r"(\d{5})(\.\d+)?")
_GROUPED = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d+)?")
_EITHER = re.compile(r"[+-]?[1-9]\d{0,2}([.,]\d{3})+")
_COMMA = re.compile(r"[+-]?\d+,\d+")
_PLAIN = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)
# Excel counts days from here, a leap day that 1900 did not have included.
_EPOCH = dt.date(1899, 12, 30)
# What a spreadsheet takes for the begin of a formula, also in the width of Chinese characters.
_FORMULA = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")


class Unclear(ValueError):
    """A cell can't be read; the text says why."""


def order_of(texts: Iterable[str]) -> Order:
    """Does a column that writes the year last write the day or the month first?

    Parameters
    ----------
    texts
        All cells of the column.

    Returns
    -------
    str
        `day` or `month` where a number above 12 tells it, `both` where cells contradict each
        other, else `unknown`.

    Examples
    --------
    >>> order_of(["3/5/2026", "3/25/2026"]), order_of(["3/5/2026"])
    ('month', 'unknown')
    """
    told = set()
    for text in texts:
        found = _YEAR_LAST.fullmatch(text.strip())
        if found:
            first, second = int(found[1]), int(found[2])
            told |= {"day"} if second <= 12 < first else set()
            told |= {"month"} if first <= 12 < second else set()
    if len(told) > 1:
        return "both"
    return "day" if "day" in told else "month" if told else "unknown"


def day_of(text: str, order: Order) -> dt.date:
    """Read a day, whatever time stands behind it.

    Raises
    ------
    Unclear
        It is no date, or could be two.

    Examples
    --------
    >>> [str(day_of(t, "unknown")) for t in ("2026/3/5", "2026年3月5日", "46086", "5/5/2026")]
    ['2026-03-05', '2026-03-05', '2026-03-05', '2026-05-05']
    """
    found = moment_of(text, order)
    return found.date() if isinstance(found, dt.datetime) else found


def moment_of(text: str, order: Order) -> dt.date | dt.datetime:
    """Read a day, or an instant, which is in UTC, where a time stands behind it.

    Raises
    ------
    Unclear
        It is no date, or could be two.

    Examples
    --------
    >>> moment_of("2026/3/5 9:30", "unknown"), moment_of("2026-03-05T09:30:00+08:00", "unknown")
    (datetime.datetime(2026, 3, 5, 9, 30), datetime.datetime(2026, 3, 5, 1, 30))
    """
    text = text.strip()
    serial = _SERIAL.fullmatch(text)
    if serial and 20_000 <= int(serial[1]) <= 80_000:
        day = _EPOCH + dt.timedelta(days=int(serial[1]))
        seconds = round(float(serial[2] or 0) * 86_400)
        if not seconds:
            return day
        return dt.datetime.combine(day, dt.time.min) + dt.timedelta(seconds=seconds)
    first, last = _YEAR_FIRST.fullmatch(text), _YEAR_LAST.fullmatch(text)
    if first:
        year, month, day_ = (int(first[n]) for n in (1, 2, 3))
        return _with_time(year, month, day_, first["time"])
    if last:
        one, other, year = (int(last[n]) for n in (1, 2, 3))
        if order == "both":
            raise Unclear("is no clear date: others of this column put day and month otherwise; "
                          "write 2026-03-05")  # fmt: skip
        if order == "unknown" and one != other:
            raise Unclear("could be two dates, day or month first; write 2026-03-05")
        month, day_ = (other, one) if order == "day" else (one, other)
        return _with_time(year, month, day_, last["time"])
    raise Unclear("is no date; write 2026-03-05")


def _with_time(year: int, month: int, day: int, time: str) -> dt.date | dt.datetime:
    found = _TIME.fullmatch(time.rstrip())
    try:
        whole = dt.date(year, month, day)
        if found is None or not 1900 <= year < 2200:
            raise ValueError
        if found[1] is None:
            return whole
        hour = int(found[1])
        if found[5]:
            hour = hour % 12 + (12 if found[5].upper() == "PM" else 0)
        micro = int((found[4] or "0").ljust(6, "0"))
        clock = dt.time(hour, int(found[2]), int(found[3] or 0), micro)
        return dt.datetime.combine(whole, clock) - _offset(found[6])
    except (ValueError, OverflowError) as error:
        raise Unclear("is no date; write 2026-03-05") from error


def _offset(text: str | None) -> dt.timedelta:
    if not text or text.upper() in ("Z", "UTC"):
        return dt.timedelta()
    hours, minutes = int(text[1:3]), int(text[-2:])
    return dt.timedelta(hours=hours, minutes=minutes) * (-1 if text[0] == "-" else 1)


def number_of(text: str, separator: str) -> float:
    """Read a number; of a file with semicolons a comma may be the decimal sign.

    Raises
    ------
    Unclear
        It is no number, or could be two.

    Examples
    --------
    >>> number_of("2.5%", ","), number_of("1,200.50", ","), number_of("0,025", ";")
    (0.025, 1200.5, 0.025)
    """
    bare = text.strip().replace("％", "%").replace("−", "-")
    percent = bare.endswith("%")
    bare = bare.removesuffix("%").strip()
    if separator == ";" and _EITHER.fullmatch(bare):
        raise Unclear("could be two numbers, thousands or a fraction; write 1200 or 1.2")
    if _GROUPED.fullmatch(bare):
        bare = bare.replace(",", "")
    elif separator == ";" and _COMMA.fullmatch(bare):
        bare = bare.replace(",", ".")
    if not _PLAIN.fullmatch(bare):
        raise Unclear("is no number; write 0.025, 2.5% or 120000")
    # By the exponent, not by a division, so that 2.5% is the float 0.025.
    value = float(_hundredth(bare) if percent else bare)
    if not math.isfinite(value):
        raise Unclear("is no number; write 0.025, 2.5% or 120000")
    return value


def _hundredth(text: str) -> str:
    base, _e, power = text.lower().partition("e")
    return f"{base}e{int(power or 0) - 2}"


def word_of(text: str, words: dict[str, tuple[str, ...]]) -> str | None:
    """Give the canonical word for one in either language; None where it is none of them.

    Examples
    --------
    >>> word_of("已完成", STATUSES), word_of("In Progress", STATUSES), word_of("soon", STATUSES)
    ('done', 'open', None)
    """
    said = " ".join(text.lower().replace("_", " ").split())
    return next((word for word, known in words.items() if said in known), None)


def told_word(word: str, head: str) -> str:
    """Write a kind or status in the language of its column's head.

    Examples
    --------
    >>> told_word("done", "状态"), told_word("done", "status")
    ('完成', 'done')
    """
    return _CHINESE.get(word, word) if not head.isascii() else word


def plain_text(text: str) -> str:
    """Read a text; a quote by which it is kept from being a formula is not part of it.

    Examples
    --------
    >>> plain_text("'=1+1"), plain_text("it's late")
    ('=1+1', "it's late")
    """
    bare = text.strip()
    return bare[1:] if bare.startswith("'") and _FORMULA.match(bare) else bare


def safe_text(text: str) -> str:
    """Write a text so that no spreadsheet takes it for a formula; `plain_text` reads it back.

    Examples
    --------
    >>> safe_text("=1+1"), safe_text("A-1")
    ("'=1+1", 'A-1')
    """
    return f"'{text}" if _FORMULA.match(text) else text


def number_text(value: float) -> str:
    """Write a number that reads back as the same.

    Examples
    --------
    >>> number_text(0.025), number_text(120000.0)
    ('0.025', '120000')
    """
    return f"{value:.0f}" if value == int(value) and abs(value) < 1e15 else repr(float(value))
