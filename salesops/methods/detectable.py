"""How large would an effect have to be, to be seen?"""

import math


def smallest_detectable(
    error: float, free: int, *, power: float = 0.80, alpha: float = 0.05
) -> float:
    """Which effect would be found so often by a two-sided test?

    Parameters
    ----------
    error
        Standard error of the estimate.
    free
        Degrees of freedom that the error rests on.
    power
        How often it shall be found.
    alpha
        How often chance alone may seem an effect.

    Returns
    -------
    float
        In the unit of the error; inf where nothing could be found, whatever its size.

    Notes
    -----
    Bloom (1995), Evaluation Review 19, 547-556. Where few groups are treated, t has few degrees of
    freedom, and an effect has to be larger by far.

    Examples
    --------
    >>> round(smallest_detectable(0.01, 1000), 3), round(smallest_detectable(0.01, 3), 3)
    (0.028, 0.042)
    """
    from scipy.stats import t

    if free < 1 or not math.isfinite(error):
        return math.inf
    return float(error * (t.ppf(1 - alpha / 2, free) + t.ppf(power, free)))
