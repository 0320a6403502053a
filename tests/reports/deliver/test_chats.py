"""Chats get what their services document, within their limits, and nothing is cut in two."""

import base64
import hashlib
import json
import os
import unicodedata

import pytest

from salesops.reports.deliver.chats import dingtalk, feishu, slack, teams, wecom
from salesops.reports.deliver.letter import Item, Letter, Said
from salesops.reports.deliver.post import chat_of, seconds_to_wait, send_chat, signature
from salesops.reports.deliver.texts import shortened
from tests.reports.deliver.conftest import ADDRESSES
from tests.reports.deliver.runs import EMOJI, PNG

LONG = "超长客户名" * 2000
FORMS = {"wecom": wecom, "dingtalk": dingtalk, "feishu": feishu, "slack": slack, "teams": teams}


def letter(n: int = 1, *, name: str = "华东", lang: str = "zh", **more) -> Letter:
    said = Said(action=f"先救{name}的22单", text=f"{name}停留超过42天。", at_stake="1,210.3万元",
                due="2026-06-26")  # fmt: skip
    item = Item(title=f"漏斗 · {name}", verdict=f"{name}差813.7万元。", number="在手金额 1.26亿元",
                findings=(said,) * 3, more=2, link="https://reports.example.com/a.html",
                files=(), pictures=more.pop("pictures", ()))  # fmt: skip
    return Letter(lang=lang, subject="漏斗：6月差813.7万元", facts=("云拓智联", "2026年6月"),
                  items=(item,) * n, missing=more.pop("missing", ()), **more)  # fmt: skip


def texts(payload) -> list[str]:
    """Every text in a message."""
    if isinstance(payload, str):
        return [payload]
    parts = payload.values() if isinstance(payload, dict) else payload
    return [t for part in parts if isinstance(part, str | dict | list) for t in texts(part)]


def test_wecom_gets_markdown_then_the_exhibit_as_base64_with_its_md5(tmp_path):
    picture = tmp_path / "funnel.zh.waterfall.png"
    picture.write_bytes(PNG)
    text, image = wecom(letter(pictures=(picture,)))
    assert list(text) == ["msgtype", "markdown"]
    assert text["msgtype"] == "markdown"
    assert "先救华东的22单 · 1,210.3万元 · 2026-06-26" in text["markdown"]["content"]
    assert image["msgtype"] == "image"
    assert base64.b64decode(image["image"]["base64"]) == PNG
    assert image["image"]["md5"] == hashlib.md5(PNG).hexdigest()


def test_a_picture_above_two_megabytes_is_left_out(tmp_path):
    picture = tmp_path / "large.png"
    picture.write_bytes(PNG + b"\0" * 2 * 2**20)
    assert len(wecom(letter(pictures=(picture,)))) == 1


def test_dingtalk_gets_markdown_with_the_title_that_its_list_shows():
    (sent,) = dingtalk(letter())
    assert sent["msgtype"] == "markdown"
    assert sent["markdown"]["title"] == "漏斗：6月差813.7万元"
    assert "**[漏斗 · 华东](https://reports.example.com/a.html)**" in sent["markdown"]["text"]


def test_feishu_gets_a_card_whose_button_opens_the_report():
    (sent,) = feishu(letter())
    assert sent["msg_type"] == "interactive"
    card = sent["card"]
    assert card["header"]["title"] == {"tag": "plain_text", "content": "漏斗：6月差813.7万元"}
    kinds = [part["tag"] for part in card["elements"]]
    assert kinds == ["div", "div", "action"]
    assert {part["text"]["tag"] for part in card["elements"][:2]} == {"lark_md"}
    (button,) = card["elements"][2]["actions"]
    assert button["url"] == "https://reports.example.com/a.html"


def test_slack_gets_blocks_and_a_text_for_the_notice():
    (sent,) = slack(letter())
    assert sent["text"] == "漏斗：6月差813.7万元"
    assert [block["type"] for block in sent["blocks"]] == ["header", "context", "section"]
    assert sent["blocks"][0]["text"]["type"] == "plain_text"
    assert sent["blocks"][2]["text"]["type"] == "mrkdwn"
    head = sent["blocks"][2]["text"]["text"].splitlines()[0]
    assert head == "*<https://reports.example.com/a.html|漏斗 · 华东>*"


