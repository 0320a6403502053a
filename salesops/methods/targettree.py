"""A tree of targets by month: its cells, its identities, and what is said of cells."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from salesops.model.errors import SalesopsError

Floats = npt.NDArray[np.float64]


@dataclass(eq=False, kw_only=True)
class BadTree(SalesopsError, ValueError):
    """Targets can't be laid out as a tree by month."""

    reason: str
    mend: str

    def __str__(self) -> str:
        return (
            f"The targets are no tree: {self.reason}.\n"
            "Expected: one root, and every other node once, under a parent that is there.\n"
            f"{self.mend}"
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Cells:
    """What is said of cells: each row of `rows` sums the cells it speaks of; `values` in cents."""

    rows: sparse.csr_matrix
    values: Floats


@dataclass(frozen=True, kw_only=True, eq=False)
class Tree:
    """Nodes by month.

    Attributes
    ----------
    names
        Nodes, every parent before its children, the root first.
    parents
        Position of each node's parent; -1 for the root.
    times
        By what the children sum to, in multiples of the node.
    months
        Names of the months.
    """

    names: list[str]
    parents: "npt.NDArray[np.int64]"
    times: Floats
    months: list[str]

    @classmethod
    def of(cls, nodes: pd.DataFrame, months: list[str]) -> Self:
        """Lay out a table of `node`, `parent`, `times`.

        Raises
        ------
        BadTree
            It has a circle, not one root, an unknown parent or a node twice.

        Examples
        --------
        >>> nodes = pd.DataFrame({"node": ["b", "a"], "parent": ["a", None], "times": 1.0})
        >>> Tree.of(nodes, ["2026-01"]).names
        ['a', 'b']
        """
        twice = nodes.loc[nodes["node"].duplicated(), "node"]
        if len(twice):
            raise BadTree(reason=f"{twice.iloc[0]} is there twice",
                          mend="Give it one parent.")  # fmt: skip
        parent = dict(zip(nodes["node"], nodes["parent"], strict=True))
        roots = [node for node, above in parent.items() if pd.isna(above)]
        lost = [node for node, above in parent.items() if pd.notna(above) and above not in parent]
        if lost:
            raise BadTree(reason=f"{lost[0]} belongs to {parent[lost[0]]}, which is not there",
                          mend="Add it, or give another parent.")  # fmt: skip
        below: dict[str, list[str]] = {}
        for node, above in parent.items():
            below.setdefault(above if pd.notna(above) else "", []).append(node)
        order = list(roots[:1])
        for node in order:
            order += below.get(node, [])
        if len(roots) > 1 or len(order) < len(parent):
            rest = sorted(set(parent) - set(order))
            reason = (f"{roots[0]} and {roots[1]} have no parent" if len(roots) > 1
                      else f"{' and '.join(rest[:3])} lead back to themselves")  # fmt: skip
            raise BadTree(reason=reason, mend="Every node but one needs a parent above it.")
        at = {node: i for i, node in enumerate(order)}
        above = np.array([at[parent[n]] if pd.notna(parent[n]) else -1 for n in order])
        times = nodes.set_index("node")["times"].reindex(order).to_numpy(float)
        return cls(names=order, parents=above, times=times, months=list(months))

    @property
    def n_cells(self) -> int:
        """Number of nodes times months."""
        return len(self.names) * len(self.months)

    @property
    def inner(self) -> "npt.NDArray[np.int64]":
        """Positions of the nodes that have children."""
        return np.unique(self.parents[self.parents >= 0])

    @property
    def slack(self) -> Floats:
        """By how many cents each identity may be off, in their order.

        Whole cents times a factor such as 1.12 are off by less than a cent a node.
        """
        times = np.repeat(self.times[self.inner], len(self.months))
        return np.where(times == 1.0, 0.0, 1.0)

    def identities(self) -> sparse.csr_matrix:
        """Give a row per inner node and month: its children less `times` the node."""
        place = {int(node): i for i, node in enumerate(self.inner)}
        rows, columns, values = [], [], []
        for i, above in enumerate(self.parents.tolist()):
            if above >= 0:
                rows.append(place[above])
                columns.append(i)
                values.append(1.0)
        for node, i in place.items():
            rows.append(i)
            columns.append(node)
            values.append(-self.times[node])
        shape = (len(place), len(self.names))
        by_node = sparse.csr_matrix((values, (rows, columns)), shape=shape)
        return sparse.kron(by_node, sparse.identity(len(self.months)), format="csr")

    def cells(self, told: pd.DataFrame, column: str) -> Cells:
        """Give what a table of `node`, `month` (or `""`) and an amount says of cells.

        Raises
        ------
        BadTree
            It names an unknown node or month.
        """
        nodes, months = pd.Index(self.names), pd.Index(self.months)
        at, when = nodes.get_indexer(told["node"]), months.get_indexer(told["month"])
        whole = (told["month"] == "").to_numpy()
        for unknown, what in ((at < 0, "node"), ((when < 0) & ~whole, "month")):
            if unknown.any():
                name = told.loc[unknown, what].iloc[0]
                raise BadTree(reason=f"a wish or lock speaks of {name}, which is not in it",
                              mend=f"Name a {what} of the tree.")  # fmt: skip
        n = len(self.months)
        rows, columns = [], []
        for k, (i, month, is_whole) in enumerate(zip(at, when, whole, strict=True)):
            spoken = range(n) if is_whole else [month]
            rows += [k] * len(spoken)
            columns += [i * n + m for m in spoken]
        shape = (len(told), self.n_cells)
        matrix = sparse.csr_matrix((np.ones(len(rows)), (rows, columns)), shape=shape)
        return Cells(rows=matrix, values=told[column].to_numpy(float))

    def shared_evenly(self, root: Floats) -> Floats:
        """Share the root's months evenly down the tree."""
        counts = np.bincount(self.parents[1:], minlength=len(self.names))
        found = np.empty((len(self.names), len(self.months)))
        found[0] = root
        for i in range(1, len(self.names)):
            above = self.parents[i]
            found[i] = found[above] * self.times[above] / counts[above]
        return found.ravel()
