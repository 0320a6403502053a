"""Writing a store: whole or not at all, with the versions that follow from its log."""

import os
import shutil
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import duckdb
import ibis
import pandas as pd
import pyarrow as pa

from salesops.book.kept import ENDINGS, keep, keep_moves, kept_moves, kept_versions
from salesops.book.laying import lay_out_apart
from salesops.book.registerfile import FILE
from salesops.book.store import Store, open_store
from salesops.model.errors import SalesopsError
from salesops.model.settings import Settings
from salesops.model.tables import TABLES, ibis_schema
from salesops.stopping import scratch_folder, uninterrupted

# In which versions are laid out; what does not fit goes to the disk.
_MEMORY = "800MB"
Frame: TypeAlias = ibis.Table | pd.DataFrame | pa.Table


@dataclass(eq=False, kw_only=True)
class NoPlace(SalesopsError, ValueError):
    """A book can't be written at a place without taking something else away."""

    where: str
    reason: str

    def __str__(self) -> str:
        return (
            f"No book can be written to {self.where}: {self.reason}.\n"
            "Expected: a folder of its own, new or that of an earlier import.\n"
            "Write for example: --into build/company."
        )


def write_store(
    folder: str | Path,
    tables: Mapping[str, Frame],
    *,
    settings_toml: str | None = None,
    extra: Mapping[str, str] | None = None,
    as_csv: Collection[str] = (),
) -> Path:
    """Write the tables of a company as a folder that `open_book` reads.

    All is written beside the folder first and then put in its place, so that a break leaves the
    old store or the new one. What else lies in the folder (salesops.toml, runs) is kept; tables
    that are not given are gone, but for the register that people keep, which stays to the byte.

    Parameters
    ----------
    folder
        Where the store shall be.
    tables
        Canonical name -> rows. Columns are cast to their canonical types; a column that is not
        given stays absent, one that is not canonical is left out.
    settings_toml
        Text of a salesops.toml to write; None keeps what is there.
    extra
        Further text files by name, such as the mapping that was used.
    as_csv
        Tables to write as CSV, to be read by people; the others are Parquet.

    Returns
    -------
    pathlib.Path
        The folder.

    Raises
    ------
    NotABook
        There is no table of opportunities.
    MissingColumn
        A table lacks a mandatory column.
    BadSettings
        The settings are not valid; nothing is written.
    NoPlace
        A file stands at that place.
    """
    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        raise NoPlace(where=str(folder), reason="it is a file, not a folder")
    if settings_toml is not None:
        Settings.parse(settings_toml, where="the new salesops.toml")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with scratch_folder(folder.parent, f".{folder.name}-") as scratch:
        fresh = scratch / "new"
        fresh.mkdir()
        _carry_over(folder, fresh, tables)
        texts = dict(extra or {})
        if settings_toml is not None:
            texts["salesops.toml"] = settings_toml
        for name, text in texts.items():
            # Linked files are shared with the old folder: a new one takes their place.
            (fresh / name).unlink(missing_ok=True)
            (fresh / name).write_text(text, encoding="utf-8")
        _write_tables(fresh, tables, as_csv)
        keep_versions(fresh)
        with uninterrupted():
            _put_in_place(fresh, folder, scratch / "old")
    return folder


def keep_versions(folder: Path) -> None:
    """Lay out versions of every tracked table of a folder and moves anew and keep them there."""
    for name in TABLES:
        kept_versions(folder, name).unlink(missing_ok=True)
    kept_moves(folder).unlink(missing_ok=True)
    store = open_store(folder, copied=False)
    con = store.tables["opportunities"].get_backend()
    with scratch_folder(folder.parent, f".{folder.name}-") as scratch:
        place = str(scratch).replace("'", "''")
        con.raw_sql(f"SET temp_directory = '{place}'")
        usual = con.raw_sql("SELECT current_setting('memory_limit')").fetchone()[0]
        con.raw_sql(f"SET memory_limit = '{_MEMORY}'")
        try:
            _keep_all(store, folder)
        except duckdb.OutOfMemoryException:
            # Not all of the work can go to the disk.
            con.raw_sql(f"SET memory_limit = '{usual}'")
            _keep_all(store, folder)


def _keep_all(store: Store, folder: Path) -> None:
    for entity in store.spans:
        spans = lay_out_apart(entity, store.tables, store.tracking[entity], store.settings)
        keep(spans, folder, entity, store.settings)
    if "stage" in store.tracking.get("opportunities", {}):
        keep_moves(store.moves, folder)


def read_tables(store: Store) -> dict[str, pa.Table]:
    """Read back the tables of a store as they were written."""
    return {
        name: store.tables[name].select([c for c in ibis_schema(name) if c in columns]).to_pyarrow()
        for name, columns in store.present.items()
    }


def typed(name: str, rows: pd.DataFrame | pa.Table) -> pa.Table:
    """Give a table its canonical columns in their types and order; absent ones stay absent."""
    schema = ibis_schema(name)
    table = rows if isinstance(rows, pa.Table) else pa.Table.from_pandas(rows, preserve_index=False)
    wanted = [column for column in schema if column in table.column_names]
    fields = [(column, schema[column].to_pyarrow()) for column in wanted]
    return table.select(wanted).cast(pa.schema(fields))


def _write_tables(folder: Path, tables: Mapping[str, Frame], as_csv: Collection[str]) -> None:
    con = ibis.duckdb.connect()
    con.raw_sql("SET TimeZone = 'UTC'")
    for name, rows in tables.items():
        table = rows if isinstance(rows, ibis.Table) else lent(con, rows, name)
        schema = ibis_schema(name)
        shown = table.select(
            **{c: table[c].cast(kind) for c, kind in schema.items() if c in table.columns}
        )
        if name in as_csv:
            shown.to_csv(str(folder / f"{name}.csv"))
        else:
            shown.to_parquet(str(folder / f"{name}.parquet"), compression="zstd")


def lent(con: Any, rows: pd.DataFrame | pa.Table, name: str) -> ibis.Table:
    """Let an engine read a frame where it lies: a copy of millions of rows takes their memory."""
    if isinstance(rows, pd.DataFrame):
        rows = pa.Table.from_pandas(rows, preserve_index=False)
    # A column without any value has no type of its own in Arrow, and no place in a table.
    kinds = [pa.string() if pa.types.is_null(field.type) else field.type for field in rows.schema]
    rows = rows.cast(pa.schema(list(zip(rows.column_names, kinds, strict=True))))
    con.con.register(name, rows)
    return con.table(name)


def _carry_over(folder: Path, fresh: Path, given: Collection[str]) -> None:
    """Link what is no table of the store into its successor, and the register that stays."""
    if not folder.is_dir():
        return
    tables = {f"{name}{ending}" for name in TABLES for ending in ENDINGS}
    tables |= {kept_versions(folder, name).name for name in TABLES} | set(TABLES)
    tables.add(kept_moves(folder).name)
    if "actions" not in given:
        tables.discard(FILE)
    for path in folder.iterdir():
        if path.name in tables:
            continue
        if path.is_dir():
            shutil.copytree(path, fresh / path.name, copy_function=os.link)
        else:
            shutil.copy2(path, fresh / path.name)


def _put_in_place(fresh: Path, folder: Path, old: Path) -> None:
    if not folder.exists():
        fresh.rename(folder)
        return
    folder.rename(old)
    try:
        fresh.rename(folder)
    except OSError:
        old.rename(folder)
        raise