def test_teams_gets_an_adaptive_card_in_a_message():
    (sent,) = teams(letter())
    (attached,) = sent["attachments"]
    assert sent["type"] == "message"
    assert attached["contentType"] == "application/vnd.microsoft.card.adaptive"
    assert attached["content"]["type"] == "AdaptiveCard"
    assert all(block["wrap"] for block in attached["content"]["body"])


def within(service: str, payload) -> bool:
    """Judge a message by what the services document, not by the code that made it."""
    body = len(json.dumps(payload, ensure_ascii=False).encode("utf-8"))
    if service == "wecom":
        return len(payload["markdown"]["content"].encode("utf-8")) <= 4096
    if service == "slack":
        return (
            len(payload["blocks"]) <= 50
            and len(payload["blocks"][0]["text"]["text"]) <= 150
            and all(len(b["text"]["text"]) <= 3000 for b in payload["blocks"] if "text" in b)
        )
    return body <= {"dingtalk": 20_000, "feishu": 20_000, "teams": 28 * 1024}[service]


@pytest.mark.parametrize("service", FORMS)
@pytest.mark.parametrize("case", ["long name", "emoji", "hundred reports", "both"])
def test_a_message_stays_within_the_limit_of_its_service(service, case):
    name = {"long name": LONG, "emoji": EMOJI * 400, "both": LONG}.get(case, "华东")
    n = 100 if case in ("hundred reports", "both") else 1
    sent = FORMS[service](letter(n, name=name, missing=(LONG,)))[0]
    assert within(service, sent)
    whole = "\n".join(texts(sent))
    assert "813.7万元" in whole
    # What is left out is counted: 3 findings told or not, and 2 more, of each report.
    if n == 100:
        shown = whole.count("漏斗 · ")
        assert f"另有{100 - shown}份报告" in whole or shown == 100


@pytest.mark.parametrize("service", FORMS)
def test_a_long_digest_stays_within_the_limit_and_counts_its_lines(service):
    notes = tuple(f"没有发给收件人{i}：{'服务器没有应答' * 30}" for i in range(60))
    sent = FORMS[service](letter(30, name="华东" * 40, notes=notes))[0]
    assert within(service, sent)
    whole = "\n".join(texts(sent))
    told = whole.count("没有发给收件人")
    assert told >= 2
    assert f"另有{60 - told}行" in whole


@pytest.mark.parametrize("service", sorted(set(FORMS) - {"slack"}))
def test_findings_that_are_not_told_are_counted(service):
    whole = "\n".join(texts(FORMS[service](letter(40, name="很长的客户名称" * 40))[0]))
    told = whole.count("• ")
    shown = whole.count("漏斗 · ")
    assert told < 3 * shown
    assert f"另有{5 - told // shown}条发现" in whole


@pytest.mark.parametrize("service", FORMS)
def test_no_name_becomes_a_mention_a_link_or_markup(service):
    name = "<!channel> <at id=all></at> <@all> [click](https://evil.example) *x*"
    sent = json.dumps(FORMS[service](letter(name=name))[0], ensure_ascii=False)
    for live in ("<!channel>", "<at ", "<@all>"):
        assert live not in sent
    assert "[click](" not in sent or service == "slack"  # Slack knows no such links


def clusters_whole(text: str) -> bool:
    """Say whether a shortened text ends behind a whole character."""
    before = text.removesuffix("…")
    flags = len(before) - len(before.rstrip("".join(map(chr, range(0x1F1E6, 0x1F200)))))
    return not before.endswith("\u200d") and flags % 2 == 0


