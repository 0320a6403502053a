"""The command line called in this process, which has the packages loaded."""

import contextlib
import contextvars
import io
import os
import subprocess
import sys
from pathlib import Path

from salesops.cli.main import main


def salesops(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command line as its entry point does; what it sets in the process is set back."""
    told, errors, code = io.StringIO(), io.StringIO(), 0
    here = contextlib.chdir(cwd) if cwd else contextlib.nullcontext()
    before, name = dict(os.environ), sys.argv
    sys.argv = ["salesops"]
    with here, contextlib.redirect_stdout(told), contextlib.redirect_stderr(errors):
        try:
            contextvars.copy_context().run(main, list(arguments))
        except SystemExit as end:
            code = int(end.code or 0)
        finally:
            sys.argv = name
            os.environ.clear()
            os.environ.update(before)
    return subprocess.CompletedProcess(list(arguments), code, told.getvalue(), errors.getvalue())
