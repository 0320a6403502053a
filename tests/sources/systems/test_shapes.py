"""The shapes of single systems: sub-forms, pages of answers, months, the public pool, stages."""

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from salesops.book.book import Book, open_book
from salesops.book.store import open_store
from salesops.book.write import read_tables
from salesops.model.settings import default_text
from salesops.sources.history import UnclearHistory
from salesops.sources.importing import import_path
from salesops.sources.mapping import mapping_text, read_mapping
from salesops.sources.questions import Unanswered
from salesops.sources.readers import UnreadableFile, read_sheet
from tests.sources.systems.company import made
from tests.sources.systems.roundtrip import in_its_words, writer

HERE = Path(__file__).parent


def agreed(source: str) -> dict[str, str]:
    """Agree to a mapping that nobody has held against a file, of which the import asks."""
    assumed = read_mapping(mapping_text(source), source).verified == "assumed"
    return {"assumed": "yes"} if assumed else {}


def imported(folder: Path, source: str, **options) -> Book:
    import_path(folder / "export", source=source, into=folder / "book", answers=agreed(source),
                **options)  # fmt: skip
    return open_book(folder / "book")


def written(name: str, folder: Path, **options) -> None:
    module = writer(name)
    module.write(in_its_words(made(), module), folder / "export", **options)


def test_entries_of_a_sub_form_become_rows_and_fields_may_be_widgets(tmp_path):
    shutil.copytree(HERE / "jiandaoyun" / "widgets", tmp_path / "export")
    book = imported(tmp_path, str(tmp_path / "export" / "mapping.toml"))
    deals = book.opportunities.to_pandas().set_index("id")
    assert deals["stage"].tolist() == ["初步接触", "赢单", "商务谈判"]
    assert deals["owner_id"].tolist() == ["zhangwei", "lina", "zhangwei"]
    parts = book.instalments.to_pandas()
    assert parts["contract_id"].tolist() == ["66f1a0b1c2d3e4f5a6b7c802"] * 2
    assert parts["amount"].astype(float).tolist() == [36_000, 84_000]
    assert sum(parts["amount"]) == book.contracts.to_pandas()["amount"].sum()


def test_a_stage_that_nobody_wrote_down_is_asked_for_with_the_answer_to_write(tmp_path):
    written("jiandaoyun", tmp_path)
    deals = tmp_path / "export" / "商机登记.csv"
    text = deals.read_text(encoding="utf-8-sig").replace("商务谈判", "冲刺甲")
    deals.write_text(text, encoding="utf-8-sig")
    with pytest.raises(Unanswered) as error:
        imported(tmp_path, "jiandaoyun")
    assert "冲刺甲: nothing in 商机登记.csv says whether it is open, won or lost" in str(
        error.value
    )
    assert "--answer 'stages=" in str(error.value)
    assert not (tmp_path / "book").exists()


@pytest.mark.parametrize("leaving", [False, True])
def test_zohos_history_gives_the_same_whichever_way_its_rows_are_written(leaving, tmp_path):
    written("zoho", tmp_path, leaving=leaving)
    log = imported(tmp_path, "zoho").changes.to_pandas()
    expected = in_its_words(made(), writer("zoho"))["changes"]
    for field in ("stage", "amount", "expected_close_on"):
        want = expected[expected["field"] == field]
        got = log[(log["field"] == field) & log["changed_after"].isna()]
        columns = ["entity_id", "old_value", "new_value", "changed_at"]
        left, right = (sorted(f[columns].astype(str).values.tolist()) for f in (want, got))
        assert left == right, field


def test_a_history_that_can_be_read_both_ways_is_refused(tmp_path):
    written("zoho", tmp_path)
    place = tmp_path / "export" / "Stage_History.json"
    answer = json.loads(place.read_text(encoding="utf-8"))
    for n, row in enumerate(answer["data"]):
        row["Stage_Duration_Calendar_Days"] = None
        # Half of the first rows were written with the deal, half of them weeks later.
        row["Modified_Time"] = f"2026-0{1 + n % 6}-1{n % 9}T10:00:00+08:00"
    answer["data"] = answer["data"][:6]
    deals = pd.read_csv(tmp_path / "export" / "Deals_001.csv", dtype=str)
    born = dict(zip(deals["Record Id"].str.removeprefix("zcrm_"), deals["Created Time"],
                    strict=True))  # fmt: skip
    first = answer["data"][0]
    first["Modified_Time"] = born[first["Potential_Name"]["id"]].replace(" ", "T") + "+08:00"
    place.write_text(json.dumps(answer), encoding="utf-8")
    with pytest.raises(UnclearHistory, match='form = "states"'):
        imported(tmp_path, "zoho")


