"""needs.xlsx to fill in: typed cells, made-up candidates, and what an article thinks of others."""

import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from salesops.model.selection import TOP, BadNeeds, Candidate, Needs
from salesops.model.selectionexample import example
from salesops.model.selectionwords import (
    CANDIDATE_HEADS,
    COMPANY_HEADS,
    COST_HEADS,
    COUNTED,
    ITEMS,
    NEED_HEADS,
    NO,
    NO_LIMIT,
    SHEETS,
    YES,
    Pair,
)
from salesops.wording import current_language
from salesops.wording.catalogue import FORMATS, say

# Rows below the heads for which cells are typed.
_ROWS = 60
_WIDTHS = {"note": 60, "need": 32, "candidate": 24, "item": 28}


def write_template(path: Path) -> None:
    """Write a file of needs to fill in, in the current language, in one step.

    Parameters
    ----------
    path
        An .xlsx that is not there yet.

    Raises
    ------
    BadNeeds
        The file is there already, or is named otherwise. Nothing is written.
    """
    if path.suffix.lower() != ".xlsx":
        fault = "a template is a workbook. Name it for example needs.xlsx."
        raise BadNeeds(where=str(path), faults=(fault,))
    if path.exists():
        fault = "the file is there already and stays as it is. Name another one, or move it away."
        raise BadNeeds(where=str(path), faults=(fault,))
    fresh = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        _workbook(example()).save(fresh)
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)


def _word(pair: Pair) -> str:
    return pair[0] if current_language() == "zh" else pair[1]


def _own(name: str) -> str:
    return FORMATS["own"](name)


def _workbook(made_up: Needs) -> Any:
    import openpyxl

    book = openpyxl.Workbook()
    book.remove(book.active)
    _needs(book, made_up)
    _candidates(book, made_up)
    _costs(book, made_up)
    _company(book)
    return book


def _needs(book: Any, made_up: Needs) -> None:
    rows = [
        {"need": _own(need.name), "counted": _word(COUNTED[need.counted]), "weight": need.weight,
         "note": "" if need.counted == "scored" else say(f"selection.template_{need.counted}")}
        for need in made_up.needs
    ]  # fmt: skip
    sheet = _sheet(book, "needs", NEED_HEADS, rows)
    _one_of(sheet, 2, [_word(pair) for pair in COUNTED.values()])
    _between(sheet, 3, 0, None)
    _between(sheet, 4, 0, TOP)


def _candidates(book: Any, made_up: Needs) -> None:
    scored = [need.name for need in made_up.needs if need.counted == "scored"]
    heads: dict[str, Pair] = {key: CANDIDATE_HEADS[key] for key in ("candidate", "compared")}
    heads |= {name: (_own(name), _own(name)) for name in scored}
    heads |= {key: CANDIDATE_HEADS[key] for key in ("said", "note")}
    sheet = _sheet(book, "candidates", heads, [_row(one) for one in made_up.candidates])
    _one_of(sheet, 2, [_word(YES), _word(NO)])
    for column in range(3, 4 + len(scored)):
        _between(sheet, column, 0, TOP)


def _row(candidate: Candidate) -> dict[str, Any]:
    """Give a candidate's cells; of systems that there are nothing but the article's opinion."""
    code = "selection.template_made_up" if candidate.is_compared else "selection.template_said"
    return {"candidate": _own(candidate.name), "note": say(code), "said": candidate.said,
            "compared": _word(YES if candidate.is_compared else NO),
            **candidate.scores}  # fmt: skip


def _costs(book: Any, made_up: Needs) -> None:
    rows = []
    for candidate in made_up.compared:
        offer = candidate.offer
        assert offer is not None  # the example's candidates have one
        cells = {key: getattr(offer, key) for key in COST_HEADS if hasattr(offer, key)}
        for key in ("stages", "users"):
            cells[key] = _word(NO_LIMIT) if math.isinf(cells[key]) else cells[key]
        rows.append({**cells, "candidate": _own(candidate.name),
                     "has_exits": _word(YES if offer.has_exits else NO),
                     "note": say("selection.template_made_up")})  # fmt: skip
    sheet = _sheet(book, "costs", COST_HEADS, rows)
    for column in range(2, 7):
        _between(sheet, column, 0, None)
    _between(sheet, 7, 1, None)
    _one_of(sheet, 10, [_word(YES), _word(NO)])


def _company(book: Any) -> None:
    rows = [{"item": _word(pair), "note": say(f"selection.template_{key}")}
            for key, pair in ITEMS.items()]  # fmt: skip
    _between(_sheet(book, "company", COMPANY_HEADS, rows), 2, 0, None)


def _sheet(
    book: Any, key: str, heads: Mapping[str, Pair], rows: Sequence[Mapping[str, Any]]
) -> Any:
    """Write one sheet: what it is for, heads, rows."""
    from openpyxl.styles import Alignment, Font
    from openpyxl.utils import get_column_letter

    sheet = book.create_sheet(_word(SHEETS[key]))
    sheet.append([say(f"selection.template_of_{key}")])
    sheet.append([_word(pair) for pair in heads.values()])
    for row in rows:
        cells = [row.get(name) for name in heads]
        sheet.append([None if cell == "" else cell for cell in cells])
    sheet.cell(1, 1).font = Font(italic=True, color="56616B")
    for column, name in enumerate(heads, start=1):
        top = sheet.cell(2, column)
        top.font, top.alignment = Font(bold=True), Alignment(vertical="top", wrap_text=True)
        sheet.column_dimensions[get_column_letter(column)].width = _WIDTHS.get(name, 16)
        for at in range(3, 3 + len(rows)):
            if isinstance(sheet.cell(at, column).value, float):
                sheet.cell(at, column).number_format = "#,##0.##"
    sheet.freeze_panes = "B3"
    return sheet


def _one_of(sheet: Any, column: int, words: Sequence[str]) -> None:
    from openpyxl.worksheet.datavalidation import DataValidation

    listed = ",".join(words)
    _typed(sheet, column, DataValidation(type="list", formula1=f'"{listed}"', allow_blank=True))


def _between(sheet: Any, column: int, least: float, most: float | None) -> None:
    from openpyxl.worksheet.datavalidation import DataValidation

    bounds = {"operator": "greaterThanOrEqual", "formula1": least}
    if most is not None:
        bounds = {"operator": "between", "formula1": least, "formula2": most}
    _typed(sheet, column, DataValidation(type="decimal", allow_blank=True, **bounds))


def _typed(sheet: Any, column: int, rule: Any) -> None:
    """Let a spreadsheet refuse what can't stand in a column."""
    from openpyxl.utils import get_column_letter

    rule.error, rule.showErrorMessage = say("selection.template_refused"), True
    letter = get_column_letter(column)
    rule.add(f"{letter}3:{letter}{2 + _ROWS}")
    sheet.add_data_validation(rule)
