"""The small company: five people, one workbook that somebody keeps by hand, no history."""

import datetime as dt
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
from openpyxl.styles import Font

from salesops.sample.draws import Draws
from salesops.sample.generate import SampleCompany

DEALS, LEADS, PEOPLE = 120, 300, 5
WORKBOOK = "销售台账.xlsx"
STAGES = {
    "acquisition": "初步接触", "needs": "需求沟通", "proposal": "方案报价",
    "negotiation": "商务谈判",
    "legal_review": "商务谈判", "contract": "已签约", "lost": "丢单", "void": "作废",
}  # fmt: skip
LEAD_STATUS = {"已转商机": "已成交意向", "有效": "有意向", "跟进中": "跟进中", "无效": "无效"}
DEAL_HEAD = ("客户名称", "产品", "负责人", "阶段", "合同额(万元)", "来源", "登记日期", "预计签约",
             "结束日期", "应收日期", "已回款(万元)", "丢单原因", "备注")  # fmt: skip
LEAD_HEAD = ("日期", "公司", "联系人", "电话", "来源", "跟进人", "状态")
NOTES = ("客户要求月底前答复", "等预算", "老板亲自跟", "对比中", "要做样机", "")


def write_workbook(folder: Path, made: SampleCompany, seed: int) -> Path:
    """Write the deals and leads of a generated company as one workbook kept by hand.

    The first row of each sheet is a title, the head stands in the second.
    """
    draws = Draws(seed, 0, "workbook")
    book = openpyxl.Workbook()
    # A date of its own would make two runs differ.
    book.properties.created = book.properties.modified = dt.datetime(2026, 6, 20)
    sheet = book.active
    sheet.title = "商机"
    deals, people = _deals(made, draws)
    _fill(sheet, "销售商机台账（2026年）", DEAL_HEAD, deals)
    _fill(book.create_sheet("线索"), "线索登记表", LEAD_HEAD, _leads(made, people))
    path = folder / WORKBOOK
    book.save(path)
    return path


def _fill(sheet: Any, title: str, head: tuple[str, ...], rows: list[tuple[Any, ...]]) -> None:
    sheet.append([title])
    sheet.merge_cells(start_row=1, start_column=1, end_row=1, end_column=len(head))
    sheet["A1"].font = Font(bold=True, size=14)
    sheet.append(list(head))
    for row in rows:
        sheet.append(list(row))
    sheet.freeze_panes = "A3"


def _deals(made: SampleCompany, draws: Draws) -> tuple[list[tuple[Any, ...]], dict[str, str]]:
    tables = made.tables
    deals = tables["opportunities"].to_pandas()
    deals = deals[deals["type"] != "renewal"].sort_values("created_at").tail(DEALS)
    accounts = tables["accounts"].to_pandas().set_index("id")["name"]
    users = tables["users"].to_pandas()
    reps = users[users["role"] == "rep"].drop_duplicates("name")["name"].tolist()[:PEOPLE]
    people = {key: reps[n % len(reps)] for n, key in enumerate(sorted(users["id"]))}
    contracts = tables["contracts"].to_pandas().set_index("opportunity_id")
    dues = tables["instalments"].to_pandas().dropna(subset="original_due_on")
    due = dues.groupby("contract_id")["original_due_on"].max()
    paid = tables["receipts"].to_pandas().groupby("contract_id")["amount"].sum()
    note = draws.whole(0, len(NOTES) - 1, len(deals))
    rows = []
    for deal, number in zip(deals.itertuples(), note, strict=True):
        won = deal.is_won is True and deal.id in contracts.index
        contract = contracts.loc[deal.id] if won else None
        received = float(paid.get(contract["id"], 0)) if contract is not None else 0
        rows.append(
            (
                accounts[deal.account_id], deal.product_line, people[deal.owner_id],
                STAGES[deal.stage], round(float(deal.amount) / 10_000, 2), deal.source,
                _day(deal.created_at), deal.expected_close_on, _day(deal.closed_at),
                due.get(contract["id"]) if contract is not None else None,
                round(received / 10_000, 4) if received else None,
                deal.lost_reason, NOTES[number] or None,
            )
        )  # fmt: skip
    return rows, people


def _leads(made: SampleCompany, people: dict[str, str]) -> list[tuple[Any, ...]]:
    leads = made.tables["leads"].to_pandas().sort_values("created_at").tail(LEADS)
    return [
        (
            _day(lead.created_at), lead.company, lead.name, lead.phone, lead.source,
            people.get(lead.owner_id), LEAD_STATUS.get(lead.status, "未联系"),
        )
        for lead in leads.itertuples()
    ]  # fmt: skip


def _day(at: Any) -> dt.date | None:
    """Give the day in China of a UTC instant."""
    return None if pd.isna(at) else (at + pd.Timedelta(hours=8)).date()
