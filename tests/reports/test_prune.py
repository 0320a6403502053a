"""Pruning: what a rule names goes, and never what anybody still needs."""

import datetime as dt
import os
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from salesops.reports.prune import NoRule, Rule, plan_pruning, prune
from tests.reports.runs import job, write_run

NOW = dt.datetime(2026, 6, 21, 8, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)


def run_of(out: Path, days_ago: int, *keys: str, run: str = "") -> Path:
    at = NOW - days_ago * DAY
    jobs = [job(f"r{n}", key=key, lang="en") for n, key in enumerate(keys or ("",))]
    return write_run(out, at.isoformat(timespec="seconds"), jobs, run=run)


def keep(out: Path, key: str) -> Path:
    folder = out / ".kept" / key
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "page.html").write_text("x" * 100)
    return folder


def left(out: Path) -> set[str]:
    return {path.name for path in out.iterdir() if path.is_dir() and not path.name.startswith(".")}


def test_a_plan_changes_nothing_and_says_what_would_go_and_how_large_it_is(tmp_path):
    old, new = run_of(tmp_path, 40), run_of(tmp_path, 1)
    (old / "big.pdf").write_bytes(b"x" * 5000)
    plan = plan_pruning(tmp_path, Rule(keep_days=30), now=NOW)
    size = sum(path.stat().st_size for path in old.iterdir())
    assert [(run.id, bytes_) for run, bytes_ in plan.going] == [(old.name, size)]
    assert plan.freed == size > 5000
    assert left(tmp_path) == {old.name, new.name}
    prune(plan)
    assert left(tmp_path) == {new.name}


def test_the_parts_of_a_rule_add_up(tmp_path):
    names = {ago: run_of(tmp_path, ago).name for ago in (0, 3, 12, 30, 35, 80)}
    # 21 June less 30, 35 and 80 days: 22 May, 17 May, 2 April.
    rule = Rule(keep_days=5, keep_runs=3, keep_monthly=True)
    plan = plan_pruning(tmp_path, rule, now=NOW)
    assert [run.id for run, _size in plan.going] == [names[35]]


def test_the_newest_run_stays_however_old_it_is(tmp_path):
    for ago in (900, 800, 700):
        newest = run_of(tmp_path, ago)
    plan = plan_pruning(tmp_path, Rule(keep_days=1), now=NOW)
    assert [run.folder for run in plan.staying] == [newest]


def test_a_file_that_has_another_name_elsewhere_frees_nothing(tmp_path):
    old, _new = run_of(tmp_path, 40, "k"), run_of(tmp_path, 1, "k")
    kept = keep(tmp_path, "k")
    os.link(kept / "page.html", old / "linked.html")
    plan = plan_pruning(tmp_path, Rule(keep_runs=1), now=NOW)
    ((_run, size),) = plan.going
    assert plan.kept == ()
    assert plan.freed == size - 100


def test_a_kept_result_goes_with_the_last_run_that_uses_it(tmp_path):
    run_of(tmp_path, 40, "only_old", "both")
    run_of(tmp_path, 1, "both", "new")
    for key in ("only_old", "both", "new", "of_nobody"):
        keep(tmp_path, key)
    plan = plan_pruning(tmp_path, Rule(keep_runs=1), now=NOW)
    prune(plan)
    assert {path.name for path in (tmp_path / ".kept").iterdir()} == {"both", "new", "of_nobody"}


@pytest.mark.parametrize("key", ["..", "../book", "a/../../book", "", ".", "/etc"])
def test_a_key_that_leads_elsewhere_takes_nothing_away(tmp_path, key):
    out, book = tmp_path / "out", tmp_path / "book"
    book.mkdir()
    (book / "deals.csv").write_text("id\n")
    run_of(out, 40, key)
    run_of(out, 1)
    keep(out, "k")
    prune(plan_pruning(out, Rule(keep_runs=1), now=NOW))
    assert (book / "deals.csv").exists()
    assert (out / ".kept" / "k").exists()


def test_kept_results_stay_while_a_run_is_written_since_it_may_use_them(tmp_path):
    run_of(tmp_path, 40, "k")
    run_of(tmp_path, 1)
    keep(tmp_path, "k")
    writing = tmp_path / ".run-abc"
    writing.mkdir()
    (writing / "funnel.zh.html").write_text("")
    prune(plan_pruning(tmp_path, Rule(keep_runs=1)))
    assert (tmp_path / ".kept" / "k").exists()
    assert (writing / "funnel.zh.html").exists()
    # One that was killed days ago is at work no more.
    run_of(tmp_path, 41, "k")
    long_ago = (dt.datetime.now() - 3 * DAY).timestamp()
    os.utime(writing, (long_ago, long_ago))
    prune(plan_pruning(tmp_path, Rule(keep_runs=1)))
    assert not (tmp_path / ".kept" / "k").exists()
    assert writing.exists()


