"""Real exports of CRM systems, each named by --source and asked nothing, against plain pandas."""

import os
from pathlib import Path

import pandas as pd
import pytest

from salesops.analyses.funnel import funnel
from salesops.book.book import Book, open_book
from salesops.sources.importing import import_path
from salesops.sources.readers import list_files
from salesops.sources.recognising import candidates, settled
from salesops.sources.report import ImportReport
from salesops.sources.seeing import look_at
from tests.sources.test_proposing import Person

pytestmark = pytest.mark.real_data


def export(name: str) -> Path:
    return Path(os.environ["SALESOPS_REAL_DATA"]) / name


def plain(folder: str, file: str) -> pd.DataFrame:
    place = export(folder) / file
    return pd.read_csv(place, dtype=str, keep_default_na=False, encoding="latin-1")


@pytest.fixture(scope="module")
def devorg(tmp_path_factory) -> tuple[ImportReport, Book]:
    into = tmp_path_factory.mktemp("devorg") / "book"
    report = import_path(export("salesforce_devorg"), source="salesforce_us", into=into)
    return report, open_book(into)


@pytest.fixture(scope="module")
def salesforce(tmp_path_factory) -> tuple[ImportReport, Book]:
    into = tmp_path_factory.mktemp("salesforce") / "book"
    report = import_path(export("dbt_salesforce"), source="fivetran_salesforce", into=into)
    return report, open_book(into)


@pytest.fixture(scope="module")
def hubspot(tmp_path_factory) -> tuple[ImportReport, Book]:
    into = tmp_path_factory.mktemp("hubspot") / "book"
    report = import_path(export("dbt_hubspot"), source="fivetran_hubspot", into=into)
    return report, open_book(into)


def test_a_developer_orgs_deals_stages_and_sums_are_those_of_its_files(devorg):
    report, book = devorg
    deals = plain("salesforce_devorg", "Opportunity.csv")
    found = book.opportunities.to_pandas()
    assert len(found) == len(deals) == 36
    assert found["stage"].value_counts().to_dict() == deals["StageName"].value_counts().to_dict()
    assert float(found["amount"].sum()) == pd.to_numeric(deals["Amount"]).sum() == 5_760_000
    outcomes = found["outcome"].value_counts().to_dict()
    assert outcomes["won"] == (deals["IsWon"] == "TRUE").sum() == 12
    assert outcomes["lost"] == ((deals["IsClosed"] == "TRUE") & (deals["IsWon"] == "FALSE")).sum()
    assert outcomes["open"] == (deals["IsClosed"] == "FALSE").sum() == 16
    assert report.read["OpportunityHistory.csv"] == 48


def test_a_developer_orgs_stages_stand_in_the_order_of_their_chances(devorg):
    _report, book = devorg
    deals = plain("salesforce_devorg", "Opportunity.csv")
    chances = deals.groupby("StageName")["Probability"].first().astype(int)
    listed = [s.id for s in book.settings.stages if s.kind == "open"]
    assert sorted(chances[listed]) == list(chances[listed])
    assert set(listed) | {"Closed Won", "Closed Lost"} == set(deals["StageName"])


@pytest.mark.parametrize(
    ("folder", "name"),
    [("dbt_salesforce", "fivetran_salesforce"), ("dbt_hubspot", "fivetran_hubspot"),
     ("maven_crm", "maven"), ("salesforce_devorg", "salesforce_us")],
)  # fmt: skip
def test_real_exports_are_recognised_unasked(folder, name):
    found = settled(candidates(look_at(list_files(export(folder)), whole=False)))
    assert found is not None
    assert found.source == name


@pytest.mark.parametrize("folder", ["dbt_salesforce", "dbt_hubspot", "maven_crm",
                                    "salesforce_devorg"])  # fmt: skip
def test_a_real_export_asks_at_most_one_question(folder, tmp_path):
    person = Person()
    report = import_path(export(folder), into=tmp_path / "book", talk=person, dry_run=True)
    assert len(person.asked) <= 1, person.asked
    assert report.rows["opportunities"] > 0
    assert list(tmp_path.iterdir()) == []


def test_the_funnel_of_a_developer_org_holds_its_open_deals_by_stage(devorg):
    _report, book = devorg
    deals = plain("salesforce_devorg", "Opportunity.csv").query("IsClosed == 'FALSE'")
    counts = deals["StageName"].value_counts().to_dict()
    stages = funnel(book).stages.set_index("stage")["n"]
    assert {stage: n for stage, n in stages.items() if n} == counts


def test_each_step_of_a_developer_orgs_history_became_a_change(devorg):
    _report, book = devorg
    rows = plain("salesforce_devorg", "OpportunityHistory.csv")
    rows["at"] = pd.to_datetime(rows["CreatedDate"], format="%m/%d/%y %I:%M %p")
    rows = rows.sort_values(["OpportunityId", "at"], kind="stable")
    before = rows.groupby("OpportunityId")["StageName"].shift(1)
    steps = rows[before.notna() & (before != rows["StageName"])]
    log = book.changes.to_pandas()
    log = log[log["field"] == "stage"]
    assert len(log) == len(steps) == 12
    local = log["changed_at"].dt.tz_localize("UTC").dt.tz_convert("Asia/Shanghai")
    assert sorted(local.dt.tz_localize(None)) == sorted(steps["at"])


