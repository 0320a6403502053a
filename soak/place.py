"""Where one round happens: a book, an output folder and a folder for temporary files of its own."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from salesops.book.runlog import OPENED, SHARED
from salesops.reports.kept import Kept

# By this all processes of a round are known, whoever started them.
MARK = "SALESOPS_SOAK"
_STEP = 0.1


@dataclass(kw_only=True)
class Place:
    """Folders of one round, below `root`; its path is short, since sockets allow no long ones.

    Attributes
    ----------
    root
        Holds `book`, `out`, `tmp`, and `notebooks` where a round brings its own.
    reports, langs, formats
        What its runs make.
    seconds, megabytes
        What a report may take; without limit where 0.
    cold
        Whether each kernel is a process of its own, as where none can be forked.
    """

    root: Path
    reports: Sequence[str]
    langs: Sequence[str] = ("zh", "en")
    formats: Sequence[str] = ("html",)
    seconds: float = 0.0
    megabytes: int = 0
    cold: bool = False
    begun: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @classmethod
    def of(cls, book: Path, **given: Any) -> "Place":
        """Lay out a place with a copy of a book, without the records of its runs."""
        root = Path(tempfile.mkdtemp(prefix="soak-"))
        shutil.copytree(book, root / "book", ignore=shutil.ignore_patterns("runs"))
        for name in ("out", "tmp", "models"):
            (root / name).mkdir()
        return cls(root=root, **given)

    @property
    def book(self) -> Path:
        """The copy of the book."""
        return self.root / "book"

    @property
    def out(self) -> Path:
        """The output folder."""
        return self.root / "out"

    @property
    def jobs(self) -> int:
        """How many reports a run makes."""
        return len(self.reports) * len(self.langs)

    def begin(self, file_bytes: int | None = None) -> subprocess.Popen[bytes]:
        """Start a run of the command line.

        Parameters
        ----------
        file_bytes
            No file of it or of what it starts may be longer; as root and as anybody else.
        """
        own = self.root / "notebooks"
        limits = [str(own) if own.is_dir() else "-", self.seconds, self.megabytes, file_bytes or 0]
        command = [
            sys.executable, "-m", "soak.runner", *map(str, limits), "run", *self.reports,
            "--book", str(self.book), "--out", str(self.out), "--lang", ",".join(self.langs),
            "--format", ",".join(self.formats),
        ]  # fmt: skip
        env = {**os.environ, MARK: str(self.root), "TMPDIR": str(self.root / "tmp"),
               "SALESOPS_MODELS": str(self.root / "models"),
               "JUPYTER_RUNTIME_DIR": str(self.root / "tmp"),
               **({"SALESOPS_COLD": "1"} if self.cold else {})}  # fmt: skip
        # What others have opened and worked out is none of a round's.
        for name in (OPENED, SHARED):
            env.pop(name, None)
        with open(self.root / f"said-{len(self.begun)}", "wb") as said:
            process = subprocess.Popen(
                command, env=env, stdin=subprocess.DEVNULL, stdout=said, stderr=said
            )
        self.begun.append(process)
        return process

    def said(self, process: subprocess.Popen[bytes]) -> str:
        """Give what a run has written."""
        path = self.root / f"said-{self.begun.index(process)}"
        return path.read_text(encoding="utf-8", errors="replace")

    def kept(self) -> set[str]:
        """Give the keys of the reports that are finished and whole."""
        kept = Kept(self.out)
        found = kept.folder.iterdir() if kept.folder.is_dir() else ()
        return {path.name for path in found if kept.find(path.name) is not None}

    def processes(self) -> list[psutil.Process]:
        """List what runs of this place: its runs, servers, kernels, checks and browsers."""
        return [process for process in psutil.process_iter() if self._is_own(process)]

    def _is_own(self, process: psutil.Process) -> bool:
        try:
            if process.status() == psutil.STATUS_ZOMBIE or process.pid == os.getpid():
                return False
            # A browser is told nothing of the environment, but where its profile lies.
            told, words = process.environ().get(MARK), process.cmdline()
            return told == str(self.root) or any(str(self.root / "tmp") in word for word in words)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            return False

    def kernels(self) -> list[psutil.Process]:
        """List the kernels: what the server has forked, and those that were started by themselves.

        A forked one bears the server's command line.
        """
        servers = {process.pid for process in self.servers()}
        return [
            process for process in self.processes()
            if _asked(process.ppid) in servers or "ipykernel_launcher" in _words(process)
        ]  # fmt: skip

    def servers(self) -> list[psutil.Process]:
        """List the servers from which kernels are forked."""
        own = {process.pid: process for process in self.processes()
               if "salesops.reports.warmserver" in _words(process)}  # fmt: skip
        return [process for process in own.values() if _asked(process.ppid) not in own]

    def browsers(self) -> list[psutil.Process]:
        """List the browsers, without what they started."""
        return [process for process in self.processes()
                if any("--user-data-dir=" in word for word in _words(process))
                and not any(word.startswith("--type=") for word in _words(process))]  # fmt: skip

    def wait_for(
        self, found: Callable[[], Sequence[psutil.Process]], run: subprocess.Popen[bytes]
    ) -> Sequence[psutil.Process]:
        """Wait until there are such processes; none where the run ends before."""
        while run.poll() is None:
            listed = found()
            if listed:
                return listed
            time.sleep(_STEP)
        return []

    def clear(self) -> None:
        """End what still runs of this place, and take it away."""
        for process in self.processes():
            kill(process)
        for process in self.begun:
            process.wait()
        shutil.rmtree(self.root, ignore_errors=True)


def kill(process: psutil.Process, number: int = signal.SIGKILL) -> bool:
    """Send a signal to a process; tells whether it was still there."""
    try:
        process.send_signal(number)
    except psutil.NoSuchProcess:
        return False
    return True


def _words(process: psutil.Process) -> list[str]:
    return _asked(process.cmdline) or []


def _asked(question: Callable[[], Any]) -> Any:
    """Ask something of a process that may have ended."""
    try:
        return question()
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return None
