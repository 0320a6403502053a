"""Changes of groups around a start, against groups that had not started yet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
By = Literal["team", "unit"]
# Beyond every period: not started.
NEVER = np.iinfo(np.int64).max
# Fewer periods before or after a start are too short.
LEAST = 3


@dataclass(frozen=True, kw_only=True, eq=False)
class Panel:
    """Units by periods, and the blocks that are treated as a whole.

    Attributes
    ----------
    value, n
        Units by periods: mean outcome and cases; `n` is 0 where a unit was not there.
    block
        Block of each unit: its team, or itself.
    stratum
        Of each block, the blocks that it is compared with: one for teams, the team for units.
    starts
        Of each block the column of its start; `NEVER` where it has none.
    team
        Number of each unit's team.
    """

    value: Floats
    n: Floats
    block: Ints
    stratum: Ints
    starts: Ints
    team: Ints

    @property
    def dose(self) -> Floats:
        """Units by periods: 1 where treated."""
        columns = np.arange(self.n.shape[1])
        return (columns >= self.starts[self.block][:, None]).astype(float)


@dataclass(frozen=True, kw_only=True)
class Window:
    """Which columns are compared with which for the blocks of one start."""

    start: int
    before: range
    after: range


@dataclass(frozen=True, kw_only=True, eq=False)
class Cell:
    """Change of every block up to one period, as seen by the blocks of one start.

    Attributes
    ----------
    start, at
        The start, and the period.
    change, dose
        Of each block: of the outcome, and of the share of treated cases.
    weight
        Of each block; 0 where it has no cases before or then.
    cases
        Of each block in the period.
    """

    start: int
    at: int
    change: Floats
    dose: Floats
    weight: Floats
    cases: Floats


def panel_of(frame: pd.DataFrame, starts: Mapping[str, int], by: By) -> Panel:
    """Lay rows out as units by periods; the order of rows and the names of units do not matter.

    Parameters
    ----------
    frame
        One row per unit and period: `unit`, `team`, `period`, `value`, and where known `n`.
    starts
        Period from which each team or unit was treated.
    by
        Who is named by `starts`.

    Returns
    -------
    Panel
        Periods without rows are columns too.

    Raises
    ------
    ValueError
        A start belongs to nobody in the frame.
    """
    unknown = sorted(set(starts) - set(frame[by]))
    if unknown:
        raise ValueError(f"no rows of the treated {by}s {unknown[:10]}")
    n = frame["n"].astype(float) if "n" in frame else pd.Series(1.0, index=frame.index)
    rows = frame[["unit", "team", "period"]].assign(n=n, sum=frame["value"].astype(float) * n)
    rows = rows[rows["sum"].notna() & (rows["n"] > 0)]
    if rows.empty:
        none = np.zeros((0, 0))
        at = np.zeros(0, dtype=np.int64)
        return Panel(value=none, n=none, block=at, stratum=at, starts=at, team=at)
    first = int(frame["period"].min())
    periods = range(first, int(frame["period"].max()) + 1)
    # Who changed teams is a unit in each.
    wide = rows.pivot_table(index=["unit", "team"], columns="period", values=["sum", "n"],
                            aggfunc="sum", fill_value=0.0, observed=True)  # fmt: skip
    cases = wide["n"].reindex(columns=periods, fill_value=0.0).to_numpy(float)
    sums = wide["sum"].reindex(columns=periods, fill_value=0.0).to_numpy(float)
    names = wide.index.to_frame(index=False)
    team = pd.factorize(names["team"])[0]
    block = team if by == "team" else np.arange(len(names))
    # Drawn arrangements must not depend on names: blocks are put in order of what they hold.
    place = np.argsort(np.lexsort([np.bincount(block, x.sum(axis=1)) for x in (sums, cases)]))
    block = place[block]
    begun = np.full(len(place), NEVER)
    begun[block] = [starts[k] - first if k in starts else NEVER for k in names[by]]
    stratum = np.zeros(len(place), dtype=np.int64)
    if by == "unit":
        stratum[block] = team
        stratum = pd.factorize(stratum)[0]
    value = np.divide(sums, cases, out=np.zeros_like(sums), where=cases > 0)
    return Panel(value=value, n=cases, block=block, stratum=stratum, starts=begun, team=team)


def windows(panel: Panel, *, chosen_by: int, longest: int, least: int = LEAST) -> list[Window]:
    """Give each start its columns before and after, where there are enough of both.

    Parameters
    ----------
    panel
        Units by periods.
    chosen_by
        So many columns before a start are no baseline.
    longest
        So many columns after a start at most, and twice as many before.
    least
        Fewer on either side are not enough.

    Returns
    -------
    list of Window
        One per start, in order of time.

    Notes
    -----
    The columns by which a group may have been chosen are no baseline: of a group chosen for bad
    months the next ones are better by themselves. Of spells that fade alike forwards and backwards
    as much is left before those months as after, so that months equally far on both sides are
    honest: Chabe-Ferret (2015), Journal of Econometrics 185, 110-123. So what comes after is no
    longer than what went before.
    """
    found = []
    for start in np.unique(panel.starts[panel.starts < panel.n.shape[1]]):
        end = int(start) - chosen_by
        after = min(panel.n.shape[1] - int(start), longest, end)
        if after < least:
            continue
        found.append(Window(start=int(start), before=range(max(0, end - 2 * longest), end),
                            after=range(int(start), int(start) + after)))  # fmt: skip
    return found


def cells(panel: Panel, spans: Sequence[Window]) -> list[Cell]:
    """Give the changes in each period after each start, unit by unit, then summed to blocks.

    Parameters
    ----------
    panel
        Units by periods.
    spans
        What is compared with what, one per start.

    Returns
    -------
    list of Cell
        One per start and period after it; none for a start with nobody on both sides.

    Notes
    -----
    Only units with cases before and then count, so that who came or left changes no mean. A unit
    weighs as the inverse of what chance adds to its change, a block by both what chance and what
    spells of its own add (DerSimonian & Laird 1986, Controlled Clinical Trials 7, 177-188).
    """
    parts = [_window_parts(panel, window) for window in spans]
    spells = _spells([part for part in parts if part is not None])
    found = []
    for window, part in zip(spans, parts, strict=True):
        if part is None:
            continue
        whole = part.mass / (1 + spells * part.mass)
        outcome, dosed = (_before(x, panel.n, window.before) for x in (panel.value, panel.dose))
        n = panel.n[:, window.before].sum(axis=1)
        for at in window.after:
            mass = _harmonic(n, panel.n[:, at])
            total = _by_block(panel, mass)
            change, treated = (
                _over(_by_block(panel, mass * (x[:, at] - b)), total)
                for x, b in ((panel.value, outcome), (panel.dose, dosed))
            )
            cases = _by_block(panel, np.where(mass > 0, panel.n[:, at], 0.0))
            found.append(Cell(start=window.start, at=at, change=change, dose=treated, cases=cases,
                              weight=np.where(total > 0, whole, 0.0)))  # fmt: skip
    return found


def slopes(panel: Panel, spans: Sequence[Window]) -> list[Cell]:
    """Give the drift per period of each block over the columns before each start."""
    found = []
    for window in spans:
        n = panel.n[:, window.before]
        t = np.asarray(window.before, dtype=float)
        away = t - _over(n @ t, n.sum(axis=1))[:, None]
        found.append(_at_once(panel, window, n * away, (n * away**2).sum(axis=1)))
    return found


def levels(panel: Panel, spans: Sequence[Window]) -> list[Cell]:
    """Give the mean of each block over the columns before each start."""
    counts = [panel.n[:, window.before] for window in spans]
    return [
        _at_once(panel, window, n, n.sum(axis=1)) for window, n in zip(spans, counts, strict=True)
    ]


def _at_once(panel: Panel, window: Window, factor: Floats, mass: Floats) -> Cell:
    """Sum the columns before a start to one cell, each times its factor."""
    total = _by_block(panel, mass)
    change, dose = (
        _over(_by_block(panel, (factor * x[:, window.before]).sum(axis=1)), total)
        for x in (panel.value, panel.dose)
    )  # fmt: skip
    usual = float(np.median(total[total > 0])) if total.any() else 1.0
    weight = total / (1 + total / usual)
    return Cell(start=window.start, at=window.before[-1], change=change, dose=dose, weight=weight,
                cases=weight)  # fmt: skip


@dataclass(frozen=True, kw_only=True, eq=False)
class _Part:
    """One start's whole change: by unit (`change`, `mass_of`) and by block (`mass`)."""

    change: Floats
    mass_of: Floats
    mass: Floats
    block: Ints
    calm: Flags


