"""Versions and moves that were laid out at import and kept beside their log as Parquet.

They are derived, so they may never be older than what they were derived from: each file carries
the fingerprint of its log, its table and the process, and one that does not fit is not used.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import ibis
import pyarrow.parquet as pq

from salesops.model.settings import Settings

# Raise it when the columns or the meaning of versions change.
FORM = "2"
MARK = "salesops"
ENDINGS = (".parquet", ".csv")


def kept_versions(folder: Path, entity: str) -> Path:
    """Name the file that holds the versions of a table."""
    return folder / f"{entity}_versions.parquet"


def kept_moves(folder: Path) -> Path:
    """Name the file that holds the moves of deals between stages."""
    return folder / "opportunities_moves.parquet"


def table_files(folder: Path, name: str) -> tuple[Path, ...]:
    """List the files that hold a table: one file, or the parts of a folder of that name."""
    whole = [folder / f"{name}{ending}" for ending in ENDINGS]
    parts = folder / name
    found = [path for path in whole if path.is_file()][:1]
    if not found and parts.is_dir():
        found = sorted(parts.glob("*.parquet"))
    return tuple(found)


def mark_of(folder: Path, entity: str, settings: Settings) -> str:
    """Give the fingerprint of everything from which the versions of a table follow."""
    stages = settings.stage_ids("open") if entity == "opportunities" else ()
    digest = hashlib.blake2b("|".join((FORM, entity, *stages)).encode(), digest_size=16)
    for name in (entity, "changes", "tracked"):
        for path in table_files(folder, name):
            digest.update(f"{path.name}:{path.stat().st_size}|".encode())
            for block in _blocks(path):
                digest.update(block)
    return digest.hexdigest()


def fits(folder: Path, entity: str, settings: Settings) -> bool:
    """Say whether there are kept versions of a table that belong to its log as it is now."""
    path = kept_versions(folder, entity)
    return path.exists() and _noted(path) == mark_of(folder, entity, settings)


def moves_fit(folder: Path) -> bool:
    """Say whether there are kept moves made together with the versions of the deals.

    They follow from the same files, so that these need not be read a second time.
    """
    paths = kept_moves(folder), kept_versions(folder, "opportunities")
    return all(path.exists() for path in paths) and len({_noted(path) for path in paths}) == 1


def keep(spans: ibis.Table, folder: Path, entity: str, settings: Settings) -> None:
    """Write the versions of a table, marked with what they were derived from."""
    # By their end, so that a query for late instants reads the last row groups alone.
    ordered = spans.order_by("valid_to", "id")
    mark = {MARK: mark_of(folder, entity, settings)}
    ordered.to_parquet(str(kept_versions(folder, entity)), kv_metadata=mark)


def keep_moves(moves: ibis.Table, folder: Path) -> None:
    """Write the moves between stages, with the mark of the versions made from the same log."""
    mark = {MARK: _noted(kept_versions(folder, "opportunities"))}
    ordered = moves.order_by("changed_at", "id")
    ordered.to_parquet(str(kept_moves(folder)), compression="zstd", kv_metadata=mark)


def _noted(path: Path) -> str:
    return (pq.read_metadata(path).metadata or {}).get(MARK.encode(), b"").decode()


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            yield block
