"""`salesops import` on the command line: asks on a terminal, shows the mapping, tells its end."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from salesops.model.shell import pasted
from salesops.sources.questions import BadAnswer, Question

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False)
_DATED = re.compile(
    r"[\s_.-]*(?:19|20)\d{2}(?:[年._-]?\d{1,2}(?:[月._-]?\d{1,2}日?|月)?|年)?[\s_.-]*"
)
# What a browser, or who makes a copy, puts behind a name.
_COPIED = re.compile(r"\s*(?:[(（\[]\d{1,3}[)）\]]|-?\s*(?:副本|[Cc]opy))\s*$")


def import_(
    path: Annotated[str, typer.Argument(help="File or folder of the export.")],
    into: Annotated[
        str,
        typer.Option(
            "--into", help="Folder of the book to write or update; by default build/ and a name."
        ),
    ] = "",
    source: Annotated[
        str, typer.Option(help="Mapping by name, or a file of your own; by default recognised.")
    ] = "",
    exported_at: Annotated[
        str, typer.Option(help="When it was exported (ISO date); else its last known date.")
    ] = "",
    answer: Annotated[
        list[str] | None,
        typer.Option(help="KEY=VALUE, such as stage=阶段: answers a question; may repeat."),
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Take the likely answer wherever that is safe.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be written.")] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Refuse the export for a single bad row.")
    ] = False,
    older: Annotated[
        bool, typer.Option("--older", help="Put an older export into the history.")
    ] = False,
    corrected: Annotated[
        str, typer.Option(help="The set-aside.csv of this export, with its rows corrected.")
    ] = "",
    mapping_out: Annotated[
        str, typer.Option(help="File to write the mapping to, to edit it and use it by --source.")
    ] = "",
) -> None:
    """Turn an export into a book; a later export of the same company adds to its history.

    The system is recognised; of an unknown one a mapping is proposed. For example:

      salesops import 商机.xlsx

      salesops import exports/march --into build/company

      salesops import exports/march --answer stage=阶段 --yes --dry-run
    """
    from salesops.sources.importing import import_path

    place = into or default_place(path)
    with Terminal() as talk:
        report = import_path(
            path, source=source or None, into=place, dry_run=dry_run,
            exported_at=exported_at or None, yes=yes, answers=answers_of(answer or []), talk=talk,
            strict=strict, older=older, corrected=corrected or None,
            mapping_out=mapping_out or None,
        )  # fmt: skip
    for line in report.lines():
        out.print(line, markup=False)
    if dry_run:
        return
    if not report.unchanged:
        with Terminal() as talk:
            talk.progress("Looking at what can be reported")
            lines = _can_do(place)
        for line in lines:
            out.print(line, markup=False)
    out.print(next_line(place), markup=False)


def next_line(place: str) -> str:
    """Name the commands that follow on an import, as they can be pasted."""
    return f"Next: salesops check {pasted(place)}; salesops run funnel --book {pasted(place)}"


def _can_do(place: str) -> list[str]:
    from salesops.cli.checking import first_reports

    return first_reports(place)


def default_place(path: str) -> str:
    """Name a book after its export, without the date, so that the next one goes to the same book.

    Examples
    --------
    >>> default_place("exports/商机 2026-03.xlsx"), default_place("exports/2026-06")
    ('build/商机', 'build/exports')
    >>> default_place("商机 2026-03 (1).xlsx")
    'build/商机'
    >>> default_place("2026-03-31.csv")
    'build/company'
    """
    given = Path(path)
    names = [given.name if given.is_dir() else given.stem, given.parent.name]
    bare = [_DATED.sub("", _COPIED.sub("", name)).strip(" _.-") for name in names]
    return f"build/{next((name for name in bare if name), 'company')}"


def answers_of(options: Sequence[str]) -> dict[str, str]:
    """Read answers as they are given on the command line.

    Raises
    ------
    BadAnswer
        One is not KEY=VALUE.

    Examples
    --------
    >>> answers_of(["stage=阶段", "stages=A>B; won=C"])
    {'stage': '阶段', 'stages': 'A>B; won=C'}
    """
    found = {}
    for option in options:
        key, sep, value = option.partition("=")
        if not sep or not key.strip():
            raise BadAnswer(key=option, value="", reason="it is not KEY=VALUE")
        found[key.strip()] = value.strip()
    return found


class Terminal:
    """Asks a person where there is one, and shows what goes on."""

    def __init__(self) -> None:
        self._status = err.status("Reading") if err.is_terminal else None

    def __enter__(self) -> "Terminal":
        if self._status is not None:
            self._status.start()
        return self

    def __exit__(self, *_raised: object) -> None:
        if self._status is not None:
            self._status.stop()

    def progress(self, text: str) -> None:
        """Say what is being done, in a terminal only."""
        if self._status is not None:
            self._status.update(text)

    def show(self, lines: Sequence[str]) -> None:
        """Show the mapping."""
        self._quietly(lambda: out.print("\n".join(lines), markup=False))

    def ask(self, question: Question) -> str | None:
        """Ask until an answer is one of the candidates; None where nobody is there to answer."""
        if not _someone_there():
            return None
        answer: list[str] = []
        self._quietly(lambda: answer.append(_asked(question)))
        return answer[0]

    def _quietly(self, action: Callable[[], object]) -> None:
        if self._status is not None:
            self._status.stop()
        action()
        if self._status is not None:
            self._status.start()


def _someone_there() -> bool:
    import sys

    return sys.stdin is not None and sys.stdin.isatty() and err.is_terminal


def _asked(question: Question) -> str:
    err.print(f"\n{question.text}", markup=False)
    # What was shown just before is not shown again.
    if question.key not in ("mapping", "assumed"):
        for line in question.evidence:
            err.print(f"  {line}", markup=False)
    if question.candidates:
        err.print(f"  Answers: {', '.join(question.candidates)}", markup=False)
    while True:
        said = str(typer.prompt("Answer", default=question.default or None, err=True)).strip()
        if question.allows(said):
            return said
        err.print(f"  {said!r} is none of them.", markup=False)
