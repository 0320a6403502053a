"""What happened to the open pipeline between two instants, deal by deal, to the cent.

Each deal belongs to exactly one row of (in at the start, in at the end, reason): leavers are valued
at the start, entrants at the end, those who stay give one amount difference. So the bars add up by
construction, in any order of events.
"""

from typing import TypeAlias

import ibis
import numpy as np
import pandas as pd
from ibis import _

from salesops.book.book import Book
from salesops.metrics.currency import in_company_currency, whole_cents
from salesops.model.calendar import Period

Table: TypeAlias = ibis.Table

KINDS = {
    "start": "stock",
    "created": "in",
    "reopened": "in",
    "transferred_in": "in",
    "transferred_out": "out",
    "amount_up": "in",
    "amount_down": "out",
    "pulled_in": "in",
    "pushed_out": "out",
    "won": "won",
    "lost": "out",
    "void": "out",
    "fx": "in",
    "end": "stock",
}


def pipeline_moves(start: Book, end: Book, window: Period | None) -> pd.DataFrame:
    """Lay out what became of each deal of the pipeline between two books.

    Parameters
    ----------
    start, end
        The same company and scope at two instants. A deal that left the scope is absent at the
        end, so it is transferred out; one that came is absent at the start.
    window
        Only deals expected to close in it; None for all open deals.

    Returns
    -------
    pandas.DataFrame
        One row per deal that was in at the start or the end: `id`, `name`, `owner_id`, `bucket`,
        `cents_start`, `cents_end`, `cents_fx` (whole cents in company currency).
    """
    before, after = _side(start, window), _side(end, window)
    before = before.rename({f"{c}_0": c for c in before.columns})
    after = after.rename({f"{c}_1": c for c in after.columns})
    pair = before.outer_join(after, before.id_0 == after.id_1)
    pair = pair.mutate(
        in_0=_.in_window_0.fill_null(False), in_1=_.in_window_1.fill_null(False)
    ).filter(_.in_0 | _.in_1)
    leaving = ibis.cases(
        (_.id_1.isnull(), "transferred_out"),
        (_.outcome_1 != "open", _.outcome_1),
        else_="pushed_out",
    )
    known_then = (_.created_at_1 <= ibis.literal(start.instant).cast("timestamp(6)")).fill_null(
        True
    )
    coming = ibis.cases(
        (_.id_0.isnull() & known_then & ibis.literal(not end.limits.is_company), "transferred_in"),
        (_.id_0.isnull(), "created"),
        (_.outcome_0 != "open", "reopened"),
        else_="pulled_in",
    )
    fx = _.own_cents_0 * (_.rate_1 - _.rate_0)
    pair = pair.mutate(
        id=ibis.coalesce(_.id_1, _.id_0),
        name=ibis.coalesce(_.name_1, _.name_0),
        owner_id=ibis.coalesce(_.owner_id_1, _.owner_id_0),
        bucket=ibis.cases((_.in_0 & _.in_1, "stay"), (_.in_0, leaving), else_=coming),
        cents_start=ibis.ifelse(_.in_0, _.cents_0, 0).fill_null(0),
        cents_end=ibis.ifelse(_.in_1, _.cents_1, 0).fill_null(0),
        cents_fx=ibis.ifelse(_.in_0 & _.in_1, whole_cents(fx), 0).fill_null(0),
    )
    columns = ["id", "name", "owner_id", "bucket", "cents_start", "cents_end", "cents_fx"]
    return pair.select(columns).order_by("id").to_pandas()


def _side(book: Book, window: Period | None) -> Table:
    """Every deal known in this scope: whether it is in the pipeline, and its value in cents."""
    deals = in_company_currency(book)
    is_in = deals.outcome == "open"
    if window is not None:
        expected = deals.expected_close_on
        is_in = is_in & book.calendar.contains(window, expected).fill_null(False)
    return deals.select(
        "id", "name", "owner_id", "outcome", "created_at", "rate", "cents",
        own_cents=deals.own_cents, in_window=is_in,
    )  # fmt: skip


def waterfall_bars(moves: pd.DataFrame) -> pd.DataFrame:
    """Sum the moves of deals into the bars of the waterfall.

    Returns
    -------
    pandas.DataFrame
        One row per bucket, in the order of the picture: `bucket`, `kind` (`stock`, `in`, `out`,
        `won`), `n` (deals), `amount` (company currency, outflows negative). Start plus all moves
        is the end, to the cent.
    """
    start, end, fx = (moves[f"cents_{side}"].to_numpy() for side in ("start", "end", "fx"))
    delta = end - start
    change = delta - fx
    bucket = moves["bucket"].to_numpy()
    stay, leaves = bucket == "stay", np.isin(bucket, _LEAVING)
    parts = {
        "start": (stay | leaves, start), "end": (~leaves, end),
        "amount_up": (stay & (change > 0), change), "amount_down": (stay & (change < 0), change),
        "fx": (stay & (fx != 0), fx),
    }  # fmt: skip
    rows = []
    for name, kind in KINDS.items():
        chosen, cents = parts.get(name, (bucket == name, delta))
        rows.append((name, kind, int(chosen.sum()), int(cents[chosen].sum())))
    moved = sum(cents for _name, kind, _n, cents in rows if kind != "stock")
    first, last = (cents for _name, kind, _n, cents in rows if kind == "stock")
    if first + moved != last:
        raise AssertionError(f"the waterfall does not balance: {first} + {moved} != {last} cents")
    bars = pd.DataFrame(rows, columns=["bucket", "kind", "n", "cents"])
    bars["amount"] = bars["cents"] / 100
    return bars.drop(columns="cents")


_LEAVING = ("transferred_out", "pushed_out", "won", "lost", "void")


def moved_deals(moves: pd.DataFrame) -> pd.DataFrame:
    """Name the deals behind each bar: one row per deal and bar, with its amount."""
    change = moves["cents_end"] - moves["cents_start"] - moves["cents_fx"]
    delta = moves["cents_end"] - moves["cents_start"]
    stay = moves["bucket"] == "stay"
    up, down = stay & (change > 0), stay & (change < 0)
    rated = stay & (moves["cents_fx"] != 0)
    parts = [
        moves[~stay].assign(cents=delta[~stay]),
        moves[up].assign(bucket="amount_up", cents=change[up]),
        moves[down].assign(bucket="amount_down", cents=change[down]),
        moves[rated].assign(bucket="fx", cents=moves.loc[rated, "cents_fx"]),
    ]
    deals = pd.concat(parts)
    deals["amount"] = deals["cents"] / 100
    return deals[["id", "name", "owner_id", "bucket", "amount"]].reset_index(drop=True)
