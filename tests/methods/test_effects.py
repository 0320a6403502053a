"""Effects against published numbers, plain loops, a reference library and made-up truth."""

import math
from dataclasses import astuple
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import permutation_test

from salesops.methods.arrangements import Arranged, arrangements, how_many
from salesops.methods.detectable import smallest_detectable
from salesops.methods.effects import DESIGN, Reason, effect

AFTER = 12


def panel(seed: int = 1, teams: int = 10, reps: int = 4, periods: int = 24, noise: float = 0.2):
    """Make up reps whose months differ by chance alone."""
    rng = np.random.default_rng(seed)
    rows = [(f"{g}-{i}", f"{g}", t) for g in range(teams) for i in range(reps)
            for t in range(periods)]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["unit", "team", "period"])
    level = rng.standard_normal(teams * reps).repeat(periods)
    common = np.tile(rng.standard_normal(periods), teams * reps)
    return frame.assign(value=level + common + noise * rng.standard_normal(len(frame)))


def raised(frame: pd.DataFrame, starts: dict, by: float, key: str = "team") -> pd.DataFrame:
    """Raise the outcome of the treated since their start."""
    on = frame["period"] >= frame[key].map(starts).fillna(math.inf)
    return frame.assign(value=frame["value"] + by * on)


def since(*teams: int, start: int = AFTER) -> dict[str, int]:
    return {f"{g}": start for g in teams}


def test_the_estimate_is_the_published_one():
    # Card & Krueger 1994, American Economic Review 84:772-793, table 3, row 3: full-time
    # employment in New Jersey and Pennsylvania before and after; 2.76 (1.36).
    rows = [("NJ", 0, 20.44), ("NJ", 1, 21.03), ("PA", 0, 23.33), ("PA", 1, 21.17)]
    frame = pd.DataFrame(rows, columns=["team", "period", "value"]).assign(unit="all")
    found = effect(frame, {"NJ": 1}, worthwhile=1, chosen_by=0)
    assert found.estimate == pytest.approx(2.76, abs=0.011)
    assert found.before_after == pytest.approx(21.03 - 20.44)
    assert found.verdict == "not_enough"
    assert {"too_few_comparisons", "too_short_before", "too_short_after"} < set(found.reasons)


def test_p_equals_a_reference_library():
    frame = raised(panel(2), since(0, 1, 2), 0.05)
    found = effect(frame, since(0, 1, 2), worthwhile=0.1, chosen_by=2)
    late = frame["period"] >= AFTER
    early = frame["period"] < AFTER - 2
    # As many periods after as there are for the baseline.
    change = (frame[late & (frame["period"] < AFTER + 10)].groupby("team")["value"].mean()
              - frame[early].groupby("team")["value"].mean())  # fmt: skip
    wanted = permutation_test(
        (change[["0", "1", "2"]], change.drop(["0", "1", "2"])),
        lambda a, b, axis: np.abs(a.mean(axis=axis) - b.mean(axis=axis)),
        alternative="greater", n_resamples=np.inf, vectorized=True,
    )  # fmt: skip
    assert found.estimate == pytest.approx(change[:3].mean() - change[3:].mean())
    assert found.p == pytest.approx(wanted.pvalue)


def test_starts_one_after_the_other_equal_a_plain_loop():
    starts = {"0": 10, "1": 10, "2": 13, "3": 22}
    frame = panel(3, periods=30)
    found = effect(frame, starts, worthwhile=0.1, chosen_by=1, longest=8)
    wide = frame.groupby(["team", "period"])["value"].mean().unstack()
    begun = pd.Series(starts).reindex(wide.index).fillna(99)
    cells = []
    for g in (10, 13, 22):
        before = wide[[t for t in wide if max(0, g - 1 - 16) <= t < g - 1]].mean(axis=1)
        for t in range(g, min(g + 8, 30)):
            gap = wide[t] - before
            cells += [gap[begun == g].mean() - gap[begun > t].mean()] * (begun == g).sum()
    assert found.estimate == pytest.approx(np.mean(cells))


