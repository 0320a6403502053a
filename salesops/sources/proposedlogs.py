"""A log of changes of an unknown export: a row per change of a field, or per stage that begins."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from salesops.sources.guessing import SURE, Guess
from salesops.sources.mapping import History, Source
from salesops.sources.proposedrows import column_map
from salesops.sources.questions import Desk
from salesops.sources.stageguess import StageEvidence, stage_evidence
from salesops.sources.synonyms import catalogue, likeness


def history_of(guess: Guess, desk: Desk, *, makes_rows: bool) -> History:
    """Read a sheet as a log of deals.

    Parameters
    ----------
    guess
        The sheet.
    desk
        Where questions are put.
    makes_rows
        There is no sheet of deals beside it.
    """
    heads = {column: choice.head for column, choice in guess.choices.items()}
    by_field = {"field", "new_value"} <= set(heads)
    fields = fields_of(guess) if by_field else {}
    return History(
        file=guess.seen.file, sheet=guess.seen.sheet, optional=not makes_rows,
        form="changes" if by_field else "states", entity_id=heads["entity_id"],
        changed_at=column_map(guess, "changed_at", desk), changed_by=heads.get("changed_by"),
        field=Source(column=heads["field"], values=fields) if by_field else None,
        old_value=heads.get("old_value") if by_field else None,
        new_value=heads["new_value"] if by_field else None,
        fields=_sources(guess, fields, desk, by_field=by_field, makes_rows=makes_rows),
        makes_rows=makes_rows,
    )  # fmt: skip


def _sources(
    guess: Guess, fields: Mapping[str, str], desk: Desk, *, by_field: bool, makes_rows: bool
) -> dict[str, Source | str | tuple[str, ...]]:
    """Say where a log's values come from: of a row per field they are its new and old values."""
    if by_field:
        return {c: Source() for c in dict.fromkeys(fields.values())} if makes_rows else {}
    return {c: column_map(guess, c, desk) for c in ("stage", "amount") if c in guess.choices}


def fields_of(guess: Guess) -> dict[str, str]:
    """Say which column of ours each field of a log is, as far as its name tells."""
    names = catalogue().tables["opportunities"].columns
    found: dict[str, str] = {}
    for text in guess.seen.profiles[guess.choices["field"].head].common:
        scores = {
            column: likeness(text, words) for column, words in names.items() if column != "id"
        }
        best = max(scores, key=lambda column: scores[column])
        if scores[best] >= SURE and best not in found.values():
            found[text] = best
    return found


def stages_in_log(guess: Guess) -> StageEvidence | None:
    """Gather the stages that a log names, in the order in which they first appear."""
    frame = guess.seen.frame
    if "field" in guess.choices and "new_value" in guess.choices:
        fields = fields_of(guess)
        stage = [text for text, column in fields.items() if column == "stage"]
        rows = frame[guess.choices["field"].head].isin(stage)
        sides = [guess.choices[c].head for c in ("old_value", "new_value") if c in guess.choices]
        # The first stage of a deal stands only where it is left.
        texts = frame.loc[rows, sides].stack(future_stack=True).reset_index(drop=True)
    elif "stage" in guess.choices:
        texts = frame[guess.choices["stage"].head]
    else:
        return None
    return stage_evidence(texts, None, None)


def with_stages_of_logs(seen: StageEvidence | None, logs: Sequence[Guess]) -> StageEvidence | None:
    """Add the stages that no deal is in now, but was before."""
    for log in logs:
        told = stages_in_log(log)
        if told is not None and seen is not None:
            counts = {**seen.counts, **{t: 0 for t in told.counts if t not in seen.counts}}
            seen = replace(seen, counts=counts)
    return seen
