"""Zoho CRM by its records interface: modules page by page, stages of each deal that changed."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from salesops.sources.pull.client import Answer, Client, safe_address
from salesops.sources.pull.errors import (
    NoRight,
    QuotaUsedUp,
    StrangeAnswer,
    TokenRefused,
    UnknownField,
)
from salesops.sources.pull.exports import Fetched, Row
from salesops.sources.pull.system import Opening, Plan, greatest

_TITLE = "Zoho CRM"
_API = "/crm/v6"
_HOST, _LOGIN = "https://www.zohoapis.com", "https://accounts.zoho.com"
_PAGE = 200
_HISTORY = "Stage_History.json"
_STAGE_FIELDS = ("Stage", "Amount", "Closing_Date", "Probability", "Modified_Time", "Modified_By",
                 "Moved_To__s", "Stage_Duration_Calendar_Days")  # fmt: skip
_STAGE_HEADS = (
    "id",
    "Potential_Name",
    "Stage",
    "Moved_To__s",
    "Stage_Duration_Calendar_Days",
    "Amount",
    "Closing_Date",
    "Probability",
    "Modified_Time",
    "Modified_By",
)
# Heads of the exported modules, and the fields behind them; `.id` and `.name` are parts of one.
HEADS: Mapping[str, Mapping[str, str]] = {
    "Deals": {
        "Record Id": "id", "Deal Owner.id": "Owner.id", "Deal Owner": "Owner.name",
        "Amount": "Amount", "Deal Name": "Deal_Name", "Closing Date": "Closing_Date",
        "Account Name.id": "Account_Name.id", "Stage": "Stage", "Next Step": "Next_Step",
        "Lead Source": "Lead_Source", "Type": "Type", "Currency": "Currency",
        "Reason For Loss": "Reason_For_Loss__s", "Pipeline": "Pipeline",
        "Probability (%)": "Probability", "Created Time": "Created_Time",
    },
    "Accounts": {
        "Record Id": "id", "Account Owner.id": "Owner.id", "Account Name": "Account_Name",
        "Phone": "Phone", "Website": "Website", "Parent Account.id": "Parent_Account.id",
        "Industry": "Industry", "Account Type": "Account_Type", "Created Time": "Created_Time",
    },
    "Contacts": {
        "Record Id": "id", "Account Name.id": "Account_Name.id", "First Name": "First_Name",
        "Last Name": "Last_Name", "Title": "Title", "Email": "Email", "Phone": "Phone",
        "Mobile": "Mobile", "Created Time": "Created_Time",
    },
    "Leads": {
        "Record Id": "id", "Lead Owner.id": "Owner.id", "Company": "Company",
        "First Name": "First_Name", "Last Name": "Last_Name", "Email": "Email", "Phone": "Phone",
        "Mobile": "Mobile", "Lead Source": "Lead_Source", "Lead Status": "Lead_Status",
        "Created Time": "Created_Time",
    },
}  # fmt: skip
_GONE = ("Deleted", "Deleted Time")


class Zoho:
    """Modules as the export writes them, and the history of stages."""

    name: ClassVar[str] = "zoho"
    title: ClassVar[str] = _TITLE
    secrets: ClassVar[Mapping[str, str]] = {
        "token": "env:ZOHO_TOKEN",
        "refresh_token": "env:ZOHO_REFRESH_TOKEN",
        "client_id": "env:ZOHO_CLIENT_ID",
        "client_secret": "env:ZOHO_CLIENT_SECRET",
    }
    objects: ClassVar[tuple[str, ...]] = ("Deals", "Accounts", "Contacts", "Leads")
    whole_days: ClassVar[int] = 30

    def open(self, opening: Opening) -> "ZohoSession":
        """Take the token, which holds for an hour, or get one by a refresh token."""
        secrets, base = opening.secrets, ""
        if secrets.has("refresh_token"):
            token, base = _renewed(opening)
        else:
            token = secrets.get("token", other=secrets.names["refresh_token"])
        client = Client(_TITLE, opening.base or base or _HOST, secrets, judge, pause=opening.pause,
                        headers={"Authorization": f"Zoho-oauthtoken {token}"})  # fmt: skip
        if secrets.has("refresh_token"):
            client.renew = lambda: _renew(client, opening)
        return ZohoSession(client)


def _renew(client: Client, opening: Opening) -> bool:
    token, _base = _renewed(opening)
    client.headers["Authorization"] = f"Zoho-oauthtoken {token}"
    return True


def _renewed(opening: Opening) -> tuple[str, str]:
    secrets = opening.secrets
    asker = Client(_TITLE, opening.login or _LOGIN, secrets, _judge_login, pause=opening.pause)
    body = asker.form(f"{asker.base}/oauth/v2/token", {
        "grant_type": "refresh_token", "refresh_token": secrets.get("refresh_token"),
        "client_id": secrets.get("client_id"), "client_secret": secrets.get("client_secret"),
    }).body  # fmt: skip
    if not isinstance(body, dict) or not body.get("access_token"):
        raise StrangeAnswer(where=asker.base, reason="there is no access_token in it")
    domain = str(body.get("api_domain") or "")
    token = secrets.hide(str(body["access_token"]))
    return token, safe_address(domain, "api_domain") if domain else ""


def _judge_login(answer: Answer) -> None:
    # Errors come with status 200, too.
    if isinstance(answer.body, dict) and answer.body.get("error"):
        raise TokenRefused(system=_TITLE, reason=str(answer.body["error"]),
                           mend="Make a new refresh token in the API console of your data centre "
                                "(--login-url names it, such as https://accounts.zoho.com.cn) and "
                                "set ZOHO_REFRESH_TOKEN.")  # fmt: skip


def judge(answer: Answer) -> None:
    """Say in the words of a pull what Zoho means by an error."""
    if answer.status < 400 or not isinstance(answer.body, dict):
        return
    code = str(answer.body.get("code", ""))
    text = f"{code}: {' '.join(str(answer.body.get('message', '')).split())[:250]}"
    if code in ("OAUTH_SCOPE_MISMATCH", "NO_PERMISSION", "INVALID_MODULE") or answer.status == 403:
        raise NoRight(
            system=_TITLE,
            what="the module",
            reason=text,
            mend="Make a token with the scopes ZohoCRM.modules.READ and "
            "ZohoCRM.settings.fields.READ, of a user who may see the module.",
        )
    if answer.status == 401:
        raise TokenRefused(
            system=_TITLE,
            reason=text,
            mend="A token holds for an hour: set a refresh token, of which a new one "
            "is asked for each time (ZOHO_REFRESH_TOKEN, ZOHO_CLIENT_ID, "
            "ZOHO_CLIENT_SECRET).",
        )
    if code == "LIMIT_EXCEEDED":
        raise QuotaUsedUp(
            system=_TITLE, reason=text, after="when credits of the last 24 hours are free"
        )


@dataclass
class ZohoSession:
    """A Zoho CRM that was reached."""

    client: Client

    @property
    def account(self) -> str:
        """The organisation's number."""
        try:
            body = self.client.get(f"{_API}/org").body
        except NoRight:
            # Without the scope for it the address has to do.
            return self.client.base
        return f"org {body['org'][0]['id']}"

    def fetch(self, plan: Plan) -> Iterator[Fetched]:
        """Ask for each module, and for the stages of the deals that changed."""
        for name in plan.objects or Zoho.objects:
            try:
                yield from self._module(name, plan)
            except NoRight as error:
                yield plan.spare(name, f"{name}.csv", error, must=name == "Deals")

    def _module(self, name: str, plan: Plan) -> Iterator[Fetched]:
        file = f"{name}.csv"
        plan.tell(name, 0, None)
        heads = self._heads(name, file, plan)
        since = plan.begin(file)
        fields = sorted(
            {path.split(".")[0] for path in heads.values()} - {"id"} | {"Modified_Time"}
        )
        records = list(self._records(name, fields, since, plan))
        rows = [{head: _part(record, path) for head, path in heads.items()} for record in records]
        marked: dict[str, Row] = {}
        dropped: frozenset[str] = frozenset()
        deleted = {} if since is None else self._deleted(name, since)
        if plan.keeps_deleted(file):
            marked = {key: dict(zip(_GONE, (True, at), strict=True)) for key, at in deleted.items()}
            heads = heads | dict(zip(_GONE, _GONE, strict=True))
        else:
            dropped = frozenset(deleted)
        seen = greatest((str(r["Modified_Time"]) for r in records), plan.since.get(file))
        yield Fetched(file=file, by="Record Id", heads=tuple(heads), rows=rows, since=seen,
                      whole=since is None, marked=marked, dropped=dropped)  # fmt: skip
        if name == "Deals":
            yield Fetched(file=_HISTORY, by="deal", heads=("deal", *_STAGE_HEADS), since=seen,
                          whole=since is None, rows=list(self._stages(records, plan)))  # fmt: skip

    def _heads(self, name: str, file: str, plan: Plan) -> dict[str, str]:
        """Find the fields behind the heads that the mapping reads."""
        known = self.client.get(f"{_API}/settings/fields", {"module": name}).body["fields"]
        names = {str(f["api_name"]) for f in known} | {"id"}
        by_label = {str(f["field_label"]): str(f["api_name"]) for f in known}
        heads = {h: p for h, p in HEADS[name].items()
                 if h in plan.wanted(file) and p.split(".")[0] in names}  # fmt: skip
        for head in plan.required(file):
            label, _dot, part = head.partition(".")
            if label not in by_label:
                raise UnknownField(system=_TITLE, field=head, what=name, known=tuple(by_label))
            heads[head] = by_label[label] + (f".{part}" if part else "")
        return {"Record Id": "id"} | heads

    def _records(
        self, name: str, fields: Sequence[str], since: dt.datetime | None, plan: Plan
    ) -> Iterator[Row]:
        changed = _since(since)
        asked: dict[str, Any] = {"fields": ",".join(fields), "per_page": str(_PAGE)}
        n = 0
        while True:
            page = self.client.get(f"{_API}/{name}", asked, **changed).body
            if page is None:  # nothing there, or nothing that changed
                return
            yield from page["data"]
            n += len(page["data"])
            plan.tell(name, n, None)
            if not page["info"].get("more_records"):
                return
            token = page["info"].get("next_page_token")
            if not token:
                raise StrangeAnswer(
                    where=_TITLE,
                    reason=f"{name} goes on after {n} records without "
                    "a next_page_token; it gives 100,000 at most",
                )
            asked = {**asked, "page_token": str(token)}

    def _deleted(self, name: str, since: dt.datetime) -> dict[str, str]:
        """List what was deleted, also for good, and when."""
        found: dict[str, str] = {}
        number = 1
        while True:
            asked = {"type": "all", "page": str(number), "per_page": str(_PAGE)}
            page = self.client.get(f"{_API}/{name}/deleted", asked, **_since(since)).body
            if page is None:
                return found
            found |= {str(one["id"]): str(one["deleted_time"]) for one in page["data"]}
            if not page["info"].get("more_records"):
                return found
            number += 1

    def _stages(self, deals: Sequence[Row], plan: Plan) -> Iterator[Row]:
        """Ask for the stages of deals; it takes a call for each."""
        for n, deal in enumerate(deals, 1):
            path = f"{_API}/Deals/{deal['id']}/Stage_History"
            asked = {"fields": ",".join(_STAGE_FIELDS), "per_page": str(_PAGE)}
            page = self.client.get(path, asked).body
            for row in page["data"] if page else ():
                yield {**{h: row.get(h) for h in _STAGE_HEADS}, "deal": deal["id"],
                       "Potential_Name": {"id": deal["id"]}}  # fmt: skip
            if page and page["info"].get("more_records"):
                raise StrangeAnswer(where=_TITLE, reason=f"the deal {deal['id']} has more than "
                                    f"{_PAGE} stages")  # fmt: skip
            plan.tell("Stage_History", n, len(deals))


def _since(since: dt.datetime | None) -> dict[str, str]:
    return (
        {}
        if since is None
        else {"If_Modified_Since": since.isoformat(timespec="seconds") + "+00:00"}
    )


def _part(record: Row, path: str) -> Any:
    name, _dot, part = path.partition(".")
    value = record.get(name)
    return value.get(part or "name") if isinstance(value, dict) else value
