"""The stall report: point-in-time features by hand, no leak, lists, and companies with little."""

import datetime as dt
import shutil
import warnings

import numpy as np
import pandas as pd
import pytest

from salesops.analyses.stall import stall
from salesops.book.book import open_book
from salesops.metrics.catalogue import metric
from salesops.metrics.dealstates import FEATURES, deal_states
from salesops.metrics.landmarks import landmarks
from salesops.metrics.stalls import held_out, stalls, week_list
from salesops.metrics.tracks import Track
from salesops.model.errors import BadDate
from salesops.sample.options import SampleOptions
from salesops.wording import language
from tests.fixtures import SAMPLE
from tests.made import made_folder


@pytest.fixture(scope="module")
def result(sample_book):
    return stall(sample_book)


def test_page_one_has_its_five_exhibits_and_says_what_the_catalogue_says(result, sample_book):
    assert list(result.exhibits) == ["stalled", "why", "silent", "week", "last"]
    share = metric(sample_book, "stalled")["stalled"].iloc[0]
    n = result.metrics["n_stalled"] / result.metrics["n_open"]
    assert n == pytest.approx(share)
    assert result.teams["money"].sum() == pytest.approx(result.metrics["stalled_money"])


def test_features_are_those_of_plain_pandas_at_a_date(sample_book):
    day = dt.date(2026, 3, 2)
    told = deal_states(sample_book, [day]).set_index("id")
    deals = pd.read_parquet(SAMPLE / "opportunities.parquet").set_index("id")
    at = pd.Timestamp("2026-03-02 15:59:59.999999")
    mine = deals[(deals["created_at"] <= at) & (deals["type"] != "renewal")]
    mine = mine[mine["closed_at"].isna() | (mine["closed_at"] > at)]
    assert set(told.index) == set(mine.index)
    touches = pd.read_parquet(SAMPLE / "activities.parquet")
    touches = touches[(touches["logged_at"] <= at) & (touches["occurred_at"] <= at)]
    n = touches.groupby("opportunity_id").size().reindex(told.index).fillna(0)
    assert (told["touches"] == n).all()
    last = touches[touches["direction"] == "two_way"].groupby("opportunity_id")["occurred_at"].max()
    since = last.reindex(told.index).fillna(deals["created_at"].reindex(told.index))
    silent = (at.floor("s") - since).dt.total_seconds() / 86400
    assert np.allclose(told["silent_days"], silent, atol=2e-5)
    changes = pd.read_parquet(SAMPLE / "changes.parquet")
    dates = changes[(changes["field"] == "expected_close_on") & (changes["changed_at"] <= at)]
    later = dates[dates["old_value"].notna() & (dates["new_value"] > dates["old_value"])]
    pushes = later.groupby("entity_id").size().reindex(told.index).fillna(0)
    assert (told["n_pushes"] == pushes).all()
    won = deals[deals["is_won"].eq(True) & (deals["closed_at"] <= at)].groupby("account_id").size()
    want = told["account_id"].map(won).fillna(0)
    assert (told["won_before"] <= want).all()


def test_what_became_of_deals_is_that_of_the_log(sample_book):
    rows = landmarks(sample_book.without_renewals()).sample(400, random_state=1)
    changes = pd.read_parquet(SAMPLE / "changes.parquet")
    moves = changes[(changes["field"] == "stage") & changes["old_value"].notna()]
    order = {s.id: k for k, s in enumerate(sample_book.settings.stages) if s.kind == "open"}
    ends = {s.id: s.kind for s in sample_book.settings.stages}
    for row in rows.itertuples():
        mine = moves[(moves["entity_id"] == row.id) & (moves["changed_at"] > row.at)]
        mine = mine[mine["changed_at"] <= row.at + pd.Timedelta(days=30)].sort_values("changed_at")
        became = "stood"
        for move in mine.itertuples():
            kind = ends[move.new_value]
            forwards = kind == "won" or (
                kind == "open" and order[move.new_value] > order.get(move.old_value, 99)
            )
            if forwards or kind in ("lost", "void"):
                became = "advanced" if forwards else "ended"
                break
        assert row.became == became, row.id


