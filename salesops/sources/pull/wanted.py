"""Which columns of a file a mapping reads: these are asked for, and no more."""

import re
from collections.abc import Iterator

from salesops.sources.history import as_source
from salesops.sources.mapping import Condition, History, Mapping, Rows, Source, StageTable
from salesops.sources.naming import first_meant


def wanted_columns(mapping: Mapping, file: str) -> tuple[str, ...]:
    """List the columns of a file that a mapping reads.

    Examples
    --------
    >>> from salesops.sources.mapping import mapping_text, read_mapping
    >>> mapping = read_mapping(mapping_text("salesforce"), "salesforce")
    >>> wanted_columns(mapping, "OpportunityStage.csv")
    ('MasterLabel', 'SortOrder', 'IsClosed', 'IsWon')
    """
    found: list[str] = []
    for part in _parts(mapping, file):
        if isinstance(part, Rows):
            found += _of_rows(part)
        elif isinstance(part, History):
            found += _of_history(part)
        else:
            found += _of_stages(part)
    return tuple(dict.fromkeys(name for name in found if name))


def marks_deleted(mapping: Mapping, file: str) -> bool:
    """Say whether a mapping reads from a file which of its rows were deleted."""
    return any(
        isinstance(part, Rows) and part.deleted_at is not None for part in _parts(mapping, file)
    )


def _parts(mapping: Mapping, file: str) -> Iterator[Rows | History | StageTable]:
    tables = [rows for parts in mapping.tables.values() for rows in parts]
    stages = mapping.stages.tables if mapping.stages else ()
    all_parts: list[Rows | History | StageTable] = [*tables, *stages, *mapping.history]
    for part in all_parts:
        if first_meant([file], part.files):
            yield part


def _of_rows(rows: Rows) -> list[str]:
    found = [name for source in rows.sources().values() for name in _of_source(source)]
    for condition in (rows.where, rows.deleted):
        found += _of_condition(condition)
    return found + _given(rows.deleted_at) + [rows.entries]


def _of_history(history: History) -> list[str]:
    given = [history.entity_id, history.changed_at, history.changed_by, history.field,
             history.old_value, history.new_value, *history.fields.values()]  # fmt: skip
    found = [name for one in given for name in _given(one)]
    found += [name for condition in history.where for name in _of_condition(condition)]
    return [*found, history.days, history.entries]


def _of_stages(stages: StageTable) -> list[str]:
    found = [name for one in (stages.key, stages.name, stages.order, stages.group)
             for name in _given(one)]  # fmt: skip
    conditions = [*stages.open, *stages.won, *stages.lost, *stages.void,
                  *(instead.where for instead in stages.instead)]  # fmt: skip
    return found + [name for one in conditions for name in _of_condition(one)] + [stages.entries]


def _given(given: Source | str | tuple[str, ...] | None) -> list[str]:
    source = as_source(given)
    return [] if source is None else _of_source(source)


def _of_source(source: Source) -> list[str]:
    found = [*source.names, *source.otherwise, *_of_condition(source.only_where)]
    found += [name for instead in source.instead for name in _of_condition(instead.where)]
    joined = re.findall(r"\{([^{}]*)\}", source.template or "")
    return found + [name for name in joined if name != "row"]


def _of_condition(condition: Condition | None) -> list[str]:
    if condition is None:
        return []
    return [condition.column] if isinstance(condition.column, str) else list(condition.column)
