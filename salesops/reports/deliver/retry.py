"""Asking again, with growing pauses, where something may pass."""

import time
from collections.abc import Callable
from typing import Any

from salesops.reports.deliver.outcome import Passing

ATTEMPTS = 5
LONGEST = 120.0  # seconds; who asks for a longer pause is asked in the next sending


def patiently(act: Callable[[], None], *, pause: Callable[[float], None] = time.sleep) -> None:
    """Act until it goes through, it fails for good, or five attempts are over.

    Raises
    ------
    NotSent
        It failed for good, or at the last attempt.
    Unsure
        Nobody knows.
    """
    import tenacity

    growing = tenacity.wait_random_exponential(multiplier=1, max=60)

    def wait(state: Any) -> float:
        after = _asked(state)
        return growing(state) if after is None else after

    def stop(state: Any) -> bool:
        return state.attempt_number >= ATTEMPTS or (_asked(state) or 0) > LONGEST

    tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(Passing), wait=wait, stop=stop, sleep=pause,
        reraise=True,
    )(act)  # fmt: skip


def _asked(state: Any) -> float | None:
    """Give the pause that the other side asked for."""
    error = state.outcome.exception() if state.outcome else None
    return error.after if isinstance(error, Passing) else None
