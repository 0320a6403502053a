"""From a sheet as people keep it to a table of records, with all that was decided on the way."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from salesops.sources.grid import Grid, letters
from salesops.sources.heads import Head, column_name, find_head, is_month, is_typed
from salesops.sources.layout import Aside, Decision, Doubt, Hints, Layout, UnreadableFile
from salesops.sources.months import turned
from salesops.sources.shownas import as_shown
from salesops.sources.totals import sort_rows
from salesops.sources.units import Unit, may_say_unit, may_title_unit, unit_of_head, unit_of_title

# Rows at which old and new workbooks are full, so that an export may have been cut.
_FULL_SHEETS = (65_536, 1_048_576)
_MONTHS = 12
# A text that is a day in figures, whichever of its parts comes first.
_SLASHED = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](?:\d{4}|\d{2})(?:\s|$)")
_WHY = {
    "lost_digits": "is a number of more than 15 digits, of which a cell keeps 15; format the "
                   "column as text and export it again",
    "error": "is an error of the spreadsheet's; mend the formula",
    "no_result": "is a formula that was never computed; open the file in Excel or LibreOffice "
                 "and save it",
    "made_date": "is a date where others are texts; Excel may have made it of a text such as "
                 "5-20; format the column as text and type it again",
    "swapped": "is a date whose day and month a program may have swapped: all such dates of the "
               "column have days up to 12, and those after the 12th stayed texts; export it again "
               "with days as 2026-03-31, or as CSV that Excel did not open in between",
    "scaled": "is shown in a larger unit than it is stored in, and the head names a unit too; "
              "say the unit in the mapping (unit)",
}  # fmt: skip


def find_table(grid: Grid, hints: Hints) -> tuple[pd.DataFrame, Layout]:
    """Find the records of a sheet and their names.

    Parameters
    ----------
    grid
        The sheet as it stands in its file.
    hints
        What the mapping tells; the rest is found out.

    Returns
    -------
    tuple
        A frame of texts, one row per record, whose index is the number of the row; and what was
        decided and why.

    Raises
    ------
    UnreadableFile
        What can't be decided safely, with its place and the line of the mapping that decides it.
    """
    if not len(grid.frame):
        raise UnreadableFile(where=grid.where, reason="it is empty", mend="export it again.")
    head = find_head(grid, hints)
    lasts = [*head.rows, *(a.row for a in head.aside)]
    body = grid.frame.iloc[int(grid.frame.index.get_loc(max(lasts))) + 1 :]
    body, filled = _unmerged(grid, body)
    names = _names(grid, head, body)
    body = body[list(names)] if len(names) < body.shape[1] else body
    heads = [[str(t) for t in grid.frame.loc[row]] for row in lasts]
    body, down = _filled_down(body, names, hints)
    done = sort_rows(grid, body, heads, hints)
    frame = done.frame
    _refuse_ragged(grid, frame, head)
    unit = next((u for _, text in head.titles if (u := unit_of_title(text))), None)
    units: dict[str, Unit] = {n: u for n in names.values() if (u := unit_of_head(n))}
    units, asked = _shares(grid, frame, names, units)
    told = _told(grid, units, unit or "")
    shown = as_shown(grid, frame, names, units, title=unit or "",
                     months=[n for n in names.values() if is_month(n.split("/")[-1])])  # fmt: skip
    units |= shown.units
    layout = Layout(
        n_rows=len(grid.frame) + len(grid.told), n_kept=len(frame),
        aside=_aside(grid, head, done.aside), head_rows=head.rows, units=units, unit=unit or "",
        currencies=shown.currencies, separator=grid.separator,
        encoding=grid.encoding, epoch=grid.epoch, hidden=grid.hidden,
        decisions=(*head.decisions, *filled, *down, *done.decisions, *told, *shown.decisions),
        unclear=tuple(n for n in names.values() if unit_of_head(n) == "percent" and n not in units),
        unclear_money=_unclear_money(head, names, units),
        questions=(*asked, *_unfilled(grid, frame, names, hints)),
        doubts=(*_doubts(grid, frame, names, units), *shown.doubts),
    )  # fmt: skip
    named = frame.rename(columns=names)
    months = turned(grid, head, names, frame, hints)
    if months is None:
        return named, layout
    layout = replace(
        layout, n_kept=layout.n_kept - len(months.aside),
        aside=tuple(sorted(layout.aside + months.aside, key=lambda aside: aside.row)),
        units={n: u for n, u in units.items() if n in months.frame} | months.units,
        months=months.months, decisions=layout.decisions + months.decisions,
        unclear_money=_of_months(layout.unclear_money, months.months, months.frame),
        currencies={_of_months((n,), months.months, months.frame)[0]: code
                    for n, code in layout.currencies.items()},
        doubts=_doubts_of_months(layout.doubts, months.months, months.frame),
    )  # fmt: skip
    return months.frame, layout


def _aside(grid: Grid, head: Head, found: list[Aside]) -> tuple[Aside, ...]:
    told = [Aside(row, "told", text, "it tells a program the separator") for row, text in grid.told]
    titles = [Aside(row, "title", text, "it stands above the names") for row, text in head.titles]
    names = [
        Aside(row, "head", " | ".join(t for t in grid.frame.loc[row] if t)[:200], "the names")
        for row in head.rows
    ]
    everything = [*told, *titles, *names, *head.aside, *found]
    return tuple(sorted(everything, key=lambda aside: aside.row))


def _names(grid: Grid, head: Head, body: pd.DataFrame) -> dict[int, str]:
    """Name the columns; those that hold nothing at all are left away."""
    taken = {n for n in head.names.values() if n}
    names: dict[int, str] = {}
    for column in range(grid.frame.shape[1]):
        name = head.names.get(column, "")
        if name or (body[column] != "").any():
            names[column] = column_name(name, column, taken)
    twice = [n for n, count in Counter(names.values()).items() if count > 1]
    if twice:
        where = ", ".join(letters(c) for c, n in names.items() if n == twice[0])
        raise UnreadableFile(
            where=grid.where, mend="rename one of the two.",
            reason=f"the column {twice[0]!r} stands there twice (columns {where})",
        )  # fmt: skip
    return names


def _unmerged(grid: Grid, body: pd.DataFrame) -> tuple[pd.DataFrame, list[Decision]]:
    """Give the text of a cell that is merged over rows to each of them; a number counts once."""
    decisions: list[Decision] = []
    below = [m for m in grid.merges if m[0] < m[2] and m[0] in body.index]
    if not below:
        return body, []
    body = body.copy()
    words: list[str] = []
    numbers: list[str] = []
    for a, b, c, _d in below:
        text = body.at[a, b]
        place = f"{letters(b)}{a}:{letters(b)}{c}"
        if not text:
            continue
        if is_typed(text) and a not in grid.dates.get(b, ()):
            numbers.append(place)
            continue
        words.append(place)
        body.loc[(body.index >= a) & (body.index <= c), b] = text
    if words:
        what = f"{len(words)} merged cells stand for each of their rows"
        decisions.append(Decision(what, f"{grid.where} {words[0]}", "they hold words or dates"))
    if numbers:
        decisions.append(Decision(
            f"{len(numbers)} merged numbers count once, in their first row",
            f"{grid.where} {numbers[0]}", "their sum would grow if each row had them",
            "fill_down with the name of the column"))  # fmt: skip
    return body, decisions


def _filled_down(
    body: pd.DataFrame, names: dict[int, str], hints: Hints
) -> tuple[pd.DataFrame, list[Decision]]:
    chosen = [c for c, n in names.items() if n in hints.fill_down]
    if not chosen:
        return body, []
    body = body.copy()
    for column in chosen:
        body[column] = body[column].where(body[column] != "").ffill().fillna("")
    return body, [Decision(f"empty cells of {', '.join(hints.fill_down)} take the value above",
                           "mapping", "it says fill_down")]  # fmt: skip


def _refuse_ragged(grid: Grid, frame: pd.DataFrame, head: Head) -> None:
    """Refuse records of a text that have another number of values than the names."""
    if not grid.lengths:
        return
    width = grid.lengths.get(head.rows[-1], grid.frame.shape[1])
    wrong = [row for row in frame.index if grid.lengths.get(row, grid.frame.shape[1]) != width]
    if wrong:
        raise UnreadableFile(
            where=grid.where, mend="quote values that hold a separator or a line break.",
            reason=f"row {wrong[0]} has another number of values than the head ({width}); "
                   f"{len(wrong)} such rows",
        )  # fmt: skip


def _shares(
    grid: Grid, frame: pd.DataFrame, names: dict[int, str], units: dict[str, Unit]
) -> tuple[dict[str, Unit], list[Decision]]:
    """Tell 0.25 under a head with % that is shown as 25 % from one that is a quarter of one."""
    asked = []
    found = dict(units)
    for column, name in names.items():
        if units.get(name) != "percent":
            continue
        texts = frame[column]
        bare = texts[(texts != "") & ~texts.str.contains("[%％]", regex=True)]
        numbers = pd.to_numeric(bare, errors="coerce").abs()
        if column in grid.percents:
            found[name] = "one"
        elif len(bare) and not numbers.max() > 10:
            # Nothing is said, so that a mapping has to say it.
            del found[name]
            asked.append(Decision(
                f"are the numbers of {name!r} per cent or shares of one", grid.where,
                f"the largest is {numbers.max():g}; unit = \"percent\" or unit = \"one\" decides",
                'unit = "percent"', name))  # fmt: skip
    return found, asked


def _unclear_money(
    head: Head, names: dict[int, str], units: dict[str, Unit]
) -> tuple[str, ...]:  # fmt: skip
    """Name the columns whose head, or the title of all, may say a unit that is not understood."""
    titled = any(may_title_unit(text) for _, text in head.titles)
    return tuple(n for n in names.values() if n not in units and (titled or may_say_unit(n)))


def _told(grid: Grid, units: dict[str, Unit], unit: str) -> list[Decision]:
    said, change = "its head says so", 'unit = "one" at its column'
    told = [
        Decision(f"the unit of {name!r} is {u}", grid.where, said, change)
        for name, u in units.items()
        if u != "one"
    ]
    if unit and unit != "one":
        told.append(Decision(f"money is in {unit} where no head says another unit", grid.where,
                             "the title says so", 'unit = "one" at its column'))  # fmt: skip
    if grid.hidden:
        told.append(Decision(f"hidden sheets are not read: {', '.join(grid.hidden)}", grid.where,
                             "nobody sees them", "sheet with its name"))  # fmt: skip
    if grid.n_hidden_rows:
        what = f"{grid.n_hidden_rows} hidden rows are read like all others"
        told.append(Decision(what, grid.where, "a filter hides rows and takes none away"))
    if grid.encoding not in ("utf-8", "utf-8-sig", "xlsx"):
        told.append(Decision(f"its encoding is {grid.encoding}", grid.where,
                             "its bytes are in no other that is known", "encoding"))  # fmt: skip
    if int(grid.frame.index[-1]) in _FULL_SHEETS and grid.epoch:
        told.append(Decision("the sheet is full to its last row", grid.where,
                             "an export may have been cut there"))  # fmt: skip
    return told


def _unfilled(
    grid: Grid, frame: pd.DataFrame, names: dict[int, str], hints: Hints
) -> list[Decision]:
    """Ask of columns that look as if merged cells had been saved as text."""
    if grid.merges or not len(frame) >= 4 or (grid.epoch and grid.merges):
        return []
    asked = []
    for column, name in list(names.items())[:4]:
        texts = frame[column].iloc[:5000]
        filled = (texts != "").to_numpy(dtype=bool)
        share = filled.mean()
        words = [t for t in texts[filled] if not is_typed(t)]
        if name in hints.fill_down + hints.leave_empty or not filled[0] or not 0.02 <= share <= 0.6:
            continue
        if len(words) == filled.sum() == len(set(words)):
            asked.append(Decision(
                f"do empty cells of {name!r} stand for the value above", grid.where,
                "each value stands there once, in the first of some rows",
                f'fill_down = ["{name}"]', name))  # fmt: skip
    return asked


def _doubts(
    grid: Grid, frame: pd.DataFrame, names: dict[int, str], units: dict[str, Unit]
) -> tuple[Doubt, ...]:
    """Name the cells of records whose value may not be what was typed."""
    doubts = []
    rows = set(frame.index) if grid.marks else set()
    for mark in grid.marks:
        name = names.get(mark.column)
        if mark.row not in rows or name is None:
            continue
        # A number that is shown smaller is what it is, unless its head names a unit as well.
        if mark.kind == "scaled" and units.get(name, "one") == "one":
            continue
        doubts.append(Doubt(mark.row, name, mark.text, mark.kind, _WHY[mark.kind]))
    for column, dated in grid.dates.items():
        if column in names:
            doubts += _made_dates(frame, column, names[column], dated)
            doubts += _swapped_dates(frame, column, names[column], dated)
    return tuple(sorted(set(doubts), key=lambda doubt: (doubt.row, doubt.column)))


def _made_dates(frame: pd.DataFrame, column: int, name: str, dated: list[int]) -> list[Doubt]:
    rows = frame.index.intersection(dated)
    texts = frame[column]
    others = texts[(texts != "") & ~texts.index.isin(rows)]
    words = others[~others.map(is_typed).astype(bool)] if len(others) else others
    # One word in a column of dates is the odd one; it is a fault where dates are read.
    if not len(words):
        return []
    return [Doubt(int(r), name, str(texts[r]), "made_date", _WHY["made_date"]) for r in rows]


def _swapped_dates(frame: pd.DataFrame, column: int, name: str, dated: list[int]) -> list[Doubt]:
    """Doubt dates that a program made of texts in the order of days of another country.

    Of 03/02/2026 and 23/02/2026 it takes the first for the second of March and leaves the other.
    """
    rows = frame.index.intersection(dated)
    texts = frame[column]
    left = texts[(texts != "") & ~texts.index.isin(rows)].map(_SLASHED.match).dropna()
    if not len(left) or not len(rows):
        return []
    firsts = {int(found[1]) > _MONTHS for found in left}
    seconds = {int(found[2]) > _MONTHS for found in left}
    days = {int(texts[r][8:10]) for r in rows}
    if (firsts == {True}) == (seconds == {True}) or max(days) > _MONTHS:
        return []
    return [Doubt(int(r), name, str(texts[r]), "swapped", _WHY["swapped"]) for r in rows]


def _doubts_of_months(
    doubts: tuple[Doubt, ...], months: dict[str, str], frame: pd.DataFrame
) -> tuple[Doubt, ...]:
    """Doubts of a month's column are doubts of the values that it became."""
    columns = [_of_months((d.column,), months, frame) for d in doubts]
    return tuple(replace(d, column=c) for d, (c,) in zip(doubts, columns, strict=True))


def _of_months(
    names: Sequence[str], months: dict[str, str], frame: pd.DataFrame
) -> tuple[str, ...]:  # fmt: skip
    """Name the column of values instead of those of months that it was made of."""
    value = [n for n in frame.columns if n not in months][-1]
    return tuple(dict.fromkeys(value if name in months else name for name in names))
