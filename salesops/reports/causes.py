"""Why a report failed, in words of somebody who knows no Python, and whether a second try helps."""

from collections.abc import Mapping

from salesops.reports.kernels import Limits
from salesops.wording import label, say

# What passes by itself: a database that was busy or away, a kernel that the system ended.
_PASSING = ("DeadKernel", "ConnectionError", "ConnectionRefusedError", "ConnectionResetError",
            "BrokenPipeError", "TimeoutError", "OperationalError", "InterfaceError",
            "NoAnswer")  # fmt: skip


def can_pass(failure: Mapping[str, str]) -> bool:
    """Tell whether another try may succeed.

    Examples
    --------
    >>> can_pass({"name": "ConnectionError"}), can_pass({"name": "ZeroDivisionError"})
    (True, False)
    """
    return failure["name"] in _PASSING


def with_cause(failure: Mapping[str, str] | None, limits: Limits) -> dict[str, str] | None:
    """Add the cause of a failure in plain words of the current language."""
    return None if failure is None else {**failure, "cause": _cause(failure, limits)}


def _cause(failure: Mapping[str, str], limits: Limits) -> str:
    name = failure["name"]
    if name == "TimeLimit":
        return say("cause.time", seconds=limits.seconds)
    if name == "MemoryError" or (name == "DeadKernel" and limits.megabytes):
        if limits.megabytes:
            return say("cause.memory", megabytes=limits.megabytes)
        return label("cause.memory_all")
    if name == "DeadKernel":
        return label("cause.died")
    if name == "NoAnswer":
        return label("cause.no_answer")
    if name in _PASSING:
        return say("cause.away", told=failure["value"])
    return say("cause.cell", error=name, told=failure["value"])
