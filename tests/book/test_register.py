"""The register as people keep it: every encoding and date read, every fault told, nothing lost."""

import csv
import datetime as dt
import io
import shutil
import string
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from salesops.book.book import open_book
from salesops.book.register import (
    Known,
    Register,
    Row,
    canonical_rows,
    last_number,
    new_register,
    read_register,
    with_row,
    with_values,
    write_register,
)
from salesops.book.registercells import Unclear, day_of, number_of, order_of
from salesops.book.registered import LAST
from salesops.book.registerfile import HEADS, BadAction, BadRegister
from salesops.book.registerrows import Person, places_of
from salesops.model.calendar import Calendar
from salesops.model.errors import BadRows
from salesops.sources.importing import import_path
from tests.fixtures import TINY

SHANGHAI = Calendar("Asia/Shanghai")
KNOWN = Known(
    calendar=SHANGHAI, today=dt.date(2026, 6, 1), last_day=lambda: dt.date(2026, 6, 20),
    people={
        "U1": Person("张伟"), "U2": Person("李娜", dt.date(2026, 1, 31)),
        "U3": Person("王芳"), "U4": Person("王芳"),
    },
    places=places_of(["华东/一组", "华东/二组", "华南"], ["华东", "North"]),
    former=lambda: places_of(["华中"], []),
    codes=frozenset({"service.slow"}), metrics=frozenset({"win_rate"}),
)  # fmt: skip
CHINESE = (
    "编号,类型,发现编号,指标,范围,负责人,建立时间,截止日,状态,完成日,基线,预期效果,备注,会议室\n"
    "M000004,行动,SER-123456,win_rate,团队：华东/一组,张伟,2026/3/2,2026年3月31日,已完成,2026.3.30,"
    "25%,2.5％,每周复盘,三楼\n"
    ",问题,,,全公司,,46086,46090,,,,,合同要盖三次章,\n"
)


def read(text: str, encoding: str = "utf-8", known: Known = KNOWN) -> Register:
    return read_register(text.encode(encoding), "actions.csv", known)


def faults(text: str, known: Known = KNOWN) -> list[tuple[str, str, str, str]]:
    with pytest.raises(BadRows) as caught:
        read(text, known=known)
    assert str(caught.value).splitlines()[-1].startswith("To mend: correct these cells")
    return list(caught.value.rows)


def one(text: str, column: str) -> object:
    return read(text).rows[0].values[column]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_chinese_register_is_read_in_every_encoding_and_separator(encoding, separator):
    text = CHINESE.replace(",", separator)
    first, second = read(text, encoding).rows
    assert first.values == {
        "id": "M000004", "kind": "action", "finding_id": "SER-123456", "metric": "win_rate",
        "scope": "team:华东/一组", "owner_id": "U1", "created_at": dt.datetime(2026, 3, 1, 16),
        "due_on": dt.date(2026, 3, 31), "status": "done", "done_on": dt.date(2026, 3, 30),
        "baseline": 0.25, "expected_effect": 0.025, "note": "每周复盘",
    }  # fmt: skip
    assert first.added == ("三楼",)
    # A row without an id gets the next one; 46086 days after 1899-12-30 is 2026-03-05.
    assert second.values["id"] == "M000005"
    assert dt.date(1899, 12, 30) + dt.timedelta(days=46_086) == dt.date(2026, 3, 5)
    assert second.values["created_at"] == dt.datetime(2026, 3, 4, 16)
    assert (second.values["scope"], second.values["status"]) == ("company", "open")
    assert second.line == 3


def test_excel_names_its_separator_in_a_line_of_its_own():
    register = read("sep=;\r\nid;note;baseline\r\nM000001;a, b;0,025\r\n")
    assert register.rows[0].values["note"] == "a, b"
    assert register.rows[0].values["baseline"] == 0.025
    assert register.rows[0].line == 3


def test_what_was_read_otherwise_is_told_with_its_line():
    told = {(r.line, r.column): (r.written, r.read) for r in read(CHINESE).readings}
    assert told[2, "due_on"] == ("2026年3月31日", "2026-03-31")
    assert told[2, "owner_id"] == ("张伟", "U1")
    assert told[2, "status"] == ("已完成", "完成")
    assert told[3, "id"] == ("", "M000005")
    assert read("id,kind,status,note\nM000001,snag,open,x\n").readings == ()


@pytest.mark.parametrize(
    ("written", "day"),
    [("2026-03-05", "2026-03-05"), ("2026/3/5", "2026-03-05"), ("2026.03.05", "2026-03-05"),
     ("2026年3月5日", "2026-03-05"), ("46086", "2026-03-05"), ("2026/3/5 0:00", "2026-03-05"),
     ("25/3/2026", "2026-03-25"), ("3/25/2026", "2026-03-25"), ("5/5/2026", "2026-05-05")],
)  # fmt: skip
def test_dates_of_excel_are_read(written, day):
    assert str(one(f"id,due_on\nM000001,{written}\n", "due_on")) == day


