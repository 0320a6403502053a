"""What an analysis concluded, as facts; `wording` turns them into sentences."""

import datetime as dt
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Severity = Literal["act", "watch", "note"]
Trust = Literal["firm", "unsure", "too_few"]
Fact = str | int | float | bool | dt.date | None


@dataclass(frozen=True, kw_only=True)
class Range:
    """Money that could be had back: low and high bound the middle, in company currency."""

    low: float
    middle: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One conclusion: facts, not words.

    Attributes
    ----------
    code
        `<analysis>.<what>`, the key of its sentences in the catalogues.
    severity
        `act` now, `watch`, or `note`.
    subject
        What it is about (a stage id, a team, a user id); joins periods with `code`.
    evidence
        Raw numbers by name; every number of its sentence is one of them.
    at_stake
        Money that it concerns, in company currency; null where it can't be sized.
    recoverable
        The part that action could bring back, as a range, with its `assumption`.
    assumption
        Code of the sentence that says what the range takes for granted.
    owner_role
        Role that acts, one of the settings' roles.
    action, lesson
        Codes of the sentence of what to do and of the playbook lesson that teaches it.
    trust
        `firm` where the interval leaves out the value it is compared with, `unsure` where it
        does not, `too_few` under 30 rows, null for plain counts.

    Examples
    --------
    >>> leak = Finding(code="funnel.stage_leak", severity="act", subject="proposal",
    ...                evidence={"n": 26}, at_stake=60.0, owner_role="lead")
    >>> leak.id == Finding(code="funnel.stage_leak", severity="note", subject="proposal",
    ...                    evidence={"n": 3}, at_stake=None, owner_role="lead").id
    True
    """

    code: str
    severity: Severity
    evidence: Mapping[str, Fact]
    owner_role: str
    subject: str = ""
    at_stake: float | None = None
    recoverable: Range | None = None
    assumption: str = ""
    action: str = ""
    lesson: str = ""
    trust: Trust | None = None

    @property
    def id(self) -> str:
        """The same finding about the same subject has the same id in every period."""
        digest = hashlib.sha256(f"{self.code}|{self.subject}".encode()).hexdigest()
        return f"{self.code.split('.')[0][:3].upper()}-{digest[:6]}"


@dataclass(frozen=True, kw_only=True)
class Gap:
    """Something that could not be computed, why, and what would make it possible.

    Attributes
    ----------
    what
        Code of the number or exhibit that is null.
    reason
        Code of the reason: `missing_table`, `missing_column`, `no_history`, `too_few`,
        `amounts_only_for_won`, `no_target`, …
    needs
        Table or `table.column` that would mend it, or empty.
    evidence
        Raw numbers for the sentence, such as how many rows there were.
    """

    what: str
    reason: str
    needs: str = ""
    evidence: Mapping[str, Fact] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Method:
    """How the numbers of a result were made, as codes for `wording`.

    Attributes
    ----------
    source
        Codes of the methods and definitions used.
    assumptions
        Codes of what is taken for granted.
    n
        Rows by name, such as deals or deals without a date.
    blind_spots
        Codes of what it cannot see.
    """

    source: tuple[str, ...]
    assumptions: tuple[str, ...] = ()
    n: Mapping[str, int] = field(default_factory=dict)
    blind_spots: tuple[str, ...] = ()
