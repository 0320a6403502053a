"""The service report: by plain pandas on the sample, planted faults found, small books told of."""

import numpy as np
import pandas as pd
import pytest

from salesops.analyses.service import service
from salesops.metrics.largecustomers import bad_customers, large_from, renewed_by_cases
from salesops.metrics.serviceframes import ages
from salesops.model.settings import Settings
from salesops.wording import language, say_finding
from tests.companies import book_of
from tests.fixtures import SAMPLE
from tests.signings import contract, day, deals, table, won

T = pd.Timestamp
LAST = T("2026-06-20")


@pytest.fixture(scope="module")
def result(sample_book):
    return service(sample_book)


@pytest.fixture(scope="module")
def tickets() -> pd.DataFrame:
    rows = pd.read_parquet(SAMPLE / "tickets.parquet")
    for column in ("opened_at", "closed_at"):
        rows[column + "_day"] = (rows[column] + pd.Timedelta(hours=8)).dt.normalize()
    return rows


def test_page_one_has_its_exhibits(result):
    assert list(result.exhibits) == ["ratings", "levels", "backlog", "repeats", "customers",
                                     "call_backs", "renewed"]  # fmt: skip


def test_satisfaction_is_that_of_the_last_91_days(result, tickets):
    closed = tickets[tickets["closed_at_day"] > LAST - pd.Timedelta(days=91)]
    rated = closed.dropna(subset=["csat"])
    assert result.metrics["csat"] == pytest.approx((rated["csat"] >= 4).mean())
    assert result.metrics["n_rated"] == len(rated)
    assert result.metrics["response_rate"] == pytest.approx(len(rated) / len(closed))
    voices = (rated["csat"] >= 4).groupby(rated["account_id"]).mean().mean()
    assert result.metrics["by_customer"] == pytest.approx(voices)
    assert result.lead.value == result.metrics["csat"]


def test_what_comes_again_is_that_of_364_days_by_product(result, tickets):
    year = tickets[tickets["opened_at_day"] > LAST - pd.Timedelta(days=364)]
    assert result.repeated.iloc[0]["share"] == pytest.approx(year["is_repeat"].mean())
    by_line = year.groupby("product_line")["is_repeat"].mean()
    got = result.repeated.iloc[1:].set_index("product_line")["share"]
    pd.testing.assert_series_equal(got.sort_index(), by_line.sort_index(), check_names=False)


def test_open_cases_are_counted_once_by_age(result, tickets):
    still = tickets[tickets["closed_at"].isna()]
    assert sorted(result.waiting["id"]) == sorted(still["id"])
    assert result.ages["n"].sum() == len(still)
    assert result.ages["n_late"].sum() == result.metrics["n_late"]
    assert list(result.waiting["age_days"]) == sorted(result.waiting["age_days"], reverse=True)


def test_ages_fall_where_their_edges_are():
    rows = pd.DataFrame({"age_days": [0.5, 1.0, 1.1, 7.0, 30.0, 31.0],
                         "is_late": [False, False, False, True, True, True]})  # fmt: skip
    found = ages(rows).set_index("age")
    assert found["n"].to_dict() == {"day": 2, "week": 2, "month": 1, "longer": 1}
    assert found["n_late"].to_dict() == {"day": 0, "week": 1, "month": 1, "longer": 1}


