"""Run reports: papermill executes each notebook, the page is laid out, the run leaves a record.

Outputs are written under a temporary name and renamed when whole, so a killed run leaves nothing
half-written. A report that fails shows where and why; the others finish.
"""

import datetime as dt
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat

from salesops.book.book import open_book
from salesops.charts.parts import to_json
from salesops.reports.index import index_page
from salesops.reports.jobs import Job, plan_jobs, read_notebook
from salesops.reports.page import failure_of, render, result_of
from salesops.wording import label, language, translate_notebook

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, kw_only=True)
class Done:
    """What became of one job.

    Attributes
    ----------
    job
        The job.
    facts
        Metrics, findings and verdict of its result; null where it failed before them.
    failure
        Cell and message, null where all ran.
    page
        File name of its page.
    seconds
        How long it took.
    """

    job: Job
    facts: dict[str, Any] | None
    failure: dict[str, str] | None
    page: str
    seconds: float


@dataclass(frozen=True, kw_only=True)
class RunOutcome:
    """What a run made: its folder, its index and each job's end."""

    run_id: str
    folder: Path
    index: Path
    record: Path
    done: tuple[Done, ...] = field(default_factory=tuple)

    @property
    def failed(self) -> tuple[Done, ...]:
        """The jobs that failed."""
        return tuple(done for done in self.done if done.failure)


def run_reports(
    reports: Sequence[str],
    *,
    book: str,
    as_of: str = "latest",
    period: str = "latest",
    scopes: Sequence[str] = ("company",),
    langs: Sequence[str] = ("zh", "en"),
    parameters: dict[str, object] | None = None,
    out: str | Path = "reports",
    progress: Progress | None = None,
) -> RunOutcome:
    """Make reports into a folder of their own, and an index over them.

    Parameters
    ----------
    reports
        Stems of notebooks; none means all.
    book
        Folder, `.duckdb` file or URL.
    as_of, period, scopes, langs
        As in the notebooks; every scope and language is a job.
    parameters
        Further parameters, by name.
    out
        Folder of the reports; the run gets a folder in it and `latest` points to a copy.
    progress
        Called with (done, all, name) before each job and at the end.

    Returns
    -------
    RunOutcome
        Paths and the end of each job.

    Raises
    ------
    NotABook, BadDate, BadScope, UnknownReport, UnknownParameter
        Found before anything is written.
    """
    given = {**(parameters or {}), "book": _absolute(book), "as_of": as_of, "period": period}
    jobs = plan_jobs(reports, scopes=scopes, langs=langs, given=given)
    _check(book, as_of, period, scopes)
    started = dt.datetime.now().astimezone()
    run_id = f"{started:%Y%m%d-%H%M%S}"
    root = Path(out)
    root.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=".run-", dir=root))
    try:
        done = []
        for number, job in enumerate(jobs):
            if progress:
                progress(number, len(jobs), job.stem)
            done.append(_run(job, work, jobs))
        if progress:
            progress(len(jobs), len(jobs), "")
        record = _record(run_id, started, book, done)
        (work / "run.json").write_text(to_json(record), encoding="utf-8")
        for lang in langs:
            name = f"index.{lang}.html"
            (work / name).write_text(index_page(done, record, lang), encoding="utf-8")
        shutil.copyfile(work / f"index.{langs[0]}.html", work / "index.html")
        folder = _publish(work, root / run_id)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    _point_latest(folder, root / "latest")
    kept = _keep_record(record, book, root, folder.name)
    return RunOutcome(
        run_id=folder.name,
        folder=folder,
        index=root / "latest" / "index.html",
        record=kept,
        done=tuple(done),
    )


def _absolute(book: str) -> str:
    return book if "://" in book else str(Path(book).resolve())


def _check(book: str, as_of: str, period: str, scopes: Sequence[str]) -> None:
    """Find what would fail every job before the first kernel starts."""
    from salesops.book.scope import parse_scope

    opened = open_book(book).as_of(as_of)
    opened.period(period)
    for scope in scopes:
        limits = parse_scope(scope)
        if not limits.is_company:
            opened.within(limits)


