"""Lesson 12: renewals, and whom to call first."""

from functools import cache

import pandas as pd

from salesops.playbook.exercise import Exercise, Lesson
from salesops.playbook.owncompany import OwnCompany, share

RECURRING = ("subscription", "maintenance")
GRACE, YEAR, AHEAD, TEN, BAD = 90, 365, 120, 10, 2
# How much likelier to leave a customer with bad cases is taken to be.
MOST_BAD, WEIGHT = 3, 3


@cache
def renewals(company: OwnCompany) -> pd.DataFrame:
    """One row per contract with subscription or maintenance: `value` (of these), `renewed`.

    `days_to_end` is negative after the end. `bad_cases` counts the customer's tickets of the last
    365 days that are open or were rated 1 or 2.
    """
    lines = company.table("contract_lines")
    value = lines[lines["kind"].isin(RECURRING)].groupby("contract_id")["amount"].sum()
    found = company.table("contracts")
    found = found[found["id"].isin(value.index) & found["ends_on"].notna()]
    tickets = company.table("tickets")
    late = tickets[tickets["opened_at"] > company.today - pd.Timedelta(days=YEAR)]
    bad = late[late["closed_at"].isna() | (late["csat"] <= BAD)].groupby("account_id").size()
    return pd.DataFrame({
        "id": found["id"], "account_id": found["account_id"], "value": found["id"].map(value),
        "ends_on": found["ends_on"], "days_to_end": (found["ends_on"] - company.today).dt.days,
        "renewed": found["renewed_by"].notna(),
        "bad_cases": found["account_id"].map(bad).fillna(0).astype(int),
    }).reset_index(drop=True)  # fmt: skip


def _due(company: OwnCompany, *, grace: int = GRACE) -> pd.DataFrame:
    found = renewals(company)
    return found[(found["days_to_end"] < -grace) & (found["days_to_end"] >= -grace - YEAR)]


def _rate(company: OwnCompany, *, grace: int = GRACE) -> float:
    due = _due(company, grace=grace)
    return share(due.loc[due["renewed"], "value"].sum(), due["value"].sum())


@cache
def ten(company: OwnCompany) -> pd.DataFrame:
    """Ten contracts that end soon and are not renewed yet, as `renewals`."""
    found = renewals(company)
    soon = found[found["days_to_end"].between(1, AHEAD) & ~found["renewed"]]
    soon = soon.sort_values(["value", "id"], ascending=[False, True])
    bad = soon[soon["bad_cases"] > 0]
    lists = [_list(soon, bad.iloc[k : k + MOST_BAD]) for k in range(max(len(bad), 1))]
    # The largest customers with bad cases may be first by size already: then those after them.
    telling = [one for one in lists if _first(one, _loss(one)) != _first(one, one["value"])]
    rows = list((telling or lists)[0].index)
    company.draws("renewals").shuffle(rows)
    return found.loc[rows].reset_index(drop=True)


def _list(soon: pd.DataFrame, bad: pd.DataFrame) -> pd.DataFrame:
    """Put those with bad cases beside the two largest others, and such as cases can put behind."""
    others = soon[soon["bad_cases"] == 0]
    near = others.iloc[2:]
    near = near[near["value"] < WEIGHT * bad["value"].max()] if len(bad) else near
    return pd.concat([bad, others.head(2), near.head(TEN - 2 - len(bad))])


def _loss(listed: pd.DataFrame) -> pd.Series:
    return listed["value"] * (listed["bad_cases"] > 0).map({True: WEIGHT, False: 1})


def _first(listed: pd.DataFrame, by: pd.Series, *, smallest: bool = False) -> list[str]:
    ranked = listed.assign(by=by).sort_values(["by", "id"], ascending=[smallest, True])
    return list(ranked["id"][:3])


LESSON = Lesson(
    stem="12_churn", week=3, minutes=30, report="churn",
    data={"renewals": renewals, "ten": ten},
    exercises=(
        Exercise(
            id="L12.1",
            answer=_rate,
            wrong={
                "by_count": lambda c: float(_due(c)["renewed"].mean()),
                "in_grace": lambda c: _rate(c, grace=0),
            },
            solution="""
due = renewals[renewals["days_to_end"].between(-90 - 365, -91)]
rate = due.loc[due["renewed"], "value"].sum() / due["value"].sum()
""",
        ),
        Exercise(
            id="L12.2",
            answer=lambda c: _first(ten(c), _loss(ten(c))),
            wrong={
                "largest": lambda c: _first(ten(c), ten(c)["value"]),
                "soonest": lambda c: _first(ten(c), ten(c)["ends_on"], smallest=True),
            },
            in_order=True,
            solution="""
weight = 1 + 2 * (ten["bad_cases"] > 0)
ranked = ten.assign(loss=ten["value"] * weight).sort_values("loss", ascending=False)
first = list(ranked["id"][:3])
""",
        ),
        Exercise(
            id="L12.3",
            answer=lambda c: float(ten(c)["value"].sum()) * (1 - _rate(c)),
            wrong={
                "renewed": lambda c: float(ten(c)["value"].sum()) * _rate(c),
                "by_count": lambda c: float(
                    ten(c)["value"].sum() * (1 - _due(c)["renewed"].mean())
                ),
            },
            solution="""
at_risk = ten["value"].sum() * (1 - rate)
""",
        ),
    ),
)  # fmt: skip
