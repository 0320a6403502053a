"""Where more is late than is normal, beyond chance, and what waits too long for an acceptance."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from salesops.metrics.receivables import norm_unpaid
from salesops.model.settings import CollectionNorms

FALSE_DISCOVERY = 0.01
_LEAST = 3  # a customer with fewer instalments due says nothing about how it pays


def late_groups(rows: pd.DataFrame, norms: CollectionNorms) -> pd.DataFrame:
    """Which teams and customers are late with more than is normal, beyond chance?

    Parameters
    ----------
    rows
        Receivables with `customer` and `team`.
    norms
        The share that is normally unpaid by days after due, and how many times it is tolerated.

    Returns
    -------
    pandas.DataFrame
        One row per group that stands out, most money first: `kind` (`customer`, `team`, or `all`
        of a company with fewer than two teams), `group`, `n_due` (instalments due within the days
        of the norm), `n_late` (of them not paid in full), `amount` (unpaid of them),
        `norm_amount` (what is normally unpaid). Instalments of a customer that stands out are not
        counted again for its team.

    Notes
    -----
    The count of late instalments against a Poisson law with the tolerated mean, which is wider
    than that of independent instalments; Benjamini and Yekutieli (2001), Annals of Statistics 29,
    1165–1188, over all teams and customers, since these overlap. What waits for an acceptance is
    left out: it is late for a reason of its own.
    """
    last = norms.unpaid[-1][0]
    due = rows[(rows["age"] > 0) & (rows["age"] <= last) & ~_waits(rows)]
    due = due.assign(norm=norm_unpaid(due["age"], norms), late=due["unpaid"] > 0)
    customers = _beyond(due, "customer", norms.tolerance)
    customers = customers[customers["n_due"] >= _LEAST]
    kind = "team" if due["team"].nunique() > 1 else "all"
    due = due.assign(all="all")
    teams = _beyond(due, kind, norms.tolerance)
    tested = pd.concat([customers, teams], ignore_index=True)
    tested = tested[_stand_out(tested["p"])]
    flagged = tested.loc[tested["kind"] == "customer", "group"]
    others = _beyond(due[~due["customer"].isin(flagged)], kind, norms.tolerance)
    again = others[others["group"].isin(tested.loc[tested["kind"] == kind, "group"])]
    again = again[again["n_late"] > again["norm_n"] * norms.tolerance]
    found = pd.concat([tested[tested["kind"] == "customer"], again], ignore_index=True)
    return found.sort_values("amount", ascending=False, ignore_index=True).drop(
        columns=["p", "norm_n"]
    )


def _waits(rows: pd.DataFrame) -> "pd.Series[bool]":
    if rows["accepted_on"].isna().all():
        return pd.Series(False, index=rows.index)
    return rows["delivered_on"].notna() & rows["accepted_on"].isna()


def _beyond(due: pd.DataFrame, kind: str, tolerance: float) -> pd.DataFrame:
    """Count what is late by group, and how likely so much is where all is normal."""
    from scipy.special import pdtrc

    weighed = due.assign(normal=due["norm"] * due["amount"])
    grouped = weighed.groupby(kind).agg(
        n_due=("late", "size"), n_late=("late", "sum"), norm_n=("norm", "sum"),
        amount=("unpaid", "sum"), norm_amount=("normal", "sum"),
    )  # fmt: skip
    frame = grouped.rename_axis("group").reset_index()
    mean = frame["norm_n"].to_numpy(dtype=float) * tolerance
    several = np.maximum(frame["n_late"].to_numpy(dtype=float) - 1, 0)
    p = np.where(frame["n_late"] > 0, pdtrc(several, np.maximum(mean, 1e-12)), 1.0)
    return frame.assign(kind=kind, p=p)


def _stand_out(p: "pd.Series[float]") -> "pd.Series[bool]":
    # An adjusted value is never smaller; importing the adjustment takes a second.
    if not (p < FALSE_DISCOVERY).any():
        return pd.Series(False, index=p.index)
    from scipy.stats import false_discovery_control

    adjusted = false_discovery_control(p.to_numpy(dtype=float), method="by")
    return pd.Series(adjusted < FALSE_DISCOVERY, index=p.index)


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """What was delivered and waits longer than is normal for the customer's signature.

    Attributes
    ----------
    n, amount
        Contracts that wait longer than the norm, and their value.
    share
        Of the value delivered in the last year, 0–1; null where nothing was.
    unpaid
        What is unpaid of them.
    payable
        Of that, what falls due once the acceptance is signed: all but retention money.
    days
        Longest wait.
    """

    n: int
    amount: float
    share: float
    unpaid: float
    payable: float
    days: int


def waiting_long(
    contracts: pd.DataFrame, rows: pd.DataFrame, delivered: float, norms: CollectionNorms
) -> Waiting:
    """Size what waits too long: contracts not accepted, their receivables, what was delivered."""
    long = contracts[contracts["waiting_days"] > norms.unaccepted_days]
    owed = rows[rows["contract_id"].isin(long["id"])]
    payable = owed.loc[owed["trigger"] != "retention", "unpaid"].sum()
    amount = float(long["amount"].sum())
    unpaid = float(owed["unpaid"].sum())
    # Without instalments all of the contract waits.
    return Waiting(
        n=len(long), amount=amount, share=amount / delivered if delivered else float("nan"),
        unpaid=unpaid if len(owed) else amount, payable=float(payable) if len(owed) else amount,
        days=int(long["waiting_days"].max()) if len(long) else 0,
    )  # fmt: skip
