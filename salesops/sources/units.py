"""Units of money and shares in column heads, titles and values."""

import re
import unicodedata
from typing import Literal, get_args

from salesops.sources.currencies import code_of, currencies_in

Unit = Literal["one", "cents", "k", "wan", "million", "yi", "micros", "percent", "minus"]
FACTORS: dict[str, float] = {"one": 1, "cents": 0.01, "k": 1000, "wan": 10_000, "million": 10**6,
                             "yi": 10**8, "micros": 1e-6, "percent": 0.01, "minus": -1}  # fmt: skip
assert set(FACTORS) == set(get_args(Unit))

_SCALES: dict[str, Unit] = {
    "百万": "million", "亿": "yi", "万": "wan", "千": "k", "k": "k", "K": "k", "'000": "k",
    "000": "k", "'000s": "k", "000s": "k", "thousand": "k", "thousands": "k", "tsd": "k",
    "M": "million", "MM": "million", "mn": "million", "mio": "million", "million": "million",
    "millions": "million",
}  # fmt: skip
_SCALE = "|".join(sorted(map(re.escape, _SCALES), key=len, reverse=True))
# A yuan or a dollar is a unit, too; what is a currency alone leaves the unit to the title.
_COUNTED = r"[^\s\d十百千万亿]{0,4}元|块"
_MONEY = (rf"{_COUNTED}|[^\s\d十百千万亿元]{{1,4}}币|英镑|円|[A-Z]{{3}}"
          r"|(?:US|HK|NT|SG|CA?|AU?|S)?\$|[¥€£]")  # fmt: skip
_PIECE = re.compile(
    rf"(?P<before>{_MONEY})?(?:(?P<scale>{_SCALE})(?P<after>{_MONEY})?(?P<more>{_MONEY})?)?"
)
# As German ledgers write a thousand euros.
_TEUR = {"TEUR": "kEUR", "T€": "k€"}
_APART = re.compile(r"[\s,、;/:|·_*-]+")
_BRACKETS = re.compile(r"[(\[【]([^()\[\]【】]*)[)\]】]")
_SILENT = {"单位", "金额单位", "货币单位", "in", "of", "unit", "currency"}
_BEHIND = re.compile(
    r"(?:(?<=[\s/_:,-])(?P<apart>(?!(?:M|0+)$)\S+?)"
    rf"|(?P<joined>(?:百万|(?<![十百千万])[万亿千])(?:{_COUNTED}))"
    r"|(?P<percent>%))$"
)
_IN = re.compile(r"\bin (?=(?P<word>\S+)(?P<next> \S+)?)", re.IGNORECASE)
_MARKED = re.compile(r"(?:单位|[Uu]nit|[Cc]urrency)\s*:\s*|单位\s+(?=\S*[万亿千元])")
# What may say that numbers are thousands or more, in the head or the title of money.
_BIG = r"[十百千万亿](?:[^\s()]{0,4}(?:[元币镑円])|[)\],;/\s]|$)"
_HINT = re.compile(
    rf"{_BIG}|\b0{{3}}s?\b|\b(?:thousands?|[mb]illions?|lakhs?|crores?|tsd|mio|mrd|bn|mn|mm)\b"
    r"|[(\[\s_/$€£¥-](?:[mbkw]|cr|mil)[)\]]?$|[(\[](?:[mbkw]|cr|mil)[)\]]"
    r"|\b[kmb](?:usd|eur|gbp|cny|rmb)\b", re.IGNORECASE)  # fmt: skip
_TITLED_HINT = re.compile(
    rf"(?:^|[^\u4e00-\u9fff]|金额|货币|数据)单位\s*:?\s*[^:]*{_BIG}"
    r"|\b(?:in|unit\s*:)\s*(?:[A-Z$€£¥]{1,3}\s?)?"
    r"(?:thousand|[mb]illion|lakh|crore|'?0{3}|[mb]n?\b)", re.IGNORECASE)  # fmt: skip


