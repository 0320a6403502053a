"""What a recipient may see: nothing outside their scope, nothing more sensitive than they may."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Literal

from salesops.book.scope import Scope, parse_scope
from salesops.model.sensitivity import SENSITIVITIES
from salesops.reports.deliver.recipients import Recipient
from salesops.reports.deliver.record import Report

Reason = Literal["scope", "sensitivity"]


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """A report that a recipient does not get, and why."""

    recipient: str
    report: Report
    reason: Reason
    allowed: str


@dataclass(frozen=True, kw_only=True)
class Share:
    """What of a run goes to one recipient.

    Attributes
    ----------
    name, recipient
        Who.
    reports
        Made, and theirs to see.
    missing
        Theirs to see, but not made.
    refused
        Meant for them, but not theirs to see.
    """

    name: str
    recipient: Recipient
    reports: tuple[Report, ...]
    missing: tuple[Report, ...]
    refused: tuple[Refusal, ...]


def share_of(name: str, recipient: Recipient, reports: Sequence[Report]) -> Share:
    """Choose what of a run goes to a recipient."""
    meant = [report for report in reports if _is_meant(name, recipient, report)]
    refused = [refusal for report in meant if (refusal := refusal_of(name, recipient, report))]
    kept_back = {id(refusal.report) for refusal in refused}
    seen = [report for report in meant if id(report) not in kept_back]
    return Share(
        name=name,
        recipient=recipient,
        reports=tuple(report for report in seen if not report.failure),
        missing=tuple(report for report in seen if report.failure),
        refused=tuple(refused),
    )


def _is_meant(name: str, recipient: Recipient, report: Report) -> bool:
    if report.job.lang != recipient.lang:
        return False
    if report.to is not None and name not in report.to:
        return False
    return not recipient.reports or report.job.report in recipient.reports


def refusal_of(name: str, recipient: Recipient, report: Report) -> Refusal | None:
    """Say why a recipient may not see a report; null where they may."""
    seen, asked = parse_scope(recipient.scope), parse_scope(report.job.scope)
    if not is_inside(asked, seen):
        return Refusal(recipient=name, report=report, reason="scope", allowed=recipient.scope)
    # What a report says of one person is that person's own.
    if seen.user != "all" and asked == seen:
        return None
    if report.failure:  # it says nothing but its name
        return None
    # A result that does not tell may hold anything.
    told = report.facts.get("sensitivity")
    level = SENSITIVITIES.index(told) if told in SENSITIVITIES else len(SENSITIVITIES) - 1
    if level > SENSITIVITIES.index(recipient.max_sensitivity):
        return Refusal(recipient=name, report=report, reason="sensitivity",
                       allowed=recipient.max_sensitivity)  # fmt: skip
    return None


def is_inside(asked: Scope, seen: Scope) -> bool:
    """Say whether a scope shows nothing that the other does not.

    A person's own reports are not inside the team's: who is in a team changes, and reports of one
    person are for whoever is named for them.

    Examples
    --------
    >>> team = Scope(team="East/1")
    >>> is_inside(team, Scope()), is_inside(team, Scope(team="East")), is_inside(Scope(), team)
    (True, True, False)
    >>> is_inside(Scope(team="East/10"), team), is_inside(Scope(user="U1"), team)
    (False, False)
    """
    for side in fields(Scope):
        limit, value = getattr(seen, side.name), getattr(asked, side.name)
        below = side.name == "team" and value.startswith(limit + "/")
        if limit not in ("all", value) and not below:
            return False
    return True
