"""A company of deals with a stage log of any length, for measuring; kept under build/."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from salesops.book.write import write_store

STAGES = ("acquisition", "needs", "negotiation", "contract", "lost", "void")
# From each stage: chance of each stage that follows. A few go back, skip or are reopened.
STEPS = np.array(
    [
        [0.00, 0.72, 0.06, 0.00, 0.18, 0.04],
        [0.04, 0.00, 0.66, 0.00, 0.28, 0.02],
        [0.00, 0.10, 0.00, 0.52, 0.36, 0.02],
        [0.00, 0.00, 0.00, 1.00, 0.00, 0.00],
        [0.00, 0.08, 0.00, 0.00, 0.92, 0.00],
        [0.00, 0.00, 0.00, 0.00, 0.00, 1.00],
    ]
)
START, END = pd.Timestamp("2024-01-01"), pd.Timestamp("2026-06-30")
PER_DEAL = 2.95
MOST = 9


def company(folder: Path, n_changes: int, seed: int = 1) -> Path:
    """Give a store with about so many stage changes; made once per size."""
    place = folder / f"stages-{n_changes}"
    if not (place / "opportunities_moves.parquet").exists():
        write_store(place, _tables(n_changes, seed))
    return place


def _tables(n_changes: int, seed: int) -> dict[str, pa.Table]:
    rng = np.random.default_rng(seed)
    n = round(n_changes / PER_DEAL)
    span = int((END - START).total_seconds())
    created = np.sort(rng.integers(0, span, n))
    stage = np.zeros(n, np.int8)
    at = created.copy()
    parts = []
    for _step in range(MOST):
        draw = rng.random(n)
        following = (draw[:, None] > STEPS.cumsum(axis=1)[stage]).sum(axis=1).astype(np.int8)
        at = at + (rng.exponential(16, n) * 86_400).astype(np.int64) + 60
        moves = (following != stage) & (at < span)
        rows = np.flatnonzero(moves)
        parts.append((rows, stage[rows], following[rows], at[rows]))
        stage = np.where(moves, following, stage)
    rows, old, new, when = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.argsort(when, kind="stable")
    names = pa.array([f"d{i:08d}" for i in range(n)])
    words = pa.array(STAGES)
    zero = int(START.timestamp())
    changes = pa.table(
        {
            "entity": pa.array(["opportunities"]).take(pa.array(np.zeros(len(order), np.int8))),
            "entity_id": names.take(pa.array(rows[order])),
            "field": pa.array(["stage"]).take(pa.array(np.zeros(len(order), np.int8))),
            "old_value": words.take(pa.array(old[order])),
            "new_value": words.take(pa.array(new[order])),
            "changed_at": _instants(when[order], zero),
            "seq": pa.array(np.arange(len(order))),
        }
    )
    cents = np.round(rng.lognormal(11.8, 1.1, n), 2)
    deals = pa.table(
        {
            "id": names,
            "stage": words.take(pa.array(stage)),
            "amount": pa.array(cents).cast(pa.decimal128(18, 2), safe=False),
            "created_at": _instants(created, zero),
        }
    )
    since = pa.array([START.to_pydatetime()], pa.timestamp("us"))
    tracked = pa.table(
        {"entity": ["opportunities"], "field": ["stage"], "since": since, "how": ["log"]}
    )
    return {"opportunities": deals, "changes": changes, "tracked": tracked}


def _instants(seconds: np.ndarray, zero: int) -> pa.Array:
    return pa.array((seconds + zero) * 1_000_000).cast(pa.timestamp("us"))
