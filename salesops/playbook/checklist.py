"""The first month as a list that knows what was done."""

import csv
import json
from collections.abc import Callable
from dataclasses import dataclass

from salesops.playbook.capstone import NAME
from salesops.playbook.learner import Learner
from salesops.playbook.lessons import LESSONS

REPORTS = ("performance", "conversion", "funnel")


@dataclass(frozen=True)
class Item:
    """A thing to do in the first month; its words are `lesson.month.<name>`."""

    week: int
    name: str
    is_done: Callable[[Learner], bool]


def passed(*numbers: str) -> Callable[[Learner], bool]:
    """Tell whether every exercise of these lessons was passed."""

    def told(learner: Learner) -> bool:
        steps = learner.progress().steps
        wanted = [e.id for one in LESSONS if one.number in numbers for e in one.exercises]
        return bool(wanted) and all(n in steps and steps[n].state == "passed" for n in wanted)

    return told


def _made(report: str) -> Callable[[Learner], bool]:
    return lambda learner: any((learner.folder / "reports").glob(f"*/{report}*.html"))


def _noted(learner: Learner) -> bool:
    """Tell whether a snag was written down in the register of the learner's company."""
    path = learner.folder / "company" / "actions.csv"
    if not path.exists():
        return False
    with path.open(encoding="utf-8-sig", newline="") as opened:
        return any(row.get("kind") == "snag" for row in csv.DictReader(opened))


def _handed_in(learner: Learner) -> bool:
    path = learner.folder / NAME
    return path.exists() and bool(json.loads(path.read_text(encoding="utf-8"))["findings"])


CHECKLIST: tuple[Item, ...] = (
    Item(1, "owners", passed("01")),
    Item(1, "tables", passed("02")),
    Item(1, "process", passed("03")),
    Item(1, "customers", passed("04")),
    Item(2, "definitions", passed("05")),
    *(Item(2, f"report_{name}", _made(name)) for name in REPORTS),
    Item(2, "read_reports", passed("06", "07", "08")),
    Item(3, "monday_list", passed("09")),
    Item(3, "targets", passed("10")),
    Item(3, "money", passed("11", "12")),
    Item(4, "snags", _noted),
    Item(4, "tool", passed("13")),
    Item(4, "effect", passed("14")),
    Item(4, "capstone", _handed_in),
)
