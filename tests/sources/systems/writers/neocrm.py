"""销售易's answers to XOQL: 19 digits, milliseconds, stages by id, own fields called dbc…"""

from pathlib import Path

from tests.sources.systems.company import Company
from tests.sources.systems.files import answer, millis

STAGES = {"acquisition": "60001", "needs": "60002", "negotiation": "60003", "contract": "won",
          "lost": "lost"}  # fmt: skip
RATES = {"60001": 10, "60002": 50, "60003": 80, "won": 100, "lost": 0}


def write(company: Company, folder: Path) -> None:
    def put(name: str, rows: list[dict]) -> None:
        half = max(len(rows) // 2, 1)
        pages = [rows[:half], rows[half:]]
        answer(folder / f"{name}.json", [
            {"code": 200, "msg": "OK", "ext": [],
             "result": {"totalSize": len(rows), "count": len(page), "records": page}}
            for page in pages
        ])  # fmt: skip

    put("opportunity", [_deal(company, row) for row in company.rows("opportunities")])
    put("account", [{
        "id": int(row["id"]), "accountName": row["name"], "industryId": row["industry"],
        "level": row["segment"], "ownerId": int(row["owner_id"]), "phone": row["phone"],
        "parentAccountId": row["parent_account_id"] and int(row["parent_account_id"]),
        "url": row["domain"], "createdAt": millis(row["created_at"]),
    } for row in company.rows("accounts")])  # fmt: skip
    put("contact", [{
        "id": int(row["id"]), "accountId": int(row["account_id"]), "contactName": row["name"],
        "post": row["title"], "mobile": row["phone"], "phone": None, "email": row["email"],
        "createdAt": millis(row["created_at"]),
    } for row in company.rows("contacts")])  # fmt: skip
    put("user", [{"id": int(row["id"]), "name": row["name"], "status": 1}
                 for row in company.rows("users")])  # fmt: skip
    put("lead", [{
        "id": int(row["id"]), "name": row["name"], "companyName": row["company"],
        "mobile": row["phone"], "phone": None, "leadSourceId": row["source"],
        "status": row["status"], "ownerId": int(row["owner_id"]), "accountId": row["account_id"],
        "opportunityId": row["opportunity_id"], "createdAt": millis(row["created_at"]),
        "highSeaId": None, "claimTime": None,
    } for row in company.rows("leads")])  # fmt: skip
    put("activityRecord", [{
        "id": int(row["id"]), "itemId": int(row["opportunity_id"]), "content": row["outcome"],
        "ownerId": int(row["user_id"]), "startTime": millis(row["occurred_at"]),
        "createdAt": millis(row["logged_at"]),
    } for row in company.rows("activities")])  # fmt: skip


def _deal(company: Company, row: dict) -> dict:
    log = [c for c in company.rows("changes")
           if c["entity_id"] == row["id"] and c["field"] == "stage"]  # fmt: skip
    last = max(log, key=lambda c: c["changed_at"]) if log else None
    ended = row["stage"] in ("won", "lost")
    stage = last["old_value"] if ended and last else row["stage"]
    return {
        "id": int(row["id"]), "entityType": 11, "ownerId": int(row["owner_id"]),
        "opportunityName": row["name"], "accountId": int(row["account_id"]),
        "money": float(row["amount"]), "saleStageId": int(stage),
        "lostStageId": int(stage) if row["stage"] == "lost" else None,
        "winRate": RATES[row["stage"]], "reasonDesc": row["lost_reason"],
        "closeDate": millis(row["expected_close_on"]), "sourceId": row["source"],
        "stageUpdatedAt": millis(last["changed_at"]) if last else None,
        "createdAt": millis(row["created_at"]), "dbcSelect1": 3, "dbcVarchar2": "自定义",
    }  # fmt: skip
