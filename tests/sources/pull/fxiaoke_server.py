"""纷享销客's interface: a token by secrets, objects along their ids; always status 200."""

import json
from pathlib import Path
from typing import Any

from tests.sources.pull.servers import Asked, Said

CODES = {"appId": "FSAID_1", "appSecret": "s3cretOfTheApp", "permanentCode": "permanentC0de"}
TOLD = {"FXIAOKE_APP_ID": "FSAID_1", "FXIAOKE_APP_SECRET": "s3cretOfTheApp",
        "FXIAOKE_PERMANENT_CODE": "permanentC0de", "FXIAOKE_OPEN_USER_ID": "FSUID_9"}  # fmt: skip
PAGE = 100


class Fxiaoke:
    def __init__(self, export: Path) -> None:
        self.objects: dict[str, list[dict[str, Any]]] = {}
        for file in export.glob("*.json"):
            records = json.loads(file.read_text("utf-8"))["data"]["dataList"]
            for record in records:
                record.setdefault("last_modified_time", record.get("create_time", 1767580968000))
                record.setdefault("is_deleted", False)
            self.objects[file.stem] = records
        self.hidden: set[str] = set()
        self.token, self.n = "", 0

    def answer(self, asked: Asked) -> Said:
        assert len(asked.query["thirdTraceId"]) == 36
        if asked.path == "/cgi/corpAccessToken/get/V2":
            if asked.body != CODES:
                return _error(20015, "the permanent code is error")
            self.n += 1
            self.token = f"corpToken{self.n}secret"
            return Said(200, {"errorCode": 0, "errorMessage": "success", "expiresIn": 7200,
                              "corpAccessToken": self.token, "corpId": "FSCID_7"})  # fmt: skip
        assert asked.path == "/cgi/crm/v2/data/query"
        if asked.body["corpAccessToken"] != self.token:
            return _error(20016, "the corpAccessToken has expired")
        if (asked.body["corpId"], asked.body["currentOpenUserId"]) != ("FSCID_7", "FSUID_9"):
            return _error(20017, "corpId not found")
        return self._query(asked.body["data"])

    def _query(self, data: dict[str, Any]) -> Said:
        name, query = data["dataObjectApiName"], data["search_query_info"]
        if name in self.hidden:
            return _error(15003, "the app has no right")
        assert query["limit"] <= PAGE
        records = sorted(self.objects[name], key=lambda r: r["_id"])
        assert query["orders"] == [{"fieldName": "_id", "isAsc": True}]
        for one in query["filters"]:
            (value,) = one["field_values"]
            field, operator = one["field_name"], one["operator"]
            if operator == "GT":
                records = [r for r in records if r[field] > value]
            else:
                assert operator == "GTE"
                records = [r for r in records if r[field] >= int(value)]
        page = records[: query["limit"]]
        if "fieldProjection" in query:
            page = [{k: r[k] for k in query["fieldProjection"]} for r in page]
        found = [{k: v for k, v in r.items() if v is not None} for r in page]
        return Said(200, {"errorCode": 0, "errorMessage": "OK", "data": {
            "dataList": found, "offset": 0, "limit": query["limit"], "total": 0,
        }})  # fmt: skip


def _error(code: int, text: str) -> Said:
    return Said(200, {"errorCode": code, "errorMessage": text, "errorDescription": ""})
