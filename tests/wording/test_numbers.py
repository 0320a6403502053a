"""Numbers as a reader of a report expects them, in both languages, at their edges."""

import datetime as dt

import pytest

from salesops.model.calendar import Period
from salesops.wording import (
    count,
    date,
    days,
    language,
    listed,
    money,
    period,
    points,
    ratio,
    times,
)

CASES = {
    money: [
        (3_184_000, "318.4万元", "¥3.18m"), (538_000, "53.8万元", "¥538k"),
        (99_994_999, "9,999.5万元", "¥99.99m"), (100_000_000, "1.00亿元", "¥100.00m"),
        (1_480_000_000, "14.80亿元", "¥1.48bn"), (-9_850_000, "−985.0万元", "−¥9.85m"),
        (0, "0.0万元", "¥0"), (None, "—", "—"), (float("nan"), "—", "—"),
    ],
    ratio: [
        (0.58, "58%", "58%"), (0.0213, "2.1%", "2.1%"), (0.0004, "< 0.1%", "< 0.1%"),
        (0.99995, "> 99.9%", "> 99.9%"), (0.996, "99.6%", "99.6%"), (1.0, "100%", "100%"),
        (0.0, "0%", "0%"), (None, "—", "—"), (-0.05, "−5%", "−5%"),
    ],
    points: [
        (-0.09, "−9点", "−9 pts"), (0.031, "+3点", "+3 pts"), (0.002, "+0.2点", "+0.2 pts"),
        (0.0, "0点", "0 pts"), (None, "—", "—"),
    ],
    times: [(3.04, "3.0倍", "3.0x"), (None, "—", "—")],
    days: [(1, "1天", "1 day"), (16, "16天", "16 days"), (8.94, "8.9天", "8.9 days")],
    count: [(27_300, "27,300", "27,300"), (-3, "−3", "−3"), (None, "—", "—")],
    date: [(dt.date(2026, 6, 20), "2026-06-20", "2026-06-20"), (None, "—", "—")],
}  # fmt: skip
ROWS = [(f, value, zh, en) for f, rows in CASES.items() for value, zh, en in rows]


@pytest.mark.parametrize(("write", "value", "zh", "en"), ROWS)
def test_a_number_is_written_as_its_reader_expects(write, value, zh, en):
    with language("zh"):
        assert write(value) == zh
    with language("en"):
        assert write(value) == en


def test_a_little_is_never_nothing_and_nearly_all_never_everything():
    for share in (1e-9, 1e-4, 0.0005, 0.9991, 1 - 1e-9):
        assert ratio(share) not in ("0%", "100%")


@pytest.mark.parametrize(
    ("text", "zh", "en"),
    [("2026-06", "2026年6月", "Jun 2026"), ("2026Q2", "2026年第二季度", "2026 Q2"),
     ("2026", "2026年", "2026")],
)  # fmt: skip
def test_periods(text, zh, en):
    of = Period.parse(text, on=dt.date(2026, 6, 20))
    with language("zh"):
        assert period(of) == zh
    with language("en"):
        assert period(of) == en


def test_lists_are_joined_as_the_language_does():
    with language("zh"):
        assert listed(["a", "b"]) == "a、b"
    with language("en"):
        assert listed(["a", "b"]) == "a, b"


def test_an_unknown_language_is_refused_with_those_there_are():
    with pytest.raises(ValueError, match="Expected zh or en"), language("fr"):
        pass
