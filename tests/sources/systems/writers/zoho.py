"""Zoho CRM's module export: ids with the prefix zcrm_, and the history of stages."""

from pathlib import Path

from tests.sources.systems.company import Company
from tests.sources.systems.files import answer, day, local, sheet, states

STAGES = {"acquisition": "Qualification", "needs": "Needs Analysis",
          "negotiation": "Negotiation/Review", "contract": "Closed Won",
          "lost": "Closed Lost"}  # fmt: skip
_FIELDS = ("stage", "amount", "expected_close_on")


def _zcrm(key: str | None) -> str | None:
    return key and f"zcrm_{key}"


def write(company: Company, folder: Path, *, leaving: bool = False) -> None:
    people = {row["id"]: row["name"] for row in company.rows("users")}
    firms = {row["id"]: row["name"] for row in company.rows("accounts")}
    sheet(folder / "Deals_001.csv", [{
        "Record Id": _zcrm(row["id"]), "Deal Owner.id": _zcrm(row["owner_id"]),
        "Deal Owner": people[row["owner_id"]], "Amount": row["amount"], "Deal Name": row["name"],
        "Closing Date": day(row["closed_at"]) or row["expected_close_on"],
        "Account Name.id": _zcrm(row["account_id"]), "Account Name": firms[row["account_id"]],
        "Stage": row["stage"], "Next Step": row["next_step"], "Lead Source": row["source"],
        "Type": {"new": "New Business", "expansion": "Existing Business"}.get(row["type"],
                                                                             "Renewal"),
        "Reason For Loss": row["lost_reason"] or "-None-",
        "Created Time": local(row["created_at"]),
    } for row in company.rows("opportunities")])  # fmt: skip
    sheet(folder / "Accounts_001.csv", [{
        "Record Id": _zcrm(row["id"]), "Account Owner.id": _zcrm(row["owner_id"]),
        "Account Name": row["name"], "Phone": row["phone"], "Website": row["domain"],
        "Parent Account.id": _zcrm(row["parent_account_id"]), "Industry": row["industry"],
        "Account Type": row["segment"], "Created Time": local(row["created_at"]),
    } for row in company.rows("accounts")])  # fmt: skip
    sheet(folder / "Leads_001.csv", [{
        "Record Id": _zcrm(row["id"]), "Lead Owner.id": _zcrm(row["owner_id"]),
        "Company": row["company"], "First Name": row["name"], "Last Name": "",
        "Email": row["email"], "Phone": row["phone"], "Mobile": "", "Lead Source": row["source"],
        "Lead Status": row["status"], "Created Time": local(row["created_at"]),
    } for row in company.rows("leads")])  # fmt: skip
    sheet(folder / "Contacts_001.csv", [{
        "Record Id": _zcrm(row["id"]), "Account Name.id": _zcrm(row["account_id"]),
        "First Name": "", "Last Name": row["name"], "Title": row["title"], "Email": row["email"],
        "Phone": row["phone"], "Mobile": "", "Created Time": local(row["created_at"]),
    } for row in company.rows("contacts")])  # fmt: skip
    answer(folder / "Stage_History.json", {"data": _history(company, leaving), "info": {}})


def _history(company: Company, leaving: bool) -> list[dict]:
    rows = []
    for deal in company.rows("opportunities"):
        found = states(company.rows("changes"), deal, _FIELDS)
        for state, after in zip(found, [*found[1:], None], strict=True):
            if leaving and after is None:
                continue
            at, by = (after["at"], after["by"]) if leaving else (state["at"], state["by"])
            days = (after["at"] - state["at"]).days if after else None
            rows.append({
                "id": f"4876876{len(rows):09d}",
                "Potential_Name": {"name": deal["name"], "id": deal["id"]},
                "Stage": state["stage"], "Moved_To__s": after and after["stage"],
                "Stage_Duration_Calendar_Days": days, "Amount": state["amount"] and
                float(state["amount"]), "Closing_Date": state["expected_close_on"],
                "Modified_Time": f"{local(at, '%Y-%m-%dT%H:%M:%S')}+08:00",
                "Modified_By": {"name": "-", "id": by},
            })  # fmt: skip
    return rows
