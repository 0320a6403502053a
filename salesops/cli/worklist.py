"""Lists for people, written as files: whom to call this week, and whose contract is at risk."""

from pathlib import Path

import pandas as pd
from rich.console import Console

import salesops
from salesops.book.book import Book
from salesops.charts.because import because_text
from salesops.cli.running import BadOption
from salesops.opening import at
from salesops.reports.sheets import write_csv, write_workbook
from salesops.wording import label
from salesops.wording.catalogue import FORMATS

COLUMNS = {
    "stall": ["owner", "team", "id", "deal", "stage", "money", "stuck", "days_to_half", "because"],
    "churn": ["owner", "id", "customer", "ends_on", "money", "leaves", "because"],
}


def write_worklist(
    where: str, out: Console, *, kind: str, to: str, scope: str, as_of: str, lang: str,
    holdout_share: float,
) -> None:  # fmt: skip
    """Write the list to a file, a sheet a person in a workbook, or say how long it is."""
    if kind not in COLUMNS:
        raise BadOption(option="--kind", value=kind, expected="stall or churn")
    if not 0 <= holdout_share < 1:
        raise BadOption(option="--holdout-share", value=str(holdout_share),
                        expected="0 or more, and less than 1")  # fmt: skip
    if holdout_share and kind != "stall":
        raise BadOption(option="--holdout-share", value=str(holdout_share),
                        expected="0: only lists of open deals keep some off by lot")  # fmt: skip
    file = Path(to) if to else None
    if file is not None and file.suffix.lower() not in (".xlsx", ".csv"):
        raise BadOption(option="--out", value=to, expected="a file named .xlsx or .csv")
    opened = at(where, as_of, scope, lang)
    rows = _rows(opened, kind, holdout_share)
    people = rows["owner_id"].nunique() if len(rows) else 0
    out.print(f"{len(rows)} rows for {people} people.")
    if file is None:
        out.print("Write them: --out week.xlsx, a sheet for each person, or --out week.csv.")
        return
    _write(rows, kind, file)
    out.print(f"Written to {file}.")


def _rows(book: Book, kind: str, holdout: float) -> pd.DataFrame:
    """Give the list with its reasons in words, by person; without chances none is in it."""
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
