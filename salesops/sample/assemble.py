"""Cut the company at its last day and lay it into the canonical tables."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from salesops.sample import names
from salesops.sample.company import Company
from salesops.sample.deals import PRODUCTS, SOURCES, VOID, WON
from salesops.sample.draws import NONE, Ints
from salesops.sample.log import CATEGORIES, NEXT_STEPS, STAGES, History
from salesops.sample.money import CANCEL_REASONS, LINE_KINDS, OVERDUE_REASONS, TRIGGERS
from salesops.sample.tables import as_text, dates, flags, ids, money, table
from salesops.sample.timeline import DAY
from salesops.sample.touches import DIRECTIONS, KINDS, OUTCOMES

WORDS: dict[str, Sequence[str]] = {
    "stage": STAGES, "forecast_category": CATEGORIES, "next_step": NEXT_STEPS,
}  # fmt: skip


def words(vocabulary: Sequence[str], codes: Ints) -> pa.Array:
    """Write positions in a vocabulary as its words; none becomes null."""
    codes = np.asarray(codes, np.int64)
    return pa.array(list(vocabulary), pa.string()).take(pa.array(codes, mask=codes == NONE))


def until(company: Company, values: pd.Series) -> Ints:
    """Hide days that lie after the last one."""
    days = values.to_numpy()
    return np.where(days <= company.timeline.end, days, NONE)


def users(company: Company) -> tuple[pa.Table, Ints]:
    """Lay out the people who were here after the start; give the position of each, or none."""
    people, line = company["users"], company.timeline
    here = ((people.left == NONE) | (people.left >= line.start - 400)) & (people.hired <= line.end)
    rows = people[here.to_numpy()]
    position = np.where(here, np.cumsum(here) - 1, NONE)
    manager = np.where(rows.manager == NONE, NONE, position[np.maximum(rows.manager, 0)])
    made = table(
        "users",
        {
            "id": ids("users", np.arange(len(rows)), company.block),
            "name": rows.name.to_numpy(),
            "team": rows.team.where(rows.team != "", None).to_numpy(),
            "region": rows.region.where(rows.region != "", None).to_numpy(),
            "role": rows.role.to_numpy(),
            "manager_id": ids("users", manager, company.block),
            "hired_on": rows.hired,
            "left_on": until(company, rows.left),
        },
    )
    return made, position


def person(company: Company, who: Any) -> pa.Array:
    """Write people's positions as ids; those who left long before the start are not known."""
    who = np.asarray(who, np.int64)
    shown = np.where(who == NONE, NONE, company["users"]["position"].to_numpy()[np.maximum(who, 0)])
    return ids("users", shown, company.block)


def opportunities(company: Company, told: dict[str, History]) -> pa.Table:
    """Lay out the deals as they stand on the last day."""
    deals, line, block = company["deals"], company.timeline, company.block
    n, end = len(deals), line.end_at
    final = {field: history.at_end(n, end) for field, history in told.items()}
    outcome = deals.outcome.to_numpy()
    is_over = deals.closed.to_numpy() <= end
    return table(
        "opportunities",
        {
            "id": ids("opportunities", np.arange(n), block),
            "account_id": ids("accounts", deals.account.to_numpy(), block),
            "owner_id": person(company, final["owner_id"]),
            "name": _titles(company),
            "type": words(("new", "expansion", "renewal"), deals["type"].to_numpy()),
            "stage": words(STAGES, final["stage"]),
            "amount": final["amount"],
            "currency": ["CNY"] * n,
            "created_at": deals.created,
            "expected_close_on": final["expected_close_on"],
            "closed_at": np.where(is_over, deals.closed, NONE),
            "is_won": flags(outcome == WON, is_over & (outcome != VOID)),
            "lost_reason": words(LOST_REASONS, np.where(is_over, deals.lost_reason, NONE)),
            "competitor": words(COMPETITORS, deals.competitor.to_numpy()),
            "source": words(SOURCE_WORDS, deals.source_word.to_numpy()),
            "product_line": words(PRODUCTS, deals["product"].to_numpy()),
            "forecast_category": words(CATEGORIES, final["forecast_category"]),
            "next_step": words(NEXT_STEPS, final["next_step"]),
            "next_step_due_on": final["next_step_due_on"],
        },
    )


