"""Random companies with a row in every canonical table, and a plain reading of what was known when.

`known` deletes by hand, in pandas, what came to be known after an instant: the rows entered later,
the events dated later and what is told only with them. It knows nothing of the package's own rules.
"""

import datetime as dt
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa

from salesops.book.write import typed
from tests.companies import GRID, PEOPLE, TEAMS, Company, Row, at, random_company, written

SHANGHAI = ZoneInfo("Asia/Shanghai")
# Instant or day from which on a row is known.
ENTERED = {
    "accounts": "created_at", "contacts": "created_at", "leads": "created_at",
    "quotes": "issued_at", "contracts": "signed_on", "receipts": "received_on",
    "invoices": "issued_on", "tickets": "opened_at", "targets": "set_at",
    "actions": "created_at", "forecasts": "entered_at", "fx": "on",
}  # fmt: skip
HAPPENS = {
    "accounts": ("customer_since",),
    "leads": ("assigned_at", "accepted_at", "first_touched_at", "qualified_at", "converted_at"),
    "quotes": ("accepted_at",),
    "contracts": ("cancelled_on", "delivered_on", "accepted_on"),
    "tickets": ("first_response_at", "closed_at"),
    "actions": ("done_on",),
}
# What is told only with an event.
TOLD_WITH = {
    "leads": {"account_id": "converted_at", "opportunity_id": "converted_at"},
    "contracts": {"cancel_reason": "cancelled_on"},
    "tickets": {"csat": "closed_at"},
}
# Fields that move and of which these companies keep no history: nobody knows their past.
UNRECORDED = {
    "leads": {"status", "disqualified_reason"},
    "instalments": {"due_on", "overdue_reason"},
    "actions": {"status"},
}


def whole_company(seed: int) -> tuple[Company, dict[str, pd.DataFrame]]:
    """Make a company and its other tables as they are at the end of the grid."""
    rng = np.random.default_rng(seed + 77)
    company = random_company(seed, n=25)
    for deal in company.deals:
        deal.first["account_id"] = f"a{int(rng.integers(8))}"
        deal.first["name"] = f"Deal {deal.id}"
    return company, _others(rng, company.deals)


def tables_of(
    company: Company, others: dict[str, pd.DataFrame], until: int = GRID
) -> dict[str, pa.Table]:
    """Lay out a company as it is at the end of the grid, or as it was known at a step."""
    tables = company.tables(until=until)
    if until < GRID:
        others = known(others, at(until))
        ids = tables["opportunities"]["id"].to_pylist()
        shares = others["credits"]
        signed = shares["contract_id"].isin(others["contracts"]["id"])
        others["credits"] = shares[shares["opportunity_id"].isin(ids) | signed]
    # Leads have had one owner from the first day on, and the log says so.
    log = pd.DataFrame([("leads", "owner_id", at(-1), "log")],
                       columns=["entity", "field", "since", "how"])  # fmt: skip
    tables["tracked"] = pa.concat_tables([tables["tracked"], typed("tracked", log)])
    return tables | {name: typed(name, frame) for name, frame in others.items()}


def known(others: dict[str, pd.DataFrame], when: dt.datetime) -> dict[str, pd.DataFrame]:
    """Delete from tables what came to be known after an instant."""
    local = when.replace(tzinfo=dt.UTC).astimezone(SHANGHAI)
    ended = (local + dt.timedelta(microseconds=1)).date() - dt.timedelta(days=1)

    def later(values: pd.Series) -> pd.Series:
        def one(value: object) -> bool:
            if value is None or value is pd.NaT:
                return False
            if isinstance(value, dt.datetime):
                return value > when
            return value > ended

        return values.map(one).astype(bool)

    found = {}
    for name, frame in others.items():
        frame = frame[~later(frame[ENTERED[name]])] if name in ENTERED else frame  # noqa: PLW2901
        kept = frame.copy()
        for column in HAPPENS.get(name, ()):
            kept[column] = kept[column].astype(object).where(~later(kept[column]), None)
        for column, event in TOLD_WITH.get(name, {}).items():
            kept[column] = kept[column].astype(object).where(kept[event].notna(), None)
        found[name] = kept
    signed = found["contracts"]["id"]
    renewed = found["contracts"]["renewed_by"]
    found["contracts"]["renewed_by"] = renewed.where(renewed.isin(signed), None)
    for name in ("contract_lines", "instalments"):
        found[name] = found[name][found[name]["contract_id"].isin(signed)]
    return found


