"""简道云's own forms, exported with their titles as heads."""

from pathlib import Path

from tests.sources.systems.company import Company
from tests.sources.systems.files import local, sheet

STAGES = {"acquisition": "初步接触", "needs": "需求确认", "negotiation": "商务谈判",
          "contract": "已签约", "lost": "输单"}  # fmt: skip


def write(company: Company, folder: Path) -> None:
    people = {row["id"]: row["name"] for row in company.rows("users")}
    firms = {row["id"]: row["name"] for row in company.rows("accounts")}
    sheet(folder / "商机登记.csv", [{
        "商机编号": row["id"], "商机名称": row["name"], "客户名称": firms[row["account_id"]],
        "负责人": people[row["owner_id"]], "销售阶段": row["stage"], "预计金额": row["amount"],
        "预计成交日期": row["expected_close_on"], "结束日期": local(row["closed_at"]),
        "输单原因": row["lost_reason"], "客户来源": row["source"], "下一步计划": row["next_step"],
        "提交时间": local(row["created_at"]),
    } for row in company.rows("opportunities")], encoding="utf-8-sig")  # fmt: skip
    sheet(folder / "客户档案.csv", [{
        "客户名称": row["name"], "所属行业": row["industry"], "客户等级": row["segment"],
        "所在区域": row["region"], "负责人": people[row["owner_id"]], "联系电话": row["phone"],
        "提交时间": local(row["created_at"]),
    } for row in company.rows("accounts")], encoding="utf-8-sig")  # fmt: skip
    kinds = {"call": "电话", "visit": "拜访", "meeting": "会议"}
    sheet(folder / "跟进记录.csv", [{
        "跟进编号": row["id"], "商机编号": row["opportunity_id"],
        "客户名称": firms[row["account_id"]], "跟进方式": kinds[row["kind"]],
        "跟进人": people[row["user_id"]], "跟进时间": local(row["occurred_at"]),
        "跟进结果": row["outcome"], "提交时间": local(row["logged_at"]),
    } for row in company.rows("activities")], encoding="utf-8-sig")  # fmt: skip