LOST_REASONS = ("价格", "选了竞品", "预算取消", "项目推迟", "需求变更", "无决策", "功能不满足")
COMPETITORS = ("质通软件", "云测科技", "启明智造", "自研")
SOURCE_WORDS = (
    "官网", "搜索推广", "展会", "行业活动", "内容营销", "自拓", "老客户", "转介绍", "渠道伙伴",
)  # fmt: skip


def _titles(company: Company) -> Any:
    deals, accounts = company["deals"], company["accounts"]
    product = names.texts(("质量管理系统", "采集网关", "云质检订阅", "实施服务"))
    name = accounts.name.to_numpy()[deals.account.to_numpy()]
    return name + "-" + product[deals["product"].to_numpy() % len(PRODUCTS)]


def changes(
    company: Company, told: Sequence[History], births: Sequence[tuple[str, Ints, Ints]]
) -> pa.Table:
    """Lay out the log: births and changes of tracked fields, in order of time."""
    start, end = company.timeline.start * DAY, company.timeline.end_at
    parts = [_born(company, *birth) for birth in births]
    parts += [_changed(company, history, start, end) for history in told]
    whole = pa.concat_tables(parts)
    order = np.lexsort(
        (whole["rank"].to_numpy(), whole["entity_id"].to_numpy(), whole["at"].to_numpy())
    )
    whole = whole.take(pa.array(order))
    columns = {
        name: whole[name].combine_chunks()
        for name in whole.column_names
        if name not in ("at", "rank")
    }
    ahead = company.block * 10**9
    return table(
        "changes",
        columns | {"changed_at": whole["at"].to_numpy(), "seq": ahead + np.arange(len(whole))},
    )


def _born(company: Company, entity: str, at: Ints, by: Ints) -> pa.Table:
    inside = np.flatnonzero((at >= company.timeline.start * DAY) & (at <= company.timeline.end_at))
    names_ = ids(entity, inside, company.block)
    return _log_rows(
        entity, names_, "_row", at[inside], person(company, by[inside]), None, names_, 0
    )


def _changed(company: Company, history: History, start: int, end: int) -> pa.Table:
    rows = history.changes(start, end)
    old, new = (written(company, history, rows[c].to_numpy()) for c in ("old", "value"))
    who = person(company, rows.by.to_numpy())
    row_ids = ids(history.entity, rows.row.to_numpy(), company.block)
    rank = 1 + list(RANKS).index(history.field)
    return _log_rows(
        history.entity, row_ids, history.field, rows["at"].to_numpy(), who, old, new, rank
    )


# At one instant the log lists fields in this order.
RANKS = ("owner_id", "stage", "amount", "expected_close_on", "forecast_category", "next_step",
         "next_step_due_on", "status", "due_on")  # fmt: skip


def written(company: Company, history: History, values: Ints) -> pa.Array:
    """Write the values of a field as the log does."""
    if history.field in WORDS:
        return words(WORDS[history.field], values)
    if history.field == "owner_id":
        return person(company, values)
    make = money if history.field == "amount" else dates
    return as_text(make(values))


def _log_rows(
    entity: str,
    row_ids: pa.Array,
    field: str,
    at: Ints,
    by: pa.Array,
    old: Any,
    new: Any,
    rank: int,
) -> pa.Table:
    n = len(row_ids)
    return pa.table(
        {
            "entity": pa.array([entity]).take(pa.array(np.zeros(n, np.int64))),
            "entity_id": row_ids,
            "field": pa.array([field]).take(pa.array(np.zeros(n, np.int64))),
            "old_value": pa.nulls(n, pa.string()) if old is None else old,
            "new_value": new,
            "changed_by": by,
            "at": at,
            "rank": np.full(n, rank),
        }
    )


def tracked(company: Company, told: Sequence[History]) -> pa.Table:
    """Say which fields have a history, from when on."""
    n = len(told)
    return table(
        "tracked",
        {
            "entity": [history.entity for history in told],
            "field": [history.field for history in told],
            "since": np.full(n, company.timeline.start * DAY),
            "how": ["log"] * n,
        },
    )
