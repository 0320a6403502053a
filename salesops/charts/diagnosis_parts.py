"""Two small tables of the diagnosis whose cells differ in kind from row to row."""

import datetime as dt
import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from salesops.charts.parts import framed, marked, nowrap
from salesops.model.finding import Finding
from salesops.wording import label, listed, say, say_finding
from salesops.wording.catalogue import FORMATS


def shown(unit: str, value: float) -> str:
    """Write a check's value in its own unit."""
    return "—" if value != value else FORMATS[unit](value)


def _table(
    heads: Sequence[tuple[str, str]], rows: Sequence[Sequence[str]], css: str = ""
) -> str:  # fmt: skip
    """Give a table of ready cells; heads are codes with the class of their column."""
    top = "".join(f'<th scope="col"{kind}>{html.escape(label(f"column.{code}"))}</th>'
                  for code, kind in heads)  # fmt: skip
    body = "".join(
        "<tr>" + "".join(f"<td{kind}>{cell}</td>" for cell, (_code, kind) in
                         zip(row, heads, strict=True)) + "</tr>"
        for row in rows
    )  # fmt: skip
    return f"<table{css}><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"


_NUMBER, _SHORT = ' class="n"', ' class="short"'
# Columns that a phone leaves out.
_SPARE, _SPARE_NUMBER = ' class="opt"', ' class="n opt"'


@dataclass(frozen=True, eq=False)
class ToDo:
    """The findings that could bring back most: what to do, who, until when."""

    findings: Sequence[Finding]
    due: Mapping[str, dt.date]

    def html(self) -> str:
        """Give one row per finding."""
        rows = [
            (marked(say_finding(f, mark=nowrap).action),
             html.escape(label(f"role.{f.owner_role}")),
             html.escape(FORMATS["short_date"](self.due[f.id])),
             html.escape(shown("money", f.recoverable.middle if f.recoverable else float("nan"))))
            for f in self.findings
        ]  # fmt: skip
        heads = (("action", ""), ("owner_role", _SHORT), ("due", _NUMBER), ("recoverable", _NUMBER))
        return _table(heads, rows, ' class="wrap"')


@dataclass(frozen=True, eq=False)
class Changes:
    """The checks that came out otherwise than last time, worse ones first."""

    frame: pd.DataFrame
    most: int = 6

    def html(self) -> str:
        """Give one row per check, and how many more there are."""
        rows = [
            (html.escape(label(f"change.{row.change}")), html.escape(label(f"check.{row.check}")),
             html.escape(shown(row.unit, row.prior_value)), html.escape(shown(row.unit, row.value)))
            for row in self.frame.head(self.most).itertuples()
        ]  # fmt: skip
        heads = (("change", _SHORT), ("check", ""), ("prior_value", _NUMBER), ("value", _NUMBER))
        table = _table(heads, rows, ' class="wrap"')
        if len(self.frame) > self.most:
            more = say("page.more_rows", shown=self.most, n=len(self.frame))
            table += f'<p class="note">{html.escape(more)}</p>'
        return table


@dataclass(frozen=True, eq=False)
class AllChecks:
    """Every check with its value, its norm and where that comes from, and how it came out."""

    frame: pd.DataFrame

    def html(self) -> str:
        """Give one row per check."""
        rows = [
            (html.escape(label(f"pain.{row.pain}")), html.escape(label(f"check.{row.check}")),
             html.escape(label(f"status.{row.status}")),
             html.escape(shown(row.unit, row.value)),
             html.escape(shown(row.unit, row.norm + row.tolerance)),
             html.escape(label(f"norm_from.{row.norm_from}") if row.norm_from else "—"),
             html.escape(shown("count", float(row.n))),
             html.escape(shown("money", row.middle)),
             html.escape(label(f"check.{row.check}.definition")))
            for row in self.frame.itertuples()
        ]  # fmt: skip
        heads = (("pain", _SPARE), ("check", ""), ("status", _SHORT), ("value", _NUMBER),
                 ("limit", _NUMBER), ("norm_from", _SPARE),
                 ("looked_at", _SPARE_NUMBER),
                 ("recoverable", _NUMBER), ("definition", _SPARE))  # fmt: skip
        return _table(heads, rows)

    def _repr_mimebundle_(self, **_kwargs: Any) -> dict[str, str]:
        columns = ["pain", "check", "status", "value", "norm", "n", "middle"]
        return {"text/html": framed(self.html()), "text/plain": repr(self.frame[columns])}


@dataclass(frozen=True, eq=False)
class Risky:
    """The open deals with most warnings, and which."""

    frame: pd.DataFrame
    warnings: tuple[str, ...]
    most: int = 15

    def html(self) -> str:
        """Give one row per deal with at least two warnings."""
        chosen = self.frame[self.frame["n_warnings"] > 1]
        caption = html.escape(say("diagnosis.risky_caption", n=len(chosen)))
        if len(chosen) > self.most:
            caption += " " + html.escape(say("page.more_rows", shown=self.most, n=len(chosen)))
        rows = [
            (html.escape(str(row["id"])), html.escape(str(row["name"])),
             html.escape(str(row["owner"])), html.escape(FORMATS["stage"](row["stage"])),
             html.escape(shown("money", row["amount"])), html.escape(self._listed(row)))
            for row in chosen.head(self.most).to_dict("records")
        ]  # fmt: skip
        heads = (("id", _SPARE), ("name", ""), ("owner", _SPARE), ("stage", _SPARE),
                 ("amount", _NUMBER), ("warnings", ""))  # fmt: skip
        return _table(heads, rows).replace("<table>", f"<table><caption>{caption}</caption>", 1)

    def _listed(self, row: Mapping[Any, Any]) -> str:
        found = [label(f"warning.{name}") for name in self.warnings if row[name] is True]
        return listed(found)

    def _repr_mimebundle_(self, **_kwargs: Any) -> dict[str, str]:
        return {"text/html": framed(self.html()), "text/plain": repr(self.frame.head(self.most))}
