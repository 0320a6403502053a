"""Every notebook runs under nbval as it is committed: each cell, on the sample."""

import os
import subprocess
import sys
from pathlib import Path

NOTEBOOKS = sorted(map(str, Path("notebooks").glob("*.ipynb")))


def test_every_notebook_runs_as_it_is_committed(kernel_server):
    forked = kernel_server.environment() if kernel_server else {}
    command = [sys.executable, "-m", "pytest", "-q", "--nbval-lax", "--nbval-current-env",
               "-p", "no:cacheprovider", *NOTEBOOKS]  # fmt: skip
    done = subprocess.run(
        command, env={**os.environ, **forked}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-4000:]
    assert "passed" in done.stdout.splitlines()[-1]
    assert "skipped" not in done.stdout.splitlines()[-1]
