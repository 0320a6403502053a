"""Metrics of leads: by hand on a few, by plain pandas on the sample, as known at the date."""

import datetime as dt
import re

import chinese_calendar
import lifelines
import pandas as pd
import pytest

from salesops.book.write import typed
from salesops.metrics.catalogue import metric
from salesops.metrics.cohorts import lead_accounts, lead_steps
from salesops.metrics.response import lead_answers
from salesops.model.settings import Settings
from tests.companies import book_of
from tests.fixtures import SAMPLE

CHINA = pd.Timedelta(hours=8)


def value(book, name: str, period: str) -> float:
    return float(metric(book, name, period=period)[name].iloc[0])


# By hand on the five leads of the tiny company.


def test_shares_answered_in_time_by_hand(tiny_book):
    # Answered: l1 after 1 hour, l3 at the latest when its deal was made, 10.5 hours later.
    # l5 came 15 minutes before the book's instant.
    assert value(tiny_book, "response_within_24h", "2026Q1") == 2 / 4
    assert value(tiny_book, "response_within_1h", "2026Q1") == 1 / 4
    assert value(tiny_book, "response_within_5min", "2026Q1") == 0 / 5


def test_first_response_by_hand_counts_who_waits_as_waiting(tiny_book):
    # Working hours: l1 one (on a make-up Sunday), l3 one (created at 23:30, made a deal at 10:00),
    # l2 and l4 wait on, l5 has waited for none: half of four are answered after one hour.
    assert value(tiny_book, "first_response", "2026Q1") == 1
    # From creation l1 took one and a half.
    assert value(tiny_book, "first_response_from_creation", "2026Q1") == 1.5


def test_never_touched_by_hand_leaves_out_who_came_just_now(tiny_book):
    assert value(tiny_book, "never_touched_share", "2026Q1") == 2 / 4


def test_the_last_half_hour_of_a_local_month_belongs_to_it(tiny_book):
    # l4 came on 31 January at 23:30 in Shanghai.
    assert metric(tiny_book, "never_touched_share", period="2026-01")["n"].iloc[0] == 4
    assert metric(tiny_book, "never_touched_share", period="2026-02")["n"].iloc[0] == 0


def test_a_cohort_that_has_not_had_its_time_is_null_and_says_so(tiny_book):
    row = metric(tiny_book, "customer_conversion_90", period="2026-01").iloc[0]
    assert pd.isna(row["customer_conversion_90"])
    assert row["reason"] == "immature"
    assert row["n"] == 3  # Alpha once for both its leads, Gamma, Delta


# A company of a few leads, made for each rule.

AT = "datetime64[us]"
LEAD = {"company": None, "source": "web", "owner_id": "u1", "account_id": None,
        "opportunity_id": None, "assigned_at": None, "first_touched_at": None,
        "qualified_at": None, "converted_at": None, "status": None}  # fmt: skip


def company(leads, deals=(), touches=(), changes=(), settings=None, without=(), **tables):
    rows = [{**LEAD, **lead, "id": f"l{i}"} for i, lead in enumerate(leads)]
    frames = {
        "leads": pd.DataFrame(rows).drop(columns=list(without)),
        "users": pd.DataFrame([("u1", "Ann", "rep"), ("u2", "Bo", "rep"), ("p", "Pool", "pool")],
                              columns=["id", "name", "role"]),
        "opportunities": pd.DataFrame(
            list(deals) or [("d", None, "needs", None, dt.datetime(2025, 1, 1), None, None)],
            columns=["id", "account_id", "stage", "amount", "created_at", "closed_at", "is_won"],
        ),
        "activities": pd.DataFrame(
            list(touches),
            columns=["id", "lead_id", "kind", "direction", "user_id", "occurred_at", "logged_at"],
        ),
        **tables,
    }  # fmt: skip
    if changes:
        frames["changes"] = pd.DataFrame(
            list(changes),
            columns=["entity", "entity_id", "field", "old_value", "new_value", "changed_at", "seq"],
        )
        frames["tracked"] = pd.DataFrame(
            [("leads", "owner_id", dt.datetime(2025, 1, 1), "log")],
            columns=["entity", "field", "since", "how"],
        )
    for name, frame in frames.items():
        for column in frame.columns:
            if column.endswith("_at"):
                frame[column] = pd.to_datetime(frame[column]).astype(AT)
        frames[name] = typed(name, frame)
    return book_of(frames, settings)


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


