"""A process that has imported everything once and forks a kernel for each request.

It runs as `python -m salesops.reports.warmserver SOCKET`, has one thread, and ends with its kernels
when whoever started it closes its standard input, however that happens. A request is one line of
JSON on a connection of its own: `argv` of the kernel, `env`, `cwd`. The answers are `{"pid": 123}`
and, when the kernel ends, `{"exit": 0}`. A connection that is closed ends its kernel.
"""

import contextlib
import gc
import importlib
import importlib.util
import json
import os
import pkgutil
import selectors
import shutil
import signal
import socket
import sys
from pathlib import Path
from typing import Any, NoReturn

# What notebooks import when it is first needed, beside all that the analyses import at once.
LAZY = (
    "IPython.core.completerlib", "chinese_calendar", "clarabel", "duckdb", "ibis.backends.duckdb",
    "ibis.backends.sql.compilers.duckdb", "ipykernel.kernelapp", "ipykernel.zmqshell", "lunardate",
    "matplotlib.backends.backend_agg", "matplotlib.backends.backend_svg", "matplotlib.pyplot",
    "openpyxl",
    "pandas.io.formats.style", "pyarrow.compute", "pyarrow.csv", "pyarrow.parquet",
    "scipy.interpolate", "scipy.linalg", "scipy.optimize", "scipy.sparse", "scipy.special",
    "scipy.stats", "seaborn", "sklearn.ensemble", "sklearn.linear_model", "sklearn.metrics",
    "sklearn.pipeline",
    "sklearn.preprocessing", "skops.io",
)  # fmt: skip
OWN = ("analyses", "book", "charts", "checks", "methods", "metrics", "model", "wording")
# What the last cell of a report needs, which hands files over.
ALSO = ("opening", "reports.columns", "reports.handover", "reports.sheets", "reports.workbook")
# How the name of a run's folder for its kernels begins.
FOLDER = "salesops-kernels-"
_LINE = 1 << 20


def preload() -> list[str]:
    """Import what kernels will need; give the names that could not be imported.

    No thread may run and no connection to an engine be open afterwards: a fork takes neither along.
    """
    # By name, as all here: what is imported is not used here, so no layer rests on it.
    package = importlib.import_module("salesops")
    names = list(LAZY)
    for part in OWN:
        root = importlib.import_module(f"salesops.{part}")
        names += [m.name for m in pkgutil.walk_packages(root.__path__, f"{root.__name__}.")]
    names += [f"salesops.{name}" for name in ALSO]
    lacking = []
    for name in names:
        try:
            importlib.import_module(name)
        except ImportError:
            lacking.append(name)
    for name in package.__all__:
        getattr(package, name)
    return lacking


