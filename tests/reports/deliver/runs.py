"""Finished runs as the factory leaves them, written by hand."""

import json
from pathlib import Path
from typing import Any

# A family of four, a flag and a skin colour: one character each to who reads them.
EMOJI = "👩‍👩‍👧‍👦🇨🇳👍🏽"
PNG = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00"
    b"\x1f\x15\xc4\x89\x00\x00\x00\rIDATx\x9cc\xf8\xff\xff?\x00\x05\xfe\x02\xfe\xa75\x81\x84"
    b"\x00\x00\x00\x00IEND\xaeB`\x82"
)


def finding(action: str = "先救停住的22单", text: str = "22单停留超过42天。") -> dict[str, Any]:
    return {
        "id": "FUN-1", "code": "funnel.aged", "at_stake": 12102600.0, "due": "2026-06-26",
        "said": {"action": action, "text": text, "at_stake": "1,210.3万元"},
    }  # fmt: skip


def job(
    report: str = "funnel", *, scope: str = "company", lang: str = "zh", verdict: str = "",
    findings: list[dict[str, Any]] | None = None, failure: dict[str, str] | None = None,
    sensitivity: str = "team", key: str = "k1", files: dict[str, Any] | None = None,
    company: str = "云拓智联", to: list[str] | None = None,
) -> dict[str, Any]:  # fmt: skip
    whose = company if scope == "company" else scope.partition(":")[2]
    slug = "" if scope == "company" else "." + scope.replace(":", "-").replace("/", "-")
    stem = f"{report}{slug}.{lang}"
    told = {
        "report": report, "scope": scope, "lang": lang, "page": f"{stem}.html", "key": key,
        "parameters": {"book": "data/sample", "as_of": "latest", "period": "latest",
                       "scope": scope, "lang": lang},
        "files": files or {"html": f"{stem}.html"}, "failure": failure,
        "result": None if failure else {
            "report": report, "company": company, "scope": scope, "whose": whose,
            "head": [whose, "2026年6月", "数据截至2026-06-20"], "sensitivity": sensitivity,
            "lead": {"said": "在手金额 1.26亿元"},
            "verdict": [verdict or "2026年6月很可能完不成，差813.7万元：", "还有1,051.7万元没赢。"],
            "findings": [finding()] if findings is None else findings,
        },
    }  # fmt: skip
    return told if to is None else {**told, "to": to}


def write_run(root: Path, *jobs: dict[str, Any], run: str = "20260620-080000",
              scheduled: str | None = None, size: int = 2000) -> Path:  # fmt: skip
    """Write a run's folder with a page of so many bytes for each job."""
    folder = root / run
    folder.mkdir(parents=True, exist_ok=True)
    for one in jobs:
        for kind, names in one["files"].items():
            for name in [names] if isinstance(names, str) else names:
                (folder / name).write_bytes(PNG if kind == "png" else b"<p>page</p>" + b"." * size)
    record = {"run": run, "started": "2026-06-20T08:00:00+08:00", "book": "data/sample",
              "plan": "weekly" if scheduled else None, "scheduled": scheduled,
              "jobs": list(jobs)}  # fmt: skip
    (folder / "run.json").write_text(json.dumps(record, ensure_ascii=False), encoding="utf-8")
    return folder