def won(name: str, account: str, closed: str, amount: float = 100.0):
    return (name, account, "contract", amount, at("2025-01-01"), at(closed), True)


def test_two_leads_of_one_company_count_once_however_it_is_written():
    names = ("苏州恒锐精密有限公司", "苏州恒锐精密 有限公司", "苏州恒锐精密", "ＡＢＣ Ltd.", "abc")
    book = company([{"company": n, "created_at": at("2025-02-03")} for n in names])
    rows = lead_accounts(book, 90).to_pandas()
    assert sorted(rows["n_leads"]) == [2, 3]


def test_a_lead_without_an_account_belongs_to_the_account_of_its_name():
    accounts = pd.DataFrame([("a1", "Alpha Ltd")], columns=["id", "name"])
    leads = [{"company": "alpha", "created_at": at("2025-02-03")},
             {"account_id": "a1", "created_at": at("2025-03-03")}]  # fmt: skip
    book = company(leads, [won("d1", "a1", "2025-02-20")], accounts=accounts)
    row = lead_accounts(book, 90).to_pandas().iloc[0]
    assert row["n_leads"] == 2
    assert row["signed_on"] == pd.Timestamp("2025-02-20")


def test_signed_on_the_last_day_of_the_time_counts_and_a_day_later_not():
    leads = [{"account_id": a, "created_at": at("2025-02-03 02:00")} for a in ("a1", "a2")]
    deals = [won("d1", "a1", "2025-05-04 15:30"), won("d2", "a2", "2025-05-04 16:30")]
    # 3 February and 90 days is 4 May; 16:30 UTC is already the fifth in Shanghai.
    assert dt.date(2025, 2, 3) + dt.timedelta(days=90) == dt.date(2025, 5, 4)
    rows = lead_accounts(company(leads, deals), 90).to_pandas().set_index("id")["signed_on"]
    assert rows.notna().to_dict() == {"account:a1": True, "account:a2": False}


def test_the_leap_day_is_a_day_like_any_other():
    leads = [{"account_id": "a1", "created_at": at("2024-02-29 15:30")}]  # 23:30 on the 29th
    book = company(leads, [won("d1", "a1", "2024-03-01 02:00")])
    assert value(book, "customer_conversion_90", "2024-02") == 1
    assert metric(book, "customer_conversion_90", period="2024-03")["n"].iloc[0] == 0


def test_who_was_a_customer_before_is_no_new_one():
    leads = [{"account_id": "a1", "created_at": at("2025-03-03")}]
    book = company(leads, [won("d0", "a1", "2025-01-20"), won("d1", "a1", "2025-03-20")])
    assert lead_accounts(book, 90).count().to_pandas() == 0


def test_a_signing_after_the_date_of_the_book_is_not_known():
    leads = [{"account_id": "a1", "created_at": at("2025-02-03")}]
    book = company(leads, [won("d1", "a1", "2025-04-20")])
    assert lead_accounts(book, 90).to_pandas()["signed_on"].notna().all()
    before = book.as_of("2025-04-19")
    assert lead_accounts(before, 90).to_pandas()["signed_on"].isna().all()


