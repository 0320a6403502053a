"""Measure the statistical claims and write docs/validation.md."""

import argparse
import sys
from pathlib import Path

from validation import churn, diagnosis, duplicates, funnel, playbook, review, stall, targets
from validation.table import as_markdown, merged

PARTS = {
    "churn": churn.measure,
    "diagnosis": diagnosis.measure,
    "duplicates": duplicates.measure,
    "funnel": funnel.measure,
    "playbook": playbook.measure,
    "review": review.measure,
    "stall": stall.measure,
    "targets": targets.measure,
}
TABLE = Path("docs/validation.md")


def main() -> int:
    """Measure all parts or one; exits with 1 where a claim does not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", choices=sorted(PARTS), help="one part alone")
    parser.add_argument("--seeds", type=int, default=40, help="companies to generate")
    options = parser.parse_args()
    chosen = [options.part] if options.part else sorted(PARTS)
    claims = [claim for part in chosen for claim in PARTS[part](options.seeds)]
    print(as_markdown(claims))
    before = TABLE.read_text(encoding="utf-8") if TABLE.exists() else ""
    TABLE.write_text(merged(before, claims), encoding="utf-8")
    return 0 if all(claim.holds for claim in claims) else 1


if __name__ == "__main__":
    sys.exit(main())
