"""Numbers as people write them: digits, groups, decimal signs, currencies, units behind."""

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

# Full-width digits and signs, and signs that look like a minus, as plain ones.
WIDE = str.maketrans(
    "０１２３４５６７８９，．－（）％：／＋−–ＥｅＫｋＭ", "0123456789,.-()%:/+--EeKkM"
)
_SCALES = {"百万": 10**6, "万": 10**4, "亿": 10**8, "千": 10**3, "k": 10**3, "K": 10**3,
           "M": 10**6, "mn": 10**6}  # fmt: skip
_CURRENCIES = {"¥": "CNY", "￥": "CNY", "rmb": "CNY", "cny": "CNY", "元": "CNY", "人民币": "CNY",
               "us$": "USD", "$": "USD", "usd": "USD", "美元": "USD", "€": "EUR", "eur": "EUR",
               "欧元": "EUR", "£": "GBP", "gbp": "GBP", "hk$": "HKD", "hkd": "HKD", "港元": "HKD",
               "jpy": "JPY", "日元": "JPY"}  # fmt: skip
# What signs stand for elsewhere; what has letters of its own is one currency.
_SHARED: dict[str, tuple[str, ...]] = {
    "¥": ("JPY",), "￥": ("JPY",), "$": ("HKD", "TWD", "SGD", "CAD", "AUD"), "元": ("HKD", "TWD"),
}  # fmt: skip
_SIGNS = "|".join(sorted(map(re.escape, _CURRENCIES), key=len, reverse=True))
_FORM = re.compile(
    rf"(?P<open>\()?\s*(?P<sign>[-+△])?\s*(?P<before>{_SIGNS})?\s*(?P<sign2>[-+])?"
    rf"(?P<digits>\d[\d,.' \u00a0\u202f]*(?:[eE][+-]?\d+)?|\.\d+)\s*"
    rf"(?P<scale>{'|'.join(_SCALES)})?\s*(?P<after>{_SIGNS})?\s*(?P<percent>%)?\s*(?P<close>\))?",
    re.IGNORECASE,
)
_GROUPED = re.compile(r"\d{1,3}(?:,\d{3})+|\d{1,2}(?:,\d{2})+,\d{3}")
_COMMA = re.compile(r"\d{1,3}(?:\.\d{3})+,\d+|\d+,\d{1,2}")
_POINT = re.compile(
    r"(?:\d{1,3}(?:,\d{3})+|\d{1,2}(?:,\d{2})+,\d{3})\.\d*|\d+\.\d{1,2}|\d+\.\d{4,}"
)


@dataclass(frozen=True, kw_only=True)
class Number:
    """A number as it was written: its value, whether a unit or a currency stands with it."""

    value: Decimal
    scaled: bool = False
    percent: bool = False
    currency: str = ""


class Unclear(ValueError):
    """A text is a number that can be read in two ways, or that lost digits."""


def read_number(text: str, decimal: str = "", *, points_sure: bool = True) -> Number | None:
    """Read one number; none where it is none.

    Parameters
    ----------
    text
        As it was written.
    decimal
        The decimal sign, where it is known.
    points_sure
        Whether a comma before three digits groups them, as it does where no decimal comma is used.

    Raises
    ------
    Unclear
        It can be read in two ways, or shows that it lost digits.

    Examples
    --------
    >>> [str(read_number(t).value) for t in ("１，２３４.５", "12.5万", "¥3亿元", "(20)", "25%")]
    ['1234.5', '125000.0', '300000000', '-20', '0.25']
    >>> str(read_number("1.234,50", decimal=",").value), read_number("约12万")
    ('1234.50', None)
    """
    found = _FORM.fullmatch(text.translate(WIDE).strip())
    if found is None or bool(found["open"]) != bool(found["close"]):
        return None
    if (found["sign"] and found["sign2"]) or (found["open"] and (found["sign"] or found["sign2"])):
        return None
    digits = _digits(found["digits"].strip(), decimal, points_sure)
    if digits is None:
        return None
    try:
        value = Decimal(digits)
    except InvalidOperation:
        return None
    if found["scale"]:
        scale = found["scale"]
        if scale == "m":
            raise Unclear("can be thousands or millions; write k or M")
        value *= _SCALES.get(scale) or _SCALES[scale.lower()]
    if found["percent"]:
        value /= 100
    negative = (
        found["open"] or "-" in (found["sign"] or found["sign2"] or "") or (found["sign"] == "△")
    )
    currency = (found["before"] or found["after"] or "").lower()
    behind = (found["after"] or "").lower()
    if found["before"] and behind and _CURRENCIES[behind] != _CURRENCIES[currency]:
        return None
    return Number(value=-value if negative else value, percent=bool(found["percent"]),
                  scaled=bool(found["scale"]) or behind == "元",
                  currency=_CURRENCIES.get(currency, ""))  # fmt: skip


def currencies_beside(text: str) -> tuple[str, ...]:
    """List the currencies that the sign beside a number can stand for, the usual one first.

    Examples
    --------
    >>> currencies_beside("€1.234,50"), currencies_beside("¥5"), currencies_beside("12万")
    (('EUR',), ('CNY', 'JPY'), ())
    """
    found = _FORM.fullmatch(text.translate(WIDE).strip())
    sign = (found["before"] or found["after"] or "").lower() if found else ""
    return (_CURRENCIES[sign], *_SHARED.get(sign, ())) if sign else ()


def _digits(text: str, decimal: str, points_sure: bool) -> str | None:
    if re.search(r"[eE]\+", text):
        # So Excel shows a number that is too long for its cell, and so it saves it.
        raise Unclear("lost its digits in Excel; export it again as text")
    plain = re.sub(r"(?<=\d)[' \u00a0\u202f](?=\d{3}(?!\d))", "", text)
    if re.search(r"[' \u00a0\u202f]", plain):
        return None
    if decimal == ",":
        if not re.fullmatch(r"(?:\d+|\d{1,3}(?:\.\d{3})+)(?:,\d*)?", plain):
            return None
        return plain.replace(".", "").replace(",", ".")
    if "," not in plain:
        if not points_sure and decimal != "." and re.fullmatch(r"\d{1,3}\.\d{3}", plain):
            raise Unclear('can have a decimal point or groups of three; say decimal = "." or '
                          '"," in the mapping')  # fmt: skip
        return plain
    whole, point, rest = plain.partition(".")
    if _GROUPED.fullmatch(whole) and "," not in rest:
        if not point and not points_sure and decimal != ".":
            raise Unclear('can have a decimal comma or groups of three; say decimal = "," or '
                          '"." in the mapping')  # fmt: skip
        return whole.replace(",", "") + point + rest
    if _COMMA.fullmatch(plain):
        raise Unclear('is written with a decimal comma; say decimal = "," in the mapping')
    return None


def decimal_sign(texts: list[str]) -> str:
    """Tell the decimal sign of a column by its values; empty where they do not tell.

    Examples
    --------
    >>> decimal_sign(["1.234,50", "7,5"]), decimal_sign(["12.50", "3"]), decimal_sign(["1,234"])
    (',', '.', '')
    """
    plain = [re.sub(r"[^\d.,]", "", t.translate(WIDE)) for t in texts]
    commas = any(_COMMA.fullmatch(t) for t in plain)
    points = any(_POINT.fullmatch(t) for t in plain)
    return "" if commas == points else "," if commas else "."


def number_of(text: str, decimal: str = "") -> Decimal | None:
    """Give the number of a text, none where it is none or unclear."""
    try:
        found = read_number(text, decimal)
    except Unclear:
        return None
    return None if found is None else found.value
