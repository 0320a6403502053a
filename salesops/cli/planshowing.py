"""`salesops plan`: the jobs of a plan at a time, as a table or as JSON."""

import json
from collections.abc import Sequence
from itertools import groupby
from typing import Any

from rich.console import Console

from salesops.cli.planrunning import scheduled_times
from salesops.reports.plan import CompanyPlan, open_plan
from salesops.reports.planned import Planned, planned

_COLUMNS = ("report", "scope", "lang", "formats", "why")


def show_plan(folder: str, *, at: str, names: Sequence[str], as_json: bool, out: Console) -> None:
    """Show what would be made."""
    company = open_plan(folder, over_book=True)
    found = planned(company, names=names, at=scheduled_times(company, at))
    rows = [row for one in found for row in one.rows()]
    if as_json:
        for row in rows:
            out.print(json.dumps(row, ensure_ascii=False), markup=False)
        return
    for one in found:
        out.print(_head(company, one), markup=False)
        for line in _table(list(one.rows())):
            out.print(f"  {line}", markup=False)
    off = [entry.name for entry in company.plan.entries if not entry.on and not names]
    if off:
        out.print(f"Off, to be switched on in {company.path}: {', '.join(off)}", markup=False)
    made = sum(row["why"] != "kept" for row in rows)
    out.print(f"{len(rows)} pages, {made} to be made, {len(rows) - made} kept.", markup=False)


def _head(company: CompanyPlan, one: Planned) -> str:
    entry, moment = one.entry, one.moment
    by = f"{entry.schedule} {company.zone(entry)}" if entry.schedule else "by hand"
    who = f", to {', '.join(entry.recipients)}" if entry.recipients else ""
    return (f"{entry.name} ({by}) for {moment.text}: as of {moment.as_of}, "
            f"period {moment.period}{who}")  # fmt: skip


def _table(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Lay rows out; those that differ in language alone share a line."""

    def key(row: dict[str, Any]) -> tuple[str, ...]:
        return row["report"], row["scope"], row["why"], ",".join(row["formats"])

    lines: list[tuple[str, ...]] = []
    for (report, scope, why, formats), same in groupby(rows, key):
        lines.append((report, scope, ",".join(row["lang"] for row in same), formats, why))
    widths = [max(len(line[i]) for line in lines) for i in range(len(_COLUMNS))] if lines else []
    return ["  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)).rstrip()
            for line in lines]  # fmt: skip
