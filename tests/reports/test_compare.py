"""Two runs side by side: numbers with their unit, problems that came, went, returned or moved."""

import json
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from salesops.reports.compare import compare_runs, unit_of
from salesops.reports.comparewords import compared_data, compared_page, compared_text
from salesops.reports.findrun import UnknownRun, find_run
from salesops.reports.pastruns import read_runs
from tests.reports.runs import FAILURE, finding, job, write_run


def compared(out: Path, then: list[dict], now: list[dict], *, first: list[dict] | None = None):
    if first is not None:
        write_run(out, "2026-06-06T22:00:00+00:00", first)
    write_run(out, "2026-06-13T22:00:00+00:00", then)
    write_run(out, "2026-06-20T22:00:00+00:00", now)
    runs, _unread = read_runs(out, whole=True)
    return compare_runs(runs[-2], runs[-1], earlier=runs[:-2])


def test_a_metric_that_moved_has_its_difference_and_its_judgement_and_the_rest_is_counted(tmp_path):
    then = {"win_rate": 0.25, "overdue": 5e5, "n_open": 40.0, "late_share": 0.5, "bookings": 1e6}
    now = {"win_rate": 0.31, "overdue": 7e5, "n_open": 44.0, "late_share": 0.5, "bookings": None}
    found = compared(tmp_path, [job(metrics=then)], [job(metrics=now)])
    (report,) = found.reports
    # The main number and one more did not move.
    assert report.n_same == 2
    told = {one.id: (one.unit, one.change, one.judged) for one in report.metrics}
    assert told == {
        "win_rate": ("ratio", pytest.approx(0.31 - 0.25), "better"),
        "overdue": ("money", 7e5 - 5e5, "worse"),
        "n_open": ("count", 44 - 40, "neither"),
        "bookings": ("money", None, "neither"),
    }
    lines = "\n".join(compared_text(found))
    assert "+6 pts better" in lines
    assert "¥500k" in lines
    assert "+¥200k worse" in lines


def test_numbers_that_have_no_words_are_counted_and_stand_in_the_data(tmp_path):
    then = {"due_n": 52.0, "likely": 1e6, "pace": 5.76e6, "win_rate": 0.2}
    now = {"due_n": 57.0, "likely": 2e6, "pace": 6.1e6, "win_rate": 0.3}
    found = compared(tmp_path, [job(metrics=then)], [job(metrics=now)])
    lines = compared_text(found)
    assert [line for line in lines if "better" in line] == ["  Win rate  20%  30%  +10 pts better"]
    assert lines[-1].startswith("  3 numbers behind these differ too")
    assert not any(name in "\n".join(lines) for name in ("due_n", "likely", "pace", "%%"))
    told = {one["id"]: one["unit"] for one in compared_data(found)["reports"][0]["metrics"]}
    # Some reports have an amount under the name of the metric that is a share.
    assert told == {"due_n": "count", "likely": "decimal", "pace": "decimal", "win_rate": "ratio"}


@pytest.mark.parametrize(("name", "unit"), [
    ("prior_renewal_rate", "ratio"), ("cash_expected_low", "money"), ("gap_days", "days"),
    ("prior_overdue", "money"), ("likely", "decimal")])  # fmt: skip
def test_a_number_that_is_no_metric_has_the_unit_that_its_name_says_and_no_better_way(name, unit):
    assert unit_of(name) == (unit, "none")


def test_the_main_number_of_a_report_comes_first_with_its_own_way_of_being_better(tmp_path):
    then, now = ([job(kind="ratio", better="down", value=value)] for value in (0.2, 0.26))
    found = compared(tmp_path, then, now)
    (report,) = found.reports
    (main,) = report.metrics
    assert (main.id, main.judged) == ("lead.bookings", "worse")
    assert any(line.startswith("  signed") and "+6 pts worse" in line
               for line in compared_text(found))  # fmt: skip


def test_problems_are_new_gone_back_again_or_of_another_size(tmp_path):
    def problems(**stakes: float | None) -> list[dict]:
        return [job(findings=[finding(subject=name, at_stake=stake)
                              for name, stake in stakes.items()])]  # fmt: skip

    found = compared(
        tmp_path, first=problems(returning=1e5), then=problems(a=1e5, b=2e5, c=3e5, d=4e5, e=None),
        now=problems(a=1e5, b=5e5, c=1e5, returning=1e5, fresh=6e5, e=None),
    )  # fmt: skip
    (report,) = found.reports
    assert {one.subject: (one.moved, one.then, one.now) for one in report.findings} == {
        "b": ("grew", 2e5, 5e5), "c": ("shrank", 3e5, 1e5), "d": ("gone", 4e5, None),
        "returning": ("back", None, 1e5), "fresh": ("new", None, 6e5),
    }  # fmt: skip


