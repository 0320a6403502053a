"""纷享销客 by its open interface: `crm/v2/data/query`, page by page along the ids."""

import datetime as dt
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from salesops.sources.pull.client import Answer, Client, Passing
from salesops.sources.pull.errors import NoRight, QuotaUsedUp, StrangeAnswer, TokenRefused
from salesops.sources.pull.exports import Fetched, Row
from salesops.sources.pull.system import Opening, Plan, greatest, utc_text

_TITLE = "纷享销客"
_HOST = "https://open.fxiaoke.com"
_PAGE = 100  # the most that is answered at once
_EVERY = 0.2  # 100 calls in 20 seconds for one interface
_MUST = "NewOpportunityObj"
_EPOCH = dt.datetime(1970, 1, 1)
# Codes of the vendor's table of global return codes; answers have status 200 whatever happened.
_BUSY = {"-1", "50009"}
_TOO_OFTEN = {"14001", "30004"}
_USED_UP = {"30002", "30003"}
_REFUSED = {"11001", "11002", "11013", "11014", "11015", "20005", "20006", "20012", "20015",
            "20016", "20017", "11008", "20021", "20022"}  # fmt: skip
_FORBIDDEN = {"15003", "20014", "20020", "20023"}


class Fxiaoke:
    """Objects of the interface, a JSON file each, named after them."""

    name: ClassVar[str] = "fxiaoke"
    title: ClassVar[str] = _TITLE
    secrets: ClassVar[Mapping[str, str]] = {
        "app_id": "env:FXIAOKE_APP_ID",
        "app_secret": "env:FXIAOKE_APP_SECRET",
        "permanent_code": "env:FXIAOKE_PERMANENT_CODE",
        "open_user_id": "env:FXIAOKE_OPEN_USER_ID",
    }
    objects: ClassVar[tuple[str, ...]] = (
        "NewOpportunityObj", "AccountObj", "ContactObj", "ActiveRecordObj", "ContractObj",
        "PaymentObj", "HighSeasObj",
    )  # fmt: skip
    # What is deleted is found by the ids at each pull; names beside ids may change unnoticed.
    whole_days: ClassVar[int] = 30

    def open(self, opening: Opening) -> "FxiaokeSession":
        """Get a corpAccessToken; it holds for two hours."""
        client = Client(_TITLE, opening.base or _HOST, opening.secrets, judge, every=_EVERY,
                        pause=opening.pause)  # fmt: skip
        session = FxiaokeSession(client, opening)
        session.renew()
        client.renew = session.renew
        return session


def judge(answer: Answer) -> None:
    """Say in the words of a pull what a return code means."""
    body = answer.body if isinstance(answer.body, dict) else {}
    code = str(body.get("errorCode", "0"))
    if code == "0":
        return
    text = f"{code} {body.get('errorMessage', '')} {body.get('errorDescription') or ''}".strip()
    if code in _BUSY:
        raise Passing(f"it answers {text}")
    if code in _TOO_OFTEN:
        raise Passing(text, quota=True)
    if code in _USED_UP:
        raise QuotaUsedUp(
            system=_TITLE, reason=text, after="after midnight (UTC+8), or buy more calls"
        )
    if code in _REFUSED:
        raise TokenRefused(
            system=_TITLE,
            reason=text,
            mend="Compare appId, appSecret, permanentCode and openUserId with those "
            "of the app in the management console, and set them anew.",
        )
    if code in _FORBIDDEN:
        raise NoRight(
            system=_TITLE,
            what="the object",
            reason=text,
            mend="Give the app the right to read it, or leave it out with --object.",
        )
    raise StrangeAnswer(where=_TITLE, reason=text[:300])


