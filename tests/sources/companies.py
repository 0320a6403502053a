"""Exports of made-up companies that keep their deals in their own way, written for a test."""

import csv
import datetime as dt
from pathlib import Path

import openpyxl

STAGES = ("初步接触", "需求沟通", "方案报价", "商务谈判", "已签约", "丢单")
PEOPLE = ("张伟", "李娜", "王芳")


def ledger_rows(n: int = 60) -> list[list[object]]:
    """Write deals as somebody would by hand: names for customers and people, amounts in 万元."""
    rows: list[list[object]] = []
    for i in range(n):
        created = dt.date(2025, 10, 1) + dt.timedelta(days=2 * i)
        stage = STAGES[i * 7 % len(STAGES)]
        rows.append([f"客户{i % 17}", f"项目{i}", PEOPLE[i % 3], stage, 3.5 + i,
                     created, created + dt.timedelta(days=60),
                     created + dt.timedelta(days=50) if i * 7 % 6 > 3 else None,
                     "价格" if stage == "丢单" else None])  # fmt: skip
    return rows


LEDGER = ("客户名称", "项目名称", "跟进人", "当前进展", "预计金额(万元)", "登记日期",
          "预计签单日期", "结束日期", "丢单原因")  # fmt: skip


def write_ledger(path: Path, rows: list[list[object]] | None = None) -> Path:
    """Write the ledger of a company as a workbook with a title above the names."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "项目跟进"
    sheet.append(["华瑞自动化项目跟进表"])
    sheet.append(list(LEDGER))
    for row in ledger_rows() if rows is None else rows:
        sheet.append(row)
    path.parent.mkdir(parents=True, exist_ok=True)
    book.save(path)
    return path


def write_csv(path: Path, rows: list[list[object]], encoding: str = "utf-8") -> Path:
    """Write rows as CSV."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file).writerows(rows)
    return path


def deals_rows(n: int = 40, **changed: list[object]) -> list[list[object]]:
    """Write deals with ids in the default stages; rows of `changed` take the place of their id."""
    rows: list[list[object]] = [["Id", "Account", "Owner", "Stage", "Amount", "Created", "Closed"]]
    for i in range(1, n + 1):
        row: list[object] = [f"d{i}", f"a{i % 7}", "u1", "needs", 1000 * i,
                             f"2026-01-{1 + i % 28:02d}", ""]  # fmt: skip
        rows.append(changed.get(f"d{i}", row))
    return rows
