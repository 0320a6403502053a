"""The least that reports can take: the calls of a notebook's cells in warm processes, no kernel.

Run as `python -m benchmarks.factory_floor JOBS OUT`, it imports all that kernels import, forks two
processes that deal the jobs between them, and prints seconds. What they opened and worked out they
share as kernels do.
"""

import ast
import json
import multiprocessing
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

PROCESSES = 2


def executed(job: Any) -> Any:
    """Give a job's notebook with the outputs of its cells, called one after the other."""
    from IPython.core.formatters import DisplayFormatter
    from nbformat.v4 import new_output

    from salesops.reports.jobs import read_notebook
    from salesops.wording import translate_notebook

    notebook = translate_notebook(read_notebook(job.report), job.report, job.lang)
    formatter, names = DisplayFormatter(), {"__name__": "__main__"}
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        shown = _called(cell.source, names)
        if "parameters" in cell.metadata.get("tags", []):
            names.update(job.parameters)
        if shown is not None:
            data, metadata = formatter.format(shown)
            cell.outputs = [new_output("execute_result", data=data, metadata=metadata)]
    return notebook


def _called(source: str, names: dict[str, Any]) -> Any:
    """Execute a cell, and give what its last line says."""
    body = ast.parse(source).body
    last = body.pop() if body and isinstance(body[-1], ast.Expr) else None
    exec(compile(ast.Module(body, []), "<cell>", "exec"), names)
    return eval(compile(ast.Expression(last.value), "<cell>", "eval"), names) if last else None


def made(job: Any, jobs: list[Any], out: Path) -> None:
    """Make a report's page and notebook."""
    import nbformat

    from salesops.reports.addresses import command, links
    from salesops.reports.page import render, result_of

    notebook = executed(job)
    facts = result_of(notebook) or {}
    page = render(notebook, report=job.report, lang=job.lang, failure=None,
                  links=list(links(job, jobs)), command=command(job, facts), made="")  # fmt: skip
    (out / f"{job.stem}.html").write_text(page, encoding="utf-8")
    (out / f"{job.stem}.ipynb").write_text(nbformat.writes(notebook), encoding="utf-8")


def work(jobs: list[Any], out: Path, taken: Any) -> None:
    """Take one job after the other until none is left."""
    while True:
        with taken.get_lock():
            number, taken.value = taken.value, taken.value + 1
        if number >= len(jobs):
            return
        made(jobs[number], jobs, out)


def opened(book: str) -> None:
    """Open a book and lay it out for the others, as a run's check does."""
    from salesops.book.opened import opened_store

    opened_store(book)


def _joined(processes: list[Any]) -> None:
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert all(process.exitcode == 0 for process in processes)


def main(told: str, out: str) -> None:
    """Make all jobs, and print the seconds of the imports and of the rest."""
    from salesops.book.runlog import OPENED, SHARED
    from salesops.reports.jobs import Job
    from salesops.reports.warmserver import preload

    jobs = [Job(**one) for one in json.loads(Path(told).read_text(encoding="utf-8"))]
    # As a run does: the second language shows what the first one found.
    first = jobs[0].lang
    jobs.sort(key=lambda job: job.lang != first)
    began = time.perf_counter()
    os.environ.setdefault("MPLBACKEND", "agg")
    preload()
    # Laying out pages is part of a run's own process.
    import nbformat

    from salesops.reports.page import render

    assert nbformat
    assert render
    ready = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        os.environ.update({OPENED: folder, SHARED: folder})
        context = multiprocessing.get_context("fork")
        taken = context.Value("i", 0)
        # Not in this process: no connection to an engine outlives a fork.
        _joined([context.Process(target=opened, args=(jobs[0].parameters["book"],))])
        _joined([context.Process(target=work, args=(jobs, Path(out), taken))
                 for _ in range(PROCESSES)])  # fmt: skip
    seconds = time.perf_counter() - ready
    print(json.dumps({"imports": ready - began, "seconds": seconds}))


if __name__ == "__main__":
    main(*sys.argv[1:])