def test_months_in_columns_become_rows_and_nought_is_no_target(tmp_path):
    written("wukong", tmp_path)
    imported(tmp_path, "wukong")
    # Of the store: a target of a month to come is not known yet in the book.
    targets = read_tables(open_store(tmp_path / "book"))["targets"].to_pandas()
    assert sorted(set(targets["period"])) == ["2026-01", "2026-02", "2026-12"]
    assert set(targets["level"]) == {"user"}
    table = targets.pivot_table(index="metric", values="amount", aggfunc="sum")["amount"]
    assert {k: float(v) for k, v in table.items()} == {
        "bookings": 6 * 120_000, "collection": 6 * 80_000}  # fmt: skip


def test_what_was_not_approved_is_neither_signed_nor_received(tmp_path):
    written("wukong", tmp_path)
    raw = pd.read_csv(tmp_path / "export" / "5kcrm_crm_contract.csv", dtype=str)
    assert (raw["check_status"] == "0").sum() == 1
    contracts = imported(tmp_path, "wukong").contracts.to_pandas()
    assert len(contracts) == (raw["check_status"] == "2").sum()


def test_what_lies_in_the_public_pool_belongs_to_a_person_with_that_role(tmp_path):
    written("fxiaoke", tmp_path)
    book = imported(tmp_path, "fxiaoke")
    people = book.users.to_pandas().set_index("id")
    (pool,) = people.index[people["role"] == "pool"]
    owners = book.accounts.to_pandas()["owner_id"]
    assert (owners == pool).sum() == 1
    assert people.loc[pool, "name"] == "华东公海"


def test_ids_of_nineteen_digits_keep_them_all(tmp_path):
    (tmp_path / "a.json").write_text('[{"id": 6144042674403041757, "x": 0.1}]', encoding="utf-8")
    assert read_sheet(tmp_path / "a.json").frame.iloc[0].tolist() == ["6144042674403041757", "0.1"]


@pytest.mark.parametrize(
    ("text", "ids"),
    [('{"code": 200, "ext": [], "result": {"records": [{"id": 1}, {"id": 2}]}}', ["1", "2"]),
     ('[{"result": {"records": [{"id": 1}]}}, {"result": {"records": [{"id": 2}]}}]', ["1", "2"]),
     ('{"data": [{"id": 1}]}\n{"data": [{"id": 2}]}\n', ["1", "2"]),
     ('[{"id": 1, "subs": [{"a": 1}], "others": [{"b": 2}]}, {"id": 2}]', ["1", "2"]),
     ('{"errorCode": 0, "data": {"dataList": []}}', [])],
)  # fmt: skip
def test_records_are_found_in_whatever_an_answer_wraps_them(text, ids, tmp_path):
    (tmp_path / "a.json").write_text(text, encoding="utf-8")
    frame = read_sheet(tmp_path / "a.json").frame
    assert (frame["id"].tolist() if ids else frame.index.tolist()) == ids


@pytest.mark.parametrize(
    ("text", "told"),
    [("{", "no JSON"), ("[1, 2]", "no records"), ('"a"', "no list of records"),
     ('{"a": [{"x": 1}], "b": [{"y": 2}]}', "several lists"), ("[" * 100_000, "no JSON")],
)  # fmt: skip
def test_json_that_holds_no_records_is_told(text, told, tmp_path):
    (tmp_path / "a.json").write_text(text, encoding="utf-8")
    with pytest.raises(UnreadableFile, match=told):
        read_sheet(tmp_path / "a.json")


def test_refunds_are_negative_receipts(tmp_path):
    written("kingdee", tmp_path)
    (tmp_path / "export" / "AR_REFUNDBILL.csv").write_text(
        "FBillNo,FDate,FREFUNDTOTALAMOUNTFOR,FDocumentStatus\nTK1,2026-03-02,500.25,C\n"
        "TK2,2026-03-03,10,A\n", encoding="utf-8")  # fmt: skip
    receipts = imported(tmp_path, "kingdee").receipts.to_pandas().set_index("id")
    assert float(receipts.loc["TK1", "amount"]) == -500.25
    assert "TK2" not in receipts.index


def test_a_deal_in_the_recycle_bin_is_void_from_then_on(tmp_path):
    written("salesforce", tmp_path)
    place = tmp_path / "export" / "Opportunity.csv"
    raw = pd.read_csv(place, dtype=str, keep_default_na=False, encoding="utf-8")
    raw.loc[0, ["IsDeleted", "SystemModstamp"]] = ["1", "2026-02-20 03:00:00"]
    raw.to_csv(place, index=False)
    book = imported(tmp_path, "salesforce")
    deal = raw.loc[0, "Id"]
    outcomes = [book.as_of(day).opportunities.to_pandas().set_index("id").loc[deal, "outcome"]
                for day in ("2026-02-19", "2026-02-21")]  # fmt: skip
    assert outcomes == ["open", "void"]


