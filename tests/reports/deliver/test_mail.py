"""Mails: real MIME, the same numbers in HTML and text, and a server that says how it goes."""

import re
from email import message_from_bytes, policy
from html.parser import HTMLParser

import pytest

from salesops.reports.deliver.allowed import share_of
from salesops.reports.deliver.letter import letter_of
from salesops.reports.deliver.mail import mail_of
from salesops.reports.deliver.outcome import NotSent, Passing, Unsure
from salesops.reports.deliver.recipients import Recipient
from salesops.reports.deliver.record import read_run
from salesops.reports.deliver.smtp import BadServer, read_server, send_mail
from salesops.reports.masking import Masker
from tests.reports.deliver.runs import EMOJI, PNG, finding, job, write_run
from tests.reports.deliver.servers import free_port

TO = "li.na@example.com"


def made(tmp_path, *jobs, lang="zh", base_url="https://reports.example.com", most=10 * 2**20,
         id_="one", size=2000):  # fmt: skip
    run = read_run(write_run(tmp_path, *jobs, size=size))
    recipient = Recipient(to=(TO,), lang=lang)
    share = share_of("board", recipient, run.reports)
    letter = letter_of(share, run, base_url, Masker([]))
    return mail_of(letter, sender="Reports <reports@example.com>", to=TO, id_=id_, most=most)


def read(mail):
    """Read a mail as the other side does, from its bytes."""
    return message_from_bytes(mail.data, policy=policy.default)


