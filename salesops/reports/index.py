"""The index of a run: each report with its sentence, its number, its state and its languages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from salesops.charts.verdict import between
from salesops.reports.leadwords import Change, number, since_period
from salesops.reports.page import LANGUAGE_NAMES, environment, finished
from salesops.reports.pastruns import LeadRead
from salesops.wording import label, language, say

if TYPE_CHECKING:
    from salesops.reports.making import Done


@dataclass(frozen=True, kw_only=True)
class Row:
    """One report of one scope, in the words of the index's language."""

    name: str
    page: str
    line: str
    number: tuple[str, str]
    change: Change
    failure: Mapping[str, str] | None
    links: tuple[tuple[str, str], ...]

    @property
    def search(self) -> str:
        """What the search box looks through."""
        return f"{self.name} {self.line}"


def index_page(done: "Sequence[Done]", record: Mapping[str, Any], lang: str) -> str:
    """Write the index in one language, its reports grouped by scope."""
    with language(lang):
        facts: Mapping[str, Any] = next((d.facts for d in done if d.facts and d.job.lang == lang),
                                        {})  # fmt: skip
        groups: dict[str, list[Row]] = {}
        for scope, report in dict.fromkeys((d.job.scope, d.job.report) for d in done):
            same = [d for d in done if (d.job.scope, d.job.report) == (scope, report)]
            groups.setdefault(_scope_name(scope, same), []).append(_row(lang, same))
        head = [label("index.title"), *facts.get("head", [])[1:]]
        company = facts.get("company", "")
        page = environment().get_template("index.html.j2").render(
            lang=lang, company=company, head=head, groups=groups, verdict=_verdict(done, groups),
            label=label, between=between(), again=_again(done, record), others=_others(done, lang),
            started=record["started"][:16].replace("T", " "), n=sum(map(len, groups.values())),
            count=lambda n: say("index.count", n=n),
        )  # fmt: skip
        return finished(page, print_foot=" · ".join(filter(None, [company, *head])))


def _others(done: "Sequence[Done]", lang: str) -> list[tuple[str, str]]:
    langs = dict.fromkeys(d.job.lang for d in done)
    others = [(LANGUAGE_NAMES[other], f"index.{other}.html") for other in langs if other != lang]
    return [*others, (label("index.all_runs"), f"../index.{lang}.html")]


def _verdict(done: "Sequence[Done]", groups: Mapping[str, list[Row]]) -> list[str]:
    """Say how many reports there are, and name the first that failed."""
    n = sum(map(len, groups.values()))
    broken = [(scope, row) for scope, rows in groups.items() for row in rows if row.failure]
    clauses = []
    if n == 1 and not broken:
        clauses.append(next(iter(groups.values()))[0].line)
    if not broken:
        return [*clauses, say("index.verdict", n=n, pages=len(done))]
    scope, row = broken[0]
    code = "index.verdict_failed" if len(broken) == 1 else "index.verdict_failed_more"
    fields: dict[str, Any] = {
        "n": n,
        "made": n - len(broken),
        "failed": len(broken),
        "scope": scope,
    }
    return [say(code, report=row.name, **fields)]


def _row(lang: str, same: "Sequence[Done]") -> Row:
    own = next((d for d in same if d.job.lang == lang), same[0])
    failure = next((d.failure for d in [own, *same] if d.failure), None)
    facts = own.facts or {}
    lead = LeadRead.model_validate(facts["lead"]) if facts.get("lead") else None
    line = label("index.not_made") if failure else between().join(facts.get("verdict", []))
    return Row(
        name=label(f"report.{own.job.report}", otherwise=own.job.report),
        page=own.page,
        line=line,
        number=("", "") if failure else number(lead),
        change=Change("", "quiet") if failure else since_period(lead),
        failure=failure,
        links=tuple((LANGUAGE_NAMES[d.job.lang], d.page) for d in same),
    )


def _scope_name(scope: str, same: "Sequence[Done]") -> str:
    named = next((d.facts["whose"] for d in same if d.facts), "")
    if scope == "company":
        return label("index.company")
    return named or scope.partition(":")[2]


def _again(done: "Sequence[Done]", record: Mapping[str, Any]) -> str:
    from salesops.reports.addresses import command

    reports = " ".join(dict.fromkeys(d.job.report for d in done))
    scopes = list(dict.fromkeys(d.job.scope for d in done))
    facts = next((d.facts for d in done if d.facts), {}) or {}
    line = command(done[0].job, facts).replace(f"run {done[0].job.report}", f"run {reports}", 1)
    line = line.rpartition(" --lang ")[0]
    for scope in scopes[1:]:
        line += f' --scope "{scope}"'
    return f"{line} --lang {','.join(dict.fromkeys(d.job.lang for d in done))}"
