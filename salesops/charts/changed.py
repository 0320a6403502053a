"""One line at the top of a report: what changed since the run before, with the deals behind it."""

import datetime as dt
import html
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from salesops.charts.exhibit import Say
from salesops.charts.table import TableView
from salesops.charts.verdict import between
from salesops.model.finding import Finding
from salesops.wording import label, listed, say, say_finding
from salesops.wording.catalogue import FORMATS, entries

MOST = 20
_KINDS = {"stage": "stage", "amount": "money", "expected_close_on": "short_date",
          "owner_id": "text"}  # fmt: skip


@dataclass(frozen=True, kw_only=True, eq=False)
class ChangedLine:
    """What changed since the run before.

    Attributes
    ----------
    as_of
        Date of the data of that run.
    lead
        Name and format of the report's number, its value now, then, and in the period before; null
        where it has none.
    metrics
        Name, unit, value then and value now of the report's metrics that changed.
    new, gone, back
        Findings that are new, gone (as the record tells them), and back again.
    moved
        The deals that moved, see `metrics.moveddeals`.
    """

    as_of: dt.date
    lead: tuple[str, str, float | None, float | None, float | None] | None
    metrics: tuple[tuple[str, str, float | None, float | None], ...]
    new: tuple[Finding, ...]
    gone: tuple[Mapping[str, Any], ...]
    back: tuple[Finding, ...]
    moved: pd.DataFrame

    def html(self) -> str:
        """Give the line, its details folded; print leaves the details out."""
        said = between().join(f"<span>{clause.html()}</span>" for clause in self.clauses())
        parts = [self._metrics(), *self._findings(), self._deals()]
        inside = "".join(part for part in parts if part)
        if not inside:
            return f'<p class="changed">{said}</p>'
        return (f'<details class="behind changed"><summary>{said}</summary>'
                f'<div class="in">{inside}</div></details>'
                f'<p class="changed printed">{said}</p>')  # fmt: skip

    def clauses(self) -> list[Say]:
        """Give the sentences of the line."""
        found = []
        if self.lead is not None and self.lead[2] is not None:
            name, kind, now, then, prior = self.lead
            show = FORMATS[kind]
            fields = {"date": self.as_of, "name": name, "now": show(now), "then": show(then),
                      "prior": show(prior)}  # fmt: skip
            found.append(Say("changed.lead" if prior is not None else "changed.lead_alone", fields))
        else:
            found.append(Say("changed.since", {"date": self.as_of}))
        counts = {"new": len(self.new), "gone": len(self.gone), "back": len(self.back)}
        if any(counts.values()):
            found.append(Say("changed.findings", counts))
        if len(self.moved):
            found.append(Say("changed.deals", {"n": len(self.moved)}))
        return found

    def _metrics(self) -> str:
        if not self.metrics:
            return ""
        rows = [(label(f"metric.{name}"), FORMATS[unit](then), FORMATS[unit](now))
                for name, unit, then, now in self.metrics]  # fmt: skip
        frame = pd.DataFrame(rows, columns=["metric", "then", "now"])
        return TableView(frame=frame, columns=dict.fromkeys(frame.columns, "text"),
                         caption=Say("changed.metrics_caption")).html()  # fmt: skip

    def _findings(self) -> list[str]:
        found = []
        for name in ("new", "back", "gone"):
            each = getattr(self, name)
            if each:
                items = "".join(f"<li>{html.escape(_text(one))}</li>" for one in each)
                found.append(f"<p>{html.escape(label(f'changed.{name}'))}</p><ul>{items}</ul>")
        return found

    def _deals(self) -> str:
        moved = self.moved
        if moved.empty:
            return ""
        frame = moved.assign(moves=[listed([_move(m) for m in each]) for each in moved["moves"]])
        columns = {"name": "text", "owner": "text", "amount": "money", "moves": "text"}
        return TableView(frame=frame, columns=columns, most=MOST, optional=frozenset({"owner"}),
                         caption=Say("changed.deals_caption", {
                             "n": len(frame), "date": self.as_of})).html()  # fmt: skip


def _text(one: Finding | Mapping[str, Any]) -> str:
    """Say a finding of now, or one that a record holds."""
    if isinstance(one, Finding):
        return say_finding(one).text
    return recorded(str(one["code"]), one["evidence"])


def recorded(code: str, evidence: Mapping[str, Any]) -> str:
    """Say a sentence with the facts that a record holds; its code where no catalogue has it now."""
    entry = entries().get(code)
    if entry is None:
        return code
    fields = {name: _value(kind, evidence.get(name)) for name, kind in entry.fields.items()}
    return say(code, **fields)


def _value(kind: str, value: Any) -> Any:
    """Read a fact of a record: dates were written as text."""
    if kind in ("date", "short_date") and isinstance(value, str):
        return dt.date.fromisoformat(value[:10])
    return float("nan") if value is None and kind not in ("text", "label", "cause") else value


def _move(move: tuple[str, Any, Any]) -> str:
    what, before, after = move
    if what not in _KINDS:
        return label(f"changed.{what}")
    show = FORMATS[_KINDS[what]]
    a, b = (show(v) if v is not None and v == v else "—" for v in (before, after))
    return say("changed.move", what=label(f"changed.field_{what}"), before=a, after=b)
