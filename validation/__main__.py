"""Measure the statistical claims and write docs/validation.md."""

import argparse
import sys
from pathlib import Path

from validation import funnel
from validation.table import as_markdown

PARTS = {"funnel": funnel.measure}


def main() -> int:
    """Measure all parts or one; exits with 1 where a claim does not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", choices=sorted(PARTS), help="one part alone")
    parser.add_argument("--seeds", type=int, default=40, help="companies to generate")
    options = parser.parse_args()
    chosen = [options.part] if options.part else sorted(PARTS)
    claims = [claim for part in chosen for claim in PARTS[part](options.seeds)]
    text = as_markdown(claims)
    print(text)
    if not options.part:
        Path("docs/validation.md").write_text(text, encoding="utf-8")
    return 0 if all(claim.holds for claim in claims) else 1


if __name__ == "__main__":
    sys.exit(main())
