"""Which stages a company has, of what kind, in what order: as far as its own data tell."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from salesops.model.errors import nearest
from salesops.sources.questions import BadAnswer, Question
from salesops.sources.synonyms import Kind, number_before, stage_words, without_number

_KINDS: tuple[Kind, ...] = ("open", "won", "lost", "void")
# Parts of words by which a kind is likely, though not certain.
_HINTS: dict[Kind, tuple[str, ...]] = {
    "won": ("赢", "成交", "签约", "签单", "中标", "won", "win", "signed"),
    "lost": ("输单", "丢", "失败", "流失", "战败", "lost", "loss"),
    "void": ("作废", "无效", "取消", "void", "cancel", "invalid"),
}
KEY = "stages"


@dataclass(frozen=True, kw_only=True)
class StageEvidence:
    """What stands beside the stages of deals.

    Attributes
    ----------
    counts
        Deals by stage, in the order in which stages first appear.
    outcome
        By stage: `won` or `lost` where the data say so of all its deals, `open` of all others.
    chance
        By stage the chance of winning that stands beside its deals, where it is one and the same
        for each.
    """

    counts: Mapping[str, int]
    outcome: Mapping[str, Kind] = field(default_factory=dict)
    chance: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class StageGuess:
    """Stages in process order with their kinds, and whether anything about them is open."""

    kinds: Mapping[str, Kind]
    unsure: tuple[str, ...] = ()
    why: str = ""
    note: str = ""


def guess_stages(seen: StageEvidence) -> StageGuess:
    """Put the stages of a company into the order of its process.

    Examples
    --------
    >>> found = guess_stages(StageEvidence(counts={"赢单": 3, "商务谈判": 2, "初步接触": 9}))
    >>> dict(found.kinds), found.unsure
    ({'初步接触': 'open', '商务谈判': 'open', '赢单': 'won'}, ())
    >>> guess_stages(StageEvidence(counts={"甲": 3, "乙": 2})).unsure
    ('甲', '乙')
    """
    kinds: dict[str, Kind] = {}
    unsure: list[str] = []
    for text in seen.counts:
        kind, sure = _kind(text, seen)
        kinds[text] = kind
        if not sure:
            unsure.append(text)
    open_ones = [text for text in seen.counts if kinds[text] == "open"]
    order, why, doubtful = _order(open_ones, seen)
    unsure += [text for text in doubtful if text not in unsure]
    ended = sorted((t for t in seen.counts if kinds[t] != "open"),
                   key=lambda t: _KINDS.index(kinds[t]))  # fmt: skip
    return StageGuess(
        kinds={text: kinds[text] for text in [*order, *ended]}, unsure=tuple(unsure), why=why
    )


def _kind(text: str, seen: StageEvidence) -> tuple[Kind, bool]:
    known = stage_words(text)
    said = seen.outcome.get(text)
    if said is not None:
        # Where the data and the word differ, it is for a person to say which of them is right.
        return said, known is None or known.kind == said or (
            known.kind == "void" and said == "lost"
        )
    if known is not None:
        return known.kind, True
    bare = text.lower()
    likely = next((kind for kind, parts in _HINTS.items() if any(p in bare for p in parts)), None)
    return likely or "open", False


def _order(texts: Sequence[str], seen: StageEvidence) -> tuple[list[str], str, list[str]]:
    """Order open stages: by their numbers, by the chances beside them, else by what words mean."""
    numbers = [number_before(text) for text in texts]
    if len(texts) > 1 and None not in numbers and len(set(numbers)) == len(numbers):
        return sorted(texts, key=lambda t: number_before(t) or 0), "the numbers before them", []
    chances = [seen.chance.get(text) for text in texts]
    if len(texts) > 1 and None not in chances and len(set(chances)) == len(chances):
        return sorted(texts, key=lambda t: seen.chance[t]), "the chance beside them", []
    ranks = {text: words.rank for text in texts if (words := stage_words(text)) is not None}
    ordered = sorted(texts, key=lambda t: ranks.get(t, 55))
    twice = [t for t in texts if list(ranks.values()).count(ranks.get(t, -1)) > 1]
    unknown = [t for t in texts if t not in ranks]
    doubtful = [*unknown, *twice] if len(texts) > 1 else []
    return ordered, "what their names mean", doubtful


def stage_question(guess: StageGuess, counts: Mapping[str, int]) -> Question:
    """Ask for the stages of a process in their order."""
    listed = ", ".join(f"{text} ({counts.get(text, 0)})" for text in guess.kinds)
    return Question(
        key=KEY,
        text="Which stages are open, in the order of the process, and which are won, lost or void?",
        default=stages_text(guess.kinds),
        evidence=(
            f"Stages of the export, with their deals: {listed}.",
            f"Not certain: {', '.join(guess.unsure)}.",
            *([guess.note] if guess.note else []),
            "Written as OPEN>OPEN>OPEN; won=STAGE; lost=STAGE; void=STAGE, with commas between "
            "several of a kind.",
        ),
    )


def stages_text(kinds: Mapping[str, Kind]) -> str:
    """Write stages as they are answered.

    Examples
    --------
    >>> stages_text({"Lead": "open", "Quote": "open", "Won": "won"})
    'Lead>Quote; won=Won'
    """
    of = {kind: [text for text, k in kinds.items() if k == kind] for kind in _KINDS}
    ends = [f"{kind}={','.join(of[kind])}" for kind in _KINDS[1:] if of[kind]]
    return "; ".join([">".join(of["open"]), *ends])


def read_stages(answer: str, known: Sequence[str]) -> dict[str, Kind]:
    """Read stages as they were answered.

    Raises
    ------
    BadAnswer
        A stage is missing, unknown, or named twice.

    Examples
    --------
    >>> read_stages("Lead>Quote; won=Won", ["Won", "Lead", "Quote"])
    {'Lead': 'open', 'Quote': 'open', 'Won': 'won'}
    """
    names = {text.strip(): text for text in known}
    found: dict[str, Kind] = {}
    for part in answer.replace("；", ";").replace("，", ",").replace("＞", ">").split(";"):
        head, sep, rest = part.partition("=")
        is_end = bool(sep) and head.strip().lower() in _KINDS[1:]
        kind: Any = head.strip().lower() if is_end else "open"
        listed = _listed(rest if is_end else part, names, "," if is_end else ">")
        for text in listed:
            if text not in names:
                raise BadAnswer(key=KEY, value=text, known=tuple(known),
                                reason="it is no stage of the export")  # fmt: skip
            if names[text] in found:
                raise BadAnswer(key=KEY, value=text, reason="it is named twice",
                                known=tuple(known))  # fmt: skip
            found[names[text]] = kind
    missing = [text for text in known if text not in found]
    if missing:
        why = f"it does not say of what kind {nearest(missing[0], missing)} is"
        raise BadAnswer(key=KEY, value=answer, known=tuple(known), reason=why)
    return found


def _listed(text: str, names: Mapping[str, str], sign: str) -> list[str]:
    """Cut a list into names; a name that holds the sign itself counts as a whole."""
    whole = text.strip()
    if whole in names:
        return [whole]
    return [part.strip() for part in text.split(sign) if part.strip()]


def stage_evidence(
    stages: "pd.Series", outcome: "pd.Series | None", chance: "pd.Series | None"
) -> StageEvidence:
    """Gather what stands beside the stages of deals.

    Parameters
    ----------
    stages
        Of each deal.
    outcome
        `won`, `lost` or `open` of each, as far as it is known; null elsewhere.
    chance
        Of each, as a number; null elsewhere.
    """
    filled = stages[stages.notna() & (stages != "")]
    counts = {str(text): int(n) for text, n in filled.value_counts(sort=False).items()}
    said: dict[str, Kind] = {}
    chances: dict[str, float] = {}
    for text in counts:
        rows = filled.index[filled == text]
        if outcome is not None:
            kinds = set(outcome.loc[rows].dropna())
            if len(kinds) == 1 and outcome.loc[rows].notna().all():
                said[text] = kinds.pop()
        if chance is not None:
            found = chance.loc[rows].dropna()
            if len(found) and found.nunique() == 1:
                chances[text] = float(found.iloc[0])
    return StageEvidence(counts=counts, outcome=said, chance=chances)


def numbers_of(texts: "pd.Series") -> "pd.Series":
    """Read chances, written 10, 10% or 0.1, as numbers that rise."""
    return pd.to_numeric(texts.astype(str).str.rstrip("%％"), errors="coerce")


__all__ = [
    "KEY",
    "StageEvidence",
    "StageGuess",
    "guess_stages",
    "numbers_of",
    "read_stages",
    "stage_evidence",
    "stage_question",
    "stages_text",
    "without_number",
]
