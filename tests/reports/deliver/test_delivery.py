"""What an entry's recipients get, and what its operator learns: no more than is of use."""

import datetime as dt
import shutil

import pytest

from salesops.reports.deliver.delivery import deliver, post_of_entry
from salesops.reports.plan import open_plan
from tests.fixtures import TINY
from tests.reports.deliver.runs import job, write_run

PLAN = """
[delivery]
operator = "ops"
[recipients.ops]
to = ["ops@example.com"]
lang = "en"
[recipients.east]
to = ["east@example.com"]
scope = "team:North"
[recipients.north]
to = ["north@example.com"]
scope = "team:South"
[recipients.few]
to = ["few@example.com"]
reports = ["stall"]
[[entries]]
name = "monday"
reports = ["funnel"]
recipients = ["east", "north"]
[[entries]]
name = "few"
reports = ["funnel", "stall"]
recipients = ["few"]
[[entries]]
name = "quiet"
reports = ["funnel"]
"""
FAILURE = {"cell": "exhibit", "name": "KeyError", "value": "x", "traceback": "", "cause": "A gap."}
AT = dt.datetime.fromisoformat("2026-03-30T07:00+08:00")


@pytest.fixture
def post(tmp_path):
    """Give what an entry sends of a run with these jobs."""
    company = shutil.copytree(TINY, tmp_path / "company")
    (company / "reports.toml").write_text(PLAN, encoding="utf-8")

    def of(name, *jobs):
        plan = open_plan(company)
        entry = plan.entry(name)
        moment = plan.moment(entry, AT)
        run = write_run(plan.out, *jobs, scheduled=moment.text)
        return post_of_entry(plan, entry, moment, run=run, cards=())

    return of


def test_that_each_team_gets_its_own_report_alone_is_no_trouble(post, mailed):
    found = post("monday", job(scope="team:North"), job(scope="team:South"))
    delivery = deliver(found, ["east", "north"])
    assert [one.state for one in delivery.dispatches] == ["sent", "sent"]
    assert len(delivery.sent.refused) == 2
    assert delivery.digest is None


def test_a_team_that_gets_nothing_at_all_is_told_to_the_operator(post, mailed):
    delivery = deliver(post("monday", job(scope="team:North")), ["east", "north"])
    assert [str(message["To"]) for message in mailed.messages] == [
        "east@example.com", "ops@example.com"]  # fmt: skip
    assert delivery.digest.subject == "1 report kept back"


def test_who_gets_some_reports_alone_gets_these_of_an_entry_too(post, mailed):
    deliver(post("few", job(), job("stall")), ["few"])
    (message,) = mailed.messages
    assert [part.get_filename() for part in message.iter_attachments()] == ["stall.zh.html"]


def test_of_a_failed_report_the_operator_learns_the_command_that_makes_and_sends_it(post, mailed):
    found = post("quiet", job(failure=FAILURE))
    delivery = deliver(found, None)
    (told,) = delivery.told
    assert (told.name, told.state) == ("ops", "sent")
    plain = mailed.messages[0].get_body(("plain",)).get_content()
    assert "A gap." in plain
    assert "--name weekly --at" in plain
    assert "salesops run --plan /" in plain
