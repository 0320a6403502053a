"""The index of a run: each report with its sentence, its state and its languages."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from salesops.reports.page import environment, stylesheet
from salesops.wording import label, language, say

if TYPE_CHECKING:
    from salesops.reports.run import Done


def index_page(done: "Sequence[Done]", record: dict[str, Any], lang: str) -> str:
    """Write the index in one language, its reports grouped by scope."""
    with language(lang):
        groups: dict[str, list[dict[str, Any]]] = {}
        for scope, report in dict.fromkeys((d.job.scope, d.job.report) for d in done):
            same = [d for d in done if (d.job.scope, d.job.report) == (scope, report)]
            own = next((d for d in same if d.job.lang == lang), same[0])
            groups.setdefault(scope, []).append(_row(own, same))
        jobs = {(d.job.scope, d.job.report) for d in done}
        failed = {(d.job.scope, d.job.report) for d in done if d.failure}
        code = "index.verdict_failed" if failed else "index.verdict"
        fields: dict[str, Any] = {"n": len(jobs), "failed": len(failed)} if failed else {"n": len(jobs)}
        facts = next((d.facts for d in done if d.facts), None)
        others = sorted({d.job.lang for d in done} - {lang})
        return (
            environment()
            .get_template("index.html.j2")
            .render(
                lang=lang, css=stylesheet(), groups=groups, verdict=say(code, **fields),
                label=label, facts=facts, record=record, others=others, scope_name=_scope_name,
            )
        )  # fmt: skip


def _row(own: "Done", same: "list[Done]") -> dict[str, Any]:
    names = {"zh": "中文", "en": "English"}
    return {
        "report": own.job.report,
        "page": own.page,
        "verdict": " ".join(own.facts["verdict"]) if own.facts else "",
        "failure": own.failure,
        "links": [(names[d.job.lang], d.page) for d in same],
    }


def _scope_name(scope: str) -> str:
    return label("index.company") if scope == "company" else scope.partition(":")[2]
