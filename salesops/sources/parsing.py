"""From texts to typed columns; every value that can't be read is a fault with its place."""

import json
import re
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

import pandas as pd

from salesops.model.schema import Column
from salesops.sources.mapping import FACTORS, Source

# Full-width digits and signs as half-width ones.
_WIDE = str.maketrans("０１２３４５６７８９，．－（）％：", "0123456789,.-()%:")
_ISO = re.compile(
    r"\d{4}[-/.年]\d{1,2}[-/.月]\d{1,2}日?([ T]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?)?"
    r"( ?(Z|[+-]\d{2}:?\d{2}))?"
)
_ZONED = re.compile(r"\d ?(Z|[+-]\d{2}:?\d{2})$")
_DAY = re.compile(r"^(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?")
_SLASHED = re.compile(r"(\d{1,2})[/.](\d{1,2})[/.](\d{4}|\d{2})")
# What a decimal of 18 digits, two of them after the point, can hold.
_LARGEST = 10**16
_TRUE = {"true", "1", "yes", "y", "t", "是", "已"}
_FALSE = {"false", "0", "no", "n", "f", "否", "未"}


@dataclass(frozen=True)
class Fault:
    """One value that can't be read: file, row, column, value and why."""

    where: str
    row: int
    column: str
    value: str
    problem: str


class Parser:
    """Reads the columns of one sheet and gathers the faults.

    `zone` is that of the source's times; days are those of `company`, the same by default.
    """

    def __init__(self, where: str, zone: str, company: str = "") -> None:
        self.where = where
        self.zone = zone
        self.company = company or zone
        self.faults: list[Fault] = []

    def column(self, texts: pd.Series, source: Source, kind: Column, shown: str) -> pd.Series:
        """Give a canonical column of its texts; empty texts are null."""
        texts = texts.astype(object).where(texts.astype(str).str.strip() != "", None)
        if source.prefix:
            texts = texts.str.removeprefix(source.prefix)
        if source.null:
            texts = texts.where(~texts.isin(source.null), None)
        if source.values:
            texts = texts.map(
                lambda text: source.values.get(text, source.rest or text), na_action="ignore"
            )
        name = str(kind.dtype)
        if name == "string":
            return texts
        if name == "decimal(18, 2)":
            return self._amounts(texts, source, shown)
        known = texts[texts.notna()]
        found = {
            "date": self._dates,
            "timestamp(6)": self._instants,
            "boolean": self._flags,
        }.get(name, self._numbers)(known, source, shown)
        values = found.reindex(texts.index)
        if name == "boolean":
            return values.astype("boolean")
        if name == "int64":
            return values.round().astype("Int64")
        if name == "date":
            dates = pd.to_datetime(values).dt.date
            return dates.astype(object).where(values.notna(), None)
        return values

    def fault(self, row: int, column: str, value: Any, problem: str) -> None:
        """Note one value that can't be read."""
        self.faults.append(Fault(self.where, int(row), column, str(value), problem))

    def _amounts(self, texts: pd.Series, source: Source, shown: str) -> pd.Series:
        """Read money exactly, without a detour through floats."""
        factor = Decimal(str(FACTORS[source.unit]))
        found: dict[Any, Decimal | None] = {}
        for row, text in texts.dropna().items():
            value = _money(_plain(text), factor)
            found[row] = value
            if value is None:
                self.fault(row, shown, text, "is no number")
        return pd.Series(found, dtype=object).reindex(texts.index).astype(object)

    def _numbers(self, texts: pd.Series, source: Source, shown: str) -> pd.Series:
        plain = texts.map(_plain)
        percent = plain.str.endswith("%")
        numbers = pd.to_numeric(plain.str.rstrip("%"), errors="coerce")
        numbers = numbers.where(numbers.abs() < _LARGEST)
        for row in numbers.index[numbers.isna()]:
            self.fault(row, shown, texts[row], "is no number")
        numbers = numbers.where(~percent, numbers / 100)
        return numbers * FACTORS[source.unit]

    def _flags(self, texts: pd.Series, source: Source, shown: str) -> pd.Series:
        lowered = texts.str.lower()
        found = lowered.map(lambda t: True if t in _TRUE else False if t in _FALSE else None)
        for row in found.index[found.isna()]:
            self.fault(row, shown, texts[row], "is neither yes nor no")
        return found

    def _instants(self, texts: pd.Series, source: Source, shown: str) -> pd.Series:
        if source.epoch:
            return self._epochs(texts, source, shown)
        local = self._moments(texts, source, shown)
        timed = texts.map(_has_time)
        found = _utc(local, self._zone(source))
        # A day without a time begins where the company is.
        return found.where(timed, _utc(local, self.company))

    def _zone(self, source: Source) -> str:
        return self.company if source.zone == "company" else source.zone or self.zone

    def _epochs(self, texts: pd.Series, source: Source, shown: str) -> pd.Series:
        numbers = pd.to_numeric(texts, errors="coerce")
        for row in numbers.index[numbers.isna()]:
            self.fault(row, shown, texts[row], f"is no time in {source.epoch}")
        return pd.to_datetime(numbers, unit=source.epoch or "s")

    def _dates(self, texts: pd.Series, source: Source, shown: str) -> pd.Series:
        if source.epoch:
            utc = self._epochs(texts, source, shown).dt.tz_localize("UTC")
            return utc.dt.tz_convert(self.company).dt.tz_localize(None).dt.normalize()
        local = self._moments(texts, source, shown)
        zone = self._zone(source)
        if zone != self.company and len(local):
            there = _utc(local, zone).dt.tz_localize("UTC").dt.tz_convert(self.company)
            local = local.where(~texts.map(_has_time), there.dt.tz_localize(None))
        return local.dt.normalize()

    def _moments(self, texts: pd.Series, source: Source, shown: str) -> pd.Series:
        """Read local dates and times; a date that can be read in two ways is a fault."""
        found = pd.Series(pd.NaT, index=texts.index, dtype="datetime64[ns]")
        plain = texts.map(lambda text: text.translate(_WIDE))
        for form in source.dates:
            left = found.isna()
            found = found.where(~left, pd.to_datetime(plain, format=form, errors="coerce"))
        left = found.isna()
        iso = left & plain.map(lambda text: bool(_ISO.fullmatch(text)))
        normal = plain[iso].str.replace(_DAY, r"\1-\2-\3", regex=True).str.replace("T", " ")
        # A time that names its zone is turned into the source's own; `2026-03-05` names none.
        zoned = normal.map(lambda text: ":" in text and bool(_ZONED.search(text)))
        aware = pd.to_datetime(normal[zoned], errors="coerce", format="mixed", utc=True)
        found[aware.index] = aware.dt.tz_convert(self._zone(source)).dt.tz_localize(None)
        local = normal[~zoned]
        found[local.index] = pd.to_datetime(local, errors="coerce", format="mixed")
        for row in found.index[found.isna()]:
            slashed = _SLASHED.fullmatch(plain[row])
            if slashed and not source.dates:
                problem = "can be day or month first; name the form in the mapping (dates)"
            else:
                problem = "is no date"
            self.fault(row, shown, texts[row], problem)
        return found


