"""The process as the settings draw it, and as the log shows that deals went."""

import math
from collections.abc import Mapping

import ibis
import numpy as np
import pandas as pd
from ibis import _

from salesops.book.book import Book
from salesops.checks.process import way_of_deals
from salesops.methods.intervals import wilson
from salesops.metrics.ageing import WEEK
from salesops.metrics.changed import names_of
from salesops.metrics.opendeals import open_deals
from salesops.metrics.stages import move_kind

AFTER = "after_sales"
DESIGN = ["stage", "kind", "role", "has_exit", "stay_days", "valid_from", "n_open", "amount"]
WAYS = ["move", "stage", "n_past", "n", "share", "norm", "prior_n_past", "prior_share", "n_ended",
        "won_rate", "low", "high", "n_others", "others_rate"]  # fmt: skip
STEPS = ["stage", "part", "cut", "n", "median_days", "norm_days", "stopped_share", "over_days",
         "held", "wasted"]  # fmt: skip
_DAY = 86_400
YEAR = 365


def design(book: Book) -> pd.DataFrame:
    """Lay out the process that the settings draw, with the deals that stand in each stage.

    Returns
    -------
    pandas.DataFrame
        One row per open or won stage, and after-sales where the settings have it: `stage`,
        `kind` (`open`, `won`, `phase`), `role` (null where nobody is named), `has_exit`,
        `stay_days` (norm, working days), `valid_from`, `n_open` and `amount` (open deals in it;
        null for what is no open stage).
    """
    settings = book.settings
    rows: list[tuple[object, ...]] = [
        (s.id, s.kind, s.owner_role, s.exit_criteria is not None, s.stay_days, s.valid_from)
        for s in settings.stages if s.kind in ("open", "won")
    ]  # fmt: skip
    phase = settings.after_sales
    if phase is not None:
        rows.append((AFTER, "phase", phase.owner_role, False, None, None))
    frame = pd.DataFrame(rows, columns=DESIGN[:-2])
    deals = open_deals(book).group_by("stage").agg(n=_.count(), cents=_.cents.sum()).to_pandas()
    here = deals.set_index("stage")
    n, cents = (frame["stage"].map(here[c]).astype("float64") for c in ("n", "cents"))
    is_open = frame["kind"] == "open"
    return frame.assign(
        stay_days=frame["stay_days"].astype("float64"),
        n_open=n.fillna(0.0).where(is_open), amount=(cents / 100).where(is_open),
    )  # fmt: skip


def _in_force(book: Book, ways: pd.DataFrame, stage: str) -> "pd.Series[bool]":
    """Mark the deals that were created when a stage belonged to the process already."""
    since = book.settings.stage(stage).valid_from
    if since is None:
        return pd.Series(True, index=ways.index)
    return ways["created_at"] >= pd.Timestamp(book.calendar.start_of(since))


def _went(book: Book, kind: str) -> set[str]:
    """Name the deals that ever made a move of a kind, such as `back`."""
    pairs = book.moves.select("source", "target").distinct().to_pandas()
    chosen = [(a, b) for a, b in pairs.itertuples(index=False) if move_kind(book, a, b) == kind]
    if not chosen:
        return set()
    here = ibis.or_(*((_.source == a) & (_.target == b) for a, b in chosen))
    return set(book.moves.filter(here).select("id").distinct().to_pandas()["id"])


def marked_ways(book: Book) -> pd.DataFrame:
    """Say of each deal how its way differs from the drawn one.

    Returns
    -------
    pandas.DataFrame
        What `checks.process.way_of_deals` gives, of deals created within the history, with
        `is_past` (got past the second stage), `is_skip` (never in some later stage that it got
        past), `is_back` (went back), `is_reopened` and `as_drawn` (none of them).
    """
    selling = book.without_renewals()
    ways = way_of_deals(book)
    ways = ways[ways["is_known"]]
    skip = pd.Series(False, index=ways.index)
    # A deal may begin later than the first stage.
    for i, stage in enumerate(book.settings.stage_ids("open")[1:], start=1):
        missed = ways[f"beyond_{i}"].notna() & ways[f"entered_{i}"].isna()
        skip |= missed & _in_force(book, ways, stage)
    back, again = (ways["id"].isin(_went(selling, kind)) for kind in ("back", "reopen"))
    # The first stage at which something can have been skipped.
    second = min(1, len(book.settings.stage_ids("open")) - 1)
    past = ways[f"beyond_{second}"].notna()
    return ways.assign(is_past=past, is_skip=skip, is_back=back, is_reopened=again,
                       as_drawn=~(skip | back | again))  # fmt: skip


