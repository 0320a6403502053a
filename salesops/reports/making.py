"""Making one report: the notebook is executed, tried again where that can help, and laid out."""

import datetime as dt
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from salesops.reports.addresses import command
from salesops.reports.causes import can_pass, with_cause
from salesops.reports.events import JobEnded, State
from salesops.reports.execute import Executed, execute
from salesops.reports.jobs import Job
from salesops.reports.kernels import Kernels, Limits
from salesops.reports.masking import Masker
from salesops.reports.spent import Spent
from salesops.wording import language

# Seconds before the second and the third try.
PAUSES = (1.0, 4.0)


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
        `cell`, `name` and `value` of the error, its `cause` in plain words and `traceback`; null
        where all ran.
    page
        File name of its page.
    spent
        Where its time went.
    state
        Made now, kept from an earlier run, or failed.
    key
        See `salesops.reports.keys`.
    files
        Its files by format.
    tries
        How often it was begun.
    """

    job: Job
    facts: dict[str, Any] | None
    failure: dict[str, str] | None
    page: str
    spent: Spent
    state: State = "made"
    key: str = ""
    files: dict[str, str | list[str]] = field(default_factory=dict)
    tries: int = 1

    def end(self) -> JobEnded:
        """Tell that it is over, and how."""
        cause = (self.failure or {}).get("cause")
        job = self.job
        return JobEnded(job=job.stem, report=job.report, scope=job.scope, lang=job.lang,
                        state=self.state, seconds=self.spent.seconds, cause=cause)  # fmt: skip

    def told(self) -> dict[str, Any]:
        """Give as plain data what `kept` needs."""
        return {"facts": self.facts, "page": self.page, "files": self.files, "tries": self.tries,
                "spent": asdict(self.spent)}  # fmt: skip

    @classmethod
    def kept(cls, job: Job, key: str, told: Mapping[str, Any]) -> "Done":
        """Give the end of a job that an earlier run made; it took no time now."""
        return cls(job=job, facts=told["facts"], failure=None, page=told["page"], state="kept",
                   key=key, files=told["files"], tries=0,
                   spent=Spent(start=0.0, imports=0.0, cells=0.0, export=0.0))  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Made:
    """A job's end, with its files by name: as bytes, or where the kernel wrote them."""

    done: Done
    files: dict[str, bytes | Path]


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is made of every job.

    Attributes
    ----------
    formats
        See `salesops.reports.handover`.
    folder
        Where kernels write files.
    masker
        Takes secrets out of what is written.
    most_pages
        Sheets of a PDF, at most.
    """

    formats: tuple[str, ...]
    folder: Path
    masker: Masker
    most_pages: int | None = None


def make(
    job: Job, links: Sequence[tuple[str, str]], kernels: Kernels, wanted: Wanted,
    pauses: Sequence[float] = PAUSES,
) -> Made:  # fmt: skip
    """Execute a job and lay out its page; only a kernel writes, what cannot be made elsewhere."""
    executed, tries = _executed(job, kernels, wanted), 1
    for pause in pauses:
        if executed.failure is None or kernels.ended or not can_pass(executed.failure):
            break
        time.sleep(pause)
        executed, tries = _executed(job, kernels, wanted), tries + 1
    return laid_out(job, executed, links, kernels.limits, wanted, tries)


def _executed(job: Job, kernels: Kernels, wanted: Wanted) -> Executed:
    from salesops.reports.handover import export_cell

    return execute(job, kernels, export_cell(job.stem, wanted.folder, wanted.formats))


def laid_out(
    job: Job, executed: Executed, links: Sequence[tuple[str, str]], limits: Limits, wanted: Wanted,
    tries: int,
) -> Made:  # fmt: skip
    """Make a page of an executed notebook, whether it ran to its end or not."""
    began = time.monotonic()
    # They take a second to import, while the kernels of other jobs work.
    import nbformat

    from salesops.reports.handover import taken_files
    from salesops.reports.page import render, result_of

    files = taken_files(executed.notebook)
    notebook = wanted.masker.mask_notebook(executed.notebook)
    facts = result_of(notebook)
    made = f"{dt.datetime.now():%Y-%m-%d %H:%M} · {executed.seconds:.1f} s"
    with language(job.lang):
        failure = with_cause(wanted.masker.mask_data(executed.failure), limits)
        page = render(
            notebook, report=job.report, lang=job.lang, failure=failure,
            links=links, command=wanted.masker.mask_text(command(job, facts or {})), made=made,
        )  # fmt: skip
    written = nbformat.writes(notebook)  # type: ignore[no-untyped-call]
    export = time.monotonic() - began
    spent = Spent.of(notebook, executed=executed.seconds, export=export)
    name = f"{job.stem}.html"
    done = Done(job=job, facts=facts, failure=failure, page=name, spent=spent, tries=tries,
                state="failed" if failure else "made", files={"html": name, **files})  # fmt: skip
    texts: dict[str, bytes | Path] = {name: page.encode(), f"{job.stem}.ipynb": written.encode()}
    return Made(done=done, files={**texts, **{one: wanted.folder / one for one in names(files)}})


def names(files: Mapping[str, Any]) -> list[str]:
    """List the names among files by format.

    Examples
    --------
    >>> names({"html": "a.html", "png": ["a.x.png", "a.y.png"], "without_picture": ["z"]})
    ['a.html', 'a.x.png', 'a.y.png']
    """
    found: list[str] = []
    for form, value in files.items():
        if form != "without_picture":
            found += value if isinstance(value, list) else [value]
    return found
