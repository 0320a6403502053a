"""Currencies as people write them: codes, signs, and names in both languages."""

import re
from functools import cache

from babel import Locale

# What is no name in the tables of languages.
_OTHERS = {
    "rmb": "CNY", "元": "CNY", "人民币元": "CNY", "¥": "CNY", "￥": "CNY", "cnh": "CNY",
    "yuan": "CNY", "us$": "USD", "$": "USD", "usd$": "USD", "美金": "USD", "dollar": "USD",
    "€": "EUR", "euros": "EUR", "£": "GBP", "hk$": "HKD", "港元": "HKD", "港币": "HKD",
    "港纸": "HKD", "日圆": "JPY", "円": "JPY", "台币": "TWD", "nt$": "TWD", "新币": "SGD",
    "加元": "CAD", "澳元": "AUD", "韩元": "KRW", "韩币": "KRW", "卢布": "RUB",
}  # fmt: skip

# A yuan is a 元 before which no other country stands; ¥ under Chinese heads is a yuan, too.
_SIGNS = {"CNY": r"[¥￥]|(?<![美欧港日韩加澳新])元|RMB|CNY|人民币", "USD": r"\$|USD|美[元金]",
          "EUR": r"€|EUR|欧元", "HKD": r"HK\$|HKD|港[元币]", "JPY": r"JPY|日[元圆]|円",
          "GBP": r"£|GBP|英镑", "KRW": r"KRW|韩[元币]", "TWD": r"NT\$|TWD|台币",
          "SGD": r"SGD|新元|新加坡元|新币|SG\$|(?<!U)S\$", "CAD": r"CAD|加元|CA?\$",
          "AUD": r"AUD|澳元|AU?\$"}  # fmt: skip

# The signs of other dollars hold that of America.
_DOLLARS = re.compile(r"(?:HK|NT|CA?|AU?|SG|(?<!U)S)\$")


@cache
def _codes() -> dict[str, str]:
    """Give the code of each name; of names that several codes share that of the first."""
    named = [(str(code), str(name)) for language in ("en", "zh")
             for code, name in Locale.parse(language).currencies.items()]  # fmt: skip
    found = {code.lower(): code for code, _name in named}
    for code, name in named:
        found.setdefault(name.lower(), code)
    return found | _OTHERS


def code_of(text: str) -> str | None:
    """Give the ISO code of a currency by its code, sign or name; none where it is none.

    Examples
    --------
    >>> [code_of(t) for t in ("usd", "人民币", "US Dollar", "€", "港元", "barrels")]
    ['USD', 'CNY', 'USD', 'EUR', 'HKD', None]
    """
    return _codes().get(" ".join(text.split()).lower())


def currencies_in(text: str) -> list[str]:
    """List the currencies whose signs or names stand in a text.

    Examples
    --------
    >>> [currencies_in(text) for text in ("金额(万美元)", "¥1,200", "HK$ 5", "5")]
    [['USD'], ['CNY'], ['HKD'], []]
    """
    bare = _DOLLARS.sub(" ", text)
    return [code for code, sign in _SIGNS.items()
            if re.search(sign, bare if code == "USD" else text)]  # fmt: skip
