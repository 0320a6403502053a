"""A run goes to whom it is meant for, once; whoever runs it learns what did not."""

import json
import shutil
import sqlite3

import pytest

from salesops.reports.deliver.digest import digest_of, send_digest
from salesops.reports.deliver.outbox import Entry, Outbox
from salesops.reports.deliver.recipients import audience_of
from salesops.reports.deliver.record import NoRun, read_run
from salesops.reports.deliver.sending import Post
from tests.reports.deliver.runs import job, write_run
from tests.reports.deliver.servers import free_port

FAILURE = {
    "cell": "exhibit-waterfall",
    "name": "KeyError",
    "value": "no 'amount'",
    "traceback": "File secret/path.py",
    "cause": "The column amount is missing.",
}


def post_of(folder, recipients, *, pauses=None, again=False, **delivery):
    audience = audience_of({"recipients": recipients, "delivery": delivery}, "reports.toml")
    post = Post.of(read_run(folder), audience, again=again)
    post.pause = (pauses if pauses is not None else []).append
    return post


BOARD = {"board": {"to": ["li.na@example.com"]}}


def test_each_recipient_gets_what_is_meant_for_them(tmp_path, mailed):
    folder = write_run(tmp_path, job(), job(scope="team:华东"), job(scope="team:华北"),
                       job("stall"), job(lang="en"))  # fmt: skip
    sent = post_of(folder, {
        "board": {"to": ["board@example.com"], "reports": ["funnel"]},
        "east": {"to": ["east@example.com"], "scope": "team:华东"},
        "abroad": {"to": ["abroad@example.com"], "lang": "en"},
    }).send()  # fmt: skip
    assert {one.state for one in sent.dispatches} == {"sent"}
    got = {
        str(message["To"]): [part.get_filename() for part in message.iter_attachments()]
        for message in mailed.messages
    }
    assert got == {
        "board@example.com": ["funnel.zh.html", "funnel.team-华东.zh.html",
                              "funnel.team-华北.zh.html"],
        "east@example.com": ["funnel.team-华东.zh.html"],
        "abroad@example.com": ["funnel.en.html"],
    }  # fmt: skip
    refused = {(one.recipient, one.report.stem, one.reason) for one in sent.refused}
    assert ("east", "funnel.zh", "scope") in refused
    assert ("east", "funnel.team-华北.zh", "scope") in refused


def test_a_report_that_the_plan_addresses_goes_to_nobody_else(tmp_path, mailed):
    folder = write_run(tmp_path, job(to=["a"]), job("stall", to=["b"]))
    post_of(folder, {"a": {"to": ["a@example.com"]}, "b": {"to": ["b@example.com"]}}).send()
    got = {str(m["To"]): [p.get_filename() for p in m.iter_attachments()] for m in mailed.messages}
    assert got == {"a@example.com": ["funnel.zh.html"], "b@example.com": ["stall.zh.html"]}


@pytest.mark.parametrize(
    ("recipient", "scope", "sensitivity", "goes"),
    [
        ({}, "company", "team", True),
        ({}, "company", "manager", False),
        ({"max_sensitivity": "manager"}, "company", "manager", True),
        ({"max_sensitivity": "manager"}, "user:U1", "hr", False),
        ({"max_sensitivity": "hr"}, "user:U1", "hr", True),
        ({"scope": "user:U1"}, "user:U1", "hr", True),  # one's own pay sheet
        ({"scope": "user:U2"}, "user:U1", "team", False),
        ({"scope": "team:华东"}, "team:华东/一组", "team", True),
        ({"scope": "team:华东"}, "team:华东二", "team", False),
        ({"scope": "team:华东/一组"}, "team:华东", "team", False),
        ({"scope": "team:华东"}, "company", "team", False),
        ({}, "company", None, False),  # a result that does not tell may hold anything
    ],
)
def test_nothing_outside_a_scope_and_nothing_too_sensitive_is_sent(
    tmp_path, mailed, recipient, scope, sensitivity, goes
):
    one = job(scope=scope)
    one["result"]["sensitivity"] = sensitivity
    folder = write_run(tmp_path, one)
    sent = post_of(folder, {"r": {"to": ["r@example.com"], **recipient}}).send()
    assert (len(mailed.raw), len(sent.refused)) == ((1, 0) if goes else (0, 1))