def _others(rng: np.random.Generator, deals: list[Row]) -> dict[str, pd.DataFrame]:
    def step() -> int:
        return int(rng.integers(0, GRID + 1))

    def instant(low: int = 0) -> dt.datetime:
        return at(int(rng.integers(low, GRID + 1)))

    def day(low: int = 0) -> dt.date:
        return instant(low).date()

    def maybe(value: object, chance: float = 0.7) -> object:
        return value if rng.random() < chance else None

    def person() -> str:
        return PEOPLE[int(rng.integers(len(PEOPLE)))]

    accounts = [
        {"id": f"a{i}", "name": f"Account a{i}", "owner_id": person(),
         "created_at": maybe(instant()), "customer_since": maybe(day())}
        for i in range(8)
    ]  # fmt: skip
    contacts = [{"id": f"p{i}", "account_id": f"a{i % 8}", "name": f"Contact p{i}",
                 "created_at": maybe(instant())} for i in range(12)]  # fmt: skip
    leads, contracts, shares, tickets = [], [], [], []
    for i in range(20):
        begun = step()
        times = sorted(instant(begun) for _ in range(5))
        leads.append({"id": f"l{i}", "company": f"Lead l{i}", "owner_id": person(),
                      "account_id": maybe(f"a{i % 8}"), "opportunity_id": maybe(deals[i].id),
                      "created_at": at(begun), "assigned_at": times[0], "accepted_at": times[1],
                      "first_touched_at": times[2], "qualified_at": maybe(times[3]),
                      "converted_at": maybe(times[4]), "status": "working",
                      "disqualified_reason": maybe("no budget")})  # fmt: skip
    for i in range(14):
        signed = step()
        cancelled = maybe(day(signed), 0.4)
        contracts.append({"id": f"c{i:02d}", "opportunity_id": deals[i].id,
                          "account_id": deals[i].first["account_id"], "owner_id": person(),
                          "amount": 100.0 + i, "signed_on": at(signed).date(),
                          "cancelled_on": cancelled, "delivered_on": maybe(day(signed)),
                          "accepted_on": maybe(day(signed)),
                          "renewed_by": maybe(f"c{int(rng.integers(14)):02d}", 0.3),
                          "cancel_reason": "moved away" if cancelled else None})  # fmt: skip
        first, second = rng.choice(PEOPLE, 2, replace=False)
        of = {"contract_id": f"c{i:02d}", "opportunity_id": None}
        if i % 3:
            of = {"contract_id": None, "opportunity_id": deals[i].id}
        shares += [{**of, "user_id": str(first), "share": 0.6},
                   {**of, "user_id": str(second), "share": 0.4}]  # fmt: skip
    for i in range(10):
        opened = step()
        closed = maybe(instant(opened))
        tickets.append({"id": f"k{i}", "account_id": f"a{i % 8}", "opened_at": at(opened),
                        "first_response_at": maybe(instant(opened)), "closed_at": closed,
                        "csat": 4 if closed else None, "category": f"Ticket k{i}"})  # fmt: skip
    signed = [f"c{i:02d}" for i in range(14)]
    keys = [("team", TEAMS[0]), ("team", TEAMS[2]), ("user", "u1"), ("user", "u3"),
            ("region", "South"), ("company", None)]  # fmt: skip
    rows = {
        "accounts": accounts, "contacts": contacts, "leads": leads, "contracts": contracts,
        "credits": shares, "tickets": tickets,
        "quotes": [{"id": f"q{i}", "opportunity_id": deals[i].id, "amount": 10.0 + i,
                    "issued_at": instant(), "accepted_at": maybe(instant())} for i in range(15)],
        "contract_lines": [{"id": f"n{i}", "contract_id": signed[i % 14], "kind": "licence",
                            "amount": 5.0 + i} for i in range(20)],
        "instalments": [{"id": f"i{i}", "contract_id": signed[i % 14], "due_on": day(),
                         "original_due_on": day(), "trigger": "date", "amount": 7.0 + i,
                         "overdue_reason": maybe("dispute")} for i in range(20)],
        "receipts": [{"id": f"r{i}", "contract_id": signed[i % 14], "instalment_id": f"i{i}",
                      "received_on": day(), "amount": 3.0 + i} for i in range(16)],
        "invoices": [{"id": f"v{i}", "contract_id": signed[i % 14], "issued_on": day(),
                      "amount": 3.0 + i} for i in range(10)],
        "targets": [{"period": "2026-01", "level": level, "key": key, "metric": "bookings",
                     "amount": 100.0 + i, "set_at": instant()}
                    for i, (level, key) in enumerate(keys * 2)],
        "actions": [{"id": f"x{i}", "kind": "action", "owner_id": person(), "note": f"Act x{i}",
                     "created_at": instant(), "status": "open", "done_on": maybe(day())}
                    for i in range(8)],
        "forecasts": [{"id": f"f{i}", "period": "2026Q1", "level": "user", "user_id": person(),
                       "category": "commit", "amount": 9.0 + i, "entered_at": instant()}
                      for i in range(8)],
        "fx": [{"currency": "USD", "on": day(), "rate": 7.0 + i / 10} for i in range(4)],
    }  # fmt: skip
    return {name: pd.DataFrame(found).astype(object) for name, found in rows.items()}


__all__ = ["UNRECORDED", "known", "tables_of", "whole_company", "written"]