def _window_parts(panel: Panel, window: Window) -> _Part | None:
    before, after = (panel.n[:, span].sum(axis=1) for span in (window.before, window.after))
    mass_of = _harmonic(before, after)
    if not mass_of.any():
        return None
    change = _before(panel.value, panel.n, window.after) - _before(
        panel.value, panel.n, window.before
    )
    mass = _by_block(panel, mass_of)
    calm = panel.starts > window.after[-1]
    return _Part(change=change, mass_of=mass_of, mass=mass, block=panel.block, calm=calm)


def _spells(parts: Sequence[_Part]) -> float:
    """Give the variance of blocks' own spells in units of one case's chance."""
    if not parts:
        return 0.0
    within = between = free = blocks_free = spread = 0.0
    for part in parts:
        mean = _over(
            np.bincount(part.block, part.mass_of * part.change, len(part.mass)).astype(float),
            part.mass,
        )
        within += float((part.mass_of * (part.change - mean[part.block]) ** 2).sum())
        free += float((part.mass_of > 0).sum() - (part.mass > 0).sum())
        mass = np.where(part.calm, part.mass, 0.0)
        if (mass > 0).sum() < 2:
            continue
        between += float((mass * (mean - mass @ mean / mass.sum()) ** 2).sum())
        blocks_free += float((mass > 0).sum() - 1)
        spread += float(mass.sum() - (mass**2).sum() / mass.sum())
    usual = 1 / float(np.median(parts[0].mass[parts[0].mass > 0]))
    if free <= 0 or within <= 0 or spread <= 0:
        return usual
    return max(0.0, (between * free / within - blocks_free) / spread)


def _by_block(panel: Panel, each: Floats) -> Floats:
    return np.bincount(panel.block, each, len(panel.starts)).astype(float)


def _before(value: Floats, n: Floats, span: range) -> Floats:
    return _over((n[:, span] * value[:, span]).sum(axis=1), n[:, span].sum(axis=1))


def _harmonic(one: Floats, two: Floats) -> Floats:
    return _over(one * two, one + two)


def _over(above: Floats, below: Floats) -> Floats:
    return np.divide(above, below, out=np.zeros_like(above, dtype=float), where=below > 0)