class Server:
    """Forks kernels, tells how they end, and ends those that nobody waits for."""

    def __init__(self, listener: socket.socket) -> None:
        self.listener = listener
        self.selector = selectors.DefaultSelector()
        self.kernels: dict[int, socket.socket] = {}
        self.asked: dict[socket.socket, bytes] = {}
        self.woken, waking = socket.socketpair()
        for one in (self.woken, waking):
            one.setblocking(False)
        self.waking = waking
        signal.set_wakeup_fd(waking.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def serve(self) -> None:
        """Serve until standard input is closed."""
        for one in (self.listener, self.woken, 0):
            self.selector.register(one, selectors.EVENT_READ)
        try:
            while True:
                for key, _events in self.selector.select():
                    if key.fileobj == 0:
                        if not os.read(0, 1):
                            return
                    elif key.fileobj is self.listener:
                        self._greet()
                    elif key.fileobj is self.woken:
                        self.woken.recv(_LINE)
                        self._reap()
                    else:
                        self._hear(key.fileobj)  # type: ignore[arg-type]
        finally:
            for pid in self.kernels:
                end_group(pid)

    def _greet(self) -> None:
        connection, _address = self.listener.accept()
        self.asked[connection] = b""
        self.selector.register(connection, selectors.EVENT_READ)

    def _hear(self, connection: socket.socket) -> None:
        try:
            heard = connection.recv(_LINE)
        except ConnectionError:
            heard = b""
        if not heard:
            self._forget(connection)
            return
        if connection not in self.asked:
            return
        self.asked[connection] += heard
        if self.asked[connection].endswith(b"\n"):
            self._fork(connection, json.loads(self.asked.pop(connection)))

    def _forget(self, connection: socket.socket) -> None:
        """End the kernel of a connection that is gone."""
        self.selector.unregister(connection)
        self.asked.pop(connection, None)
        connection.close()
        for pid, asker in self.kernels.items():
            if asker is connection:
                end_group(pid)

    def _fork(self, connection: socket.socket, request: dict[str, Any]) -> None:
        pid = os.fork()
        if pid == 0:
            self._become_kernel(request)
        self.kernels[pid] = connection
        _tell(connection, {"pid": pid})

    def _become_kernel(self, request: dict[str, Any]) -> NoReturn:
        """Leave nothing of the server open, and be a kernel until it ends."""
        code = 1
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            self.selector.close()
            for one in (
                self.listener,
                self.woken,
                self.waking,
                *self.kernels.values(),
                *self.asked,
            ):
                one.close()
            code = run_kernel(request)
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else 0
        except BaseException:
            import traceback

            traceback.print_exc()
        finally:
            with contextlib.suppress(Exception):
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(code)

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            # What it started lives in its group, and is not to outlive it.
            end_group(pid)
            connection = self.kernels.pop(pid, None)
            if connection is not None and connection.fileno() >= 0:
                _tell(connection, {"exit": os.waitstatus_to_exitcode(status)})
                self._forget(connection)


def run_kernel(request: dict[str, Any]) -> int:
    """Be an IPython kernel, as a new process would be one.

    Notes
    -----
    What libraries decide at import is decided anew, since they were imported outside of IPython:
    the backend of pictures, how wide pandas shows a table, and the seeds of random numbers.
    """
    os.setsid()
    _die_with_parent()
    os.environ.clear()
    os.environ.update(request["env"])
    os.environ["JPY_PARENT_PID"] = str(os.getppid())
    os.chdir(request["cwd"])
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    _limit_memory(os.environ.get("SALESOPS_KERNEL_MEMORY", ""))
    _reseed()
    from ipykernel.kernelapp import IPKernelApp

    launcher = importlib.util.find_spec("ipykernel_launcher")
    assert launcher is not None
    sys.argv = [str(launcher.origin), *request["argv"]]
    app = IPKernelApp.instance()
    app.parent_handle = os.getppid()
    app.initialize(request["argv"])  # type: ignore[no-untyped-call]
    _as_in_a_notebook()
    app.start()  # type: ignore[no-untyped-call]
    return 0


def _as_in_a_notebook() -> None:
    import matplotlib.pyplot as plt
    import pandas as pd
    from matplotlib_inline.backend_inline import _enable_matplotlib_integration

    plt.switch_backend(os.environ["MPLBACKEND"])
    _enable_matplotlib_integration()  # type: ignore[no-untyped-call]
    pd.set_option("display.max_columns", 20)


def _reseed() -> None:
    import random

    import numpy as np

    random.seed()
    np.random.seed()


def _limit_memory(most: str) -> None:
    if most:
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (int(most), int(most)))


def _die_with_parent() -> None:
    """Ask the system to kill this kernel should the server be killed, whatever it is doing then."""
    import ctypes

    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(1, signal.SIGKILL, 0, 0, 0)


def end_group(pid: int) -> None:
    """Kill a process with all that it started: it leads a group of its own."""
    # Straight after the fork its group is the server's: the number is the process's, never asked.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _tell(connection: socket.socket, what: dict[str, int]) -> None:
    with contextlib.suppress(OSError):
        connection.sendall(json.dumps(what).encode() + b"\n")


def main(path: str) -> None:
    """Import everything, listen, and say so by a line on standard output."""
    # ipykernel reads it when it is imported: whose end is a kernel's end.
    os.environ["JPY_PARENT_PID"] = str(os.getpid())
    os.environ.setdefault("MPLBACKEND", "agg")
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    preload()
    os.environ.pop("MPLBACKEND")
    if sys.path[0] == str(Path.cwd()):
        # Added for `-m`, as for a kernel that starts by itself, which takes it away too.
        del sys.path[0]
    place = Path(path)
    try:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(place))
            listener.listen(64)
            gc.collect()
            gc.freeze()
            # Not by `print`, which would try a pipe that was closed once more at the end.
            os.write(1, b"ready\n")
            Server(listener).serve()
    except (BrokenPipeError, FileNotFoundError):
        # Whoever started it was killed while it imported, and its folder may be cleared already.
        pass
    finally:
        # What kernels shared there are a company's rows; no other folder is ever taken away.
        if place.parent.name.startswith(FOLDER):
            shutil.rmtree(place.parent, ignore_errors=True)


if __name__ == "__main__":
    main(sys.argv[1])
