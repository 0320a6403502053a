"""Lesson 7: which channel brings customers, and how many leads say so?"""

from functools import cache

import pandas as pd

from salesops.playbook.exercise import Exercise, Lesson
from salesops.playbook.owncompany import OwnCompany, month_of, share

DAYS = 90


@cache
def leads(company: OwnCompany) -> pd.DataFrame:
    """One row per lead: `source`, `month`, `age_days`, `became_deal` and `won` within 90 days.

    `won_later` says whether it was ever won, `won_amount` for how much.
    """
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


def _mature(company: OwnCompany) -> pd.DataFrame:
    found = leads(company)
    return found[found["age_days"] >= DAYS]


def _last_year(found: pd.DataFrame) -> pd.DataFrame:
    return found[found["age_days"] < 365 + DAYS]


def _rate(company: OwnCompany) -> float:
    return float(_last_year(_mature(company))["became_deal"].mean())


def _with_young(company: OwnCompany) -> float:
    return float(_last_year(leads(company))["became_deal"].mean())


def _customers(company: OwnCompany) -> float:
    return float(_last_year(_mature(company))["won_later"].mean())


@cache
def _channels(company: OwnCompany) -> pd.DataFrame:
    return _by_source(_mature(company))


def _by_source(found: pd.DataFrame) -> pd.DataFrame:
    return found.groupby("source").agg(n=("id", "size"), won=("won_later", "sum"),
                                       amount=("won_amount", "sum"))  # fmt: skip


def _channel(channels: pd.DataFrame, source: str) -> dict[str, object]:
    row = channels.loc[source]
    return {"source": source, "n": int(row["n"]), "won": int(row["won"]),
            "amount": float(row["amount"])}  # fmt: skip


def _weakest(company: OwnCompany) -> str:
    found = _channels(company)
    return str((found["won"] / found["n"]).idxmin())


def _young_too(company: OwnCompany) -> dict[str, object]:
    """Count the leads that have not had their time as well."""
    return _channel(_by_source(leads(company)), _weakest(company))


def _more(company: OwnCompany) -> float:
    """Say how many more customers the leads would have brought as leads of other channels."""
    found, source = _channels(company), _weakest(company)
    others = found.drop(index=source)
    rate = share(others["won"].sum(), others["n"].sum())
    return float(found.loc[source, "n"] * rate - found.loc[source, "won"])


def _best_rate(company: OwnCompany) -> float:
    found, source = _channels(company), _weakest(company)
    best = float((found["won"] / found["n"]).max())
    return float(found.loc[source, "n"] * best - found.loc[source, "won"])


def _mean_of_rates(company: OwnCompany) -> float:
    found, source = _channels(company), _weakest(company)
    others = found.drop(index=source)
    rate = float((others["won"] / others["n"]).mean())
    return float(found.loc[source, "n"] * rate - found.loc[source, "won"])


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
            answer=lambda c: _channel(_channels(c), _weakest(c)),
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
            answer=_more,
            wrong={"best": _best_rate, "mean_of_rates": _mean_of_rates},
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
