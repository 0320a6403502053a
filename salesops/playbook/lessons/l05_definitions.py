"""Lesson 5: one word, several numbers."""

import math
from functools import cache

import pandas as pd

from salesops.playbook.exercise import Compute, Exercise, Lesson
from salesops.playbook.lessons import money
from salesops.playbook.owncompany import OwnCompany, share, within

QUARTERS = {
    str(period): (str(period.start_time.date()), str(period.end_time.date()))
    for period in pd.period_range("2024Q1", "2026Q1", freq="Q")
}
DEFINITIONS = ("due", "contract", "cash")
# Rates that lie nearer to each other, or to all, teach nothing.
APART, NOT_ALL, NO_CLAIM = 0.02, 0.98, 1.3


@cache
def drawn(company: OwnCompany) -> tuple[str, str]:
    """Draw a quarter, and a region whose rates differ by definition."""
    regions = sorted(set(money.instalments(company)["region"].dropna()))
    pairs = [(quarter, region) for quarter in QUARTERS for region in regions]
    kinds = {pair: _kind(company, *pair) for pair in pairs}
    best = max(kinds.values())
    return company.draws("quarter").choice([pair for pair in pairs if kinds[pair] == best])


def _kind(company: OwnCompany, quarter: str, region: str) -> int:
    """Say how much a quarter and a region can teach: the more, the higher."""
    whole, part = rates(company, quarter), rates(company, quarter, region)
    best = max(part.values())
    if not all(math.isfinite(rate) for rate in (*whole.values(), *part.values())):
        return 0
    # One definition alone flatters, and it is not the one that the decision needs.
    of_region = _apart(part["due"], best) and sum(best - r < APART for r in part.values()) == 1
    of_company = _apart(whole["due"], whole["contract"], whole["cash"])
    some_late = whole["due"] < NOT_ALL and part["due"] < NOT_ALL
    differ = _apart(part["due"], whole["due"])
    # A claim that nobody would believe is better than one that says nothing.
    return 8 * of_region + 4 * some_late + 2 * (of_company and differ) + (best < NO_CLAIM)


def _apart(one: float, *others: float) -> bool:
    return all(abs(one - other) > APART for other in others)


def quarter_of(company: OwnCompany) -> str:
    """Give the quarter that a learner asks about."""
    return drawn(company)[0]


def question(company: OwnCompany) -> pd.DataFrame:
    """One row each: the `quarter`, its `start` and `end`."""
    name = quarter_of(company)
    return pd.DataFrame({"value": [name, *QUARTERS[name]]}, index=["quarter", "start", "end"])


def _ended(company: OwnCompany) -> pd.DataFrame:
    deals = company.deals()
    deals = deals[deals["type"] != "renewal"]
    chosen = within(deals["closed_at"], *QUARTERS[quarter_of(company)])
    return deals[chosen & deals["outcome"].isin(["won", "lost"])]


def _win_rate(company: OwnCompany) -> float:
    ended = _ended(company)
    return share((ended["outcome"] == "won").sum(), len(ended))


def _win_rate_of_created(company: OwnCompany) -> float:
    deals = company.deals()
    deals = deals[deals["type"] != "renewal"]
    made = deals[within(deals["created_at"], *QUARTERS[quarter_of(company)])]
    return share((made["outcome"] == "won").sum(), len(made))


def _won_per_lost(company: OwnCompany) -> float:
    ended = _ended(company)["outcome"]
    return share((ended == "won").sum(), (ended == "lost").sum())


def _by_value(company: OwnCompany) -> float:
    ended = _ended(company)
    return share(ended.loc[ended["outcome"] == "won", "amount"].sum(), ended["amount"].sum())


def _two_rates(company: OwnCompany, by_count: Compute = _win_rate) -> dict[str, float]:
    return {"by_count": by_count(company), "by_value": _by_value(company)}


def _swapped(company: OwnCompany) -> dict[str, float]:
    found = _two_rates(company)
    return {"by_count": found["by_value"], "by_value": found["by_count"]}


@cache
def rates(company: OwnCompany, quarter: str, region: str | None = None) -> dict[str, float]:
    """Give the three collection rates of a quarter, of the company or of a region."""
    span = QUARTERS[quarter]
    dues = money.instalments(company)
    if region is not None:
        dues = dues[dues["region"] == region]
    due = dues[within(dues["due_on"], *span)]
    signed = dues[within(dues["signed_on"], *span)]
    receipts = company.table("receipts")
    came = receipts[within(receipts["received_on"], *span)]
    came = came[came["contract_id"].isin(dues["contract_id"])]["amount"].sum()
    return {
        "due": share(due[["amount", "received"]].min(axis=1).sum(), due["amount"].sum()),
        "contract": share(signed["received"].sum(), signed["amount"].sum()),
        "cash": share(came, _cash_target(company, quarter, region)),
    }


