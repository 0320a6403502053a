"""Run reports: what is kept is taken, papermill executes the rest, the run leaves a record.

Outputs are written under a temporary name and renamed when whole, so a run that is broken off
leaves nothing half-written and no kernel, and what it finished is kept for the next. A report that
fails shows where and why; the others finish. What only the end of a run needs is imported there:
the work begins while the book is checked.
"""

import datetime as dt
import errno
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from salesops.book.runlog import ELSEWHERE
from salesops.model.errors import SalesopsError
from salesops.reports.addresses import links, without_password
from salesops.reports.browser import Browser, BrowserFailed
from salesops.reports.causes import with_cause
from salesops.reports.checking import Check
from salesops.reports.cluster import joined
from salesops.reports.events import (
    Events,
    RunBegun,
    RunEnded,
    now,
    one_at_a_time,
    silent,
)
from salesops.reports.execute import kernel_environment, load_papermill
from salesops.reports.handover import checked_formats
from salesops.reports.jobs import Job, plan_jobs
from salesops.reports.kept import Kept
from salesops.reports.kernels import Limits
from salesops.reports.keys import Stand, bounded, earlier, key_of, parts
from salesops.reports.making import Done, Made, Wanted, names
from salesops.reports.masking import Masker
from salesops.reports.pdf import finish_exports
from salesops.reports.publish import keep_record, point_latest, publish
from salesops.reports.stands import Stands, asked, files_of, touched
from salesops.reports.warm import WarmServer, shared_in, warm_server
from salesops.reports.work import Way, at_work, most_at_once
from salesops.stopping import clear_abandoned, scratch_folder
from salesops.wording.language import LANGUAGES, language


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
    langs: Sequence[str] = LANGUAGES,
    parameters: dict[str, object] | None = None,
    out: str | Path = "reports",
    workers: int | None = None,
    cluster: str = "",
    limits: Limits | None = None,
    formats: Sequence[str] = ("html",),
    most_pages: int | None = None,
    force: bool = False,
    plan: str | None = None,
    scheduled: str | None = None,
    to: Sequence[str] = (),
    events: Events = silent,
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
    workers
        Notebooks at a time; by default as many as there are cores, here or on the cluster.
    cluster
        Address of a Dask scheduler whose workers make the reports; by default this machine does.
        They have the same salesops, read the same book and need no other folder.
    limits
        Time and memory that one report may take.
    formats
        Files that are made beside each page.
    most_pages
        Sheets of each PDF, at most; what is beyond them stands on the page.
    force
        Make all anew, also what an earlier run made of the same rows, settings and code.
    plan, scheduled
        Entry of a plan and scheduled time for which they are made, for the record.
    to
        Recipients of the plan whom the entry names; none: whoever sends the run says.
    events
        Called with what happens, see `salesops.reports.events`; one at a time, from any thread.

    Returns
    -------
    RunOutcome
        Paths and the end of each job.

    Raises
    ------
    NotABook, BadDate, BadPeriod, BadScope, UnknownReport, UnknownParameter, UnknownLanguage
        Found before anything is written.
    NoCluster, UnfitWorkers, DaskMissing
        No worker of the cluster answers, or one can't make these reports; found as early.
    """
    given = {"as_of": as_of, "period": period, **(parameters or {}), "book": book}
    for lang in langs:
        if lang not in LANGUAGES:
            raise UnknownLanguage(value=lang)
    formats = checked_formats(formats)
    jobs = plan_jobs(reports, scopes=scopes, langs=langs, given=given)
    started = now()
    root = Path(out)
    if root.exists() and not root.is_dir():
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(root))
    tell = one_at_a_time(events)
    names = tuple((job.stem, job.report, job.scope, job.lang) for job in jobs)
    crew = joined(cluster, book) if cluster else None
    at_once = most_at_once(workers, len(jobs), crew.cores if crew else None)
    tell(RunBegun(book=without_password(book), jobs=names, workers=at_once, plan=plan))
    kept = Kept(root)
    with (
        crew or nullcontext(),
        warm_server(0 if crew else len(jobs)) as server,
        kernel_environment(_told(root, server)),
        _stood(given, scopes, kept, server) as stand,
    ):
        before = touched(book)
        runs = earlier(book, stand)
        forms = bounded(formats, most_pages)
        asks = {job: Ask.of(job, jobs, stand, forms, runs) for job in jobs}
        root.mkdir(parents=True, exist_ok=True)
        _clear(root, kept)
        with scratch_folder(root, ".run-") as work, scratch_folder(root, ".files-") as files:
            done = {} if force else _taken(asks, kept, work, tell)
            # The second language shows what the first one's kernel found, where that is over.
            left = sorted(
                (job for job in jobs if job not in done), key=lambda j: langs.index(j.lang)
            )
            todo = {job: asks[job].links for job in left}
            masker = Masker.of_environment(addresses=[book])
            wanted = Wanted(formats=formats, folder=files, most_pages=most_pages, masker=masker)
            limits = limits or Limits()
            way = Way(workers=at_once, limits=limits, tell=tell, wanted=wanted)
            hands = crew.at_work(todo, way) if crew else at_work(todo, way, server)
            with hands as ends, Browser() as browser:
                for job, made in ends:
                    whole = _printed(made, wanted, browser, limits)
                    if whole.done.failure is not None or touched(book) != before:
                        # Nobody is to take it for what the book shows: it is made anew.
                        done[job] = _shown(whole, work)
                    else:
                        done[job] = _kept(whole, asks[job], kept, work, masker)
                    tell(done[job].end())
            ended = [done[job] for job in jobs]
            record = masker.mask_data({
                **_record(started, book, ended), "plan": plan, "scheduled": scheduled,
                "to": list(to) or None, "stand": {"as_of": stand.as_of, "data": stand.data},
            })  # fmt: skip
            _write_index(work, ended, record, langs)
            folder = publish(work, root / f"{started:%Y%m%d-%H%M%S}")
    point_latest(folder, root / "latest")
    outcome = RunOutcome(
        run_id=folder.name,
        folder=folder,
        index=root / "latest" / "index.html",
        record=keep_record({"run": folder.name, **record}, book, root),
        done=tuple(ended),
    )
    from salesops.reports.site import write_site

    write_site(root, langs)
    n = {state: sum(d.state == state for d in ended) for state in ("made", "kept", "failed")}
    seconds = (now() - started).total_seconds()
    tell(RunEnded(run=outcome.run_id, made=n["made"], kept=n["kept"], failed=n["failed"],
                  seconds=seconds, folder=folder))  # fmt: skip
    return outcome


def _clear(root: Path, kept: Kept) -> None:
    """Take away what runs that were killed had begun; that of runs which go on stays."""
    clear_abandoned(root, ".run-", ".files-", ".latest-", ".index-", ".gone-")
    clear_abandoned(kept.folder, ".new-", ".stands-", ".index-", ".gone-")


def _told(root: Path, server: WarmServer | None) -> dict[str, str]:
    """Name where records of runs may lie, and where kernels share opened books and results."""
    told = {ELSEWHERE: str((root / "runs").absolute())}
    if server is None:
        return told
    return {**told, **shared_in(server.folder)}


@dataclass(frozen=True, kw_only=True)
class Ask:
    """What is asked of one job: its neighbours, and from what its pages follow."""

    links: tuple[tuple[str, str], ...]
    parts: Mapping[str, object]
    key: str

    @classmethod
    def of(
        cls, job: Job, jobs: Sequence[Job], stand: Stand, formats: Sequence[str], runs: str
    ) -> "Ask":  # fmt: skip
        """Work out the key of a job among others."""
        beside = tuple(links(job, jobs))
        told = parts(job, stand, links=beside, formats=formats, runs=runs)
        return cls(links=beside, parts=told, key=key_of(told))


@contextmanager
def _stood(
    given: Mapping[str, object], scopes: Sequence[str], kept: Kept, server: WarmServer | None
) -> Iterator[Stand]:
    """Give what the book shows: as found before of the same files, else by opening it."""
    stands, files = Stands(kept.folder), files_of(str(given["book"]))
    question = asked(files, given, scopes) if files is not None else ""
    known = stands.find(question) if files is not None else None
    if known is not None:
        yield known
        return
    with Check(given, scopes) as check:
        # While another process opens the book.
        if server is not None:
            server.start()
        load_papermill()
        found = check.passed()
        if files is not None:
            stands.put(question, found)
        yield found


def _taken(asks: Mapping[Job, Ask], kept: Kept, work: Path, tell: Events) -> dict[Job, Done]:
    """Take what is kept of earlier runs."""
    found = {}
    for job, ask in asks.items():
        told = kept.find(ask.key)
        if told is not None:
            kept.link(ask.key, work)
            found[job] = Done.kept(job, ask.key, told)
            tell(found[job].end())
    return found


def _shown(made: Made, work: Path) -> Done:
    """Lay a report into the run alone."""
    for name, content in made.files.items():
        if isinstance(content, bytes):
            (work / name).write_bytes(content)
        elif content.exists():
            shutil.move(content, work / name)
    failed = made.done.failure is not None
    return replace(made.done, files={"html": made.done.page}) if failed else made.done


def _kept(made: Made, ask: Ask, kept: Kept, work: Path, masker: Masker) -> Done:
    """Keep a report for the next run, and lay it into this one."""
    done = replace(made.done, key=ask.key)
    kept.put(ask.key, made.files, {**done.told(), "parts": masker.mask_data(dict(ask.parts))})
    kept.link(ask.key, work)
    return done


def _printed(made: Made, wanted: Wanted, browser: Browser, limits: Limits) -> Made:
    """Print what of a report is printed from its page; where that fails, it fails alone."""
    done = made.done
    if done.failure is not None or not {"pdf", "png"} & set(wanted.formats):
        return made
    page = made.files[done.page]
    assert isinstance(page, bytes)
    (wanted.folder / done.page).write_bytes(page)
    try:
        files = _exported(done, wanted, browser)
    except BrowserFailed as error:
        told = {"cell": "", "name": type(error).__name__, "value": str(error), "traceback": ""}
        with language(done.job.lang):
            failure = with_cause(told, limits)
        return Made(done=replace(done, failure=failure, state="failed"), files=made.files)
    beside = {name: wanted.folder / name for name in names(files)}
    whole: dict[str, bytes | Path] = {**made.files, **beside, done.page: page}
    return Made(done=replace(done, files=files), files=whole)


def _exported(done: Done, wanted: Wanted, browser: Browser) -> dict[str, Any]:
    """Print a page, and once more by a new browser where the first one was killed or gave up."""
    asked = (wanted.folder, done.job.stem, wanted.formats, done.files, wanted.most_pages)
    try:
        return finish_exports(browser, *asked)
    except BrowserFailed:
        return finish_exports(browser, *asked)


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


def _record(started: dt.datetime, book: str, done: Sequence[Done]) -> dict[str, Any]:
    """Put what the run found into plain data, for the next run to compare with."""
    return {
        "started": started.isoformat(timespec="seconds"),
        "ended": now().isoformat(timespec="seconds"),
        "book": without_password(book),
        "jobs": [
            {
                "report": d.job.report, "scope": d.job.scope, "lang": d.job.lang, "page": d.page,
                "parameters": {**d.job.parameters, "book": without_password(book)},
                "state": d.state, "key": d.key, "files": d.files, "tries": d.tries,
                "seconds": round(d.spent.seconds, 2), "spent": d.spent.by_part(),
                "failure": d.failure, "result": d.facts,
            }
            for d in done
        ],
    }  # fmt: skip
