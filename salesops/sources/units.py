"""Units of money and shares in column heads, titles and values."""

import re
from typing import Literal, get_args

Unit = Literal["one", "cents", "k", "wan", "million", "yi", "micros", "percent", "minus"]
FACTORS: dict[str, float] = {"one": 1, "cents": 0.01, "k": 1000, "wan": 10_000, "million": 10**6,
                             "yi": 10**8, "micros": 1e-6, "percent": 0.01, "minus": -1}  # fmt: skip
assert set(FACTORS) == set(get_args(Unit))

_MONEY = "元|块|人民币|美元|欧元|港元|港币|日元|RMB|CNY|USD|EUR|HKD|¥|￥|\\$|€"
_SCALES: dict[str, Unit] = {"百万": "million", "亿": "yi", "万": "wan", "千": "k", "k": "k",
                            "K": "k", "M": "million", "mn": "million"}  # fmt: skip
_SCALE = "|".join(_SCALES)
# `万元`, `k`, `USD k`, `元`: a scale, a currency, or both.
_UNIT = rf"(?:(?:{_MONEY})\s*)?(?P<scale>{_SCALE})?\s*(?P<money>{_MONEY})?"
_PLAIN = rf"(?:{_MONEY})"
_BRACKETS = re.compile(
    rf"[(（\[【]\s*(?:单位\s*[:：]?\s*|in\s+)?(?:(?P<percent>[%％])|(?P<unit>{_UNIT}|{_PLAIN}))\s*[)）\]】]"
)
_BEHIND = re.compile(
    r"(?P<percent>[%％])$|[\s/_-](?P<unit>万元|万|亿元|亿|千元|元|[kK])$"
    r"|(?P<word>万元|亿元|千元)$"
)
_TITLE = re.compile(rf"(?:单位|金额单位|[Uu]nit|[Cc]urrency)\s*[:：]\s*(?P<unit>{_UNIT})")


def unit_of_head(head: str) -> Unit | None:
    """Name the unit that a head says; none where it says none.

    Examples
    --------
    >>> [unit_of_head(h) for h in ("合同额(万元)", "Amount (k)", "毛利率%", "金额（元）", "阶段")]
    ['wan', 'k', 'percent', 'one', None]
    >>> unit_of_head("万科项目"), unit_of_head("回款/万元"), unit_of_head("Amount (USD)")
    (None, 'wan', None)
    """
    head = head.strip()
    found = _BRACKETS.search(head) or _BEHIND.search(head)
    if found is None:
        return None
    told = found.groupdict()
    if told.get("percent"):
        return "percent"
    unit = (told.get("unit") or told.get("word") or "").strip()
    # A currency alone, such as CNY, leaves the unit to the title of the sheet.
    return None if re.fullmatch(r"[A-Z]{3}|[¥￥$€]", unit) else _scale(unit)


def unit_behind(text: str) -> Unit | None:
    """Name the unit that a cell shows behind its number; none where it shows none.

    Examples
    --------
    >>> unit_behind("万元"), unit_behind(" k"), unit_behind("元"), unit_behind("台")
    ('wan', 'k', 'one', None)
    """
    found = re.fullmatch(_UNIT, text.strip())
    if found is None or not text.strip() or re.fullmatch(r"[A-Z]{3}|[¥￥$€]", text.strip()):
        return None
    return _scale(text.strip())


def unit_of_title(text: str) -> Unit | None:
    """Name the unit that a title gives to all money of a sheet, such as `单位：万元`.

    Examples
    --------
    >>> unit_of_title("2026年台账 单位：万元"), unit_of_title("Unit: USD k")
    ('wan', 'k')
    """
    found = _TITLE.search(text) or _BRACKETS.search(text)
    return _scale((found["unit"] or "").strip()) if found else None


def _scale(text: str) -> Unit | None:
    if not text:
        return None
    # The longest first, so that 百万 is not 万.
    return next((_SCALES[s] for s in _SCALES if s in text and not _inside_word(s, text)), "one")


def _inside_word(scale: str, text: str) -> bool:
    """Say whether a letter is part of a currency's name: the M of RMB is no million."""
    return scale.isascii() and scale not in re.findall(r"(?<![A-Za-z])[A-Za-z]+(?![A-Za-z])", text)
