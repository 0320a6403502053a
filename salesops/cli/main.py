"""salesops on the command line: from an export to reports that are made and sent by a plan."""

import errno
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress

from salesops.cli.actions import actions
from salesops.cli.companyplan import init, plan, schedule
from salesops.cli.importing import import_
from salesops.cli.learning import learn
from salesops.cli.pastruns import compare, prune, site
from salesops.cli.planning import select, targets, worklist
from salesops.cli.pulling import pull
from salesops.cli.run import run
from salesops.cli.sending import send

app = typer.Typer(
    name="salesops",
    help=(
        "Sales operations analyses and reports, in Chinese and English.\n\n"
        "Start with made-up data:   salesops sample build/company && "
        "salesops run funnel --book build/company\n\n"
        "Or with your own export:   salesops import EXPORT --into build/company\n\n"
        "Made and sent each Monday: salesops init company --book build/company && "
        "salesops schedule run company"
    ),
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
err = Console(stderr=True, highlight=False)
out = Console(highlight=False, soft_wrap=True)

Book = Annotated[
    str, typer.Option("--book", "-b", help="Folder, .duckdb file or database URL of the company.")
]


@app.command()
def sample(
    folder: Annotated[str, typer.Argument(help="Folder to write; made if it is not there.")],
    seed: Annotated[int, typer.Option(help="Same seed, same company.")] = 1,
    clean: Annotated[bool, typer.Option("--clean", help="Without any planted problem.")] = False,
    preset: Annotated[str, typer.Option(help="small, default or large.")] = "default",
    months: Annotated[int, typer.Option(help="Calendar months of history.")] = 36,
    deals_per_month: Annotated[
        int, typer.Option(help="New deals a month; 0 takes the preset's.")
    ] = 0,
    teams: Annotated[int, typer.Option(help="Sales teams; 0 takes the preset's.")] = 0,
    problem: Annotated[
        list[str] | None, typer.Option(help="Size of a problem, such as P4=2.0; may repeat.")
    ] = None,
    without: Annotated[
        list[str] | None, typer.Option(help="A problem to leave out, such as P7; may repeat.")
    ] = None,
    exports: Annotated[
        str, typer.Option(help="none, or monthly: dated exports without history.")
    ] = "none",
) -> None:
    """Make a fictional company whose truth is known.

    For example:

      salesops sample build/company

      salesops sample build/clean --clean --seed 7

      salesops sample build/slow --problem P4=2.0 --without P7
    """
    from salesops.sample.options import SampleOptions
    from salesops.sample.write import write_sample

    chosen = SampleOptions.read(
        seed=seed, clean=clean, preset=preset, months=months,
        deals_per_month=deals_per_month or None, teams=teams or None,
        problems=problem or [], without=without or [], exports=exports,
    )  # fmt: skip
    with Progress(console=err, disable=not err.is_terminal) as bar:
        task = bar.add_task(f"Making {folder}", total=None)
        written = write_sample(
            folder, chosen, progress=lambda n, most: bar.update(task, completed=n, total=most)
        )
    out.print(f"{written}\nNext: {_next_step(folder, chosen.preset, chosen.exports)}", markup=False)


def _next_step(folder: str, preset: str, exports: str) -> str:
    if preset == "small":
        return f"salesops import {folder} --source small --into {folder}-book"
    if exports == "monthly":
        return _month_after_month(folder)
    return f"salesops run funnel --book {folder}"


def _month_after_month(folder: str) -> str:
    """Name the first two imports: the same command with each later folder adds its history."""
    from pathlib import Path

    days = sorted(path.name for path in Path(folder, "exports").iterdir())
    command = "salesops import {folder}/exports/{day} --source canonical --into {folder}-book --yes"
    shown = [command.format(folder=folder, day=day) for day in days[:2]]
    run = f"salesops run funnel --book {folder}-book"
    return "\n      ".join([*shown, f"… and so on, in the order of their dates ({len(days)})", run])


@app.command()
def check(
    book: Annotated[str, typer.Argument(help="Folder, .duckdb file or database URL.")],
) -> None:
    """Validate a book and its settings and list what each analysis can do; writes nothing.

    Example:

      salesops check build/company
    """
    from salesops.cli.checking import check_book

    with _working(f"Checking {book}"):
        lines = check_book(book)
    for line in lines:
        out.print(line)


@app.command()
def metrics(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[metrics]...", help="Metrics; none means all.")
    ] = None,
    book: Annotated[
        str, typer.Option("--book", "-b", help="Say which can be computed there, and why not.")
    ] = "",
    lang: Annotated[str, typer.Option(help="zh or en.")] = "en",
    format_: Annotated[
        str, typer.Option("--format", help="text, or md: a page in both languages.")
    ] = "text",
) -> None:
    """List the metrics and what each means, or which of them a book can answer.

    For example:

      salesops metrics

      salesops metrics win_rate --lang zh

      salesops metrics --book build/company
    """
    from salesops.cli.metrics import list_metrics

    list_metrics(names or [], _one_language(lang), out, book=book, form=format_)


