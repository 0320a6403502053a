"""Run reports: papermill executes each notebook, the page is laid out, the run leaves a record.

Outputs are written under a temporary name and renamed when whole, so a run that is broken off
leaves nothing half-written and no kernel. A report that fails shows where and why; the others
finish. What only the end of a run needs is imported there: the work begins while the book is
checked.
"""

import datetime as dt
import logging
import os
import shlex
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from salesops.book.runlog import ELSEWHERE
from salesops.model.errors import SalesopsError
from salesops.reports.checking import Check
from salesops.reports.execute import execute, kernel_environment, load_papermill
from salesops.reports.jobs import Job, plan_jobs
from salesops.reports.kernels import Kernels, Limits
from salesops.reports.publish import keep_record, point_latest, publish
from salesops.reports.spent import Spent
from salesops.reports.warm import WarmServer, can_fork
from salesops.stopping import scratch_folder
from salesops.wording import label, language
from salesops.wording.language import LANGUAGES

Progress = Callable[[int, int, str], None]


@dataclass(eq=False, kw_only=True)
class UnknownLanguage(SalesopsError, ValueError):
    """A report is asked for in a language that there is not."""

    value: str

    def __str__(self) -> str:
        return (
            f"Language {self.value!r} is not known.\n"
            f"Expected: {', '.join(LANGUAGES)}, or several with commas.\n"
            "Write for example: --lang zh,en."
        )


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
        `cell`, `name` and `value` of the error, null where all ran.
    page
        File name of its page.
    spent
        Where its time went.
    """

    job: Job
    facts: dict[str, Any] | None
    failure: dict[str, str] | None
    page: str
    spent: Spent


@dataclass(frozen=True, kw_only=True)
class _Made:
    """A job's end, with the texts of its page and its notebook."""

    done: Done
    page: str
    notebook: str


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


