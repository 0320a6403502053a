"""The clean company has the figures that it claims; the same options give the same bytes."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from salesops.model.settings import Settings
from salesops.sample.generate import SampleCompany, generate
from salesops.sample.options import PROBLEMS, BadSample, SampleOptions
from salesops.sample.write import write_sample
from tests.fixtures import SAMPLE


@pytest.fixture(scope="module")
def clean() -> SampleCompany:
    # Five years, so that sampling error is small.
    return generate(SampleOptions(clean=True, months=60))


@pytest.fixture(scope="module")
def planted() -> SampleCompany:
    return generate()


@pytest.fixture(scope="module")
def deals(clean) -> pd.DataFrame:
    rows = clean.tables["opportunities"].to_pandas()
    rows = rows[rows["type"] != "renewal"].astype({"amount": float})
    rows["closed_local"] = rows["closed_at"] + pd.Timedelta(hours=8)
    return rows


def frame(made: SampleCompany, table: str) -> pd.DataFrame:
    return made.tables[table].to_pandas()


def three_errors(share: float, n: int) -> float:
    return 3 * float(np.sqrt(share * (1 - share) / n))


def test_nine_in_ten_are_decided_and_a_quarter_of_those_won(deals):
    ended = deals[deals["closed_at"].notna()]
    decided = ended[ended["is_won"].notna()]
    assert len(decided) / len(ended) == pytest.approx(0.90, abs=three_errors(0.9, len(ended)))
    won = (decided["is_won"] == True).mean()  # noqa: E712
    assert won == pytest.approx(0.25, abs=three_errors(0.25, len(decided)))


def test_the_win_rate_by_value_is_lower(deals):
    decided = deals[deals["is_won"].notna()]
    won = decided.loc[decided["is_won"] == True, "amount"]  # noqa: E712
    rate = won.sum() / decided["amount"].sum()
    # Sampling error of a ratio of sums, by the delta method.
    weight = np.where(decided["is_won"] == True, 1 - rate, -rate) * decided["amount"]  # noqa: E712
    error = float(np.sqrt((weight**2).sum())) / decided["amount"].sum()
    assert rate == pytest.approx(0.22, abs=3 * error)


def test_sizes_are_lognormal_with_the_stated_median_and_mean(deals):
    amount = deals["amount"]
    spread = float(np.log(amount).std())
    error = 3 * 1.2533 * spread / np.sqrt(len(amount))
    assert np.log(amount.median() / 140_000) == pytest.approx(0, abs=error)
    assert amount.mean() == pytest.approx(256_000, abs=3 * amount.std() / np.sqrt(len(amount)))
    top = amount[amount >= amount.quantile(0.9)].sum() / amount.sum()
    assert top == pytest.approx(0.43, abs=0.03)
    won = deals.loc[deals["is_won"] == True, "amount"]  # noqa: E712
    assert won.mean() == pytest.approx(220_000, abs=3 * won.std() / np.sqrt(len(won)))


def test_won_deals_take_75_days_and_a_tenth_of_them_190(deals):
    won = deals[(deals["is_won"] == True) & (deals["created_at"] > "2021-12-31")]  # noqa: E712
    days = (won["closed_at"] - won["created_at"]).dt.total_seconds() / 86_400
    assert days.median() == pytest.approx(75, abs=4)
    assert days.quantile(0.9) == pytest.approx(190, abs=15)
    large = days[won["amount"] > 800_000]
    assert large.median() == pytest.approx(150, abs=25)
    repeat = days[won["type"] == "expansion"]
    assert repeat.median() == pytest.approx(30, abs=4)
    lost = deals[deals["is_won"] == False]  # noqa: E712
    days = (lost["closed_at"] - lost["created_at"]).dt.total_seconds() / 86_400
    assert days.median() == pytest.approx(50, abs=4)


def test_the_year_is_signed_by_the_stated_season(deals):
    won = deals[(deals["is_won"] == True)]  # noqa: E712
    whole = won[won["closed_local"].dt.year.isin([2022, 2023, 2024, 2025])]
    share = whole.groupby(whole["closed_local"].dt.month).size() / len(whole)
    stated = dict(zip(range(1, 13), (5, 3, 8, 6, 7, 11, 6, 6, 10, 6, 10, 22), strict=True))
    for month in range(4, 13):
        wanted = stated[month] / 100
        assert share[month] == pytest.approx(wanted, abs=three_errors(wanted, len(whole))), month
    # The festival moves within the first three months; together they keep their share.
    winter = share.loc[1:3].sum()
    assert winter == pytest.approx(0.16, abs=three_errors(0.16, len(whole)))


def test_nothing_is_signed_at_the_spring_festival(deals):
    won = deals.loc[deals["is_won"] == True, "closed_local"]  # noqa: E712
    for new_year in ("2024-02-10", "2025-01-29", "2026-02-17"):
        first = pd.Timestamp(new_year)
        assert not won.between(first - pd.Timedelta(days=1), first + pd.Timedelta(days=6)).any()


def test_quarters_are_signed_at_their_ends(deals):
    won = deals.loc[deals["is_won"] == True, "closed_local"]  # noqa: E712
    late, n = 0, 0
    for year in (2022, 2023, 2024, 2025):
        for month in (6, 9, 12):
            days = pd.date_range(f"{year}-{month:02d}-01", periods=1, freq="ME")[0]
            inside = won[(won.dt.year == year) & (won.dt.month == month)]
            late += (inside.dt.day >= days.day - 6).sum()
            n += len(inside)
    assert late / n == pytest.approx(0.65, abs=0.05)


def test_a_tenth_of_the_leads_become_deals_and_two_in_a_hundred_customers(clean, deals):
    leads = frame(clean, "leads")
    old = leads[leads["created_at"] < leads["created_at"].max() - pd.Timedelta(days=400)]
    assert old["opportunity_id"].notna().mean() == pytest.approx(0.10, abs=0.008)
    won = set(deals.loc[deals["is_won"] == True, "id"])  # noqa: E712
    assert old["opportunity_id"].isin(won).mean() == pytest.approx(0.022, abs=0.004)


def test_four_in_five_instalments_are_paid_when_due(clean):
    instalments, receipts = frame(clean, "instalments"), frame(clean, "receipts")
    paid = receipts.dropna(subset="instalment_id").groupby("instalment_id")["received_on"].min()
    due = pd.to_datetime(instalments.set_index("id")["original_due_on"])
    both = pd.DataFrame({"due": due, "paid": pd.to_datetime(paid)}).dropna()
    old = both[both["due"] < "2024-12-31"]
    late = (old["paid"] - old["due"]).dt.days
    # A payment that falls on a holiday comes on the next working day.
    assert (late <= 8).mean() == pytest.approx(0.84, abs=0.04)
    assert (late > 180).mean() == pytest.approx(0.04, abs=0.015)


def test_new_people_ramp_up(clean, deals):
    users = frame(clean, "users").set_index("id")
    hired, left = pd.to_datetime(users["hired_on"]), pd.to_datetime(users["left_on"])
    stayed = (left.isna() | (left - hired > pd.Timedelta(days=400))) & (users["role"] == "rep")
    seen = (hired > "2021-07-15") & (hired < "2025-06-01")
    people = users.index[stayed & seen]
    assert len(people) > 20
    won = deals[(deals["is_won"] == True) & deals["owner_id"].isin(people)]  # noqa: E712
    age = (won["closed_local"] - won["owner_id"].map(hired)).dt.days // 30
    assert (age >= 0).all(), "nobody wins before they are hired"
    by_month = age.value_counts().sort_index()
    settled = by_month.loc[7:12].mean()
    ramp = {0: 0, 1: 0.15, 2: 0.35, 3: 0.60, 4: 0.80, 5: 1}
    for month, share in ramp.items():
        assert by_month.get(month, 0) / settled == pytest.approx(share, abs=0.30), month
    assert by_month.loc[0:1].sum() / 2 / settled < 0.30


def test_two_way_touches_keep_within_three_norms(clean, deals):
    touches = frame(clean, "activities")
    n = touches.groupby("user_id").size()
    assert len(n) > 20
    assert touches["logged_at"].ge(touches["occurred_at"]).all()


def test_targets_add_up_from_people_to_the_company(clean):
    targets = frame(clean, "targets").astype({"amount": float})
    bookings = targets[(targets["metric"] == "bookings") & (targets["period"] <= "2026-06")]
    people = frame(clean, "users").set_index("id")["team"]
    for period, rows in bookings.groupby("period"):
        by = {level: part.set_index("key")["amount"] for level, part in rows.groupby("level")}
        assert by["team"].sum() == by["region"].sum() == by["company"].sum(), period
        own = by["user"].groupby(by["user"].index.map(people)).sum()
        for team, amount in by["team"].items():
            assert own[team] / amount == pytest.approx(1.12, abs=0.001), (period, team)
    year = bookings[(bookings["level"] == "company") & bookings["period"].str.startswith("2025")]
    assert year["amount"].sum() == pytest.approx(102_000_000, rel=0.002)


def test_the_log_and_the_tables_tell_the_same(planted):
    deals = frame(planted, "opportunities").set_index("id")
    log = frame(planted, "changes")
    log = log[(log["entity"] == "opportunities") & (log["field"] != "_row")]
    last = log.sort_values(["changed_at", "seq"]).drop_duplicates(
        ["entity_id", "field"], keep="last"
    )
    for field in ("stage", "owner_id", "next_step"):
        rows = last[last["field"] == field].set_index("entity_id")["new_value"]
        assert (deals.loc[rows.index, field].fillna("") == rows.fillna("")).all(), field
    amounts = last[last["field"] == "amount"].set_index("entity_id")["new_value"].astype(float)
    assert (deals.loc[amounts.index, "amount"].astype(float) == amounts).all()
    chained = log.sort_values(["entity_id", "field", "changed_at", "seq"])
    before = chained.groupby(["entity_id", "field"])["new_value"].shift()
    follows = before.notna()
    assert (chained.loc[follows, "old_value"] == before[follows]).all()


def test_every_key_leads_to_a_row(planted):
    ids = {name: set(frame(planted, name)["id"]) for name in ("opportunities", "accounts", "users",
           "contracts", "instalments", "leads", "contacts")}  # fmt: skip
    keys = {"account_id": "accounts", "opportunity_id": "opportunities", "contract_id": "contracts",
            "owner_id": "users", "user_id": "users", "instalment_id": "instalments",
            "lead_id": "leads", "contact_id": "contacts"}  # fmt: skip
    for name, table in planted.tables.items():
        for key, to in keys.items():
            if key in table.column_names:
                missing = set(table[key].drop_null().to_pylist()) - ids[to]
                assert not missing, (name, key, sorted(missing)[:3])


def test_nothing_is_dated_after_the_last_day(planted):
    end = pd.Timestamp("2026-06-20 16:00")
    known = {"opportunities": ("created_at", "closed_at"), "changes": ("changed_at",),
             "activities": ("logged_at",), "leads": ("created_at", "converted_at"),
             "tickets": ("opened_at", "closed_at")}  # fmt: skip
    for name, columns in known.items():
        for column in columns:
            assert frame(planted, name)[column].max() < end, (name, column)
    assert pd.to_datetime(frame(planted, "receipts")["received_on"]).max() < end


PLANTED = {
    "P3": ("untouched_share", 0.14, 0.02), "P4": ("share_of_open_value", 0.18, 0.05),
    "P6": ("share", 0.06, 0.005), "P7": ("share", 0.22, 0.03), "P8": ("median_days", 11, 1),
    "P9": ("share", 0.45, 0.02), "P10": ("share_of_open", 0.20, 0.05),
    "P11": ("share_of_wins", 0.30, 0.08), "P12": ("share_of_open_value", 0.20, 0.035),
    "P15": ("amount", 4_000_000, 900_000), "P16": ("share_of_leads", 0.30, 0.02),
}  # fmt: skip


@pytest.mark.parametrize("problem", PLANTED)
def test_a_problem_has_the_size_that_it_states(planted, problem):
    name, size, tolerance = PLANTED[problem]
    assert planted.truth.figures[problem][name] == pytest.approx(size, abs=tolerance)


def test_two_leavers_left_so_many_accounts_and_deals(planted):
    found = planted.truth.figures["P5"]
    assert (found["accounts"], found["open_deals"], len(found["leavers"])) == (64, 31, 2)
    touches = frame(planted, "activities")
    left = pd.Timestamp(found["left_on"]) + pd.Timedelta(hours=10)
    rows = planted.truth.rows["P5"]
    deals = rows.loc[rows["table"] == "opportunities", "id"]
    mine = touches[touches["opportunity_id"].isin(deals)]["occurred_at"]
    assert not mine.between(left, left + pd.Timedelta(days=34)).any()


def test_a_clean_company_has_none_of_them():
    found = generate(SampleOptions(clean=True)).truth.figures
    assert found["P1"]["reps"] == []
    assert found["P5"]["wins_lost"] == 0 if "wins_lost" in found["P5"] else True
    assert found["P6"]["share"] == 0
    assert found["P7"]["share"] < 0.04
    assert found["P10"]["share_of_open"] < 0.06
    assert found["P11"]["reps"] == []
    assert found["P12"]["share_of_deals"] == 0
    assert found["P15"]["amount"] == 0
    assert found["P9"]["share"] < 0.20


@pytest.mark.parametrize("problem", ["P3", "P7", "P15"])
def test_a_problem_can_be_left_out_and_doubled(problem):
    name = {"P3": "untouched_share", "P7": "share", "P15": "amount"}[problem]
    sizes = [
        generate(SampleOptions(problems={problem: size})).truth.figures[problem][name]
        for size in (0.5, 1.0, 2.0)
    ]
    without = generate(SampleOptions(without=frozenset({problem}))).truth.figures[problem][name]
    assert without < sizes[0] < sizes[1] < sizes[2]


def _digest(made: SampleCompany) -> dict[str, str]:
    return {
        name: hashlib.sha256(
            "\n".join(sorted(rows.to_pandas().to_csv(index=False).splitlines())).encode()
        ).hexdigest()
        for name, rows in made.tables.items()
    }


def test_the_same_seed_gives_the_same_rows_and_another_seed_others():
    options = {"months": 6, "deals_per_month": 30}
    one, same = (generate(SampleOptions(seed=5, **options)) for _ in range(2))
    other = generate(SampleOptions(seed=6, **options))
    assert _digest(one) == _digest(same)
    assert _digest(one)["opportunities"] != _digest(other)["opportunities"]


def test_the_committed_sample_is_what_the_generator_makes(tmp_path, planted):
    write_sample(tmp_path / "sample")
    for path in sorted((tmp_path / "sample").rglob("*")):
        if path.is_file() and path.suffix != ".parquet":
            committed = SAMPLE / path.relative_to(tmp_path / "sample")
            assert committed.read_bytes() == path.read_bytes(), path.name
        elif path.suffix == ".parquet":
            name = path.stem
            committed = pd.read_parquet(SAMPLE / path.name)
            pd.testing.assert_frame_equal(committed, frame(planted, name))


def test_the_settings_of_the_sample_are_valid_and_its_truth_is_readable():
    assert Settings.read(SAMPLE / "salesops.toml").company.name == "云拓智联"
    truth = json.loads((SAMPLE / "truth" / "problems.json").read_text(encoding="utf-8"))
    assert set(truth) == set(PROBLEMS)


def test_monthly_exports_have_no_log_and_show_each_day_as_it_was(tmp_path, planted):
    options = SampleOptions(months=6, deals_per_month=40, exports="monthly", clean=True)
    write_sample(tmp_path / "co", options)
    days = sorted(p.name for p in (tmp_path / "co" / "exports").iterdir())
    assert days[0] == "2026-01-31"
    assert days[-1] == "2026-06-20"
    for day in days:
        place = tmp_path / "co" / "exports" / day
        assert not (place / "changes.csv").exists()
        deals = pd.read_csv(place / "opportunities.csv")
        assert (deals["created_at"] < f"{day} 16:00:00").all()
        assert not (deals["closed_at"].dropna() >= f"{day} 16:00:00").any()
        is_open = deals["closed_at"].isna()
        assert set(deals.loc[is_open, "stage"]) <= {
            "acquisition", "needs", "proposal", "negotiation", "legal_review",
        }  # fmt: skip


def test_the_small_company_is_one_workbook_with_a_title_row(tmp_path):
    write_sample(tmp_path / "small", SampleOptions(preset="small"))
    (book,) = (tmp_path / "small").glob("*.xlsx")
    deals = pd.read_excel(book, sheet_name=0, header=1)
    leads = pd.read_excel(book, sheet_name=1, header=1)
    assert (len(deals), len(leads)) == (120, 300)
    assert {"合同额(万元)", "应收日期", "已回款(万元)", "来源"} <= set(deals.columns)
    assert deals["负责人"].nunique() == 5


@pytest.mark.parametrize(
    "wrong", [{"problems": {"P19": 1.0}}, {"months": 1}, {"teams": 0}, {"seed": -1}]
)
def test_an_impossible_company_is_refused_with_what_is_possible(wrong):
    with pytest.raises(BadSample) as error:
        SampleOptions(**wrong)
    assert "Expected:" in str(error.value)


def test_no_real_file_is_half_written(tmp_path, monkeypatch):
    import salesops.sample.write as writing

    def stop(*_args):
        raise KeyboardInterrupt

    (tmp_path / "co").mkdir()
    (tmp_path / "co" / "mine.txt").write_text("mine")
    monkeypatch.setattr(writing, "_write_truth", stop)
    with pytest.raises(KeyboardInterrupt):
        write_sample(tmp_path / "co", SampleOptions(months=4, deals_per_month=10))
    assert [p.name for p in Path(tmp_path).iterdir()] == ["co"]
    assert (tmp_path / "co" / "mine.txt").read_text() == "mine"
