"""Findings, gaps and methods in words."""

from dataclasses import dataclass
from typing import Any

from salesops.model.finding import Finding, Gap
from salesops.wording.catalogue import Mark, _plain, entries, label, say


@dataclass(frozen=True)
class Words:
    """A finding in words: the sentence, what to do, and what the money takes for granted."""

    text: str
    action: str
    do: str
    assumption: str
    owner: str
    trust: str


def say_finding(finding: Finding, *, mark: Mark = _plain) -> Words:
    """Say a finding in the current language."""
    evidence: dict[str, Any] = dict(finding.evidence)
    return Words(
        text=say(finding.code, mark=mark, **evidence),
        action=_known(f"{finding.code}.action", evidence, mark),
        do=_known(f"{finding.code}.do", evidence, mark),
        assumption=_known(finding.assumption or f"{finding.code}.assumption", evidence, mark),
        owner=label(f"role.{finding.owner_role}"),
        trust=label(f"trust.{finding.trust}") if finding.trust else "",
    )


def _known(code: str, fields: dict[str, Any], mark: Mark) -> str:
    entry = entries()[code]
    used = {name: value for name, value in fields.items() if name in entry.fields}
    return say(code, mark=mark, **used)


def say_gap(gap: Gap) -> str:
    """Say what could not be computed, why, and what would mend it."""
    evidence: dict[str, Any] = dict(gap.evidence)
    code = f"gap.{gap.reason}"
    if code not in entries():
        return say("gap.sentence", what=label(gap.what), reason=say_reason(gap.reason, gap.needs))
    reason = say(code, needs=gap.needs, **evidence)
    return say("gap.sentence", what=label(gap.what), reason=reason)


def say_reason(reason: str, needs: str = "") -> str:
    """Say why a metric is null, from a code such as `no_rows` or `missing:targets`.

    Examples
    --------
    >>> say_reason("missing:targets")
    'targets is missing.'
    """
    code, _colon, named = reason.partition(":")
    return say(f"reason.{code}", needs=named or needs)
