"""Every notebook runs through papermill in both languages, and its page is whole."""

import json
import re
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from salesops.book.write import write_store
from salesops.model.errors import BadScope
from salesops.reports.jobs import known_reports
from salesops.reports.run import run_reports
from salesops.reports.spent import Spent, summed
from tests.companies import random_company
from tests.fixtures import TINY

pytestmark = pytest.mark.usefixtures("forked_kernels")


@pytest.fixture
def tiny(tmp_path) -> str:
    """Copy a book, since a run leaves its record beside it."""
    return str(shutil.copytree(TINY, tmp_path / TINY.name))


def pages(run) -> dict[str, str]:
    return {p.stem: p.read_text(encoding="utf-8") for p in run.folder.glob("*.html")}


def test_every_report_runs_in_both_languages(sample_run):
    assert sample_run.failed == ()
    made = {done.job.stem for done in sample_run.done}
    assert made == {f"{report}.{lang}" for report in known_reports() for lang in ("zh", "en")}


def test_every_page_is_one_small_file_that_needs_no_network(sample_run):
    for name, page in pages(sample_run).items():
        assert len(page.encode()) < 2 * 2**20, name
        assert not re.search(r'(src|href)="https?://', page), name
        assert "@import" not in page, name


def test_the_head_names_company_period_and_date(sample_run):
    page = pages(sample_run)["funnel.zh"]
    for text in ("云拓智联", "2026年6月", "2026-06-20"):
        assert text in page
    assert '<html lang="zh' in page
    assert '<html lang="en' in pages(sample_run)["funnel.en"]


def test_pictures_say_in_words_what_they_show(sample_run):
    for name, page in pages(sample_run).items():
        for image in re.findall(r"<img[^>]*>", page):
            assert re.search(r'alt="[^"]{10,}"', image), (name, image[:200])


def test_the_index_leads_to_every_page(sample_run):
    index = pages(sample_run)["index"]
    for done in sample_run.done:
        if done.job.lang == "zh":
            assert done.page in index


def test_a_teams_page_and_notebook_name_nobody_of_another_team(tmp_path):
    company = random_company(6, n=60)
    for person in company.users:
        side = person.first["region"]
        person.edits = [e for e in person.edits if e[2].startswith(side)]
    for deal in company.deals:
        deal.first["name"] = f"Sentinel {deal.id}"
    book = write_store(tmp_path / "book", company.tables())
    run = run_reports(["funnel"], book=str(book), scopes=["team:North"], out=tmp_path / "out")
    assert run.failed == ()
    outside = {p.id for p in company.users if p.first["region"] == "South"}
    touched = {
        deal.id
        for deal in company.deals
        if {deal.first["owner_id"], *(v for _w, f, v in deal.edits if f == "owner_id")} <= outside
    }
    assert touched
    for path in [*run.folder.iterdir(), run.record]:
        text = path.read_text(encoding="utf-8")
        for who in outside:
            assert f"Name {who}" not in text, (path.name, who)
        for deal in touched:
            assert f"Sentinel {deal}" not in text, (path.name, deal)


def test_a_report_that_fails_says_where_and_why_and_the_others_finish(tmp_path, tiny, monkeypatch):
    import salesops.reports.jobs as jobs

    folder = tmp_path / "notebooks"
    folder.mkdir()
    whole = Path("notebooks/funnel.ipynb").read_text(encoding="utf-8")
    (folder / "funnel.ipynb").write_text(whole, encoding="utf-8")
    broken = json.loads(whole)
    for cell in broken["cells"]:
        if cell["id"] == "exhibit-waterfall":
            cell["source"] = ['result.exhibit("no such thing")']
    (folder / "broken.ipynb").write_text(json.dumps(broken), encoding="utf-8")
    monkeypatch.setattr(jobs, "notebooks_folder", lambda: folder)
    run = run_reports(["broken", "funnel"], book=tiny, langs=["en"], out=tmp_path / "out")
    (failed,) = run.failed
    assert failed.job.report == "broken"
    page = (run.folder / failed.page).read_text(encoding="utf-8")
    assert "no such thing" in page
    assert "exhibit-waterfall" in page
    assert (run.folder / "funnel.en.html").exists()


def cell(seconds: float | None, *tags: str) -> dict:
    return {"metadata": {"tags": list(tags), "papermill": {"duration": seconds}}}


def test_the_time_of_a_job_is_split_at_the_cell_that_opens_the_book():
    notebook = SimpleNamespace(
        cells=[cell(None), cell(0.5, "parameters"), cell(2.0, "head"), cell(0.25, "exhibits"),
               cell(0.75, "detail"), {"metadata": {}}]
    )  # fmt: skip
    spent = Spent.of(notebook, executed=5.0, export=1.5)
    assert spent.by_part() == {"start": 5 - 3.5, "import": 2.5, "cells": 1.0, "export": 1.5}
    assert spent.seconds == 5.0 + 1.5
    assert (
        summed([spent, spent, spent]) == "3 pages in 20 s: start 4, import and analysis 8, "
        "cells 3, export 4"
    )


def test_what_is_wrong_is_found_by_a_process_of_its_own_too(tiny, monkeypatch):
    """As on the command line, where the packages that open a book are not loaded yet."""
    import salesops.reports.checking as checking

    monkeypatch.delitem(checking.sys.modules, "salesops.book.book")
    asked = {"book": tiny, "as_of": "latest", "period": "latest"}
    with checking.Check(asked, ["company", "team:North"]) as check:
        check.passed()
    with checking.Check(asked, ["team:Nroth"]) as check, pytest.raises(BadScope) as error:
        check.passed()
    assert (error.value.value, "North" in error.value.known) == ("team:Nroth", True)
