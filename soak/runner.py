"""`salesops run` with limits that its options do not have, and over other notebooks if need be.

It is called as `python -m soak.runner NOTEBOOKS SECONDS MEGABYTES FILE_BYTES run …`; where the
first is `-`, the run is the command line itself.
"""

import functools
import os
import resource
import signal
import sys
from pathlib import Path

from salesops.cli import running
from salesops.cli.main import main
from salesops.reports import jobs
from salesops.reports.kernels import Limits
from salesops.reports.run import run_reports
from salesops.stopping import SIGNALS


def run(arguments: list[str]) -> None:
    """Run the command line with what the first four arguments say."""
    folder, seconds, megabytes, file_bytes, *rest = arguments
    # Under nohup, or in the background of a shell, signals are handed on that are ignored.
    for one in SIGNALS:
        signal.signal(one, signal.SIG_DFL)
    if int(file_bytes):
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(file_bytes), int(file_bytes)))
    if folder == "-":
        os.execv(sys.executable, [sys.executable, "-m", "salesops", *rest])
    jobs.notebooks_folder = lambda: Path(folder)
    limits = Limits(seconds=float(seconds), megabytes=int(megabytes))
    running.run_reports = functools.partial(run_reports, limits=limits)  # type: ignore[attr-defined]
    main(rest)


if __name__ == "__main__":
    run(sys.argv[1:])
