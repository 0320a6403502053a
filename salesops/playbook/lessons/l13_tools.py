"""Lesson 13: a tool is no management, and a giant's tool is no tool for five people."""

from functools import cache

import pandas as pd

from salesops.playbook.exercise import Exercise, Lesson
from salesops.playbook.owncompany import OwnCompany

LAST_DAYS, YEAR, USED = 3, 365, 0.5
SEATS, YEARS = 5, 3
# Seconds that a field takes, and yuan for an hour of a rep, drawn for each learner.
SECONDS, HOUR = range(8, 26), range(90, 181)
FIELDS = ("partner_id", "amount", "expected_close_on", "lost_reason", "competitor", "source",
          "product_line", "forecast_category", "next_step", "next_step_due_on")  # fmt: skip


@cache
def edits(company: OwnCompany) -> pd.DataFrame:
    """One row per change of a deal in the last 365 days: `team` of who made it, `day`, `last_days`.

    `last_days` says whether it was made on the last three days of its month.
    """
    log = company.table("changes")
    log = log[(log["entity"] == "opportunities") & (log["field"] != "_row")]
    log = log[log["changed_at"] > company.today - pd.Timedelta(days=YEAR)]
    people = company.table("users").set_index("id")
    is_rep = log["changed_by"].map(people["role"]).isin(["rep", "lead"])
    at = log.loc[is_rep, "changed_at"]
    return pd.DataFrame({
        "team": log.loc[is_rep, "changed_by"].map(people["team"]), "day": at.dt.day,
        "last_days": at.dt.day > at.dt.days_in_month - LAST_DAYS,
    }).reset_index(drop=True)  # fmt: skip


def _latest(company: OwnCompany) -> dict[str, object]:
    shares = edits(company).groupby("team")["last_days"].mean()
    return {"team": shares.idxmax(), "share": float(shares.max())}


def _of_all_edits(company: OwnCompany) -> dict[str, object]:
    """Give the team's part of all late edits of the company."""
    late = edits(company).query("last_days")["team"].value_counts(normalize=True)
    team = str(_latest(company)["team"])
    return {"team": team, "share": float(late[team])}


def _whole_company(company: OwnCompany) -> dict[str, object]:
    return {**_latest(company), "share": float(edits(company)["last_days"].mean())}


@cache
def fields(company: OwnCompany) -> pd.DataFrame:
    """One row per field of a deal: share of last year's ended deals in which it is `filled`."""
    deals = company.deals()
    ended = deals[deals["closed_at"] > company.today - pd.Timedelta(days=YEAR)]
    filled = {name: float(ended[name].notna().mean()) if name in ended else 0.0 for name in FIELDS}
    return pd.DataFrame({"filled": pd.Series(filled)}).sort_values("filled")


def _n_deals(company: OwnCompany) -> int:
    deals = company.deals()
    return int((deals["created_at"] > company.today - pd.Timedelta(days=YEAR)).sum())


@cache
def offers(company: OwnCompany) -> pd.DataFrame:
    """Two made-up offers: `seat_year` and `set_up` in yuan, `fields` to fill in per deal."""
    draws = company.draws("offers")
    big = {"seat_year": draws.randrange(90, 150) * 100, "set_up": draws.randrange(15, 30) * 10_000,
           "fields": draws.randrange(45, 75)}  # fmt: skip
    small = {"seat_year": draws.randrange(8, 20) * 100, "set_up": draws.randrange(1, 4) * 5_000,
             "fields": draws.randrange(10, 16)}  # fmt: skip
    return pd.DataFrame([big, small], index=["big", "small"])


def work(company: OwnCompany) -> pd.DataFrame:
    """What entry takes: `n_deals` of the last 365 days, `seconds` a field, yuan an `hour`."""
    draws = company.draws("work")
    drawn = [_n_deals(company), draws.choice(SECONDS), draws.choice(HOUR)]
    return pd.DataFrame({"value": drawn}, index=["n_deals", "seconds", "hour"])


def _useful(company: OwnCompany) -> int:
    return int((fields(company)["filled"] >= USED).sum())


def _cost(company: OwnCompany, offer: str) -> float:
    row = offers(company).loc[offer]
    entry = _entry(company, int(row["fields"]))["yuan"]
    return float(SEATS * row["seat_year"] + row["set_up"] / YEARS + entry)


def _licence_only(company: OwnCompany) -> float:
    return float(SEATS * offers(company).loc["big", "seat_year"]) / _useful(company)


def _entry(company: OwnCompany, n_fields: int, *, in_an_hour: int = 3600) -> dict[str, float]:
    """Give the hours a year in which so many fields a deal are filled in, and their cost."""
    known = work(company)["value"]
    hours = float(known["n_deals"] * n_fields * known["seconds"] / in_an_hour)
    return {"hours": hours, "yuan": hours * float(known["hour"])}


def _more_fields(company: OwnCompany) -> int:
    found = offers(company)["fields"]
    return int(found["big"] - found["small"])


LESSON = Lesson(
    stem="13_tools", week=4, minutes=40, report="selection",
    data={"edits": edits, "fields": fields, "offers": offers, "work": work},
    exercises=(
        Exercise(
            id="L13.1",
            answer=_latest,
            wrong={"of_late_edits": _of_all_edits, "whole_company": _whole_company},
            solution="""
shares = edits.groupby("team")["last_days"].mean()
late = {"team": shares.idxmax(), "share": shares.max()}
""",
        ),
        Exercise(
            id="L13.2",
            answer=lambda c: _cost(c, "big") / _useful(c),
            wrong={
                "licence_only": _licence_only,
                "all_fields": lambda c: _cost(c, "big") / float(offers(c).loc["big", "fields"]),
            },
            solution="""
useful = (fields["filled"] >= 0.5).sum()
big = offers.loc["big"]
entry = work["n_deals"] * big["fields"] * work["seconds"] / 3600 * work["hour"]
cost = (5 * big["seat_year"] + big["set_up"] / 3 + entry) / useful
""",
        ),
        Exercise(
            id="L13.3",
            answer=lambda c: _entry(c, _more_fields(c)),
            wrong={
                "minutes": lambda c: _entry(c, _more_fields(c), in_an_hour=60),
                "big_alone": lambda c: _entry(c, int(offers(c).loc["big", "fields"])),
            },
            solution="""
more_fields = offers.loc["big", "fields"] - offers.loc["small", "fields"]
hours = work["n_deals"] * more_fields * work["seconds"] / 3600
more = {"hours": hours, "yuan": hours * work["hour"]}
""",
        ),
    ),
)  # fmt: skip
