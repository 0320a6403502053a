"""Books opened before: their checked tables in one file, for the other kernels of a run.

Reading and checking CSV takes seconds, and every report of a run begins with it. Where the variable
`SALESOPS_OPENED` names a folder, the first who opens a book lays it there under the sum of its
files, and whoever opens the same files later takes that. A run has such a folder of its own; none
is kept of itself, since it would be a second copy of a company's rows.
"""

import datetime as dt
import hashlib
import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import duckdb
import ibis

from salesops.book.runlog import OPENED
from salesops.book.store import Store, Tracking, in_file, open_store, settings_beside
from salesops.model.settings import Settings
from salesops.stopping import scratch_folder

# Laying out more than this again costs more than it saves: an import has laid it out already.
MOST = 200_000_000
_META, _MOVES, _VERSIONS = "salesops_store", "salesops_moves", "versions_"
# By the store itself: one with other settings or tables is another.
_LAID: WeakKeyDictionary[Store, Path] = WeakKeyDictionary()
_log = logging.getLogger(__name__)


def laid_at(store: Store) -> Path | None:
    """Give the file that a store was taken from; null where it was opened by itself."""
    return _LAID.get(store)


def opened_store(
    where: str | Path, settings: Settings | None = None, *, copied: bool = True
) -> Store:
    """Open a store, or take it where the same files were opened before; see `open_store`."""
    folder = Path(where)
    fixed = settings is not None or "://" in str(where) or not folder.is_dir()
    place = None if fixed else place_of(folder)
    if place is None:
        return open_store(where, settings, copied=copied)
    if place.exists():
        return taken(place, str(where))
    store = open_store(where)
    # Who laid it takes it too: all reports of a run read the same tables.
    return taken(place, str(where)) if lay(place, store) else store


@contextmanager
def laid_in(folder: Path) -> Iterator[None]:
    """Lay books that are opened meanwhile in a folder, unless a run has one for all."""
    if os.environ.get(OPENED):
        yield
        return
    folder.mkdir(parents=True, exist_ok=True)
    os.environ[OPENED] = str(folder)
    try:
        yield
    finally:
        del os.environ[OPENED]


def place_of(folder: Path) -> Path | None:
    """Name the file of a book, after all its files but the records of runs; null without need."""
    told = os.environ.get(OPENED)
    if not told:
        return None
    files = [
        path for path in sorted(folder.rglob("*"))
        if path.is_file() and path.relative_to(folder).parts[0] != "runs"
    ]  # fmt: skip
    if sum(path.stat().st_size for path in files) > MOST:
        return None
    digest = hashlib.blake2b(str(folder.absolute()).encode(), digest_size=12)
    for path in files:
        with path.open("rb") as file:
            digest.update(f"\0{path.relative_to(folder)}\0".encode())
            digest.update(hashlib.file_digest(file, "blake2b").digest())
    return Path(told) / f"{digest.hexdigest()}.duckdb"


def taken(place: Path, where: str) -> Store:
    """Give the store of a book that was opened before."""
    con = in_file(place)
    told = json.loads(con.table(_META).to_pandas()["told"].iloc[0])
    tracking = {
        entity: {
            name: Tracking(dt.datetime.fromisoformat(one["since"]), one["how"])
            for name, one in fields.items()
        }
        for entity, fields in told["tracking"].items()
    }
    store = Store(
        where=where, settings=settings_beside(Path(where)),
        tables={name: con.table(name) for name in told["tables"]},
        present={name: frozenset(columns) for name, columns in told["present"].items()},
        tracking=tracking, latest=dt.datetime.fromisoformat(told["latest"]),
        spans={entity: con.table(_VERSIONS + entity) for entity in told["spans"]},
        moves=con.table(_MOVES), merged=told["merged"],
    )  # fmt: skip
    _LAID[store] = place
    return store


def lay(place: Path, store: Store) -> bool:
    """Lay a store where others of the same files find it; where that fails, they open it too."""
    try:
        with scratch_folder(place.parent, ".opening-") as scratch:
            _write(scratch / place.name, store)
            os.replace(scratch / place.name, place)
    except (OSError, duckdb.Error) as error:
        _log.warning("The opened book could not be laid in %s: %s", place.parent, error)
        return False
    return True


def _write(path: Path, store: Store) -> None:
    con: Any = store.tables["opportunities"].get_backend()
    name, into = "laid", ("laid", "main")
    con.attach(path, name=name)
    try:
        wanted = {
            **store.tables, _MOVES: store.moves,
            **{_VERSIONS + entity: table for entity, table in store.spans.items()},
        }  # fmt: skip
        for one, table in wanted.items():
            if store.merged:
                # They rest on a list in memory, which Ibis brings along.
                con.create_table(one, table, database=into)
            else:
                # Ibis would look up the types of each, which are those of the query.
                con.raw_sql(f'CREATE TABLE {name}.main."{one}" AS {con.compile(table)}')
        con.create_table(_META, ibis.memtable({"told": [_told(store)]}), database=into)
    finally:
        con.detach(name)


def _told(store: Store) -> str:
    told = {
        "tables": list(store.tables), "spans": list(store.spans), "merged": store.merged,
        "present": {name: sorted(columns) for name, columns in store.present.items()},
        "latest": store.latest,
        "tracking": {
            entity: {name: asdict(one) for name, one in fields.items()}
            for entity, fields in store.tracking.items()
        },
    }  # fmt: skip
    return json.dumps(told, default=lambda value: value.isoformat())
