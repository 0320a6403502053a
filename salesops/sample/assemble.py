"""Cut the company at its last day: people, customers, enquiries, deals and touches as tables."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from salesops.sample import names
from salesops.sample.company import Company
from salesops.sample.deals import PRODUCTS, VOID, WON
from salesops.sample.draws import NONE, Ints
from salesops.sample.leads import CAMPAIGNS, REASONS, STATUSES
from salesops.sample.log import CATEGORIES, NEXT_STEPS, STAGES, History
from salesops.sample.tables import flags, ids, table
from salesops.sample.touches import DIRECTIONS, KINDS, OUTCOMES


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
    whole = table(
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
            "product_line": words(PRODUCT_LINES, deals["product"].to_numpy()),
            "forecast_category": words(CATEGORIES, final["forecast_category"]),
            "next_step": words(NEXT_STEPS, final["next_step"]),
            "next_step_due_on": final["next_step_due_on"],
        },
    )
    return whole.filter(pa.array(deals.created.to_numpy() <= end))


LOST_REASONS = ("价格", "选了竞品", "预算取消", "项目推迟", "需求变更", "无决策", "功能不满足")
COMPETITORS = ("质通软件", "云测科技", "启明智造", "自研")
SOURCE_WORDS = (
    "官网", "搜索推广", "展会", "行业活动", "内容营销", "自拓", "老客户", "转介绍", "渠道伙伴",
)  # fmt: skip
PRODUCT_LINES = (*PRODUCTS, "维保")
TITLES = ("质量管理系统", "采集网关", "云质检订阅", "实施服务", "年度维保")


def _titles(company: Company) -> Any:
    deals, accounts = company["deals"], company["accounts"]
    name = accounts.name.to_numpy()[deals.account.to_numpy()]
    return name + "-" + names.texts(TITLES)[deals["product"].to_numpy()]


def accounts(company: Company, owners: History) -> pa.Table:
    """Lay out the customers and prospects."""
    rows, line, block = company["accounts"], company.timeline, company.block
    n = len(rows)
    signed = company["contracts"]
    first = pd.Series(signed.signed.to_numpy()).groupby(signed.account.to_numpy()).min()
    since = first.reindex(np.arange(n), fill_value=NONE).to_numpy()
    # Who bought before the CRM came has been a customer since then, with or without a contract.
    since = np.where(rows.bought != NONE, rows.bought, since)
    whole = table(
        "accounts",
        {
            "id": ids("accounts", np.arange(n), block),
            "name": rows.name.to_numpy(),
            "industry": rows.industry.to_numpy(),
            "segment": rows.segment.to_numpy(),
            "region": rows.region.to_numpy(),
            "owner_id": person(company, owners.at_end(n, line.end_at)),
            "tax_id": rows.tax.to_numpy(),
            "phone": rows.phone.to_numpy(),
            "potential": rows.potential.to_numpy(),
            "customer_since": np.where(since <= line.end, since, NONE),
            "created_at": rows.created,
        },
    )
    return whole.filter(pa.array(rows.created.to_numpy() <= line.end_at))


def contacts(company: Company) -> pa.Table:
    """Lay out the people at the customers."""
    rows, block = company["contacts"], company.block
    whole = table(
        "contacts",
        {
            "id": ids("contacts", np.arange(len(rows)), block),
            "account_id": ids("accounts", rows.account.to_numpy(), block),
            "name": rows.name.to_numpy(),
            "title": rows.title.to_numpy(),
            "decision_role": rows.decision_role.to_numpy(),
            "phone": rows.phone.to_numpy(),
            "created_at": rows.created,
        },
    )
    return whole.filter(pa.array(rows.created.to_numpy() <= company.timeline.end_at))


def leads(company: Company, status: History) -> pa.Table:
    """Lay out the enquiries."""
    rows, block, end = company["leads"], company.block, company.timeline.end_at
    n = len(rows)
    is_over = rows.converted.to_numpy() <= end
    shown = np.where(is_over, rows.deal.to_numpy(), NONE)
    account = np.where(shown == NONE, NONE, rows.account.to_numpy())
    refused = rows.refused.to_numpy() <= end
    return table(
        "leads",
        {
            "id": ids("leads", np.arange(n), block),
            "name": rows.name.to_numpy(),
            "company": rows.company.to_numpy(),
            "phone": rows.phone.to_numpy(),
            "source": words(SOURCE_WORDS, rows.word.to_numpy()),
            "campaign": words(CAMPAIGNS, rows.campaign.to_numpy()),
            "status": words(STATUSES, status.at_end(n, end)),
            "owner_id": person(company, rows.owner.to_numpy()),
            "account_id": ids("accounts", account, block),
            "opportunity_id": ids("opportunities", shown, block),
            "created_at": rows.created,
            **{
                f"{column}_at": hidden(rows[short], end)
                for column, short in (
                    ("assigned", "assigned"), ("accepted", "accepted"),
                    ("first_touched", "touched"), ("qualified", "qualified"),
                    ("converted", "converted"),
                )
            },
            "disqualified_reason": words(REASONS, np.where(refused, rows.reason, NONE)),
        },
    )  # fmt: skip


def hidden(instants: pd.Series, end: int) -> Ints:
    """Hide instants that lie after the end."""
    values = instants.to_numpy()
    return np.where(values <= end, values, NONE)


def activities(company: Company) -> pa.Table:
    """Lay out the touches of deals and leads that were logged by the end."""
    rows, block = company["activities"], company.block
    n = len(rows)
    return table(
        "activities",
        {
            "id": ids("activities", np.arange(n), block),
            "kind": words(KINDS, rows.kind.to_numpy()),
            "direction": words(DIRECTIONS, rows.direction.to_numpy()),
            "opportunity_id": ids("opportunities", rows.deal.to_numpy(), block),
            "account_id": ids("accounts", rows.account.to_numpy(), block),
            "lead_id": ids("leads", rows.lead.to_numpy(), block),
            "contact_id": ids("contacts", rows.contact.to_numpy(), block),
            "user_id": person(company, rows.user.to_numpy()),
            "occurred_at": rows["at"],
            "logged_at": rows.logged,
            "minutes": rows.minutes.to_numpy().astype(float),
            "outcome": words(OUTCOMES, rows.outcome.to_numpy()),
        },
    )
