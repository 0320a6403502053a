"""Lesson 11: money in, and who has to move first."""

from functools import cache

import pandas as pd

from salesops.playbook.exercise import Exercise, Lesson
from salesops.playbook.lessons import money
from salesops.playbook.owncompany import OwnCompany, share

WAITS = 60


@cache
def dues(company: OwnCompany) -> pd.DataFrame:
    """One row per instalment that is not fully paid: `open`, `days_overdue`, `invoiced`, and more.

    `days_overdue` is empty where no due date is known yet, and negative before it. `delivered_days`
    counts since delivery; `accepted` says whether the acceptance is signed.
    """
    found = money.instalments(company)
    invoices = company.table("invoices")
    billed = set(zip(invoices["contract_id"], invoices["amount"].round(2), strict=True))
    left = (found["amount"] - found["received"]).round(2)
    amounts = zip(found["contract_id"], found["amount"].round(2), strict=True)
    frame = found.assign(
        open=left, days_overdue=(company.today - found["due_on"]).dt.days,
        invoiced=[pair in billed for pair in amounts],
        delivered_days=(company.today - found["delivered_on"]).dt.days,
        accepted=found["accepted_on"].notna(),
    )  # fmt: skip
    columns = ["id", "contract_id", "owner_id", "trigger", "amount", "open", "due_on",
               "days_overdue", "invoiced", "delivered_days", "accepted"]  # fmt: skip
    return frame.loc[left > 0, columns].reset_index(drop=True)


def _overdue(company: OwnCompany) -> pd.DataFrame:
    found = dues(company)
    return found[found["days_overdue"] > 0]


def _stuck(company: OwnCompany) -> pd.DataFrame:
    """Take what is delivered for long, not accepted, and therefore not even due."""
    found = dues(company)
    waits = (found["delivered_days"] > WAITS) & ~found["accepted"] & found["due_on"].isna()
    return found[waits]


def _undated_too(company: OwnCompany) -> float:
    found = dues(company)
    return float(found.loc[~(found["days_overdue"] <= 0), "open"].sum())


def _by_role(company: OwnCompany) -> dict[str, float]:
    late = _overdue(company)
    return {
        "delivery": float(_stuck(company)["open"].sum()),
        "finance": float(late.loc[~late["invoiced"], "open"].sum()),
        "rep": float(late.loc[late["invoiced"], "open"].sum()),
    }


def _all_rep(company: OwnCompany) -> dict[str, float]:
    return {"delivery": 0.0, "finance": 0.0, "rep": float(_overdue(company)["open"].sum())}


def _no_stuck(company: OwnCompany) -> dict[str, float]:
    return {**_by_role(company), "delivery": 0.0}


def _weighted_days(company: OwnCompany) -> float:
    late = _overdue(company)
    return share((late["open"] * late["days_overdue"]).sum(), late["open"].sum())


LESSON = Lesson(
    stem="11_collection", week=3, minutes=35, report="collection",
    data={"dues": dues},
    exercises=(
        Exercise(
            id="L11.1",
            answer=lambda c: float(_overdue(c)["open"].sum()),
            wrong={
                "not_yet_due": lambda c: float(dues(c)["open"].sum()),
                "undated": _undated_too,
            },
            solution="""
overdue = dues[dues["days_overdue"] > 0]
amount = overdue["open"].sum()
""",
        ),
        Exercise(
            id="L11.2",
            answer=_by_role,
            wrong={"all_rep": _all_rep, "no_stuck": _no_stuck},
            solution="""
stuck = dues[(dues["delivered_days"] > 60) & ~dues["accepted"] & dues["due_on"].isna()]
moves = {"delivery": stuck["open"].sum(),
         "finance": overdue.loc[~overdue["invoiced"], "open"].sum(),
         "rep": overdue.loc[overdue["invoiced"], "open"].sum()}
""",
        ),
        Exercise(
            id="L11.3",
            answer=_weighted_days,
            wrong={
                "plain_mean": lambda c: float(_overdue(c)["days_overdue"].mean()),
                "median": lambda c: float(_overdue(c)["days_overdue"].median()),
            },
            solution="""
days = (overdue["open"] * overdue["days_overdue"]).sum() / overdue["open"].sum()
""",
        ),
    ),
)  # fmt: skip
