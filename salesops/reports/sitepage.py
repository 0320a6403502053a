"""The page over all runs, in one language: the newest of each report, earlier ones in folds."""

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from salesops.charts.verdict import between
from salesops.model.calendar import Period
from salesops.model.errors import BadPeriod
from salesops.reports.history import Entry, Line, lines_of
from salesops.reports.leadwords import Change, named, number, since, since_period, value_in
from salesops.reports.page import LANGUAGE_NAMES, environment
from salesops.reports.pastruns import PastJob, PastRun, Unread, plain_name
from salesops.wording import date, label, language, period, say
from salesops.wording.numbers import NULL, short_date

# Longer texts are cut: a name of a page's length is no name.
MOST_TEXT = 300
FORMATS = (("pdf", "PDF"), ("xlsx", "Excel"), ("json", "JSON"))
NOTHING = Change(NULL, "quiet")


@dataclass(frozen=True, kw_only=True)
class Row:
    """The newest of one report of one scope, in words."""

    report: str
    scope: str
    name: str
    page: str
    line: str
    number: tuple[str, str]
    change: Change
    since: Change
    since_what: str
    state: str
    why: str
    cell: str
    links: tuple[tuple[str, str], ...]
    last_good: tuple[str, str]
    n_earlier: int
    search: str


@dataclass(frozen=True, kw_only=True)
class Group:
    """The reports of one scope and period."""

    company: str
    period: str
    period_name: str
    scope: str
    name: str
    as_of: str
    rows: list[Row]


@dataclass(frozen=True, kw_only=True)
class Past:
    """One report of one scope in one period, its earlier runs as (state, address, text)."""

    report: str
    scope: str
    name: str
    runs: list[tuple[str, str, str]]


@dataclass(frozen=True, kw_only=True)
class Fold:
    """The earlier runs of one period."""

    period: str
    name: str
    n: int
    runs: list[tuple[str, str]]
    rows: list[Past]


def site_page(runs: Sequence[PastRun], unread: Sequence[Unread], lang: str, *, out: Path) -> str:
    """Write the page over all runs in one language, without its styles.

    Parameters
    ----------
    runs
        See `pastruns.read_runs`.
    unread
        Records that are left out; the page names them.
    lang
        Language of the page.
    out
        The output folder, by which paths are shown.
    """
    with language(lang):
        lines = lines_of(runs)
        companies = list(dict.fromkeys(cut(line.company) for line in lines))
        several = len(companies) > 1
        groups = _groups(lines, lang, several)
        head = [label("site.title")]
        if runs:
            head.append(say("page.as_of", date=max(line.newest.as_of for line in lines))
                        if lines else "")  # fmt: skip
        folds = _folds(lines, runs, lang, several)
        return environment().get_template("site.html.j2").render(
            lang=lang, company="" if several or not companies else companies[0],
            head=[text for text in head if text], verdict=_verdict(groups), groups=groups,
            folds=folds, label=label, say=say, between=between(), n=len(lines),
            nav=_nav(runs, lang), choices=_choices(groups, folds),
            unread=[_place(one, out) for one in unread],
        )  # fmt: skip


def cut(text: str) -> str:
    """Shorten a text that is longer than any that is meant to be read here."""
    return text if len(text) <= MOST_TEXT else text[: MOST_TEXT - 1] + "…"


def period_name(text: str) -> str:
    """Say a period; what is none stays as it is written."""
    try:
        return period(Period.parse(text))
    except BadPeriod:
        return cut(text)


def address(run: PastRun, name: str) -> str:
    """Give the address of a file of a run, empty where it is not there."""
    if not plain_name(name) or name not in run.files:
        return ""
    return f"{_written(run.id)}/{_written(name)}"


def _written(name: str) -> str:
    """Write a name as part of an address; Chinese stays readable, what has a meaning there goes."""
    return re.sub(r"[^\w./-]", lambda match: quote(match[0], safe=""), name)


