"""Lesson 4: one customer base."""

import pandas as pd

from salesops.playbook.exercise import Exercise, Lesson
from salesops.playbook.owncompany import OwnCompany


def pairs(company: OwnCompany) -> pd.DataFrame:
    """One row per pair of customers: `name`, `tax_id`, `phone`, `owner`, `potential` of each."""
    listed = company.table("pairs")
    accounts = company.table("accounts").set_index("id")
    frame = pd.DataFrame(index=pd.Index(listed["pair"], name="pair"))
    for side, of in (("", "account"), ("_other", "other")):
        for column in ("name", "tax_id", "phone", "owner_id", "potential"):
            frame[f"{column}{side}"] = listed[of].map(accounts[column]).to_numpy()
    return frame


def _differ(company: OwnCompany, column: str) -> pd.Series:
    found = pairs(company)
    both = found[column].notna() & found[f"{column}_other"].notna()
    return both & (found[column] != found[f"{column}_other"])


def _numbers(chosen: pd.Series) -> list[int]:
    return [int(n) for n in chosen.index[chosen]]


def _without_tax_id(company: OwnCompany) -> list[int]:
    return _numbers(pairs(company)["tax_id_other"].isna())


def _counted_twice(company: OwnCompany, *, all_pairs: bool = False) -> dict[str, object]:
    found = pairs(company)
    same = found if all_pairs else found[~_differ(company, "tax_id")]
    return {
        "two_owners": int((same["owner_id"] != same["owner_id_other"]).sum()),
        "potential": float(same["potential_other"].sum()),
    }


def _both_records(company: OwnCompany) -> dict[str, object]:
    found = pairs(company)
    same = found[~_differ(company, "tax_id")]
    whole = same["potential"].sum() + same["potential_other"].sum()
    return {**_counted_twice(company), "potential": float(whole)}


LESSON = Lesson(
    stem="04_customers", week=1, minutes=30, report="quality",
    data={"pairs": pairs},
    exercises=(
        Exercise(
            id="L04.1",
            answer=lambda c: _numbers(_differ(c, "tax_id")),
            wrong={
                "other_phone": lambda c: _numbers(_differ(c, "phone")),
                "without_tax_id": _without_tax_id,
                "other_owner": lambda c: _numbers(_differ(c, "owner_id")),
            },
            solution="""
both = pairs["tax_id"].notna() & pairs["tax_id_other"].notna()
apart = list(pairs.index[both & (pairs["tax_id"] != pairs["tax_id_other"])])
""",
        ),
        Exercise(
            id="L04.2",
            answer=_counted_twice,
            wrong={
                "look_alikes_too": lambda c: _counted_twice(c, all_pairs=True),
                "both_records": _both_records,
            },
            solution="""
same = pairs.drop(index=apart)
twice = {"two_owners": int((same["owner_id"] != same["owner_id_other"]).sum()),
         "potential": same["potential_other"].sum()}
""",
        ),
    ),
)  # fmt: skip
