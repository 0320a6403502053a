"""After-sales figures equal plain pandas on the sample and hand arithmetic on four tickets."""

import chinese_calendar
import pandas as pd
import pytest

from salesops.book.book import open_book
from salesops.metrics.catalogue import metric
from salesops.model.settings import Settings, default_text
from tests.fixtures import SAMPLE, TINY

HOURS = pd.Timedelta(hours=1)
EAST = 8 * HOURS
FIRST, AFTER = pd.Timestamp("2026-01-01"), pd.Timestamp("2026-04-01")


@pytest.fixture(scope="module")
def tickets() -> pd.DataFrame:
    rows = pd.read_parquet(SAMPLE / "tickets.parquet")
    times = ["opened_at", "first_response_at", "closed_at"]
    return rows.assign(**{c: rows[c] + EAST for c in times})


def value(book, name: str, period: str = "2026Q1") -> float:
    return float(metric(book, name, period=period)[name].iloc[0])


def worked(start: pd.Timestamp, end: pd.Timestamp) -> float:
    """Count the hours from nine to six on working days, minute by minute of no clock but ours."""
    hours, day = 0.0, start.normalize()
    while day <= end:
        if chinese_calendar.is_workday(day.date()):
            begins, ends = max(start, day + 9 * HOURS), min(end, day + 18 * HOURS)
            hours += max((ends - begins) / HOURS, 0.0)
        day += 24 * HOURS
    return hours


def test_satisfaction_and_response_by_plain_pandas(sample_book, tickets):
    closed = tickets[(tickets["closed_at"] >= FIRST) & (tickets["closed_at"] < AFTER)]
    answered = closed["csat"].dropna()
    assert value(sample_book, "csat") == pytest.approx((answered >= 4).mean())
    assert value(sample_book, "response_rate") == pytest.approx(len(answered) / len(closed))


@pytest.mark.parametrize(
    ("name", "kept", "hours"),
    [("sla_first_response", "first_response_at", 8), ("sla_resolution", "closed_at", 40)],
)
def test_service_levels_in_working_hours_by_plain_python(sample_book, tickets, name, kept, hours):
    of = tickets[(tickets["opened_at"] >= FIRST) & (tickets["opened_at"] < AFTER)]
    taken = [worked(row["opened_at"], row[kept]) for row in of.to_dict("records")]
    # At the end of June the time for all of them is over.
    assert value(sample_book, name) == pytest.approx((pd.Series(taken) <= hours).mean())


def test_open_tickets_at_the_end_of_a_quarter_by_plain_pandas(sample_book, tickets):
    waits = tickets["closed_at"].isna() | (tickets["closed_at"] >= AFTER)
    assert value(sample_book, "open_backlog") == ((tickets["opened_at"] < AFTER) & waits).sum()


def test_a_backlog_is_the_same_when_looked_at_then_and_later(sample_book):
    then = sample_book.as_of("2026-03-31")
    assert value(then, "open_backlog") == value(sample_book, "open_backlog")


def test_by_hand_on_four_tickets(tiny_book):
    # Closed in March: x1 with 5, x2 with 3, x3 without an answer.
    assert value(tiny_book, "csat") == 1 / 2
    assert value(tiny_book, "response_rate") == 2 / 3
    # x2 of the four is a complaint come again.
    assert value(tiny_book, "repeat_rate") == 1 / 4
    # x4, opened on the last morning, is the only one that waits.
    assert value(tiny_book, "open_backlog") == 1
    # Eight working hours: x1 took two, x3 one; x2, opened at ten and answered at noon the next
    # day, eight on the first day and three on the second; x4 waited eight on its only day.
    assert value(tiny_book, "sla_first_response") == 2 / 4
    # Forty working hours: x1 took nine and x2 three days of nine; x3, eleven days; x4 is too young.
    assert value(tiny_book, "sla_resolution") == 2 / 3


def test_a_ticket_too_young_for_its_level_counts_neither_as_kept_nor_as_broken(tiny_book):
    # At the end of the 2nd of March x1 has been open for eight working hours, of forty.
    young = tiny_book.as_of("2026-03-02")
    assert metric(young, "sla_resolution", period="2026-03")["n"].iloc[0] == 0
    assert metric(young, "sla_first_response", period="2026-03")["n"].iloc[0] == 1


def test_without_a_promise_in_the_settings_there_is_no_service_level():
    text = default_text().replace("ticket_response", "call_back")
    book = open_book(TINY, settings=Settings.parse(text, where="test"))
    row = metric(book, "sla_first_response", period="2026Q1").iloc[0]
    assert pd.isna(row["sla_first_response"])
    assert row["reason"] == "no_service_level"
    assert value(book, "sla_resolution") == 2 / 3
