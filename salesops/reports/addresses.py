"""How a report is made again, and which pages stand beside it."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from salesops.reports.jobs import Job
from salesops.wording import label, language


def links(job: Job, jobs: Sequence[Job]) -> Iterator[tuple[str, str]]:
    """Give text and address of the pages beside a job's: the index, and itself in other words."""
    from salesops.reports.page import LANGUAGE_NAMES

    with language(job.lang):
        yield label("page.all_reports"), f"index.{job.lang}.html"
    for other in jobs:
        if (other.report, other.scope) == (job.report, job.scope) and other.lang != job.lang:
            yield LANGUAGE_NAMES[other.lang], f"{other.stem}.html"


def command(job: Job, facts: Mapping[str, Any]) -> str:
    """Write the command line that makes a report again: its dates as they were resolved."""
    values = {name: str(value) for name, value in job.parameters.items()}
    own = {name: values.pop(name) for name in ("book", "as_of", "period", "scope", "lang")}
    words = ["salesops", "run", job.report, "--book", without_password(own["book"])]
    for name in ("as_of", "period"):
        resolved = facts.get(name, own[name]) if own[name] == "latest" else own[name]
        words += [f"--{name.replace('_', '-')}", resolved] if resolved != "latest" else []
    words += ["--scope", own["scope"]] if own["scope"] != "company" else []
    words += ["--lang", own["lang"]]
    for name, value in values.items():
        words += ["-p", f"{name}={value}"]
    return shlex.join(words)


def without_password(book: str) -> str:
    """Write a URL without user and password.

    Examples
    --------
    >>> without_password("postgres://me:secret@db/sales"), without_password("data/sample")
    ('postgres://…@db/sales', 'data/sample')
    """
    head, at, tail = book.rpartition("@")
    return f"{head.split('://')[0]}://…@{tail}" if at and "://" in head else book
