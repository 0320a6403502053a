"""The page over all runs in a real browser: opened, searched, filtered, folded, printed."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from salesops.reports.site import write_site
from tests.reports.runs import FAILURE, job, weekly
from tests.reports.test_site import hostile_run

pytestmark = pytest.mark.browser
DAYS = ("2026-05-30", "2026-06-06", "2026-06-13", "2026-06-20")
TEAMS = ("company", "team:华东/一组", "team:华东/二组")
LANGS = ("zh", "en")
ROWS = "table.index tr.row:visible"
WORDS = {
    "zh": "销售额比目标少一点，延期是主因。",
    "en": "Bookings are short; pushing out is the cause.",
}


def jobs_on(number: int, day: str) -> list[dict]:
    return [
        job(report, team, lang, as_of=day, rows=day, period=day[:7], company="云拓智联",
            whose=team[5:], value=1e6 * (number + 1),
            verdict=[WORDS[lang]] if report == "stall" else (),
            better="down" if report == "stall" else "up",
            state="kept" if report == "churn" else None,
            failure=FAILURE if (report, team, number) == ("churn", TEAMS[1], 3) else None,
            files={"html": f"{report}-{TEAMS.index(team)}.{lang}.html", "pdf": f"{report}.pdf",
                   "xlsx": f"{report}.xlsx"})
        for team in TEAMS for report in ("funnel", "stall", "churn") for lang in LANGS
    ]  # fmt: skip


@pytest.fixture(scope="module")
def out(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    weekly(folder, DAYS, jobs_on)
    write_site(folder)
    return folder


@pytest.fixture
def told() -> list[str]:
    """What a page says in the console, and what it asks of the network."""
    return []


@pytest.fixture
def opened(browser, out, told) -> Iterator:
    pages: list[Page] = []

    def open_one(lang: str, width: int = 1200, folder: Path = out) -> Page:
        page = browser.new_page(viewport={"width": width, "height": 900})
        pages.append(page)
        page.on("console", lambda message: told.append(message.text))
        page.on("pageerror", lambda error: told.append(str(error)))
        page.on("request", lambda r: told.append(r.url) if r.url.startswith("http") else None)
        page.on("dialog", lambda dialog: told.append(dialog.message))
        page.goto(f"file://{folder}/index.{lang}.html")
        return page

    yield open_one
    for page in pages:
        page.close()


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("width", [1200, 800, 390])
def test_the_page_fits_its_width_and_asks_nobody(opened, told, lang, width):
    page = opened(lang, width)
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator(ROWS).count() == 9
    assert told == []


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("width", [1200, 390])
def test_no_two_texts_lie_on_each_other(opened, lang, width):
    page = opened(lang, width)
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    overlaps = page.evaluate(
        """() => {
        const boxes = [...document.querySelectorAll('h1,h2,p,th,td,dt,dd,summary,a,label')]
          .filter(e => e.checkVisibility() && e.innerText !== '')
          .flatMap(e => [...e.getClientRects()].map(b => [e, b]))
          .filter(([, b]) => b.width && b.height);
        const found = [];
        for (let i = 0; i < boxes.length; i++) for (let j = i + 1; j < boxes.length; j++) {
          const [a, p] = boxes[i], [b, q] = boxes[j];
          if (a.contains(b) || b.contains(a)) continue;
          const w = Math.min(p.right, q.right) - Math.max(p.left, q.left);
          const h = Math.min(p.bottom, q.bottom) - Math.max(p.top, q.top);
          if (w > 2 && h > 2) found.push([a.innerText.slice(0, 40), b.innerText.slice(0, 40)]);
        }
        return found; }"""
    )
    assert overlaps == []


@pytest.mark.parametrize("lang", LANGS)
def test_it_is_searched_from_the_keyboard_letter_by_letter(opened, lang):
    page = opened(lang)
    page.keyboard.press("/")
    page.keyboard.type({"zh": "延期 一组", "en": "pushing 一组"}[lang])
    assert page.locator(ROWS).count() == 1
    assert page.locator("#count").inner_text() == {"zh": "1份", "en": "1 reports"}[lang]
    page.keyboard.press("Escape")
    assert page.locator(ROWS).count() == 9
    page.keyboard.type("no report says this")
    assert page.locator(ROWS).count() == 0
    assert page.locator("#none").is_visible()


def test_all_that_can_be_done_is_reached_by_tab_in_its_order(opened):
    page = opened("zh")
    order = []
    for _press in range(90):
        page.keyboard.press("Tab")
        order.append(page.evaluate(
            "(e => e.id || e.tagName + (e.closest('#earlier') ? ' earlier' : ''))"
            "(document.activeElement)"))  # fmt: skip
    ids = [one for one in order if one.startswith(("q", "by-", "worse"))]
    assert ids[:6] == ["q", "by-period", "by-scope", "by-report", "by-state", "worse"]
    assert "SUMMARY earlier" in order
    page.locator("#earlier summary").first.focus()
    page.keyboard.press("Enter")
    assert page.locator("#earlier details").first.evaluate("fold => fold.open")


def test_filters_narrow_by_period_scope_report_and_state(opened):
    page = opened("zh")
    page.select_option("#by-report", "churn")
    assert page.locator(ROWS).count() == 3
    page.select_option("#by-state", "failed")
    assert page.locator(ROWS).count() == 1
    # Why it failed is shown with it.
    assert page.locator("tr.more:visible").count() == 1
    page.select_option("#by-state", "kept")
    assert page.locator(ROWS).count() == 2
    assert page.locator("tr.more:visible").count() == 0
    page.select_option("#by-scope", "company")
    assert page.locator(ROWS).count() == 1
    for name in ("report", "state", "scope"):
        page.select_option(f"#by-{name}", "")
    page.check("#worse")
    # A larger number is worse for what stands still, and one report failed.
    assert page.locator(ROWS).count() == 4


def test_reports_of_an_earlier_period_are_found_in_its_fold(opened):
    page = opened("en")
    assert page.locator("#earlier details[open]").count() == 0
    page.select_option("#by-period", "2026-05")
    assert page.locator(ROWS).count() == 0
    assert page.locator("#earlier details[open]").count() == 1
    assert page.locator("#earlier tr:visible").count() == 9
    page.select_option("#by-period", "")
    assert page.locator("#earlier details[open]").count() == 0
    assert page.locator(ROWS).count() == 9


@pytest.mark.parametrize("lang", LANGS)
def test_a_report_leads_to_its_own_earlier_runs_and_they_open(opened, lang):
    page = opened(lang)
    page.locator("a.past").nth(4).click()
    shown = page.locator("#earlier tr:visible")
    assert shown.count() == 2
    assert {row.get_attribute("data-r") for row in shown.all()} == {"stall"}
    assert {row.get_attribute("data-s") for row in shown.all()} == {TEAMS[1]}
    shown.first.locator("a").first.click()
    assert page.url.endswith(f"20260613-220000/stall-1.{lang}.html")


@pytest.mark.parametrize("lang", LANGS)
def test_it_prints_on_a4_without_filters_and_folds(opened, lang, tmp_path):
    page = opened(lang)
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    path = tmp_path / "site.pdf"
    page.pdf(path=path, prefer_css_page_size=True, print_background=True)
    text = subprocess.run(
        ["pdftotext", "-layout", path, "-"], capture_output=True, text=True, check=True
    ).stdout
    size = subprocess.run(["pdfinfo", path], capture_output=True, text=True, check=True).stdout
    assert "A4" in size
    assert {"zh": "失败", "en": "failed"}[lang] in text
    assert {"zh": "以前的报告", "en": "Earlier runs"}[lang] not in text
    assert "\ufffd" not in text
    # What is too wide makes the browser shrink the whole sheet without a word.
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 703, "height": 1000})  # A4 less its margins
    assert page.evaluate("document.documentElement.scrollWidth") <= 703


@pytest.mark.parametrize("lang", LANGS)
def test_every_text_has_enough_contrast_and_every_field_a_name(opened, lang):
    page = opened(lang)
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    weak = page.evaluate(
        """() => {
        const light = colour => {
          const [r, g, b] = colour.match(/[\\d.]+/g).map(Number).map(v => v / 255)
            .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
          return 0.2126 * r + 0.7152 * g + 0.0722 * b;
        };
        const behind = e => {
          for (; e; e = e.parentElement) {
            const c = getComputedStyle(e).backgroundColor;
            if (c !== 'rgba(0, 0, 0, 0)') return c;
          }
          return 'rgb(255, 255, 255)';
        };
        return [...document.querySelectorAll('body *')]
          .filter(e => e.checkVisibility())
          .filter(e => [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()))
          .map(e => {
            const both = [light(getComputedStyle(e).color), light(behind(e))];
            const [a, b] = both.sort((x, y) => y - x);
            return [(a + 0.05) / (b + 0.05), e.tagName, e.innerText.slice(0, 30)];
          }).filter(([ratio]) => ratio < 4.5); }"""
    )
    assert weak == []
    fields = page.locator("input, select").all()
    assert len(fields) == 6
    assert all(page.evaluate("e => (e.ariaLabel || e.labels[0]?.innerText || '').trim()",
                             field.element_handle()) for field in fields)  # fmt: skip


@pytest.mark.parametrize(("lang", "width"), [("zh", 1200), ("en", 390)])
def test_texts_that_want_to_do_harm_do_none(opened, told, tmp_path, lang, width):
    hostile_run(tmp_path)
    write_site(tmp_path)
    page = opened(lang, width, tmp_path)
    title = page.title()
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.locator("#q").fill("{{7*7}}")
    assert page.locator(ROWS).count() > 0
    page.locator("#q").fill("")
    options = page.locator("#by-scope option").count()
    for number in range(1, options):
        page.select_option("#by-scope", index=number)
        assert page.locator(ROWS).count() > 0
    assert page.title() == title != "hit"
    assert told == []
