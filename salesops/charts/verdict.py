"""The head of page one: one line of facts, the verdict, the bar that shows its sum, the key."""

import html
from dataclasses import dataclass
from typing import Any, Literal

from salesops.charts import theme
from salesops.charts.exhibit import Part, Say
from salesops.charts.parts import LINKS, framed
from salesops.wording import current_language, label

Mark = Literal["got", "likely", "short", "tick"]
_SWATCH = {"got": "--c:var(--actual)", "likely": "--c:var(--later)", "short": "--e:var(--bad)"}


@dataclass(frozen=True, kw_only=True)
class Share:
    """One part of the sum: what it is called, how much, and a word beside it.

    Attributes
    ----------
    mark
        `got`, `likely` and `short` make up the bar from left to right; `tick` is a place on it.
    name, value
        Sentences; the value is its number.
    size
        Length in the bar's unit, or the place of the tick.
    note
        What it is compared with.
    """

    mark: Mark
    name: Say
    value: Say
    size: float
    note: Say | None = None


@dataclass(frozen=True, kw_only=True)
class RunBar:
    """The verdict as one bar.

    Attributes
    ----------
    title
        What the bar adds up to, for those who can't see it.
    shares
        Its parts, in order.
    """

    title: Say
    shares: tuple[Share, ...]

    def html(self) -> str:
        """Give the bar and the numbers below it."""
        whole = sum(share.size for share in self.shares if share.mark != "tick")
        bars = "".join(_piece(share, whole) for share in self.shares)
        listed = "".join(_named(share) for share in self.shares)
        return (
            f'<div class="run" role="group" aria-label="{html.escape(self.title.text())}">'
            f'<div class="bar">{bars}</div><dl>{listed}</dl></div>'
        )


def _piece(share: Share, whole: float) -> str:
    part = 100 * share.size / whole if whole else 0.0
    if share.mark == "tick":
        return f'<b style="left:{min(part, 100):.2f}%"></b>'
    return f'<i class="{share.mark}" style="width:{part:.2f}%"></i>'


def _named(share: Share) -> str:
    css = ' class="tick"' if share.mark == "tick" else f' style="{_SWATCH[share.mark]}"'
    note = f" <small>{share.note.html()}</small>" if share.note else ""
    bad = ' class="bad"' if share.mark == "short" else ""
    return (f"<div><dt{css}>{share.name.html()}</dt>"
            f"<dd{bad}>{share.value.html()}{note}</dd></div>")  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Headline:
    """The head of page one: report, scope, period and date, then the verdict."""

    report: str
    facts: tuple[Say, ...]
    verdict: tuple[Say, ...]
    run: RunBar | None = None
    changed: Part | None = None

    def html(self) -> str:
        """Give the head; the verdict breaks between its clauses."""
        facts = "".join(f"<span>{fact.html()}</span>" for fact in self.facts)
        clauses = between().join(f"<span>{clause.html()}</span>" for clause in self.verdict)
        name = html.escape(label(f"report.{self.report}", otherwise=self.report))
        return (
            f'<header class="top"><div class="facts"><h1>{name}</h1>{facts}</div></header>{LINKS}'
            f'<h2 class="verdict">{clauses}</h2>{self.run.html() if self.run else ""}'
            f"{self.changed.html() if self.changed else ''}{key_of_marks()}"
        )

    def _repr_mimebundle_(self, **_kwargs: Any) -> dict[str, str]:
        plain = between().join(clause.text() for clause in self.verdict)
        return {"text/html": framed(self.html(), styled=True), "text/plain": plain}


def between() -> str:
    """Give what stands between two clauses: Chinese punctuation brings its own space."""
    return "" if current_language() == "zh" else " "


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
    shown = shown.replace("<svg ", '<svg aria-hidden="true" ')
    return f'<div class="key">{shown}</div>'
