"""The stages of a source become those of the settings: which there are, of what kind, in order.

A company names its stages itself. Where an export says what they are, by a table of stages or by
what stands beside the stage of each deal, nobody has to write them down; where it does not, the
import is refused with what to write.
"""

import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import pandas as pd

from salesops.model.errors import SalesopsError
from salesops.model.settings import Settings, StageKind
from salesops.sources.mapping import Condition, Stages, StageTable
from salesops.sources.readers import Sheet
from salesops.sources.records import nested, replaced

_KINDS: tuple[StageKind, ...] = ("open", "won", "lost", "void")
# What settings need of each kind; an export may know no deal that was lost, for example.
_NEEDED = {"open": ("open", "Open", "在手"), "won": ("won", "Won", "赢单"),
           "lost": ("lost", "Lost", "输单")}  # fmt: skip


@dataclass(eq=False, kw_only=True)
class UnclearStages(SalesopsError, ValueError):
    """Nothing in an export says whether a stage is open, won or lost, or where it stands."""

    where: str
    unclear: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        listed = "\n".join(f"  {name!r}: {why}" for name, why in self.unclear)
        known = "\n".join(f'{json.dumps(name, ensure_ascii=False)} = "open"'
                          for name, _why in self.unclear)  # fmt: skip
        return (
            f"The stages of {self.where} are not clear:\n{listed}\n"
            "Expected: of each stage whether it is open, won, lost or void, and their order.\n"
            "Write them into the mapping in the order of the process, with the right kinds:\n"
            f"[stages.kinds]\n{known}"
        )


@dataclass(frozen=True)
class FoundStage:
    """A stage that an export knows.

    Attributes
    ----------
    key
        What deals carry; its id in the settings unless these have the stage under another.
    name
        What people read.
    kind
        `open`, `won`, `lost` or `void`.
    rank
        Rises through the process.
    """

    key: str
    name: str
    kind: StageKind
    rank: tuple[float, ...] = ()


@dataclass
class _Seen:
    """What the tables of a source say of one stage."""

    name: str
    where: str
    kinds: set[StageKind] = field(default_factory=set)
    orders: dict[str, list[float]] = field(default_factory=dict)
    group: float = 0.0

    def add(self, other: "_Seen") -> None:
        """Take over what another table says; of its kind the first that says one counts."""
        self.kinds = self.kinds or other.kinds
        for column, numbers in other.orders.items():
            self.orders.setdefault(column, []).extend(numbers)


def _of_tables(declared: Stages, sheets: Mapping[int, Sheet]) -> dict[str, _Seen]:
    """Gather what all tables say of each stage."""
    seen: dict[str, _Seen] = {}
    for number, sheet in sheets.items():
        for key, found in _seen(declared.tables[number], sheet).items():
            if key in seen:
                seen[key].add(found)
            else:
                seen[key] = found
    return seen


