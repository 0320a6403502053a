"""A plan is read whole or refused whole, with every mistake in one table."""

import datetime as dt
import shutil
from pathlib import Path

import pytest

from salesops.reports.plan import NoPlan, UnknownEntry, open_plan, read_plan
from salesops.reports.planfaults import BadPlan
from salesops.reports.planned import planned
from tests.fixtures import TINY

MONDAY = """
book = "."

[[entries]]
name = "monday"
reports = ["stall", "funnel"]
scopes = ["company", "every_team", "team:North/1"]
langs = ["zh", "en"]
formats = ["html", "pdf"]
period = "last_month"
schedule = "0 7 * * mon"
recipients = ["leads"]

[recipients.leads]
to = ["lead@example.com", "env:SALES_GROUP"]
scope = "team:North"
lang = "en"
"""
MONDAY_AT_7 = dt.datetime.fromisoformat("2026-03-30T07:00+08:00")


@pytest.fixture(scope="module")
def company(tmp_path_factory) -> Path:
    folder = shutil.copytree(TINY, tmp_path_factory.mktemp("company") / "tiny")
    (folder / "reports.toml").write_text(MONDAY, encoding="utf-8")
    return folder


def entry(line: str, *, name: str = "e") -> str:
    whole = {"name": f'"{name}"', "reports": '["stall"]'}
    key = line.partition(" = ")[0]
    lines = [f"{k} = {v}" for k, v in whole.items() if k != key]
    return "\n".join(["[[entries]]", *lines, line]) + "\n"


