"""Pulling forms from 简道云."""

import json

import pytest

from salesops.sources.importing import import_path
from salesops.sources.pull.errors import BadPullOption, NoRight, QuotaUsedUp, TokenRefused
from salesops.sources.pull.pulling import Options, import_pulled, pull_export
from tests.sources.pull.books import company_of, rows_of
from tests.sources.pull.jiandaoyun_server import APP, KEY, Jiandaoyun
from tests.sources.pull.servers import Said, serving
from tests.sources.systems.roundtrip import writer

TOLD = {"JIANDAOYUN_API_KEY": KEY}
SURE = {"assumed": "yes"}
DATA = "/entry/data/list"


@pytest.fixture
def company(tmp_path):
    writer("jiandaoyun").write(company_of("jiandaoyun"), tmp_path / "export")
    system = Jiandaoyun(tmp_path / "export")
    with serving(system) as server:
        yield system, server


def pulled(server, into, *objects, environment=TOLD, whole=False):
    return pull_export("jiandaoyun", into=into, environment=environment, pause=lambda _s: None,
                       options=Options(base=server.url, objects=objects, whole=whole))  # fmt: skip


def test_a_pull_gives_the_book_that_the_files_give(company, tmp_path):
    system, server = company
    names = ("商机登记", "客户档案", "跟进记录")
    report = pulled(server, tmp_path / "book", *map(system.entry, names))
    assert sorted(files_of(report.folder)) == sorted(f"{name}.json" for name in names)
    import_pulled(report, "jiandaoyun", into=tmp_path / "book", answers=SURE)
    import_path(tmp_path / "export", into=tmp_path / "by-files", source="jiandaoyun", answers=SURE,
                exported_at=f"{report.at.isoformat()}+00:00")  # fmt: skip
    assert rows_of(tmp_path / "book") == rows_of(tmp_path / "by-files")


def files_of(folder):
    return {p.name: p.read_bytes() for p in folder.iterdir() if p.name != "pull.toml"}


def test_a_form_whose_data_did_not_change_is_not_asked_again(company, tmp_path):
    system, server = company
    pulled(server, tmp_path / "book", system.entry("商机登记"), system.entry("客户档案"))
    server.asked.clear()
    assert not pulled(server, tmp_path / "book").is_new, "the forms are those of the last pull"
    assert not any(DATA in path for path in server.paths())
    form = system.forms[system.entry("商机登记").split("/")[1]]
    amount = next(w["name"] for w in form["widgets"] if w["label"] == "预计金额")
    form["records"][0][amount] = 1234.5
    del form["records"][1]
    form["moved"] = "2026-07-02T00:00:00.000Z"
    server.asked.clear()
    second = pulled(server, tmp_path / "book")
    assert sum(DATA in path for path in server.paths()) == 1
    everything = pulled(server, tmp_path / "other", system.entry("商机登记"),
                        system.entry("客户档案"))  # fmt: skip
    assert files_of(second.folder) == files_of(everything.folder)


def test_records_come_page_by_page_with_the_titles_of_their_form(company, tmp_path):
    system, server = company
    form = system.forms[system.entry("商机登记").split("/")[1]]
    form["widgets"] += [
        {"name": "_widget_1", "label": "备注", "type": "text"},
        {"name": "_widget_2", "label": "备注", "type": "text"},
        {"name": "plan", "label": "付款计划", "type": "subform",
         "items": [{"name": "_widget_3", "label": "金额", "type": "number"}]},
    ]  # fmt: skip
    first = {**form["records"][0], "_widget_1": "一", "_widget_2": ["甲", "乙"],
             "plan": [{"_id": "e1", "_widget_3": 36000.25}]}  # fmt: skip
    form["records"] = [{**first, "_id": f"{n:024x}"} for n in range(1, 231)]
    report = pulled(server, tmp_path / "book", system.entry("商机登记"))
    assert sum(DATA in path for path in server.paths()) == 3
    records = json.loads((report.folder / "商机登记.json").read_text("utf-8"))["dataList"]
    assert len(records) == 230
    assert records[0]["备注 (_widget_1)"] == "一"
    assert records[0]["备注 (_widget_2)"] == "甲,乙"
    assert records[0]["付款计划"] == [{"_id": "e1", "金额": "36000.25"}]
    assert records[0]["负责人"] == "张伟"


def test_forms_are_named_by_the_person_and_errors_say_which_there_are(company, tmp_path):
    system, server = company
    with pytest.raises(BadPullOption, match=f"{system.entry('商机登记')} 商机登记"):
        pulled(server, tmp_path / "book")
    with pytest.raises(BadPullOption, match="APP_ID/ENTRY_ID"):
        pulled(server, tmp_path / "book", "商机登记")
    with pytest.raises(NoRight, match=f"{APP}/abc"):
        pulled(server, tmp_path / "book", f"{APP}/abc")
    with pytest.raises(TokenRefused, match="API Key 无效"):
        pulled(server, tmp_path / "book", f"{APP}/abc", environment={"JIANDAOYUN_API_KEY": "old"})


def test_too_many_calls_are_an_answer_with_400_and_wait(company, tmp_path):
    system, server = company
    busy = (DATA, Said(400, {"code": 8303, "msg": "超出请求频率限制"}))
    server.faults += [busy] * 2
    assert pulled(server, tmp_path / "book", system.entry("商机登记")).is_new
    server.faults += [busy] * 6
    with pytest.raises(QuotaUsedUp, match="8303"):
        pulled(server, tmp_path / "other", system.entry("商机登记"))