def test_those_already_treated_are_no_comparison():
    # An effect that grows bends every estimate that takes the early ones as comparison.
    starts = since(0, 1, start=10) | since(2, 3, start=16)
    frame = panel(4, noise=0.0)
    since_start = frame["period"] - frame["team"].map(starts)
    frame["value"] += np.where(since_start >= 0, 1.0 + since_start, 0.0)
    found = effect(frame, starts, worthwhile=1, chosen_by=1)
    seen = [1.0 + k for k in range(9)] + [1.0 + k for k in range(8)]
    assert found.estimate == pytest.approx(np.mean(seen))
    assert found.n_comparison_teams == 8


def test_the_interval_holds_what_the_test_does_not_reject():
    rng = np.random.default_rng(5)
    dose = np.append(1.0, rng.uniform(-0.5, 0.9, 99))
    one = Arranged(change=rng.standard_normal(100) + dose, dose=dose,
                   error=rng.uniform(0.8, 1.25, 100))  # fmt: skip
    # Only arrangements that are less dosed than the real one, measured by their error.
    keep = np.abs(one.dose / one.error) < one.dose[0] / one.error[0]
    keep[0] = True
    one = Arranged(change=one.change[keep], dose=one.dose[keep], error=one.error[keep])
    low, high = one.interval()
    kept = [x for x in np.linspace(-10, 10, 10_001) if one.p(x) > 0.10]
    assert (low, high) == pytest.approx((min(kept), max(kept)), abs=2e-3)


def test_every_choice_of_others_is_laid_out_once():
    starts = np.array([4, 4, 9, 99, 99, 99])
    ways = arrangements(starts, np.zeros(6, dtype=int))
    assert len(ways) == how_many(starts, np.zeros(6, dtype=int)) == math.comb(6, 2) * 4
    assert len(np.unique(ways, axis=0)) == len(ways)
    assert ways[0].tolist() == starts.tolist()
    within = arrangements(starts, np.array([0, 0, 0, 1, 1, 0]))
    assert len(within) == math.comb(4, 2) * 2
    assert {tuple(row) for row in within[:, 3:5].tolist()} == {(99, 99)}


def test_of_many_choices_some_are_drawn_and_the_same_again():
    starts = np.repeat([5, 99], 12)
    ways = arrangements(starts, np.zeros(24, dtype=int), most=500)
    assert ways.shape == (500, 24)
    assert (ways[0] == starts).all()
    assert ((ways == 5).sum(axis=1) == 12).all()
    assert (ways == arrangements(starts, np.zeros(24, dtype=int), most=500)).all()


def test_the_smallest_effect_is_the_published_multiple_of_the_error():
    # Bloom 1995, Evaluation Review 19:547-556: 2.8 standard errors, two-sided 0.05, power 0.80.
    assert smallest_detectable(1.0, 10_000) == pytest.approx(2.8, abs=0.005)
    assert smallest_detectable(1.0, 0) == math.inf
    assert smallest_detectable(math.inf, 5) == math.inf


def test_the_smallest_effect_would_be_found_four_times_in_five():
    told = [effect(panel(seed), since(0, 1, 2), worthwhile=1).detectable for seed in range(12)]
    size = float(np.median(told))
    seen = [effect(raised(panel(seed), since(0, 1, 2), size), since(0, 1, 2), worthwhile=1).p
            for seed in range(100, 140)]  # fmt: skip
    assert np.mean([p <= 0.05 for p in seen]) == pytest.approx(0.8, abs=0.13)


