"""`salesops run`: reports named one by one, or those of a plan."""

from dataclasses import dataclass
from typing import Annotated

import typer
from rich.console import Console

from salesops.model.errors import SalesopsError

Book = Annotated[
    str, typer.Option("--book", "-b", help="Folder, .duckdb file or database URL of the company.")
]
# How each option is written; what a plan says, and what is said of a plan alone.
_OF_REPORTS = {
    "reports": "REPORTS", "book": "--book", "as_of": "--as-of", "period": "--period",
    "scope": "--scope", "by": "--by", "lang": "--lang", "format_": "--format", "parameter": "-p",
    "folder": "--out",
}  # fmt: skip
_OF_PLAN = {"name": "--name", "at": "--at", "once": "--once", "no_send": "--no-send"}


@dataclass(eq=False, kw_only=True)
class MixedOptions(SalesopsError, ValueError):
    """Options of a plan stand beside those of reports that are named one by one."""

    given: tuple[str, ...]
    plan: str

    def __str__(self) -> str:
        named = ", ".join(self.given)
        if not self.plan:
            return (
                f"{named} can't be given without --plan.\n"
                f"Expected: {', '.join(_OF_PLAN.values())} beside --plan with a company's folder.\n"
                "Write for example: salesops run --plan company --name monday."
            )
        return (
            f"{named} can't be given with --plan: the entries of {self.plan} say it.\n"
            f"Expected beside --plan: {', '.join(_OF_PLAN.values())}, --force, --json.\n"
            f"Write for example: salesops run --plan {self.plan} --name monday; "
            "or change the entry in its reports.toml."
        )


def _check(context: typer.Context, plan: str) -> None:
    """Refuse what would be passed over in silence."""
    wrong = _OF_REPORTS if plan else _OF_PLAN
    sources = {name: context.get_parameter_source(name) for name in context.params}
    written = [name for name, source in sources.items() if source and source.name == "COMMANDLINE"]
    found = tuple(wrong[name] for name in written if name in wrong)
    if found:
        raise MixedOptions(given=found, plan=plan)


def run(
    context: typer.Context,
    reports: Annotated[
        list[str] | None, typer.Argument(help="Reports, such as funnel; none means all.")
    ] = None,
    book: Book = "data/sample",
    as_of: Annotated[str, typer.Option(help="As known at this ISO date, or latest.")] = "latest",
    period: Annotated[str, typer.Option(help="2026-03, 2026Q1, 2026 or latest.")] = "latest",
    scope: Annotated[
        list[str] | None,
        typer.Option(
            help="company, team:<path>, user:<id> or region:<name>; may repeat; without: company."
        ),
    ] = None,
    by: Annotated[
        str, typer.Option(help="One report each for every team, user or region.")
    ] = "none",
    lang: Annotated[str, typer.Option(help="zh, en or zh,en.")] = "zh,en",
    format_: Annotated[
        str, typer.Option("--format", help="html, pdf, xlsx, png, json, or several with commas.")
    ] = "html",
    parameter: Annotated[
        list[str] | None,
        typer.Option(
            "-p", help="NAME=VALUE of the notebook, such as holdout_share=0.1; may repeat."
        ),
    ] = None,
    folder: Annotated[str, typer.Option("--out", help="Folder of the reports.")] = "reports",
    plan: Annotated[
        str, typer.Option(help="Run a plan: a company's folder, or its reports.toml.")
    ] = "",
    name: Annotated[
        list[str] | None, typer.Option(help="Entry of the plan; none means all that are on.")
    ] = None,
    at: Annotated[str, typer.Option(help="Scheduled time of the plan: ISO, or last.")] = "last",
    once: Annotated[
        bool, typer.Option("--once", help="Not again for a time for which it is done.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Make all anew, also where nothing changed.")
    ] = False,
    cluster: Annotated[
        str, typer.Option(help="Dask scheduler whose workers make them: tcp://scheduler:8786.")
    ] = "",
    no_send: Annotated[
        bool,
        typer.Option("--no-send", help="Of a plan: make all, and only say what would go to whom."),
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Log one JSON object per event, and nothing else.")
    ] = False,
) -> None:
    """Make reports over a book, or those of a plan, and write pages with an index.

    Named one by one they are made of all that the options say. With --plan the entries of a
    reports.toml say it; what they make is sent to the recipients that they name. What an earlier
    run made of the same rows, settings and code is taken from there.

    Exits with 0 where all was made and sent, 1 where a report failed, 2 where nothing could begin,
    3 where all was made and not all was sent.

    For example:

      salesops run funnel --book build/company

      salesops run funnel --as-of 2026-03-31 --period 2026Q1 --by team --lang zh

      salesops run funnel --by team --format html,pdf,xlsx

      salesops run --book postgres://localhost/crm --scope team:华东/一组

      salesops run --book /shared/company --by team --cluster tcp://scheduler:8786

      salesops run --plan company --name monday --at 2026-03-02T07:00

      salesops run --plan company --name monday --no-send
    """
    _check(context, plan)
    out, err = Console(highlight=False, soft_wrap=True), Console(stderr=True, highlight=False)
    if plan:
        from salesops.cli.planrunning import Way, run_plan

        way = Way(out=out, err=err, force=force, as_json=as_json, no_send=no_send,
                  cluster=cluster)  # fmt: skip
        run_plan(plan, names=name or [], at=at, once=once, way=way)
        return
    from salesops.cli.running import run_command

    run_command(
        reports or [], book=book, as_of=as_of, period=period, scopes=scope or [], by=by,
        lang=lang, formats=format_, parameters=parameter or [], folder=folder, out=out, err=err,
        as_json=as_json, force=force, cluster=cluster,
    )  # fmt: skip
