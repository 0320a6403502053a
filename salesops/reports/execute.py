"""Running one notebook: papermill in the process, one thread for numerics, quick shutdown."""

import os
import sys
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from salesops.reports.jobs import Job
from salesops.reports.kernels import Kernels
from salesops.wording import translate_notebook

KERNEL_ENVIRONMENT = {
    # Two kernels with all threads each stand in each other's way: 0.3 s become 15 s.
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    # The kernel of this Python, not one of the same name in the user's home.
    "JUPYTER_PREFER_ENV_PATH": "1",
}
_MARKER = "papermill-error-cell-tag"


@dataclass(frozen=True, kw_only=True)
class Executed:
    """A notebook after its run, whole or up to the cell that failed.

    Attributes
    ----------
    notebook
        With its outputs.
    failure
        `cell` (its id), `name` and `value` of the error, `traceback`; null where all ran.
    seconds
        How long it took.
    """

    notebook: Any
    failure: dict[str, str] | None
    seconds: float


@contextmanager
def kernel_environment(told: Mapping[str, str] | None = None) -> Iterator[None]:
    """Set what kernels started inside the `with` block need to know, and what they are told."""
    given = {**KERNEL_ENVIRONMENT, **(told or {})}
    before = {name: os.environ.get(name) for name in given}
    os.environ.update(given)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def load_papermill() -> None:
    """Import papermill in half the time that it takes by itself.

    It checks notebooks by JSON schema, which for addresses, of which they have none, builds a
    grammar of a whole second. Until rfc3987-syntax builds it when it is first used.
    """
    name = "rfc3987_syntax"
    hidden = name not in sys.modules
    if hidden:
        # None is Python's own mark of a module that can't be imported.
        sys.modules[name] = None  # type: ignore[assignment]
    try:
        import papermill  # noqa: F401 - loaded here, used in `execute`

        from salesops.reports import engine  # noqa: F401 - registers itself with papermill
    finally:
        if hidden:
            del sys.modules[name]


def notebook_of(job: Job) -> Any:
    """Give a job's notebook in its language."""
    return translate_notebook(job.read(), job.report, job.lang)


def execute(job: Job, kernels: Kernels, last: Any | None = None) -> Executed:
    """Run a job's notebook in its language, with a last cell of ours where one is given.

    A cell that fails ends it and is told, not raised.
    """
    import papermill
    from nbclient.exceptions import DeadKernelError
    from papermill.exceptions import PapermillExecutionError

    from salesops.reports.engine import ENGINE, BrokenOff

    began = time.monotonic()
    notebook = notebook_of(job)
    if last is not None:
        notebook.cells.append(last)
    kept = {"notebook": notebook}
    failure = None
    with kernels.held() as held:
        try:
            papermill.execute_notebook(
                notebook, None, parameters=job.parameters, kernel_name="python3",
                progress_bar=False, engine_name=ENGINE, shutdown_kernel="immediate",
                extra_arguments=["--log-level=ERROR"], kernel_manager_class=held.manager,
                # papermill hands the notebook over only when all went well; keep hold of it here.
                on_notebook_start=lambda notebook: kept.update(notebook=notebook),
            )  # fmt: skip
        except PapermillExecutionError:
            failure = failure_of(kept["notebook"])
        except BrokenOff as broken:
            if kernels.ended:
                raise
            failure = died(broken.cell, held.why or "died", broken.__cause__)
        except (DeadKernelError, RuntimeError) as error:
            if kernels.ended:
                raise
            failure = died("", held.why, error)
        finally:
            _close_loop()
    done = kept["notebook"]
    done.cells = [c for c in done.cells if _MARKER not in c.metadata.get("tags", [])]
    return Executed(notebook=done, failure=failure, seconds=time.monotonic() - began)


def died(cell: str, why: str, error: BaseException | None) -> dict[str, str]:
    """Name the cell in which a kernel ended, and why: its limit, by itself, or it never began."""
    name = {"time": "TimeLimit", "died": "DeadKernel"}.get(why, "NoAnswer")
    return {"cell": cell, "name": name, "value": str(error or "") or name, "traceback": ""}


def _close_loop() -> None:
    """Close the event loop that the notebook client opened in this thread and left open."""
    import asyncio

    with warnings.catch_warnings():
        # Asking for it where there is none warns; until nbclient closes its own.
        warnings.simplefilter("ignore", DeprecationWarning)
        loop = asyncio.get_event_loop_policy().get_event_loop()
    loop.close()
    asyncio.set_event_loop(None)


def failure_of(notebook: Any) -> dict[str, str] | None:
    """Name the cell that failed and why, or nothing where all ran."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                return {
                    "cell": cell.get("id", ""),
                    "name": output.ename,
                    "value": output.evalue or output.ename,
                    "traceback": _plain("\n".join(output.traceback)),
                }
    return None


def _plain(text: str) -> str:
    """Drop the colours of a terminal."""
    import re

    return re.sub(r"\x1b\[[0-9;]*m", "", text)
