"""From the findings of the last run to actions with owner, due date and baseline."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

import pandas as pd
from rich.console import Console

from salesops.book.register import BadAction, Register, with_row
from salesops.book.scope import OUTSIDE, Scope, parse_scope
from salesops.cli.lastrun import last_findings
from salesops.cli.register import (
    checked_row,
    day_option,
    finding_codes,
    number_option,
    today,
    value_now,
)
from salesops.cli.running import BadOption
from salesops.metrics.actions import METRIC_OF
from salesops.metrics.catalogue import CATALOGUE
from salesops.model.errors import nearest
from salesops.sources.registerstore import Desk, changing, keep
from salesops.wording import language, say, tell_company
from salesops.wording.catalogue import FORMATS, entries
from salesops.wording.language import current_language

_NOBODY = "nobody has the role, or several without a manager in common"
_PERSON = ["id", "role", "team", "manager_id", "left_on"]


def add_findings(
    where: str, out: Console, *, wanted: Sequence[str], owner: str, due: str, expect: str, lang: str
) -> None:  # fmt: skip
    """Add the findings of the last run that are to act on or to watch, or those named."""
    if lang not in ("zh", "en"):
        raise BadOption(option="--lang", value=lang, expected="zh or en")
    day = day_option("--due", due) if due else None
    expected = number_option("--expect", expect)
    run, findings = last_findings(where)
    chosen = _chosen(findings, wanted, where, run)
    with changing(where, finding_codes(), tuple(CATALOGUE)) as desk, language(lang):
        tell_company(desk.book.settings)
        register, told, lacking = desk.register, [], []
        for finding in chosen:
            scope = _scope(finding, desk)
            twice = _standing(register, finding["id"], scope)
            if twice:
                told.append(f"{finding['id']} is in the register already: {twice}.")
                continue
            person, why = (owner, "") if owner else _proposed(desk, finding["owner_role"], scope)
            if not person:
                lacking.append(f"{finding['id']} ({finding['owner_role']}, {scope})")
                continue
            row = _row(_with(desk, register), finding, scope, person, day, expected)
            register = with_row(register, row)
            told.append(
                f"{row['id']}: {row['note']} — {row['owner_id']}{why}, due {row['due_on']}."
            )
        if lacking and register is desk.register and not told:
            raise BadAction(
                where=f"run {run}", reason=f"{_NOBODY}: {', '.join(lacking)}",
                mend="Name the owner: --finding "
                f"{lacking[0].split(' ')[0]} --owner NAME.",
            )  # fmt: skip
        if register is not desk.register:
            keep(desk, register)
    for line in told:
        out.print(line, markup=False)
    if lacking:
        out.print(f"Not added, as {_NOBODY}: {', '.join(lacking)}.\n"
                  "Name the owner: --finding ID --owner NAME.", markup=False)  # fmt: skip
    n = len(register.rows) - len(desk.register.rows)
    out.print(f"{n} added from run {run}." if chosen
              else f"Run {run} found nothing to act on or to watch.")  # fmt: skip


def _chosen(
    findings: Sequence[dict[str, Any]], wanted: Sequence[str], where: str, run: str
) -> list[dict[str, Any]]:
    if not run:
        raise BadAction(where=where, reason="no run of reports is noted beside it",
                          mend=f"Make one: salesops run diagnosis --book {where}.")  # fmt: skip
    if not wanted:
        return [f for f in findings if f["severity"] in ("act", "watch")]
    ids = sorted({f["id"] for f in findings})
    for id_ in wanted:
        if id_ not in ids:
            near = f"Its findings: {nearest(id_, ids)}." if ids else "It found nothing."
            raise BadAction(where=f"run {run}", reason=f"it has no finding {id_}", mend=near)
    return [f for f in findings if f["id"] in wanted]


def _scope(finding: dict[str, Any], desk: Desk) -> str:
    """Give the report's scope, or the team or person that the finding speaks of."""
    teams = desk.known.places[0] if desk.known.places else frozenset()
    subject = finding.get("subject") or ""
    if subject in (desk.known.people or {}):
        return f"user:{subject}"
    return f"team:{subject}" if subject in teams else str(finding["scope"])


