"""The CSV of a store, read once as text: the canonical types are given by the cast that follows."""

from pathlib import Path
from typing import Any, TypeAlias

import ibis
import sqlglot.expressions as sge

from salesops.book.faults import head_of, readable, refuse_repeated_ids, refuse_wrong_values
from salesops.model.tables import facts

Table: TypeAlias = ibis.Table
_ROW = "row"
# All is told, since a guess takes a broken row for another separator.
_FORM = """delim = ',', quote = '"', escape = '"', header = true, auto_detect = false"""


def csv_table(con: Any, path: Path, name: str) -> Table:
    """Lay a CSV out as a table of texts.

    Parameters
    ----------
    con
        Connection to DuckDB.
    path
        The file.
    name
        Canonical table.

    Raises
    ------
    UnreadableTable
        The file is broken or of another encoding.
    BadRows
        A text is not of its canonical type, or an id stands twice.
    """
    with readable(path):
        con.raw_sql(_reading(path, name, list(dict.fromkeys(head_of(path)))))
    table: Table = con.table(name)
    refuse_wrong_values(table, name, path)
    if "id" in table.columns and "id" in facts(name):
        refuse_repeated_ids(table, name, str(path))
    return table.drop(_ROW)


def _reading(path: Path, name: str, columns: list[str]) -> str:
    """Write the SQL of one step; Ibis takes a view and two look-ups of types, which are known."""
    kinds = ", ".join(f"{_text(column)}: 'VARCHAR'" for column in columns)
    # The engine asks for no case in names.
    kept = ", ".join(_named(column) for column in columns if column.lower() != _ROW)
    # The head is row 1 of the file.
    rows = f"read_csv([{_text(str(path))}], {_FORM}, columns = {{{kinds}}})"
    shown = f"{kept or 'NULL AS nothing'}, row_number() OVER () + 1 AS {_named(_ROW)}"
    return f"CREATE TABLE {_named(name)} AS SELECT {shown} FROM {rows}"  # noqa: S608 - all quoted


def _text(text: str) -> str:
    return sge.Literal.string(text).sql(dialect="duckdb")


def _named(name: str) -> str:
    return sge.to_identifier(name, quoted=True).sql(dialect="duckdb")
