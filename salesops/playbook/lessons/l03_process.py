"""Lesson 3: the process of the handbook, and the one that the log shows."""

from functools import cache

import pandas as pd

from salesops.playbook.exercise import Exercise, Lesson
from salesops.playbook.owncompany import OwnCompany, share

SMALL = 100_000
AFTER_NEEDS = ("proposal", "negotiation", "legal_review", "contract")
ENDED = ("lost", "void")


@cache
def stays(company: OwnCompany) -> pd.DataFrame:
    """One row per stay of a deal in a stage that is over, of deals whose whole life is in the log.

    `deal`, `stage`, `entered`, `left`, `days`, `next` (stage), `amount`.
    """
    log = company.table("changes")
    moves = log[(log["entity"] == "opportunities") & (log["field"] == "stage")]
    moves = moves.sort_values(["entity_id", "changed_at", "seq"])
    first = moves.drop_duplicates("entity_id").set_index("entity_id")["old_value"]
    whole = first.index[first == "acquisition"]
    moves = moves[moves["entity_id"].isin(whole)]
    deals = company.table("opportunities").set_index("id")
    entered = moves.groupby("entity_id")["changed_at"].shift()
    entered = entered.fillna(moves["entity_id"].map(deals["created_at"]))
    days = (moves["changed_at"] - entered).dt.total_seconds() / 86_400
    frame = pd.DataFrame({
        "deal": moves["entity_id"], "stage": moves["old_value"], "entered": entered,
        "left": moves["changed_at"], "days": days.round(4), "next": moves["new_value"],
        "amount": moves["entity_id"].map(deals["amount"]),
    })  # fmt: skip
    return frame.reset_index(drop=True)


def _skipped(company: OwnCompany) -> tuple[set[str], set[str]]:
    """Give the deals that got beyond the needs, and those of them that never were there."""
    found = stays(company)
    beyond = set(found.loc[found["next"].isin(AFTER_NEEDS), "deal"])
    there = set(found.loc[found["stage"] == "needs", "deal"])
    return beyond, beyond - there


def _skip_share(company: OwnCompany) -> float:
    beyond, skipped = _skipped(company)
    return share(len(skipped), len(beyond))


def _skipped_of_won(company: OwnCompany) -> float:
    found, (_beyond, skipped) = stays(company), _skipped(company)
    won = set(found.loc[found["next"] == "contract", "deal"])
    return share(len(won & skipped), len(won))


def _medians(company: OwnCompany) -> pd.DataFrame:
    found = stays(company)
    size = (found["amount"] < SMALL).map({True: "small", False: "large"})
    return found.groupby(["stage", size])["days"].median().unstack()


def _spent(found: pd.DataFrame, stage: str) -> dict[str, object]:
    """Give the median, the number and the sum of stays in a stage."""
    days = found.loc[found["stage"] == stage, "days"]
    return {"stage": stage, "days": float(days.median()), "n": len(days),
            "total": float(days.sum())}  # fmt: skip


def _small(company: OwnCompany) -> pd.DataFrame:
    found = stays(company)
    return found[found["amount"] < SMALL]


def _slow_stage(company: OwnCompany) -> str:
    medians = _medians(company)
    return str((medians["small"] / medians["large"]).idxmax())


def _longest_step(company: OwnCompany) -> dict[str, object]:
    longest = stays(company).groupby("stage")["days"].median().idxmax()
    return _spent(_small(company), str(longest))


def _small_reviews(company: OwnCompany) -> pd.DataFrame:
    found = stays(company)
    since = company.today - pd.Timedelta(days=365)
    chosen = (found["stage"] == "legal_review") & (found["amount"] < SMALL)
    return found[chosen & (found["left"] > since)]


def _saved(company: OwnCompany) -> float:
    usual = float(_medians(company).loc["legal_review", "large"])
    return float((_small_reviews(company)["days"] - usual).sum())


def _saved_of_all(company: OwnCompany) -> float:
    """Count every review of a small order, however long ago."""
    found = stays(company)
    chosen = found[(found["stage"] == "legal_review") & (found["amount"] < SMALL)]
    return float((chosen["days"] - float(_medians(company).loc["legal_review", "large"])).sum())


LESSON = Lesson(
    stem="03_process", week=1, minutes=40, report="process",
    data={"stays": stays},
    exercises=(
        Exercise(
            id="L03.1",
            answer=_skip_share,
            wrong={
                "of_all": lambda c: share(len(_skipped(c)[1]), stays(c)["deal"].nunique()),
                "of_won": _skipped_of_won,
            },
            solution="""
skipped = beyond - in_needs
skip_share = len(skipped) / len(beyond)
""",
        ),
        Exercise(
            id="L03.2",
            answer=lambda c: _spent(_small(c), _slow_stage(c)),
            wrong={
                "longest": _longest_step,
                "all_sizes": lambda c: _spent(stays(c), _slow_stage(c)),
            },
            solution="""
stage = (medians["small"] / medians["large"]).idxmax()
small = stays[(stays["stage"] == stage) & (stays["amount"] < 100_000)]
step = {"stage": stage, "days": small["days"].median(), "n": len(small),
        "total": small["days"].sum()}
""",
        ),
        Exercise(
            id="L03.3",
            answer=_saved,
            wrong={
                "whole": lambda c: float(_small_reviews(c)["days"].sum()),
                "all_years": _saved_of_all,
            },
            solution="""
last_year = stays["left"] > lesson.today - pd.Timedelta(days=365)
chosen = stays[(stays["stage"] == "legal_review") & (stays["amount"] < 100_000) & last_year]
days_saved = (chosen["days"] - medians.loc["legal_review", "large"]).sum()
""",
        ),
    ),
)  # fmt: skip
