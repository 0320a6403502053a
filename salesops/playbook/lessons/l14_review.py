"""Lesson 14: did it work?"""

from functools import cache

import pandas as pd

from salesops.playbook.exercise import Exercise, Lesson
from salesops.playbook.owncompany import OwnCompany

# Before anything was changed.
HALVES = {"first": ("2024-01", "2024-06"), "second": ("2024-07", "2024-12")}
MONTHS_BEFORE = 6
HALF_AN_HOUR = pd.Timedelta(minutes=30)
LEAST_MONTHS, SILENT, WITHIN = 5, 14, 30
DAYS = ("2025-10-31", "2025-11-30", "2026-02-28", "2026-03-31", "2026-04-30")


def team_of(company: OwnCompany) -> str:
    """Give the team that got the weekly template."""
    rows = company.table("actions")
    scope = rows.loc[rows["metric"] == "win_rate", "scope"].iloc[0]
    return str(scope).removeprefix("team:")


def changed(company: OwnCompany) -> pd.Timestamp:
    """Give the day on which both measures were decided."""
    rows = company.table("actions")
    decided = rows.loc[rows["metric"].isin(["win_rate", "lead_opportunity_rate"]), "created_at"]
    return pd.Timestamp(decided.min()).normalize()


@cache
def ended(company: OwnCompany) -> pd.DataFrame:
    """One row per deal that ended since six months before: `team`, `won`, `after`, `treated`."""
    deals, since = company.deals(), changed(company)
    begin = since - pd.DateOffset(months=MONTHS_BEFORE)
    found = deals[(deals["type"] != "renewal") & deals["outcome"].isin(["won", "lost"])
                  & (deals["closed_at"] >= begin)]  # fmt: skip
    return pd.DataFrame({
        "id": found["id"], "team": found["team"], "won": found["outcome"] == "won",
        "after": found["closed_at"] >= since, "treated": found["team"] == team_of(company),
    }).reset_index(drop=True)  # fmt: skip


def _change(company: OwnCompany, treated: bool) -> float:
    found = ended(company)
    rates = found[found["treated"] == treated].groupby("after")["won"].mean()
    return float(rates[True] - rates[False])


@cache
def halves(company: OwnCompany) -> pd.DataFrame:
    """One row per rep with targets in both halves of 2024: how they did in the `first`, `second`.

    Attainment as a multiple of the mean of these reps in the same half, so that season is out.
    """
    contracts, targets = company.table("contracts"), company.table("targets")
    targets = targets[(targets["level"] == "user") & (targets["metric"] == "bookings")]
    month = contracts["signed_on"].dt.strftime("%Y-%m")
    columns = {}
    for name, (start, end) in HALVES.items():
        own = targets[targets["period"].between(start, end) & (targets["amount"] > 0)]
        quota = own.groupby("key")["amount"].agg(["sum", "size"])
        quota = quota.loc[quota["size"] >= LEAST_MONTHS, "sum"]
        made = contracts[month.between(start, end)].groupby("owner_id")["amount"].sum()
        columns[name] = made.reindex(quota.index).fillna(0.0) / quota
    frame = pd.DataFrame(columns).dropna()
    return (frame / frame.mean()).rename_axis("rep").reset_index()


