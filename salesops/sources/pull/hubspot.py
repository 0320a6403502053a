"""HubSpot by its CRM interface: search what changed, then read it in batches with its history."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from salesops.sources.pull.client import Answer, Client
from salesops.sources.pull.errors import NoRight, QuotaUsedUp, TokenRefused, UnknownField
from salesops.sources.pull.exports import Fetched, Row
from salesops.sources.pull.system import Opening, Plan, greatest

_TITLE = "HubSpot"
_HOST = "https://api.hubapi.com"
_EVERY = 0.2  # the search allows five calls a second
_FOUND = 200  # the most that a search gives at once
_BATCH, _BATCH_OF_HISTORY = 100, 50
_HISTORY = "deals_property_history.json"
_STAGES = "deal_pipeline_stages.csv"
_LOGGED = ("dealstage", "amount", "closedate")
_OLD = dt.datetime(2000, 1, 1)
# Heads of the exported lists, and the properties behind them.
HEADS: Mapping[str, Mapping[str, str]] = {
    "deals": {
        "Record ID": "hs_object_id", "Deal Name": "dealname", "Deal Stage": "dealstage",
        "Close Date": "closedate", "Deal owner": "hubspot_owner_id", "Amount": "amount",
        "Currency": "deal_currency_code", "Pipeline": "pipeline", "Deal Type": "dealtype",
        "Create Date": "createdate", "Closed Lost Reason": "closed_lost_reason",
        "Original Traffic Source": "hs_analytics_source", "Next step": "hs_next_step",
        "Forecast category": "hs_manual_forecast_category",
        "Deal probability": "hs_deal_stage_probability", "Is Closed Won": "hs_is_closed_won",
        "Is closed lost": "hs_is_closed_lost",
    },
    "companies": {
        "Record ID": "hs_object_id", "Company name": "name", "Industry": "industry",
        "Company owner": "hubspot_owner_id", "Phone Number": "phone",
        "Company Domain Name": "domain", "Create Date": "createdate",
    },
    "contacts": {
        "Record ID": "hs_object_id", "First Name": "firstname", "Last Name": "lastname",
        "Email": "email", "Phone Number": "phone", "Job Title": "jobtitle",
        "Associated Company IDs": "associatedcompanyid", "Create Date": "createdate",
    },
}  # fmt: skip
_MOVED = {"contacts": "lastmodifieddate"}
_GONE = ("Archived", "Archived At")


class Hubspot:
    """Lists of deals, companies and contacts as the export writes them, and the history."""

    name: ClassVar[str] = "hubspot"
    title: ClassVar[str] = _TITLE
    secrets: ClassVar[Mapping[str, str]] = {"token": "env:HUBSPOT_TOKEN"}
    objects: ClassVar[tuple[str, ...]] = ("deals", "companies", "contacts")
    # What is archived can be listed for 90 days; links to companies may change without a trace.
    whole_days: ClassVar[int] = 14

    def open(self, opening: Opening) -> "HubspotSession":
        """Take the access token of a private app."""
        token = opening.secrets.get("token")
        return HubspotSession(Client(
            _TITLE, opening.base or _HOST, opening.secrets, judge, every=_EVERY,
            pause=opening.pause, headers={"Authorization": f"Bearer {token}"},
        ))  # fmt: skip


def judge(answer: Answer) -> None:
    """Say in the words of a pull what HubSpot means by an error."""
    if answer.status < 400 or not isinstance(answer.body, dict):
        return
    text = " ".join(str(answer.body.get("message", "")).split())[:300]
    if answer.status == 401:
        raise TokenRefused(
            system=_TITLE,
            reason=text,
            mend="Copy the access token of the private app anew and set "
            "HUBSPOT_TOKEN; rotating it makes the old one invalid.",
        )
    if answer.status == 403:
        raise NoRight(system=_TITLE, what="the object", reason=text,
                      mend="Add the scope that is named to the private app, such as "
                           "crm.objects.deals.read.")  # fmt: skip
    if answer.status == 429 and "DAILY" in str(answer.body.get("policyName", "")):
        raise QuotaUsedUp(system=_TITLE, reason=text,
                          after="after midnight in the zone of the account")  # fmt: skip


@dataclass
class _Words:
    """What people read instead of ids and internal values."""

    owners: dict[str, str] = field(default_factory=dict)
    stages: dict[str, str] = field(default_factory=dict)
    pipelines: dict[str, str] = field(default_factory=dict)
    options: dict[str, dict[str, str]] = field(default_factory=dict)

    def of(self, name: str, value: Any) -> Any:
        """Give the label of a property's value; a value without one stays."""
        known = {"dealstage": self.stages, "pipeline": self.pipelines,
                 "hubspot_owner_id": self.owners}.get(name, self.options.get(name, {}))  # fmt: skip
        return known.get(str(value), value) if value else value


