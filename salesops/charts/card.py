"""Findings as cards whose title is the action, and what could not be computed."""

import datetime as dt
import html
from collections.abc import Callable, Sequence

from salesops.charts.parts import marked, nowrap
from salesops.model.finding import Finding, Gap
from salesops.wording import label, say, say_finding, say_gap
from salesops.wording.catalogue import FORMATS

_BADGES = {"act": "badge bad", "watch": "badge watch", "note": "badge"}


def card(finding: Finding, due: dt.date, whose: str = "") -> str:
    """Give a finding as a card.

    Parameters
    ----------
    due
        Day by which the action is due.
    whose
        Team or company of the owner, shown behind the role.
    """
    words = say_finding(finding, mark=nowrap)
    trust = (
        f"<span>{html.escape(say('page.evidence', trust=finding.trust))}</span>"
        if finding.trust
        else ""
    )
    owner = say("page.owner", role=finding.owner_role, whose=whose) if whose else words.owner
    cells = [
        *money_cells(finding),
        (label("card.owner"), html.escape(owner), ""),
        (label("card.due"), html.escape(FORMATS["date"](due)), ""),
    ]
    listed = "".join(
        f"<div><dt>{html.escape(name)}</dt><dd{f' class={css}' if css else ''}>{value}</dd></div>"
        for name, value, css in cells
    )
    severity = html.escape(label(f"severity.{finding.severity}"))
    head = f'<span class="{_BADGES[finding.severity]}">{severity}</span>'
    return (
        f'<article class="card" id="{finding.id}">'
        f"<header>{head}<span>{finding.id}</span>{trust}</header>"
        f"<h3>{marked(words.action)}</h3><dl>{listed}</dl>"
        f'<p class="do"><span>{marked(words.text)}</span> <b>{html.escape(label("card.do"))}</b> '
        f"{marked(words.do)} "
        f'<span class="quiet">{marked(words.assumption)}</span></p></article>'
    )


def money_cells(finding: Finding) -> list[tuple[str, str, str]]:
    """Give what is at stake and what can be had back: name, HTML and style of each."""
    cells = [(label("card.at_stake"), _money(finding.at_stake), "big")]
    got = finding.recoverable
    if got is not None:
        shown = _money(got.middle)
        if got.low < got.high:
            between = html.escape(say("page.range", low=got.low, high=got.high))
            shown += f'<br><small class="quiet">{between}</small>'
        cells.append((label("card.recoverable"), shown, "big"))
    return cells


def _money(value: float | None) -> str:
    return html.escape(FORMATS["money"](value))


def findings_html(
    findings: Sequence[Finding], due: Callable[[Finding], dt.date], whose: str = ""
) -> str:
    """Give the cards, or the sentence that there is nothing to act on."""
    if not findings:
        return f'<p class="quiet none">{html.escape(say("page.no_finding"))}</p>'
    return "".join(card(finding, due(finding), whose) for finding in findings)


def gaps_html(gaps: Sequence[Gap]) -> str:
    """Say what could not be computed and why; nothing where all was."""
    if not gaps:
        return ""
    listed = "".join(f"<li>{html.escape(say_gap(gap))}</li>" for gap in gaps)
    return (f'<section class="gaps"><h3>{html.escape(label("page.gaps"))}</h3>'
            f'<ul class="small">{listed}</ul></section>')  # fmt: skip