@dataclass
class FxiaokeSession:
    """A 纷享销客 that was reached."""

    client: Client
    opening: Opening
    _corp: str = ""
    _token: str = ""

    @property
    def account(self) -> str:
        """The company's id on the open platform."""
        return self._corp

    def renew(self) -> bool:
        """Get a token; within 6,600 seconds it is the same one."""
        secrets = self.opening.secrets
        fields = {"appId": secrets.get("app_id"), "appSecret": secrets.get("app_secret"),
                  "permanentCode": secrets.get("permanent_code")}  # fmt: skip
        renew, self.client.renew = self.client.renew, None
        body = self.client.post("/cgi/corpAccessToken/get/V2", fields, _trace()).body
        self.client.renew = renew
        if not body.get("corpAccessToken"):
            raise StrangeAnswer(where=_TITLE, reason="there is no corpAccessToken in it")
        self._token = secrets.hide(str(body["corpAccessToken"]))
        self._corp = str(body["corpId"])
        return True

    def fetch(self, plan: Plan) -> Iterator[Fetched]:
        """Ask for each object: what changed, then which ids there are."""
        for name in plan.objects or Fxiaoke.objects:
            file = f"{name}.json"
            try:
                yield self._object(name, file, plan)
            except NoRight as error:
                yield plan.spare(name, file, error, must=name == _MUST)

    def _object(self, name: str, file: str, plan: Plan) -> Fetched:
        plan.tell(name, 0, None)
        heads = tuple(dict.fromkeys(["_id", *plan.wanted(file), "last_modified_time"]))
        since = plan.begin(file)
        asked = [] if since is None else [_filter("last_modified_time", "GTE", _millis(since))]
        rows = [{h: record[h] for h in heads if h in record}
                for record in self._records(name, asked, plan)]  # fmt: skip
        there = None
        if since is not None:
            there = frozenset(str(r["_id"]) for r in self._records(name, [], plan, only_ids=True))
        moved = (utc_text(_EPOCH + dt.timedelta(milliseconds=int(r["last_modified_time"])))
                 for r in rows if r.get("last_modified_time"))  # fmt: skip
        seen = greatest(moved, plan.since.get(file))
        return Fetched(file=file, by="_id", heads=heads, rows=rows, whole=since is None,
                       since=seen, there=there)  # fmt: skip

    def _records(
        self, name: str, asked: list[Row], plan: Plan, *, only_ids: bool = False
    ) -> Iterator[Row]:
        """Page along the ids: an offset may not go beyond 10,000."""
        after: list[Row] = []
        n = 0
        while True:
            query: Row = {"limit": _PAGE, "offset": 0, "filters": [*asked, *after],
                          "orders": [{"fieldName": "_id", "isAsc": True}]}  # fmt: skip
            if only_ids:
                query["fieldProjection"] = ["_id"]
            found = self._query({"dataObjectApiName": name, "find_explicit_total_num": False,
                                 "search_query_info": query})  # fmt: skip
            yield from found
            n += len(found)
            plan.tell(name, n, None)
            if len(found) < _PAGE:
                return
            after = [_filter("_id", "GT", str(found[-1]["_id"]))]

    def _query(self, data: Row) -> list[Row]:
        def body() -> Row:
            return {"corpAccessToken": self._token, "corpId": self._corp, "data": data,
                    "currentOpenUserId": self.opening.secrets.get("open_user_id")}  # fmt: skip

        answer = self.client.post("/cgi/crm/v2/data/query", body, _trace()).body
        found: Any = (answer.get("data") or {}).get("dataList")
        if not isinstance(found, list):
            raise StrangeAnswer(where=_TITLE, reason="there is no data.dataList in it")
        return found


def _filter(name: str, operator: str, value: str) -> Row:
    return {"field_name": name, "operator": operator, "field_values": [value]}


def _millis(moment: dt.datetime) -> str:
    return str(int((moment - _EPOCH).total_seconds() * 1000))


def _trace() -> dict[str, str]:
    """Give the number that each call must have of its own."""
    return {"thirdTraceId": str(uuid.uuid4())}
