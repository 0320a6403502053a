"""The key of a report: everything from which its pages follow, so that equal keys are equal pages.

Two runs over the same rows, settings, code and parameters make the same report; the second one is
taken from what the first one left. Of rows all that the company shows at the date count, also for a
team's report: norms are learnt from the others.
"""

import hashlib
import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from salesops.book.runlog import records
from salesops.book.selectionfile import found_file
from salesops.reports import jobs
from salesops.reports.addresses import without_password
from salesops.reports.jobs import Job

# Libraries by which numbers or pictures may change.
LIBRARIES = ("clarabel", "duckdb", "ibis-framework", "matplotlib", "numpy", "pandas", "pyarrow",
             "scikit-learn", "scipy", "seaborn", "splink")  # fmt: skip
_SOURCES = ("*.py", "*.po", "*.css", "*.toml", "*.j2")


@dataclass(frozen=True, kw_only=True)
class Stand:
    """What a book shows to a report.

    Attributes
    ----------
    as_of, period
        As asked for, resolved.
    data
        Fingerprint of the company's rows at that date.
    settings
        Fingerprint of the settings.
    """

    as_of: str
    period: str
    data: str
    settings: str


@cache
def code() -> str:
    """Give the fingerprint of the package and of the libraries by which numbers are made."""
    package = Path(__file__).parent.parent
    files = sorted({path for kind in _SOURCES for path in package.rglob(kind)})
    digest = hashlib.blake2b(digest_size=8)
    for path in files:
        digest.update(str(path.relative_to(package)).encode())
        digest.update(path.read_bytes())
    for name in LIBRARIES:
        digest.update(f"{name} {_version(name)}".encode())
    digest.update(sys.version.encode())
    return digest.hexdigest()


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _notebook(report: str) -> str:
    path = jobs.notebooks_folder() / f"{report}.ipynb"
    return hashlib.blake2b(path.read_bytes(), digest_size=8).hexdigest()


def _files(given: Mapping[str, object]) -> dict[str, str]:
    """Give the fingerprint of each file that a parameter names, such as one of needs."""
    named = {name: found_file(value) for name, value in given.items()
             if name != "book" and isinstance(value, str)}  # fmt: skip
    return {name: hashlib.blake2b(path.read_bytes(), digest_size=8).hexdigest()
            for name, path in named.items() if path.is_file()}  # fmt: skip


def parts(
    job: Job, stand: Stand, *, links: Iterable[tuple[str, str]], formats: Iterable[str],
    runs: str = "",
) -> dict[str, object]:  # fmt: skip
    """Name what a job's pages follow from.

    Parameters
    ----------
    job
        The job.
    stand
        What its book shows.
    links
        Its neighbours on the page.
    formats
        Files that are made beside the page.
    runs
        See `earlier`.
    """
    given = {k: v for k, v in job.parameters.items() if k not in ("as_of", "period")}
    given["book"] = without_password(str(given["book"]))
    return {
        "notebook": _notebook(job.report), "parameters": given, "as_of": stand.as_of,
        "period": stand.period, "data": stand.data, "settings": stand.settings, "code": code(),
        "files": _files(given),
        "links": sorted(links), "formats": sorted(formats), "runs": runs,
    }  # fmt: skip


def bounded(formats: Iterable[str], most_pages: int | None) -> list[str]:
    """Name formats as a key holds them: a PDF of four sheets is not the whole one.

    Examples
    --------
    >>> bounded(["html", "pdf"], 4), bounded(["html", "pdf"], None)
    (['html', 'pdf of 4'], ['html', 'pdf'])
    """
    return [f"pdf of {most_pages}" if form == "pdf" and most_pages else form for form in formats]


def earlier(book: str, stand: Stand) -> str:
    """Give a fingerprint of what earlier runs saw, which reports compare with what they see.

    A run of the same date and rows is not earlier: it adds nothing to what the next one says.
    """
    shown = [record.get("stand") or {} for record in records(book)]
    seen = {(one.get("as_of"), one.get("data")) for one in shown} - {(stand.as_of, stand.data)}
    return hashlib.blake2b(repr(sorted(seen, key=str)).encode(), digest_size=8).hexdigest()


def key_of(told: Mapping[str, object]) -> str:
    """Give the key of what `parts` names.

    Examples
    --------
    >>> key_of({"a": 1, "b": 2}) == key_of({"b": 2, "a": 1}), len(key_of({}))
    (True, 24)
    """
    text = json.dumps(told, sort_keys=True, default=str, ensure_ascii=False)
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()


def why(told: Mapping[str, object], before: Mapping[str, object] | None) -> tuple[str, ...]:
    """Say which parts differ from those of the last time; `new` where there was none.

    Examples
    --------
    >>> why({"data": 1, "code": 2}, {"data": 3, "code": 2}), why({"data": 1}, None)
    (('data',), ('new',))
    """
    if before is None:
        return ("new",)
    return tuple(name for name in told if told[name] != before.get(name))