def shares_of(ways: pd.DataFrame) -> dict[str, float]:
    """Count the deals past the second stage that went as drawn, lately and before."""
    found: dict[str, float] = {}
    ways = ways[ways["is_past"]]
    for prefix, part in (("", ways[ways["is_recent"]]), ("prior_", ways[~ways["is_recent"]])):
        n = len(part)
        found[f"{prefix}n_ways"] = float(n)
        for name in ("as_drawn", "is_skip", "is_back", "is_reopened"):
            hits = int(part[name].sum())
            found[f"{prefix}n_{name}"] = float(hits)
            found[f"{prefix}{name}_share"] = hits / n if n else math.nan
    return found


def deviations(book: Book, ways: pd.DataFrame) -> pd.DataFrame:
    """How many deals skip each stage or go back, and how often are they won compared with others?

    Parameters
    ----------
    ways
        What `marked_ways` gives.

    Returns
    -------
    pandas.DataFrame
        One row per open stage but the first, and one for going back: `move` (`skip`, `back`),
        `stage` (empty for `back`), `n_past` (deals of the last two
        years that got past it, all for `back`), `n`
        (of them those that skipped, or went back), `share`, `norm` (of the settings),
        `prior_n_past`, `prior_share` (deals created before), `n_ended` (won or lost, of all years)
        with `won_rate` and its 80 % range `low`, `high`, `n_others`, `others_rate` (the same of
        deals that did not); null for `back`.
    """
    norms, rows = book.settings.norms, []
    for i, stage in enumerate(book.settings.stage_ids("open")):
        past = ways[ways[f"beyond_{i}"].notna() & _in_force(book, ways, stage)]
        if i and len(past):
            row = _compared(past, past[f"entered_{i}"].isna(), norms.skip_share)
            rows.append(("skip", stage, *row))
    if len(ways):
        # Whoever goes back has come far already, so that their chance compares with nobody's.
        found = _compared(ways, ways["is_back"], norms.back_share)
        rows.append(("back", "", *found[:6], *[math.nan] * 6))
    frame = pd.DataFrame(rows, columns=WAYS)
    return frame.astype(dict.fromkeys(WAYS[2:], "float64"))


def _compared(deals: pd.DataFrame, did: "pd.Series[bool]", norm: float) -> tuple[float, ...]:
    recent, ended = deals["is_recent"], deals["outcome"].isin(["won", "lost"])
    won = deals["outcome"] == "won"
    n_past, n_before = int(recent.sum()), int((~recent).sum())
    n, before = int((did & recent).sum()), int((did & ~recent).sum())
    n_ended, n_others = int((did & ended).sum()), int((~did & ended).sum())
    hits = int((did & won).sum())
    low, high = wilson(hits, n_ended) if n_ended else (math.nan, math.nan)
    return (
        n_past, n, n / n_past if n_past else math.nan, norm,
        n_before, before / n_before if n_before else math.nan,
        n_ended, hits / n_ended if n_ended else math.nan, low, high,
        n_others, int((~did & won).sum()) / n_others if n_others else math.nan,
    )  # fmt: skip


def stage_steps(book: Book, cuts: Mapping[str, float]) -> pd.DataFrame:
    """How long does each step take, how many deals does it stop, what does waiting hold up?

    Parameters
    ----------
    cuts
        Stage -> value below which it holds up deals and stops hardly any; see `checks.idle`.

    Returns
    -------
    pandas.DataFrame
        One row per open stage that deals have left, in two where it has a cut: `stage`, `part`
        (empty, `below` or `from` the `cut`), `cut` (company currency), `n` (deals that left it),
        `median_days` (calendar days), `norm_days` (the
        settings' working days as calendar days; null where they name none), `stopped_share`
        (lost or void there), `over_days` (median beyond the norm), `held` (value times days
        beyond the norm of what left in the last 365 days, per day: what stood there too long on
        an average day) and `wasted` (days beyond the usual ones of larger deals, summed over the
        deals below the cut that left in the last 365 days; null elsewhere).
    """
    ways = way_of_deals(book)
    rows: list[tuple[object, ...]] = []
    for i, stage in enumerate(book.settings.stage_ids("open")):
        left = _left(book, ways, i)
        stay = book.settings.stage(stage).stay_days
        norm = stay * WEEK if stay else math.nan
        if left.empty:
            continue
        if stage not in cuts:
            rows.append((stage, "", math.nan, *_step(left, norm), math.nan))
            continue
        cut = cuts[stage]
        small = left["amount"] < cut
        usual = float(left.loc[~small, "days"].median())
        year = left[small & left["lately"]]
        wasted = float((year["days"] - usual).clip(lower=0.0).sum())
        rows.append((stage, "below", cut, *_step(left[small], norm), wasted))
        rows.append((stage, "from", cut, *_step(left[~small], norm), math.nan))
    frame = pd.DataFrame(rows, columns=STEPS)
    return frame.astype(dict.fromkeys(STEPS[2:], "float64"))