def find_stages(
    declared: Stages,
    sheets: Mapping[int, Sheet],
    where: str,
    past: Iterable[str] = (),
    settled: Mapping[str, StageKind] | None = None,
) -> list[FoundStage]:
    """List the stages of an export in the order of its process.

    Parameters
    ----------
    declared
        What the mapping says.
    sheets
        The sheets of its tables that are there, by number.
    where
        Names the export in errors.
    past
        Stages in which deals of the export once stood.
    settled
        Kinds of the stages of the company's own settings by id and name, which need no evidence.

    Returns
    -------
    list of FoundStage
        Open ones first, then won, lost and void.

    Raises
    ------
    UnclearStages
        The kind of one, or the order of several, can't be told.
    """
    seen = _of_tables(declared, sheets)
    if not declared.tables:
        seen = {key: _Seen(name=key, where=where) for key in declared.kinds}
    for key in past:
        seen.setdefault(key, _Seen(name=key, where="the history"))
    settled = settled or {}
    known = list(declared.kinds)
    unclear = []
    stages = []
    kept: list[tuple[str, str, StageKind, int | None, _Seen]] = []
    for key, found in seen.items():
        name = declared.names.get(key, found.name)
        listed = next((known.index(text) for text in (key, name) if text in known), None)
        kinds = {declared.kinds[known[listed]]} if listed is not None else found.kinds
        own = settled.get(key) or settled.get(name)
        if own is not None:
            stages.append(FoundStage(key, name, own))
        elif len(kinds) != 1:
            unclear.append((name, _why(found, kinds)))
        else:
            kept.append((key, name, next(iter(kinds)), listed, found))
    # The mapping's order holds where it names all open stages; else what the export says of all.
    lists_all = all(listed is not None for _k, _n, kind, listed, _s in kept if kind == "open")
    scale = _scale(found for _k, _n, kind, _l, found in kept if kind == "open")
    for key, name, kind, listed, found in kept:
        rank = _rank(found, scale, listed if lists_all else None)
        if rank is None and kind == "open":
            unclear.append((name, "nothing says where it stands in the process"))
        stages.append(FoundStage(key, name, kind, rank or ()))
    if unclear:
        raise UnclearStages(where=where, unclear=tuple(unclear))
    return sorted(stages, key=lambda s: (_KINDS.index(s.kind), s.rank, s.name))


def _why(found: _Seen, kinds: set[StageKind]) -> str:
    if kinds:
        return f"{found.where} says {' and '.join(sorted(kinds))}"
    return f"nothing in {found.where} says whether it is open, won or lost"


def _scale(stages: Iterable[_Seen]) -> str | None:
    """Name the column by which all stages can be put in order; two columns can't be compared."""
    listed = list(stages)
    columns = dict.fromkeys(column for stage in listed for column in stage.orders)
    return next((c for c in columns if all(c in stage.orders for stage in listed)), None)


def _rank(found: _Seen, scale: str | None, listed: int | None) -> tuple[float, ...] | None:
    if listed is not None:
        return (float(listed),)
    if scale is not None and (numbers := found.orders.get(scale)):
        return (found.group, sum(numbers) / len(numbers))
    return None


def _seen(table: StageTable, sheet: Sheet) -> dict[str, _Seen]:
    frame = sheet.frame
    key = _first(frame, table.key)
    if key is None:
        return {}
    keys = nested(frame[key], table.path) if table.path else frame[key]
    keys = replaced(keys, frame, table.instead)
    replaces = {other.value for other in table.instead}
    name, group = (_first(frame, columns) for columns in (table.name, table.group))
    orders = [c for c in _names(table.order) if c in frame.columns]
    groups: dict[str, float] = {}
    says = {kind: _holding(frame, getattr(table, kind)) for kind in _KINDS}
    found: dict[str, _Seen] = {}
    for row, text in keys.items():
        if not isinstance(text, str) or not text:
            continue
        stage = found.setdefault(text, _Seen(name=text, where=sheet.where))
        if name is not None and frame.at[row, name] and text not in replaces:
            stage.name = frame.at[row, name]
        if group is not None:
            stage.group = groups.setdefault(frame.at[row, group], float(len(groups)))
        for column in orders:
            if (number := _number(frame.at[row, column])) is not None:
                stage.orders.setdefault(column, []).append(number)
        stage.kinds |= {kind for kind in _KINDS if bool(says[kind].get(row, False))}
    return found


def _first(frame: pd.DataFrame, names: str | tuple[str, ...]) -> str | None:
    return next((name for name in _names(names) if name in frame.columns), None)


def _names(names: str | tuple[str, ...]) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else names


def _holding(frame: pd.DataFrame, conditions: tuple[Condition, ...]) -> pd.Series:
    """Say of each row whether all conditions hold; none, or one without its column, say nothing."""
    if not conditions or any(c.found(frame) is None for c in conditions):
        return pd.Series(False, index=frame.index)
    holds = pd.Series(True, index=frame.index)
    for condition in conditions:
        holds &= condition.holds(frame)
    return holds


