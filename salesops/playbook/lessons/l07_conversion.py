"""Lesson 7: which channel brings customers, and how many leads say so?"""

from collections.abc import Callable
from functools import cache
from typing import Any

import pandas as pd

from salesops.playbook.exercise import Compute, Exercise, Lesson
from salesops.playbook.owncompany import OwnCompany, month_of, share

DAYS = 90
# Months of leads to look at: the first number by which mistakes are told apart.
MONTHS = range(36, 23, -2)
APART = 0.01


def leads(company: OwnCompany) -> pd.DataFrame:
    """One row per lead: `source`, `month`, `age_days`, `became_deal` and `won` within 90 days.

    `won_later` says whether it was ever won, `won_amount` for how much.
    """
    return _since(company, n_months(company))


@cache
def n_months(company: OwnCompany) -> int:
    """Say how many months of leads a learner looks at."""
    return next((n for n in MONTHS if _tells(company, n)), MONTHS[0])


def _tells(company: OwnCompany, months: int) -> bool:
    """Tell whether another channel than the weakest is the smallest, and means show as wrong."""
    found = _by_source(_mature(_since(company, months)))
    source = _weakest(found)
    right = _more(found, source)
    wrong = (_best_rate(found, source), _mean_of_rates(found, source))
    return source != found["n"].idxmin() and all(
        abs(other - right) > APART * abs(right) for other in wrong
    )


def _since(company: OwnCompany, months: int) -> pd.DataFrame:
    found = _leads(company)
    return found[found["month"] > str(company.today.to_period("M") - months)]


@cache
def _leads(company: OwnCompany) -> pd.DataFrame:
    found = company.table("leads")
    deals = company.deals().set_index("id")
    end = found["created_at"] + pd.Timedelta(days=DAYS)
    of = found["opportunity_id"]
    began, closed = of.map(deals["created_at"]), of.map(deals["closed_at"])
    won = of.map(deals["outcome"]) == "won"
    age = (company.today + pd.Timedelta(days=1) - found["created_at"]).dt.days
    return pd.DataFrame({
        "id": found["id"], "source": found["source"], "month": month_of(found["created_at"]),
        "age_days": age, "became_deal": began.notna() & (began < end),
        "won": won & (closed < end), "won_later": won,
        "won_amount": of.map(deals["amount"]).where(won, 0.0).fillna(0.0),
    })  # fmt: skip


def _mature(found: pd.DataFrame) -> pd.DataFrame:
    return found[found["age_days"] >= DAYS]


def _last_year(found: pd.DataFrame) -> pd.DataFrame:
    return found[found["age_days"] < 365 + DAYS]


def _rate(company: OwnCompany) -> float:
    return float(_last_year(_mature(leads(company)))["became_deal"].mean())


def _with_young(company: OwnCompany) -> float:
    return float(_last_year(leads(company))["became_deal"].mean())


def _customers(company: OwnCompany) -> float:
    return float(_last_year(_mature(leads(company)))["won_later"].mean())


@cache
def _channels(company: OwnCompany) -> pd.DataFrame:
    return _by_source(_mature(leads(company)))


def _by_source(found: pd.DataFrame) -> pd.DataFrame:
    return found.groupby("source").agg(n=("id", "size"), won=("won_later", "sum"),
                                       amount=("won_amount", "sum"))  # fmt: skip


def _channel(channels: pd.DataFrame, source: str) -> dict[str, object]:
    row = channels.loc[source]
    return {"source": source, "n": int(row["n"]), "won": int(row["won"]),
            "amount": float(row["amount"])}  # fmt: skip


def _weakest(channels: pd.DataFrame) -> str:
    return str((channels["won"] / channels["n"]).idxmin())


def _young_too(company: OwnCompany) -> dict[str, object]:
    """Count the leads that have not had their time as well."""
    return _channel(_by_source(leads(company)), _weakest(_channels(company)))


def _more(channels: pd.DataFrame, source: str) -> float:
    """Say how many more customers the leads would have brought as leads of other channels."""
    others = channels.drop(index=source)
    return _missing(channels, source, share(others["won"].sum(), others["n"].sum()))


def _best_rate(channels: pd.DataFrame, source: str) -> float:
    return _missing(channels, source, float((channels["won"] / channels["n"]).max()))


def _mean_of_rates(channels: pd.DataFrame, source: str) -> float:
    others = channels.drop(index=source)
    return _missing(channels, source, float((others["won"] / others["n"]).mean()))


def _missing(channels: pd.DataFrame, source: str, rate: float) -> float:
    return float(channels.loc[source, "n"] * rate - channels.loc[source, "won"])


def _of_weakest(compute: Callable[[pd.DataFrame, str], Any]) -> Compute:
    return lambda company: compute(_channels(company), _weakest(_channels(company)))


LESSON = Lesson(
    stem="07_conversion", week=2, minutes=35, report="conversion",
    data={"leads": leads},
    exercises=(
        Exercise(
            id="L07.1",
            answer=_rate,
            wrong={"with_young": _with_young, "customers": _customers},
            solution="""
old_enough = (leads["age_days"] >= 90) & (leads["age_days"] < 365 + 90)
rate = leads.loc[old_enough, "became_deal"].mean()
""",
        ),
        Exercise(
            id="L07.2",
            answer=_of_weakest(_channel),
            wrong={
                "fewest_leads": lambda c: _channel(_channels(c), str(_channels(c)["n"].idxmin())),
                "young_too": _young_too,
            },
            solution="""
channels = leads[leads["age_days"] >= 90].groupby("source").agg(
    n=("won_later", "size"), won=("won_later", "sum"), amount=("won_amount", "sum"))
worst = (channels["won"] / channels["n"]).idxmin()
channel = {"source": worst, **channels.loc[worst]}
""",
        ),
        Exercise(
            id="L07.3",
            answer=_of_weakest(_more),
            wrong={"best": _of_weakest(_best_rate), "mean_of_rates": _of_weakest(_mean_of_rates)},
            solution="""
channels = leads[leads["age_days"] >= 90].groupby("source")["won_later"].agg(n="size", won="sum")
worst = (channels["won"] / channels["n"]).idxmin()
others = channels.drop(index=worst)
usual = others["won"].sum() / others["n"].sum()
more = channels.loc[worst, "n"] * usual - channels.loc[worst, "won"]
""",
        ),
    ),
)  # fmt: skip
