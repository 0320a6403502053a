"""Salesforce's weekly Data Export: latin-1, all values in quotes, flags 0 and 1, times in UTC."""

from pathlib import Path

from tests.sources.systems.company import Company
from tests.sources.systems.files import day, sheet, states, utc

STAGES = {"acquisition": "Prospecting", "needs": "Qualification approfondie",
          "negotiation": "Négociation", "contract": "Closed Won",
          "lost": "Closed Lost"}  # fmt: skip
PREFIXES = {"opportunities": "006", "accounts": "001", "users": "005", "contacts": "003",
            "leads": "00Q", "activities": "00T", "tickets": "500"}  # fmt: skip
CHANCE = {"Prospecting": 10, "Qualification approfondie": 30, "Négociation": 80, "Closed Won": 100,
          "Closed Lost": 0}  # fmt: skip
ORDER = list(CHANCE)
TYPES = {"new": "New Business", "expansion": "Existing Business", "renewal": "Renewal"}
_TOLD = ("stage", "amount", "expected_close_on")
FORECAST = {"pipeline": "Pipeline", "commit": "Commit"}


def write(company: Company, folder: Path) -> None:
    def put(name: str, rows: list[dict]) -> None:
        sheet(folder / f"{name}.csv", rows, encoding=company_encoding(rows), quoted=True)

    deals = company.rows("opportunities")
    put("Opportunity", [_deal(row) for row in deals])
    put("OpportunityHistory", _history(company))
    put("OpportunityFieldHistory", _field_history(company))
    put("Account", [_account(row) for row in company.rows("accounts")])
    put("Contact", [_contact(row) for row in company.rows("contacts")])
    put("User", [_user(row) for row in company.rows("users")])
    put("Lead", [_lead(row) for row in company.rows("leads")])
    put("Task", [_task(row) for row in company.rows("activities")])
    put("Case", [_case(row) for row in company.rows("tickets")])


def company_encoding(rows: list[dict]) -> str:
    """Latin-1 where it can hold the texts, as the export does in the West; else UTF-8."""
    try:
        "".join(str(v) for row in rows for v in row.values()).encode("latin-1")
    except UnicodeEncodeError:
        return "utf-8"
    return "latin-1"


def _deal(row: dict) -> dict:
    stage = row["stage"]
    closed = stage in ("Closed Won", "Closed Lost")
    return {
        "Id": row["id"], "IsDeleted": 0, "AccountId": row["account_id"], "IsPrivate": 0,
        "Name": row["name"], "StageName": stage, "StageSortOrder": ORDER.index(stage) + 1,
        "Amount": row["amount"], "Probability": CHANCE[stage],
        "CloseDate": day(row["closed_at"]) or row["expected_close_on"], "Type": TYPES[row["type"]],
        "NextStep": row["next_step"], "LeadSource": row["source"], "IsClosed": int(closed),
        "IsWon": int(stage == "Closed Won"),
        "ForecastCategoryName": FORECAST[row["forecast_category"]], "OwnerId": row["owner_id"],
        "CreatedDate": utc(row["created_at"]), "SystemModstamp": utc(row["created_at"]),
    }  # fmt: skip


def _history(company: Company) -> list[dict]:
    rows = []
    for deal in company.rows("opportunities"):
        for state in states(company.rows("changes"), deal, _TOLD):
            stage = state["stage"]
            rows.append({
                "Id": f"008{len(rows):015d}", "OpportunityId": deal["id"],
                "CreatedById": state["by"], "CreatedDate": utc(state["at"]), "StageName": stage,
                "Amount": state["amount"], "CloseDate": state["expected_close_on"],
                "Probability": CHANCE[stage],
                "ForecastCategory": {"Closed Won": "Closed", "Closed Lost": "Omitted"}.get(
                    stage, "Pipeline"),
                "SystemModstamp": utc(state["at"]), "IsDeleted": 0,
            })  # fmt: skip
    return rows


def _field_history(company: Company) -> list[dict]:
    """Fields that are tracked: stages too, which the other object tells already, and owners."""
    names = {"stage": "StageName", "owner_id": "Owner"}
    people = {u["id"]: u["name"] for u in company.rows("users")}
    rows = []
    for change in company.rows("changes"):
        if change["field"] in names:
            row = {"OpportunityId": change["entity_id"], "Field": names[change["field"]],
                   "OldValue": change["old_value"], "NewValue": change["new_value"],
                   "CreatedById": change["changed_by"],
                   "CreatedDate": utc(change["changed_at"])}  # fmt: skip
            rows.append({"Id": f"017{len(rows):015d}", **row})
            if change["field"] == "owner_id":
                named = {k: people[row[k]] for k in ("OldValue", "NewValue")}
                rows.append({"Id": f"017{len(rows):015d}", **row, **named})
    return rows


def _account(row: dict) -> dict:
    return {
        "Id": row["id"], "IsDeleted": 0, "Name": row["name"], "Type": row["segment"],
        "ParentId": row["parent_account_id"], "Phone": row["phone"], "Website": row["domain"],
        "Industry": row["industry"], "OwnerId": row["owner_id"],
        "CreatedDate": utc(row["created_at"]), "SystemModstamp": utc(row["created_at"]),
    }  # fmt: skip


def _contact(row: dict) -> dict:
    return {"Id": row["id"], "IsDeleted": 0, "AccountId": row["account_id"], "Name": row["name"],
            "Title": row["title"], "Phone": row["phone"], "Email": row["email"],
            "CreatedDate": utc(row["created_at"])}  # fmt: skip


def _user(row: dict) -> dict:
    return {"Id": row["id"], "Name": row["name"], "Department": row["team"],
            "Division": row["region"], "ManagerId": row["manager_id"], "IsActive": 1}  # fmt: skip


def _lead(row: dict) -> dict:
    return {
        "Id": row["id"], "IsDeleted": 0, "Name": row["name"], "Company": row["company"],
        "Phone": row["phone"], "Email": row["email"], "LeadSource": row["source"],
        "Status": row["status"], "OwnerId": row["owner_id"],
        "IsConverted": int(row["converted_at"] is not None),
        "ConvertedDate": day(row["converted_at"]), "ConvertedAccountId": row["account_id"],
        "ConvertedOpportunityId": row["opportunity_id"], "CreatedDate": utc(row["created_at"]),
    }  # fmt: skip


def _task(row: dict) -> dict:
    kinds = {"call": "Call", "visit": "Task", "meeting": "Task"}
    return {
        "Id": row["id"], "WhatId": row["opportunity_id"], "AccountId": row["account_id"],
        "WhoId": None, "OwnerId": row["user_id"], "TaskSubtype": kinds[row["kind"]],
        "CallType": "Outbound" if row["kind"] == "call" else None, "IsClosed": 1,
        "CompletedDateTime": utc(row["occurred_at"]), "CreatedDate": utc(row["logged_at"]),
        "CallDisposition": row["outcome"],
    }  # fmt: skip


def _case(row: dict) -> dict:
    return {"Id": row["id"], "AccountId": row["account_id"], "CreatedDate": utc(row["opened_at"]),
            "ClosedDate": utc(row["closed_at"]), "Reason": row["category"],
            "Priority": row["severity"]}  # fmt: skip
