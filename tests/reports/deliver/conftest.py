"""What the tests of the delivery share: servers, and services that point at them."""

import pytest

from tests.reports.deliver.servers import chats, mails


@pytest.fixture(scope="session")
def mail_server():
    with mails() as seen:
        yield seen


@pytest.fixture(scope="session")
def chat_server():
    with chats() as seen:
        yield seen


@pytest.fixture
def mailed(mail_server, monkeypatch):
    """An empty mail server, which SMTP_URL names."""
    for kept in (mail_server.raw, mail_server.envelopes, mail_server.answers):
        kept.clear()
    monkeypatch.setenv("SMTP_URL", mail_server.url)
    return mail_server


@pytest.fixture
def chatted(chat_server, monkeypatch):
    """Chat services that post to this machine; each has its address in a variable."""
    from apprise.plugins.dingtalk import NotifyDingTalk
    from apprise.plugins.feishu import NotifyFeishu
    from apprise.plugins.slack import NotifySlack
    from apprise.plugins.wecombot import NotifyWeComBot

    from salesops.reports.deliver import post

    url = chat_server.url
    for kept in (chat_server.posted, chat_server.bodies, chat_server.asked, chat_server.answers):
        kept.clear()
    monkeypatch.setattr(NotifyWeComBot, "notify_url", url + "/cgi-bin/webhook/send?key={key}")
    monkeypatch.setattr(NotifyDingTalk, "notify_url", url + "/robot/send?access_token={token}")
    monkeypatch.setattr(NotifyFeishu, "notify_url", url + "/open-apis/bot/v2/hook/{token}/")
    monkeypatch.setattr(NotifySlack, "webhook_url", url + "/services")
    monkeypatch.setattr(NotifySlack, "request_rate_per_sec", 0)
    for kind in (NotifyWeComBot, NotifyDingTalk, NotifyFeishu):
        monkeypatch.setattr(kind, "request_rate_per_sec", 0)
    monkeypatch.setattr(post, "_SECURE", "http")
    for name, address in ADDRESSES.items():
        monkeypatch.setenv(name.upper(), address.format(host=url.removeprefix("http://")))
    return chat_server


# As the services show them, and as apprise writes them.
ADDRESSES = {
    "wecom": "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=693axxx6-7aoc-4bc4-97a0",
    "dingtalk": "dingtalk://SEC123secret456@a1b2c3d4e5f6a7b8/",
    "feishu": "https://open.feishu.cn/open-apis/bot/v2/hook/3a1c7b7e-cda8?secret=s3cr3t-sign",
    "slack": "https://hooks.slack.com/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX",
    "teams": "workflows://{host}/643e69f83c8944438d68/KODuebWbDGYFr0z0eu-6Rj8aUKz7108W3wr/",
}
