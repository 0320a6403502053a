"""Two people who write to one book: the second one is told, and nothing is lost."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from rich.console import Console

from salesops.cli.targets import take_targets
from salesops.sources.importing import import_path
from salesops.sources.targetlock import LOCK, BookBusy, alone
from tests.fixtures import TINY

QUIET = Console(quiet=True)
# Holds the book until it is told to let go.
HOLDER = """
import sys
from pathlib import Path
from salesops.sources.targetlock import alone
with alone(Path(sys.argv[1]), "张伟"):
    print("held", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def company(tmp_path) -> Path:
    return shutil.copytree(TINY, tmp_path / "company")


@pytest.fixture
def file(tmp_path) -> Path:
    path = tmp_path / "own.csv"
    path.write_text("period,level,key,metric,amount\n2026-12,company,,bookings,310\n")
    return path


def take(company: Path, file: Path, dry_run: bool = False) -> None:
    take_targets(str(company), str(file), QUIET, by="李娜", metric="bookings", dry_run=dry_run)


def state(company: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in company.iterdir() if p.is_file() and p.name != LOCK}


def holder(company: Path) -> "subprocess.Popen[str]":
    held = subprocess.Popen([sys.executable, "-c", HOLDER, str(company)], text=True,
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # fmt: skip
    assert held.stdout is not None
    assert held.stdout.readline() == "held\n"
    return held


def test_who_comes_second_is_told_and_writes_nothing(company, file):
    before = state(company)
    with holder(company) as held:
        with pytest.raises(BookBusy) as caught:
            take(company, file)
        assert state(company) == before
        take(company, file, dry_run=True)
        held.communicate("\n")
    lines = str(caught.value).splitlines()
    assert lines[0].startswith(f"{company} is being written to by 张伟, since 20")
    assert f"(process {held.pid} on " in lines[0]
    assert lines[1].startswith("Expected: one at a time who takes targets over, changes the reg")
    assert lines[2].endswith(f"delete {company / LOCK}.")
    take(company, file)
    assert not (company / LOCK).exists()
    assert len(pd.read_csv(company / "targets_log.csv")) == 1


@pytest.mark.skipif(os.name == "nt", reason="Windows knows no SIGKILL")
def test_a_lock_that_a_killed_process_left_is_deleted_by_hand(company, file):
    with holder(company) as held:
        held.send_signal(signal.SIGKILL)
    with pytest.raises(BookBusy, match="it was cut off: delete "):
        take(company, file)
    (company / LOCK).unlink()
    take(company, file)
    assert (company / "targets_log.csv").exists()


def test_a_file_that_is_refused_leaves_no_lock(company, file):
    file.write_text("period,level,key,metric,amount\n2026-12,company,,bookings,-1\n")
    with pytest.raises(ValueError, match="the amount is below 0"):
        take(company, file)
    assert not (company / LOCK).exists()


def test_an_import_waits_for_nobody_and_writes_nothing(company, tmp_path):
    export, book = tmp_path / "export", tmp_path / "book"
    export.mkdir()
    (export / "opportunities.csv").write_text(
        "id,stage,created_at\nd1,needs,2026-01-31 02:00:00\n", encoding="utf-8"
    )
    import_path(export, source="canonical", into=book)
    before = state(book)
    with alone(book, "张伟"), pytest.raises(BookBusy, match="by 张伟"):
        import_path(export, source="canonical", into=book, exported_at="2026-02-28")
    assert state(book) == before
    import_path(export, source="canonical", into=book, exported_at="2026-02-28")
    assert not (book / LOCK).exists()
