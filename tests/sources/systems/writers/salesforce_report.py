"""A report of Salesforce on opportunities: one CSV, labels as heads, ISO dates."""

from pathlib import Path

from tests.sources.systems.company import Company
from tests.sources.systems.files import day, local, sheet
from tests.sources.systems.writers import salesforce as base

STAGES = {"acquisition": "Prospecting", "needs": "Needs Analysis",
          "negotiation": "Negotiation/Review", "contract": "Closed Won",
          "lost": "Closed Lost"}  # fmt: skip
PREFIXES = {"opportunities": "006"}


def write(company: Company, folder: Path) -> None:
    firms = {row["id"]: row for row in company.rows("accounts")}
    people = {row["id"]: row["name"] for row in company.rows("users")}
    rows = [{
        "Opportunity ID": row["id"], "Opportunity Name": row["name"],
        "Account Name": firms[row["account_id"]]["name"],
        "Industry": firms[row["account_id"]]["industry"],
        "Opportunity Owner": people[row["owner_id"]], "Stage": row["stage"],
        "Amount": f"{row['amount']:,.2f}", "Type": base.TYPES[row["type"]],
        "Created Date": local(row["created_at"], "%Y-%m-%d"),
        "Close Date": day(row["closed_at"]) or row["expected_close_on"],
        "Lead Source": row["source"], "Next Step": row["next_step"],
    } for row in company.rows("opportunities")]  # fmt: skip
    sheet(folder / "report1771234567890.csv", rows, quoted=True)
