"""Names that would do harm stay names: in the page, on paper, in the workbook, on the disk."""

import json
import shutil
import subprocess
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from playwright.sync_api import Page

import salesops
from salesops.reports.browser import Browser
from salesops.reports.handover import hand_over
from salesops.reports.pdf import finish_exports
from salesops.reports.run import run_reports
from salesops.wording import language
from tests.fixtures import SAMPLE

pytestmark = pytest.mark.browser

LONG = "长" + "long name " * 1000
HOSTILE = (
    "<script>alert(1)</script>", '=HYPERLINK("http://127.0.0.1:9/x","y")', "{{7*7}}",
    "$(rm -rf)", "$a$b^{c}$", "\u202eevil\u202c \u200fname\x01",
    "</style><img src=x onerror=alert(2)>",
    '"><svg onload=alert(3)>', "@SUM(A1)", "http://127.0.0.1:9/click", LONG,
)  # fmt: skip
TEAM = "../../etc"


def renamed(table: pd.DataFrame, column: str) -> pd.DataFrame:
    names = [f"{HOSTILE[n % len(HOSTILE)]}" for n in range(len(table))]
    return table.assign(**{column: names})


@pytest.fixture(scope="module")
def book(tmp_path_factory) -> Path:
    """Give the sample with every name of a customer, a deal and a person made hostile."""
    folder = Path(shutil.copytree(SAMPLE, tmp_path_factory.mktemp("hostile") / "book"))
    for table, column in (("accounts", "name"), ("opportunities", "name"), ("leads", "company")):
        path = folder / f"{table}.parquet"
        renamed(pd.read_parquet(path), column).to_parquet(path, index=False)
    # They speak of teams by the names that these had.
    (folder / "actions.csv").unlink()
    users = pd.read_csv(folder / "users.csv", dtype=str)
    team = users["team"].mode()[0]
    renamed(users, "name").replace({"team": {team: TEAM}}).to_csv(folder / "users.csv", index=False)
    targets = pd.read_csv(folder / "targets.csv", dtype=str)
    targets.replace({"key": {team: TEAM}}).to_csv(folder / "targets.csv", index=False)
    path = folder / "changes.parquet"
    changes = pd.read_parquet(path)
    changes.replace({"old_value": {team: TEAM}, "new_value": {team: TEAM}}).to_parquet(path)
    return folder


@pytest.fixture(scope="module")
def run(book, tmp_path_factory, forked_kernels):
    out = tmp_path_factory.mktemp("out") / "in" / "reports"
    made = run_reports(
        ["funnel", "collection"], book=str(book), langs=["en"], out=out,
        scopes=["company", f"team:{TEAM}"],
    )  # fmt: skip
    assert made.failed == ()
    return made


@pytest.fixture(scope="module")
def pages(run) -> list[Path]:
    return sorted(run.folder.glob("*.html"))


def listened(browser, width: int) -> tuple[Page, list[str]]:
    """Open an empty page, and a list of all that its scripts say and it asks for."""
    page, told = browser.new_page(viewport={"width": width, "height": 900}), []
    page.on("dialog", lambda dialog: (told.append(dialog.message), dialog.dismiss()))
    page.on("pageerror", lambda error: told.append(str(error)))
    page.on("console", lambda message: told.append(message.text))
    page.on("request", lambda r: None if r.url[:5] in ("file:", "data:") else told.append(r.url))
    return page, told


@pytest.mark.parametrize("width", [1200, 390])
def test_no_script_runs_no_request_leaves_and_the_layout_holds(browser, pages, width):
    for path in pages:
        page, told = listened(browser, width)
        page.goto(f"file://{path}")
        page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
        assert told == [], path.name
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path.name
        assert page.locator("script").count() == 1
        assert page.evaluate("document.querySelectorAll('[onerror], [onload], iframe').length") == 0
        page.close()


def test_names_stand_as_they_are_and_a_long_one_is_whole_in_its_title(browser, pages):
    (path,) = [path for path in pages if path.name == "collection.en.html"]
    page = browser.new_page()
    page.goto(f"file://{path}")
    text = page.locator("body").inner_text()
    for name in ("<script>alert(1)</script>", "{{7*7}}", "$(rm -rf)", "$a$b^{c}$"):
        assert name in text
    assert "\u202e" not in text
    titles = page.eval_on_selector_all(
        "td[title]", "f => f.map(e => [e.title, e.innerText.length])"
    )
    assert any(len(title) > 9_000 and shown <= 80 for title, shown in titles)
    page.close()


def test_a_script_that_got_in_by_itself_would_not_run_either(browser, pages, tmp_path):
    """The page's own policy stops it."""
    bad = (
        pages[0]
        .read_text(encoding="utf-8")
        .replace(
            "<main>", "<main><script>document.title = 'owned'</script><p onclick=alert(1)>x</p>"
        )
    )
    (tmp_path / "bad.html").write_text(bad, encoding="utf-8")
    page = browser.new_page()
    page.goto(f"file://{tmp_path}/bad.html")
    assert page.title() != "owned"
    page.close()


def test_no_file_lies_outside_the_folder_of_the_run(run, book):
    root = run.folder.parent
    pages = {"index.html", "index.zh.html", "index.en.html"}
    assert {path.name for path in root.iterdir()} == {run.folder.name, "latest", ".kept", *pages}
    assert [path.name for path in root.parent.iterdir()] == [root.name]
    assert all(path.is_file() for path in run.folder.iterdir())
    stems = {
        job["page"] for job in json.loads((run.folder / "run.json").read_text("utf-8"))["jobs"]
    }
    assert len(stems) == 4


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_no_cell_is_a_formula_and_no_text_is_lost(book, tmp_path, lang):
    result = salesops.collection(salesops.open_book(str(book)))
    with language(lang):
        files = hand_over(result, tmp_path, f"collection.{lang}", ["xlsx", "json", "png"]).files
    cells = [cell for sheet in openpyxl.load_workbook(tmp_path / files["xlsx"])
             for row in sheet for cell in row]  # fmt: skip
    assert {cell.data_type for cell in cells} <= {"inlineStr", "s", "n", "d", "b"}
    texts = [cell.value for cell in cells if isinstance(cell.value, str)]
    assert not any(text.startswith(("=", "+", "-", "@", "\t")) for text in texts)
    assert "<script>alert(1)</script>" in texts
    assert any(len(text) > 9_000 for text in texts)
    names = "".join(subprocess.run(["unzip", "-l", tmp_path / files["xlsx"]], capture_output=True,
                                   text=True, check=True).stdout)  # fmt: skip
    assert "externalLink" not in names
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        [files["xlsx"], files["json"], *files["png"]]
    )


def test_paper_shows_the_names_and_leads_nowhere(pages, tmp_path):
    path = next(path for path in pages if path.name == "collection.en.html")
    shutil.copy(path, tmp_path)
    with Browser() as browser:
        finish_exports(browser, tmp_path, "collection.en", ["pdf"])
    made = tmp_path / "collection.en.pdf"
    text = subprocess.run(["pdftotext", made, "-"], capture_output=True, text=True, check=True)
    assert "alert(1)" in text.stdout
    links = subprocess.run(["pdfinfo", "-url", made], capture_output=True, text=True, check=True)
    assert "http" not in links.stdout
    assert str(tmp_path) not in links.stdout
