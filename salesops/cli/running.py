"""`salesops run`: read the options, show what goes on, say how it ended."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.console import Console

from salesops.cli.progress import first_line, watched
from salesops.model.errors import SalesopsError
from salesops.reports.events import Event, Events, JobEnded, RunEnded
from salesops.reports.jobs import read_parameter
from salesops.reports.run import RunOutcome, run_reports
from salesops.reports.spent import summed

# Parameters of every notebook that are options of the command line.
_OPTIONS = {"book": "--book", "scope": "--scope", "lang": "--lang"}


@dataclass(eq=False, kw_only=True)
class BadOption(SalesopsError, ValueError):
    """An option of the command line has a value that it can't have."""

    option: str
    value: str
    expected: str
    example: str = ""

    def __str__(self) -> str:
        first = self.expected.split(",")[0].split(" ")[0]
        example = self.example or f"{self.option} {first}"
        return (
            f"{self.option} {self.value!r} is not known.\n"
            f"Expected: {self.expected}.\n"
            f"Write for example: {example}."
        )


def run_command(
    reports: Sequence[str], *, book: str, as_of: str, period: str, scopes: Sequence[str], by: str,
    lang: str, formats: str, parameters: Sequence[str], folder: str, out: Console, err: Console,
    as_json: bool = False, force: bool = False, cluster: str = "",
) -> None:  # fmt: skip
    """Run reports as the command line asks for; exits with 1 where one failed."""
    langs = languages(lang)
    wanted = list(scopes) or ["company"]
    if by != "none":
        wanted += scopes_by(book, as_of, by)
    given = dict(_parameters(parameters))
    for name in _OPTIONS.keys() & given.keys():
        own = _OPTIONS[name]
        raise BadOption(option="-p", value=f"{name}={given[name]}",
                        expected=f"the option {own}", example=f"{own} {given[name]}")  # fmt: skip

    def begun(events: Events) -> RunOutcome:
        return run_reports(
            reports, book=book, as_of=as_of, period=period, scopes=wanted, langs=langs,
            parameters=given, out=folder, events=events, force=force,
            cluster=cluster,
            formats=[part.strip() for part in formats.split(",") if part.strip()],
        )  # fmt: skip

    if shown(begun, out, err, as_json=as_json, folder=folder).failed:
        sys.exit(1)


def languages(lang: str) -> list[str]:
    """Read --lang: zh, en or both with a comma.

    Raises
    ------
    BadOption
        There is no such language.
    """
    langs = list(dict.fromkeys(part.strip() for part in lang.split(",") if part.strip()))
    for one in langs or [lang]:
        if one not in ("zh", "en"):
            raise BadOption(option="--lang", value=one, expected="zh, en or zh,en")
    return langs


def shown(
    begin: Callable[[Events], RunOutcome], out: Console, err: Console, *, as_json: bool, folder: str
) -> RunOutcome:
    """Show what a run does, and say what it made, what failed and where to look."""
    ends: list[JobEnded | RunEnded] = []
    with watched(out, err, as_json=as_json, folder=folder) as tell:

        def listen(event: Event) -> None:
            tell(event)
            if isinstance(event, JobEnded | RunEnded):
                ends.append(event)

        outcome = begin(listen)
    for done in outcome.failed:
        failure = done.failure or {}
        told = first_line(failure.get("cause") or failure.get("value"))
        err.print(f"Failed: {done.job.stem}, cell {failure.get('cell')}: {told}", markup=False)
    if not as_json:
        out.print(summed(done.spent for done in outcome.done), markup=False)
        out.print(f"{summary(ends)} Open {outcome.index}", markup=False)
    return outcome


def summary(ends: Sequence[JobEnded | RunEnded]) -> str:
    """Say in one line how a run ended: how many reports how, how long, and where they are.

    Examples
    --------
    >>> from pathlib import Path
    >>> summary([RunEnded(run="r", made=17, kept=2, failed=1, seconds=63.2,
    ...                   folder=Path("reports/r"))])
    '19 of 20 reports made (2 of them unchanged), 1 failed, in 63 s, into reports/r.'
    """
    end = next((one for one in reversed(ends) if isinstance(one, RunEnded)), None)
    if end is None:
        return ""
    n = end.made + end.kept
    kept = f" ({end.kept} of them unchanged)" if end.kept else ""
    failed = f", {end.failed} failed" if end.failed else ""
    return (f"{n} of {n + end.failed} reports made{kept}{failed}, in {end.seconds:.0f} s, "
            f"into {end.folder}.")  # fmt: skip


def _parameters(texts: Sequence[str]) -> list[tuple[str, object]]:
    found = []
    for text in texts:
        try:
            found.append(read_parameter(text))
        except ValueError as error:
            raise BadOption(option="-p", value=text, expected="NAME=VALUE") from error
    return found


def scopes_by(book: str, as_of: str, by: str) -> list[str]:
    """List a scope for every team, person or region of a book.

    Raises
    ------
    BadOption
        `by` is none of them.
    """
    if by not in ("team", "user", "region"):
        raise BadOption(option="--by", value=by, expected="team, user or region")
    from salesops.book.book import open_book
    from salesops.book.reach import known_as_of
    from salesops.reports.grid import every

    return every(known_as_of(open_book(book), as_of), by)
