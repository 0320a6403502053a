"""Pages in a real browser: nothing overlaps, no boxes for characters, one sheet of paper."""

import subprocess

import pytest
from playwright.sync_api import Browser, Page

from salesops.reports.jobs import known_reports
from salesops.reports.page import finished

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def folder(sample_run):
    assert sample_run.failed == ()
    return sample_run.folder


def open_page(browser: Browser, folder, name: str, width: int) -> tuple[Page, list[str]]:
    page = browser.new_page(viewport={"width": width, "height": 900})
    told: list[str] = []
    page.on("console", lambda message: told.append(message.text))
    page.on("pageerror", lambda error: told.append(str(error)))
    page.on("request", lambda r: told.append(r.url) if r.url.startswith("http") else None)
    page.goto(f"file://{folder}/{name}.html")
    page.evaluate("document.fonts.ready")
    return page, told


REPORTS = tuple(f"{report}.{lang}" for report in known_reports() for lang in ("zh", "en"))
NAMES = (*REPORTS, "index.zh", "index.en")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("width", [1200, 390])
def test_a_page_fits_its_width_and_asks_nobody(browser, folder, name, width):
    page, told = open_page(browser, folder, name, width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert told == []
    page.close()


@pytest.mark.parametrize("name", REPORTS)
@pytest.mark.parametrize("width", [1200, 390])
def test_no_two_texts_of_a_page_lie_on_each_other(browser, folder, name, width):
    page, _told = open_page(browser, folder, name, width)
    overlaps = page.evaluate(
        """() => {
        const boxes = [...document.querySelectorAll('h1,h2,h3,p,th,td,dt,dd,summary,nav a,figure')]
          .filter(e => e.checkVisibility() && e.innerText !== '')
          // Line by line, since a text that runs over two lines leaves the rest of them to others.
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
    page.close()


@pytest.mark.parametrize("name", REPORTS)
def test_page_one_is_one_sheet_and_every_character_is_printed(browser, folder, name, tmp_path):
    page, _told = open_page(browser, folder, name, 1200)
    out = tmp_path / "page.pdf"
    page.pdf(path=out, prefer_css_page_size=True, print_background=True)
    titles, notes, parts = (
        page.eval_on_selector_all(selector, "found => found.map(e => e.textContent)")
        for selector in (".verdict span, section.ex h3", "section.ex .note", "h2:not(.verdict)")
    )
    page.close()
    # Block by block: line by line a title of two lines is cut by its neighbour's.
    texts = subprocess.run(
        ["pdftotext", out, "-"], capture_output=True, text=True, check=True
    ).stdout.split("\f")
    size = subprocess.run(["pdfinfo", out], capture_output=True, text=True, check=True).stdout
    assert "A4" in size
    first, whole = "".join(texts[0].split()), "".join("".join(texts).split())
    # Verdict and all exhibits of page one stand on the first sheet, the detail begins after it.
    assert len(titles) >= 4
    for title in [*titles, *notes]:
        assert "".join(title.split()) in first, title
    detail = "".join(parts[0].split())
    assert detail not in first
    assert detail in whole
    assert "\ufffd" not in "".join(texts)
    fonts = subprocess.run(["pdffonts", out], capture_output=True, text=True, check=True).stdout
    assert all(" yes yes " in line for line in fonts.splitlines()[2:] if "Type 3" not in line)


def test_chinese_characters_are_drawn_and_not_boxes(browser, folder):
    page, _told = open_page(browser, folder, "funnel.zh", 1200)
    # A box for a missing character is as wide for any character; drawn ones differ in ink.
    drawn = page.evaluate(
        """() => {
        const style = getComputedStyle(document.querySelector('.verdict') || document.body);
        const ink = text => {
          const c = document.createElement('canvas'); c.width = c.height = 60;
          const g = c.getContext('2d', {willReadFrequently: true});
          g.font = `40px ${style.fontFamily}`; g.fillText(text, 5, 45);
          return g.getImageData(0, 0, 60, 60).data.filter((v, i) => i % 4 === 3 && v > 80).length;
        };
        return ['漏', '斗', '一', '阶'].map(ink);
        }"""
    )
    assert len(set(drawn)) == 4
    assert min(drawn) > 0
    page.close()


EMPTY = "<html><head></head><body>云拓智联</body></html>"


def test_the_foot_of_a_printed_sheet_shows_chinese_and_not_boxes(browser, tmp_path):
    # Boxes look the same whatever they stand for.
    feet = []
    for number, foot in enumerate(("云拓", "智联")):
        page = browser.new_page()
        page.set_content(finished(EMPTY, print_foot=foot))
        page.evaluate("document.fonts.ready")
        out = tmp_path / f"{number}.pdf"
        page.pdf(path=out, prefer_css_page_size=True)
        page.close()
        subprocess.run(["pdftoppm", "-r", "60", out, out.with_suffix("")], check=True)
        (picture,) = tmp_path.glob(f"{number}-*.ppm")
        feet.append(picture.read_bytes())
    assert feet[0] != feet[1]


def test_the_index_is_searched_from_the_keyboard(browser, folder):
    page, _told = open_page(browser, folder, "index.en", 1200)
    rows = "table.index tbody tr:visible"
    before = page.locator(rows).count()
    assert before > 0
    page.locator("#q").fill("no report has this name")
    assert page.locator(rows).count() < before
    page.close()
