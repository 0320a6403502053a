"""Runs that are over, at the command line: followed by their log, compared, taken away."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from salesops.cli.main import main
from tests.cli.called import salesops
from tests.fixtures import TINY
from tests.reports.runs import job, write_run


class Made(NamedTuple):
    """Two real runs of one report over ten deals, a month apart."""

    out: Path
    book: Path
    log: list[dict[str, Any]]
    said: str


@pytest.fixture
def called(capfd):
    """Call the command line in this process, which has the packages loaded."""

    def call(*arguments: str) -> tuple[int, str, str]:
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(list(arguments))
        said, told = capfd.readouterr()
        return int(ended.value.code or 0), said, told

    return call


@pytest.fixture(scope="module")
def made(tmp_path_factory, forked_kernels) -> Made:
    place = tmp_path_factory.mktemp("runs")
    book = Path(shutil.copytree(TINY, place / "book"))
    common = ("run", "funnel", "--book", str(book), "--lang", "en", "--out", str(place / "out"))
    # By itself, as nothing that it starts may write between the lines of its log.
    first = subprocess.run(
        [sys.executable, "-m", "salesops", *common, "--as-of", "2026-02-28", "--json"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert first.returncode == 0, first.stderr
    second = salesops(*common, "--as-of", "2026-03-31")
    assert second.returncode == 0, second.stderr
    log = [json.loads(line) for line in first.stdout.splitlines()]
    return Made(place / "out", book, log, second.stdout)


def test_a_run_is_logged_as_one_object_per_event_and_nothing_else(made):
    assert [line["event"] for line in made.log] == ["run_begun", "job_begun", "job_ended",
                                                    "run_ended"]  # fmt: skip
    begun, job_begun, job_ended, ended = made.log
    assert begun["jobs"] == [{"job": "funnel.en", "report": "funnel", "scope": "company",
                              "lang": "en"}]  # fmt: skip
    assert job_begun["job"] == job_ended["job"] == "funnel.en"
    assert (job_ended["state"], job_ended["cause"]) == ("made", None)
    assert 0 < job_ended["seconds"] <= ended["seconds"]
    assert (ended["made"], ended["kept"], ended["failed"]) == (1, 0, 0)
    assert (made.out / ended["run"] / "run.json").exists()
    times = [line["at"] for line in made.log]
    assert times == sorted(times)
    assert all(re.fullmatch(r"\d{4}(-\d\d){2}T\d\d(:\d\d){2}[+-]\d\d:\d\d", at) for at in times)


def test_a_run_ends_with_what_was_made_how_long_it_took_and_where_it_is(made):
    summary = made.said.replace("\n", " ")
    assert "1 page in " in summary
    assert re.search(r"1 of 1 reports made, in \d+ s, into \S+/out/\d{8}-\d{6}", summary)
    assert f"Open {made.out / 'latest' / 'index.html'}" in summary


def test_records_in_the_tests_have_the_form_of_real_ones(made):
    (real,) = json.loads((made.out / "latest" / "run.json").read_text(encoding="utf-8"))["jobs"]
    own = job()
    assert real.keys() <= own.keys()
    assert real["result"].keys() == own["result"].keys()
    assert real["result"]["lead"].keys() == own["result"]["lead"].keys()


def test_a_run_leaves_the_page_over_all_runs(made):
    for name in ("index.html", "index.en.html", "index.zh.html"):
        page = (made.out / name).read_text(encoding="utf-8")
        assert page.count('<tr class="row"') == 1
    assert "Funnel" in page or "漏斗" in page
    own = (made.out / "latest" / "index.en.html").read_text(encoding="utf-8")
    assert 'href="../index.en.html"' in own


def test_two_real_runs_are_compared_by_their_numbers(made, called):
    code, said, _told = called("compare", "--out", str(made.out), "--json", "--exit-code")
    assert code == 1
    data = json.loads(said)
    assert (data["before"]["as_of"], data["now"]["as_of"]) == ("2026-02-28", "2026-03-31")
    (report,) = data["reports"]
    moved = {one["id"]: one for one in report["metrics"]}
    # At the end of February d03 to d07 are open, at the end of March d04, d06, d07, d08 and d10.
    # The amount of d07 was 75 until 11 March.
    then, now = 40 + 80 + 50 + 30 + 75, 80 + 30 + 90 + 20 + 70
    assert (moved["open_amount"]["then"], moved["open_amount"]["now"]) == (then, now)
    assert moved["open_amount"]["change"] == now - then


def test_a_comparison_is_shown_as_text_and_as_a_page_in_either_language(made, called, tmp_path):
    for lang, word in (("en", "Funnel · Whole company"), ("zh", "漏斗 · 全公司")):
        page = tmp_path / f"{lang}.html"
        code, said, _told = called("compare", "latest~1", "latest", "--out", str(made.out),
                                   "--lang", lang, "--html", str(page))  # fmt: skip
        assert code == 0
        assert word in said
        assert word in page.read_text(encoding="utf-8")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["en.html", "zh.html"]


def test_a_run_against_itself_does_not_differ(made, called):
    code, said, _told = called("compare", "latest", "latest", "--out", str(made.out), "--exit-code")
    assert (code, said.strip().splitlines()[-1]) == (0, "Nothing differs.")


REFUSED = {
    "no such run": ("compare", "latest~9", "latest"),
    "no such folder": ("compare", "--out", "no/such/folder"),
    "no language": ("compare", "--lang", "fr"),
    "no rule": ("prune",),
    "a rule below one": ("prune", "--keep-runs", "0"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_can_not_be_done_is_refused_with_the_remedy(case, called, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, _said, told = called(*REFUSED[case])
    assert code == 2
    assert len(told.strip().splitlines()) >= 3
    assert list(tmp_path.iterdir()) == []


def test_pruning_shows_first_and_takes_away_only_when_told(tmp_path, called):
    old, new = (write_run(tmp_path, f"202{year}-06-20T22:00:00+00:00", [job()]) for year in (0, 1))
    (tmp_path / "runs").mkdir()
    record = tmp_path / "runs" / f"{old.name}.json"
    record.write_text("{}")
    common = ("prune", str(tmp_path), "--keep-runs", "1")
    for further in ((), ("--dry-run",), ("--yes", "--dry-run")):
        code, said, _told = called(*common, *further)
        assert code == 0
        assert f"Would go: {old.name}" in said
        assert "add --yes" in said
        assert old.exists()
    code, said, _told = called(*common, "--yes")
    assert code == 0
    assert f"Gone: {old.name}" in said
    assert (old.exists(), new.exists(), record.exists()) == (False, True, True)
    assert old.name not in (tmp_path / "index.en.html").read_text(encoding="utf-8")
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".gone")] == []


def test_the_page_over_all_runs_is_written_anew_in_the_language_that_it_has(tmp_path, called):
    write_run(tmp_path, "2026-06-19T22:00:00+00:00", [job()])
    code, said, _told = called("site", str(tmp_path), "--lang", "en")
    assert (code, said) == (0, f"1 run. Open {tmp_path / 'index.html'}\n")
    english = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert 'lang="en"' in english
    # Another run was copied in; one was broken.
    write_run(tmp_path, "2026-06-26T22:00:00+00:00", [job()])
    broken = write_run(tmp_path, "2026-06-27T22:00:00+00:00", [job()])
    (broken / "run.json").write_text("{", encoding="utf-8")
    code, said, _told = called("site", str(tmp_path))
    assert code == 0
    assert "Left out:" in said
    assert "2 runs. Open" in said
    again = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert 'lang="en"' in again
    assert "20260626-220000" in again
    assert "20260626-220000" not in english


@pytest.mark.parametrize("arguments", [("nowhere",), (".",), (".", "--lang", "fr")])
def test_no_page_is_written_where_there_is_no_run(tmp_path, called, monkeypatch, arguments):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "index.html").write_text("mine", encoding="utf-8")
    code, _said, told = called("site", *arguments)
    assert code == 2
    assert len(told.strip().splitlines()) >= 3
    assert [path.name for path in tmp_path.iterdir()] == ["index.html"]
    assert (tmp_path / "index.html").read_text(encoding="utf-8") == "mine"
