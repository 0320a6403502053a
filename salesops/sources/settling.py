"""The settings that a book gets: its own, those of the mapping, or the packaged with its stages."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path

import pandas as pd

from salesops.model.errors import SalesopsError, nearest
from salesops.model.settings import Settings, default_text
from salesops.sources.claims import Said
from salesops.sources.mapping import (
    BadMapping,
    Mapping,
    Stages,
    StageTable,
    known_mappings,
)
from salesops.sources.proposing import KEY_CURRENCY
from salesops.sources.questions import BadAnswer, Desk, Question
from salesops.sources.readers import Sheet
from salesops.sources.setaside import MOST
from salesops.sources.shapes import PACKAGED, stages_put_in
from salesops.sources.stageguess import (
    KEY,
    guess_stages,
    read_stages,
    stage_evidence,
    stage_question,
)
from salesops.sources.stages import FoundStage, UnclearStages


@dataclass(eq=False, kw_only=True)
class OtherCurrency(SalesopsError, ValueError):
    """Amounts that name no currency are in another than that of the settings."""

    where: str
    counts: str
    amounts: str

    def __str__(self) -> str:
        own, told = f'currency = "{self.counts}"', f'currency = "{self.amounts}"'
        return (
            f"The company counts in {self.counts} ({self.where}), but by the mapping amounts are "
            f"in {self.amounts}, and no deal names its currency.\n"
            f"Expected: amounts in {self.counts}, or a currency of each deal, by which it is "
            "turned into the company's.\n"
            f"To mend: if they are in {self.amounts}, write currency = {{ constant = "
            f'"{self.amounts}" }} into the columns of the deals and give rates in fx, or {told} '
            f"into {self.where}. If they are in {self.counts}, write {own} at the top of the "
            f"mapping, or answer {KEY_CURRENCY}={self.counts}."
        )


@dataclass(frozen=True)
class Words:
    """The text of a salesops.toml, and where it stands."""

    text: str
    where: str

    @property
    def settings(self) -> Settings:
        """The settings that it says."""
        return Settings.parse(self.text, where=self.where)

    @property
    def told_currency(self) -> str:
        """The currency of the company; empty where it is that of the packaged settings."""
        return "" if self.where == PACKAGED else self.settings.company.currency


def words_for(book: Path, mapping: Mapping, source: str, export: Path) -> Words:
    """Give the settings: the book's own, which may be edited.

    Of a new book those of the mapping count, then those that lie with the export.

    Raises
    ------
    OtherCurrency
        They count in another currency than the amounts are in.
    """
    found = _words(book, mapping, source, export)
    counts = found.settings.company.currency
    named = any("currency" in rows.columns for rows in mapping.tables.get("opportunities", ()))
    if mapping.currency not in ("", counts) and not named:
        raise OtherCurrency(where=found.where, counts=counts, amounts=mapping.currency)
    return found


def _words(book: Path, mapping: Mapping, source: str, export: Path) -> Words:
    own, beside = book / "salesops.toml", export / "salesops.toml"
    if own.exists():
        return Words(own.read_text(encoding="utf-8"), str(own))
    found = settings_text(mapping, source)
    if found:
        return Words(found, mapping.settings)
    if beside.exists():
        return Words(beside.read_text(encoding="utf-8"), str(beside))
    text = default_text()
    if mapping.currency:
        text = _with_currency(text, mapping.currency)
    return Words(text, PACKAGED)


def in_its_currency(
    words: Words, mapping: Mapping, named: Sequence["pd.Series"], said: Sequence[Said], desk: Desk
) -> Words:
    """Count in the currency of the deals, where nobody has said in which the company counts.

    Parameters
    ----------
    words
        The settings as far as they are known.
    mapping
        That of the import.
    named
        The currencies that deals name, sheet by sheet.
    said
        What columns of money say, of which no row names its currency.
    desk
        Where it is asked.

    Raises
    ------
    Unanswered, BadAnswer
        The deals are in several, and nobody says which is the company's; or it is not the one that
        amounts say.
    """
    if words.where != PACKAGED or mapping.currency:
        return words
    counts = Counter(str(code) for each in named for code in each.dropna())
    by_signs = () if counts else said
    for one in by_signs:
        counts[one.codes[0]] += one.n
    if not counts:
        return words
    # Signs beside a few amounts may be those of a few deals.
    is_sure = len(counts) == 1 and all(2 * one.n >= one.n_all for one in by_signs)
    code = counts.most_common(1)[0][0]
    if not is_sure:
        (code,) = desk.decide(Question(
            key=KEY_CURRENCY, default=code,
            text="In which currency does the company count? (ISO code, such as CNY)",
            evidence=tuple(f"{other}: {n} amounts" for other, n in counts.most_common()),
        ))  # fmt: skip
    known = tuple(counts)
    if not re.fullmatch("[A-Z]{3}", code):
        raise BadAnswer(key=KEY_CURRENCY, value=code, reason="it is no ISO code of a currency",
                        known=known)  # fmt: skip
    if others := [one for one in said if code not in one.codes]:
        told = f"{others[0].n} amounts have the sign of {others[0].codes[0]}"
        raise BadAnswer(key=KEY_CURRENCY, value=code, reason=told, known=known)
    return replace(words, text=_with_currency(words.text, code))


def settings_text(mapping: Mapping, source: str) -> str:
    """Give the salesops.toml that goes with a mapping, or an empty text.

    Raises
    ------
    BadMapping
        The mapping names a file that is not beside it.
    """
    if not mapping.settings:
        return ""
    if source in known_mappings():
        folder = files("salesops.sources").joinpath("mappings")
        return folder.joinpath(mapping.settings).read_text(encoding="utf-8")
    beside = Path(source).parent / mapping.settings
    if not beside.exists():
        raise BadMapping(where=source, faults=(f"settings: there is no file {beside}",))
    return beside.read_text(encoding="utf-8")


def _with_currency(text: str, code: str) -> str:
    return re.sub(r'(?m)^currency = "[A-Z]{3}"', f'currency = "{code}"', text, count=1)


@dataclass
class Settled:
    """Settings that fit the stages of an export, and the mapping that says so."""

    words: Words
    mapping: Mapping
    put_in: tuple[FoundStage, ...] = ()


def settled_stages(
    words: Words,
    mapping: Mapping,
    frames: dict[str, pd.DataFrame],
    changes: pd.DataFrame,
    read: Callable[[StageTable], Sheet | None],
    desk: Desk,
) -> Settled:
    """Put the stages of an export into the settings, asking what they are where nothing tells.

    Raises
    ------
    Unanswered, BadAnswer
        Nothing tells it, and nobody does.
    """
    if mapping.stages is None and (kinds := _own_stages(words, frames, changes, desk)):
        mapping = mapping.model_copy(update={"stages": Stages(kinds=kinds)})
    try:
        text, put_in = stages_put_in((words.text, words.where), mapping, frames, changes, read)
    except UnclearStages as error:
        mapping = _clear(error, mapping, frames, changes, desk)
        text, put_in = stages_put_in((words.text, words.where), mapping, frames, changes, read)
    return Settled(Words(text, words.where), mapping, put_in)


def _stage_texts(frames: dict[str, pd.DataFrame], changes: pd.DataFrame) -> "pd.Series":
    """List the stages of all deals, and once each those that only their history knows."""
    deals = frames.get("opportunities")
    now = (
        deals["stage"].dropna().astype(object)
        if deals is not None and "stage" in deals
        else pd.Series(dtype=object)
    )
    rows = changes[(changes["entity"] == "opportunities") & (changes["field"] == "stage")]
    past = pd.concat([rows["old_value"], rows["new_value"]]).dropna().drop_duplicates()
    return pd.concat([now, past[~past.isin(now)]], ignore_index=True)


def _own_stages(
    words: Words, frames: dict[str, pd.DataFrame], changes: pd.DataFrame, desk: Desk
) -> dict[str, str] | None:
    """Find the stages of deals whose mapping says nothing of them, in a book that is new.

    A few deals whose stage is misspelt are faults; stages that the settings do not know are others.
    """
    if words.where != PACKAGED:
        return None
    texts = _stage_texts(frames, changes)
    known = words.settings.stage_ids()
    strange = texts[~texts.isin(known)]
    misspelt = strange.map(lambda t: nearest(t, known, 1) in known)
    if desk.given_for(KEY) is None and (~misspelt).sum() <= MOST * len(texts):
        return None
    return _asked(texts, _outcome(frames), desk)


def _outcome(frames: dict[str, pd.DataFrame]) -> "pd.Series | None":
    deals = frames.get("opportunities")
    if deals is None or "is_won" not in deals or "stage" not in deals:
        return None
    won = deals.loc[deals["stage"].notna(), "is_won"]
    return won.map({True: "won", False: "lost"}).reset_index(drop=True)


def _clear(
    error: UnclearStages, mapping: Mapping, frames: dict[str, pd.DataFrame], changes: pd.DataFrame,
    desk: Desk,
) -> Mapping:  # fmt: skip
    """Say of what kind those stages are of which the export itself says too little."""
    texts = _stage_texts(frames, changes)
    names = [name for name, _why in error.unclear]
    texts = pd.concat([texts, pd.Series([n for n in names if n not in set(texts)], dtype=object)],
                      ignore_index=True)  # fmt: skip
    kinds = _asked(texts, None, desk, "; ".join(f"{name}: {why}" for name, why in error.unclear))
    assert mapping.stages is not None
    declared = mapping.stages.model_copy(update={"kinds": {**mapping.stages.kinds, **kinds}})
    return mapping.model_copy(update={"stages": declared})


def _asked(
    texts: "pd.Series", outcome: "pd.Series | None", desk: Desk, note: str = ""
) -> dict[str, str]:
    seen = stage_evidence(
        texts, outcome.reindex(texts.index) if outcome is not None else None, None
    )
    guess = guess_stages(seen)
    if not guess.unsure and desk.given_for(KEY) is None:
        return dict(guess.kinds)
    (answer,) = desk.decide(stage_question(replace(guess, note=note), seen.counts))
    return dict(read_stages(answer, tuple(seen.counts)))
