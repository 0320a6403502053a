"""The list of breaks fits the sources: `make mutants` tries them, here they only have to apply."""

import ast
import re
from pathlib import Path

import pytest

from tools.mutants import Mutant, read_mutants

MUTANTS = read_mutants()


def test_there_are_enough_of_them_and_each_has_its_own_name():
    assert len(MUTANTS) >= 25
    assert len({m.name for m in MUTANTS}) == len(MUTANTS)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda m: m.name)
def test_a_break_applies_once_and_leaves_a_module_that_can_be_read(mutant):
    source = Path(mutant.file).read_text(encoding="utf-8")
    broken = mutant.applied(source)
    assert ast.dump(ast.parse(broken)) != ast.dump(ast.parse(source))


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda m: m.name)
def test_the_tests_that_have_to_notice_are_there(mutant):
    assert mutant.tests
    for node in mutant.tests:
        path, _colons, name = node.partition("::")
        text = Path(path).read_text(encoding="utf-8")
        assert re.search(rf"^def {re.escape(name.partition('[')[0])}\(", text, re.MULTILINE), node


def test_a_break_whose_piece_is_gone_or_stands_twice_is_refused():
    mutant = Mutant("swapped", "a.py", "won", "lost", ("tests/a.py::test_a",))
    assert mutant.applied("won / n") == "lost / n"
    for source in ("n", "won / won"):
        with pytest.raises(LookupError, match="exactly once"):
            mutant.applied(source)
