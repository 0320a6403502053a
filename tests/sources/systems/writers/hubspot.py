"""HubSpot's exported lists, and the history of properties as a row per value."""

from pathlib import Path

from tests.sources.systems.company import Company
from tests.sources.systems.files import answer, local, sheet, states, utc

STAGES = {"acquisition": "Appointment Scheduled", "needs": "Qualified To Buy",
          "negotiation": "Contract Sent", "contract": "Closed Won",
          "lost": "Closed Lost"}  # fmt: skip
VALUES = {"Appointment Scheduled": "appointmentscheduled", "Qualified To Buy": "qualifiedtobuy",
          "Contract Sent": "contractsent", "Closed Won": "closedwon",
          "Closed Lost": "closedlost"}  # fmt: skip
MINUTE = "%Y-%m-%d %H:%M"
PROPERTIES = {"stage": "dealstage", "amount": "amount", "expected_close_on": "closedate"}


def write(company: Company, folder: Path) -> None:
    people = {row["id"]: row["name"] for row in company.rows("users")}
    sheet(folder / "hubspot-crm-exports-all-deals-2026-06-30.csv", [{
        "Record ID": row["id"], "Deal Name": row["name"], "Deal Stage": row["stage"],
        "Close Date": local(row["closed_at"], MINUTE) or f"{row['expected_close_on']} 00:00",
        "Deal owner": people[row["owner_id"]], "Amount": row["amount"],
        "Associated Company IDs": row["account_id"], "Pipeline": "Sales Pipeline",
        "Deal Type": {"new": "New Business", "expansion": "Existing Business"}.get(row["type"]),
        "Create Date": local(row["created_at"], MINUTE), "Closed Lost Reason": row["lost_reason"],
        "Original Traffic Source": row["source"], "Next step": row["next_step"],
        "Forecast category": {"commit": "Commit", "pipeline": "Pipeline"}[row["forecast_category"]],
    } for row in company.rows("opportunities")], quoted=True)  # fmt: skip
    sheet(folder / "hubspot-crm-exports-all-companies-2026-06-30.csv", [{
        "Record ID": row["id"], "Company name": row["name"], "Industry": row["industry"],
        "Company owner": people[row["owner_id"]], "Phone Number": row["phone"],
        "Company Domain Name": row["domain"], "Create Date": local(row["created_at"], MINUTE),
    } for row in company.rows("accounts")], quoted=True)  # fmt: skip
    sheet(folder / "hubspot-crm-exports-all-contacts-2026-06-30.csv", [{
        "Record ID": row["id"], "First Name": row["name"], "Last Name": None,
        "Email": row["email"], "Phone Number": row["phone"], "Job Title": row["title"],
        "Associated Company IDs": row["account_id"],
        "Create Date": local(row["created_at"], MINUTE),
    } for row in company.rows("contacts")], quoted=True)  # fmt: skip
    answer(folder / "deals_property_history.json", _history(company))


def _history(company: Company) -> list[dict]:
    rows = []
    for deal in company.rows("opportunities"):
        for field, name in PROPERTIES.items():
            for state in states(company.rows("changes"), deal, (field,)):
                value = VALUES.get(state[field], state[field])
                rows.append({
                    "dealId": deal["id"], "property": name,
                    "value": f"{value}T04:00:00Z" if field == "expected_close_on" else value,
                    "timestamp": utc(state["at"], "%Y-%m-%dT%H:%M:%S.000Z"),
                    "sourceType": "CRM_UI", "updatedByUserId": int(state["by"]),
                })  # fmt: skip
    return rows