def test_days_that_a_developer_org_moved_without_a_trace_are_seen_as_moved_since(devorg):
    _report, book = devorg
    deals = plain("salesforce_devorg", "Opportunity.csv").set_index("Id")
    rows = plain("salesforce_devorg", "OpportunityHistory.csv")
    rows["at"] = pd.to_datetime(rows["CreatedDate"], format="%m/%d/%y %I:%M %p")
    last = rows.sort_values("at", kind="stable").groupby("OpportunityId")["CloseDate"].last()
    moved = last[last != deals.loc[last.index, "CloseDate"]]
    log = book.changes.to_pandas()
    unlogged = log[(log["field"] == "expected_close_on") & log["changed_after"].notna()]
    assert set(unlogged["entity_id"]) == set(moved.index)
    assert len(moved) == 25
    then = book.as_of("2026-02-25").opportunities.to_pandas().set_index("id")
    assert set(then.loc[moved.index, "expected_close_on"].astype(str)) == {"2021-01-27"}


def test_a_warehouses_deals_are_all_deleted_so_all_are_void(salesforce):
    report, book = salesforce
    deals = plain("dbt_salesforce", "sf_opportunity_data.csv")
    live = deals[deals["_fivetran_active"] == "true"]
    assert (live["is_deleted"] == "true").all()
    found = book.opportunities.to_pandas()
    assert len(found) == len(live) == 8
    assert set(found["outcome"]) == {"void"}
    amounts = pd.to_numeric(live["amount"])
    assert float(found["amount"].sum()) == amounts.sum() == 24_320_001
    kinds = {s.kind for s in report.stages}
    assert kinds == {"open", "won", "lost"}
    assert {s.key for s in report.stages} == set(deals["stage_name"]) - {""}


def test_before_it_was_deleted_a_warehouses_deal_has_the_outcome_of_its_version(salesforce):
    _report, book = salesforce
    live = plain("dbt_salesforce", "sf_opportunity_data.csv").query("_fivetran_active == 'true'")
    history = plain("dbt_salesforce", "sf_opportunity_history_data.csv")
    seen = history[history["_fivetran_start"] == "2019-04-04 18:36:08"]
    then = book.as_of("2019-04-04T18:40:00").opportunities.to_pandas().set_index("id")
    there = sorted(set(seen["id"]) & set(live["id"]) & set(then.index[then["outcome"] != "void"]))
    assert there
    said = seen.set_index("id").loc[there, "stage_name"]
    assert then.loc[there, "stage"].tolist() == said.tolist()


def test_activities_of_a_warehouse_are_its_events_and_done_tasks(salesforce):
    report, book = salesforce
    events, tasks = (plain("dbt_salesforce", f"sf_{t}_data.csv") for t in ("event", "task"))
    done = tasks[tasks["is_closed"] == "TRUE"]
    found = book.activities.to_pandas()
    assert len(found) == len(events) + len(done)
    assert found["opportunity_id"].notna().sum() == sum(
        f["what_id"].str.startswith("006").sum() for f in (events, done)
    )
    assert any("activities point by opportunity_id" in line for line in report.lines())


def test_hubspots_deals_without_a_stage_are_counted_and_open(hubspot):
    report, book = hubspot
    deals = plain("dbt_hubspot", "deal_data.csv")
    assert (deals["deal_pipeline_stage_id"] == "").all()
    found = book.opportunities.to_pandas()
    assert len(found) == len(deals) == 44
    assert set(found["outcome"]) == {"open"}
    assert [(o.code, o.n) for o in report.oddities if o.code == "no_stage"] == [("no_stage", 44)]
    assert sorted(found["created_at"].dt.strftime("%Y-%m-%d %H:%M:%S")) == sorted(
        deals["property_createdate"]
    )
    owners = deals["owner_id"]
    assert found["owner_id"].notna().sum() == (owners != "").sum() == 22


def test_hubspots_stages_are_those_of_its_pipelines_in_their_order(hubspot):
    report, book = hubspot
    stages = plain("dbt_hubspot", "deal_pipeline_stage_data.csv")
    won = stages[stages["closed_won"] == "TRUE"]
    assert len(report.stages) == len(stages) == 71
    assert {s.key for s in report.stages if s.kind == "won"} == set(won["stage_id"])
    order = {s.key: n for n, s in enumerate(report.stages)}
    for _pipeline, rows in stages[stages["is_closed"] == "FALSE"].groupby("pipeline_id"):
        listed = rows.sort_values("display_order", key=lambda n: n.astype(int))
        ranks = listed["display_order"].astype(int)
        places = listed["stage_id"].map(order)
        # Stages of one rank may stand in either order.
        assert places[ranks.diff() > 0].diff().dropna().gt(0).all()
    names = {s.id: s.name.en for s in book.settings.stages}
    assert names[stages["stage_id"].iloc[0]] == stages["label"].iloc[0]
