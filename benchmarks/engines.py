"""The funnel's tables by three engines, from the same files: salesops, hand-written SQL, pandas.

Each returns the same two tables, which the benchmark asserts:
`stays`, one row per stage, age in days and way of leaving, of deals that entered within the last
year, and `moves`, one row per pair of stages with its number, deals, value and median days.
"""

from collections.abc import Callable
from pathlib import Path

import duckdb
import pandas as pd

from salesops.book.book import open_book
from salesops.metrics.stages import stage_times, stays, transitions

OPEN = ("acquisition", "needs", "negotiation")
YEAR = pd.Timedelta(days=365)
Tables = dict[str, pd.DataFrame]
Engine = Callable[[Path], Callable[[], Tables]]


def by_salesops(place: Path) -> Callable[[], Tables]:
    """The package's own functions, as the funnel report calls them."""
    book = open_book(place)

    def run() -> Tables:
        times = stage_times(book).cache()
        counts = stays(times, book, book.instant - YEAR, book.instant)
        return {"stays": counts, "moves": transitions(book).drop(columns="kind")}

    return run


# An expert's query: one pass over the log for all first entries, one sort for the moves.
SQL_STAYS = """
create or replace temp table times as
with log as (
  select entity_id, new_value, changed_at from '{place}/changes.parquet'
  where entity = 'opportunities' and field = 'stage'
), entered as (
  select entity_id,
    min(changed_at) filter (new_value = 'needs') as in_1,
    min(changed_at) filter (new_value = 'negotiation') as in_2,
    min(changed_at) filter (new_value = 'acquisition') as in_0,
    min(changed_at) filter (new_value in ('needs', 'negotiation', 'contract')) as beyond_0,
    min(changed_at) filter (new_value in ('negotiation', 'contract')) as beyond_1,
    min(changed_at) filter (new_value = 'contract') as beyond_2,
    max(changed_at) as last_at
  from log group by entity_id
)
select d.created_at as entered_0, e.in_1 as entered_1, e.in_2 as entered_2,
  e.beyond_0, e.beyond_1, e.beyond_2,
  case when d.stage in ('lost', 'void') then coalesce(e.last_at, d.created_at) end as gone_at
from '{place}/opportunities.parquet' d left join entered e on d.id = e.entity_id
"""
SQL_STAGE = """
select {i} as stage,
  cast(floor((epoch(coalesce(beyond_{i}, case when gone_at >= entered_{i} then gone_at end,
    timestamp '{now}')) - epoch(entered_{i})) / 86400) as bigint) as age_days,
  case when beyond_{i} is not null then 'on' when gone_at >= entered_{i} then 'gone'
    else '' end as cause,
  count(*) as n
from times
where entered_{i} > timestamp '{since}' and entered_{i} <= timestamp '{now}'
  and (beyond_{i} is null or beyond_{i} >= entered_{i})
group by all
"""
SQL_MOVES = """
with log as (
  select entity_id, old_value, new_value, changed_at,
    lag(changed_at) over (partition by entity_id order by changed_at, seq) as before
  from '{place}/changes.parquet' where entity = 'opportunities' and field = 'stage'
)
select l.old_value as source, l.new_value as target, count(*) as n,
  count(distinct l.entity_id) as n_deals, sum(d.amount)::double as amount,
  median((epoch(l.changed_at) - epoch(coalesce(l.before, d.created_at))) / 86400) as median_days
from log l join '{place}/opportunities.parquet' d on l.entity_id = d.id
group by all order by n desc, source, target
"""


def by_sql(place: Path) -> Callable[[], Tables]:
    """DuckDB SQL, written by hand for these tables alone."""
    con = duckdb.connect()
    now = con.sql(f"select max(changed_at) from '{place}/changes.parquet'").fetchone()[0]
    born = con.sql(f"select max(created_at) from '{place}/opportunities.parquet'").fetchone()[0]
    now = max(now, born)
    since = now - YEAR.to_pytimedelta()

    def run() -> Tables:
        con.execute(SQL_STAYS.format(place=place))
        parts = " union all ".join(
            SQL_STAGE.format(i=i, now=now, since=since) for i in range(len(OPEN))
        )
        return {"stays": con.sql(parts).df(), "moves": con.sql(SQL_MOVES.format(place=place)).df()}

    return run


