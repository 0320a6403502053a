"""The commands of the register: what was found becomes an action, and is followed to its end."""

from typing import Annotated

import typer
from rich.console import Console

actions = typer.Typer(
    rich_markup_mode=None, context_settings={"help_option_names": ["-h", "--help"]},
)  # fmt: skip
Id = Annotated[str, typer.Argument(metavar="ID", help="Id of the row, such as M000004.")]
Owner = Annotated[str, typer.Option(help="Id or name of the person who does it.")]
Scope = Annotated[
    str,
    typer.Option(
        help="company, team:<path>, user:<id>, region:<name>, segment:<name>, product_line:<name>."
    ),
]
Due = Annotated[str, typer.Option(help="Day by which it is to be done.")]


@actions.callback(invoke_without_command=True)
def register(
    context: typer.Context,
    book: Annotated[str, typer.Argument(help="Folder of the book.")],
) -> None:
    """Keep the register of the review: actions, snags and decisions, with owner and due date.

    It is BOOK/actions.csv, which Excel opens and anybody may edit: in Chinese or English, with
    Excel's own dates, with columns of your own. For example:

      salesops actions data/sample

      salesops actions data/sample add

      salesops actions data/sample snag "Contracts wait three days for the seal" --owner U0002

      salesops actions data/sample done M000004 --on 2026-06-18

      salesops actions data/sample list --state late

      salesops actions data/sample check

    Each has a --help of its own: salesops actions BOOK add --help.
    """
    context.obj = book
    if context.invoked_subcommand is None:
        from salesops.cli.register import list_rows

        list_rows(book, _out(), state="", owner="", scope="")


@actions.command(name="list")
def list_(
    context: typer.Context,
    state: Annotated[str, typer.Option(help="open, late, done or dropped.")] = "",
    owner: Annotated[str, typer.Option(help="Id or name of a person.")] = "",
    scope: Annotated[str, typer.Option(help="Such as team:华东; teams below it too.")] = "",
) -> None:
    """List rows with their state on the last day that the book knows.

    late: due before that day, and neither done nor dropped. For example:

      salesops actions data/sample list --state late --scope team:华东
    """
    from salesops.cli.register import list_rows

    list_rows(context.obj, _out(), state=state, owner=owner, scope=scope)


@actions.command()
def add(
    context: typer.Context,
    finding: Annotated[
        list[str] | None,
        typer.Option(help="Id of a finding of the last run; none: all to act on or watch."),
    ] = None,
    owner: Owner = "",
    due: Due = "",
    expect: Annotated[str, typer.Option(help="Change of the metric: 0.05, or 5%.")] = "",
    lang: Annotated[str, typer.Option(help="Language of what is to be done: zh or en.")] = "zh",
) -> None:
    """Make actions of what the last run found.

    The owner is whoever has the finding's role in its scope, where that is one person; the due
    date is the finding's; the baseline is the metric's value as the run saw it. What is in the
    register and not ended is not added twice. For example:

      salesops run diagnosis --book data/sample

      salesops actions data/sample add

      salesops actions data/sample add --finding DIA-154e0a --owner 冯洋丽 --expect -5%
    """
    from salesops.cli.registeradd import add_findings

    add_findings(context.obj, _out(), wanted=finding or [], owner=owner, due=due, expect=expect,
                 lang=lang)  # fmt: skip


@actions.command()
def snag(
    context: typer.Context,
    text: Annotated[str, typer.Argument(help="What gets in the way of selling.")],
    owner: Owner = "",
    due: Due = "",
    scope: Scope = "company",
) -> None:
    """Write down what gets in the way of selling; anybody may.

    For example:

      salesops actions data/sample snag "报价单要手工抄两遍" --scope team:华东/一组
    """
    from salesops.cli.register import add_row

    add_row(context.obj, _out(), kind="snag", text=text, owner=owner, due=due, scope=scope)


@actions.command()
def decide(
    context: typer.Context,
    text: Annotated[str, typer.Argument(help="What was decided.")],
    owner: Owner = "",
    due: Due = "",
    scope: Scope = "company",
    metric: Annotated[str, typer.Option(help="Metric that should change, such as win_rate.")] = "",
    expect: Annotated[str, typer.Option(help="Change that is hoped for: 0.05, or 5%.")] = "",
) -> None:
    """Write down what was decided; with a metric, its value now is the baseline.

    For example:

      salesops actions data/sample decide "每周商机复盘" --scope team:华东/一组 --metric win_rate
    """
    from salesops.cli.register import add_row

    add_row(context.obj, _out(), kind="decision", text=text, owner=owner, due=due, scope=scope,
            metric=metric, expect=expect)  # fmt: skip


@actions.command()
def done(
    context: typer.Context,
    id_: Id,
    on: Annotated[str, typer.Option(help="Day; else the last one that the book knows.")] = "",
) -> None:
    """Say that a row is done.

    For example:

      salesops actions data/sample done M000004 --on 2026-06-18
    """
    from salesops.cli.register import end_row

    end_row(context.obj, _out(), id_, status="done", on=on)


@actions.command()
def drop(
    context: typer.Context,
    id_: Id,
    why: Annotated[str, typer.Option(help="Reason; it is added to the note.")] = "",
    on: Annotated[str, typer.Option(help="Day; else the last one that the book knows.")] = "",
) -> None:
    """Give a row up. It stays in the register, so that nobody proposes it again unknowingly.

    For example:

      salesops actions data/sample drop M000004 --why "The team is dissolved"
    """
    from salesops.cli.register import end_row

    end_row(context.obj, _out(), id_, status="dropped", on=on, why=why)


@actions.command()
def due(
    context: typer.Context,
    id_: Id,
    day: Annotated[str, typer.Argument(metavar="DATE", help="Such as 2026-07-15.")],
) -> None:
    """Move the day by which a row is to be done.

    For example:

      salesops actions data/sample due M000004 2026-07-15
    """
    from salesops.cli.register import move_due

    move_due(context.obj, _out(), id_, day)


@actions.command()
def check(
    context: typer.Context,
    write: Annotated[
        bool, typer.Option("--write", help="Write it as it was read, in one form each.")
    ] = False,
) -> None:
    """Read the register and tell what was read otherwise than it is written, and all faults.

    For example:

      salesops actions data/sample check --write
    """
    from salesops.cli.register import check_register

    check_register(context.obj, _out(), write=write)


def _out() -> Console:
    out = Console(highlight=False, soft_wrap=True)
    if not out.is_terminal:
        # In a file or a pipe there is room to say what is to be done.
        out.width = 120
    return out
