"""Instalments with what was received of each: what several lessons look at."""

from functools import cache

import pandas as pd

from salesops.playbook.owncompany import OwnCompany


@cache
def instalments(company: OwnCompany) -> pd.DataFrame:
    """One row per instalment: `amount`, `received` (of it), `due_on`, and its contract's facts.

    A receipt that names no instalment pays the oldest open one of its contract. `due_on` is the
    day first agreed; `region` is that of the contract's owner.
    """
    dues = company.table("instalments").sort_values(["original_due_on", "id"])
    receipts = company.table("receipts")
    named = receipts.groupby("instalment_id")["amount"].sum()
    dues["received"] = dues["id"].map(named).fillna(0.0)
    loose = receipts[receipts["instalment_id"].isna()].groupby("contract_id")["amount"].sum()
    for contract, amount in loose.items():
        left = amount
        for row in dues.index[(dues["contract_id"] == contract) & dues["due_on"].notna()]:
            part = min(left, max(dues.at[row, "amount"] - dues.at[row, "received"], 0.0))
            dues.at[row, "received"] += part
            left -= part
    contracts = company.table("contracts").set_index("id")
    people = company.table("users").set_index("id")
    of = dues["contract_id"]
    dues = dues.assign(
        owner_id=of.map(contracts["owner_id"]), account_id=of.map(contracts["account_id"]),
        delivered_on=of.map(contracts["delivered_on"]),
        accepted_on=of.map(contracts["accepted_on"]), signed_on=of.map(contracts["signed_on"]),
    )  # fmt: skip
    dues["region"] = dues["owner_id"].map(people["region"])
    dues["due_on"] = dues["original_due_on"]
    columns = ["id", "contract_id", "account_id", "owner_id", "region", "trigger", "amount",
               "received", "due_on", "signed_on", "delivered_on", "accepted_on"]  # fmt: skip
    return dues[columns].reset_index(drop=True)