@pytest.mark.parametrize("most", range(2, 40))
def test_a_text_is_never_cut_inside_a_character_or_a_number(most):
    text = f"{EMOJI}é差 1,051.7万元，要 16.3倍 and ¥8.14m by 2026-06-26 {EMOJI}"
    text = unicodedata.normalize("NFD", text)
    cut = shortened(text, most)
    kept = cut.removesuffix("…").rstrip()
    assert len(cut) <= most
    assert text.startswith(kept)
    assert clusters_whole(cut)
    rest = text[len(kept) :]
    # What follows belongs to nothing that was kept.
    assert not rest or not unicodedata.category(rest[0]).startswith("M")
    assert not rest.startswith(("\u200d", "🏽"))
    for number in ("1,051.7万元", "16.3倍", "¥8.14m", "2026-06-26"):
        start = text.index(number)
        assert not start < len(kept) < start + len(number)


def test_a_short_text_stays_as_it_is():
    assert shortened(EMOJI, len(EMOJI)) == EMOJI


@pytest.mark.parametrize("service", FORMS)
def test_a_message_is_posted_to_the_address_and_as_the_form_says(service, chatted):
    chat = chat_of(f"env:{service.upper()}", os.environ[service.upper()])
    assert chat.service == service
    (payload,) = FORMS[service](letter())
    send_chat(chat, payload)
    ((path, headers),) = chatted.asked
    (posted,) = chatted.posted
    assert headers["Content-Type"] == "application/json; charset=utf-8"
    assert {**posted, **payload} == posted
    where = {
        "wecom": "/cgi-bin/webhook/send?key=693axxx6-7aoc-4bc4-97a0",
        "dingtalk": "/robot/send?access_token=a1b2c3d4e5f6a7b8&timestamp=",
        "feishu": "/open-apis/bot/v2/hook/3a1c7b7e-cda8",
        "slack": "/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX",
        "teams": "/workflows/643e69f83c8944438d68/triggers/manual/paths/invoke?api-version=2016",
    }
    assert path.startswith(where[service])
    # Chinese goes over the wire as it is: escaped it would be twice as long.
    assert "漏斗".encode() in chatted.bodies[0]


@pytest.mark.parametrize("service", ["wecom", "dingtalk", "slack", "teams"])
def test_the_address_is_the_one_to_which_apprise_itself_would_post(service, monkeypatch):
    import requests

    asked = []

    def request(_session, method, url, params=None, **_options):
        asked.append(requests.Request(method, url, params=params).prepare().url)
        raise requests.ConnectionError

    chat = chat_of("env:X", ADDRESSES[service].format(host="prod-1.logic.azure.com:443"))
    monkeypatch.setattr(requests.Session, "request", request)
    chat.plugin.send(body="text", title="title")
    (own,) = asked
    assert own.partition("&timestamp")[0] == chat.url


def test_feishu_is_signed_with_time_and_secret_as_the_key_of_an_empty_message(chatted):
    signed = signature("demo", 1599360473)
    assert signed["timestamp"] == "1599360473"
    # printf '' | openssl dgst -sha256 -hmac $'1599360473\ndemo' -binary | base64
    assert signed["sign"] == "l1N0gAcBjdwBvGm1xMjOF0XSyaLRpR7tuO5dHfhAYc8="
    send_chat(chat_of("env:FEISHU", os.environ["FEISHU"]), feishu(letter())[0])
    (posted,) = chatted.posted
    assert posted["sign"] == signature("s3cr3t-sign", int(posted["timestamp"]))["sign"]


def test_dingtalk_is_signed_with_time_and_secret(chatted):
    send_chat(chat_of("env:DINGTALK", os.environ["DINGTALK"]), dingtalk(letter())[0])
    ((path, _headers),) = chatted.asked
    assert "&timestamp=" in path
    assert "&sign=" in path


def test_when_to_come_again_is_read_as_seconds_or_as_a_date():
    assert seconds_to_wait("30") == 30
    assert seconds_to_wait("Fri, 01 Jan 2100 00:00:00 GMT") > 10**9
    assert seconds_to_wait("Fri, 01 Jan 2010 00:00:00 GMT") == 0
    assert seconds_to_wait("") is None
