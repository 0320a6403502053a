"""needs.xlsx: what a company asks of a CRM, its candidates and their costs, as filled in."""

import hashlib
import math
from collections.abc import Mapping
from pathlib import Path

from salesops.book.selectioncells import Faults, Grid, grid_of, workbook_of
from salesops.model.errors import nearest
from salesops.model.selection import (
    EXAMPLE,
    TOP,
    BadNeeds,
    Candidate,
    Counted,
    Given,
    Need,
    Needs,
    Offer,
)
from salesops.model.selectionexample import example
from salesops.model.selectionwords import (
    CANDIDATE_HEADS,
    COMPANY_HEADS,
    COST_HEADS,
    COUNTED,
    ITEMS,
    NEED_HEADS,
    NO_LIMIT,
    SHEETS,
    head,
    known,
    means,
)

_COUNTED = known(COUNTED)
# No need can be called as a column that the candidates have anyway.
_TAKEN = frozenset(known(CANDIDATE_HEADS))
# Columns of an offer -> what could stand there, for messages.
_AMOUNTS = {
    "user_year": "an amount of 0 or more, such as 1200",
    "year": "an amount of 0 or more, such as 20000",
    "once": "an amount of 0 or more, such as 150000",
    "deal_minutes": "minutes of 0 or more, such as 6",
    "day_minutes": "minutes of 0 or more, such as 10",
    "n_fields": "a number of 1 or more, such as 12",
    "stages": "a number of 1 or more, or: no limit (不限)",
    "users": "a number of 1 or more, or: no limit (不限)",
}
_FROM_ONE = frozenset({"n_fields", "stages", "users"})
_GIVEN = {
    "users": "a number of 1 or more, or nothing", "sellers": "a number of 1 or more, or nothing",
    "deals_a_year": "a number of 0 or more, or nothing",
    "working_days": "a number from 1 to 366, or nothing",
    "hour_pay": "an amount of 0 or more, or nothing",
}  # fmt: skip


def read_needs(where: str | Path) -> Needs:
    """Read a file of needs.

    Parameters
    ----------
    where
        Path of an .xlsx, looked for here and, where it is relative, in the folders above, so that a
        notebook finds it too; `example` gives the made-up example.

    Returns
    -------
    Needs
        Checked: two candidates or more are compared, each with all its figures.

    Raises
    ------
    BadNeeds
        All that is wrong, each with sheet, cell and remedy.

    Examples
    --------
    >>> len(read_needs("example").compared)
    3
    """
    if str(where) == EXAMPLE:
        return example()
    path = found_file(where)
    if not path.is_file():
        fault = "there is no such file. Write one to fill in, or mend the path."
        raise BadNeeds(where=str(where), faults=(fault,))
    raw = path.read_bytes()
    if raw[:2] != b"PK":
        fault = "it is no .xlsx workbook (or one with a password). Save it as .xlsx, without one."
        raise BadNeeds(where=str(path), faults=(fault,))
    faults = Faults(path.name)
    sheets = workbook_of(path, raw)
    asked = grid_of(sheets, "needs", NEED_HEADS, faults, needed=("need", "counted", "weight"))
    table = grid_of(sheets, "candidates", CANDIDATE_HEADS, faults,
                    needed=("candidate", "compared"))  # fmt: skip
    costs = grid_of(sheets, "costs", COST_HEADS, faults,
                    needed=("candidate", *_AMOUNTS, "has_exits"))  # fmt: skip
    own = [name for name in sheets if means(name, SHEETS["company"])]
    company = grid_of(sheets, "company", COMPANY_HEADS, faults,
                      needed=("item", "value")) if own else None  # fmt: skip
    needs = {} if asked is None else _needs(asked)
    candidates = {} if table is None else _candidates(table, needs, has_needs=asked is not None)
    offers = {} if costs is None else _offers(costs, candidates)
    given = Given() if company is None else _given(company)
    faults.refuse()
    whole = [_with_offer(candidate, offers) for candidate in candidates.values()]
    return Needs(needs=tuple(needs.values()), candidates=tuple(whole), given=given, file=path.name,
                 fingerprint=hashlib.sha256(raw).hexdigest()[:8])  # fmt: skip


def found_file(where: str | Path) -> Path:
    """Give the path of a file that lies here or, where it is relative, in a folder above."""
    path = Path(where)
    if path.is_absolute():
        return path
    places = [folder / path for folder in (Path(), *Path.cwd().parents)]
    return next((place for place in places if place.is_file()), path)


def _needs(grid: Grid) -> dict[str, Need]:
    """Read what is asked, with weights."""
    found: dict[str, Need] = {}
    faults, columns = grid.faults, grid.heads
    n_before = len(faults.told)
    for row in grid.filled():
        name = grid.name_in(row, "need", found, "need")
        word = head(grid.cell(row, columns["counted"]))
        counted: Counted = _COUNTED.get(word, "scored")  # type: ignore[assignment]
        if word not in _COUNTED:
            mend = f"Write {', '.join(f'{en} ({zh})' for zh, en in COUNTED.values())}."
            faults.add(grid.at(row, columns["counted"]),
                       f"{word!r} is no way to count a need", mend)  # fmt: skip
        elif counted != "scored" and any(one.counted == counted for one in found.values()):
            faults.add(grid.at(row, columns["counted"]), f"{word!r} stands there twice",
                       "Keep one of the two rows.")  # fmt: skip
        if head(name) in _TAKEN:
            faults.add(grid.at(row, columns["need"]),
                       f"{name!r} heads another column of the sheet of candidates",
                       "Call the need otherwise.")  # fmt: skip
            name = ""
        weight = grid.number(row, columns["weight"], example="a weight of 0 or more, such as 20")
        least = math.nan
        if "minimum" in columns:
            least = grid.number(row, columns["minimum"], none_is=math.nan, most=TOP,
                                example="a score from 0 to 10, or nothing")  # fmt: skip
        if name:
            found[name] = Need(name=name, counted=counted, weight=weight,
                               minimum=None if math.isnan(least) else least)  # fmt: skip
    if len(faults.told) == n_before and not sum(need.weight for need in found.values()) > 0:
        faults.add(grid.at(grid.first, columns["weight"]), "no need has a weight above 0",
                   "Write the needs and what each counts.")  # fmt: skip
    return found


