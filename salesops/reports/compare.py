"""What two runs say differently: metrics and findings of each report and scope, not cells."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from salesops.reports.history import Entry, entries_of
from salesops.reports.leadwords import Better
from salesops.reports.pastruns import FactsRead, PastRun, WholeFacts, numbers_of

Presence = Literal["both", "only_before", "only_now"]
Moved = Literal["new", "back", "gone", "grew", "shrank", "same"]
# Money is told to the cent.
_CENT = 0.005
_SHARES = ("_rate", "_share")
_OTHERS = {"_days": "days", "_hours": "hours", "_money": "money", "_amount": "money", "_n": "count"}

_MOST_RATIO = 1000.0
_AROUND = re.compile("^(prior|norm)_|_(low|high)$")


@dataclass(frozen=True, kw_only=True)
class MetricChange:
    """One number of a report, then and now; null where the run did not have it."""

    id: str
    unit: str
    better: Better
    then: float | None
    now: float | None

    @property
    def change(self) -> float | None:
        """The difference, in the metric's unit; null where one side is."""
        return None if self.then is None or self.now is None else self.now - self.then

    @property
    def judged(self) -> Literal["better", "worse", "neither"]:
        """What the difference is for the company."""
        change = self.change
        if not change or self.better == "none":
            return "neither"
        return "better" if (change > 0) == (self.better == "up") else "worse"


@dataclass(frozen=True, kw_only=True)
class FindingChange:
    """One finding: `new`, there `back` after it had gone, `gone`, or of another size.

    Its facts are those of now; of one that is gone, those of then.
    """

    id: str
    code: str
    subject: str
    evidence: Mapping[str, Any]
    moved: Moved
    then: float | None
    now: float | None


@dataclass(frozen=True, kw_only=True)
class ReportChange:
    """One report of one scope in two runs.

    Attributes
    ----------
    report, scope, whose
        What it is of.
    presence
        In which of the runs it is.
    failed_before, failed_now
        Why it failed there; null where it did not.
    metrics, findings
        Those that differ.
    n_same
        Metrics that do not.
    """

    report: str
    scope: str
    whose: str
    presence: Presence
    failed_before: str | None
    failed_now: str | None
    metrics: tuple[MetricChange, ...]
    findings: tuple[FindingChange, ...]
    n_same: int

    @property
    def differs(self) -> bool:
        """Whether anything is to be told of it."""
        return bool(
            self.metrics or self.findings or self.presence != "both"
            or self.failed_before is not None or self.failed_now is not None
        )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Two runs side by side, report by report in the order of the later one."""

    before: PastRun
    now: PastRun
    reports: tuple[ReportChange, ...]

    @property
    def differs(self) -> bool:
        """Whether the two runs say anything differently."""
        return any(report.differs for report in self.reports)


def compare_runs(
    before: PastRun, now: PastRun, *, earlier: Sequence[PastRun] = (), lang: str = "en"
) -> Comparison:
    """Compare what two runs found.

    Parameters
    ----------
    before, now
        The runs, read whole.
    earlier
        Runs before `before`: a finding that one of them had is back and not new.
    lang
        Of a report made in several languages, the one that is read; its numbers are the same.

    Returns
    -------
    Comparison
        One entry per report and scope of either.
    """
    then = {(entry.report, entry.scope): entry for entry in entries_of(before)}
    here = {(entry.report, entry.scope): entry for entry in entries_of(now)}
    ever: dict[tuple[str, str], set[str]] = {}
    for run in earlier:
        for entry in entries_of(run):
            known = ever.setdefault((entry.report, entry.scope), set())
            known.update(_findings(entry.facts(lang)))
    changes = [
        _compared(then.get(key), here.get(key), ever.get(key, set()), lang)
        for key in dict.fromkeys([*here, *then])
    ]
    return Comparison(before=before, now=now, reports=tuple(changes))


def _compared(then: Entry | None, now: Entry | None, ever: set[str], lang: str) -> ReportChange:
    entry = now or then
    assert entry is not None
    old, new = (one.facts(lang) if one else None for one in (then, now))
    metrics = list(_metrics(old, new)) if old and new else []
    whose = next((facts.whose for facts in (new, old) if facts and facts.whose), "")
    moved = [one for one in metrics if one.then != one.now]
    return ReportChange(
        report=entry.report, scope=entry.scope, whose=whose,
        presence="both" if then and now else "only_now" if now else "only_before",
        failed_before=_why(then), failed_now=_why(now), metrics=tuple(moved),
        findings=tuple(_moved(old, new, ever)) if old and new else (),
        n_same=len(metrics) - len(moved),
    )  # fmt: skip


def _why(entry: Entry | None) -> str | None:
    return entry.failure.why if entry and entry.failure else None


def _metrics(old: FactsRead, new: FactsRead) -> Iterator[MetricChange]:
    """Give the report's main number, then its metrics."""
    lead, before = new.lead, old.lead
    if lead and before and (lead.name, lead.kind) == (before.name, before.kind):
        yield MetricChange(id=lead.name, unit=lead.kind, better=lead.better, then=before.value,
                           now=lead.value)  # fmt: skip
    then, now = numbers_of(old), numbers_of(new)
    for name in dict.fromkeys([*now, *then]):
        unit, better = unit_of(name)
        if unit == "ratio" and max(abs(then.get(name) or 0), abs(now.get(name) or 0)) > _MOST_RATIO:
            # A report has a number of its own under the name of a metric that it is not.
            unit, better = "decimal", "none"
        yield MetricChange(id=name, unit=unit, better=better, then=then.get(name),
                           now=now.get(name))  # fmt: skip


