"""What goes wrong on the way, and what becomes of secrets; the server is that of Salesforce."""

import re

import pytest

from salesops.cli.main import main
from salesops.sources.pull.errors import (
    BadPullOption,
    MissingSecret,
    NoRight,
    OtherCompany,
    QuotaUsedUp,
    StrangeAnswer,
    TokenRefused,
    UnknownField,
    Unreachable,
)
from salesops.sources.pull.pulling import Options, pull_export
from tests.sources.pull.books import company_of, texts_below
from tests.sources.pull.salesforce_server import REFRESH, TOKEN, Salesforce
from tests.sources.pull.servers import Said, serving
from tests.sources.systems.roundtrip import writer

TOLD = {"SALESFORCE_TOKEN": TOKEN}
REFRESHED = {"SALESFORCE_REFRESH_TOKEN": REFRESH, "SALESFORCE_CLIENT_ID": "app"}
QUERY = "/services/data/v62.0/query"


@pytest.fixture(scope="module")
def export(tmp_path_factory):
    folder = tmp_path_factory.mktemp("export")
    writer("salesforce").write(company_of("salesforce"), folder)
    return folder


@pytest.fixture
def company(export):
    system = Salesforce(export)
    with serving(system) as server:
        system.url = server.url
        yield system, server


def pulled(server, folder, *, environment=TOLD, pauses=None, **options):
    options.setdefault("base", server.url)
    pause = (pauses if pauses is not None else []).append
    return pull_export("salesforce", into=folder / "book", options=Options(**options),
                       environment=environment, pause=pause)  # fmt: skip


def nothing_left(folder):
    raw = folder / "book-raw" / "salesforce"
    return not raw.exists() or not any(raw.iterdir())


def test_what_may_pass_is_asked_again_after_the_pause_that_was_asked_for(company, tmp_path):
    _system, server = company
    server.faults += [
        (QUERY, Said(429, [{"errorCode": "X", "message": "slow down"}], {"Retry-After": "7"})),
        (QUERY, Said(503, "<html>busy</html>")),
        (QUERY, None),
    ]  # fmt: skip
    pauses: list[float] = []
    report = pulled(server, tmp_path, pauses=pauses)
    assert 7.0 in pauses
    assert len([p for p in pauses if p]) == 3
    assert report.is_new
    assert not server.faults


def test_what_will_not_pass_is_not_asked_again_and_leaves_nothing(company, tmp_path):
    _system, server = company
    server.faults += [(QUERY + "/", Said(400, [{"errorCode": "MALFORMED_QUERY",
                                                "message": "unexpected token"}]))]  # fmt: skip
    with pytest.raises(StrangeAnswer, match="unexpected token"):
        pulled(server, tmp_path)
    assert sum(QUERY + "/" in path for path in server.paths()) == 1
    assert nothing_left(tmp_path)
    assert pulled(server, tmp_path).is_new, "the next pull begins anew"


def test_a_pull_that_is_broken_off_leaves_nothing(company, tmp_path, monkeypatch, capsys):
    _system, server = company
    monkeypatch.setenv("SALESFORCE_TOKEN", TOKEN)
    server.faults += [(QUERY + "/", Said(0))]
    with pytest.raises(SystemExit) as ended:
        main(["pull", "salesforce", "--into", str(tmp_path / "book"), "--base-url", server.url])
    assert ended.value.code == 143
    assert "nothing is half-written" in capsys.readouterr().err
    assert nothing_left(tmp_path)
    assert not (tmp_path / "book").exists()


def test_a_server_that_stays_away_is_named_after_six_attempts(company, tmp_path):
    _system, server = company
    server.faults += [("describe", Said(502, "bad gateway"))] * 6
    with pytest.raises(Unreachable, match="502 bad gateway"):
        pulled(server, tmp_path)
    assert len(server.asked) == 6
    assert nothing_left(tmp_path)


def test_a_used_up_quota_says_when_to_come_again(company, tmp_path):
    _system, server = company
    server.faults += [
        (
            "describe",
            Said(
                403,
                [
                    {
                        "errorCode": "REQUEST_LIMIT_EXCEEDED",
                        "message": "TotalRequests Limit exceeded.",
                    }
                ],
            ),
        )
    ]
    with pytest.raises(QuotaUsedUp, match="24 hours"):
        pulled(server, tmp_path)
    server.faults += [("describe", Said(429, "", {"Retry-After": "3600"}))]
    with pytest.raises(QuotaUsedUp, match="in 3600 seconds"):
        pulled(server, tmp_path)
    assert len(server.asked) == 2, "nobody waits for an hour"


def test_an_expired_token_is_refused_or_renewed(company, tmp_path):
    system, server = company
    system.tokens = {"another"}
    with pytest.raises(TokenRefused, match="Session expired") as caught:
        pulled(server, tmp_path)
    assert TOKEN not in str(caught.value)
    both = TOLD | REFRESHED
    assert pulled(server, tmp_path, environment=both, login=server.url).is_new
    assert server.paths().count("/services/oauth2/token") == 1


def test_a_refresh_token_is_enough_and_tells_the_address(company, tmp_path):
    _system, server = company
    report = pulled(server, tmp_path, environment=REFRESHED, login=server.url, base="")
    assert report.is_new
    (call,) = [one for one in server.asked if one.path == "/services/oauth2/token"]
    assert (call.method, call.query) == ("POST", {}), "a secret in an address would be logged"
    bad = REFRESHED | {"SALESFORCE_REFRESH_TOKEN": "5Aep000wrongRefresh"}
    with pytest.raises(TokenRefused, match="expired access/refresh token"):
        pulled(server, tmp_path, environment=bad, login=server.url, base="")