def _third(company: OwnCompany, *, best: bool = False) -> pd.DataFrame:
    found = halves(company).sort_values(["first", "rep"], ascending=[not best, True])
    return found.head(len(found) // 3)


def _rise(found: pd.DataFrame) -> float:
    return float(found["second"].mean() - found["first"].mean())


def day_of(company: OwnCompany) -> str:
    """Draw the day on which a list of silent deals is looked at."""
    return company.draws("list").choice(DAYS)


@cache
def listed(company: OwnCompany) -> pd.DataFrame:
    """One row per deal open on a day, as known then: `silent` (over 14 days), `answered`.

    `answered` says whether the customer was spoken with in the 30 days after that day.
    """
    day = pd.Timestamp(day_of(company)) + pd.Timedelta(days=1)
    deals = company.deals_at(day_of(company))
    deals = deals[(deals["outcome"] == "open") & (deals["type"] != "renewal")].set_index("id")
    touches = company.table("activities")
    touches = touches[touches["direction"] == "two_way"]
    known = touches[(touches["occurred_at"] < day) & (touches["logged_at"] < day)]
    last = known.groupby("opportunity_id")["occurred_at"].max().reindex(deals.index)
    silent = (day - last.fillna(deals["created_at"])).dt.days > SILENT
    until = day + pd.Timedelta(days=WITHIN)
    after = touches[(touches["occurred_at"] >= day) & (touches["occurred_at"] < until)]
    answered = deals.index.isin(after["opportunity_id"])
    frame = pd.DataFrame({"silent": silent, "answered": answered}, index=deals.index)
    return frame.rename_axis("id").reset_index()


def answered_leads(company: OwnCompany) -> pd.DataFrame:
    """Say what became of leads, by whether the team agreed on answering in time, a year each.

    One row per group: `n` leads at least 60 days old, `in_half_an_hour` (share touched within) and
    `became_deal` (share).
    """
    leads, people = company.table("leads"), company.table("users").set_index("id")
    since = changed(company)
    rows = company.table("actions")
    agreed = rows.loc[rows["metric"] == "lead_opportunity_rate", "scope"]
    teams = [str(scope).removeprefix("team:") for scope in agreed]
    leads = leads[(leads["created_at"] >= since - pd.DateOffset(years=1))
                  & (leads["created_at"] < company.today - pd.Timedelta(days=60))]  # fmt: skip
    team = leads["owner_id"].map(people["team"])
    sells = team.map(lambda name: "/" in str(name) and not str(name).startswith("市场部"))
    frame = pd.DataFrame({
        "agreed": team.isin(teams), "after": leads["created_at"] >= since,
        "in_half_an_hour": leads["first_touched_at"] - leads["created_at"] <= HALF_AN_HOUR,
        "became_deal": leads["opportunity_id"].notna(),
    })[sells]  # fmt: skip
    grouped = frame.groupby(["agreed", "after"])
    table = grouped[["in_half_an_hour", "became_deal"]].mean()
    table.insert(0, "n", grouped.size())
    return table.reset_index()


def _answered(company: OwnCompany, *, silent: bool = True) -> dict[str, float]:
    found = listed(company)
    chosen = found["silent"] == silent
    return {"n": int(chosen.sum()), "share": float(found.loc[chosen, "answered"].mean()),
            "others": float(found.loc[~chosen, "answered"].mean())}  # fmt: skip


def _of_all(company: OwnCompany) -> dict[str, float]:
    found = listed(company)
    return {**_answered(company), "n": len(found), "share": float(found["answered"].mean())}


LESSON = Lesson(
    stem="14_review", week=4, minutes=45, report="review",
    data={"ended": ended, "halves": halves, "listed": listed, "leads": answered_leads},
    exercises=(
        Exercise(
            id="L14.1",
            answer=lambda c: _rise(_third(c)),
            wrong={"all_reps": lambda c: _rise(halves(c)),
                   "best": lambda c: _rise(_third(c, best=True))},
            solution="""
worst = halves.sort_values(["first", "rep"]).head(len(halves) // 3)
rise = worst["second"].mean() - worst["first"].mean()
""",
        ),
        Exercise(
            id="L14.2",
            answer=lambda c: _change(c, True) - _change(c, False),
            wrong={
                "before_after": lambda c: _change(c, True),
                "after_only": lambda c: float(
                    ended(c).query("after and treated")["won"].mean()
                    - ended(c).query("after and not treated")["won"].mean()
                ),
            },
            solution="""
rates = ended.groupby(["treated", "after"])["won"].mean().unstack()
change = rates[True] - rates[False]
effect = change[True] - change[False]
""",
        ),
        Exercise(
            id="L14.3",
            answer=_answered,
            wrong={
                "everyone": _of_all,
                "not_silent": lambda c: _answered(c, silent=False),
            },
            solution="""
silent, others = listed[listed["silent"]], listed[~listed["silent"]]
answered = {"n": len(silent), "share": silent["answered"].mean(),
            "others": others["answered"].mean()}
""",
        ),
    ),
)  # fmt: skip
