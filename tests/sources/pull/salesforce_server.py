"""Salesforce's REST interface: describe, queryAll page by page, tokens by a refresh token."""

import csv
import re
from pathlib import Path
from typing import Any

from tests.sources.pull.servers import Asked, Said

TOKEN, REFRESH = "00Dxx!AQ4AQFsecretAccess", "5Aep861secretRefresh"
_FLAGS = {"IsDeleted", "IsClosed", "IsWon", "IsPrivate", "IsActive", "IsConverted"}
_NUMBERS = {"Amount", "Probability", "StageSortOrder"}
_TIMES = {"CreatedDate", "SystemModstamp", "ClosedDate", "CompletedDateTime"}
_API = "/services/data/v62.0"


class Salesforce:
    """Holds the records of an export, as the interface writes values."""

    def __init__(self, export: Path, page: int = 5) -> None:
        self.objects = {f.stem: [_record(row) for row in _rows(f)] for f in export.glob("*.csv")}
        self.page, self.url = page, ""
        self.tokens, self.hidden = {TOKEN}, {"OpportunityStage", "Event"}

    def answer(self, asked: Asked) -> Said:
        if asked.path == "/services/oauth2/token":
            return self._token(asked)
        if asked.headers.get("Authorization", "").removeprefix("Bearer ") not in self.tokens:
            return _error(401, "INVALID_SESSION_ID", "Session expired or invalid")
        if found := re.fullmatch(rf"{_API}/sobjects/(\w+)/describe", asked.path):
            if found[1] not in self.objects or found[1] in self.hidden:
                return _error(404, "NOT_FOUND", "The requested resource does not exist")
            names = dict.fromkeys(k for r in self.objects[found[1]] for k in r)
            return Said(200, {"name": found[1], "fields": [{"name": n} for n in names]})
        if asked.path == f"{_API}/queryAll":
            return self._query(asked.query["q"], 0)
        if found := re.fullmatch(rf"{_API}/query/01g-(\d+)-(.+)", asked.path):
            return self._query(bytes.fromhex(found[2]).decode(), int(found[1]))
        return _error(404, "NOT_FOUND", "The requested resource does not exist")

    def _token(self, asked: Asked) -> Said:
        if asked.body.get("refresh_token") != REFRESH or asked.body.get("client_id") != "app":
            return Said(400, {"error": "invalid_grant",
                              "error_description": "expired access/refresh token"})  # fmt: skip
        self.tokens = {f"00Dxx!fresh{len(self.tokens)}"}
        return Said(200, {"access_token": next(iter(self.tokens)), "instance_url": self.url})

    def _query(self, soql: str, begin: int) -> Said:
        found = re.fullmatch(r"SELECT (.+) FROM (\w+)(?: WHERE (\w+) >= (\S+))?", soql)
        assert found, soql
        fields = found[1].split(", ")
        records = self.objects[found[2]]
        for name in fields:
            if records and name not in records[0]:
                return _error(400, "INVALID_FIELD",
                              f"No such column '{name}' on entity '{found[2]}'")  # fmt: skip
        if found[3]:
            records = [r for r in records if r[found[3]][:19] >= found[4][:19]]
        page = [{"attributes": {"type": found[2]}, **{f: r[f] for f in fields}}
                for r in records[begin : begin + self.page]]  # fmt: skip
        done = begin + self.page >= len(records)
        body: dict[str, Any] = {"totalSize": len(records), "done": done, "records": page}
        if not done:
            body["nextRecordsUrl"] = f"{_API}/query/01g-{begin + self.page}-{soql.encode().hex()}"
        return Said(200, body)


def time(text: str) -> str:
    return text.replace(" ", "T") + ".000+0000"


def _rows(path: Path) -> list[dict[str, str]]:
    raw = path.read_bytes()
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    return list(csv.DictReader(text.splitlines()))


def _record(row: dict[str, str]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name, text in row.items():
        if name in _FLAGS:
            made[name] = text == "1"
        elif name in _NUMBERS and text:
            made[name] = float(text)
        else:
            made[name] = (time(text) if name in _TIMES and text else text) or None
    made.setdefault("CreatedDate", time("2025-01-01 00:00:00"))
    made.setdefault("SystemModstamp", made["CreatedDate"])
    made.setdefault("IsDeleted", False)
    return made


def _error(status: int, code: str, text: str) -> Said:
    return Said(status, [{"errorCode": code, "message": text}])