def test_what_comes_after_a_date_changes_nothing_said_at_it(tmp_path):
    early = open_book(SAMPLE).as_of("2024-09-02")
    said = stalls(early).now.set_index("id")["stuck"]
    folder = tmp_path / "later"
    shutil.copytree(SAMPLE, folder, ignore=shutil.ignore_patterns("runs", "_kept*", "versions*"))
    _another_future(folder, pd.Timestamp(early.instant))
    again = stalls(open_book(folder).as_of("2024-09-02")).now.set_index("id")["stuck"]
    assert said.nunique() > 10, "all alike would be alike whatever comes"
    pd.testing.assert_series_equal(again.sort_index(), said.sort_index())


def _another_future(folder, cut: pd.Timestamp) -> None:
    """Let all that comes after an instant come sooner or later, end otherwise, or to others."""
    rng = np.random.default_rng(3)
    touches = pd.read_parquet(folder / "activities.parquet")
    later = np.flatnonzero((touches["logged_at"] > cut).to_numpy())
    deals_of = touches["opportunity_id"].to_numpy().copy()
    deals_of[later] = deals_of[later][rng.permutation(len(later))]
    touches.assign(opportunity_id=deals_of).to_parquet(folder / "activities.parquet", index=False)
    deals = pd.read_parquet(folder / "opportunities.parquet")
    old = deals["created_at"] <= cut
    pace = pd.Series(np.where(old, rng.uniform(0.3, 3.0, len(deals)), 1.0), index=deals["id"])
    changes = pd.read_parquet(folder / "changes.parquet")
    mine = (changes["entity"] == "opportunities") & (changes["changed_at"] > cut)
    shift = (changes["changed_at"] - cut) * changes["entity_id"].map(pace).fillna(1.0)
    changes["changed_at"] = changes["changed_at"].where(~mine, (cut + shift).dt.floor("us"))
    swapped = set(deals["id"][old & (rng.random(len(deals)) < 0.5)])
    other = {"contract": "lost", "lost": "contract"}
    ends = mine & (changes["field"] == "stage") & changes["entity_id"].isin(swapped)
    changes.loc[ends, "new_value"] = changes.loc[ends, "new_value"].replace(other)
    changes.to_parquet(folder / "changes.parquet", index=False)
    after = old & (deals["closed_at"] > cut)
    closed = cut + (deals["closed_at"] - cut) * deals["id"].map(pace)
    deals["closed_at"] = deals["closed_at"].where(~after, closed.dt.floor("us"))
    turned = after & deals["id"].isin(swapped) & deals["stage"].isin(list(other))
    deals.loc[turned, "stage"] = deals.loc[turned, "stage"].replace(other)
    deals.loc[turned, "is_won"] = ~deals.loc[turned, "is_won"].astype(bool)
    deals.to_parquet(folder / "opportunities.parquet", index=False)


def test_a_note_written_after_the_close_is_not_known_before_it():
    things = pd.Series(["d1", "d1"])
    known = pd.to_datetime(pd.Series(["2026-01-05", "2026-02-20"]))
    told = pd.to_datetime(pd.Series(["2026-01-05", "2026-01-20"]))
    track = Track.of(things, known, told)
    asked = pd.Series(["d1", "d1"]), pd.to_datetime(pd.Series(["2026-02-01", "2026-03-01"]))
    assert track.count(*asked).tolist() == [1, 2]
    last = pd.to_datetime(track.latest(*asked), unit="s")
    assert [str(day.date()) for day in last] == ["2026-01-05", "2026-01-20"]


def test_a_field_without_a_history_is_no_feature(tmp_path):
    folder = tmp_path / "book"
    shutil.copytree(SAMPLE, folder, ignore=shutil.ignore_patterns("runs"))
    tracked = pd.read_csv(folder / "tracked.csv")
    tracked[tracked["field"] != "amount"].to_csv(folder / "tracked.csv", index=False)
    changes = pd.read_parquet(folder / "changes.parquet")
    changes[changes["field"] != "amount"].to_parquet(folder / "changes.parquet", index=False)
    told = deal_states(open_book(folder), [dt.date(2026, 3, 2)])
    assert not {"amount", "n_amounts"} & set(told.columns)
    assert "n_pushes" in told


