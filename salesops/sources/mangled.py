"""Texts that a spreadsheet made of others: ids that lost digits, dates that were none."""

import re

import pandas as pd

from salesops.sources.wholesale import like

_MONTHS = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
_ERROR = re.compile(r"#(?:N/A|REF!|VALUE!|DIV/0!|NAME\?|NUM!|NULL!|SPILL!|CALC!)|#{3,}")
_SCIENTIFIC = re.compile(r"-?\d(?:\.\d+)?[eE]\+\d{2,}")
_DATED = re.compile(rf"(?:{_MONTHS})-\d{{1,2}}|\d{{1,2}}-(?:{_MONTHS})", re.IGNORECASE)
_DATED_ZH = re.compile(r"\d{1,2}月\d{1,2}日")
# One of these is in every text of the forms above, which are judged one by one.
_MAYBE = rf"^#|[eE]\+|月|^(?i:{_MONTHS})-|-(?i:{_MONTHS})$"
_DIGITS = re.compile(r"\d+", re.ASCII)
_AS_TEXT = "format the column as text and export it again"


def mangled(texts: pd.Series, *, is_key: bool) -> list[tuple[int, str]]:
    """Find the texts that a spreadsheet has changed.

    Parameters
    ----------
    texts
        Of one column; nulls are left out.
    is_key
        Whether they are ids, in which each digit counts.

    Returns
    -------
    list
        The index of a text, and what happened to it.

    Examples
    --------
    >>> mangled(pd.Series(["1.23E+17", "A-1", "May-20"]), is_key=True)[0]
    (0, 'lost its digits in a spreadsheet; format the column as text and export it again')
    >>> mangled(pd.Series(["007", "012", "15"]), is_key=True)[0][0]
    2
    """
    known = texts.dropna()
    problems: dict[str, str] = {}
    for text in known[like(known, _MAYBE)].unique():
        if _ERROR.fullmatch(text):
            problems[text] = "is an error of a spreadsheet's; mend its formula"
        elif _SCIENTIFIC.fullmatch(text):
            problems[text] = f"lost its digits in a spreadsheet; {_AS_TEXT}"
        elif _DATED.fullmatch(text) or (is_key and _DATED_ZH.fullmatch(text)):
            problems[text] = f"is a date that a spreadsheet made of a text such as 5-20; {_AS_TEXT}"
    if is_key:
        problems |= _rounded(known) | _shortened(known)
    if not problems:
        return []
    wrong = known[known.isin(list(problems))]
    return [(place, problems[text]) for place, text in wrong.items()]


def _rounded(known: pd.Series) -> dict[str, str]:
    """Find ids of more than 15 digits of which a spreadsheet kept 15."""
    # What begins with a zero was never a number.
    long = list(known[like(known, "^[1-9][0-9]{15,}$")].unique())
    lost = [t for t in long if not t[15:].strip("0")]
    # One id in ten ends with a zero by chance, and one in a thousand with three.
    zeros = sum(len(t) - 15 for t in lost)
    if not lost or len(lost) < 0.5 * len(long) or zeros < 3:
        return {}
    return dict.fromkeys(lost, f"lost the digits behind its 15th in a spreadsheet; {_AS_TEXT}")


def _shortened(known: pd.Series) -> dict[str, str]:
    """Find ids that lost the zeros in front which others of the column still have."""
    zeroed = set(known[like(known, "^0[0-9]+$")].str.len())
    if len(zeroed) != 1:
        return {}
    numbers = list(known[like(known, "^[0-9]+$")].unique())
    width = zeroed.pop()
    short = [t for t in numbers if len(t) < width and t[0] != "0"]
    problem = f"is shorter than ids such as {next(t for t in numbers if len(t) == width)!r}; it "
    problem += f"may have lost zeros in front; {_AS_TEXT}"
    return dict.fromkeys(short, problem)


def without_zeros(keys: pd.Series, known: pd.Series) -> set[str]:
    """Name the keys that match known ids only once zeros in front are taken away.

    Examples
    --------
    >>> without_zeros(pd.Series(["123", "9"]), pd.Series(["00123", "00007"]))
    {'123'}
    """
    there = set(known.dropna())
    bare = {t.lstrip("0") for t in there if isinstance(t, str) and _DIGITS.fullmatch(t)}
    return {t for t in keys.dropna().unique()
            if t not in there and isinstance(t, str) and _DIGITS.fullmatch(t)
            and t.lstrip("0") in bare}  # fmt: skip
