"""A Result as a workbook: what to do first, then its numbers, then a sheet per frame."""

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import pandas as pd

from salesops.analyses.result import Result
from salesops.metrics.catalogue import CATALOGUE
from salesops.reports.columns import (
    declared_kinds,
    figure_name,
    head_of,
    kind_of,
    ready,
    unit_of,
)
from salesops.reports.sheets import Sheet
from salesops.wording import label, say, say_finding, say_gap

# A sheet of more rows takes a reader nowhere and a minute to write.
MOST_ROWS = 50_000
_FINDINGS = {
    "action": "text", "at_stake": "money", "recoverable": "money", "recoverable_low": "money",
    "recoverable_high": "money", "owner_role": "text", "due_by": "date", "severity": "text",
    "trust": "text", "finding": "text", "do": "text", "assumption": "text", "id": "text",
    "code": "text",
}  # fmt: skip


def frames_of(result: Result) -> Iterator[tuple[str, pd.DataFrame]]:
    """Give the frames of a Result, by name, in the order of its fields."""
    for one in fields(result):
        value = getattr(result, one.name)
        if isinstance(value, pd.DataFrame):
            yield one.name, value


def sheets_of(result: Result) -> list[Sheet]:
    """Lay a Result out as sheets in the current language.

    Returns
    -------
    list of Sheet
        Findings, numbers, a sheet per frame that has columns, and what each column means.
    """
    found = [_findings(result), _numbers(result)]
    about: list[dict[str, Any]] = []
    declared = declared_kinds(result.exhibits.values())
    for name, frame in frames_of(result):
        title = label(f"sheet.{result.report}.{name}", otherwise=name)
        if frame.columns.empty:
            about.append(_column(title, "", name, "", 0))
            continue
        sheet = _frame(title, frame, declared, result.report)
        found.append(sheet)
        for column in sheet.frame.columns:
            kind = sheet.kinds.get(column, "by_row")
            about.append(_column(title, sheet.heads[column], f"{name}.{column}", kind, len(frame)))
    return [*found, _about(result, about)]


def _findings(result: Result) -> Sheet:
    rows = []
    for finding in result.findings:
        words, got = say_finding(finding), finding.recoverable
        rows.append({
            "action": words.action, "at_stake": finding.at_stake,
            "recoverable": None if got is None else got.middle,
            "recoverable_low": None if got is None else got.low,
            "recoverable_high": None if got is None else got.high,
            "owner_role": words.owner, "due_by": result.due(finding),
            "severity": label(f"severity.{finding.severity}"), "trust": words.trust,
            "finding": words.text, "do": words.do, "assumption": words.assumption,
            "id": finding.id, "code": finding.code,
        })  # fmt: skip
    frame = pd.DataFrame(rows, columns=list(_FINDINGS))
    if not rows:
        frame.loc[0, "action"] = say("page.no_finding")
    return Sheet(name=label("sheet.findings"), frame=frame, kinds=_FINDINGS,
                 heads={column: head_of(column) for column in frame})  # fmt: skip


def _numbers(result: Result) -> Sheet:
    rows = []
    # The catalogue's numbers first: they have a definition.
    for name in sorted(result.metrics, key=lambda name: name not in CATALOGUE):
        value, own = result.metrics[name], CATALOGUE.get(name)
        kind = own.unit if own else kind_of(name, pd.Series([value], dtype=float), {})
        rows.append({
            "figure": figure_name(name), "value": value,
            "unit": unit_of(kind), "definition": label(f"metric.{name}.definition", otherwise=""),
            "id": name, "kind": kind,
        })  # fmt: skip
    for gap in result.gaps:
        rows.append({"figure": label(gap.what), "definition": say_gap(gap), "kind": "text"})
    columns = ["figure", "value", "unit", "definition", "id", "kind"]
    frame = pd.DataFrame(rows, columns=columns)
    kinds, heads = list(frame["kind"]), {column: head_of(column) for column in columns}
    return Sheet(name=label("sheet.numbers"), frame=frame.drop(columns="kind"), heads=heads,
                 units=kinds, values=["value"])  # fmt: skip


def _frame(title: str, frame: pd.DataFrame, declared: dict[str, str], report: str) -> Sheet:
    """Give one frame: its words for codes, its numbers by their units."""
    frame = frame.drop(columns=[c for c in frame.columns if c in _LEFT_OUT])
    named = "unit" in frame.columns and frame["unit"].dropna().isin(_UNITS).all()
    values = [c for c in _BY_UNIT if named and c in frame.columns]
    kinds = {str(c): kind_of(str(c), frame[c], declared) for c in frame.columns}
    shown = frame.head(MOST_ROWS)
    columns = {str(c): ready(str(c), shown[c], kinds[str(c)], report) for c in frame.columns}
    written = pd.DataFrame(columns, index=shown.index)
    return Sheet(name=title, frame=written, heads={c: head_of(c) for c in columns},
                 kinds={c: k for c, k in kinds.items() if c not in values}, values=values,
                 units=list(shown["unit"]) if named else [])  # fmt: skip


_UNITS = frozenset({"ratio", "money", "money_per_day", "days", "hours", "count", "times", "score"})
# Columns that are in the unit of their row, where a frame names one.
_BY_UNIT = (
    "value", "prior_value", "middle", "prior_middle", "norm", "tolerance", "estimate", "low",
    "high", "expected", "before_after", "detectable", "now", "then",
)  # fmt: skip
# Money is told in the column beside it.
_LEFT_OUT = frozenset({"cents"})


def _column(sheet: str, head: str, code: str, kind: str, n: int) -> dict[str, Any]:
    unit = unit_of(kind) if kind else ""
    return {"sheet": sheet, "head": head, "unit": unit, "rows": n, "code": code}


def _about(result: Result, rows: list[dict[str, Any]]) -> Sheet:
    """Say what each column is, and of sheets that were cut how many rows there are."""
    facts = [{"sheet": fact.text()} for fact in result.setting.facts()]
    facts += [{"sheet": f"{label('page.fingerprint')} {result.setting.fingerprint}"}]
    for row in rows:
        if row["rows"] > MOST_ROWS:
            row["head"] += " " + say("page.more_rows", shown=MOST_ROWS, n=row["rows"])
    frame = pd.DataFrame([*rows, *facts], columns=["sheet", "head", "unit", "rows", "code"])
    return Sheet(name=label("sheet.about"), frame=frame, kinds={"rows": "count"},
                 heads={c: label(f"about.{c}") for c in frame})  # fmt: skip
