"""joblib's own way to hand jobs to a Dask cluster, without ends at which it would wait for ever.

It is loaded when a run has joined a cluster: joblib and distributed take a second to import.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass
from typing import Any

from joblib._dask import DaskDistributedBackend


@dataclass(frozen=True)
class Lost:
    """A job that no worker could end: those that took it up died, or could not read it."""

    args: tuple[Any, ...]
    error: BaseException


class Backend(DaskDistributedBackend):  # type: ignore[misc]
    """Hands every job to a worker, and tells of each how it ended.

    Parameters
    ----------
    client
        Of the cluster.
    gone
        Gives the error that is raised when the cluster is gone.
    scatter
        Arguments that each worker gets once.
    """

    def __init__(
        self, client: Any, gone: Callable[[], Exception], scatter: Sequence[Any] = ()
    ) -> None:
        super().__init__(client=client, scatter=list(scatter))
        self._gone = gone

    def effective_n_jobs(self, n_jobs: int) -> int:
        """Give how many jobs are handed out at a time.

        Where there is one, joblib would do all work in this process.
        """
        return max(2, n_jobs)

    def submit(self, func: Any, callback: Callable[[Any], None] | None = None) -> Any:
        """Hand out jobs, and also tell when they are lost.

        Until joblib calls back for what ends with an error of the cluster itself.
        """
        future: Future[Any] = super().submit(func, callback)

        def ended(done: Future[Any]) -> None:
            error = done.exception()
            if error is not None and callback is not None:
                callback([Lost(args, error) for _work, args, _named in func.items])

        future.add_done_callback(ended)
        return future

    def retrieve_result_callback(self, out: Any) -> Any:
        """Give what jobs gave, or raise what they raised."""
        # Not `asyncio`'s, which nobody would take for a fault.
        if isinstance(out, CancelledError) or type(out).__name__ == "FutureCancelledError":
            raise self._gone()
        return super().retrieve_result_callback(out)
