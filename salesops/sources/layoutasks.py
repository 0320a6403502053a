"""What sheets leave open and a mapping uses: asked, and written into the mapping."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from salesops.model.tables import facts
from salesops.sources.dayforms import find_seen
from salesops.sources.layout import Decision
from salesops.sources.mapping import Mapping, Rows, Source
from salesops.sources.questions import Desk, Question
from salesops.sources.seeing import Look, Seen

_SHARES = ("percent", "one")
# What a system writes has no merged cells that could have been lost.
_BY_SYSTEMS = ("vendor documentation", "real file")


@dataclass(frozen=True)
class _Open:
    """A question about a column of a sheet, and the canonical column that it becomes."""

    seen: Seen
    asked: Decision
    table: str
    column: str

    @property
    def is_of_unit(self) -> bool:
        return self.asked.column in self.seen.read.layout.unclear

    def question(self) -> Question:
        """Put it so that an option can answer it."""
        head, samples = self.asked.column, self.seen.profiles[self.asked.column].samples
        evidence = (f"{self.seen.where}: such as {', '.join(samples)}; {self.asked.why}.",)
        if self.is_of_unit:
            key = self.column if self.table == "opportunities" else f"{self.table}.{self.column}"
            return Question(key=f"{key}.unit", candidates=_SHARES, evidence=evidence,
                            text=f"Are the numbers of {head} per cent, or shares of one?",
                            )  # fmt: skip
        return Question(key=f"fill_down.{head}", candidates=("yes", "no"), evidence=evidence,
                        text=f"Do empty cells of {head} stand for the value above?")  # fmt: skip


def with_layouts_settled(mapping: Mapping, look: Look, desk: Desk) -> Mapping:
    """Ask what sheets leave open about the columns that a mapping uses.

    Parameters
    ----------
    mapping
        What reads them; what it tells already is not asked.
    look
        The sheets as they were read.
    desk
        Where questions are put.

    Returns
    -------
    Mapping
        With the answers; where it differs its sheets are to be read again.

    Raises
    ------
    Unanswered
        Nobody tells.
    """
    found: dict[str, _Open] = {}
    for one in _open(mapping, look):
        found.setdefault(one.question().key, one)
    if not found:
        return mapping
    answers = desk.decide(*(one.question() for one in found.values()))
    for one, answer in zip(found.values(), answers, strict=True):
        mapping = _with_unit(mapping, look, one, answer) if one.is_of_unit \
            else _with_cells(mapping, look, one, is_filled=answer == "yes")  # fmt: skip
    return mapping


def _open(mapping: Mapping, look: Look) -> Iterator[_Open]:
    for table, parts in mapping.tables.items():
        for rows in parts:
            seen = find_seen(look, rows.files, rows.sheet)
            for asked in seen.read.layout.questions if seen is not None else ():
                assert seen is not None
                of_unit = asked.column in seen.read.layout.unclear
                if not of_unit and mapping.verified in _BY_SYSTEMS and seen.read.layout.separator:
                    continue
                users = [c for c, s in rows.sources().items() if _uses(s, asked.column, seen)
                         and not (of_unit and (s.unit or _is_text(table, c)))]  # fmt: skip
                yield from (_Open(seen, asked, table, column) for column in users)


def _is_text(table: str, column: str) -> bool:
    return str(facts(table)[column].dtype) == "string"


def _uses(source: Source, head: str, seen: Seen) -> bool:
    first = next((name for name in source.names if name in seen.frame.columns), None)
    return first == head or "{" + head + "}" in (source.template or "")


def _with_unit(mapping: Mapping, look: Look, one: _Open, answer: str) -> Mapping:
    """Write the unit at every column that reads the same numbers."""

    def told(rows: Rows) -> Rows:
        sources = rows.sources()
        changed = {c: s.model_copy(update={"unit": answer}) for c, s in sources.items()
                   if _uses(s, one.asked.column, one.seen) and s.unit is None}  # fmt: skip
        return rows.model_copy(update={"columns": {**rows.columns, **changed}})

    return _changed(mapping, look, one, told)


def _with_cells(mapping: Mapping, look: Look, one: _Open, *, is_filled: bool) -> Mapping:
    name = "fill_down" if is_filled else "leave_empty"

    def told(rows: Rows) -> Rows:
        return rows.model_copy(update={name: (*getattr(rows, name), one.asked.column)})

    return _changed(mapping, look, one, told)


def _changed(mapping: Mapping, look: Look, one: _Open, told: Callable[[Rows], Rows]) -> Mapping:
    """Change all rows that come from the sheet of a question, so that it is read in one way."""

    def new(rows: Rows) -> Rows:
        seen = find_seen(look, rows.files, rows.sheet)
        same = seen is not None and (seen.file, seen.sheet) == (one.seen.file, one.seen.sheet)
        return told(rows) if same else rows

    tables = {table: tuple(map(new, parts)) for table, parts in mapping.tables.items()}
    return mapping.model_copy(update={"tables": tables})
