"""A mapping for an export of no known system: proposed from names, types and values, then asked."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from salesops.model.errors import SalesopsError
from salesops.sources.claims import MONEY_TITLE
from salesops.sources.currencies import code_of, currencies_in
from salesops.sources.guessing import SURE, Choice, Guess, guesses
from salesops.sources.mapping import Mapping, Rows, Stages
from salesops.sources.mappingtext import mapping_toml
from salesops.sources.proposedlogs import (
    fields_of,
    history_of,
    stages_in_log,
    with_stages_of_logs,
)
from salesops.sources.proposedrows import people_and_customers, rows_of
from salesops.sources.questions import BadAnswer, Desk, Question
from salesops.sources.seeing import Look, Seen
from salesops.sources.stagetexts import settled_stages, stages_of_deals
from salesops.sources.synonyms import catalogue

NAME = "own"
# Columns on which every report depends; of the others one that is not certain is left out.
_WEIGHTY = ("id", "stage", "amount", "created_at", "expected_close_on", "closed_at", "owner_id",
            "account_id")  # fmt: skip
NONE = "none"
_MEANINGS = {
    "id": "the number or code that names a deal", "stage": "the stage in the sales process",
    "amount": "the value of the deal", "created_at": "when the deal was entered",
    "expected_close_on": "when it is expected to be signed",
    "closed_at": "when it was won or lost", "owner_id": "the person who owns it",
    "account_id": "the customer",
}  # fmt: skip
# A second sheet that fits nearly as well leaves it open which of them holds the deals.
_CLEAR = 0.3


@dataclass(eq=False, kw_only=True)
class NoDeals(SalesopsError, LookupError):
    """Nothing in an export looks like deals, nor like a log of changes."""

    where: str
    sheets: tuple[tuple[str, tuple[str, ...]], ...]
    unreadable: tuple[str, ...] = ()

    def __str__(self) -> str:
        lost = "".join(f"  not read: {reason}\n" for reason in self.unreadable)
        listed = "\n".join(
            f"  {where}: {', '.join(heads[:10])}{' …' if len(heads) > 10 else ''}"
            for where, heads in self.sheets
        )
        return (
            f"Nothing in {self.where} looks like deals:\n{listed}\n{lost}"
            "Expected: a sheet with a column for the stage (阶段, Stage) and one for the amount, a "
            "date or the customer; or a log with an id, a time, and a stage or a changed field.\n"
            "Name the columns yourself: --answer stage=COLUMN --answer amount=COLUMN, or give a "
            "mapping file with --source."
        )


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """A mapping that was made for one export, with the reasons.

    Attributes
    ----------
    mapping
        What was settled.
    reasons
        Why a column was chosen, by canonical table and column.
    notes
        What else a person should know before they say yes, a line each.
    """

    mapping: Mapping
    reasons: dict[tuple[str, str], str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The mapping as TOML."""
        return mapping_toml(self.mapping, self.reasons)


def propose(look: Look, desk: Desk, where: str) -> Proposal:
    """Propose a mapping for an export, asking only what its data leave open.

    Parameters
    ----------
    look
        What was seen of it.
    desk
        Where questions are put.
    where
        Names the export.

    Raises
    ------
    NoDeals
        No sheet can be deals, or a log of their changes.
    Unanswered, BadAnswer
        A question has no answer, or none that may be given.
    """
    told = _told(look, desk)
    sheets = [_with_months_beside_deals(sheet, told) for sheet in look.sheets]
    look = Look(sheets, look.unreadable)
    seen = {sheet.where: guesses(sheet, told) for sheet in look.sheets}
    deals = _deals(look, seen, desk)
    title = Path(where).stem or NAME
    if not deals:
        log = next((g for found in seen.values() for g in found[:1] if g.table == "changes"), None)
        if log is None:
            lost = tuple(f"{e.where}: {e.reason}; {e.mend}" for e in look.unreadable)
            raise NoDeals(where=where, sheets=tuple((s.where, s.heads) for s in look.sheets),
                          unreadable=lost)  # fmt: skip
        return _from_log(log, desk, title)
    deals = [_settled(guess, desk) for guess in deals]
    taken = {guess.seen.where for guess in deals}
    others = [found[0] for sheet, found in seen.items()
              if found and sheet not in taken and found[0].table != "opportunities"]  # fmt: skip
    return _from_tables(deals, others, desk, title)


def _with_months_beside_deals(sheet: Seen, told: dict[str, str]) -> Seen:
    """Keep months as columns where the other columns are those of deals.

    A deal with what it pays in each month is one deal, not one per month.
    """
    if not sheet.read.layout.months or sheet.hints.month_columns or sheet.path is None:
        return sheet
    kept = sheet.laid_otherwise(replace(sheet.hints, month_columns="keep"))
    found = guesses(kept, told)
    return kept if found and found[0].table == "opportunities" else sheet


