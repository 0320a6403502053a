"""简道云 by its open interface: forms that a person names, their records along the ids."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from salesops.sources.pull.client import Answer, Client, Passing
from salesops.sources.pull.errors import BadPullOption, NoRight, StrangeAnswer, TokenRefused
from salesops.sources.pull.exports import Fetched, Row
from salesops.sources.pull.system import Opening, Plan, instant, utc_text

_TITLE = "简道云"
_HOST = "https://api.jiandaoyun.com"
_API = "/api/v5/app"
_PAGE = 100  # the most that is answered at once
_EVERY = 0.04  # 30 calls a second
_FORM = re.compile(r"([0-9A-Za-z]+)/([0-9A-Za-z]+)")
# Titles that an exported form gives to what every record has.
_OWN = {"_id": "_id", "creator": "提交人", "createTime": "提交时间", "updateTime": "更新时间"}


class Jiandaoyun:
    """Forms as their titles, a JSON file each, named after the form."""

    name: ClassVar[str] = "jiandaoyun"
    title: ClassVar[str] = _TITLE
    secrets: ClassVar[Mapping[str, str]] = {"token": "env:JIANDAOYUN_API_KEY"}
    objects: ClassVar[tuple[str, ...]] = ()
    # Whether a record that was deleted counts as a change of the form is not documented.
    whole_days: ClassVar[int] = 7

    def open(self, opening: Opening) -> "JiandaoyunSession":
        """Take the API key."""
        token = opening.secrets.get("token")
        return JiandaoyunSession(Client(
            _TITLE, opening.base or _HOST, opening.secrets, judge, every=_EVERY,
            pause=opening.pause, headers={"Authorization": f"Bearer {token}"},
        ))  # fmt: skip


def judge(answer: Answer) -> None:
    """Say in the words of a pull what an error means; they all come with status 400."""
    body = answer.body if isinstance(answer.body, dict) else {}
    if answer.status < 400 or answer.status >= 500:
        return
    code = str(body.get("code", ""))
    text = f"{code} {body.get('msg', '')}".strip()
    if code == "8303":
        raise Passing(text, quota=True)
    # Which code means a bad key was not found in the documentation: the words are looked at.
    if answer.status == 401 or re.search(r"(?i)api.?key|token|鉴权|认证", text):
        raise TokenRefused(
            system=_TITLE,
            reason=text or "401",
            mend="Make an API key in 开放平台 > 密钥管理, see that it is enabled, and "
            "set JIANDAOYUN_API_KEY.",
        )
    if answer.status == 403 or re.search(r"权限|不存在", text):
        raise NoRight(system=_TITLE, what="the form", reason=text or "403",
                      mend="Give the API key the right to the app, and compare APP_ID/ENTRY_ID "
                           "with the address of the form.")  # fmt: skip


@dataclass
class JiandaoyunSession:
    """A 简道云 that was reached."""

    client: Client

    @property
    def account(self) -> str:
        """The address: an answer does not say whose records they are."""
        return self.client.base

    def fetch(self, plan: Plan) -> Iterator[Fetched]:
        """Ask for each form that was named."""
        if not plan.objects:
            shown = ", ".join(f"{app}/{entry} {name}" for app, entry, name in self._forms())
            raise BadPullOption(
                option="--object",
                value="",
                example="5d5a5bbb850a6d0604ab119/56fcab0f02c4",
                expected=f"the forms of your deals and customers, as APP_ID/ENTRY_ID; "
                f"this key may read: {shown or 'none'}",
            )
        for named in plan.objects:
            found = _FORM.fullmatch(named)
            if found is None:
                raise BadPullOption(
                    option="--object",
                    value=named,
                    expected="APP_ID/ENTRY_ID of a form",
                    example="5d5a5bbb850a6d0604ab119/56fcab0f02c4",
                )
            yield self._form(found[1], found[2], plan)

    def _forms(self, only: str = "") -> Iterator[tuple[str, str, str]]:
        apps = (
            [only] if only else [str(a["app_id"]) for a in self._listed(f"{_API}/list", {}, "apps")]
        )
        for app in apps:
            for form in self._listed(f"{_API}/entry/list", {"app_id": app}, "forms"):
                yield app, str(form["entry_id"]), str(form["name"])

    def _listed(self, path: str, asked: Row, name: str) -> Iterator[Row]:
        skip = 0
        while True:
            found = self.client.post(path, {**asked, "limit": _PAGE, "skip": skip}).body[name]
            yield from found
            if len(found) < _PAGE:
                return
            skip += len(found)

    def _form(self, app: str, entry: str, plan: Plan) -> Fetched:
        names = {e: name for _app, e, name in self._forms(app)}
        if entry not in names:
            raise NoRight(
                system=_TITLE,
                what=f"the form {app}/{entry}",
                reason="it is not among the forms of the app that the key may read",
                mend=f"Forms of the app: {', '.join(f'{app}/{e} {n}' for e, n in names.items())}.",
            )
        twice = list(names.values()).count(names[entry]) > 1
        title = names[entry] + (f" {entry}" if twice else "")
        file = re.sub(r'[\\/:*?"<>|\s]+', "_", title) + ".json"
        plan.tell(names[entry], 0, None)
        form = {"app_id": app, "entry_id": entry}
        known = self.client.post(f"{_API}/entry/widget/list", form).body
        moved = (
            utc_text(instant(str(known["dataModifyTime"]))) if known.get("dataModifyTime") else ""
        )
        widgets = known["widgets"]
        heads = (*_OWN.values(), *_titles(widgets).values())
        since = plan.since.get(file)
        if since is not None and moved and utc_text(since) == moved:
            return Fetched(file=file, by="_id", heads=heads, rows=(), whole=False, since=moved)
        rows = [_titled(record, widgets) for record in self._records(form, names[entry], plan)]
        return Fetched(file=file, by="_id", heads=heads, rows=rows, since=moved)

    def _records(self, form: Row, name: str, plan: Plan) -> Iterator[Row]:
        """Page along the ids; records that were deleted are simply not among them."""
        after: Row = {}
        n = 0
        while True:
            found = self.client.post(
                f"{_API}/entry/data/list", {**form, **after, "limit": _PAGE}
            ).body
            if not isinstance(found.get("data"), list):
                raise StrangeAnswer(where=_TITLE, reason="there is no list of data in it")
            yield from found["data"]
            n += len(found["data"])
            plan.tell(name, n, None)
            if len(found["data"]) < _PAGE:
                return
            after = {"data_id": str(found["data"][-1]["_id"])}


def _titles(widgets: Sequence[Row]) -> dict[str, str]:
    """Give each field its title; of two with one title each keeps its name, too."""
    labels = [str(w.get("label") or w["name"]) for w in widgets]
    taken = set(_OWN.values())
    return {
        str(w["name"]): label
        if labels.count(label) == 1 and label not in taken
        else f"{label} ({w['name']})"
        for w, label in zip(widgets, labels, strict=True)
    }


def _titled(record: Row, widgets: Sequence[Row]) -> Row:
    titles = _titles(widgets)
    parts = {str(w["name"]): w.get("items") or () for w in widgets}
    row: Row = {title: _plain(record.get(name)) for name, title in _OWN.items()}
    for name, title in titles.items():
        value = record.get(name)
        if parts[name] and isinstance(value, list):
            inner = _titles(parts[name])
            row[title] = [
                {"_id": entry.get("_id"), **{inner[n]: _plain(entry.get(n)) for n in inner}}
                for entry in value
            ]
        else:
            row[title] = _plain(value)
    return row


def _plain(value: Any) -> Any:
    """Write people, departments and lists as an exported form shows them; the rest stays."""
    if isinstance(value, dict):
        return value.get("name", value)
    if isinstance(value, list):
        shown = [_plain(one) for one in value]
        return ",".join(map(str, shown)) if not any(isinstance(s, dict) for s in shown) else value
    return value
