"""Runs as `salesops run` leaves them, written by hand; a real one is held against their form."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

WORDS = {"zh": "签了100万元。", "en": "A hundred was signed."}


def job(
    report: str = "funnel", scope: str = "company", lang: str = "en", *, value: float | None = 1e5,
    prior: float | None = 9e4, kind: str = "money", better: str = "up", as_of: str = "2026-06-20",
    period: str = "2026-06", rows: str = "aaaa", whose: str = "", company: str = "Acme",
    verdict: Sequence[str] = (), failure: Mapping[str, str] | None = None, state: str | None = None,
    metrics: Mapping[str, Any] | None = None, findings: Sequence[Mapping[str, Any]] = (),
    key: str | None = None, seconds: float = 8.0, files: Mapping[str, Any] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Give the record of one job."""
    slug = "" if scope == "company" else "." + scope.replace(":", "-").replace("/", "-")
    page = f"{report}{slug}.{lang}.html"
    facts = {
        "report": report, "company": company, "scope": scope, "whose": whose or company,
        "lead": {"name": "lead.bookings", "kind": kind, "value": value, "prior": prior,
                 "better": better, "said": f"Bookings {value}"},
        "as_of": as_of, "period": period, "fingerprint": rows, "settings": "21db1753",
        "head": [whose or company, period, f"as of {as_of}"], "sensitivity": "team",
        "verdict": list(verdict) or [WORDS[lang]], "metrics": dict(metrics or {"won_deals": 3.0}),
        "findings": list(findings), "gaps": [], "n": {"deals": 10}, "versions": "salesops 0.1.0",
    }  # fmt: skip
    return {
        "report": report, "scope": scope, "lang": lang, "page": page,
        "parameters": {"as_of": "latest", "period": "latest", "book": f"books/{company}",
                       "scope": scope, "lang": lang},
        "seconds": seconds, "tries": 1,
        "spent": {"start": 1.0, "import": 5.0, "cells": 1.0, "export": 1.0},
        "failure": None if failure is None else dict(failure),
        "result": None if failure else facts, "key": key,
        "state": state or ("failed" if failure else "made"), "files": dict(files or {"html": page}),
    }  # fmt: skip


FAILURE = {
    "cell": "exhibit-stages", "name": "UnknownStage", "traceback": "…",
    "value": "Stage 'demo' is not in salesops.toml.",
    "cause": "A deal stands at a stage that the settings do not list.",
}  # fmt: skip


def finding(code: str = "collection.unaccepted", subject: str = "acceptance", **facts: Any):
    """Give a finding as a record holds it."""
    return {"id": f"{code}|{subject}", "code": code, "severity": "act", "subject": subject,
            "evidence": {}, "at_stake": None, **facts}  # fmt: skip


def write_run(
    out: Path, started: str, jobs: Sequence[Mapping[str, Any]], *, run: str = "",
    with_files: bool = True, **facts: Any,
) -> Path:  # fmt: skip
    """Write a run's folder with its record and empty pages."""
    name = run or started[:19].replace("-", "").replace(":", "").replace("T", "-")
    folder = out / name
    folder.mkdir(parents=True)
    book = jobs[0]["parameters"]["book"] if jobs else "books/Acme"
    record = {"run": name, "started": started, "book": book, **facts, "jobs": list(jobs)}
    (folder / "run.json").write_text(json.dumps(record, ensure_ascii=False), encoding="utf-8")
    for lang in ("zh", "en") if with_files else ():
        (folder / f"index.{lang}.html").write_text("", encoding="utf-8")
    for one in jobs if with_files else ():
        for named in one["files"].values():
            for file in [named] if isinstance(named, str) else named:
                if "/" not in file and len(file) < 200:
                    (folder / file).write_text("", encoding="utf-8")
    return folder


def weekly(out: Path, days: Sequence[str], jobs_on: Any) -> None:
    """Write a run for the data of each day, made at six the morning after."""
    for number, day in enumerate(days):
        write_run(out, f"{day}T22:00:00+00:00", jobs_on(number, day))
