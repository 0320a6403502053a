"""`salesops pull` on the command line: shows how far it is, then imports what was pulled."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from salesops.cli.importing import Terminal, answers_of, next_line

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False)


def pull(
    system: Annotated[
        str, typer.Argument(help="salesforce, hubspot, zoho, jiandaoyun or fxiaoke.")
    ],
    into: Annotated[str, typer.Option("--into", help="Folder of the book to write or update.")],
    raw: Annotated[
        str, typer.Option(help="Folder of the exports that are pulled; by default BOOK-raw.")
    ] = "",
    token_env: Annotated[
        str, typer.Option(help="NAME of the variable that holds the token; never the token.")
    ] = "",
    secret: Annotated[
        list[str] | None,
        typer.Option(help="KEY=NAME, such as client_id=env:OUR_ID or token=keyring:crm/token."),
    ] = None,
    base_url: Annotated[str, typer.Option(help="Address of the interface, if it is another.")] = "",
    login_url: Annotated[
        str, typer.Option(help="Address of the server of tokens, if it is another.")
    ] = "",
    object_: Annotated[
        list[str] | None, typer.Option("--object", help="What is asked for; may repeat.")
    ] = None,
    whole: Annotated[
        bool, typer.Option("--whole", help="Ask for everything, not for changes alone.")
    ] = False,
    source: Annotated[
        str, typer.Option(help="Mapping by name, or a file of your own; by default the book's.")
    ] = "",
    only_raw: Annotated[
        bool, typer.Option("--only-raw", help="Write the export, import nothing.")
    ] = False,
    answer: Annotated[
        list[str] | None, typer.Option(help="KEY=VALUE: answers a question of the import.")
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Take the likely answer wherever that is safe.")
    ] = False,
) -> None:
    """Pull what changed in a CRM, keep it as an export, and import that into a book.

    Secrets are taken from variables or a keyring by their names. For example:

      salesops pull hubspot --into build/company

      salesops pull salesforce --into build/company --login-url https://test.salesforce.com

      salesops pull jiandaoyun --into build/company --object 5d5a5bbb850a6d0604ab119/56fcab0f02c4
    """
    from salesops.sources.pull.pulling import Options, import_pulled, pull_export
    from salesops.sources.pull.secrets import named_secrets

    secrets = named_secrets(secret or [])
    if token_env:
        secrets["token"] = token_env
    answers = answers_of(answer or [])
    options = Options(raw=raw, secrets=secrets, base=base_url, login=login_url, source=source,
                      objects=tuple(object_ or ()), whole=whole)  # fmt: skip
    with _bar() as bar:
        report = pull_export(system, into=into, options=options, tell=bar)
    for line in report.lines():
        out.print(line, markup=False)
    if only_raw:
        return
    with Terminal() as talk:
        imported = import_pulled(report, system, into=into, source=source or None, yes=yes,
                                 answers=answers, talk=talk)  # fmt: skip
    for line in imported.lines():
        out.print(line, markup=False)
    out.print(next_line(into), markup=False)


class _Bar:
    """A line per object with the records so far; on a terminal only."""

    def __init__(self, bar: Progress | None) -> None:
        self._bar = bar
        self._tasks: dict[str, object] = {}

    def __call__(self, name: str, n: int, most: int | None) -> None:
        """Show how far it is."""
        if self._bar is None:
            return
        if name not in self._tasks:
            self._tasks[name] = self._bar.add_task(name, total=None, shown="")
        shown = f"{n:,} of {most:,}" if most else f"{n:,}"
        self._bar.update(self._tasks[name], completed=n, total=most, shown=shown)  # type: ignore[arg-type]


@contextmanager
def _bar() -> Iterator[_Bar]:
    if not err.is_terminal:
        yield _Bar(None)
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False),
               BarColumn(bar_width=24), TextColumn("{task.fields[shown]}", markup=False),
               TimeElapsedColumn())  # fmt: skip
    with Progress(*columns, console=err) as bar:
        yield _Bar(bar)
