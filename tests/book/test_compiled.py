"""SQL that was written before is taken for what differs in values alone, and for nothing else."""

import datetime as dt
import gc
import json
import subprocess
import sys

import ibis
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ibis import _

from salesops import performance
from salesops.book import compiled
from salesops.book.compiled import CHECKED, OtherSql, remembering
from salesops.book.moment import instant
from salesops.book.runlog import SHARED

ROWS = pd.DataFrame({
    "id": [f"d{i}" for i in range(6)], "team": ["N", "N/1", "S", "S/1", "S/1", None],
    "n": [1, 2, 3, 4, 5, 6], "at": pd.date_range("2026-01-01", periods=6, freq="31D"),
})  # fmt: skip


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch):
    monkeypatch.setattr(compiled, "_REMEMBERED", type(compiled._REMEMBERED)())
    monkeypatch.delenv(SHARED, raising=False)


@pytest.fixture
def asked(monkeypatch):
    """Count what Ibis had to write."""
    written = []
    write = compiled._Remembering._written

    def noted(self, expr, opened):
        written.append(expr)
        return write(self, expr, opened)

    monkeypatch.setattr(compiled._Remembering, "_written", noted)
    return written


def connected():
    con = remembering(ibis.duckdb.connect())
    plain = ibis.duckdb.connect()
    for one in (con, plain):
        one.create_table("deals", ROWS)
    return con, plain


@ibis.udf.scalar.python
def twice(n: int) -> int:
    return 2 * n


def test_tables_in_memory_and_functions_are_there_whenever_they_are_asked_for():
    words = ibis.memtable(pd.DataFrame({"n": [1, 2], "word": ["one", "two"]}))
    for con in (*connected(), *connected()):
        for _again in range(2):
            asked = con.table("deals").join(words, "n").select("word", n=twice(_.n))
            assert asked.order_by("n").to_pandas().to_numpy().tolist() == [["one", 2], ["two", 4]]


def of_a_team(t, team: str, since: dt.date, label: str):
    mine = t.filter((_.team == team) | _.team.startswith(team + "/"), _.at >= since)
    return mine.mutate(label=ibis.literal(label)).group_by("label").agg(n=_.n.sum())


def until(text: str) -> ibis.Value:
    """Write an instant as books do."""
    return instant(dt.datetime(2026, len(text), 3, 1, 2, 3, 456_789))


WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(WORDS, st.dates(), WORDS), min_size=2, max_size=3))
def test_any_values_give_what_ibis_writes(many):
    con, plain = connected()
    for team, since, label in many:
        ours = con.compile(of_a_team(con.table("deals"), team, since, label))
        assert ours == plain.compile(of_a_team(plain.table("deals"), team, since, label))


def test_other_values_are_not_written_again(asked):
    con, _plain = connected()
    for team, month in (("N", 1), ("S", 2), ("S/1", 3)):
        con.compile(of_a_team(con.table("deals"), team, dt.date(2026, month, 1), "all"))
    assert len(asked) == 2, "the table and one question"


@pytest.mark.parametrize("question", [
    lambda t, a, b: t.filter(_.team == a, _.id == b),  # equal values are one part, unequal two
    lambda t, a, b: t.mutate(x=_.at.strftime(a), y=ibis.literal(a), z=ibis.literal(b)),
    lambda t, a, b: t.mutate(x=_.team.replace(a, b)).filter(_.x == b),
    lambda t, a, b: t.order_by("n").limit(len(a)).filter(_.team != b),
    lambda t, a, b: t.filter(_.team.isin([a, b, "x"])).mutate(k=_.n == len(a)),
    lambda t, a, b: t.mutate(k=ibis.cases((_.team == a, b), (_.team == b, a), else_="x")),
    lambda t, a, b: t.mutate(k=ibis.literal(len(a)), d=_.n.lag(len(b))),
    lambda t, a, b: t.filter(_.at <= until(a), _.at > until(b)).mutate(k=until(a).strftime(b)),
    lambda t, a, b: t.mutate(k=until(a).truncate("M"), d=ibis.literal(until(b).op().arg.value)),
    lambda t, a, b: t.mutate(k=ibis.literal(a).cast("binary"), d=ibis.literal(len(b)).cast(str)),
], ids=range(10))  # fmt: skip
def test_what_is_equal_in_one_question_and_not_in_the_other_is_another_question(question):
    con, plain = connected()
    for a, b in (("%Y", "%m"), ("%Y", "%Y"), ("x", "%Y"), ("%m", "x"), ("xx", "'\"<>")):
        ours = con.compile(question(con.table("deals"), a, b))
        assert ours == plain.compile(question(plain.table("deals"), a, b)), (a, b)


