"""Break each metric on purpose, and see that a test notices: `make mutants`.

Each break of `mutants.toml` is applied to a copy of the package, one at a time, and the tests that
concern it run there and must fail. A break that no test notices has survived: the number could go
wrong like that and nobody would know.
"""

import argparse
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).parent.parent
LIST = Path(__file__).with_name("mutants.toml")
COPIED = ("salesops", "tests", "notebooks", "pyproject.toml")
KILLED, SURVIVED, BROKEN = "killed", "survived", "broken"
# How pytest ends: all passed, some failed.
_PASSED, _FAILED, _LATE = 0, 1, -1
_AT_MOST = 300
# Several Pythons at a time are quicker, as far as their memory allows.
_AT_ONCE = 4


@dataclass(frozen=True)
class Mutant:
    """One break: a piece of source that is replaced, and the tests that have to notice.

    Attributes
    ----------
    name
        What goes wrong with it.
    file
        Module, from the root of the project.
    old, new
        The piece, which stands there exactly once, and what takes its place.
    tests
        Node ids of the tests that have to fail.
    """

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]

    def applied(self, source: str) -> str:
        """Give the source with the break in it.

        Raises
        ------
        LookupError
            The piece does not stand there exactly once.
        """
        found = source.count(self.old)
        if found != 1:
            raise LookupError(
                f"{self.name}: its piece stands {found} times in {self.file}.\n"
                "Expected: exactly once.\n"
                f"Write it anew in {LIST.name}:\n{self.old}"
            )
        return source.replace(self.old, self.new)


def read_mutants(path: Path = LIST) -> tuple[Mutant, ...]:
    """Read the list of breaks."""
    listed = tomllib.loads(path.read_text(encoding="utf-8"))["mutant"]
    return tuple(Mutant(**{**one, "tests": tuple(one["tests"])}) for one in listed)


def copy_to(place: Path) -> None:
    """Copy what the tests need, so that the checkout is never touched."""
    skipped = shutil.ignore_patterns("__pycache__", "runs", ".*")
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, place / name, ignore=skipped)
        else:
            shutil.copy2(source, place / name)
    (place / "data").symlink_to(ROOT / "data")


def run_tests(place: Path, tests: tuple[str, ...], limit: int = _AT_MOST) -> tuple[int, str]:
    """Run tests in the copy; gives how pytest ended, and what it said."""
    # Without caches of bytecode, which tell sources apart by the second in which they changed.
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(place)}
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests]
    try:
        done = subprocess.run(
            command, cwd=place, env=environment, capture_output=True, timeout=limit, check=False,
            text=True,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return _LATE, f"out of time after {limit} s"
    return done.returncode, "\n".join(done.stdout.splitlines()[-30:])


def is_copy_used(place: Path) -> bool:
    """Say whether Python in the copy takes the package from there."""
    environment = {**os.environ, "PYTHONPATH": str(place)}
    shown = subprocess.run(
        [sys.executable, "-c", "import salesops; print(salesops.__file__)"],
        cwd=place, env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return Path(shown.stdout.strip()).is_relative_to(place)


def try_mutant(place: Path, mutant: Mutant) -> str:
    """Break the copy, run the tests, mend it again: was the break noticed?"""
    path = place / mutant.file
    whole = path.read_text(encoding="utf-8")
    try:
        path.write_text(mutant.applied(whole), encoding="utf-8")
        ended, _said = run_tests(place, mutant.tests)
    finally:
        path.write_text(whole, encoding="utf-8")
    return {_PASSED: SURVIVED, _FAILED: KILLED}.get(ended, BROKEN)


def try_all(mutants: tuple[Mutant, ...], out: Console) -> bool:
    """Try each break and show what became of it; gives whether all were noticed."""
    for mutant in mutants:
        mutant.applied((ROOT / mutant.file).read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        free = copies(Path(folder).resolve(), min(os.cpu_count() or 1, _AT_ONCE, len(mutants)))
        check_without_break(free.queue[0], mutants)

        def one(mutant: Mutant) -> tuple[str, float]:
            place, began = free.get(), time.monotonic()
            try:
                result = try_mutant(place, mutant)
            finally:
                free.put(place)
            out.print(f"{result:9}{mutant.name}", markup=False, highlight=False)
            return result, time.monotonic() - began

        with ThreadPoolExecutor(len(free.queue)) as pool:
            results = list(pool.map(one, mutants))
    show(mutants, results, out)
    return all(result == KILLED for result, _took in results)


def copies(folder: Path, n: int) -> "queue.Queue[Path]":
    """Make n copies of the package, each for one break at a time."""
    free: queue.Queue[Path] = queue.Queue()
    for i in range(n):
        place = folder / str(i)
        place.mkdir()
        copy_to(place)
        if not is_copy_used(place):
            raise RuntimeError(f"the copy in {place} is not the package that Python takes")
        free.put(place)
    return free


def check_without_break(place: Path, mutants: tuple[Mutant, ...]) -> None:
    """Run the tests on the whole package: what fails there would notice anything.

    Raises
    ------
    RuntimeError
        They do not all pass.
    """
    tests = tuple(dict.fromkeys(test for mutant in mutants for test in mutant.tests))
    ended, said = run_tests(place, tests, limit=4 * _AT_MOST)
    if ended != _PASSED:
        raise RuntimeError(f"the tests fail without a break; mend them first:\n{said}")


def show(mutants: tuple[Mutant, ...], results: list[tuple[str, float]], out: Console) -> None:
    """Print the table of what was noticed and what not."""
    table = Table("break", "module", "result", "s")
    for mutant, (result, took) in zip(mutants, results, strict=True):
        table.add_row(mutant.name, Path(mutant.file).stem, result, f"{took:.0f}")
    out.print(table)
    killed = sum(result == KILLED for result, _took in results)
    out.print(f"{killed} of {len(mutants)} killed")


def main() -> int:
    """Try the breaks whose name or module holds a word, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("words", nargs="*", help="only breaks whose name or module holds one")
    words = parser.parse_args().words
    chosen = tuple(
        m for m in read_mutants() if not words or any(w in m.name or w in m.file for w in words)
    )
    if not chosen:
        parser.error(f"no break holds {' or '.join(words)}")
    try:
        return 0 if try_all(chosen, Console()) else 1
    except (LookupError, RuntimeError) as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
