"""The versions of a canonical table: since when its rows are known, and which stages are open."""

from collections.abc import Collection, Mapping
from typing import Any

import ibis

from salesops.book.versions import unmoved, versions
from salesops.model.settings import Settings
from salesops.model.tables import ibis_schema, known_at


def lay_out(
    entity: str, tables: Mapping[str, ibis.Table], fields: Collection[str], settings: Settings
) -> ibis.Table:
    """Give the versions of a table as an expression over its log."""
    log = tables["changes"].filter(tables["changes"].entity == entity)
    return versions(tables[entity], log, **_told(entity, fields, settings))


def lay_out_apart(
    entity: str, tables: Mapping[str, ibis.Table], fields: Collection[str], settings: Settings
) -> ibis.Table:
    """Give the same versions for writing them down at once, in less memory.

    Rows of which the log tells nothing, after a first export all of them, are spared its sorting.
    As a view it would read every table twice.
    """
    rows, changes = tables[entity], tables["changes"]
    logged = changes.filter(changes.entity == entity).select(id="entity_id").distinct()
    moved = lay_out(entity, {**tables, entity: rows.semi_join(logged, "id")}, fields, settings)
    still = unmoved(rows.anti_join(logged, "id"), **_told(entity, fields, settings))
    return ibis.union(moved, still.cast(moved.schema()))


def _told(entity: str, fields: Collection[str], settings: Settings) -> dict[str, Any]:
    schema = ibis_schema(entity)
    return {
        "tracked": {name: schema[name] for name in fields},
        "known_at": known_at(entity),
        "open_stages": settings.stage_ids("open") if entity == "opportunities" else (),
    }
