"""When each deal entered a stage, got past it or dropped out: the rows behind stage conversion.

A skip counts as reached, a backward move keeps the clock of the first entry, a re-entry is no
second entry, loss and void compete with getting on.
"""

import datetime as dt
from typing import TypeAlias

import ibis
import pandas as pd
from ibis import _

from salesops.book.book import Book
from salesops.book.versions import AT
from salesops.methods.survival import Incidence, aalen_johansen
from salesops.model.calendar import Period
from salesops.model.settings import Settings

Table: TypeAlias = ibis.Table

ON, GONE = "on", "gone"
DAY = 86_400


def has_stage_history(book: Book) -> bool:
    """Say whether stage changes before the book's instant are known.

    After a first import without a log the history begins with the import: it holds nothing yet.
    """
    tracking = book.tracked.get("opportunities", {}).get("stage")
    return tracking is not None and tracking.since < book.instant


def stage_times(book: Book) -> Table:
    """Give the times at which each deal reached the stages, as known at the book's instant.

    Returns
    -------
    ibis.Table
        One row per deal: `id`; for the i-th open stage `entered_i` (first entry; null where the
        log does not show it) and `beyond_i` (first time in a later stage or won); `won_at` (first
        time won), `gone_at` (lost or void now, since when).
    """
    settings = book.settings
    spans = book.history("opportunities")
    since = ibis.literal(book.tracked["opportunities"]["stage"].since).cast(AT)
    seen = spans.stage_entered_at.notnull() | (spans.valid_from >= since)
    ended = [*settings.stage_ids("lost"), *settings.stage_ids("void")]
    gone = spans.is_current & (spans.stage.isin(ended) | spans.removed)
    since_when = ibis.ifelse(spans.removed, spans.valid_from, spans.stage_entered_at)
    since_when = ibis.coalesce(since_when, spans.valid_from)
    firsts = _first_times(spans, settings, "seen", where=seen)
    times = spans.group_by("id").agg(**firsts, gone_at=since_when.max(where=gone))
    # Few deals are older than the log, so what it does not show is looked up apart: all else then
    # is one first time for each stage.
    unseen = spans.filter(~seen)
    older = unseen.group_by(older_id="id").agg(**_first_times(unseen, settings, "unseen"))
    times = times.left_join(older, times.id == older.older_id)
    won = len(firsts) - 1
    reached = [ibis.least(times[f"seen_{i}"], times[f"unseen_{i}"]) for i in range(won + 1)]
    columns = {}
    for i in range(won):
        # Who stood there before the log begins had its first entry then; what is seen is none.
        first = times[f"unseen_{i}"].isnull()
        columns[f"entered_{i}"] = ibis.ifelse(first, times[f"seen_{i}"], ibis.null(AT))
        later = reached[i + 1 :]
        # The least of one is no expression on Spark.
        columns[f"beyond_{i}"] = ibis.least(*later) if len(later) > 1 else later[0]
    return times.select("id", **columns, won_at=reached[won], gone_at=times.gone_at)


def _first_times(
    spans: Table, settings: Settings, name: str, where: ibis.Value | None = None
) -> dict[str, ibis.Value]:
    """Give the first time in each open stage and, as the last one, the first time won."""
    stages = [[stage] for stage in settings.stage_ids("open")]
    found = {}
    for i, ids in enumerate([*stages, list(settings.stage_ids("won"))]):
        there = spans.stage.isin(ids)
        there = there if where is None else there & where
        found[f"{name}_{i}"] = spans.valid_from.min(where=there)
    return found


def stays(
    times: Table,
    book: Book,
    entered_from: dt.datetime,
    entered_to: dt.datetime,
    *,
    until: str = "beyond",
) -> pd.DataFrame:
    """Count how long first stays lasted and how they ended.

    Parameters
    ----------
    times
        What `stage_times` gives, best cached.
    book
        The book of `times`; stays that have not ended are cut at its instant.
    entered_from, entered_to
        UTC bounds of the entry, the first excluded.
    until
        `beyond` for reaching the next stage or a later one, `won` for winning.

    Returns
    -------
    pandas.DataFrame
        One row per stage, age and cause: `stage` (position), `age_days` (whole days),
        `cause` (`on`, `gone` or empty where it lasts), `n`.
    """
    low, high = (ibis.literal(at).cast(AT) for at in (entered_from, entered_to))
    now = ibis.literal(book.instant).cast(AT)
    parts = []
    for i in range(len(book.settings.stage_ids("open"))):
        goal = f"beyond_{i}" if until == "beyond" else "won_at"
        entered, beyond = times[f"entered_{i}"], times[goal]
        cohort = times.filter(entered > low, entered <= high, beyond.isnull() | (beyond >= entered))
        entered, beyond = cohort[f"entered_{i}"], cohort[goal]
        gone = cohort.gone_at
        cause = ibis.cases(
            (beyond.notnull(), ON), (gone.notnull() & (gone >= entered), GONE), else_=""
        )
        left_at = ibis.coalesce(beyond, ibis.ifelse(gone >= entered, gone, ibis.null(AT)), now)
        age = (left_at.epoch_seconds() - entered.epoch_seconds()).cast("int64") // DAY
        part = cohort.select(
            stage=ibis.literal(i, "int64"), age_days=age.cast("int64"), cause=cause
        )
        parts.append(part.group_by("stage", "age_days", "cause").agg(n=_.count()))
    return ibis.union(*parts).to_pandas() if len(parts) > 1 else parts[0].to_pandas()


