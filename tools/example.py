"""Make the committed example and the picture of the README: `make example`.

The report runs over data/sample in both languages; its pages and their index go to
reports/example, and page one in each language becomes docs/images/<report>.<lang>.png.
"""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from salesops.reports.jobs import known_reports
from salesops.reports.page import MOST_BYTES
from salesops.reports.run import run_reports

ROOT = Path(__file__).parent.parent
EXAMPLE, IMAGES = ROOT / "reports" / "example", ROOT / "docs" / "images"
# The first of these that is there is shown.
PREFERRED = ("performance", "funnel")
LANGS = ("zh", "en")
_WIDTH, _MARGIN = 1200, 16


def made_in(folder: Path, report: str) -> list[Path]:
    """Run the report into a folder; gives its pages and their index.

    Raises
    ------
    RuntimeError
        The report failed, or a page is too large to be sent around.
    """
    outcome = run_reports([report], book="data/sample", langs=LANGS, out=folder)
    if outcome.failed:
        raise RuntimeError(f"the report failed: {outcome.failed[0].failure}")
    pages = sorted(outcome.folder.glob("*.html"))
    for page in pages:
        if page.stat().st_size > MOST_BYTES:
            raise RuntimeError(f"{page.name} has {page.stat().st_size:,} bytes: too many")
    return pages


def put_in_place(pages: list[Path], place: Path = EXAMPLE) -> None:
    """Let the example consist of these pages, by one rename."""
    fresh = Path(tempfile.mkdtemp(prefix=".example-", dir=place.parent))
    fresh.chmod(0o755)
    for page in pages:
        shutil.copy2(page, fresh / page.name)
    if place.exists():
        shutil.rmtree(place)
    fresh.rename(place)


def photograph(pages: list[Path], place: Path = IMAGES) -> list[Path]:
    """Photograph page one of each page at the width of a desk."""
    where = shutil.which("chromium") or shutil.which("google-chrome")
    if where is None:
        raise RuntimeError("Chromium is not installed: apt-get install chromium")
    found = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=where, args=["--no-sandbox"])
        for path in pages:
            page = browser.new_page(viewport={"width": _WIDTH, "height": 900})
            page.goto(path.resolve().as_uri())
            page.evaluate("document.fonts.ready")
            box = page.locator(".page-one").bounding_box()
            if box is None:
                raise RuntimeError(f"{path.name} has no page one")
            clip = {"x": 0, "y": 0, "width": _WIDTH, "height": box["y"] + box["height"] + _MARGIN}
            found.append(place / f"{path.stem}.png")
            page.screenshot(path=found[-1], full_page=True, clip=clip)
            page.close()
        browser.close()
    return found


def main() -> int:
    """Make the example of a report, by default the first of the preferred ones that is there."""
    parser = argparse.ArgumentParser(description=__doc__)
    there = [name for name in PREFERRED if name in known_reports()]
    parser.add_argument("report", nargs="?", default=there[0])
    report = parser.parse_args().report
    EXAMPLE.parent.mkdir(exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(prefix="example-") as folder:
            pages = made_in(Path(folder), report)
            put_in_place(pages)
        pictures = photograph([EXAMPLE / f"{report}.{lang}.html" for lang in LANGS])
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{len(pages)} pages in {EXAMPLE.relative_to(ROOT)}")
    print(f"Pictures: {', '.join(str(path.relative_to(ROOT)) for path in pictures)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
