"""Lesson 8: why does this rate show more than 100 %?"""

from functools import cache

import pandas as pd

from salesops.playbook.exercise import Exercise, Lesson
from salesops.playbook.lessons.l03_process import stays
from salesops.playbook.owncompany import OwnCompany, month_of, share

STAGES = ("acquisition", "needs", "proposal", "negotiation", "legal_review", "contract")
STEPS = (("needs", "proposal"), ("proposal", "negotiation"))
LEAST = 12


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
    n = entries(company).groupby(["month", "stage"]).size().unstack(fill_value=0)
    first = company.today.to_period("M") - 18
    last = company.today.to_period("M") - 4
    found = [
        (start, end, month) for start, end in STEPS for month in n.index
        if str(first) <= month <= str(last)
        and n.loc[month, start] >= LEAST and n.loc[month, end] > n.loc[month, start]
    ]  # fmt: skip
    busiest = max(
        ((start, end, month) for start, end in STEPS for month in n.index
         if n.loc[month, start] >= LEAST and month <= str(last)),
        key=lambda one: n.loc[one[2], one[1]] / n.loc[one[2], one[0]],
    )  # fmt: skip
    return company.draws("step").choice(found or [busiest])


def step(company: OwnCompany) -> pd.DataFrame:
    """The `from` and `to` stage and the `month` of the exercises."""
    return pd.DataFrame({"value": list(drawn(company))}, index=["from", "to", "month"])


def _period_flow(company: OwnCompany) -> float:
    start, end, month = drawn(company)
    came = entries(company)
    came = came[came["month"] == month]["stage"].value_counts()
    return share(came[end], came[start])


def _cohort(company: OwnCompany, *, exact: bool = False, same_month: bool = False) -> float:
    start, end, month = drawn(company)
    came = entries(company)
    cohort = came[(came["month"] == month) & (came["stage"] == start)]["deal"]
    beyond = [end] if exact else list(STAGES[STAGES.index(end):])  # fmt: skip
    reached = came[came["stage"].isin(beyond)]
    if same_month:
        reached = reached[reached["month"] == month]
    return float(cohort.isin(reached["deal"]).mean())


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
            wrong={"cohort": _cohort, "upside_down": lambda c: 1 / _period_flow(c)},
            solution="""
came = entries[entries["month"] == month]["stage"].value_counts()
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
cohort = entries[(entries["month"] == month) & (entries["stage"] == start)]["deal"]
beyond = order[order.index(end):]
reached = entries[entries["stage"].isin(beyond)]["deal"]
conversion = cohort.isin(reached).mean()
""",
        ),
        Exercise(
            id="L08.3",
            answer=lambda c: float(_negotiations(c)["days"].mean()),
            wrong={"winners": _winners_only, "went_on": _went_on},
            tolerance=1e-4,
            solution="""
since = lesson.today - pd.Timedelta(days=365)
left = stays[(stays["stage"] == "needs") & (stays["left"] > since)]
days = left["days"].mean()
""",
        ),
    ),
)  # fmt: skip
