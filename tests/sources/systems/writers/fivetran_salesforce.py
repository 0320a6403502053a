"""Salesforce in a warehouse: snake case, times in UTC, the table of deals in history mode."""

from pathlib import Path

from tests.sources.systems.company import Company
from tests.sources.systems.files import day, sheet, states, utc
from tests.sources.systems.writers import salesforce as base

STAGES, PREFIXES = base.STAGES, base.PREFIXES
SYNCED = {"_fivetran_synced": "2026-06-30 08:00:00"}
_FIELDS = ("stage", "amount", "expected_close_on", "owner_id")


def write(company: Company, folder: Path) -> None:
    def put(name: str, rows: list[dict]) -> None:
        sheet(folder / f"{name}.csv", [{**SYNCED, **row} for row in rows])

    put("opportunity", [_deal(row) for row in company.rows("opportunities")])
    put("opportunity_history", _history(company))
    put("account", [_snake(base._account(row)) for row in company.rows("accounts")])
    put("contact", [_snake(base._contact(row)) for row in company.rows("contacts")])
    put("user", [_snake(base._user(row)) for row in company.rows("users")])
    put("lead", [_snake(base._lead(row)) for row in company.rows("leads")])
    put("case", [_snake(base._case(row)) for row in company.rows("tickets")])
    put("event", [_event(row) for row in company.rows("activities")])


def _snake(row: dict) -> dict:
    flags = {"IsDeleted", "IsConverted", "IsActive", "IsClosed", "IsWon"}
    return {"".join(f"_{c.lower()}" if c.isupper() and i else c.lower()
                    for i, c in enumerate(name)):
            str(bool(value)).lower() if name in flags else value
            for name, value in row.items()}  # fmt: skip


def _deal(row: dict) -> dict:
    made = base._deal(row)
    closing = day(row["closed_at"]) or row["expected_close_on"]
    return {**_snake(made), "_fivetran_active": "true", "close_date": f"{closing} 00:00:00"}


def _history(company: Company) -> list[dict]:
    rows = []
    for deal in company.rows("opportunities"):
        found = states(company.rows("changes"), deal, _FIELDS)
        for state, after in zip(found, [*found[1:], None], strict=True):
            rows.append({
                "id": deal["id"], "_fivetran_active": str(after is None).lower(),
                "_fivetran_start": utc(state["at"]),
                "_fivetran_end": utc(after["at"]) if after else "9999-12-31 23:59:59",
                "stage_name": state["stage"], "probability": base.CHANCE[state["stage"]],
                "is_closed": str(state["stage"] in ("Closed Won", "Closed Lost")).lower(),
                "is_won": str(state["stage"] == "Closed Won").lower(), "amount": state["amount"],
                "close_date": f"{state['expected_close_on']} 00:00:00",
                "owner_id": state["owner_id"], "next_step": deal["next_step"],
            })  # fmt: skip
    return rows


def _event(row: dict) -> dict:
    kinds = {"call": "Call", "visit": "Other", "meeting": "Meeting"}
    return {
        "id": row["id"], "what_id": row["opportunity_id"], "account_id": row["account_id"],
        "who_id": None, "owner_id": row["user_id"], "type": kinds[row["kind"]],
        "start_date_time": utc(row["occurred_at"]), "created_date": utc(row["logged_at"]),
        "duration_in_minutes": row["minutes"],
    }  # fmt: skip