def _groups(lines: Sequence[Line], lang: str, several: bool) -> list[Group]:
    found: dict[tuple[str, str, str], list[Line]] = {}
    for line in lines:
        found.setdefault((line.company, line.newest.period, line.newest.scope), []).append(line)

    def order(key: tuple[str, str, str]) -> tuple[object, ...]:
        company, period_, scope = key
        newest = max(line.newest.as_of for line in lines
                     if (line.company, line.newest.period) == (company, period_))  # fmt: skip
        return company, -newest.toordinal(), -len(period_), period_, scope != "company", scope

    orders = {key: order(key) for key in found}
    return [_group(key, found[key], lang, several) for key in sorted(found, key=orders.__getitem__)]


def _group(key: tuple[str, str, str], lines: Sequence[Line], lang: str, several: bool) -> Group:
    company, period_, scope = key
    name = _scope_name(scope, lines)
    rows = [_row(line, name, lang) for line in lines]
    return Group(
        company=cut(company) if several else "", period=cut(period_),
        period_name=period_name(period_), scope=cut(scope), name=name, rows=rows,
        as_of=date(max(line.newest.as_of for line in lines)),
    )  # fmt: skip


def _scope_name(scope: str, lines: Sequence[Line]) -> str:
    if scope == "company":
        return label("index.company")
    return cut(next((line.whose for line in lines if line.whose), scope))


def _row(line: Line, scope_name: str, lang: str) -> Row:
    entry, own = line.newest, line.newest.job(lang)
    facts, failure = entry.facts(lang), entry.failure
    name = cut(named(entry.report, "report."))
    said = label("index.not_made") if failure else between().join(facts.verdict if facts else ())
    why = cut(failure.why) if failure else ""
    lead = None if failure or facts is None else facts.lead
    told, against = (NOTHING, "") if failure else _since_run(line, lang)
    good = line.last_good if failure else None
    what, value = number(lead)
    return Row(
        report=cut(entry.report), scope=cut(entry.scope), name=name, page=_page(entry, own),
        line=cut(said), number=(cut(what), value), since=told, since_what=against,
        change=since_period(lead), state=entry.state, why=why,
        cell=cut(failure.cell or "") if failure else "", links=_links(entry, lang),
        last_good=(_page(good, good.job(lang)), short_date(good.as_of)) if good else ("", ""),
        n_earlier=len(line.earlier), search=f"{scope_name} {name} {cut(said)} {why}",
    )  # fmt: skip


def _since_run(line: Line, lang: str) -> tuple[Change, str]:
    """Say how the number moved since the run before over other data, and which that was.

    Of another period the number begins anew, so it is told and not judged.
    """
    before, facts = line.before, line.newest.facts(lang)
    then = before.facts(lang) if before else None
    if before is None or facts is None or then is None or facts.lead is None or then.lead is None:
        return NOTHING, ""
    now, old = facts.lead, then.lead
    if (now.name, now.kind) != (old.name, old.kind):
        return NOTHING, ""
    against = short_date(before.as_of)
    if before.period != line.newest.period:
        then_named = say("site.in_period", date=before.as_of, period=period_name(before.period))
        return Change(value_in(old.kind, old.value), "quiet"), then_named
    return since(now.kind, old.value, now.value, now.better), say("site.since", date=against)


def _page(entry: Entry, job: PastJob) -> str:
    return address(entry.run, job.file("html"))


def _links(entry: Entry, lang: str) -> tuple[tuple[str, str], ...]:
    found = [(LANGUAGE_NAMES.get(job.lang, cut(job.lang)), _page(entry, job)) for job in entry.jobs]
    own = entry.job(lang)
    found += [(name, address(entry.run, own.file(kind))) for kind, name in FORMATS]
    return tuple((text, to) for text, to in found if to)


