"""Salesforce by its REST interface: SOQL over all records, also those in the recycle bin.

`simple-salesforce` is well kept, but knows neither the flow of refresh tokens nor pauses where the
server is busy, and would be a second way of asking.
"""

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from salesops.sources.pull.client import Answer, Client, safe_address
from salesops.sources.pull.errors import (
    BadPullOption,
    NoRight,
    QuotaUsedUp,
    StrangeAnswer,
    TokenRefused,
    UnknownField,
)
from salesops.sources.pull.exports import Fetched, Row
from salesops.sources.pull.system import Opening, Plan, greatest, instant, utc_text

_API = "/services/data/v62.0"
_LOGIN = "https://login.salesforce.com"
_MUST = "Opportunity"
_HISTORIES = ("OpportunityHistory", "OpportunityFieldHistory")
_TITLE = "Salesforce"
_AGAIN = (
    "Get a new one, or set a refresh token with its client id, of which a new one is asked for "
    "each time: SALESFORCE_REFRESH_TOKEN and SALESFORCE_CLIENT_ID."
)
_RIGHTS = "Grant the right to read it (profile or permission set), or leave it out with --object."


class Salesforce:
    """Objects as the weekly Data Export names them, a CSV each."""

    name: ClassVar[str] = "salesforce"
    title: ClassVar[str] = _TITLE
    secrets: ClassVar[Mapping[str, str]] = {
        "token": "env:SALESFORCE_TOKEN",
        "refresh_token": "env:SALESFORCE_REFRESH_TOKEN",
        "client_id": "env:SALESFORCE_CLIENT_ID",
        "client_secret": "env:SALESFORCE_CLIENT_SECRET",
    }
    # Deals first: a row of the history that is younger than its deal waits for the next pull.
    objects: ClassVar[tuple[str, ...]] = (
        "Opportunity", "OpportunityStage", "OpportunityHistory", "OpportunityFieldHistory",
        "Account", "Contact", "User", "Lead", "Task", "Event", "Case",
    )  # fmt: skip
    # The recycle bin keeps what was deleted for 15 days; later only asking for all shows it.
    whole_days: ClassVar[int] = 14

    def open(self, opening: Opening) -> "SalesforceSession":
        """Take the token, or get one by the flow of refresh tokens."""
        secrets = opening.secrets
        if secrets.has("refresh_token") and not secrets.has("token"):
            token, base = _renewed(opening)
        else:
            token = secrets.get("token", other=secrets.names["refresh_token"])
            base = opening.base
            if not base:
                raise BadPullOption(
                    option="--base-url",
                    value="",
                    example="https://company.my.salesforce.com",
                    expected="the address of your Salesforce, where a token is given",
                )
        client = Client(_TITLE, opening.base or base, secrets, judge, pause=opening.pause,
                        headers={"Authorization": f"Bearer {token}"})  # fmt: skip
        if secrets.has("refresh_token"):
            client.renew = lambda: _renew(client, opening)
        return SalesforceSession(client)


def _renew(client: Client, opening: Opening) -> bool:
    token, _base = _renewed(opening)
    client.headers["Authorization"] = f"Bearer {token}"
    return True


def _renewed(opening: Opening) -> tuple[str, str]:
    """Get a token by a refresh token; gives the address of the account, too."""
    secrets = opening.secrets
    login = opening.login or _LOGIN
    fields = {"grant_type": "refresh_token", "refresh_token": secrets.get("refresh_token"),
              "client_id": secrets.get("client_id")}  # fmt: skip
    if secrets.has("client_secret"):
        fields["client_secret"] = secrets.get("client_secret")
    asker = Client(_TITLE, login, secrets, _judge_login, pause=opening.pause)
    body = asker.form(f"{asker.base}/services/oauth2/token", fields).body
    if not isinstance(body, dict) or not body.get("access_token"):
        raise StrangeAnswer(where=login, reason="there is no access_token in it")
    token = secrets.hide(str(body["access_token"]))
    return token, safe_address(str(body.get("instance_url") or opening.base), "instance_url")


def _judge_login(answer: Answer) -> None:
    body = answer.body if isinstance(answer.body, dict) else {}
    if answer.status in (400, 401) and body.get("error"):
        reason = f"{body['error']}: {body.get('error_description', '')}".strip(": ")
        raise TokenRefused(
            system=_TITLE,
            reason=reason,
            mend="Authorize the app again and set the new SALESFORCE_REFRESH_TOKEN; "
            "with rotation of refresh tokens each one serves once.",
        )


