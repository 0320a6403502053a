"""Jobs at work on a Dask cluster: joblib hands them to its workers, pages come back as bytes.

A run that is broken off takes back what no worker has begun, and ends what they have. Secrets of
this machine's environment stay here; pages are masked once more when they come back.
"""

import logging
import os
import uuid
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from salesops.book.runlog import elsewhere
from salesops.model.errors import SalesopsError
from salesops.reports.events import JobBegun
from salesops.reports.jobs import Job
from salesops.reports.making import Made, Wanted

if TYPE_CHECKING:
    from salesops.reports.clusterbackend import Lost
    from salesops.reports.work import Links, Way

# A scheduler answers at once; workers may have to be started first.
ANSWER_SECONDS, WORKER_SECONDS = 10.0, 60.0
_NAMED = 10


@dataclass(eq=False, kw_only=True)
class DaskMissing(SalesopsError, RuntimeError):
    """The library that speaks with clusters is not installed."""

    package: str = "distributed"

    def __str__(self) -> str:
        return (
            f"The package {self.package} is not installed.\n"
            "Expected: salesops with its extra `cluster`.\n"
            'Install it: pip install "salesops[cluster]"; or make the reports on this machine: '
            "leave --cluster away."
        )


@dataclass(eq=False, kw_only=True)
class NoCluster(SalesopsError, ConnectionError):
    """Nobody answers at the address of a cluster, or no more."""

    address: str
    problem: str

    def __str__(self) -> str:
        return (
            f"No Dask cluster answers at {self.address}: {self.problem}.\n"
            "Expected: the address of a scheduler that runs and has workers, such as "
            "tcp://scheduler:8786.\n"
            "Start one: dask scheduler, and beside it dask worker ADDRESS; or make the reports on "
            "this machine: leave --cluster away, or `cluster` in reports.toml."
        )


@dataclass(eq=False, kw_only=True)
class UnfitWorkers(SalesopsError, RuntimeError):
    """Workers of a cluster can't make the reports. Each row is (worker, problem)."""

    address: str
    book: str
    rows: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        told = [f"  {worker}  {problem}" for worker, problem in self.rows[:_NAMED]]
        return "\n".join(
            [
                f"{len(self.rows)} workers of the cluster {self.address} can't make reports of "
                f"{self.book}:",
                *told,
                "Expected: the same salesops, libraries and Python as here, and the book at the "
                "same path.",
                "Install the same there, with the versions of requirements.lock; name a book that "
                "all read: --book /shared/company, or the URL of a database.",
            ]
        )


def joined(address: str, book: str) -> "Cluster":
    """Join a cluster whose workers can make reports of a book.

    Raises
    ------
    DaskMissing, NoCluster, UnfitWorkers
        There is none.
    """
    client = _client(address)
    try:
        _wait_for_workers(client, address)
        _refuse_unfit(client, address, book)
        return Cluster(client, address)
    except BaseException:
        client.close()
        raise


def _client(address: str) -> Any:
    try:
        from distributed import Client
    except ImportError as error:
        raise DaskMissing from error
    # Its connection tries again and again, and tells of each.
    with _quiet("distributed"):
        try:
            return Client(address, timeout=ANSWER_SECONDS, set_as_default=False)  # type: ignore[no-untyped-call]
        except (OSError, ValueError, TypeError, RuntimeError) as error:
            raise NoCluster(address=address, problem=_first_line(error)) from error


def _wait_for_workers(client: Any, address: str) -> None:
    """Wait for one worker; a cluster that grows with its work gets some first."""
    if client.ncores():
        return
    asked = client.submit(bool, pure=False)
    try:
        client.wait_for_workers(1, timeout=WORKER_SECONDS)
    except TimeoutError as error:
        raise NoCluster(address=address, problem="it has no worker") from error
    finally:
        asked.cancel()


def _refuse_unfit(client: Any, address: str, book: str) -> None:
    from salesops.reports.clusterwork import Fitness, fitness

    here = fitness(book, os.getcwd())
    told = client.run(fitness, book, os.getcwd(), on_error="return")
    rows = []
    for worker, found in told.items():
        if not isinstance(found, Fitness):
            rows.append((worker, _first_line(found)))
        elif found.code != here.code:
            rows.append((worker, "has another salesops, or other libraries"))
        elif here.sees and not found.sees:
            rows.append((worker, f"does not find {Path(book).absolute()}"))
    if rows:
        from salesops.reports.addresses import without_password

        raise UnfitWorkers(address=address, book=without_password(book), rows=tuple(rows))