def _verdict(groups: Sequence[Group]) -> list[str]:
    rows = [(group, row) for group in groups for row in group.rows]
    broken = [(group, row) for group, row in rows if row.state == "failed"]
    if not rows:
        return [label("site.nothing")]
    if not broken:
        return [say("index.verdict", n=len(rows), pages=len(rows))]
    group, row = broken[0]
    code = "index.verdict_failed" if len(broken) == 1 else "index.verdict_failed_more"
    return [say(code, n=len(rows), made=len(rows) - len(broken), failed=len(broken),
                scope=group.name, report=row.name)]  # fmt: skip


def _folds(lines: Sequence[Line], runs: Sequence[PastRun], lang: str, several: bool) -> list[Fold]:
    """Sort what was before by period, the newest period first."""
    found: dict[str, dict[int, list[Entry]]] = {}
    latest: dict[str, dt.date] = {}
    for number_, line in enumerate(lines):
        for entry in line.earlier:
            found.setdefault(entry.period, {}).setdefault(number_, []).append(entry)
            latest[entry.period] = max(entry.as_of, latest.get(entry.period, entry.as_of))
    by_period: dict[str, list[PastRun]] = {}
    for run in reversed(runs):
        by_period.setdefault(run.period, []).append(run)
    folds = []
    for text in sorted(found, key=lambda text: (latest[text], text), reverse=True):
        rows = [_past(lines[n], entries, lang, several) for n, entries in found[text].items()]
        n = sum(len(row.runs) for row in rows)
        shown = [_run_link(run, lang) for run in by_period.get(text, ())]
        folds.append(Fold(period=cut(text), name=period_name(text), n=n, rows=rows, runs=shown))
    return folds


def _past(line: Line, entries: Sequence[Entry], lang: str, several: bool) -> Past:
    names = [cut(line.company)] if several else []
    report, scope = line.newest.report, line.newest.scope
    names += [_scope_name(scope, [line]), named(report, "report.")]
    runs = [_told(entry, lang) for entry in entries]
    return Past(report=cut(report), scope=cut(scope), name=cut(" · ".join(names)), runs=runs)


def _told(entry: Entry, lang: str) -> tuple[str, str, str]:
    facts = entry.facts(lang)
    if entry.failure is not None:
        shown = label("index.failed")
    else:
        lead = facts.lead if facts else None
        shown = value_in(lead.kind, lead.value) if lead else label("index.done")
    return entry.state, _page(entry, entry.job(lang)), f"{short_date(entry.as_of)} {shown}"


def _run_link(run: PastRun, lang: str) -> tuple[str, str]:
    return address(run, f"index.{lang}.html") or address(run, "index.html"), (
        f"{run.started:%Y-%m-%d %H:%M}")  # fmt: skip


def _nav(runs: Sequence[PastRun], lang: str) -> list[tuple[str, str]]:
    found = [(name, f"index.{other}.html") for other, name in LANGUAGE_NAMES.items()
             if other != lang]  # fmt: skip
    if runs:
        to, when = _run_link(runs[-1], lang)
        found += [(say("site.last_run", when=when), to)] if to else []
    return found


def _choices(groups: Sequence[Group], folds: Sequence[Fold]) -> Mapping[str, Mapping[str, str]]:
    """Give what the filters offer: name of the filter -> value -> text."""
    periods = {group.period: group.period_name for group in groups}
    periods.update({fold.period: fold.name for fold in folds if fold.period not in periods})
    states = ("made", "kept", "failed")
    return {
        "period": periods,
        "scope": {group.scope: group.name for group in groups},
        "report": {row.report: row.name for group in groups for row in group.rows},
        "state": {state: label(f"site.{state}") for state in states},
    }


def _place(one: Unread, out: Path) -> str:
    """Name a record; what is wrong with its text helps no reader of reports."""
    inside = one.path.is_relative_to(out)
    return cut(str(one.path.relative_to(out) if inside else one.path))
