"""Writing a store: all tables at once or nothing, with the versions laid out beside them."""

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

import ibis
import pandas as pd
import pyarrow as pa

from salesops.book.store import Store, assemble
from salesops.model.settings import Settings
from salesops.model.tables import TABLES, ibis_schema

KEPT = ("runs",)


def typed(name: str, frame: pd.DataFrame | pa.Table) -> pa.Table:
    """Give a table all canonical columns in their types, in the order of the schema.

    Columns that are wholly absent stay absent, so that the store can say so.
    """
    schema = ibis_schema(name)
    table = frame if isinstance(frame, pa.Table) else pa.Table.from_pandas(
        frame, preserve_index=False
    )  # fmt: skip
    wanted = [column for column in schema if column in table.column_names]
    fields = [(c, schema[c].to_pyarrow()) for c in wanted]
    return table.select(wanted).cast(pa.schema(fields))


def write_store(
    folder: str | Path,
    tables: Mapping[str, pa.Table],
    *,
    settings_toml: str,
    extra: Mapping[str, str] | None = None,
) -> Path:
    """Write a company's tables as Parquet, with its settings and the versions of what is tracked.

    Parameters
    ----------
    folder
        The book's folder; one that is there is replaced as a whole, its `runs` kept.
    tables
        Canonical tables by name.
    settings_toml
        Text of its salesops.toml.
    extra
        Further text files by name, such as the mapping that was used.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    BadSettings
        The settings are not valid; nothing is written.
    """
    target = Path(folder)
    settings = Settings.parse(settings_toml, where="the new salesops.toml")
    target.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        con = ibis.duckdb.connect()
        raw = {}
        for name in TABLES:
            if name in tables:
                typed_table = typed(name, tables[name])
                raw[name] = con.create_table(name, typed_table)
                raw[name].to_parquet(work / f"{name}.parquet", compression="zstd")
        store = assemble(raw, settings, str(target), {})
        for entity, spans in store.spans.items():
            spans.to_parquet(work / f"{entity}_versions.parquet", compression="zstd")
        (work / "salesops.toml").write_text(settings_toml, encoding="utf-8")
        for name, text in (extra or {}).items():
            (work / name).write_text(text, encoding="utf-8")
        _swap(work, target)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return target


def _swap(work: Path, target: Path) -> None:
    """Put the new folder in place of the old one by renames."""
    work.chmod(0o755)
    if not target.exists():
        work.rename(target)
        return
    for name in KEPT:
        if (target / name).is_dir():
            shutil.copytree(target / name, work / name)
    old = target.with_name(f".{target.name}-old-{os.getpid()}")
    target.rename(old)
    work.rename(target)
    shutil.rmtree(old)


def read_tables(store: Store) -> dict[str, pa.Table]:
    """Read back the tables of a store as they were written."""
    return {
        name: store.tables[name].select(sorted(columns & set(ibis_schema(name)))).to_pyarrow()
        for name, columns in store.present.items()
    }
