"""How often do customers without contracts come back? The BG/NBD model by maximum likelihood.

A customer buys at a rate of its own until, after some purchase, it is gone without saying so. The
libraries that fitted this are no longer kept or bring a sampler along; the textbook form is short.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.optimize import minimize
from scipy.special import betaln, expit, gammaln, hyp2f1

Floats = npt.NDArray[np.float64]
# Fewer customers who came back tell nothing of rates.
LEAST = 30


@dataclass(frozen=True, kw_only=True)
class BgNbd:
    """The fitted model.

    Attributes
    ----------
    r, alpha
        Shape and rate of the gamma of purchase rates.
    a, b
        Of the beta of the chance to be gone after a purchase.
    loglikelihood
        Of the customers that it was fitted on.
    n
        Customers.
    """

    r: float
    alpha: float
    a: float
    b: float
    loglikelihood: float
    n: int

    def chance_alive(self, x: npt.ArrayLike, t_x: npt.ArrayLike, age: npt.ArrayLike) -> Floats:
        """Give the chance that each customer still buys.

        Parameters
        ----------
        x
            Repeat purchases.
        t_x
            Time of the last one since the first purchase.
        age
            Time since the first purchase; the unit is that of the fit.
        """
        x, t_x, age = (np.asarray(v, dtype=float) for v in (x, t_x, age))
        odds = np.log(self.a) - np.log(self.b + np.maximum(x, 1) - 1)
        odds = odds + (self.r + x) * (np.log(self.alpha + age) - np.log(self.alpha + t_x))
        return np.asarray(np.where(x > 0, expit(-odds), 1.0), dtype=float)

    def expected(
        self, ahead: float, x: npt.ArrayLike, t_x: npt.ArrayLike, age: npt.ArrayLike
    ) -> Floats:
        """Give the purchases that each customer is expected to make within a time ahead.

        Notes
        -----
        Fader, Hardie and Lee (2005), equation 10.
        """
        x, t_x, age = (np.asarray(v, dtype=float) for v in (x, t_x, age))
        z = ahead / (self.alpha + age + ahead)
        series = hyp2f1(self.r + x, self.b + x, self.a + self.b + x - 1, z)
        shrink = ((self.alpha + age) / (self.alpha + age + ahead)) ** (self.r + x)
        whole = (self.a + self.b + x - 1) / (self.a - 1) * (1 - shrink * series)
        return np.asarray(whole * self.chance_alive(x, t_x, age), dtype=float)

    def chance_of_none(
        self, ahead: float, x: npt.ArrayLike, t_x: npt.ArrayLike, age: npt.ArrayLike
    ) -> Floats:
        """Give the chance that a customer buys nothing within a time ahead.

        A customer that is gone buys nothing; one that is there waits by a Pareto of its own.
        """
        x, t_x, age = (np.asarray(v, dtype=float) for v in (x, t_x, age))
        alive = self.chance_alive(x, t_x, age)
        waits = ((self.alpha + age) / (self.alpha + age + ahead)) ** (self.r + x)
        return np.asarray(1 - alive + alive * waits, dtype=float)


def fit_bgnbd(frame: pd.DataFrame) -> BgNbd | None:
    """Fit the model by maximum likelihood; null where too few came back.

    Parameters
    ----------
    frame
        One row per customer: `x` (repeat purchases), `t_x` (time of the last since the first),
        `age` (time since the first); one unit of time.

    Notes
    -----
    Fader, Hardie and Lee (2005), "Counting Your Customers" the Easy Way, Marketing Science 24(2),
    equation 6, with logarithms of sums taken safely.

    Examples
    --------
    >>> fit_bgnbd(pd.DataFrame({"x": [0], "t_x": [0.0], "age": [5.0]})) is None
    True
    """
    x, t_x, age = (frame[c].to_numpy(float) for c in ("x", "t_x", "age"))
    if (x > 0).sum() < LEAST:
        return None
    # In units of the mean age every company starts from the same place.
    unit = float(age.mean())

    def loss(log: Floats) -> float:
        r, alpha, a, b = np.exp(np.clip(log, -12, 12))
        return -float(_loglikelihood(r, alpha, a, b, x, t_x / unit, age / unit).mean())

    best = min((minimize(loss, start, method="L-BFGS-B") for start in _starts()),
               key=lambda found: float(found.fun))  # fmt: skip
    polished = minimize(loss, best.x, method="Nelder-Mead",
                        options={"xatol": 1e-7, "fatol": 1e-12, "maxiter": 4000})  # fmt: skip
    r, alpha, a, b = (float(v) for v in np.exp(polished.x))
    whole = _loglikelihood(r, alpha * unit, a, b, x, t_x, age).sum()
    return BgNbd(r=r, alpha=alpha * unit, a=a, b=b, loglikelihood=float(whole), n=len(frame))


def _starts() -> list[Floats]:
    return [np.log([0.5, 0.5, 1.0, 2.0]), np.log([1.0, 1.0, 0.5, 5.0])]


def _loglikelihood(
    r: float, alpha: float, a: float, b: float, x: Floats, t_x: Floats, age: Floats
) -> Floats:  # fmt: skip
    """Give each customer's log-likelihood."""
    shared = gammaln(r + x) - gammaln(r) + r * np.log(alpha)
    there = betaln(a, b + x) - betaln(a, b) - (r + x) * np.log(alpha + age)
    later = np.maximum(x, 1)
    gone = betaln(a + 1, b + later - 1) - betaln(a, b) - (r + x) * np.log(alpha + t_x)
    return np.asarray(shared + np.where(x > 0, np.logaddexp(there, gone), there), dtype=float)


def summary_of_orders(orders: pd.DataFrame, at: pd.Timestamp) -> pd.DataFrame:
    """Give each customer's repeat purchases and their times, in days, up to an instant.

    Parameters
    ----------
    orders
        `customer` and `on` (a day); several on one day count once.
    at
        Until when.

    Returns
    -------
    pandas.DataFrame
        One row per customer: `customer`, `x`, `t_x`, `age`.

    Examples
    --------
    >>> days = pd.to_datetime(["2026-01-01", "2026-01-11", "2026-01-11"])
    >>> rows = pd.DataFrame({"customer": "c", "on": days})
    >>> summary_of_orders(rows, pd.Timestamp("2026-01-31")).values.tolist()
    [['c', 1, 10.0, 30.0]]
    """
    known = orders[orders["on"] <= at].drop_duplicates(["customer", "on"])
    days = known.groupby("customer")["on"].agg(["min", "max", "size"])
    return pd.DataFrame({
        "customer": days.index, "x": (days["size"] - 1).to_numpy(),
        "t_x": (days["max"] - days["min"]).dt.days.to_numpy(float),
        "age": (at - days["min"]).dt.days.to_numpy(float),
    })  # fmt: skip
