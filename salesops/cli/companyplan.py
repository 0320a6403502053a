"""The commands around a company's plan: begin one, look at it, run it by the clock."""

from typing import Annotated

import typer
from rich.console import Console

schedule = typer.Typer(
    help="Run a plan by the clock, or hand it to the machine's own scheduler.",
    no_args_is_help=True, rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)  # fmt: skip
Folder = Annotated[str, typer.Argument(help="The company's folder, or its reports.toml.")]
Name = Annotated[
    list[str] | None, typer.Option(help="Entry of the plan; none means all that are on.")
]
Json = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]


def _out() -> Console:
    return Console(highlight=False, soft_wrap=True)


def init(
    folder: Annotated[str, typer.Argument(help="Folder of the company; made if not there.")],
    book: Annotated[
        str, typer.Option("--book", "-b", help="Folder, .duckdb file or URL; else the folder.")
    ] = "",
    lang: Annotated[str, typer.Option(help="zh, en or zh,en; files speak the first.")] = "zh,en",
) -> None:
    """Begin a company's folder: a plan of reports, settings, and a page that explains them.

    What is there already stays as it is. For example:

      salesops init company --book data/sample --lang zh

      salesops init company    (the folder is to hold the book itself)
    """
    from salesops.cli.beginning import begin_company

    begin_company(folder, book=book, lang=lang, out=_out())


def plan(
    folder: Folder = ".",
    at: Annotated[
        str, typer.Option(help="At this scheduled time, or last: each entry's last one.")
    ] = "last",
    name: Name = None,
    as_json: Json = False,
) -> None:
    """Show which reports a plan would make at a time, of whom and why; makes and sends nothing.

    The reason is new, or kept where an earlier run made the same one.

    For example:

      salesops plan company

      salesops plan company --name monday --at 2026-03-02T07:00
    """
    from salesops.cli.planshowing import show_plan

    show_plan(folder, at=at, names=name or [], as_json=as_json, out=_out())


@schedule.command()
def run(
    folder: Folder = ".",
    no_send: Annotated[
        bool, typer.Option("--no-send", help="Make all, and only say what would go to whom.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Run the entries of a plan when they fall due and send what they made, until it is stopped.

    What was missed while nothing ran is made up for once, if it is not older than the entry's
    missed_hours. What could not begin, or did not all go out, is tried again after 1, 5, 15 and
    45 minutes. A changed plan is read again. Ctrl-C or SIGTERM ends it. For example:

      salesops schedule run company

      salesops schedule run company --no-send --json
    """
    from salesops.cli.scheduling import run_schedule

    run_schedule(folder, as_json=as_json, no_send=no_send, out=_out())


@schedule.command(name="list")
def list_(
    folder: Folder = ".",
    n: Annotated[int, typer.Option("--next", help="Times of each entry.")] = 3,
    as_json: Json = False,
) -> None:
    """Show when each entry falls due next, and what became of its last time.

    For example:

      salesops schedule list company --next 5
    """
    from salesops.cli.scheduling import list_times

    list_times(folder, n=n, as_json=as_json, out=_out())


@schedule.command()
def export(
    kind: Annotated[str, typer.Argument(help="cron, systemd, airflow or github-actions.")],
    folder: Folder = ".",
    into: Annotated[str, typer.Option(help="Write the files to this folder.")] = "",
) -> None:
    """Write a plan's schedule for another scheduler.

    For example:

      salesops schedule export cron company    (its lines go into crontab -e)

      salesops schedule export systemd company --into ~/.config/systemd/user
    """
    from salesops.cli.scheduling import export_schedule

    export_schedule(kind, folder, into=into, out=_out())
