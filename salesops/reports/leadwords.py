"""A report's number in words, and how it moved: shared by the indexes and the comparison."""

from typing import Literal, NamedTuple, Protocol

from salesops.wording import label
from salesops.wording.catalogue import FORMATS, entries
from salesops.wording.numbers import NULL, points

# What an index may be told to write a number as; any other is written as it is.
KINDS = frozenset({"count", "decimal", "ratio", "money", "exact", "days", "hours", "money_per_day",
                   "score", "score3", "times", "multiple"})  # fmt: skip
Better = Literal["up", "down", "none"]
Mood = Literal["good", "bad", "quiet"]


class LeadLike(Protocol):
    """The number by which a report stands in an index."""

    @property
    def name(self) -> str:
        """Code of its label."""
        ...

    @property
    def kind(self) -> str:
        """How it is written."""
        ...

    @property
    def value(self) -> float | None:
        """Now."""
        ...

    @property
    def prior(self) -> float | None:
        """The period before."""
        ...

    @property
    def better(self) -> Better:
        """Which way is better."""
        ...


class Change(NamedTuple):
    """A difference in words, and what it is for who reads it."""

    text: str
    mood: Mood


def value_in(kind: str, value: float | None) -> str:
    """Write a number as its kind asks for."""
    return FORMATS[kind if kind in KINDS else "decimal"](value)


def named(code: str, prefix: str) -> str:
    """Give the label of a code, or the code where it is no label of that kind.

    Examples
    --------
    >>> named("funnel", "report."), named("no such", "report.")
    ('Funnel', 'no such')
    """
    whole = code if code.startswith(prefix) else prefix + code
    entry = entries().get(whole)
    return code if entry is None or entry.fields else label(whole)


def number(lead: LeadLike | None) -> tuple[str, str]:
    """Give the name and the value of a report's number."""
    return (
        ("", "") if lead is None else (named(lead.name, "lead."), value_in(lead.kind, lead.value))
    )


def since(kind: str, then: float | None, value: float | None, better: Better) -> Change:
    """Say how a number moved, and whether that is better or worse.

    Examples
    --------
    >>> since("ratio", 0.2, 0.26, "up")
    Change(text='+6 pts better', mood='good')
    >>> since("count", 3, 5, "down").text, since("days", None, 4, "up").text
    ('+2 worse', '—')
    """
    if value is None or then is None:
        return Change(NULL, "quiet")
    change = value - then
    shown = difference(kind, change)
    # What is shown as no difference is neither better nor worse.
    if better == "none" or not _is_seen(shown):
        return Change(shown, "quiet")
    good = (change > 0) == (better == "up")
    word = label("index.better" if good else "index.worse")
    return Change(f"{shown} {word}", "good" if good else "bad")


def difference(kind: str, change: float) -> str:
    """Write a difference with its sign, in the unit of its kind."""
    if kind == "ratio":
        return points(change)
    shown = value_in(kind, abs(change))
    if not _is_seen(shown):
        return shown
    return ("+" if change > 0 else "−") + shown


def _is_seen(shown: str) -> bool:
    return any(digit in shown for digit in "123456789")


def since_period(lead: LeadLike | None) -> Change:
    """Say how a report's number moved since the period before."""
    if lead is None:
        return Change(NULL, "quiet")
    return since(lead.kind, lead.prior, lead.value, lead.better)
