"""Whether what a system was given came back: told column by column, against the docs page."""

import datetime as dt
import importlib
import re
from decimal import Decimal
from pathlib import Path
from types import ModuleType

import pandas as pd

from salesops.book.store import open_store
from salesops.book.write import read_tables
from salesops.model.tables import facts
from tests.sources.systems.company import Company

ROOT = Path(__file__).parents[3]
PAGES = ROOT / "docs" / "systems"
KEYS = {"targets": ["period", "level", "key", "metric"]}
_LOG = ["entity_id", "old_value", "new_value", "changed_at"]


def writer(name: str) -> ModuleType:
    return importlib.import_module(f"tests.sources.systems.writers.{name}")


def in_its_words(company: Company, module: ModuleType) -> Company:
    """Give a company the ids and stages that the system gives it."""
    prefixes: dict[str, str] = getattr(module, "PREFIXES", {})
    tables = {name: frame.copy() for name, frame in company.tables.items()}
    if adapt := getattr(module, "adapt", None):
        adapt(tables)
    for name, frame in tables.items():
        for column in frame:
            refers = name if column == "id" else facts(name)[column].refers
            if refers in prefixes:
                frame[column] = frame[column].map(
                    lambda text, p=prefixes[refers]: p + text[len(p) - 2 :], na_action="ignore"
                )
    log, stages = tables["changes"], module.STAGES
    prefix = prefixes.get("opportunities", "")
    if prefix:
        log["entity_id"] = log["entity_id"].map(lambda text: prefix + text[len(prefix) - 2 :])
    people = prefixes.get("users", "")
    for column in ("old_value", "new_value"):
        stage, owner = log["field"] == "stage", log["field"] == "owner_id"
        log.loc[stage, column] = log.loc[stage, column].map(stages)
        if people:
            log.loc[owner, column] = log.loc[owner, column].map(
                lambda text: people + text[len(people) - 2 :]
            )
    tables["opportunities"]["stage"] = tables["opportunities"]["stage"].map(stages)
    return Company(tables)


def lost(company: Company, book: Path) -> set[str]:
    """Name what did not come back equal: tables, columns, and histories of fields."""
    got = {name: table.to_pandas() for name, table in read_tables(open_store(book)).items()}
    found: set[str] = set()
    for name, frame in company.tables.items():
        if name == "changes":
            found |= _lost_changes(frame, got.get("changes"))
        elif name not in got or (got[name].empty and len(frame)):
            found.add(name)
        else:
            found |= {f"{name}.{c}" for c in _lost_columns(name, frame, got[name])}
    return found


def _lost_columns(name: str, want: pd.DataFrame, got: pd.DataFrame) -> list[str]:
    keys = KEYS.get(name, ["id"])
    sides = [frame.set_index([frame[k].fillna("").astype(str) for k in keys]).sort_index()
             for frame in (want, got)]  # fmt: skip
    if list(sides[0].index) != list(sides[1].index):
        return [keys[0]]
    none = pd.Series(None, sides[1].index, dtype=object)
    given = [c for c in want if want[c].notna().any()]
    return [c for c in given if _plain(sides[0][c]) != _plain(sides[1].get(c, none))]


def _lost_changes(want: pd.DataFrame, got: pd.DataFrame | None) -> set[str]:
    found = set()
    for field, rows in want.groupby("field"):
        mine = got[got["field"] == field] if got is not None else want.iloc[:0]
        if _rows(rows, _LOG) != _rows(mine, _LOG):
            found.add(f"changes of {field}")
    carried = want[~want["field"].map(lambda f: f"changes of {f}" in found)]
    if len(carried) and got is not None and len(got):
        log = [*_LOG, "changed_by"]
        mine = got[got["field"].isin(carried["field"])]
        if _rows(carried, log) != _rows(mine, log):
            found.add("changes.changed_by")
    return found


def _rows(frame: pd.DataFrame, columns: list[str]) -> list[tuple]:
    return sorted(zip(*(_plain(frame[c]) for c in columns), strict=True), key=str)


def _plain(values: pd.Series) -> list:
    return [_value(value) for value in values]


def _value(value):
    if value is None or value is pd.NaT or value != value:
        return None
    if isinstance(value, dt.datetime | dt.date):
        return pd.Timestamp(value).strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, bool):
        return value
    if isinstance(value, Decimal | int | float):
        return Decimal(str(value)).normalize()
    return str(value)


def page_says(name: str) -> set[str]:
    """Read the list of what can't be carried off the page of a system."""
    text = (PAGES / f"{name}.md").read_text(encoding="utf-8")
    part = text.split("## What it can't carry", 1)[1].split("\n## ", 1)[0]
    return set(re.findall(r"^- `([^`]+)`", part, re.M))
