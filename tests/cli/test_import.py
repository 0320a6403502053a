"""`salesops import` as people type it: from an unknown workbook to the funnel report, and asked."""

import os
import pty
import select
import shlex
import subprocess
import sys
import time
from pathlib import Path

import pytest

from salesops.book.book import open_book
from salesops.cli.importing import default_place
from tests.cli import called
from tests.sources.companies import deals_rows, ledger_rows, write_csv, write_ledger
from tests.sources.test_proposing import english

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _wide(monkeypatch, forked_kernels, laid_nowhere):
    monkeypatch.setenv("COLUMNS", "200")


def salesops(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return called.salesops(*arguments, cwd=folder)


def commands(page: str) -> list[list[str]]:
    """Take the commands of a page's first ten minutes."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    block = text.split("```bash\n")[1].split("```")[0]
    return [line.split("#")[0].split() for line in block.splitlines()]


@pytest.mark.parametrize("page", ["import.md", "import.zh.md"])
def test_the_ten_minutes_of_the_page_end_with_a_report(page, tmp_path):
    write_ledger(tmp_path / "跟进表2026-03.xlsx")
    look, take, report = commands(page)
    looked = salesops(tmp_path, *look[1:], "--yes")
    assert looked.returncode == 0, looked.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["跟进表2026-03.xlsx"]
    assert "预计金额(万元)  →  amount" in looked.stdout
    taken = salesops(tmp_path, *take[1:], "--yes")
    assert taken.returncode == 0, taken.stderr
    assert "60 rows read, 60 kept" in taken.stdout
    assert "funnel: can be made in part" in taken.stdout
    made = salesops(tmp_path, *report[1:], "--lang", "zh", "--format", "html", "--out", "reports")
    assert made.returncode == 0, made.stderr
    pages = [p for p in (tmp_path / "reports").rglob("*.html") if "funnel" in p.name]
    assert any("商务谈判" in page.read_text(encoding="utf-8") for page in pages), pages


def test_the_next_month_goes_into_the_same_book_and_becomes_its_history(tmp_path):
    write_ledger(tmp_path / "台账2026-03.xlsx")
    rows = ledger_rows()
    rows[1][3] = "商务谈判"
    write_ledger(tmp_path / "台账 2026年4月.xlsx", rows)
    first = salesops(tmp_path, "import", "台账2026-03.xlsx", "--yes", "--exported-at", "2026-03-31")
    assert first.returncode == 0, first.stderr
    later = salesops(tmp_path, "import", "台账 2026年4月.xlsx", "--exported-at", "2026-04-30")
    assert later.returncode == 0, later.stderr
    assert "1 difference to the last export of opportunities became history" in later.stdout
    again = salesops(tmp_path, "import", "台账 2026年4月.xlsx", "--exported-at", "2026-04-30")
    assert "was imported before" in again.stdout
    book = open_book(tmp_path / "build" / "台账")
    was = book.as_of("2026-04-15").opportunities.to_pandas().set_index("id")["stage"]
    assert was["项目1"] == ledger_rows()[1][3]


def test_what_is_open_is_refused_with_the_option_that_answers_it(tmp_path):
    english(tmp_path / "deals.csv")
    done = salesops(tmp_path, "import", "deals.csv", "--yes")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    option = done.stderr.rsplit("Write: ", 1)[1].strip()
    assert option == "--answer 'stages=Intro>Fit check>Paper; won=Won; lost=Lost'"
    assert not (tmp_path / "build").exists()
    value = option.split("'")[1]
    assert salesops(tmp_path, "import", "deals.csv", "--yes", "--answer", value).returncode == 0
    wrong = salesops(tmp_path, "import", "deals.csv", "--answer", "stages")
    assert (wrong.returncode, "KEY=VALUE" in wrong.stderr) == (2, True)


def test_rows_set_aside_go_in_again_as_the_page_says(tmp_path):
    rows = deals_rows(d5=["d5", "a5", "u1", "needs", "soon", "2026-01-06", ""])
    write_csv(tmp_path / "商机.csv", rows)
    first = salesops(tmp_path, "import", "商机.csv", "--yes", "--answer", "currency_code=CNY")
    assert first.returncode == 0, first.stderr
    assert "1 row set aside" in first.stdout
    file = tmp_path / "build" / "商机" / "set-aside.csv"
    file.write_text(file.read_text(encoding="utf-8").replace("soon", "5000"), encoding="utf-8")
    done = salesops(tmp_path, "import", "商机.csv", "--corrected", "build/商机/set-aside.csv",
                    "--into", "build/商机")  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert open_book(tmp_path / "build" / "商机").n("opportunities") == 40
    assert not file.exists()


def read_until(master: int, told: str, heard: str = "", seconds: int = 90) -> str:
    """Read what a program writes to its terminal until it says something."""
    end = time.monotonic() + seconds
    while told not in heard and time.monotonic() < end:
        if select.select([master], [], [], 1)[0]:
            try:
                heard += os.read(master, 65536).decode("utf-8", "replace")
            except OSError:
                break
    assert told in heard, heard[-2000:]
    return heard


def test_a_person_on_a_terminal_is_asked_and_a_wrong_answer_is_asked_again(tmp_path):
    write_csv(tmp_path / "商机.csv", [
        ["商机编号", "阶段", "金额", "创建日期"],
        *[[f"N{i}", ("需求沟通", "商务谈判", "已签约")[i % 3], 35 + i, "2026-01-05"]
          for i in range(24)],
    ])  # fmt: skip
    master, slave = pty.openpty()
    done = subprocess.Popen(
        [sys.executable, "-m", "salesops", "import", "商机.csv"], cwd=tmp_path,
        stdin=slave, stdout=slave, stderr=slave, close_fds=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm", "COLUMNS": "160"},
    )  # fmt: skip
    os.close(slave)
    try:
        heard = read_until(master, "Answer [wan]")
        assert "the head names no unit" in heard
        os.write(master, b"acres\n")
        read_until(master, "is none of them")
        os.write(master, b"one\n")
        heard = read_until(master, "Answer [yes]")
        assert "Is this mapping right?" in heard
        os.write(master, b"\n")
        heard = read_until(master, "Next: ", heard)
        assert "amount.unit: one (as you answered)" in heard
        assert done.wait(60) == 0
    finally:
        done.kill()
        os.close(master)
    book = open_book(tmp_path / "build" / "商机")
    assert float(book.opportunities.amount.min().to_pyarrow().as_py()) == 35


def test_the_commands_that_follow_can_be_pasted(tmp_path):
    write_ledger(tmp_path / "Q1 台账(新).xlsx")
    done = salesops(tmp_path, "import", "Q1 台账(新).xlsx", "--yes")
    assert done.returncode == 0, done.stderr
    last = done.stdout.strip().splitlines()[-1]
    words = shlex.split(last.removeprefix("Next: ").split(";")[0])
    assert words == ["salesops", "check", "build/Q1 台账(新)"]


@pytest.mark.parametrize(
    ("path", "place"),
    [("商机2026-03.xlsx", "build/商机"), ("20260331 deals.csv", "build/deals"),
     ("台账 2026年4月.xlsx", "build/台账"), ("Q1 deals.csv", "build/Q1 deals"),
     ("商机2026-03 (1).xlsx", "build/商机"), ("deals[2].csv", "build/deals"),
     ("台账 - 副本.xlsx", "build/台账")],
)  # fmt: skip
def test_a_book_is_called_as_its_export_without_the_date(path, place):
    assert default_place(path) == place