def judge(answer: Answer) -> None:
    """Say in the words of a pull what Salesforce means by an error."""
    if answer.status < 400 or not isinstance(answer.body, list) or not answer.body:
        return
    code = str(answer.body[0].get("errorCode", ""))
    text = " ".join(str(answer.body[0].get("message", "")).split())[:300]
    if answer.status == 401:
        raise TokenRefused(system=_TITLE, reason=text, mend=_AGAIN)
    if code == "REQUEST_LIMIT_EXCEEDED":
        raise QuotaUsedUp(
            system=_TITLE, reason=text, after="when the 24 hours of the limit are over"
        )
    if code == "INVALID_FIELD":
        column = re.search(r"No such column '([^']+)' on entity '([^']+)'", text)
        raise UnknownField(system=_TITLE, field=column[1] if column else "?",
                           what=column[2] if column else text, known=())  # fmt: skip
    if answer.status in (403, 404) or code in ("INVALID_TYPE", "INSUFFICIENT_ACCESS"):
        raise NoRight(system=_TITLE, what="the object", reason=text or code, mend=_RIGHTS)


@dataclass
class _Deals:
    """When deals changed last, and when they were asked for: history that is younger must wait.

    Else a deal would stand in one stage while its history, asked a minute later, ends in another.
    """

    asked_at: dt.datetime | None = None
    moved: dict[str, dt.datetime] = field(default_factory=dict)

    def note(self, rows: Iterable[Row]) -> None:
        self.moved |= {str(r["Id"]): instant(str(r["SystemModstamp"])) for r in rows}

    def is_early(self, row: Row) -> bool:
        at = instant(str(row["CreatedDate"]))
        if self.asked_at is None or at < self.asked_at:
            return False
        return at > self.moved.get(str(row["OpportunityId"]), dt.datetime.min)


@dataclass
class SalesforceSession:
    """A Salesforce that was reached."""

    client: Client

    @property
    def account(self) -> str:
        """The address of the organisation."""
        return self.client.base

    def fetch(self, plan: Plan) -> Iterator[Fetched]:
        """Ask for each object; what is not shown is left out and said."""
        deals = _Deals()
        for name in plan.objects or Salesforce.objects:
            file = f"{name}.csv"
            try:
                fetched = self._object(name, file, plan, deals)
            except NoRight as error:
                fetched = plan.spare(name, file, error, must=name == _MUST)
            yield fetched

    def _object(self, name: str, file: str, plan: Plan, deals: "_Deals") -> Fetched:
        plan.tell(name, 0, None)
        described = self.client.get(f"{_API}/sobjects/{name}/describe").body
        known = tuple(str(f["name"]) for f in described["fields"])
        columns = plan.fields(file, _TITLE, name, known)
        moved = next((c for c in ("SystemModstamp", "CreatedDate") if c in known), "")
        if name in _HISTORIES:
            moved = "CreatedDate"
        heads = tuple(
            dict.fromkeys(
                [
                    "Id",
                    *columns,
                    *([moved] if moved else []),
                    *(["IsDeleted"] if "IsDeleted" in known else []),
                ]
            )
        )
        since = plan.begin(file) if moved else None
        where = f" WHERE {moved} >= {since:%Y-%m-%dT%H:%M:%SZ}" if since else ""
        if name == _MUST:
            deals.asked_at = self.client.now
        asked = f"SELECT {', '.join(heads)} FROM {name}{where}"  # noqa: S608 names of the describe call
        rows = list(self._rows(asked, name, plan))
        seen = greatest((str(r[moved]) for r in rows), plan.since.get(file)) if moved else ""
        dropped: frozenset[str] = frozenset()
        if name == _MUST:
            deals.note([*(r for g in plan.past(file).values() for r in g), *rows])
        elif name in _HISTORIES:
            early = [r for r in rows if deals.is_early(r)]
            rows = [r for r in rows if not deals.is_early(r)]
            seen = min([seen, *(utc_text(instant(str(r[moved]))) for r in early)])
        elif not plan.keeps_deleted(file):
            # The mapping would take what is in the recycle bin for living rows.
            dropped = frozenset(str(r["Id"]) for r in rows if r.get("IsDeleted") is True)
            rows = [r for r in rows if r.get("IsDeleted") is not True]
        return Fetched(file=file, by="Id", heads=heads, rows=rows, whole=since is None, since=seen,
                       dropped=dropped)  # fmt: skip

    def _rows(self, soql: str, name: str, plan: Plan) -> Iterator[Row]:
        page = self.client.get(f"{_API}/queryAll", {"q": soql}).body
        n = 0
        while True:
            for record in page["records"]:
                yield {k: v for k, v in record.items() if k != "attributes"}
            n += len(page["records"])
            plan.tell(name, n, int(page.get("totalSize") or n))
            if page.get("done", True):
                return
            page = self.client.get(_path(page["nextRecordsUrl"])).body


def _path(following: Any) -> str:
    path = str(following)
    if not path.startswith("/services/"):
        raise StrangeAnswer(where=_TITLE, reason="the address of the next page leads elsewhere")
    return path
