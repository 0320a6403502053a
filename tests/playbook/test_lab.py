"""The first lesson in JupyterLab in a browser: wrong, hint, right, progress."""

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from salesops.playbook.lessons import exercises

pytestmark = pytest.mark.browser
# Kernels start slowly where others are at work.
MOST_MS = 120_000


@pytest.fixture
def lab(learner, tmp_path):
    """Start JupyterLab over the learner's lessons, and give its address."""
    settings = tmp_path / "settings" / "@jupyterlab" / "notebook-extension"
    settings.mkdir(parents=True)
    # Cells outside of the window would not be there to be found.
    (settings / "tracker.jupyterlab-settings").write_text('{"windowingMode": "none"}')
    places = {
        "JUPYTERLAB_SETTINGS_DIR": str(tmp_path / "settings"),
        "JUPYTER_CONFIG_DIR": str(tmp_path / "config"), "JUPYTER_DATA_DIR": str(tmp_path / "data"),
        "JUPYTER_RUNTIME_DIR": str(tmp_path / "runtime"),
        "JUPYTERLAB_WORKSPACES_DIR": str(tmp_path / "workspaces"),
        "PYTHONPATH": str(Path.cwd()),
    }  # fmt: skip
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--port=0",
               "--IdentityProvider.token=", "--ServerApp.password=",
               str(learner.folder / "lessons")]  # fmt: skip
    log = tmp_path / "lab.log"
    with log.open("w") as out:
        server = subprocess.Popen(command, env={**os.environ, **places}, stdout=out, stderr=out)
    try:
        yield _address(log, server)
    finally:
        server.terminate()
        server.wait(30)


def _address(log: Path, server: subprocess.Popen) -> str:
    for _time in range(1500):
        found = re.search(r"(http://(?:localhost|127\.0\.0\.1):\d+)/lab", log.read_text())
        if found:
            # It tells where it will be a moment before it is there.
            with contextlib.suppress(URLError):
                urlopen(f"{found.group(1)}/api").read()
                return found.group(1)
        assert server.poll() is None, log.read_text()[-2000:]
        time.sleep(0.2)
    raise AssertionError(log.read_text()[-2000:])


def run_cell(page: Page, holds: str, text: str | None = None) -> None:
    """Put a text into the cell that holds some other, and run it."""
    cell = page.locator(".jp-CodeCell", has_text=holds).first
    cell.scroll_into_view_if_needed()
    cell.locator(".cm-content").click()
    if text is not None:
        page.keyboard.press("Control+a")
        page.keyboard.insert_text(text)
    page.keyboard.press("Shift+Enter")


def test_lesson_one_is_answered_wrong_then_with_a_hint_then_right(lab, learner, tmp_path):
    right = exercises()["L01.2"].answer(learner.company)
    pictures = Path(os.environ.get("SALESOPS_PICTURES", tmp_path))
    with sync_playwright() as playwright:
        where = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=where, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 1000})
        page.set_default_timeout(MOST_MS)
        page.goto(f"{lab}/lab/tree/01_job.ipynb")
        page.locator(".jp-CodeCell").first.wait_for()
        # What is run before the kernel answers is lost.
        page.get_by_text("| Idle").wait_for()
        page.locator(
            '.jp-Toolbar-kernelStatus [title*="Idle"], [data-status="idle"]'
        ).first.wait_for(state="attached")
        run_cell(page, 'open_lesson("01")')
        expect(page.get_by_text("Li Na, about 30 minutes").first).to_be_visible(timeout=MOST_MS)
        exercise = 'check("L01.2", '
        wrong = f"lines = [1, 2, 3]\n{exercise}lines)"
        run_cell(page, exercise, wrong)
        expect(page.locator(".salesops-not_yet")).to_be_visible(timeout=MOST_MS)
        page.screenshot(path=pictures / "lesson-wrong.png")
        run_cell(page, exercise, f'{wrong}\nhint("L01.2")')
        expect(page.locator(".salesops-note").first).to_contain_text("hint 1 of 2")
        page.screenshot(path=pictures / "lesson-hint.png")
        run_cell(page, exercise, f"lines = {right}\n{exercise}lines)")
        expect(page.locator(".salesops-passed")).to_be_visible(timeout=MOST_MS)
        page.screenshot(path=pictures / "lesson-right.png")
        run_cell(page, "progress()\n")
        expect(page.locator(".salesops-note").last).to_contain_text("1 of")
        page.screenshot(path=pictures / "lesson-progress.png")
        browser.close()
    kept = json.loads((learner.folder / "progress.json").read_text("utf-8"))["L01.2"]
    assert (kept["state"], kept["hints"]) == ("passed", 1)
