"""Targets that add up: in tree and time, with locks, to the cent; contradictions are named."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from salesops.methods.coherent import LOCKS, WISHES, coherent
from salesops.methods.contradiction import LocksContradict
from salesops.methods.targettree import BadTree, Tree

MONTHS = [f"2026-{m:02d}" for m in range(1, 5)]


def wishes(*rows: tuple[str, str, float, float]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=WISHES)


def locked(*rows: tuple[str, str, int]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=LOCKS).astype({"cents": "int64"})


@st.composite
def trees(draw: st.DrawFn) -> pd.DataFrame:
    n = draw(st.integers(1, 9))
    parents = [None, *(f"n{draw(st.integers(0, i - 1))}" for i in range(1, n))]
    return pd.DataFrame({"node": [f"n{i}" for i in range(n)], "parent": parents, "times": 1.0})


def solution(nodes: pd.DataFrame, leaves: np.ndarray) -> pd.DataFrame:
    """Sum random leaves up a tree: node, month, cents."""
    tree = Tree.of(nodes, MONTHS)
    cents = np.zeros((len(tree.names), len(MONTHS)), dtype=np.int64)
    for i in reversed(range(len(tree.names))):
        if i not in tree.inner:
            cents[i] = leaves[i]
        if i:
            cents[tree.parents[i]] += cents[i]
    frame = pd.DataFrame(cents, index=tree.names, columns=MONTHS)
    return frame.rename_axis("node").melt(ignore_index=False, var_name="month",
                                          value_name="cents").reset_index()  # fmt: skip


def assert_adds_up(found: pd.DataFrame, nodes: pd.DataFrame, locks: pd.DataFrame) -> None:
    table = found.pivot(index="node", columns="month", values="cents")
    assert (table >= 0).all().all()
    for node, times in nodes[["node", "times"]].itertuples(index=False):
        children = nodes.loc[nodes["parent"] == node, "node"]
        if len(children):
            gap = (table.loc[children].sum() - times * table.loc[node]).abs()
            assert (gap <= (0 if times == 1 else 1 + 1e-6)).all()
    for node, month, cents in locks.itertuples(index=False):
        assert (table.loc[node].sum() if month == "" else table.loc[node, month]) == cents


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_sums_and_locks_hold_whatever_the_tree(data):
    nodes = data.draw(trees())
    n = len(nodes)
    size = data.draw(st.sampled_from([3, 1_000, 10**9]))
    leaves = np.array(data.draw(st.lists(st.lists(st.integers(0, size), min_size=4, max_size=4),
                                         min_size=n, max_size=n)))  # fmt: skip
    whole = solution(nodes, leaves)
    chosen = data.draw(st.lists(st.integers(0, len(whole) - 1), max_size=8, unique=True))
    years = whole.groupby("node", as_index=False)["cents"].sum().assign(month="")
    yearly = data.draw(st.lists(st.integers(0, n - 1), max_size=3, unique=True))
    locks = pd.concat([whole.iloc[chosen], years.iloc[yearly]])[LOCKS]
    amounts = data.draw(st.lists(st.integers(0, size), min_size=n, max_size=n))
    wanted = wishes(*((f"n{i}", "", a, 0.2) for i, a in enumerate(amounts)))
    found = coherent(nodes, MONTHS, wanted, locks)
    assert_adds_up(found, nodes, locks)


def test_where_the_solver_stands_still_it_is_asked_another_way():
    nodes = pd.DataFrame({"node": [f"n{i}" for i in range(9)],
                          "parent": [None, *["n0"] * 7, "n5"], "times": 1.0})  # fmt: skip
    amounts = (9, 1, 1, 1, 8, 25, 37, 50, 0)
    wanted = wishes(*((f"n{i}", "", a, 0.2) for i, a in enumerate(amounts)))
    locks = locked(("n5", MONTHS[2], 85))
    found = coherent(nodes, MONTHS, wanted, locks)
    assert_adds_up(found, nodes, locks)


def test_without_locks_at_work_it_is_the_closed_form():
    nodes = pd.DataFrame({"node": ["a", "b", "c", "d"], "parent": [None, "a", "a", "a"],
                          "times": [1.2, 1.0, 1.0, 1.0]})  # fmt: skip
    amounts = np.array([100_000_00, 30_000_00, 50_000_00, 60_000_00], dtype=float)
    tolerance = np.array([0.05, 0.3, 0.1, 0.2])
    wanted = wishes(*((n, MONTHS[0], a, t) for n, a, t in zip("abcd", amounts, tolerance,
                                                               strict=True)))  # fmt: skip
    found = coherent(nodes, MONTHS[:1], wanted, locked())
    weak = 10.0 * np.array([1, 0.4, 0.4, 0.4]) * amounts[0]
    weight = (tolerance * amounts) ** -2 + weak**-2.0
    aim = (amounts * (tolerance * amounts) ** -2 + weak / 10 * weak**-2.0) / weight
    row = np.array([-1.2, 1, 1, 1])
    exact = aim - (row @ aim) / (row**2 / weight).sum() * row / weight
    assert found["cents"].to_numpy() == pytest.approx(exact, abs=1.5)


def test_over_assigned_people_add_up_over_the_year():
    nodes = pd.DataFrame({"node": ["t", "x", "y", "z"], "parent": [None, "t", "t", "t"],
                          "times": [1.12, 1, 1, 1]})  # fmt: skip
    wanted = wishes(*(("t", m, 33_333.0, 0.1) for m in MONTHS))
    found = coherent(nodes, MONTHS, wanted, locked())
    sums = found.groupby("node")["cents"].sum()
    assert sums[["x", "y", "z"]].sum() == round(1.12 * sums["t"])
    assert_adds_up(found, nodes, locked())


def test_the_more_exact_wish_gives_way_less():
    nodes = pd.DataFrame({"node": ["a", "b", "c"], "parent": [None, "a", "a"], "times": 1.0})
    wanted = wishes(("a", "", 1_000.0, 0.01), ("b", "", 800.0, 0.01), ("c", "", 800.0, 0.5))
    found = coherent(nodes, MONTHS, wanted, locked()).groupby("node")["cents"].sum()
    assert found["b"] == pytest.approx(800, abs=10)
    assert found["c"] == pytest.approx(200, abs=20)


def test_locks_that_contradict_are_named_and_no_others():
    nodes = pd.DataFrame({"node": ["a", "b", "c", "d"], "parent": [None, "a", "a", "b"],
                          "times": 1.0})  # fmt: skip
    bad = [("a", "2026-01", 100), ("b", "2026-01", 70), ("c", "2026-01", 40)]
    locks = locked(("c", "2026-02", 5), bad[0], ("a", "", 900), bad[1], bad[2])
    with pytest.raises(LocksContradict) as caught:
        coherent(nodes, MONTHS, wishes(("a", "", 900.0, 0.1)), locks)
    assert sorted(caught.value.locks) == sorted(bad)
    assert "c 2026-01: 0.40" in str(caught.value)
    for left_out in bad:
        rest = locks[[row != left_out for row in locks.itertuples(index=False, name=None)]]
        assert_adds_up(coherent(nodes, MONTHS, wishes(("a", "", 900.0, 0.1)), rest), nodes, rest)


def test_a_year_that_its_months_exceed_is_named_to_the_cent():
    nodes = pd.DataFrame({"node": ["a"], "parent": [None], "times": 1.0})
    locks = locked(*(("a", m, 10**10) for m in MONTHS), ("a", "", 4 * 10**10 - 1))
    with pytest.raises(LocksContradict) as caught:
        coherent(nodes, MONTHS, wishes(("a", "", 1.0, 0.1)), locks)
    assert len(caught.value.locks) == 5


@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        ([("a", None), ("b", "c"), ("c", "b")], "b and c lead back to themselves"),
        ([("a", None), ("b", None)], "a and b have no parent"),
        ([("a", None), ("b", "x")], "b belongs to x, which is not there"),
        ([("a", None), ("b", "a"), ("b", "a")], "b is there twice"),
    ],
)
def test_what_is_no_tree_is_refused(nodes, message):
    frame = pd.DataFrame(nodes, columns=["node", "parent"]).assign(times=1.0)
    with pytest.raises(BadTree, match=message):
        coherent(frame, MONTHS, wishes(("a", "", 1.0, 0.1)), locked())


def test_unknown_names_and_amounts_below_nothing_are_refused():
    nodes = pd.DataFrame({"node": ["a"], "parent": [None], "times": 1.0})
    fine = wishes(("a", "", 1.0, 0.1))
    with pytest.raises(BadTree, match="speaks of z"):
        coherent(nodes, MONTHS, wishes(("z", "", 1.0, 0.1)), locked())
    with pytest.raises(BadTree, match="speaks of 1999-01"):
        coherent(nodes, MONTHS, fine, locked(("a", "1999-01", 5)))
    with pytest.raises(BadTree, match="a lock is below 0"):
        coherent(nodes, MONTHS, fine, locked(("a", "", -5)))
    with pytest.raises(BadTree, match="tolerance is not above 0"):
        coherent(nodes, MONTHS, wishes(("a", "", 1.0, 0.0)), locked())


def test_nothing_wished_is_nothing_given():
    nodes = pd.DataFrame({"node": ["a", "b"], "parent": [None, "a"], "times": 1.0})
    found = coherent(nodes, MONTHS, wishes(("a", "", 0.0, 0.1), ("b", "", 0.0, 0.1)), locked())
    assert found["cents"].sum() <= len(MONTHS)


def test_a_large_company_is_shared_out():
    names = ["all", *(f"r{i}" for i in range(10)), *(f"t{i}" for i in range(100)),
             *(f"p{i}" for i in range(1_889))]  # fmt: skip
    above = [None, *["all"] * 10, *(f"r{i % 10}" for i in range(100)),
             *(f"t{i % 100}" for i in range(1_889))]  # fmt: skip
    nodes = pd.DataFrame({"node": names, "parent": above})
    nodes["times"] = np.where(nodes["node"].str.startswith("t"), 1.12, 1.0)
    months = [f"2026-{m:02d}" for m in range(1, 13)]
    rng = np.random.default_rng(1)
    wanted = wishes(("all", "", 1e11, 0.01), *((n, "", float(a), 0.3) for n, a in
                    zip(names[111:], rng.uniform(2e7, 1e8, 1_889), strict=True)))  # fmt: skip
    locks = locked(("r3", "", 12 * 10**9), ("t7", "2026-03", 10**8))
    assert_adds_up(coherent(nodes, months, wanted, locks), nodes, locks)
