"""Which table a sheet is, and which of its columns is which: by names, types and values."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import linear_sum_assignment

from salesops.model.tables import facts
from salesops.sources.profiling import Profile
from salesops.sources.seeing import Seen
from salesops.sources.synonyms import TableNames, catalogue, likeness, stage_words, word_of_end

# From here on a column is believed without a question; below the lower one it is not taken.
SURE, LIKELY = 0.85, 0.5
# A second column that fits nearly as well leaves it open which one is meant.
_NEARLY = 0.9
# Texts that repeat in such columns; a name of each row's own is none of them.
_REPEATING = frozenset({"stage", "status", "kind", "severity", "category", "currency", "role"})
# A log has several rows for most of what it tells of.
_ROWS_PER_ID = 1.2
_OF_DAYS = re.compile(r"日|时间|何时|date|time|\bday\b|\bon$|\bat$", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A column of a sheet that is taken for a canonical one.

    Attributes
    ----------
    head
        Its name in the sheet.
    score
        How well name and values fit, 0 to 1.
    why
        What speaks for it, in a few words.
    rivals
        Other columns that fit nearly as well.
    """

    head: str
    score: float
    why: str
    rivals: tuple[str, ...] = ()

    @property
    def is_sure(self) -> bool:
        """True where nothing else could be meant."""
        return self.score >= SURE and not self.rivals


@dataclass(frozen=True, eq=False)
class Guess:
    """A sheet taken for a canonical table."""

    seen: Seen
    table: str
    score: float
    choices: dict[str, Choice] = field(default_factory=dict)
    beside: dict[str, str] = field(default_factory=dict)

    def profile_of(self, column: str) -> Profile | None:
        """Give what the source of a canonical column holds."""
        choice = self.choices.get(column)
        return None if choice is None else self.seen.profiles[choice.head]


def guesses(seen: Seen, told: Mapping[str, str] | None = None) -> list[Guess]:
    """List what a sheet may be, the likeliest first.

    Parameters
    ----------
    seen
        The sheet.
    told
        Heads of columns of deals that a person named; an empty one is of none.
    """
    found = [_guess(seen, table, names, told or {}) for table, names in catalogue().tables.items()]
    return sorted((g for g in found if g is not None), key=lambda g: -g.score)


def _guess(seen: Seen, table: str, names: TableNames, told: Mapping[str, str]) -> Guess | None:
    choices = _choices(seen, table, names, told if table == "opportunities" else {})
    if not all(any(column in choices for column in group) for group in names.needs):
        return None
    if table == "changes" and not _is_log(seen, choices):
        return None
    if table == "opportunities" and "id" in choices and _repeats(seen, choices["id"].head):
        return None
    explained = sum(choice.score for choice in choices.values()) / max(1, len(seen.heads))
    called = max(likeness(seen.title, names.names), 0.8 * likeness(seen.file, names.names))
    taken = {choice.head for choice in choices.values()}
    beside = {}
    for name, words in names.beside.items():
        left = [head for head in seen.heads if head not in taken]
        best = max(left, key=lambda head: likeness(head, words), default="")
        if best and likeness(best, words) >= SURE:
            beside[name] = best
    return Guess(seen, table, explained + 0.5 * called + 0.02 * len(choices), choices, beside)


def _repeats(seen: Seen, head: str) -> bool:
    found = seen.profiles[head]
    return found.n_filled > _ROWS_PER_ID * found.n_distinct > 0


def _is_log(seen: Seen, choices: Mapping[str, Choice]) -> bool:
    by_field = {"field", "new_value"} <= set(choices)
    by_stage = "stage" in choices and _repeats(seen, choices["entity_id"].head)
    return by_field or by_stage