def test_the_list_is_ten_a_person_and_a_team_sees_its_own(sample_book):
    team = sample_book.scope(team="华东/一组")
    mine, everybody = week_list(team), week_list(sample_book)
    assert mine.groupby("owner_id").size().max() <= 10
    assert set(mine["team"]) == {"华东/一组"}
    both = everybody[everybody["id"].isin(mine["id"])].set_index("id").loc[mine["id"]]
    assert np.allclose(both["stuck"], mine["stuck"])
    assert np.allclose(mine["priority"], mine["money"] * mine["stuck"] * mine["win_after"])


def test_a_lot_holds_for_a_quarter_and_can_be_drawn_again():
    ids = pd.Series([f"d{k}" for k in range(2000)])
    day = dt.date(2026, 4, 6)
    out = held_out(ids, day, 0.2)
    assert 0.16 < out.mean() < 0.24
    assert (held_out(ids, dt.date(2026, 6, 29), 0.2) == out).all()
    other = held_out(ids, dt.date(2026, 7, 6), 0.2)
    assert 0.6 < (other == out).mean() < 0.75


def test_only_a_lot_gives_an_effect_of_the_list(result, sample_book):
    assert result.effect == {}
    # Of each of eight weeks all that was known then is learnt anew: early there is less of it, in
    # two of them a model, in the others a rule.
    early = sample_book.as_of("2024-05-20")
    told = stall(early.scope(team="华东/一组"), holdout_share=0.3)
    assert told.effect["n_held"] > 0
    assert told.effect["low"] <= told.effect["more"] <= told.effect["high"]
    shown = told.list_table.html()
    kept_off = told.week[told.week["is_held_out"]]
    assert len(kept_off)
    # A deal of the same customer and product has the same name.
    others = set(told.week.loc[~told.week["is_held_out"], "name"])
    assert not any(name in shown for name in set(kept_off["name"]) - others)


def test_a_director_is_told_what_a_chance_means(result):
    with language("en"):
        text = result.exhibit("week").html()
    assert "moved on within 30 days" in text
    near = result.scored.example
    assert near["stood"] + near["ended"] + near["advanced"] == pytest.approx(1.0)
    assert near["stood"] + near["ended"] == pytest.approx(0.7, abs=0.06)


@pytest.mark.parametrize("what", ["tiny", "small"])
def test_little_is_said_of_companies_with_little(what, tiny_book, small_book):
    book = {"tiny": tiny_book, "small": small_book}[what]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        told = stall(book)
    assert told.scored.kind == "base"
    assert told.gaps
    with language("en"):
        assert told.list_table._repr_mimebundle_()["text/html"]
        assert told.scored_tables._repr_mimebundle_()["text/html"]
        assert told.calibration._repr_mimebundle_()["text/html"]


def test_every_feature_and_reason_has_its_words(result):
    from salesops.metrics.stallreasons import REASONS
    from salesops.wording import label

    for lang in ("zh", "en"):
        with language(lang):
            assert all(label(f"feature.{f.id}") for f in FEATURES)
            assert all(label(f"stall.why_{r.id}") for r in REASONS)


def cut(folder, *, people: int = 3, deals: int = 60, **fields: object):
    """Cut a few reps and deals out of the clean company, and set fields of what is left."""
    source = made_folder(SampleOptions(seed=5, clean=True, months=24))
    whole = pd.read_parquet(source / "opportunities.parquet")
    mine = whole[whole["type"] != "renewal"]
    reps = mine["owner_id"].value_counts().index[:people]
    rows = mine[mine["owner_id"].isin(reps)].sample(deals, random_state=1).assign(**fields)
    into = folder / "cut"
    into.mkdir()
    rows.to_parquet(into / "opportunities.parquet", index=False)
    for name, key in (("changes", "entity_id"), ("activities", "opportunity_id")):
        frame = pd.read_parquet(source / f"{name}.parquet")
        frame[frame[key].isin(rows["id"])].to_parquet(into / f"{name}.parquet", index=False)
    for name in ("users.csv", "tracked.csv", "salesops.toml", "accounts.parquet"):
        shutil.copy(source / name, into / name)
    return into