def test_day_and_month_are_told_apart_by_the_whole_column_or_refused():
    rows = read("id,due_on\nM000001,3/5/2026\nM000002,3/25/2026\n").rows
    assert [str(row.values["due_on"]) for row in rows] == ["2026-03-05", "2026-03-25"]
    rows = read("id,due_on\nM000001,3/5/2026\nM000002,25/3/2026\n").rows
    assert [str(row.values["due_on"]) for row in rows] == ["2026-05-03", "2026-03-25"]
    (fault,) = faults("id,due_on\nM000001,3/5/2026\n")
    assert fault[:3] == ("line 2", "due_on", "3/5/2026")
    assert "day or month first; write 2026-03-05" in fault[3]
    assert len(faults("id,due_on\nM000001,25/3/2026\nM000002,3/25/2026\n")) == 2
    assert order_of(["25/3/2026", "3/25/2026"]) == "both"


@pytest.mark.parametrize("text", ["soon", "2026-02-30", "3/5/26", "0026-03-05", "2026-03-05 25:00"])
def test_what_is_no_date_is_refused(text):
    with pytest.raises(Unclear, match="is no date; write 2026-03-05"):
        day_of(text, "unknown")


@pytest.mark.parametrize(
    ("text", "separator", "value"),
    [("2.5%", ",", 0.025), ("-10 %", ",", -0.1), ("1,200,000", ",", 1_200_000), ("0.1", ";", 0.1),
     ("0,1", ";", 0.1), ("1e3", ",", 1000.0), ("-0.05", ",", -0.05)],
)  # fmt: skip
def test_numbers_are_read_as_excel_writes_them(text, separator, value):
    assert number_of(text, separator) == value


@pytest.mark.parametrize(
    ("text", "separator"),
    [("a lot", ","), ("nan", ","), ("inf", ","), ("1e999", ","), ("0,1", ","), ("1,200", ";"),
     ("1.200", ";"), ("", ",")],
)  # fmt: skip
def test_what_is_no_number_or_could_be_two_is_refused(text, separator):
    with pytest.raises(Unclear):
        number_of(text, separator)


FAULTS = {
    "unknown kind": ("id,kind\nM1,wish\n", "kind", "wish", "write action, snag, decision"),
    "unknown status": ("id,status\nM1,maybe\n", "status", "maybe", "write open, done, late"),
    "unknown finding": ("id,code\nM1,service.sloow\n", "code", "service.sloow",
                        "nearest: service.slow"),
    "unknown metric": ("id,metric\nM1,winrate\n", "metric", "winrate", "nearest: win_rate"),
    "unknown owner": ("id,owner\nM1,张玮\n", "owner_id", "张玮", "is nobody of this company"),
    "two of one name": ("id,owner\nM1,王芳\n", "owner_id", "王芳", "U3, U4; write the id"),
    "an owner who had left": ("id,owner,created_at\nM1,李娜,2026-02-01\n", "owner_id", "U2",
                              "left on 2026-01-31, before 2026-02-01"),
    "due before it was made": ("id,created_at,due_on\nM1,2026-03-05,2026-03-04\n", "due_on",
                               "2026-03-04", "before created_at, 2026-03-05"),
    "done before it was made": ("id,created_at,done_on\nM1,2026-03-05,2026-03-04\n", "done_on",
                                "2026-03-04", "before created_at, 2026-03-05"),
    "done in the future": ("id,done_on\nM1,2026-06-21\n", "done_on", "2026-06-21",
                           "in the future, after 2026-06-20"),
    "two rows of one id": ("id,note\nM1,a\nM1,b\n", "id", "M1", "stands in line 2 too"),
    "unknown team": ("id,scope\nM1,team:华东/三组\n", "scope", "team:华东/三组",
                     "there is no team 华东/三组; nearest: 华东/"),
    "unknown region": ("id,scope\nM1,region:Nroth\n", "scope", "region:Nroth", "nearest: North"),
    "unknown person of a scope": ("id,scope\nM1,user:U9\n", "scope", "user:U9", "no user U9"),
    "a scope of another form": ("id,scope\nM1,tema:华南\n", "scope", "tema:华南", "no side 'tema'"),
    "a scope that could be two": ("id,scope\nM1,华东\n", "scope", "华东",
                                  "write team:华东 or region:华东"),
    "a text for a number": ("id,baseline\nM1,much\n", "baseline", "much", "is no number"),
}  # fmt: skip


@pytest.mark.parametrize("case", FAULTS)
def test_a_fault_is_told_with_its_line_and_how_to_mend_it(case):
    text, column, value, problem = FAULTS[case]
    (fault,) = faults(text)
    assert fault[0] == f"line {text.count(chr(10))}"
    assert fault[1:3] == (column, value)
    assert problem in fault[3]


