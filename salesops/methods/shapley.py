"""Who brought about a change: a product's change shared fairly among its factors."""

import math
from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations


def product_change(
    before: Sequence[float | Fraction], after: Sequence[float | Fraction]
) -> list[Fraction]:
    """How much of the change of a product is due to each of its factors?

    Parameters
    ----------
    before, after
        The factors then and now, in the same order.

    Returns
    -------
    list of Fraction
        One effect per factor: the mean, over all orders in which the factors could have moved
        from then to now, of what the product changed at its move. Their sum is the change, exactly.

    Raises
    ------
    ValueError
        The two have not the same number of factors.

    Notes
    -----
    The Shapley value of the game whose players are the factors (Shapley 1953, A value for n-person
    games); as a decomposition, Shorrocks (2013), Journal of Economic Inequality 11, 99-126. It
    takes 2^n steps for n factors.

    Examples
    --------
    >>> [float(e) for e in product_change([10, 0.5], [12, 0.5])]  # only the first moved
    [1.0, 0.0]
    >>> [float(e) for e in product_change([2, 3], [4, 5])]  # 6 becomes 20
    [8.0, 6.0]
    """
    if len(before) != len(after):
        raise ValueError(f"{len(before)} factors before, {len(after)} after; expected as many.")
    then, now = [Fraction(v) for v in before], [Fraction(v) for v in after]
    n = len(then)
    effects = []
    for i in range(n):
        others = [j for j in range(n) if j != i]
        total = Fraction(0)
        for size in range(n):
            # In so many of n! orders just these have moved before the factor does.
            weight = Fraction(math.factorial(size) * math.factorial(n - size - 1),
                              math.factorial(n))  # fmt: skip
            for moved in combinations(others, size):
                total += weight * math.prod(now[j] if j in moved else then[j] for j in others)
        effects.append((now[i] - then[i]) * total)
    return effects


def in_whole_cents(effects: Sequence[float | Fraction], total: int) -> list[int]:
    """Round effects to whole cents that sum to a total, by largest remainders.

    Raises
    ------
    ValueError
        The effects do not sum to the total, rounding apart.

    Examples
    --------
    >>> in_whole_cents([33.4, 33.3, 33.3], 100)
    [34, 33, 33]
    """
    floors = [math.floor(e) for e in effects]
    left = total - sum(floors)
    if not 0 <= left <= len(effects):
        raise ValueError(f"effects of {float(sum(effects))} cents do not sum to {total}.")
    order = sorted(range(len(effects)), key=lambda i: floors[i] - effects[i])
    for i in order[:left]:
        floors[i] += 1
    return floors