def _choices(
    seen: Seen, table: str, names: TableNames, told: Mapping[str, str]
) -> dict[str, Choice]:
    """Give each canonical column the source that fits best, no source twice."""
    columns = [c for c in names.columns if c not in told]
    heads = [h for h in seen.heads if h not in told.values()]
    fixed = {column: Choice(head=head, score=1.0, why="as you said")
             for column, head in told.items() if head in seen.heads}  # fmt: skip
    if not columns or not heads:
        return fixed
    like = np.array([[likeness(h, names.columns[c]) for c in columns] for h in heads])
    types = np.array([[type_fit(seen.profiles[h], table, c, h) for c in columns] for h in heads])
    fit = like * types
    if table == "opportunities":
        # `Deal Status` is no name of a deal.
        fit[[is_status(seen.profiles[h]) for h in heads], :] *= [c == "stage" for c in columns]
    if "stage" in columns and table in ("opportunities", "changes"):
        at = columns.index("stage")
        fit[:, at] = [_with_words(fit[n, at], seen.profiles[h]) for n, h in enumerate(heads)]
    rows, places = linear_sum_assignment(fit, maximize=True)
    chosen = {int(c): int(h) for h, c in zip(rows, places, strict=True) if fit[h, c] >= LIKELY}
    taken = set(chosen.values())
    found = dict(fixed)
    for c, h in sorted(chosen.items()):
        score = float(fit[h, c])
        rivals = tuple(
            heads[o] for o in range(len(heads))
            if o not in taken and fit[o, c] >= _NEARLY * score
            and seen.profiles[heads[o]].n_filled
            and not (columns[c] == "stage" and is_status(seen.profiles[heads[o]]))
        )  # fmt: skip
        found[columns[c]] = Choice(
            head=heads[h], score=score, rivals=rivals, why=_why(like[h, c], seen.profiles[heads[h]])
        )
    return found


def is_status(found: Profile) -> bool:
    """Say whether a column only tells whether a deal goes on, or how it ended."""
    if not 2 <= found.n_distinct <= 8:
        return False
    kinds = [word_of_end(text) for text in found.common]
    return all(kinds) and "open" in kinds


def _with_words(fit: float, found: Profile) -> float:
    """Believe a column of stages more where its values are words of stages, ends among them."""
    words = [stage_words(text) for text in found.common]
    known = [part for part in words if part is not None]
    if found.n_distinct < 3 or not any(part.kind != "open" for part in known):
        return fit
    share = len(known) / len(words)
    # With part of the name it is certain, without any it is likely.
    by_values = (0.6 if fit >= 0.4 else 0.35) + 0.4 * share
    return max(fit, by_values) if share >= 0.6 else fit


def _why(like: float, found: Profile) -> str:
    name = "the name" if like >= 1 else "part of the name" if like > 0 else "its values"
    return f"{name}; {found.looks}"


def type_fit(found: Profile, table: str, column: str, head: str) -> float:
    """Say how well values fit a canonical column, 0 to 1; an empty column could be anything.

    A 3.5 is a day only under a head that speaks of days.
    """
    if not found.n_filled:
        return 0.9
    if column in ("id", "entity_id"):
        return 0.3 if found.days >= 0.9 else 1.0
    kind = "string" if column == "field" else str(facts(table)[column].dtype) \
        if column in facts(table) else str(facts("opportunities")[column].dtype)  # fmt: skip
    if kind == "date" or kind.startswith("timestamp"):
        perhaps = found.perhaps_days if _OF_DAYS.search(head) else 0.0
        return _by_share(max(found.days + perhaps, found.epochs))
    if kind.startswith("decimal") or kind in ("float64", "int64"):
        return _by_share(found.numbers) * (0.3 if found.days >= 0.9 else 1.0)
    if kind == "boolean":
        return _by_share(found.flags)
    return _text_fit(found, column)


def _by_share(share: float) -> float:
    return 1.0 if share >= 0.9 else 0.8 if share >= 0.6 else 0.1


def _text_fit(found: Profile, column: str) -> float:
    if found.days >= 0.9:
        return 0.2
    if column == "email":
        return _by_share(found.emails)
    if column in _REPEATING:
        few = found.n_distinct <= 40 and (found.n_filled < 12 or found.n_distinct < found.n_filled)
        return 1.0 if few else 0.2
    if column == "name":
        return 0.4 if found.numbers >= 0.9 else 1.0
    return 1.0
