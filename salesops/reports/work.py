"""Jobs at work, a few at a time: joblib hands them out, kernels are forked from a warm server."""

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from salesops.reports.execute import kernel_environment, load_papermill
from salesops.reports.jobs import Job
from salesops.reports.kernels import Kernels, Limits
from salesops.reports.making import Made, make
from salesops.reports.warm import WarmServer

Links = tuple[tuple[str, str], ...]


@contextmanager
def at_work(
    jobs: Mapping[Job, Links], workers: int | None, told: Mapping[str, str], limits: Limits,
    server: WarmServer | None = None,
) -> Iterator[Iterator[tuple[Job, Made]]]:  # fmt: skip
    """Give jobs with their ends, in the order in which they end.

    Where the `with` block is broken off, their kernels end with it.
    """
    if not jobs:
        yield iter(())
        return
    most = max(1, min(workers or os.cpu_count() or 1, len(jobs)))
    load_papermill()
    import joblib

    kernels = Kernels(limits, server)
    with kernel_environment(told):
        ends = joblib.Parallel(
            n_jobs=most, backend="threading", return_as="generator_unordered", batch_size=1
        )(joblib.delayed(_ended)(job, links, kernels) for job, links in jobs.items())
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


def _ended(job: Job, links: Links, kernels: Kernels) -> tuple[Job, Made]:
    return job, make(job, links, kernels)
