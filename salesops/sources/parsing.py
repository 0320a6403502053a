"""From texts to typed columns; every value that can't be read is a fault with its place."""

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import numpy as np
import pandas as pd

from salesops.model.schema import Column
from salesops.sources.claims import other_currencies
from salesops.sources.currencies import code_of
from salesops.sources.layout import Doubt, Layout
from salesops.sources.mangled import mangled
from salesops.sources.mapping import Source
from salesops.sources.moments import read_moments
from salesops.sources.units import FACTORS
from salesops.sources.values import Unclear, decimal_sign, read_number
from salesops.sources.wholesale import like, plain_amounts

# What a decimal of 18 digits, two of them after the point, can hold.
_LARGEST = 10**16
_CENT = Decimal("0.01")
_MONEY = "decimal(18, 2)"
# Seconds of seventy years, as from 1900 to 1970, with the leap days.
_YEARS_70 = 2_208_988_800
_PLAIN = re.compile(r"-?\d+(?:\.\d+)?", re.ASCII)
# What may be thousands in groups of three, as nobody counts thousandths of a coin; and what tells
# that points are decimal.
_GROUPED = r"(?:^|[^0-9.,])[0-9]{1,3}\.[0-9]{3}(?:$|[^0-9.,])"
_POINTED = r"[0-9]\.(?:[0-9]{1,2}|[0-9]{4,})(?:$|[^0-9.,])|(?:^|[^0-9.,])(?:0|[0-9]{4,})\.[0-9]"
_THREE = re.compile(r"-?\d{1,3}\.\d{3}", re.ASCII)
# Doubts that are none of texts.
_OF_VALUES = ("swapped", "shown_unit", "shown_currency")
# A full-width colon is one too.
_TIMED = "[:：]"
# A text that holds nothing, or begins with what may be a space that can't be seen.
_MAYBE_EMPTY = r"^$|^[\p{Z}\p{C}]"
# Texts by which it is told whether most of a column are there once.
_FIRST = 1_000
_TRUE = {"true", "1", "yes", "y", "t", "是", "已"}
_FALSE = {"false", "0", "no", "n", "f", "否", "未"}


def is_money(kind: Column) -> bool:
    """Say whether a column holds amounts of money."""
    return str(kind.dtype) == _MONEY


@dataclass(frozen=True)
class Fault:
    """One value that can't be read: file, row, column, value and why."""

    where: str
    row: int
    column: str
    value: str
    problem: str


class _Places:
    """In which rows of a file each text of a column stands."""

    def __init__(self, codes: "np.ndarray[Any, Any]", rows: pd.Index) -> None:
        self._codes = codes
        self._rows = rows
        self._order: np.ndarray[Any, Any] | None = None

    def of(self, code: int) -> pd.Index:
        """Give the rows of a text by its number."""
        if self._order is None:
            self._order = np.argsort(self._codes, kind="stable")
            self._sorted = self._codes[self._order]
        first, last = np.searchsorted(self._sorted, [code, code + 1])
        return self._rows[self._order[first:last]]