@app.command()
def explain(
    metric: Annotated[str, typer.Argument(help="Metric, such as win_rate.")],
    book: Book = "data/sample",
    as_of: Annotated[str, typer.Option(help="As known at this ISO date, or latest.")] = "latest",
    period: Annotated[str, typer.Option(help="2026-03, 2026Q1, 2026 or latest.")] = "latest",
    scope: Annotated[
        str, typer.Option(help="company, team:<path>, user:<id> or region:<name>.")
    ] = "company",
    where: Annotated[
        list[str] | None,
        typer.Option(help="COLUMN=VALUE of the rows; COLUMN= for those without; may repeat."),
    ] = None,
    rows: Annotated[str, typer.Option(help="Number of rows to show, or all.")] = "15",
    csv: Annotated[str, typer.Option(help="File to write all the rows to.")] = "",
    lang: Annotated[str, typer.Option(help="zh or en.")] = "en",
) -> None:
    """Show a number, what it means, and the very rows behind it.

    For example:

      salesops explain win_rate --book build/company --period 2026Q1

      salesops explain win_rate --where team=华东/一组 --lang zh

      salesops explain win_rate --where closed_at=2026-03-31 --rows all --csv rows.csv
    """
    from salesops.cli.metrics import explain_number

    explain_number(
        metric, book=book, as_of=as_of, scope=scope, period=period, where=where or [],
        lang=_one_language(lang), out=out, rows=rows, csv=csv,
    )  # fmt: skip


@app.command()
def duplicates(
    book: Annotated[str, typer.Argument(help="Folder or .duckdb file of the book.")],
    to: Annotated[str, typer.Option("--out", help="Write all to this .csv or .xlsx.")] = "",
) -> None:
    """List the customers that are entered twice, to be merged after a look at each.

    For example:

      salesops duplicates data/sample --out merges.xlsx
    """
    from salesops.cli.merging import list_duplicates

    list_duplicates(book, to, out)


@app.command()
def merge(
    book: Annotated[str, typer.Argument(help="Folder or .duckdb file of the book.")],
    list_: Annotated[
        str, typer.Argument(metavar="[LIST]", help="List of salesops duplicates, filled in.")
    ] = "",
    undo: Annotated[bool, typer.Option("--undo", help="Take back what was applied.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be applied.")] = False,
) -> None:
    """Let one record stand for another, by a list that was looked at; it can be undone.

    No table is changed: the list lies beside them as merges.csv and is followed when the book is
    opened. For example:

      salesops merge data/sample merges.xlsx --dry-run

      salesops merge data/sample --undo
    """
    from salesops.cli.merging import apply_merges, undo_merges

    if undo:
        undo_merges(book, out)
    else:
        apply_merges(book, list_, out, dry_run=dry_run)


app.command(name="import")(import_)
app.command()(pull)
app.command()(run)
app.command()(targets)
app.command()(worklist)
app.command()(select)
app.command()(send)
app.command()(site)
app.command()(compare)
app.command()(prune)
app.command()(init)
app.command()(plan)
app.add_typer(schedule, name="schedule")
app.add_typer(actions, name="actions")
app.add_typer(learn, name="learn")


def _one_language(lang: str) -> str:
    from salesops.cli.running import BadOption

    if lang not in ("zh", "en"):
        raise BadOption(option="--lang", value=lang, expected="zh or en")
    return lang


@app.command()
def lab(
    lang: Annotated[str, typer.Option(help="Language of the prose: zh or en.")] = "en",
    folder: Annotated[
        str, typer.Option("--into", help="Folder of the copies that you may edit.")
    ] = "notebooks-own",
    port: Annotated[int, typer.Option(help="Port of JupyterLab.")] = 8888,
) -> None:
    """Open the notebooks in JupyterLab, as copies of your own in your language.

    Example:

      salesops lab --lang zh
    """
    from salesops.cli.lab import open_lab

    open_lab(lang, folder, port, out)


@contextmanager
def _working(what: str) -> Iterator[None]:
    """Show that something is going on, in a terminal only."""
    if not err.is_terminal:
        yield
        return
    with err.status(what):
        yield


def main(arguments: list[str] | None = None) -> Any:
    """Run the command line; a mendable error prints without a traceback and exits with 2.

    A signal that ends the program lets it clear away what it began: 130 after Ctrl-C, 143 after
    SIGTERM.
    """
    from salesops.stopping import Stopped, stoppable

    stopped: list[Stopped] = []
    try:
        with stoppable(stopped.append):
            return _run(arguments)
    except BaseException:
        # A library that was broken off may tell it as an error of its own.
        if not stopped:
            raise
    err.print("Broken off: nothing is half-written, nothing goes on running.", markup=False)
    sys.exit(stopped[0].code)


def _run(arguments: list[str] | None) -> Any:
    from salesops.model.errors import SalesopsError

    try:
        return app(args=arguments)
    except SalesopsError as error:
        err.print(str(error), markup=False, soft_wrap=True)
        sys.exit(2)
    except OSError as error:
        if _is_full(error):
            err.print(
                f"The disk is full, or no file may be so long: {_reason(error)}.\n"
                "Expected: room for what is written.\n"
                "Make room, or name another place with --into or --out, and write the same again: "
                "reports that are finished are kept.",
                markup=False, soft_wrap=True,
            )  # fmt: skip
            sys.exit(2)
        if error.filename is None:
            raise
        err.print(
            f"{error.filename} can't be read or written: {error.strerror}.\n"
            "Expected: a place that you may write to, and that is there.\n"
            "Name another one, with --into or --out, or mend its rights.",
            markup=False, soft_wrap=True,
        )  # fmt: skip
        sys.exit(2)


# The disk, somebody's share of it, or the longest file that is allowed.
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def _is_full(error: OSError) -> bool:
    return error.errno in _FULL or (isinstance(error, shutil.Error) and bool(_reason(error)))


def _reason(error: OSError) -> str:
    """Say why there is no room; of many files copied at once Python keeps the words alone."""
    if isinstance(error, shutil.Error):
        return next((os.strerror(n) for n in _FULL if os.strerror(n) in str(error)), "")
    return error.strerror or ""