def _run(job: Job, work: Path, jobs: Sequence[Job]) -> Done:
    began = time.monotonic()
    notebook = translate_notebook(read_notebook(job.report), job.report, job.lang)
    executed, broke = _execute(notebook, job, work)
    seconds = time.monotonic() - began
    page = f"{job.stem}.html"
    others = [o for o in jobs if (o.report, o.scope) == (job.report, job.scope) and o != job]
    names = {"zh": "中文", "en": "English"}
    with language(job.lang):
        links = [(label("page.all_reports"), f"index.{job.lang}.html")]
        links += [(names[o.lang], f"{o.stem}.html") for o in others]
        made = {
            label("page.made_at"): f"{dt.datetime.now():%Y-%m-%d %H:%M} · {seconds:.1f} s",
            label("page.again"): "",
        }
    text = render(
        executed, report=job.report, lang=job.lang, links=links, command=_command(job), made=made
    )
    (work / page).write_text(text, encoding="utf-8")
    return Done(
        job=job,
        facts=result_of(executed),
        failure=failure_of(executed) or broke,
        page=page,
        seconds=seconds,
    )


def _execute(notebook: Any, job: Job, work: Path) -> tuple[Any, dict[str, str] | None]:
    """Execute by papermill; a failed notebook comes back with its error inside."""
    import papermill
    from papermill.exceptions import PapermillExecutionError

    source, target = work / f"{job.stem}.source.ipynb", work / f"{job.stem}.ipynb"
    nbformat.write(notebook, source)
    # Several kernels at once would each start a thread per core and stall one another.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    broke: dict[str, str] | None = None
    try:
        papermill.execute_notebook(
            str(source), str(target), parameters=job.parameters, progress_bar=False,
            log_output=False, shutdown_kernel="immediate", kernel_name="python3",
        )  # fmt: skip
    except PapermillExecutionError as error:
        broke = {"cell": str(error.cell_index), "name": error.ename, "value": error.evalue}
    finally:
        source.unlink()
    return nbformat.read(target, as_version=4), broke


def _command(job: Job) -> str:
    """Write the command line that makes the report again."""
    values = {name: str(value) for name, value in job.parameters.items()}
    own = {name: values.pop(name) for name in ("book", "as_of", "period", "scope", "lang")}
    words = ["salesops", "run", job.report, "--book", own["book"]]
    for flag, name in (("--as-of", "as_of"), ("--period", "period"), ("--scope", "scope")):
        if own[name] not in ("latest", "company"):
            words += [flag, own[name]]
    words += ["--lang", own["lang"]]
    for name, value in values.items():
        words += ["-p", f"{name}={value}"]
    return " ".join(f'"{word}"' if " " in word else word for word in words)


def _record(run_id: str, started: dt.datetime, book: str, done: Sequence[Done]) -> dict[str, Any]:
    """Put what the run found into plain data, for the next run to compare with."""
    return {
        "run": run_id,
        "started": started.isoformat(timespec="seconds"),
        "book": _without_password(book),
        "jobs": [
            {
                "report": d.job.report, "scope": d.job.scope, "lang": d.job.lang, "page": d.page,
                "seconds": round(d.seconds, 2), "failure": d.failure, "result": d.facts,
            }
            for d in done
        ],
    }  # fmt: skip


def _without_password(book: str) -> str:
    head, at, tail = book.rpartition("@")
    return f"{head.split('://')[0]}://…@{tail}" if at and "://" in head else book


def _publish(work: Path, wanted: Path) -> Path:
    """Give the finished folder its name; a second run in the same second gets the next one."""
    work.chmod(0o755)
    target, number = wanted, 1
    while True:
        try:
            work.rename(target)
            return target
        except OSError:
            if not target.exists():
                raise
            number += 1
            target = wanted.with_name(f"{wanted.name}-{number}")


def _point_latest(folder: Path, latest: Path) -> None:
    """Make `latest` a copy of this run, swapped in by renames."""
    fresh = Path(tempfile.mkdtemp(prefix=".latest-", dir=latest.parent))
    shutil.copytree(folder, fresh, dirs_exist_ok=True)
    fresh.chmod(0o755)
    if latest.exists():
        old = latest.with_name(f".old-{os.getpid()}")
        latest.rename(old)
        fresh.rename(latest)
        shutil.rmtree(old)
    else:
        fresh.rename(latest)


def _keep_record(record: dict[str, Any], book: str, root: Path, run_id: str) -> Path:
    """Keep the record beside the book, or with the reports where the book is no folder."""
    beside = Path(book) if "://" not in book and Path(book).is_dir() else root
    runs = beside / "runs"
    runs.mkdir(exist_ok=True)
    path = runs / f"{run_id}.json"
    partial = path.with_suffix(".tmp")
    partial.write_text(json.dumps(json.loads(to_json(record)), ensure_ascii=False, indent=1),
                       encoding="utf-8")  # fmt: skip
    partial.replace(path)
    return path
