"""What an import does with the shapes of single systems: sub-forms, months, stages of their own."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd
import pyarrow as pa

from salesops.model.settings import Settings, StageKind
from salesops.model.tables import ibis_schema
from salesops.sources.mapping import Condition, Mapping, Months, Source, StageTable
from salesops.sources.readers import Sheet, UnreadableFile
from salesops.sources.records import NoRecords, otherwise, replaced, with_entries, with_months
from salesops.sources.stages import FoundStage, find_stages, stage_ids, with_stages

# What stands as the place of settings that nobody has edited yet.
PACKAGED = "the packaged salesops.toml"
_NO_DEALS = ("id", "stage", "created_at")


@dataclass(frozen=True)
class Assumed:
    """Something that an import takes for granted; who imports should look at it.

    Attributes
    ----------
    code
        `mapping`, `column`, `currency` or `zone`.
    where
        Canonical column, where it concerns one.
    value
        What is assumed.
    """

    code: str
    where: str
    value: str


def shaped(
    sheet: Sheet, entries: str, months: Months | None = None, where: Sequence[Condition] = ()
) -> Sheet:
    """Give a sheet with a row per record of a list, or per month, and only those that are meant.

    Raises
    ------
    UnreadableFile
        The column holds something else than lists of records.
    """
    frame, place = sheet.frame, sheet.where
    if entries and entries in frame:
        try:
            frame = with_entries(frame, entries)
        except NoRecords as error:
            raise UnreadableFile(
                where=place, reason=str(error),
                mend="export it as JSON, or take entries out of the mapping.",
            ) from error  # fmt: skip
        place = f"{place}/{entries}"
    elif entries:
        frame = frame.iloc[:0]
    if months is not None and months.year in frame:
        frame = with_months(frame, months)
    for condition in where:
        if condition.found(frame) is not None:
            frame = frame[condition.holds(frame)]
    return Sheet(place, frame, sheet.encoding)


def stages_put_in(
    settings: tuple[str, str],
    mapping: Mapping,
    frames: dict[str, pd.DataFrame],
    changes: pd.DataFrame,
    read: Callable[[StageTable], Sheet | None],
) -> tuple[str, tuple[FoundStage, ...]]:
    """Give the stages of an export their ids, and put those that the settings lack into them.

    Parameters
    ----------
    settings
        Their text, and where they stand.
    mapping
        That of the import.
    frames
        Its tables. A source that has no deals gets an empty table of them.
    changes
        Its history; stages stand there under their ids afterwards, too.
    read
        Gives the sheet of a table of stages.

    Returns
    -------
    tuple
        The settings, and the stages that were put in.
    """
    words, where = settings
    if "opportunities" not in mapping.tables and "opportunities" not in frames:
        frames["opportunities"] = pd.DataFrame({name: [] for name in _NO_DEALS}, dtype=object)
    deals = frames.get("opportunities")
    if mapping.stages is None or deals is None or "stage" not in deals:
        return words, ()
    sheets = {}
    for number, table in enumerate(mapping.stages.tables):
        if (sheet := read(table)) is not None:
            sheets[number] = shaped(sheet, table.entries)
    of_stage = (changes["entity"] == "opportunities") & (changes["field"] == "stage")
    told = changes[of_stage & changes["entity_id"].isin(deals["id"])]
    past = {*told["old_value"].dropna(), *told["new_value"].dropna()}
    own = where != PACKAGED
    settled = _kinds(Settings.parse(words, where=where)) if own else {}
    found = find_stages(mapping.stages, sheets, mapping.title, sorted(past), settled)
    words, put_in = with_stages(words, found, own=own)
    parsed = Settings.parse(words, where=where)
    ids = stage_ids(found, parsed)
    deals["stage"] = deals["stage"].map(lambda text: ids.get(text, text), na_action="ignore")
    for column in ("old_value", "new_value"):
        changes.loc[of_stage, column] = changes.loc[of_stage, column].map(
            lambda text: ids.get(text, text), na_action="ignore"
        )
    if mapping.stages.ends:
        _end(deals, parsed)
    return words, tuple(put_in)


def _kinds(settings: Settings) -> dict[str, StageKind]:
    """Say of what kind each stage is, by its id and its names."""
    return {text: stage.kind for stage in settings.stages
            for text in (stage.name.zh, stage.name.en, stage.id)}  # fmt: skip


def _end(deals: pd.DataFrame, settings: Settings) -> None:
    """Let the stage say whether a deal has ended, and how."""
    kinds = deals["stage"].map({stage.id: stage.kind for stage in settings.stages})
    if "closed_at" in deals:
        deals["closed_at"] = deals["closed_at"].where(kinds.isin(["won", "lost", "void"]))
    deals["is_won"] = kinds.map({"won": True, "lost": False}).astype("boolean")


def assumptions(mapping: Mapping, settings: Settings, where: str) -> tuple[Assumed, ...]:
    """List what an import by this mapping takes for granted."""
    found = [Assumed("mapping", "", mapping.name)] if mapping.verified == "assumed" else []
    for part in mapping.history:
        given = (part.entity_id, part.changed_at, part.field, part.new_value, part.changed_by)
        sources = [source for source in given if isinstance(source, Source)]
        found += [Assumed("column", f"changes.{part.entity}", s.assumed)
                  for s in sources if s.assumed]  # fmt: skip
    for table, parts in mapping.tables.items():
        found += [Assumed("column", f"{table}.{column}", source.assumed)
                  for rows in parts for column, source in rows.sources().items()
                  if source.assumed]  # fmt: skip
    if where == PACKAGED and not mapping.currency:
        found.append(Assumed("currency", "", settings.company.currency))
    if where == PACKAGED:
        found.append(Assumed("zone", "", settings.company.zone))
    return tuple(dict.fromkeys(found))


def arrow_of(name: str, frame: pd.DataFrame) -> pa.Table:
    """Give a canonical table of an import the types of its columns."""
    schema = ibis_schema(name)
    arrays = {}
    for column in frame.columns:
        kind = schema[column].to_pyarrow()
        values = frame[column]
        if str(values.dtype).startswith("datetime64"):
            arrays[column] = pa.array(values, type=pa.timestamp("us")).cast(kind)
        else:
            arrays[column] = pa.array(values, type=kind, from_pandas=True)
    return pa.table(arrays)


__all__ = [
    "PACKAGED",
    "Assumed",
    "arrow_of",
    "assumptions",
    "otherwise",
    "replaced",
    "shaped",
    "stages_put_in",
]
