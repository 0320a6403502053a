"""Score what was handed in on an unknown company against what is true of it."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from salesops.playbook.capstone import (
    ACTIONS,
    EVIDENCE,
    PLANTED,
    TROUBLES,
    Answer,
    capstone_options,
    parsed,
    planted_in,
)
from salesops.sample.generate import SampleCompany, generate
from salesops.wording import say

NAMED, SHOWN = 7.5, 5.0
ADDS_UP, FAIR = 8.0, 12.0
OWNER, DO, DUE = 4.0, 4.0, 2.0
# A false alarm takes what a true finding gives; an action on one costs half of what it could give.
FALSE_ALARM, FALSE_ACTION = 7.5, 5.0
NEAR = 0.10
DUE_WITHIN = 31
QUARTER = ("2026-07", "2026-08", "2026-09")


@dataclass(frozen=True, kw_only=True)
class Truth:
    """What is true of the unknown company.

    Attributes
    ----------
    records
        Planted trouble -> ids of all records that meet its definition.
    total
        The company's target of the quarter.
    fair
        Team -> its fair part.
    today
        The last day that the books know.
    """

    records: Mapping[str, frozenset[str]]
    total: float
    fair: Mapping[str, float]
    today: dt.date


@dataclass(frozen=True, kw_only=True)
class Part:
    """Points of one part, and why."""

    points: float
    most: float
    reason: str


@dataclass(frozen=True, kw_only=True)
class Score:
    """All parts of a score; they add up to at most 100."""

    parts: tuple[Part, ...]

    @property
    def points(self) -> int:
        """The whole, rounded."""
        return round(sum(part.points for part in self.parts))


def find_truth(seed: int) -> Truth:
    """Make the unknown company of a seed anew and see what is true of it."""
    return truth_of(generate(capstone_options(seed)), planted_in(seed))


def truth_of(made: SampleCompany, planted: tuple[str, ...]) -> Truth:
    """See what is true of a generated company."""
    records = {}
    for name in planted:
        rows = made.truth.rows[TROUBLES[name].problem]
        ids = set(rows.loc[rows["table"] == TROUBLES[name].table, "id"].astype(str))
        if name == "duplicates":
            # Either record of a pair shows that there are two.
            pairs = made.truth.pairs[made.truth.pairs["duplicate"].astype(bool)]
            ids |= set(pairs["account"].astype(str)) | set(pairs["other"].astype(str))
        # What left no trace can't be found by anybody.
        if ids:
            records[name] = frozenset(ids)
    tables = {name: made.tables[name].to_pandas() for name in ("users", "accounts", "targets")}
    total = company_target(tables["targets"])
    today = made.tables["changes"].to_pandas()["changed_at"].max()
    return Truth(records=records, total=total, today=pd.Timestamp(today).date(),
                 fair=fair_split(tables["users"], tables["accounts"], total))  # fmt: skip


def company_target(targets: pd.DataFrame) -> float:
    """Add up what the company is to sign in the quarter."""
    chosen = targets[(targets["level"] == "company") & (targets["metric"] == "bookings")]
    return float(chosen[chosen["period"].isin(QUARTER)]["amount"].astype(float).sum())


def fair_split(users: pd.DataFrame, accounts: pd.DataFrame, total: float) -> dict[str, float]:
    """Split a total by people who sell, weighted by the mean potential of their region's customers.

    Parameters
    ----------
    users, accounts
        Tables of the company.
    total
        What is to be split.
    """
    here = users[(users["role"] == "rep") & users["left_on"].isna()]
    potential = accounts["potential"].astype(float).groupby(accounts["region"]).mean()
    teams = here.groupby(["team", "region"]).size().reset_index(name="n")
    weight = teams["n"] * teams["region"].map(potential)
    return dict(zip(teams["team"], (total * weight / weight.sum()), strict=True))


def score(answer: Answer | None, truth: Truth) -> Score:
    """Give points with reasons: findings 50, targets 20, actions 30."""
    if answer is None or not (answer.findings or answer.targets or answer.actions):
        return Score(parts=(Part(points=0, most=100, reason=say("lesson.grade.nothing")),))
    return Score(parts=(*_findings(answer, truth), *_targets(answer, truth),
                        *_actions(answer, truth)))  # fmt: skip


def _findings(answer: Answer, truth: Truth) -> list[Part]:
    parts, earned = [], 0.0
    for name in truth.records:
        each = PLANTED / len(truth.records)
        most = (NAMED + SHOWN) * each
        if name not in answer.findings:
            parts.append(Part(points=0, most=most, reason=say("lesson.grade.missed", what=name)))
            continue
        given = list(dict.fromkeys(answer.findings[name]))[:EVIDENCE]
        right = sum(one in truth.records[name] for one in given)
        wanted = min(EVIDENCE, len(truth.records[name]))
        points = each * (NAMED + SHOWN * min(right, wanted) / wanted)
        earned += points
        parts.append(Part(points=points, most=most, reason=say(
            "lesson.grade.found", what=name, right=right, n=len(given))))  # fmt: skip
    false = [name for name in answer.findings if name not in truth.records]
    if false:
        # No part makes the findings worth less than nothing.
        lost = min(FALSE_ALARM * len(false), earned)
        parts.append(Part(points=-lost, most=0, reason=say(
            "lesson.grade.false_alarms", n=len(false), what=", ".join(false))))  # fmt: skip
    return parts


def _targets(answer: Answer, truth: Truth) -> list[Part]:
    given = answer.targets
    adds_up = bool(given) and abs(sum(given.values()) - truth.total) <= 1
    near = [team for team, fair in truth.fair.items()
            if team in given and abs(given[team] - fair) <= NEAR * fair]  # fmt: skip
    reason = "lesson.grade.adds_up" if adds_up else "lesson.grade.adds_not"
    return [
        Part(points=ADDS_UP * adds_up, most=ADDS_UP, reason=say(reason)),
        Part(points=FAIR * len(near) / len(truth.fair), most=FAIR,
             reason=say("lesson.grade.fair", right=len(near), most=len(truth.fair))),
    ]  # fmt: skip


def _actions(answer: Answer, truth: Truth) -> list[Part]:
    real = [name for name in answer.findings if name in truth.records]
    # Who names everything has named nothing: what follows from it is worth as much.
    sound = len(real) / len(answer.findings) if answer.findings else 0.0
    wanted = min(ACTIONS, len(truth.records))
    each = ACTIONS / max(wanted, 1)
    most = (OWNER + DO + DUE) * each
    parts, earned, seen = [], 0.0, set()
    for action in list(answer.actions)[:wanted]:
        name = str(action.get("finding"))
        if name not in real or name in seen:
            lost = min(FALSE_ACTION, earned)
            earned -= lost
            reason = say("lesson.grade.no_ground", what=name)
            parts.append(Part(points=-lost, most=most, reason=reason))
            continue
        seen.add(name)
        worth, lacking = _worth(action, name, truth.today)
        points = worth * each * sound
        earned += points
        reason = say("lesson.grade.action", what=name) if not lacking else say(
            "lesson.grade.action_lacks", what=name, lacking=", ".join(lacking)
        )  # fmt: skip
        parts.append(Part(points=points, most=most, reason=reason))
    for _missing in range(wanted - len(parts)):
        parts.append(Part(points=0, most=most, reason=say("lesson.grade.no_action")))
    if parts and 0 < sound < 1:
        parts.append(Part(points=0, most=0, reason=say("lesson.grade.sound", share=sound)))
    return parts


def _worth(action: Mapping[str, Any], name: str, today: dt.date) -> tuple[float, list[str]]:
    trouble, due = TROUBLES[name], parsed(str(action.get("due")))
    in_time = due is not None and 0 < (due - today).days <= DUE_WITHIN
    held = {"owner": (action.get("owner") in trouble.owners, OWNER),
            "do": (action.get("do") == trouble.do, DO), "due": (in_time, DUE)}  # fmt: skip
    points = sum(worth for right, worth in held.values() if right)
    return points, [word for word, (right, _worth) in held.items() if not right]