def unit_of(name: str) -> tuple[str, Better]:
    """Give unit and better way of a metric: of the catalogue, else as its name says.

    Examples
    --------
    >>> unit_of("win_rate"), unit_of("n_open"), unit_of("late_share"), unit_of("likely")
    (('ratio', 'up'), ('count', 'none'), ('ratio', 'none'), ('decimal', 'none'))
    """
    from salesops.metrics.catalogue import CATALOGUE

    if name in CATALOGUE:
        return CATALOGUE[name].unit, CATALOGUE[name].better
    # The same number of before, its norm and its range have its unit, and no better way.
    bare = _AROUND.sub("", name)
    if bare in CATALOGUE:
        return CATALOGUE[bare].unit, "none"
    if name == "n" or name.startswith("n_"):
        return "count", "none"
    if name.endswith(_SHARES):
        return "ratio", "none"
    return next((unit for tail, unit in _OTHERS.items() if name.endswith(tail)), "decimal"), "none"


def _findings(facts: FactsRead | None) -> dict[str, Mapping[str, Any]]:
    found = facts.findings if isinstance(facts, WholeFacts) else ()
    return {str(one["id"]): one for one in found if one.get("id") and one.get("code")}


def _moved(old: FactsRead, new: FactsRead, ever: set[str]) -> Iterator[FindingChange]:
    then, now = _findings(old), _findings(new)
    for key, one in now.items():
        if key not in then:
            yield _finding(one, "back" if key in ever else "new", None, _stake(one))
            continue
        before, after = _stake(then[key]), _stake(one)
        if before is not None and after is not None and abs(after - before) > _CENT:
            yield _finding(one, "grew" if after > before else "shrank", before, after)
    for key, one in then.items():
        if key not in now:
            yield _finding(one, "gone", _stake(one), None)


def _finding(
    one: Mapping[str, Any], moved: Moved, then: float | None, now: float | None
) -> FindingChange:
    evidence = one.get("evidence")
    return FindingChange(
        id=str(one["id"]), code=str(one["code"]), subject=str(one.get("subject") or ""),
        evidence=evidence if isinstance(evidence, Mapping) else {}, moved=moved, then=then, now=now,
    )  # fmt: skip


def _stake(one: Mapping[str, Any]) -> float | None:
    value = one.get("at_stake")
    return float(value) if isinstance(value, int | float) and abs(value) < float("inf") else None
