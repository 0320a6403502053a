"""Dates and times as people write them and spreadsheets keep them."""

import re
from collections.abc import Sequence

import pandas as pd

from salesops.sources.values import WIDE
from salesops.sources.wholesale import are_plain_moments

_ISO = re.compile(
    r"\d{4}[-/.年]\d{1,2}[-/.月]\d{1,2}日?((?:[ T]|(?<=日))\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?)?"
    r"( ?(Z|[+-]\d{2}:?\d{2}))?"
)
_ZONED = re.compile(r"\d ?(Z|[+-]\d{2}:?\d{2})$")
_DAY = re.compile(r"^(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?=[\d T]|$) ?")
_PACKED = re.compile(r"(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])")
_SLASHED = re.compile(r"\d{1,2}[/.-]\d{1,2}[/.-](?:\d{4}|\d{2})")
_SHORT_YEAR = re.compile(r"\d{2}(?:年\d{1,2}月\d{1,2}日?)")
_NO_YEAR = re.compile(r"\d{1,2}[-/.月]\d{1,2}日?|[A-Za-z]{3,9}[- ]\d{1,2}|\d{1,2}[- ][A-Za-z]{3,9}")
# A spreadsheet drops the zero of 3.10.
_DROPPED = re.compile(r"\d{1,2}\.[123]")
_SERIAL = re.compile(r"\d{5}(?:\.\d+)?")
# Days of 1950 and of 2100 since 1900.
_FIRST, _LAST = 18_264, 73_050
_ORIGINS = {1900: "1899-12-30", 1904: "1904-01-01"}
_EPOCHS = {"excel": 1900, "excel-1904": 1904}


def read_moments(
    texts: pd.Series, forms: Sequence[str], year: int | None, epoch: int, zone: str
) -> tuple[pd.Series, dict[int, str]]:
    """Read dates and times.

    Parameters
    ----------
    texts
        Texts, none of them null.
    forms
        The forms that a mapping names, as strptime has them; `excel` and `excel-1904` are days
        since 1900 and 1904.
    year
        That of forms which name none.
    epoch
        From which year the workbook counts days; 0 where the texts are of no workbook.
    zone
        To which times are turned that name another.

    Returns
    -------
    tuple
        Local times, and for the places of those that can't be read what is wrong with them.

    Examples
    --------
    >>> texts = pd.Series(["2026年3月5日", "46086", "20260305", "3/5/26"])
    >>> found, problems = read_moments(texts, (), None, 1900, "UTC")
    >>> found.dropna().dt.strftime("%Y-%m-%d").tolist(), list(problems)
    (['2026-03-05', '2026-03-05', '2026-03-05'], [3])
    """
    if not forms and are_plain_moments(texts):
        found = pd.to_datetime(texts, errors="coerce", format="mixed")
        return found, {int(p): _problem(texts[p], forms) for p in found.index[found.isna()]}
    found = pd.Series(pd.NaT, index=texts.index, dtype="datetime64[ns]")
    plain = texts.map(lambda text: text.translate(WIDE)).astype(object)
    problems: dict[int, str] = {}
    for form in forms:
        left = found.isna()
        if left.any():
            try:
                made, said = _by_form(plain[left], form, year)
            except ValueError:
                wrong = f"can't be read by the form {form!r} of the mapping, which is none"
                return found, dict.fromkeys(range(len(plain)), wrong)
            found[made.index] = made
            problems |= said
    left = found.isna() & ~found.index.isin(list(problems))
    iso = left & plain.map(lambda text: _ISO.fullmatch(text) is not None).astype(bool)
    normal = plain[iso].str.replace(_DAY, r"\1-\2-\3 ", regex=True)
    normal = normal.str.replace("T", " ").str.replace(r" +", " ", regex=True).str.strip()
    # A time that names its zone is turned into the source's own; `2026-03-05` names none.
    zoned = normal.map(lambda text: ":" in text and _ZONED.search(text) is not None).astype(bool)
    aware = pd.to_datetime(normal[zoned], errors="coerce", format="mixed", utc=True)
    found[aware.index] = aware.dt.tz_convert(zone).dt.tz_localize(None)
    local = normal[~zoned]
    found[local.index] = pd.to_datetime(local, errors="coerce", format="mixed")
    left = found.isna() & ~found.index.isin(list(problems))
    packed = plain[left & plain.str.fullmatch(_PACKED).astype(bool)]
    found[packed.index] = pd.to_datetime(packed, errors="coerce", format="%Y%m%d")
    if epoch:
        serial = plain[found.isna() & plain.str.fullmatch(_SERIAL).astype(bool)]
        found[serial.index] = _days(serial, epoch)
    for place in found.index[found.isna()]:
        problems.setdefault(int(place), _problem(plain[place], forms))
    return found, problems


def _by_form(plain: pd.Series, form: str, year: int | None) -> tuple[pd.Series, dict[int, str]]:
    if form in _EPOCHS:
        serial = plain[plain.str.fullmatch(_SERIAL).astype(bool)]
        return _days(serial, _EPOCHS[form]), {}
    if re.search(r"%[YyGcxsD]", form):
        return pd.to_datetime(plain, format=form, errors="coerce"), {}
    fits = plain[pd.to_datetime(plain, format=form, errors="coerce").notna()
                 | plain.str.fullmatch(r"0?2\D?29|29\D?0?2").astype(bool)]  # fmt: skip
    if year is None:
        said = "names no year; say it: --answer year=2026, in the mapping year = 2026 beside dates"
        return pd.Series(dtype="datetime64[ns]"), {int(p): said for p in fits.index}
    whole = any(re.fullmatch(r"\d{1,2}\.[123]0", text) for text in plain)
    unsure = [] if whole else [int(p) for p in fits.index if _DROPPED.fullmatch(fits[p])]
    sure = fits.drop(index=unsure)
    made = pd.to_datetime(f"{year} " + sure, format="%Y " + form, errors="coerce")
    said = "can be the first or the tenth day, whose zero a spreadsheet drops; write 2026-03-10"
    return made, dict.fromkeys(unsure, said)


def _days(serial: pd.Series, epoch: int) -> pd.Series:
    """Give the moments of days since 1900 or 1904, to the second."""
    numbers = pd.to_numeric(serial)
    within = numbers[(numbers >= _FIRST) & (numbers <= _LAST)]
    return pd.to_datetime(within, unit="D", origin=_ORIGINS[epoch]).dt.round("s")


def _problem(text: str, forms: Sequence[str]) -> str:
    if _SLASHED.fullmatch(text) and not forms:
        return "can be day or month first; name the form in the mapping (dates)"
    if _SHORT_YEAR.fullmatch(text) and not forms:
        return "has a year of two digits; name the form in the mapping (dates)"
    if _NO_YEAR.fullmatch(text) and not forms:
        return "names no year; name its form and the year in the mapping (dates, year)"
    if _SERIAL.fullmatch(text) and not forms:
        return 'can be a day as Excel counts them; say dates = ["excel"] in the mapping if it is'
    return "is no date"
