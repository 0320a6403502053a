"""Lesson 9: ten deals for Monday."""

from functools import cache

import pandas as pd

from salesops.playbook.exercise import Exercise, Lesson
from salesops.playbook.owncompany import OwnCompany, share

SILENT, DEAD, TEN = 21, 90, 10


@cache
def pipeline(company: OwnCompany) -> pd.DataFrame:
    """One row per open deal, renewals apart: `owner_id`, `stage`, `amount`, two lengths of time.

    `age_days` since it was made; `silent_days` since the last touch in which the customer answered,
    or since it was made where there is none.
    """
    deals = company.deals()
    deals = deals[(deals["outcome"] == "open") & (deals["type"] != "renewal")].set_index("id")
    touches = company.table("activities")
    answered = touches[touches["direction"] == "two_way"]
    last = answered.groupby("opportunity_id")["occurred_at"].max().reindex(deals.index)
    end = company.today + pd.Timedelta(days=1)
    frame = deals[["owner_id", "stage", "amount"]].assign(
        age_days=(end - deals["created_at"]).dt.days,
        silent_days=(end - last.fillna(deals["created_at"])).dt.days,
    )
    return frame.rename_axis("id").reset_index()


def _dead(company: OwnCompany) -> pd.Series:
    return pipeline(company)["silent_days"] > DEAD


def _value_share(company: OwnCompany, chosen: pd.Series) -> float:
    found = pipeline(company)
    return share(found.loc[chosen, "amount"].sum(), found["amount"].sum())


def _ten(company: OwnCompany, by: str, *, within: bool = False) -> list[str]:
    found = pipeline(company)
    if within:
        found = found[(found["silent_days"] > SILENT) & (found["silent_days"] <= DEAD)]
    return list(found.sort_values([by, "id"], ascending=[False, True])["id"][:TEN])


def _by_owner(company: OwnCompany) -> dict[str, int]:
    found = pipeline(company)
    chosen = found[found["id"].isin(_ten(company, "amount", within=True))]
    return {str(k): int(v) for k, v in chosen["owner_id"].value_counts().items()}


def _all_silent_by_owner(company: OwnCompany) -> dict[str, int]:
    found = pipeline(company)
    chosen = found[found["silent_days"] > SILENT]
    return {str(k): int(v) for k, v in chosen["owner_id"].value_counts().items()}


LESSON = Lesson(
    stem="09_stall", week=3, minutes=35, report="stall",
    data={"pipeline": pipeline},
    exercises=(
        Exercise(
            id="L09.1",
            answer=lambda c: _value_share(c, _dead(c)),
            wrong={
                "by_count": lambda c: float(_dead(c).mean()),
                "by_age": lambda c: _value_share(c, pipeline(c)["age_days"] > DEAD),
            },
            solution="""
dead = pipeline["silent_days"] > 90
dead_share = pipeline.loc[dead, "amount"].sum() / pipeline["amount"].sum()
""",
        ),
        Exercise(
            id="L09.2",
            answer=lambda c: _ten(c, "amount", within=True),
            wrong={
                "oldest": lambda c: _ten(c, "age_days"),
                "most_silent": lambda c: _ten(c, "silent_days"),
                "largest": lambda c: _ten(c, "amount"),
            },
            solution="""
alive = pipeline[(pipeline["silent_days"] > 21) & (pipeline["silent_days"] <= 90)]
ten = list(alive.sort_values(["amount", "id"], ascending=[False, True])["id"][:10])
""",
        ),
        Exercise(
            id="L09.3",
            answer=_by_owner,
            wrong={"all_silent": _all_silent_by_owner},
            solution="""
per_owner = dict(pipeline[pipeline["id"].isin(ten)]["owner_id"].value_counts())
""",
        ),
    ),
)  # fmt: skip
