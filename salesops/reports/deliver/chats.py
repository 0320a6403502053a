"""A letter in the forms that chats take, each as its service documents it and within its limits.

- 企业微信 group robot: markdown of at most 4,096 bytes; picture of at most 2 MB as base64 and md5.
  https://developer.work.weixin.qq.com/document/path/91770
- 钉钉 custom robot: a request of at most 20,000 bytes.
  https://open.dingtalk.com/document/orgapp/custom-robots-send-group-messages
- 飞书, Lark custom bot: a request of at most 20 KB; a card, since a text shows no emphasis.
  https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot
- Slack: a header of 150 characters, sections of 3,000, 50 blocks.
  https://docs.slack.dev/reference/block-kit/blocks
- Teams, by a workflow: an adaptive card in a message of at most 28 KB.
  https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using

What does not fit is told by fewer findings, then shorter sentences, then fewer reports, each time
with how many there are besides; nothing is cut inside a character or a number.
"""

import base64
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any, TypeVar

from salesops.reports.deliver.letter import Item, Letter, fitted, named
from salesops.reports.deliver.texts import shortened
from salesops.wording import label, language, say

Payload = Mapping[str, Any]
T = TypeVar("T")
WECOM_BYTES, WECOM_PICTURE = 4096, 2 * 2**20
DINGTALK_BYTES = 20_000
FEISHU_BYTES = 20_000
SLACK_HEADER, SLACK_SECTION, SLACK_BLOCKS = 150, 3000, 50
TEAMS_BYTES = 28_000
# Marks of markdown and of mentions, as look-alikes: the services know no common way to escape them.
_ALIKE = str.maketrans("<>[]*`\\|~", "＜＞［］＊｀＼｜～")


def _in_its_language(form: Callable[[Letter], T]) -> Callable[[Letter], T]:
    @wraps(form)
    def formed(letter: Letter) -> T:
        with language(letter.lang):
            return form(letter)

    return formed


def body_of(payload: Payload) -> bytes:
    """Write a payload as it is posted; Chinese stays as it is, which halves its size."""
    return json.dumps(payload, ensure_ascii=False).encode()


@_in_its_language
def wecom(letter: Letter) -> list[Payload]:
    """Give the messages for 企业微信: the text, then the first exhibit as a picture."""

    def fits(payload: Payload) -> bool:
        return len(payload["markdown"]["content"].encode()) <= WECOM_BYTES

    text = fitted(letter, lambda less: _markdown("markdown", "content", less), fits)
    return [text, *_picture(letter)]


def _markdown(kind: str, field: str, letter: Letter, **more: str) -> Payload:
    return {"msgtype": kind, kind: {**more, field: markdown(letter)}}


def _picture(letter: Letter) -> list[Payload]:
    for path in (path for item in letter.items for path in item.pictures):
        data = path.read_bytes()
        if len(data) <= WECOM_PICTURE:
            md5 = hashlib.md5(data, usedforsecurity=False).hexdigest()
            image = {"base64": base64.b64encode(data).decode(), "md5": md5}
            return [{"msgtype": "image", "image": image}]
    return []


@_in_its_language
def dingtalk(letter: Letter) -> list[Payload]:
    """Give the message for 钉钉."""

    def form(less: Letter) -> Payload:
        return _markdown("markdown", "text", less, title=less.subject)

    return [fitted(letter, form, lambda payload: len(body_of(payload)) <= DINGTALK_BYTES)]


@_in_its_language
def feishu(letter: Letter) -> list[Payload]:
    """Give the message for 飞书 or Lark: a card, its buttons lead to the reports."""

    def form(less: Letter) -> Payload:
        title = {"tag": "plain_text", "content": less.subject}
        parts = [_lark(" · ".join(_safe(fact) for fact in less.facts))] if less.facts else []
        parts += [_lark("\n".join(_lines(item))) for item in less.items]
        parts += [_lark(line) for line in _rest(less)]
        if len(less.items) == 1 and less.items[0].link:
            text = {"tag": "plain_text", "content": label("deliver.open")}
            button = {"tag": "button", "text": text, "type": "primary", "url": less.items[0].link}
            parts.append({"tag": "action", "actions": [button]})
        card = {"config": {"wide_screen_mode": True},
                "header": {"title": title, "template": "blue"}, "elements": parts}  # fmt: skip
        return {"msg_type": "interactive", "card": card}

    return [fitted(letter, form, lambda payload: len(body_of(payload)) <= FEISHU_BYTES)]


