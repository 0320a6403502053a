"""The comparison of two runs in words: one text for the terminal, one page, plain data."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from salesops.charts.changed import recorded
from salesops.charts.parts import as_json
from salesops.reports.compare import Comparison, FindingChange, MetricChange, ReportChange
from salesops.reports.leadwords import Mood, named, since, value_in
from salesops.reports.page import environment, finished
from salesops.reports.pastruns import PastRun
from salesops.reports.sitepage import cut
from salesops.wording import label, language, say
from salesops.wording.numbers import NULL


@dataclass(frozen=True, kw_only=True)
class MetricRow:
    """A metric in words: name, then, now, change and how the change is to be read."""

    name: str
    then: str
    now: str
    change: str
    mood: Mood


@dataclass(frozen=True, kw_only=True)
class FindingRow:
    """A finding in words: what became of it, its sentence, its money then and now."""

    moved: str
    mood: Mood
    text: str
    then: str
    now: str


@dataclass(frozen=True, kw_only=True)
class Block:
    """One report of one scope in words.

    `notes` tell what failed or is missing, `others` how many numbers differ that have no words.
    """

    title: str
    notes: list[str]
    metrics: list[MetricRow]
    findings: list[FindingRow]
    others: str


def blocks_of(found: Comparison) -> Iterator[Block]:
    """Say what differs, report by report; one that does not is left out."""
    for report in found.reports:
        if report.differs:
            yield _block(report)


def _block(report: ReportChange) -> Block:
    whose = label("index.company") if report.scope == "company" else cut(
        report.whose or report.scope.partition(":")[2])  # fmt: skip
    notes = []
    if report.presence != "both":
        notes.append(label(f"compare.{report.presence}"))
    if report.failed_now is not None:
        code = "compare.fails_still" if report.failed_before is not None else "compare.fails_now"
        notes.append(say(code, why=cut(report.failed_now)))
    elif report.failed_before is not None and report.presence == "both":
        notes.append(say("compare.works_again", why=cut(report.failed_before)))
    told = [one for one in report.metrics
            if one.unit != "decimal" and metric_name(one.id) != one.id]  # fmt: skip
    n = len(report.metrics) - len(told)
    return Block(
        title=f"{cut(named(report.report, 'report.'))} · {whose}", notes=notes,
        metrics=[_metric(one) for one in told],
        findings=[_finding(one) for one in report.findings],
        others=say("compare.others", n=n) if n else "",
    )  # fmt: skip


def _metric(one: MetricChange) -> MetricRow:
    change = since(one.unit, one.then, one.now, one.better)
    return MetricRow(
        name=cut(metric_name(one.id)), then=value_in(one.unit, one.then),
        now=value_in(one.unit, one.now), change=change.text, mood=change.mood,
    )  # fmt: skip


def metric_name(id: str) -> str:  # noqa: A002 - a metric's name in code
    """Give a metric's name in words, or its name in code where it has none."""
    return named(id, "lead.") if id.startswith("lead.") else named(id, "metric.")


def _finding(one: FindingChange) -> FindingRow:
    mood: Mood = "bad" if one.moved in ("new", "back", "grew") else "good"
    return FindingRow(
        moved=label(f"compare.{one.moved}"), mood=mood, text=cut(_sentence(one)),
        then=NULL if one.then is None else value_in("money", one.then),
        now=NULL if one.now is None else value_in("money", one.now),
    )  # fmt: skip


def _sentence(one: FindingChange) -> str:
    """Say a finding by its facts; where they are not those of its sentence, its code."""
    try:
        return recorded(one.code, one.evidence)
    except (ValueError, TypeError, LookupError, AttributeError, OverflowError):
        return f"{one.code} {one.subject}".strip()


def _named_run(run: PastRun) -> str:
    return say("compare.run", run=cut(run.id), date=run.as_of)


def compared_text(found: Comparison, lang: str = "en") -> list[str]:
    """Write the comparison as lines for a terminal."""
    with language(lang):
        lines = [f"{_named_run(found.before)} → {_named_run(found.now)}"]
        for block in blocks_of(found):
            lines += ["", block.title, *(_indented(note) for note in block.notes)]
            rows = [(one.name, one.then, one.now, one.change) for one in block.metrics]
            lines += [f"  {line}" for line in _columns(rows)]
            for one in block.findings:
                money = "" if (one.then, one.now) == (NULL, NULL) else f" ({one.then} → {one.now})"
                lines.append(f"  {one.moved}: {one.text}{money}")
            lines += [f"  {block.others}"] if block.others else []
        if not found.differs:
            lines += ["", label("compare.same")]
        return lines


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())


def _columns(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    """Lay out rows so that columns stand below each other; 汉字 are two wide."""
    from rich.cells import cell_len

    if not rows:
        return
    widths = [max(cell_len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for name, *numbers in rows:
        cells = [name + " " * (widths[0] - cell_len(name))]
        cells += [" " * (width - cell_len(text)) + text
                  for text, width in zip(numbers[:-1], widths[1:-1], strict=True)]  # fmt: skip
        yield "  ".join([*cells, numbers[-1]]).rstrip()


def compared_page(found: Comparison, lang: str = "en") -> str:
    """Write the comparison as one page."""
    with language(lang):
        company = found.now.company or found.before.company
        head = [label("compare.title"), _named_run(found.before), _named_run(found.now)]
        blocks = list(blocks_of(found))
        page = environment().get_template("compare.html.j2").render(
            lang=lang, company=cut(company), head=head, blocks=blocks, label=label, say=say,
            verdict=_verdict(found, blocks),
        )  # fmt: skip
        return finished(page, print_foot=" · ".join(filter(None, [cut(company), *head])))


def _verdict(found: Comparison, blocks: list[Block]) -> str:
    if not found.differs:
        return label("compare.same")
    moved = [one.moved for report in found.reports for one in report.findings]
    return say(
        "compare.verdict", n=len(blocks), all=len(found.reports),
        new=moved.count("new") + moved.count("back"), gone=moved.count("gone"),
    )  # fmt: skip


def compared_data(found: Comparison) -> dict[str, Any]:
    """Give the comparison as plain data: raw numbers, ids and codes, no words."""
    return {
        "before": _run_data(found.before), "now": _run_data(found.now), "differs": found.differs,
        "reports": [
            {
                "report": one.report, "scope": one.scope, "presence": one.presence,
                "failed_before": one.failed_before, "failed_now": one.failed_now,
                "metrics": [
                    {"id": m.id, "unit": m.unit, "then": m.then, "now": m.now, "change": m.change,
                     "judged": m.judged} for m in one.metrics
                ],
                "findings": [
                    {"id": f.id, "code": f.code, "subject": f.subject, "moved": f.moved,
                     "then": f.then, "now": f.now, "evidence": as_json(f.evidence)}
                    for f in one.findings
                ],
                "n_same": one.n_same,
            }
            for one in found.reports
        ],
    }  # fmt: skip


def _run_data(run: PastRun) -> dict[str, Any]:
    return {"run": run.id, "started": run.started.isoformat(), "as_of": run.as_of.isoformat()}
