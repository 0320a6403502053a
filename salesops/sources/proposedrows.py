"""The tables of a proposed mapping: columns, ids, units, and who is meant by which name."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

import pandas as pd

from salesops.model.tables import facts
from salesops.sources.guessing import Guess
from salesops.sources.layout import Hints
from salesops.sources.mapping import Condition, Instead, Rows, Source
from salesops.sources.proposedunits import settled_unit
from salesops.sources.questions import Desk
from salesops.sources.seeing import Seen
from salesops.sources.stagetexts import status_beside
from salesops.sources.synonyms import Kind

# Sources by canonical column, as a mapping writes them.
Columns = dict[str, Source | str | tuple[str, ...]]
Reasons = dict[tuple[str, str], str]
# The id of a row by its place, where nothing else tells it apart.
ROW_OF = "{}-{{row}}"
# Of the values of a link so many must be found on the other side.
_LINKED = 0.5
# Columns that tell rows apart where there is no id, in the order in which they are tried.
_APART: dict[str, tuple[str, ...]] = {
    "opportunities": ("name", "account_id", "product_line", "created_at", "owner_id"),
    "leads": ("company", "name", "phone", "created_at"),
    "contacts": ("account_id", "name", "phone"),
    "accounts": ("name",),
    "users": ("name",),
}
# Which columns of deals name a row of which table, and by what it may be called there.
_LINKS = {"accounts": "account_id", "users": "owner_id"}


def rows_of(
    guess: Guess, deals: Guess, desk: Desk, stages: Mapping[str, Kind]
) -> tuple[Rows, Reasons, list[str]]:
    """Make the rows of one table of one sheet.

    Parameters
    ----------
    guess
        The sheet as a table.
    deals
        The sheet of deals, whose names of customers and people are followed.
    desk
        Where questions are put.
    stages
        Stages with their kinds.

    Returns
    -------
    tuple
        The rows, why each column was chosen, and notes.
    """
    table = guess.table
    columns: Columns = {}
    reasons: Reasons = {}
    notes: list[str] = []
    source, why, note = _id_of(guess, deals)
    columns["id"] = source
    reasons[table, "id"] = why
    notes += [note] if note else []
    for column in facts(table):
        choice = guess.choices.get(column)
        if choice is None or column == "id":
            continue
        columns[column] = column_map(guess, column, desk)
        rivals = f" (or {', '.join(choice.rivals)})" if choice.rivals else ""
        reasons[table, column] = choice.why + rivals
    if table == "opportunities":
        _split_close_date(guess, columns, reasons, stages)
        _with_status(guess, columns, reasons)
    if table == "users" and "role" not in columns:
        columns["role"] = Source(constant="rep")
    rows = Rows(file=guess.seen.file, sheet=guess.seen.sheet, **told_of(guess.seen),
                optional=table != "opportunities", columns=columns)  # fmt: skip
    return rows, reasons, notes


def column_map(guess: Guess, column: str, desk: Desk) -> Source | str:
    """Say where a canonical column comes from, in its unit and form."""
    head = guess.choices[column].head
    found = guess.seen.profiles[head]
    table = guess.table if column in facts(guess.table) else "opportunities"
    kind = facts(table)[column]
    if str(kind.dtype).startswith("decimal"):
        unit = settled_unit(guess.seen, head, f"{_said(guess.table)}{column}", desk)
        return head if unit is None else Source(column=head, unit=unit)
    is_time = str(kind.dtype) == "date" or str(kind.dtype).startswith("timestamp")
    if is_time and found.epochs >= 0.9:
        in_ms = max(len(text) for text in found.samples) >= 13
        return Source(column=head, epoch="ms" if in_ms else "s")
    return head


def _said(table: str) -> str:
    """Name a table in a question's key; deals go without."""
    return "" if table in ("opportunities", "changes") else f"{table}."


def _id_of(guess: Guess, deals: Guess) -> tuple[Source | str, str, str]:
    """Choose what names a row: its id, what tells it apart from the others, else its place."""
    frame, choices = guess.seen.frame, guess.choices
    if guess.table in _LINKS and (linked := _linked(guess, deals)) is not None:
        return linked
    if "id" in choices:
        return choices["id"].head, choices["id"].why, ""
    heads = [choices[c].head for c in _APART.get(guess.table, ()) if c in choices]
    heads = [h for h in dict.fromkeys(heads) if not {"{", "}"} & set(h)]
    taken: list[str] = []
    for head in heads:
        taken.append(head)
        filled = (frame[taken].fillna("") != "").any(axis=1).all()
        if filled and len(frame) and not frame[taken].duplicated().any():
            note = (f"{guess.seen.where} has no ids: {' + '.join(taken)} tells its rows apart, and "
                    "where it changes a row counts as another row.")  # fmt: skip
            if len(taken) == 1:
                return head, "each row has one of its own", note
            joined = "/".join("{" + h + "}" for h in taken)
            return Source(template=joined), "there is no id", note
    note = (
        f"{guess.seen.where} has no ids, and nothing tells its rows apart: the number of the row "
        "counts, so that a later export with rows in another order can't become history."
    )
    return Source(template=ROW_OF.format(guess.seen.title)), "there is no id", note


