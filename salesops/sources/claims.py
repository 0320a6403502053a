"""Amounts that say they are in another currency than the one they would count in.

They say it by a sign beside the number, the format of their cell, their head or the title.
What is summed as if it were in the company's currency is then wrong, and nobody sees it.
"""

import re
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

import pandas as pd

from salesops.sources.currencies import currencies_in
from salesops.sources.layout import Layout
from salesops.sources.values import currencies_beside
from salesops.sources.wholesale import like

# A text that is more than digits, their signs and units that are no currency.
_MORE = r"[^0-9０-９.,，．+\-−–()（）%％'\s万亿千百kKmM]"
# A title that tells in what the money of a sheet is, such as 单位：万美元.
MONEY_TITLE = re.compile(r"(?:单位|币种|货币|[Uu]nit|[Cc]urrency)\s*[:：]")
# 元 and ¥ alone are those of several countries, as $ is.
_YUAN = re.compile(r"RMB|CNY|人民币", re.IGNORECASE)
_DOLLAR = re.compile(r"USD|US\$|美", re.IGNORECASE)

Claim = tuple[int, str, str]


class Said(NamedTuple):
    """The currencies that a column's amounts may be in, how many say so, and how many there are."""

    codes: tuple[str, ...]
    n: int
    n_all: int


def other_currencies(
    texts: pd.Series, home: "pd.Series | str", layout: Layout, *, other: str = "others are in"
) -> Iterator[Claim]:
    """Find amounts that say they are in another currency than they would count in.

    Parameters
    ----------
    texts
        Amounts as they were written; the index is the row of the file, the name their head.
    home
        In which they would count: all of them, or each; an empty text where nobody says it. Of
        those the currency that most of their signs say is taken for that of all.
    layout
        What heads, titles and formats of cells say.
    other
        What is said of the currency in which they would count.

    Yields
    ------
    tuple
        The row, 0 for all of the column; the value; and what is wrong with it.

    Examples
    --------
    >>> texts = pd.Series(["¥100", "200", "€300"], index=[2, 3, 4], name="Amount")
    >>> list(other_currencies(texts, "CNY", Layout(), other="the company counts in"))
    [(4, '€300', 'is in EUR, where the company counts in CNY')]
    """
    signs = _signs(texts)
    usual = Counter(signs.values()).most_common(1)
    for place, said in signs.items():
        mine = home if isinstance(home, str) else home.iloc[place]
        code = mine or usual[0][0][0]
        if code not in said:
            than = f"{other if mine else 'others are in'} {code}"
            yield (int(texts.index[place]), str(texts.iloc[place]),
                   f"is in {said[0]}, where {than}")  # fmt: skip
    claimed = currency_of(str(texts.name), layout)
    if claimed:
        own = {doubt.row for doubt in layout.doubts if doubt.currency}
        yield from _of_column(texts[~texts.index.isin(own)], home, claimed, other)


def currency_said(texts: pd.Series, layout: Layout) -> Said | None:
    """Give the currency that a column of amounts says it is in; null where it says none.

    What most of its signs say counts: the others are those that `other_currencies` finds.

    Examples
    --------
    >>> said = currency_said(pd.Series(["€1,200", "300", "€70", "¥5"], name="Amount"), Layout())
    >>> said.codes, said.n, said.n_all
    (('EUR',), 2, 4)
    """
    n_all = int((texts.notna() & (texts != "")).sum())
    if claimed := currency_of(str(texts.name), layout):
        return Said(claimed, n_all, n_all) if n_all else None
    usual = Counter(_signs(texts).values()).most_common(1)
    return Said(*usual[0], n_all) if usual else None


def currency_of(head: str, layout: Layout) -> tuple[str, ...]:
    """Give the currencies that a column may be in by its cells, its head or the title.

    Examples
    --------
    >>> currency_of("合同额(万美元)", Layout()), currency_of("合同额(万元)", Layout())
    (('USD',), ())
    """
    if shown := layout.currencies.get(head):
        return _meant(shown, "$" if shown == "USD" else "¥" if shown == "CNY" else "")
    titles = [a.text for a in layout.aside if a.kind == "title" and MONEY_TITLE.search(a.text)]
    for text in (head, *titles):
        codes = currencies_in(text)
        if len(codes) == 1:
            # 元 in a head is often no more than a word for money.
            is_word = codes == ["CNY"] and not _YUAN.search(text)
            return () if is_word else _meant(codes[0], text)
    return ()


def _meant(code: str, text: str) -> tuple[str, ...]:
    """Give a currency and the others of its sign, where the sign alone stands there."""
    if code == "USD" and not _DOLLAR.search(text):
        return (code, "HKD", "TWD", "SGD", "CAD", "AUD")
    return (code, "JPY") if code == "CNY" and not _YUAN.search(text) else (code,)


def _signs(texts: pd.Series) -> dict[int, tuple[str, ...]]:
    """Give the currencies of the numbers that have one beside them, by place."""
    read: dict[str, tuple[str, ...]] = {}
    found = {}
    for place in like(texts, _MORE).to_numpy(dtype=bool).nonzero()[0]:
        text = str(texts.iloc[place])
        if text not in read:
            read[text] = currencies_beside(text)
        if read[text]:
            found[int(place)] = read[text]
    return found


def _of_column(
    texts: pd.Series, home: "pd.Series | str", claimed: tuple[str, ...], other: str
) -> Iterator[Claim]:
    """Compare what a whole column says with what each of its amounts would count in."""
    why = f"is in {claimed[0]} by its head, the title or the format of its cells, where {other}"
    mend = "give the currency of each in a column"
    filled = texts.notna() & (texts != "")
    if isinstance(home, str):
        if home and home not in claimed and filled.any():
            yield 0, str(texts[filled].iloc[0]), f"{why} {home}; {mend}"
        return
    home = home[home.index.isin(texts.index)]
    wrong = filled.to_numpy(dtype=bool) & ((home != "") & ~home.isin(claimed)).to_numpy(dtype=bool)
    for place in wrong.nonzero()[0]:
        yield (int(texts.index[place]), str(texts.iloc[place]),
               f"{why} {home.iloc[place]}; {mend}")  # fmt: skip
