"""What a territory explains: quotas against the potential they lie on, results against both."""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from salesops.methods.intervals import Z80

LEAST_SELLERS = 4


def quota_gaps(potentials: pd.DataFrame, quotas: pd.DataFrame) -> pd.DataFrame:
    """How much more quota than potential does a seller of each territory carry, against the others?

    Parameters
    ----------
    potentials
        One row per account: `territory`, `potential` (money; others than positive ones are left
        out).
    quotas
        One row per territory: `territory`, `quota` (money of all its sellers), `sellers` (their
        number, parts of a year counted as parts).

    Returns
    -------
    pandas.DataFrame
        One row per territory with accounts and sellers: `territory`, `n` (accounts), `quota`,
        `potential` (money per seller), `quota_times`, `potential_times` (multiples of the other
        territories' together), `gap` (natural logarithm of how many times more quota than
        potential; 0 where both go together), `error` (its standard error).

    Notes
    -----
    Potentials are compared by the mean of their logarithms, since a few large accounts make most
    of a sum: Welch (1947), Biometrika 34, 28-35. Quotas and numbers of accounts are what they are.

    Examples
    --------
    >>> accounts = pd.DataFrame({"territory": ["n"] * 3 + ["s"] * 3,
    ...                          "potential": [90.0, 100.0, 110.0, 45.0, 50.0, 55.0]})
    >>> quotas = pd.DataFrame({"territory": ["n", "s"], "quota": [10.0, 10.0], "sellers": [1, 1]})
    >>> quota_gaps(accounts, quotas)["gap"].round(2).tolist()
    [-0.69, 0.69]
    """
    known = potentials[potentials["potential"] > 0]
    log = np.log(known["potential"].astype(float)).groupby(known["territory"])
    each = pd.DataFrame({"mean": log.mean(), "variance": log.var(), "n": log.size()})
    each = each.join(quotas.set_index("territory"), how="inner")
    each = each[(each["n"] > 1) & (each["sellers"] > 0) & (each["quota"] > 0)]
    found = [_against_others(each, name) for name in each.index] if len(each) > 1 else []
    columns = ["territory", "n", "quota", "potential", "quota_times", "potential_times", "gap",
               "error"]  # fmt: skip
    return pd.DataFrame(found, columns=columns)


def _against_others(each: pd.DataFrame, name: object) -> tuple[object, ...]:
    own, rest = each.loc[name], each.drop(index=name)
    share = rest["n"] / rest["n"].sum()
    mean = float((share * rest["mean"]).sum())
    error = math.sqrt(own["variance"] / own["n"] + (share**2 * rest["variance"] / rest["n"]).sum())
    accounts = (own["n"] / own["sellers"]) / (rest["n"].sum() / rest["sellers"].sum())
    potential = math.exp(own["mean"] - mean) * accounts
    quota = (own["quota"] / own["sellers"]) / (rest["quota"].sum() / rest["sellers"].sum())
    typical = math.exp(own["mean"]) * own["n"] / own["sellers"]
    return (name, int(own["n"]), float(own["quota"] / own["sellers"]), typical, float(quota),
            potential, math.log(quota / potential), error)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Explained:
    """How results go with the potential behind them.

    Attributes
    ----------
    share
        Part of the variance that potential explains (R squared, 0 to 1).
    slope, low, high
        Change of the result per unit of the logarithm of potential, with its 80 % range.
    p
        Chance of so much if potential explained nothing.
    n
        Sellers.
    """

    share: float
    slope: float
    low: float
    high: float
    p: float
    n: int


def explained_by_potential(
    results: "pd.Series[float]", potential: "pd.Series[float]"
) -> Explained | None:
    """How much of sellers' results does the potential of their territories explain?

    Parameters
    ----------
    results
        Such as attainment, one per seller.
    potential
        Money per seller, positive, of the same index.

    Returns
    -------
    Explained or None
        None with fewer than four sellers, or where potential is the same everywhere.

    Notes
    -----
    Ordinary least squares on the logarithm of potential.

    Examples
    --------
    >>> potential = pd.Series([1.0, 2.0, 4.0, 8.0, 16.0])
    >>> found = explained_by_potential(pd.Series([0.5, 0.7, 0.9, 1.1, 1.3]), potential)
    >>> round(found.share, 3), round(found.slope * 0.6931, 3)
    (1.0, 0.2)
    """
    from scipy.stats import linregress

    both = pd.DataFrame({"y": results, "x": potential}).dropna()
    both = both[both["x"] > 0]
    if len(both) < LEAST_SELLERS or both["x"].nunique() < 2:
        return None
    fit = linregress(np.log(both["x"].to_numpy(float)), both["y"].to_numpy(float))
    reach = Z80 * float(fit.stderr)
    return Explained(share=float(fit.rvalue**2), slope=float(fit.slope), low=fit.slope - reach,
                     high=fit.slope + reach, p=float(fit.pvalue), n=len(both))  # fmt: skip
