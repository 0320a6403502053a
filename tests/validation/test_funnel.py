"""A small fixed part of what is measured over many seeds."""

from validation.funnel import coverage, false_firm
from validation.table import as_markdown


def test_the_interval_of_stage_conversion_covers_the_truth_as_often_as_it_says():
    claim = coverage(600)
    assert 0.74 <= claim.value <= 0.88
    assert "| funnel |" in as_markdown([claim])


def test_with_few_deals_it_still_does():
    assert 0.74 <= coverage(600, n_deals=60).value <= 0.88


def test_a_stage_that_did_not_change_is_seldom_called_firm():
    assert false_firm(600).value <= 0.08
