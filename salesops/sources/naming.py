"""Which files of an export a mapping means by a name or a pattern."""

from collections.abc import Iterable
from fnmatch import fnmatch


def meant(names: Iterable[str], pattern: str) -> tuple[str, ...]:
    """Give the names that a pattern means: the one that is called so, else all that fit it.

    A browser calls a second download `deals[1].csv`, which as a pattern would mean `deals1.csv`.

    Examples
    --------
    >>> meant(["deals1.csv", "deals[1].csv"], "deals[1].csv")
    ('deals[1].csv',)
    >>> meant(["a.csv", "Deals_001.csv", "Deals_002.csv"], "Deals*.csv")
    ('Deals_001.csv', 'Deals_002.csv')
    """
    listed = tuple(names)
    if pattern in listed:
        return (pattern,)
    return tuple(name for name in listed if fnmatch(name, pattern))


def first_meant(names: Iterable[str], patterns: Iterable[str]) -> tuple[str, ...]:
    """Give the names that the first of some patterns means which means any.

    Examples
    --------
    >>> first_meant(["a.csv", "b.csv"], ["c*", "b*", "a*"])
    ('b.csv',)
    """
    listed = tuple(names)
    return next((found for pattern in patterns if (found := meant(listed, pattern))), ())