def test_all_faults_are_told_at_once_ten_of_them_and_their_number():
    rows = "".join(f"M{n},wish,soon\n" for n in range(12))
    with pytest.raises(BadRows) as caught:
        read(f"id,kind,due_on\n{rows}")
    text = str(caught.value)
    assert text.startswith("actions.csv has 24 faults:")
    assert text.count("line ") == 10
    assert "… and 14 more." in text


def test_what_held_when_a_row_was_made_may_stay():
    text = "id,owner,created_at,scope\nM1,U2,2026-01-31,team:华中\nM2,U2,,team:华东\n"
    assert [row.values["owner_id"] for row in read(text).rows] == ["U2", "U2"]


def test_who_knows_no_people_refuses_none():
    bare = Known(calendar=SHANGHAI)
    row = read("id,owner,scope,metric\nM1,谁,team:某组,any\n", known=bare).rows[0]
    assert row.values["owner_id"] == "谁"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "it is empty"),
        (b"\r\n ,\r\n", "it is empty"),
        (b"PK\x03\x04 and more", "it is a workbook, not a CSV"),
        (b"\x00\x01\x02", "it is binary"),
        ("id,note\nM1,Müller Zoë\n".encode("latin-1"), "neither UTF-8 nor GB18030"),
        (b"one,two\n1,2\n", "none of its heads is known"),
        ("编号,id\n1,2\n".encode(), "编号 and id both mean id"),
        (b"id,note\nM1,a,b\n", "actions.csv, line 2: it has 3 cells"),
        (b'id,note\nM1,"never closed\nM2,x\n', "actions.csv, line 2: its quotes do not fit"),
    ],
)
def test_what_is_no_register_is_refused(data, said):
    with pytest.raises(BadRegister) as caught:
        read_register(data, "actions.csv", KNOWN)
    lines = str(caught.value).splitlines()
    assert said in lines[0]
    assert lines[1].startswith("Expected: a CSV with one row of heads")
    assert len(lines) == 3


def test_columns_that_people_added_and_their_order_stay():
    text = "会议室,编号,备注,状态,\n三楼,M000001,每周复盘,done,x\n"
    register = with_row(
        read(text), {"id": "M000002", "kind": "snag", "due_on": dt.date(2026, 4, 1)}
    )
    rows = list(csv.reader(io.StringIO(write_register(register, SHANGHAI).decode("utf-8-sig"))))
    assert rows == [
        ["会议室", "编号", "备注", "状态", "", "kind", "due_on"],
        ["三楼", "M000001", "每周复盘", "完成", "x", "action", ""],
        ["", "M000002", "", "", "", "snag", "2026-04-01"],
    ]


def test_a_row_is_changed_by_its_id_alone():
    register = with_values(read(CHINESE), "M000005", "actions.csv", {"note": "已解决"})
    assert [row.values["note"] for row in register.rows] == ["每周复盘", "已解决"]
    with pytest.raises(BadAction, match=r"it has no row M9.\n[^\n]*\n[^\n]*M000004, M000005"):
        with_values(register, "M9", "actions.csv", {})


def test_no_id_comes_back_when_its_row_is_deleted():
    known = Known(calendar=SHANGHAI, last=7)
    assert read("id,note\n,a\nM000002,b\n,c\n", known=known).rows[0].values["id"] == "M000008"
    assert last_number(["M000012", None, "own"], 7) == 12


def test_no_text_becomes_a_formula_and_each_is_read_back_as_it_was():
    for text in ("=1+1", "'=1+1", "-5 %", "@x", "＝1", "it's", "'", "''+"):
        register = with_row(new_register(), {"id": "M1", "kind": "snag", "note": text})
        written = write_register(register, SHANGHAI)
        cells = list(csv.reader(io.StringIO(written.decode("utf-8-sig"))))[1]
        assert not cells[-1].startswith(("=", "-", "@", "＝"))
        assert read_register(written, "x", KNOWN).rows[0].values["note"] == text


