"""Every error says what is wrong, what was expected and how to mend it."""

import dataclasses
import datetime as dt
import importlib
import pickle
import pkgutil
from typing import Any, get_type_hints

import pytest

import salesops
from salesops.model.errors import SalesopsError
from salesops.sources.questions import Question


def _kinds() -> list[type[SalesopsError]]:
    for module in pkgutil.walk_packages(salesops.__path__, "salesops."):
        if "__main__" not in module.name:
            importlib.import_module(module.name)
    found, queue = [], [SalesopsError]
    while queue:
        for kind in queue.pop().__subclasses__():
            found.append(kind)
            queue.append(kind)
    return sorted(set(found), key=lambda k: k.__name__)


def _value(name: str, kind: Any) -> Any:
    text = str(kind)
    if "datetime" in text:
        return dt.datetime(2026, 1, 31, 8)
    if "Question" in text:
        return (Question(key="stage", text="Which column?", candidates=("one", "two")),)
    if "tuple[tuple" in text or "DataFrame" in text or "list" in text:
        return ()
    if "tuple" in text or "Sequence" in text:
        return (f"one {name}", f"two {name}")
    if kind is int or text in ("int", "int | None"):
        return 7
    return f"<{name}>"


@pytest.mark.parametrize("kind", _kinds(), ids=lambda k: k.__name__)
def test_an_error_has_three_parts_with_its_values_and_survives_a_worker(kind):
    assert dataclasses.is_dataclass(kind)
    hints = get_type_hints(kind)
    values = {f.name: _value(f.name, hints[f.name]) for f in dataclasses.fields(kind)}
    error = kind(**values)
    lines = str(error).splitlines()
    assert len(lines) >= 3, "what is wrong; what was expected; how to mend it"
    shown = [v for v in values.values() if isinstance(v, str)]
    assert not shown or any(v in str(error) for v in shown), "the value must be named"
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_an_error_is_what_callers_expect_of_its_condition():
    built_in = (ValueError, LookupError, TypeError, OSError, RuntimeError)
    for kind in _kinds():
        assert issubclass(kind, built_in), f"{kind.__name__} must inherit a built-in error"