@dataclass
class HubspotSession:
    """A HubSpot that was reached."""

    client: Client

    @property
    def account(self) -> str:
        """The account's number."""
        return f"account {self.client.get('/account-info/v3/details').body.get('portalId')}"

    def fetch(self, plan: Plan) -> Iterator[Fetched]:
        """Ask for the stages, then for each object."""
        words = _Words(owners=self._owners())
        yield self._stages(words)
        for name in plan.objects or Hubspot.objects:
            try:
                yield from self._object(name, plan, words)
            except NoRight as error:
                yield plan.spare(name, f"{name}.csv", error, must=name == "deals")

    def _owners(self) -> dict[str, str]:
        """Name the owners, also of those who left; of two with one name each gets the address."""
        found: dict[str, tuple[str, str]] = {}
        for archived in ("false", "true"):
            for one in self._listed("/crm/v3/owners", {"archived": archived}):
                name = f"{one.get('firstName') or ''} {one.get('lastName') or ''}".strip()
                email = str(one.get("email") or one["id"])
                found.setdefault(str(one["id"]), (name or email, email))
        names = [name for name, _email in found.values()]
        return {key: name if names.count(name) == 1 else f"{name} ({email})"
                for key, (name, email) in found.items()}  # fmt: skip

    def _stages(self, words: _Words) -> Fetched:
        heads = ("id", "label", "displayOrder", "isClosed", "probability", "pipeline")
        rows = []
        for pipeline in self.client.get("/crm/v3/pipelines/deals").body["results"]:
            words.pipelines[str(pipeline["id"])] = str(pipeline["label"])
            for stage in pipeline["stages"]:
                words.stages[str(stage["id"])] = str(stage["label"])
                rows.append({**{h: stage.get(h) for h in heads[:3]}, "pipeline": pipeline["label"],
                             **{h: stage["metadata"].get(h) for h in heads[3:5]}})  # fmt: skip
        return Fetched(file=_STAGES, by="id", heads=heads, rows=rows)

    def _object(self, name: str, plan: Plan, words: _Words) -> Iterator[Fetched]:
        file = f"{name}.csv"
        plan.tell(name, 0, None)
        heads = self._heads(name, file, plan, words)
        since = plan.begin(file)
        living = list(self._changed(name, since, heads, plan))
        keeps = plan.keeps_deleted(file)
        archived = list(self._archived(name, heads)) if keeps or since else []
        found = [*living, *archived] if keeps else living
        firms = self._companies([str(r["id"]) for r in found]) if name == "deals" else {}
        links = ("Associated Company IDs",) if name == "deals" else ()
        gone = frozenset() if keeps else frozenset(str(r["id"]) for r in archived)
        seen = greatest((str(r["updatedAt"]) for r in living), plan.since.get(file))
        yield Fetched(
            file=file, by="Record ID", heads=(*heads, *links, *(_GONE if keeps else ())),
            rows=[self._row(record, heads, words, firms) for record in found],
            whole=since is None, since=seen, dropped=gone,
        )  # fmt: skip
        if name == "deals":
            # What is archived is read without its history; what was read before stays.
            yield Fetched(
                file=_HISTORY, by="dealId", whole=since is None, since=seen,
                heads=("dealId", "property", "value", "timestamp", "sourceType", "updatedByUserId"),
                rows=[row for record in living for row in _history(record, words)],
            )  # fmt: skip

    def _heads(self, name: str, file: str, plan: Plan, words: _Words) -> dict[str, str]:
        """Find the properties behind the heads that the mapping reads, and the words of values."""
        known = self.client.get(f"/crm/v3/properties/{name}").body["results"]
        by_label = {str(p["label"]): str(p["name"]) for p in known}
        names = {str(p["name"]) for p in known}
        heads = {h: p for h, p in HEADS[name].items() if h in plan.wanted(file) and p in names}
        heads = {"Record ID": "hs_object_id"} | heads
        for head in plan.required(file):
            if head not in by_label:
                raise UnknownField(system=_TITLE, field=head, what=name, known=tuple(by_label))
            heads[head] = by_label[head]
        for one in known:
            # The words of yes and no are read as they are.
            if one["name"] in heads.values() and one.get("type") == "enumeration":
                words.options[str(one["name"])] = {str(o["value"]): str(o["label"])
                                                   for o in one["options"]}  # fmt: skip
        return heads

    def _changed(
        self, name: str, since: dt.datetime | None, heads: Mapping[str, str], plan: Plan
    ) -> Iterator[Row]:
        history = {"propertiesWithHistory": list(_LOGGED)} if name == "deals" else {}
        size = _BATCH_OF_HISTORY if history else _BATCH
        ids = list(self._ids(name, since or _OLD))
        for begin in range(0, len(ids), size):
            some = ids[begin : begin + size]
            body = {"properties": sorted(set(heads.values())), **history,
                    "inputs": [{"id": key} for key in some]}  # fmt: skip
            yield from self.client.post(f"/crm/v3/objects/{name}/batch/read", body).body["results"]
            plan.tell(name, begin + len(some), len(ids))

    def _ids(self, name: str, since: dt.datetime) -> Iterator[str]:
        """Search along the ids: a search ends at its 10,000th record."""
        moved = _MOVED.get(name, "hs_lastmodifieddate")
        millis = str(int(since.replace(tzinfo=dt.UTC).timestamp() * 1000))
        after: list[Row] = []
        while True:
            filters = [{"propertyName": moved, "operator": "GTE", "value": millis}, *after]
            found = self.client.post(f"/crm/v3/objects/{name}/search", {
                "filterGroups": [{"filters": filters}], "properties": ["hs_object_id"],
                "sorts": [{"propertyName": "hs_object_id", "direction": "ASCENDING"}],
                "limit": _FOUND,
            }).body["results"]  # fmt: skip
            yield from (str(record["id"]) for record in found)
            if len(found) < _FOUND:
                return
            after = [{"propertyName": "hs_object_id", "operator": "GT",
                      "value": str(found[-1]["id"])}]  # fmt: skip

    def _archived(self, name: str, heads: Mapping[str, str]) -> Iterator[Row]:
        asked = {"archived": "true", "properties": ",".join(sorted(set(heads.values())))}
        return self._listed(f"/crm/v3/objects/{name}", asked)

    def _listed(self, path: str, asked: Mapping[str, str]) -> Iterator[Row]:
        after: dict[str, str] = {}
        while True:
            page = self.client.get(path, {"limit": "100", **asked, **after}).body
            yield from page["results"]
            following = (page.get("paging") or {}).get("next")
            if not following:
                return
            after = {"after": str(following["after"])}

    def _companies(self, ids: Sequence[str]) -> dict[str, str]:
        """Find the company of each deal: the primary one, else the first."""
        found: dict[str, str] = {}
        for begin in range(0, len(ids), _BATCH):
            inputs = [{"id": key} for key in ids[begin : begin + _BATCH]]
            path = "/crm/v4/associations/deals/companies/batch/read"
            for one in self.client.post(path, {"inputs": inputs}).body["results"]:
                linked = sorted(one["to"], key=lambda to: not _is_primary(to))
                if linked:
                    found[str(one["from"]["id"])] = str(linked[0]["toObjectId"])
        return found

    def _row(
        self, record: Row, heads: Mapping[str, str], words: _Words, firms: Mapping[str, str]
    ) -> Row:
        values = {**record["properties"], "hs_object_id": record["id"]}
        row: Row = {head: words.of(name, values.get(name)) for head, name in heads.items()}
        if key := firms.get(str(record["id"])):
            row["Associated Company IDs"] = key
        if record.get("archived"):
            row |= {"Archived": True, "Archived At": record.get("archivedAt")}
        return row


def _is_primary(to: Row) -> bool:
    return any(str(kind.get("label")) == "Primary" for kind in to.get("associationTypes", ()))


def _history(record: Row, words: _Words) -> Iterator[Row]:
    for name, values in (record.get("propertiesWithHistory") or {}).items():
        # The newest comes first.
        for value in reversed(values):
            yield {"dealId": record["id"], "property": name,
                   "value": words.of(name, value.get("value")), "timestamp": value["timestamp"],
                   "sourceType": value.get("sourceType"),
                   "updatedByUserId": value.get("updatedByUserId")}  # fmt: skip