def _left(book: Book, ways: pd.DataFrame, i: int) -> pd.DataFrame:
    """Give the deals that left the i-th open stage: how long they were there, and how they left."""
    here = ways[ways[f"entered_{i}"].notna()]
    out = here[[f"beyond_{i}", "gone_at"]].min(axis=1)
    days = (out - here[f"entered_{i}"]).dt.total_seconds() / _DAY
    since = pd.Timestamp(book.instant) - pd.Timedelta(days=YEAR)
    left = pd.DataFrame({
        "amount": here["cents"].astype("float64") / 100, "days": days, "lately": out > since,
        "is_stopped": here[f"beyond_{i}"].isna(),
    })  # fmt: skip
    return left[left["days"] >= 0]


def _step(left: pd.DataFrame, norm: float) -> tuple[float, ...]:
    median = float(left["days"].median())
    lately = left[left["lately"]]
    held = (lately["amount"] * (lately["days"] - norm).clip(lower=0.0)).sum(min_count=1) / YEAR
    held = float(held) if norm == norm else math.nan
    stopped = float(np.mean(left["is_stopped"]))
    return (len(left), median, norm, stopped, max(median - norm, 0.0), held)


def nodes_of(book: Book, moves: pd.DataFrame) -> pd.DataFrame:
    """Count the deals in each step, and which share goes on from it, skips, or drops out.

    Parameters
    ----------
    moves
        What `metrics.stages.transitions` gives.

    Returns
    -------
    pandas.DataFrame
        One row per open stage, then the first won one: `stage`, `n` (deals that were ever in it),
        `next_share`, `skip_share`, `out_share` (of the moves out of it; null without any).
    """
    ways, rows = way_of_deals(book), []
    out = moves.pivot_table(index="source", columns="kind", values="n", aggfunc="sum")
    for i, stage in enumerate(book.settings.stage_ids("open")):
        row = out.loc[stage].fillna(0.0) if stage in out.index else pd.Series(dtype="float64")
        whole = float(row.sum())
        shares = [float(row.get(kind, 0.0)) / whole if whole else math.nan
                  for kind in ("forward", "skip", "exit")]  # fmt: skip
        rows.append((stage, float(ways[f"entered_{i}"].notna().sum()), *shares))
    won = float(ways["won_at"].notna().sum())
    rows.append((book.settings.stage_ids("won")[0], won, *[math.nan] * 3))
    return pd.DataFrame(rows, columns=["stage", "n", "next_share", "skip_share", "out_share"])


def open_skips(book: Book, ways: pd.DataFrame) -> pd.DataFrame:
    """List the open deals that skipped a stage, largest first.

    Returns
    -------
    pandas.DataFrame
        One row per deal and stage: `id`, `name`, `owner_id`, `owner`, `stage`, `missed` (the stage
        that it never was in), `amount`.
    """
    columns = ["id", "name", "owner_id", "owner", "stage", "missed", "amount"]
    here = ways[(ways["outcome"] == "open") & ways["is_skip"]]
    parts = []
    for i, stage in enumerate(book.settings.stage_ids("open")[1:], start=1):
        mine = here[here[f"beyond_{i}"].notna() & here[f"entered_{i}"].isna()]
        parts.append(mine[_in_force(book, mine, stage)][["id"]].assign(missed=stage))
    missed = (
        pd.concat(parts, ignore_index=True) if parts else pd.DataFrame({"id": [], "missed": []})
    )
    if missed.empty:
        return pd.DataFrame({c: pd.Series(dtype="object") for c in columns})
    deals = open_deals(book).select("id", "name", "owner_id", "stage", "cents").to_pandas()
    rows = missed.merge(deals, on="id")
    rows = rows.assign(amount=rows["cents"].astype("float64") / 100,
                       owner=names_of(book, rows["owner_id"]))  # fmt: skip
    return rows.sort_values(["amount", "id"], ascending=[False, True], ignore_index=True)[columns]
