"""The diagnosis: does it find what is planted, at what size, and keep quiet where nothing is?"""

import hashlib
import json
import tempfile
from collections.abc import Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any

import pandas as pd

from salesops.book.book import open_book
from salesops.checks.judged import Judged, examine
from salesops.checks.registry import all_checks
from salesops.methods.intervals import wilson
from salesops.sample.options import SampleOptions
from salesops.sample.write import write_sample
from salesops.sources.importing import import_path
from validation.table import Claim

# What was measured already, one line per company, so that a broken-off run goes on.
KEPT = Path("build/validation")
SIZES = (0.5, 1.0, 2.0, 4.0)
# Problem -> the checks that are to find it, and where it is one group's, the group in its truth.
FOUND_BY: dict[str, tuple[frozenset[str], str]] = {
    "P1": (frozenset({"no_target", "target_sums"}), ""),
    "P3": (frozenset({"untouched_leads", "weekend_leads"}), ""),
    "P4": (frozenset({"silent_deals"}), ""),
    "P5": (frozenset({"left_behind"}), ""),
    "P7": (frozenset({"skipped_stages"}), ""),
    "P8": (frozenset({"idle_steps"}), ""),
    "P9": (frozenset({"month_end_edits"}), "team"),
    "P10": (frozenset({"pushed_deals"}), ""),
    "P11": (frozenset({"sudden_wins"}), "reps"),
    "P12": (frozenset({"dead_deals"}), ""),
    "P14": (frozenset({"empty_claims"}), "reps"),
    "P15": (frozenset({"unaccepted"}), ""),
    "P16": (frozenset({"weak_source"}), "source"),
}
KINDS: dict[str, dict[str, Any]] = {
    "default": {}, "seasonal": {"season": "strong"}, "small": {"preset": "small"},
    "monthly exports": {"exports": "monthly", "months": 13},
}  # fmt: skip


def _examined(place: Path) -> tuple[Judged, dict[str, Any], pd.DataFrame]:
    """Examine a generated company; give what held and its truth."""
    book = open_book(place)
    judged = examine(book, book.period("latest"), all_checks())
    figures = json.loads((place / "truth" / "problems.json").read_text(encoding="utf-8"))
    file = place / "truth" / "rows.csv"
    rows = pd.read_csv(file, dtype=str) if file.exists() else pd.DataFrame()
    return judged, figures, rows


def _groups(figures: dict[str, Any], key: str) -> set[str]:
    found = figures.get(key, [])
    return set(found) if isinstance(found, list) else {str(found)}


def scores(place: Path) -> list[dict[str, Any]]:
    """Say of each problem of a company whether it was found, and how well its rows were."""
    judged, figures, truth = _examined(place)
    held = list(zip(judged.held, judged.check_of, strict=True))
    found = []
    for problem, (checks, group) in FOUND_BY.items():
        own = [test for test, of in held if of in checks]
        if group:
            wanted = _groups(figures[problem], group)
            own = [t for t in own if t.finding.subject in wanted] if wanted else own
        row: dict[str, Any] = {"problem": problem, "found": bool(own)}
        named = truth[truth["problem"] == problem] if len(truth) else truth
        said = [t.rows for t, of in held if of in checks and len(t.rows)]
        if len(named) and said:
            mine = pd.concat(said).drop_duplicates()
            tables = set(named["table"]) & set(mine["table"])
            real = set(map(tuple, named.loc[named["table"].isin(tables), ["table", "id"]].values))
            told = set(map(tuple, mine.loc[mine["table"].isin(tables), ["table", "id"]].values))
            row |= {"hits": len(real & told), "told": len(told), "real": len(real)}
        found.append(row)
    return found


@cache
def _code() -> str:
    """Give a fingerprint of the package: what another version measured does not count."""
    digest = hashlib.sha256()
    for path in sorted(Path("salesops").rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:8]


