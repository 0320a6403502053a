"""Posting into chats.

apprise knows the addresses of over a hundred services, as they show them and in its own form, with
their tokens and signatures. Its plugins for 企业微信, 钉钉, 飞书, Slack and Teams say only whether
a message went out: they send no markdown to 企业微信, take an error code in an answer of 200 for
success in 企业微信 and 钉钉, do not sign for 飞书, and tell neither that a message may be tried
again nor when. So the address is theirs, payload and answer are handled here; every other service
is left to its plugin.
"""

import base64
import hashlib
import hmac
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

from salesops.model.errors import SalesopsError
from salesops.reports.deliver import chats
from salesops.reports.deliver.letter import Letter, fitted
from salesops.reports.deliver.outcome import NotSent, Passing, Unsure

_SECURE = "https"
_SECONDS = (10, 30)
# Codes in an answer of 200 that mean: too often, or busy.
_PASSING = {
    "wecom": {-1, 45009, 45033},  # developer.work.weixin.qq.com/document/path/90313
    "dingtalk": {-1, 130101, 410100},  # open.dingtalk.com, custom robots
    "feishu": {11232, 99991400},  # open.feishu.cn, generic error codes
}


@dataclass(eq=False, kw_only=True)
class UnknownChat(SalesopsError, ValueError):
    """The address of a chat is none that can be used."""

    name: str

    def __str__(self) -> str:
        return (
            f"What {self.name} holds is no address of a mail or chat service.\n"
            "Expected: a mail address, the webhook that the service shows, or apprise's form of "
            "it, such as wecombot://KEY.\n"
            f"Look at it where {self.name} is set: is it whole, without quotes and spaces?"
        )


@dataclass(frozen=True, kw_only=True)
class Chat:
    """A chat that can be written into.

    Attributes
    ----------
    service
        `wecom`, `dingtalk`, `feishu`, `slack`, `teams` or `other`.
    plugin
        apprise's object for the address.
    url
        Where messages are posted; empty for `other`.
    secret
        With which messages for 飞书 are signed; empty where they are not.
    """

    service: str
    plugin: Any
    url: str
    secret: str = ""

    def __repr__(self) -> str:
        return f"<Chat {self.service}>"


def chat_of(name: str, address: str) -> Chat:
    """Read the address of a chat; `name` is how the plan calls it.

    Raises
    ------
    UnknownChat
        It is no address.
    """
    import apprise

    secret, address = _feishu(address)
    plugin = apprise.Apprise.instantiate(address, suppress_exceptions=True)
    if plugin is None:
        raise UnknownChat(name=name)
    service, url = _endpoint(plugin)
    return Chat(service=service, plugin=plugin, url=url, secret=secret)


def _feishu(address: str) -> tuple[str, str]:
    """Take the secret out of an address of 飞书 or Lark, and give it apprise's form."""
    from urllib.parse import parse_qs, urlsplit

    split = urlsplit(address)
    schemes = {"open.feishu.cn": "feishu", "open.larksuite.com": "lark"}
    scheme = schemes.get(split.netloc, split.scheme)
    if scheme not in ("feishu", "lark"):
        return "", address
    token = split.path.rstrip("/").rpartition("/")[2] if split.netloc in schemes else split.netloc
    (secret,) = parse_qs(split.query).get("secret", [""])[:1]
    return secret, f"{scheme}://{token}"


def _endpoint(plugin: Any) -> tuple[str, str]:
    """Give the service of a plugin, and where it posts."""
    kind = type(plugin).__name__
    if kind == "NotifyWeComBot":
        return "wecom", plugin.api_url
    if kind == "NotifyDingTalk":
        return "dingtalk", plugin.notify_url.format(token=plugin.token)
    if kind == "NotifyFeishu":
        return "feishu", plugin.notify_url.format(token=plugin.token).rstrip("/")
    if kind == "NotifyLark":
        return "feishu", f"{plugin.notify_url}{plugin.token}"
    if kind == "NotifySlack" and plugin.mode == "hook":
        tokens = (plugin.token_a, plugin.token_b, plugin.token_c)
        return "slack", "/".join((plugin.webhook_url, *tokens))
    if kind == "NotifyWorkflows" and not plugin.template:
        return "teams", _workflow(plugin)
    return "other", ""


def _workflow(plugin: Any) -> str:
    """Give where a workflow of Teams takes messages; built as apprise does in `send`."""
    from urllib.parse import urlencode

    path = "/powerautomate/automations/direct" if plugin.power_automate else ""
    route = getattr(plugin, "routing_id", None)
    path += f"/cu/{route}" if path and route else ""
    port = f":{plugin.port}" if plugin.port else ""
    asked = {"api-version": plugin.api_version, "sp": "/triggers/manual/run", "sv": "1.0",
             "sig": plugin.signature}  # fmt: skip
    where = f"{_SECURE}://{plugin.host}{port}{path}/workflows/{plugin.workflow}"
    return f"{where}/triggers/manual/paths/invoke?{urlencode(asked)}"


