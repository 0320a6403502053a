"""HubSpot's CRM interface: search, batches with history, lists of what is archived, links."""

import datetime as dt
from typing import Any

from tests.sources.pull.servers import Asked, Said
from tests.sources.systems.company import Company
from tests.sources.systems.files import CHINA, states
from tests.sources.systems.writers.hubspot import PROPERTIES, VALUES

KEY = "pat-na1-0a1b2c3d-secret"
_LABELS = {
    "deals": {
        "hs_object_id": "Record ID", "dealname": "Deal Name", "dealstage": "Deal Stage",
        "closedate": "Close Date", "hubspot_owner_id": "Deal owner", "amount": "Amount",
        "pipeline": "Pipeline", "dealtype": "Deal Type", "createdate": "Create Date",
        "closed_lost_reason": "Closed Lost Reason", "hs_next_step": "Next step",
        "hs_analytics_source": "Original Traffic Source",
        "hs_manual_forecast_category": "Forecast category",
    },
    "companies": {
        "hs_object_id": "Record ID", "name": "Company name", "industry": "Industry",
        "hubspot_owner_id": "Company owner", "phone": "Phone Number",
        "domain": "Company Domain Name", "createdate": "Create Date",
    },
    "contacts": {
        "hs_object_id": "Record ID", "firstname": "First Name", "lastname": "Last Name",
        "email": "Email", "phone": "Phone Number", "jobtitle": "Job Title",
        "associatedcompanyid": "Primary Associated Company ID", "createdate": "Create Date",
    },
}  # fmt: skip
_OPTIONS = {
    "dealtype": {"newbusiness": "New Business", "existingbusiness": "Existing Business"},
    "hs_manual_forecast_category": {"COMMIT": "Commit", "PIPELINE": "Pipeline"},
}


class Hubspot:
    def __init__(self, company: Company, page: int = 5) -> None:
        self.page = page
        self.objects = {
            "deals": [_deal(company, row) for row in company.rows("opportunities")],
            "companies": [_record(row, {
                "name": row["name"], "industry": row["industry"], "phone": row["phone"],
                "hubspot_owner_id": row["owner_id"], "domain": row["domain"],
            }) for row in company.rows("accounts")],
            "contacts": [_record(row, {
                "firstname": row["name"], "lastname": None, "email": row["email"],
                "phone": row["phone"], "jobtitle": row["title"],
                "associatedcompanyid": row["account_id"],
            }) for row in company.rows("contacts")],
        }  # fmt: skip
        self.owners = [
            {
                "id": row["id"],
                "firstName": row["name"],
                "lastName": "",
                "email": f"u{row['id']}@example.com",
            }
            for row in company.rows("users")
        ]
        self.firms = {r["id"]: r["account_id"] for r in company.rows("opportunities")}
        self.hidden: set[str] = set()
        self.labels = {name: dict(known) for name, known in _LABELS.items()}

    def answer(self, asked: Asked) -> Said:
        if asked.headers.get("Authorization") != f"Bearer {KEY}":
            return _error(401, "EXPIRED_AUTHENTICATION", "The access token is expired")
        path, body = asked.path.removeprefix("/crm/"), asked.body
        if asked.path == "/account-info/v3/details":
            return Said(200, {"portalId": 4711, "timeZone": "Asia/Shanghai"})
        if path == "v3/owners":
            living = asked.query["archived"] == "false"
            return self._listed(self.owners if living else [], asked)
        if path == "v3/pipelines/deals":
            return Said(200, {"results": [_pipeline()]})
        if path == "v4/associations/deals/companies/batch/read":
            return Said(200, {"results": [self._links(one["id"]) for one in body["inputs"]]})
        if path.startswith("v3/properties/"):
            name = path.split("/")[2]
            if name in self.hidden:
                return _error(403, "MISSING_SCOPES", "requires one of: crm.objects.deals.read")
            return Said(200, {"results": [_property(*one) for one in self.labels[name].items()]})
        name = path.split("/")[2]
        if path.endswith("/search"):
            return self._search(name, body)
        if path.endswith("/batch/read"):
            return self._batch(name, body)
        return self._listed([self._shown(r, asked.query["properties"].split(","))
                             for r in self.objects[name] if r["archived"]], asked)  # fmt: skip

    def _search(self, name: str, body: dict[str, Any]) -> Said:
        assert body["limit"] <= 200
        (group,) = body["filterGroups"]
        found = [r for r in self.objects[name] if not r["archived"]]
        for one in group["filters"]:
            if one["propertyName"] == "hs_object_id":
                found = [r for r in found if int(r["id"]) > int(one["value"])]
            else:
                moved = {"contacts": "lastmodifieddate"}.get(name, "hs_lastmodifieddate")
                assert (one["propertyName"], one["operator"]) == (moved, "GTE")
                since = dt.datetime.fromtimestamp(int(one["value"]) / 1000, dt.UTC)
                found = [r for r in found if dt.datetime.fromisoformat(r["updatedAt"]) >= since]
        found.sort(key=lambda r: int(r["id"]))
        page = [{"id": r["id"]} for r in found[: body["limit"]]]
        return Said(200, {"total": len(found), "results": page})

    def _batch(self, name: str, body: dict[str, Any]) -> Said:
        assert len(body["inputs"]) <= (50 if "propertiesWithHistory" in body else 100)
        by_id = {r["id"]: r for r in self.objects[name]}
        results = []
        for one in body["inputs"]:
            shown = self._shown(by_id[one["id"]], body["properties"])
            if "propertiesWithHistory" in body:
                shown["propertiesWithHistory"] = by_id[one["id"]]["history"]
            results.append(shown)
        return Said(200, {"status": "COMPLETE", "results": results})

    def _shown(self, record: dict[str, Any], properties: list[str]) -> dict[str, Any]:
        values = {p: record["properties"].get(p) for p in properties}
        kept = ("id", "createdAt", "updatedAt", "archived", "archivedAt")
        return {**{k: record[k] for k in kept if k in record}, "properties": values}

    def _links(self, key: str) -> dict[str, Any]:
        linked = [("9" * 16, None), (self.firms[key], "Primary")]
        return {"from": {"id": key}, "to": [
            {"toObjectId": to, "associationTypes": [
                {"category": "HUBSPOT_DEFINED", "typeId": 5, "label": label}]}
            for to, label in linked]}  # fmt: skip

    def _listed(self, records: list[Any], asked: Asked) -> Said:
        begin = int(asked.query.get("after", "0"))
        body: dict[str, Any] = {"results": records[begin : begin + self.page]}
        if begin + self.page < len(records):
            body["paging"] = {"next": {"after": str(begin + self.page)}}
        return Said(200, body)


