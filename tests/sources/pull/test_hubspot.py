"""Pulling from HubSpot: labels instead of ids, histories, what is archived."""

import pytest

from salesops.sources.importing import import_path
from salesops.sources.mapping import mapping_text
from salesops.sources.pull.errors import NoRight, QuotaUsedUp, TokenRefused, UnknownField
from salesops.sources.pull.pulling import Options, import_pulled, pull_export
from tests.sources.pull.books import company_of, rows_of, texts_below
from tests.sources.pull.hubspot_server import KEY, Hubspot
from tests.sources.pull.servers import Said, serving
from tests.sources.systems.roundtrip import writer

TOLD = {"HUBSPOT_TOKEN": KEY}


@pytest.fixture
def company(tmp_path, monkeypatch):
    module, made = writer("hubspot"), company_of("hubspot")
    # An exported list has minutes only; the same data has the seconds that the interface gives.
    monkeypatch.setattr(module, "MINUTE", "%Y-%m-%d %H:%M:%S")
    module.write(made, tmp_path / "export")
    system = Hubspot(made)
    with serving(system) as server:
        yield system, server


def pulled(server, into, *, environment=TOLD, **options):
    return pull_export("hubspot", into=into, options=Options(base=server.url, **options),
                       environment=environment, pause=lambda _s: None)  # fmt: skip


def files_of(folder):
    return {p.name: p.read_bytes() for p in folder.iterdir() if p.name != "pull.toml"}


def test_a_pull_gives_the_book_that_the_files_give(company, tmp_path):
    _system, server = company
    report = pulled(server, tmp_path / "book")
    import_pulled(report, "hubspot", into=tmp_path / "book")
    import_path(tmp_path / "export", into=tmp_path / "by-files", source="hubspot",
                exported_at=f"{report.at.isoformat()}+00:00")  # fmt: skip
    assert rows_of(tmp_path / "book") == rows_of(tmp_path / "by-files")
    assert KEY not in texts_below(tmp_path)


def test_changes_alone_give_the_same_as_everything_and_archived_deals_are_void(company, tmp_path):
    system, server = company
    import_pulled(pulled(server, tmp_path / "book"), "hubspot", into=tmp_path / "book")
    deals, later = system.objects["deals"], "2026-07-02T00:00:00.000Z"
    deals[0]["properties"]["dealstage"] = "contractsent"
    deals[0]["updatedAt"] = later
    deals[0]["history"]["dealstage"].insert(
        0,
        {
            "value": "contractsent",
            "timestamp": later,
            "sourceType": "CRM_UI",
            "updatedByUserId": 101,
        },
    )
    for deal in deals[2:9]:
        deal |= {"archived": True, "archivedAt": later}
    system.objects["contacts"][0] |= {"archived": True, "archivedAt": later}
    second = pulled(server, tmp_path / "book")
    batches = [one for one in server.asked if one.path.endswith("deals/batch/read")]
    assert [len(one.body["inputs"]) for one in batches if "v3" in one.path] == [12, 1 + 1]
    history = files_of(second.folder)["deals_property_history.json"].decode()
    assert (
        history.count(f'"{deals[0]["id"]}", "property": "dealstage", "value": "Contract Sent"') == 1
    )
    import_pulled(second, "hubspot", into=tmp_path / "book")
    changes = rows_of(tmp_path / "book")["changes"]
    gone = {d["id"] for d in deals[2:9]}
    assert {row[1] for row in changes if "_row" in row} == gone
    everything = pulled(server, tmp_path / "other")
    for name in ("deals.csv", "companies.csv", "contacts.csv"):
        assert files_of(second.folder)[name] == files_of(everything.folder)[name]


def test_a_search_goes_on_along_the_ids_and_not_to_its_end_of_10_000(company, tmp_path):
    system, server = company
    first = system.objects["contacts"][0]
    system.objects["contacts"] = [{**first, "id": str(10**15 + n)} for n in range(450)]
    report = pulled(server, tmp_path / "book", objects=("deals", "contacts"))
    assert next(s for s in report.steps if s.file == "contacts.csv").rows == 450
    searches = [one for one in server.asked if one.path.endswith("contacts/search")]
    assert [len(one.body["filterGroups"][0]["filters"]) for one in searches] == [1, 2, 2]
    assert all("after" not in one.body for one in searches)


def test_two_people_of_one_name_are_told_apart_by_their_address(company, tmp_path):
    system, server = company
    for owner in system.owners:
        owner["firstName"] = "张伟"
    text = files_of(pulled(server, tmp_path / "book").folder)["deals.csv"].decode()
    assert "张伟 (u101@example.com)" in text
    assert "张伟 (u102@example.com)" in text


def test_stages_of_ones_own_are_told_by_flags_and_pipelines(company, tmp_path):
    system, server = company
    system.labels["deals"]["hs_is_closed_won"] = "Is Closed Won"
    for deal in system.objects["deals"]:
        won = deal["properties"]["dealstage"] == "closedwon"
        deal["properties"]["hs_is_closed_won"] = "true" if won else "false"
    files = files_of(pulled(server, tmp_path / "book").folder)
    assert b'"true"' in files["deals.csv"]
    assert b'"True"' not in files["deals.csv"]
    rows = files["deal_pipeline_stages.csv"].decode().splitlines()
    assert '"closedwon","Closed Won","3","true","1.0","Sales Pipeline"' in rows


def test_a_property_of_ones_own_is_found_by_its_label(company, tmp_path):
    system, server = company
    own = tmp_path / "own.toml"
    text = mapping_text("hubspot").replace(
        'amount = "Amount"', 'amount = "Amount"\nproduct_line = "Product family"'
    )
    own.write_text(text, encoding="utf-8")
    with pytest.raises(UnknownField, match="Product family"):
        pulled(server, tmp_path / "book", source=str(own))
    system.labels["deals"]["family_x"] = "Product family"
    for deal in system.objects["deals"]:
        deal["properties"]["family_x"] = "网关"
    report = pulled(server, tmp_path / "book", source=str(own))
    assert files_of(report.folder)["deals.csv"].decode().count("网关") >= 12


def test_errors_are_those_of_hubspot(company, tmp_path):
    system, server = company
    with pytest.raises(TokenRefused, match="access token is expired"):
        pulled(server, tmp_path / "book", environment={"HUBSPOT_TOKEN": "pat-old"})
    daily = {
        "status": "error",
        "message": "You have reached your daily limit.",
        "policyName": "DAILY",
    }
    server.faults += [("/search", Said(429, daily))]
    with pytest.raises(QuotaUsedUp, match="after midnight"):
        pulled(server, tmp_path / "book")
    secondly = {**daily, "message": "secondly", "policyName": "SECONDLY"}
    server.faults += [("/search", Said(429, secondly))]
    assert pulled(server, tmp_path / "book").is_new
    system.hidden = {"deals"}
    with pytest.raises(NoRight, match=r"deals[^\n]*\n[^\n]*\n[^\n]*scope"):
        pulled(server, tmp_path / "other")