def test_of_a_failed_report_the_audience_learns_that_it_is_missing_and_nothing_else(
    tmp_path, mailed
):
    folder = write_run(tmp_path, job(), job("stall", failure=FAILURE))
    post_of(folder, BOARD).send()
    (message,) = mailed.messages
    plain = message.get_body(("plain",)).get_content()
    assert "这次没有做出来：停滞商机。" in plain
    assert [part.get_filename() for part in message.iter_attachments()] == ["funnel.zh.html"]
    for told in FAILURE.values():
        assert told not in plain


def test_the_operator_learns_cell_cause_and_the_command_that_makes_it_again(tmp_path, mailed):
    folder = write_run(tmp_path, job(), job("stall", failure=FAILURE))
    recipients = {**BOARD, "ops": {"to": ["ops@example.com"], "lang": "en"}}
    post = post_of(folder, recipients, operator="ops")
    sent = post.send()
    assert [one.name for one in sent.dispatches] == ["board"]
    (told,) = send_digest(sent, post)
    assert told.state == "sent"
    digest = mailed.messages[-1]
    assert digest["Subject"] == "1 report failed, 1 made"
    plain = digest.get_body(("plain",)).get_content()
    for part in ("The column amount is missing.", "exhibit-waterfall", "Made: Funnel.",
                 "salesops run stall --book data/sample --lang zh", "salesops send "):  # fmt: skip
        assert part in plain
    assert "Traceback" not in plain
    # The same trouble is not told twice.
    assert [one.state for one in send_digest(sent, post)] == ["before"]
    assert len(mailed.raw) == 2


def test_where_nothing_went_wrong_the_operator_is_left_in_peace(tmp_path, mailed):
    post = post_of(write_run(tmp_path, job()), {**BOARD, "ops": {"to": ["ops@example.com"]}},
                   operator="ops")  # fmt: skip
    assert digest_of(post.send(), post) is None


# Once.


def test_a_second_sending_sends_nothing_again(tmp_path, mailed):
    folder = write_run(tmp_path, job())
    post_of(folder, BOARD).send()
    (again,) = post_of(folder, BOARD).send().dispatches
    assert again.state == "before"
    assert len(mailed.raw) == 1


def test_a_run_that_was_resumed_sends_only_what_is_new(tmp_path, mailed):
    at = "2026-06-20T08:00:00+08:00"
    first = write_run(tmp_path, job(), job("stall", failure=FAILURE), scheduled=at)
    post_of(first, BOARD).send()
    resumed = write_run(tmp_path, job(), job("stall"), run="20260620-083000", scheduled=at)
    post_of(resumed, BOARD).send()
    attached = [[p.get_filename() for p in m.iter_attachments()] for m in mailed.messages]
    assert attached == [["funnel.zh.html"], ["stall.zh.html"]]


def test_the_same_report_on_the_next_occasion_is_sent_again(tmp_path, mailed):
    for day in ("20", "27"):
        folder = write_run(tmp_path, job(), run=f"202606{day}-080000",
                           scheduled=f"2026-06-{day}T08:00:00+08:00")  # fmt: skip
        post_of(folder, BOARD).send()
    assert len(mailed.raw) == 2


def test_of_two_addresses_the_one_that_failed_alone_is_tried_again(tmp_path, mailed, chatted):
    folder = write_run(tmp_path, job())
    recipients = {"board": {"to": ["li.na@example.com", "env:WECOM"]}}
    chatted.answers.append((200, {}, '{"errcode": 93000, "errmsg": "invalid webhook url"}'))
    sent = post_of(folder, recipients).send()
    assert [one.state for one in sent.dispatches] == ["sent", "failed"]
    assert "93000" in sent.dispatches[1].told
    sent = post_of(folder, recipients).send()
    assert [one.state for one in sent.dispatches] == ["before", "sent"]
    assert (len(mailed.raw), len(chatted.posted)) == (1, 2)


