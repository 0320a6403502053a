"""The kernels of a run, all known by name, so that none outlives it."""

import os
import signal
import threading
from typing import Any


class Kernels:
    """Starts kernels for papermill and ends them all at once where a run is broken off."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._managers: list[Any] = []
        self._ended = False

    def manager(self) -> type:
        """Give the class that nbclient makes a kernel's manager of.

        It is the usual one, apart from that its kernels are known here.
        """
        from jupyter_client.manager import AsyncKernelManager

        kernels = self

        class Known(AsyncKernelManager):
            async def start_kernel(self, **options: Any) -> None:  # type: ignore[override]
                kernels._refuse()
                await super().start_kernel(**options)
                kernels._add(self)

        return Known

    def end(self) -> None:
        """Kill every kernel that runs, and let no other start."""
        with self._lock:
            self._ended = True
            running = list(self._managers)
        for manager in running:
            _kill(manager)

    def close(self) -> None:
        """Reap the kernels and close their sockets, once nothing uses them any more.

        A client whose kernel was killed, or never answered, leaves both behind.
        """
        for manager in self._managers:
            _kill(manager)
            process = getattr(manager.provisioner, "process", None)
            if process is not None:
                process.wait()
            if not manager.context.closed:
                manager.context.destroy(linger=0)

    def _refuse(self) -> None:
        if self._ended:
            raise RuntimeError("the run was broken off")

    def _add(self, manager: Any) -> None:
        with self._lock:
            self._managers.append(manager)
            ended = self._ended
        if ended:
            _kill(manager)
            self._refuse()


def _kill(manager: Any) -> None:
    """Kill a kernel with all that it started: it leads a group of processes of its own."""
    process = getattr(manager.provisioner, "process", None)
    if process is None or process.poll() is not None:
        return
    try:
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    except ProcessLookupError:
        return  # it ended by itself in the meantime
