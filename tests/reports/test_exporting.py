"""Other schedulers get files that their own programs can read, and that mean the same times."""

import ast
import configparser
import datetime as dt
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import yaml

from salesops.reports.cron import Cron
from salesops.reports.exporting import (
    NothingScheduled,
    UnknownScheduler,
    exported,
    on_calendar,
    utc_crons,
)
from salesops.reports.plan import open_plan

PLAN = """
[[entries]]
name = "monday"
reports = ["stall"]
schedule = "0 7 * * mon"
zone = "Asia/Shanghai"

[[entries]]
name = "month-end"
reports = ["performance"]
schedule = "30 7 1 1,4,7,10 *"
zone = "Europe/Berlin"

[[entries]]
name = "by_hand"
reports = ["funnel"]

[[entries]]
name = "asleep"
on = false
reports = ["funnel"]
schedule = "0 7 * * *"
"""
ODD = '50% of $HOME\'s {{7*7}} "x" 公司'


@pytest.fixture(params=["plain", ODD])
def company(request, tmp_path):
    folder = tmp_path / request.param
    folder.mkdir()
    (folder / "reports.toml").write_text(PLAN, encoding="utf-8")
    return open_plan(folder)


def wanted(company, name: str, at: str) -> list[str]:
    return [sys.executable, "-m", "salesops", "run", "--plan", str(company.path.resolve()),
            "--name", name, "--once", "--at", at]  # fmt: skip


def echoed(command: str) -> list[str]:
    """Give the words that a shell makes of a command."""
    script = f"set -- {command}; printf '%s\\n' \"$@\""
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def test_a_crontab_names_zone_time_and_a_command_that_a_shell_reads_whole(company):
    (text,) = exported("cron", company).values()
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert lines[::2] == ["CRON_TZ=Asia/Shanghai", "CRON_TZ=Europe/Berlin"]
    for line, (name, schedule) in zip(
        lines[1::2], [("monday", "0 7 * * mon"), ("month-end", "30 7 1 1,4,7,10 *")], strict=True
    ):
        fields, command = line.split()[:5], line.split(maxsplit=5)[5]
        assert " ".join(fields) == schedule
        assert not re.search(r"(?<!\\)%", command), "a bare % ends the command for cron"
        assert echoed(command.replace(r"\%", "%")) == wanted(company, name, "last")


def test_the_units_of_systemd_are_two_for_each_entry(company):
    files = exported("systemd", company)
    assert sorted(files) == ["salesops-monday.service", "salesops-monday.timer",
                             "salesops-month-end.service", "salesops-month-end.timer"]  # fmt: skip
    for text in files.values():
        read = configparser.RawConfigParser(strict=True)
        read.optionxform = str
        read.read_string(text)
        assert "Unit" in read
    timer = files["salesops-monday.timer"]
    assert "OnCalendar=Mon *-*-* 07:00:00 Asia/Shanghai\nPersistent=true" in timer


needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd is not installed"
)


@needs_systemd
def test_systemd_itself_finds_nothing_wrong_with_the_units(company, tmp_path):
    place = tmp_path / "units"
    place.mkdir()
    for name, text in exported("systemd", company).items():
        (place / name).write_text(text, encoding="utf-8")
    services = [str(path) for path in place.iterdir()]
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", *services],
                          capture_output=True, text=True, check=False)  # fmt: skip
    ours = [line for line in done.stderr.splitlines() if "salesops-" in line]
    assert ours == []


SCHEDULES = [
    ("0 7 * * mon", "Asia/Shanghai"), ("*/15 8-9 * * 1-5", "Europe/Berlin"),
    ("30 18 1,15 * *", "Asia/Shanghai"), ("0 0 1 1,4,7,10 *", "America/New_York"),
    ("5,35 */6 * * sun,wed", "UTC"), ("0 23 31 * *", "Asia/Tokyo"),
]  # fmt: skip


