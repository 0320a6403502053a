"""Lesson 6: late or normal? Pace within a month."""

from functools import cache

import pandas as pd

from salesops.playbook.exercise import Exercise, Lesson
from salesops.playbook.owncompany import OwnCompany, month_of, share

# Whole months whose course says what is usual: the first number by which mistakes are told apart.
MONTHS = range(24, 17, -1)
APART = 0.01
LATE, AHEAD = 0.9, 1.1


def signed(company: OwnCompany) -> pd.DataFrame:
    """One row per contract in force: `signed_on`, `month`, `day` (of it), `amount`, `team`.

    From the first of the whole months that say what is usual.
    """
    found = _signed(company)
    return found[found["signed_on"] >= _first_day(company, n_months(company))]


@cache
def _signed(company: OwnCompany) -> pd.DataFrame:
    contracts = company.table("contracts")
    contracts = contracts[contracts["cancelled_on"].isna()]
    team = company.table("users").set_index("id")["team"]
    return pd.DataFrame({
        "signed_on": contracts["signed_on"], "month": month_of(contracts["signed_on"]),
        "day": contracts["signed_on"].dt.day, "amount": contracts["amount"],
        "team": contracts["owner_id"].map(team),
    }).reset_index(drop=True)  # fmt: skip


@cache
def n_months(company: OwnCompany) -> int:
    """Say how many whole months a learner looks back."""
    return next((n for n in MONTHS if _tells(company, n)), MONTHS[0])


def _tells(company: OwnCompany, months: int) -> bool:
    usual = _usual(company, months=months)
    others = (_usual(company, "count", months=months), _calendar(company))
    return all(abs(other - usual) > APART * usual for other in others)


def _first_day(company: OwnCompany, months: int) -> pd.Timestamp:
    return (company.today.to_period("M") - months).to_timestamp()


def _usual(company: OwnCompany, by: str = "amount", *, months: int | None = None) -> float:
    """Give the share that is signed by this day in the whole months before the current one."""
    found, since = _signed(company), _first_day(company, months or n_months(company))
    past = found[(found["signed_on"] >= since) & (found["signed_on"] < _first_day(company, 0))]
    early = past["day"] <= company.today.day
    if by == "count":
        return float(early.mean())
    return share(past.loc[early, "amount"].sum(), past["amount"].sum())


def _calendar(company: OwnCompany) -> float:
    return company.today.day / company.today.days_in_month


@cache
def month_so_far(company: OwnCompany) -> pd.DataFrame:
    """One row per team: `signed` and `target` of the current month, in yuan."""
    month = str(company.today.to_period("M"))
    found = _signed(company)
    made = found[found["month"] == month].groupby("team")["amount"].sum()
    targets = company.table("targets")
    chosen = targets[(targets["level"] == "team") & (targets["metric"] == "bookings")
                     & (targets["period"] == month)]  # fmt: skip
    frame = pd.DataFrame({"target": chosen.set_index("key")["amount"]})
    return frame.assign(signed=made.reindex(frame.index).fillna(0.0)).sort_index()


def team_of(company: OwnCompany) -> str:
    """Draw a team that has signed something this month."""
    found = month_so_far(company)
    teams = list(found.index[found["signed"] > 0]) or list(found.index)
    return str(company.draws("team").choice(teams))


def team(company: OwnCompany) -> pd.DataFrame:
    """One row: the `team` of the exercise."""
    return pd.DataFrame({"value": [team_of(company)]}, index=["team"])


def _judged(company: OwnCompany, expected: float) -> dict[str, object]:
    row = month_so_far(company).loc[team_of(company)]
    attainment = share(row["signed"], row["target"])
    pace = attainment / expected
    verdict = "late" if pace < LATE else "ahead" if pace > AHEAD else "normal"
    return {"attainment": attainment, "pace": pace, "verdict": verdict}


def _to_go(company: OwnCompany) -> float:
    """Say what the usual rest of the month would bring, at the pace so far."""
    row = month_so_far(company).loc[team_of(company)]
    return float(row["signed"] / _usual(company) - row["target"])


def _straight(company: OwnCompany) -> float:
    row = month_so_far(company).loc[team_of(company)]
    return float(row["signed"] / _calendar(company) - row["target"])


LESSON = Lesson(
    stem="06_performance", week=2, minutes=35, report="performance",
    data={"signed": signed, "month": month_so_far, "team": team},
    exercises=(
        Exercise(
            id="L06.1",
            answer=_usual,
            wrong={"calendar": _calendar, "count": lambda c: _usual(c, "count")},
            solution="""
usual = past.loc[past["day"] <= lesson.today.day, "amount"].sum() / past["amount"].sum()
""",
        ),
        Exercise(
            id="L06.2",
            answer=lambda c: _judged(c, _usual(c)),
            wrong={"calendar": lambda c: _judged(c, _calendar(c)),
                   "no_pace": lambda c: _judged(c, 1.0)},
            solution="""
attainment = month.loc[team, "signed"] / month.loc[team, "target"]
pace = attainment / usual
verdict = ["late", "normal", "ahead"][int(pace >= 0.9) + int(pace > 1.1)]
judged = {"attainment": attainment, "pace": pace, "verdict": verdict}
""",
        ),
        Exercise(
            id="L06.3",
            answer=_to_go,
            wrong={"straight": _straight,
                   "so_far": lambda c: float(
                       month_so_far(c).loc[team_of(c), "signed"]
                       - month_so_far(c).loc[team_of(c), "target"])},
            solution="""
over = month.loc[team, "signed"] / usual - month.loc[team, "target"]
""",
        ),
    ),
)  # fmt: skip