def test_a_run_that_can_not_be_read_stays_and_so_does_what_it_may_use(tmp_path):
    run_of(tmp_path, 40, "k")
    run_of(tmp_path, 1)
    keep(tmp_path, "k")
    broken = tmp_path / "20260101-000000"
    broken.mkdir()
    (broken / "run.json").write_text('{"started"')
    plan = plan_pruning(tmp_path, Rule(keep_runs=1), now=NOW)
    prune(plan)
    assert [one.path.parent.name for one in plan.unread] == [broken.name]
    assert broken.exists()
    assert (tmp_path / ".kept" / "k").exists()


def test_a_link_to_a_folder_elsewhere_is_left_alone(tmp_path):
    out, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    target = run_of(elsewhere, 400)
    run_of(out, 1)
    (out / "20200101-000000").symlink_to(target)
    prune(plan_pruning(out, Rule(keep_runs=1), now=NOW))
    assert (target / "run.json").exists()
    assert (out / "20200101-000000").is_symlink()


def test_a_folder_that_another_one_took_away_in_between_is_no_fault(tmp_path):
    old, new = run_of(tmp_path, 40), run_of(tmp_path, 1)
    plan = plan_pruning(tmp_path, Rule(keep_runs=1), now=NOW)
    shutil.rmtree(old)
    prune(plan)
    assert left(tmp_path) == {new.name}


@pytest.mark.parametrize("rule", [Rule(), Rule(keep_days=0), Rule(keep_runs=-1, keep_monthly=True)])
def test_a_rule_that_says_nothing_is_refused_with_the_line_to_write(tmp_path, rule):
    with pytest.raises(NoRule) as told:
        plan_pruning(tmp_path, rule)
    first, second, third = str(told.value).splitlines()
    assert str(tmp_path) in first
    assert "--keep-monthly" in second
    assert "salesops prune" in third


RUNS = st.lists(st.tuples(st.integers(0, 400), st.lists(st.sampled_from("abcdef"), max_size=3)),
                min_size=1, max_size=8)  # fmt: skip
RULES = st.builds(
    Rule, keep_days=st.none() | st.integers(1, 400), keep_runs=st.none() | st.integers(1, 9),
    keep_monthly=st.booleans(),
).filter(lambda rule: rule != Rule())  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(runs=RUNS, rule=RULES)
def test_whatever_the_runs_and_the_rule_what_is_needed_stays(runs, rule):
    with tempfile.TemporaryDirectory() as place:
        out = Path(place) / "out"
        made = {run_of(out, ago, *keys, run=f"run{n}").name: (ago, set(keys))
                for n, (ago, keys) in enumerate(runs)}  # fmt: skip
        run_of(out, 999, run="latest")
        for key in "abcdef":
            keep(out, key)
        (out / "runs").mkdir()
        (out / "runs" / "run0.json").write_text("{}")
        (out / "notes").mkdir()
        prune(plan_pruning(out, rule, now=NOW))
        stays = left(out) - {"latest", "runs", "notes"}
        assert {"latest", "runs", "notes"} <= left(out)
        assert (out / "runs" / "run0.json").exists()
        # The newest stays, and what a part of the rule keeps.
        youngest = min(ago for ago, _keys in made.values())
        assert youngest in {made[name][0] for name in stays}
        if rule.keep_days is not None:
            assert {n for n, (ago, _k) in made.items() if ago <= rule.keep_days} <= stays
        if rule.keep_runs is not None:
            assert len(stays) >= min(rule.keep_runs, len(made))
        months = {n: (NOW - ago * DAY).strftime("%Y-%m") for n, (ago, _keys) in made.items()}
        if rule.keep_monthly:
            assert {months[name] for name in stays} == set(months.values())
        # What stays has all that it is made of; what goes alone takes with it what it alone used.
        used = set().union(*(made[name][1] for name in stays))
        gone = set().union(*(keys for _ago, keys in made.values())) - used
        there = {path.name for path in (out / ".kept").iterdir()}
        assert there == set("abcdef") - gone
        # A second time there is nothing left to take away.
        assert plan_pruning(out, rule, now=NOW).going == ()
