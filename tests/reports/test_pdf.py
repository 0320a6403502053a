"""Pages on paper: A4, numbered, no row cut, Chinese as text; and no browser left behind."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from salesops.reports.browser import Browser, BrowserFailed, NoBrowser
from salesops.reports.page import finished
from salesops.reports.pdf import finish_exports

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not shutil.which("pdftotext"), reason="needs poppler-utils"),
]

ROWS = 120
# Each row is two lines, told apart by their ends: one on another sheet than its begin was cut.
TABLE = "".join(
    f"<tr><td>客户{n:03d}上<br>客户{n:03d}下</td><td class=n>{n}</td></tr>" for n in range(ROWS)
)
LONG = (
    '<html lang="zh-CN"><head><meta charset="utf-8"><title>长表</title></head><body><main>'
    "<h1>长表</h1><section id=exhibit-list><table><thead><tr><th>名称</th><th>数</th></tr>"
    f"</thead><tbody>{TABLE}</tbody></table></section></main></body></html>"
)


@pytest.fixture(scope="module")
def browser():
    with Browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def printed(browser, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("pages")
    (folder / "long.zh.html").write_text(finished(LONG, print_foot="云拓智联"), encoding="utf-8")
    files = finish_exports(browser, folder, "long.zh", ["html", "pdf", "png"],
                           {"without_picture": ["list"]})  # fmt: skip
    assert files == {"html": "long.zh.html", "pdf": "long.zh.pdf", "png": ["long.zh.list.png"]}
    assert sorted(path.name for path in folder.iterdir()) == [
        "long.zh.html", "long.zh.list.png", "long.zh.pdf",
    ]  # fmt: skip
    return folder / "long.zh.pdf"


def told(*command: object) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def sheets(pdf: Path) -> list[str]:
    return told("pdftotext", "-layout", pdf, "-").split("\f")[:-1]


def test_sheets_are_a4_and_numbered(printed):
    assert "A4" in told("pdfinfo", printed)
    pages = sheets(printed)
    assert len(pages) > 2
    for number, page in enumerate(pages, 1):
        assert re.search(rf"\b{number} ?/ ?{len(pages)}\b", page)
        assert "云拓智联" in page


def test_a_bound_keeps_the_first_sheets_and_their_foot_tells_of_the_rest(
    browser, printed, tmp_path
):
    shutil.copy(printed.with_name("long.zh.html"), tmp_path)
    finish_exports(browser, tmp_path, "long.zh", ["pdf"], most_pages=2)
    whole, first = sheets(printed), sheets(tmp_path / "long.zh.pdf")
    assert len(first) == 2
    assert first == whole[:2]
    finish_exports(browser, tmp_path, "long.zh", ["pdf"], most_pages=100)
    assert sheets(tmp_path / "long.zh.pdf") == whole


def test_every_row_stands_whole_on_one_sheet_below_its_heads(printed):
    pages = sheets(printed)
    for n in range(ROWS):
        holding = [page for page in pages if f"客户{n:03d}上" in page]
        assert len(holding) == 1
        assert f"客户{n:03d}下" in holding[0]
    assert all("名称" in page for page in pages)


def test_fonts_are_embedded_and_the_title_is_kept(printed):
    lines = told("pdffonts", printed).splitlines()[2:]
    assert lines
    assert all(re.search(r"\byes\s+(yes|no)\s+yes\b", line) for line in lines), lines
    assert re.search(r"Title:\s+长表", told("pdfinfo", printed))
    assert re.search(r"Tagged:\s+yes", told("pdfinfo", printed))


def test_a_page_asks_nobody_and_runs_nothing_while_it_is_printed(browser, tmp_path):
    import socket
    import threading

    asked: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)

        def hear() -> None:
            while not stop.is_set():
                try:
                    taken, _address = server.accept()
                except TimeoutError:
                    continue
                asked.append(taken.recv(1000))
                taken.close()

        stop = threading.Event()
        hearing = threading.Thread(target=hear)
        hearing.start()
        where = f"http://127.0.0.1:{server.getsockname()[1]}"
        page = (
            f'<html><body><img src="{where}/a"><link rel=stylesheet href="{where}/b">'
            f'<iframe src="{where}/c"></iframe><p id=p>untouched</p>'
            f'<script>document.getElementById("p").textContent = "scripted"; fetch("{where}/d")'
            "</script></body></html>"
        )
        (tmp_path / "bad.html").write_text(page)
        finish_exports(browser, tmp_path, "bad", ["pdf"])
        stop.set()
        hearing.join()
    assert asked == []
    assert "untouched" in sheets(tmp_path / "bad.pdf")[0]


def group_of(pid: int) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            if os.getpgid(process.pid) == pid and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (ProcessLookupError, psutil.NoSuchProcess):
            continue
    return found


def gone(group: int, within: float = 5.0) -> bool:
    """Wait until nothing of a group is left: who is killed takes a moment to go."""
    until = time.monotonic() + within
    while group_of(group) and time.monotonic() < until:
        time.sleep(0.05)
    return group_of(group) == []


def test_a_browser_ends_with_its_block_and_one_that_hangs_is_killed(tmp_path):
    (tmp_path / "a.html").write_text(finished(LONG, print_foot=""), encoding="utf-8")
    with Browser(seconds=30) as one:
        finish_exports(one, tmp_path, "a", ["pdf"])
        first = one.pid
        assert len(group_of(first)) > 1
        for process in group_of(first):
            process.suspend()
        one.seconds = 1
        with pytest.raises(BrowserFailed, match="longer than 1 s") as error:
            finish_exports(one, tmp_path, "a", ["pdf"])
        assert "a.html" in str(error.value)
        assert gone(first)
        # The next page gets a browser of its own.
        one.seconds = 30
        assert finish_exports(one, tmp_path, "a", ["pdf"])["pdf"] == "a.pdf"
        second = one.pid
    assert gone(second)


def test_a_killed_run_leaves_no_browser(tmp_path):
    (tmp_path / "a.html").write_text("<p>a</p>")
    script = (
        "import pathlib, sys, time\n"
        "from salesops.reports.browser import Browser\n"
        "browser = Browser()\n"
        "with browser.shown(pathlib.Path(sys.argv[1])):\n"
        "    print(browser.pid, flush=True); time.sleep(60)\n"
    )
    run = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path / "a.html")], stdout=subprocess.PIPE, text=True
    )
    assert run.stdout is not None
    pid = int(run.stdout.readline())
    assert group_of(pid)
    run.send_signal(signal.SIGKILL)
    run.wait()
    run.stdout.close()
    until = time.monotonic() + 20
    while group_of(pid) and time.monotonic() < until:
        time.sleep(0.05)
    assert group_of(pid) == []


def test_without_a_browser_the_remedy_is_named(tmp_path, monkeypatch):
    (tmp_path / "a.html").write_text("<p>a</p>")
    monkeypatch.setenv("PATH", str(tmp_path))
    with Browser() as none, pytest.raises(NoBrowser, match="install"):
        finish_exports(none, tmp_path, "a", ["pdf"])
    # Pictures of tables are left out and named.
    with Browser() as none:
        files = finish_exports(none, tmp_path, "a", ["png"], {"without_picture": ["list"]})
    assert files == {"html": "a.html", "without_picture": ["list"]}


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("echo 'No usable sandbox!' >&2; exit 1", "No usable sandbox!"),
        ("exec sleep 60", "longer than 2 s"),
    ],
)
def test_a_browser_that_does_not_answer_is_told_with_its_last_words(
    tmp_path, monkeypatch, said, why
):
    fake = tmp_path / "chromium"
    fake.write_text(f"#!/bin/sh\n{said}\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    (tmp_path / "a.html").write_text("<p>a</p>")
    with Browser(seconds=2) as browser, pytest.raises(BrowserFailed, match=why):
        finish_exports(browser, tmp_path, "a", ["pdf"])
    assert not (tmp_path / "a.pdf").exists()
