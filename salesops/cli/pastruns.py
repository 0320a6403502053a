"""The commands about runs that are over: compare two of them, take old ones away."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

out = Console(highlight=False, soft_wrap=True)
_Out = Annotated[str, typer.Option("--out", help="Folder of the reports.")]


def compare(
    before: Annotated[
        str, typer.Argument(help="A run: latest~1, an id, a folder or a record.")
    ] = "latest~1",
    now: Annotated[str, typer.Argument(help="The run to hold against it.")] = "latest",
    folder: _Out = "reports",
    lang: Annotated[str, typer.Option(help="zh or en.")] = "en",
    page: Annotated[str, typer.Option("--html", help="Write a page to this file.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Write raw numbers as JSON.")] = False,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="Exit with 1 where anything differs.")
    ] = False,
) -> None:
    """Say what two runs found differently: numbers and problems, report by report.

    For example:

      salesops compare

      salesops compare latest~4 latest --lang zh --html compared.html

      salesops compare 20260613-060000 20260620-060000 --exit-code --json
    """
    from salesops.cli.running import BadOption
    from salesops.reports.compare import compare_runs
    from salesops.reports.findrun import find_run
    from salesops.reports.pastruns import read_runs

    if lang not in ("zh", "en"):
        raise BadOption(option="--lang", value=lang, expected="zh or en")
    root = Path(folder)
    runs, unread = read_runs(root, whole=True)
    a, b = (find_run(named, runs, root) for named in (before, now))
    earlier = [run for run in runs if run.started < a.started and run.record.book == a.record.book]
    found = compare_runs(a, b, earlier=earlier, lang=lang)
    from salesops.reports.comparewords import compared_data, compared_page, compared_text

    if page:
        _write(Path(page), compared_page(found, lang))
    if as_json:
        out.file.write(json.dumps(compared_data(found), ensure_ascii=False, indent=1) + "\n")
    else:
        for line in compared_text(found, lang):
            out.print(line, markup=False)
        for one in unread:
            out.print(f"Left out: {one.path} can't be read ({one.reason}).", markup=False)
    if page and not as_json:
        out.print(f"Open {page}", markup=False)
    if exit_code and found.differs:
        sys.exit(1)


def _write(path: Path, text: str) -> None:
    """Write a file under a temporary name, so that no half of it is ever there."""
    partial = path.with_name(f".{path.name}.tmp")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


def prune(
    folder: Annotated[str, typer.Argument(metavar="OUT", help="Folder of the reports.")] = (
        "reports"
    ),
    keep_days: Annotated[
        int | None, typer.Option("--keep-days", help="Keep those of so many days.")
    ] = None,
    keep_runs: Annotated[
        int | None, typer.Option("--keep-runs", help="Keep the newest so many.")
    ] = None,
    keep_monthly: Annotated[
        bool, typer.Option("--keep-monthly", help="Keep the newest of each month.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Take them away.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would go; so without --yes.")
    ] = False,
) -> None:
    """Show which old runs may go, and take them away with --yes.

    A run stays that any of the rules keeps; the newest stays always, and so do what a run that
    stays is made of and the records beside the book. For example:

      salesops prune reports --keep-days 90 --keep-monthly

      salesops prune reports --keep-runs 10 --yes
    """
    from salesops.reports.prune import Rule, plan_pruning, readable
    from salesops.reports.prune import prune as take_away

    rule = Rule(keep_days=keep_days, keep_runs=keep_runs, keep_monthly=keep_monthly)
    plan = plan_pruning(folder, rule)
    really = yes and not dry_run
    if really:
        take_away(plan)
        _site(folder)
    for run, size in plan.going:
        out.print(f"{'Gone' if really else 'Would go'}: {run.id} ({readable(size)})", markup=False)
    if plan.kept:
        n = len(plan.kept)
        out.print(f"{'Gone' if really else 'Would go'}: {n} kept result{'s' * (n != 1)} that no "
                  "other run uses")  # fmt: skip
    for one in plan.unread:
        out.print(f"Left alone: {one.path} can't be read ({one.reason}).", markup=False)
    n, rest = len(plan.going), len(plan.staying)
    verb = "went" if really else "would go"
    out.print(f"{n} run{'s' * (n != 1)} {verb}, {rest} stay{'s' * (rest == 1)}; "
              f"{readable(plan.freed)} {'freed' if really else 'would be freed'}.")  # fmt: skip
    if plan.going and not really:
        out.print("Nothing was changed. To take them away, add --yes.")


def site(
    folder: Annotated[str, typer.Argument(metavar="OUT", help="Folder of the reports.")] = (
        "reports"
    ),
    lang: Annotated[
        str, typer.Option(help="Language of index.html: zh or en; else the one that it has.")
    ] = "",
) -> None:
    """Write the page over all runs of a folder anew, and say where it is.

    Each run writes it at its end; write it where runs were copied from elsewhere, or taken away by
    hand. For example:

      salesops site

      salesops site company/reports --lang zh
    """
    from salesops.cli.running import BadOption
    from salesops.reports.findrun import NoRuns
    from salesops.reports.pastruns import read_runs
    from salesops.reports.site import write_site

    if lang not in ("", "zh", "en"):
        raise BadOption(option="--lang", value=lang, expected="zh or en")
    root = Path(folder)
    if not root.is_dir():
        raise NoRuns(where=folder, reason="there is no such folder")
    runs, unread = read_runs(root)
    if not runs and not unread:
        # An index.html there would be somebody else's.
        raise NoRuns(where=folder, reason="there is no run in it")
    for one in unread:
        out.print(f"Left out: {one.path} can't be read ({one.reason}).", markup=False)
    index = write_site(root, langs=(lang,) if lang else site_languages(root))
    out.print(f"{len(runs)} run{'s' * (len(runs) != 1)}. Open {index}", markup=False)


def _site(folder: str) -> None:
    """Write the page over all runs again, in the language that it has."""
    from salesops.reports.site import write_site

    if Path(folder).is_dir():
        write_site(folder, langs=site_languages(Path(folder)))


def site_languages(folder: Path) -> tuple[str, ...]:
    """Tell which language the page over all runs begins with."""
    index, english = folder / "index.html", folder / "index.en.html"
    try:
        return ("en", "zh") if index.read_bytes() == english.read_bytes() else ("zh", "en")
    except OSError:
        return ("zh", "en")
