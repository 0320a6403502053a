"""A company's folder on the command line: begun, looked at, run late, run once, scheduled."""

import datetime as dt
import json
import shutil
from io import StringIO
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console

from salesops.book.book import open_book
from salesops.cli.planrunning import Way, run_plan
from tests.cli.called import salesops
from tests.fixtures import TINY

PLAN = """
[[entries]]
name = "monday"
reports = ["funnel"]
langs = ["en"]
scopes = ["team:North"]
period = "this_month"
schedule = "0 7 * * mon"
missed_hours = 100

[[entries]]
name = "evening"
card = true
langs = ["zh", "en"]
as_of = "same_day"
schedule = "30 18 * * *"

[[entries]]
name = "old"
on = false
reports = ["funnel"]
"""
AT = "2026-03-30T07:00"
# Entered, or imported, only after Monday at seven.
LATER = "d11,a1,u1,Eleven,new,needs,500.00,2026-03-30 02:00:00,2026-06-30,,,\n"


def run(company: Path, name: str, *, once: bool = False) -> str:
    """Run an entry as the command does, without a process of its own."""
    said = StringIO()
    out = Console(file=said, soft_wrap=True)
    run_plan(str(company), names=[name], at=AT, once=once, way=Way(out=out, err=out))
    return said.getvalue()


