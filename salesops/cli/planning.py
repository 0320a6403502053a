"""The commands that plan: targets proposed and taken over, lists of the week, a CRM chosen."""

from typing import Annotated

import typer
from rich.console import Console


def targets(
    book: Annotated[str, typer.Argument(help="Folder of the book.")],
    year: Annotated[str, typer.Option(help="Such as 2027; else the year in progress.")] = "",
    goal: Annotated[float, typer.Option(help="What the company is to sign in it.")] = 0.0,
    growth: Annotated[
        float | None, typer.Option(help="Or how much more than in the last year: 0.1 is 10 %.")
    ] = None,
    lock: Annotated[
        list[str] | None,
        typer.Option(help="What has to hold, such as team:North/1=12000000; may repeat."),
    ] = None,
    to: Annotated[str, typer.Option("--out", help="Write them to this .xlsx or .csv.")] = "",
    lang: Annotated[str, typer.Option(help="zh or en, for the file's heads.")] = "zh",
    take: Annotated[str, typer.Option(help="Take targets over from this file.")] = "",
    by: Annotated[str, typer.Option(help="Who hands them in.")] = "",
    metric: Annotated[
        str, typer.Option(help="Whose targets, where the file does not say.")
    ] = "bookings",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show changes, write nothing.")
    ] = False,
) -> None:
    """Propose targets that add up, write them to be edited, and take them over again.

    For example:

      salesops targets data/sample --year 2027 --growth 0.1 --out targets.xlsx

      salesops targets data/sample --take targets.xlsx --by "Li Na" --dry-run

    An emptied cell keeps its target: write 0 to take it away. Who sells and has no target has an
    empty row in the workbook; an amount in it sets the first one.

    What is taken over today holds from the last day that the book knows, also where that lies
    before today: a report for that day shows it from now on, reports for earlier days do not.
    """
    from salesops.cli.targets import take_targets, write_targets

    out = Console(highlight=False, soft_wrap=True)
    if take:
        take_targets(book, take, out, by=by, metric=metric, dry_run=dry_run)
    else:
        write_targets(book, out, year=year, goal=goal, growth=growth, locks=lock or (), file=to,
                      lang=lang)  # fmt: skip


def worklist(
    book: Annotated[str, typer.Argument(help="Folder of the book, .duckdb file or URL.")],
    kind: Annotated[str, typer.Option(help="stall: open deals; churn: contracts.")] = "stall",
    out: Annotated[str, typer.Option(help="Write to this .xlsx (a sheet a person) or .csv.")] = "",
    scope: Annotated[str, typer.Option(help="company, team:<path>, user:<id>, region:<name>.")] = (
        "company"
    ),
    as_of: Annotated[str, typer.Option(help="As known at the end of this day.")] = "latest",
    lang: Annotated[str, typer.Option(help="zh or en.")] = "zh",
    holdout_share: Annotated[
        float, typer.Option(help="Share of deals that a lot keeps off, 0 to 1; stall only.")
    ] = 0.0,
) -> None:
    """Write this week's list of each person: ten open deals, or the contracts at risk.

    For example:

      salesops worklist data/sample --out week.xlsx

      salesops worklist data/sample --kind churn --scope team:华东/一组 --out renewals.csv
    """
    from salesops.cli.worklist import write_worklist

    write_worklist(
        book, Console(highlight=False, soft_wrap=True), kind=kind, to=out, scope=scope,
        as_of=as_of, lang=lang, holdout_share=holdout_share,
    )  # fmt: skip


def select(
    needs: Annotated[str, typer.Argument(help="File of needs, candidates and costs: needs.xlsx.")],
    template: Annotated[
        bool, typer.Option("--template", help="Write the file to be filled in, and nothing else.")
    ] = False,
    book: Annotated[
        str, typer.Option("--book", "-b", help="Folder, .duckdb file or URL of the company.")
    ] = "data/sample",
    as_of: Annotated[str, typer.Option(help="As known at this ISO date, or latest.")] = "latest",
    scope: Annotated[str, typer.Option(help="company, team:<path>, user:<id>, region:<name>.")] = (
        "company"
    ),
    lang: Annotated[
        str, typer.Option(help="zh, en or zh,en; the first for the terminal and the template.")
    ] = "zh,en",
    format_: Annotated[str, typer.Option("--format", help="As of salesops run.")] = "html",
    folder: Annotated[str, typer.Option("--out", help="Folder of the reports.")] = "reports",
) -> None:
    """Choose a CRM by your own needs: ranking, three-year cost, fit, weights that change it.

    For example:

      salesops select --template needs.xlsx --lang en

      salesops select needs.xlsx --book build/company --lang en

    What the file does not say of the company, such as users, deals and pay, comes from the book.
    All scores and prices are yours to enter; those of the template are made up.
    """
    from salesops.cli.selecting import begin_needs, choose

    out, err = Console(highlight=False, soft_wrap=True), Console(stderr=True, highlight=False)
    if template:
        begin_needs(needs, out, lang=lang)
    else:
        choose(needs, out, err, book=book, as_of=as_of, scope=scope, lang=lang, formats=format_,
               folder=folder)  # fmt: skip
