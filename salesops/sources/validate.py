"""What must hold of canonical tables, whoever wrote them: found all at once, told with places.

Faults stop an import; oddities that real exports have are counted and kept.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from salesops.model.errors import BadRows
from salesops.model.settings import Settings
from salesops.model.tables import facts
from salesops.sources.mangled import without_zeros
from salesops.sources.parsing import Fault
from salesops.sources.wholesale import all_differ


@dataclass(frozen=True)
class Oddity:
    """Something that a company's data really do: kept, counted and told.

    Attributes
    ----------
    code
        `orphans`, `closed_before_created`, `no_stage`, `negative_amounts`, `undated`,
        `stage_contradicts`, `no_rate`.
    table, column
        Where.
    n
        Rows.
    """

    code: str
    table: str
    column: str
    n: int


@dataclass(frozen=True, eq=False)
class Places:
    """Where each row of a table stands in the export."""

    wheres: np.ndarray
    rows: np.ndarray

    def of(self, position: int) -> tuple[str, int]:
        """Give sheet and row of the row at a position."""
        return str(self.wheres[position]), int(self.rows[position])


def find_faults(
    tables: Mapping[str, pd.DataFrame], settings: Settings, places: Mapping[str, Places]
) -> list[Fault]:
    """Find what makes tables unusable: missing or doubled ids, unknown stages."""
    faults: list[Fault] = []
    for name, frame in tables.items():
        if not len(frame):
            # Also the table of deals that is made for a source which has none.
            continue
        where = places[name]
        if "id" in facts(name) and "id" in frame:
            empty = frame["id"].isna()
            faults += _faults(frame, where, empty, "id", "is empty")
            if not all_differ(frame["id"]):
                twice = frame["id"].duplicated(keep="first") & ~empty
                faults += _faults(frame, where, twice, "id", "stands there twice")
        for column in facts(name).values():
            if column.refers in tables and column.name in frame and column.name != "id":
                lost = without_zeros(frame[column.name], tables[column.refers]["id"])
                problem = f"is an id of {column.refers} but for zeros in front; export both as text"
                if lost:
                    short = frame[column.name].isin(lost)
                    faults += _faults(frame, where, short, column.name, problem)
        if name == "opportunities" and "stage" in frame:
            unknown = frame["stage"].notna() & ~frame["stage"].isin(settings.stage_ids())
            known = ", ".join(settings.stage_ids())
            faults += _faults(frame, where, unknown, "stage", f"is no stage; known: {known}")
    return faults


def bad_rows(where: str, faults: list[Fault]) -> BadRows:
    """Make one error of all faults."""
    rows = tuple(
        (f"{f.where} row {f.row}" if f.row else f.where, f.column, f.value, f.problem)
        for f in faults
    )
    return BadRows(
        where=where, rows=rows, n=len(rows),
        expected="numbers, dates as 2026-03-31, one row per id, and stages of the settings.",
        mend="correct these values in the export, or map them in the mapping file "
             "(values, dates, corrections) and give it with --source.",
    )  # fmt: skip


def _faults(
    frame: pd.DataFrame, where: Places, chosen: pd.Series, column: str, problem: str
) -> list[Fault]:
    found = []
    for position in np.flatnonzero(chosen.to_numpy(dtype=bool)):
        place, row = where.of(int(position))
        value = frame[column].iloc[position]
        found.append(Fault(place, row, column, "" if value is None else str(value), problem))
    return found


def find_oddities(tables: Mapping[str, pd.DataFrame], settings: Settings) -> list[Oddity]:
    """Count what is odd and kept: orphans, contradicting dates and stages, negative values."""
    found: list[Oddity] = []
    for name, frame in tables.items():
        for column in facts(name).values():
            if column.refers in tables and column.name in frame and column.name != "id":
                keys = frame[column.name].dropna()
                orphans = int((~keys.isin(tables[column.refers]["id"])).sum())
                found.append(Oddity("orphans", name, column.name, orphans))
    found += _orphaned_changes(tables)
    deals = tables.get("opportunities")
    if deals is not None:
        found += _odd_deals(tables, settings)
    return [oddity for oddity in found if oddity.n]


def _orphaned_changes(tables: Mapping[str, pd.DataFrame]) -> list[Oddity]:
    changes = tables.get("changes")
    if changes is None or not {"entity", "entity_id"} <= set(changes):
        return []
    n = 0
    for entity, ids in changes.groupby("entity")["entity_id"]:
        known = tables.get(str(entity))
        n += int((~ids.isin(known["id"])).sum()) if known is not None and "id" in known else 0
    return [Oddity("orphans", "changes", "entity_id", n)]


def _odd_deals(tables: Mapping[str, pd.DataFrame], settings: Settings) -> list[Oddity]:
    deals = tables["opportunities"]
    found = []
    if {"created_at", "closed_at"} <= set(deals):
        before = pd.to_datetime(deals["closed_at"]) < pd.to_datetime(deals["created_at"])
        found.append(Oddity("closed_before_created", "opportunities", "closed_at",
                            int(before.sum())))  # fmt: skip
    if "created_at" in deals:
        n = int(deals["created_at"].isna().sum())
        found.append(Oddity("undated", "opportunities", "created_at", n))
    if "stage" in deals:
        empty = deals["stage"].isna()
        said = deals["is_won"].isna() if "is_won" in deals else True
        n = int((empty & said).sum())
        found.append(Oddity("no_stage", "opportunities", "stage", n))
    if "amount" in deals:
        amounts = deals["amount"]
        if not isinstance(amounts.dtype, pd.ArrowDtype):
            amounts = pd.to_numeric(amounts, errors="coerce")
        found.append(
            Oddity("negative_amounts", "opportunities", "amount", int((amounts < 0).sum()))
        )
    if {"amount", "currency"} <= set(deals):
        rates = tables.get("fx", pd.DataFrame({"currency": []}))["currency"]
        priced = deals["amount"].notna() & deals["currency"].notna()
        rated = deals["currency"].isin({settings.company.currency, *rates})
        n = int((priced & ~rated).sum())
        found.append(Oddity("no_rate", "opportunities", "currency", n))
    if {"stage", "is_won"} <= set(deals):
        kinds = {stage.id: stage.kind for stage in settings.stages}
        said = deals["is_won"].map({True: "won", False: "lost"})
        stage_says = deals["stage"].map(kinds)
        both = said.notna() & stage_says.notna() & (said != stage_says)
        found.append(Oddity("stage_contradicts", "opportunities", "is_won", int(both.sum())))
    return found