class Parser:
    """Reads the columns of one sheet and gathers the faults.

    `zone` is that of the source's times; days are those of `company`, the same by default.
    `currency` is that of all amounts, or of each, where it is known. Columns without a null are
    `compact`: texts and money stay in Arrow's memory, which is a third of it.
    """

    def __init__(
        self, where: str, zone: str, company: str = "", *, layout: Layout | None = None,
        compact: bool = False, currency: "pd.Series | str" = "",
    ) -> None:  # fmt: skip
        self.where = where
        self.zone = zone
        self.company = company or zone
        self.layout = layout or Layout()
        self.currency = currency
        self.compact = compact
        self._places = _Places(np.zeros(0, dtype=np.intp), pd.Index([]))
        self.faults: list[Fault] = []

    def column(self, texts: pd.Series, source: Source, kind: Column, shown: str) -> pd.Series:
        """Give a canonical column of its texts; empty texts are null."""
        began = len(self.faults)
        self._doubts(texts, source, kind, shown)
        if is_money(kind):
            self._claims(texts, shown)
        if self.compact and _stays(texts, source, kind):
            self._places = _Places(np.arange(len(texts)), texts.index)
            self._mangled(texts.reset_index(drop=True), kind, shown)
            self.faults[began:] = sorted(self.faults[began:], key=lambda fault: fault.row)
            return texts
        # Most texts of a column are there many times: each is read once.
        codes, unique = pd.factorize(texts)
        self._places = _Places(codes, texts.index)
        told = pd.Series(np.asarray(unique, dtype=object), name=texts.name, dtype=object)
        values = self._column(told, source, kind, shown)
        self.faults[began:] = sorted(self.faults[began:], key=lambda fault: fault.row)
        if isinstance(values.dtype, pd.ArrowDtype) and not (self.compact and (codes >= 0).all()):
            values = values.astype(object)
        if values.dtype == object:
            known = np.full(len(values) + 1, None, dtype=object)
            known[:-1] = values
            return pd.Series(known[codes], index=texts.index, dtype=object)
        return values.reindex(codes).set_axis(texts.index)

    def _column(self, texts: pd.Series, source: Source, kind: Column, shown: str) -> pd.Series:
        """Read texts that are there once each."""
        head = texts.name
        empty = [not str(text).strip() for text in texts]
        texts = texts.mask(np.array(empty, dtype=bool), None)
        if source.prefix:
            texts = texts.str.removeprefix(source.prefix)
        if source.null:
            texts = texts.where(~texts.isin(source.null), None)
        if source.values:
            texts = texts.map(
                lambda text: source.values.get(text, source.rest or text), na_action="ignore"
            )
        name = str(kind.dtype)
        if kind.name == "currency":
            return self._currencies(texts, shown)
        if name == "string":
            self._mangled(texts, kind, shown)
            return texts
        texts.name = head
        if name == _MONEY:
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
        """Note one value that can't be read, with its row in the file."""
        self.faults.append(Fault(self.where, int(row), column, str(value), problem))

    def _wrong(self, text: Any, column: str, value: Any, problem: str) -> None:
        """Note a text that can't be read, in each row that has it."""
        for row in self._places.of(int(text)):
            self.fault(row, column, value, problem)

    def _doubts(self, texts: pd.Series, source: Source, kind: Column, shown: str) -> None:
        """Note the cells that a program changed, as far as they are used."""
        mine = [d for d in self.layout.doubts if d.column == texts.name]
        other = _OF_VALUES if str(kind.dtype) == "string" else ("made_date",)
        mine = [d for d in mine if d.kind not in other]
        if source.unit is not None:
            mine = [d for d in mine if d.kind not in ("scaled", "shown_unit")]
        mine = [d for d in mine if not (d.currency and self._counts_in(d))]
        # On rows that the mapping leaves out there is no text.
        rows = set(texts.index[texts.notna()]) if mine else set()
        for doubt in mine:
            if doubt.row in rows and doubt.value not in source.null:
                self.fault(doubt.row, shown, doubt.value, doubt.problem)

    def _counts_in(self, doubt: Doubt) -> bool:
        """Say whether an amount counts in the currency in which its cell shows it."""
        told = self.currency
        if isinstance(told, pd.Series):
            told = next((str(c) for c in told[told.index == doubt.row]), doubt.currency)
        return told == doubt.currency or not (told or doubt.column in self.layout.currencies)

    def _claims(self, texts: pd.Series, shown: str) -> None:
        """Note amounts that say they are in another currency than they would count in."""
        is_each = isinstance(self.currency, pd.Series)
        other = "its deal is in" if is_each else "the company counts in"
        for row, value, problem in other_currencies(texts, self.currency, self.layout, other=other):
            self.fault(row, shown, value, problem)

    def _mangled(self, texts: pd.Series, kind: Column, shown: str) -> None:
        """Note texts that a spreadsheet made of others."""
        is_key = kind.name == "id" or bool(kind.refers)
        for place, problem in mangled(texts, is_key=is_key):
            self._wrong(place, shown, texts[place], problem)

    def _unit(self, texts: pd.Series, source: Source, kind: str) -> Decimal:
        """Give the factor of a column: the mapping's, else its head's, else the sheet's."""
        unit = source.unit or self.layout.units.get(str(texts.name))
        if unit is None and kind == "money":
            unit = self.layout.unit or None
        return Decimal(str(FACTORS[unit or "one"]))

    def _refuse_unclear(self, texts: pd.Series, source: Source, shown: str) -> None:
        """Note a column of shares whose unit nothing tells."""
        known = texts.dropna()
        if source.unit is None and str(texts.name) in self.layout.unclear and len(known):
            # Of the whole column: row by row the others would be read in one of the two ways.
            problem = 'can be per cent or a share of one; say unit = "percent" or unit = "one"'
            self.faults.append(Fault(self.where, 0, shown, str(known.iloc[0]), problem))

    def _read(
        self, texts: pd.Series, source: Source, kind: str, shown: str, *, sure: bool
    ) -> dict[Any, Decimal]:  # fmt: skip
        """Read numbers exactly, without a detour through floats, each text once.

        A point is `sure` to be the decimal one where values alone need not tell.
        """
        factor = self._unit(texts, source, kind)
        known = texts.dropna()
        codes, unique = pd.factorize(known)
        decimal = source.decimal or ("" if sure else decimal_sign(list(unique)))
        values: list[Decimal | None] = []
        problems: dict[int, str] = {}
        for i, text in enumerate(unique):
            value = None
            try:
                value = _value(text, factor, decimal, sure, kind)
            except Unclear as unclear:
                problems[i] = str(unclear)
            except ArithmeticError:
                pass
            if value is None:
                problems.setdefault(i, "is no number")
            values.append(value)
        if problems:
            for text, code in zip(known.index, codes, strict=True):
                if code in problems:
                    self._wrong(text, shown, unique[code], problems[code])
        return {row: value for row, code in zip(known.index, codes, strict=True)
                if (value := values[code]) is not None and code not in problems}  # fmt: skip

    def _refuse_unknown(self, texts: pd.Series, source: Source, shown: str) -> None:
        """Note a column of money whose head or title says a unit that is not understood."""
        known = texts.dropna()
        if source.unit is None and str(texts.name) in self.layout.unclear_money and len(known):
            problem = ('may be in thousands or more: its head or the title says a unit that is not '
                       'known; say it, such as unit = "one", "k", "wan" or "million"')  # fmt: skip
            self.faults.append(Fault(self.where, 0, shown, str(known.iloc[0]), problem))

    def _amounts(self, texts: pd.Series, source: Source, shown: str) -> pd.Series:
        """Read money to the cent."""
        self._refuse_unclear(texts, source, shown)
        self._refuse_unknown(texts, source, shown)
        values, left = np.full(len(texts), np.nan, dtype=object), texts
        # With a semicolon between values a point may group digits.
        is_whole = self._unit(texts, source, "money") == 1
        sure = self.layout.separator != ";"
        if sure and source.decimal != "," and is_whole:
            plain = plain_amounts(texts)
            if plain.notna().all():
                return plain
            found = plain.notna().to_numpy(dtype=bool)
            values[found] = plain[found].to_numpy(dtype=object)
            left = texts[~found]
            sure = not like(left, _GROUPED).any() or bool(like(texts, _POINTED).any())
        for row, value in self._read(left, source, "money", shown, sure=sure).items():
            values[row] = value.quantize(_CENT, ROUND_HALF_UP)
        return pd.Series(values, index=texts.index, dtype=object)

    def _numbers(self, texts: pd.Series, source: Source, shown: str) -> pd.Series:
        self._refuse_unclear(texts, source, shown)
        sure = self.layout.separator != ";"
        found = self._read(texts, source, "number", shown, sure=sure)
        floats = {row: float(value) for row, value in found.items()}
        return pd.Series(floats, dtype="float64").reindex(texts.index)

    def _currencies(self, texts: pd.Series, shown: str) -> pd.Series:
        """Give currencies their codes, by which they are compared with the company's."""
        codes = texts.map(code_of, na_action="ignore")
        for text in texts.index[texts.notna() & codes.isna()]:
            problem = "is no currency that is known; give its ISO code, such as USD, by values"
            self._wrong(text, shown, texts[text], problem)
        return codes.astype(object).where(codes.notna(), None)

    def _flags(self, texts: pd.Series, source: Source, shown: str) -> pd.Series:
        lowered = texts.str.lower()
        found = lowered.map(lambda t: True if t in _TRUE else False if t in _FALSE else None)
        for text in found.index[found.isna()]:
            self._wrong(text, shown, texts[text], "is neither yes nor no")
        return found

    def _instants(self, texts: pd.Series, source: Source, shown: str) -> pd.Series:
        if source.epoch:
            return self._epochs(texts, source, shown)
        local = self._moments(texts, source, shown)
        timed = like(texts, _TIMED)
        found = _utc(local, self._zone(source))
        # A day without a time begins where the company is.
        return found.where(timed, _utc(local, self.company))

    def _zone(self, source: Source) -> str:
        return self.company if source.zone == "company" else source.zone or self.zone

    def _epochs(self, texts: pd.Series, source: Source, shown: str) -> pd.Series:
        unit = source.epoch or "s"
        numbers = pd.to_numeric(texts, errors="coerce")
        scale = {"s": 1, "ms": 1000}[unit]
        numbers = numbers.where(numbers.between(-_YEARS_70 * scale, 2 * _YEARS_70 * scale))
        for text in numbers.index[numbers.isna()]:
            problem = f"is no time in {unit} of the years 1900 to 2100"
            self._wrong(text, shown, texts[text], problem)
        return pd.to_datetime(numbers.astype("float64"), unit=unit).dt.round("ms")

    def _dates(self, texts: pd.Series, source: Source, shown: str) -> pd.Series:
        if source.epoch:
            utc = self._epochs(texts, source, shown).dt.tz_localize("UTC")
            return utc.dt.tz_convert(self.company).dt.tz_localize(None).dt.normalize()
        local = self._moments(texts, source, shown)
        zone = self._zone(source)
        if zone != self.company and len(local):
            there = _utc(local, zone).dt.tz_localize("UTC").dt.tz_convert(self.company)
            local = local.where(~like(texts, _TIMED), there.dt.tz_localize(None))
        return local.dt.normalize()

    def _moments(self, texts: pd.Series, source: Source, shown: str) -> pd.Series:
        """Read local dates and times; a date that can be read in two ways is a fault."""
        codes, unique = pd.factorize(texts)
        told = pd.Series(unique, dtype=object)
        found, problems = read_moments(
            told, source.dates, source.year, self.layout.epoch, self._zone(source)
        )
        if problems:
            for text, code in zip(texts.index, codes, strict=True):
                if code in problems:
                    self._wrong(text, shown, unique[code], problems[code])
        return pd.Series(found.to_numpy()[codes], index=texts.index, dtype="datetime64[ns]")


