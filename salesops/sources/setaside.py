"""Rows that can't be read: set aside with their reason, to be corrected and imported again."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import pandas as pd

from salesops.book.registercells import plain_text, safe_text
from salesops.model.errors import BadRows, SalesopsError
from salesops.sources.parsing import Fault
from salesops.sources.readers import Sheet, read_sheet
from salesops.sources.report import FILE

# Of the rows of a sheet so many may be broken; where more are, it is rather the mapping.
MOST = 0.05
_PROBLEM, _FILE, _ROW = "salesops_problem", "salesops_file", "salesops_row"
# Of a row of the file that became several, such as one per month, which: `12#3` is the third.
_PART = "#"
# Sheet -> row of the file, and which of those that it became -> column -> what a person wrote.
Corrected: TypeAlias = dict[str, dict[tuple[int, int], dict[str, str]]]


@dataclass(eq=False, kw_only=True)
class BadCorrections(SalesopsError, ValueError):
    """A file of corrected rows does not say which rows it corrects."""

    where: str
    reason: str

    def __str__(self) -> str:
        return (
            f"{self.where} can't be used as corrections: {self.reason}.\n"
            f"Expected: the {FILE} that an import wrote into its book, with its columns {_FILE} "
            f"and {_ROW}.\n"
            f"Correct the values there, keep these columns, and give it with the same export: "
            f"salesops import EXPORT --corrected BOOK/{FILE} --into BOOK."
        )


def refuse_too_many(
    where: str, faults: Sequence[Fault], read: Mapping[str, int], *, strict: bool
) -> None:
    """Refuse an export of which more than a few rows can't be read.

    Raises
    ------
    BadRows
        A sheet has more faults than may be set aside, or a fault is of no single row; all faults
        are shown.
    """
    if not faults:
        return
    rows: dict[str, set[int]] = {}
    for fault in faults:
        rows.setdefault(fault.where, set()).add(fault.row)
    over = [(place, len(found)) for place, found in rows.items()
            if 0 in found or len(found) > MOST * read.get(place, 0)]  # fmt: skip
    if not strict and not over:
        return
    mend = (
        "correct these values in the export, or write the mapping to a file (--mapping-out "
        "my.toml), map them there (values, dates, corrections), and give it with --source my.toml."
    )
    if strict:
        mend += f" Without --strict up to {MOST:.0%} of the rows of a sheet are set aside."
    else:
        told = "; ".join(f"{n} of {read.get(place, 0)} rows of {place}" for place, n in over)
        mend += (
            f" A few broken rows are set aside, but here they are {told}: more than {MOST:.0%} "
            "mean that the mapping is wrong rather than the rows."
        )
    shown = tuple(
        (f"{f.where} row {f.row}" if f.row else f.where, f.column, f.value, f.problem)
        for f in faults
    )
    raise BadRows(
        where=where, rows=shown, n=len(shown), mend=mend,
        expected="numbers, dates as 2026-03-31, one row per id, and stages of the settings.",
    )  # fmt: skip


def aside_text(faults: Sequence[Fault], sheets: Sequence[Sheet]) -> str:
    """Write the rows that were set aside as CSV, each once, with all that is wrong with it.

    A row of the file that became several is written as these. The mark at the beginning tells Excel
    the encoding; no cell begins a formula.
    """
    reasons: dict[tuple[str, int], list[str]] = {}
    for fault in faults:
        why = f"{fault.column}: {fault.value!r} {fault.problem}".replace(": '' ", " ")
        reasons.setdefault((fault.where, fault.row), []).append(why)
    by_place: dict[str, pd.DataFrame] = {}
    for sheet in sheets:
        # Of a sheet that was read in two ways the first, as in what is corrected.
        by_place.setdefault(sheet.where, sheet.frame)
    places = [p for p in by_place if any(where == p for where, _row in reasons)]
    columns = list(dict.fromkeys(c for p in places for c in by_place[p].columns))
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([_PROBLEM, _FILE, _ROW, *map(safe_text, columns)])
    for (place, row), said in sorted(reasons.items(), key=lambda item: item[0]):
        frame = by_place[place]
        records = frame.loc[[row]].to_dict("records")
        for number, record in enumerate(records, start=1):
            shown = row if len(records) == 1 else f"{row}{_PART}{number}"
            values = [record.get(c) for c in columns]
            cells = ["" if v is None else safe_text(str(v)) for v in values]
            writer.writerow([safe_text("; ".join(dict.fromkeys(said))), place, shown, *cells])
    return "\ufeff" + out.getvalue()


def refuse_other_rows(path: str | Path, corrected: Corrected, sheets: Sequence[Sheet]) -> None:
    """Refuse corrections of rows that an export does not have: they are of another one.

    Raises
    ------
    BadCorrections
        There is such a row.
    """
    there: dict[str, set[int]] = {}
    for sheet in sheets:
        there.setdefault(sheet.where, set()).update(
            sheet.frame.index if sheet.where in corrected else ()
        )
    for place, rows in corrected.items():
        other = [row for row, _part in rows if row not in there.get(place, set())]
        if other:
            raise BadCorrections(
                where=str(path), reason=f"row {other[0]} of {place} is not in this export"
            )


def read_corrected(path: str | Path) -> Corrected:
    """Read rows that a person corrected, by sheet, row and column.

    Raises
    ------
    BadCorrections
        It lacks the columns by which rows are found again, or names a row twice.
    UnreadableFile
        It is no table.
    """
    file = Path(path)
    if not file.is_file():
        raise BadCorrections(where=str(path), reason="there is no such file")
    frame = read_sheet(file).frame
    if not {_FILE, _ROW} <= set(frame.columns):
        raise BadCorrections(where=str(path), reason=f"it has no columns {_FILE} and {_ROW}")
    columns = {plain_text(c): c for c in frame.columns if c not in (_PROBLEM, _FILE, _ROW)}
    found: Corrected = {}
    for record in frame.to_dict("records"):
        place, row = str(record[_FILE]), str(record[_ROW])
        whole, sep, part = row.partition(_PART)
        if not whole.isdecimal() or (sep and not part.isdecimal()):
            raise BadCorrections(where=str(path), reason=f"{row!r} in {_ROW} is no row number")
        rows = found.setdefault(place, {})
        key = (int(whole), int(part or 1))
        if key in rows:
            raise BadCorrections(where=str(path), reason=f"row {row} of {place} stands there twice")
        rows[key] = {c: plain_text(str(record[head])) for c, head in columns.items()}
    return found