def _candidates(grid: Grid, needs: Mapping[str, Need], *, has_needs: bool) -> dict[str, Candidate]:
    """Read the candidates; each that is compared has a score for each need that is scored."""
    faults = grid.faults
    scored = [name for name, need in needs.items() if need.counted == "scored"]
    columns = {name.casefold(): j for name, j in grid.others.items()}
    places = {name: columns[name.casefold()] for name in scored
              if name.casefold() in columns}  # fmt: skip
    heads_at = grid.first - 1
    for name in (one for one in scored if one not in places):
        faults.add(grid.at(heads_at), f"the need {name!r} has no column",
                   "Head a column with exactly its name.")  # fmt: skip
    for name, j in grid.others.items() if has_needs else ():
        if name.casefold() not in {one.casefold() for one in scored}:
            near = nearest(name, tuple(scored)) or "none"
            faults.add(grid.at(heads_at, j), f"{name!r} is no need that is scored; nearest: {near}",
                       "Rename the column, or take it away.")  # fmt: skip
    found: dict[str, Candidate] = {}
    n_before = len(faults.told)
    for row in grid.filled():
        name = grid.name_in(row, "candidate", found, "candidate")
        is_compared = grid.yes(row, grid.heads["compared"])
        said = math.nan
        if "said" in grid.heads:
            said = grid.number(row, grid.heads["said"], none_is=math.nan, most=TOP,
                               example="the article's score from 0 to 10, or nothing")  # fmt: skip
        scores = {
            need: grid.number(row, j, most=TOP, example="a score from 0 to 10")
            for need, j in places.items() if is_compared
        }  # fmt: skip
        if name:
            found[name] = Candidate(name=name, is_compared=is_compared, scores=scores,
                                    said=None if math.isnan(said) else said)  # fmt: skip
    n = sum(candidate.is_compared for candidate in found.values())
    if len(faults.told) == n_before and n < 2:
        faults.add(grid.at(grid.first, grid.heads["compared"]),
                   f"{n} of {len(found)} candidates are compared",
                   "Write yes for two or more.")  # fmt: skip
    return found


def _offers(grid: Grid, candidates: Mapping[str, Candidate]) -> dict[str, Offer]:
    """Read what the compared candidates cost and can hold."""
    faults, by_name = grid.faults, {name.casefold(): name for name in candidates}
    found: dict[str, Offer] = {}
    seen: dict[str, int] = {}
    for row in grid.filled():
        written = grid.name_in(row, "candidate", seen, "row")
        name = by_name.get(written.casefold(), "")
        seen[written] = row
        if written and not name and candidates:
            near = nearest(written, tuple(candidates))
            faults.add(grid.at(row, grid.heads["candidate"]),
                       f"{written!r} is no candidate of the other sheet; nearest: {near}",
                       "Write the same name on both.")  # fmt: skip
        if name and candidates[name].is_compared:
            found[name] = _offer(grid, row)
    for name, candidate in candidates.items():
        if candidate.is_compared and name not in found:
            faults.add(f"sheet {grid.name}", f"{name!r} is compared and has no row",
                       "Add a row with its costs.")  # fmt: skip
    return found


def _offer(grid: Grid, row: int) -> Offer:
    amounts = {key: _amount(grid, row, key, example) for key, example in _AMOUNTS.items()}
    return Offer(**amounts, has_exits=grid.yes(row, grid.heads["has_exits"]))


def _amount(grid: Grid, row: int, key: str, example: str) -> float:
    column = grid.heads[key]
    if key in ("stages", "users") and means(grid.cell(row, column), NO_LIMIT):
        return math.inf
    return grid.number(row, column, example=example, least=1.0 if key in _FROM_ONE else 0.0)


def _with_offer(candidate: Candidate, offers: Mapping[str, Offer]) -> Candidate:
    return Candidate(name=candidate.name, is_compared=candidate.is_compared, said=candidate.said,
                     scores=candidate.scores, offer=offers.get(candidate.name))  # fmt: skip


def _given(grid: Grid) -> Given:
    """Read what the company knows better than its book."""
    items, column = known(ITEMS), grid.heads["value"]
    found: dict[str, float] = {}
    for row in grid.filled():
        word = head(grid.cell(row, grid.heads["item"]))
        key = items.get(word)
        if key is None or key in found:
            reason = f"{word!r} stands there twice" if key else f"{word!r} is no such item"
            mend = f"Write one of: {', '.join(en for _zh, en in ITEMS.values())}."
            grid.faults.add(grid.at(row, grid.heads["item"]), reason, mend)
            continue
        least = 1.0 if key in ("users", "sellers", "working_days") else 0.0
        most = 366.0 if key == "working_days" else math.inf
        found[key] = grid.number(row, column, example=_GIVEN[key], least=least, most=most,
                                 none_is=math.nan)  # fmt: skip
    return Given(**found)
