"""What is to be run: reports × scopes × languages, each a job with its parameters."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import nbformat
from papermill.inspection import inspect_notebook

from salesops.model.errors import SalesopsError, nearest


@dataclass(eq=False, kw_only=True)
class UnknownReport(SalesopsError, LookupError):
    """No notebook makes a report of that name."""

    value: str
    known: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"There is no report {self.value!r}.\n"
            f"Known reports: {', '.join(self.known)}. Nearest: {nearest(self.value, self.known)}.\n"
            "Write for example: salesops run funnel."
        )


@dataclass(eq=False, kw_only=True)
class UnknownParameter(SalesopsError, LookupError):
    """A parameter is given that the notebook does not have."""

    value: str
    report: str
    known: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"The report {self.report!r} has no parameter {self.value!r}.\n"
            f"Its parameters: {', '.join(self.known)}.\n"
            f"Write for example: -p {self.known[0]}=VALUE."
        )


@dataclass(frozen=True, kw_only=True)
class Job:
    """One report of one scope in one language."""

    report: str
    scope: str
    lang: str
    parameters: dict[str, object]

    @property
    def stem(self) -> str:
        """Name of its files: report, scope where it is not the company, language."""
        slug = (
            "" if self.scope == "company" else "." + self.scope.replace(":", "-").replace("/", "-")
        )
        return f"{self.report}{slug}.{self.lang}"


def notebooks_folder() -> Path:
    """Find the notebooks: beside the package in a checkout, inside it once installed."""
    package = Path(__file__).parent.parent
    inside = package / "notebooks"
    return inside if inside.is_dir() else package.parent / "notebooks"


def known_reports() -> tuple[str, ...]:
    """List the reports that there are."""
    return tuple(sorted(path.stem for path in notebooks_folder().glob("*.ipynb")))


def read_notebook(report: str) -> nbformat.NotebookNode:
    """Read the notebook of a report.

    Raises
    ------
    UnknownReport
        There is none.
    """
    path = notebooks_folder() / f"{report}.ipynb"
    if not path.exists():
        raise UnknownReport(value=report, known=known_reports())
    return nbformat.read(path, as_version=4)


def parameters_of(report: str) -> dict[str, str]:
    """List a report's parameters and their help."""
    if report not in known_reports():
        raise UnknownReport(value=report, known=known_reports())
    found = inspect_notebook(str(notebooks_folder() / f"{report}.ipynb"))
    return {name: facts["help"] for name, facts in found.items()}


def plan_jobs(
    reports: Sequence[str],
    *,
    scopes: Sequence[str],
    langs: Sequence[str],
    given: dict[str, object],
) -> list[Job]:
    """Lay out every report for every scope and language.

    Raises
    ------
    UnknownReport, UnknownParameter
        A name is not known; papermill itself would only warn.
    """
    jobs = []
    for report in reports or known_reports():
        known = tuple(parameters_of(report))
        for name in given:
            if name not in known:
                raise UnknownParameter(value=name, report=report, known=known)
        for scope in scopes:
            for lang in langs:
                values = {**given, "scope": scope, "lang": lang}
                jobs.append(Job(report=report, scope=scope, lang=lang, parameters=values))
    return jobs


def read_parameter(text: str) -> tuple[str, object]:
    """Read NAME=VALUE; a value that is JSON is read as such, else it is a text.

    Examples
    --------
    >>> read_parameter("share=0.2"), read_parameter("period=2026Q1")
    (('share', 0.2), ('period', '2026Q1'))
    """
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise ValueError(f"{text!r} is not written as NAME=VALUE. Write: -p period=2026Q1")
    try:
        parsed = json.loads(value)
    except json.JSONDecodeError:
        return name, value
    return name, value if isinstance(parsed, int) and name in ("period", "as_of") else parsed
