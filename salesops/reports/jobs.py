"""What is to be run: reports × scopes × languages, each a job with its parameters."""

import ast
import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

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
            f"Write for example: -p {nearest(self.value, self.known, 1).split(',')[0]}=VALUE."
        )


@dataclass(eq=False, kw_only=True)
class BadParameter(SalesopsError, ValueError):
    """A parameter's value is not of the type that the notebook declares."""

    name: str
    value: str
    report: str
    expected: str

    def __str__(self) -> str:
        return (
            f"Parameter {self.name!r} of the report {self.report!r} can't be {self.value}.\n"
            f"Expected: a value of type {self.expected}.\n"
            f"Write for example: -p {self.name}={_EXAMPLES.get(self.expected, 'VALUE')}."
        )


_EXAMPLES = {"int": "12", "float": "0.5", "bool": "true"}
_TYPES: dict[str, tuple[type, ...]] = {"int": (int,), "float": (int, float), "bool": (bool,)}


@dataclass(frozen=True, kw_only=True, eq=False)
class Job:
    """One report of one scope in one language.

    Attributes
    ----------
    report, scope, lang
        What it makes.
    parameters
        Of the notebook.
    text
        The notebook itself, for who makes the report somewhere else.
    """

    report: str
    scope: str
    lang: str
    parameters: dict[str, object]
    text: str = ""

    @property
    def stem(self) -> str:
        """Name of its files: report, scope where it is not the company, language."""
        return f"{self.report}{_slug(self.scope)}.{self.lang}"

    def with_text(self) -> "Job":
        """Give the job with its notebook."""
        return replace(self, text=_path(self.report).read_text(encoding="utf-8"))

    def read(self) -> Any:
        """Read its notebook: the one that came with it, else ours."""
        return _read(self.text or _path(self.report).read_text(encoding="utf-8"))


def _slug(scope: str) -> str:
    """Write a scope as part of a file's name; two scopes never get the same one.

    Examples
    --------
    >>> _slug("company"), _slug("team:North"), _slug("team:A B") == _slug("team:A-B")
    ('', '.team-North', False)
    """
    if scope == "company":
        return ""
    name = re.sub(r"[^\w.-]+", "-", scope)
    # The usual forms, team:A/B, stay readable; what else was replaced is told apart by a mark.
    if len(scope) > 60 or not re.fullmatch(r"\w+:[\w.]+(/[\w.]+)*", scope):
        name += "-" + hashlib.blake2b(scope.encode(), digest_size=3).hexdigest()
        # A file's name has at most 255 bytes.
        head = name[:-7].encode()[:120].decode(errors="ignore")
        name = head + name[-7:]
    return "." + name


def notebooks_folder() -> Path:
    """Find the notebooks: beside the package in a checkout, inside it once installed."""
    package = Path(__file__).parent.parent
    inside = package / "notebooks"
    return inside if inside.is_dir() else package.parent / "notebooks"


def known_reports() -> tuple[str, ...]:
    """List the reports that there are."""
    return tuple(sorted(path.stem for path in notebooks_folder().glob("*.ipynb")))


def read_notebook(report: str) -> Any:
    """Read the notebook of a report.

    Raises
    ------
    UnknownReport
        There is none.
    """
    return _read(_path(report).read_text(encoding="utf-8"))


def _read(text: str) -> Any:
    import nbformat

    return nbformat.reads(text, as_version=4)  # type: ignore[no-untyped-call]


def _path(report: str) -> Path:
    path = notebooks_folder() / f"{report}.ipynb"
    if not path.exists():
        raise UnknownReport(value=report, known=known_reports())
    return path


def parameters_of(report: str) -> dict[str, str]:
    """List a report's parameters: name -> declared type.

    The cell is read as Python, since papermill's own inspection takes two seconds to import.

    Raises
    ------
    UnknownReport
        There is no such report.
    """
    cells = json.loads(_path(report).read_text(encoding="utf-8"))["cells"]
    tagged = [c for c in cells if "parameters" in c["metadata"].get("tags", [])]
    found = {}
    for statement in ast.parse("".join(tagged[0]["source"])).body if tagged else []:
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            found[statement.target.id] = ast.unparse(statement.annotation)
    return found


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
    BadParameter
        A value is not of its declared type.
    """
    wanted = list(dict.fromkeys(reports or known_reports()))
    checked = {report: checked_parameters(report, given) for report in wanted}
    return [
        Job(report=report, scope=scope, lang=lang,
            parameters={**checked[report], "scope": scope, "lang": lang})
        for scope in dict.fromkeys(scopes)
        for report in wanted
        for lang in dict.fromkeys(langs)
    ]  # fmt: skip


def checked_parameters(report: str, given: dict[str, object]) -> dict[str, object]:
    """Give the parameters as the notebook declares them, or refuse.

    Raises
    ------
    UnknownParameter, BadParameter
        The notebook has no such parameter, or not of that type.
    """
    types = parameters_of(report)
    found: dict[str, object] = {}
    for name, value in given.items():
        if name not in types:
            raise UnknownParameter(value=name, report=report, known=tuple(types))
        kind = types[name]
        wanted = _TYPES.get(kind)
        if kind == "str" and not isinstance(value, str):
            value = json.dumps(value)  # noqa: PLW2901 - a text that looked like a number
        elif wanted and (not isinstance(value, wanted) or (kind != "bool" and value is True)):
            raise BadParameter(name=name, value=repr(value), report=report, expected=kind)
        found[name] = value
    return found


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
        return name, json.loads(value)
    except json.JSONDecodeError:
        return name, value
