"""Pulling from Salesforce: as from its files, with changes alone, and with what goes wrong."""

import re

import pytest

from salesops.sources.importing import import_path
from salesops.sources.pull.pulling import Options, import_pulled, pull_export
from tests.sources.pull.books import company_of, rows_of
from tests.sources.pull.salesforce_server import TOKEN, Salesforce, time
from tests.sources.pull.servers import serving
from tests.sources.systems.roundtrip import writer

TOLD = {"SALESFORCE_TOKEN": TOKEN}


@pytest.fixture
def company(tmp_path):
    writer("salesforce").write(company_of("salesforce"), tmp_path / "export")
    system = Salesforce(tmp_path / "export")
    with serving(system) as server:
        system.url = server.url
        yield system, server


def pulled(server, into, *, environment=TOLD, **options):
    options.setdefault("base", server.url)
    report = pull_export("salesforce", into=into, options=Options(**options),
                         environment=environment, pause=lambda _s: None)  # fmt: skip
    return report, import_pulled(report, "salesforce", into=into)


def test_a_pull_gives_the_book_that_the_files_give(company, tmp_path):
    _system, server = company
    report, _imported = pulled(server, tmp_path / "book")
    assert report.folder.parent == tmp_path / "book-raw" / "salesforce"
    assert any("OpportunityStage is left out" in line for line in report.lines())
    import_path(tmp_path / "export", into=tmp_path / "by-files", source="salesforce",
                exported_at=f"{report.at.isoformat()}+00:00")  # fmt: skip
    assert rows_of(tmp_path / "book") == rows_of(tmp_path / "by-files")


def move(system: Salesforce) -> str:
    """What happens in a week: a deal goes on, one is new, one goes to the recycle bin."""
    deals = system.objects["Opportunity"]
    late, later = time("2026-07-03 08:00:00"), time("2026-07-03 09:30:00")
    deals[0] |= {"StageName": "Négociation", "StageSortOrder": 3.0, "Probability": 80.0,
                 "SystemModstamp": late}  # fmt: skip
    system.objects["OpportunityHistory"].append({
        **system.objects["OpportunityHistory"][0], "Id": "008zz", "StageName": "Négociation",
        "Probability": 80.0, "CreatedDate": late, "SystemModstamp": late,
    })  # fmt: skip
    new = {**deals[0], "Id": "006new", "Name": "新商机", "CreatedDate": late, "IsDeleted": False,
           "Amount": 1.5e7}  # fmt: skip
    deals.append(new)
    deals[2] |= {"IsDeleted": True, "SystemModstamp": later}
    gone = system.objects["Contact"][0]
    gone |= {"IsDeleted": True, "SystemModstamp": later}
    return str(deals[2]["Id"])


def files_of(folder):
    return {p.name: p.read_bytes() for p in folder.iterdir() if p.name != "pull.toml"}


def test_changes_alone_give_the_same_as_everything(company, tmp_path):
    system, server = company
    first, _imported = pulled(server, tmp_path / "book")
    gone = move(system)
    server.asked.clear()
    second, imported = pulled(server, tmp_path / "book")
    asked = [one.query["q"] for one in server.asked if "q" in one.query]
    assert all(" WHERE " in q for q in asked if "FROM Opportunity" in q)
    assert second.folder != first.folder
    assert second.folder.parent == first.folder.parent
    step = next(s for s in second.steps if s.file == "Opportunity.csv")
    # The last one that was known is asked for again, as the time overlaps.
    assert (step.answered, step.rows, step.whole) == (3 + 1, 12 + 1, False)
    everything = pull_export("salesforce", into=tmp_path / "other", environment=TOLD,
                             options=Options(base=server.url))  # fmt: skip
    assert files_of(second.folder) == files_of(everything.folder)
    assert b"15000000" in files_of(second.folder)["Opportunity.csv"]  # not 1.5E7
    assert b"buyer0@" not in files_of(second.folder)["Contact.csv"]
    assert imported.rows["opportunities"] == 12 + 1
    changes = rows_of(tmp_path / "book")["changes"]
    assert [row[1] for row in changes if "_row" in row] == [gone], "deleted means void"


def test_nothing_new_leaves_the_last_export_and_the_book_as_they_are(company, tmp_path):
    _system, server = company
    first, _imported = pulled(server, tmp_path / "book")
    before = {p: p.stat().st_mtime_ns for p in (tmp_path / "book").iterdir()}
    second, imported = pulled(server, tmp_path / "book")
    assert (second.folder, second.is_new, imported.unchanged) == (first.folder, False, True)
    assert [p.name for p in first.folder.parent.iterdir()] == [first.folder.name]
    assert before == {p: p.stat().st_mtime_ns for p in (tmp_path / "book").iterdir()}


def only_pulled(server, into, *, environment=TOLD, **options):
    options.setdefault("base", server.url)
    return pull_export("salesforce", into=into, options=Options(**options),
                       environment=environment, pause=lambda _s: None)  # fmt: skip


def test_history_that_is_younger_than_its_deal_waits_for_the_next_pull(company, tmp_path):
    system, server = company
    young = {**system.objects["OpportunityHistory"][0], "Id": "008young",
             "StageName": "Closed Won", "CreatedDate": time("2999-01-01 00:00:00")}  # fmt: skip
    system.objects["OpportunityHistory"].append(young)
    first = only_pulled(server, tmp_path / "book")
    assert b"008young" not in files_of(first.folder)["OpportunityHistory.csv"]
    system.objects["Opportunity"][0]["SystemModstamp"] = time("2999-01-01 00:00:00")
    second = only_pulled(server, tmp_path / "book")
    assert b"008young" in files_of(second.folder)["OpportunityHistory.csv"]


def test_everything_is_asked_for_when_the_recycle_bin_may_have_been_emptied(company, tmp_path):
    _system, server = company
    folder = only_pulled(server, tmp_path / "book").folder
    record = folder / "pull.toml"
    text = record.read_text("utf-8")
    old = re.sub(r'(whole_at = ")\d{4}', r"\g<1>2020", text)
    assert old != text
    record.write_text(old, encoding="utf-8")
    for is_whole in (True, False):
        server.asked.clear()
        assert not only_pulled(server, tmp_path / "book").is_new
        queries = [one.query["q"] for one in server.asked if "q" in one.query]
        assert all(" WHERE " not in q for q in queries) is is_whole


def test_what_left_the_recycle_bin_is_found_when_everything_is_asked_for(company, tmp_path):
    system, server = company
    only_pulled(server, tmp_path / "book")
    gone = system.objects["Opportunity"].pop()["Id"].encode()
    assert not only_pulled(server, tmp_path / "book").is_new
    whole = only_pulled(server, tmp_path / "book", whole=True)
    assert gone not in files_of(whole.folder)["Opportunity.csv"]
