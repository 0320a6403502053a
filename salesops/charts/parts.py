"""Parts of a page that are no picture: its head, tables, finding cards, gaps and the appendix."""

import datetime as dt
import html
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from salesops.charts import theme
from salesops.charts.exhibit import Say
from salesops.model.finding import Finding, Gap
from salesops.wording import label, say, say_finding, say_gap
from salesops.wording.catalogue import FORMATS

RESULT_MIME = "application/vnd.salesops.result+json"


def nowrap(number: str) -> str:
    """Mark a number so that it stays with its unit; undone by `marked`."""
    return f"\x01{number}\x02"


def marked(text: str) -> str:
    """Escape a text and turn its marks into no-break spans."""
    kept = html.escape(text).replace("\x01", '<span class="nw">')
    return kept.replace("\x02", "</span>")


@dataclass(frozen=True, kw_only=True)
class Headline:
    """The head of page one: report, scope, period and date, then the verdict."""

    report: str
    facts: tuple[Say, ...]
    verdict: tuple[Say, ...]

    def html(self) -> str:
        """Give the head; the verdict breaks between its clauses."""
        facts = "".join(f"<span>{fact.html()}</span>" for fact in self.facts)
        clauses = " ".join(f"<span>{clause.html()}</span>" for clause in self.verdict)
        name = html.escape(label(f"report.{self.report}"))
        return (
            f'<header class="top"><div class="facts"><h1>{name}</h1>{facts}</div></header>'
            f'<p class="verdict">{clauses}</p>{key_of_marks()}'
        )


def key_of_marks() -> str:
    """Give the key of the marks, once per page."""

    def box(colour: str) -> str:
        return f'<svg width="16" height="10"><rect width="16" height="10" fill="{colour}"/></svg>'

    prior = (
        f'<svg width="4" height="14"><rect x="1" width="2" height="14" fill="{theme.PRIOR}"/></svg>'
    )
    plan = f'<svg width="10" height="9"><path d="M5 0L10 9H0z" fill="{theme.PLAN}"/></svg>'
    marks = [
        (box(theme.ACTUAL), "key.now"), (box(theme.LATER), "key.later"),
        (box(theme.BAD), "key.act"), (prior, "key.prior"), (plan, "key.plan"),
        (box(theme.BAND), "key.band"), ("", "key.firm"),
    ]  # fmt: skip
    shown = "".join(f"<span>{mark}{html.escape(label(code))}</span>" for mark, code in marks)
    return f'<div class="key">{shown}</div>'


@dataclass(frozen=True, kw_only=True, eq=False)
class TableView:
    """A table to act on: columns with a type, numbers right-aligned, n in the caption.

    Attributes
    ----------
    columns
        Column of the frame -> type, one of the catalogue's formats; heads are `column.<name>`.
    caption
        A sentence above the table.
    most
        Rows shown; the caption counts them all.
    """

    frame: pd.DataFrame
    columns: Mapping[str, str]
    caption: Say
    most: int = 15

    def html(self) -> str:
        """Give the table with head cells, escaped."""
        words = ("text", "name", "stage", "label", "role")
        kinds = {c: "" if kind in words else ' class="n"' for c, kind in self.columns.items()}
        heads = "".join(f'<th scope="col"{kinds[c]}>{html.escape(label(f"column.{c}"))}</th>'
                        for c in self.columns)  # fmt: skip
        body = "".join(
            "<tr>" + "".join(f"<td{kinds[c]}>{self._cell(c, row[c])}</td>" for c in self.columns)
            + "</tr>"
            for row in self.frame.head(self.most).to_dict("records")
        )  # fmt: skip
        caption = self.caption.html()
        if len(self.frame) > self.most:
            more = say("page.more_rows", shown=self.most, n=len(self.frame))
            caption += f" {html.escape(more)}"
        return (f"<table><caption>{caption}</caption><thead><tr>{heads}</tr></thead>"
                f"<tbody>{body}</tbody></table>")  # fmt: skip

    def _cell(self, column: str, value: Any) -> str:
        if value is None or (isinstance(value, float) and value != value) or value is pd.NaT:
            return "—"
        return html.escape(FORMATS[self.columns[column]](value))

    def _repr_mimebundle_(self, **_kwargs: Any) -> dict[str, str]:
        return {"text/html": self.html(), "text/plain": repr(self.frame.head(self.most))}


def card(finding: Finding, due: dt.date) -> str:
    """Give a finding as a card whose title is the action."""
    words = say_finding(finding, mark=nowrap)
    severity = finding.severity
    badge = {"act": "badge bad", "watch": "badge watch", "note": "badge"}[severity]
    trust = f'<span>{html.escape(say("page.evidence", trust=finding.trust))}</span>' if (
        finding.trust) else ""  # fmt: skip
    cells = [(label("card.at_stake"), _money(finding.at_stake), "big")]
    if finding.recoverable is not None:
        got = finding.recoverable
        between = say("page.range", low=got.low, high=got.high)
        shown = f'{_money(got.middle)}<br><small class="quiet">{html.escape(between)}</small>'
        cells.append((label("card.recoverable"), shown, "big"))
    cells.append((label("card.owner"), html.escape(words.owner), ""))
    cells.append((label("card.due"), html.escape(FORMATS["date"](due)), ""))
    listed = "".join(
        f"<div><dt>{html.escape(name)}</dt><dd{f' class={css}' if css else ''}>{value}</dd></div>"
        for name, value, css in cells
    )
    head = f'<span class="{badge}">{html.escape(label(f"severity.{severity}"))}</span>'
    return (
        f'<article class="card"><header>{head}<span>{finding.id}</span>{trust}</header>'
        f"<h3>{marked(words.action)}</h3><dl>{listed}</dl>"
        f'<p class="do">{marked(words.text)} {marked(words.do)} '
        f'<span class="quiet">{marked(words.assumption)}</span></p></article>'
    )


def _money(value: float | None) -> str:
    return html.escape(FORMATS["money"](value))


def findings_html(findings: Sequence[Finding], due: Callable[[Finding], dt.date]) -> str:
    """Give the cards, or the sentence that there is nothing to act on."""
    if not findings:
        return f'<p class="quiet">{html.escape(say("page.no_finding"))}</p>'
    return "".join(card(finding, due(finding)) for finding in findings)


def gaps_html(gaps: Sequence[Gap]) -> str:
    """Say what could not be computed and why; nothing where all was."""
    if not gaps:
        return ""
    listed = "".join(f"<li>{html.escape(say_gap(gap))}</li>" for gap in gaps)
    return (f'<section class="gaps small"><h3>{html.escape(label("page.gaps"))}</h3>'
            f"<ul>{listed}</ul></section>")  # fmt: skip


def definitions(pairs: Sequence[tuple[str, str]]) -> str:
    """Give a list of names and values."""
    listed = "".join(f"<dt>{html.escape(k)}</dt><dd>{html.escape(v)}</dd>" for k, v in pairs)
    return f'<dl class="how">{listed}</dl>'


def as_json(value: Any) -> Any:
    """Turn facts into what JSON can hold: dates as ISO text, not-a-number as null."""
    if isinstance(value, float) and value != value:
        return None
    if isinstance(value, dt.date | dt.datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(k): as_json(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [as_json(v) for v in value]
    if hasattr(value, "item"):
        return as_json(value.item())
    return value


def to_json(value: Any) -> str:
    """Write facts as JSON text."""
    return json.dumps(as_json(value), ensure_ascii=False, indent=1)
