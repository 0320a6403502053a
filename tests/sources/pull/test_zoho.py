"""Pulling from Zoho CRM: pages by token, deleted records, the stages of each deal that changed."""

import pytest

from salesops.sources.importing import import_path
from salesops.sources.pull.errors import NoRight, QuotaUsedUp, TokenRefused
from salesops.sources.pull.pulling import Options, import_pulled, pull_export
from tests.sources.pull.books import company_of, rows_of, texts_below
from tests.sources.pull.servers import Said, serving
from tests.sources.pull.zoho_server import TOLD, Zoho, iso
from tests.sources.systems.roundtrip import writer


@pytest.fixture
def company(tmp_path):
    writer("zoho").write(company_of("zoho"), tmp_path / "export")
    system = Zoho(tmp_path / "export")
    with serving(system) as server:
        system.url = server.url
        yield system, server


def pulled(server, into, *, environment=TOLD, **options):
    return pull_export("zoho", into=into, options=Options(login=server.url, **options),
                       environment=environment, pause=lambda _s: None)  # fmt: skip


def files_of(folder):
    return {p.name: p.read_bytes() for p in folder.iterdir() if p.name != "pull.toml"}


def test_a_pull_gives_the_book_that_the_files_give(company, tmp_path):
    _system, server = company
    report = pulled(server, tmp_path / "book")
    import_pulled(report, "zoho", into=tmp_path / "book")
    import_path(tmp_path / "export", into=tmp_path / "by-files", source="zoho",
                exported_at=f"{report.at.isoformat()}+00:00")  # fmt: skip
    assert rows_of(tmp_path / "book") == rows_of(tmp_path / "by-files")
    kept = texts_below(tmp_path)
    assert not any(secret in kept for secret in (*TOLD.values(), "1000.access"))


def test_changes_alone_give_the_same_as_everything_and_deleted_deals_are_void(company, tmp_path):
    system, server = company
    import_pulled(pulled(server, tmp_path / "book"), "zoho", into=tmp_path / "book")
    deals, later = system.modules["Deals"], iso("2026-07-02 08:00:00")
    deals[0] |= {"Stage": "Negotiation/Review", "Modified_Time": later}
    row = system.stages[deals[0]["id"]][0]
    system.stages[deals[0]["id"]].append({**row, "id": "4876876zz", "Modified_Time": later,
                                          "Stage": "Negotiation/Review"})  # fmt: skip
    gone = deals.pop(2)["id"]
    system.deleted["Deals"].append({"id": gone, "deleted_time": later, "type": "recycle"})
    lead = system.modules["Leads"].pop(0)["id"]
    system.deleted["Leads"].append({"id": lead, "deleted_time": later, "type": "permanent"})
    server.asked.clear()
    second = pulled(server, tmp_path / "book")
    stages = [p for p in server.paths() if p.endswith("/Stage_History")]
    assert len(stages) == 1 + 1, "a call for what changed, and for what the time overlaps"
    imported = import_pulled(second, "zoho", into=tmp_path / "book")
    assert imported.counts["Leads.csv"].kept == 3
    changes = rows_of(tmp_path / "book")["changes"]
    assert {row[1] for row in changes if "_row" in row} == {gone, lead}
    everything = pulled(server, tmp_path / "other")
    text = files_of(second.folder)["Deals.csv"].decode().splitlines()
    assert [line for line in text if gone not in line] == files_of(everything.folder)[
        "Deals.csv"].decode().splitlines()  # fmt: skip
    assert files_of(second.folder)["Leads.csv"] == files_of(everything.folder)["Leads.csv"]


def test_errors_are_those_of_zoho(company, tmp_path):
    system, server = company
    with pytest.raises(TokenRefused, match="invalid_code"):
        pulled(server, tmp_path / "book", environment=TOLD | {"ZOHO_CLIENT_SECRET": "old"})
    with pytest.raises(TokenRefused, match="INVALID_TOKEN"):
        pulled(server, tmp_path / "book", environment={"ZOHO_TOKEN": "1000.old"}, base=server.url)
    busy = {"code": "TOO_MANY_REQUESTS", "message": "concurrency"}
    server.faults += [
        ("/Deals", Said(429, busy)),
        ("/Accounts", Said(401, {"code": "INVALID_TOKEN", "message": "expired"})),
    ]
    assert pulled(server, tmp_path / "book").is_new, "a token that ends on the way is renewed"
    server.faults += [("/Deals", Said(429, {"code": "LIMIT_EXCEEDED", "message": "credits"}))]
    with pytest.raises(QuotaUsedUp, match="24 hours"):
        pulled(server, tmp_path / "other")
    system.hidden = {"Leads"}
    report = pulled(server, tmp_path / "other")
    assert any("Leads is left out" in line for line in report.lines())
    system.hidden = {"Deals"}
    with pytest.raises(NoRight, match="Deals"):
        pulled(server, tmp_path / "third")
