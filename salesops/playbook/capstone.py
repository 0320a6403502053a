"""The capstone: a company with problems that nobody names, and what is handed in about it."""

import datetime as dt
import json
import os
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from salesops.playbook.blank import has_blank
from salesops.playbook.feedback import Feedback
from salesops.playbook.learner import find_learner
from salesops.sample.options import PROBLEMS, SampleOptions
from salesops.wording import say, set_language

NAME = "capstone.json"
PLANTED, SIZE = 4, 1.5
MONTHS, DEALS_PER_MONTH = 24, 36
EVIDENCE, ACTIONS = 5, 3


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """What may be wrong with the company.

    Attributes
    ----------
    problem
        Of the generated company.
    table
        Whose ids are evidence.
    owners
        Roles any of which may own the action.
    do
        The action that meets it.
    """

    problem: str
    table: str
    owners: tuple[str, ...]
    do: str


TROUBLES: dict[str, Trouble] = {
    "untouched_leads": Trouble(problem="P3", table="leads", owners=("sdr", "marketing"),
                               do="answer_in_time"),
    "silent_deals": Trouble(problem="P4", table="opportunities", owners=("rep", "lead"),
                            do="call_list"),
    "duplicates": Trouble(problem="P6", table="accounts", owners=("ops",), do="merge_records"),
    "skipped_needs": Trouble(problem="P7", table="opportunities", owners=("lead", "manager"),
                             do="stage_gate"),
    "slow_legal": Trouble(problem="P8", table="opportunities", owners=("legal", "ops"),
                          do="standard_contract"),
    "pushed_dates": Trouble(problem="P10", table="opportunities", owners=("lead", "rep"),
                            do="date_with_customer"),
    "sudden_wins": Trouble(problem="P11", table="opportunities", owners=("lead", "manager"),
                           do="enter_early"),
    "dead_deals": Trouble(problem="P12", table="opportunities", owners=("lead", "rep"),
                          do="close_dead"),
    "pool_claims": Trouble(problem="P14", table="accounts", owners=("ops", "manager"),
                           do="limit_claims"),
    "unaccepted": Trouble(problem="P15", table="contracts", owners=("delivery",),
                          do="sign_acceptance"),
}  # fmt: skip
# The poor region is always there: it is what the targets have to see.
ALWAYS = "P2"


def capstone_seed(seed: int) -> int:
    """Give the seed of the unknown company of a learner.

    Examples
    --------
    >>> capstone_seed(1) != capstone_seed(2)
    True
    """
    digest = sha256(f"{seed}/the unknown company".encode()).digest()
    return int.from_bytes(digest[:4], "big") % 2**31


def planted_in(seed: int) -> tuple[str, ...]:
    """Say which troubles the company of that seed has."""
    draws = random.Random(f"{seed}/troubles")
    return tuple(sorted(draws.sample(sorted(TROUBLES), PLANTED)))


def capstone_options(seed: int) -> SampleOptions:
    """Say which company a capstone is about."""
    here = {TROUBLES[name].problem for name in planted_in(seed)}
    return SampleOptions(
        seed=seed, months=MONTHS, deals_per_month=DEALS_PER_MONTH,
        problems=dict.fromkeys(sorted(here), SIZE),
        without=frozenset(set(PROBLEMS) - here - {ALWAYS}),
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What was handed in.

    Attributes
    ----------
    findings
        Trouble -> ids of records that show it.
    targets
        Team -> its part of the target of the quarter.
    actions
        One mapping each: `finding`, `owner` (a role), `do`, `due` (ISO date).
    page
        The page for the meeting; it is read and not scored.
    """

    findings: Mapping[str, Sequence[str]]
    targets: Mapping[str, float]
    actions: Sequence[Mapping[str, str]]
    page: str = ""

    @classmethod
    def read(cls, folder: Path) -> "Answer | None":
        """Read what a learner handed in; nothing where nothing was."""
        path = folder / NAME
        if not path.exists():
            return None
        kept: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return cls(findings=kept["findings"], targets=kept["targets"], actions=kept["actions"],
                   page=kept["page"])  # fmt: skip


def hand_in(findings: Any, targets: Any, actions: Any, page: str = "") -> Feedback:
    """Hand the capstone in; it may be handed in again, the last one counts.

    Parameters
    ----------
    findings
        Name of a trouble -> up to five ids of records that show it.
    targets
        Team -> its part of the target of the quarter.
    actions
        Three mappings with `finding`, `owner`, `do` and `due`.
    page
        The text of the page for the Friday review.

    Returns
    -------
    Feedback
        What was taken in or can't be; no points, those are given by `salesops learn grade`.
    """
    learner = find_learner()
    set_language(learner.lang)
    heading = say("lesson.capstone.heading")
    if has_blank([findings, targets, actions]):
        return Feedback(status="not_attempted", heading=heading,
                        lines=(say("lesson.told.fill"),))  # fmt: skip
    faults = _faults(findings, targets, actions)
    if faults:
        return Feedback(status="error", heading=heading, lines=tuple(faults))
    kept = {
        "findings": {name: [str(one) for one in ids] for name, ids in findings.items()},
        "targets": {team: float(amount) for team, amount in targets.items()},
        "actions": [{k: str(v) for k, v in action.items()} for action in actions],
        "page": "" if has_blank(page) else str(page),
    }
    path = learner.folder / NAME
    fresh = path.with_name(f".{NAME}.{os.getpid()}")
    fresh.write_text(json.dumps(kept, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    os.replace(fresh, path)
    return Feedback(
        status="note", heading=heading,
        lines=(say("lesson.capstone.taken", n=len(findings), actions=len(actions)),),
    )  # fmt: skip


def _faults(findings: Any, targets: Any, actions: Any) -> list[str]:
    if not (isinstance(findings, dict) and isinstance(targets, dict) and isinstance(actions, list)):
        return [say("lesson.capstone.form")]
    names = [*findings, *(a.get("finding", "") for a in actions if isinstance(a, dict))]
    faults = [say("lesson.capstone.unknown", value=str(name), known=", ".join(TROUBLES))
              for name in dict.fromkeys(names) if name not in TROUBLES]  # fmt: skip
    for action in actions:
        lacking = {"finding", "owner", "do", "due"} - set(action)
        if lacking:
            faults.append(say("lesson.capstone.lacking", what=", ".join(sorted(lacking))))
        elif parsed(str(action["due"])) is None:
            faults.append(say("lesson.capstone.due", value=str(action["due"])))
    return faults


def parsed(text: str) -> dt.date | None:
    """Read a day; nothing where it can't be read."""
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return None
