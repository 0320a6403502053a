"""Signed business from PostgreSQL: the same numbers as in the process."""

import gc
from collections.abc import Iterator

import ibis
import pandas as pd
import pytest

from salesops.book.book import Book, open_book
from salesops.metrics import kept
from salesops.metrics.bookings import METRICS
from salesops.metrics.bridge import bridge
from salesops.metrics.metric import reduced
from tests.book.test_postgres import server  # noqa: F401 - a fixture
from tests.companies import book_of
from tests.signings import (
    OPEN,
    PEOPLE,
    SOLD,
    T,
    contract,
    contracts,
    day,
    deals,
    table,
    targets,
    won,
)

pytestmark = pytest.mark.postgres


def with_contracts() -> dict:
    """Shared, cancelled and cut contracts, with lines, groups and targets."""
    since = pd.to_datetime(["2025-12-01"]).astype("datetime64[us]")
    at = pd.to_datetime(["2026-03-10 03:00"]).astype("datetime64[us]")
    return {
        **deals(OPEN, SOLD), **PEOPLE,
        **table("credits", contract_id=["c1", "c1", None, None],
                opportunity_id=[None, None, "d1", "d1"], user_id=["u1", "u3", "u1", "u2"],
                share=[0.7, 0.3, 0.5, 0.5]),
        **table("contract_lines", id=["l1"], contract_id=["c1"], kind=["subscription"],
                amount=[36.0], months=[36.0]),
        **table("changes", entity=["contracts"], entity_id=["c2"], field=["amount"],
                old_value=["120.00"], new_value=["100.00"], changed_at=at, seq=[1]),
        **table("tracked", entity=["contracts"], field=["amount"], since=since, how=["log"]),
        **table("accounts", id=["a1", "a2"], parent_account_id=[None, "a1"], segment=["s", "m"]),
        **targets(("2026-03", "company", None, 100.0, "2026-01-01"),
                  ("2026-03", "user", "u1", 10.0, "2026-01-01")),
        **contracts(contract(id="c1", amount=100.0, signed_on=day("2026-01-20"),
                             cancelled_on=day("2026-03-02")),
                    contract(id="c2", opportunity_id="d1", amount=100.0,
                             signed_on=day("2026-02-10"))),
    }  # fmt: skip


def without_contracts() -> dict:
    """A deal won in another currency."""
    usd = won(id="d1", amount=100.0, currency="USD", closed_at=T("2026-03-10 04:00"))
    return {**deals(usd), **table("fx", currency=["USD"], on=[day("2026-01-01")], rate=[7.0])}


@pytest.fixture(params=[with_contracts, without_contracts])
def pair(request, server) -> Iterator[tuple[Book, Book]]:  # noqa: F811
    tables = request.param()
    con = ibis.connect(server)
    for name in con.list_tables():
        con.drop_table(name, force=True)
    for name, rows in tables.items():
        con.create_table(name, rows)
    con.disconnect()
    there = open_book(server)
    backend = there.store.tables["opportunities"].get_backend()
    yield there, book_of(tables)
    # What is held in the database goes before its connection does.
    kept._KEPT.pop(there.store, None)
    gc.collect()
    backend.disconnect()


def test_every_metric_and_the_bridge_are_the_same(pair):
    frames = [[] for _book in pair]
    for book, found in zip(pair, frames, strict=True):
        for metric in METRICS:
            by = ("owner_id",) if metric.id in ("bookings", "attainment") else ()
            found.append(reduced(metric, book, book.period("2026-03"), by))
        found.append(bridge(book, book.period("2026-03"), book.period("2026-02")).bars)
    for one, other in zip(*frames, strict=True):
        pd.testing.assert_frame_equal(one, other, check_dtype=False)
