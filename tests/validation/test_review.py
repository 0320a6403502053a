"""A small fixed part of what is measured over many companies."""

import pandas as pd

from validation.review import known, reviewed


def test_intervals_cover_the_effect_and_few_companies_are_refused():
    claims = {c.what: c for c in known(pd.DataFrame(map(reviewed, range(1, 21))))}
    assert claims["90 % interval covers the effect (where not refused)"].value >= 0.8
    assert claims["refused for what there is to compare"].value <= 0.5
    assert abs(claims["estimate: error, parts of the usual level"].value) < 0.05


def test_what_does_nothing_seldom_worked_though_the_worst_were_chosen():
    rows = pd.DataFrame([reviewed(seed, 0.0) for seed in range(10_001, 10_021)])
    assert (rows["verdict"] == "worked").sum() <= 3
    assert rows["worst"].mean() > 0.8


def test_the_same_seed_is_the_same_company():
    assert reviewed(3) == reviewed(3)
