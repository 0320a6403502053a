"""What the values of a column look like: numbers, days, addresses, and how they repeat."""

import re
from dataclasses import dataclass

import pandas as pd

from salesops.sources.wholesale import like

# Of a long column so many values are looked at; which of them is always the same.
_LOOKED_AT = 2_000
_WIDE = str.maketrans("０１２３４５６７８９，．－（）％：／", "0123456789,.-()%:/")
_NUMBER = re.compile(
    r"^[¥￥$€£]?\s*\(?[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:[eE][-+]?\d+)?\)?\s*"
    r"(?:%|万|万元|元|亿|亿元|千元|[kKmM])?$"
)
_DAY = re.compile(
    r"^(?:\d{4}[-/.年]\d{1,2}[-/.月]\d{1,2}日?|\d{1,2}[-/.]\d{1,2}[-/.](?:\d{4}|\d{2}))"
    r"(?:[ T]\d{1,2}:\d{2}.*)?$"
)
_PERHAPS_DAY = re.compile(
    r"^(?:(?:0?[1-9]|1[0-2])[-/.月](?:0?[1-9]|[12]\d|3[01])日?|[2-6]\d{4}(?:\.\d+)?)$"
)
_EPOCH = re.compile(r"^1[0-9]{9}(?:[0-9]{3})?$")
_SLASHED = re.compile(r"^(\d{1,2})([-/.])(\d{1,2})\2(\d{4}|\d{2})(?:\s|T|$)")
_EMAIL = re.compile(r"^[^@\s]+@[^@\s]+\.[^@\s]+$")
_PHONE = re.compile(r"^\+?[\d\s()-]{7,20}$")
_FLAG = re.compile(r"^(?:true|false|yes|no|0|1|y|n|是|否|t|f)$", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Profile:
    """What a column holds.

    Attributes
    ----------
    n, n_filled, n_distinct
        Rows, those with a text, and different texts.
    numbers, days, epochs, emails, phones, flags
        Shares of the texts that look like these, 0 to 1.
    perhaps_days
        Share of those that can be days under a head that says so: a month and a day such as 3.5, or
        days since 1900.
    samples
        Some of the texts.
    largest
        The largest number; None where there are none.
    common
        The different texts, the most frequent first; at most 60 of them.
    """

    n: int
    n_filled: int
    n_distinct: int
    numbers: float = 0.0
    days: float = 0.0
    epochs: float = 0.0
    emails: float = 0.0
    phones: float = 0.0
    flags: float = 0.0
    perhaps_days: float = 0.0
    samples: tuple[str, ...] = ()
    largest: float | None = None
    common: tuple[str, ...] = ()

    @property
    def is_unique(self) -> bool:
        """True where each row has a text of its own."""
        return 0 < self.n == self.n_filled == self.n_distinct

    @property
    def looks(self) -> str:
        """Name what most texts are, in a word."""
        if not self.n_filled:
            return "empty"
        shares = {"dates": self.days, "times in milliseconds or seconds": self.epochs,
                  "addresses": self.emails, "yes or no": self.flags,
                  "numbers": self.numbers}  # fmt: skip
        best = next((name for name, share in shares.items() if share >= 0.9), "")
        if best:
            return best
        if self.n_distinct <= 25 and self.n_distinct * 2 <= self.n_filled:
            return f"{self.n_distinct} different texts"
        return "texts"


def profile(texts: "pd.Series") -> Profile:
    """Describe a column of texts.

    Examples
    --------
    >>> found = profile(pd.Series(["2026-03-05", "2026年4月1日", "", "5/6/2026"]))
    >>> found.n_filled, found.days, found.looks
    (3, 1.0, 'dates')
    """
    filled = texts[texts.notna() & (texts != "")].astype(str)
    distinct = filled.value_counts()
    # By step, so that a column that is sorted is seen from its begin to its end.
    step = max(1, -(-len(filled) // _LOOKED_AT))
    looked = [text.strip().translate(_WIDE) for text in filled.iloc[::step]]
    numbers = [_number(text) for text in looked if _NUMBER.match(text)]
    return Profile(
        n=len(texts), n_filled=len(filled), n_distinct=len(distinct),
        numbers=_share(looked, _NUMBER), days=_share(looked, _DAY), epochs=_share(looked, _EPOCH),
        emails=_share(looked, _EMAIL), phones=_share(looked, _PHONE), flags=_share(looked, _FLAG),
        perhaps_days=_share(looked, _PERHAPS_DAY),
        samples=tuple(distinct.index[:3]), common=tuple(distinct.index[:60]),
        largest=max(numbers, default=None),
    )  # fmt: skip


def _share(texts: list[str], pattern: re.Pattern[str]) -> float:
    return sum(bool(pattern.match(text)) for text in texts) / len(texts) if texts else 0.0


def _number(text: str) -> float:
    digits = re.sub(r"[^\d.]", "", text.partition("e")[0].partition("E")[0])
    return float(digits or 0) if digits.count(".") <= 1 else 0.0


@dataclass(frozen=True)
class DayOrder:
    """Whether days such as 3/4/2026 begin with the day or the month, as far as values tell.

    `says` is `day`, `month`, `both` (some values need the one and some the other), `neither`
    (each can be read in two ways) or empty where there are no such days.
    """

    says: str
    example: str = ""


def day_order(columns: list["pd.Series"]) -> DayOrder:
    """Find out which comes first in the days of these columns of one file.

    Examples
    --------
    >>> day_order([pd.Series(["02/23/26", "02/03/26"])]).says
    'month'
    >>> day_order([pd.Series(["02/03/26"])])
    DayOrder(says='neither', example='02/03/26')
    """
    says: set[str] = set()
    example = ""
    for texts in columns:
        days = pd.Series(texts.dropna().unique())
        # What begins with its year is most of a long log, and can't be read in two ways.
        for told in days[~like(days, "^[0-9]{4}-")]:
            text = str(told).translate(_WIDE)
            found = _SLASHED.match(text.strip())
            if found is None:
                continue
            first, second = int(found[1]), int(found[3])
            if first > 12 >= second:
                says.add("day")
            elif second > 12 >= first:
                says.add("month")
            elif first != second:
                example = example or text
    if len(says) == 2:
        return DayOrder("both", example)
    if says:
        return DayOrder(says.pop(), example)
    return DayOrder("neither" if example else "", example)
