"""Why was more or less signed than before? The change, laid on what brought it about.

Won money = deals at risk x share closed x share of these won x mean won amount. The four are
compared segment by segment and then summed: where only the mix of segments moved, no segment wins
less often, and none is said to. From deals to contracts leads one bar more.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import ibis
import pandas as pd

from salesops.book.book import Book
from salesops.methods.shapley import in_whole_cents, product_change
from salesops.metrics.clock import with_local_days
from salesops.metrics.signed import at_days_rate, signed
from salesops.model.calendar import Period

FACTORS = ("at_risk", "closing", "winning", "mean_amount")
BARS = ("before", *FACTORS, "contracts", "now")
_COUNTS = ("n_risk", "n_closed", "n_won", "won_cents")


@dataclass(frozen=True, kw_only=True, eq=False)
class Bridge:
    """The change of bookings between two stretches of days.

    Attributes
    ----------
    bars
        One row per bar: `bar` (`before`, the four factors, `contracts`, `now`), `kind` (`stock` or
        `change`), `amount` (company currency). Before plus changes is now, to the cent.
    cells
        One row per segment: `segment`, for each of `n_risk`, `n_closed`, `n_won`, `won` (money)
        the value now and with `prior_` then, the four effects in money, and `merged` (the first
        factor that stands for those behind it, empty where none does).
    by
        The column that makes the segments; empty where all deals are one.
    n_merged
        Segments in which factors stand together.
    """

    bars: pd.DataFrame
    cells: pd.DataFrame
    by: str
    n_merged: int


def bridge(book: Book, now: Period, before: Period) -> Bridge:
    """Which part of the change of bookings is due to what?

    Parameters
    ----------
    book
        The company, at its date and in its scope.
    now, before
        The days that are compared.

    Notes
    -----
    A deal is at risk that was open at the start or came in the days; closed is won or lost in
    them. Where nothing was closed or won in a segment, now or then, the factors behind that one
    are not known there: the first that is nought carries the whole change, and `merged` says so.
    """
    counts, by = _counts(book, now, before)
    cells = pd.DataFrame([_cell(row) for row in counts.to_dict("records")], columns=_COLUMNS)
    booked = [_booked(book, days) for days in (before, now)]
    won = [int(cells[c].sum()) for c in ("prior_won_cents", "won_cents")]
    exact = [sum(cells[f"{f}_exact"], Fraction(0)) for f in FACTORS]
    effects = in_whole_cents(exact, won[1] - won[0])
    contracts = (booked[1] - won[1]) - (booked[0] - won[0])
    cents = [booked[0], *effects, contracts, booked[1]]
    if cents[0] + sum(cents[1:-1]) != cents[-1]:
        raise AssertionError(f"the bridge does not add up: {cents} cents")
    kinds = ["stock", *["change"] * 5, "stock"]
    bars = pd.DataFrame({"bar": BARS, "kind": kinds, "amount": [c / 100 for c in cents]})
    n_merged = int((cells["merged"] != "").sum())
    return Bridge(bars=bars, cells=_shown(cells), by=by, n_merged=n_merged)


_COLUMNS = ["segment", *_COUNTS, *(f"prior_{c}" for c in _COUNTS),
            *(f"{f}_exact" for f in FACTORS), "merged"]  # fmt: skip


def _shown(cells: pd.DataFrame) -> pd.DataFrame:
    """Turn exact cents into money, and name the columns by it."""
    found = cells[["segment", "n_risk", "n_closed", "n_won"]].copy()
    found["won"] = cells["won_cents"].astype("float64") / 100
    for name in ("n_risk", "n_closed", "n_won"):
        found[f"prior_{name}"] = cells[f"prior_{name}"]
    found["prior_won"] = cells["prior_won_cents"].astype("float64") / 100
    for factor in FACTORS:
        found[factor] = [float(e) / 100 for e in cells[f"{factor}_exact"]]
    found["merged"] = cells["merged"]
    return found


def _booked(book: Book, days: Period) -> int:
    cents = signed(book, days).cents.sum().to_pandas()
    return 0 if pd.isna(cents) else int(cents)


def _counts(book: Book, now: Period, before: Period) -> tuple[pd.DataFrame, str]:
    """Count deals at risk, closed and won, and won cents, by segment, now and then."""
    selling = book.without_renewals()
    deals = selling.attributed("opportunities")
    accounts = book.unscoped("accounts").select(segment_of="id", segment="segment")
    deals = deals.left_join(accounts, deals.account_id == accounts.segment_of)
    deals = with_local_days(book, deals, {"booked_on": "closed_at"})
    deals = at_days_rate(book, deals)
    local = deals.closed_at
    columns = {}
    for name, days in (("", now), ("prior_", before)):
        begins, ends = book.calendar.instants(days)
        begun, over = (ibis.literal(at).cast("timestamp(6)") for at in (begins, ends))
        closed = book.calendar.contains(days, local).fill_null(False)
        # Of a deal that was entered at an unknown time it is known only when it was closed.
        lasted = (local >= begun).fill_null(deals.outcome == "open")
        there = closed | ((deals.created_at < over).fill_null(False) & lasted)
        won = closed & (deals.outcome == "won")
        columns[f"{name}n_risk"] = _number(there)
        columns[f"{name}n_closed"] = _number(closed & deals.outcome.isin(["won", "lost"]))
        columns[f"{name}n_won"] = _number(won)
        columns[f"{name}won_cents"] = deals.cents.sum(where=won).cast("int64").fill_null(0)
    for by in ("segment", "product_line", "type"):
        key = ibis.coalesce(deals[by], ibis.literal(""))
        frame = deals.group_by(segment=key).agg(**columns).order_by("segment").to_pandas()
        if set(frame["segment"]) - {""}:
            return frame, by
    return frame, ""


def _number(condition: ibis.Value) -> ibis.Value:
    return ibis.ifelse(condition, 1, 0).sum().cast("int64")


def _cell(row: Mapping[str, object]) -> tuple[object, ...]:
    """Work out the effects of one segment in exact cents."""
    now = [int(str(row[c])) for c in _COUNTS]
    then = [int(str(row[f"prior_{c}"])) for c in _COUNTS]
    one, other = _ratios(then), _ratios(now)
    merged = ""
    factors = []
    for k, (before, after) in enumerate(zip(one, other, strict=True)):
        if (before is None) != (after is None):
            merged = merged or FACTORS[k - 1]
        # What is not known on one side is taken from the other, so that it explains nothing.
        known = before if before is not None else after if after is not None else Fraction(0)
        factors.append((known, after if after is not None else known))
    effects = product_change([b for b, _a in factors], [a for _b, a in factors])
    return (row["segment"], *now, *then, *effects, merged)


def _ratios(counts: list[int]) -> list[Fraction | None]:
    """Turn counts into the four factors; null where there is nothing to divide by."""
    risk, closed, won, cents = counts
    pairs = ((closed, risk), (won, closed), (cents, won))
    return [Fraction(risk), *(Fraction(a, b) if b else None for a, b in pairs)]
