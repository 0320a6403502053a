"""Which features know too much? An audit before a model is believed.

A field that is filled in when a deal closes, or later, tells the outcome to whoever looks back, and
nothing to whoever looks ahead. Such fields give themselves away: alone they separate outcomes
almost, they are known only where it happened, or they changed when it did.
"""

import numpy as np
import pandas as pd

from salesops.methods.scored import auc

# Alone no honest field separates so well; known or not known, a field should say little.
TOO_GOOD, TELLING = 0.90, 0.75
COLUMNS = ["field", "why", "value", "n"]


def leaks(frame: pd.DataFrame, numbers: list[str], words: list[str]) -> pd.DataFrame:
    """Name the fields that tell the outcome too well.

    Parameters
    ----------
    frame
        The fields and `happened`.
    numbers, words
        Columns of numbers and of text; a null or an empty text is not known.

    Returns
    -------
    pandas.DataFrame
        One row per field and reason: `field`, `why` (`too_good`: its AUC alone; `telling`: the AUC
        of whether it is known), `value`, `n` rows; the clearest first.

    Notes
    -----
    Kaufman et al. (2012), ACM TKDD 6(4): leakage shows as a field that is better than it can be.
    A word's AUC is that of its own past share, each row left out of its own.

    Examples
    --------
    >>> rows = pd.DataFrame({"a": [1.0, 2.0, 3.0, 4.0], "happened": [False, False, True, True]})
    >>> leaks(rows, ["a"], [])["why"].tolist()
    ['too_good']
    """
    y = frame["happened"].to_numpy(bool)
    found = []
    for name in [*numbers, *words]:
        column = frame[name]
        if name in numbers:
            value = column.to_numpy(float)
            known = ~np.isnan(value)
            alone = _apart(auc(value[known], y[known])) if known.any() else float("nan")
        else:
            known = (column.notna() & (column.astype("string").fillna("") != "")).to_numpy()
            alone = auc(_left_out(column, y), y)
        missing = _apart(auc(known.astype(float), y))
        if alone >= TOO_GOOD:
            found.append((name, "too_good", alone, int(known.sum())))
        if missing >= TELLING:
            found.append((name, "telling", missing, len(y)))
    table = pd.DataFrame(found, columns=COLUMNS)
    return table.sort_values("value", ascending=False, kind="stable", ignore_index=True)


def _apart(value: float) -> float:
    """Low scores separate as well as high ones."""
    return max(value, 1 - value)


def _left_out(column: "pd.Series[str]", y: "np.ndarray") -> "np.ndarray":
    groups = column.astype("string").fillna("")
    hits = pd.Series(y.astype(float)).groupby(groups.to_numpy()).transform("sum").to_numpy()
    size = pd.Series(1.0, index=range(len(y))).groupby(groups.to_numpy()).transform("sum")
    base = float(y.mean()) if len(y) else 0.0
    return (hits - y + 5 * base) / (size.to_numpy() - 1 + 5)
