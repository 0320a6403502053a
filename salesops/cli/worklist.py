"""The command that gives people their lists: whom to call, and whose contract is at risk."""

from pathlib import Path
from typing import Annotated, Literal, get_args

import pandas as pd
import typer
from rich.console import Console

from salesops.book.book import Book
from salesops.cli.running import BadOption

Kind = Literal["stall", "churn"]
COLUMNS = {
    "stall": ["owner", "team", "id", "deal", "stage", "money", "stuck", "days_to_half", "because"],
    "churn": ["owner", "id", "customer", "ends_on", "money", "leaves", "because"],
}


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
    if kind not in get_args(Kind):
        raise BadOption(option="--kind", value=kind, expected="stall or churn")
    if not 0 <= holdout_share < 1:
        raise BadOption(option="--holdout-share", value=str(holdout_share),
                        expected="0 or more, and less than 1")  # fmt: skip
    if holdout_share and kind != "stall":
        raise BadOption(option="--holdout-share", value=str(holdout_share),
                        expected="0: only lists of open deals keep some off by lot")  # fmt: skip
    file = Path(out) if out else None
    if file is not None and file.suffix.lower() not in (".xlsx", ".csv"):
        raise BadOption(option="--out", value=out, expected="a file named .xlsx or .csv")
    from salesops.opening import at

    opened = at(book, as_of, scope, lang)
    rows = _rows(opened, kind, holdout_share)
    console = Console(highlight=False, soft_wrap=True)
    people = rows["owner_id"].nunique() if len(rows) else 0
    console.print(f"{len(rows)} rows for {people} people.")
    if file is None:
        console.print("Write them: --out week.xlsx, a sheet for each person, or --out week.csv.")
        return
    _write(rows, kind, file)
    console.print(f"Written to {file}.")


def _rows(book: Book, kind: str, holdout: float) -> pd.DataFrame:
    """Give the list with its reasons in words, by person; without chances none is in it."""
    import salesops
    from salesops.charts.because import because_text
    from salesops.wording.catalogue import FORMATS

    columns = ["owner_id", *COLUMNS[kind]]
    if kind == "stall":
        told = salesops.stall(book, holdout_share=holdout)
        frame = told.week[~told.week["is_held_out"].astype(bool)]
        frame = frame.sort_values(["owner", "owner_id", "rank"])
        frame = frame.rename(columns={"name": "deal", "days": "days_to_half"})
        frame = frame.assign(stage=[FORMATS["stage"](stage) for stage in frame["stage"]])
        if told.scored.kind == "base":
            columns = [c for c in columns if c not in ("stuck", "days_to_half")]
    else:
        frame = salesops.churn(book).risk
        frame = frame.sort_values(["owner", "owner_id", "loss"], ascending=[True, True, False])
    texts = [because_text(kind, because) for because in frame["because"]]
    return frame.assign(because=texts)[[c for c in columns if c in frame]]


def _write(rows: pd.DataFrame, kind: str, file: Path) -> None:
    """Write the rows in one step; of a workbook each person has a sheet."""
    from salesops.reports.sheets import write_csv, write_workbook
    from salesops.wording import label

    heads = {c: label(f"column.{c}") for c in rows.columns if c != "owner_id"}
    if file.suffix.lower() == ".csv":
        write_csv(rows.drop(columns="owner_id").rename(columns=heads), file)
        return
    # Two people of one name have a sheet each.
    sheets = [(str(part["owner"].iloc[0]), part.drop(columns=["owner_id", "owner"]))
              for _id, part in rows.groupby("owner_id", sort=False, dropna=False)]  # fmt: skip
    empty = rows.drop(columns=["owner_id", "owner"])
    write_workbook([(name, part.rename(columns=heads)) for name, part in sheets or [(kind, empty)]],
                   file)  # fmt: skip
