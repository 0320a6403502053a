"""From positions and whole numbers to the canonical tables, as Arrow."""

from collections.abc import Mapping
from typing import Any

import ibis.expr.datatypes as dt
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from salesops.model.tables import ibis_schema
from salesops.sample.draws import NONE, Flags, Ints
from salesops.sample.timeline import UTC_LAG

PREFIXES = {
    "accounts": "A", "contacts": "K", "users": "U", "leads": "L", "opportunities": "D",
    "activities": "T", "quotes": "Q", "contracts": "C", "contract_lines": "CL", "credits": "S",
    "instalments": "I", "receipts": "R", "invoices": "V", "tickets": "X", "actions": "M",
    "forecasts": "F",
}  # fmt: skip


def ids(table: str, positions: Ints, block: int) -> pa.Array:
    """Write positions as ids of a table; none becomes null. Divisions never share an id."""
    digits = 4 if table == "users" else 6
    start = f"{PREFIXES[table]}{block or ''}" + ("-" if block else "")
    numbers = pc.cast(pa.array(positions + 1, mask=positions == NONE), pa.string())
    return pc.binary_join_element_wise(start, pc.utf8_lpad(numbers, digits, "0"), "")


def money(cents: Ints) -> pa.Array:
    """Write cents as decimals, without a detour through floats."""
    value = pa.decimal128(18, 2)
    present = cents != NONE
    words = np.empty((len(cents), 2), dtype=np.int64)
    words[:, 0] = cents
    words[:, 1] = cents >> 63
    bits = pa.py_buffer(np.packbits(present, bitorder="little"))
    return pa.Array.from_buffers(value, len(cents), [bits, pa.py_buffer(words)])


def instants(local: Ints) -> pa.Array:
    """Write local seconds as UTC instants."""
    missing = local == NONE
    micro = np.where(missing, 0, (local - UTC_LAG) * 1_000_000)
    return pa.array(micro, mask=missing).cast(pa.timestamp("us"))


def dates(days: Ints) -> pa.Array:
    """Write day numbers as dates."""
    missing = days == NONE
    return pa.array(np.where(missing, 0, days).astype(np.int32), mask=missing).cast(pa.date32())


def flags(values: Flags, known: Flags) -> pa.Array:
    """Write truths that are null where not known."""
    return pa.array(values, mask=~known)


def texts(values: Any) -> pa.Array:
    """Write texts; None stays null."""
    return (
        values if isinstance(values, pa.Array | pa.ChunkedArray) else pa.array(values, pa.string())
    )


def as_text(values: pa.Array) -> pa.Array:
    """Write values as the log does: ISO dates, point decimals."""
    return pc.cast(values, pa.string())


def table(name: str, columns: Mapping[str, Any]) -> pa.Table:
    """Put columns into the canonical order and types; those not given are left out."""
    schema = ibis_schema(name)
    unknown = set(columns) - set(schema)
    if unknown:
        raise KeyError(f"{name} has no column {sorted(unknown)}")
    fields, arrays = [], []
    for column, kind in schema.items():
        if column in columns:
            fields.append(pa.field(column, kind.to_pyarrow()))
            arrays.append(_column(columns[column], kind))
    return pa.table(arrays, schema=pa.schema(fields))


def _column(values: Any, kind: dt.DataType) -> pa.Array:
    if isinstance(values, pa.Array | pa.ChunkedArray):
        return values
    if isinstance(values, pd.Series):
        values = values.to_numpy()
    makers = {"timestamp": instants, "date": dates, "decimal": money}
    for name, make in makers.items():
        if getattr(kind, f"is_{name}")():
            return make(np.asarray(values, np.int64))
    if kind.is_string():
        return texts(values)
    if kind.is_integer():
        return pa.array(values, mask=np.asarray(values) == NONE)
    return pa.array(values, kind.to_pyarrow(), from_pandas=True)
