"""Reports made by a worker process of a Dask cluster, with kernels and a server of its own.

All that it needs comes with a job, and all that it makes goes back as bytes: with whoever runs the
reports it shares the book alone. Its server of kernels is kept for as long as the process lives,
and ends with it. What kernels share of a run goes when the run ends.
"""

import json
import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from salesops.book.runlog import ELSEWHERE
from salesops.reports.execute import KERNEL_ENVIRONMENT, load_papermill
from salesops.reports.jobs import Job
from salesops.reports.kernels import Kernels, Limits
from salesops.reports.keys import code
from salesops.reports.making import Made, Wanted, make
from salesops.reports.masking import Masker
from salesops.reports.warm import WarmServer, can_fork, shared_in
from salesops.stopping import clear_abandoned, scratch_folder

# So often a job looks whether somebody still waits for it.
LOOK_SECONDS = 1.0
_FILES = "salesops-files-"
_PREFER = "JUPYTER_PREFER_ENV_PATH"


@dataclass(frozen=True, kw_only=True)
class Order:
    """What a run tells the workers with each of its jobs.

    Attributes
    ----------
    run
        Tells its jobs from those of other runs.
    folder
        From where the path of a book is meant.
    limits
        What a report may take.
    formats
        See `salesops.reports.handover`.
    """

    run: str
    folder: str
    limits: Limits
    formats: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Fitness:
    """What a worker has of that from which pages follow.

    Attributes
    ----------
    code
        See `salesops.reports.keys.code`.
    sees
        Whether the book lies there.
    """

    code: str
    sees: bool


def fitness(book: str, folder: str) -> Fitness:
    """Say what this process makes reports with, and whether it finds a book."""
    return Fitness(code=code(), sees="://" in book or (Path(folder) / book).exists())


class _Process:
    """What the process keeps between jobs."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ready = False
        self._server: WarmServer | None = None
        self._at_work: dict[str, list[Kernels]] = {}

    def server(self) -> WarmServer | None:
        """Give the server of its kernels; null where they can't be forked."""
        with self._lock:
            if not self._ready:
                load_papermill()
                # Where kernels are looked for is read from this process, not from theirs.
                os.environ.setdefault(_PREFER, KERNEL_ENVIRONMENT[_PREFER])
                self._server = WarmServer() if can_fork() else None
                if self._server is None:
                    clear_abandoned(Path(tempfile.gettempdir()), _FILES)
                self._ready = True
            return self._server

    def shared(self, run: str) -> dict[str, str]:
        """Name a folder in which kernels of a run share; none where no server would clear it."""
        if self._server is None:
            return {}
        folder = self._server.folder / run
        folder.mkdir(exist_ok=True)
        return shared_in(folder)

    @contextmanager
    def at_work(self, run: str, kernels: Kernels) -> Iterator[None]:
        """Know of kernels for as long as they work."""
        with self._lock:
            # Those of a run whose end was not told.
            for one in [one for one, left in self._at_work.items() if not left and one != run]:
                self._forget(one)
            self._at_work.setdefault(run, []).append(kernels)
        try:
            yield
        finally:
            with self._lock, suppress(KeyError, ValueError):  # the run has ended before
                self._at_work[run].remove(kernels)

    def leave(self, run: str) -> None:
        """End what still works for a run, and clear away what its kernels shared."""
        with self._lock:
            for kernels in self._at_work.get(run, []):
                kernels.end()
            self._forget(run)

    def _forget(self, run: str) -> None:
        self._at_work.pop(run, None)
        if self._server is not None:
            shutil.rmtree(self._server.folder / run, ignore_errors=True)


_process = _Process()


def leave(run: str) -> None:
    """End what this process still does for a run, and clear away what its kernels shared."""
    _process.leave(run)


def work(
    job: Job, links: Sequence[tuple[str, str]], order: Order, records: Sequence[dict[str, Any]]
) -> Made:
    """Make a report in this process.

    Parameters
    ----------
    job
        With its notebook.
    links
        Its neighbours on the page.
    order
        What holds for all jobs of the run.
    records
        Those of earlier runs that do not lie beside the book.
    """
    from distributed import get_worker

    worker = get_worker()
    worker.log_event(order.run, job.stem)
    server = _process.server()
    place = server.folder if server is not None else Path(tempfile.gettempdir())
    with scratch_folder(place, _FILES) as files:
        told = {**KERNEL_ENVIRONMENT, **_process.shared(order.run), **_laid(records, files)}
        # From where a path that begins with no folder is meant; all others need none.
        folder = order.folder if os.access(order.folder, os.X_OK) else None
        kernels = Kernels(order.limits, server, told, folder)
        # Of what is secret only the place of the book came along; the rest is this machine's own.
        masker = Masker.of_environment(addresses=[str(job.parameters["book"])])
        wanted = Wanted(formats=order.formats, folder=files, masker=masker)
        with _process.at_work(order.run, kernels), _watched(kernels, _waited_for(worker)):
            return in_bytes(make(job, links, kernels, wanted))


def _laid(records: Sequence[dict[str, Any]], folder: Path) -> dict[str, str]:
    """Lay the records of earlier runs where a kernel finds them."""
    if not records:
        return {}
    runs = folder / "runs"
    runs.mkdir()
    for record in records:
        (runs / f"{record['run']}.json").write_text(json.dumps(record), encoding="utf-8")
    return {ELSEWHERE: str(runs)}


def _waited_for(worker: Any) -> Callable[[], bool]:
    """Give a function that tells whether the cluster still wants what this thread works at."""
    key = worker.get_current_task()

    def waited_for() -> bool:
        task = worker.state.tasks.get(key)
        return task is not None and task.state != "cancelled"

    return waited_for


@contextmanager
def _watched(kernels: Kernels, waited_for: Callable[[], bool]) -> Iterator[None]:
    """End kernels once nobody waits for them, also where whoever ran the reports was killed."""
    over = threading.Event()

    def watch() -> None:
        while not over.wait(LOOK_SECONDS):
            if not waited_for():
                kernels.end()
                return

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()


def in_bytes(made: Made) -> Made:
    """Give a report with its files read; of one that failed a run takes its page alone."""
    files = {
        name: content if isinstance(content, bytes) else content.read_bytes()
        for name, content in made.files.items()
        if isinstance(content, bytes) or made.done.failure is None
    }
    return Made(done=made.done, files={**files})