@needs_systemd
@pytest.mark.parametrize(("text", "zone"), SCHEDULES)
def test_systemd_reads_the_same_times_out_of_its_calendar(text, zone):
    cron = Cron(text, zone)
    base = dt.datetime(2026, 2, 26, 5, tzinfo=dt.UTC)
    since = f"--base-time={base:%Y-%m-%d %H:%M:%S} UTC"
    done = subprocess.run(
        ["systemd-analyze", "calendar", "--iterations=8", since, on_calendar(cron)],
        capture_output=True, text=True, check=True, env={"TZ": "UTC", "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    stamps = re.findall(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) UTC$", done.stdout, re.M)
    theirs = [dt.datetime.fromisoformat(stamp).replace(tzinfo=dt.UTC) for stamp in stamps]
    ours, moment = [], base
    while len(ours) < 8:
        moment = cron.next_after(moment)
        ours.append(moment.astimezone(dt.UTC))
    assert theirs == ours


def calls(tree: ast.AST, name: str) -> list[ast.Call]:
    return [node for node in ast.walk(tree)
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == name]  # fmt: skip


def test_the_file_for_airflow_is_python_whose_logical_date_is_passed_on(company):
    (text,) = exported("airflow", company).values()
    tree = ast.parse(compile(text, "dags.py", "exec", ast.PyCF_ONLY_AST) and text)
    tables = calls(tree, "CronTriggerTimetable")
    assert [ast.literal_eval(call.args[0]) for call in tables] == ["0 7 * * mon",
                                                                   "30 7 1 1,4,7,10 *"]  # fmt: skip
    zones = [ast.literal_eval(call.keywords[0].value) for call in tables]
    assert zones == ["Asia/Shanghai", "Europe/Berlin"]
    ids = [ast.literal_eval(k.value) for call in calls(tree, "DAG") for k in call.keywords
           if k.arg == "dag_id"]  # fmt: skip
    assert ids == ["salesops_monday", "salesops_month-end"]
    command = next(ast.literal_eval(k.value) for call in calls(tree, "BashOperator")
                   for k in call.keywords if k.arg == "bash_command")  # fmt: skip
    # Airflow fills templates in with Jinja, as here.
    import jinja2

    logical = dt.datetime(2026, 3, 2, 7, tzinfo=ZoneInfo("Asia/Shanghai"))
    filled = jinja2.Environment().from_string(command).render(logical_date=logical)
    assert echoed(filled) == wanted(company, "monday", "2026-03-02T07:00:00+08:00")


def test_the_workflow_is_yaml_that_runs_each_entry_by_its_own_cron_in_utc(company):
    (text,) = exported("github-actions", company).values()
    read = yaml.safe_load(text)
    crons = [line["cron"] for line in read[True]["schedule"]]  # YAML 1.1 reads `on` as true
    assert crons == ["0 23 * * 0", "30 6 1 1,4,7,10 *"]
    assert list(read["jobs"]) == ["monday", "month-end"]
    monday = read["jobs"]["monday"]
    assert "github.event.schedule == '0 23 * * 0'" in monday["if"]
    (run,) = [step["run"] for step in monday["steps"] if "salesops run" in step.get("run", "")]
    assert shlex.split(run)[:4] == ["salesops", "run", "--plan", "reports.toml"]
    assert "Asia/Shanghai keeps one time all year" in text
    assert "In summer it begins 1 h later by the clocks of Europe/Berlin" in text


@pytest.mark.parametrize(("text", "zone"), [*SCHEDULES, ("0 7 1 * *", "Asia/Shanghai")])
def test_no_time_of_a_year_is_missing_in_utc_and_in_summer_it_comes_later(text, zone):
    own, utc = Cron(text, zone), [Cron(line) for line in utc_crons(Cron(text, zone))]
    winter = dt.datetime(2026, 1, 15, tzinfo=ZoneInfo(zone)).utcoffset()
    moment, end = dt.datetime(2026, 1, 1, tzinfo=dt.UTC), dt.datetime(2027, 1, 1, tzinfo=dt.UTC)
    while (moment := own.next_after(moment)) < end:
        fires = moment.astimezone(dt.UTC) + (moment.utcoffset() - winter)
        assert any(cron.last_until(fires) == fires for cron in utc), moment


def test_a_day_that_moves_over_the_end_of_a_month_leaves_only_times_that_are_skipped():
    own = Cron("30 7 1 * *", "Asia/Shanghai")
    (line,) = utc_crons(own)
    moment, late = dt.datetime(2026, 1, 15, tzinfo=dt.UTC), []
    while (moment := Cron(line).next_after(moment)) < dt.datetime(2027, 1, 15, tzinfo=dt.UTC):
        late.append(moment - own.last_until(moment))
    assert late.count(dt.timedelta(0)) == 12  # each month of a year once
    # A plan may make up for a week at most.
    assert all(by == dt.timedelta(0) or by > dt.timedelta(days=7) for by in late)


def test_what_there_is_no_export_for_is_refused(tmp_path):
    path = tmp_path / "reports.toml"
    path.write_text('[[entries]]\nname = "e"\nreports = ["funnel"]\n', encoding="utf-8")
    with pytest.raises(UnknownScheduler, match="nearest: systemd"):
        exported("systmd", open_plan(path))
    with pytest.raises(NothingScheduled, match="no entry that is on"):
        exported("cron", open_plan(path))
    assert Path(path).parent == tmp_path
