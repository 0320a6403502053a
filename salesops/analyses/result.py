"""What every Result shares: its setting, its head, its findings and where it came from."""

import datetime as dt
import html
import importlib.metadata
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any, Literal
from weakref import WeakKeyDictionary

from salesops.book.book import COMPANY, Book
from salesops.book.fingerprint import scoped
from salesops.book.importmark import assumed_mapping
from salesops.book.shared import once
from salesops.charts.card import findings_html, gaps_html
from salesops.charts.changed import ChangedLine
from salesops.charts.exhibit import Exhibit, Say
from salesops.charts.parts import RESULT_MIME, Shown, as_json, definitions, framed, marked
from salesops.charts.verdict import Headline, RunBar
from salesops.metrics.catalogue import CATALOGUE
from salesops.metrics.sincelast import since_last
from salesops.model.calendar import Period
from salesops.model.finding import Finding, Gap, Method
from salesops.model.sensitivity import SENSITIVITIES, Sensitivity
from salesops.wording import label, listed, say, say_finding, say_gap
from salesops.wording.catalogue import FORMATS

_FINGERPRINTS: WeakKeyDictionary[Book, str] = WeakKeyDictionary()


def fingerprint_of(book: Book) -> str:
    """Give the fingerprint of the rows that a book shows, worked out once."""
    if book not in _FINGERPRINTS:
        whole = replace(book, limits=COMPANY)
        rows = once("rows", whole, whole.fingerprint)
        _FINGERPRINTS[book] = scoped(rows, book.limits)
    return _FINGERPRINTS[book]


def due_on(book: Book, finding: Finding) -> dt.date:
    """Give the day by which a finding's action is due: working days after the book's date."""
    left = getattr(book.settings.norms.due_days, finding.severity)
    day = book.date
    while left > 0:
        day += dt.timedelta(days=1)
        left -= book.calendar.is_working_day(day)
    return day


@dataclass(frozen=True, kw_only=True, eq=False)
class Setting:
    """Of what company, scope, period and date a result speaks."""

    book: Book
    period: Period

    @cached_property
    def fingerprint(self) -> str:
        """Fingerprint of the rows that the book shows."""
        return fingerprint_of(self.book)

    @property
    def whose(self) -> str:
        """The scope as its reader names it; the company's name where nothing is restricted."""
        limits = self.book.limits
        sides = [getattr(limits, s) for s in ("team", "user", "region", "segment", "product_line")]
        named = [side for side in sides if side != "all"]
        return listed(named) or self.book.settings.company.name

    def facts(self) -> tuple[Say, ...]:
        """Give the facts of the page's head; data that end before its date are told there."""
        date, until = self.book.date, self.book.data_until
        as_of = Say("page.as_of", {"date": date})
        if until < date:
            as_of = Say("page.as_of_later", {"date": date, "until": until})
        return (
            Say("page.scope", {"scope": self.whose}),
            Say("page.period", {"period": self.period}),
            as_of,
        )


@dataclass(frozen=True, kw_only=True)
class Lead:
    """The one number by which a report stands in the index.

    Attributes
    ----------
    name
        Code of its label.
    kind
        One of the catalogue's formats, such as `money`, `ratio` or `count`.
    value, prior
        Now and the period before; null where not known.
    better
        `up` or `down` where that is better, `none` where neither is.
    """

    name: str
    kind: str
    value: float | None
    prior: float | None = None
    better: Literal["up", "down", "none"] = "none"


