"""The card of the day holds the catalogue's numbers, and says them in both languages."""

import dataclasses
import datetime as dt

import pandas as pd
import pytest

from salesops.charts.dailycard import card_html, card_lines, card_text
from salesops.metrics.catalogue import metric
from salesops.metrics.dailycard import card
from salesops.model.calendar import Period
from salesops.model.dailycard import Card, Due
from salesops.wording import language, money, ratio
from tests.fixtures import SAMPLE


@pytest.fixture(scope="module")
def sample_card(sample_book) -> Card:
    return card(sample_book)


def test_what_was_received_on_the_day_is_what_plain_pandas_finds(sample_book, sample_card):
    day = pd.Timestamp(sample_book.date)
    receipts = pd.read_parquet(SAMPLE / "receipts.parquet")
    came = receipts[pd.to_datetime(receipts["received_on"]) == day]
    assert sample_card.received == pytest.approx(float(came["amount"].astype(float).sum()))


def test_the_month_so_far_is_that_of_the_catalogue(sample_book, sample_card):
    for name, value in (("bookings", sample_card.signed_month), ("pace", sample_card.pace),
                        ("attainment", sample_card.attained_share)):  # fmt: skip
        assert metric(sample_book, name)[name].iloc[0] == pytest.approx(value)
    assert sample_card.signed_month / sample_card.expected == pytest.approx(sample_card.pace)


def test_the_next_three_are_dated_from_the_day_on_and_earliest_first(sample_book, sample_card):
    days = [due.on for due in sample_card.due]
    assert len(days) == 3
    assert days == sorted(days)
    assert days[0] >= sample_book.date
    later = pd.read_parquet(SAMPLE / "instalments.parquet")
    earliest = pd.to_datetime(later["due_on"])[lambda d: d >= pd.Timestamp(sample_book.date)].min()
    assert days[0] >= earliest.date()


def test_a_day_on_which_nothing_was_signed_is_zero_and_no_gap(tiny_book):
    # Nothing is signed on 2026-03-31, 40 on the 5th; there are no receipts at all.
    found = card(tiny_book)
    assert (found.signed, found.received, found.due_kind) == (0.0, None, "deals")
    assert card(tiny_book.as_of("2026-03-05")).signed == 40.0


def test_without_payments_the_deals_that_are_to_be_signed_come_next(tiny_book):
    due = card(tiny_book.as_of("2026-03-30")).due
    assert [(d.customer, d.on) for d in due[:1]] == [("Gamma", dt.date(2026, 3, 31))]


def test_a_teams_card_names_the_team_and_nobody_elses_customers(tiny_book):
    found = card(tiny_book.scope(team="South"))
    assert found.whose == "South"
    own = set(tiny_book.scope(team="South").accounts.name.to_pandas())
    assert {d.customer for d in found.due} <= own


def test_both_languages_say_the_same_numbers(sample_card):
    for lang in ("zh", "en"):
        with language(lang):
            text = card_text(sample_card)
            day = (sample_card.signed, sample_card.received)
            month = (sample_card.signed_month, sample_card.expected)
            shown = [money(value) for value in (*day, *month)]
            shown += [ratio(sample_card.pace), *(money(d.amount) for d in sample_card.due)]
            assert all(number in text for number in shown), text
            assert len(text.splitlines()) == 7


MARCH = Period.parse("2026-03")
EVIL = Card(
    company="C", whose="C", date=dt.date(2026, 3, 2), month=MARCH, signed=1.0, received=2.0,
    signed_month=3.0, expected=None, pace=None, attained_share=None, due_kind="instalments",
    due=(Due("<script>alert(1)</script>", 5.0, dt.date(2026, 3, 3)),
         Due("long " * 3000, 5.0, dt.date(2026, 3, 3)),
         Due("two\nlines", 5.0, dt.date(2026, 3, 3))),
)  # fmt: skip


def test_names_of_customers_are_escaped_cut_and_kept_on_their_line():
    page = card_html(EVIL, "en")
    assert "<script" not in page
    assert len(page) < 3000
    assert len(card_text(EVIL).splitlines()) == 4 + len(EVIL.due)


def test_without_a_target_none_is_made_up():
    assert "no target" in card_lines(EVIL)[2]
    half = dataclasses.replace(EVIL, attained_share=0.5)
    assert "50% of the month's target" in card_lines(half)[2]


def test_nothing_due_is_said():
    assert "Nothing" in card_text(dataclasses.replace(EVIL, due=()))
