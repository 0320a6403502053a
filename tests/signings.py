"""Small books of signed business, written by hand in a test."""

import datetime as dt

import pandas as pd

from salesops.book.write import typed
from salesops.metrics.catalogue import metric
from salesops.model.settings import Settings

T = pd.Timestamp


def value(book, name: str, period: str, **options) -> float:
    return float(metric(book, name, period=period, **options)[name].iloc[0])


def by(book, name: str, period: str, column: str) -> dict:
    found = metric(book, name, period=period, by=[column])
    return dict(zip(found[column], found[name], strict=True))


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def won(**columns) -> dict[str, object]:
    return {
        "stage": "contract",
        "type": "new",
        "account_id": "a1",
        "owner_id": "u1",
        "created_at": T("2025-01-01"),
        **columns,
    }


def deals(*rows: dict) -> dict:
    frame = pd.DataFrame(list(rows))
    for column in ("created_at", "closed_at"):
        frame[column] = pd.to_datetime(frame[column]).astype("datetime64[us]")
    return {"opportunities": typed("opportunities", frame)}


def table(name: str, /, **columns) -> dict:
    return {name: typed(name, pd.DataFrame(columns))}


def fiscal(month: int) -> Settings:
    settings = Settings.default()
    company = settings.company.model_copy(update={"fiscal_year_starts": month})
    return settings.model_copy(update={"company": company})


def contract(**columns) -> dict[str, object]:
    return {
        "account_id": "a1",
        "owner_id": "u1",
        "opportunity_id": None,
        "cancelled_on": None,
        "renewed_by": None,
        **columns,
    }


def contracts(*rows: dict) -> dict:
    frame = pd.DataFrame(list(rows))
    return {"contracts": typed("contracts", frame)}


def targets(*rows: tuple) -> dict:
    columns = ["period", "level", "key", "amount", "set_at"]
    frame = pd.DataFrame(rows, columns=columns).assign(metric="bookings")
    frame["set_at"] = pd.to_datetime(frame["set_at"]).astype("datetime64[us]")
    return {"targets": typed("targets", frame)}


OPEN = won(id="d0", stage="needs", amount=1.0, closed_at=None)
SOLD = won(id="d1", amount=999.0, closed_at=T("2026-01-15 04:00"))
PEOPLE = table(
    "users",
    id=["u1", "u2", "u3"],
    name=["Ann", "Bo", "Cy"],
    role=["rep"] * 3,
    team=["North/1", "North/2", "South/1"],
    region=["North", "North", "South"],
)
