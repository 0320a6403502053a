"""What two expressions have in common that differ in dates, names of teams and of tables alone.

Two expressions with one signature become the same SQL up to the values and names that are listed
beside it, in the order in which they are met. Which of them are equal to each other is part of the
signature, since equal parts of an expression are translated once.
"""

import datetime as dt
import decimal
import enum
import hashlib
import re
import weakref
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import ibis.expr.datatypes as dt_types
import ibis.expr.operations as ops
import ibis.expr.schema as sch
from ibis.backends import BaseBackend
from ibis.common.graph import Node

# Under these a value is written where it stands and looked at by nobody.
_PLAIN = (
    ops.Comparison, ops.Between, ops.InValues, ops.Coalesce, ops.IfElse, ops.SimpleCase,
    ops.SearchedCase, ops.Alias, ops.Project, ops.Greatest, ops.Least, ops.StartsWith,
)  # fmt: skip
OPEN = (str, dt.date, dt.datetime, int)
# Tables that Ibis names by chance, and the files of opened books.
_BY_CHANCE = re.compile(r"ibis_\w+_[a-z0-9]{20,}|[0-9a-f]{24}")
_SIMPLE = (str, int, float, bool, bytes, type(None), dt.date, dt.datetime, dt.time, dt.timedelta,
           decimal.Decimal, enum.Enum)  # fmt: skip


class NoSignature(Exception):
    """Something in the expression has no lasting name."""


@dataclass(frozen=True, slots=True)
class Open:
    """A value or the name of a table that may be another in the next expression."""

    value: Any
    dtype: Any = None  # null for names


@dataclass(frozen=True, slots=True)
class Signature:
    """The lasting part of an expression, what is open in it, and values that are part of it."""

    digest: bytes
    open: tuple[Open, ...]
    fixed: frozenset[Open]


class Signatures:
    """Signatures of expressions, each part of them worked out once, and forgotten with it.

    Tables that were laid out for an expression last as long as it: nothing here holds on to one.
    """

    def __init__(self) -> None:
        self._known: dict[int, tuple[weakref.ref[Node], Signature]] = {}

    def of(self, root: Node) -> Signature:
        """Give the signature of an operation.

        Raises
        ------
        NoSignature
            A part has no lasting name, as a function or an object of the process.
        """
        # By hand, since expressions are deeper than Python's stack.
        stack = [root]
        while stack:
            node = stack[-1]
            if id(node) in self._known:
                stack.pop()
                continue
            missing = [c for c in _children(node) if id(c) not in self._known]
            if missing:
                stack.extend(missing)
                continue
            stack.pop()
            self._keep(node, _Folded(node, self._known).signature())
        return self._known[id(root)][1]

    def _keep(self, node: Node, signature: Signature) -> None:
        place, known = id(node), self._known
        # The next object at this place is another.
        known[place] = (weakref.ref(node, lambda _gone: known.pop(place, None)), signature)


def _children(node: Node) -> Iterator[Node]:
    if isinstance(node, ops.InMemoryTable):
        return
    for arg in node.__args__:
        yield from _nodes(arg)


def _nodes(arg: Any) -> Iterator[Node]:
    if isinstance(arg, Node):
        yield arg
    elif isinstance(arg, tuple):
        for one in arg:
            yield from _nodes(one)
    elif isinstance(arg, Mapping) and not isinstance(arg, sch.Schema):
        for one in arg.values():
            yield from _nodes(one)


def _is_open(value: Any, parent: Node) -> bool:
    if isinstance(parent, ops.Cast):
        # The instant of a book; what else is cast may be written in a form of its own.
        return type(value) is dt.datetime and value.tzinfo is None and parent.to.is_timestamp()
    # Counts and places in a list are integers too: these are open as columns alone.
    where = ops.Project if type(value) is int else _PLAIN
    # Equal instants are written in more than one way.
    zoned = isinstance(value, dt.datetime) and value.tzinfo is not None
    return type(value) in OPEN and isinstance(parent, where) and not zoned


def _lasting(arg: Any) -> str:
    """Write what is no part of the expression so that it reads the same in every process."""
    if isinstance(arg, _SIMPLE):
        return f"{type(arg).__name__}:{arg!r}"
    if isinstance(arg, dt_types.DataType | sch.Schema):
        return repr(arg)
    if isinstance(arg, frozenset) and all(isinstance(one, str) for one in arg):
        return repr(sorted(arg))
    if isinstance(arg, BaseBackend):
        # Each connection remembers for itself, or for others of the same kind.
        return str(arg.name)
    raise NoSignature(type(arg).__name__)


class _Folded:
    """One operation, folded with the signatures of its parts."""

    def __init__(self, node: Node, known: dict[int, tuple[weakref.ref[Node], Signature]]) -> None:
        self._node, self._known = node, known
        self._open: dict[Open, int] = {}
        self._fixed: set[Open] = set()
        self._parts: list[bytes] = [type(node).__qualname__.encode()]

    def signature(self) -> Signature:
        node = self._node
        if isinstance(node, ops.InMemoryTable):
            self._name(node.name)
            self._add(node.schema)
        elif isinstance(node, ops.Literal):
            self._literal(node)
        else:
            for arg in node.__args__:
                self._add(arg)
        digest = hashlib.blake2b(b"\0".join(self._parts), digest_size=16).digest()
        return Signature(digest, tuple(self._open), frozenset(self._fixed))

    def _literal(self, node: Any) -> None:
        if isinstance(node.value, OPEN):
            self._fixed.add(Open(node.value, node.dtype))
        # Ids of records look like names that were given by chance, and are none.
        if isinstance(node.value, str):
            self._parts.append(_lasting(node.value).encode())
        else:
            self._add(node.value)
        self._add(node.dtype)

    def _add(self, arg: Any) -> None:
        if isinstance(arg, Node):
            self._part(arg)
        elif isinstance(arg, tuple | Mapping) and not isinstance(arg, sch.Schema):
            self._each(arg)
        elif isinstance(arg, ops.Namespace):
            self._each(("namespace", arg.catalog, arg.database))
        elif isinstance(arg, str) and _BY_CHANCE.fullmatch(arg):
            self._name(arg)
        else:
            self._parts.append(_lasting(arg).encode())

    def _each(self, many: tuple[Any, ...] | Mapping[Any, Any]) -> None:
        self._parts.append(f"({len(many)}".encode())
        for one in many.items() if isinstance(many, Mapping) else many:
            self._add(one)

    def _part(self, part: Any) -> None:
        if isinstance(part, ops.Literal) and _is_open(part.value, self._node):
            self._slot(Open(part.value, part.dtype), repr(part.dtype))
            return
        known = self._known[id(part)][1]
        self._parts.append(known.digest)
        for one in known.open:
            self._slot(one, "")
        self._fixed |= known.fixed

    def _name(self, name: str) -> None:
        self._slot(Open(name), "name")

    def _slot(self, one: Open, kind: str) -> None:
        place = self._open.setdefault(one, len(self._open))
        self._parts.append(f"?{place}{kind}".encode())
