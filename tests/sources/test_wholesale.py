"""Columns read at once hold what reading their texts one by one gives, faults and all."""

import random
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from salesops.model.tables import facts
from salesops.sources import encodings
from salesops.sources.mapping import Source
from salesops.sources.moments import read_moments
from salesops.sources.parsing import Parser
from salesops.sources.readers import read_sheet
from salesops.sources.wholesale import all_differ

ARROW = pd.StringDtype("pyarrow", na_value=np.nan)
AMOUNTS = ("12.5", "3", "-3", "-0", "-0.00", "-0.5", "007", "0.005", "1,234.50", "12万", "¥300",
           "(20)", "１２３", "1e3", "999999999999999.99", "9999999999999999.99",
           "99999999999999999", "+7", ".5", "5.", "")  # fmt: skip


def read(texts: list[str], column: str, *, compact: bool, source: Source | None = None):
    parser = Parser("x.csv", "UTC", compact=compact)
    given = pd.Series(texts, dtype=ARROW if compact else object, index=range(2, len(texts) + 2))
    found = parser.column(given, source or Source(), facts("opportunities")[column], column)
    assert found.index.equals(given.index)
    return [None if pd.isna(v) else v for v in found.astype(object)], parser.faults


def plain(n: int) -> list[str]:
    draw = random.Random(n)
    return [f"{draw.randrange(10**7) / 100:.2f}" for _ in range(n)]


@pytest.mark.parametrize("texts", [list(AMOUNTS), plain(200), plain(50) + list(AMOUNTS)])
@pytest.mark.parametrize("source", [Source(), Source(unit="wan"), Source(decimal=",")])
def test_money_read_at_once_is_the_same_to_the_cent(texts, source):
    at_once, faults = read(texts, "amount", compact=True, source=source)
    # One value that no engine writes, and each is read by itself.
    for text, value in zip(texts, at_once, strict=True):
        alone, said = read([text, "约12"], "amount", compact=False, source=source)
        assert alone[0] == value
        assert value is None or str(alone[0]) == str(value)
        mine = [f.problem for f in said if f.row == 2]
        assert mine == [f.problem for f in faults if f.value == text][: len(mine)]
    if source == Source() and texts[0] == "12.5":
        assert at_once[:3] == [Decimal("12.50"), Decimal("3.00"), Decimal("-3.00")]


@pytest.mark.parametrize("column", ["id", "name", "account_id"])
@pytest.mark.parametrize("texts", [
    ["d1", "d2", "客户", "\u3000", "d5"], ["d1", "1.23E+17", "May-20", "#N/A", "20-jun", "3月5日"],
    ["00123", "00007", "45", "d"], ["1234567890123450000", "2234567890123450000"],
    ["", "a"], ["a", "a", "a", "b"], [],
])  # fmt: skip
def test_texts_that_stay_in_arrow_have_the_values_and_faults_of_others(column, texts):
    assert read(texts, column, compact=True) == read(texts, column, compact=False)


def test_days_and_times_read_at_once_are_those_read_one_by_one():
    texts = ["2026-03-05", "2026-03-05 10:00", "2026-03-05 10:00:59", "2026-03-05 10:00:59.25",
             "2026-02-30", "2026-03-05 25:00", "0001-01-01"]  # fmt: skip
    whole, problems = read_moments(pd.Series(texts, dtype=object), (), None, 0, "UTC")
    # With a day that is written otherwise.
    other, said = read_moments(
        pd.Series([*texts, "2026年3月5日"], dtype=object), (), None, 0, "UTC"
    )
    assert other.iloc[:-1].tolist()[:4] == whole.tolist()[:4]
    pd.testing.assert_series_equal(other.iloc[:-1], whole)
    assert problems == said == dict.fromkeys((4, 5, 6), "is no date")


@pytest.mark.parametrize("row", ["d1, 5\u3000,x", "d1,5,", ",,"])
def test_a_text_without_quotes_is_read_as_one_with_them(tmp_path, row):
    rows = ["Id,Amount,Note", "d0,1,a", row, "d2,3,c"]
    (tmp_path / "bare.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    quoted = ["Id,Amount,Note", '"d0",1,a', row, "d2,3,c"]
    (tmp_path / "quoted.csv").write_text("\n".join(quoted) + "\n", encoding="utf-8")
    bare, same = read_sheet(tmp_path / "bare.csv"), read_sheet(tmp_path / "quoted.csv")
    pd.testing.assert_frame_equal(bare.frame, same.frame)
    assert bare.layout == same.layout


@pytest.mark.parametrize("kind", [ARROW, object])
@pytest.mark.parametrize("last", ["d150000", "d7", None])
def test_of_many_ids_one_that_is_there_twice_is_found(kind, last):
    ids = pd.Series([f"d{i}" for i in range(150_000)] + [last], dtype=kind)
    assert all_differ(ids) == (last != "d7")


@pytest.mark.parametrize("word", ["合计", "总和", "Subtotal", "\u200b", "客户"])
@pytest.mark.parametrize("at", range(58, 66))
def test_what_is_cut_by_the_end_of_a_piece_of_a_file_is_found(tmp_path, monkeypatch, word, at):
    monkeypatch.setattr(encodings, "_CHUNK", 64)
    path = tmp_path / "deals.csv"
    path.write_bytes(b"a,b\n" + b"x" * (at - 4) + word.encode() + b",1\n" + b"y" * 100 + b",2\n")
    found = encodings.survey(path, "deals.csv")
    assert (found.encoding, found.n_lines) == ("utf-8", 3)
    assert found.may_total == (word in ("合计", "总和", "Subtotal"))
    assert found.unseen == (word == "\u200b")
    # The same with its last byte lost is no UTF-8, wherever the piece ends.
    path.write_bytes(path.read_bytes().replace(word.encode(), word.encode()[:-1]))
    assert encodings._is_utf8(path) == word.isascii()
