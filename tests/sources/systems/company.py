"""A small made-up company, the same each time, to be written as a system does and read back.

Its ids are digits, some beyond what a float can hold; its times have whole seconds. Every field
that some system may carry has a value somewhere.
"""

import datetime as dt
import random
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

import pandas as pd

OPEN = ("acquisition", "needs", "negotiation")
START = dt.datetime(2026, 1, 5, 1, 0)
PEOPLE = (("101", "张伟", "华东/一组", "103"), ("102", "李娜", "华东/二组", "103"),
          ("103", "王芳", "华东", None), ("104", "张伟", "华南/一组", "103"))  # fmt: skip
FIRMS = (
    "宁波永新光学",
    "苏州明志",
    "Société des Câbles",
    "成都天元",
    "青岛海容",
    "York Optics",
)
INDUSTRIES = ("电子", "机械", "Energy", "汽车", "家电", "Optics")
SOURCES = ("展会", "官网", "转介绍")


@dataclass(frozen=True)
class Company:
    """Canonical tables as frames; times are UTC without a zone, days are dates, money decimals."""

    tables: dict[str, pd.DataFrame]

    def __getitem__(self, name: str) -> pd.DataFrame:
        return self.tables[name]

    def rows(self, name: str) -> list[dict]:
        """One dict per row; what is empty is None."""
        frame = self.tables[name].astype(object)
        return frame.where(frame.notna(), None).to_dict("records")


def made(seed: int = 7, deals: int = 12) -> Company:
    draw = random.Random(seed)
    accounts = [_account(draw, i, firm) for i, firm in enumerate(FIRMS)]
    users = [{"id": i, "name": n, "team": t, "region": t[:2], "role": "rep", "manager_id": m}
             for i, n, t, m in PEOPLE]  # fmt: skip
    opportunities, changes = [], []
    for i in range(deals):
        deal, log = _deal(draw, i, accounts)
        opportunities.append(deal)
        changes += log
    won = [deal for deal in opportunities if deal["is_won"]]
    contracts = [_contract(deal, i) for i, deal in enumerate(won)]
    instalments = [part for c in contracts for part in _instalments(c)]
    receipts = [_receipt(part, i) for i, part in enumerate(instalments) if i % 3 != 2]
    return Company({
        name: pd.DataFrame(rows) for name, rows in {
            "accounts": accounts, "users": users, "opportunities": opportunities,
            "contacts": [_contact(a, i) for i, a in enumerate(accounts)],
            "leads": [_lead(draw, i, accounts, opportunities) for i in range(4)],
            "changes": sorted(changes, key=lambda c: (c["changed_at"], c["entity_id"], c["field"])),
            "activities": [_activity(draw, i, opportunities) for i in range(10)],
            "contracts": contracts, "instalments": instalments, "receipts": receipts,
            "invoices": [_invoice(c, i) for i, c in enumerate(contracts)],
            "tickets": [_ticket(draw, i, accounts) for i in range(4)],
            "targets": _targets(),
        }.items()
    })  # fmt: skip


def _account(draw: random.Random, i: int, name: str) -> dict:
    return {
        "id": f"{7081245790100000 + i}", "name": name, "industry": INDUSTRIES[i],
        "segment": ("key", "mid", "small")[i % 3], "region": ("华东", "华南")[i % 2],
        "owner_id": PEOPLE[i % 2][0],
        "parent_account_id": f"{7081245790100000}" if i == 1 else None,
        "phone": f"0574-8600{i:04d}", "email": f"office{i}@example.com",
        "domain": f"firm{i}.example.com",
        "created_at": START - dt.timedelta(days=40 - i, minutes=draw.randrange(600)),
    }  # fmt: skip


def _contact(account: dict, i: int) -> dict:
    return {
        "id": f"{7081245790400000 + i}", "account_id": account["id"], "name": f"陈{i}",
        "title": "采购经理", "phone": f"1380000{i:04d}", "email": f"buyer{i}@example.com",
        "created_at": account["created_at"] + dt.timedelta(hours=2),
    }  # fmt: skip


def _deal(draw: random.Random, i: int, accounts: list[dict]) -> tuple[dict, list[dict]]:
    key = f"{7081245790200000 + i}"
    account, owner = accounts[i % len(accounts)], PEOPLE[i % 2][0]
    created = START + dt.timedelta(days=2 * i, seconds=draw.randrange(36_000))
    path = list(OPEN[: 1 + i % 3])
    end = ("contract", "lost", None)[i % 3] if i % 3 != 0 or i % 2 else None
    path += [end] if end else []
    amount = Decimal(draw.randrange(20_000, 900_000)) + Decimal("0.50") * (i % 2)
    expected = (created + dt.timedelta(days=60)).date()
    log, at = [], created
    for old, new in pairwise(path):
        at += dt.timedelta(days=4, seconds=draw.randrange(20_000))
        log.append(_change(key, "stage", old, new, at, owner))
    if (i % 2 and end is None) or i == 4:
        moved = created + dt.timedelta(days=3, seconds=5)
        earlier, was = expected - dt.timedelta(days=14), amount - 1000
        log.append(_change(key, "expected_close_on", str(earlier), str(expected), moved, owner))
        log.append(_change(key, "amount", f"{was:.2f}", f"{amount:.2f}", moved, owner))
    if end:
        # Whoever ends a deal sets its date to that day, as systems with one date ask for.
        ended = (at + dt.timedelta(hours=8)).date()
        log.append(_change(key, "expected_close_on", str(expected), str(ended), at, owner))
        expected = ended
    if i == 2:
        given = created + dt.timedelta(days=5, seconds=9)
        log.append(_change(key, "owner_id", PEOPLE[1][0], owner, given, PEOPLE[2][0]))
    return {
        "id": key, "account_id": account["id"], "owner_id": owner,
        "name": f"检测软件-{account['name']}", "type": ("new", "expansion", "renewal")[i % 3],
        "stage": path[-1], "amount": amount.quantize(Decimal("0.01")), "created_at": created,
        "expected_close_on": expected,
        "closed_at": at if end else None,
        "is_won": {"contract": True, "lost": False}.get(end or ""),
        "lost_reason": "价格" if end == "lost" else None, "source": SOURCES[i % 3],
        "product_line": ("软件", "网关")[i % 2], "forecast_category": ("pipeline", "commit")[i % 2],
        "next_step": f"下一步{i}" if end is None else None,
    }, log  # fmt: skip


