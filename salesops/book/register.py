"""The register of the review: actions, snags and decisions as people keep them, read and written.

It is the canonical table `actions` as a CSV beside the book that is edited by hand, in Excel too.
Reading tells what was written otherwise than it was read, and refuses what can't be meant, all at
once; writing keeps the heads, their order and the columns that people added.
"""

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa

from salesops.book.registercells import (
    KINDS,
    STATUSES,
    Order,
    Unclear,
    day_of,
    moment_of,
    number_of,
    number_text,
    order_of,
    plain_text,
    safe_text,
    told_word,
    word_of,
)
from salesops.book.registerfile import HEADS, BadAction, BadRegister, Grid, read_grid, write_grid
from salesops.book.registerrows import Known, Values, row_faults
from salesops.model.calendar import Calendar
from salesops.model.errors import BadRows
from salesops.model.tables import ibis_schema

_DAYS, _INSTANTS, _NUMBERS = ("due_on", "done_on"), ("created_at",), ("baseline", "expected_effect")
_WORDS = {"kind": KINDS, "status": STATUSES}
_OWN_ID = re.compile(r"M(\d{1,12})")


@dataclass(frozen=True, kw_only=True)
class Reading:
    """A cell that was read as something else than stands there."""

    line: int
    column: str
    written: str
    read: str


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row: its values by canonical column, and the cells of columns that people added."""

    line: int
    values: Values
    added: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Register:
    """A register as it was read.

    Attributes
    ----------
    heads
        As people wrote them, in their order.
    columns
        The canonical column of each head; None for those that people added.
    rows
        In the order of the file; each has an id.
    readings
        What was read otherwise than it is written.
    """

    heads: tuple[str, ...]
    columns: tuple[str | None, ...]
    rows: tuple[Row, ...] = ()
    readings: tuple[Reading, ...] = ()

    def row(self, id_: str) -> Row | None:
        """Look a row up by its id."""
        return next((row for row in self.rows if row.values["id"] == id_), None)


def new_register() -> Register:
    """Give a register without rows, under the canonical heads.

    Examples
    --------
    >>> new_register().heads[:3]
    ('id', 'kind', 'finding_id')
    """
    return Register(heads=tuple(HEADS), columns=tuple(HEADS))


def read_register(data: bytes, where: str, known: Known) -> Register:
    r"""Read a register as people keep it.

    Parameters
    ----------
    data
        The file's bytes, in UTF-8, UTF-16 or GB18030, with comma, semicolon or tab.
    where
        Path, for messages.
    known
        What a row may speak of.

    Returns
    -------
    Register
        Rows with canonical values; those without an id have the next one.

    Raises
    ------
    BadRegister
        The file is no register.
    BadRows
        Rows can't be meant as they stand: all of them, ten with their line.

    Examples
    --------
    >>> known = Known(calendar=Calendar("Asia/Shanghai"))
    >>> text = "编号,类型,截止日,状态,备注\n,问题,2026/3/5,进行中,合同模板要盖章三次\n"
    >>> read = read_register(text.encode(), "actions.csv", known)
    >>> read.rows[0].values["id"], str(read.rows[0].values["due_on"]), read.rows[0].values["status"]
    ('M000001', '2026-03-05', 'open')
    """
    grid = read_grid(data, where)
    rows, readings, faults = _cells(grid, known.calendar)
    rows, numbered = _with_ids(rows, known.last)
    readings += numbered
    checked = []
    for row in rows:
        values, told, wrong = row_faults(row.values, known)
        checked.append(replace(row, values=values))
        readings += [Reading(line=row.line, column=c, written=w, read=r) for c, w, r in told]
        # What can't be read has been told already.
        faults += [(row.line, *one) for one in wrong if (row.line, one[0]) not in
                   {(line, column) for line, column, *_rest in faults}]  # fmt: skip
    faults += _repeated(checked)
    if faults:
        raise _bad_rows(where, faults)
    order = {row.line: n for n, row in enumerate(checked)}
    return Register(heads=grid.heads, columns=grid.columns, rows=tuple(checked),
                    readings=tuple(sorted(readings, key=lambda r: order[r.line])))  # fmt: skip


def _bad_rows(where: str, faults: Sequence[tuple[int, str, str, str]]) -> BadRows:
    found = sorted(faults, key=lambda fault: fault[0])
    return BadRows(
        where=where, n=len(found),
        rows=tuple((f"line {line}", column, value, problem)
                   for line, column, value, problem in found),
        expected="one row per id, kinds action, snag, decision, statuses open, done, late, "
                 "dropped, dates as 2026-03-05, people, teams and metrics that there are.",
        mend="correct these cells in the file (nothing was changed), then look with: "
             "salesops actions BOOK check.",
    )  # fmt: skip


def _cells(
    grid: Grid, calendar: Calendar
) -> tuple[list[Row], list[Reading], list[tuple[int, str, str, str]]]:
    """Read every cell by itself."""
    orders = {
        column: order_of(row[at] for row in grid.rows)
        for at, column in enumerate(grid.columns)
        if column in (*_DAYS, *_INSTANTS)
    }
    rows, readings, faults = [], [], []
    for line, cells in zip(grid.lines, grid.rows, strict=True):
        values: dict[str, Any] = dict.fromkeys(c for c in grid.columns if c)
        for head, column, cell in zip(grid.heads, grid.columns, cells, strict=True):
            if column is None or not cell.strip():
                continue
            try:
                value = _value(column, cell, orders.get(column, "unknown"), grid, calendar)
            except Unclear as unclear:
                faults.append((line, column, cell.strip(), str(unclear)))
                continue
            values[column] = value
            told = _text(value, column, head, calendar)
            if not _same(cell, told, column):
                readings.append(Reading(line=line, column=column, written=cell.strip(), read=told))
        added = tuple(c for c, column in zip(cells, grid.columns, strict=True) if column is None)
        rows.append(Row(line=line, values=values, added=added))
    return rows, readings, faults


def _value(column: str, cell: str, order: Order, grid: Grid, calendar: Calendar) -> Any:
    if column in _DAYS:
        return day_of(cell, order)
    if column in _INSTANTS:
        found = moment_of(cell, order)
        return found if isinstance(found, dt.datetime) else calendar.start_of(found)
    if column in _NUMBERS:
        return number_of(cell, grid.separator)
    if column in _WORDS:
        word = word_of(cell, _WORDS[column])
        if word is None:
            known = ", ".join(_WORDS[column])
            raise Unclear(f"is no {column}; write {known}")
        return word
    return plain_text(cell) or None


def _text(value: Any, column: str, head: str, calendar: Calendar) -> str:
    """Write a value as a cell."""
    if value is None:
        return ""
    if isinstance(value, dt.datetime):
        day = calendar.local_date(value)
        if value == calendar.start_of(day):
            return day.isoformat()
        # Without fractions, which Excel would show, and save, as minutes alone.
        return f"{value:%Y-%m-%d %H:%M:%S}" + (f".{value:%f}" if value.microsecond else "")
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, float):
        return number_text(value)
    return told_word(value, head) if column in _WORDS else safe_text(value)


def _same(cell: str, told: str, column: str) -> bool:
    bare = cell.strip()
    if column in _NUMBERS:
        try:
            return float(bare) == float(told)
        except ValueError:
            return False
    return bare.removesuffix(".000000") == told or plain_text(bare) == told


def _with_ids(rows: Sequence[Row], last: int) -> tuple[list[Row], list[Reading]]:
    """Give the next id to each row that has none."""
    found, told = [], []
    number = last_number([row.values.get("id") for row in rows], last)
    for row in rows:
        if row.values.get("id") is not None:
            found.append(row)
            continue
        number += 1
        own = f"M{number:06d}"
        found.append(replace(row, values={**row.values, "id": own}))
        told.append(Reading(line=row.line, column="id", written="", read=own))
    return found, told


def last_number(ids: Sequence[str | None], last: int = 0) -> int:
    """Give the highest number that an id has had.

    Parameters
    ----------
    ids
        Those that there are; others than `M` and digits do not count.
    last
        The highest that was ever given, also where its row is gone.

    Examples
    --------
    >>> last_number(["M000002", "M000009", "own"], last=7)
    9
    """
    numbers = [int(found[1]) for i in ids if i and (found := _OWN_ID.fullmatch(i))]
    return max([last, *numbers])


def _repeated(rows: Sequence[Row]) -> list[tuple[int, str, str, str]]:
    first: dict[str, int] = {}
    faults = []
    for row in rows:
        id_ = str(row.values["id"])
        if id_ in first:
            faults.append((row.line, "id", id_, f"stands in line {first[id_]} too; give one of "
                           "them another id, or none"))  # fmt: skip
        first.setdefault(id_, row.line)
    return faults


def write_register(register: Register, calendar: Calendar) -> bytes:
    """Write a register so that Excel reads it, and `read_register` gives the same rows.

    Values are written in one form each (dates as 2026-03-05, ratios as 0.025), under the heads
    that are there; a column that is told and has no head yet gets its canonical one.

    Examples
    --------
    >>> added = with_row(new_register(), {"id": "M000001", "kind": "snag", "note": "Slow seal"})
    >>> b"M000001,snag" in write_register(added, Calendar("Asia/Shanghai"))
    True
    """
    told = {c for row in register.rows for c, value in row.values.items() if value is not None}
    fresh = tuple(c for c in HEADS if c in told and c not in register.columns)
    heads, columns = (*register.heads, *fresh), (*register.columns, *fresh)
    rows = []
    for row in register.rows:
        added = iter(row.added or [""] * register.columns.count(None))
        rows.append(tuple(
            next(added) if column is None else _text(row.values.get(column), column, head, calendar)
            for head, column in zip(heads, columns, strict=True)
        ))  # fmt: skip
    lines = tuple(range(2, len(rows) + 2))
    return write_grid(Grid(heads=heads, columns=columns, lines=lines, rows=tuple(rows)))


def with_row(register: Register, values: Values) -> Register:
    """Give the register with one row more, at its end."""
    row = Row(line=len(register.rows) + 2, values=dict(values))
    return replace(register, rows=(*register.rows, row))


def with_values(register: Register, id_: str, where: str, values: Values) -> Register:
    """Give the register with other values in one of its rows.

    Raises
    ------
    BadAction
        There is no row of that id.
    """
    if register.row(id_) is None:
        ids = ", ".join(str(row.values["id"]) for row in register.rows[-10:])
        raise BadAction(where=where, reason=f"it has no row {id_}",
                          mend=f"Its last ones are: {ids or 'none'}.")  # fmt: skip
    rows = [replace(row, values={**row.values, **values}) if row.values["id"] == id_ else row
            for row in register.rows]  # fmt: skip
    return replace(register, rows=tuple(rows))


def canonical_rows(register: Register) -> pa.Table:
    """Lay the rows out as the canonical table `actions`; columns without a head are left out.

    Examples
    --------
    >>> rows = canonical_rows(with_row(new_register(), {"id": "M000001", "note": "Slow seal"}))
    >>> rows.num_rows, rows.column_names[:2]
    (1, ['id', 'kind'])
    """
    schema = ibis_schema("actions")
    there = {*register.columns, "id", "kind", "status"}
    there |= {c for row in register.rows for c, v in row.values.items() if v is not None}
    columns = [column for column in schema if column in there]
    fields = pa.schema([(column, schema[column].to_pyarrow()) for column in columns])
    values = {c: [row.values.get(c) for row in register.rows] for c in columns}
    return pa.table(values, schema=fields)


__all__ = [
    "BadAction",
    "BadRegister", "Known", "Reading", "Register", "Row", "canonical_rows",
    "last_number", "new_register", "read_register", "with_row", "with_values", "write_register",
]  # fmt: skip
