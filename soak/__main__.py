"""Disturb runs at random moments, look at what is left, and exit with 1 where it is not whole."""

import argparse
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from salesops.stopping import stoppable
from soak import looks
from soak.kinds import KINDS, Kind, bring_notebooks, can_mount, unmounted
from soak.place import Place

BOOK = Path(__file__).parent.parent / "tests" / "tiny_company"
REPORTS = ("funnel", "collection")
BARE = ("one", "two")


@dataclass(frozen=True, kw_only=True)
class Round:
    """What became of one round: how its run ended, what was kept of it, and what is wrong."""

    kind: str
    code: int
    seconds: float
    kept: int
    jobs: int
    wrong: tuple[str, ...]


def played(
    name: str, rng: random.Random, *, book: Path = BOOK, quick: bool = False, cold: bool = False,
    most: float = 20.0,
) -> Round:  # fmt: skip
    """Play one round.

    Parameters
    ----------
    name
        One of `KINDS`.
    rng
        Chooses the moment, and which of several is disturbed.
    book
        The company; its copy is used.
    quick
        Take notebooks of one quick cell in place of its reports.
    cold
        Fork no kernels.
    most
        Seconds that a run takes: the moment lies before them.
    """
    kind = KINDS[name]
    bare = quick or bool(kind.cell)
    place = Place.of(book, reports=BARE if bare else REPORTS, formats=kind.formats,
                     seconds=kind.seconds, megabytes=kind.megabytes, cold=cold)  # fmt: skip
    try:
        if bare:
            bring_notebooks(place, kind.cell)
        began = time.monotonic()
        run = kind.disturb(place, rng, most)
        seconds = time.monotonic() - began
        wrong = [*_after(place, kind, run)]
        kept = len(place.kept())
        # Cells that import nothing are made as soon without a server.
        place.cold = place.cold or bare
        wrong += _next(place, kind)
        return Round(kind=name, code=run.returncode, seconds=seconds, kept=kept, jobs=place.jobs,
                     wrong=tuple(wrong))  # fmt: skip
    finally:
        unmounted(place)
        place.clear()


def _after(place: Place, kind: Kind, run: subprocess.Popen[bytes]) -> Iterator[str]:
    """Look at what a disturbed run leaves."""
    said = place.said(run)
    if run.returncode not in kind.codes:
        yield f"the run ended with {run.returncode}: {said[-300:]!r}"
    elif run.returncode > 0 and kind.says not in said:
        yield f"the run ended with {run.returncode} and does not say {kind.says!r}: {said[-300:]!r}"
    if "Traceback" in said:
        yield f"the run shows a traceback: {said[-300:]!r}"
    yield from looks.ended(place)
    yield from looks.whole(place)
    if kind.cleans:
        yield from looks.cleared(place)
    # All but the report that was disturbed, in both languages, are there.
    if kind.cell and len(place.kept()) < place.jobs - len(place.langs):
        yield f"of {place.jobs} reports {len(place.kept())} are there"


def _next(place: Place, kind: Kind) -> Iterator[str]:
    """Run again, undisturbed: it makes what is missing, and clears what was left."""
    before = place.kept()
    if kind.cell:
        bring_notebooks(place, "")
        # The notebook is another one now, so what it gave is missing.
        before = {key for key in before if _of_other(place, key)}
    run = place.begin()
    run.wait()
    yield from looks.mended(place, before, run.returncode)
    yield from looks.ended(place)
    yield from looks.whole(place)
    yield from looks.cleared(place)


def _of_other(place: Place, key: str) -> bool:
    """Tell whether a kept report is none of the notebook that was changed."""
    return not list((place.out / ".kept" / key).glob(f"{place.reports[-1]}.*"))


def left_out(*, cold: bool) -> dict[str, str]:
    """Name the kinds that can't be played here, and why."""
    found = {}
    if not can_mount():
        found["disk full"] = "only root may mount a disk; `no long files` needs no right"
    if not (shutil.which("chromium") or shutil.which("google-chrome")):
        found["browser killed"] = "Chromium is not installed"
    if cold:
        found["server killed"] = "there is none"
    return found


def measured(book: Path, *, quick: bool) -> float:
    """Give the seconds that an undisturbed run takes here, from which moments are drawn."""
    place = Place.of(book, reports=BARE if quick else REPORTS)
    try:
        if quick:
            bring_notebooks(place, "")
        began = time.monotonic()
        place.begin().wait()
        return time.monotonic() - began
    finally:
        place.clear()


def table(rounds: list[Round]) -> str:
    """Write one line per round."""
    lines = [f"{'round':>5}  {'what':<24} {'code':>4} {'seconds':>7}  finished  wrong"]
    for number, one in enumerate(rounds, 1):
        lines.append(f"{number:>5}  {one.kind:<24} {one.code:>4} {one.seconds:>7.1f}  "
                     f"{one.kept} of {one.jobs}    {'; '.join(one.wrong) or '-'}")  # fmt: skip
    return "\n".join(lines)


def main() -> int:
    """Play rounds; exits with 1 where something was not whole."""
    parser = argparse.ArgumentParser(prog="soak", description=__doc__)
    parser.add_argument("kinds", nargs="*", help=f"{', '.join(KINDS)}; none means all")
    parser.add_argument("--rounds", type=int, default=0, help="by default one of each kind")
    parser.add_argument("--seed", type=int, default=1, help="same seed, same moments")
    parser.add_argument("--book", type=Path, default=BOOK, help="folder of the company")
    parser.add_argument("--quick", action="store_true", help="notebooks of one quick cell")
    parser.add_argument("--cold", action="store_true", help="fork no kernels")
    options = parser.parse_args()
    unknown = set(options.kinds) - set(KINDS)
    if unknown:
        parser.error(f"not known: {', '.join(sorted(unknown))}; known: {', '.join(KINDS)}")
    lacking = left_out(cold=options.cold)
    names = [name for name in options.kinds or KINDS if name not in lacking]
    for name, why in lacking.items():
        print(f"Left out: {name}: {why}.")
    if not names:
        return 0
    most = measured(options.book, quick=options.quick)
    print(f"An undisturbed run takes {most:.1f} s.")
    rounds = []
    for number in range(options.rounds or len(names)):
        name, rng = names[number % len(names)], random.Random(f"{options.seed} {number}")
        rounds.append(played(name, rng, book=options.book, quick=options.quick,
                             cold=options.cold, most=most))  # fmt: skip
        print(table(rounds).splitlines()[-1], flush=True)
    wrong = sum(bool(one.wrong) for one in rounds)
    print(f"\n{table(rounds)}\n\n{len(rounds)} rounds, {wrong} with something wrong.")
    return 1 if wrong else 0


if __name__ == "__main__":
    # What a round has begun ends with it, also where it is broken off.
    with stoppable(lambda _stopped: None):
        sys.exit(main())
