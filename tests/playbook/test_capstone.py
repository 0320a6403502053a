"""The capstone: a perfect answer, an empty one, everything broken, and what lies between."""

import dataclasses
import json

import pytest

from salesops.playbook import ____, hand_in
from salesops.playbook.capstone import (
    PLANTED,
    TROUBLES,
    Answer,
    capstone_options,
    capstone_seed,
    planted_in,
)
from salesops.playbook.capstonescore import score, truth_of
from salesops.playbook.grading import grade_lines
from salesops.sample.generate import generate
from validation.playbook import everything, perfect

# Companies of full size, twenty of them, are measured by `make validate PART=playbook`.
SEEDS = range(8)
SMALL = {"months": 6, "deals_per_month": 16, "teams": 2}


@pytest.fixture(scope="module")
def truths():
    found = {}
    for seed in SEEDS:
        options = dataclasses.replace(capstone_options(capstone_seed(seed)), **SMALL)
        found[seed] = truth_of(generate(options), planted_in(capstone_seed(seed)))
    return found


@pytest.fixture(scope="module")
def truth(truths):
    """One in which every planted trouble left its traces."""
    return next(one for one in truths.values() if len(one.records) == PLANTED)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_perfect_answer_has_100_an_empty_one_0_and_everything_broken_at_most_40(truths, seed):
    truth = truths[seed]
    assert score(perfect(truth), truth).points == 100
    assert score(None, truth).points == 0
    assert score(Answer(findings={}, targets={}, actions=[]), truth).points == 0
    assert score(everything(truth), truth).points <= 40


def test_companies_differ_in_what_is_planted():
    assert len({planted_in(capstone_seed(seed)) for seed in range(20)}) > 10


def test_half_of_the_findings_give_half_of_their_points_and_say_what_was_missed(truth):
    whole = perfect(truth)
    half = dataclasses.replace(whole, findings=dict(list(whole.findings.items())[:2]), actions=[])
    scored = score(half, truth)
    assert scored.points == 25 + 20
    missed = list(truth.records)[2]
    assert any(missed in part.reason for part in scored.parts if part.points == 0)


def test_named_without_evidence_gives_a_part(truth):
    bare = Answer(findings=dict.fromkeys(truth.records, ()), targets={}, actions=[])
    assert score(bare, truth).points == 4 * 7.5


def test_targets_that_do_not_add_up_keep_what_is_fair(truth):
    off = {team: amount * 1.05 for team, amount in truth.fair.items()}
    assert score(Answer(findings={}, targets=off, actions=[]), truth).points == 12


def test_an_action_with_the_wrong_owner_keeps_the_rest(truth):
    whole = perfect(truth)
    first = {**whole.actions[0], "owner": "finance"}
    scored = score(dataclasses.replace(whole, actions=[first, *whole.actions[1:]]), truth)
    assert scored.points == 100 - 4
    assert any("owner" in part.reason for part in scored.parts)


def test_an_action_on_what_is_not_there_gives_nothing(truth):
    whole = perfect(truth)
    other = next(name for name in TROUBLES if name not in truth.records)
    false = {**whole.actions[0], "finding": other}
    assert score(dataclasses.replace(whole, actions=[false]), truth).points == 70


def test_handing_in_checks_the_form_and_grading_makes_the_company_anew(learner):
    assert hand_in(____, ____, ____).status == "not_attempted"
    assert hand_in(["slow_legal"], {}, []).status == "error"
    told = hand_in({"slow_lawyers": []}, {}, [{"finding": "slow_legal", "due": "soon"}])
    assert "slow_lawyers" in repr(told)
    assert "owner" in repr(told)
    bad_day = {"finding": "slow_legal", "owner": "legal", "do": "standard_contract", "due": "soon"}
    assert "soon" in repr(hand_in({}, {}, [bad_day]))
    assert grade_lines(learner)[0].startswith("Li Na: 0 of 100")
    planted = planted_in(capstone_seed(learner.seed))
    assert hand_in({name: [] for name in planted}, {}, [], "One page").status == "note"
    lines = grade_lines(learner, "en")
    assert lines[0].startswith("Li Na: 30 of 100")
    assert lines[-1].strip() == "One page"


def test_the_company_of_the_capstone_has_no_truth_beside_it(learner):
    for folder in ("company", "capstone"):
        names = {path.name for path in (learner.folder / folder).rglob("*")}
        assert names
        assert not {"truth", "problems.json", "rows.csv"} & names
    record = json.loads((learner.folder / "learner.json").read_text("utf-8"))
    assert set(record) == {"name", "seed", "lang"}