def _kept(name: str, key: str, make: Any) -> Any:
    """Give a company's result, from the file of an earlier run where it is there."""
    KEPT.mkdir(parents=True, exist_ok=True)
    key = f"{key} by {_code()}"
    file = KEPT / f"{name}.jsonl"
    if file.exists():
        for line in file.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            if row["key"] == key:
                return row["value"]
    value = make()
    with file.open("a", encoding="utf-8") as out:
        out.write(json.dumps({"key": key, "value": value}, ensure_ascii=False) + "\n")
    print(name, key, value, flush=True)
    return value


def _planted(seed: int, size: float) -> list[dict[str, Any]]:
    problems = dict.fromkeys(FOUND_BY, size)
    with tempfile.TemporaryDirectory() as folder:
        options = SampleOptions(seed=seed, problems=problems)
        return scores(write_sample(Path(folder) / "company", options))


def power(seeds: int) -> list[Claim]:
    """Plant all problems at four sizes and count how many companies show each."""
    claims = []
    for size in SIZES:
        n = seeds if size == 1.0 else max(seeds // 4, 1)
        rows = []
        for seed in range(1, n + 1):
            rows += _kept("power", f"{seed} at {size}", partial(_planted, seed, size))
        frame = pd.DataFrame(rows)
        for problem, part in frame.groupby("problem", sort=False):
            aim = 0.80 if size == 1.0 else 0.0
            claims.append(_share(f"{problem} found at {size:g} times its size",
                                 int(part["found"].sum()), len(part), aim))  # fmt: skip
        if size == 1.0:
            claims += _pooled(frame)
    return claims


def _pooled(frame: pd.DataFrame) -> list[Claim]:
    claims = [_share("all problems found, pooled", int(frame["found"].sum()), len(frame), 0.95)]
    if "hits" in frame:
        rows = frame.dropna(subset=["hits"]).groupby("problem", sort=False)
        for problem, part in rows[["hits", "told", "real"]].sum().iterrows():
            claims += [
                _share(f"{problem}: rows named that are of it", int(part["hits"]),
                       int(part["told"]), 0.95),
                _share(f"{problem}: rows of it that are named", int(part["hits"]),
                       int(part["real"]), 0.95),
            ]  # fmt: skip
    return claims


def _share(what: str, hits: int, n: int, aim: float) -> Claim:
    low, high = wilson(hits, n) if n else (0.0, 1.0)
    value = hits / n if n else float("nan")
    told = f"at least {aim:.2f}" if aim else "shown"
    return Claim(part="diagnosis", what=what, value=value, low=low, high=high, n=n, aim=told,
                 holds=value >= aim)  # fmt: skip


def clean(seeds: int) -> list[Claim]:
    """Look at clean companies of four kinds and count those with a finding above a note."""
    alarms = n = 0
    for kind, seed in _companies(seeds):
        codes = _kept("clean", f"{kind} {seed}", partial(_alarms, kind, seed))
        alarms += bool(codes)
        n += 1
    low, high = wilson(alarms, n)
    return [Claim(part="diagnosis", what="clean companies with a finding above a note",
                  value=alarms / n, low=low, high=high, n=n, aim="at most 0.04",
                  holds=alarms / n <= 0.04)]  # fmt: skip


def _companies(seeds: int) -> Iterator[tuple[str, int]]:
    for seed in range(1, seeds + 1):
        for kind in KINDS:
            yield kind, seed


def _alarms(kind: str, seed: int) -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        options = SampleOptions(seed=seed, clean=True, **KINDS[kind])
        place = write_sample(Path(folder) / "company", options)
        into = Path(folder) / "book"
        if kind == "small":
            import_path(place, into=into, source="small")
        elif kind == "monthly exports":
            for export in sorted((place / "exports").iterdir()):
                import_path(export, into=into, source="canonical")
        place = into if into.exists() else place
        book = open_book(place)
        judged = examine(book, book.period("latest"), all_checks())
        return [f.code for f in judged.findings if f.severity != "note"]


def measure(seeds: int) -> list[Claim]:
    """Measure both; a company takes twenty seconds."""
    return [*power(seeds), *clean(max(seeds // 4, 1))]