def _cash_target(company: OwnCompany, quarter: str, region: str | None) -> float:
    targets = company.table("targets")
    months = pd.period_range(*QUARTERS[quarter], freq="M").astype(str)
    level = targets["level"] == ("company" if region is None else "region")
    chosen = targets[level & (targets["metric"] == "collection") & targets["period"].isin(months)]
    if region is not None:
        chosen = chosen[chosen["key"] == region]
    return float(chosen["amount"].sum())


def _claimed(company: OwnCompany) -> tuple[str, str]:
    """Give the region, and the definition that flatters it most."""
    quarter, region = drawn(company)
    found = rates(company, quarter, region)
    return region, max(found, key=lambda name: found[name])


def _of_region(company: OwnCompany) -> dict[str, float]:
    return rates(company, *drawn(company))


def _of_company(company: OwnCompany) -> dict[str, float]:
    return rates(company, quarter_of(company))


def claim(company: OwnCompany) -> pd.DataFrame:
    """What the lead of a region says: `region`, `rate`."""
    region, definition = _claimed(company)
    value = round(_of_region(company)[definition], 4)
    return pd.DataFrame({"value": [region, value]}, index=["region", "rate"])


def money_of_quarter(company: OwnCompany) -> pd.DataFrame:
    """Every number that a collection rate can be made of: one row per region, amounts in yuan."""
    span = QUARTERS[quarter_of(company)]
    dues, receipts = money.instalments(company), company.table("receipts")
    came = receipts[within(receipts["received_on"], *span)]
    came = came.assign(region=came["contract_id"].map(
        dues.drop_duplicates("contract_id").set_index("contract_id")["region"]))  # fmt: skip
    due, signed = dues[within(dues["due_on"], *span)], dues[within(dues["signed_on"], *span)]
    paid = due[["amount", "received"]].min(axis=1)
    quarter, regions = quarter_of(company), sorted(set(dues["region"].dropna()))
    targets = {one: _cash_target(company, quarter, one) for one in regions}
    frame = pd.DataFrame({
        "due": due.groupby("region")["amount"].sum(),
        "received_of_due": paid.groupby(due["region"]).sum(),
        "signed": signed.groupby("region")["amount"].sum(),
        "received_of_signed": signed.groupby("region")["received"].sum(),
        "received_in_quarter": came.groupby("region")["amount"].sum(),
        "cash_target": pd.Series(targets),
    })  # fmt: skip
    return frame.fillna(0.0)


def _reading(company: OwnCompany) -> dict[str, object]:
    return {"definition": _claimed(company)[1], "due": _of_region(company)["due"]}


LESSON = Lesson(
    stem="05_definitions", week=2, minutes=40, report="collection",
    data={"question": question, "claim": claim, "money": money_of_quarter},
    exercises=(
        Exercise(
            id="L05.1",
            answer=_two_rates,
            wrong={
                "of_created": lambda c: _two_rates(c, _win_rate_of_created),
                "won_per_lost": lambda c: _two_rates(c, _won_per_lost),
                "swapped": _swapped,
            },
            solution="""
by_count = salesops.metric(lesson.book, "win_rate", period=quarter)
by_value = salesops.metric(lesson.book, "win_rate_by_value", period=quarter)
win_rates = {"by_count": by_count["win_rate"].iloc[0],
             "by_value": by_value["win_rate_by_value"].iloc[0]}
""",
        ),
        Exercise(
            id="L05.2",
            answer=lambda c: _of_company(c)["due"],
            wrong={"of_signed": lambda c: _of_company(c)["contract"],
                   "of_target": lambda c: _of_company(c)["cash"]},
            solution="""
due_rate = money["received_of_due"].sum() / money["due"].sum()
""",
        ),
        Exercise(
            id="L05.3",
            answer=_reading,
            wrong={
                "claim_again": lambda c: {
                    "definition": _claimed(c)[1], "due": float(claim(c).loc["rate", "value"])
                },
                "company": lambda c: {"definition": _claimed(c)[1], "due": _of_company(c)["due"]},
            },
            solution="""
of = money.loc[claim.loc["region", "value"]]
three = {"due": of["received_of_due"] / of["due"],
         "contract": of["received_of_signed"] / of["signed"],
         "cash": of["received_in_quarter"] / of["cash_target"]}
said = claim.loc["rate", "value"]
reading = {"definition": min(three, key=lambda name: abs(three[name] - said)),
           "due": three["due"]}
""",
        ),
    ),
)  # fmt: skip
