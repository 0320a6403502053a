"""`salesops run`: read the options, run with a progress bar, say where the reports are."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from salesops.model.errors import SalesopsError
from salesops.reports.jobs import read_parameter
from salesops.reports.run import Progress, RunOutcome, run_reports
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
) -> None:  # fmt: skip
    """Run reports as the command line asks for; exits with 1 where one failed."""
    langs = languages(lang)
    if formats != "html":
        raise BadOption(option="--format", value=formats, expected="html")
    wanted = list(scopes) or ["company"]
    if by != "none":
        wanted += scopes_by(book, as_of, by)
    given = dict(_parameters(parameters))
    for name in _OPTIONS.keys() & given.keys():
        own = _OPTIONS[name]
        raise BadOption(option="-p", value=f"{name}={given[name]}",
                        expected=f"the option {own}", example=f"{own} {given[name]}")  # fmt: skip
    with progress_bar(err) as show:
        outcome = run_reports(
            reports, book=book, as_of=as_of, period=period, scopes=wanted, langs=langs,
            parameters=given, out=folder, progress=show,
        )  # fmt: skip
    tell_outcome(outcome, out, err)
    if outcome.failed:
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


@contextmanager
def progress_bar(err: Console) -> Iterator[Progress]:
    """Show how far a run is, in a terminal only."""
    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    )  # fmt: skip
    with Bar(*columns, console=err, disable=not err.is_terminal) as bar:
        task = bar.add_task("Starting", total=None)

        def show(done: int, total: int, name: str) -> None:
            bar.update(task, completed=done, total=total, description=name or "Done")

        yield show


def tell_outcome(outcome: RunOutcome, out: Console, err: Console) -> None:
    """Say what a run made, what failed and where to look."""
    for done in outcome.failed:
        failure = done.failure or {}
        err.print(
            f"Failed: {done.job.stem}, cell {failure.get('cell')}: {failure.get('value')}",
            markup=False,
        )
    made = len(outcome.done) - len(outcome.failed)
    out.print(summed(done.spent for done in outcome.done), markup=False)
    out.print(f"{made} of {len(outcome.done)} reports made. Open {outcome.index}", markup=False)


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
