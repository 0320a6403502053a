"""悟空CRM's tables: seconds since 1970, 0 for nobody, stages by id, targets a year a row."""

from pathlib import Path

from tests.sources.systems.company import Company
from tests.sources.systems.files import seconds, sheet, states

STAGES = {"acquisition": "4", "needs": "5", "negotiation": "7", "contract": "1", "lost": "2"}
NAMES = {"1": ("0", "赢单", "100", 99), "2": ("0", "输单", "0", 100), "3": ("0", "无效", "0", 101),
         "4": ("1", "验证客户", "20", 1), "5": ("1", "需求分析", "15", 2),
         "6": ("1", "方案/报价", "30", 3), "7": ("1", "谈判审核", "30", 4)}  # fmt: skip
MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september",
          "october", "november", "december")  # fmt: skip


def write(company: Company, folder: Path) -> None:
    def put(name: str, rows: list[dict]) -> None:
        sheet(folder / f"5kcrm_{name}.csv", rows)

    put("crm_business", [_deal(company, row) for row in company.rows("opportunities")])
    put("crm_business_status", [{"status_id": key, "type_id": kind, "name": name, "rate": rate,
                                 "order_id": order}
                                for key, (kind, name, rate, order) in NAMES.items()])  # fmt: skip
    put("crm_business_log", _log(company))
    put("crm_customer", [{
        "customer_id": row["id"], "name": row["name"], "level": row["segment"],
        "industry": row["industry"], "telephone": row["phone"], "mobile": "",
        "website": row["domain"], "owner_user_id": row["owner_id"], "deal_status": "未成交",
        "create_time": seconds(row["created_at"]),
    } for row in company.rows("accounts")])  # fmt: skip
    put("crm_contacts", [{
        "contacts_id": row["id"], "customer_id": row["account_id"], "name": row["name"],
        "mobile": row["phone"], "telephone": "", "email": row["email"], "post": row["title"],
        "create_time": seconds(row["created_at"]),
    } for row in company.rows("contacts")])  # fmt: skip
    put("crm_leads", [{
        "leads_id": row["id"], "customer_id": row["account_id"] or 0,
        "is_transform": int(row["account_id"] is not None), "name": row["name"],
        "source": row["source"], "telephone": "", "mobile": row["phone"],
        "owner_user_id": row["owner_id"], "create_time": seconds(row["created_at"]),
    } for row in company.rows("leads")])  # fmt: skip
    put("admin_user", [{
        "id": row["id"], "realname": row["name"], "structure_id": 1,
        "parent_id": row["manager_id"] or 0, "status": 1,
    } for row in company.rows("users")])  # fmt: skip
    put("admin_record", [{
        "record_id": row["id"], "types": "crm_business", "types_id": row["opportunity_id"],
        "content": row["outcome"],
        "category": {"call": "打电话", "visit": "上门拜访", "meeting": "活动"}[row["kind"]],
        "create_time": seconds(row["logged_at"]), "create_user_id": row["user_id"],
    } for row in company.rows("activities")])  # fmt: skip
    _money(company, put)


def _money(company: Company, put) -> None:
    contracts = [{
        "contract_id": row["id"], "customer_id": row["account_id"],
        "business_id": row["opportunity_id"], "order_date": row["signed_on"],
        "money": row["amount"], "check_status": 2, "start_time": row["starts_on"],
        "end_time": row["ends_on"], "owner_user_id": row["owner_id"],
    } for row in company.rows("contracts")]  # fmt: skip
    # One that nobody approved yet.
    put("crm_contract", [*contracts, {**contracts[0], "contract_id": "999", "check_status": 0}])
    put("crm_receivables_plan", [{
        "plan_id": row["id"], "contract_id": row["contract_id"], "money": row["amount"],
        "return_date": row["due_on"],
    } for row in company.rows("instalments")])  # fmt: skip
    put("crm_receivables", [{
        "receivables_id": row["id"], "plan_id": row["instalment_id"],
        "contract_id": row["contract_id"], "return_time": row["received_on"],
        "money": row["amount"], "check_status": 2,
    } for row in company.rows("receipts")])  # fmt: skip
    years: dict[tuple, dict] = {}
    for row in company.rows("targets"):
        year, month = row["period"].split("-")
        kind = {"bookings": 1, "collection": 2}[row["metric"]]
        entry = years.setdefault((row["key"], year, kind), {
            "achievement_id": len(years) + 1, "obj_id": row["key"], "type": 3, "year": year,
            **dict.fromkeys(MONTHS, "0.00"), "status": kind,
        })  # fmt: skip
        entry[MONTHS[int(month) - 1]] = f"{row['amount']:.2f}"
    put("crm_achievement", list(years.values()))


def _deal(company: Company, row: dict) -> dict:
    end = {"1": 1, "2": 2}.get(row["stage"], 0)
    log = [c for c in company.rows("changes")
           if c["entity_id"] == row["id"] and c["field"] == "stage"]  # fmt: skip
    # The stage stays the last open one; is_end tells the rest.
    last = max(log, key=lambda c: c["changed_at"])["old_value"] if end else row["stage"]
    moved = max((c["changed_at"] for c in log), default=None)
    return {
        "business_id": row["id"], "customer_id": row["account_id"], "type_id": 1,
        "status_id": last, "status_time": seconds(moved) or 0, "is_end": end,
        "name": row["name"], "money": row["amount"], "deal_date": row["expected_close_on"],
        "owner_user_id": row["owner_id"], "create_time": seconds(row["created_at"]),
    }  # fmt: skip


def _log(company: Company) -> list[dict]:
    rows, last = [], ""
    for deal in company.rows("opportunities"):
        for state in states(company.rows("changes"), deal, ("stage",)):
            end = {"1": 1, "2": 2}.get(state["stage"], 0)
            last = last if end else state["stage"]
            rows.append({"id": len(rows) + 1, "business_id": deal["id"], "status_id": last,
                         "is_end": end, "create_time": seconds(state["at"]),
                         "owner_user_id": state["by"]})  # fmt: skip
    return rows
