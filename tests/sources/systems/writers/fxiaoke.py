"""纷享销客's answers: milliseconds, amounts as texts, owners as lists, names in fields with __r."""

from pathlib import Path

from tests.sources.systems.company import Company
from tests.sources.systems.files import answer, millis

# A deal that has ended keeps the stage in which it stood; its status says the rest.
STAGES = {"acquisition": "opt_a1", "needs": "opt_b2", "negotiation": "opt_c3", "contract": "赢单",
          "lost": "输单"}  # fmt: skip
NAMES = {"opt_a1": ("验证客户", 10), "opt_b2": ("需求确定", 40), "opt_c3": ("谈判审核", 80)}

POOL = "66a0b1c2d3e4f5a6b7c8d9e0"


def adapt(tables: dict) -> None:
    """Give the last account back to the public pool, which owns what nobody does."""
    tables["accounts"].loc[5, "owner_id"] = POOL


def write(company: Company, folder: Path) -> None:
    def put(name: str, rows: list[dict]) -> None:
        answer(folder / f"{name}.json", {
            "errorCode": 0, "errorMessage": "OK",
            "data": {"total": len(rows), "offset": 0, "limit": 100, "dataList": rows},
        })  # fmt: skip

    people = {row["id"]: row for row in company.rows("users")}
    put("NewOpportunityObj", [_deal(company, row, people) for row in company.rows("opportunities")])
    put("AccountObj", [{
        "_id": row["id"], "name": row["name"], "industry": f"ind{n}",
        "industry__r": row["industry"], "website": row["domain"],
        "create_time": millis(row["created_at"]), "is_deleted": False, "life_status": "normal",
        "owner": [] if row["owner_id"] == POOL else [row["owner_id"]],
        "high_seas_id": POOL if row["owner_id"] == POOL else None,
    } for n, row in enumerate(company.rows("accounts"))])  # fmt: skip
    put("HighSeasObj", [{"_id": POOL, "name": "华东公海"}])
    put("ContactObj", [{
        "_id": row["id"], "account_id": row["account_id"], "name": row["name"],
        "job_title": row["title"], "mobile": row["phone"], "email": row["email"],
        "create_time": millis(row["created_at"]),
    } for row in company.rows("contacts")])  # fmt: skip
    put("ActiveRecordObj", [{
        "_id": row["id"], "active_record_content": row["outcome"],
        "interactive_types": "1",
        "interactive_types__r": {"call": "电话", "visit": "拜访", "meeting": "会议"}[row["kind"]],
        "related_object_data": [
            {"id": row["account_id"], "describe_api_name": "AccountObj"},
            {"id": row["opportunity_id"], "describe_api_name": "NewOpportunityObj"},
        ],
        "created_by": [row["user_id"]], "create_time": millis(row["logged_at"]),
    } for row in company.rows("activities")])  # fmt: skip
    put("ContractObj", [{
        "_id": row["id"], "account_id": row["account_id"], "owner": [row["owner_id"]],
        "contract_amount": f"{row['amount']:.2f}", "confirm_time": millis(row["signed_on"]),
        "started_time": millis(row["starts_on"]), "expired_time": millis(row["ends_on"]),
    } for row in company.rows("contracts")])  # fmt: skip
    put("PaymentObj", [{
        "_id": row["id"], "payment_time": millis(row["received_on"]),
        "amount": f"{row['amount']:.2f}",
    } for row in company.rows("receipts")])  # fmt: skip


def _deal(company: Company, row: dict, people: dict[str, dict]) -> dict:
    log = [c for c in company.rows("changes")
           if c["entity_id"] == row["id"] and c["field"] == "stage"]  # fmt: skip
    last = max(log, key=lambda c: c["changed_at"]) if log else None
    status = {"赢单": "赢单", "输单": "输单"}.get(row["stage"], "进行中")
    stage = last["old_value"] if last and status != "进行中" else row["stage"]
    owner = people[row["owner_id"]]
    return {
        "_id": row["id"], "name": row["name"], "amount": f"{row['amount']:.2f}",
        "close_date": millis(row["expected_close_on"]), "account_id": row["account_id"],
        "account_id__r": "-", "sales_stage": stage, "sales_stage__r": NAMES[stage][0],
        "sales_status": "2", "sales_status__r": status, "sales_process_id": "p1",
        "probability": str(NAMES[stage][1]), "owner": [row["owner_id"]],
        "owner__r": [{"id": row["owner_id"], "name": owner["name"]}],
        "owner_department": owner["team"], "create_time": millis(row["created_at"]),
        "stg_changed_time": millis(last["changed_at"]) if last else None,
        "is_deleted": False, "life_status": "normal", "record_type": "default__c",
        "field_Ab1Cd__c": "自定义",
    }  # fmt: skip
