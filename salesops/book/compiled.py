"""SQL that was written before: an expression like an earlier one takes its SQL, with other values.

A report asks the same questions of every team, at every date. Ibis writes their SQL anew each time,
and that takes longer than the engine needs for the answer. Where the variable `SALESOPS_SHARED`
names the folder of a run, all kernels of the run take what one of them wrote.
"""

import hashlib
import json
import logging
import os
import secrets
import weakref
from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import ibis.expr.operations as ops
import sqlglot as sg
import sqlglot.expressions as sge
from ibis.backends.sql.compilers.duckdb import DuckDBCompiler

from salesops.book.runlog import SHARED
from salesops.book.signature import OPEN, NoSignature, Open, Signature, Signatures
from salesops.stopping import scratch_folder

# Set in tests: what is remembered is held against what Ibis writes.
CHECKED = "SALESOPS_CHECK_SQL"
# Texts of a few KB each.
MOST = 5_000
Pieces = list[str | int]  # SQL, cut where something is open: the number of what stands there
_REMEMBERED: OrderedDict[str, Pieces] = OrderedDict()
# Dates, stages and names stand in one question after the other.
_SHOWN: dict[Open, str] = {}
_log = logging.getLogger(__name__)


class OtherSql(AssertionError):
    """What was remembered is not what Ibis writes; raised where it is asked to check."""


def remembering(con: Any) -> Any:
    """Let a DuckDB connection remember the SQL of what it was asked."""
    con.compiler = _Remembering()
    con._run_pre_execute_hooks = _looking_once(weakref.ref(con))
    return con


# What Ibis looks for before it asks the engine, in a walk of its own for each.
_PREPARED = (ops.PhysicalTable, ops.ScalarUDF, ops.GeoSpatialUnOp, ops.GeoSpatialBinOp)


def _looking_once(of: "weakref.ref[Any]") -> Callable[[Any], None]:
    """Let Ibis prepare a question only where one walk finds what is not prepared yet."""

    def prepare(expr: Any) -> None:
        con: Any = of()
        found = expr.op().find(_PREPARED)
        in_memory = [one for one in found if isinstance(one, ops.InMemoryTable)]
        ready = (
            all(isinstance(one, ops.PhysicalTable) for one in found)
            and not con._record_batch_readers_consumed
            and all(one in con._memtables for one in in_memory)
            and len({one.name for one in in_memory}) == len(in_memory)
        )
        if not ready:
            type(con)._run_pre_execute_hooks(con, expr)

    return prepare


class _Remembering(DuckDBCompiler):  # type: ignore[misc]
    """Ibis' own compiler, which is asked where nothing like it was asked before."""

    def __init__(self) -> None:
        super().__init__()
        self._signatures = Signatures()
        self._marks: dict[Open, str] = {}

    def to_sqlglot(
        self, expr: Any, *, limit: Any = None, params: Mapping[Any, Any] | None = None
    ) -> sge.Expression:
        """Give the SQL of an expression as one piece of text that others can hold."""
        write = super().to_sqlglot
        if params or limit is not None or self._marks:
            return write(expr, limit=limit, params=params)
        try:
            found = self._signatures.of(expr.as_table().op())
        except NoSignature:
            return write(expr)
        # A value that is written down in one place stays where it is in the others.
        opened = [one for one in found.open if one not in found.fixed]
        key = _key(found, opened)
        pieces = _recall(key)
        if pieces is None:
            pieces = self._written(expr, opened)
            if pieces is None:
                return write(expr)
            _remember(key, pieces)
        text = "".join(p if isinstance(p, str) else self._shown(opened[p]) for p in pieces)
        if os.environ.get(CHECKED):
            _compare(text, write(expr).sql(dialect=self.dialect))
        return sge.Var(this=text)

    def visit_Literal(self, op: Any, *, value: Any, dtype: Any) -> Any:  # noqa: N802
        """Write a value, or the mark of its place."""
        if isinstance(value, OPEN) and (mark := self._marks.get(Open(value, dtype))):
            return sge.Var(this=mark)
        return super().visit_Literal(op, value=value, dtype=dtype)

    def _written(self, expr: Any, opened: list[Open]) -> Pieces | None:
        """Write the SQL of an expression, cut at what is open; null where that can't be done."""
        sign = secrets.token_hex(8)
        marks = {one: f"<{sign}:{i}>" for i, one in enumerate(opened)}
        self._marks = {one: mark for one, mark in marks.items() if one.dtype is not None}
        try:
            query = super().to_sqlglot(expr)
            text = query.sql(dialect=self.dialect, unsupported_level=sg.ErrorLevel.RAISE)
        except sg.UnsupportedError:
            return None
        finally:
            self._marks = {}
        for one, mark in marks.items():
            if one.dtype is None:
                text = text.replace(f'"{one.value}"', mark)
        return _cut(text, sign)

    def _shown(self, one: Open) -> str:
        if one.dtype is None:
            return f'"{one.value}"'
        if one not in _SHOWN:
            if len(_SHOWN) >= MOST:
                _SHOWN.clear()
            op = ops.Literal(one.value, dtype=one.dtype)
            written = super().visit_Literal(op, value=one.value, dtype=one.dtype)
            _SHOWN[one] = str(written.sql(dialect=self.dialect))
        return _SHOWN[one]


def _key(found: Signature, opened: list[Open]) -> str:
    """Name an expression by its signature and the values that can't be others."""
    kept = [repr(one) if one in found.fixed else "" for one in found.open]
    told = found.digest + repr((kept, len(opened))).encode()
    return hashlib.blake2b(told, digest_size=16).hexdigest()


def _cut(text: str, sign: str) -> Pieces:
    first, *rest = text.split(f"<{sign}:")
    pieces: Pieces = [first]
    for part in rest:
        number, after = part.split(">", 1)
        pieces += [int(number), after]
    return pieces


def _compare(text: str, fresh: str) -> None:
    if text != fresh:
        raise OtherSql(f"Remembered:\n{text}\nWritten by Ibis:\n{fresh}")


def _recall(key: str) -> Pieces | None:
    known = _REMEMBERED.get(key)
    if known is not None:
        _REMEMBERED.move_to_end(key)
        return known
    place = _place(key)
    if place is None or not place.exists():
        return None
    pieces: Pieces = json.loads(place.read_text(encoding="utf-8"))
    _hold(key, pieces)
    return pieces


def _remember(key: str, pieces: Pieces) -> None:
    _hold(key, pieces)
    place = _place(key)
    if place is None:
        return
    try:
        with scratch_folder(place.parent, ".writing-") as scratch:
            (scratch / place.name).write_text(json.dumps(pieces), encoding="utf-8")
            os.replace(scratch / place.name, place)
    except OSError as error:
        _log.warning("SQL could not be laid in %s: %s", place.parent, error)


def _hold(key: str, pieces: Pieces) -> None:
    _REMEMBERED[key] = pieces
    while len(_REMEMBERED) > MOST:
        _REMEMBERED.popitem(last=False)


def _place(key: str) -> Path | None:
    told = os.environ.get(SHARED)
    return Path(told) / f"{key}.sql.json" if told else None
