"""The funnel's tables by three engines, of the same company: salesops, hand-written SQL, pandas.

Each returns the same two tables, which the benchmark asserts:
`stays`, one row per stage, age in days and way of leaving, of deals that entered within the last
year, and `moves`, one row per pair of stages with its number, deals, value and median days.
"""

from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

from salesops.book.book import open_book
from salesops.metrics.stages import stage_times, stays, transitions

OPEN = ("acquisition", "needs", "negotiation")
YEAR = pd.Timedelta(days=365)
Tables = dict[str, pd.DataFrame]
Engine = Callable[[Path], Callable[[], Tables]]


def by_salesops(place: Path) -> Callable[[], Tables]:
    """The package's own functions, as the funnel report calls them, on a store as imported."""
    book = open_book(place)

    def run() -> Tables:
        times = stage_times(book).cache()
        counts = stays(times, book, book.instant - YEAR, book.instant)
        return {"stays": counts, "moves": transitions(book).drop(columns="kind")}

    return run


# As fast as these tables allow by hand: stages as an enumeration, each deal found once in the log
# and numbered by its row, so that all that follows sorts and groups by a number of four bytes; the
# first entries in one pass, "beyond" as the least of them; no median of fractions.
SQL_TYPES = """
create type stage as enum ('acquisition', 'needs', 'negotiation', 'contract', 'lost', 'void')
"""
SQL_TABLES = """
create or replace temp table deals as
select id, stage, amount, created_at from '{place}/opportunities.parquet';
create or replace temp table log as
select d.rowid::int as deal, d.amount, d.created_at, c.old_value::stage as source,
  c.new_value::stage as target, c.changed_at, c.seq
from '{place}/changes.parquet' c join deals d on c.entity_id = d.id
where c.entity = 'opportunities' and c.field = 'stage';
create or replace temp table times as
with entered as (
  select deal,
    min(changed_at) filter (target = 'needs'::stage) as in_1,
    min(changed_at) filter (target = 'negotiation'::stage) as in_2,
    min(changed_at) filter (target = 'contract'::stage) as in_3,
    max(changed_at) as last_at
  from log group by deal
)
select d.created_at as entered_0, e.in_1 as entered_1, e.in_2 as entered_2,
  least(e.in_1, e.in_2, e.in_3) as beyond_0, least(e.in_2, e.in_3) as beyond_1, e.in_3 as beyond_2,
  case when d.stage in ('lost', 'void') then coalesce(e.last_at, d.created_at) end as gone_at
from deals d left join entered e on d.rowid = e.deal
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
with moves as (
  select deal, amount, source, target, epoch_us(changed_at) - epoch_us(coalesce(
    lag(changed_at) over (partition by deal order by changed_at, seq), created_at)) as us
  from log
)
select source, target, count(*) as n, count(distinct deal) as n_deals,
  sum(amount)::double as amount, median(us) / 86400e6 as median_days
from moves group by all order by n desc, source, target
"""


def by_sql(place: Path) -> Callable[[], Tables]:
    """DuckDB SQL, written by hand for these tables alone."""
    con = duckdb.connect()
    con.execute(SQL_TYPES)
    now = con.sql(f"select max(changed_at) from '{place}/changes.parquet'").fetchone()[0]
    born = con.sql(f"select max(created_at) from '{place}/opportunities.parquet'").fetchone()[0]
    now = max(now, born)
    since = now - YEAR.to_pytimedelta()

    def run() -> Tables:
        con.execute(SQL_TABLES.format(place=place))
        parts = " union all ".join(
            SQL_STAGE.format(i=i, now=now, since=since) for i in range(len(OPEN))
        )
        return {"stays": con.sql(parts).df(), "moves": con.sql(SQL_MOVES).df()}

    return run


