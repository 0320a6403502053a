"""Intervals of shares and of their differences, and the words that judge them."""

import math

from salesops.model.finding import Trust

Z80 = 1.2815515655446004
Z95 = 1.959963984540054


def wilson(hits: float, n: float, *, z: float = Z80) -> tuple[float, float]:
    """Between which bounds does a share lie (80 % by default)?

    Parameters
    ----------
    hits, n
        Successes and trials, as counts.
    z
        Standard normal quantile of the wanted level.

    Returns
    -------
    tuple of float
        Low and high bound, 0–1; nan for no trials.

    Notes
    -----
    Wilson (1927), Journal of the American Statistical Association 22, 209–212.

    Examples
    --------
    >>> low, high = wilson(81, 263, z=1.96)
    >>> round(low, 4), round(high, 4)
    (0.2553, 0.3662)
    """
    if n <= 0:
        return (math.nan, math.nan)
    share = hits / n
    centre = share + z * z / (2 * n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    return (max(centre - half, 0.0) / scale, min((centre + half) / scale, 1.0))


def difference(
    hits: float, n: float, other_hits: float, other_n: float, *, z: float = Z80
) -> tuple[float, float]:
    """Between which bounds does the difference of two shares lie (first minus second)?

    Notes
    -----
    Newcombe (1998), Statistics in Medicine 17, 873–890, method 10: the Wilson bounds of both.

    Examples
    --------
    >>> low, high = difference(56, 70, 48, 80, z=1.96)
    >>> round(low, 4), round(high, 4)
    (0.0524, 0.3339)
    """
    if n <= 0 or other_n <= 0:
        return (math.nan, math.nan)
    one, two = hits / n, other_hits / other_n
    low1, high1 = wilson(hits, n, z=z)
    low2, high2 = wilson(other_hits, other_n, z=z)
    down = math.hypot(one - low1, high2 - two)
    up = math.hypot(high1 - one, two - low2)
    return (one - two - down, one - two + up)


def judge(low: float, high: float, n: float, *, against: float = 0.0, too_few: int = 30) -> Trust:
    """Say whether a range leaves out the value that it is compared with.

    Examples
    --------
    >>> judge(0.05, 0.33, 70), judge(-0.1, 0.2, 70), judge(0.05, 0.33, 12)
    ('firm', 'unsure', 'too_few')
    """
    if n < too_few or math.isnan(low) or math.isnan(high):
        return "too_few"
    return "firm" if low > against or high < against else "unsure"
