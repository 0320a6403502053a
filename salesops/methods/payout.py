"""What a pay plan pays for an attainment, and where it jumps."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Steps = Sequence[tuple[float, float]]


def payout(
    attained: npt.ArrayLike,
    *,
    threshold: float,
    cap: float,
    steps: Steps = (),
    accelerators: Steps = (),
) -> Floats:
    """What share of the variable pay does an attainment earn?

    Parameters
    ----------
    attained
        Result divided by quota.
    threshold
        Below it nothing is paid.
    cap
        Attainment beyond which nothing more is paid.
    steps
        Attainment and factor: from there on the attainment is paid times the factor, for the whole
        period; without steps times one.
    accelerators
        Attainment and rate: what lies above it is paid at this rate.

    Returns
    -------
    numpy.ndarray
        1 is the whole variable pay.

    Examples
    --------
    >>> steps = [(0.5, 0.5), (0.8, 0.8), (1.0, 1.0)]
    >>> paid = payout([0.4, 0.79, 0.8, 1.0, 1.2], threshold=0.5, cap=2.0, steps=steps,
    ...               accelerators=[(1.0, 1.5)])
    >>> paid.round(3).tolist()
    [0.0, 0.395, 0.64, 1.0, 1.3]
    """
    reached = np.minimum(np.asarray(attained, dtype=float), cap)
    edges = sorted((float(at), float(rate)) for at, rate in accelerators)
    first = edges[0][0] if edges else np.inf
    earned = np.minimum(reached, first)
    for i, (at, rate) in enumerate(edges):
        until = edges[i + 1][0] if i + 1 < len(edges) else np.inf
        earned = earned + rate * np.clip(reached - at, 0.0, until - at)
    factor = np.ones_like(reached)
    for at, value in sorted(steps):
        factor = np.where(reached >= at, value, factor)
    return np.where(reached < threshold, 0.0, factor * earned)


def cliffs(*, threshold: float, steps: Steps = (), least: float = 0.05) -> list[float]:
    """List the attainments at which the pay jumps by at least this part of the variable pay.

    Examples
    --------
    >>> cliffs(threshold=0.5, steps=[(0.5, 0.5), (0.8, 0.8), (1.0, 1.0)])
    [0.5, 0.8, 1.0]
    >>> cliffs(threshold=0.0)
    []
    """
    edges = sorted({threshold, *(float(at) for at, _factor in steps)} - {0.0})
    below, at = (
        payout([e - gap for e in edges], threshold=threshold, cap=np.inf, steps=steps)
        for gap in (1e-9, 0.0)
    )
    return [edge for edge, jump in zip(edges, at - below, strict=True) if jump >= least]
