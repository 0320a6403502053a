"""The same numbers from PostgreSQL: what runs in a warehouse is the code that runs here."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import ibis
import pandas as pd
import pytest

from salesops.analyses.funnel import funnel
from salesops.book.book import Book, open_book
from tests.companies import at, book_of, random_company, rows_of

pytestmark = pytest.mark.postgres


def _programs() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if found:
        return found[-1]
    where = shutil.which("initdb")
    assert where is not None
    return Path(where).parent


def _run(command: list[object]) -> None:
    quiet = subprocess.DEVNULL
    subprocess.run([str(part) for part in command], stdout=quiet, stderr=quiet, check=True)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """A server of its own in a folder of its own, reached by a socket."""
    programs = _programs()
    # As root the server runs as the user that the package made; it refuses to run as root.
    own = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    folder = Path(tempfile.mkdtemp(prefix="salesops-pg-", dir="/tmp"))
    if own:
        shutil.chown(folder, "postgres", "postgres")
    data = folder / "data"
    _run([*own, programs / "initdb", "-D", data, "-A", "trust", "-U", "salesops"])
    options = f"-c listen_addresses='' -k {folder} -c fsync=off -c timezone=Asia/Shanghai"
    start = [programs / "pg_ctl", "-D", data, "-w", "-l", folder / "log", "-o", options, "start"]
    _run([*own, *start])
    try:
        yield f"postgresql://salesops@/postgres?host={folder}"
    finally:
        _run([*own, programs / "pg_ctl", "-D", data, "-m", "immediate", "stop"])
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def warehouse(server: str) -> Iterator[tuple[Book, Book]]:
    """One company in PostgreSQL and in memory."""
    tables = random_company(11).tables()
    con = ibis.connect(server)
    for name, rows in tables.items():
        con.create_table(name, rows, overwrite=True)
    con.disconnect()
    there = open_book(server)
    yield there, book_of(tables)
    backend = there.store.tables["opportunities"].get_backend()
    # Tables that Ibis keeps in the session would be dropped after the connection is gone.
    for name in list(backend._cache_name_to_entry):
        backend._finalize_cached_table(name)
    backend.disconnect()


def test_a_warehouse_gives_the_same_past(warehouse):
    there, here = warehouse
    for step in (12, 31, 60):
        for name in ("opportunities", "activities", "users"):
            one = rows_of(there.as_of(at(step)).table(name))
            other = rows_of(here.as_of(at(step)).table(name))
            pd.testing.assert_frame_equal(one, other, check_dtype=False)


def test_a_warehouse_gives_the_same_panel_and_scope(warehouse):
    there, here = warehouse
    days = [at(step).date() for step in (10, 30, 55)]
    one, other = rows_of(there.panel(days)), rows_of(here.panel(days))
    pd.testing.assert_frame_equal(one, other, check_dtype=False)
    one = rows_of(there.scope(team="North/1").opportunities)
    other = rows_of(here.scope(team="North/1").opportunities)
    pd.testing.assert_frame_equal(one, other, check_dtype=False)


def test_a_warehouse_gives_the_same_funnel(warehouse):
    there, here = (funnel(book) for book in warehouse)
    for name in ("stages", "waterfall", "leaks", "transitions"):
        one, other = getattr(there, name), getattr(here, name)
        pd.testing.assert_frame_equal(one, other, check_dtype=False)
    assert there.metrics == pytest.approx(here.metrics, nan_ok=True)
