"""What would acting on the highest chances have reached, for each share, list or threshold?"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from salesops.methods.unitdraws import DRAWS, Floats, Scored, ranges, scored_rows

SHARES = (0.05, 0.10, 0.20, 0.50)
THRESHOLDS = tuple(round(0.05 * k, 2) for k in range(20))


def lift(
    frame: pd.DataFrame, shares: Sequence[float] = SHARES, *, draws: int = DRAWS, seed: int = 0
) -> pd.DataFrame:  # fmt: skip
    """How much of what happened would looking at the highest scores alone have reached?

    Parameters
    ----------
    frame
        `score` (0-1), `happened`, `unit`; `money` (null counts as nothing) and `weight`, if any.
    shares
        Of the rows, 0-1, that are looked at.
    draws, seed
        Draws of units for the intervals.

    Returns
    -------
    pandas.DataFrame
        One row per share: `looked_at`, `n` rows, `precision` (share of them in which it happened,
        0-1), `times` (precision over the share of all; 2 means twice as often) with `low`, `high`,
        `reached` (of all events, 0-1) with `reached_low`, `reached_high` (90 %, by unit),
        `money_reached` (of their money, 0-1). Null where nothing happened, or without money.

    Raises
    ------
    NotAChance
        A score is not within 0 and 1, or a weight not one.

    Notes
    -----
    Where the border falls among equal scores, each of them is taken in part, so that the order of
    rows changes nothing.

    Examples
    --------
    >>> rows = pd.DataFrame({"score": [0.9, 0.8, 0.2, 0.1], "unit": list("abcd"),
    ...                      "happened": [True, False, True, False]})
    >>> lift(rows, (0.25,))[["n", "precision", "times", "reached"]].values.tolist()
    [[1.0, 1.0, 2.0, 0.5]]
    """
    rows = scored_rows(frame)
    n_rows = np.array([max(round(s * len(rows)), 1) if len(rows) else 0 for s in shares])
    parts = n_rows / max(len(rows), 1)

    def measured(w: Floats) -> Floats:
        events, whole = float((w * rows.happened).sum()), float(w.sum())
        if not events > 0:
            return np.full(2 * len(shares), np.nan)
        reached = _reached(rows, w, w * rows.happened, parts) / events
        return np.concatenate([reached / _taken(whole, parts) * whole, reached])

    value = measured(rows.weight)
    low, high = ranges(measured, rows, draws=draws, seed=seed)
    k, whole = len(shares), float(rows.weight.sum())
    hit_money = _money(rows) * rows.happened * rows.weight
    money = hit_money.sum()
    inside = _reached(rows, rows.weight, rows.weight * rows.happened, parts)
    return pd.DataFrame({
        "looked_at": list(shares), "n": n_rows, "precision": inside / _taken(whole, parts),
        "times": value[:k], "low": low[:k], "high": high[:k], "reached": value[k:],
        "reached_low": low[k:], "reached_high": high[k:],
        "money_reached": _reached(rows, rows.weight, hit_money, parts) / money
        if money > 0 else np.nan,
    })  # fmt: skip


def _taken(whole: float, parts: Floats) -> Floats:
    return np.where(whole * parts > 0, whole * parts, np.nan)


def _reached(rows: Scored, weight: Floats, amount: Floats, parts: Floats) -> Floats:
    """Sum an amount from the highest score down to where parts of the weight are taken."""
    if not len(rows):
        return np.zeros(len(parts))
    last = np.flatnonzero(np.r_[rows.score[1:] != rows.score[:-1], True])
    taken, got = np.cumsum(weight), np.cumsum(amount)
    taken, got = np.r_[0.0, taken[last]], np.r_[0.0, got[last]]
    # From the bottom up; what is above is the rest.
    return np.asarray(got[-1] - np.interp(taken[-1] * (1 - parts), taken, got))


def _money(rows: Scored) -> Floats:
    if "money" not in rows.frame:
        return np.zeros(len(rows))
    return np.nan_to_num(rows.frame["money"].to_numpy(float, na_value=np.nan))


def top_of_each(
    frame: pd.DataFrame, k: int = 10, *, by: str = "rep", draws: int = DRAWS, seed: int = 0
) -> pd.DataFrame:  # fmt: skip
    """How often did it happen in the first rows of each person's list?

    Parameters
    ----------
    frame
        `score` (0-1), `happened`, `unit`, `at` (date of the list), the person, and `weight`, if
        any.
    k
        Rows at the top of each list.
    by
        Column of the person.
    draws, seed
        Draws of units for the intervals.

    Returns
    -------
    pandas.DataFrame
        One row: `k`, `n_lists`, `n` (rows at their tops), `n_units`, `precision` (share of those
        rows in which it happened, 0-1) with `low`, `high`, `n_all`, `share_all` (of all rows of
        the same lists), `more` (precision less share of all) with `more_low`, `more_high` (90 %,
        by unit). Lists of `k` rows or fewer are left out, since any order lists all of them; with
        none left the rates are null.

    Raises
    ------
    NotAChance
        A score is not within 0 and 1, or a weight not one.

    Notes
    -----
    Rows with the same score at the border are taken in part.

    Examples
    --------
    >>> rows = pd.DataFrame({"score": [0.9, 0.5, 0.1], "happened": [True, False, False],
    ...                      "unit": list("abc"), "rep": "Li", "at": "2026-03-31"})
    >>> top_of_each(rows, 1)[["n", "precision", "n_all"]].values.tolist()
    [[1.0, 1.0, 3.0]]
    """
    lists = frame.groupby([by, "at"], observed=True)["score"]
    rows = scored_rows(frame[lists.transform("size") > k])
    lists = rows.frame.groupby([by, "at"], observed=True)["score"]
    first = lists.rank(method="min", ascending=False).to_numpy()
    alike = rows.frame.groupby([by, "at", "score"], observed=True)["score"].transform("size")
    part = np.clip((k - first + 1) / alike.to_numpy(float), 0.0, 1.0) if len(rows) else first

    def measured(w: Floats) -> list[float]:
        top = _share(rows, w * part)
        return [top, top - _share(rows, w)]

    value = measured(rows.weight)
    low, high = ranges(measured, rows, draws=draws, seed=seed)
    return pd.DataFrame([{
        "k": k, "n_lists": lists.ngroups, "n": round(part.sum()), "n_units": rows.n_units,
        "precision": value[0], "low": low[0], "high": high[0], "n_all": len(rows),
        "share_all": _share(rows, rows.weight), "more": value[1], "more_low": low[1],
        "more_high": high[1],
    }])  # fmt: skip


def _share(rows: Scored, w: Floats) -> float:
    return float((w * rows.happened).sum() / w.sum()) if w.any() else float("nan")


def cost_curve(
    frame: pd.DataFrame, cost: float, gain: float, *,
    thresholds: Sequence[float] = THRESHOLDS, draws: int = DRAWS, seed: int = 0,
) -> pd.DataFrame:  # fmt: skip
    """From which chance on would acting pay, if it cost and saved so much?

    Parameters
    ----------
    frame
        `score` (0-1), `happened`, `unit`, `money` (null counts as nothing), and `weight`, if any.
    cost
        Money that acting on one row takes.
    gain
        Share, 0-1, of the money of a row in which it happens that acting is supposed to save.
    thresholds
        Chances from which on all rows are acted on.
    draws, seed
        Draws of units for the intervals.

    Returns
    -------
    pandas.DataFrame
        One row per threshold, ascending: `threshold`, `n` rows acted on, `cost`, `saved`, `net`
        (money; saved less cost) with `low`, `high` (90 %, by unit), `is_best` (the threshold with
        most net money, the highest of equals; none where acting never pays).

    Raises
    ------
    NotAChance
        A score is not within 0 and 1, or a weight not one.

    Notes
    -----
    Elkan (2001), The foundations of cost-sensitive learning, IJCAI. Cost and gain are assumptions,
    and nothing here says that acting saves anything. The best of many thresholds on the same rows
    looks better than it will be.

    Examples
    --------
    >>> rows = pd.DataFrame({"score": [0.9, 0.1], "happened": [True, False], "money": 1000.0,
    ...                      "unit": list("ab")})
    >>> cost_curve(rows, 30.0, 0.1, thresholds=(0.0, 0.5))["net"].tolist()
    [40.0, 70.0]
    """
    rows = scored_rows(frame)
    steps = np.sort(np.asarray(thresholds, dtype=float))
    first = np.searchsorted(rows.score, steps, side="left")
    saves = gain * _money(rows) * rows.happened

    def above(values: Floats) -> Floats:
        return np.r_[np.cumsum(values[::-1])[::-1], 0.0][first]

    def measured(w: Floats) -> Floats:
        return above(w * (saves - cost))

    spent, saved = above(rows.weight * cost), above(rows.weight * saves)
    net = saved - spent
    low, high = ranges(measured, rows, draws=draws, seed=seed)
    most = net.max() if len(net) else 0.0
    best = len(net) - 1 - int(net[::-1].argmax()) if most > 0 else -1
    return pd.DataFrame({
        "threshold": steps, "n": len(rows) - first, "cost": spent, "saved": saved, "net": net,
        "low": low, "high": high, "is_best": np.arange(len(net)) == best,
    })  # fmt: skip
