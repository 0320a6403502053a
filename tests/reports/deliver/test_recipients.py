"""The plan's recipients: what is written there, and what is refused."""

import pytest

from salesops.reports.deliver.addresses import NoAddress, address_of, resolve
from salesops.reports.deliver.post import UnknownChat, chat_of
from salesops.reports.deliver.recipients import BadRecipients, UnknownRecipient, read_audience

PLAN = """
[delivery]
server = "keyring:salesops/smtp"
sender = "Reports <reports@example.com>"
operator = "ops"
mail_limit_mb = 5

[recipients.ops]
to = ["ops@example.com"]

[recipients.board]
to = ["li.na@example.com", "env:WECOM_BOARD"]
scope = "company"
lang = "en"
max_sensitivity = "manager"
format = ["html", "pdf"]
"""


def plan(tmp_path, text):
    (tmp_path / "reports.toml").write_text(text, encoding="utf-8")
    return tmp_path


def test_a_plan_is_read_from_its_folder(tmp_path):
    audience = read_audience(plan(tmp_path, PLAN))
    board = audience.recipients["board"]
    assert (board.to, board.lang, board.max_sensitivity) == (
        ("li.na@example.com", "env:WECOM_BOARD"), "en", "manager")  # fmt: skip
    assert audience.delivery.mail_limit_mb == 5
    # The operator is told what failed, and gets no reports unless named.
    assert list(audience.chosen(())) == ["board"]
    assert list(audience.chosen(("ops",))) == ["ops"]


def test_all_faults_are_told_at_once_and_no_token_is_repeated(tmp_path):
    text = """
    [recipients.a]
    to = ["https://hooks.slack.com/services/T1/B1/very-secret-token"]
    [recipients.b]
    to = []
    scope = "teem:North"
    [recipients.c]
    to = ["c@example.com", "c@example.com"]
    colour = "red"
    [delivery]
    server = "smtp://me:very-secret-password@host"
    operator = "nobody"
    """
    with pytest.raises(BadRecipients) as error:
        read_audience(plan(tmp_path, text))
    told = str(error.value)
    for part in ("recipients.a.to", "env:WECOM_SALES", "recipients.b", "teem", "recipients.c.to",
                 "recipients.c.colour", "delivery.server", "[recipients.board]"):  # fmt: skip
        assert part in told, part
    assert "very-secret" not in told


def test_no_plan_is_no_audience(tmp_path):
    with pytest.raises(BadRecipients, match=r"reports\.toml"):
        read_audience(tmp_path)


def test_a_recipient_that_there_is_not_is_refused_with_the_nearest(tmp_path):
    with pytest.raises(UnknownRecipient) as error:
        read_audience(plan(tmp_path, PLAN)).chosen(("bord",))
    first, second, third = str(error.value).splitlines()
    assert "'bord'" in first
    assert "Nearest: board" in second
    assert "[recipients.bord]" in third


def test_a_name_is_looked_up_when_it_is_asked_for(monkeypatch):
    monkeypatch.setenv("BOARD_ADDRESS", "mailto:li@example.com")
    assert address_of("env:BOARD_ADDRESS").kind == "mail"
    monkeypatch.setenv("BOARD_ADDRESS", "wecombot://693axxx6-7aoc")
    address = address_of("env:BOARD_ADDRESS")
    assert (address.kind, address.value) == ("chat", "wecombot://693axxx6-7aoc")
    assert "693axxx6" not in repr(address)


@pytest.mark.parametrize(
    ("name", "remedy"),
    [("env:NOT_SET_HERE", "export NOT_SET_HERE"), ("keyring:salesops/x", "keyring set salesops x")],
)
def test_a_name_that_leads_to_nothing_is_refused_with_the_remedy(name, remedy):
    with pytest.raises(NoAddress) as error:
        resolve(name)
    first, second, third = str(error.value).splitlines()
    assert name in first
    assert "webhook" in second
    assert remedy in third


def test_what_is_no_address_of_a_service_is_refused_without_repeating_it():
    with pytest.raises(UnknownChat) as error:
        chat_of("env:CHAT", "nothing-of-the-kind://very-secret")
    assert "env:CHAT" in str(error.value)
    assert "very-secret" not in str(error.value)
