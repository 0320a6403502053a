"""What must hold of canonical tables, whoever wrote them: found all at once, told with places.

Faults stop an import; oddities that real exports have are counted and kept.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from salesops.model.settings import Settings
from salesops.model.tables import facts
from salesops.sources.mangled import without_zeros
from salesops.sources.parsing import Fault


@dataclass(frozen=True)
class Oddity:
    """Something that a company's data really do: kept, counted and told.

    Attributes
    ----------
    code
        `orphans`, `closed_before_created`, `no_stage`, `negative_amounts`, `undated`,
        `stage_contradicts`.
    table, column
        Where.
    n
        Rows.
    """

    code: str
    table: str
    column: str
    n: int


def find_faults(
    tables: Mapping[str, pd.DataFrame], settings: Settings, places: Mapping[str, pd.Series]
) -> list[Fault]:
    """Find what makes tables unusable: missing or doubled ids, unknown stages."""
    faults: list[Fault] = []
    for name, frame in tables.items():
        where = places.get(name, pd.Series("", index=frame.index))
        if "id" in facts(name) and "id" in frame:
            empty = frame["id"].isna()
            twice = frame["id"].duplicated(keep="first") & ~empty
            faults += _faults(frame, where, empty, "id", "is empty")
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


def _faults(
    frame: pd.DataFrame, where: pd.Series, chosen: pd.Series, column: str, problem: str
) -> list[Fault]:
    found = []
    for row in frame.index[chosen]:
        place, _sep, number = str(where.loc[row]).rpartition("#")
        value = "" if frame.loc[row, column] is None else str(frame.loc[row, column])
        found.append(Fault(place, int(number) if number.isdigit() else 0, column, value, problem))
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
    deals = tables.get("opportunities")
    if deals is not None:
        found += _odd_deals(deals, settings)
    return [oddity for oddity in found if oddity.n]


def _odd_deals(deals: pd.DataFrame, settings: Settings) -> list[Oddity]:
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
        amounts = pd.to_numeric(deals["amount"], errors="coerce")
        found.append(
            Oddity("negative_amounts", "opportunities", "amount", int((amounts < 0).sum()))
        )
    if {"stage", "is_won"} <= set(deals):
        kinds = {stage.id: stage.kind for stage in settings.stages}
        said = deals["is_won"].map({True: "won", False: "lost"})
        stage_says = deals["stage"].map(kinds)
        both = said.notna() & stage_says.notna() & (said != stage_says)
        found.append(Oddity("stage_contradicts", "opportunities", "is_won", int(both.sum())))
    return found