_FORMS: Mapping[str, Callable[[Letter], Sequence[chats.Payload]]] = {
    "wecom": chats.wecom, "dingtalk": chats.dingtalk, "feishu": chats.feishu,
    "slack": chats.slack, "teams": chats.teams,
}  # fmt: skip


def payloads_of(chat: Chat, letter: Letter) -> Sequence[chats.Payload]:
    """Give the messages that a letter becomes in a chat, in their order."""
    if chat.service in _FORMS:
        return _FORMS[chat.service](letter)
    most = chat.plugin.body_maxlen
    text = fitted(letter, chats.markdown, lambda text: len(text) <= most)
    return [{"title": letter.subject, "body": text}]


def send_chat(chat: Chat, payload: chats.Payload) -> None:
    """Post one message.

    Raises
    ------
    Passing
        The service can't be reached, is busy, or is written to too often.
    NotSent
        It refuses.
    Unsure
        The connection broke after the message was handed over.
    """
    if chat.service == "other":
        _left_to_plugin(chat, payload)
        return
    # The services count messages per minute; apprise keeps the distance between two.
    chat.plugin.throttle()
    if chat.service == "dingtalk" and chat.plugin.secret:
        stamp, sign = chat.plugin.get_signature()
        answer = _posted(f"{chat.url}&timestamp={stamp}&sign={sign}", payload, chat)
    elif chat.secret:
        answer = _posted(chat.url, {**signature(chat.secret, int(time.time())), **payload}, chat)
    else:
        answer = _posted(chat.url, payload, chat)
    _accepted(chat, answer)


def signature(secret: str, stamp: int) -> Mapping[str, str]:
    """Sign for 飞书: time and secret are the key, the message is empty.

    https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot
    """
    digest = hmac.new(f"{stamp}\n{secret}".encode(), b"", hashlib.sha256).digest()
    return {"timestamp": str(stamp), "sign": base64.b64encode(digest).decode()}


def _left_to_plugin(chat: Chat, payload: chats.Payload) -> None:
    import apprise

    sent = chat.plugin.notify(**payload, body_format=apprise.NotifyFormat.MARKDOWN)
    if not sent:
        raise NotSent(f"{chat.plugin.service_name} did not take it")


def _posted(url: str, payload: chats.Payload, chat: Chat) -> Any:
    import requests

    try:
        return requests.post(
            url, data=chats.body_of(payload), timeout=_SECONDS, allow_redirects=False,
            verify=chat.plugin.verify_certificate,
            # Without its charset Teams counts each character twice.
            headers={"Content-Type": "application/json; charset=utf-8", "User-Agent": "salesops"},
        )  # fmt: skip
    except requests.exceptions.SSLError as error:
        raise NotSent(f"no encrypted connection ({error})") from error
    except requests.exceptions.ConnectTimeout as error:
        raise Passing("the service can't be reached in time") from error
    except requests.exceptions.ConnectionError as error:
        if _never_connected(error):
            raise Passing(f"the service can't be reached ({error})") from error
        raise Unsure(f"the connection broke ({error})") from error
    except requests.exceptions.Timeout as error:
        raise Unsure("no answer in time") from error
    except (requests.exceptions.RequestException, ValueError) as error:
        raise NotSent(str(error)) from error


def _never_connected(error: Exception) -> bool:
    import urllib3.exceptions

    reason = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(reason, urllib3.exceptions.NewConnectionError)


def _accepted(chat: Chat, answer: Any) -> None:
    """Read a service's answer, by its status and by the code that some put into it."""
    told = f"{answer.status_code} {answer.text[:300]}".strip()
    if answer.status_code == 429 or answer.status_code >= 500:
        raise Passing(told, after=seconds_to_wait(answer.headers.get("Retry-After", "")))
    if not 200 <= answer.status_code < 300:
        raise NotSent(told)
    try:
        found = answer.json()
    except ValueError:
        return
    if not isinstance(found, dict):
        return
    code = found.get("errcode") or found.get("code") or found.get("StatusCode") or 0
    if code in _PASSING.get(chat.service, ()):
        raise Passing(told)
    if code:
        raise NotSent(told)


def seconds_to_wait(header: str) -> float | None:
    """Read Retry-After: seconds, or a date (RFC 9110, 10.2.3).

    Examples
    --------
    >>> seconds_to_wait("7"), seconds_to_wait("soon")
    (7.0, None)
    """
    try:
        return max(0.0, float(header))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(header).timestamp() - time.time())
    except (TypeError, ValueError):
        return None