def test_a_missing_secret_names_the_variable(company, tmp_path):
    _system, server = company
    with pytest.raises(MissingSecret, match="export SALESFORCE_TOKEN=") as caught:
        pulled(server, tmp_path, environment={})
    assert "SALESFORCE_REFRESH_TOKEN" in str(caught.value)
    with pytest.raises(MissingSecret, match="OUR_TOKEN"):
        pulled(server, tmp_path, environment={}, secrets={"token": "OUR_TOKEN"})


def test_a_secret_instead_of_its_name_is_refused_and_not_repeated(company, tmp_path):
    _system, server = company
    for secret in (TOKEN, "pat-na1-0a1b2c3d", "abcdEFGH0123456789abcdEFGH0123"):
        with pytest.raises(BadPullOption, match="not the secret itself") as caught:
            pulled(server, tmp_path, secrets={"token": secret})
        assert secret not in str(caught.value)


def test_a_secret_without_a_key_is_refused_and_not_repeated(tmp_path, capsys):
    for said in (["--secret", "pat-na1-0a1b2c3d"], ["--secret", "5Aep861=xyz"],
                 ["--token-env", "pat-na1-0a1b2c3d"]):  # fmt: skip
        with pytest.raises(SystemExit) as ended:
            main(["pull", "salesforce", "--into", str(tmp_path / "book"), *said])
        assert ended.value.code == 2
        shown = capsys.readouterr()
        assert "not the secret" in shown.err or "KEY=NAME" in shown.err
        assert not any(part in shown.err + shown.out for part in ("0a1b2c3d", "5Aep861", "xyz"))


def test_a_token_is_never_sent_in_the_clear(company, tmp_path):
    _system, server = company
    with pytest.raises(BadPullOption, match="an address with https"):
        pulled(server, tmp_path, base="http://company.example.com")


def test_no_name_and_no_certificate_are_said_in_words(company, tmp_path):
    _system, server = company
    with pytest.raises(Unreachable, match="name is not found"):
        pulled(server, tmp_path, base="https://salesforce.invalid")
    with pytest.raises(Unreachable, match="no secure connection"):
        pulled(server, tmp_path, base=server.url.replace("http:", "https:"))


def test_an_object_that_must_be_there_is_asked_for_by_name(company, tmp_path):
    system, server = company
    system.hidden.add("Opportunity")
    with pytest.raises(NoRight, match="does not show Opportunity"):
        pulled(server, tmp_path)
    system.hidden = {"Case"}
    with pytest.raises(NoRight, match="does not show Case"):
        pulled(server, tmp_path, objects=("Opportunity", "Case"))


def test_an_object_that_was_there_before_does_not_vanish(company, tmp_path):
    system, server = company
    assert pulled(server, tmp_path).is_new
    system.hidden.add("Lead")
    with pytest.raises(NoRight, match="does not show Lead"):
        pulled(server, tmp_path)


def test_a_field_of_ones_own_must_be_there(company, tmp_path):
    system, server = company
    own = tmp_path / "own.toml"
    from salesops.sources.mapping import mapping_text

    text = mapping_text("salesforce").replace(
        'source = "LeadSource"\nforecast',
        'source = "LeadSource"\nlost_reason = "Reason__c"\nforecast',
    )
    own.write_text(text, encoding="utf-8")
    with pytest.raises(UnknownField, match="no field 'Reason__c' in Opportunity"):
        pulled(server, tmp_path, source=str(own))
    assert pulled(server, tmp_path).is_new
    for record in system.objects["Opportunity"]:
        record["Reason__c"] = "价格"
    report = pulled(server, tmp_path, source=str(own))
    step = next(s for s in report.steps if s.file == "Opportunity.csv")
    assert step.whole, "earlier rows don't have it either"
    assert (report.folder / "Opportunity.csv").read_text("utf-8").count("价格") == 12


def test_two_accounts_are_not_mixed(company, export, tmp_path):
    _system, server = company
    assert pulled(server, tmp_path).is_new
    with serving(Salesforce(export)) as other, pytest.raises(OtherCompany, match="--raw FOLDER"):
        pulled(other, tmp_path)


@pytest.mark.parametrize("body", [{}, {"fields": 7}, {"fields": [{}]}, [], "null", "<html>", "7"])
def test_an_answer_of_another_form_is_no_crash(company, tmp_path, body):
    _system, server = company
    server.faults += [("describe", Said(200, body))]
    with pytest.raises(StrangeAnswer):
        pulled(server, tmp_path)
    assert nothing_left(tmp_path)


def test_a_redirect_is_not_followed(company, tmp_path):
    _system, server = company
    server.faults += [("describe", Said(302, "", {"Location": "http://127.0.0.1:9/"}))]
    with pytest.raises(StrangeAnswer):
        pulled(server, tmp_path)


def test_secrets_stand_in_no_file_and_in_no_output(company, tmp_path, monkeypatch, capsys):
    system, server = company
    monkeypatch.setenv("OUR_TOKEN", TOKEN)
    command = ["pull", "salesforce", "--into", str(tmp_path / "book"), "--only-raw",
               "--token-env", "OUR_TOKEN", "--base-url", server.url]  # fmt: skip
    with pytest.raises(SystemExit) as ended:
        main(command)
    assert not ended.value.code
    shown = capsys.readouterr()
    assert re.search(r"Opportunity\.csv: 12 rows, all of them", shown.out)
    system.tokens = set()
    server.faults += [("describe", Said(418, f"you sent {TOKEN}"))]
    for _ in range(2):
        with pytest.raises(SystemExit) as ended:
            main(command)
        assert ended.value.code == 2
    failed = capsys.readouterr()
    assert "you sent •••" in failed.err
    assert "Session expired" in failed.err
    everything = shown.out + shown.err + failed.out + failed.err + texts_below(tmp_path)
    assert TOKEN not in everything