class Cluster:
    """Workers of a Dask cluster, for one run.

    Attributes
    ----------
    cores
        How many jobs they do at a time.
    """

    def __init__(self, client: Any, address: str) -> None:
        self._client = client
        self._address = address
        self.cores = sum(client.ncores().values())

    def __enter__(self) -> "Cluster":
        return self

    def __exit__(self, *_error: object) -> None:
        # What of this run is left on the cluster is given up with its client.
        with _quiet("distributed"), suppress(OSError):
            self._client.close()

    @contextmanager
    def at_work(
        self, jobs: "Mapping[Job, Links]", way: "Way"
    ) -> Iterator[Iterator[tuple[Job, Made]]]:
        """Give jobs with their ends, as `salesops.reports.work.at_work` does."""
        if not jobs:
            yield iter(())
            return
        run = f"salesops-{uuid.uuid4().hex}"
        by_stem = {job.stem: job for job in jobs}

        def begun(event: tuple[Any, str]) -> None:
            job = by_stem[event[1]]
            way.tell(JobBegun(job=job.stem, report=job.report, scope=job.scope, lang=job.lang))

        self._client.subscribe_topic(run, begun)
        ends = self._ends(run, jobs, way)
        try:
            yield (_at_home(end, by_stem, jobs, way) for end in ends)
        finally:
            self._leave(run, ends)

    def _ends(self, run: str, jobs: "Mapping[Job, Links]", way: "Way") -> Any:
        """Hand jobs out, never more than are worked at: what waits is still ours."""
        import joblib

        from salesops.reports.clusterbackend import Backend
        from salesops.reports.clusterwork import Order, work

        book = str(next(iter(jobs)).parameters["book"])
        records = elsewhere(book)
        order = Order(run=run, folder=os.getcwd(), limits=way.limits, formats=way.wanted.formats)
        backend = Backend(self._client, self._gone, scatter=[records] if records else [])
        with joblib.parallel_config(backend):
            return joblib.Parallel(
                n_jobs=way.workers, return_as="generator_unordered", batch_size=1,
                pre_dispatch=way.workers,
            )(joblib.delayed(work)(job.with_text(), links, order, records)
              for job, links in jobs.items())  # fmt: skip

    def _gone(self) -> NoCluster:
        return NoCluster(address=self._address, problem="it is gone, with reports at work")

    def _leave(self, run: str, ends: Any) -> None:
        """End what is left of a run. A worker that does not hear it sees it by itself."""
        from salesops.reports.clusterwork import leave

        with _quiet("distributed"), suppress(Exception), warnings.catch_warnings():
            # joblib warns of what was not waited for, which is meant.
            warnings.simplefilter("ignore")
            ends.close()
            self._client.unsubscribe_topic(run)
            self._client.run(leave, run, on_error="ignore")


def _at_home(
    end: "Made | Lost", by_stem: Mapping[str, Job], jobs: "Mapping[Job, Links]", way: "Way"
) -> tuple[Job, Made]:
    """Give what a worker made as if it had been made here."""
    if isinstance(end, Made):
        job = by_stem[end.done.job.stem]
        return job, taken(end, job, way.wanted)
    from salesops.reports.execute import Executed, died, notebook_of
    from salesops.reports.making import laid_out

    job = by_stem[end.args[0].stem]
    failure = died("", "died", end.error)
    shown = Executed(notebook=notebook_of(job), failure=failure, seconds=0.0)
    return job, laid_out(job, shown, jobs[job], way.limits, way.wanted, 1)


def taken(made: Made, job: Job, wanted: Wanted) -> Made:
    """Take a report that came as bytes: mask its texts, lay its other files in their folder."""
    masker = wanted.masker
    texts = (made.done.page, f"{job.stem}.ipynb")
    files: dict[str, bytes | Path] = {}
    for name, content in made.files.items():
        assert isinstance(content, bytes)
        if name in texts:
            files[name] = masker.mask_text(content.decode()).encode()
        else:
            files[name] = wanted.folder / name
            (wanted.folder / name).write_bytes(content)
    done = replace(made.done, job=job, facts=masker.mask_data(made.done.facts),
                   failure=masker.mask_data(made.done.failure))  # fmt: skip
    return Made(done=done, files=files)


def _first_line(error: object) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")


@contextmanager
def _quiet(name: str) -> Iterator[None]:
    """Keep a library from telling what is told better here."""
    log = logging.getLogger(name)
    level = log.level
    log.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        log.setLevel(level)