def unit_of_head(head: str) -> Unit | None:
    """Name the unit that a head says; none where it says none, or where it says it unclearly.

    Examples
    --------
    >>> [unit_of_head(h) for h in ("合同额(万元)", "Amount (k)", "毛利率%", "金额（元）", "阶段")]
    ['wan', 'k', 'percent', 'one', None]
    >>> unit_of_head("万科项目"), unit_of_head("回款/万元"), unit_of_head("Amount (USD)")
    (None, 'wan', None)
    """
    head = _plain(head)
    said = [unit for content in _BRACKETS.findall(head) for unit in _units(content)]
    if not said and (found := _BEHIND.search(_BRACKETS.sub("", head).strip())) is not None:
        said = _units(found["apart"] or found["joined"] or found["percent"], strict=True)
    return _only(said or _units_in(head))


def unit_behind(text: str) -> Unit | None:
    """Name the unit that a cell shows behind its number; none where it shows none.

    Examples
    --------
    >>> unit_behind("万元"), unit_behind(" k"), unit_behind("元"), unit_behind("台")
    ('wan', 'k', 'one', None)
    """
    unit = _only(_units(_plain(text), strict=True))
    return None if unit == "percent" else unit


def unit_of_title(text: str) -> Unit | None:
    """Name the unit that a title gives to all money of a sheet, such as `单位：万元`.

    Examples
    --------
    >>> unit_of_title("2026年台账 单位：万元"), unit_of_title("Unit: USD k")
    ('wan', 'k')
    """
    text = _plain(text)
    said = [unit for content in _BRACKETS.findall(text) for unit in _units(content)]
    bare = _BRACKETS.sub(" ", text)
    for part in _MARKED.split(bare)[1:]:
        said += _units(part)
    return _only([unit for unit in said or _units_in(bare) if unit != "percent"])


def may_say_unit(head: str) -> bool:
    """Say whether the head of money may name a unit that is not understood.

    Examples
    --------
    >>> [may_say_unit(h) for h in ("合同额(千万元)", "Amount (m)", "Amount (k)", "Amount", "金额")]
    [True, True, False, False, False]
    """
    return unit_of_head(head) is None and bool(_HINT.search(_plain(head)))


def may_title_unit(text: str) -> bool:
    """Say whether a title may give a unit that is not understood.

    Examples
    --------
    >>> may_title_unit("单位：千万元"), may_title_unit("单位：万元"), may_title_unit("2026年台账")
    (True, False, False)
    """
    return unit_of_title(text) is None and bool(_TITLED_HINT.search(_plain(text)))


def _plain(text: str) -> str:
    """Give full-width signs and old characters as the usual ones."""
    wide = unicodedata.normalize("NFKC", text).translate(str.maketrans("萬億圓’‘", "万亿元''"))
    return wide.strip()


def _units_in(text: str) -> list[Unit]:
    """List the units of phrases such as `in USD thousands`."""
    found: list[Unit] = []
    for phrase in _IN.finditer(text):
        word, following = phrase["word"], phrase["next"] or ""
        found += _units(word + following, strict=True) or _units(word, strict=True)
    return found


def _only(said: list[Unit]) -> Unit | None:
    """Give the one unit that is said; 元 beside 万 says nothing else."""
    told = set(said) - {"one"} or set(said)
    return told.pop() if len(told) == 1 else None


def _units(text: str, *, strict: bool = False) -> list[Unit]:
    """List the units in a text of several words.

    Letters such as k are one only where nothing else stands there but currencies; where it is
    `strict` so is every unit.
    """
    found: list[Unit] = []
    is_letter = is_strange = False
    for word in (part.rstrip(".") for part in _APART.split(text.strip())):
        if not word or word.lower() in _SILENT:
            continue
        if word == "%":
            found.append("percent")
            continue
        match = _PIECE.fullmatch(_TEUR.get(word, word)) or _PIECE.fullmatch(word.lower())
        if match is None or not all(map(_is_money, match.group("before", "after", "more"))):
            is_strange = True
        elif match["scale"]:
            found.append(_SCALES[match["scale"]])
            is_letter |= match["scale"].isascii()
        elif re.fullmatch(_COUNTED, match["before"] or ""):
            found.append("one")
    return [] if is_strange and (is_letter or strict) else found


def _is_money(text: str | None) -> bool:
    return text is None or text == "块" or bool(code_of(text) or currencies_in(text))
