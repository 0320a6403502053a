"""What an entry of a plan made goes to whom it names, over a mail server that is really there."""

import datetime as dt
import json
import shutil
from io import StringIO
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console

from salesops.cli import planrunning
from salesops.cli.planrunning import UNSENT, Way, run_plan
from salesops.model.errors import BadDate
from salesops.reports.cardfiles import write_cards
from salesops.reports.planfaults import BadPlan
from salesops.reports.turns import Turns
from tests.fixtures import TINY
from tests.reports.deliver.servers import free_port, mails

PLAN = """
[delivery]
operator = "ops"

[recipients.ops]
to = ["ops@example.com"]
lang = "en"

[recipients.board]
to = ["env:BOARD"]
lang = "en"

[recipients.north]
to = ["north@example.com"]
scope = "team:North"
lang = "en"

[[entries]]
name = "monday"
reports = ["funnel"]
langs = ["en"]
scopes = ["company", "team:North"]
period = "this_month"
schedule = "0 7 * * mon"
recipients = ["board", "north"]

[[entries]]
name = "evening"
card = true
langs = ["en"]
as_of = "same_day"
schedule = "30 18 * * *"
recipients = ["board"]

[[entries]]
name = "quiet"
card = true
langs = ["en"]
"""
AT = "2026-03-30T18:30+08:00"
SECRET = "s3cr3t-w0rd"
HALF_AN_HOUR = dt.timedelta(minutes=30)


@pytest.fixture(scope="module")
def server():
    with mails() as seen:
        yield seen


@pytest.fixture
def company(tmp_path, server, monkeypatch, forked_kernels) -> Path:
    for kept in (server.raw, server.envelopes, server.answers):
        kept.clear()
    monkeypatch.setenv("SMTP_URL", server.url)
    monkeypatch.setenv("BOARD", "board@example.com")
    # The tiny company knows nothing of today.
    monkeypatch.setattr(planrunning, "now", lambda: dt.datetime.fromisoformat(AT) + HALF_AN_HOUR)
    folder = shutil.copytree(TINY, tmp_path / "company")
    (folder / "reports.toml").write_text(PLAN, encoding="utf-8")
    return folder


def run(company: Path, name: str, *, at: str = AT, once: bool = False, **way) -> SimpleNamespace:
    """Run an entry as the command does, without a process of its own."""
    said, told = StringIO(), StringIO()
    consoles = {"out": Console(file=said, soft_wrap=True), "err": Console(file=told)}
    code = 0
    try:
        run_plan(str(company), names=[name], at=at, once=once, way=Way(**consoles, **way))
    except SystemExit as ended:
        code = int(ended.code or 0)
    return SimpleNamespace(code=code, said=said.getvalue(), told=told.getvalue())


def addressed(server) -> list[str]:
    return sorted(rcpt for _sender, (rcpt,) in server.envelopes)


def attached(server) -> dict[str, list[str | None]]:
    return {str(m["To"]): [part.get_filename() for part in m.iter_attachments()]
            for m in server.messages}  # fmt: skip


def test_each_recipient_of_an_entry_gets_what_they_may_see_once(company, server):
    done = run(company, "monday", as_json=True)
    assert done.code == 0, done.told
    assert attached(server) == {
        "board@example.com": ["funnel.en.html", "funnel.team-North.en.html"],
        "north@example.com": ["funnel.team-North.en.html"],
    }
    lines = [json.loads(line) for line in done.said.splitlines()]
    events = [line for line in lines if line["event"] == "delivered"]
    assert [(e["plan"], e["recipient"], e["address"], e["state"]) for e in events] == [
        ("monday", "board", "env:BOARD", "sent"), ("monday", "north", "north@example.com", "sent"),
    ]  # fmt: skip
    assert [e["run"] for e in events] == [x["run"] for x in lines if x["event"] == "run_ended"] * 2
    # The same time again, by a run of its own: all is kept, and nothing goes out twice.
    again = run(company, "monday")
    assert again.said.count("already sent to") == 2
    assert len(server.raw) == 2
    # By hand it goes to whom the entry names, too.
    record = json.loads((company / "reports/latest/run.json").read_text(encoding="utf-8"))
    assert record["to"] == ["board", "north"]


def test_the_card_of_the_day_is_the_message_itself(company, server):
    assert run(company, "evening").code == 0
    (message,) = server.messages
    assert message["To"] == "board@example.com"
    card = (company / "reports/cards/2026-03-30/card.en.txt").read_text(encoding="utf-8")
    head, day, *_rest = card.splitlines()
    assert str(message["Subject"]).startswith(head)
    plain = " ".join(message.get_body(("plain",)).get_content().split())
    assert day in plain
    assert all(" ".join(line.split()) in plain for line in card.splitlines())
    assert list(message.iter_attachments()) == []


