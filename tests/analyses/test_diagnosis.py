"""The diagnosis: planted problems are found, a clean company is quiet, what is missing is said."""

import json

import pandas as pd
import pytest

import salesops
from salesops.analyses.diagnosis import diagnosis
from salesops.checks.check import PAINS
from salesops.checks.judged import examine, reachable
from salesops.checks.overview import checks_frame
from salesops.checks.registry import all_checks
from salesops.wording import label, language, say_finding
from tests.fixtures import SAMPLE


@pytest.fixture(scope="module")
def found(sample_book):
    return diagnosis(sample_book)


def test_every_check_has_a_name_and_a_definition_in_both_languages():
    for lang in ("zh", "en"):
        with language(lang):
            for check in all_checks():
                assert label(f"check.{check.id}")
                assert label(f"check.{check.id}.definition")
    assert {check.pain for check in all_checks()} == set(PAINS)


def test_every_finding_belongs_to_a_check_and_says_what_to_do(found):
    for finding in found.findings:
        assert finding.code.split(".")[0] == "diagnosis"
        assert finding.severity in ("act", "watch", "note")
        for lang in ("zh", "en"):
            with language(lang):
                words = say_finding(finding)
                assert words.text
                assert words.action
                assert words.do


def test_the_money_of_all_findings_is_less_than_what_is_open_and_unpaid(found, sample_book):
    there = float(reachable(sample_book)["limit"].sum())
    deals = pd.read_parquet(SAMPLE / "opportunities.parquet")
    is_open = deals["closed_at"].isna() & (deals["type"] != "renewal")
    assert there > float(deals.loc[is_open, "amount"].astype(float).sum())
    stakes = [f.at_stake for f in found.findings if f.at_stake is not None]
    assert 0 < sum(stakes) <= there
    assert found.metrics["middle"] == pytest.approx(
        sum(f.recoverable.middle for f in found.findings if f.recoverable))  # fmt: skip


def test_the_records_behind_a_finding_are_in_the_book(found, sample_book):
    for table, part in found.rows.groupby("table"):
        if table == "targets":
            continue
        ids = set(sample_book.table(str(table)).select("id").to_pandas()["id"])
        assert set(part["id"]) <= ids, table


def test_the_share_of_deals_with_a_break_is_the_metric(found, sample_book):
    wanted = salesops.metric(sample_book, "broken_share")["broken_share"].iloc[0]
    assert found.metrics["broken_share"] == pytest.approx(wanted)
    assert found.breaks.iloc[0]["kind"] == "broken"
    assert found.breaks["n"].iloc[0] >= found.breaks["n"].iloc[1:].max()


def test_the_credible_pipeline_is_the_metric_and_less_than_what_is_reported(found, sample_book):
    wanted = salesops.metric(sample_book, "credible_pipeline")["credible_pipeline"].iloc[0]
    assert found.metrics["credible_pipeline"] == pytest.approx(wanted)
    assert found.metrics["credible_pipeline"] < found.metrics["reported"]


def test_last_time_is_the_same_checks_on_what_was_known_at_the_end_of_the_period_before(
    found, sample_book
):
    before = sample_book.as_of("2026-05-31")
    then = examine(before, before.period("latest"), all_checks())
    told = checks_frame(all_checks(), then, None).set_index("check")["status"]
    assert found.checks.set_index("check")["prior_status"].to_dict() == told.to_dict()


def test_a_teams_diagnosis_names_no_record_of_another_team(sample_book):
    team = "华东/一组"
    own = sample_book.scope(team=team)
    result = diagnosis(own)
    others = set(sample_book.opportunities.select("id").to_pandas()["id"])
    others -= set(own.opportunities.select("id").to_pandas()["id"])
    assert not set(result.rows["id"]) & others


def test_problems_that_are_planted_are_found(found):
    figures = json.loads((SAMPLE / "truth" / "problems.json").read_text(encoding="utf-8"))
    assert figures["P12"]["size"] == 1
    assert found.metrics["n_bad"] >= 13
    assert found.pains.set_index("pain")["status"].eq("act").sum() >= 3
