"""The table of what was measured."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One claim: its value over so many seeds, with an 80 % interval, and what is aimed at."""

    part: str
    what: str
    value: float
    low: float
    high: float
    n: int
    aim: str
    holds: bool


def as_markdown(claims: Sequence[Claim]) -> str:
    """Write claims as a table."""
    lines = [
        "# What was measured",
        "",
        "Statistical claims over many seeds, with 80 % intervals of the measurement. Made by "
        "`make validate`.",
        "",
        "| part | claim | measured | interval | n | aim | holds |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {c.part} | {c.what} | {c.value:.3f} | {c.low:.3f} to {c.high:.3f} | {c.n:,} "
        f"| {c.aim} | {'yes' if c.holds else 'no'} |"
        for c in claims
    ]
    return "\n".join(lines) + "\n"


def merged(before: str, claims: Sequence[Claim]) -> str:
    """Put the claims of the measured parts in place of theirs in an earlier table."""
    measured = {claim.part for claim in claims}
    fresh = as_markdown(claims).splitlines()
    start = fresh.index("|---|---|---|---|---|---|---|") + 1
    parts = {line: line.split("|")[1].strip() for line in before.splitlines() if line[:2] == "| "}
    kept = [line for line, part in parts.items() if part not in {*measured, "part"}]
    rows = sorted([*kept, *fresh[start:]], key=lambda line: line.split("|")[1])
    return "\n".join([*fresh[:start], *rows]) + "\n"
