"""Lesson 10: targets that add up, and that people can carry."""

from functools import cache

import pandas as pd

from salesops.playbook.exercise import Exercise, Lesson
from salesops.playbook.owncompany import OwnCompany, share

QUARTER = ("2026-07", "2026-08", "2026-09")


@cache
def regions(company: OwnCompany) -> pd.DataFrame:
    """One row per region: `quota` of the coming quarter and `potential` of its customers, yuan."""
    targets = company.table("targets")
    chosen = targets[(targets["level"] == "region") & (targets["metric"] == "bookings")
                     & targets["period"].isin(QUARTER)]  # fmt: skip
    accounts = company.table("accounts")
    frame = pd.DataFrame({
        "quota": chosen.groupby("key")["amount"].sum(),
        "potential": accounts.groupby("region")["potential"].sum(),
    })  # fmt: skip
    return frame.dropna().rename_axis("region")


def _times(company: OwnCompany) -> pd.Series:
    found = regions(company)
    return (found["quota"] / found["quota"].sum()) / (found["potential"] / found["potential"].sum())


def _heaviest(company: OwnCompany) -> dict[str, object]:
    times = _times(company)
    return {"region": times.idxmax(), "times": float(times.max())}


def _largest(company: OwnCompany) -> dict[str, object]:
    region = regions(company)["quota"].idxmax()
    return {"region": region, "times": float(_times(company)[region])}


def _ratio(company: OwnCompany) -> dict[str, object]:
    found = regions(company)
    ratio = found["quota"] / found["potential"]
    return {"region": ratio.idxmax(), "times": float(ratio.max())}


def _split(company: OwnCompany) -> dict[str, float]:
    found = regions(company)
    fair = found["quota"].sum() * found["potential"] / found["potential"].sum()
    return {str(region): float(amount) for region, amount in fair.items()}


def _equal(company: OwnCompany) -> dict[str, float]:
    found = regions(company)
    return dict.fromkeys(map(str, found.index), float(found["quota"].sum()) / len(found))


def _only_one(company: OwnCompany) -> dict[str, float]:
    """Lower the heaviest region and leave the others: the company's target is gone."""
    heavy = str(_heaviest(company)["region"])
    quota = {str(k): float(v) for k, v in regions(company)["quota"].items()}
    return {**quota, heavy: _split(company)[heavy]}


def _win_rate(company: OwnCompany, *, by_count: bool = False) -> float:
    deals = company.deals()
    ended = deals[(deals["type"] != "renewal") & deals["outcome"].isin(["won", "lost"])
                  & (deals["closed_at"] > company.today - pd.Timedelta(days=365))]  # fmt: skip
    won = ended["outcome"] == "won"
    if by_count:
        return float(won.mean())
    return share(ended.loc[won, "amount"].sum(), ended["amount"].sum())


def ended_deals(company: OwnCompany) -> pd.DataFrame:
    """One row per deal that ended in the last 365 days, renewals apart: `amount`, `won`."""
    deals = company.deals()
    ended = deals[(deals["type"] != "renewal") & deals["outcome"].isin(["won", "lost"])
                  & (deals["closed_at"] > company.today - pd.Timedelta(days=365))]  # fmt: skip
    frame = ended[["id", "amount"]].assign(won=ended["outcome"] == "won")
    return frame.reset_index(drop=True)


def _needed(company: OwnCompany) -> float:
    return _split(company)[str(_heaviest(company)["region"])] / _win_rate(company)


def _needed_by_count(company: OwnCompany) -> float:
    return _split(company)[str(_heaviest(company)["region"])] / _win_rate(company, by_count=True)


def _needed_before(company: OwnCompany) -> float:
    heavy = _heaviest(company)["region"]
    return float(regions(company).loc[heavy, "quota"]) / _win_rate(company)


LESSON = Lesson(
    stem="10_targets", week=3, minutes=35, report="targets",
    data={"regions": regions, "ended": ended_deals},
    exercises=(
        Exercise(
            id="L10.1",
            answer=_heaviest,
            wrong={"largest": _largest, "ratio": _ratio},
            solution="""
part = regions / regions.sum()
times = part["quota"] / part["potential"]
heaviest = {"region": times.idxmax(), "times": times.max()}
""",
        ),
        Exercise(
            id="L10.2",
            answer=_split,
            wrong={"equal": _equal, "only_one": _only_one},
            solution="""
fair = regions["quota"].sum() * regions["potential"] / regions["potential"].sum()
split = dict(fair)
""",
        ),
        Exercise(
            id="L10.3",
            answer=_needed,
            wrong={"by_count": _needed_by_count, "old_quota": _needed_before},
            solution="""
by_value = ended.loc[ended["won"], "amount"].sum() / ended["amount"].sum()
needed = split[heaviest["region"]] / by_value
""",
        ),
    ),
)  # fmt: skip
