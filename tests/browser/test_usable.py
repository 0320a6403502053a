"""Pages for everybody: sorted and folded by keyboard, read aloud, whole without script."""

import pytest
from axe_playwright_python.sync_playwright import Axe

pytestmark = pytest.mark.browser
REPORTS = ("funnel", "collection")
NAMES = [f"{report}.{lang}" for report in REPORTS for lang in ("zh", "en")]


@pytest.fixture(scope="module")
def folder(sample_run):
    assert sample_run.failed == ()
    return sample_run.folder


@pytest.fixture
def opened(browser, folder):
    pages = []

    def show(name: str, *, width: int = 1200, script: bool = True):
        page = browser.new_page(
            viewport={"width": width, "height": 900}, java_script_enabled=script
        )
        page.goto(f"file://{folder}/{name}.html")
        pages.append(page)
        return page

    yield show
    for page in pages:
        page.close()


# Rows of a table that differ in their texts alone break the same rules. They stay in the layout.
MARK_ROWS_OF_A_FORM_SEEN = r"""document.querySelectorAll('tbody').forEach(body => {
    const seen = new Set();
    [...body.rows].forEach(row => {
        const form = row.outerHTML.replace(/>[^<]*\S[^<]*</g, '>x<')
                                  .replace(/ (data-v|data-t|title|href)="[^"]+"/g, ' $1="x"');
        if (seen.has(form)) row.dataset.formSeen = '';
        seen.add(form);
    });
})"""


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("width", [1200, 390])
def test_a_page_breaks_no_rule_of_accessibility(opened, name, width):
    page = opened(name, width=width)
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    page.evaluate(MARK_ROWS_OF_A_FORM_SEEN)
    rules = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
    context = {"exclude": [["[data-form-seen]"]]}
    looked = Axe().run(page, context=context, options=rules).response
    assert len(looked["passes"]) > 20
    found = looked["violations"]
    told = [(v["id"], v["help"], [n["html"][:160] for n in v["nodes"][:3]]) for v in found]
    assert told == []


def first_table(page):
    """Give the first table with more than two rows of numbers, its number column and its values."""
    return page.evaluate_handle(
        """() => [...document.querySelectorAll('table.sorts')].find(
             t => t.checkVisibility() && t.tBodies[0].rows.length > 2
             && [...t.tBodies[0].rows[0].cells].some(c => c.dataset.v && !isNaN(c.dataset.v)))"""
    )


def values(table, column: int) -> list[str]:
    return table.evaluate(
        "(t, c) => [...t.tBodies[0].rows].map(r => r.cells[c].dataset.v ?? r.cells[c].textContent)",
        column,
    )


@pytest.mark.parametrize("name", NAMES)
def test_a_table_is_sorted_by_the_keyboard_and_says_so(opened, name):
    page = opened(name)
    table = first_table(page)
    column = table.evaluate(
        "t => [...t.tBodies[0].rows[0].cells].findIndex(c => c.dataset.v && !isNaN(c.dataset.v))"
    )
    before = values(table, column)
    foot = table.evaluate("t => t.tFoot && t.tFoot.innerText")
    head = table.evaluate_handle("(t, c) => t.tHead.rows[0].cells[c]", column)
    head.query_selector("button").focus()
    shown = []
    for _press in range(3):
        page.keyboard.press("Enter")
        shown.append((head.get_attribute("aria-sort"), values(table, column)))
    numbers = sorted(before, key=float)
    assert shown == [("descending", numbers[::-1]), ("ascending", numbers), (None, before)]
    assert table.evaluate("t => t.tFoot && t.tFoot.innerText") == foot


TABLE = """<html lang="{lang}"><head></head><body><table class="sorts"><thead><tr><th>a</th>
<th>b</th><th>c</th></tr></thead><tbody>
<tr><td>陈</td><td data-v="9">9</td><td data-v="2026-02-01">x</td></tr>
<tr><td>安</td><td data-v="">—</td><td data-v="2025-12-31">y</td></tr>
<tr><td>b10</td><td data-v="10">10</td><td data-v="">—</td></tr>
<tr><td>b9</td><td data-v="-1">−1</td><td data-v="2026-01-15">z</td></tr></tbody>
<tfoot><tr><td>all</td><td>18</td><td></td></tr></tfoot></table><script>{script}</script></body></html>"""


def test_numbers_dates_and_words_are_sorted_by_what_they_mean_and_nulls_come_last(browser):
    from salesops.reports.page import sorting

    page = browser.new_page()
    page.set_content(TABLE.format(lang="zh-CN", script=sorting()))

    def click(head: str) -> list[str]:
        page.get_by_role("button", name=head, exact=True).click()
        return page.eval_on_selector_all("tbody td:first-child", "f => f.map(e => e.textContent)")

    assert click("b") == ["b10", "陈", "b9", "安"]
    assert click("b") == ["b9", "陈", "b10", "安"]
    assert click("c") == ["陈", "b9", "安", "b10"]
    # Chinese by sound, numbers in words by size.
    words = click("a")
    assert words.index("安") < words.index("陈")
    assert words.index("b9") < words.index("b10")
    assert page.locator("tfoot td").first.text_content() == "all"
    page.close()


@pytest.mark.parametrize("name", NAMES)
def test_sections_fold_by_the_keyboard_and_print_open(opened, name):
    page = opened(name)
    summary = page.locator(".sect > details > summary").first
    body = page.locator(".sect > details > :nth-child(2)").first
    assert body.is_visible()
    summary.focus()
    page.keyboard.press("Enter")
    assert not body.is_visible()
    page.emulate_media(media="print")
    assert body.is_visible()


@pytest.mark.parametrize("name", NAMES)
def test_a_page_is_whole_without_its_script(opened, name):
    page = opened(name, script=False)
    assert page.locator("thead th").first.text_content()
    assert page.locator("thead button").count() == 0
    assert page.locator(".sect > details > :nth-child(2)").first.is_visible()


@pytest.mark.parametrize("name", NAMES)
def test_every_stop_of_the_keyboard_can_be_seen(opened, name):
    page = opened(name)
    stops = 0
    for _press in range(60):
        page.keyboard.press("Tab")
        seen = page.evaluate(
            """() => { const e = document.activeElement;
                 if (!e || e === document.body) return null;
                 const s = getComputedStyle(e);
                 const drawn = s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2;
                 return [e.tagName, drawn]; }"""
        )
        if seen is None:
            break
        stops += 1
        assert seen[1], seen
    assert stops > 5
