"""Pulling from 纷享销客, whose answers have status 200 whatever happened."""

import pytest

from salesops.sources.importing import import_path
from salesops.sources.pull.errors import NoRight, QuotaUsedUp, StrangeAnswer, TokenRefused
from salesops.sources.pull.pulling import Options, import_pulled, pull_export
from tests.sources.pull.books import company_of, rows_of, texts_below
from tests.sources.pull.fxiaoke_server import TOLD, Fxiaoke
from tests.sources.pull.servers import Said, serving
from tests.sources.systems.roundtrip import writer

SURE = {"assumed": "yes"}


@pytest.fixture
def company(tmp_path):
    writer("fxiaoke").write(company_of("fxiaoke"), tmp_path / "export")
    system = Fxiaoke(tmp_path / "export")
    with serving(system) as server:
        yield system, server


def pulled(server, into, *, environment=TOLD, pauses=None, **options):
    return pull_export(
        "fxiaoke",
        into=into,
        options=Options(base=server.url, **options),
        environment=environment,
        pause=(pauses if pauses is not None else []).append,
    )


def files_of(folder):
    return {p.name: p.read_bytes() for p in folder.iterdir() if p.name != "pull.toml"}


def test_a_pull_gives_the_book_that_the_files_give(company, tmp_path):
    _system, server = company
    report = pulled(server, tmp_path / "book")
    import_pulled(report, "fxiaoke", into=tmp_path / "book", answers=SURE)
    import_path(tmp_path / "export", into=tmp_path / "by-files", source="fxiaoke", answers=SURE,
                exported_at=f"{report.at.isoformat()}+00:00")  # fmt: skip
    assert rows_of(tmp_path / "book") == rows_of(tmp_path / "by-files")


def test_changes_alone_and_the_ids_that_are_there_give_the_same_as_everything(company, tmp_path):
    system, server = company
    import_pulled(pulled(server, tmp_path / "book"), "fxiaoke", into=tmp_path / "book",
                  answers=SURE)  # fmt: skip
    deals = system.objects["NewOpportunityObj"]
    later = 1782950400000
    deals[0] |= {"amount": "123456.00", "last_modified_time": later}
    gone = deals.pop(2)["_id"]
    deals.append({**deals[0], "_id": "9081245790299999", "name": "新商机"})
    second = pulled(server, tmp_path / "book")
    step = next(s for s in second.steps if s.file == "NewOpportunityObj.json")
    assert (step.answered, step.rows, step.whole) == (2 + 1, 12, False)
    everything = pulled(server, tmp_path / "other")
    assert files_of(second.folder) == files_of(everything.folder)
    imported = import_pulled(second, "fxiaoke", into=tmp_path / "book")
    assert imported.changed["opportunities"] >= 2
    assert any(gone in row and "_row" in row for row in rows_of(tmp_path / "book")["changes"])


def test_pages_go_along_the_ids_beyond_what_an_offset_allows(company, tmp_path):
    system, server = company
    first = system.objects["ContactObj"][0]
    system.objects["ContactObj"] = [{**first, "_id": f"{n:024x}"} for n in range(1, 251)]
    report = pulled(server, tmp_path / "book", objects=("NewOpportunityObj", "ContactObj"))
    assert next(s for s in report.steps if s.file == "ContactObj.json").rows == 250


def test_codes_are_told_apart_though_all_answers_look_well(company, tmp_path):
    system, server = company
    path = "/cgi/crm/v2/data/query"

    def says(code):
        return path, Said(200, {"errorCode": code, "errorMessage": "no", "data": None})

    pauses: list[float] = []
    server.faults += [says(-1), says(30004), says(20016)]
    assert pulled(server, tmp_path / "a", pauses=pauses).is_new
    assert server.paths().count("/cgi/corpAccessToken/get/V2") == 2, "a new token was asked for"
    for code, kind in ((30002, QuotaUsedUp), (15003, NoRight), (32000, StrangeAnswer)):
        server.faults += [says(code)]
        with pytest.raises(kind):
            pulled(server, tmp_path / "b")
    system.hidden = {"HighSeasObj"}
    report = pulled(server, tmp_path / "c")
    assert any("HighSeasObj is left out" in line for line in report.lines())
    with pytest.raises(TokenRefused, match="20015"):
        pulled(server, tmp_path / "d", environment=TOLD | {"FXIAOKE_PERMANENT_CODE": "old"})
    kept = texts_below(tmp_path)
    assert not any(secret in kept for secret in ("s3cretOfTheApp", "permanentC0de", "corpToken"))