def test_tables_named_by_chance_are_found_under_their_own_names(asked):
    con, _plain = connected()
    sums = []
    for least in (2, 5):
        kept = con.table("deals").filter(_.n >= ibis.literal(least)).cache()
        sums.append(kept.agg(s=_.n.sum()).to_pandas()["s"].iloc[0])
        held = ibis.memtable(pd.DataFrame({"id": ["d1", f"d{least}"]}))
        joined = con.table("deals").semi_join(held, "id")
        assert set(con.to_pandas(joined)["id"]) == {"d1", f"d{least}"}
    assert sums == [20, 11]
    # The table; both filters, since a number is no open value there; one sum; one join.
    assert len(asked) == 5


def test_an_id_that_looks_like_a_name_given_by_chance_is_a_value():
    con, _plain = connected()
    last = [con.table("deals").aggregate(last=_.id.concat(one * 24).max()) for one in "ab"]
    said = [con.execute(one).iat[0, 0] for one in last]
    assert said == ["d5" + "a" * 24, "d5" + "b" * 24]


def test_a_table_that_was_laid_out_goes_with_its_expression():
    con, _plain = connected()
    before = set(con.list_tables())
    kept = con.table("deals").filter(_.n >= 3).cache()
    assert kept.agg(s=_.n.sum()).to_pandas()["s"].iloc[0] == 18
    del kept
    gc.collect()
    assert set(con.list_tables()) == before
    assert not con.compiler._signatures._known


def test_what_has_no_lasting_name_is_written_each_time(asked):
    con, plain = connected()

    @ibis.udf.scalar.builtin
    def upper(text: str) -> str: ...

    question = con.table("deals").mutate(x=upper(_.team))
    again = plain.table("deals").mutate(x=upper(_.team))
    for _each in range(2):
        assert con.compile(question) == plain.compile(again)


def test_where_it_is_asked_to_check_a_wrong_text_is_found(monkeypatch):
    con, _plain = connected()
    question = of_a_team(con.table("deals"), "N", dt.date(2026, 1, 1), "all")
    con.compile(question)
    for key, pieces in compiled._REMEMBERED.items():
        compiled._REMEMBERED[key] = [*pieces[:-1], str(pieces[-1]) + " LIMIT 1"]
    monkeypatch.setenv(CHECKED, "1")
    with pytest.raises(OtherSql, match="LIMIT 1"):
        con.compile(question)


IN_ANOTHER = """
import datetime as dt, json
from salesops.book import compiled
from tests.book.test_compiled import connected, of_a_team

def never(*_asked):
    raise AssertionError("written again")

compiled._Remembering._written = never
con, _plain = connected()
print(json.dumps(con.compile(of_a_team(con.table("deals"), "S", dt.date(2026, 2, 1), "x"))))
"""


def test_another_process_takes_what_one_wrote(tmp_path, monkeypatch):
    monkeypatch.setenv(SHARED, str(tmp_path))
    con, plain = connected()
    con.compile(of_a_team(con.table("deals"), "N", dt.date(2026, 1, 1), "all"))
    again = subprocess.run(
        [sys.executable, "-c", IN_ANOTHER], capture_output=True, text=True, check=False
    )
    assert again.returncode == 0, again.stderr
    question = of_a_team(plain.table("deals"), "S", dt.date(2026, 2, 1), "x")
    assert json.loads(again.stdout) == plain.compile(question)


def test_a_book_at_another_instant_takes_the_questions_of_the_first(tiny_book, monkeypatch, asked):
    monkeypatch.setenv(CHECKED, "1")
    n = []
    for at in (dt.datetime(2026, 3, 20, 4, 5, 6, 789), dt.datetime(2026, 3, 25, 15)):
        for scope in ({}, {"team": "North"}):
            book = tiny_book.as_of(at).scope(**scope)
            for name in ("opportunities", "leads", "activities", "changes"):
                book.table(name).to_pandas()
        n.append(len(asked))
    assert n[0] == n[1] > 8


def test_a_report_of_one_team_takes_the_questions_of_another(tiny_book, monkeypatch, asked):
    monkeypatch.setenv(CHECKED, "1")
    n = []
    for team in ("North", "South"):
        performance.__wrapped__(tiny_book.scope(team=team))
        n.append(len(asked))
    assert n[1] - n[0] < 0.1 * n[0], n
