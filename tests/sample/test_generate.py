"""A generated company is whole, the same options give the same bytes, and it is written at once."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import salesops.sample.write as writing
from salesops.model.settings import Settings
from salesops.sample.generate import SampleCompany, generate
from salesops.sample.options import PROBLEMS, BadSample, SampleOptions
from salesops.sample.write import write_company, write_sample
from tests.fixtures import SAMPLE

END = pd.Timestamp("2026-06-20")


def frame(made: SampleCompany, table: str) -> pd.DataFrame:
    return made.tables[table].to_pandas()


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
    end = END + pd.Timedelta(hours=16)
    known = {"opportunities": ("created_at", "closed_at"), "changes": ("changed_at",),
             "activities": ("logged_at",), "leads": ("created_at", "converted_at"),
             "tickets": ("opened_at", "closed_at")}  # fmt: skip
    for name, columns in known.items():
        for column in columns:
            assert frame(planted, name)[column].max() < end, (name, column)
    assert pd.to_datetime(frame(planted, "receipts")["received_on"]).max() < end


def _digest(made: SampleCompany) -> dict[str, str]:
    return {
        name: hashlib.sha256(
            "\n".join(sorted(rows.to_pandas().to_csv(index=False).splitlines())).encode()
        ).hexdigest()
        for name, rows in made.tables.items()
    }


OPTIONS = {"months": 6, "deals_per_month": 30}


def test_the_same_seed_gives_the_same_rows_and_another_seed_others():
    one, same = (generate(SampleOptions(seed=5, **OPTIONS)) for _ in range(2))
    other = generate(SampleOptions(seed=6, **OPTIONS))
    assert _digest(one) == _digest(same)
    assert _digest(one)["opportunities"] != _digest(other)["opportunities"]


def test_another_process_gives_the_same_rows(tmp_path):
    code = (
        "import json, sys; from salesops.sample.options import SampleOptions;"
        "from salesops.sample.generate import generate;"
        "from tests.sample.test_generate import _digest, OPTIONS;"
        "print(json.dumps(_digest(generate(SampleOptions(seed=5, **OPTIONS)))))"
    )
    told = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True,
        cwd=SAMPLE.parents[1], env=os.environ | {"PYTHONHASHSEED": "7"},
    )  # fmt: skip
    assert json.loads(told.stdout) == _digest(generate(SampleOptions(seed=5, **OPTIONS)))


def test_months_teams_and_deals_are_as_many_as_asked_for():
    made = generate(SampleOptions(clean=True, months=12, deals_per_month=40, teams=3))
    users, deals = frame(made, "users"), frame(made, "opportunities")
    assert users.loc[users["role"] == "rep", "team"].nunique() == 3
    begun = deals[(deals["type"] != "renewal") & (deals["created_at"] >= "2025-07-01")]
    months = (END - pd.Timestamp("2025-07-01")).days / 30.4375
    assert len(begun) / months == pytest.approx(40, abs=3 * len(begun) ** 0.5 / months)
    more = generate(SampleOptions(clean=True, months=6, teams=10))
    assert frame(more, "users").query("role == 'rep'")["team"].nunique() == 10
    # Twice the teams are twice the company: deals, leads and the target.
    year = frame(more, "targets").query("metric == 'bookings' and level == 'company'")
    assert year["amount"].astype(float).sum() == pytest.approx(2 * 102_000_000, rel=0.01)


def test_the_committed_sample_is_what_the_generator_makes(tmp_path, planted):
    write_company(tmp_path / "sample", planted)
    for path in sorted((tmp_path / "sample").rglob("*")):
        if path.is_file() and path.suffix != ".parquet":
            committed = SAMPLE / path.relative_to(tmp_path / "sample")
            assert committed.read_bytes() == path.read_bytes(), path.name
        elif path.suffix == ".parquet":
            committed = pd.read_parquet(SAMPLE / path.name)
            pd.testing.assert_frame_equal(committed, pd.read_parquet(path))


def test_the_committed_sample_is_small():
    tables = [path for path in SAMPLE.rglob("*") if path.is_file() and "runs" not in path.parts]
    assert sum(path.stat().st_size for path in tables) <= 8 * 1024 * 1024


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


@pytest.mark.parametrize("clean", [True, False])
def test_the_small_company_is_one_workbook_with_a_title_row(tmp_path, clean):
    write_sample(tmp_path / "small", SampleOptions(preset="small", clean=clean))
    (book,) = (tmp_path / "small").glob("*.xlsx")
    titles = [pd.read_excel(book, sheet_name=n, header=None, nrows=1).iloc[0] for n in (0, 1)]
    assert [title.notna().sum() for title in titles] == [1, 1]
    deals = pd.read_excel(book, sheet_name=0, header=1)
    leads = pd.read_excel(book, sheet_name=1, header=1)
    assert (len(deals), len(leads)) == (120, 300)
    assert {"合同额(万元)", "应收日期", "已回款(万元)", "来源"} <= set(deals.columns)
    assert deals["负责人"].nunique() == 5
    won = deals["阶段"] == "已签约"
    assert won.sum() > 10
    assert deals.loc[~won, ["应收日期", "已回款(万元)"]].isna().all(axis=None)
    assert (deals["已回款(万元)"].fillna(0) <= deals["合同额(万元)"] + 1e-6).all()
    assert pd.to_datetime(deals["登记日期"]).max() <= END


@pytest.mark.parametrize("seed", range(2, 8))
def test_any_seed_makes_a_small_company(tmp_path, seed):
    write_sample(tmp_path / "small", SampleOptions(preset="small", seed=seed))
    (book,) = (tmp_path / "small").glob("*.xlsx")
    assert len(pd.read_excel(book, sheet_name=0, header=1)) == 120


def test_a_large_company_is_made_of_divisions_that_share_nothing_but_its_targets(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(writing, "DIVISION_TEAMS", 6)
    monkeypatch.setattr(writing, "DIVISION_PER_MONTH", 60)
    done: list[tuple[int, int]] = []
    options = SampleOptions(preset="large", months=4, deals_per_month=180)
    write_sample(tmp_path / "co", options, progress=lambda n, of: done.append((n, of)))
    assert done == [(1, 3), (2, 3), (3, 3)]
    for name in ("opportunities", "users", "accounts", "contracts", "leads", "activities"):
        assert pd.read_parquet(tmp_path / "co" / name)["id"].is_unique, name
    users = pd.read_parquet(tmp_path / "co" / "users")
    assert users.loc[users["role"] == "rep", "team"].nunique() == 3 * 6
    targets = pd.read_parquet(tmp_path / "co" / "targets").astype({"amount": float})
    assert not targets.duplicated(["period", "level", "key", "metric"]).any()
    sums = targets[targets["metric"] == "collection"].groupby(["level", "period"])["amount"].sum()
    assert (sums["company"] == sums["team"]).all()
    assert (sums["company"] == sums["region"]).all()
    assert (tmp_path / "co" / "truth" / "division-0003" / "problems.json").exists()


@pytest.mark.parametrize(
    "wrong",
    [
        {"problems": {"P19": 1.0}}, {"problems": {"P1": -1.0}}, {"without": frozenset({"P0"})},
        {"months": 1}, {"teams": 0}, {"seed": -1}, {"preset": "huge"}, {"exports": "weekly"},
        {"season": "wet"}, {"deals_per_month": 0},
    ],
)  # fmt: skip
def test_an_impossible_company_is_refused_with_what_is_possible(wrong):
    with pytest.raises(BadSample) as error:
        SampleOptions(**wrong)
    assert "Expected:" in str(error.value)


def test_no_real_file_is_half_written(tmp_path, monkeypatch):
    def stop(*_args):
        raise KeyboardInterrupt

    (tmp_path / "co").mkdir()
    (tmp_path / "co" / "mine.txt").write_text("mine")
    monkeypatch.setattr(writing, "_write_truth", stop)
    with pytest.raises(KeyboardInterrupt):
        write_sample(tmp_path / "co", SampleOptions(months=4, deals_per_month=10))
    assert [p.name for p in Path(tmp_path).iterdir()] == ["co"]
    assert (tmp_path / "co" / "mine.txt").read_text() == "mine"
