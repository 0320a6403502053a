"""Amounts in whole cents that still add up, as near as can be to what was found."""

import numpy as np
import numpy.typing as npt
from scipy import sparse

from salesops.methods.targettree import BadTree, Cells, Tree

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
# So many cents an amount may be moved from where it was found, tried one after the other.
REACH = (2.0, 1_000.0, 10_000_000.0)


def in_whole_cents(tree: Tree, near: Floats, locked: Cells) -> Ints:
    """Give whole cents, never negative, that meet identities and locks and miss `near` least.

    Raises
    ------
    BadTree
        There are none, which happens where locks leave no room for whole cents.
    """
    if not len(locked.values):
        return _downwards(tree, near)
    for reach in REACH:
        found = _moved(tree, near, locked, reach)
        if found is not None:
            return found
    raise BadTree(reason="no whole cents meet all locks",
                  mend="Change one of the locks by a cent.")  # fmt: skip


def _downwards(tree: Tree, near: Floats) -> Ints:
    """Round the root, then share each node's cents over its children by largest remainder."""
    shape = (len(tree.names), len(tree.months))
    real = near.reshape(shape)
    cents = np.empty(shape, dtype=np.int64)
    cents[0] = np.rint(real[0])
    for node in tree.inner.tolist():
        children = np.flatnonzero(tree.parents == node)
        # Rounded as a running sum, so that a year of children is that of the node as well.
        running = np.rint(tree.times[node] * np.cumsum(cents[node])).astype(np.int64)
        whole = np.diff(running, prepend=0)
        for month in range(shape[1]):
            cents[children, month] = _by_remainder(real[children, month], int(whole[month]))
    return cents.ravel()


def _by_remainder(real: Floats, whole: int) -> Ints:
    """Share a whole in proportion, the last cents to the largest remainders."""
    total = float(real.sum())
    exact = real * (whole / total) if total > 0 else np.full(len(real), whole / len(real))
    found = np.floor(exact + 1e-9).astype(np.int64)
    left = whole - int(found.sum())
    order = np.argsort(-(exact - found), kind="stable")
    found[order[: max(left, 0)]] += 1
    if left < 0:
        over = np.flatnonzero(found > 0)
        found[over[np.argsort(exact[over] - found[over], kind="stable")[:-left]]] -= 1
    return found


def _moved(tree: Tree, near: Floats, locked: Cells, reach: float) -> Ints | None:
    """Move each amount by few whole cents so that everything adds up; null where it can't be."""
    from scipy.optimize import Bounds, LinearConstraint, milp

    base = np.floor(near + 1e-6)
    remainder = np.clip(near - base, 0.0, 1.0)
    identities, n = tree.identities(), tree.n_cells
    off = np.append(-(identities @ base), locked.values - locked.rows @ base)
    slack = np.append(tree.slack, np.zeros(len(locked.values)))
    # One cent up costs what the remainder leaves; each further one, up or down, a whole one.
    cost = np.concatenate([1 - 2 * remainder, np.ones(2 * n)])
    each = sparse.vstack([identities, locked.rows])
    matrix = sparse.hstack([each, each, -each], format="csc")
    upper = np.concatenate([np.ones(n), np.full(n, reach), np.minimum(base, reach)])
    found = milp(
        cost, integrality=np.ones(3 * n), bounds=Bounds(np.zeros(3 * n), upper),
        constraints=LinearConstraint(matrix, off - slack - 1e-7, off + slack + 1e-7),
        options={"mip_rel_gap": 0.01, "time_limit": 60.0},
    )  # fmt: skip
    if found.x is None:
        return None
    up, more, down = np.rint(found.x).reshape(3, n)
    return np.asarray(base + up + more - down, dtype=np.int64)