def test_contracts_and_won_deals_are_never_mixed():
    leads = [{"account_id": a, "created_at": at("2025-02-03")} for a in ("a1", "a2")]
    contracts = pd.DataFrame(
        [("c1", "a1", 70.0, dt.date(2025, 2, 10))],
        columns=["id", "account_id", "amount", "signed_on"],
    )
    deals = [won("d2", "a2", "2025-02-20"), won("d1", "a1", "2025-02-11")]
    rows = lead_accounts(company(leads, deals, contracts=contracts), 90).to_pandas()
    rows = rows.set_index("id")
    assert rows["signed_on"].notna().to_dict() == {"account:a1": True, "account:a2": False}
    assert rows.loc["account:a1", "cents"] == 7_000


def test_a_lead_converted_later_than_the_date_of_the_book_is_not_converted():
    leads = [{"opportunity_id": "d1", "created_at": at("2025-02-03"),
              "qualified_at": at("2025-02-05"), "converted_at": at("2025-02-20")}]  # fmt: skip
    book = company(leads, [won("d1", "a1", "2025-03-20")])
    now, then = (lead_steps(b, 90).to_pandas().iloc[0] for b in (book, book.as_of("2025-02-10")))
    assert (bool(now["is_valid"]), bool(now["is_opportunity"])) == (True, True)
    assert now["won_on"] == pd.Timestamp("2025-03-20")
    assert (bool(then["is_valid"]), bool(then["is_opportunity"])) == (True, False)
    assert pd.isna(then["won_on"])


def test_where_leads_name_no_deal_those_of_the_same_company_stand_in():
    leads = [{"company": n, "created_at": at("2025-02-03")} for n in ("Alpha", "Beta")]
    accounts = pd.DataFrame([("a1", "Alpha"), ("a2", "Beta")], columns=["id", "name"])
    deals = [("d1", "a1", "needs", 5.0, at("2025-02-20"), None, None),
             ("d2", "a2", "needs", 5.0, at("2025-01-20"), None, None)]  # fmt: skip
    book = company(leads, deals, accounts=accounts, without=("opportunity_id", "converted_at"))
    steps = lead_steps(book, 90).to_pandas().set_index("id")["is_opportunity"]
    assert steps.to_dict() == {"l0": True, "l1": False}


def test_a_fiscal_year_from_april_begins_with_the_leads_of_april():
    settings = Settings.default()
    later = settings.company.model_copy(update={"fiscal_year_starts": 4})
    leads = [{"created_at": at(d), "first_touched_at": at(d)}
             for d in ("2025-03-31 15:30", "2025-03-31 16:30")]  # fmt: skip
    book = company(leads, settings=settings.model_copy(update={"company": later}))
    # 16:30 UTC is 00:30 on 1 April in Shanghai.
    assert metric(book, "first_response", period="2025Q1")["n"].iloc[0] == 1


TUESDAY = "2025-02-11 "
TOUCH = {"kind": "call", "direction": "outbound", "user_id": "u1"}


def touch(name: str, time: str, **other):
    row = {**TOUCH, **other}
    return (name, "l0", row["kind"], row["direction"], row["user_id"], at(TUESDAY + time),
            at(TUESDAY + time))  # fmt: skip


def answered(touches=(), changes=(), **lead):
    created = {"created_at": at(TUESDAY + "02:00"), "assigned_at": at(TUESDAY + "03:00")}
    book = company([{**created, **lead}], touches=touches, changes=changes)
    return lead_answers(book).to_pandas().iloc[0]


def test_only_what_a_person_sends_out_is_an_answer():
    machine = [touch("t1", "03:05", kind="other"), touch("t2", "03:10", user_id=None)]
    assert pd.isna(answered([*machine, touch("t3", "03:20", direction="inbound")])["answered_at"])
    row = answered([*machine, touch("t4", "03:30"), touch("t5", "04:00")])
    assert row["elapsed_hours"] == 0.5
    assert row["created_hours"] == 1.5
    assert answered([touch("t1", "03:45", direction="two_way")])["elapsed_hours"] == 0.75


def test_the_date_that_the_crm_keeps_counts_where_it_is_earlier():
    row = answered([touch("t1", "05:00")], first_touched_at=at(TUESDAY + "04:00"))
    assert row["elapsed_hours"] == 1


