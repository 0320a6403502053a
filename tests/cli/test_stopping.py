"""A run or an import that is broken off leaves nothing half-written and nothing running."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable

import psutil
import pytest

from salesops.stopping import Stopped, clear_abandoned, scratch_folder, stoppable, uninterrupted
from tests.fixtures import SAMPLE, TINY

CODES = {"SIGINT": 130, "SIGTERM": 143, "SIGHUP": 129}
# Steps of 50 ms; long enough for the slowest machine, since nothing is measured here.
STEPS = 4_000
pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")


def begun(*arguments: str) -> subprocess.Popen[str]:
    # Tests that run in the background or under nohup hand on signals that are ignored.
    code = (
        "import os, signal, sys\n"
        "for name in ('SIGINT', 'SIGTERM', 'SIGHUP'):\n"
        "    signal.signal(getattr(signal, name), signal.SIG_DFL)\n"
        "os.execv(sys.executable, [sys.executable, '-m', 'salesops', *sys.argv[1:]])\n"
    )
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def until(met: Callable[[], object], process: subprocess.Popen[str]) -> None:
    """Poll until something is so; a process that ends before is a failure."""
    for _step in range(STEPS):
        if met():
            return
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    raise AssertionError("it never came")


def children(process: subprocess.Popen[str]) -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


def kernels(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """List the kernels of a run: processes of their own, or forked from its server."""
    found = []
    for child in children(process):
        try:
            parent = child.parent()
            forked = parent is not None and is_server(parent)
            if forked or any("ipykernel" in word for word in child.cmdline()):
                found.append(child)
        except psutil.NoSuchProcess:
            continue
    return found


def is_server(process: psutil.Process) -> bool:
    return any("warmserver" in word for word in process.cmdline())


def broken_off(process: subprocess.Popen[str], name: str) -> None:
    """Send a signal; the process ends with its code, one line, and without its children."""
    own = children(process)
    process.send_signal(getattr(signal, name))
    _out, errors = process.communicate(timeout=STEPS * 0.05)
    assert process.returncode == CODES[name], errors
    assert [line for line in errors.splitlines() if line.strip()] == [
        "Broken off: nothing is half-written, nothing goes on running."
    ]
    _gone, alive = psutil.wait_procs(own, timeout=STEPS * 0.05)
    assert alive == []


@pytest.mark.parametrize(
    ("name", "langs"), [("SIGINT", "zh,en"), ("SIGTERM", "zh"), ("SIGHUP", "zh")]
)
def test_a_run_that_is_broken_off_leaves_no_folder_and_no_kernel(name, langs, tmp_path):
    """Of two pages, whose kernels are forked from a server, and of one, whose kernel is not."""
    book = shutil.copytree(TINY, tmp_path / "book")
    before = sorted(path.name for path in book.iterdir())
    out = tmp_path / "out"
    process = begun("run", "funnel", "--book", str(book), "--out", str(out), "--lang", langs)
    until(lambda: kernels(process) and out.is_dir() and list(out.iterdir()), process)
    broken_off(process, name)
    # What the check of the book found is kept for the next run, out of sight.
    assert [path.name for path in out.iterdir()] in ([], [".kept"])
    kept = out / ".kept"
    assert not kept.exists() or [path.name for path in kept.iterdir()] == ["stands.json"]
    assert sorted(path.name for path in book.iterdir()) == before


def test_an_import_that_is_broken_off_leaves_no_folder(tmp_path):
    place = tmp_path / "place"
    process = begun("import", str(SAMPLE), "--source", "canonical", "--into", str(place / "book"))
    until(lambda: place.is_dir() and list(place.iterdir()), process)
    broken_off(process, "SIGTERM")
    assert list(place.iterdir()) == []


def test_what_may_not_be_torn_in_two_is_let_finish():
    steps = []
    stopped: list[Stopped] = []

    def torn() -> None:
        with uninterrupted():
            steps.append("begun")
            signal.raise_signal(signal.SIGTERM)
            steps.append("finished")
        steps.append("never")

    with pytest.raises(Stopped), stoppable(stopped.append):
        torn()
    assert steps == ["begun", "finished"]
    assert [one.code for one in stopped] == [143]


def test_a_second_signal_does_not_break_off_the_clearing(tmp_path):
    def prepare() -> None:
        with scratch_folder(tmp_path, ".x-") as place:
            (place / "half").write_text("half")
            try:
                signal.raise_signal(signal.SIGTERM)
            finally:
                signal.raise_signal(signal.SIGTERM)

    with pytest.raises(Stopped), stoppable(lambda _stopped: None):
        prepare()
    assert list(tmp_path.iterdir()) == []


def test_handlers_are_as_before_afterwards():
    before = signal.getsignal(signal.SIGTERM)
    with stoppable(lambda _stopped: None), uninterrupted():
        assert signal.getsignal(signal.SIGTERM) is not before
    assert signal.getsignal(signal.SIGTERM) is before


HOLDS = """
import sys, time
from pathlib import Path
from salesops.stopping import scratch_folder
with scratch_folder(Path(sys.argv[1]), ".run-") as place:
    (place / "half").write_text("half")
    print(place.name, flush=True)
    time.sleep(600)
"""


def test_what_a_killed_process_left_is_taken_away_and_what_a_living_one_uses_stays(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", HOLDS, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        left = tmp_path / holder.stdout.readline().strip()
        # Names that nothing here has made, and what is no folder.
        (tmp_path / ".run-of-mine").mkdir()
        (tmp_path / ".run-abcdefgh").write_text("")
        with scratch_folder(tmp_path, ".run-") as own:
            clear_abandoned(tmp_path, ".run-", ".files-")
            assert left.is_dir()
            assert own.is_dir()
        holder.kill()
        holder.wait()
        clear_abandoned(tmp_path, ".run-", ".files-")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".run-abcdefgh", ".run-of-mine"]
