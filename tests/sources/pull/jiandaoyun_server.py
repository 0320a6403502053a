"""简道云's interface: forms of an app, their fields, their records along the ids."""

import csv
import datetime as dt
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from tests.sources.pull.servers import Asked, Said

KEY = "k1k2k3k4k5k6k7k8secretKey"
APP = "5d5a5bbb850a6d0604ab119"
CHINA = ZoneInfo("Asia/Shanghai")
_PEOPLE = ("负责人", "跟进人")


class Jiandaoyun:
    """Holds forms as they were exported: titles are labels, fields are called `_widget_…`."""

    def __init__(self, export: Path) -> None:
        self.forms: dict[str, dict[str, Any]] = {}
        for n, file in enumerate(sorted(export.glob("*.csv"))):
            rows = list(csv.DictReader(file.read_text("utf-8-sig").splitlines()))
            self.forms[f"56fcab0f02c4675e3fe96{n:03d}"] = _form(file.stem, rows)

    def entry(self, name: str) -> str:
        return next(f"{APP}/{key}" for key, form in self.forms.items() if form["name"] == name)

    def answer(self, asked: Asked) -> Said:
        if asked.headers.get("Authorization") != f"Bearer {KEY}":
            return Said(400, {"code": 1, "msg": "API Key 无效"})
        assert asked.method == "POST"
        body = asked.body
        if asked.path == "/api/v5/app/list":
            return Said(200, {"apps": [{"name": "CRM", "app_id": APP}][body["skip"] :]})
        if asked.path == "/api/v5/app/entry/list":
            forms = [
                {"name": f["name"], "app_id": APP, "entry_id": k} for k, f in self.forms.items()
            ]
            return Said(200, {"forms": forms[body["skip"] :]})
        form = self.forms[body["entry_id"]]
        if asked.path == "/api/v5/app/entry/widget/list":
            return Said(200, {"widgets": form["widgets"], "dataModifyTime": form["moved"]})
        assert asked.path == "/api/v5/app/entry/data/list"
        assert 1 <= body["limit"] <= 100
        records = sorted(form["records"], key=lambda r: r["_id"])
        found = [r for r in records if r["_id"] > body.get("data_id", "")]
        return Said(200, {"data": found[: body["limit"]]})


def _form(name: str, rows: list[dict[str, str]]) -> dict[str, Any]:
    labels = [head for head in rows[0] if head != "提交时间"]
    widgets = [{"name": f"_widget_15169452448{n:02d}", "label": label, "type": "text"}
               for n, label in enumerate(labels)]  # fmt: skip
    records = []
    for n, row in enumerate(rows):
        record: dict[str, Any] = {"_id": f"59e9a2fe283ffa7c11b{n:05x}", "appId": APP}
        record["createTime"] = record["updateTime"] = utc(row["提交时间"])
        record["creator"] = {"name": "小简", "username": "xiaojian"}
        for widget in widgets:
            record[widget["name"]] = _value(widget["label"], row[widget["label"]])
        records.append(record)
    return {
        "name": name,
        "widgets": widgets,
        "records": records,
        "moved": "2026-06-30T00:00:00.000Z",
    }


def _value(label: str, text: str) -> Any:
    if label in _PEOPLE:
        return {"name": text, "username": f"u{text}", "status": 1}
    if label == "预计金额":
        return float(text)
    if text and label in ("预计成交日期", "结束日期", "跟进时间"):
        return utc(text)
    return text


def utc(text: str) -> str:
    at = dt.datetime.fromisoformat(text).replace(tzinfo=CHINA).astimezone(dt.UTC)
    return at.strftime("%Y-%m-%dT%H:%M:%S.000Z")