def test_order_names_and_scale_change_nothing():
    starts = since(1, 4) | since(7, start=15)
    frame = raised(panel(6, teams=14), starts, 0.2)
    found = effect(frame, starts, worthwhile=0.1)
    mixed = effect(frame.sample(frac=1, random_state=1), starts, worthwhile=0.1)
    other = {f"{g}": f"team {99 - g}" for g in range(14)}
    renamed = frame.assign(
        team=frame["team"].map(other), unit="u" + frame["unit"].str[::-1],
        period=frame["period"] + 700,
    )  # fmt: skip
    begun = {other[k]: v + 700 for k, v in starts.items()}
    as_named = effect(renamed, begun, worthwhile=0.1)
    million = effect(frame.assign(value=1e6 * frame["value"]), starts, worthwhile=1e5)
    for again in (mixed, as_named):
        assert (again.verdict, again.reasons, again.p) == (found.verdict, found.reasons, found.p)
        assert again.low == pytest.approx(found.low)
        assert astuple(again)[-4:] == pytest.approx(astuple(found)[-4:])
    assert million.high == pytest.approx(1e6 * found.high)
    assert (million.p, million.verdict) == (found.p, found.verdict)


def test_where_less_is_better_the_verdict_turns_with_it():
    frame = raised(panel(7), since(0, 1, 2), -0.5)
    less = effect(frame, since(0, 1, 2), worthwhile=-0.3)
    more = effect(frame.assign(value=-frame["value"]), since(0, 1, 2), worthwhile=0.3)
    assert less.verdict == more.verdict == "worked"
    assert (less.low, less.high) == pytest.approx((-more.high, -more.low))
    assert less.before_after == pytest.approx(-more.before_after)
    assert effect(frame, since(0, 1, 2), worthwhile=0.3).verdict == "did_not"


def test_people_who_come_and_go_change_no_mean():
    starts = since(0, 1, 2)
    frame = raised(panel(8, reps=6, noise=0.0), starts, 0.3)
    late = frame["unit"].str.endswith("-0") & (frame["period"] < 11)
    gone = frame["unit"].isin(["0-1", "5-1"]) & (frame["period"] > 14)
    found = effect(frame[~late & ~gone], starts, worthwhile=0.1)
    assert found.estimate == pytest.approx(0.3)


def test_means_weigh_by_the_cases_they_rest_on():
    starts = since(0, 1, 2)
    frame = raised(panel(9, noise=0.0), starts, 0.3).assign(n=50)
    odd = frame["unit"].eq("0-0") & (frame["period"] >= AFTER)
    frame.loc[odd, "value"] += 40.0
    frame.loc[odd, "n"] = 1
    alike = effect(frame.assign(n=50), starts, worthwhile=0.1)
    found = effect(frame, starts, worthwhile=0.1)
    assert alike.estimate - 0.3 > 5 * (found.estimate - 0.3) > 0
    halves = pd.concat([frame.assign(n=frame["n"] / 2)] * 2)
    assert effect(halves, starts, worthwhile=0.1).estimate == pytest.approx(found.estimate)


def test_people_are_compared_within_their_team():
    frame = panel(10, reps=6)
    spells = np.random.default_rng(1).normal(0, 5, (10, 24))
    shaken = frame["value"] + spells[frame["team"].astype(int), frame["period"]]
    starts = {f"{g}-{i}": AFTER for g in range(5) for i in (0, 1)}
    frame = raised(frame.assign(value=shaken), starts, 0.4, key="unit")
    found = effect(frame, starts, worthwhile=0.2, by="unit")
    assert found.verdict == "worked"
    assert found.low < 0.4 < found.high < 1
    assert (found.n_treated_units, found.n_comparison_units) == (10, 20)
    assert (found.n_treated_teams, found.n_comparison_teams) == (5, 5)