def _told(look: Look, desk: Desk) -> dict[str, str]:
    """Take the columns that answers name: `stage=阶段`; `stage=none` is a column of none."""
    heads = tuple(dict.fromkeys(head for sheet in look.sheets for head in sheet.heads))
    told = {}
    for column in catalogue().tables["opportunities"].columns:
        value = desk.given_for(column)
        if value is None:
            continue
        if value != NONE and value not in heads:
            raise BadAnswer(key=column, value=value, known=heads,
                            reason="the export has no such column")  # fmt: skip
        told[column] = "" if value == NONE else value
    return told


def _deals(look: Look, seen: dict[str, list[Guess]], desk: Desk) -> list[Guess]:
    """Find the sheets of deals: those of one shape stand under each other."""
    found = [g for sheet in seen.values() for g in sheet[:1] if g.table == "opportunities"]
    if not found:
        found = [g for sheet in seen.values() for g in sheet if g.table == "opportunities"]
    if not found:
        return []
    shapes: dict[tuple[str, ...], list[Guess]] = {}
    for guess in found:
        shapes.setdefault(guess.seen.heads, []).append(guess)
    ranked = sorted(shapes.values(), key=lambda same: -same[0].score)
    chosen = ranked[0]
    if len(ranked) > 1:
        names = [same[0].seen.where for same in ranked]
        clear = ranked[0][0].score - ranked[1][0].score >= _CLEAR
        told = desk.given_for("deals")
        if told is not None or not clear:
            (answer,) = desk.decide(Question(
                key="deals", text="Which sheet holds the deals?", candidates=tuple(names),
                default=names[0],
                evidence=tuple(f"{same[0].seen.where}: {len(same[0].seen.frame)} rows, "
                               f"{', '.join(same[0].seen.heads[:8])}" for same in ranked),
            ))  # fmt: skip
            chosen = ranked[names.index(answer)]
    return chosen


def _settled(guess: Guess, desk: Desk) -> Guess:
    """Ask about the weighty columns that are not certain; leave out the others."""
    open_ = {c: choice for c, choice in guess.choices.items()
             if c in _WEIGHTY and not choice.is_sure and choice.why != "as you said"}  # fmt: skip
    questions = [_column_question(guess.seen, c, choice) for c, choice in open_.items()]
    answers = dict(zip(open_, desk.decide(*questions), strict=True)) if questions else {}
    choices = {}
    for column, choice in guess.choices.items():
        answer = answers.get(column, choice.head)
        if answer == NONE:
            continue
        if column in answers:
            choices[column] = Choice(head=answer, score=1.0, why="as you said")
        elif choice.score >= SURE:
            choices[column] = choice
    return Guess(guess.seen, guess.table, guess.score, choices, guess.beside)


def _column_question(seen: Seen, column: str, choice: Choice) -> Question:
    heads = (choice.head, *choice.rivals)
    return Question(
        key=column, candidates=(*heads, NONE), default=choice.head,
        text=f"Which column is {column}, {_MEANINGS[column]}?",
        evidence=tuple(
            f"{head}: {seen.profiles[head].looks}, such as "
            f"{', '.join(seen.profiles[head].samples) or 'nothing'}" for head in heads
        ),
    )  # fmt: skip


def _from_tables(
    deals: Sequence[Guess], others: Sequence[Guess], desk: Desk, title: str
) -> Proposal:
    reasons: dict[tuple[str, str], str] = {}
    notes: list[str] = []
    tables: dict[str, list[Rows]] = {}
    logs = [g for g in others if g.table == "changes" and _tells_of(g, deals[0])]
    stages = settled_stages(with_stages_of_logs(stages_of_deals(deals), logs), desk)
    for guess in deals:
        rows, why, told = rows_of(guess, deals[0], desk, stages)
        tables.setdefault("opportunities", []).append(rows)
        reasons |= why
        notes += told
    histories = []
    for guess in others:
        if guess.table == "changes":
            if guess not in logs:
                notes.append(f"{guess.seen.where} is a log, but not of these deals: its ids are "
                             "others.")  # fmt: skip
                continue
            histories.append(history_of(guess, desk, makes_rows=False))
            reasons |= {("changes", c): choice.why for c, choice in guess.choices.items()}
            continue
        rows, why, told = rows_of(guess, deals[0], desk, stages)
        tables.setdefault(guess.table, []).append(rows)
        reasons |= why
        notes += told
    made = people_and_customers(deals, tables)
    whole = {**{name: tuple(rows) for name, rows in tables.items()},
             **{name: tuple(rows) for name, rows in made.items()}}  # fmt: skip
    mapping = Mapping(
        name=NAME, title=title, tables=whole,
        recognised_by={_pattern(g.seen): tuple(c.head for c in g.choices.values()) for g in deals},
        stages=Stages(kinds=dict(stages)) if stages else None, history=tuple(histories),
        currency=settled_currency(deals, desk),
    )  # fmt: skip
    return Proposal(mapping=mapping, reasons=reasons, notes=tuple(dict.fromkeys(notes)))