@dataclass(frozen=True, kw_only=True, eq=False)
class Result:
    """Base of all Results: what is shown is there already; display computes nothing.

    Attributes
    ----------
    report
        Stem of the analysis, such as `funnel`.
    setting
        Company, scope, period and date.
    verdict
        Clauses of the one sentence that says how it stands.
    metrics
        Headline numbers by metric id, raw; null with a Gap beside it.
    exhibits
        Page one and the detail, by key.
    findings
        By money at stake, largest first.
    method
        Sources, assumptions, n and blind spots.
    gaps
        What could not be computed, and why.
    run
        The verdict as one bar, where its parts are known.
    lead
        Its number in the index of a run.
    """

    report: str
    setting: Setting
    verdict: tuple[Say, ...]
    metrics: Mapping[str, float | None]
    exhibits: Mapping[str, Exhibit]
    findings: tuple[Finding, ...]
    method: Method
    gaps: tuple[Gap, ...]
    run: RunBar | None = None
    lead: Lead | None = None

    def __repr__(self) -> str:
        n = len(self.findings)
        shown = " ".join(f".exhibit({key!r})" for key in self.exhibits)
        return f"<{type(self).__name__}: {n} finding{'s' * (n != 1)} — {shown} .findings .method>"

    def exhibit(self, key: str) -> Exhibit | Shown:
        """Give one exhibit by its key, or in its place why it could not be made.

        Raises
        ------
        KeyError
            There is none; the message lists those there are.
        """
        if key in self.exhibits:
            return self.exhibits[key]
        for gap in self.gaps:
            if gap.what == f"what.{key}":
                head, text = marked(label(gap.what)), marked(say_gap(gap))
                page = f'<h3>{head}</h3><p class="gap">{text}</p>'
                page = f'<section class="ex" id="exhibit-{key}">{page}</section>'
                return Shown(page, say_gap(gap))
        raise KeyError(f"no exhibit {key!r}; there are {', '.join(self.exhibits)}")

    def headline(self) -> Headline:
        """Give the head of page one."""
        facts = self.setting.facts()
        return Headline(report=self.report, facts=facts, verdict=self.verdict, run=self.run,
                        changed=self.changed)  # fmt: skip

    @cached_property
    def changed(self) -> ChangedLine | None:
        """What changed since the last run of this report over other data; null without one."""
        setting = self.setting
        before = since_last(setting.book, self.report, setting.fingerprint, self.findings)
        if before is None:
            return None
        lead, now = self.lead, self.metrics
        told = None if lead is None else (lead.name, lead.kind, lead.value, before.lead, lead.prior)
        moved = tuple(
            (name, CATALOGUE[name].unit, before.metrics.get(name), now[name]) for name in now
            if name in CATALOGUE and now[name] is not None and now[name] != before.metrics.get(name)
        )  # fmt: skip
        return ChangedLine(as_of=before.as_of, lead=told, metrics=moved, new=before.new,
                           gone=before.gone, back=before.back, moved=before.moved)  # fmt: skip

    def due(self, finding: Finding) -> dt.date:
        """Give the day by which a finding's action is due, in working days of its severity."""
        return due_on(self.setting.book, finding)

    @property
    def cards(self) -> Shown:
        """The findings as cards, and what could not be computed."""
        page = findings_html(self.findings, self.due, self.setting.whose) + gaps_html(self.gaps)
        return Shown(page, f"{len(self.findings)} findings, {len(self.gaps)} gaps")

    @property
    def how(self) -> Shown:
        """Method in words, and from what data and versions the result was made."""
        method = self.method
        shown = [say(code) for code in (*method.source, *method.assumptions)]
        blind = [say(code) for code in method.blind_spots]
        counts = " · ".join(f"{label(f'n.{name}')} {n:,}" for name, n in method.n.items())
        pairs = [(label("page.methods"), " ".join(shown)), (label("page.counts"), counts)]
        if blind:
            pairs.append((label("page.blind"), " ".join(blind)))
        summary = html.escape(label("page.how"))
        page = f'<details><summary>{summary}</summary><div class="in">{definitions(pairs)}</div>'
        return Shown(page + "</details>", " ".join(shown))

    @property
    def appendix(self) -> Shown:
        """As of when, from which data, with which versions, and how to run it again."""
        book = self.setting.book
        tables = " · ".join(f"{name} {book.n(name):,}" for name in book.store.present)
        unversioned = listed(book.unversioned) or "—"
        pairs = [
            (label("page.made_as_of"), f"{book.calendar.local(book.instant):%Y-%m-%d %H:%M:%S} "
             f"{book.settings.company.zone}"),
            (label("page.fingerprint"), self.setting.fingerprint),
            (label("page.tables"), tables),
            (label("page.unversioned"), unversioned),
            (label("page.settings"), f"salesops.toml {book.settings.fingerprint}"),
            (label("page.versions"), versions()),
        ]  # fmt: skip
        if source := assumed_mapping(book.store.where):
            pairs.append((label("page.mapping"), say("page.assumed_mapping", source=source)))
        head = f"<h2>{marked(label('page.appendix'))}</h2>"
        return Shown(head + definitions(pairs), self.setting.fingerprint)

    @property
    def sensitivity(self) -> Sensitivity:
        """Who may see the report: whoever may see the most sensitive of its exhibits."""
        seen = [exhibit.sensitivity for exhibit in self.exhibits.values()]
        return max(seen, key=SENSITIVITIES.index, default=SENSITIVITIES[0])

    def facts(self) -> dict[str, Any]:
        """Give metrics, findings and gaps as plain data, for the run's record."""
        book = self.setting.book
        return {
            "report": self.report,
            "company": book.settings.company.name,
            "scope": str(book.limits),
            "whose": self.setting.whose,
            "lead": None if self.lead is None else _lead(self.lead),
            "as_of": book.date.isoformat(),
            "period": self.setting.period.text,
            "fingerprint": self.setting.fingerprint,
            "settings": book.settings.fingerprint,
            "head": [fact.text() for fact in self.setting.facts()],
            "sensitivity": self.sensitivity,
            "verdict": [clause.text() for clause in self.verdict],
            "metrics": as_json(dict(self.metrics)),
            "findings": [_finding(finding, self.due(finding)) for finding in self.findings],
            "gaps": [{"what": g.what, "reason": g.reason, "needs": g.needs} for g in self.gaps],
            "n": dict(self.method.n),
            "versions": versions(),
        }

    def _repr_mimebundle_(self, **_kwargs: Any) -> dict[str, Any]:
        return {
            "text/html": framed(self.headline().html(), styled=True),
            "text/plain": repr(self),
            RESULT_MIME: self.facts(),
        }


def _lead(lead: Lead) -> dict[str, Any]:
    said = f"{label(lead.name)} {FORMATS[lead.kind](lead.value)}"
    return {**as_json(asdict(lead)), "said": said}


def _finding(finding: Finding, due: dt.date) -> dict[str, Any]:
    got = finding.recoverable
    words = say_finding(finding)
    return {
        "id": finding.id, "code": finding.code, "severity": finding.severity,
        "subject": finding.subject, "evidence": as_json(finding.evidence),
        "at_stake": finding.at_stake, "trust": finding.trust,
        "recoverable": None if got is None else [got.low, got.middle, got.high],
        "owner_role": finding.owner_role, "due": due.isoformat(),
        "said": {"action": words.action, "text": words.text,
                 "at_stake": FORMATS["money"](finding.at_stake)},
    }  # fmt: skip


def versions() -> str:
    """Name the versions that made the numbers."""
    names = ("salesops", "ibis-framework", "duckdb", "pandas", "papermill")
    found = [f"{name} {importlib.metadata.version(name)}" for name in names]
    return " · ".join([found[0], f"Python {platform.python_version()}", *found[1:]])
