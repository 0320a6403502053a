"""Which mapping reads an export: the one that was named, the book's, a system's, or a new one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from salesops.sources.dayforms import find_seen
from salesops.sources.layout import Hints
from salesops.sources.mapping import Mapping, mapping_text, read_mapping
from salesops.sources.mappingtext import mapping_toml
from salesops.sources.moresheets import with_more_sheets
from salesops.sources.proposing import NAME, Proposal, propose
from salesops.sources.questions import BadAnswer, Desk, Question
from salesops.sources.recognising import Candidate, bind, candidates, settled
from salesops.sources.seeing import Look

OWN = "propose"
_KEY = "system"
# How tables lie: the words that may be said, or none for a number.
_HINTS: dict[str, tuple[str, ...]] = {
    "title_rows": (), "head_rows": (), "year": (), "alone": ("keep", "drop"),
    "month_columns": ("turn", "keep"),
}  # fmt: skip
_BOUNDS = {"title_rows": (0, 1_000), "head_rows": (1, 60), "year": (1900, 2199)}
# Numbers of rows, with commas between them.
_ROWS = ("keep", "drop")
# What is asked of an export whose mapping is settled.
_LATER = frozenset({"dates", "year", "stages", "gone", "other_system"})


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """A mapping, where it comes from, and why it was taken.

    Attributes
    ----------
    source
        Name of a known mapping, a file, or `own` of one that was proposed.
    mapping, text
        The mapping, and its TOML as it was written.
    lines
        How sure it is, and why.
    proposal
        Where it was made for this export.
    of_book
        True where the book was made by it.
    """

    source: str
    mapping: Mapping
    text: str
    lines: tuple[str, ...] = ()
    proposal: Proposal | None = None
    of_book: bool = False

    def changed(self, mapping: Mapping) -> "Chosen":
        """Give it with another mapping; what nobody changed keeps its own text."""
        if mapping == self.mapping:
            return self
        reasons = self.proposal.reasons if self.proposal else None
        return Chosen(source=self.source, mapping=mapping, text=mapping_toml(mapping, reasons),
                      lines=self.lines, proposal=self.proposal, of_book=self.of_book)  # fmt: skip


def named(source: str) -> Chosen:
    """Take the mapping that was named.

    Raises
    ------
    UnknownSource, BadMapping
        There is none of that name, or it can't be read.
    """
    text = mapping_text(source)
    return Chosen(source=source, mapping=read_mapping(text, source), text=text)


def told_hints(desk: Desk) -> Hints:
    """Take from answers how the tables of an export lie, where this is not found out.

    Raises
    ------
    BadAnswer
        One is no number of rows, or no word that may be said.
    """
    told: dict[str, Any] = {}
    for key, words in _HINTS.items():
        value = desk.given_for(key)
        if value is None:
            continue
        if words and value not in words:
            raise BadAnswer(key=key, value=value, reason="it is no such word", known=words)
        low, high = _BOUNDS.get(key, (0, 0))
        if not words and not (value.isdecimal() and low <= int(value) <= high):
            raise BadAnswer(key=key, value=value, known=(str(low), str(high)),
                            reason=f"it is no number from {low} to {high}")  # fmt: skip
        told[key] = value if words else int(value)
    for key in _ROWS:
        value = desk.given_for(key)
        if value is not None:
            numbers = [part.strip() for part in value.split(",")]
            if not all(number.isdecimal() for number in numbers):
                raise BadAnswer(key=key, value=value, reason="it is no list of row numbers",
                                known=("37", "37,52"))  # fmt: skip
            told[key] = tuple(map(int, numbers))
    return Hints(**told)


def refuse_rows_of_several(look: Look, hints: Hints) -> None:
    """Refuse numbers of rows that are told of an export with several sheets.

    Raises
    ------
    BadAnswer
        Nobody can say in which of them these rows stand.
    """
    places = [seen.where for seen in look.sheets] + [error.where for error in look.unreadable]
    for key in _ROWS:
        if (rows := getattr(hints, key)) and len(places) > 1:
            reason = (
                f"the export has several sheets ({', '.join(places[:4])}); import one by itself"
            )
            raise BadAnswer(key=key, value=",".join(map(str, rows)),
                            reason=f"{reason}, or say it in a mapping")  # fmt: skip


def chosen(look: Callable[[bool], Look], book: Path, desk: Desk, where: str) -> Chosen:
    """Choose the mapping of an export of which nothing was said.

    Parameters
    ----------
    look
        Looks at the export: at all of it, or at its first rows.
    book
        That it goes into; a later export is read as the earlier ones were.
    desk
        Where questions are put.
    where
        Names the export.

    Raises
    ------
    Unanswered, BadAnswer, NoDeals
        Data leave something open, or nothing in it can be deals.
    """
    few = look(False)
    # Who answers what the book has settled wants it otherwise than the book has it.
    if set(desk.given) <= _LATER and (own := _of_book(book, few)) is not None:
        return own
    found = candidates(few)
    one = settled(found)
    told = desk.given_for(_KEY)
    if told is None and one is not None:
        return _known(one)
    if told is not None or found:
        answer = _asked(found, desk)
        if answer is not None:
            return _known(answer)
    proposal = propose(look(True), desk, where)
    lines = ("No known system: this mapping is proposed from names, types and values.",)
    return Chosen(source=proposal.mapping.name, mapping=proposal.mapping, text=proposal.text,
                  lines=lines, proposal=proposal)  # fmt: skip


def _of_book(book: Path, look: Look) -> Chosen | None:
    path = book / "mapping.toml"
    if not path.is_file():
        return None
    text = path.read_text(encoding="utf-8")
    mapping = read_mapping(text, str(path))
    bound, rebound = bind(mapping, look)
    fits = all(
        any(_is_there(look, rows.files, rows.sheet) for rows in parts)
        for parts in bound.tables.values() if any(not rows.optional for rows in parts)
    ) and all(h.optional or _is_there(look, h.files, h.sheet) for h in bound.history)  # fmt: skip
    if not fits:
        return None
    more: list[tuple[str, str]] = []
    if mapping.name == NAME:
        # A system names its own files; a person begins a sheet with each month.
        bound, more = with_more_sheets(bound, look)
    lines = ["Read as the last export of this book."]
    lines += [f"{now} is new, and read as {was}, whose columns it has" for now, was in more]
    lines += [f"{now} is read as {was}, by its columns" for was, now in rebound]
    return Chosen(source=str(path), mapping=mapping, text=text, lines=tuple(lines),
                  of_book=True).changed(bound)  # fmt: skip


def _is_there(look: Look, patterns: tuple[str, ...], sheet: str | None) -> bool:
    return find_seen(look, patterns, sheet) is not None


def _known(found: Candidate) -> Chosen:
    text = mapping_text(found.source)
    sure = "sure" if found.score >= 0.95 else "quite sure"
    lines = (f"Recognised as {found.mapping.title} ({found.source}), {sure}: {found.score:.0%}.",
             *(f"  {reason}" for reason in found.reasons))  # fmt: skip
    as_is = Chosen(source=found.source, mapping=read_mapping(text, found.source), text=text,
                   lines=lines)  # fmt: skip
    return as_is.changed(found.mapping)


def _asked(found: Sequence[Candidate], desk: Desk) -> Candidate | None:
    """Ask which system it is; None for a mapping of its own."""
    names = tuple(c.source for c in found)
    (answer,) = desk.decide(Question(
        key=_KEY, text="Which system does the export come from?", candidates=(*names, OWN),
        default=names[0] if names else OWN,
        evidence=(*(f"{c.source} ({c.score:.0%}): {'; '.join(c.reasons)}" for c in found),
                  f"{OWN}: none of them, a mapping is proposed"),
    ))  # fmt: skip
    return next((c for c in found if c.source == answer), None)
