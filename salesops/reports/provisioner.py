"""Kernels forked from a warm server, for whatever starts kernels through jupyter_client.

papermill, nbclient and nbval use it unchanged where `JUPYTER_DEFAULT_PROVISIONER_NAME` is
`salesops-warm` and `SALESOPS_WARM` names the server's socket. Without a server, or for a kernel
other than this Python's, a kernel is started as usual: slower, with the same results.
"""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from typing import Any

from jupyter_client.provisioning.local_provisioner import LocalProvisioner

NAME = "salesops-warm"
SOCKET = "SALESOPS_WARM"
MEMORY = "SALESOPS_KERNEL_MEMORY"
ANSWER_SECONDS = 60.0
_LAUNCHER = "ipykernel_launcher"


class Forked:
    """A kernel of the warm server, as `subprocess.Popen` would show it."""

    stdin = stdout = stderr = None

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._heard = b""
        self.returncode: int | None = None
        self.pid = int(self._next()["pid"])

    def _next(self) -> dict[str, int]:
        """Wait for the server's next line; a server that is gone took its kernels along."""
        while b"\n" not in self._heard:
            try:
                heard = self._connection.recv(4096)
            except ConnectionError:
                heard = b""
            if not heard:
                if not hasattr(self, "pid"):
                    raise ConnectionError("the server of kernels is gone")
                self._kill_group()
                return {"exit": -signal.SIGKILL}
            self._heard += heard
        line, _newline, self._heard = self._heard.partition(b"\n")
        return dict(json.loads(line))

    def poll(self) -> int | None:
        """Give the exit code once there is one."""
        return self._ended(0.0)

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end.

        Raises
        ------
        subprocess.TimeoutExpired
            It still runs.
        """
        code = self._ended(timeout)
        if code is None:
            raise subprocess.TimeoutExpired(f"kernel {self.pid}", timeout or 0.0)
        return code

    def _ended(self, timeout: float | None) -> int | None:
        if self.returncode is not None:
            return self.returncode
        import select

        until = None if timeout is None else time.monotonic() + timeout
        while self.returncode is None:
            left = None if until is None else max(until - time.monotonic(), 0.0)
            if not select.select([self._connection], [], [], left)[0]:
                return None
            self.returncode = self._next().get("exit")
        self._connection.close()
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send a signal to the kernel, unless it has ended."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)

    def _kill_group(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)


class WarmProvisioner(LocalProvisioner):
    """Forks a kernel from the warm server where there is one, else starts it as usual."""

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        """Start the kernel of a command line."""
        forked = self._forked(cmd, kwargs)
        if forked is None:
            told = await super().launch_kernel(cmd, **kwargs)
            _limit(self.process.pid, (kwargs.get("env") or os.environ).get(MEMORY, ""))
            return told
        self.process: Any = forked
        # It leads a group of that number; asked straight after the fork it would be the server's.
        self.pid = self.pgid = forked.pid
        return self.connection_info

    def _forked(self, cmd: list[str], kwargs: dict[str, Any]) -> Forked | None:
        env = dict(kwargs.get("env") or os.environ)
        place = env.get(SOCKET, "")
        if not place or _LAUNCHER not in cmd or not _same(cmd[0]):
            return None
        request = {"argv": cmd[cmd.index(_LAUNCHER) + 1 :], "env": env,
                   "cwd": kwargs.get("cwd") or os.getcwd()}  # fmt: skip
        connection = socket.socket(socket.AF_UNIX)
        try:
            # A server that hangs is as good as none: no limit would end the wait for it.
            connection.settimeout(ANSWER_SECONDS)
            connection.connect(place)
            connection.sendall(json.dumps(request).encode() + b"\n")
            forked = Forked(connection)
            connection.settimeout(None)
            return forked
        except OSError:
            connection.close()
            return None


def _same(python: str) -> bool:
    """Tell whether a kernel's Python is this one, with the same packages."""
    return python in (sys.executable, "python", f"python{sys.version_info.major}") or (
        os.path.realpath(python) == os.path.realpath(sys.executable)
        and os.path.dirname(python) == os.path.dirname(sys.executable)
    )


def _limit(pid: int, most: str) -> None:
    """Bound the memory of a kernel that was started as a process of its own."""
    if most and sys.platform == "linux":
        import resource

        with contextlib.suppress(ProcessLookupError):
            resource.prlimit(pid, resource.RLIMIT_DATA, (int(most), int(most)))