def _lark(text: str) -> Payload:
    return {"tag": "div", "text": {"tag": "lark_md", "content": text}}


@_in_its_language
def slack(letter: Letter) -> list[Payload]:
    """Give the message for Slack."""

    def form(less: Letter) -> Payload:
        title = {"type": "plain_text", "text": shortened(less.subject, SLACK_HEADER)}
        blocks: list[Payload] = [{"type": "header", "text": title}]
        if less.facts:
            facts = {"type": "mrkdwn", "text": _slack(" · ".join(less.facts))}
            blocks.append({"type": "context", "elements": [facts]})
        texts = ["\n".join(_lines(item, _slack, _slack_head)) for item in less.items]
        blocks += [{"type": "section", "text": {"type": "mrkdwn", "text": text}}
                   for text in (*texts, *_rest(less, _slack))]  # fmt: skip
        return {"text": _slack(less.subject), "blocks": blocks, "unfurl_links": False}

    def fits(payload: Payload) -> bool:
        texts = [block["text"]["text"] for block in payload["blocks"] if "text" in block]
        return (
            all(len(text) <= SLACK_SECTION for text in texts)
            and len(payload["blocks"]) <= SLACK_BLOCKS
        )

    return [fitted(letter, form, fits)]


def _slack(text: str) -> str:
    """Escape as Slack wants it, so that no name mentions a whole channel."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _slack_head(title: str, link: str) -> str:
    text = _slack(title).replace("|", "｜")
    return f"*<{link}|{text}>*" if link else f"*{text}*"


@_in_its_language
def teams(letter: Letter) -> list[Payload]:
    """Give the message for Teams: an adaptive card."""

    def form(less: Letter) -> Payload:
        parts = [_block(_safe(less.subject), size="Large", weight="Bolder")]
        if less.facts:
            parts.append(_block(" · ".join(_safe(fact) for fact in less.facts), isSubtle=True))
        # A single line break is none there.
        parts += [_block("\n\n".join(_lines(item)), separator=True) for item in less.items]
        parts += [_block(line) for line in _rest(less)]
        card = {
            "$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard",
            "version": "1.4", "body": parts, "msteams": {"width": "Full"},
        }  # fmt: skip
        kind = "application/vnd.microsoft.card.adaptive"
        attached = {"contentType": kind, "contentUrl": None, "content": card}
        return {"type": "message", "attachments": [attached]}

    return [fitted(letter, form, lambda payload: len(body_of(payload)) <= TEAMS_BYTES)]


def _block(text: str, **more: Any) -> Payload:
    return {"type": "TextBlock", "text": text, "wrap": True, **more}


@_in_its_language
def markdown(letter: Letter) -> str:
    """Write a letter as the plain kind of markdown that the services have in common."""
    parts = [f"**{_safe(letter.subject)}**"]
    parts += [" · ".join(_safe(fact) for fact in letter.facts)] if letter.facts else []
    parts += ["\n".join(_lines(item)) for item in letter.items]
    parts += _rest(letter)
    return "\n\n".join(parts)


def _safe(text: str) -> str:
    shown = text.translate(_ALIKE)
    return "＃" + shown[1:] if shown.startswith("#") else shown


def _head(title: str, link: str) -> str:
    return f"**[{_safe(title)}]({link})**" if link else f"**{_safe(title)}**"


def _lines(
    item: Item,
    safe: Callable[[str], str] = _safe,
    head: Callable[[str, str], str] = _head,
) -> list[str]:
    lines = [head(item.title, item.link)]
    lines += [safe(text) for text in (item.verdict, item.number) if text]
    for said in item.findings:
        behind = " · ".join(text for text in (said.at_stake, said.due) if text)
        lines.append(safe(f"• {said.action}" + (f" · {behind}" if behind else "")))
    if item.more:
        lines.append(say("deliver.more_findings", n=item.more))
    return lines


def _rest(letter: Letter, safe: Callable[[str], str] = _safe) -> Sequence[str]:
    """Say what is not told: further reports, and those that could not be made."""
    found = []
    if letter.more:
        found.append(say("deliver.more_reports", n=letter.more))
    if letter.missing:
        found.append(safe(say("deliver.missing", reports=named(letter.missing, 10))))
    return [*found, *(safe(note) for note in letter.notes)]