BAD = {  # text, key, what the table says of it
    "no such report": (entry('reports = ["stal"]'), "e: reports", '"stal"', "nearest: stall"),
    "nothing to make": (entry("reports = []"), "e: reports", "", "card = true"),
    "no such format": (entry('formats = ["docx"]'), "e: formats", '"docx"', "html, pdf"),
    "no format": (entry("formats = []"), "e: formats", "", "one at least"),
    "no such language": (entry('langs = ["fr"]'), "e: langs", '"fr"', "zh, en"),
    "a scope without a side": (entry('scopes = ["North"]'), "e: scopes", '"North"', "team:<path>"),
    "a misspelt grid": (entry('scopes = ["every_tem"]'), "e: scopes", '"every_tem"', "every_team"),
    "no such team": (entry('scopes = ["team:Nroth"]'), "e: scopes", '"team:Nroth"', "North"),
    "no such period": (entry('period = "last_week"'), "e: period", '"last_week"', "last_year"),
    "no schedule": (entry('schedule = "7:00"'), "e: schedule", '"7:00"', "0 7 * * mon"),
    "no such zone": (entry('zone = "Asia/Beijing"'), "e: zone", '"Asia/Beijing"', "IANA"),
    "no such day": (entry('as_of = "yesterday"'), "e: as_of", '"yesterday"', "day_before"),
    "a misspelt key": (entry("repotrs = []"), "e: repotrs", '"repotrs"', "nearest: reports"),
    "a name with a blank": (entry("on = true", name="my plan"), "my plan: name", "", "letters"),
    "two of one name": (entry("on = true") * 2, "e: name", '"e"', "no other entry"),
    "no such recipient": (entry('recipients = ["boss"]'), "e: recipients", '"boss"', "none"),
    "no such parameter": (
        entry("parameters = { holdout = 0.1 }"), "e: parameters.holdout", "0.1", "holdout_share",
    ),
    "a parameter of the wrong type": (
        entry('parameters = { holdout_share = "much" }'), "e: parameters.holdout_share", '"much"',
        "float",
    ),
    "a date as a parameter": (
        entry('parameters = { as_of = "2026-01-01" }'), "e: parameters.as_of", "", "entry",
    ),
    "hours that are none": (entry("missed_hours = -1"), "e: missed_hours", "-1", "greater"),
    "a channel's own address": (
        entry("on = true") + '[recipients.r]\nto = ["https://hook.test/?key=s3cret"]\n',
        "[recipients.r] to", "", "env:WECOM_SALES",
    ),
    "a name that does not say where it leads": (
        entry("on = true") + '[recipients.r]\nto = ["SALES_GROUP"]\n',
        "[recipients.r] to", "", "env:",
    ),
    "an address that is no list": (
        entry("on = true") + '[recipients.r]\nto = "https://hook.test/?key=s3cret"\n',
        "[recipients.r] to", "", "in brackets",
    ),
    "a server with its password": (
        entry("on = true") + '[delivery]\nserver = "smtps://me:s3cret@mail.test"\n',
        "[delivery] server", "", "env:SMTP_URL",
    ),
    "an operator that there is not": (
        entry("on = true") + '[delivery]\noperator = "op"\n[recipients.ops]\nto = ["a@b.test"]\n',
        "[delivery] operator", '"op"', "ops",
    ),
    "a misspelt key of delivery": (
        entry("on = true") + '[delivery]\nbase = "https://r.test"\n',
        "[delivery] base", '"base"', "base_url",
    ),
    "a recipient who reads another language": (
        entry("langs = [\"zh\"]") + 'recipients = ["abroad"]\n'
        '[recipients.abroad]\nto = ["a@b.test"]\nlang = "en"\n',
        "e: recipients", '"abroad"', "langs",
    ),
    "a recipient of other reports": (
        entry('recipients = ["few"]')
        + '[recipients.few]\nto = ["a@b.test"]\nreports = ["funnel"]\n',
        "e: recipients", '"few"', "funnel",
    ),
    "a recipient of a team that is not": (
        entry("on = true") + '[recipients.r]\nto = ["a@b.test"]\nscope = "team:Sout"\n',
        "[recipients.r] scope", '"team:Sout"', "South",
    ),
    "a password": ('book = "postgres://me:s3cret@db/crm"\n', "book", "", "PGPASSWORD"),
    "a cluster without address": ('cluster = "my scheduler"\n', "cluster", '"my scheduler"', "tcp://"),
    "no TOML": ("entries = [\n", "the file", "", "TOML"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_what_a_plan_can_not_mean_is_told_with_key_value_and_what_is_nearest(case):
    text, key, value, told = BAD[case]
    with pytest.raises(BadPlan) as error:
        read_plan(text, TINY / "reports.toml", over_book=True)
    (row,) = error.value.rows
    assert row[0] == key
    assert value in row[1]
    assert told in row[2]
    assert "s3cret" not in str(error.value)


def test_all_mistakes_of_a_plan_stand_in_one_table():
    one_mistake = [text for text, key, *_ in BAD.values() if key.startswith("e: ")]
    text = "".join(part.replace('"e"', f'"e{i}"') for i, part in enumerate(one_mistake))
    with pytest.raises(BadPlan) as error:
        read_plan(text, TINY / "reports.toml", over_book=True)
    named = {row[0].split(":")[0] for row in error.value.rows}
    # The two of one name have the same new one.
    assert len(named) == len(one_mistake)
    assert len(str(error.value).splitlines()) == len(error.value.rows) + 4


def test_a_plan_that_is_not_there_says_how_to_make_one(tmp_path):
    with pytest.raises(NoPlan, match="salesops init"):
        open_plan(tmp_path)


def test_an_entry_that_is_not_there_names_the_nearest(company):
    with pytest.raises(UnknownEntry, match="Nearest: monday"):
        open_plan(company).entry("mondy")


def test_a_grid_is_laid_over_the_teams_of_the_book_each_once(company):
    plan = open_plan(company, over_book=True)
    (found,) = planned(plan, at=lambda _entry: MONDAY_AT_7)
    assert (found.moment.as_of, found.moment.period) == ("2026-03-29", "2026-02")
    scopes = ["company", "team:North/1", "team:South/1"]
    assert {(job.report, job.scope, job.lang) for job in found.jobs} == {
        (report, scope, lang)
        for report in ("stall", "funnel") for scope in scopes for lang in ("zh", "en")
    }  # fmt: skip
    assert {job.parameters["as_of"] for job in found.jobs} == {"2026-03-29"}
    assert set(found.reasons) == {"new"}


def test_another_word_for_why_can_be_plugged_in(company):
    def why(jobs, _formats):
        return tuple(f"for {job.scope}" for job in jobs)

    (found,) = planned(open_plan(company), at=lambda _entry: MONDAY_AT_7, why=why)
    assert found.reasons[0] == "for company"


def test_the_last_time_of_an_entry_is_that_of_its_zone(company):
    plan = open_plan(company)
    now = dt.datetime.fromisoformat("2026-03-30T00:30+00:00")  # half past eight in Shanghai
    assert plan.due(plan.entry("monday"), now) == MONDAY_AT_7
    early = dt.datetime.fromisoformat("2026-03-29T22:30+00:00")
    assert plan.due(plan.entry("monday"), early) == MONDAY_AT_7 - dt.timedelta(days=7)
