"""What a message tells people to do can be done, also where there is no book yet."""

import re

import pytest

from salesops.sources.importing import import_path
from salesops.sources.mappingtext import MappingThere
from salesops.sources.proposing import NoDeals
from salesops.sources.questions import BadAnswer, Question
from salesops.sources.readers import UnreadableFile
from salesops.sources.setaside import BadRows
from tests.sources.companies import STAGES, write_csv
from tests.sources.test_proposing import deals, imported

HEADS = ["商机编号", "客户名称", "阶段", "金额", "登记日期"]


def rows(n: int = 24, day: str = "2026-01-05") -> list[list[object]]:
    return [[f"N{i}", f"客户{i}", STAGES[i % 6], 90_000 + i, day] for i in range(n)]


def answers_in(error: Exception) -> dict[str, str]:
    """Take the first option that a message names."""
    key, value = re.findall(r"--answer (\w+)=(\S+?)[ ,;.]", str(error))[0]
    return {key: value}


@pytest.mark.parametrize(
    "odd", [["华东区", "", "", "", ""], ["合计", "甲公司", "", "", "2026-02-30"]]
)
def test_a_row_that_may_be_a_record_is_settled_by_the_option_that_is_named(odd, tmp_path):
    path = write_csv(tmp_path / "台账.csv", [HEADS, *rows(12), odd, *rows(24)[12:]])
    with pytest.raises(UnreadableFile) as error:
        imported(path, tmp_path)
    book = imported(path, tmp_path, answers=answers_in(error.value))
    assert book.n("opportunities") == 24


def test_rows_of_several_sheets_are_not_dropped_by_number(tmp_path):
    for name in ("甲.csv", "乙.csv"):
        write_csv(tmp_path / "export" / name, [HEADS, *rows()])
    with pytest.raises(BadAnswer, match="several sheets"):
        import_path(tmp_path / "export", into=tmp_path / "book", answers={"drop": "3"})
    with pytest.raises(BadAnswer, match="no list of row numbers"):
        import_path(tmp_path / "export", into=tmp_path / "book", answers={"drop": "x"})


def test_a_proposed_mapping_is_written_where_values_can_not_be_read_by_it(tmp_path):
    path = write_csv(tmp_path / "台账.csv", [HEADS, *rows(day="46086")])
    out = tmp_path / "my.toml"
    with pytest.raises(BadRows, match=r"--mapping-out my\.toml"):
        imported(path, tmp_path, mapping_out=out)
    text = out.read_text(encoding="utf-8")
    told = text.replace('created_at = "登记日期"',
                        'created_at = { column = "登记日期", dates = ["excel"] }')  # fmt: skip
    out.write_text(told, encoding="utf-8")
    book = imported(path, tmp_path, source=str(out))
    assert str(deals(book)["created_at"].iloc[0].date()) in ("2026-03-04", "2026-03-05")
    with pytest.raises(MappingThere, match="there is a file of that name"):
        imported(path, tmp_path / "b", mapping_out=out)


def test_what_can_not_be_read_is_named_where_nothing_else_can_be_deals(tmp_path):
    write_csv(tmp_path / "export" / "天气.csv", [["城市", "雨"], ["宁波", 3], ["苏州", 4]])
    write_csv(
        tmp_path / "export" / "台账.csv", [HEADS, *rows(12), ["华东区", "", "", "", ""], *rows()]
    )
    with pytest.raises(NoDeals, match=r"not read: 台账\.csv row 14.*stands alone"):
        import_path(tmp_path / "export", into=tmp_path / "book", yes=True)


@pytest.mark.parametrize("key", ["fill_down.客户 名称", "stages"])
def test_an_option_is_one_word_of_a_shell(key):
    assert Question(key=key, text="?", default="a b").option() == f"--answer '{key}=a b'"
    assert Question(key="fill_down.客户 名称", text="?", default="yes").option() == (
        "--answer 'fill_down.客户 名称=yes'"
    )