def _property(name: str, label: str) -> dict[str, Any]:
    kind = {"hs_is_closed_won": "bool"}.get(name, "enumeration" if name in _OPTIONS else "string")
    options = _OPTIONS.get(name, {"true": "True", "false": "False"} if kind == "bool" else {})
    shown = [{"value": value, "label": text} for value, text in options.items()]
    return {"name": name, "label": label, "type": kind, "options": shown}


def iso(at: dt.datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _record(row: dict[str, Any], properties: dict[str, Any]) -> dict[str, Any]:
    created = iso(row["created_at"])
    return {"id": row["id"], "archived": False, "createdAt": created, "updatedAt": created,
            "properties": {**properties, "createdate": created}}  # fmt: skip


def _deal(company: Company, row: dict[str, Any]) -> dict[str, Any]:
    midnight = dt.datetime.combine(row["expected_close_on"], dt.time(), CHINA).astimezone(dt.UTC)
    log = company.rows("changes")
    history = {}
    for field, name in PROPERTIES.items():
        values = [{"value": _value(field, state[field]), "timestamp": iso(state["at"]),
                   "sourceType": "CRM_UI", "updatedByUserId": int(state["by"])}
                  for state in states(log, row, (field,))]  # fmt: skip
        history[name] = values[::-1]
    made = _record(row, {
        "dealname": row["name"], "dealstage": VALUES[row["stage"]], "pipeline": "default",
        "closedate": iso(row["closed_at"] or midnight), "hubspot_owner_id": row["owner_id"],
        "amount": f"{row['amount']:.2f}",
        "dealtype": {"new": "newbusiness", "expansion": "existingbusiness"}.get(row["type"]),
        "closed_lost_reason": row["lost_reason"], "hs_analytics_source": row["source"],
        "hs_next_step": row["next_step"],
        "hs_manual_forecast_category": row["forecast_category"].upper(),
    })  # fmt: skip
    return made | {"history": history}


def _value(field: str, text: str) -> str:
    if field == "expected_close_on":
        return f"{text}T04:00:00Z"
    return VALUES.get(text, text)


def _pipeline() -> dict[str, Any]:
    kinds = {"closedwon": ("true", "1.0"), "closedlost": ("true", "0.0")}
    stages = [
        {"id": key, "label": label, "displayOrder": n, "metadata": dict(zip(
            ("isClosed", "probability"), kinds.get(key, ("false", f"0.{n + 1}")), strict=True))}
        for n, (label, key) in enumerate(VALUES.items())
    ]  # fmt: skip
    return {"id": "default", "label": "Sales Pipeline", "displayOrder": 0, "stages": stages}


def _error(status: int, category: str, text: str) -> Said:
    return Said(status, {"status": "error", "category": category, "message": text})
