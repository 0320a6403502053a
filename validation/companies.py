"""Generated companies and what every check saw of each, kept so that a broken-off run goes on.

Both lie in build/validation. What a check saw is looked at anew where the check's own file has
changed; after changes elsewhere that matter, delete the folder.
"""

import hashlib
import json
import os
import pickle
import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from salesops.book.book import open_book
from salesops.checks.check import Check, Seen, missing_for
from salesops.checks.judged import Judged, judge, reachable
from salesops.checks.registry import all_checks
from salesops.sample.options import SampleOptions
from salesops.sample.write import write_sample
from salesops.sources.importing import import_path

KEPT = Path("build/validation")
KINDS: dict[str, dict[str, Any]] = {
    "default": {}, "seasonal": {"season": "strong"}, "small": {"preset": "small"},
    "monthly exports": {"exports": "monthly", "months": 13},
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Company:
    """One company to generate: clean of a kind, or with every problem, one at a multiple.

    `size` 0 is clean; else it is the multiple of `problem`, or of all where none is named.
    """

    seed: int
    kind: str = "default"
    size: float = 0.0
    problem: str = ""

    @property
    def folder(self) -> Path:
        """Where it lies, a name that says what it is."""
        kind = self.kind.replace(" ", "_")
        return KEPT / f"{kind}-{self.problem}{self.size:g}-{self.seed}"

    @property
    def figures(self) -> dict[str, Any]:
        """What is true of each problem."""
        text = (self.folder / "company" / "truth" / "problems.json").read_text(encoding="utf-8")
        found: dict[str, Any] = json.loads(text)
        return found

    @property
    def future(self) -> pd.DataFrame:
        """How the deals end that are open on the last day: `id`, `outcome`, `stage` now."""
        place = self.folder / "company"
        found = pd.read_csv(place / "truth" / "future.csv", dtype=str)
        deals = pd.read_parquet(place / "opportunities.parquet", columns=["id", "stage"])
        return found.merge(deals, on="id")

    @property
    def truth(self) -> pd.DataFrame:
        """The rows of each problem: `problem`, `table`, `id`."""
        file = self.folder / "company" / "truth" / "rows.csv"
        return pd.read_csv(file, dtype=str) if file.exists() else pd.DataFrame()


@dataclass(frozen=True, kw_only=True, eq=False)
class Examined:
    """What every check saw of a company, and what can still be had in it."""

    seen: dict[str, Seen | None]
    limits: pd.DataFrame

    def judged(self) -> Judged:
        """Hold all comparisons to one false discovery rate, as the diagnosis does."""
        seen = {k: s for k, s in self.seen.items() if s is not None}
        return judge(seen, lambda: self.limits, {c.id for c in all_checks() if c.apart})


def examined(companies: Sequence[Company]) -> Iterator[tuple[Company, Examined]]:
    """Generate and examine companies, one on each core, in their order."""
    with ProcessPoolExecutor(max_workers=os.cpu_count()) as pool:
        done = pool.map(examine_one, companies)
        for n, (company, found) in enumerate(zip(companies, done, strict=True), 1):
            print(f"{n} of {len(companies)}: {company.folder.name}", flush=True)
            yield company, found


def examine_one(company: Company) -> Examined:
    """Give what every check saw, from the file of an earlier run where that still holds."""
    file = company.folder / "seen.pickle"
    kept: dict[str, tuple[str, Seen | None]] = {}
    limits = None
    if file.exists():
        kept, limits = pickle.loads(file.read_bytes())
    wanted = [c for c in all_checks() if kept.get(c.id, ("", None))[0] != _version(c)]
    if wanted or limits is None:
        book = open_book(generated(company))
        period = book.period("latest")
        for check in wanted:
            lacking = missing_for(check, book)
            kept[check.id] = (_version(check), None if lacking else check.look(book, period))
        limits = reachable(book) if limits is None else limits
        file.write_bytes(pickle.dumps((kept, limits)))
    seen = {c.id: kept[c.id][1] for c in all_checks()}
    return Examined(seen=seen, limits=limits)


@cache
def _of_file(path: str) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()[:12]


def _version(check: Check) -> str:
    look: Any = check.look
    return _of_file(getattr(look, "func", look).__code__.co_filename)


def generated(company: Company) -> Path:
    """Write a company, or give it where it was written; a half-written one is written anew."""
    place, into, done = (company.folder / name for name in ("company", "book", "done"))
    if not done.exists():
        shutil.rmtree(company.folder, ignore_errors=True)
        company.folder.mkdir(parents=True)
        write_sample(place, _options(company))
        if company.kind == "small":
            import_path(place, into=into, source="small")
        elif company.kind == "monthly exports":
            for export in sorted((place / "exports").iterdir()):
                import_path(export, into=into, source="canonical")
        done.touch()
    return into if into.exists() else place


def _options(company: Company) -> SampleOptions:
    if company.problem:
        return SampleOptions(seed=company.seed, problems={company.problem: company.size})
    if company.size:
        problems = {f"P{n}": company.size for n in range(1, 17)}
        return SampleOptions(seed=company.seed, problems=problems)
    return SampleOptions(seed=company.seed, clean=True, **KINDS[company.kind])
