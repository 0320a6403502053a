"""A team's book shows nothing of other teams, whatever is asked of it."""

import pandas as pd
import pytest

from salesops.book.book import open_book
from salesops.book.scope import parse_scope
from salesops.model.errors import BadScope
from salesops.model.tables import TABLES
from tests.companies import at, book_of, random_company

SEEDS = (1, 2, 3)


def everything(book) -> str:
    """Write all that a book shows as one text."""
    tables = [book.table(name).to_pandas() for name in TABLES]
    return "\n".join(frame.to_csv() for frame in tables)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("team", ["North", "South/1"])
def test_nobody_outside_a_team_is_named_in_any_table(seed, team):
    company = random_company(seed)
    # Nobody of the south ever was in the north, so there is somebody to be hidden from either.
    for person in company.users:
        side = person.first["region"]
        person.edits = [e for e in person.edits if e[2].startswith(side)]
    book = book_of(company.tables()).scope(team=team)
    ever_inside = {
        person.id
        for person in company.users
        for value in [person.first["team"], *(e[2] for e in person.edits)]
        if value == team or value.startswith(team + "/")
    }
    shown = everything(book)
    outside = {p.id for p in company.users} - ever_inside
    assert outside, "the company must have somebody outside, or nothing is tested"
    for who in outside:
        assert f"Name {who}" not in shown
        assert f",{who}," not in shown


@pytest.mark.parametrize("seed", SEEDS)
def test_teams_that_share_nobody_share_no_deal_and_together_have_them_all(seed):
    book = book_of(random_company(seed).tables())
    ids = {t: set(book.scope(team=t).opportunities.id.to_pandas()) for t in ("North", "South")}
    assert ids["North"] & ids["South"] == set()
    assert ids["North"] | ids["South"] == set(book.opportunities.id.to_pandas())


def test_a_won_deal_stays_with_the_team_that_its_owner_was_in_then():
    company = random_company(5)
    deal, person = company.deals[0], company.users[0]
    deal.born, deal.edits, deal.removed = 1, [(10, "stage", "contract")], None
    deal.first["owner_id"], person.edits = person.id, [(20, "team", "South/1")]
    book = book_of(company.tables())
    assert deal.id in set(book.scope(team="North/1").opportunities.id.to_pandas())
    assert deal.id not in set(book.scope(team="South/1").opportunities.id.to_pandas())


def test_an_open_deal_goes_with_its_owner():
    company = random_company(5)
    deal, person = company.deals[0], company.users[0]
    deal.born, deal.edits, deal.removed = 1, [], None
    deal.first["owner_id"], person.edits = person.id, [(20, "team", "South/1")]
    book = book_of(company.tables())
    before, after = book.as_of(at(19)), book.as_of(at(20))
    assert deal.id in set(before.scope(team="North/1").opportunities.id.to_pandas())
    assert deal.id in set(after.scope(team="South/1").opportunities.id.to_pandas())
    assert deal.id not in set(after.scope(team="North/1").opportunities.id.to_pandas())


def test_a_prefix_of_a_team_means_its_whole_subtree(tiny_book):
    people = tiny_book.scope(team="North").table("users").id.to_pandas()
    assert set(people) <= set(tiny_book.table("users").id.to_pandas())
    assert parse_scope("team:North").team == "North"


def test_an_unknown_team_is_refused_with_those_there_are(tiny_book):
    with pytest.raises(BadScope) as error:
        tiny_book.scope(team="West")
    text = str(error.value)
    assert "team:West" in text
    assert "North" in text


def test_renewals_are_left_out_when_told():
    tables = random_company(2).tables()
    deals = tables["opportunities"].to_pandas()
    deals.loc[:9, "type"] = "renewal"
    from salesops.book.write import typed

    book = book_of({**tables, "opportunities": typed("opportunities", deals)})
    kept = set(book.without_renewals().opportunities.id.to_pandas())
    assert kept == set(book.opportunities.id.to_pandas()) - set(deals["id"][:10])
    assert set(book.without_renewals().history("opportunities").id.to_pandas()) <= kept
    log = book.without_renewals().changes.to_pandas()
    assert not set(log.loc[log["entity"] == "opportunities", "entity_id"]) & set(deals["id"][:10])


def test_the_sample_shows_a_team_its_own_region_alone(sample_book):
    team = sample_book.scope(team="西南/一组")
    teams = team.table("users").select("team").distinct().to_pandas()["team"]
    assert set(teams) <= {"西南/一组", "another_team"}
    everyone = sample_book.table("users").to_pandas()
    others = everyone[~everyone["team"].isin(["西南/一组"]) & (everyone["role"] == "rep")]
    deals = team.opportunities.to_pandas()
    assert not deals["owner_id"].isin(others["id"]).any()
    assert pd.Series(deals["name"]).notna().all()


def test_a_book_of_the_tiny_company_opens_by_path_text():
    assert open_book("tests/tiny_company").date.isoformat() == "2026-03-31"