def test_where_nothing_is_to_be_sent_it_is_told_what_would_go_to_whom(company, server):
    done = run(company, "evening", no_send=True)
    assert done.code == 0
    assert "would go to board (env:BOARD); mail" in done.said
    assert server.raw == []
    assert not (company / "reports/.outbox.sqlite").exists()


def test_an_entry_without_recipients_is_sent_to_nobody(company, server):
    done = run(company, "quiet")
    assert done.code == 0
    assert server.raw == []


def test_what_did_not_go_out_leaves_the_run_is_told_and_sent_the_next_time(
    company, server, monkeypatch
):
    monkeypatch.delenv("BOARD")
    first = run(company, "evening", at="last", once=True)
    assert first.code == UNSENT
    assert "NOT sent to board (env:BOARD)" in first.said
    assert "salesops run --plan" in first.told
    assert list((company / "reports/cards").rglob("card.en.txt"))
    # The operator learns of it.
    (digest,) = server.messages
    assert digest["To"] == "ops@example.com"
    assert "export BOARD=" in digest.get_body(("plain",)).get_content()
    monkeypatch.setenv("BOARD", "board@example.com")
    second = run(company, "evening", at="last", once=True)
    assert second.code == 0
    assert "what was not sent is sent" in second.said
    assert addressed(server) == ["board@example.com", "ops@example.com"]
    assert "it is done" in run(company, "evening", at="last", once=True).said
    assert len(server.raw) == 2


def test_a_server_that_refuses_does_not_undo_the_run(company, server):
    server.answers += ["550 no such user"]
    done = run(company, "evening")
    assert done.code == UNSENT
    assert "550 no such user" in done.said
    assert addressed(server) == ["ops@example.com"]


def test_an_outbox_that_can_not_be_written_is_told_with_what_was_made(company, server):
    (company / "reports").mkdir()
    (company / "reports/.outbox.sqlite").write_text("no database" * 100, encoding="utf-8")
    done = run(company, "evening")
    assert done.code == UNSENT
    assert "The reports are made. Nothing was sent" in done.told
    assert server.raw == []


def test_a_server_that_is_not_there_is_a_failure_of_delivery(company, monkeypatch):
    monkeypatch.setattr("salesops.reports.deliver.retry.ATTEMPTS", 1)
    monkeypatch.setenv("SMTP_URL", f"smtp://127.0.0.1:{free_port()}?starttls=off")
    done = run(company, "evening", at="last", once=True)
    assert done.code == UNSENT
    assert "can't be reached" in done.said
    (mark,) = Turns(company).folder.glob("evening@*.json")
    told = json.loads(mark.read_text(encoding="utf-8"))
    assert (told["state"], told["unsent"]) == ("done", 2)


def test_what_could_not_be_begun_is_told_to_the_operator_once(company, server):
    plan = (company / "reports.toml").read_text(encoding="utf-8")
    (company / "reports.toml").write_text(plan.replace("team:North", "team:Nrth"), encoding="utf-8")
    for _try in range(2):
        with pytest.raises(BadPlan):
            run(company, "monday")
    (letter,) = server.messages
    assert letter["To"] == "ops@example.com"
    assert "monday" in letter["Subject"]
    assert AT in letter["Subject"]
    text = letter.get_body(("plain",)).get_content()
    assert "team:Nrth" in text
    assert "salesops run --plan" in text


def test_an_entry_that_can_not_be_begun_stops_no_other(company, server, monkeypatch):
    def broken(company, entry, moment):
        if entry.name == "evening":
            raise BadDate(value=f"postgres://me:{SECRET}@db/crm", reason="no date")
        return write_cards(company, entry, moment)

    monkeypatch.setattr(planrunning, "write_cards", broken)
    told = StringIO()
    way = Way(out=Console(file=StringIO()), err=Console(file=told, soft_wrap=True))
    with pytest.raises(BadDate):
        run_plan(str(company), names=["evening", "quiet"], at=AT, once=False, way=way)
    assert list((company / "reports/cards").rglob("card.en.txt"))
    assert "evening could not be begun." in told.getvalue()
    (letter,) = server.messages
    assert letter["To"] == "ops@example.com"
    assert SECRET not in server.raw[0].decode()


def test_where_nothing_is_to_be_sent_the_operator_is_not_told_either(company, server):
    plan = (company / "reports.toml").read_text(encoding="utf-8")
    (company / "reports.toml").write_text(plan.replace("team:North", "team:Nrth"), encoding="utf-8")
    with pytest.raises(BadPlan):
        run(company, "monday", no_send=True)
    assert server.raw == []