def incidence_by_stage(counts: pd.DataFrame, n_stages: int) -> list[Incidence]:
    """Estimate for each stage the chance of getting on and of dropping out, by age in days."""
    found = []
    for i in range(n_stages):
        rows = counts[counts["stage"] == i]
        found.append(aalen_johansen(rows["age_days"], rows["cause"], rows["n"]))
    return found


def flow(times: Table, book: Book, period: Period) -> pd.DataFrame:
    """Count who came into and got past each stage in a period, whenever they had entered.

    Returns
    -------
    pandas.DataFrame
        One row per stage: `stage` (position), `flow_in`, `flow_out` (counts of deals). Their
        ratio may exceed one: those who leave need not be those who came.
    """
    calendar = book.calendar
    columns = {}
    n_stages = len(book.settings.stage_ids("open"))
    for i in range(n_stages):
        entered, beyond = times[f"entered_{i}"], times[f"beyond_{i}"]
        came = calendar.contains(period, entered)
        left = calendar.contains(period, beyond) & entered.notnull()
        columns[f"in_{i}"] = came.ifelse(1, 0).sum()
        columns[f"out_{i}"] = left.ifelse(1, 0).sum()
    row = times.agg(**columns).to_pandas().astype("float64").fillna(0.0).iloc[0]
    return pd.DataFrame(
        {
            "stage": range(n_stages),
            "flow_in": [int(row[f"in_{i}"]) for i in range(n_stages)],
            "flow_out": [int(row[f"out_{i}"]) for i in range(n_stages)],
        }
    )


def transitions(book: Book) -> pd.DataFrame:
    """Count the direct moves between stages up to the book's instant.

    Returns
    -------
    pandas.DataFrame
        One row per pair: `source`, `target` (stage ids), `n` (moves), `n_deals`, `amount` (sum of
        the deals' value now, null where unknown), `median_days` (in the source before the move;
        null where its entry is unknown), `kind` (`forward`, `skip`, `repeat`, `back`, `exit`,
        `reopen`). No row where no history is known.
    """
    if not has_stage_history(book):
        columns = ["source", "target", "n", "n_deals", "amount", "median_days", "kind"]
        return pd.DataFrame(columns=columns).astype({"n": int, "n_deals": int})
    rows = book.moves
    deals = book.opportunities.select("amount", deal_id="id")
    rows = rows.join(deals, rows.id == deals.deal_id)
    seconds = rows.changed_at.epoch_seconds() - rows.since.epoch_seconds()
    rows = rows.mutate(days=seconds.cast("float64") / DAY)
    frame = (
        rows.group_by("source", "target")
        .agg(
            n=_.count(), n_deals=_.count(where=~_.again),
            amount=_.amount.sum().cast("float64"), median_days=_.days.median(),
        )
        .order_by(ibis.desc("n"), "source", "target")
        .to_pandas()
    )  # fmt: skip
    pairs = zip(frame["source"], frame["target"], strict=True)
    frame["kind"] = [move_kind(book, source, target) for source, target in pairs]
    return frame


def open_renewals(book: Book) -> int:
    """Count the open renewals, which are outside win rate and cycle."""
    deals = book.opportunities
    row = deals.agg(n=((deals.type == "renewal") & (deals.outcome == "open")).ifelse(1, 0).sum())
    n = row.to_pandas().iloc[0, 0]
    return 0 if pd.isna(n) else int(n)


def move_kind(book: Book, source: str | None, target: str | None) -> str:
    """Name a move: forward to the next stage, skip, back, repeat, exit or reopen."""
    stages = book.settings.stage_ids("open")
    won = book.settings.stage_ids("won")
    if source not in stages:
        return "reopen" if target in stages else "exit"
    if target not in stages and target not in won:
        return "exit"
    here = stages.index(source)
    there = stages.index(target) if target in stages else len(stages)
    if there == here:
        return "repeat"
    if there < here:
        return "back"
    return "forward" if there == here + 1 else "skip"
