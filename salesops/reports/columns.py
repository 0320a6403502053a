"""What a column of a Result's frame is: its word, how it is written, its values for a spreadsheet.

A column's name carries its unit; where a table of the page shows it, that table's word counts.
"""

import re
from collections.abc import Iterable, Mapping
from numbers import Number
from typing import Any

import numpy as np
import pandas as pd

from salesops.charts.because import because_text
from salesops.charts.exhibit import Exhibit, Say
from salesops.charts.table import TableView
from salesops.wording import label
from salesops.wording.catalogue import FORMATS, entries
from salesops.wording.language import current_settings

# By the end of the name, the first that fits.
_ENDS = (
    ("_on", "date"), ("_at", "instant"), ("_days", "days"), ("_hours", "hours"),
    ("_times", "times"), ("_workdays", "days"), ("_rate", "ratio"), ("_share", "ratio"),
    ("_amount", "money"), ("_by_value", "ratio"),
)  # fmt: skip
_MONEY = (
    "amount", "at_stake", "came", "collected", "credible", "cut", "due", "from_open", "leak",
    "least", "loss", "money", "money_per_lead", "norm_leak", "owed", "pay", "plan", "potential",
    "potential_plan", "prior_came", "prior_leak", "prior_signed", "prior_won", "priority", "quota",
    "reported", "saved", "signed", "signed_year", "target", "to_sign", "unpaid", "won", "year_ago",
)  # fmt: skip
_TIMES = ("awake", "coverage", "need", "need_high", "need_low")
_RATIO = (
    "attained",
    "attainment",
    "by_customer",
    "chance",
    "chance_now",
    "rate",
    "share",
    "win_after",
)
_WHOLE = {
    "stage": "stage", "difference": "points", **dict.fromkeys(_MONEY, "money"),
    **dict.fromkeys(_TIMES, "times"), **dict.fromkeys(_RATIO, "ratio"),
}  # fmt: skip
# Bare words for a number in whatever unit its frame is; its size tells which.
_BARE = frozenset({"base", "expected", "high", "low", "middle", "now", "prior", "then", "value"})
# Of these the page shows a word or writes another unit than the column has.
_TEXTS = frozenset({"text", "name", "own", "label", "cause", "trigger", "trust", "flag", "period"})
_WORDS = {"stage": "stage", "role": "role"}


def declared_kinds(exhibits: Iterable[Exhibit]) -> dict[str, str]:
    """Collect how the tables of a page write their columns; of two that differ neither counts."""
    found: dict[str, set[str]] = {}
    for exhibit in exhibits:
        if isinstance(exhibit.table, TableView):
            for column, kind in exhibit.table.columns.items():
                found.setdefault(column, set()).add(kind)
    return {column: next(iter(kinds)) for column, kinds in found.items() if len(kinds) == 1}


def kind_of(name: str, values: pd.Series, declared: Mapping[str, str]) -> str:
    """Name how a column is written: one of the catalogue's formats, `instant`, or `text`.

    Examples
    --------
    >>> kind_of("won_rate", pd.Series([0.25]), {}), kind_of("n_deals", pd.Series([3]), {})
    ('ratio', 'count')
    """
    present = values.dropna()
    if not len(present):
        return "text"
    number = all(isinstance(v, Number) and not isinstance(v, bool | np.bool_) for v in present)
    if pd.api.types.is_datetime64_any_dtype(values):
        return "date" if name.endswith("_on") else "instant"
    if all(hasattr(value, "isoformat") for value in present):
        return "date"
    if not number:
        return _WHOLE.get(name, declared.get(name, "text"))
    told = declared.get(name, "text")
    if told not in _TEXTS and told not in _WORDS:
        return told
    if name in _BARE:
        return _by_size(present)
    if name in _WHOLE:
        # A word such as `signed` is money, or a count in a frame of customers.
        small = _WHOLE[name] == "money" and _by_size(present) == "count"
        return "count" if small else _WHOLE[name]
    for end, kind in _ENDS:
        if name.endswith(end) and kind not in ("date", "instant"):
            return kind
    if re.search(r"(^|_)n(_|$)", name) or (present == present.round()).all():
        return "count"
    return "decimal"


def _by_size(present: pd.Series) -> str:
    size = abs(present.astype(float))
    if size.max() <= 1 and (size % 1 > 0).any():
        return "ratio"
    if size.max() >= 1000:
        return "money"
    return "count" if (size % 1 == 0).all() else "decimal"


def head_of(name: str) -> str:
    """Give a column's head in the current language; one without a word keeps its name."""
    return label(f"column.{name}", otherwise=name)


def figure_name(name: str) -> str:
    """Give the word for one number of a Result; one without a word keeps its name."""
    return label(f"metric.{name}", otherwise=head_of(name))


def unit_of(kind: str) -> str:
    """Say a kind's unit in the current language."""
    return label(f"kind.{kind}", otherwise=label("kind.text"))


def ready(name: str, values: pd.Series, kind: str, report: str) -> pd.Series:
    """Give a column as a spreadsheet has it: codes as words, instants by the company's clock."""
    if name == "because":
        return values.map(lambda told: because_text(report, told))
    if pd.api.types.is_datetime64_any_dtype(values):
        return _dates(values, kind)
    if values.dtype != object:
        return values
    words = {v: _word(name, v, kind) for v in values.dropna() if isinstance(v, str)}
    return values.map(lambda value: words[value] if isinstance(value, str) else _plain(value))


def _dates(values: pd.Series, kind: str) -> pd.Series:
    if kind == "instant":
        zone = current_settings().company.zone
        known = values if values.dt.tz is not None else values.dt.tz_localize("UTC")
        return known.dt.tz_convert(zone).dt.tz_localize(None)
    plain = values.dt.tz_localize(None) if values.dt.tz is not None else values
    return plain.dt.date


def _word(name: str, value: str, kind: str) -> str:
    if kind in _WORDS:
        return FORMATS[kind](value) if kind == "stage" else label(f"role.{value}", otherwise=value)
    known = entries()
    for code in (value, f"{name}.{value}", f"{name.removesuffix('_role')}.{value}"):
        if "." in code and code in known and not known[code].fields:
            return label(code)
    return value


def _plain(value: Any) -> Any:
    """Turn what a cell can't hold into text."""
    if isinstance(value, Say):
        return value.text()
    if isinstance(value, list | tuple | set | frozenset):
        return ", ".join(str(_plain(part)) for part in value)
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_plain(part)}" for key, part in value.items())
    return value
