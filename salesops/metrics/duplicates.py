"""Customers that are entered twice: pairs, and which record of each group should stay."""

from typing import Any

import numpy as np
import pandas as pd

from salesops.book.book import Book
from salesops.methods.linkage import same_companies
from salesops.metrics.kept import kept

_READ = ("id", "name", "owner_id", "created_at", "tax_id", "phone", "domain", "email")
COLUMNS = ["account", "other", "chance", "reason", "two_owners", "name", "other_name"]


def duplicate_accounts(book: Book) -> pd.DataFrame:
    """Which customers are entered twice?

    Returns
    -------
    pandas.DataFrame
        One row per pair in scope, likeliest first: `account` (entered first), `other`, `chance`
        (that both are one company, 0.9 to 1), `reason` (what agrees: `tax_id`, `phone`, `domain`,
        `name`, joined by `+`), `two_owners`, `name`, `other_name`.

    Examples
    --------
    >>> from salesops.book.book import open_book
    >>> len(duplicate_accounts(open_book("tests/tiny_company")))
    0
    """
    return kept("duplicate accounts", book, lambda: _pairs(book))


def _pairs(book: Book) -> pd.DataFrame:
    if not book.has("accounts.name"):
        return pd.DataFrame(columns=COLUMNS)
    accounts = book.accounts
    rows = accounts.select(*(c for c in _READ if c in accounts.columns)).order_by("id").to_pandas()
    pairs = same_companies(rows)
    if pairs.empty:
        return pd.DataFrame(columns=COLUMNS)
    by_id = rows.set_index("id")
    born = by_id["created_at"].fillna(pd.Timestamp.max)
    first, second = (born.reindex(pairs[side]).to_numpy() for side in ("id", "other"))
    swap = second < first
    account = pairs["id"].where(~swap, pairs["other"])
    other = pairs["other"].where(~swap, pairs["id"])
    owner = by_id["owner_id"]
    one, two = (owner.reindex(side).reset_index(drop=True) for side in (account, other))
    return pd.DataFrame({
        "account": account, "other": other, "chance": pairs["chance"], "reason": pairs["reason"],
        "two_owners": (one != two) & one.notna() & two.notna(),
        "name": by_id["name"].reindex(account).to_numpy(),
        "other_name": by_id["name"].reindex(other).to_numpy(),
    })  # fmt: skip


def merge_list(book: Book) -> pd.DataFrame:
    """Propose for each customer that is entered twice which record stands for it.

    Returns
    -------
    pandas.DataFrame
        One row per record to give up: `account_id`, `account`, `into_id`, `into` (names; the
        record that was entered first), `chance` (of the likeliest pair that ties it to its group),
        `reason`, `two_owners`, `merge` (empty: to be filled in).
    """
    pairs = duplicate_accounts(book)
    columns = ["account_id", "account", "into_id", "into", "chance", "reason", "two_owners",
               "merge"]  # fmt: skip
    if pairs.empty:
        return pd.DataFrame(columns=columns)
    group = _groups(pairs)
    born = book.accounts.select("id", "name", "created_at").to_pandas().set_index("id")
    born = born.loc[list(group)].assign(group=list(group.values()))
    born = born.reset_index().sort_values(["created_at", "id"], na_position="last")
    stays = born.drop_duplicates("group").set_index("group")
    ties = pd.concat([pairs, pairs.rename(columns={"account": "other", "other": "account"})])
    ties = ties.sort_values("chance", ascending=False).drop_duplicates("account")
    ties = ties.set_index("account")
    gone = born[~born["id"].isin(stays["id"])]
    found = pd.DataFrame({
        "account_id": gone["id"], "account": gone["name"],
        "into_id": gone["group"].map(stays["id"]), "into": gone["group"].map(stays["name"]),
        "chance": gone["id"].map(ties["chance"]).round(4), "reason": gone["id"].map(ties["reason"]),
        "two_owners": gone["id"].map(ties["two_owners"]), "merge": "",
    })  # fmt: skip
    return found.sort_values(["chance", "account_id"], ascending=[False, True],
                             ignore_index=True)  # fmt: skip


def _groups(pairs: pd.DataFrame) -> dict[str, int]:
    """Number the groups of records that pairs tie together."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    names = pd.Index(pd.unique(pd.concat([pairs["account"], pairs["other"]])))
    ends: tuple[Any, Any] = (names.get_indexer(pairs["account"]), names.get_indexer(pairs["other"]))
    graph = coo_matrix((np.ones(len(pairs)), ends), shape=(len(names), len(names)))
    _n, numbers = connected_components(graph, directed=False)
    return dict(zip(names, numbers.tolist(), strict=True))