def _change(key: str, field: str, old: str, new: str, at: dt.datetime, by: str) -> dict:
    return {"entity": "opportunities", "entity_id": key, "field": field, "old_value": old,
            "new_value": new, "changed_at": at, "changed_by": by}  # fmt: skip


def _contract(deal: dict, i: int) -> dict:
    signed = deal["closed_at"].date()
    return {
        "id": f"{7081245790300000 + i}", "opportunity_id": deal["id"],
        "account_id": deal["account_id"], "owner_id": deal["owner_id"], "amount": deal["amount"],
        "signed_on": signed, "starts_on": signed + dt.timedelta(days=3),
        "ends_on": signed + dt.timedelta(days=368),
    }  # fmt: skip


def _instalments(contract: dict) -> list[dict]:
    first = (contract["amount"] * Decimal("0.3")).quantize(Decimal("0.01"))
    parts = ((first, 10), (contract["amount"] - first, 70))
    days = [contract["signed_on"] + dt.timedelta(days=d) for _amount, d in parts]
    return [
        {"id": f"{contract['id'][:-3]}9{contract['id'][-1]}{n}", "contract_id": contract["id"],
         "due_on": day, "original_due_on": day, "trigger": "date", "amount": amount}
        for n, ((amount, _d), day) in enumerate(zip(parts, days, strict=True))
    ]  # fmt: skip


def _receipt(part: dict, i: int) -> dict:
    return {
        "id": f"{7081245790500000 + i}", "contract_id": part["contract_id"],
        "instalment_id": part["id"], "amount": part["amount"],
        "received_on": part["due_on"] + dt.timedelta(days=2),
    }  # fmt: skip


def _invoice(contract: dict, i: int) -> dict:
    return {
        "id": f"{7081245790600000 + i}", "contract_id": contract["id"],
        "issued_on": contract["signed_on"] + dt.timedelta(days=5), "amount": contract["amount"],
    }  # fmt: skip


def _lead(draw: random.Random, i: int, accounts: list[dict], deals: list[dict]) -> dict:
    created = START - dt.timedelta(days=6 - i, seconds=draw.randrange(20_000))
    turned = i == 1
    return {
        "id": f"{7081245790700000 + i}", "name": f"赵{i}", "company": f"线索公司{i}",
        "phone": f"1390000{i:04d}", "email": f"lead{i}@example.com", "source": SOURCES[i % 3],
        "status": ("新建", "已转换")[turned], "owner_id": PEOPLE[i % 2][0], "created_at": created,
        "converted_at": created + dt.timedelta(days=3) if turned else None,
        "account_id": accounts[1]["id"] if turned else None,
        "opportunity_id": deals[1]["id"] if turned else None,
    }  # fmt: skip


def _activity(draw: random.Random, i: int, deals: list[dict]) -> dict:
    deal = deals[i % len(deals)]
    at = deal["created_at"] + dt.timedelta(days=1 + i % 3, seconds=draw.randrange(9_000))
    return {
        "id": f"{7081245790800000 + i}", "kind": ("call", "visit", "meeting")[i % 3],
        "direction": "outbound", "opportunity_id": deal["id"], "account_id": deal["account_id"],
        "user_id": deal["owner_id"], "occurred_at": at, "minutes": float(15 + i),
        "logged_at": at + dt.timedelta(minutes=30), "outcome": ("已沟通", "未接通")[i % 2],
    }  # fmt: skip


def _ticket(draw: random.Random, i: int, accounts: list[dict]) -> dict:
    opened = START + dt.timedelta(days=9 * i, seconds=draw.randrange(30_000))
    return {
        "id": f"{7081245790900000 + i}", "account_id": accounts[i]["id"], "opened_at": opened,
        "first_response_at": opened + dt.timedelta(minutes=40),
        "closed_at": opened + dt.timedelta(hours=30) if i % 2 else None,
        "category": f"{614404267440304175 + i % 2}", "severity": ("低", "高")[i % 2],
        "csat": 4 if i % 2 else None,
    }  # fmt: skip


def _targets() -> list[dict]:
    set_at = None
    return [
        {"period": f"2026-{month:02d}", "level": "user", "key": person, "metric": metric,
         "amount": Decimal(amount), "set_at": set_at}
        for person in ("101", "102")
        for metric, amount in (("bookings", 120_000), ("collection", 80_000))
        for month in (1, 2, 12)
    ]  # fmt: skip