def run_reports(  # noqa: PLR0913 - one keyword per wish
    reports: Sequence[str],
    *,
    book: str,
    as_of: str = "latest",
    period: str = "latest",
    scopes: Sequence[str] = ("company",),
    langs: Sequence[str] = LANGUAGES,
    parameters: dict[str, object] | None = None,
    out: str | Path = "reports",
    progress: Progress | None = None,
    workers: int | None = None,
    limits: Limits | None = None,
    formats: Sequence[str] = ("html",),
    force: bool = False,
    plan: str | None = None,
    scheduled: str | None = None,
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
        Folder of the reports; the run gets a folder in it and `latest` holds a copy.
    progress
        Called with (done, all, name) when a job begins or ends.
    workers
        Notebooks at a time; by default as many as there are cores, at most four.
    limits
        Time and memory that one report may take.
    formats, force
        Files to make; make all anew.
    plan, scheduled
        Entry of a plan and scheduled time for which they are made, for the record.

    Returns
    -------
    RunOutcome
        Paths and the end of each job.

    Raises
    ------
    NotABook, BadDate, BadPeriod, BadScope, UnknownReport, UnknownParameter, UnknownLanguage
        Found before anything is written.
    """
    given = {"as_of": as_of, "period": period, **(parameters or {}), "book": book}
    for lang in langs:
        if lang not in LANGUAGES:
            raise UnknownLanguage(value=lang)
    jobs = plan_jobs(reports, scopes=scopes, langs=langs, given=given)
    started = dt.datetime.now().astimezone()
    root = Path(out)
    told = {ELSEWHERE: str((root / "runs").absolute())}
    with Check(given, scopes) as check, _at_work(jobs, workers, told, limits) as waiting:
        check.passed()
        root.mkdir(parents=True, exist_ok=True)
        with scratch_folder(root, ".run-") as work:
            done = _written(jobs, waiting, work, progress or _silent)
            record = {**_record(started, book, done), "plan": plan, "scheduled": scheduled}
            _write_index(work, done, record, langs)
            folder = publish(work, root / f"{started:%Y%m%d-%H%M%S}")
    point_latest(folder, root / "latest")
    return RunOutcome(
        run_id=folder.name,
        folder=folder,
        index=root / "latest" / "index.html",
        record=keep_record({"run": folder.name, **record}, book, root),
        done=tuple(done),
    )


def _silent(_done: int, _total: int, _name: str) -> None:
    """Show no progress."""


@contextmanager
def _at_work(
    jobs: Sequence[Job], workers: int | None, told: Mapping[str, str], limits: Limits | None
) -> Iterator[Mapping["Future[_Made]", Job]]:
    """Run jobs a few at a time; where the `with` block is broken off, their kernels end with it."""
    most = max(1, min(workers or os.cpu_count() or 1, 4, len(jobs)))
    # One report alone is made as soon by a kernel that imports only what it needs.
    server = WarmServer() if can_fork() and len(jobs) > 1 else None
    if server is not None:
        server.start()
    kernels = Kernels(limits, server)
    load_papermill()
    with kernel_environment(told):
        pool = ThreadPoolExecutor(most)
        try:
            yield {pool.submit(_make, job, jobs, kernels): job for job in jobs}
        except BaseException:
            # That they die is meant, so papermill need not tell it.
            log = logging.getLogger("papermill")
            level = log.level
            log.setLevel(logging.CRITICAL + 1)
            kernels.end()
            pool.shutdown(cancel_futures=True)
            log.setLevel(level)
            raise
        finally:
            pool.shutdown()
            if server is not None:
                server.close()


def _make(job: Job, jobs: Sequence[Job], kernels: Kernels) -> _Made:
    """Execute a job and lay out its page; nothing is written."""
    executed = execute(job, kernels)
    began = time.monotonic()
    # They take a second to import, while the kernels of other jobs work.
    import nbformat

    from salesops.reports.page import render, result_of

    facts = result_of(executed.notebook)
    made = f"{dt.datetime.now():%Y-%m-%d %H:%M} · {executed.seconds:.1f} s"
    with language(job.lang):
        page = render(
            executed.notebook, report=job.report, lang=job.lang, failure=executed.failure,
            links=list(_links(job, jobs)), command=command(job, facts or {}), made=made,
        )  # fmt: skip
    written = nbformat.writes(executed.notebook)  # type: ignore[no-untyped-call]
    export = time.monotonic() - began
    spent = Spent.of(executed.notebook, executed=executed.seconds, export=export)
    done = Done(
        job=job, facts=facts, failure=executed.failure, page=f"{job.stem}.html", spent=spent
    )
    return _Made(done=done, page=page, notebook=written)


def _written(
    jobs: Sequence[Job], waiting: Mapping["Future[_Made]", Job], work: Path, progress: Progress
) -> list[Done]:
    """Write every job's page when it is made, and give their ends in the order of the jobs."""
    ended: dict[Job, Done] = {}
    progress(0, len(jobs), jobs[0].stem if jobs else "")
    for future in as_completed(waiting):
        made, job = future.result(), waiting[future]
        (work / f"{job.stem}.ipynb").write_text(made.notebook, encoding="utf-8")
        (work / made.done.page).write_text(made.page, encoding="utf-8")
        ended[job] = made.done
        left = [job for job in jobs if job not in ended]
        progress(len(ended), len(jobs), left[0].stem if left else "")
    return [ended[job] for job in jobs]


def _write_index(
    work: Path, done: Sequence[Done], record: Mapping[str, Any], langs: Sequence[str]
) -> None:
    from salesops.charts.parts import to_json
    from salesops.reports.index import index_page

    (work / "run.json").write_text(to_json(record), encoding="utf-8")
    for lang in dict.fromkeys(langs):
        page = index_page(done, record, lang)
        (work / f"index.{lang}.html").write_text(page, encoding="utf-8")
    shutil.copyfile(work / f"index.{langs[0]}.html", work / "index.html")


def _links(job: Job, jobs: Sequence[Job]) -> Iterator[tuple[str, str]]:
    from salesops.reports.page import LANGUAGE_NAMES

    yield label("page.all_reports"), f"index.{job.lang}.html"
    for other in jobs:
        if (other.report, other.scope) == (job.report, job.scope) and other.lang != job.lang:
            yield LANGUAGE_NAMES[other.lang], f"{other.stem}.html"


def command(job: Job, facts: dict[str, Any]) -> str:
    """Write the command line that makes a report again: its dates as they were resolved."""
    values = {name: str(value) for name, value in job.parameters.items()}
    own = {name: values.pop(name) for name in ("book", "as_of", "period", "scope", "lang")}
    words = ["salesops", "run", job.report, "--book", without_password(own["book"])]
    for name in ("as_of", "period"):
        resolved = facts.get(name, own[name]) if own[name] == "latest" else own[name]
        words += [f"--{name.replace('_', '-')}", resolved] if resolved != "latest" else []
    words += ["--scope", own["scope"]] if own["scope"] != "company" else []
    words += ["--lang", own["lang"]]
    for name, value in values.items():
        words += ["-p", f"{name}={value}"]
    return shlex.join(words)


def without_password(book: str) -> str:
    """Write a URL without user and password.

    Examples
    --------
    >>> without_password("postgres://me:secret@db/sales"), without_password("data/sample")
    ('postgres://…@db/sales', 'data/sample')
    """
    head, at, tail = book.rpartition("@")
    return f"{head.split('://')[0]}://…@{tail}" if at and "://" in head else book


def _record(started: dt.datetime, book: str, done: Sequence[Done]) -> dict[str, Any]:
    """Put what the run found into plain data, for the next run to compare with."""
    return {
        "started": started.isoformat(timespec="seconds"),
        "book": without_password(book),
        "jobs": [
            {
                "report": d.job.report, "scope": d.job.scope, "lang": d.job.lang, "page": d.page,
                "parameters": {**d.job.parameters, "book": without_password(book)},
                "seconds": round(d.spent.seconds, 2), "spent": d.spent.by_part(),
                "failure": d.failure, "result": d.facts,
            }
            for d in done
        ],
    }  # fmt: skip