def _tells_of(log: Guess, deals: Guess) -> bool:
    """Say whether most ids of a log are those of the deals."""
    if "id" not in deals.choices:
        return False
    ids = log.seen.frame[log.choices["entity_id"].head]
    known = set(deals.seen.frame[deals.choices["id"].head])
    return bool(len(ids)) and float(ids.isin(known).mean()) >= 0.5


def _from_log(log: Guess, desk: Desk, title: str) -> Proposal:
    """Make a book of a log alone: its deals are the ids that stand in it."""
    history = history_of(log, desk, makes_rows=True)
    stages = settled_stages(stages_in_log(log), desk)
    mapping = Mapping(
        name=NAME, title=title, tables={}, history=(history,),
        recognised_by={_pattern(log.seen): tuple(c.head for c in log.choices.values())},
        stages=Stages(kinds=dict(stages)) if stages else None,
        currency=settled_currency([log], desk),
    )  # fmt: skip
    reasons = {("opportunities", column): "of the log" for column in history.fields}
    notes = (
        "There are no deals beside the log: each id in it counts as one, created with its first "
        "entry, with the last value of each field.",
    )
    return Proposal(mapping=mapping, reasons=reasons, notes=notes)


def _pattern(seen: Seen) -> str:
    return f"{seen.file}#{seen.sheet}" if seen.sheet is not None else seen.file


KEY_CURRENCY = "currency_code"
# Signs beside fewer of the amounts may be those of a few deals.
_MOST_SIGNED = 0.5


def settled_currency(deals: Sequence[Guess], desk: Desk) -> str:
    """Say in which currency amounts are: by their signs, else by the language of the heads."""
    if "amount" not in deals[0].choices:
        return _currency_of_log(deals[0], desk)
    told = desk.given_for(KEY_CURRENCY)
    if "currency" in deals[0].choices and told is None:
        found = deals[0].profile_of("currency")
        codes = {code_of(text) for text in (found.common if found else ())}
        if len(codes) == 1 and (code := codes.pop()):
            return code
    said = [_signs(guess) for guess in deals if "amount" in guess.choices]
    signs = list(dict.fromkeys(code for codes, _is_sure in said for code in codes))
    if len(signs) == 1 and all(is_sure for _codes, is_sure in said) and told is None:
        return signs[0]
    evidence = [_money_seen(guess) for guess in deals if "amount" in guess.choices]
    return _asked_currency(desk, signs[0] if signs else "", *dict.fromkeys(evidence))


def _signs(guess: Guess) -> tuple[list[str], bool]:
    """List the currencies of the amounts of a sheet, and say whether all are surely in one."""
    head = guess.choices["amount"].head
    layout, common = guess.seen.read.layout, guess.seen.profiles[head].common
    titles = [a.text for a in layout.aside if a.kind == "title" and MONEY_TITLE.search(a.text)]
    shown = layout.currencies.get(head)
    above = currencies_in(" ".join([*titles, head])) or ([shown] if shown else [])
    beside = [currencies_in(text) for text in common]
    codes = list(dict.fromkeys([*above, *(code for found in beside for code in found)]))
    if not above and _is_chinese(guess.seen) and set(codes) <= {"CNY"}:
        return ["CNY"], True
    n_signed = sum(bool(found) for found in beside)
    return codes, len(codes) == 1 and bool(above or n_signed >= _MOST_SIGNED * len(common))


def _money_seen(guess: Guess) -> str:
    head = guess.choices["amount"].head
    return f"{guess.seen.where}: {head}, such as {', '.join(guess.seen.profiles[head].samples)}"


def _currency_of_log(guess: Guess, desk: Desk) -> str:
    told = desk.given_for(KEY_CURRENCY)
    if told is None and (_is_chinese(guess.seen) or "field" not in guess.choices):
        return "CNY" if _is_chinese(guess.seen) else ""
    if told is None and "amount" not in fields_of(guess).values():
        return ""
    return _asked_currency(desk, "", "the log names amounts without a currency")


def _asked_currency(desk: Desk, likely: str, *evidence: str) -> str:
    (answer,) = desk.decide(Question(
        key=KEY_CURRENCY, text="In which currency are the amounts? (ISO code, such as CNY)",
        default=likely, evidence=evidence,
    ))  # fmt: skip
    if not re.fullmatch("[A-Z]{3}", answer):
        raise BadAnswer(key=KEY_CURRENCY, value=answer, reason="it is no ISO code of a currency",
                        known=("CNY", "USD", "EUR", "HKD"))  # fmt: skip
    return answer


def _is_chinese(seen: Seen) -> bool:
    return any("\u4e00" <= c <= "\u9fff" for head in seen.heads for c in head)
