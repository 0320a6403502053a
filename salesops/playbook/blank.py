"""The blank that stands in an exercise until somebody writes an answer there."""

from collections.abc import Iterator
from typing import Any

_OPERATORS = (
    "add radd sub rsub mul rmul truediv rtruediv floordiv rfloordiv mod rmod pow rpow and rand "
    "or ror xor rxor matmul rmatmul neg pos abs invert eq ne lt le gt ge getitem call"
)


class Blank:
    """Something not yet filled in: whatever is done with it, it stays a blank.

    A lesson that nobody has touched therefore runs from top to bottom without an error.

    Examples
    --------
    >>> from salesops.playbook import ____
    >>> ____, 3 * ____ + 1, ____.sum()
    (____, ____, ____)
    """

    # Arrays and frames leave the operation to the blank.
    __array_ufunc__ = None
    __pandas_priority__ = 5000

    def __repr__(self) -> str:
        return "____"

    def __getattr__(self, name: str) -> "Blank":
        # What Python and Jupyter look for by such names has to be absent.
        if name.startswith("_"):
            raise AttributeError(name)
        return self

    def __iter__(self) -> Iterator[Any]:
        return iter(())

    def __bool__(self) -> bool:
        return False

    def __hash__(self) -> int:
        return id(self)


def _blank(self: Blank, *_with: Any, **_named: Any) -> Blank:
    return self


for _name in _OPERATORS.split():
    setattr(Blank, f"__{_name}__", _blank)

____ = Blank()


def has_blank(value: Any) -> bool:
    """Tell whether there is a blank in an answer, at any depth.

    Examples
    --------
    >>> has_blank({"team": "East", "rate": ____}), has_blank([1, 2])
    (True, False)
    """
    if value is ... or isinstance(value, Blank):
        return True
    if isinstance(value, dict):
        return any(has_blank(part) for pair in value.items() for part in pair)
    if isinstance(value, list | tuple | set | frozenset):
        return any(has_blank(part) for part in value)
    return False
