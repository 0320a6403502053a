"""Lesson 8: why does this rate show more than 100 %?"""

from functools import cache

import pandas as pd

from salesops.playbook.exercise import Exercise, Lesson
from salesops.playbook.lessons.l03_process import stays
from salesops.playbook.owncompany import OwnCompany, month_of, share

STAGES = ("acquisition", "needs", "proposal", "negotiation", "legal_review", "contract")
STEPS = (("needs", "proposal"), ("proposal", "negotiation"))
# Deals that have to come in: in the month itself, and in each of those before that go with it.
LEAST, LEAST_BEFORE = 12, 5
MONTHS = 3


@cache
def entries(company: OwnCompany) -> pd.DataFrame:
    """One row per first entry of a deal into a stage: `deal`, `stage`, `month`."""
    found = stays(company)
    came = pd.concat([
        found[["deal", "stage", "entered"]],
        found[["deal", "next", "left"]].set_axis(["deal", "stage", "entered"], axis=1),
    ])  # fmt: skip
    came = came[came["stage"].isin(STAGES)].sort_values("entered")
    came = came.drop_duplicates(["deal", "stage"])
    return came.assign(month=month_of(came["entered"])).reset_index(drop=True)


@cache
def drawn(company: OwnCompany) -> tuple[str, str, str]:
    """Draw a step and a month in which more deals came out than went in."""
    n = _came(company)
    first = company.today.to_period("M") - 18
    last = company.today.to_period("M") - 4
    full = [
        (start, end, month) for start, end in STEPS for month in n.index
        if month <= str(last) and n.loc[month, start] >= LEAST
        and n.reindex(months_to(month))[start].min() >= LEAST_BEFORE
    ]  # fmt: skip
    over = [
        (start, end, month) for start, end, month in full
        if month >= str(first) and n.loc[month, end] > n.loc[month, start]
    ]  # fmt: skip
    busiest = max(full, key=lambda one: n.loc[one[2], one[1]] / n.loc[one[2], one[0]])
    return company.draws("step").choice(over or [busiest])


def _came(company: OwnCompany) -> pd.DataFrame:
    return entries(company).groupby(["month", "stage"]).size().unstack(fill_value=0)


def months_to(month: str) -> list[str]:
    """Give three months, the last of which is this one."""
    return [str(pd.Period(month) - back) for back in reversed(range(MONTHS))]


def step(company: OwnCompany) -> pd.DataFrame:
    """The `from` and `to` stage and the three `months` of the exercises."""
    start, end, month = drawn(company)
    return pd.DataFrame({"value": [start, end, months_to(month)]}, index=["from", "to", "months"])


def _period_flow(company: OwnCompany, *, upside_down: bool = False) -> dict[str, float]:
    start, end, month = drawn(company)
    above, below = (start, end) if upside_down else (end, start)
    n = _came(company)
    return {one: share(n.loc[one, above], n.loc[one, below]) for one in months_to(month)}


def _cohort(company: OwnCompany, *, same_month: bool = False) -> dict[str, float]:
    start, end, last = drawn(company)
    came = entries(company)
    reached = came[came["stage"].isin(STAGES[STAGES.index(end):])]  # fmt: skip
    found = {}
    for month in months_to(last):
        cohort = came[(came["month"] == month) & (came["stage"] == start)]["deal"]
        there = reached[reached["month"] == month] if same_month else reached
        found[month] = float(cohort.isin(there["deal"]).mean())
    return found


def _negotiations(company: OwnCompany) -> pd.DataFrame:
    found = stays(company)
    since = company.today - pd.Timedelta(days=365)
    return found[(found["stage"] == "needs") & (found["left"] > since)]


def _winners_only(company: OwnCompany) -> float:
    found = _negotiations(company)
    won = company.deals().set_index("id")["outcome"] == "won"
    return float(found.loc[found["deal"].map(won), "days"].mean())


def _went_on(company: OwnCompany) -> float:
    found = _negotiations(company)
    return float(found.loc[~found["next"].isin(["lost", "void"]), "days"].mean())


LESSON = Lesson(
    stem="08_funnel", week=2, minutes=40, report="funnel",
    data={"entries": entries, "stays": stays, "step": step},
    exercises=(
        Exercise(
            id="L08.1",
            answer=_period_flow,
            wrong={
                "cohort": _cohort,
                "upside_down": lambda c: _period_flow(c, upside_down=True),
            },
            solution="""
came = entries.groupby(["month", "stage"]).size().unstack(fill_value=0).loc[months]
flow = came[end] / came[start]
""",
        ),
        Exercise(
            id="L08.2",
            answer=_cohort,
            wrong={
                "flow": _period_flow,
                "same_month": lambda c: _cohort(c, same_month=True),
            },
            solution="""
cohort = entries[entries["month"].isin(months) & (entries["stage"] == start)]
beyond = order[order.index(end):]
reached = entries[entries["stage"].isin(beyond)]["deal"]
conversion = cohort["deal"].isin(reached).groupby(cohort["month"]).mean()
""",
        ),
        Exercise(
            id="L08.3",
            answer=lambda c: float(_negotiations(c)["days"].mean()),
            wrong={"winners": _winners_only, "went_on": _went_on},
            solution="""
since = lesson.today - pd.Timedelta(days=365)
left = stays[(stays["stage"] == "needs") & (stays["left"] > since)]
days = left["days"].mean()
""",
        ),
    ),
)  # fmt: skip