class Text(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = []

    def handle_data(self, data):
        self.found.append(data)


def text_of(html: str) -> str:
    parser = Text()
    parser.feed(html)
    return " ".join(" ".join(parser.found).split())


PICTURED = {"html": "funnel.zh.html", "png": ["funnel.zh.waterfall.png"]}


def test_its_parts_are_nested_as_mail_programs_expect(tmp_path):
    message = read(made(tmp_path, job(files=PICTURED)))

    def nested(part):
        inside = part.get_payload() if part.is_multipart() else []
        return [part.get_content_type(), *(nested(one) for one in inside)]

    assert nested(message) == [
        "multipart/mixed",
        ["multipart/alternative", ["text/plain"],
         ["multipart/related", ["text/html"], ["image/png"]]],
        ["text/html"],
    ]  # fmt: skip
    (page,) = message.iter_attachments()
    assert page.get_filename() == "funnel.zh.html"
    assert page.get_content_disposition() == "attachment"


def test_the_picture_of_the_html_is_the_one_that_is_sent_with_it(tmp_path):
    message = read(made(tmp_path, job(files=PICTURED)))
    html = message.get_body(("html",)).get_content()
    (cid,) = re.findall(r'src="cid:([^"]+)"', html)
    (picture,) = [part for part in message.walk() if part.get_content_type() == "image/png"]
    assert picture["Content-ID"] == f"<{cid}>"
    assert picture.get_content_disposition() == "inline"
    assert picture.get_content() == PNG
    assert re.search(r'<img[^>]*alt="[^"]{10,}"', html)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_text_has_every_number_of_the_html(tmp_path, lang):
    message = read(made(tmp_path, job(lang=lang), job("stall", lang=lang), lang=lang))
    html = text_of(message.get_body(("html",)).get_content().partition("</head>")[2])
    plain = message.get_body(("plain",)).get_content()
    number = re.compile(r"\d+(?:[.,]\d+)*")
    numbers = number.findall(html)
    assert "813.7" in numbers
    assert set(numbers) <= set(number.findall(plain))


def test_the_subject_is_the_verdict_in_the_readers_language(tmp_path):
    mail = made(tmp_path, job())
    message = read(mail)
    assert message["Subject"] == "漏斗：2026年6月很可能完不成，差813.7万元：还有1,051.7万元没赢。"
    # Encoded words, no raw Chinese: RFC 2047.
    head = mail.data.split(b"\r\n\r\n")[0]
    assert b"=?utf-8?" in head
    assert head.isascii()
    assert message["Content-Language"] == "zh"
    assert message["Auto-Submitted"] == "auto-generated"


def test_the_same_mail_sent_twice_has_one_id_and_another_mail_another(tmp_path):
    first, again, other = (made(tmp_path, job(), id_=id_) for id_ in ("one", "one", "two"))
    ids = [read(mail)["Message-ID"] for mail in (first, again, other)]
    assert ids[0] == ids[1] != ids[2]
    assert re.fullmatch(r"<[0-9a-f]{32}@example\.com>", ids[0])


def test_its_bytes_are_plain_ascii_in_short_lines(tmp_path):
    mail = made(tmp_path, job(verdict=EMOJI * 30))
    assert mail.data.isascii()
    assert max(map(len, mail.data.split(b"\r\n"))) <= 998
    assert EMOJI in read(mail).get_body(("plain",)).get_content()


def test_no_style_is_left_to_a_style_sheet_and_nothing_is_loaded(tmp_path):
    html = read(made(tmp_path, job(), base_url="")).get_body(("html",)).get_content()
    assert "<style" not in html
    assert "<link" not in html
    assert "http" not in html
    for cell in re.findall(r"<td[^>]*>", html):
        assert "style=" in cell


def test_a_name_with_markup_or_line_breaks_stays_a_name(tmp_path):
    name = "<script>alert(1)</script>\r\nBcc: all@example.com\u202e"
    message = read(made(tmp_path, job(verdict=name, findings=[finding(action=name)])))
    html = message.get_body(("html",)).get_content()
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    assert message["Bcc"] is None
    assert "\u202e" not in message["Subject"]


def test_what_does_not_fit_is_named_with_its_link_and_the_rest_is_attached(tmp_path):
    jobs = [job("funnel"), job("stall")]
    run = write_run(tmp_path, *jobs)
    (run / "funnel.zh.html").write_bytes(b"x" * 900_000)
    share = share_of("b", Recipient(to=(TO,)), read_run(run).reports)
    letter = letter_of(share, read_run(run), "https://reports.example.com", Masker([]))
    mail = mail_of(letter, sender="a@example.com", to=TO, id_="1", most=500_000)
    message = read(mail)
    assert [path.name for path in mail.left_out] == ["funnel.zh.html"]
    assert [part.get_filename() for part in message.iter_attachments()] == ["stall.zh.html"]
    assert len(mail.data) <= 500_000
    plain = message.get_body(("plain",)).get_content()
    assert "没有附上：funnel.zh.html" in plain
    assert "https://reports.example.com/20260620-080000/funnel.zh.html" in plain


def test_a_very_long_name_makes_no_very_long_mail(tmp_path):
    mail = made(tmp_path, job(verdict="超长客户名" * 2000, findings=[finding("字" * 10_000)]))
    assert len(mail.data) < 30_000
    assert len(read(mail)["Subject"]) <= 150


# The server.


def sent(server, **more):
    address = read_server("env:SMTP_URL", more.pop("url", "") or server.url)
    send_mail(address, sender="reports@example.com", to=more.pop("to", TO),
              data=b"Subject: x\r\n\r\nbody\r\n")  # fmt: skip


def test_a_mail_arrives_with_its_envelope(mailed):
    sent(mailed)
    assert mailed.envelopes == [("reports@example.com", [TO])]


def test_a_host_in_other_letters_is_written_as_servers_know_it(mailed):
    sent(mailed, to="sales@例子.中国")
    assert mailed.envelopes[0][1] == ["sales@xn--fsqu00a.xn--fiqs8s"]


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [("451 come again", Passing), ("550 unknown", NotSent), ("dead", Unsure)],
)
def test_what_the_server_says_is_told_apart(mailed, answer, outcome):
    mailed.answers.append(answer)
    with pytest.raises(outcome) as error:
        sent(mailed)
    assert type(error.value) is outcome


def test_a_server_that_is_not_there_may_come_back():
    with pytest.raises(Passing, match="can't be reached"):
        sent(None, url=f"smtp://127.0.0.1:{free_port()}")


def test_nothing_is_sent_in_the_clear_to_a_server_that_can_not_encrypt(mailed):
    with pytest.raises(NotSent):
        sent(mailed, url=mailed.url.replace("?starttls=off", "").replace("//", "//me:hush-hush@"))
    assert mailed.raw == []


@pytest.mark.parametrize("address", ["https://example.com/x", "smtp://host:x", "secret"])
def test_an_address_that_is_no_servers_is_refused_without_repeating_it(address):
    with pytest.raises(BadServer) as error:
        read_server("env:SMTP_URL", address)
    first, second, third = str(error.value).splitlines()
    assert "env:SMTP_URL" in first
    assert "smtps://" in second
    assert "%40" in third
    assert address not in str(error.value)