def _stays(texts: pd.Series, source: Source, kind: Column) -> bool:
    """Say whether texts, most of which are there once, are the values as they stand."""
    if str(kind.dtype) != "string" or source.prefix or source.null or source.values:
        return False
    is_arrow = isinstance(texts.dtype, pd.StringDtype) and texts.dtype.storage == "pyarrow"
    first = texts.iloc[:_FIRST]
    if not is_arrow or 2 * first.nunique() < len(first) or texts.hasnans:
        return False
    return not any(not text.strip() for text in texts[like(texts, _MAYBE_EMPTY)])


def _utc(local: pd.Series, zone: str) -> pd.Series:
    aware = local.dt.tz_localize(zone, ambiguous=True, nonexistent="shift_forward")
    return aware.dt.tz_convert("UTC").dt.tz_localize(None)


def _value(text: str, factor: Decimal, decimal: str, sure: bool, kind: str) -> Decimal | None:
    """Give a number in the column's unit, unless its own stands with it."""
    if _PLAIN.fullmatch(text) and not (decimal == "," and "." in text):
        value = Decimal(text) * factor
        if not sure and decimal != "." and _THREE.fullmatch(text):
            raise Unclear('can have a decimal point or groups of three; say decimal = "." or '
                          '"," in the mapping')  # fmt: skip
    else:
        found = read_number(text, decimal, points_sure=sure)
        if found is None:
            return None
        if found.percent and kind == "money":
            raise Unclear("is a share, and no amount")
        own = found.scaled or found.percent
        value = found.value if own else found.value * factor
    return value if value.is_finite() and abs(value) < _LARGEST else None