def test_a_problem_is_said_in_its_sentence_and_by_its_code_where_its_facts_do_not_fit(tmp_path):
    evidence = {"n": 17, "amount": 3_991_400.0, "unpaid": 1_991_060.0, "payable": 1_591_920.0,
                "days": 60, "longest_days": 207, "share": 0.036, "norm_share": 0.01,
                "due_share": 0.8, "half_share": 0.96}  # fmt: skip
    whole = finding("collection.unaccepted", evidence=evidence)
    broken = finding("collection.unaccepted", "x", evidence={"amount": "much", "n": "many"})
    other = finding("no.such.code", evidence=[1])
    found = compared(tmp_path, [job()], [job(findings=[whole, broken, other])])
    text = "\n".join(compared_text(found))
    assert "17" in text
    assert "collection.unaccepted x" in text
    assert "no.such.code" in text


def test_reports_that_failed_or_are_missing_are_told(tmp_path):
    found = compared(
        tmp_path,
        [job(), job("stall", failure=FAILURE), job("churn", failure=FAILURE), job("review")],
        [job(failure=FAILURE), job("stall"), job("churn", failure=FAILURE), job("targets")],
    )
    blocks = "\n".join(compared_text(found)).split("\n\n")
    told = {block.split(" · ")[0]: block for block in blocks[1:]}
    assert f"Failed in the later run: {FAILURE['cause']}" in told["Funnel"]
    assert "Made again" in told["Stalled deals"]
    assert "Failed in both runs" in told["Churn and renewals"]
    assert "Only the earlier run" in told["Review"]
    assert "Only the later run" in told["Targets"]


def test_two_runs_that_say_the_same_do_not_differ(tmp_path):
    found = compared(tmp_path, [job(as_of="2026-06-13")], [job(as_of="2026-06-20", seconds=3.0)])
    assert not found.differs
    assert compared_text(found)[-1] == "Nothing differs."


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_page_says_what_the_text_says_and_nothing_of_the_data_is_obeyed(tmp_path, lang):
    evil = '<script>alert(1)</script>{{7*7}}"'
    then = [job(lang=lang, scope=f"team:{evil}", whose=evil, metrics={evil: 1.0, "win_rate": 0.2},
                findings=[finding(evil, evil, at_stake=1e5)])]  # fmt: skip
    now = [job(lang=lang, scope=f"team:{evil}", whose=evil, company=evil,
               metrics={evil: 2.5, "win_rate": 0.3})]  # fmt: skip
    found = compared(tmp_path, then, now)
    page = compared_page(found, lang)
    soup = BeautifulSoup(page, "html.parser")
    assert soup.find_all("script") == []
    assert evil in soup.select_one("h2").text
    cells = [cell.text for cell in soup.select("tbody th, tbody td")]
    text = "\n".join(compared_text(found, lang))
    assert len(cells) == 4 + 4
    assert all(cell in text for cell in cells if cell != "—")
    assert "http" not in page.partition("<body")[2]


def test_the_data_hold_raw_numbers_and_codes(tmp_path):
    found = compared(tmp_path, [job(metrics={"win_rate": 0.2})], [job(metrics={"win_rate": 0.3})])
    data = json.loads(json.dumps(compared_data(found)))
    assert data["differs"] is True
    (metric,) = data["reports"][0]["metrics"]
    assert metric == {"id": "win_rate", "unit": "ratio", "then": 0.2, "now": 0.3,
                      "change": pytest.approx(0.1), "judged": "better"}  # fmt: skip


def test_a_run_is_found_by_how_long_ago_by_id_by_folder_and_by_record(tmp_path):
    days = ("06", "13", "20")
    folders = [write_run(tmp_path, f"2026-06-{day}T22:00:00+00:00", [job()]) for day in days]
    record = tmp_path / "20260606-220000.json"
    record.write_bytes((folders[0] / "run.json").read_bytes())
    runs, _unread = read_runs(tmp_path)
    named = ("latest", "latest~2", "20260613-220000", "20260613", str(folders[1]), str(record))
    ids = [find_run(name, runs, tmp_path).id for name in named]
    assert ids == ["20260620-220000", "20260606-220000", "20260613-220000", "20260613-220000",
                   "20260613-220000", "20260606-220000"]  # fmt: skip


@pytest.mark.parametrize(("named", "reason"), [
    ("latest~3", "there are 2 runs"), ("2026", "2 runs begin so"), ("yesterday", "none of it"),
    ("", "none of it"), ("latest~-1", "none of it")])  # fmt: skip
def test_a_run_that_is_not_there_is_refused_with_those_that_are(tmp_path, named, reason):
    for day in ("13", "20"):
        write_run(tmp_path, f"2026-06-{day}T22:00:00+00:00", [job()])
    with pytest.raises(UnknownRun) as told:
        find_run(named, read_runs(tmp_path)[0], tmp_path)
    first, second, third = str(told.value).splitlines()
    assert repr(named) in first
    assert reason in first
    assert "2026062" in second
    assert "salesops compare" in third
