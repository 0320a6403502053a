"""The public names mean the same whatever was imported before."""

import importlib
import pkgutil

import salesops


def test_no_module_takes_the_place_of_a_public_name():
    for module in pkgutil.walk_packages(salesops.__path__, "salesops."):
        if "__main__" not in module.name:
            importlib.import_module(module.name)
    taken = [name for name in salesops.__all__ if not callable(getattr(salesops, name))]
    assert taken == []
