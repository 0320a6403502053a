"""Starting and ending the server that kernels are forked from."""

import os
import select
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import entry_points
from pathlib import Path

from salesops.book.runlog import OPENED, SHARED
from salesops.reports.provisioner import NAME, SOCKET
from salesops.reports.warmserver import FOLDER
from salesops.stopping import Claim, clear_abandoned

GROUP = "jupyter_client.kernel_provisioners"
_READY = 180.0
# Folders of a run's kernels begin so; the next run clears those of a run that was killed.


def can_fork() -> bool:
    """Tell whether kernels can be forked here: on Linux, where libraries survive it.

    Setting `SALESOPS_COLD` switches it off; so does an installation from before there was a
    provisioner, since jupyter_client knows it by the package's entry point.
    """
    if sys.platform != "linux" or os.environ.get("SALESOPS_COLD"):
        return False
    return any(point.name == NAME for point in entry_points(group=GROUP))


class WarmServer:
    """The server of one run; it ends with the process that started it, however that ends."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # Where the server was killed too, a company's rows are left there.
        clear_abandoned(Path(tempfile.gettempdir()), FOLDER)
        self._folder = Claim(Path(tempfile.gettempdir()), FOLDER)
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0

    @property
    def pid(self) -> int | None:
        """Process of the server, null where none runs."""
        return self._process.pid if self._process is not None else None

    @property
    def folder(self) -> Path:
        """A folder that nobody else may read, which goes when the server does."""
        return self._folder.path

    def start(self) -> None:
        """Begin to start it, unless it was begun; `environment` waits until it is ready."""
        with self._lock:
            if self._process is None:
                self._start()

    def _start(self) -> None:
        self._started += 1
        path = self.folder / f"kernels-{self._started}"
        # Threads of a library would be lost by a fork.
        env = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "salesops.reports.warmserver", str(path)], env=env,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip
        self._path = path
        self._ready = False

    def environment(self) -> dict[str, str]:
        """Give what tells jupyter_client to fork kernels; empty where that is not possible.

        A server that was killed is started anew, once per call.
        """
        with self._lock:
            if self._process is None or self._process.poll() is not None:
                self._end()
                self._start()
            if not self._ready and not self._wait():
                return {}
            return {"JUPYTER_DEFAULT_PROVISIONER_NAME": NAME, SOCKET: str(self._path)}

    def _wait(self) -> bool:
        assert self._process is not None
        assert self._process.stdout is not None
        told = self._process.stdout
        if select.select([told], [], [], _READY)[0]:
            self._ready = told.readline().strip() == b"ready"
        return self._ready

    def _end(self) -> None:
        if self._process is None:
            return
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def close(self) -> None:
        """End it with all its kernels."""
        with self._lock:
            self._end()
            self._folder.clear()


def shared_in(folder: Path) -> dict[str, str]:
    """Give what tells the kernels of a run to share opened books and results in a folder."""
    # Who has named a folder has one for more than this run.
    return {name: os.environ.get(name) or str(folder) for name in (OPENED, SHARED)}


@contextmanager
def warm_server(jobs: int) -> Iterator[WarmServer | None]:
    """Give a server for so many jobs, which starts when it is first asked; null without need.

    One report alone is made as soon by a kernel that imports only what it needs.
    """
    server = WarmServer() if can_fork() and jobs > 1 else None
    try:
        yield server
    finally:
        if server is not None:
            server.close()
