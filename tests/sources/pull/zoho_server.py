"""Zoho CRM's interface: records by tokens of pages, deleted ones, stages of a deal, tokens."""

import csv
import datetime as dt
import json
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from tests.sources.pull.servers import Asked, Said

CHINA = ZoneInfo("Asia/Shanghai")
REFRESH = "1000.refreshSecret"
TOLD = {
    "ZOHO_REFRESH_TOKEN": REFRESH,
    "ZOHO_CLIENT_ID": "1000.APP",
    "ZOHO_CLIENT_SECRET": "appS3cret",
}
_NAMES = {
    "Deals": {"Deal Name": "Deal_Name", "Amount": "Amount", "Closing Date": "Closing_Date",
              "Stage": "Stage", "Next Step": "Next_Step", "Lead Source": "Lead_Source",
              "Type": "Type", "Reason For Loss": "Reason_For_Loss__s"},
    "Accounts": {"Account Name": "Account_Name", "Phone": "Phone", "Website": "Website",
                 "Industry": "Industry", "Account Type": "Account_Type"},
    "Contacts": {"First Name": "First_Name", "Last Name": "Last_Name", "Title": "Title",
                 "Email": "Email", "Phone": "Phone", "Mobile": "Mobile"},
    "Leads": {"Company": "Company", "First Name": "First_Name", "Last Name": "Last_Name",
              "Email": "Email", "Phone": "Phone", "Mobile": "Mobile",
              "Lead Source": "Lead_Source", "Lead Status": "Lead_Status"},
}  # fmt: skip
_LINKS = {"Owner": ("Deal Owner", "Account Owner", "Lead Owner"), "Account_Name": ("Account Name",),
          "Parent_Account": ("Parent Account",)}  # fmt: skip


class Zoho:
    def __init__(self, export: Path, page: int = 5) -> None:
        self.page, self.url = page, ""
        self.tokens: set[str] = set()
        self.modules = {name: [_record(name, row) for row in _rows(export / f"{name}_001.csv")]
                        for name in _NAMES}  # fmt: skip
        stages = json.loads((export / "Stage_History.json").read_text("utf-8"))["data"]
        self.stages: dict[str, list[dict[str, Any]]] = {}
        for row in stages:
            self.stages.setdefault(row["Potential_Name"]["id"], []).append(row)
        self.deleted: dict[str, list[dict[str, str]]] = {name: [] for name in _NAMES}
        self.hidden: set[str] = set()

    def answer(self, asked: Asked) -> Said:
        if asked.path == "/oauth/v2/token":
            return self._token(asked)
        token = asked.headers.get("Authorization", "").removeprefix("Zoho-oauthtoken ")
        if token not in self.tokens:
            return _error(401, "INVALID_TOKEN", "invalid oauth token")
        parts = asked.path.removeprefix("/crm/v6/").split("/")
        since = asked.headers.get("If-Modified-Since", "")
        if parts == ["org"]:
            return Said(200, {"org": [{"id": "4876876000000000001"}]})
        if parts == ["settings", "fields"]:
            return self._fields(asked.query["module"])
        if parts[1:] == ["deleted"]:
            found = [d for d in self.deleted[parts[0]] if _at(d["deleted_time"]) >= _at(since)]
            return self._page(found, asked)
        if parts[2:] == ["Stage_History"]:
            return self._page(self.stages.get(parts[1], []), asked, whole=True)
        fields = asked.query["fields"].split(",")
        assert len(fields) <= 50
        found = [{"id": r["id"], **{f: r.get(f) for f in fields}} for r in self.modules[parts[0]]
                 if not since or _at(r["Modified_Time"]) >= _at(since)]  # fmt: skip
        if since and not found:
            return Said(304)
        return self._page(found, asked, by_token=True)

    def _token(self, asked: Asked) -> Said:
        told = {k: asked.body.get(k) for k in ("refresh_token", "client_id", "client_secret")}
        if list(told.values()) != list(TOLD.values()):
            return Said(200, {"error": "invalid_code"})
        self.tokens = {f"1000.access{len(self.tokens)}secret"}
        return Said(200, {"access_token": next(iter(self.tokens)), "expires_in": 3600,
                          "api_domain": self.url, "token_type": "Bearer"})  # fmt: skip

    def _fields(self, module: str) -> Said:
        if module in self.hidden:
            return _error(403, "NO_PERMISSION", "permission denied")
        links = {link: link.replace("_", " ") for link in _LINKS}
        known = {v: k for k, v in _NAMES[module].items()} | links | {
            "Created_Time": "Created Time", "Modified_Time": "Modified Time"}  # fmt: skip
        return Said(200, {"fields": [{"api_name": n, "field_label": t} for n, t in known.items()]})

    def _page(
        self, found: list[Any], asked: Asked, *, by_token: bool = False, whole: bool = False
    ) -> Said:
        assert int(asked.query["per_page"]) <= 200
        if by_token:
            begin = int(asked.query.get("page_token", "tok0").removeprefix("tok"))
        else:
            begin = (int(asked.query.get("page", "1")) - 1) * self.page
        size = len(found) if whole else self.page
        page = found[begin : begin + size]
        if not page:
            return Said(204)
        more = begin + size < len(found)
        info: dict[str, Any] = {"more_records": more, "count": len(page)}
        if by_token:
            info["next_page_token"] = f"tok{begin + size}" if more else None
        return Said(200, {"data": page, "info": info})


def iso(text: str) -> str:
    return f"{text.replace(' ', 'T')}+08:00"


def _at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


def _rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text("utf-8").splitlines()))


def _record(module: str, row: dict[str, str]) -> dict[str, Any]:
    made: dict[str, Any] = {"id": row["Record Id"].removeprefix("zcrm_")}
    for head, name in _NAMES[module].items():
        text = row.get(head) or None
        made[name] = None if text in (None, "-None-") else text
    if made.get("Amount"):
        made["Amount"] = float(made["Amount"])
    for name, heads in _LINKS.items():
        for head in heads:
            if row.get(f"{head}.id"):
                made[name] = {"id": row[f"{head}.id"].removeprefix("zcrm_"), "name": row.get(head)}
    made["Created_Time"] = made["Modified_Time"] = iso(row["Created Time"])
    return made


def _error(status: int, code: str, text: str) -> Said:
    return Said(status, {"code": code, "message": text, "status": "error", "details": {}})
