"""The kernels of a run, all known by name, so that none outlives it or its limits."""

import os
import signal
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from salesops.reports.provisioner import MEMORY, NAME
from salesops.reports.warm import WarmServer
from salesops.reports.warmserver import FOLDER
from salesops.stopping import clear_abandoned, scratch_folder

Why = Literal["", "time"]


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one report may take.

    Attributes
    ----------
    seconds
        From the start of its kernel to its end; 0 is without limit.
    megabytes
        Memory of its kernel; 0 is without limit.
    """

    seconds: float = 900.0
    megabytes: int = 0


@dataclass(kw_only=True)
class Held:
    """The kernels of one job; `why` is the limit that ended them."""

    manager: type
    managers: list[Any] = field(default_factory=list)
    why: Why = ""

    def end(self, why: Why = "") -> None:
        """Kill them with all that they started."""
        self.why = why
        for manager in list(self.managers):
            _kill(manager)

    def close(self) -> None:
        """Reap them and close their sockets.

        A client whose kernel was killed, or never answered, leaves both behind.
        """
        for manager in self.managers:
            _kill(manager)
            process = getattr(manager.provisioner, "process", None)
            if process is not None:
                process.wait()
            if not manager.context.closed:
                manager.context.destroy(linger=0)


class Kernels:
    """Starts kernels for papermill and ends them all at once where a run is broken off.

    Parameters
    ----------
    limits
        Of each job.
    server
        Forks kernels; without one each is a process of its own.
    told
        What their environment holds beside that of this process.
    folder
        Where they begin; by default where this process is.
    """

    def __init__(
        self, limits: Limits | None = None, server: WarmServer | None = None,
        told: Mapping[str, str] | None = None, folder: str | None = None,
    ) -> None:  # fmt: skip
        self._lock = threading.Lock()
        self._held: list[Held] = []
        self._ended = False
        _prefer_forked()
        clear_abandoned(Path(tempfile.gettempdir()), FOLDER)
        self.limits = limits or Limits()
        self.server = server
        self.told = dict(told or {})
        self.folder = folder

    @contextmanager
    def held(self) -> Iterator[Held]:
        """Give the class that nbclient makes a job's kernel manager of, for as long as the job is.

        It is the usual one, apart from that its kernels are known here.
        """
        with scratch_folder(Path(tempfile.gettempdir()), FOLDER) as place:
            held = self._hold(place)
            timer = threading.Timer(self.limits.seconds, held.end, ("time",))
            if self.limits.seconds:
                timer.start()
            try:
                yield held
            finally:
                timer.cancel()
                held.close()
                with self._lock:
                    self._held.remove(held)

    def _hold(self, place: Path) -> Held:
        from jupyter_client.manager import AsyncKernelManager

        kernels = self

        class Known(AsyncKernelManager):
            async def start_kernel(self, **options: Any) -> None:  # type: ignore[override]
                kernels._refuse()
                options.setdefault("env", kernels._environment())
                # By itself it would lie among all temporary files, where no later run knows it.
                self.connection_file = str(place / f"{len(held.managers)}.json")
                options.setdefault("cwd", kernels.folder)
                await super().start_kernel(**options)
                kernels._add(held, self)

        held = Held(manager=Known)
        with self._lock:
            self._held.append(held)
        return held

    def _environment(self) -> dict[str, str]:
        told = self.server.environment() if self.server is not None else {}
        if self.limits.megabytes:
            told[MEMORY] = str(self.limits.megabytes * 2**20)
        return {**os.environ, **self.told, **told}

    def end(self) -> None:
        """Kill every kernel that runs, and let no other start."""
        with self._lock:
            self._ended = True
            running = list(self._held)
        for held in running:
            held.end()

    @property
    def ended(self) -> bool:
        """Whether the run was broken off."""
        return self._ended

    def _refuse(self) -> None:
        if self._ended:
            raise RuntimeError("the run was broken off")

    def _add(self, held: Held, manager: Any) -> None:
        with self._lock:
            held.managers.append(manager)
            ended = self._ended or held.why
        if ended:
            _kill(manager)
            self._refuse()


def _prefer_forked() -> None:
    """Let every kernel be started by our provisioner, which keeps limits also of cold ones.

    jupyter_client reads the name from the environment once in the life of a process.
    """
    from jupyter_client.provisioning.factory import KernelProvisionerFactory

    factory = KernelProvisionerFactory.instance()
    if NAME in factory.get_provisioner_entries():
        factory.default_provisioner_name = NAME


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
