"""All checks of the diagnosis, in the order of the five pains."""

from collections.abc import Collection
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

import salesops.checks
from salesops.checks.check import PAINS, Check


@cache
def all_checks() -> tuple[Check, ...]:
    """Give every check that a module of this folder names in `CHECKS`.

    Examples
    --------
    >>> {check.pain for check in all_checks()} <= set(PAINS)
    True
    """
    found: list[Check] = []
    for module in iter_modules(salesops.checks.__path__):
        found += getattr(import_module(f"salesops.checks.{module.name}"), "CHECKS", ())
    return tuple(sorted(found, key=lambda check: (PAINS.index(check.pain), check.id)))


def checks_of(ids: Collection[str]) -> tuple[Check, ...]:
    """Give the checks that a report looks for, in the order of all.

    Examples
    --------
    >>> [check.id for check in checks_of({"no_target", "unfair_quota"})]
    ['no_target', 'unfair_quota']
    """
    return tuple(check for check in all_checks() if check.id in ids)