def test_what_can_pass_is_tried_again_after_the_pause_that_is_asked_for(tmp_path, chatted):
    folder = write_run(tmp_path, job())
    too_often = '{"errcode": 45009, "errmsg": "api freq out of limit"}'
    chatted.answers += [(429, {"Retry-After": "7"}, ""), (500, {}, "oops"), (200, {}, too_often)]
    pauses: list[float] = []
    (one,) = post_of(folder, {"x": {"to": ["env:WECOM"]}}, pauses=pauses).send().dispatches
    assert one.state == "sent"
    assert len(chatted.posted) == 4
    assert pauses[0] == 7
    assert len(pauses) == 3
    # All four tries are of one message.
    assert len({json.dumps(posted) for posted in chatted.posted}) == 1


def test_a_chat_that_is_never_reached_is_given_up_and_tried_by_the_next_sending(
    tmp_path, chatted, monkeypatch
):
    from apprise.plugins.wecombot import NotifyWeComBot

    here = NotifyWeComBot.notify_url
    gone = f"http://127.0.0.1:{free_port()}/send?key={{key}}"
    monkeypatch.setattr(NotifyWeComBot, "notify_url", gone)
    folder, pauses = write_run(tmp_path, job()), []
    (one,) = post_of(folder, {"x": {"to": ["env:WECOM"]}}, pauses=pauses).send().dispatches
    assert (one.state, len(pauses)) == ("failed", 4)
    assert "can't be reached" in one.told
    assert "693axxx6" not in one.told
    monkeypatch.setattr(NotifyWeComBot, "notify_url", here)
    (one,) = post_of(folder, {"x": {"to": ["env:WECOM"]}}).send().dispatches
    assert one.state == "sent"


@pytest.mark.parametrize("again", [False, True])
def test_what_may_have_arrived_is_told_and_sent_again_only_when_asked_for(tmp_path, chatted, again):
    folder = write_run(tmp_path, job())
    recipients = {"x": {"to": ["env:SLACK"]}}
    chatted.answers.append((0, {}, ""))
    post = post_of(folder, recipients)
    sent = post.send()
    assert [one.state for one in sent.dispatches] == ["unsure"]
    assert digest_of(sent, post).subject == "1 message may not have arrived"
    (one,) = post_of(folder, recipients, again=again).send().dispatches
    assert one.state == ("sent" if again else "unsure")
    assert len(chatted.posted) == (2 if again else 1)


def test_a_sending_that_is_broken_off_in_a_pause_goes_on_the_next_time(tmp_path, chatted):
    folder = write_run(tmp_path, job())
    recipients = {"x": {"to": ["env:SLACK"]}}

    def stop(_seconds):
        raise KeyboardInterrupt

    chatted.answers.append((503, {}, ""))
    post = post_of(folder, recipients)
    post.pause = stop
    with pytest.raises(KeyboardInterrupt):
        post.send()
    (one,) = post_of(folder, recipients).send().dispatches
    assert one.state == "sent"


def test_two_that_send_at_once_send_one_message(tmp_path, mailed):
    folder = write_run(tmp_path, job())
    first, second = post_of(folder, BOARD), post_of(folder, BOARD)
    (one,), (other,) = first.ready().dispatches, second.ready().dispatches
    assert (first.send_one(one).state, second.send_one(other).state) == ("sent", "before")
    assert len(mailed.raw) == 1


def test_of_a_sending_that_was_killed_the_outbox_knows_that_it_had_begun(tmp_path):
    entry = Entry(occasion="o", recipient="r", address="a", report="funnel.zh", key="k")
    assert Outbox(tmp_path).begin([entry]) == [entry]
    assert (tmp_path / ".outbox.sqlite").stat().st_mode & 0o077 == 0
    # Another process, later.
    assert Outbox(tmp_path).state(entry)[0] == "begun"
    assert Outbox(tmp_path).begin([entry]) == []
    assert Outbox(tmp_path).begin([entry], again=True) == [entry]


def test_messages_go_out_in_the_order_of_the_plan_and_the_picture_follows_its_text(
    tmp_path, chatted
):
    png = {"html": "funnel.zh.html", "png": ["funnel.zh.waterfall.png"]}
    folder = write_run(tmp_path, job(files=png))
    post_of(folder, {"b": {"to": ["env:WECOM"]}, "a": {"to": ["env:DINGTALK"]}}).send()
    assert [posted["msgtype"] for posted in chatted.posted] == ["markdown", "image", "markdown"]
    assert "access_token" in chatted.asked[2][0]


