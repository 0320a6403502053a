"""How good are chances that were said, held against what happened?

Rows are weeks of the same deals or customers and so no independent trials: every interval here is
by unit, drawing whole units anew. One class alone, or no rows, give nulls and never an error.
"""

import numpy as np
import numpy.typing as npt
import pandas as pd

from salesops.methods.chances import logit, recalibrated

Floats = npt.NDArray[np.float64]
DRAWS = 200
BINS = 10
# A group with fewer of the rarer outcome says nothing.
FEW = 20
SHARES = (0.05, 0.10, 0.20, 0.50)


def auc(score: Floats, happened: "npt.NDArray[np.bool_]", weight: Floats | None = None) -> float:
    """Give the chance that a row in which it happened has the higher score; null for one class.

    Ties count one half, rows by their weight (Hanley & McNeil 1982).

    Examples
    --------
    >>> auc(np.array([0.1, 0.4, 0.4, 0.8]), np.array([False, False, True, True]))
    0.875
    """
    w = np.ones(len(score)) if weight is None else weight
    return _auc_of(*_in_bands(score), happened, w)


def _in_bands(score: Floats) -> tuple["npt.NDArray[np.int64]", int]:
    """Number equal scores alike, ascending."""
    values, band = np.unique(score, return_inverse=True)
    return band.astype(np.int64), len(values)


def _auc_of(
    band: "npt.NDArray[np.int64]", n: int, happened: "npt.NDArray[np.bool_]", weight: Floats
) -> float:
    hits = np.bincount(band, weights=weight * happened, minlength=n)
    rest = np.bincount(band, weights=weight * ~happened, minlength=n)
    both = hits.sum() * rest.sum()
    if not both > 0:
        return float("nan")
    below = np.cumsum(rest) - rest
    return float((hits * (below + rest / 2)).sum() / both)


def _precision_of(
    band: "npt.NDArray[np.int64]", n: int, happened: "npt.NDArray[np.bool_]", weight: Floats
) -> float:
    """Give the average precision: recall gained times the precision there, from the top."""
    hits = np.bincount(band, weights=weight * happened, minlength=n)[::-1]
    every = np.bincount(band, weights=weight, minlength=n)[::-1]
    whole = hits.sum()
    if not whole > 0 or whole == every.sum():
        return float("nan")
    reached = np.cumsum(every)
    precision = np.cumsum(hits) / np.where(reached > 0, reached, 1)
    return float((hits * precision).sum() / whole)


def judged(frame: pd.DataFrame, *, draws: int = DRAWS, seed: int = 0) -> pd.DataFrame:
    """Judge chances by discrimination, accuracy and calibration.

    Parameters
    ----------
    frame
        `score` (0-1), `happened`, `unit`, and `base` (the base rate said at the same time).
    draws
        Draws of units for the intervals.

    Returns
    -------
    pandas.DataFrame
        One row per measure: `measure` (`auc`, `pr_auc`, `brier`, `brier_skill` over the base rate,
        `slope` and `intercept` of what happened on the log-odds), `value`, `low`, `high` (90 %),
        `n` rows, `n_units`, `n_events`.

    Notes
    -----
    Units are drawn with Poisson weights, a cluster bootstrap (Chamandy et al. 2012).

    Examples
    --------
    >>> rows = pd.DataFrame({"score": [0.2, 0.7, 0.6, 0.9], "happened": [False, True, False, True],
    ...                      "unit": list("abcd"), "base": 0.5})
    >>> judged(rows, draws=20).set_index("measure").loc["auc", "value"].item()
    1.0
    """
    score, y = frame["score"].to_numpy(float), frame["happened"].to_numpy(bool)
    base = frame["base"].to_numpy(float)
    codes, units = pd.factorize(frame["unit"])
    band, n_bands = _in_bands(score)
    rng = np.random.default_rng(seed)
    odds = logit(score)
    loss, usual = (score - y) ** 2, (base - y) ** 2

    def measured(w: Floats) -> list[float]:
        whole = float(w.sum())
        brier = float((w * loss).sum() / whole) if whole else float("nan")
        plain = float((w * usual).sum() / whole) if whole else float("nan")
        slope, level = recalibrated(odds, y, w)
        return [_auc_of(band, n_bands, y, w), _precision_of(band, n_bands, y, w), brier,
                1 - brier / plain if plain > 0 else float("nan"), slope, level]  # fmt: skip

    names = ["auc", "pr_auc", "brier", "brier_skill", "slope", "intercept"]
    values = measured(np.ones(len(y)))
    several = len(units) >= 2
    drawn = np.array([measured(rng.poisson(1.0, len(units))[codes].astype(float))
                      for _ in range(draws if several else 0)]).reshape(-1, len(names))  # fmt: skip
    low, high = _ends(drawn)
    return pd.DataFrame({
        "measure": names, "value": values, "low": low, "high": high, "n": len(y),
        "n_units": len(units), "n_events": int(y.sum()),
    })  # fmt: skip


