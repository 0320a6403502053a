"""Lesson 1: what the job is."""

import pandas as pd

from salesops.playbook.exercise import Exercise, Lesson
from salesops.playbook.owncompany import OwnCompany
from salesops.wording import say

# Request -> who answers for it.
REQUESTS = {
    "definition": "ops", "duplicates": "ops", "field": "ops", "targets": "ops", "funnel": "ops",
    "routing": "ops", "training": "ops", "step": "ops", "coaching": "manager",
    "discount": "manager", "heir": "manager", "commit": "manager", "hiring": "manager",
    "quarrel": "manager", "visit": "rep", "silent": "rep", "next_step": "rep",
    "advert": "marketing", "fair": "marketing", "clause": "legal", "invoice": "finance",
    "acceptance": "delivery", "complaint": "cs", "renewal": "cs",
}  # fmt: skip
OF_OPS, OF_MANAGER, N_REQUESTS = 4, 3, 12
TASKS = ("targets", "leads", "discounts", "contracts", "acceptance", "overdue", "renewals",
         "merging", "forecast", "complaints")  # fmt: skip
ROLES = ("ops", "manager", "rep", "legal", "finance", "delivery", "cs")
WITHOUT_A, TWO_A, WITHOUT_R = 2, 2, 1
# Tasks are numbered as in a long list of duties, so that no two learners list the same numbers.
NUMBERS = range(101, 1000)


def chosen(company: OwnCompany) -> list[str]:
    """Draw the twelve requests of a learner."""
    draws = company.draws("requests")
    by_owner = {who: [name for name, owner in REQUESTS.items() if owner == who]
                for who in ("ops", "manager")}  # fmt: skip
    others = [name for name, owner in REQUESTS.items() if owner not in by_owner]
    found = draws.sample(by_owner["ops"], OF_OPS) + draws.sample(by_owner["manager"], OF_MANAGER)
    found += draws.sample(others, N_REQUESTS - len(found))
    draws.shuffle(found)
    return found


def requests(company: OwnCompany) -> pd.DataFrame:
    """One row per request: `request`, as it was put."""
    said = [say(f"lesson.L01.request.{name}") for name in chosen(company)]
    return pd.DataFrame({"request": said}, index=pd.RangeIndex(1, len(said) + 1, name="number"))


def owners(company: OwnCompany) -> pd.DataFrame:
    """One row per request: `request`, `question` (1 to 3) that settles it, `owner`."""
    settled = [REQUESTS[name] for name in chosen(company)]
    questions = [{"manager": 2, "ops": 3}.get(owner, 1) for owner in settled]
    return requests(company).assign(question=questions, owner=settled)


def letters(company: OwnCompany) -> dict[str, list[str]]:
    """Draw the letters of each task, with faults."""
    draws = company.draws("raci")
    tasks = list(TASKS)
    draws.shuffle(tasks)
    faulty = tasks[: WITHOUT_A + TWO_A + WITHOUT_R]
    found = {}
    for task in TASKS:
        line = ["A", "R", "C", "I", "", "", "C"]
        at = faulty.index(task) if task in faulty else -1
        if 0 <= at < WITHOUT_A:
            line[0] = "C"
        elif WITHOUT_A <= at < WITHOUT_A + TWO_A:
            line[3] = "A"
        elif at >= 0:
            line[1] = "I"
        draws.shuffle(line)
        found[task] = line
    order = list(TASKS)
    draws.shuffle(order)
    return {task: found[task] for task in order}


def raci(company: OwnCompany) -> pd.DataFrame:
    """One row per task, by its number in the list of duties: `task`, a letter for each role."""
    lines = letters(company)
    frame = pd.DataFrame(list(lines.values()), columns=list(ROLES))
    frame.insert(0, "task", [say(f"lesson.L01.task.{name}") for name in lines])
    return frame.set_axis(pd.Index(_task_numbers(company), name="number"))


def _task_numbers(company: OwnCompany) -> list[int]:
    return sorted(company.draws("numbers").sample(NUMBERS, len(TASKS)))


def _numbered(company: OwnCompany, change: dict[str, str] | None = None) -> dict[int, str]:
    owners = [REQUESTS[name] for name in chosen(company)]
    return {n: (change or {}).get(owner, owner) for n, owner in enumerate(owners, 1)}


def _lines(company: OwnCompany, letter: str, *counts: int) -> list[int]:
    lines = zip(_task_numbers(company), letters(company).values(), strict=True)
    return [number for number, line in lines if line.count(letter) in counts]


_OF_CUSTOMERS = ("rep", "legal", "finance", "delivery", "cs")

LESSON = Lesson(
    stem="01_job", week=1, minutes=30, report="collaboration",
    data={"requests": requests, "owners": owners, "raci": raci},
    exercises=(
        Exercise(
            id="L01.1",
            answer=_numbered,
            wrong={
                "all_ops": lambda c: dict.fromkeys(range(1, N_REQUESTS + 1), "ops"),
                "swapped": lambda c: _numbered(c, {"ops": "manager", "manager": "ops"}),
                "customers_to_manager": lambda c: _numbered(
                    c, dict.fromkeys(_OF_CUSTOMERS, "manager")
                ),
            },
            solution="""
settled = lesson.data("owners")
owners = dict(settled["owner"])
""",
        ),
        Exercise(
            id="L01.2",
            answer=lambda c: _lines(c, "A", 0, 2),
            wrong={
                "without_only": lambda c: _lines(c, "A", 0),
                "double_only": lambda c: _lines(c, "A", 2),
                "without_r": lambda c: _lines(c, "R", 0),
            },
            solution="""
n = (raci == "A").sum(axis=1)
lines = list(raci.index[n != 1])
""",
        ),
    ),
)  # fmt: skip
