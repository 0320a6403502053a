"""Which deals moved between a day and the book's date, and how."""

import datetime as dt

import numpy as np
import pandas as pd

from salesops.book.book import Book

MOVED = ["id", "name", "owner_id", "owner", "amount", "moves"]
# Fields that are compared where their history is kept; what people see of a deal.
FIELDS = ("stage", "amount", "expected_close_on", "owner_id")


def moved_deals(book: Book, since: dt.date) -> pd.DataFrame:
    """Which deals came, ended or changed after a day?

    Parameters
    ----------
    book
        The company, at its date and in its scope.
    since
        Day up to whose end nothing counts; not after the book's date.

    Returns
    -------
    pandas.DataFrame
        One row per deal, largest first: `id`, `name`, `owner_id`, `owner` (name), `amount` (now,
        else then) and `moves`: `(what, before, after)` with `created`, `won`, `lost`, `void`,
        `reopened`, `stage`, `amount`, `expected_close_on`, `owner_id`, or `out` for what is no
        longer in sight.

    Notes
    -----
    A field is compared where its history reaches back to that day: what was not kept then is not
    called moved now. A deal that changed and changed back has not moved.
    """
    if since >= book.date:
        return pd.DataFrame(columns=MOVED)
    panel = book.panel([since, book.date])
    kept = [f for f in FIELDS if _kept_since(book, f, since)]
    shown = [c for c in ("id", "name", "owner_id", "amount", "outcome", "created_at", *kept)
             if c in panel.columns]  # fmt: skip
    frame = panel.select(*dict.fromkeys(shown), "on").to_pandas()
    frame["on"] = pd.to_datetime(frame["on"])
    then = frame[frame["on"] == pd.Timestamp(since)].set_index("id")
    now = frame[frame["on"] == pd.Timestamp(book.date)].set_index("id")
    moves = _moves(then, now, kept)
    if not moves:
        return pd.DataFrame(columns=MOVED)
    ids = list(moves)
    rows = now.reindex(ids).combine_first(then.reindex(ids)).loc[ids].reset_index(names="id")
    people = book.unscoped("users").select("id", "name").to_pandas().set_index("id")["name"]
    rows = rows.assign(moves=[moves[i] for i in ids], amount=rows["amount"].astype(float),
                       owner=rows["owner_id"].map(people).fillna(rows["owner_id"]))  # fmt: skip
    for column in MOVED:
        if column not in rows:
            rows[column] = None
    rows = rows.sort_values(["amount", "id"], ascending=[False, True], na_position="last")
    return rows[MOVED].reset_index(drop=True)


def _kept_since(book: Book, field: str, since: dt.date) -> bool:
    tracking = book.tracked.get("opportunities", {}).get(field)
    return tracking is not None and tracking.since <= book.calendar.end_of(since)


def _moves(
    then: pd.DataFrame, now: pd.DataFrame, kept: list[str]
) -> dict[str, tuple[tuple[str, object, object], ...]]:
    """Give the moves of each deal that moved."""
    found: dict[str, list[tuple[str, object, object]]] = {}
    for deal in now.index.difference(then.index):
        found[deal] = [("created", None, now.at[deal, "outcome"])]
    for deal in then.index.difference(now.index):
        found[deal] = [("out", then.at[deal, "outcome"], None)]
    both = now.index.intersection(then.index)
    old, new = then.loc[both], now.loc[both]
    ended = (old["outcome"] != new["outcome"]).to_numpy()
    for deal in both[ended]:
        after = str(new.at[deal, "outcome"])
        what = "reopened" if after == "open" else after
        found.setdefault(deal, []).append((what, old.at[deal, "outcome"], after))
    for field in kept:
        if field not in old:
            continue
        a, b = old[field], new[field]
        same = (a == b).fillna(False).to_numpy(bool) | (a.isna() & b.isna()).to_numpy(bool)
        # The stage of a deal that ended is told by how it ended.
        told = ended if field == "stage" else np.zeros(len(both), bool)
        for deal in both[~same & ~told]:
            found.setdefault(deal, []).append((field, old.at[deal, field], new.at[deal, field]))
    return {deal: tuple(moves) for deal, moves in found.items()}
