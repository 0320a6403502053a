"""金蝶云星空's forms by field keys, bills in several states, phases with their real end."""

from pathlib import Path

from tests.sources.systems.company import Company
from tests.sources.systems.files import local, sheet, states

STAGES = {"acquisition": "初步接洽", "needs": "需求调研", "negotiation": "商务谈判",
          "contract": "赢单", "lost": "输单"}  # fmt: skip
ORDER = ["初步接洽", "需求调研", "商务谈判"]


def write(company: Company, folder: Path) -> None:
    def put(name: str, rows: list[dict]) -> None:
        sheet(folder / f"{name}.csv", rows)

    deals = company.rows("opportunities")
    put("CRM_OPP_Opportunity", [_deal(company, row) for row in deals])
    put("CRM_OPP_Phase", _phases(company, deals))
    put("BD_Customer", [{
        "FNumber": row["id"], "FName": row["name"], "FCreateDate": local(row["created_at"]),
    } for row in company.rows("accounts")])  # fmt: skip
    orders = [{
        "FBillNo": row["id"], "FDate": f"{row['signed_on']} 00:00:00", "FDocumentStatus": "C",
        "FCustId.FNumber": row["account_id"], "FSalerId.FNumber": row["owner_id"],
        "FBillAllAmount": row["amount"],
    } for row in company.rows("contracts")]  # fmt: skip
    put("SAL_SaleOrder", [*orders, {**orders[0], "FBillNo": "XSDD9", "FDocumentStatus": "A"}])
    put("AR_receivable", [{
        "FBillNo": row["id"], "FDate": row["due_on"], "FENDDATE_H": f"{row['due_on']} 00:00:00",
        "FORDERNUMBER": row["contract_id"], "FALLAMOUNTFOR": row["amount"],
        "FDOCUMENTSTATUS": "C",
    } for row in company.rows("instalments")])  # fmt: skip
    put("AR_RECEIVEBILL", [{
        "FBillNo": row["id"], "FDATE": f"{row['received_on']} 00:00:00",
        "FRECEIVEITEM": row["contract_id"], "FRECTOTALAMOUNTFOR": row["amount"],
        "FDOCUMENTSTATUS": "C",
    } for row in company.rows("receipts")])  # fmt: skip


def _open_stage(company: Company, row: dict) -> str:
    log = [c for c in company.rows("changes")
           if c["entity_id"] == row["id"] and c["field"] == "stage"]  # fmt: skip
    last = max(log, key=lambda c: c["changed_at"]) if log else None
    return row["stage"] if row["stage"] in ORDER or last is None else last["old_value"]


def _deal(company: Company, row: dict) -> dict:
    phase = _open_stage(company, row)
    return {
        "FBillNo": row["id"], "FOPPName": row["name"],
        "FDocumentStatus": {"赢单": "E", "输单": "F"}.get(row["stage"], "G"),
        "FCloseStatus": int(row["closed_at"] is not None), "FWinDate": local(row["closed_at"]),
        "FWinReason": row["lost_reason"], "FCreateDate": local(row["created_at"]),
        "客户编码": row["account_id"], "销售员编码": row["owner_id"], "阶段": phase,
        "阶段序号": ORDER.index(phase) + 1, "预计金额": row["amount"],
        "预计成交日期": row["expected_close_on"],
    }  # fmt: skip


def _phases(company: Company, deals: list[dict]) -> list[dict]:
    rows = []
    for deal in deals:
        found = states(company.rows("changes"), deal, ("stage",))
        for state, after in zip(found, [*found[1:], None], strict=True):
            if state["stage"] in ORDER:
                rows.append({
                    "FBillNo": deal["id"], "阶段": state["stage"],
                    "阶段序号": ORDER.index(state["stage"]) + 1,
                    "FIsCurrent": int(after is None or after["stage"] not in ORDER),
                    "FEndtimeReal": local(after["at"]) if after else None,
                })  # fmt: skip
    return rows