def _ends(drawn: Floats) -> tuple[list[float], list[float]]:
    """Give the 5th and 95th of a hundred draws, column by column; null where there are none."""
    low, high = [], []
    for column in drawn.T:
        known = column[~np.isnan(column)]
        ends = np.quantile(known, [0.05, 0.95]) if len(known) >= 20 else (np.nan, np.nan)
        low.append(float(ends[0]))
        high.append(float(ends[1]))
    return low, high


def calibration(frame: pd.DataFrame, *, bins: int = BINS) -> pd.DataFrame:
    """Lay what was said against what happened, in bins of equal counts.

    Parameters
    ----------
    frame
        `score`, `happened`, `unit`.

    Returns
    -------
    pandas.DataFrame
        One row per bin, ascending: `said` (mean), `share` (in which it happened), `low`, `high`
        (90 %, by unit), `n`, `n_units`.
    """
    columns = ["said", "share", "low", "high", "n", "n_units"]
    if frame.empty:
        return pd.DataFrame(columns=columns)
    rank = frame["score"].rank(method="first")
    bin_ = ((rank - 1) * bins // len(frame)).astype(int)
    found = []
    for _, part in frame.groupby(bin_):
        share = float(part["happened"].mean())
        by_unit = part.groupby("unit")["happened"].agg(["sum", "size"])
        rest = by_unit["sum"] - share * by_unit["size"]
        k = len(by_unit)
        error = float(np.sqrt((rest**2).sum() * k / max(k - 1, 1))) / len(part)
        # Where all or none happened the rows still leave room for one more or less.
        error = max(error, 1 / (k + 2))
        found.append((float(part["score"].mean()), share, max(share - 1.645 * error, 0.0),
                      min(share + 1.645 * error, 1.0), len(part), k))  # fmt: skip
    return pd.DataFrame(found, columns=columns)


def lift(frame: pd.DataFrame, shares: tuple[float, ...] = SHARES) -> pd.DataFrame:
    """Say what looking at the rows with the highest scores alone would reach.

    Parameters
    ----------
    frame
        `score`, `happened`, and `money` (null counts as nothing).

    Returns
    -------
    pandas.DataFrame
        One row per share looked at: `looked_at`, `n`, `precision`, `times` (precision over the
        share of all), `reached` (of all events), `money_reached` (of their money).
    """
    order = frame.sort_values("score", ascending=False, kind="stable")
    hits = order["happened"].to_numpy(bool)
    money = order["money"].fillna(0.0).to_numpy(float) * hits
    found = []
    for share in shares:
        n = max(round(share * len(order)), 1) if len(order) else 0
        inside = float(hits[:n].mean()) if n else float("nan")
        of_all = float(hits.mean()) if len(hits) else float("nan")
        found.append(
            (
                share,
                n,
                inside,
                inside / of_all if of_all > 0 else float("nan"),
                float(hits[:n].sum() / hits.sum()) if hits.any() else float("nan"),
                float(money[:n].sum() / money.sum()) if money.sum() > 0 else float("nan"),
            )
        )
    names = ["looked_at", "n", "precision", "times", "reached", "money_reached"]
    return pd.DataFrame(found, columns=names)


def cost_curve(frame: pd.DataFrame, touch: float, worth: float) -> pd.DataFrame:
    """Say what acting above each threshold would cost and bring, if acting helped so often.

    Parameters
    ----------
    frame
        `score`, `happened`, `money`.
    touch
        What looking after one row costs, in money.
    worth
        Share of the money of a row in which it happens that acting is supposed to save.

    Returns
    -------
    pandas.DataFrame
        One row per threshold: `threshold`, `n`, `cost`, `saved`, `net`; money.
    """
    found = []
    money = frame["money"].fillna(0.0).to_numpy(float) * frame["happened"].to_numpy(bool)
    score = frame["score"].to_numpy(float)
    for threshold in np.linspace(0.0, 0.95, 20).round(2).tolist():
        above = score >= threshold
        cost, saved = touch * float(above.sum()), worth * float(money[above].sum())
        found.append((threshold, int(above.sum()), cost, saved, saved - cost))
    return pd.DataFrame(found, columns=["threshold", "n", "cost", "saved", "net"])


def top_of_each(frame: pd.DataFrame, k: int = 10) -> pd.DataFrame:
    """Say how often it happened in the first `k` rows of each rep and date.

    Parameters
    ----------
    frame
        `score`, `happened`, `rep`, `at`.

    Returns
    -------
    pandas.DataFrame
        One row: `k`, `n` (rows listed), `precision`, `n_all`, `share_all` (of all rows of the same
        reps and dates). Reps with `k` rows or fewer on a date are left out: any order lists all.
    """
    size = frame.groupby(["rep", "at"])["score"].transform("size")
    rows = frame[size > k]
    first = rows.sort_values("score", ascending=False, kind="stable")
    first = first.groupby(["rep", "at"], sort=False).head(k)
    return pd.DataFrame([{
        "k": k, "n": len(first), "precision": _mean(first["happened"]), "n_all": len(rows),
        "share_all": _mean(rows["happened"]),
    }])  # fmt: skip


def _mean(column: "pd.Series[bool]") -> float:
    return float(column.mean()) if len(column) else float("nan")


def by_group(frame: pd.DataFrame, group: str) -> pd.DataFrame:
    """Judge chances group by group, such as by team or origin.

    Parameters
    ----------
    frame
        `score`, `happened`, `unit`, `base` and the group.

    Returns
    -------
    pandas.DataFrame
        One row per group: the group, `n`, `n_units`, `said`, `share`, `auc`, `low`, `high` (null
        where fewer than twenty rows happened, or did not).
    """
    found = []
    for name, part in frame.groupby(group, sort=True):
        hits = int(part["happened"].sum())
        enough = min(hits, len(part) - hits) >= FEW
        row = {group: name, "n": len(part), "n_units": part["unit"].nunique(),
               "said": float(part["score"].mean()), "share": float(part["happened"].mean()),
               "auc": np.nan, "low": np.nan, "high": np.nan}  # fmt: skip
        if enough:
            told = judged(part, draws=100).set_index("measure").loc["auc"]
            row |= {"auc": told["value"], "low": told["low"], "high": told["high"]}
        found.append(row)
    columns = [group, "n", "n_units", "said", "share", "auc", "low", "high"]
    return pd.DataFrame(found, columns=columns)


def paired_gain(
    frame: pd.DataFrame, score: str, other: str, *, draws: int = DRAWS, seed: int = 0
) -> tuple[float, float, float]:
    """Give the AUC of one score less that of another on the same rows, and its 90 % interval.

    Examples
    --------
    >>> rows = pd.DataFrame({"a": [0.1, 0.2, 0.8, 0.9], "b": 0.5, "unit": list("wxyz"),
    ...                      "happened": [False, False, True, True]})
    >>> paired_gain(rows, "a", "b", draws=30)[0]
    0.5
    """
    y = frame["happened"].to_numpy(bool)
    bands = [_in_bands(frame[c].to_numpy(float)) for c in (score, other)]
    codes, units = pd.factorize(frame["unit"])
    rng = np.random.default_rng(seed)

    def gain(w: Floats) -> float:
        first, second = (_auc_of(*band, y, w) for band in bands)
        return first - second

    drawn = np.array([[gain(rng.poisson(1.0, len(units))[codes].astype(float))]
                      for _ in range(draws if len(units) > 1 else 0)]).reshape(-1, 1)  # fmt: skip
    low, high = _ends(drawn)
    return gain(np.ones(len(y))), low[0], high[0]