def by_pandas(place: Path) -> Callable[[], Tables]:
    """Careful pandas: only the needed columns, categories, one sort, no apply."""

    def run() -> Tables:
        columns = ["entity_id", "old_value", "new_value", "changed_at", "seq"]
        log = pd.read_parquet(place / "changes.parquet", columns=columns)
        deals = pd.read_parquet(place / "opportunities.parquet")
        deals["key"] = range(len(deals))
        log["key"] = pd.Index(deals["id"]).get_indexer(log.pop("entity_id"))
        for column in ("old_value", "new_value"):
            log[column] = log[column].astype("category")
        log = log.sort_values(["key", "changed_at", "seq"])
        now = max(log["changed_at"].max(), deals["created_at"].max())
        return {"stays": _pandas_stays(log, deals, now), "moves": _pandas_moves(log, deals)}

    return run


def _pandas_stays(log: pd.DataFrame, deals: pd.DataFrame, now: pd.Timestamp) -> pd.DataFrame:
    last = log.groupby("key")["changed_at"].max().reindex(deals["key"])
    gone = last.fillna(deals["created_at"]).where(deals["stage"].isin(["lost", "void"]))
    parts = []
    for i, stage in enumerate(OPEN):
        later = [*OPEN[i + 1 :], "contract"]
        entered = deals["created_at"] if i == 0 else _first(log, deals, [stage])
        beyond = _first(log, deals, later)
        chosen = (entered > now - YEAR) & (entered <= now) & ~(beyond < entered)
        entered, on, off = entered[chosen], beyond[chosen], gone[chosen]
        off = off.where(off >= entered)
        until = on.fillna(off).fillna(now)
        # Whole seconds since 1970, as the engines count them.
        ages = (until.astype("int64") // 10**6 - entered.astype("int64") // 10**6) // 86_400
        cause = pd.Series("", index=entered.index).mask(off.notna(), "gone").mask(on.notna(), "on")
        counted = pd.DataFrame({"stage": i, "age_days": ages, "cause": cause})
        parts.append(counted.value_counts().reset_index(name="n"))
    return pd.concat(parts, ignore_index=True)


def _first(log: pd.DataFrame, deals: pd.DataFrame, stages: list[str]) -> "pd.Series":
    rows = log[log["new_value"].isin(stages)]
    return rows.groupby("key")["changed_at"].min().reindex(deals["key"])


def _pandas_moves(log: pd.DataFrame, deals: pd.DataFrame) -> pd.DataFrame:
    before = log.groupby("key")["changed_at"].shift()
    created = deals["created_at"].to_numpy()[log["key"]]
    before = before.where(before.notna(), created)
    amount = deals["amount"].astype(float).to_numpy()[log["key"]]
    days = (log["changed_at"] - before).dt.total_seconds() / 86_400
    rows = log.assign(amount=amount, days=days)
    found = rows.groupby(["old_value", "new_value"], observed=True).agg(
        n=("key", "size"), n_deals=("key", "nunique"), amount=("amount", "sum"),
        median_days=("days", "median"),
    )  # fmt: skip
    found.index.names = ["source", "target"]
    return found.reset_index()


ENGINES: dict[str, Engine] = {"salesops": by_salesops, "DuckDB SQL": by_sql, "pandas": by_pandas}


def assert_equal(one: Tables, other: Tables) -> None:
    """Check that two engines gave the same tables."""
    keys = {"stays": ["stage", "age_days", "cause"], "moves": ["source", "target"]}
    for name, by in keys.items():
        left, right = (t[name].sort_values(by, ignore_index=True) for t in (one, other))
        left = left.astype({c: str for c in by if c != "age_days"})
        right = right.astype({c: str for c in by if c != "age_days"})
        pd.testing.assert_frame_equal(left[right.columns], right, check_dtype=False, rtol=1e-9)
