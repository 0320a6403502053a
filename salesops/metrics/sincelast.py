"""What changed since the run of a report before: its number, its findings, the deals behind."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from salesops.book.book import Book
from salesops.book.runlog import results
from salesops.metrics.moveddeals import MOVED, moved_deals
from salesops.model.finding import Finding


@dataclass(frozen=True, kw_only=True, eq=False)
class SinceLast:
    """What changed since the run before.

    Attributes
    ----------
    as_of
        Date of the data of that run.
    lead
        Its number then; null where it had none.
    metrics
        Its metrics then.
    new, gone, back
        Findings that are there now and were not then; that were there then and are not now (as the
        record tells them); that an earlier run had, the run before had not, and are there again.
    moved
        See `metrics.moveddeals`; empty where the data are of the same day.
    """

    as_of: dt.date
    lead: float | None
    metrics: Mapping[str, float | None]
    new: tuple[Finding, ...] = ()
    gone: tuple[Mapping[str, Any], ...] = ()
    back: tuple[Finding, ...] = ()
    moved: pd.DataFrame = field(repr=False)


def since_last(
    book: Book, report: str, fingerprint: str, findings: Sequence[Finding]
) -> SinceLast | None:
    """Compare a report with the last run of it whose data were others; null where there is none.

    Parameters
    ----------
    book
        The company, at its date and in its scope.
    report
        Stem of the report.
    fingerprint
        Of the rows that the book shows: a run over the same rows is no run before.
    findings
        What holds now.
    """
    mine = [
        facts for facts in results(book.store.where, book.date)
        if facts.get("report") == report and facts.get("scope") == str(book.limits)
        and facts.get("fingerprint") != fingerprint
    ]  # fmt: skip
    if not mine:
        return None
    last = max(mine, key=lambda facts: (facts["as_of"], facts["started"]))
    then = {one["id"]: one for one in last["findings"]}
    ever = {one["id"] for facts in mine for one in facts["findings"]}
    now = {one.id for one in findings}
    fresh = [one for one in findings if one.id not in then]
    day = dt.date.fromisoformat(last["as_of"])
    lead = last.get("lead") or {}
    return SinceLast(
        as_of=day, lead=lead.get("value"), metrics=last.get("metrics", {}),
        new=tuple(one for one in fresh if one.id not in ever),
        back=tuple(one for one in fresh if one.id in ever),
        gone=tuple(one for key, one in then.items() if key not in now),
        moved=moved_deals(book, day) if day < book.date else pd.DataFrame(columns=MOVED),
    )  # fmt: skip
