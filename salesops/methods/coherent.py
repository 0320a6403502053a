"""Targets that add up, in a tree and in time, as near as can be to what everybody wishes."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from salesops.methods.contradiction import refuse_contradiction
from salesops.methods.targettree import BadTree, Cells, Tree
from salesops.methods.wholecents import in_whole_cents

Floats = npt.NDArray[np.float64]
# Where nobody wishes anything the parent's amount is shared evenly, with so weak a pull that any
# wish outweighs it.
WEAK = 10.0
# A wish for next to nothing is not held to more exactly than this share of the mean wish.
FLOOR = 1e-3
# The solver balances its matrix first; where that makes it stand still short of the answer, it goes
# there from the matrix as it is, or steadied less or asked for fewer digits.
_WAYS: tuple[dict[str, float], ...] = (
    {},
    {"equilibrate_enable": False},
    {"static_regularization_constant": 1e-10},
    {"tol_gap_abs": 1e-8, "tol_gap_rel": 1e-8, "tol_feas": 1e-8},
)
WISHES, LOCKS = ["node", "month", "amount", "tolerance"], ["node", "month", "cents"]


@dataclass(eq=False, kw_only=True)
class NotSolved(BadTree):
    """The solver gave no answer though the locks agree with each other."""

    reason: str

    def __str__(self) -> str:
        return f"No targets were found: {self.reason}.\nExpected: wishes of like size.\n{self.mend}"


def coherent(
    nodes: pd.DataFrame, months: list[str], wanted: pd.DataFrame, locks: pd.DataFrame
) -> pd.DataFrame:
    """Reconcile wishes from above and below to targets that add up to the cent.

    Parameters
    ----------
    nodes
        `node` (name), `parent` (null for the one root), `times` (the children of the node sum to
        so many times its amount, such as 1.12 where people's quotas are over-assigned; 1 for
        those without children).
    months
        Names of the months, in order.
    wanted
        `node`, `month` (or `""` for the sum of all), `amount` (cents), `tolerance` (by which part
        of the amount it may be missed, as a standard deviation; above 0). Several wishes may speak
        of the same cell.
    locks
        `node`, `month` (or `""` for the sum of all), `cents`: amounts that have to be met.

    Returns
    -------
    pandas.DataFrame
        `node`, `month`, `cents`: never negative. Children add up to their parent in every month
        exactly where `times` is 1, else to within a cent; locks are met exactly.

    Raises
    ------
    BadTree
        The tree has a circle, two roots, an unknown parent or a node twice, or a wish or lock
        speaks of an unknown node or month.
    LocksContradict
        Locks can't all be met; the least set that contradicts itself is named.

    Notes
    -----
    Weighted least squares under the accounting identities: Stone, Champernowne & Meade (1942),
    Review of Economic Studies 9, 111-135, with amounts bounded at zero. Whole cents by the least
    deviation from it.

    Examples
    --------
    >>> nodes = pd.DataFrame({"node": ["all", "n", "s"], "parent": [None, "all", "all"],
    ...                       "times": 1.0})
    >>> wanted = pd.DataFrame([("all", "2026-01", 1000, 0.01), ("n", "2026-01", 500, 0.2),
    ...                        ("s", "2026-01", 300, 0.2)], columns=WISHES)
    >>> locks = pd.DataFrame([("all", "2026-01", 1000)], columns=LOCKS)
    >>> coherent(nodes, ["2026-01"], wanted, locks)["cents"].tolist()
    [1000, 647, 353]
    """
    tree = Tree.of(nodes, months)
    rows, aims, weights = _wishes(tree, wanted)
    locked = tree.cells(locks, "cents")
    if (locks["cents"] < 0).any():
        raise BadTree(reason="a lock is below 0", mend="Lock an amount of 0 or more.")
    refuse_contradiction(tree, locks, locked)
    near = _least_squares(tree, rows, aims, weights, locked)
    cents = in_whole_cents(tree, near, locked)
    index = pd.MultiIndex.from_product([tree.names, months], names=["node", "month"])
    return pd.Series(cents, index=index, name="cents").reset_index()


def _wishes(tree: Tree, wanted: pd.DataFrame) -> tuple[sparse.csr_matrix, Floats, Floats]:
    """Give rows of cells, amounts and weights of wishes, with a weak one for every cell."""
    if (wanted["tolerance"] <= 0).any():
        raise BadTree(reason="a tolerance is not above 0", mend="Lock what may not be missed.")
    told = tree.cells(wanted, "amount")
    amounts = told.values
    usual = float(np.abs(amounts).mean()) if len(amounts) else 1.0
    floor = max(usual * FLOOR, 1.0)
    weight = (wanted["tolerance"].to_numpy(float) * np.maximum(amounts, floor)) ** -2.0
    weak = tree.shared_evenly(_of_root(tree, wanted, usual))
    eye = sparse.identity(tree.n_cells, format="csr")
    rows = sparse.vstack([told.rows, eye]).tocsr()
    weakly = (WEAK * np.maximum(weak, max(floor, float(weak.max()) * FLOOR))) ** -2.0
    return rows, np.append(amounts, weak), np.append(weight, weakly)


def _of_root(tree: Tree, wanted: pd.DataFrame, usual: float) -> Floats:
    """Give the months of the root as they are wished, else an even share of its year."""
    own = wanted[wanted["node"] == tree.names[0]]
    year = own.loc[own["month"] == "", "amount"].mean()
    monthly = own[own["month"] != ""].groupby("month")["amount"].mean().reindex(tree.months)
    even = year / len(tree.months) if year == year else usual
    return monthly.fillna(even).to_numpy(float)


def _least_squares(
    tree: Tree, rows: sparse.csr_matrix, aims: Floats, weights: Floats, locked: Cells
) -> Floats:
    """Solve for the amounts that miss the wishes least, by an interior-point solver."""
    import clarabel

    scale = max(float(np.abs(aims).max()), float(np.abs(locked.values).max(initial=0.0)), 1.0)
    weights = weights / weights.max()
    upper = sparse.triu(rows.T @ sparse.diags(weights) @ rows, format="csc")
    pull = -(rows.T @ (weights * aims / scale))
    identities = tree.identities()
    equal = sparse.vstack([identities, locked.rows])
    right = np.append(np.zeros(identities.shape[0]), locked.values / scale)
    matrix = sparse.vstack([equal, -sparse.identity(tree.n_cells)], format="csc")
    cones = [clarabel.ZeroConeT(equal.shape[0]), clarabel.NonnegativeConeT(tree.n_cells)]
    for way in _WAYS:
        settings = clarabel.DefaultSettings()
        settings.verbose = False
        settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = 1e-10
        for name, value in way.items():
            setattr(settings, name, value)
        found = clarabel.DefaultSolver(
            upper, pull, matrix, np.append(right, np.zeros(tree.n_cells)), cones, settings
        ).solve()
        if "Solved" in str(found.status):
            break
    else:
        raise NotSolved(reason=f"the solver says {found.status}",
                        mend="Look for amounts or tolerances of 0 or of many digits.")  # fmt: skip
    return np.maximum(np.asarray(found.x), 0.0) * scale