def rewrite(folder, name: str, change) -> None:
    frame = pd.read_parquet(folder / f"{name}.parquet")
    change(frame).to_parquet(folder / f"{name}.parquet", index=False)


def all_open(folder) -> None:
    """No deal has ended, and none has moved: all are censored."""
    rewrite(
        folder,
        "opportunities",
        lambda f: f.assign(closed_at=pd.NaT, is_won=None, lost_reason=None, stage="needs"),
    )
    rewrite(folder, "changes", lambda f: f[(f["field"] != "stage") | f["old_value"].isna()])


def all_won(folder) -> None:
    """Only deals that were won are left."""
    won = set(pd.read_parquet(folder / "opportunities.parquet").query("is_won == True")["id"])
    rewrite(folder, "opportunities", lambda f: f[f["id"].isin(won)])
    rewrite(folder, "changes", lambda f: f[f["entity_id"].isin(won)])


def one_stage(folder) -> None:
    """The process has one open stage, in which deals stay until they end."""
    book = open_book(folder)
    opens = [s.id for s in book.settings.stages if s.kind == "open"]
    rewrite(
        folder,
        "opportunities",
        lambda f: f.assign(stage=f["stage"].where(~f["stage"].isin(opens), opens[0])),
    )
    ends = {s.id for s in book.settings.stages} - set(opens)

    def ended(frame: pd.DataFrame) -> pd.DataFrame:
        moves = frame["field"] == "stage"
        keep = ~moves | frame["new_value"].isin(ends) | frame["old_value"].isna()
        old = frame["old_value"].where(~moves | frame["old_value"].isna(), opens[0])
        new = frame["new_value"].where(~moves | frame["new_value"].isin(ends), opens[0])
        return frame.assign(old_value=old, new_value=new)[keep]

    rewrite(folder, "changes", ended)


@pytest.mark.parametrize(
    ("change", "lang"), [(None, "zh"), (all_open, "en"), (all_won, "zh"), (one_stage, "en")]
)
def test_sixty_deals_of_three_reps_get_an_honest_answer(tmp_path, change, lang):
    folder = cut(tmp_path)
    if change is not None:
        change(folder)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        told = stall(open_book(folder))
        with language(lang):
            assert told._repr_mimebundle_()["text/html"]
            assert all(e.html() for e in told.exhibits.values())
            assert told.scored_tables._repr_mimebundle_()["text/html"]
    # Sixty deals teach no chance of their own: the list is in order of plain rules and money.
    assert told.scored.kind == "base"
    assert {gap.reason for gap in told.gaps} & {"few_past", "no_better"}
    listed = told.week
    assert listed["priority"].is_monotonic_decreasing
    if len(listed):
        assert np.allclose(listed["priority"], listed["money"])


def test_what_is_left_out_for_want_of_a_history_is_said(tmp_path):
    folder = cut(tmp_path)
    tracked = pd.read_csv(folder / "tracked.csv")
    tracked[tracked["field"] != "amount"].to_csv(folder / "tracked.csv", index=False)
    rewrite(folder, "changes", lambda f: f[f["field"] != "amount"])
    gaps = [g for g in stall(open_book(folder)).gaps if g.reason == "features_left_out"]
    told = {gap.needs: gap.evidence["n"] for gap in gaps}
    assert told == {"changes: amount": 2, "tickets.account_id": 1}


def test_a_date_after_the_books_is_refused_and_a_day_in_progress_is_seen_as_it_is(sample_book):
    early = sample_book.as_of("2026-03-02T04:00:00+00:00")
    with pytest.raises(BadDate, match="after the book's date"):
        deal_states(early, [dt.date(2026, 3, 3)])
    told = set(deal_states(early, [dt.date(2026, 3, 2)])["id"])
    at_noon = early.without_renewals().opportunities
    assert told == set(at_noon.filter(at_noon.outcome == "open").select("id").to_pandas()["id"])
    assert told != set(deal_states(sample_book, [dt.date(2026, 3, 2)])["id"])
