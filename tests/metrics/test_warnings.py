"""Warnings of open deals: by hand on ten deals, by plain pandas on the sample, and back in time."""

import pandas as pd
import pytest

from salesops.metrics.warnings import WARNINGS, deal_warnings, unseen, warning_record
from tests.companies import at, book_of, random_company
from tests.fixtures import SAMPLE

EAST = pd.Timedelta(hours=8)
DATE = pd.Timestamp("2026-06-20")


def marked(frame: pd.DataFrame, name: str) -> set[str]:
    return set(frame.loc[frame[name].fillna(False), "id"])


def test_silence_by_hand_on_ten_deals(tiny_book):
    # Working days to the 31st of March: d04 since 10 February, d06 since 20 February, d08 since it
    # was created on 2 March, each beyond three norms (15, 21, 15); d07 only 7, d10 none.
    assert marked(deal_warnings(tiny_book), "silent") == {"d04", "d06", "d08"}


def test_what_cannot_be_seen_is_null_and_not_false(tiny_book):
    assert unseen(tiny_book) == {"single_contact": "activities.contact_id",
                                 "no_next_step": "opportunities.next_step"}  # fmt: skip
    found = deal_warnings(tiny_book)
    assert found[["single_contact", "no_next_step"]].isna().all(axis=None)
    assert found["n_warnings"].tolist() == found[list(WARNINGS)].sum(axis=1).tolist()
    record = warning_record(tiny_book).set_index("warning")
    assert pd.isna(record.loc["single_contact", "n_now"])


@pytest.fixture(scope="module")
def deals() -> pd.DataFrame:
    frame = pd.read_parquet(SAMPLE / "opportunities.parquet")
    return frame[frame["closed_at"].isna() & (frame["type"] != "renewal")]


@pytest.fixture(scope="module")
def found(sample_book) -> pd.DataFrame:
    return deal_warnings(sample_book)


QUALIFIED = ["needs", "proposal", "negotiation", "legal_review"]


def test_overdue_and_pushed_deals_by_plain_pandas(found, deals):
    due = pd.to_datetime(deals["expected_close_on"])
    assert marked(found, "overdue") == set(deals.loc[due < DATE, "id"])
    log = pd.read_parquet(SAMPLE / "changes.parquet")
    moves = log[(log["entity"] == "opportunities") & (log["field"] == "expected_close_on")]
    later = moves[moves["new_value"] > moves["old_value"]].groupby("entity_id").size()
    often = set(later.index[later >= 3])
    assert marked(found, "pushed") == often & set(deals["id"])


def test_deals_with_one_contact_or_without_a_next_step_by_plain_pandas(found, deals):
    late = deals[deals["stage"].isin(QUALIFIED)]
    acts = pd.read_parquet(SAMPLE / "activities.parquet").dropna(subset=["opportunity_id"])
    people = acts.groupby("opportunity_id")["contact_id"].nunique()
    few = late["id"].map(people).fillna(0) < 2
    assert marked(found, "single_contact") == set(late.loc[few, "id"])
    over = pd.to_datetime(late["next_step_due_on"]) < DATE
    assert marked(found, "no_next_step") == set(late.loc[late["next_step"].isna() | over, "id"])


def test_unusual_values_by_plain_pandas(found, deals):
    every = pd.read_parquet(SAMPLE / "opportunities.parquet")
    won = every[(every["is_won"] == True) & (every["type"] != "renewal")]  # noqa: E712
    since = DATE + pd.Timedelta(days=1) - EAST - pd.DateOffset(years=2)
    amounts = won.loc[won["closed_at"] >= since, "amount"].astype(float)
    beyond = deals["amount"].astype(float) > amounts.quantile(0.99)
    assert marked(found, "unusual_value") == set(deals.loc[beyond, "id"])


def test_the_record_by_plain_pandas(sample_book):
    record = warning_record(sample_book).set_index("warning")
    every = pd.read_parquet(SAMPLE / "opportunities.parquet")
    closed = every.loc[every["is_won"] == True].set_index("id")["closed_at"]  # noqa: E712
    first: dict[str, bool] = {}
    for back in (90 + 3 * 84, 90 + 2 * 84, 90 + 84, 90):
        then = sample_book.as_of((DATE - pd.Timedelta(days=back)).date())
        until = pd.Timestamp(then.instant) + pd.Timedelta(days=90)
        for deal in sorted(marked(deal_warnings(then), "overdue")):
            first.setdefault(deal, not closed.get(deal, pd.NaT) <= until)
    assert record.loc["overdue", "n"] == len(first)
    assert record.loc["overdue", "precision"] == pytest.approx(sum(first.values()) / len(first))


def test_deals_that_were_pushed_or_aged_are_won_less_often_than_others_of_their_stage(sample_book):
    record = warning_record(sample_book).set_index("warning")
    for name in ("pushed", "aged", "silent"):
        assert record.loc[name, "low"] > record.loc[name, "base"], name


def test_a_warning_of_the_past_knows_nothing_of_what_came_after():
    company = random_company(7)
    past = deal_warnings(book_of(company.tables()).as_of(at(40)))
    cut = deal_warnings(book_of(company.tables(until=40)).as_of(at(40)))
    pd.testing.assert_frame_equal(past, cut)
