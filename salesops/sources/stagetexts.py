"""The stages of deals of an unknown export: what their sheet says, what a person adds."""

from collections.abc import Mapping, Sequence

import pandas as pd

from salesops.sources.guessing import Guess, is_status
from salesops.sources.questions import Desk
from salesops.sources.stageguess import (
    KEY,
    StageEvidence,
    guess_stages,
    numbers_of,
    read_stages,
    stage_evidence,
    stage_question,
)
from salesops.sources.synonyms import Kind, word_of_end

_TRUE = frozenset({"true", "1", "yes", "y", "是"})
_FALSE = frozenset({"false", "0", "no", "n", "否"})


def stages_of_deals(deals: Sequence[Guess]) -> StageEvidence | None:
    """Gather the stages of all sheets of deals; None where they have no column for them."""
    texts, outcomes, chances = [], [], []
    for guess in deals:
        if "stage" not in guess.choices:
            continue
        frame = guess.seen.frame
        texts.append(overruled(guess, frame[guess.choices["stage"].head]))
        said = outcome_of(guess)
        outcomes.append(
            said if said is not None else pd.Series(None, index=frame.index, dtype=object)
        )
        beside = guess.beside.get("probability")
        chances.append(numbers_of(frame[beside]) if beside
                       else pd.Series(float("nan"), index=frame.index))  # fmt: skip
    if not texts:
        return None
    stages, outcome, chance = (pd.concat(p, ignore_index=True) for p in (texts, outcomes, chances))
    return stage_evidence(stages, outcome if outcome.notna().any() else None,
                          chance if chance.notna().any() else None)  # fmt: skip


def outcome_of(guess: Guess) -> "pd.Series | None":
    """Read a column that says how deals ended, where there is one beside their stage."""
    head = guess.beside.get("outcome")
    if head is None:
        return None
    texts = guess.seen.frame[head].fillna("").astype(str)
    flags = set(texts.str.lower()) - {""} <= _TRUE | _FALSE
    # `won = no` of an open deal is no loss.
    known = texts.map(lambda text: ("won" if text.lower() in _TRUE else None) if flags
                      else word_of_end(text))  # fmt: skip
    return known if known.notna().any() else None


def status_beside(guess: Guess) -> tuple[str, dict[str, str]] | None:
    """Find a column of statuses beside the stages: deals that ended stay in their last stage.

    Returns
    -------
    tuple or None
        Its head, and the texts that mean an end.
    """
    stage = guess.choices.get("stage")
    if stage is None:
        return None
    taken = {choice.head for column, choice in guess.choices.items() if column != "stage"}
    for head in guess.seen.heads:
        found = guess.seen.profiles[head]
        if head != stage.head and head not in taken and is_status(found):
            kinds = {text: word_of_end(text) for text in found.common}
            return head, {text: text for text, kind in kinds.items() if kind != "open"}
    return None


def overruled(guess: Guess, stages: "pd.Series") -> "pd.Series":
    """Give each deal that has ended its end as its stage, where a status stands beside it."""
    found = status_beside(guess)
    if found is None:
        return stages
    head, ends = found
    status = guess.seen.frame[head]
    return stages.where(~status.isin(ends), status)


def settled_stages(seen: StageEvidence | None, desk: Desk) -> Mapping[str, Kind]:
    """Settle which stages there are, asking where the data leave anything open."""
    if seen is None or not seen.counts:
        return {}
    guess = guess_stages(seen)
    told = desk.given_for(KEY)
    if not guess.unsure and told is None:
        return guess.kinds
    (answer,) = desk.decide(stage_question(guess, seen.counts))
    return read_stages(answer, tuple(seen.counts))