def test_an_answer_before_the_assignment_counts_from_creation():
    row = answered([touch("t1", "02:30")])
    assert row["elapsed_hours"] == 0.5


def test_a_lead_passed_on_waits_since_its_first_owner():
    moved = [("leads", "l0", "owner_id", "u2", "u1", at(TUESDAY + "05:00"), 1)]
    row = answered([touch("t1", "06:00")], moved, assigned_at=at(TUESDAY + "05:00"))
    assert row["elapsed_hours"] == 6 - 2


def test_time_in_the_public_pool_is_no_assignment():
    moved = [("leads", "l0", "owner_id", "p", "u2", at(TUESDAY + "04:00"), 1),
             ("leads", "l0", "owner_id", "u2", "u1", at(TUESDAY + "05:00"), 2)]  # fmt: skip
    row = answered([touch("t1", "06:00")], moved, assigned_at=at(TUESDAY + "05:00"))
    assert row["elapsed_hours"] == 6 - 4


def test_where_no_touch_was_ever_recorded_nobody_is_called_never_touched():
    row = metric(company([{"created_at": at("2025-02-03")}]), "never_touched_share",
                 period="2025Q1").iloc[0]  # fmt: skip
    assert pd.isna(row["never_touched_share"])
    assert row["reason"] == "no_touches"


@pytest.mark.parametrize("name", ["customer_conversion_90", "lead_won_rate", "first_response"])
def test_without_leads_the_metrics_say_what_is_missing(name):
    deals = typed("opportunities", pd.DataFrame({"id": ["d1"], "stage": ["needs"]}))
    row = metric(book_of({"opportunities": deals}), name, period="2025").iloc[0]
    assert row["reason"] == "missing:leads.created_at"


# The sample company by plain pandas, from its files alone.


@pytest.fixture(scope="module")
def leads() -> pd.DataFrame:
    rows = pd.read_parquet(SAMPLE / "leads.parquet")
    rows["day"] = (rows["created_at"] + CHINA).dt.normalize()
    touches = pd.read_parquet(SAMPLE / "activities.parquet")
    human = touches[touches["lead_id"].notna() & touches["user_id"].notna()]
    human = human[(human["direction"] != "inbound") & (human["kind"] != "other")]
    rows["touch"] = rows["id"].map(human.groupby("lead_id")["occurred_at"].min())
    rows["answered"] = rows[["touch", "first_touched_at", "converted_at"]].min(axis=1)
    return rows[(rows["day"] >= "2025-07-01") & (rows["day"] < "2025-10-01")].assign(all_leads=None)


def short(name: str) -> str:
    return re.sub(
        r"(股份有限公司|有限责任公司|有限公司|公司)$", "", re.sub(r"[\s()（）-]", "", name)
    )


@pytest.fixture(scope="module")
def accounts() -> pd.DataFrame:
    """One row per company of the sample: day of its first lead, and its signings after it."""
    rows = pd.read_parquet(SAMPLE / "leads.parquet")
    rows["day"] = (rows["created_at"] + CHINA).dt.normalize()
    known = pd.read_parquet(SAMPLE / "accounts.parquet")
    by_name = known.assign(key=known["name"].map(short)).groupby("key")["id"].min()
    name = rows["company"].map(short)
    rows["account"] = rows["account_id"].fillna(name.map(by_name)).fillna("name " + name)
    first = rows.sort_values(["created_at", "id"]).drop_duplicates("account").set_index("account")
    contracts = pd.read_parquet(SAMPLE / "contracts.parquet")
    deals = pd.read_parquet(SAMPLE / "opportunities.parquet").set_index("id")["type"]
    renewal = contracts["opportunity_id"].map(deals) == "renewal"
    contracts = contracts[~renewal & ~contracts["id"].isin(contracts["renewed_by"])]
    signed = contracts.assign(on=pd.to_datetime(contracts["signed_on"]))
    signed = signed.join(first["day"], on="account_id").dropna(subset=["day"])
    signed["after"] = (signed["on"] - signed["day"]).dt.days
    old = set(signed.loc[signed["after"] < 0, "account_id"])
    since = pd.to_datetime(known.set_index("id")["customer_since"]).reindex(first.index)
    first = first[~first.index.isin(old) & ~(since < first["day"])]
    soonest = signed[signed["after"] >= 0].groupby("account_id")["after"].min()
    first["after"] = first.index.map(soonest)
    return first[(first["day"] >= "2025-07-01") & (first["day"] < "2025-10-01")]


