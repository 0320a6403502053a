"""Planned call-backs by hand on five contracts, and by plain pandas on the sample."""

import pandas as pd
import pytest

from salesops.metrics.callbacks import call_backs, planned_call_backs
from salesops.metrics.catalogue import metric
from salesops.model.calendar import Period
from salesops.model.settings import CallBack, Settings, Words
from tests.companies import book_of
from tests.fixtures import SAMPLE
from tests.signings import contract, day, deals, table, value, won

T = pd.Timestamp


def book_with(contracts: list[dict], touches: dict, settings: Settings | None = None):
    rows = {c: [one.get(c) for one in contracts] for c in contracts[0]}
    return book_of(
        {
            **deals(won(id="d1", amount=1.0, closed_at=T("2026-01-02"))),
            **table("contracts", **rows),
            **table("activities", **touches),
            **table("accounts", id=["a1", "a2", "a3"], name=["One", "Two", "Three"]),
        },
        settings,
    )


def touches(*rows: tuple[str, str, str]) -> dict:
    at = [T(when) for _a, _k, when in rows]
    return {"id": [f"t{i}" for i in range(len(rows))], "account_id": [r[0] for r in rows],
            "kind": [r[1] for r in rows], "occurred_at": at, "logged_at": at}  # fmt: skip


def signed(id: str, account: str, **days: str | None) -> dict:  # noqa: A002 - a column
    columns = ("signed_on", "delivered_on", "ends_on", "cancelled_on")
    named = {c: day(v) if (v := days.get(c)) else None for c in columns}
    return contract(id=id, amount=100.0, renewed_by=days.get("renewed_by")) | {
        "account_id": account, **named}  # fmt: skip


FIVE = [
    # Called on the fourteenth day; the last call of a1 keeps the book's date in June.
    signed("c1", "a1", signed_on="2026-02-20", delivered_on="2026-03-01"),
    # Only a mail in time, a call a day late.
    signed("c2", "a2", signed_on="2026-02-20", delivered_on="2026-03-01"),
    # Cancelled within the window: no call needed.
    signed("c3", "a3", signed_on="2026-02-20", delivered_on="2026-03-01",
           cancelled_on="2026-03-10"),
    # Ends in May; visited 40 days before.
    signed("c4", "a3", signed_on="2025-05-20", ends_on="2026-05-20"),
    # Renewed before the window began.
    signed("c5", "a2", signed_on="2025-05-20", ends_on="2026-05-20", renewed_by="c6"),
    signed("c6", "a2", signed_on="2026-01-10"),
]  # fmt: skip
TOUCHED = touches(
    ("a1", "call", "2026-03-15 02:00"), ("a2", "email", "2026-03-05 02:00"),
    ("a2", "call", "2026-03-16 02:00"), ("a3", "visit", "2026-04-10 02:00"),
    ("a1", "call", "2026-06-30 02:00"),
)  # fmt: skip


def test_by_hand_on_five_contracts():
    book = book_with(FIVE, TOUCHED)
    rows = call_backs(book).to_pandas().set_index("id")
    assert sorted(rows.index) == [
        "c1 after_delivery", "c2 after_delivery", "c4 before_renewal",
    ]  # fmt: skip
    assert rows.loc["c1 after_delivery", "called_on"] == T("2026-03-15")
    assert pd.isna(rows.loc["c2 after_delivery", "called_on"])
    assert rows.loc["c4 before_renewal", "called_on"] == T("2026-04-10")
    assert value(book, "call_back_rate", "2026-03") == 1 / 2
    assert value(book, "call_back_rate", "2026-04") == 1.0


def test_a_window_that_still_runs_is_neither_made_nor_missed():
    book = book_with(FIVE, TOUCHED).as_of("2026-03-12")
    assert metric(book, "call_back_rate", period="2026-03")["n"].iloc[0] == 0
    assert call_backs(book).count().execute() == 3


def test_a_call_logged_after_the_date_is_not_known_yet():
    late = touches(("a1", "call", "2026-03-02 02:00"), ("a1", "call", "2026-06-30 02:00"))
    late["logged_at"] = [T("2026-04-02"), T("2026-06-30")]
    book = book_with(FIVE, late)
    assert value(book.as_of("2026-03-31"), "call_back_rate", "2026-03") == 0.0
    assert value(book.as_of("2026-04-30"), "call_back_rate", "2026-03") == 1 / 2


def test_the_rules_are_those_of_the_settings():
    rule = CallBack(id="soon", name=Words(zh="三天", en="Three days"), event="delivery",
                    from_day=0, to_day=3)  # fmt: skip
    settings = Settings.default().model_copy(update={"call_backs": (rule,)})
    book = book_with(FIVE, TOUCHED, settings)
    assert value(book, "call_back_rate", "2026-03") == 0.0
    none = book_with(FIVE, TOUCHED, settings.model_copy(update={"call_backs": ()}))
    assert metric(none, "call_back_rate")["reason"].iloc[0] == "no_call_back_rule"


@pytest.mark.parametrize("month", ["2025-11", "2026-02"])
def test_on_the_sample_by_plain_pandas(sample_book, month):
    period = Period.parse(month)
    contracts = pd.read_parquet(SAMPLE / "contracts.parquet")
    acts = pd.read_parquet(SAMPLE / "activities.parquet")
    acts = acts[acts["kind"].isin(["call", "visit"]) & acts["account_id"].notna()]
    acts["day"] = (acts["occurred_at"] + pd.Timedelta(hours=8)).dt.normalize()
    signed_on = pd.to_datetime(contracts.set_index("id")["signed_on"])
    made = n = 0
    for column, first, last in (("delivered_on", 0, 14), ("ends_on", -90, -30)):
        event = pd.to_datetime(contracts[column])
        begins, until = event + pd.Timedelta(days=first), event + pd.Timedelta(days=last)
        mine = (until >= T(period.start)) & (until <= T(period.end))
        mine &= ~(pd.to_datetime(contracts["cancelled_on"]) <= until)
        if column == "ends_on":
            mine &= ~(contracts["renewed_by"].map(signed_on) < begins)
        for row in contracts[mine].assign(begins=begins, until=until).to_dict("records"):
            near = acts[acts["account_id"] == row["account_id"]]["day"]
            made += bool(near.between(row["begins"], row["until"]).any())
            n += 1
    assert n > 20
    rows = planned_call_backs(sample_book, period).to_pandas()
    assert len(rows) == n
    assert rows["is_made"].sum() == made
