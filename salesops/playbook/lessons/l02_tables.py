"""Lesson 2: a company as tables, and as it was known then."""

from functools import cache

import pandas as pd

from salesops.playbook.exercise import Exercise, Lesson
from salesops.playbook.owncompany import OwnCompany

# Ends of months that lie long enough ago that much was learned since.
DAYS = ("2025-09-30", "2025-10-31", "2025-11-30", "2025-12-31", "2026-01-31", "2026-02-28",
        "2026-03-31")  # fmt: skip
# By less than this share of the money nobody would tell hindsight from what was known then.
LEARNT = 0.005


@cache
def day_of(company: OwnCompany) -> str:
    """Draw the day that a learner asks about: one since when something was learnt."""
    days = company.draws("day").sample(DAYS, len(DAYS))
    return next((day for day in days if abs(_learnt(company, day)) > LEARNT), days[0])


def _learnt(company: OwnCompany, day: str) -> float:
    before = _open_on(company, day)["amount"].sum()
    return float(_as_of_today(company, day).sum() / before - 1) if before else 0.0


def day(company: OwnCompany) -> pd.DataFrame:
    """One row: `day`, that the exercises ask about."""
    return pd.DataFrame({"value": [day_of(company)]}, index=["day"])


def _open_now(company: OwnCompany) -> pd.DataFrame:
    deals = company.deals()
    return deals[deals["outcome"] == "open"]


@cache
def _open_on(company: OwnCompany, day: str) -> pd.DataFrame:
    deals = company.deals_at(day)
    return deals[deals["outcome"] == "open"]


def _open_then(company: OwnCompany) -> pd.DataFrame:
    return _open_on(company, day_of(company))


def _counted(deals: pd.DataFrame) -> dict[str, float]:
    """Give how many deals there are, and their amount as it stands in this table."""
    return {"n": len(deals), "amount": float(deals["amount"].sum())}


def _fan_out(company: OwnCompany) -> float:
    touches = company.table("activities")[["opportunity_id"]]
    joined = _open_now(company).merge(touches, left_on="id", right_on="opportunity_id")
    return float(joined["amount"].sum())


def _void_too(company: OwnCompany) -> float:
    deals = company.deals()
    return float(deals.loc[deals["outcome"].isin(["open", "void"]), "amount"].sum())


def _created(company: OwnCompany) -> pd.DataFrame:
    deals = company.deals()
    return deals[deals["created_at"] < pd.Timestamp(day_of(company)) + pd.Timedelta(days=1)]


def _as_of_today(company: OwnCompany, day: str) -> pd.Series:
    """Give today's amounts of the deals that were open on a day."""
    amounts = company.deals().set_index("id")["amount"]
    return amounts.reindex(_open_on(company, day)["id"])


def _difference(company: OwnCompany) -> float:
    before = _open_then(company).set_index("id")["amount"]
    return float((_as_of_today(company, day_of(company)) - before).sum())


LESSON = Lesson(
    stem="02_tables", week=1, minutes=35, report="quality",
    data={"day": day},
    exercises=(
        Exercise(
            id="L02.1",
            answer=lambda c: float(_open_now(c)["amount"].sum()),
            wrong={
                "fan_out": _fan_out,
                "all_deals": lambda c: float(c.deals()["amount"].sum()),
                "void_too": _void_too,
            },
            solution="""
open_amount = deals.loc[is_open, "amount"].sum()
""",
        ),
        Exercise(
            id="L02.2",
            answer=lambda c: _counted(_open_then(c)),
            wrong={
                "still_open": lambda c: _counted(_created(c).query("outcome == 'open'")),
                "all_created": lambda c: _counted(_created(c)),
                "open_today": lambda c: _counted(_open_now(c)),
                "amount_today": lambda c: {
                    "n": len(_open_then(c)),
                    "amount": float(_as_of_today(c, day_of(c)).sum())
                },
            },
            solution="""
open_ones = known_then[known_then["outcome"] == "open"]
open_then = {"n": len(open_ones), "amount": open_ones["amount"].astype(float).sum()}
""",
        ),
        Exercise(
            id="L02.3",
            answer=_difference,
            wrong={
                "two_days": lambda c: float(
                    _open_now(c)["amount"].sum() - _open_then(c)["amount"].sum()
                ),
                "reversed": lambda c: -_difference(c),
            },
            solution="""
before = known_then[known_then["outcome"] == "open"].set_index("id")["amount"].astype(float)
now = deals.set_index("id")["amount"].reindex(before.index)
difference = (now - before).sum()
""",
        ),
    ),
)  # fmt: skip