@pytest.mark.parametrize("days", [90, 180])
def test_customer_conversion_by_plain_pandas(sample_book, accounts, days):
    found = metric(sample_book, f"customer_conversion_{days}", period="2025Q3").iloc[0]
    assert found["n"] == len(accounts)
    assert found[f"customer_conversion_{days}"] == (accounts["after"] <= days).mean()


def test_the_steps_of_leads_by_plain_pandas(sample_book, leads):
    contracts = pd.read_parquet(SAMPLE / "contracts.parquet").dropna(subset=["opportunity_id"])
    signed = leads["opportunity_id"].map(contracts.set_index("opportunity_id")["signed_on"])
    signed = pd.to_datetime(signed)
    won = (signed - leads["day"]).dt.days.between(0, 90)
    days = {c: ((leads[c] + CHINA).dt.normalize() - leads["day"]).dt.days
            for c in ("qualified_at", "converted_at")}  # fmt: skip
    dealt = (days["converted_at"] <= 90) | won
    valid = (days["qualified_at"] <= 90) | dealt
    assert value(sample_book, "lead_won_rate", "2025Q3") == won.mean()
    assert value(sample_book, "lead_opportunity_rate", "2025Q3") == dealt.mean()
    assert value(sample_book, "lead_valid_rate", "2025Q3") == valid.mean()


@pytest.mark.parametrize(
    ("name", "hours"),
    [("response_within_5min", 5 / 60), ("response_within_30min", 0.5), ("response_within_1h", 1),
     ("response_within_24h", 24)],
)  # fmt: skip
def test_shares_answered_in_time_by_plain_pandas(sample_book, leads, name, hours):
    start = leads["assigned_at"].where(leads["assigned_at"] <= leads["answered"].fillna(
        pd.Timestamp("2200-01-01")), leads["created_at"])  # fmt: skip
    wait = (leads["answered"] - start).dt.total_seconds() / 3_600
    assert value(sample_book, name, "2025Q3") == (wait <= hours).mean()


def test_never_touched_by_plain_pandas(sample_book, leads):
    assert value(sample_book, "never_touched_share", "2025Q3") == leads["answered"].isna().mean()


def worked(first: pd.Timestamp, last: pd.Timestamp) -> float:
    """Count working hours day by day, in China."""
    first, last = first + CHINA, last + CHINA
    total = 0.0
    for day in pd.date_range(first.normalize(), last.normalize()):
        if chinese_calendar.is_workday(day.date()):
            begin, end = day + pd.Timedelta(hours=9), day + pd.Timedelta(hours=18)
            total += max((min(last, end) - max(first, begin)).total_seconds(), 0)
    return total / 3_600


def test_first_response_is_the_median_of_kaplan_and_meier(sample_book, leads):
    last = pd.Timestamp(sample_book.instant)
    part = leads.head(10_000)
    hours = [worked(a, b if pd.notna(b) else last)
             for a, b in zip(part["created_at"], part["answered"], strict=True)]  # fmt: skip
    fitted = lifelines.KaplanMeierFitter().fit(hours, part["answered"].notna())
    found = value(sample_book, "first_response_from_creation", "2025Q3")
    assert found == pytest.approx(fitted.median_survival_time_)
