"""Which locks can't all be met? The least set of them that contradicts itself."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse

from salesops.methods.targettree import Cells, Tree
from salesops.model.errors import SalesopsError

SHOWN = 8


@dataclass(eq=False, kw_only=True)
class LocksContradict(SalesopsError, ValueError):
    """Locks that can't all be met: `locks` are `(node, month, cents)`, month `""` for the sum."""

    locks: tuple[tuple[str, str, int], ...]

    def __str__(self) -> str:
        named = [f"  {node or 'company'} {month or 'whole'}: {cents / 100:,.2f}"
                 for node, month, cents in self.locks[:SHOWN]]  # fmt: skip
        more = len(self.locks) - SHOWN
        listed = "\n".join(named) + (f"\n  … and {more} more" if more > 0 else "")
        return (
            "These locked targets can't all be met:\n" + listed + "\n"
            "Expected: parts that add up to the whole they are locked under, and no amount below "
            "0.\nTake one of these locks away, or change its amount; without any one of them the "
            "others can be met."
        )


def refuse_contradiction(tree: Tree, locks: pd.DataFrame, locked: Cells) -> None:
    """Raise where locks can't all be met.

    Raises
    ------
    LocksContradict
        Of the locks, those of a least set that contradicts itself.

    Notes
    -----
    Junker (2004), QuickXplain, Proceedings of AAAI 19, 167-172, over linear programs.
    """
    if locks.empty:
        return
    identities = tree.identities()

    def can_be_met(chosen: list[int]) -> bool:
        return _feasible(tree, identities, locked, chosen)

    every = list(range(len(locks)))
    if can_be_met(every):
        return
    least = sorted(_explained(every, can_be_met))
    rows = locks.iloc[least]
    raise LocksContradict(locks=tuple(
        (str(n), str(m), int(c)) for n, m, c in rows[["node", "month", "cents"]].to_numpy()
    ))  # fmt: skip


def _explained(suspects: list[int], holds: Callable[[list[int]], bool]) -> list[int]:
    """Give a least set of suspects that do not hold together."""

    def among(background: list[int], added: bool, rest: list[int]) -> list[int]:
        if added and not holds(background):
            return []
        if len(rest) == 1:
            return rest
        half = len(rest) // 2
        first, second = rest[:half], rest[half:]
        of_second = among([*background, *first], True, second)
        of_first = among([*background, *of_second], bool(of_second), first)
        return [*of_first, *of_second]

    return among([], False, suspects)


def _feasible(tree: Tree, identities: sparse.csr_matrix, locked: Cells, chosen: list[int]) -> bool:
    """Say whether amounts of 0 or more meet the identities and the chosen locks."""
    from scipy.optimize import linprog

    if not chosen:
        return True
    matrix = sparse.vstack([identities, locked.rows[chosen]], format="csr")
    right = np.append(np.zeros(identities.shape[0]), locked.values[chosen])
    slack = np.append(tree.slack, np.zeros(len(chosen)))
    found = linprog(
        np.zeros(tree.n_cells), A_ub=sparse.vstack([matrix, -matrix], format="csr"),
        b_ub=np.append(right + slack, slack - right), bounds=(0, None), method="highs-ds",
    )  # fmt: skip
    return bool(found.status == 0)