def _linked(guess: Guess, deals: Guess) -> tuple[Source | str, str, str] | None:
    """Choose the column of customers or people by which deals name them."""
    link = deals.choices.get(_LINKS[guess.table])
    if link is None:
        return None
    wanted = set(deals.seen.frame[link.head].dropna()) - {""}
    shares: dict[str, float] = {}
    for column in ("id", "name"):
        if column in guess.choices:
            have = set(guess.seen.frame[guess.choices[column].head].dropna())
            shares[column] = len(wanted & have) / len(wanted) if wanted else 0.0
    best = max(shares, key=lambda column: shares[column], default="")
    if not best or shares[best] < _LINKED:
        return None
    head = guess.choices[best].head
    return head, f"{shares[best]:.0%} of {link.head} of the deals are in it", ""


def _split_close_date(
    guess: Guess, columns: Columns, reasons: Reasons, stages: Mapping[str, Kind]
) -> None:
    """A closing date of open deals is what is expected; of others it is what happened.

    Many systems keep both in one column.
    """
    ends = tuple(text for text, kind in stages.items() if kind != "open")
    taken = "closed_at" not in columns or "expected_close_on" in columns
    if taken or "stage" not in guess.choices or not ends:
        return
    frame = guess.seen.frame
    head, stage = guess.choices["closed_at"].head, guess.choices["stage"].head
    if (found := status_beside(guess)) is not None:
        stage, ends = found[0], tuple(found[1])
    ended = frame[stage].isin(ends)
    filled = frame[head].fillna("") != ""
    if not (_share(filled[~ended]) >= _LINKED and _share(filled[ended]) >= _LINKED):
        return
    form = columns["closed_at"]
    full = form if isinstance(form, Source) else Source(column=form)
    columns["expected_close_on"] = form
    columns["closed_at"] = full.model_copy(
        update={"only_where": Condition(column=stage, is_in=ends)}
    )
    reasons["opportunities", "expected_close_on"] = "filled for open deals, too"
    reasons["opportunities", "closed_at"] = f"of deals that have ended, by {stage}"


def _share(flags: "pd.Series") -> float:
    return float(flags.mean()) if len(flags) else 0.0


def _with_status(guess: Guess, columns: Columns, reasons: Reasons) -> None:
    """Let a status say that a deal has ended, where the stage is the last one it was in."""
    found = status_beside(guess)
    if found is None or "stage" not in columns:
        return
    head, ends = found
    instead = tuple(Instead(where=Condition(column=head, is_in=(text,)), value=text)
                    for text in ends)  # fmt: skip
    columns["stage"] = Source(column=guess.choices["stage"].head, instead=instead)
    reasons["opportunities", "stage"] += f"; {head} says which have ended"


def people_and_customers(
    deals: Sequence[Guess], tables: Mapping[str, list[Rows]]
) -> dict[str, tuple[Rows, ...] | list[Rows]]:
    """Make customers and people of the names in deals, where the export has no lists of them."""
    made: dict[str, tuple[Rows, ...] | list[Rows]] = {}
    for table, column in _LINKS.items():
        if table in tables:
            continue
        rows = []
        for guess in deals:
            if column not in guess.choices:
                continue
            head = guess.choices[column].head
            columns: Columns = {"id": head, "name": head}
            if table == "users":
                columns["role"] = Source(constant="rep")
                columns |= {c: guess.beside[c] for c in ("team", "region") if c in guess.beside}
            rows.append(Rows(file=guess.seen.file, sheet=guess.seen.sheet, distinct=True,
                             **told_of(guess.seen), optional=True, columns=columns))  # fmt: skip
        if rows:
            made[table] = rows
    return made


def told_of(seen: Seen) -> dict[str, Any]:
    """Give what was told of how a table lies, as a mapping keeps it."""
    plain = Hints()
    return {f.name: value for f in fields(Hints)
            if (value := getattr(seen.hints, f.name)) != getattr(plain, f.name)}  # fmt: skip
