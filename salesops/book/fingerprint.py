"""What shows whether two reports speak of the same rows."""

import hashlib
from typing import TYPE_CHECKING

import ibis
from ibis import _

if TYPE_CHECKING:
    from salesops.book.book import Book
    from salesops.book.scope import Scope


def rows_of(book: "Book") -> str:
    """Give 16 hex digits that change when any row of a whole company does."""
    digest = hashlib.sha256()
    for name in sorted(book.store.present):
        table = book.table(name)
        text = ibis.literal("")
        for column in table.columns:
            shown = table[column].cast("string").fill_null("∅")
            text = text.concat(ibis.literal("|"), shown)
        keyed = table.select(h=text.hash())
        row = keyed.agg(
            n=_.count(), low=(_.h % 1_000_003).sum(), high=(_.h % 998_244_353).sum()
        )  # fmt: skip
        values = row.to_pandas().iloc[0].tolist()
        digest.update(f"{name}:{values}".encode())
    return digest.hexdigest()[:16]


def scoped(rows: str, limits: "Scope") -> str:
    """Give the fingerprint within a scope.

    It follows from the rows of the whole company: to read a team's own takes longer than most of
    its numbers.
    """
    if limits.is_company:
        return rows
    return hashlib.sha256(f"{rows}|{limits!r}".encode()).hexdigest()[:16]
