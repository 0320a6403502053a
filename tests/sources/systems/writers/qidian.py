"""腾讯企点's answers: ids of up to 19 digits as texts, times as numbers, no deals."""

from pathlib import Path

from tests.sources.systems.company import Company
from tests.sources.systems.files import answer, millis, seconds

STAGES: dict[str, str] = {}


def write(company: Company, folder: Path) -> None:
    answer(folder / "list_customers.json", {"errcode": 0, "data": {
        "list": [{"cust_id": row["id"], "name": row["name"], "phone": row["phone"],
                  "email": row["email"]} for row in company.rows("accounts")],
        "next_custid": "",
    }})  # fmt: skip
    answer(folder / "get_staff_info.json", {"errcode": 0, "data": [
        {"openid": row["id"], "name": row["name"], "account": f"a{row['id']}",
         "deptName": row["team"]} for row in company.rows("users")]})  # fmt: skip
    answer(folder / "get_monitored_sessions.json", {"errcode": 0, "total": 10, "data": [
        {"sessionId": row["id"], "staffId": row["user_id"], "cust_id": row["account_id"],
         "startTime": str(seconds(row["occurred_at"])), "endTime": str(seconds(row["logged_at"])),
         "convRemarks": row["outcome"], "customerTag": ""}
        for row in company.rows("activities")]})  # fmt: skip
    answer(folder / "list_tickets.json", {"errcode": 0, "total": 4, "data": [
        {"workorderId": row["id"], "templateId": row["category"], "title": "报修",
         "statusId": "614404267440304999", "customerId": row["account_id"],
         "priorityId": {"低": 40, "高": 20}[row["severity"]], "ownerId": "101",
         "createTime": str(millis(row["opened_at"])), "flowLogs": []}
        for row in company.rows("tickets")]})  # fmt: skip
