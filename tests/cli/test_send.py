"""`salesops send` as people use it: a look first, then it goes out, and what did not is told."""

from email import message_from_bytes, policy

import pytest

from tests.cli.called import salesops
from tests.reports.deliver.runs import job, write_run
from tests.reports.deliver.servers import free_port, mails

PLAN = """
[delivery]
base_url = "https://reports.example.com"
[recipients.board]
to = ["li.na@example.com"]
[recipients.east]
to = ["env:EAST"]
scope = "team:华东"
"""


def send(*arguments, **environment):
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        return salesops("send", *map(str, arguments))


@pytest.fixture
def run(tmp_path):
    (tmp_path / "reports.toml").write_text(PLAN, encoding="utf-8")
    return write_run(tmp_path / "out", job(), job(scope="team:华东"))


def test_a_dry_run_shows_who_would_get_what_and_writes_the_mails_to_look_at(run, tmp_path):
    done = send(run, "--plan", tmp_path, "--dry-run", "--mails", tmp_path / "mails",
                SMTP_URL=f"smtp://127.0.0.1:{free_port()}", EAST="east@example.com")  # fmt: skip
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    (board,) = [line for line in lines if line.startswith("would go to board")]
    for part in ("li.na@example.com", "mail", "kB", "2份报告", "funnel.zh, funnel.team-华东.zh"):
        assert part in board
    assert any("Not sent to east" in line and "team:华东" in line for line in lines)
    mail = (tmp_path / "mails" / "board.li.na-example.com.eml").read_bytes()
    message = message_from_bytes(mail, policy=policy.default)
    assert message["To"] == "li.na@example.com"
    assert "813.7万元" in message.get_body(("html",)).get_content()
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [run.name]


def test_what_goes_out_is_told_and_what_does_not_ends_with_1(run, tmp_path):
    with mails() as server:
        done = send(run, "--plan", tmp_path, SMTP_URL=server.url)
        assert done.returncode == 1, done.stderr
        assert "sent to board" in done.stdout
        assert "NOT sent to east (env:EAST)" in done.stdout
        again = send(run, "--plan", tmp_path, SMTP_URL=server.url, EAST="east@example.com")
        assert again.returncode == 0, again.stdout
        assert "already sent to board" in again.stdout
        assert [rcpt for _sender, (rcpt,) in server.envelopes] == [
            "li.na@example.com", "east@example.com"]  # fmt: skip


@pytest.mark.parametrize(
    "arguments", [("no/such/run",), ("{run}", "--to", "bord"), ("{run}", "--plan", "no/plan")]
)
def test_what_can_not_be_sent_is_refused_with_the_remedy(run, tmp_path, arguments):
    given = [a.replace("{run}", str(run)) for a in arguments]
    given += [] if "--plan" in given else ["--plan", str(tmp_path)]
    done = send(*given)
    assert done.returncode == 2, done
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) >= 3


def test_help_teaches_by_example():
    done = send("--help")
    assert done.returncode == 0
    assert "salesops send --dry-run" in done.stdout
    assert "----" not in done.stdout
