"""Dated exports without history, as a CRM without a log gives them month after month."""

import datetime as dt
from collections.abc import Mapping

import numpy as np
import pandas as pd
import pyarrow as pa

from salesops.model.tables import facts, known_at
from salesops.sample.tables import table

# Of these an export shows the present alone.
EXPORTED = ("accounts", "contacts", "users", "leads", "opportunities", "activities", "contracts",
            "contract_lines", "instalments", "receipts", "targets")  # fmt: skip
PARENT = {"contract_lines": "contracts", "instalments": "contracts"}


def exported(tables: Mapping[str, pa.Table], day: dt.date) -> dict[str, pa.Table]:
    """Give what an export at the end of a day holds, worked out row by row from the log.

    Parameters
    ----------
    tables
        The company on its last day, with `changes`.
    day
        Day of the export, in China.

    Returns
    -------
    dict
        Canonical name -> rows as they stood then, without any history.
    """
    at = pd.Timestamp(day) + pd.Timedelta(hours=16)  # midnight in China
    log = tables["changes"].to_pandas()
    later = log[(log["changed_at"] >= at) & (log["field"] != "_row")]
    # The value at the time is the old value of the earliest change after it.
    first = later.sort_values(["changed_at", "seq"]).drop_duplicates(
        ["entity", "entity_id", "field"]
    )
    found: dict[str, pa.Table] = {}
    for name in EXPORTED:
        rows = tables[name]
        rows = rows.filter(pa.array(_known(name, rows, found, at, day)))
        back = first[first["entity"] == name]
        found[name] = _as_it_was(name, rows, back, at, day)
    return found


def _known(
    name: str, rows: pa.Table, found: Mapping[str, pa.Table], at: pd.Timestamp, day: dt.date
) -> "np.ndarray":
    if name in PARENT:
        parents = set(found[PARENT[name]]["id"].to_pylist())
        return np.array([key in parents for key in rows["contract_id"].to_pylist()], bool)
    column = known_at(name)
    if column is None:
        return np.ones(rows.num_rows, bool)
    return _happened(rows[column].to_pandas(), at, day)


def _happened(values: "pd.Series", at: pd.Timestamp, day: dt.date) -> "np.ndarray":
    if values.notna().any() and not isinstance(values.dropna().iloc[0], pd.Timestamp):
        return np.array([v is not None and v == v and v <= day for v in values], bool)
    return (values < at).to_numpy()


def _as_it_was(
    name: str, rows: pa.Table, back: pd.DataFrame, at: pd.Timestamp, day: dt.date
) -> pa.Table:
    frame = rows.to_pandas()
    for field, part in back.groupby("field"):
        old = part.set_index("entity_id")["old_value"]
        mine = frame["id"].isin(old.index)
        frame.loc[mine, field] = _typed(name, str(field), old.reindex(frame.loc[mine, "id"]))
    columns = facts(name).values()
    for column in columns:
        if column.kind == "event" and column.name in frame:
            gone = ~_happened(frame[column.name], at, day) & frame[column.name].notna().to_numpy()
            frame.loc[gone, column.name] = None
    for column in columns:
        if column.follows and column.kind != "event" and column.name in frame:
            frame.loc[frame[column.follows].isna(), column.name] = None
    if name == "contracts" and "renewed_by" in frame:
        known = set(frame["id"])
        frame["renewed_by"] = [r if r in known else None for r in frame["renewed_by"]]
    shown = pa.Table.from_pandas(frame, preserve_index=False)
    kept = [field for field in rows.schema if field.name in shown.column_names]
    return shown.select([f.name for f in kept]).cast(pa.schema(kept))


def _typed(name: str, field: str, texts: "pd.Series") -> "np.ndarray":
    kind = facts(name)[field].dtype
    one = table(name, {field: pa.array(texts.tolist(), pa.string()).cast(_arrow(kind))})
    return np.array(one[field].to_pylist(), dtype=object)


def _arrow(kind: object) -> pa.DataType:
    text = str(kind)
    if text.startswith("decimal"):
        return pa.decimal128(18, 2)
    return pa.date32() if text == "date" else pa.string()
