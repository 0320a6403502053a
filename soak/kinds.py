"""What goes wrong in a round: each disturbs a run that has begun, and says what may become of it.

A run that is not killed itself has to finish what was not disturbed, or to say in words of its own
why it could not.
"""

import os
import random
import signal
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import nbformat
import psutil

from soak.place import Place, kill

Run = subprocess.Popen[bytes]
QUICK = "import time; time.sleep(1)"
BROKEN_OFF = "Broken off: nothing is half-written, nothing goes on running."
FULL = "is full"
_PARAMETERS = """\
book: str = "x"
as_of: str = "latest"
scope: str = "company"
lang: str = "zh"
period: str = "latest"
"""
_LONGEST_BYTES, _FULL_BYTES, _LATER_BYTES = (5_000, 200_000), (100_000, 1_500_000), "200m"


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A way to disturb a run.

    Attributes
    ----------
    disturb
        Does it, at a moment that is a share of what a run takes, and gives the run when it is over.
    codes
        Exit codes with which it may end.
    says
        What it says where its code is not 0.
    cleans
        Whether the run takes away its scratch by itself, since it was not killed.
    cell
        Of a notebook of its own beside good ones; empty for the reports of the company.
    formats
        Files that are made.
    seconds, megabytes
        Limits of a report; the first is without use where there is no `cell`.
    """

    disturb: Callable[[Place, random.Random, float], Run]
    codes: tuple[int, ...] = (0,)
    says: str = ""
    cleans: bool = True
    cell: str = ""
    formats: tuple[str, ...] = ("html",)
    seconds: float = 0.0
    megabytes: int = 0


def _undisturbed(place: Place, _rng: random.Random, _most: float) -> Run:
    run = place.begin()
    run.wait()
    return run


def _some_moment(place: Place, run: Run, rng: random.Random, most: float) -> None:
    """Wait for any moment of a run, or, every second time, for one at which a kernel may work.

    Half of a short run is imports.
    """
    if rng.random() < 0.5:
        _pause(run, rng.uniform(0, most))
    else:
        place.wait_for(place.kernels, run)
        _pause(run, rng.uniform(0, most / 4))


def _run_killed(place: Place, rng: random.Random, most: float) -> Run:
    run = place.begin()
    _some_moment(place, run, rng, most)
    run.kill()
    run.wait()
    return run


def _all_killed(place: Place, rng: random.Random, most: float) -> Run:
    """Kill everything in the same moment, as a machine that goes down does."""
    run = place.begin()
    _some_moment(place, run, rng, most)
    own = place.processes()
    for process in own:
        kill(process, signal.SIGSTOP)
    for process in own:
        kill(process)
    run.wait()
    return run


def _stopped(place: Place, rng: random.Random, most: float) -> Run:
    run = place.begin()
    _some_moment(place, run, rng, most)
    run.send_signal(rng.choice((signal.SIGTERM, signal.SIGINT, signal.SIGHUP)))
    run.wait()
    return run


def _one_killed(which: Callable[[Place], Sequence[psutil.Process]]) -> Callable[..., Run]:
    """Kill one of some processes, a random moment after there is one."""

    def disturb(place: Place, rng: random.Random, most: float) -> Run:
        run = place.begin()
        place.wait_for(lambda: which(place), run)
        _pause(run, rng.uniform(0, most / 4))
        listed = which(place) or place.wait_for(lambda: which(place), run)
        if listed:
            kill(rng.choice(list(listed)))
        run.wait()
        return run

    return disturb


def _two_at_once(place: Place, rng: random.Random, most: float) -> Run:
    """Kill one of two runs on the same folder: the other one is not to lose its scratch."""
    other = place.begin()
    _pause(other, rng.uniform(0, most / 2))
    run = place.begin()
    _pause(other, rng.uniform(0, most))
    other.kill()
    other.wait()
    third = place.begin()
    third.wait()
    run.wait()
    return third if third.returncode else run


def _files_too_long(place: Place, rng: random.Random, _most: float) -> Run:
    run = place.begin(file_bytes=rng.randrange(*_LONGEST_BYTES))
    run.wait()
    return run


def _disk_full(place: Place, rng: random.Random, _most: float) -> Run:
    with mounted(place, rng.randrange(*_FULL_BYTES)):
        run = place.begin()
        run.wait()
    return run


@contextmanager
def mounted(place: Place, size: int) -> Iterator[None]:
    """Let the output folder be a disk of that size, and of enough size afterwards."""
    where = str(place.out)
    if not can_mount():
        raise PermissionError("only root may mount a disk")
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "soak", where], check=True)
    try:
        yield
    finally:
        subprocess.run(["mount", "-o", f"remount,size={_LATER_BYTES}", where], check=True)


def unmounted(place: Place) -> None:
    """Take the disk of an output folder away, where there is one."""
    if os.path.ismount(place.out):
        subprocess.run(["umount", str(place.out)], check=True)


def can_mount() -> bool:
    """Tell whether a small disk can be mounted here: by root, where nothing forbids it."""
    if os.geteuid() != 0:
        return False
    tried = subprocess.run(["unshare", "-m", "mount", "-t", "tmpfs", "soak", "/mnt"],
                           capture_output=True, check=False)  # fmt: skip
    return tried.returncode == 0


def _pause(run: Run, seconds: float) -> None:
    """Wait, but not longer than a run lasts."""
    try:
        run.wait(seconds)
    except subprocess.TimeoutExpired:
        return


def bring_notebooks(place: Place, cell: str) -> None:
    """Lay out the reports of a place as notebooks of one quick cell; the last has the `cell`."""
    folder = place.root / "notebooks"
    folder.mkdir(exist_ok=True)
    for report in place.reports:
        own = cell if cell and report == place.reports[-1] else QUICK
        made = [nbformat.v4.new_code_cell(_PARAMETERS, id="parameters",
                                          metadata={"tags": ["parameters"]}),
                nbformat.v4.new_code_cell(own, id="cell")]  # fmt: skip
        notebook = nbformat.v4.new_notebook(cells=made)
        notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3",
                                           "language": "python"}  # fmt: skip
        (folder / f"{report}.ipynb").write_text(nbformat.writes(notebook), encoding="utf-8")


KINDS = {
    "run killed": Kind(disturb=_run_killed, codes=(0, -signal.SIGKILL), cleans=False),
    "all killed at once": Kind(disturb=_all_killed, codes=(0, -signal.SIGKILL), cleans=False),
    "run asked to end": Kind(disturb=_stopped, codes=(0, 129, 130, 143), says=BROKEN_OFF),
    "kernel killed": Kind(disturb=_one_killed(Place.kernels)),
    "server killed": Kind(disturb=_one_killed(Place.servers)),
    "browser killed": Kind(disturb=_one_killed(Place.browsers), formats=("html", "pdf"),
                           codes=(0, 1), says="Failed:"),
    "one of two runs killed": Kind(disturb=_two_at_once),
    "no long files": Kind(disturb=_files_too_long, codes=(0, 1, 2), says=FULL),
    "disk full": Kind(disturb=_disk_full, codes=(0, 1, 2), says=FULL),
    "cell loops": Kind(disturb=_undisturbed, codes=(1,), says="Failed:", seconds=30.0,
                       cell="while True: pass"),
    "cell eats memory": Kind(disturb=_undisturbed, codes=(1,), says="Failed:", megabytes=3000,
                             cell="b = [bytearray(2**28) for _ in range(40)]"),
    "cell ends its kernel": Kind(disturb=_undisturbed, codes=(1,), says="Failed:",
                                 cell="import os; os._exit(7)"),
    "cell prints 100 MB": Kind(disturb=_undisturbed, cell="print('x' * 100_000_000)"),
}  # fmt: skip
