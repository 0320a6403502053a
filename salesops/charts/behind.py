"""What stands folded under a figure: its definition, its source, n, its range and the very rows."""

import datetime as dt
import html
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from salesops.charts.exhibit import Say
from salesops.charts.parts import framed
from salesops.charts.table import TableView
from salesops.wording import label, listed, say, say_reason
from salesops.wording.catalogue import FORMATS, entries
from salesops.wording.language import current_settings

_SHOWN = 15
# How a column of a metric's rows is written, by the end of its name, which carries its unit.
_SUFFIXES = {"_on": "date", "_days": "days", "_hours": "hours", "_share": "ratio", "_rate": "ratio",
             "stage": "stage"}  # fmt: skip


@dataclass(frozen=True, kw_only=True, eq=False)
class Source:
    """Where a number comes from.

    Attributes
    ----------
    tables
        Tables, or `table.column`, of which it is made.
    as_of
        Day up to which things were known.
    scope
        Whose rows, in text form.
    fingerprint
        Gives the fingerprint of the data; asked for only where it is shown.
    """

    tables: tuple[str, ...]
    as_of: dt.date
    scope: str
    fingerprint: Callable[[], str]

    def text(self) -> str:
        """Say it in the current language."""
        names = dict.fromkeys(table.partition(".")[0] for table in self.tables)
        named = listed(say("behind.table", word=label(f"table.{t}"), name=t) for t in names)
        code = "behind.source" if self.scope == "company" else "behind.source_scoped"
        return say(
            code, tables=named, date=self.as_of, fingerprint=self.fingerprint(), scope=self.scope
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Behind:
    """A number and all that made it.

    Attributes
    ----------
    metric, unit, grain
        Of the catalogue's entry.
    source
        The tables, the date and the data from which it comes.
    value, low, high, n
        The number (null where undefined), its 80 % range where it has one, and the rows counted.
    reason
        Code of why it is null; null where it is not.
    rows
        The very rows.
    """

    metric: str
    unit: str
    grain: str
    source: Source
    value: float
    low: float
    high: float
    n: int
    reason: str | None
    rows: pd.DataFrame

    def lines(self) -> list[str]:
        """Say it line by line in the current language: name and value first."""
        write = FORMATS[self.unit]
        grain = label(f"grain.{self.grain}")
        value = say("behind.value", value=write(self.value), n=self.n, grain=grain)
        found = [f"{label(f'metric.{self.metric}')}: {value}"]
        if self.low == self.low:
            found.append(say("behind.range", low=write(self.low), high=write(self.high)))
        if self.reason:
            code = "behind.caveat" if self.value == self.value else "behind.reason"
            found.append(say(code, reason=say_reason(self.reason)))
        found.append(label(f"metric.{self.metric}.definition"))
        return [*found, self.source.text()]

    def table(self, most: int = _SHOWN) -> TableView:
        """Give the first rows as a table of the page."""
        frame, columns = _shown(self.rows)
        caption = Say("behind.rows", {"n": self.n})
        return TableView(frame=frame, columns=columns, caption=caption, most=most)

    def sheet(self) -> pd.DataFrame:
        """Give the rows as a spreadsheet has them: money with decimals, instants by local clock."""
        zone = current_settings().company.zone
        columns = {}
        for name in self.rows.columns:
            shown, values = str(name).replace("cents", "amount"), self.rows[name]
            if shown != name:
                values = values.astype(float) / 100
            elif pd.api.types.is_datetime64_any_dtype(values):
                values = _by_clock(values, zone).dt.strftime("%Y-%m-%d %H:%M:%S")
            columns[shown] = values
        return pd.DataFrame(columns, index=self.rows.index)

    def html(self) -> str:
        """Give it folded, to stand under the figure."""
        head, *rest = (html.escape(line) for line in self.lines())
        body = "".join(f"<p>{line}</p>" for line in rest)
        rows = self.table().html() if len(self.rows) else ""
        return (f'<details class="behind"><summary>{head}</summary>'
                f'<div class="in small">{body}{rows}</div></details>')  # fmt: skip

    def _repr_mimebundle_(self, **_kwargs: Any) -> dict[str, str]:
        page = self.html().replace("<details ", "<details open ", 1)
        return {"text/html": framed(page, styled=True), "text/plain": "\n".join(self.lines())}


def _shown(rows: pd.DataFrame) -> tuple[pd.DataFrame, Mapping[str, str]]:
    """Give the rows as a reader expects them, and how each column is written.

    Cents become money, instants the company's days.
    """
    zone = current_settings().company.zone
    frame, columns = pd.DataFrame(index=rows.index), {}
    for name in rows.columns:
        shown, values = str(name).replace("cents", "amount"), rows[name]
        if shown != name:
            frame[shown], columns[shown] = values.astype(float) / 100, "money"
        elif pd.api.types.is_datetime64_any_dtype(values):
            frame[shown], columns[shown] = _by_clock(values, zone).dt.date, "date"
        else:
            frame[shown], columns[shown] = _in_words(shown, values), _kind(shown, values)
    return frame, columns


def _by_clock(instants: pd.Series, zone: str) -> pd.Series:
    return instants.dt.tz_localize("UTC").dt.tz_convert(zone)


def _in_words(column: str, values: pd.Series) -> pd.Series:
    """Say codes such as `won` in words, where the catalogue has `<column>.<code>`."""
    if values.dtype != object:
        return values
    found = {v: f"{column}.{v}" for v in values.dropna().unique() if isinstance(v, str)}
    words = {v: label(code) for v, code in found.items()
             if code in entries() and not entries()[code].fields}  # fmt: skip
    return values.map(lambda value: words.get(value, value)) if words else values


def _kind(name: str, values: pd.Series) -> str:
    """Name the format of a column, by its suffix, else by its type."""
    for suffix, kind in _SUFFIXES.items():
        if name.endswith(suffix):
            return kind
    if pd.api.types.is_bool_dtype(values):
        return "flag"
    return "decimal" if pd.api.types.is_numeric_dtype(values) else "text"