def test_large_customers_with_bad_cases_by_plain_pandas(result, tickets):
    contracts = pd.read_parquet(SAMPLE / "contracts.parquet")
    ends, signed = pd.to_datetime(contracts["ends_on"]), pd.to_datetime(contracts["signed_on"])
    runs = ends.fillna(signed + pd.Timedelta(days=365)) >= LAST
    runs &= ~(pd.to_datetime(contracts["cancelled_on"]) <= LAST)
    money = contracts[runs].groupby("account_id")["amount"].sum().astype(float)
    edge = money.sort_values(ascending=False).iloc[round(len(money) * 0.2) - 1]
    lately = LAST - pd.Timedelta(days=90)
    rated = tickets[(tickets["csat"] <= 2) & (tickets["closed_at_day"] >= lately)]
    again = tickets[tickets["is_repeat"] & (tickets["opened_at_day"] >= lately)]
    late = result.waiting[result.waiting["is_late"].astype(bool)]
    bad = set(rated["account_id"]) | set(again["account_id"]) | set(late["account_id"])
    want = {a for a in bad if a in money.index}
    assert set(result.customers["account_id"]) == want
    large = result.customers[result.customers["is_large"].astype(bool)]
    assert set(large["account_id"]) == {a for a in want if money[a] >= edge}
    assert result.metrics["large_money"] == pytest.approx(money[list(large["account_id"])].sum())
    assert result.metrics["n_running"] == len(money)


@pytest.mark.parametrize(("n", "share", "want"), [(10, 0.2, 9.0), (3, 0.2, 3.0), (10, 1.0, 1.0)])
def test_the_largest_are_at_least_one(n, share, want):
    assert large_from(pd.Series(np.arange(1.0, n + 1)), share) == want


def test_a_team_sees_its_own_customers_only(sample_book):
    team = sample_book.scope(team="华东/一组")
    told = service(team)
    mine = set(team.accounts.select("id").to_pandas()["id"])
    for frame in (told.waiting, told.customers):
        assert set(frame["account_id"]) <= mine
    assert 0 < told.metrics["n_rated"] < service(sample_book).metrics["n_rated"]


def test_in_the_past_it_is_what_was_known_then(sample_book):
    then = service(sample_book.as_of("2026-03-31"))
    back = service(sample_book, period="2026-03")
    assert then.metrics["csat"] == back.metrics["csat"]
    assert list(then.waiting["id"]) == list(back.waiting["id"])


def company(n: int, **columns: list):
    """Make a company of `n` cases at one customer, one a day, all of March to May."""
    opened = [T("2026-03-25 02:00") + pd.Timedelta(hours=12 * i) for i in range(n)]
    whole = {"id": [f"x{i}" for i in range(n)], "account_id": ["a1"] * n, "opened_at": opened,
             "first_response_at": opened, "closed_at": opened,
             "product_line": ["gateway"] * n, "is_repeat": [False] * n, "csat": [5.0] * n,
             "severity": ["high"] * n} | columns  # fmt: skip
    return book_of({
        **deals(won(id="d1", amount=1.0, closed_at=T("2026-01-02"))), **table("tickets", **whole),
        **table("accounts", id=["a1"], name=["One"]),
    })  # fmt: skip


def codes(told) -> list[str]:
    return [finding.code for finding in told.findings]


def test_nothing_is_found_where_all_is_well():
    told = service(company(120))
    assert told.findings == ()
    assert told.metrics["csat"] == 1.0


def test_levels_broken_beyond_the_norm_are_found():
    opened = [T("2026-03-25 02:00") + pd.Timedelta(hours=12 * i) for i in range(120)]
    slow = [at + pd.Timedelta(days=20 if i % 2 else 0) for i, at in enumerate(opened)]
    told = service(company(120, closed_at=slow))
    assert codes(told) == ["service.slow"]
    assert told.findings[0].subject == "sla_resolution"
    # Four such cases are no proof.
    assert service(company(4, closed_at=slow[:4])).findings == ()


def test_a_product_whose_complaints_come_again_is_named():
    again = [i % 3 == 0 for i in range(120)]
    told = service(company(120, is_repeat=again))
    assert codes(told) == ["service.repeats"]
    assert told.findings[0].evidence["n_again"] == 40
    for lang, want in (("en", "gateway"), ("zh", "gateway")):
        with language(lang):
            assert want in say_finding(told.findings[0]).text
            assert "gateway" in told.exhibit("repeats").html()