def by_pandas(place: Path) -> Callable[[], Tables]:
    """Careful pandas: only the needed columns, categories from the file on, one sort, no apply.

    In the sorted log the first row of a deal is its earliest, which spares most grouping.
    """

    def run() -> Tables:
        words = ["entity_id", "old_value", "new_value"]
        log = pd.read_parquet(
            place / "changes.parquet", columns=[*words, "changed_at", "seq"], read_dictionary=words
        )
        deals = pd.read_parquet(
            place / "opportunities.parquet", columns=["id", "stage", "amount", "created_at"],
            read_dictionary=["stage"],
        )  # fmt: skip
        deals["amount"] = deals["amount"].astype(float)
        ids = log.pop("entity_id").cat
        log["key"] = pd.Index(deals["id"]).get_indexer(ids.categories)[ids.codes]
        log = log.iloc[np.lexsort((log["seq"], log["changed_at"], log["key"]))]
        now = max(log["changed_at"].max(), deals["created_at"].max())
        return {"stays": _pandas_stays(log, deals, now), "moves": _pandas_moves(log, deals)}

    return run


def _pandas_stays(log: pd.DataFrame, deals: pd.DataFrame, now: pd.Timestamp) -> pd.DataFrame:
    last = _at(log.drop_duplicates("key", keep="last"), deals)
    gone = last.fillna(deals["created_at"]).where(deals["stage"].isin(["lost", "void"]))
    parts = []
    for i, stage in enumerate(OPEN):
        entered = deals["created_at"] if i == 0 else _first(log, deals, [stage])
        beyond = _first(log, deals, [*OPEN[i + 1 :], "contract"])
        chosen = (entered > now - YEAR) & (entered <= now) & ~(beyond < entered)
        entered, on, off = entered[chosen], beyond[chosen], gone[chosen]
        off = off.where(off >= entered)
        until = on.fillna(off).fillna(now)
        # Whole seconds since 1970, as the engines count them.
        ages = (until.astype("int64") // 10**6 - entered.astype("int64") // 10**6) // 86_400
        cause = np.where(on.notna(), 2, np.where(off.notna(), 1, 0))
        counted = pd.DataFrame({"stage": i, "age_days": ages, "cause": cause})
        parts.append(counted.value_counts().reset_index(name="n"))
    counts = pd.concat(parts, ignore_index=True)
    return counts.assign(cause=counts["cause"].map({0: "", 1: "gone", 2: "on"}))


def _first(log: pd.DataFrame, deals: pd.DataFrame, stages: list[str]) -> "pd.Series":
    return _at(log[log["new_value"].isin(stages)].drop_duplicates("key"), deals)


def _at(rows: pd.DataFrame, deals: pd.DataFrame) -> "pd.Series":
    return rows.set_index("key")["changed_at"].reindex(deals.index)


def _pandas_moves(log: pd.DataFrame, deals: pd.DataFrame) -> pd.DataFrame:
    created = deals["created_at"].to_numpy()[log["key"]]
    before = log["changed_at"].shift().where(log["key"].eq(log["key"].shift()), created)
    by = ["old_value", "new_value"]
    rows = log[by].assign(
        amount=deals["amount"].to_numpy()[log["key"]],
        days=(log["changed_at"] - before).dt.total_seconds() / 86_400,
    )
    found = rows.groupby(by, observed=True).agg(
        n=("days", "size"), amount=("amount", "sum"), median_days=("days", "median")
    )
    once = log[["key", *by]].drop_duplicates()
    found.insert(1, "n_deals", once.groupby(by, observed=True).size())
    found.index.names = ["source", "target"]
    return found.reset_index()


ENGINES: dict[str, Engine] = {"salesops": by_salesops, "DuckDB SQL": by_sql, "pandas": by_pandas}


def assert_equal(one: Tables, other: Tables) -> None:
    """Check that two engines gave the same tables."""
    keys = {"stays": ["stage", "age_days", "cause"], "moves": ["source", "target"]}
    for name, by in keys.items():
        # Categories sort in the order of their first rows, which differs between engines.
        texts = {column: str for column in by if column != "age_days"}
        left, right = (
            t[name].astype(texts).sort_values(by, ignore_index=True) for t in (one, other)
        )
        pd.testing.assert_frame_equal(left[right.columns], right, check_dtype=False, rtol=1e-9)
