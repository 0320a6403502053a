"""What the format of a cell adds to its number: per cent, a unit, a currency, fewer digits."""

import re
from dataclasses import dataclass
from functools import cache
from typing import Literal

from salesops.sources.currencies import currencies_in
from salesops.sources.units import Unit, unit_behind

# A format that shows thousandths or ten-thousandths of what is stored: `0.0,` and `0!.0,`.
_SCALING = re.compile(r'[0#?],+(?=[^0#?,]*(?:;|$))|0[!\\]\.0|0"\."[0#]')
_BRACKET = re.compile(r"\[\$([^\]-]*)(?:-([0-9A-Fa-f]+))?\]")
# The country of Japan, whose sign is that of China.
_JAPAN = "411"


@dataclass(frozen=True, kw_only=True)
class Shown:
    """How a number is shown.

    Attributes
    ----------
    scaled
        A part of what is stored is shown.
    percent
        A hundred times what is stored is shown.
    currency
        ISO code of the sign that stands with it, or empty.
    unit
        What stands behind it, such as 万; empty where nothing does, or where it is scaled.
    """

    scaled: bool = False
    percent: bool = False
    currency: str = ""
    unit: Unit | Literal[""] = ""

    @property
    def says_more(self) -> bool:
        """True where the number alone does not tell what people see."""
        return bool(self.currency or self.unit)


@cache
def shown_by(code: str) -> Shown:
    """Say what a format code adds to a number.

    Examples
    --------
    >>> shown_by('#,##0.00"万元"').unit, shown_by("[$$-409]#,##0").currency
    ('wan', 'USD')
    >>> shown_by('0!.0,"万"').scaled, shown_by("0.0%").percent, shown_by("General") == Shown()
    (True, True, True)
    """
    bare = re.sub(r'"[^"]*"(?!\.)', "", code)
    scaled = bool(_SCALING.search(code) or _SCALING.search(bare))
    first = code.partition(";")[0]
    signs = _BRACKET.findall(first)
    left = _BRACKET.sub("", first)
    words = re.findall(r'"([^"]*)"', left)
    left = re.sub(r'"[^"]*"', "", left)
    escaped = "".join(re.findall(r"[\\!](.)", left))
    plain = "".join(re.findall(r"[$¥￥€£元]", re.sub(r"[\\!].", "", left)))
    told = " ".join([*(sign for sign, _country in signs), *words, escaped, plain])
    codes = currencies_in(told)
    if codes == ["CNY"] and any(country.endswith(_JAPAN) for _sign, country in signs):
        codes = ["JPY"]
    units = [u for text in (*words, escaped) if (u := unit_behind(text))]
    return Shown(scaled=scaled, percent="%" in bare, currency=codes[0] if len(codes) == 1 else "",
                 unit=units[0] if units and not scaled else "")  # fmt: skip