def record(company: Path) -> dict:
    return json.loads((company / "reports" / "latest" / "run.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def monday(tmp_path_factory, forked_kernels) -> SimpleNamespace:
    """One Monday, made in time and made again late, when the book knows more."""
    company = shutil.copytree(TINY, tmp_path_factory.mktemp("c") / "company")
    (company / "reports.toml").write_text(PLAN, encoding="utf-8")
    before = salesops("plan", str(company), "--at", AT, "--json")
    said = salesops("run", "--plan", str(company), "--name", "monday", "--at", AT)
    assert said.returncode == 0, said.stderr
    in_time = record(company)
    after = salesops("plan", str(company), "--name", "monday", "--at", AT)
    with (company / "opportunities.csv").open("a", encoding="utf-8") as deals:
        deals.write(LATER)
    run(company, "monday")
    return SimpleNamespace(company=company, said=said.stdout, before=before, after=after,
                           in_time=in_time, late=record(company))  # fmt: skip


def test_a_late_run_gives_the_report_of_a_punctual_one(monday):
    (punctual,), (late,) = monday.in_time["jobs"], monday.late["jobs"]
    assert punctual["result"] == late["result"]
    assert punctual["result"]["as_of"] == "2026-03-29"
    assert punctual["parameters"] == late["parameters"]
    # And yet the book knows more by then.
    known = open_book(monday.company)
    assert known.n("opportunities") == known.as_of("2026-03-29").n("opportunities") + 2


def test_the_record_names_entry_and_scheduled_time(monday):
    assert monday.in_time["plan"] == "monday"
    assert monday.in_time["scheduled"] == "2026-03-30T07:00+08:00"
    assert "as of 2026-03-29, period 2026-03" in monday.said


def test_the_plan_shows_each_job_with_its_dates_and_why(monday):
    rows = [json.loads(line) for line in monday.before.stdout.splitlines()]
    assert [(row["entry"], row["report"], row["scope"], row["why"]) for row in rows] == [
        ("monday", "funnel", "team:North", "new"),
        ("evening", "card", "company", "made each time"),
        ("evening", "card", "company", "made each time"),
    ]
    assert rows[0]["as_of"] == "2026-03-29"
    assert rows[0]["period"] == "2026-03"
    assert "1 pages, 0 to be made, 1 kept" in monday.after.stdout


def test_once_is_once_and_too_late_is_told(tmp_path):
    """By the card, which takes no kernel."""
    company = shutil.copytree(TINY, tmp_path / "company")
    (company / "reports.toml").write_text(PLAN.replace("missed_hours = 100", ""), encoding="utf-8")
    hours = (dt.datetime.now(dt.UTC) - dt.datetime(2026, 3, 30, tzinfo=dt.UTC)).days * 24
    assert hours > 168, "the tiny company lies in the past"
    late = run(company, "evening", once=True)
    assert "skipped for 2026-03-30T07:00+08:00, missed by" in late
    assert "not made" in run(company, "evening", once=True)
    assert not (company / "reports").exists()
    assert "it is off" in run(company, "old", once=True)
    assert "Card: " in run(company, "evening")
    cards = sorted(p.name for p in (company / "reports" / "cards" / "2026-03-30").iterdir())
    assert cards == ["card.en.html", "card.en.txt", "card.zh.html", "card.zh.txt"]


def test_the_next_times_of_a_plan_are_listed(monday):
    done = salesops("schedule", "list", str(monday.company), "--next", "2", "--json")
    assert done.returncode == 0, done.stderr
    told = {row["entry"]: row for row in map(json.loads, done.stdout.splitlines())}
    assert set(told) == {"monday", "evening"}
    first, second = map(dt.datetime.fromisoformat, told["monday"]["next"])
    assert (first.weekday(), first.hour, first.utcoffset()) == (0, 7, dt.timedelta(hours=8))
    assert second - first == dt.timedelta(days=7)


def test_files_for_another_scheduler_are_printed_or_written(monday, tmp_path):
    printed = salesops("schedule", "export", "cron", str(monday.company))
    assert "CRON_TZ=Asia/Shanghai\n0 7 * * mon " in printed.stdout
    done = salesops("schedule", "export", "systemd", str(monday.company), "--into", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert {path.suffix for path in tmp_path.iterdir()} == {".service", ".timer"}


def test_a_begun_company_can_be_looked_at_at_once(tmp_path):
    company = shutil.copytree(TINY, tmp_path / "company")
    begun = salesops("init", str(company), "--lang", "en")
    assert begun.returncode == 0, begun.stderr
    assert "Next: salesops check" in begun.stdout
    shown = salesops("plan", str(company), "--at", "2026-04-01T07:00")
    assert shown.returncode == 0, shown.stderr
    assert "team:North/1" in shown.stdout
    assert "Off, to be switched on" in shown.stdout


REFUSED = {
    "no plan": ("plan", "nowhere"),
    "no entry": ("run", "--plan", "PLAN", "--name", "mondy"),
    "a report beside a plan": ("run", "funnel", "--lang", "zh", "--plan", "PLAN"),
    "a time without a plan": ("run", "--at", "2026-03-30T07:00"),
    "no time": ("run", "--plan", "PLAN", "--at", "monday"),
    "a time to come": ("run", "--plan", "PLAN", "--at", "2999-01-01T07:00"),
    "no scheduler": ("schedule", "export", "at", "PLAN"),
    "no language of a company": ("init", "there", "--lang", "fr"),
    "a plan with mistakes": ("schedule", "list", "BAD"),
    "a date that the book does not know": ("plan", "EVERY", "--at", "2019-01-01T07:00"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_can_not_be_done_is_refused_with_the_remedy(case, tmp_path, tmp_path_factory):
    place = tmp_path_factory.mktemp("plans")
    # A plan of the whole company alone is refused before its book is opened.
    whole = PLAN.replace("team:North", "company")
    texts = {"PLAN": whole, "BAD": PLAN.replace("funnel", "funel"),
             "EVERY": PLAN.replace("team:North", "every_team")}  # fmt: skip
    for name, text in texts.items():
        (place / f"{name}.toml").write_text(f'book = "{TINY}"\n{text}', encoding="utf-8")
    arguments = [str(place / f"{a}.toml") if a in texts else a for a in REFUSED[case]]
    done = salesops(*arguments, cwd=tmp_path)
    assert done.returncode == 2, done
    assert "Traceback" not in done.stderr
    assert len([line for line in done.stderr.splitlines() if line.strip()]) >= 3
    assert list(tmp_path.iterdir()) == []