def _standing(register: Register, finding: str, scope: str) -> str:
    """Name the row of a finding in a scope that has not ended; empty where there is none."""
    for row in register.rows:
        told = row.values
        same = told.get("finding_id") == finding and (told.get("scope") or "company") == scope
        if same and told.get("status") not in ("done", "dropped"):
            return str(told["id"])
    return ""


def _proposed(desk: Desk, role: str, scope: str) -> tuple[str, str]:
    """Name the person of a role in a scope, where it is one; else the company's only one.

    Whoever is to see to a person is looked for in that person's team. Where several have the role
    the one who leads them all is to pass it on, and that is said.
    """
    limits = parse_scope(scope)
    if limits.user != "all":
        people = desk.book.table("users")
        teams = people.filter(people.id == limits.user).to_pandas()["team"].dropna()
        limits = Scope(team=str(teams.iloc[0])) if len(teams) else Scope()
    book = desk.book if limits.is_company else desk.book.within(limits)
    for seen in (book, desk.book):
        users = seen.table("users").to_pandas().reindex(columns=_PERSON)
        here = users[users["left_on"].isna() & (users["team"] != OUTSIDE)]
        # Who was in the team once is seen in its book, but works elsewhere now.
        there = here[here["role"] == role]
        if len(there) == 1:
            return str(there["id"].iloc[0]), ""
        if len(there):
            return _leader(there, desk.book.table("users").to_pandas().reindex(columns=_PERSON))
    return "", ""


def _leader(people: pd.DataFrame, users: pd.DataFrame) -> tuple[str, str]:
    """Name the manager whom all of these people have; nobody where they have several or none."""
    managers = people["manager_id"].unique()
    known = users[users["left_on"].isna() & users["id"].isin(managers)]["id"]
    if len(managers) != 1 or len(known) != 1:
        return "", ""
    role = people["role"].iloc[0]
    return str(known.iloc[0]), f" ({len(people)} people are {role}: their manager is to pass it on)"


def _with(desk: Desk, register: Register) -> Desk:
    return Desk(desk.where, desk.book, desk.known, register)


def _row(
    desk: Desk, finding: dict[str, Any], scope: str, person: str, due: dt.date | None,
    expected: float | None,
) -> dict[str, Any]:  # fmt: skip
    day = min(today(desk), dt.date.fromisoformat(finding["as_of"]))
    told = finding.get("due")
    until = due or (dt.date.fromisoformat(told) if told else None)
    name = METRIC_OF.get(finding["code"])
    row = checked_row(desk, {
        "id": desk.next_id(), "kind": "action", "finding_id": finding["id"],
        "code": finding["code"], "metric": name, "scope": scope, "owner_id": person,
        "created_at": desk.known.calendar.start_of(day), "due_on": until, "status": "open",
        "expected_effect": expected, "note": _about(finding, scope) + _words(finding),
    })  # fmt: skip
    if name:
        row["baseline"] = value_now(desk, name, scope, finding["as_of"], finding["period"])
    return row


def _about(finding: dict[str, Any], scope: str) -> str:
    """Name what a finding speaks of where its scope does not: a stage, a source, a customer."""
    subject = str(finding.get("subject") or "")
    if not subject or scope in (f"team:{subject}", f"user:{subject}"):
        return ""
    return FORMATS["stage"](subject) + ("：" if current_language() == "zh" else ": ")


def _words(finding: dict[str, Any]) -> str:
    """Say what is to be done; numbers and dates in it are those of the run."""
    code = f"{finding['code']}.do"
    entry = entries().get(code)
    if entry is None:
        return str(finding["code"])
    try:
        return say(code, **{name: _fact(value, entry.fields.get(name, ""))
                            for name, value in finding["evidence"].items()
                            if name in entry.fields})  # fmt: skip
    except (KeyError, TypeError, ValueError):
        # A run of another version told other facts.
        return str(finding["code"])


def _fact(value: Any, kind: str) -> Any:
    """Give a fact of a record its type again: JSON has no dates."""
    return dt.date.fromisoformat(value) if kind in ("date", "short_date") and value else value