TEXTS = st.text(
    st.characters(codec="utf-8", exclude_characters="\x00\ufeff") | st.sampled_from("'=;,\"\n\t五"),
    max_size=12,
).map(str.strip).map(lambda text: text or None)  # fmt: skip
DAYS = st.none() | st.dates(dt.date(2000, 1, 1), dt.date(2099, 12, 31))
NUMBERS = st.none() | st.floats(allow_nan=False, allow_infinity=False)
ROWS = st.fixed_dictionaries({
    "kind": st.sampled_from(["action", "snag", "decision"]),
    "finding_id": TEXTS, "code": TEXTS, "metric": TEXTS, "scope": st.none() | st.just("company"),
    "owner_id": TEXTS,
    "created_at": st.none() | st.datetimes(dt.datetime(1990, 1, 1), dt.datetime(1999, 12, 31)),
    "due_on": DAYS, "status": st.sampled_from(["open", "late", "dropped"]),
    "done_on": st.none(), "baseline": NUMBERS, "expected_effect": NUMBERS, "note": TEXTS,
})  # fmt: skip
ADDED = st.text(string.printable.replace("\x00", "") + "甲乙", max_size=6)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(ROWS, ADDED), max_size=5), st.booleans())
def test_what_is_written_is_read_back_and_written_the_same(told, chinese):
    heads = {c: words[-1] if chinese else c for c, words in HEADS.items()}
    rows = tuple(Row(line=n + 2, values={"id": f"M{n + 1:06d}", **values}, added=(own,))
                 for n, (values, own) in enumerate(told))  # fmt: skip
    register = Register(heads=(*heads.values(), "own"), columns=(*heads, None), rows=rows)
    data = write_register(register, SHANGHAI)
    again = read_register(data, "actions.csv", Known(calendar=SHANGHAI))
    assert [row.values for row in again.rows] == [row.values for row in rows]
    assert [row.added for row in again.rows] == [row.added for row in rows]
    assert again.readings == ()
    assert write_register(again, SHANGHAI) == data


@pytest.fixture
def company(tmp_path) -> Path:
    return shutil.copytree(TINY, tmp_path / "company")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_a_book_reads_the_register_as_people_keep_it(company, encoding):
    heads = "编号;负责人;建立时间;截止日;状态;预期效果;备注;会议室"
    text = heads + "\n;Ann;2026/3/2;2026/3/31;进行中;2,5%;盖章;三楼\n"
    (company / "actions.csv").write_bytes(text.encode(encoding))
    (row,) = open_book(company).actions.to_pandas().to_dict("records")
    assert (row["id"], row["kind"], row["status"]) == ("M000001", "action", "open")
    assert row["owner_id"] == "u1"
    assert row["expected_effect"] == 0.025
    assert str(row["due_on"])[:10] == "2026-03-31"


def test_a_faulty_register_stops_the_book_with_its_line(company):
    (company / "actions.csv").write_text("id,kind,owner\nM1,wish,Nobody\n", encoding="utf-8")
    with pytest.raises(BadRows) as caught:
        open_book(company)
    assert [row[:3] for row in caught.value.rows] == [
        ("line 2", "kind", "wish"), ("line 2", "owner_id", "Nobody"),
    ]  # fmt: skip
    assert str(company / "actions.csv") in str(caught.value)


def test_the_date_of_a_book_does_not_move_by_what_the_review_notes(company):
    before = open_book(company).date
    (company / "actions.csv").write_text("id,created_at\nM1,2026-05-05\n", encoding="utf-8")
    book = open_book(company)
    assert book.date == before
    assert book.n("actions") == 0
    assert book.as_of("2026-05-05").n("actions") == 1


def test_what_was_done_after_the_last_day_of_the_data_is_no_future(company):
    # The data end on 2026-03-31, long before today.
    (company / "actions.csv").write_text("id,done_on\nM1,2026-04-02\n", encoding="utf-8")
    assert open_book(company).n("actions") == 1
    (company / "actions.csv").write_text("id,done_on\nM1,2199-04-02\n", encoding="utf-8")
    with pytest.raises(BadRows, match="lies in the future"):
        open_book(company)


def test_a_number_that_was_given_once_is_not_given_by_a_book_again(company):
    (company / LAST).write_text("41")
    (company / "actions.csv").write_text("note\nslow seal\n", encoding="utf-8")
    assert open_book(company).actions.to_pandas()["id"].tolist() == ["M000042"]


def test_columns_that_a_register_lacks_are_absent(company):
    (company / "actions.csv").write_text("note,due\nslow seal,\n", encoding="utf-8")
    book = open_book(company)
    assert book.has("actions.due_on")
    assert not book.has("actions.baseline")
    assert canonical_rows(new_register()).num_rows == 0


def test_an_import_leaves_the_register_that_people_keep_as_it_is(company, tmp_path):
    export, book = tmp_path / "export", tmp_path / "book"
    shutil.copytree(TINY, export)
    import_path(export, source="canonical", into=book)
    kept = "编号,备注,会议室\n,盖章,三楼\n".encode("gb18030")
    (book / "actions.csv").write_bytes(kept)
    (export / "actions.csv").write_text("id,note\nM1,of the export\n", encoding="utf-8")
    import_path(export, source="canonical", into=book, exported_at="2026-04-30")
    assert (book / "actions.csv").read_bytes() == kept
    assert open_book(book).actions.to_pandas()["note"].tolist() == ["盖章"]
    assert not (book / "actions.parquet").exists()
