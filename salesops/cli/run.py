"""`salesops run`: reports named one by one, or those of a plan."""

from typing import Annotated

import typer
from rich.console import Console

Book = Annotated[
    str, typer.Option("--book", "-b", help="Folder, .duckdb file or database URL of the company.")
]


def run(
    reports: Annotated[
        list[str] | None, typer.Argument(help="Reports, such as funnel; none means all.")
    ] = None,
    book: Book = "data/sample",
    as_of: Annotated[str, typer.Option(help="As known at this ISO date, or latest.")] = "latest",
    period: Annotated[str, typer.Option(help="2026-03, 2026Q1, 2026 or latest.")] = "latest",
    scope: Annotated[
        list[str] | None,
        typer.Option(help="company, team:<path>, user:<id> or region:<name>; may repeat."),
    ] = None,
    by: Annotated[
        str, typer.Option(help="One report each for every team, user or region.")
    ] = "none",
    lang: Annotated[str, typer.Option(help="zh, en or zh,en.")] = "zh,en",
    format_: Annotated[
        str, typer.Option("--format", help="html, pdf, xlsx, png, json, or several with commas.")
    ] = "html",
    parameter: Annotated[
        list[str] | None, typer.Option("-p", help="NAME=VALUE of the notebook; may repeat.")
    ] = None,
    folder: Annotated[str, typer.Option("--out", help="Folder of the reports.")] = "reports",
    plan: Annotated[
        str, typer.Option(help="Run a plan: a company's folder, or its reports.toml.")
    ] = "",
    name: Annotated[
        list[str] | None, typer.Option(help="Entry of the plan; none means all that are on.")
    ] = None,
    at: Annotated[str, typer.Option(help="Scheduled time of the plan, or last.")] = "last",
    once: Annotated[
        bool, typer.Option("--once", help="Not again for a time for which it is done.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Make all anew, also where nothing changed.")
    ] = False,
    no_send: Annotated[
        bool,
        typer.Option("--no-send", help="Of a plan: make all, and only say what would go to whom."),
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Log one JSON object per event, and nothing else.")
    ] = False,
) -> None:
    """Execute report notebooks over a book and write pages with an index.

    For example:

      salesops run funnel --book build/company

      salesops run funnel --as-of 2026-03-31 --period 2026Q1 --by team --lang zh

      salesops run funnel --by team --format html,pdf,xlsx

      salesops run --book postgres://localhost/crm --scope team:华东/一组

      salesops run --plan company --name monday --at 2026-03-02T07:00
    """
    out, err = Console(highlight=False, soft_wrap=True), Console(stderr=True, highlight=False)
    if plan:
        from salesops.cli.planrunning import Way, run_plan

        way = Way(out=out, err=err, force=force, as_json=as_json, no_send=no_send)
        run_plan(plan, names=name or [], at=at, once=once, way=way)
        return
    from salesops.cli.running import run_command

    run_command(
        reports or [], book=book, as_of=as_of, period=period, scopes=scope or [], by=by,
        lang=lang, formats=format_, parameters=parameter or [], folder=folder, out=out, err=err,
        as_json=as_json, force=force,
    )  # fmt: skip