def _number(text: str) -> float | None:
    try:
        return float(text.rstrip("%"))
    except ValueError:
        return None


def stage_ids(found: list[FoundStage], settings: Settings) -> dict[str, str]:
    """Say which stage of the settings a stage of the export is, by its id or its name.

    Returns
    -------
    dict
        Key -> id, of those that the settings know.
    """
    ids = {stage.id: stage.id for stage in settings.stages}
    names: dict[str, set[str]] = {}
    for stage in settings.stages:
        for name in (stage.name.zh, stage.name.en):
            names.setdefault(name, set()).add(stage.id)
    one = {name: next(iter(known)) for name, known in names.items() if len(known) == 1}
    known = ids | one | ids
    pairs = ((s.key, known.get(s.key) or known.get(s.name)) for s in found)
    return {key: stage_id for key, stage_id in pairs if stage_id is not None}


def with_stages(text: str, found: list[FoundStage], *, own: bool) -> tuple[str, list[FoundStage]]:
    """Put the stages of an export into the text of a salesops.toml.

    Parameters
    ----------
    text
        The settings.
    found
        Stages in process order.
    own
        The text is the company's own: what it lacks is put in beside what it has. Else the stages
        of the export take the place of those that came with the package, unless these know all.

    Returns
    -------
    tuple
        The text, and the stages that were put in.
    """
    settings = Settings.parse(text, where="salesops.toml")
    known = stage_ids(found, settings)
    lacking = [stage for stage in found if stage.key not in known]
    if not lacking:
        return text, []
    head, blocks, tail = _parts(text)
    if not own:
        blocks = [_block(stage) for stage in found]
        kinds = {stage.kind for stage in found}
        blocks += [_block(FoundStage(key, en, kind, ()), zh)  # type: ignore[arg-type]
                   for kind, (key, en, zh) in _NEEDED.items() if kind not in kinds]  # fmt: skip
        return head + "".join(blocks) + tail, found
    ids = [_stage_id(block) for block in blocks]
    for stage in lacking:
        before = [known[s.key] for s in found[: found.index(stage)] if s.key in known]
        at = ids.index(before[-1]) + 1 if before and before[-1] in ids else 0
        blocks.insert(at, _block(stage))
        ids.insert(at, stage.key)
        known[stage.key] = stage.key
    return head + "".join(blocks) + tail, lacking


def _parts(text: str) -> tuple[str, list[str], str]:
    """Cut a text into what stands before its stages, each of them, and what stands behind."""
    lines = text.splitlines(keepends=True)
    heads = [i for i, line in enumerate(lines) if re.match(r"\s*\[", line)]
    ours = [i for i in heads if re.match(r"\s*\[\[\s*stages\s*\]\]", lines[i])]
    ends = {i: next((h for h in heads if h > i), len(lines)) for i in ours}
    blocks = ["".join(lines[i : ends[i]]) for i in ours]
    head = "".join(lines[: ours[0]])
    inside = {line for i in ours for line in range(i, ends[i])}
    tail = "".join(line for n, line in enumerate(lines) if n >= ours[0] and n not in inside)
    if not blocks[-1].endswith("\n\n"):
        blocks[-1] = blocks[-1].rstrip("\n") + "\n\n"
    return head, blocks, tail


def _stage_id(block: str) -> str:
    return str(tomllib.loads(block)["stages"][0]["id"])


def _block(stage: FoundStage, zh: str = "") -> str:
    def quoted(text: str) -> str:
        return json.dumps(text, ensure_ascii=False)

    return (
        f"[[stages]]\nid = {quoted(stage.key)}\n"
        f"name = {{ zh = {quoted(zh or stage.name)}, en = {quoted(stage.name)} }}\n"
        f'kind = "{stage.kind}"\n\n'
    )
