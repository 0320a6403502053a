"""Is a store fit to be read? Broken files, values of another type, ids twice, unknown stages.

A canonical table may be written by hand or by another program. What the engine can't cast is told
with its row before any number is made of it.
"""

import csv
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import duckdb
import ibis

from salesops.model.errors import BadRows, SalesopsError, UnknownStage
from salesops.model.settings import Settings
from salesops.model.tables import ibis_schema

Table: TypeAlias = ibis.Table
_SHOWN = 10


@dataclass(eq=False, kw_only=True)
class UnreadableTable(SalesopsError, ValueError):
    """A file of a store is broken or of another form than its name says."""

    where: str
    reason: str

    def __str__(self) -> str:
        return (
            f"{self.where} can't be read: {self.reason}.\n"
            "Expected: CSV in UTF-8 with commas and one row of column names, Parquet, or a "
            "database of DuckDB.\n"
            "To mend: write the file again, or import the original export, in any encoding: "
            "salesops import EXPORT --into FOLDER."
        )


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Tell in one sentence what the engine can't read of a file."""
    if path.is_file() and not path.stat().st_size:
        raise UnreadableTable(where=str(path), reason="it is empty")
    try:
        yield
    except UnicodeDecodeError as error:
        raise UnreadableTable(where=str(path), reason="it is not in UTF-8") from error
    except (duckdb.IOException, duckdb.InvalidInputException) as error:
        # After the first paragraph the engine speaks of its own options.
        said = str(error).split("Possible fixes")[0].split("\n\n")[0].split("Error: ", 1)[-1]
        reason = "; ".join(line.strip() for line in said.splitlines() if line.strip())
        raise UnreadableTable(where=str(path), reason=reason.rstrip(".!")) from error


def head_of(path: Path) -> list[str]:
    """Read the column names of a CSV, with or without a byte order mark."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return next(csv.reader(file), [])


def refuse_repeated_ids(table: Table, name: str, where: str) -> None:
    """Refuse rows that stand twice: every one of them would be counted twice.

    Raises
    ------
    BadRows
        With the first ten ids and the number of all.
    """
    counts = table.group_by("id").agg(n=table.count()).filter(ibis._.n > 1)
    found = counts.order_by("id").limit(_SHOWN).to_pyarrow().to_pylist()
    if found:
        rows = tuple((name, "id", str(row["id"]), f"stands there {row['n']} times")
                     for row in found)  # fmt: skip
        raise BadRows(
            where=where, rows=rows, n=int(counts.count().to_pyarrow().as_py()),
            expected="one row per id.",
            mend="remove the rows that are there twice, or import the original export: "
                 "salesops import EXPORT --into FOLDER.",
        )  # fmt: skip


def refuse_wrong_values(table: Table, name: str, path: Path) -> None:
    """Refuse a CSV whose texts are not of the canonical types.

    Parameters
    ----------
    table
        Its rows as texts, in the order of the file, with their number as `row`.
    name
        Canonical table.
    path
        The file, for the message.

    Raises
    ------
    BadRows
        With the first ten values and the number of all.
    """
    kinds = {c: k for c, k in ibis_schema(name).items() if c in table.columns and not k.is_string()}
    if not kinds:
        return
    wrong = {c: (table[c] != "") & table[c].try_cast(kind).isnull() for c, kind in kinds.items()}
    asked = table.agg(**{c: w.ifelse(1, 0).sum().fill_null(0) for c, w in wrong.items()})
    (counts,) = asked.to_pyarrow().to_pylist()
    found: list[tuple[str, str, str, str]] = []
    for column, kind in kinds.items():
        if counts[column] > 0 and len(found) < _SHOWN:
            rows = table.filter(wrong[column]).order_by("row").limit(_SHOWN - len(found))
            for row in rows.select("row", column).to_pyarrow().to_pylist():
                place = f"{path.name} row {row['row']}"
                found.append((place, column, str(row[column]), _called(kind)))
    if found:
        raise BadRows(
            where=str(path), rows=tuple(found), n=sum(counts.values()),
            expected="numbers with a decimal point, dates as 2026-03-31, instants in UTC as "
                     "2026-03-31 08:00:00, true or false.",
            mend="correct these values in the file, or import the original export: "
                 "salesops import EXPORT --into FOLDER.",
        )  # fmt: skip


def _called(kind: Any) -> str:
    """Say what a value is not."""
    if kind.is_date() or kind.is_timestamp():
        return "is no date"
    return "is neither true nor false" if kind.is_boolean() else "is no number"


def refuse_unknown_stages(
    tables: Mapping[str, Table],
    present: Mapping[str, frozenset[str]],
    settings: Settings,
    where: str,
) -> None:
    """Refuse deals whose stage the settings do not list: they would count nowhere.

    Raises
    ------
    UnknownStage
        With the stages there are.
    """
    if "stage" not in present["opportunities"]:
        return
    known = settings.stage_ids()
    deals = tables["opportunities"]
    others = deals.filter(deals.stage.notnull() & ~deals.stage.isin(list(known)))
    found = others.select("stage").distinct().order_by("stage").limit(1).to_pyarrow().to_pylist()
    if found:
        raise UnknownStage(value=str(found[0]["stage"]), where=where, known=known)