@pytest.mark.parametrize(
    ("file", "table"),
    [("Task.csv", "activities"), ("Contact.csv", "contacts"), ("Case.csv", "tickets")],
)  # fmt: skip
def test_what_lies_in_the_recycle_bin_beside_deals_is_left_out(file, table, tmp_path):
    written("salesforce", tmp_path)
    n = imported(tmp_path, "salesforce").n(table)
    place = tmp_path / "export" / file
    raw = pd.read_csv(place, dtype=str, keep_default_na=False, encoding="utf-8")
    raw["IsDeleted"] = ["true", *["false"] * (len(raw) - 1)]
    raw.to_csv(place, index=False)
    shutil.rmtree(tmp_path / "book")
    assert imported(tmp_path, "salesforce").n(table) == n - 1


def test_of_several_companies_of_a_deal_the_first_one_counts(tmp_path):
    written("hubspot", tmp_path)
    (place,) = (tmp_path / "export").glob("*deals*.csv")
    raw = pd.read_csv(place, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    firms = raw.set_index("Record ID")["Associated Company IDs"]
    raw["Associated Company IDs"] += ";99"
    raw.to_csv(place, index=False)
    found = imported(tmp_path, "hubspot").opportunities.to_pandas().set_index("id")["account_id"]
    assert found.to_dict() == firms.to_dict()


def test_a_stage_more_in_a_later_export_is_put_in_its_place_and_edits_stay(tmp_path):
    written("salesforce", tmp_path)
    imported(tmp_path, "salesforce", exported_at="2026-06-30")
    mine = tmp_path / "book" / "salesops.toml"
    text = mine.read_text(encoding="utf-8").replace('"My company"', '"宁波工厂"')
    mine.write_text(text, encoding="utf-8")
    place = tmp_path / "export" / "Opportunity.csv"
    raw = pd.read_csv(place, dtype=str, keep_default_na=False)
    at = raw.index[raw["StageName"] == "Prospecting"][0]
    raw.loc[at, ["StageName", "StageSortOrder", "Probability"]] = ["Démonstration", "2.5", "50"]
    raw.to_csv(place, index=False)
    report = import_path(tmp_path / "export", source="salesforce", into=tmp_path / "book",
                         exported_at="2026-07-31")  # fmt: skip
    assert [stage.key for stage in report.stages] == ["Démonstration"]
    settings = open_book(tmp_path / "book").settings
    assert settings.company.name == "宁波工厂"
    assert settings.stage_ids("open") == ("Prospecting", "Qualification approfondie",
                                          "Démonstration", "Négociation")  # fmt: skip


def test_stages_that_own_settings_name_get_the_ids_of_these(tmp_path):
    written("kingdee", tmp_path)
    text = default_text()
    for old, new in (("客户获取", "初步接洽"), ("需求分析", "需求调研"), ("商务洽谈", "商务谈判"),
                     ("签约与交付", "赢单")):  # fmt: skip
        text = text.replace(f'zh = "{old}", en = "{_EN[old]}"', f'zh = "{new}", en = "{_EN[old]}"')
    (tmp_path / "export" / "salesops.toml").write_text(text, encoding="utf-8")
    report = import_path(tmp_path / "export", source="kingdee", into=tmp_path / "book",
                         answers=agreed("kingdee"))  # fmt: skip
    assert report.stages == ()
    book = open_book(tmp_path / "book")
    expected = made()["opportunities"].set_index("id")["stage"]
    found = book.opportunities.to_pandas().set_index("id")["stage"]
    assert found.to_dict() == expected.to_dict()
    log = book.changes.to_pandas().query("field == 'stage'")
    assert {*log["old_value"], *log["new_value"]} <= set(book.settings.stage_ids())


_EN = {"客户获取": "Acquisition", "需求分析": "Needs", "商务洽谈": "Negotiation",
       "签约与交付": "Contract and delivery"}  # fmt: skip


def test_a_days_date_is_the_companys_whatever_the_zone_of_the_times(tmp_path):
    written("fivetran_salesforce", tmp_path)
    settings = default_text().replace('"Asia/Shanghai"', '"America/New_York"')
    (tmp_path / "export" / "salesops.toml").write_text(settings, encoding="utf-8")
    book = imported(tmp_path, "fivetran_salesforce")
    raw = pd.read_csv(tmp_path / "export" / "opportunity.csv", dtype=str).set_index("id")
    found = book.opportunities.to_pandas().set_index("id")
    days = pd.to_datetime(found["expected_close_on"]).dt.strftime("%Y-%m-%d 00:00:00")
    assert days.to_dict() == raw["close_date"].to_dict()
    assert (found["created_at"].astype(str) == raw["created_date"].reindex(found.index)).all()