# Secrets and what is written.


def test_a_dry_run_sends_nothing_and_writes_nothing(tmp_path, mailed, chatted):
    folder = write_run(tmp_path, job())
    ready = post_of(folder, {"b": {"to": ["li.na@example.com", "env:SLACK"]}}).ready()
    assert [(one.channel, one.state) for one in ready.dispatches] == [
        ("mail", "ready"), ("slack", "ready")]  # fmt: skip
    assert (mailed.raw, chatted.posted) == ([], [])
    assert [path.name for path in tmp_path.iterdir()] == [folder.name]


def test_an_address_that_is_not_set_keeps_nobody_else_from_their_mail(tmp_path, mailed):
    folder = write_run(tmp_path, job())
    recipients = {**BOARD, "x": {"to": ["env:NOT_SET_HERE"]}}
    sent = post_of(folder, recipients).send()
    assert [one.state for one in sent.dispatches] == ["sent", "failed"]
    assert "export NOT_SET_HERE=" in sent.dispatches[1].told


def test_no_address_of_a_chat_and_no_password_is_in_any_file(tmp_path, chatted, monkeypatch):
    monkeypatch.setenv("SMTP_URL", "smtp://me:hush-hush-42@127.0.0.1:1?starttls=off")
    folder = write_run(tmp_path, job())
    post = post_of(folder, {"x": {"to": ["env:SLACK", "env:WECOM", "li@example.com"]},
                            "ops": {"to": ["env:FEISHU"]}}, operator="ops")  # fmt: skip
    chatted.answers += [(403, {}, "no_service T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX")]
    sent = post.send()
    send_digest(sent, post)
    assert [one.state for one in sent.dispatches] == ["failed", "sent", "failed"]
    with sqlite3.connect(post.outbox.path) as box:
        written = repr(box.execute("select * from sending").fetchall())
    box.close()
    told = json.dumps(chatted.posted) + repr(sent) + written
    for secret in ("XXXXXXXXXXXXXXXXXXXXXXXX", "693axxx6", "hush-hush-42", "s3cr3t-sign"):
        assert secret not in told
        for path in tmp_path.rglob("*"):
            assert path.is_dir() or secret.encode() not in path.read_bytes(), path


def test_no_record_sends_a_file_from_outside_its_folder(tmp_path, mailed):
    (tmp_path / "secret.txt").write_text("secret")
    folder = write_run(tmp_path, job())
    record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    record["jobs"][0]["files"] = {"html": "../secret.txt", "pdf": "/etc/hostname"}
    (folder / "run.json").write_text(json.dumps(record), encoding="utf-8")
    post_of(folder, {"b": {"to": ["b@example.com"], "format": ["html", "pdf"]}}).send()
    (message,) = mailed.messages
    assert list(message.iter_attachments()) == []


def test_a_link_leads_to_the_run_and_not_to_the_latest_one(tmp_path, mailed):
    folder = write_run(tmp_path, job())
    record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    # As a run leaves it: the record in its folder does not name the folder.
    del record["run"]
    (folder / "run.json").write_text(json.dumps(record), encoding="utf-8")
    shutil.copytree(folder, tmp_path / "latest")
    post_of(tmp_path / "latest", BOARD, base_url="https://reports.example.com").send()
    (message,) = mailed.messages
    page = message.get_body(("html",)).get_content()
    assert "https://reports.example.com/20260620-080000/funnel.zh.html" in page


@pytest.mark.parametrize("text", [None, "{", '{"jobs": 1, "started": ""}'])
def test_a_folder_that_is_no_run_is_refused_with_the_remedy(tmp_path, text):
    if text is not None:
        (tmp_path / "run.json").write_text(text)
    with pytest.raises(NoRun) as error:
        read_run(tmp_path)
    first, second, third = str(error.value).splitlines()
    assert str(tmp_path) in first
    assert "run.json" in second
    assert "salesops run" in third