def with_contracts(bad_renewed: int, good_renewed: int, of: int = 60):
    """Make `of` contracts after a bad case and as many after a good one; so many are renewed."""
    rows, cases, lines = [], [], []
    for i in range(2 * of):
        is_bad, nth = i < of, i % of
        renewed = nth < (bad_renewed if is_bad else good_renewed)
        end = day("2026-01-31")
        rows.append(contract(id=f"c{i}", amount=100.0, signed_on=day("2025-02-01"), ends_on=end,
                             renewed_by=f"n{i}" if renewed else None)
                    | {"account_id": f"a{i}", "starts_on": day("2025-02-01")})  # fmt: skip
        lines.append((f"l{i}", f"c{i}"))
        if renewed:
            rows.append(contract(id=f"n{i}", amount=100.0, signed_on=day("2026-01-20"),
                                 ends_on=day("2026-09-30"), renewed_by=None)
                        | {"account_id": f"a{i}", "starts_on": day("2026-02-01")})  # fmt: skip
        cases.append((f"x{i}", f"a{i}", T("2025-12-01 02:00"), 1.0 if is_bad else 5.0))
        # A bad case of now, so that the customer is on the list.
        cases.append((f"y{i}", f"a{i}", T("2026-06-01 02:00"), 1.0 if is_bad else 5.0))
    columns = {c: [row.get(c) for row in rows] for c in rows[0]}
    told = {c: [row[k] for row in cases] for k, c in enumerate(("id", "account_id", "opened_at",
                                                                "csat"))}  # fmt: skip
    told["closed_at"] = told["first_response_at"] = told["opened_at"]
    n = len(lines)
    return book_of({
        **deals(won(id="d1", amount=1.0, closed_at=T("2026-01-02"))),
        **table("contracts", **columns),
        **table("contract_lines", id=[x for x, _c in lines], contract_id=[c for _x, c in lines],
                kind=["subscription"] * n, amount=[100.0] * n, months=[12.0] * n),
        **table("tickets", **told),
        **table("accounts", id=[f"a{i}" for i in range(2 * of)],
                name=[f"N{i}" for i in range(2 * of)]),
    })  # fmt: skip


def test_contracts_that_leave_after_bad_cases_are_sized():
    book = with_contracts(bad_renewed=20, good_renewed=50)
    found = renewed_by_cases(book).set_index("group")
    assert found.loc["bad", ["n", "n_renewed"]].tolist() == [60, 20]
    assert found.loc["good", ["n", "n_renewed"]].tolist() == [60, 50]
    told = service(book)
    assert codes(told) == ["service.bad_cases_leave"]
    finding = told.findings[0]
    # Twenty customers with a bad case have a contract of 100 that ends within half a year.
    assert finding.at_stake == 2000.0
    assert finding.recoverable.middle == pytest.approx(2000 * (50 - 20) / 60)
    assert finding.recoverable.low < finding.recoverable.middle < finding.recoverable.high


def test_a_difference_within_chance_is_none():
    assert "service.bad_cases_leave" not in codes(service(with_contracts(45, 48)))


def test_without_contracts_or_levels_it_says_what_is_missing(tiny_book):
    told = service(tiny_book)
    gaps = {gap.what: gap for gap in told.gaps}
    assert gaps["what.service_customers"].reason == "missing_table"
    assert gaps["what.service_call_backs"].needs == "contracts"
    settings = Settings.default().model_copy(update={"service_levels": ()})
    bare = service(book_of({
        **deals(won(id="d1", amount=1.0, closed_at=T("2026-01-02"))),
        **table("tickets", id=["x"], account_id=["a1"], opened_at=[T("2026-05-01")],
                closed_at=[T("2026-05-02")], first_response_at=[T("2026-05-01")]),
    }, settings))  # fmt: skip
    assert {gap.what: gap.reason for gap in bare.gaps}["what.service_levels"] == "no_service_level"
    assert not bad_customers(tiny_book).size
