"""Is a store fit to be read? Values that are not of their column's type, and stages unknown.

A canonical table may be written by hand or by another program. What the engine can't cast is told
with its row before any number is made of it.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import ibis

from salesops.model.errors import BadRows, UnknownStage
from salesops.model.settings import Settings
from salesops.model.tables import ibis_schema

Table: TypeAlias = ibis.Table
_SHOWN = 10


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
    counts = (
        table.agg(**{c: w.ifelse(1, 0).sum().fill_null(0) for c, w in wrong.items()})
        .to_pandas()
        .iloc[0]
    )
    found: list[tuple[str, str, str, str]] = []
    for column, kind in kinds.items():
        if counts[column] > 0 and len(found) < _SHOWN:
            rows = table.filter(wrong[column]).order_by("row").limit(_SHOWN - len(found))
            for row, value in rows.select("row", column).to_pandas().itertuples(index=False):
                found.append((f"{path.name} row {row}", column, str(value), _called(kind)))
    if found:
        raise BadRows(
            where=str(path), rows=tuple(found), n=int(counts.sum()),
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
    found = others.select("stage").distinct().order_by("stage").limit(1).to_pandas()["stage"]
    if len(found):
        raise UnknownStage(value=str(found.iloc[0]), where=where, known=known)