def _has_time(text: str) -> bool:
    return ":" in text.translate(_WIDE)


def _utc(local: pd.Series, zone: str) -> pd.Series:
    aware = local.dt.tz_localize(zone, ambiguous=True, nonexistent="shift_forward")
    return aware.dt.tz_convert("UTC").dt.tz_localize(None)


def _plain(text: str) -> str:
    """Give a number as people write it in the form that Python reads."""
    plain = text.translate(_WIDE).replace(",", "").lstrip("¥￥$€ ")
    return re.sub(r"^\((.*)\)$", r"-\1", plain)


def _money(text: str, factor: Decimal) -> Decimal | None:
    percent = text.endswith("%")
    try:
        value = Decimal(text.rstrip("%")) * factor
    except InvalidOperation:
        return None
    if not value.is_finite() or abs(value) >= _LARGEST:
        return None
    return (value / 100 if percent else value).quantize(Decimal("0.01"), ROUND_HALF_UP)


def nested(texts: pd.Series, path: str) -> pd.Series:
    """Take a part of values that are JSON text, such as `0.id` of `[{"id": "u1"}]`."""

    def taken(text: Any) -> Any:
        if not isinstance(text, str) or not text.strip():
            return None
        try:
            value: Any = json.loads(text)
        except json.JSONDecodeError:
            return text
        for step in path.split("."):
            key, equal, wanted = step.partition("=")
            if isinstance(value, list) and equal:
                value = next((v for v in value if isinstance(v, dict)
                              and str(v.get(key)) == wanted), None)  # fmt: skip
            elif isinstance(value, list):
                value = value[int(step)] if step.isdigit() and int(step) < len(value) else None
            elif isinstance(value, dict):
                value = value.get(step)
        return None if value is None else str(value)

    return texts.map(taken)