@pytest.mark.parametrize("second", [AFTER, AFTER + 3])
def test_two_teams_of_five_are_not_enough_and_say_what_could_be_seen(second):
    starts = since(0) | since(1, start=second)
    frame = raised(panel(11, teams=5, reps=6), starts, 1.0)
    found = effect(frame, starts, worthwhile=0.5)
    assert (found.verdict, found.reasons) == ("not_enough", ("too_few_teams",))
    assert 0 < found.detectable < 1
    assert found.estimate == pytest.approx(1.0, abs=0.1)


def test_one_team_of_fifteen_can_be_judged_and_one_of_fourteen_cannot():
    for teams, verdict in ((15, "worked"), (14, "not_enough")):
        frame = raised(panel(21, teams=teams), since(4), 1.0)
        assert effect(frame, since(4), worthwhile=0.5).verdict == verdict


def test_where_all_are_treated_in_turn_the_later_ones_are_compared_with():
    starts = {f"{g}": 10 + 6 * (g % 3) for g in range(12)}
    frame = raised(panel(22, teams=12, periods=30), starts, 0.5)
    found = effect(frame, starts, worthwhile=0.2)
    assert (found.n_treated_teams, found.n_comparison_teams) == (8, 8)
    assert found.verdict == "worked"
    assert found.low < 0.5 < found.high


def test_few_people_to_compare_with_are_not_enough():
    frame = panel(12, teams=12, reps=1)
    found = effect(raised(frame, since(0, 1), 5.0), since(0, 1), worthwhile=1)
    assert (found.n_comparison_units, found.verdict) == (10, "not_enough")
    assert "too_few_comparisons" in found.reasons


def test_a_series_alone_never_worked():
    frame = panel(13, teams=1, reps=20)
    found = effect(raised(frame, since(0), 9.0), since(0), worthwhile=1)
    assert found.verdict == "not_enough"
    assert math.isnan(found.estimate)
    assert found.before_after > 5
    assert found.detectable == math.inf


def test_a_bad_spell_that_ends_by_itself_has_not_worked():
    frame = panel(14, teams=15, reps=6)
    spell = frame["team"].isin(["3", "8", "9"]) & frame["period"].between(AFTER - 3, AFTER - 1)
    frame = frame.assign(value=frame["value"] - 2.0 * spell)
    found = effect(frame, since(3, 8, 9), worthwhile=0.3)
    assert found.verdict == "did_not"
    assert found.chosen_worst
    assert found.position_before == 0
    assert found.rebound == pytest.approx(2.0 * 3 / 12, abs=0.35)
    assert "chosen_worst_rebound" in found.reasons
    plain = effect(frame, since(3, 8, 9), worthwhile=0.3, chosen_by=0)
    assert plain.estimate > 0.2


def test_who_grew_faster_before_is_no_comparison():
    frame = panel(15)
    frame["value"] += 0.1 * frame["period"] * frame["team"].isin(["0", "1", "2"])
    found = effect(frame, since(0, 1, 2), worthwhile=0.3)
    assert found.verdict == "not_enough"
    assert "pretrend" in found.reasons
    assert found.pretrend.estimate == pytest.approx(0.1, abs=0.02)


def test_an_effect_that_begins_before_its_start_is_doubted():
    frame = raised(panel(16, periods=30), since(0, 1, 2, start=9), 1.0)
    found = effect(frame, since(0, 1, 2, start=18), worthwhile=0.3)
    assert "placebo" in found.reasons
    assert found.verdict == "not_enough"
    assert found.placebo_time.estimate > 0.4


def test_groups_that_nobody_treated_show_how_large_chance_is():
    frame = raised(panel(17), since(0, 1, 2), 1.0)
    found = effect(frame, since(0, 1, 2), worthwhile=0.3)
    groups = math.comb(7, 3)
    assert found.placebo_space.p == pytest.approx(1 / (groups + 1))
    wide = frame.groupby(["team", "period"])["value"].mean().unstack()
    change = wide[range(AFTER, 21)].mean(axis=1) - wide[range(9)].mean(axis=1)
    other = change.drop(["0", "1", "2"])
    fake = [abs(other[list(c)].mean() - other.drop(list(c)).mean())
            for c in combinations(other.index, 3)]  # fmt: skip
    assert found.placebo_space.estimate == pytest.approx(np.quantile(fake, 0.9))


