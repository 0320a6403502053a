"""Ways to make the same reports: two of them a shell's, ours, and the floor without kernels."""

import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import nbformat

from salesops.book.runlog import OPENED, SHARED
from salesops.reports.jobs import Job, notebooks_folder
from salesops.reports.page import result_of

NEAR = 1e-9
BIN = Path(sys.executable).parent


@dataclass(frozen=True, kw_only=True)
class Made:
    """What one side took, and what it found.

    Attributes
    ----------
    seconds
        Of all reports.
    found
        Metrics and findings by report, scope and language.
    parts
        Seconds by what took them, where the side tells it.
    states
        How many jobs ended how, where the side tells it.
    """

    seconds: float
    found: dict[str, Any]
    parts: dict[str, float] = field(default_factory=dict)
    states: dict[str, int] = field(default_factory=dict)


def environment(folder: Path) -> dict[str, str]:
    """Give what every side is told: one thread for numerics, models and kernels of its own."""
    own = {name: value for name, value in os.environ.items() if name not in (OPENED, SHARED)}
    return {
        **own, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1",
        "JUPYTER_PREFER_ENV_PATH": "1", "SALESOPS_MODELS": str(folder / "models"),
        "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}",
    }  # fmt: skip


def by_shell(jobs: Sequence[Job], folder: Path, at_once: int) -> Made:
    """Call papermill and nbconvert for each report, so many at a time."""
    folder.mkdir(parents=True)
    began = time.perf_counter()
    with ThreadPoolExecutor(at_once) as pool:
        list(pool.map(lambda job: _one_by_shell(job, folder), jobs))
    seconds = time.perf_counter() - began
    return Made(seconds=seconds, found=found_in(folder, jobs))


def _one_by_shell(job: Job, folder: Path) -> None:
    made = folder / f"{job.stem}.ipynb"
    given = [word for name, value in job.parameters.items() for word in ("-p", name, str(value))]
    source = notebooks_folder() / f"{job.report}.ipynb"
    _call([BIN / "papermill", source, made, "--no-progress-bar", *given], folder)
    _call([BIN / "jupyter", "nbconvert", "--to", "html", made], folder)


def _call(command: Sequence[object], folder: Path) -> str:
    done = subprocess.run(
        list(map(str, command)), env=environment(folder), capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"{command[0]} ended with {done.returncode}: {done.stderr[-2000:]}")
    return done.stdout


def by_salesops(
    jobs: Sequence[Job], folder: Path, *, reports: Sequence[str], as_of: str = "latest"
) -> Made:
    """Call `salesops run` once for all of them; a folder that is there has earlier runs."""
    folder.mkdir(parents=True, exist_ok=True)
    book = str(jobs[0].parameters["book"])
    langs, scopes = (list(dict.fromkeys(getattr(j, side) for j in jobs)) for side in
                     ("lang", "scope"))  # fmt: skip
    command = [sys.executable, "-m", "salesops", "run", *reports, "--book", book, "--json",
               "--as-of", as_of, "--lang", ",".join(langs), "--out", str(folder),
               *(word for scope in scopes for word in ("--scope", scope))]  # fmt: skip
    began = time.perf_counter()
    # Events come with whole seconds; here each gets the moment at which it is read.
    at: dict[str, list[float]] = {}
    with subprocess.Popen(command, env=environment(folder), stdout=subprocess.PIPE,
                          text=True) as process:  # fmt: skip
        assert process.stdout is not None
        for line in process.stdout:
            at.setdefault(json.loads(line)["event"], []).append(time.perf_counter() - began)
    seconds = time.perf_counter() - began
    if process.returncode:
        raise RuntimeError(f"salesops run ended with {process.returncode}")
    record = json.loads((folder / "latest" / "run.json").read_text(encoding="utf-8"))
    states = [job["state"] for job in record["jobs"]]
    return Made(
        seconds=seconds, found=found_in(folder / "latest", jobs), parts=_parts(record, at, seconds),
        states={state: states.count(state) for state in ("made", "kept", "failed")},
    )  # fmt: skip


def _parts(record: dict[str, Any], at: dict[str, list[float]], seconds: float) -> dict[str, float]:
    """Give where a run's time went: in a row, and of the jobs, which overlap, summed up."""
    first = min([*at.get("job_begun", []), *at["job_ended"]])
    last = max(at["job_ended"])
    begun = at["run_begun"][0]
    spent = {f"jobs: {part}": sum(job["spent"][part] for job in record["jobs"])
             for part in ("start", "import", "cells", "export")}  # fmt: skip
    return {"command line": begun, "check of the book": first - begun, "jobs": last - first,
            "index and end": seconds - last, **spent}  # fmt: skip


def by_floor(jobs: Sequence[Job], folder: Path) -> Made:
    """Make the same calls in two warm processes."""
    folder.mkdir(parents=True)
    told = folder / "jobs.json"
    told.write_text(json.dumps([asdict(job) for job in jobs]), encoding="utf-8")
    said = json.loads(
        _call([sys.executable, "-m", "benchmarks.factory_floor", told, folder], folder)
    )
    parts = {"imports, not counted": said["imports"]}
    return Made(seconds=said["seconds"], found=found_in(folder, jobs), parts=parts)


def found_in(folder: Path, jobs: Sequence[Job]) -> dict[str, Any]:
    """Read the numbers out of the executed notebooks; each has its page beside it, whole."""
    found = {}
    for job in jobs:
        page = (folder / f"{job.stem}.html").read_text(encoding="utf-8")
        assert page.rstrip().endswith("</html>"), job.stem
        facts = result_of(nbformat.read(folder / f"{job.stem}.ipynb", as_version=4))
        assert facts is not None, job.stem
        told = {name: facts[name] for name in ("as_of", "period", "scope", "metrics", "findings")}
        # A number that is missing would not equal another one.
        found[job.stem] = json.loads(json.dumps(told), parse_constant=str)
    return found


def differences(one: Any, other: Any, where: str = "") -> list[str]:
    """Name what differs between two findings; sums in another order differ in the last digits."""
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        return [d for key in one for d in differences(one[key], other[key], f"{where}/{key}")]
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        both = enumerate(zip(one, other, strict=True))
        return [d for n, (a, b) in both for d in differences(a, b, f"{where}/{n}")]
    numbers = isinstance(one, int | float) and isinstance(other, int | float)
    same = math.isclose(one, other, rel_tol=NEAR) if numbers else one == other
    return [] if same else [f"{where}: {one} and {other}"]
