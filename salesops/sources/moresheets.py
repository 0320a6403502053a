"""Sheets that an export has beyond those of the last one, such as that of a new month."""

from salesops.sources.dayforms import find_seen
from salesops.sources.mapping import Mapping, Rows, Source
from salesops.sources.proposedrows import ROW_OF
from salesops.sources.seeing import Look, Seen


def with_more_sheets(mapping: Mapping, look: Look) -> tuple[Mapping, list[tuple[str, str]]]:
    """Read sheets that no table takes as those that have the same columns.

    Parameters
    ----------
    mapping
        That of a book, with the names of this export.
    look
        What was seen of the export.

    Returns
    -------
    tuple
        The mapping, and pairs of a sheet that is new and the one as which it is read.
    """
    taken = _taken(mapping, look)
    told: dict[str, str] = {}

    def more(rows: Rows) -> list[Rows]:
        seen = find_seen(look, rows.files, rows.sheet)
        if seen is None:
            return [rows]
        found = [other for other in look.sheets
                 if other.where not in taken and set(other.heads) == set(seen.heads)]  # fmt: skip
        told.update({other.where: told.get(other.where, seen.where) for other in found})
        # Of two sheets of one shape the first is followed.
        found = [other for other in found if told[other.where] == seen.where]
        return [rows, *(_read_as(rows, seen, other) for other in found)]

    tables = {table: tuple(new for rows in parts for new in more(rows))
              for table, parts in mapping.tables.items()}  # fmt: skip
    return mapping.model_copy(update={"tables": tables}), list(told.items())


def _taken(mapping: Mapping, look: Look) -> set[str]:
    places = [(rows.files, rows.sheet) for parts in mapping.tables.values() for rows in parts]
    places += [(part.files, part.sheet) for part in mapping.history]
    places += [(t.files, t.sheet) for t in (mapping.stages.tables if mapping.stages else ())]
    found = (find_seen(look, *place) for place in places)
    return {seen.where for seen in found if seen is not None}


def _read_as(rows: Rows, seen: Seen, other: Seen) -> Rows:
    columns = dict(rows.columns)
    named = columns.get("id")
    if isinstance(named, Source) and named.template == ROW_OF.format(seen.title):
        columns["id"] = Source(template=ROW_OF.format(other.title))
    return rows.model_copy(update={"file": other.file, "sheet": other.sheet, "optional": True,
                                   "columns": columns})  # fmt: skip