@pytest.mark.parametrize(
    ("start", "reasons"), [(4, {"too_short_before"}), (22, {"too_short_after"})]
)
def test_a_start_too_early_or_too_late_is_not_judged(start, reasons):
    frame = raised(panel(18), since(0, 1, 2, start=start), 3.0)
    found = effect(frame, since(0, 1, 2, start=start), worthwhile=1)
    assert found.verdict == "not_enough"
    assert reasons == DESIGN & set(found.reasons)


def test_nothing_of_a_worthwhile_size_did_not_work_and_a_wide_range_says_nothing():
    frame = panel(19, teams=15)
    assert effect(frame, since(0, 1, 2), worthwhile=0.5).verdict == "did_not"
    found = effect(frame, since(0, 1, 2), worthwhile=0.01)
    assert (found.verdict, found.reasons) == ("not_enough", ("interval_holds_nought",))
    small = effect(raised(frame, since(0, 1, 2), 0.2), since(0, 1, 2), worthwhile=0.5)
    assert (small.verdict, small.reasons) == ("worked", ("smaller_than_worthwhile",))
    worse = effect(raised(frame, since(0, 1, 2), -0.5), since(0, 1, 2), worthwhile=0.5)
    assert worse.verdict == "did_not"
    assert "worse_than_before" in worse.reasons


def test_what_ends_between_half_and_all_of_what_was_hoped_is_not_called_a_failure():
    frame = panel(19, teams=15)
    found = effect(frame, since(0, 1, 2), worthwhile=0.5)
    assert found.low < 0 < found.high
    little = effect(frame, since(0, 1, 2), worthwhile=1.9 * found.high)
    assert (little.verdict, little.reasons) == (
        "not_enough", ("interval_holds_nought", "smaller_than_worthwhile"),
    )  # fmt: skip
    assert effect(frame, since(0, 1, 2), worthwhile=2.1 * found.high).verdict == "did_not"


@pytest.mark.parametrize("rows", [0, None])
def test_without_rows_or_starts_nothing_is_said(rows):
    found = effect(panel()[:rows], {}, worthwhile=1)
    assert found.verdict == "not_enough"
    assert set(found.reasons) == DESIGN - {"pretrend", "placebo"}
    assert math.isnan(found.before_after)


def test_gaps_and_ids_of_any_kind_are_taken():
    starts = since(0, 1, 2)
    frame = raised(panel(23), starts, 0.3)
    gaps = frame.assign(value=frame["value"].mask(frame.index % 7 == 0))
    found = effect(gaps, starts, worthwhile=0.2)
    kind = gaps.assign(team=gaps["team"].astype("category"), unit=pd.factorize(gaps["unit"])[0])
    assert effect(kind, starts, worthwhile=0.2) == found
    numbers = gaps.assign(team=gaps["team"].astype(int))
    assert effect(numbers, {0: 12, 1: 12, 2: 12}, worthwhile=0.2).p == found.p


def test_outcomes_that_never_move_show_no_effect():
    found = effect(panel().assign(value=1.0), since(0, 1, 2), worthwhile=0.2)
    assert (found.estimate, found.low, found.high, found.verdict) == (0, 0, 0, "did_not")
    assert not found.chosen_worst


def test_what_cannot_be_meant_is_refused():
    with pytest.raises(ValueError, match=r"no rows of the treated teams \['nobody'\]"):
        effect(panel(), {"nobody": 3}, worthwhile=1)
    with pytest.raises(ValueError, match="worthwhile is 0"):
        effect(panel(), since(0), worthwhile=0)


def test_reasons_against_the_comparison_are_reasons():
    assert set(Reason.__args__) > DESIGN
