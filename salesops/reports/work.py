"""Jobs at work, a few at a time: joblib hands them out, kernels are forked from a warm server."""

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from salesops.reports.events import Events, JobBegun
from salesops.reports.execute import kernel_environment, load_papermill
from salesops.reports.jobs import Job
from salesops.reports.kernels import Kernels, Limits
from salesops.reports.making import Made, Wanted, make
from salesops.reports.warm import WarmServer

Links = tuple[tuple[str, str], ...]


@dataclass(frozen=True, kw_only=True)
class Way:
    """How jobs are done.

    Attributes
    ----------
    workers
        So many at a time.
    limits
        What one may take.
    tell
        Hears when one begins.
    wanted
        What is made of each.
    """

    workers: int
    limits: Limits
    tell: Events
    wanted: Wanted


def most_at_once(workers: int | None, jobs: int, cores: int | None = None) -> int:
    """Give how many jobs are done at a time: as many as there are cores, where nobody asks."""
    return max(1, min(workers or cores or os.cpu_count() or 1, jobs))


@contextmanager
def at_work(
    jobs: Mapping[Job, Links], way: Way, server: WarmServer | None = None
) -> Iterator[Iterator[tuple[Job, Made]]]:
    """Give jobs with their ends, in the order in which they end.

    Where the `with` block is broken off, their kernels end with it.
    """
    if not jobs:
        yield iter(())
        return
    load_papermill()
    import joblib

    kernels = Kernels(way.limits, server)
    with kernel_environment():
        ends = joblib.Parallel(
            n_jobs=way.workers, backend="threading", return_as="generator_unordered", batch_size=1
        )(joblib.delayed(_ended)(job, links, kernels, way) for job, links in jobs.items())
        try:
            yield ends
        except BaseException:
            # That they die is meant, so papermill need not tell it.
            log = logging.getLogger("papermill")
            level = log.level
            log.setLevel(logging.CRITICAL + 1)
            kernels.end()
            ends.close()
            log.setLevel(level)
            raise


def _ended(job: Job, links: Links, kernels: Kernels, way: Way) -> tuple[Job, Made]:
    way.tell(JobBegun(job=job.stem, report=job.report, scope=job.scope, lang=job.lang))
    return job, make(job, links, kernels, way.wanted)
